//! One row a finding, for Excel: UTF-8 with byte order mark, CRLF, no cell that a spreadsheet would run as a formula.

use std::io::{self, Write};

use csv::{Terminator, Writer, WriterBuilder};

use crate::model::Conversation;
use crate::report::mask::mask;
use crate::report::{Language, Reporter};
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
}

impl<W: Write> CsvReporter<W> {
    /// Writes the byte order mark to `out` when asked to.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn new(mut out: W, language: Language, bom: bool) -> io::Result<CsvReporter<W>> {
        if bom {
            out.write_all("\u{feff}".as_bytes())?;
        }
        let csv = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
        Ok(CsvReporter { csv, language })
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
                let before = turn.checked_sub(1).map_or("", |at| conversation.turns[at].text);
                (before.to_owned(), conversation.turns[turn].text.to_owned())
            }
            None => {
                let rows = finding.turns.iter().flatten().map(|at| conversation.turns[*at].text);
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
            long_id(&finding.conversation),
            number(finding.turn),
            turns,
            mask(&finding.agent),
            finding.time.clone(),
            family.to_owned(),
            severity.to_owned(),
            finding.rule.clone(),
            mask(&finding.matched),
            number(finding.start),
            number(finding.end),
            mask(&before),
            mask(&text),
            labels.join("；"),
            liabilities.join("、"),
            finding.message.clone(),
            finding.advice.clone(),
            finding.source.path.clone(),
            finding.source.line.to_string(),
        ];
        Ok(self.csv.write_record(cells.map(|cell| defuse(&cell)))?)
    }

    fn end(&mut self) -> io::Result<()> {
        self.csv.flush()
    }
}

/// Spreadsheets round numbers beyond 15 digits: such an id is kept as text by a tab behind it.
fn long_id(id: &str) -> String {
    let digits = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    if digits && id.len() > 11 { format!("{id}\t") } else { id.to_owned() }
}

/// A cell that begins as formulas do is kept as text by an apostrophe before it.
pub(super) fn defuse(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
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
    }
}
