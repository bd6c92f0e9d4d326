//! Text → citations of law, each with a verdict: is the law in force, has it the article, does the article say so?
//!
//! Right of `statutes`: it reads the statute base and nothing behind it. Precision comes first: a citation is called
//! wrong only on what the base knows, never on what it lacks.

mod content;
mod conversation;
pub mod document;
pub mod evaluation;
mod find;
mod finding;
mod judge;
mod names;
mod place;

use std::sync::OnceLock;

use jiff::civil::Date;

use crate::statutes::StatuteBase;
use content::ContentIndex;
pub use conversation::conversation_findings;
pub use finding::{CitationFinding, Reason, SCHEMA, Suggestion, Verdict};
use judge::Judge;
use names::Names;

/// The names and words of a statute base, made ready for search. Build once, use from any thread.
#[derive(Debug)]
pub struct CitationIndex {
    names: Names,
    /// Built when a text first cites an article: most chats never do.
    content: OnceLock<ContentIndex>,
}

impl CitationIndex {
    /// Reads the names of the laws of `base`.
    pub fn new(base: &StatuteBase) -> CitationIndex {
        CitationIndex { names: Names::new(base), content: OnceLock::new() }
    }

    /// Every citation in `text`, right or wrong, in the order of the text, judged by the law of `date`. `base` is the one
    /// the index was made from. Laws named without an article are listed too; names the base does not know only with one.
    pub fn audit(&self, base: &StatuteBase, text: &str, date: Date) -> Vec<CitationFinding> {
        let mentions = find::mentions(&self.names, base, text);
        if mentions.is_empty() {
            return Vec::new();
        }
        let content = self.content.get_or_init(|| ContentIndex::new(base));
        let mut judge = Judge::new(base, content, text, date, &mentions);
        let mut place = Locator::new(text);
        let mut findings = Vec::with_capacity(mentions.len());
        for (at, mention) in mentions.iter().enumerate() {
            let judged = judge.judge(at);
            let (line, column, start) = place.locate(mention.span.start);
            let matched = &text[mention.span.clone()];
            let law = match &mention.law {
                find::Named::Law(law) => base.laws()[*law].name.clone(),
                find::Named::Other(name) => name.clone(),
            };
            let cited = mention.place.as_ref().map_or(String::new(), |place| {
                let part = |part: Option<u8>| part.map_or(String::new(), |part| format!("({part})"));
                let until = place.until.map_or(String::new(), |until| format!("-{until}"));
                format!("{}{until}{}{}", place.article, part(place.paragraph), part(place.item))
            });
            findings.push(CitationFinding {
                schema: SCHEMA.to_owned(),
                line,
                column,
                start,
                end: start + matched.chars().count(),
                matched: matched.to_owned(),
                law,
                place: cited,
                verdicts: judged.verdicts,
                verified: judged.verified,
                severity: judged.severity,
                suggestions: judged.suggestions,
                message: judged.message,
                date,
                span: mention.span.clone(),
            });
        }
        findings
    }
}

/// Every citation in `text`, judged by the law of `date`. For many texts, build a [`CitationIndex`] once.
///
/// ```
/// use zhijian::citation::{Verdict, audit};
/// use zhijian::statutes::StatuteBase;
///
/// let base = StatuteBase::load(&[]).unwrap();
/// let text = "依照《合同法》第一百零七条，违约方应当承担违约责任。";
/// let found = audit(&base, text, "2026-09-18".parse().unwrap());
/// assert_eq!(found[0].verdicts, [Verdict::Repealed]);
/// assert_eq!(found[0].suggestions[0].label, "《民法典》第五百七十七条");
/// assert_eq!((found[0].line, found[0].column), (1, 3));
/// ```
pub fn audit(base: &StatuteBase, text: &str, date: Date) -> Vec<CitationFinding> {
    CitationIndex::new(base).audit(base, text, date)
}

/// Lines and columns of rising byte offsets, each part of the text counted once.
#[derive(Debug)]
struct Locator<'t> {
    text: &'t str,
    at: usize,
    line: u64,
    column: u64,
    count: usize,
}

impl<'t> Locator<'t> {
    fn new(text: &'t str) -> Locator<'t> {
        Locator { text, at: 0, line: 1, column: 1, count: 0 }
    }

    /// The 1-based line and column and the 0-based code point of byte `offset`.
    fn locate(&mut self, offset: usize) -> (u64, u64, usize) {
        if offset < self.at {
            *self = Locator::new(self.text);
        }
        for c in self.text[self.at..offset].chars() {
            self.count += 1;
            if c == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.at = offset;
        (self.line, self.column, self.count)
    }
}
