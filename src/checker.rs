//! The joined stages: rules checked against the statute base at load, conversations → findings.

use std::path::Path;

use jiff::civil::Date;

use crate::citation::{self, CitationIndex};
use crate::engine::{Mode, Scanner};
use crate::error::LoadError;
use crate::lexicon::cache::Cache;
use crate::lexicon::{RuleSet, Sources};
use crate::model::Conversation;
use crate::statutes::{Finding, StatuteBase};
use crate::timings::{Stage, stage};

/// Compiled rules and the statute base they rest on. Share it between threads by reference.
#[derive(Debug)]
pub struct Checker {
    /// The compiled rules.
    pub rules: RuleSet,
    /// The statute base.
    pub statutes: StatuteBase,
    /// The names and contents of its laws, for citations in turns.
    citations: CitationIndex,
    /// The day whose law applies to conversations that carry no date.
    pub default_date: Date,
}

/// What checking one conversation gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// Sorted by turn and place, those about the whole conversation last.
    pub findings: Vec<Finding>,
    /// Turns with so many hits that some were not looked at.
    pub truncated: usize,
    /// Whether the conversation was so long that it was judged in pieces.
    pub cut: bool,
}

impl Checker {
    /// The embedded rules and statutes; conversations without a date are judged by the law of today.
    ///
    /// # Errors
    /// Never for a released program: the tests load the embedded files.
    pub fn builtin() -> Result<Checker, LoadError> {
        Checker::load(&Sources::builtin(), &[])
    }

    /// Compiles `sources`, loads the statute files of `statute_dirs` beside the embedded ones, and checks that every
    /// statute reference resolves.
    ///
    /// # Errors
    /// Every problem found in the files.
    pub fn load(sources: &Sources, statute_dirs: &[&Path]) -> Result<Checker, LoadError> {
        Checker::join(|| RuleSet::compile(sources), statute_dirs)
    }

    /// Like [`load`](Self::load) with `more` beside the embedded files (`builtin`) or alone, from what was remembered of
    /// an earlier run where that can be. The rules then come without their examples.
    ///
    /// # Errors
    /// Every problem found in the files.
    pub fn remembered(builtin: bool, more: Sources, statute_dirs: &[&Path]) -> Result<Checker, LoadError> {
        // Other statutes may leave a reference of the rules unresolved: that is found out when they are compiled.
        let cache = if statute_dirs.is_empty() { Cache::of(builtin, &more) } else { None };
        if let Some(rules) = cache.as_ref().and_then(Cache::load) {
            return Checker::join(|| Ok(rules), statute_dirs);
        }
        let mut sources = if builtin { Sources::builtin() } else { Sources::default() };
        sources.extend(more);
        let checker = Checker::load(&sources, statute_dirs)?;
        if let Some(cache) = cache {
            cache.store(&checker.rules);
        }
        Ok(checker)
    }

    fn join(
        rules: impl FnOnce() -> Result<RuleSet, LoadError> + Send,
        statute_dirs: &[&Path],
    ) -> Result<Checker, LoadError> {
        let law = || {
            let statutes = StatuteBase::load(statute_dirs)?;
            let citations = CitationIndex::new(&statutes);
            Ok((statutes, citations))
        };
        let (rules, (statutes, citations)) = match rayon::join(rules, law) {
            (Ok(rules), Ok(law)) => (rules, law),
            (rules, law) => {
                let problems = rules.err().into_iter().chain(law.err()).flat_map(|error: LoadError| error.0);
                return Err(LoadError(problems.collect()));
            }
        };
        let references = rules.rules.iter().flat_map(|rule| &rule.statutes);
        let unresolved = references.filter(|(reference, _)| statutes.resolve(reference).is_none());
        let problems: Vec<_> = unresolved.map(|(_, diagnostic)| diagnostic.clone()).collect();
        if problems.is_empty() {
            let default_date = jiff::ZonedDateTime::now().date();
            Ok(Checker { rules, statutes, citations, default_date })
        } else {
            Err(LoadError(problems))
        }
    }

    /// The index of the laws of the statute base.
    pub fn citations(&self) -> &CitationIndex {
        &self.citations
    }

    /// The findings of one conversation.
    pub fn check(&self, conversation: &Conversation<'_>) -> Vec<Finding> {
        self.check_with(conversation, Mode::Lazy).findings
    }

    /// Like [`check`](Self::check), in the given mode, with what was cut off.
    pub fn check_with(&self, conversation: &Conversation<'_>, mode: Mode) -> Checked {
        let rules = stage(Stage::Rules);
        let scan = Scanner::new(&self.rules, mode).scan(conversation);
        let date = conversation.date.unwrap_or(self.default_date);
        let finding = |flag: &crate::engine::Flag| {
            let rule = &self.rules.rules[flag.rule as usize];
            Finding::new(flag, rule, conversation, &self.statutes, date)
        };
        let mut findings: Vec<Finding> = scan.flags.iter().map(finding).collect();
        drop(rules);
        let _stage = stage(Stage::Citations);
        let cited = citation::conversation_findings(self.citations(), &self.statutes, conversation, date);
        if !cited.is_empty() {
            findings.extend(cited);
            // Stable: the order of flags at one place stays.
            findings.sort_by_key(|finding| (finding.turn.unwrap_or(usize::MAX), finding.start));
        }
        Checked { findings, truncated: scan.truncated, cut: scan.cut }
    }
}
