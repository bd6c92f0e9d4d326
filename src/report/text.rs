//! For people at a terminal: the hit underlined in its turn, with the turn before it, the articles and the advice.

use std::io::{self, Write};
use std::ops::Range;

use anstyle::{AnsiColor, Style};

use crate::model::{Conversation, Severity, SpeakerRole};
use crate::report::{Language, Privacy, Reporter};
use crate::statutes::Finding;

/// How a hit is marked in its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// With terminal codes, underlined.
    Underline,
    /// With 【】, where codes do not belong.
    Brackets,
}

/// Writes text. Colour codes are always written; wrap `W` to strip them where they do not belong.
#[derive(Debug)]
pub struct TextReporter<W: Write> {
    out: W,
    language: Language,
    mark: Mark,
    privacy: Privacy,
    findings: usize,
}

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

impl<W: Write> TextReporter<W> {
    /// Writes to `out`.
    pub fn new(out: W, language: Language, mark: Mark, privacy: Privacy) -> TextReporter<W> {
        TextReporter { out, language, mark, privacy, findings: 0 }
    }

    fn word(&self, zh: &'static str, en: &'static str) -> &'static str {
        match self.language {
            Language::Chinese => zh,
            Language::English => en,
        }
    }

    /// A row of the conversation, with the code points `hit` of it marked.
    fn row(&mut self, conversation: &Conversation<'_>, turn: usize, hit: Option<&Range<usize>>) -> io::Result<()> {
        let row = &conversation.turns[turn];
        let who = match row.role {
            SpeakerRole::Agent => self.word("坐席", "agent"),
            SpeakerRole::Customer => self.word("客户", "customer"),
            SpeakerRole::System => self.word("系统", "system"),
            SpeakerRole::Unknown => self.word("未知", "unknown"),
        };
        write!(self.out, "  {DIM}{turn:>4} {who}{DIM:#} ")?;
        let text = clean(&self.privacy.text(row.text, conversation));
        match hit {
            Some(span) => {
                let mark = Style::new().underline().bold();
                let cut = |from: usize, to: usize| text.chars().skip(from).take(to.saturating_sub(from)).collect();
                let (before, hit, after): (String, String, String) =
                    (cut(0, span.start), cut(span.start, span.end), cut(span.end, usize::MAX));
                let hit = if self.mark == Mark::Brackets { format!("【{hit}】") } else { hit };
                writeln!(self.out, "{before}{mark}{hit}{mark:#}{after}")
            }
            None => writeln!(self.out, "{text}"),
        }
    }
}

/// One line, without control characters a transcript might hold; as many characters as before.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

impl<W: Write> Reporter for TextReporter<W> {
    fn finding(&mut self, finding: &Finding, conversation: &Conversation<'_>) -> io::Result<()> {
        self.findings += 1;
        let colour = match finding.severity {
            Severity::Error => AnsiColor::Red,
            Severity::Warning => AnsiColor::Yellow,
            Severity::Note => AnsiColor::Cyan,
        };
        let style = Style::new().fg_color(Some(colour.into())).bold();
        let (severity, family) = match self.language {
            Language::Chinese => (finding.severity.chinese(), finding.family.chinese()),
            Language::English => (finding.severity.as_str(), finding.family.as_str()),
        };
        let (path, line) = (&finding.source.path, finding.source.line);
        write!(self.out, "{style}{severity}{style:#} {BOLD}{family}{BOLD:#} {DIM}{}{DIM:#}  ", finding.rule)?;
        let conversation_word = self.word("会话", "conversation");
        write!(self.out, "{conversation_word} {}", clean(&finding.conversation))?;
        if !finding.agent.is_empty() {
            write!(self.out, "  {} {}", self.word("坐席", "agent"), clean(&self.privacy.agent(&finding.agent)))?;
        }
        writeln!(self.out, "  {DIM}{path}:{line}{DIM:#}")?;
        match finding.turn {
            Some(turn) => {
                if let Some(before) = turn.checked_sub(1) {
                    self.row(conversation, before, None)?;
                }
                let span = finding.start.unwrap_or(0)..finding.end.unwrap_or(0);
                self.row(conversation, turn, Some(&span))?;
            }
            None => {
                for turn in finding.turns.iter().flatten() {
                    self.row(conversation, *turn, None)?;
                }
            }
        }
        let labels: Vec<String> = finding
            .statutes
            .iter()
            .map(|statute| match statute.liability {
                Some(liability) => format!("{}（{}）", statute.label, liability.chinese()),
                None => statute.label.clone(),
            })
            .collect();
        writeln!(self.out, "  {}{}", self.word("涉嫌违反：", "at risk: "), labels.join("；"))?;
        writeln!(self.out, "  {}{}", self.word("说明：", "why: "), finding.message)?;
        writeln!(self.out, "  {}{}\n", self.word("建议：", "say instead: "), finding.advice)
    }

    fn end(&mut self) -> io::Result<()> {
        let findings = self.findings;
        match self.language {
            Language::Chinese => writeln!(self.out, "共 {findings} 处命中。命中是复核线索，不是法律结论。")?,
            Language::English => {
                writeln!(self.out, "{findings} finding(s). A finding is a lead for review, not a legal conclusion.")?;
            }
        }
        self.out.flush()
    }
}
