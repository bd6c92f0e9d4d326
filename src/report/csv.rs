//! One row a finding, for Excel: UTF-8 with byte order mark, CRLF, no cell that a spreadsheet would run as a formula.

use std::borrow::Cow;
use std::io::{self, Write};

use csv::{Terminator, Writer, WriterBuilder};

use crate::model::Conversation;
use crate::report::{Language, Privacy, Reporter};
use crate::statutes::Finding;

/// The columns, in order, in both languages.
const COLUMNS: [(&str, &str); 19] = [
    ("会话ID", "conversation"),
    ("轮次", "turn"),
    ("证据轮次", "evidence_turns"),
    ("坐席", "agent"),
    ("时间", "time"),
    ("类别", "family"),
    ("级别", "severity"),
    ("规则", "rule"),
    ("命中内容", "matched"),
    ("起", "start"),
    ("止", "end"),
    ("上文", "before"),
    ("原文", "text"),
    ("涉嫌违反", "statutes"),
    ("责任", "liability"),
    ("说明", "message"),
    ("建议", "advice"),
    ("来源文件", "path"),
    ("行号", "line"),
];

/// Writes CSV.
pub struct CsvReporter<W: Write> {
    csv: Writer<W>,
    language: Language,
    privacy: Privacy,
}

impl<W: Write> CsvReporter<W> {
    /// Writes the byte order mark to `out` when asked to.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn new(mut out: W, language: Language, bom: bool, privacy: Privacy) -> io::Result<CsvReporter<W>> {
        if bom {
            out.write_all("\u{feff}".as_bytes())?;
        }
        let csv = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
        Ok(CsvReporter { csv, language, privacy })
    }
}

impl<W: Write> Reporter for CsvReporter<W> {
    fn begin(&mut self) -> io::Result<()> {
        let header = COLUMNS.iter().map(|(zh, en)| match self.language {
            Language::Chinese => zh,
            Language::English => en,
        });
        Ok(self.csv.write_record(header)?)
    }

    fn finding(&mut self, finding: &Finding, conversation: &Conversation<'_>) -> io::Result<()> {
        let number = |n: Option<usize>| n.map(|n| n.to_string()).unwrap_or_default();
        let turns = finding.turns.iter().flatten().map(usize::to_string).collect::<Vec<_>>().join(" ");
        let (before, text) = match finding.turn {
            Some(turn) => {
                let shown = |at: usize| self.privacy.text(conversation.turns[at].text, conversation).into_owned();
                (turn.checked_sub(1).map(shown).unwrap_or_default(), shown(turn))
            }
            None => {
                let rows = finding.turns.iter().flatten();
                let rows = rows.map(|at| self.privacy.text(conversation.turns[*at].text, conversation));
                (String::new(), rows.collect::<Vec<_>>().join(" ⏎ "))
            }
        };
        let (family, severity) = match self.language {
            Language::Chinese => (finding.family.chinese(), finding.severity.chinese()),
            Language::English => (finding.family.as_str(), finding.severity.as_str()),
        };
        let mut liabilities: Vec<&str> = Vec::new();
        for liability in finding.statutes.iter().filter_map(|statute| statute.liability) {
            if !liabilities.contains(&liability.chinese()) {
                liabilities.push(liability.chinese());
            }
        }
        let labels: Vec<&str> = finding.statutes.iter().map(|statute| statute.label.as_str()).collect();
        let cells = [
            finding.conversation.clone(),
            number(finding.turn),
            turns,
            self.privacy.agent(&finding.agent).into_owned(),
            finding.time.clone(),
            family.to_owned(),
            severity.to_owned(),
            finding.rule.clone(),
            self.privacy.matched(finding, conversation).into_owned(),
            number(finding.start),
            number(finding.end),
            before,
            text,
            labels.join("；"),
            liabilities.join("、"),
            finding.message.clone(),
            finding.advice.clone(),
            finding.source.path.clone(),
            finding.source.line.to_string(),
        ];
        let shown = cells.iter().enumerate().map(|(at, cell)| match at {
            0 | 3 => long_id(cell),
            _ => defuse(cell),
        });
        for cell in shown {
            self.csv.write_field(cell.as_ref())?;
        }
        Ok(self.csv.write_record(None::<&[u8]>)?)
    }

    fn end(&mut self) -> io::Result<()> {
        self.csv.flush()
    }
}

/// Spreadsheets round numbers beyond 15 digits: such an id is kept as text by a tab behind it. Ids come from the export,
/// too, and may begin as formulas do.
pub(super) fn long_id(id: &str) -> Cow<'_, str> {
    let digits = id.bytes().all(|byte| byte.is_ascii_digit());
    if digits && id.len() > 11 { Cow::Owned(format!("{id}\t")) } else { defuse(id) }
}

/// A cell that begins as formulas do is kept as text by an apostrophe before it.
pub(super) fn defuse(cell: &str) -> Cow<'_, str> {
    // Some programs skip blanks before they look for a formula. An apostrophe is doubled so that `undo` can tell.
    if cell.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠'])
        || cell.starts_with(['\t', '\r', '\n', '\''])
    {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

/// The cell as it was before it was made safe for spreadsheets.
pub fn undo(cell: &str) -> &str {
    let dangerous = |rest: &&str| matches!(defuse(rest), Cow::Owned(_));
    let cell = cell.strip_prefix('\'').filter(dangerous).unwrap_or(cell);
    cell.strip_suffix('\t').filter(|id| id.bytes().all(|byte| byte.is_ascii_digit())).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_no_id_is_rounded() {
        assert_eq!(defuse("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
        assert_eq!(defuse("退不了"), "退不了");
        assert_eq!(long_id("7301234567890123456"), "7301234567890123456\t");
        assert_eq!(long_id("20260918-0001"), "20260918-0001");
        for cell in ["=1+1", " =1+1", "退不了", "7301234567890123456", "'quoted'", "-1", "'=1"] {
            assert_eq!(undo(&long_id(cell)), cell);
        }
    }
}
