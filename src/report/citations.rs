//! Citation findings → text, JSON Lines, CSV and SARIF 2.1.0.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::citation::{CitationFinding, Verdict};
use crate::model::Severity;
use crate::report::sarif::{self, SarifFinding, SarifRule};

/// A finding and where its text stands. Field order is the order in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LocatedCitation {
    /// The path as given; `<stdin>` for standard input.
    pub path: String,
    /// The CSV column or JSON path that holds the text; empty for a whole file. Lines are lines of the file, columns and
    /// offsets those of the text of the field.
    pub field: String,
    /// The finding.
    #[serde(flatten)]
    pub finding: CitationFinding,
}

/// How many citations were found and how many are wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CitationCounts {
    /// Every citation and every law named.
    pub citations: usize,
    /// Those called wrong.
    pub wrong: usize,
    /// Those of laws the base does not know.
    pub unknown: usize,
}

impl CitationCounts {
    /// Counts `findings`.
    pub fn of(findings: &[LocatedCitation]) -> CitationCounts {
        let wrong = findings.iter().filter(|located| located.finding.is_wrong()).count();
        let unknown = findings.iter().filter(|located| located.finding.verdicts.contains(&Verdict::UnknownLaw)).count();
        CitationCounts { citations: findings.len(), wrong, unknown }
    }
}

/// For people, in Chinese. With `all` right citations are listed too. Colour codes are always written.
///
/// # Errors
/// When the output cannot be written.
pub fn write_text(mut out: impl Write, findings: &[LocatedCitation], all: bool) -> io::Result<()> {
    let bold = Style::new().bold();
    let dim = Style::new().dimmed();
    for LocatedCitation { path, field, finding } in findings {
        if finding.severity.is_none() && !all {
            continue;
        }
        let (word, colour) = match finding.severity {
            Some(Severity::Error) => (Severity::Error.chinese(), AnsiColor::Red),
            Some(Severity::Warning) => (Severity::Warning.chinese(), AnsiColor::Yellow),
            Some(Severity::Note) => (Severity::Note.chinese(), AnsiColor::Cyan),
            None => ("通过", AnsiColor::Green),
        };
        let style = Style::new().fg_color(Some(colour.into())).bold();
        let verdicts: Vec<&str> = finding.verdicts.iter().map(|verdict| verdict.chinese()).collect();
        let field = if field.is_empty() { String::new() } else { format!(" {field}") };
        let (line, column) = (finding.line, finding.column);
        let matched = flat(&finding.matched);
        let verdicts = verdicts.join("、");
        writeln!(out, "{path}:{line}:{column}:{field} {style}{word}{style:#} {bold}{matched}{bold:#} {verdicts}")?;
        if !finding.message.is_empty() {
            writeln!(out, "    {}", finding.message)?;
        }
        for suggestion in &finding.suggestions {
            let gist = if suggestion.gist.is_empty() { String::new() } else { format!("：{}", suggestion.gist) };
            writeln!(out, "    {dim}→{dim:#} {}{gist}", suggestion.label)?;
        }
    }
    let CitationCounts { citations, wrong, unknown } = CitationCounts::of(findings);
    writeln!(out, "共 {citations} 处引用：有误 {wrong} 处，法条库未收录 {unknown} 处。结果是复核线索，不是法律意见。")?;
    out.flush()
}

fn flat(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// One record a line, every citation.
///
/// # Errors
/// When the output cannot be written.
pub fn write_jsonl(mut out: impl Write, findings: &[LocatedCitation]) -> io::Result<()> {
    for located in findings {
        serde_json::to_writer(&mut out, located)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

/// One row a citation, for Excel: byte order mark, CRLF, no cell that a spreadsheet would run as a formula.
///
/// # Errors
/// When the output cannot be written.
pub fn write_csv(mut out: impl Write, findings: &[LocatedCitation]) -> io::Result<()> {
    out.write_all("\u{feff}".as_bytes())?;
    let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    csv.write_record([
        "来源文件",
        "字段",
        "行",
        "列",
        "引用",
        "法律",
        "条款项",
        "结论",
        "级别",
        "建议条文",
        "说明",
        "适用日期",
    ])?;
    for LocatedCitation { path, field, finding } in findings {
        let verdicts: Vec<&str> = finding.verdicts.iter().map(|verdict| verdict.chinese()).collect();
        let labels: Vec<&str> = finding.suggestions.iter().map(|suggestion| suggestion.label.as_str()).collect();
        let cells = [
            path.clone(),
            field.clone(),
            finding.line.to_string(),
            finding.column.to_string(),
            flat(&finding.matched),
            finding.law.clone(),
            finding.place.clone(),
            verdicts.join("、"),
            finding.severity.map_or("", Severity::chinese).to_owned(),
            labels.join("；"),
            finding.message.clone(),
            finding.date.to_string(),
        ];
        for cell in &cells {
            csv.write_field(super::csv::defuse(cell).as_ref())?;
        }
        csv.write_record(None::<&[u8]>)?;
    }
    csv.flush()
}

/// SARIF 2.1.0 with what is wrong and what is unknown; columns are counted in code points.
///
/// # Errors
/// When the output cannot be written.
pub fn write_sarif(out: impl Write, findings: &[LocatedCitation]) -> io::Result<()> {
    let rules: Vec<SarifRule> = Verdict::ALL
        .into_iter()
        .filter(|verdict| *verdict != Verdict::Ok)
        .map(|verdict| SarifRule {
            id: format!("citation.{verdict}"),
            title: verdict.chinese().to_owned(),
            severity: if verdict.is_wrong() { Severity::Warning } else { Severity::Note },
            help: String::new(),
            tags: vec!["citation".to_owned()],
        })
        .collect();
    let results = findings.iter().filter_map(|LocatedCitation { path, field, finding }| {
        let severity = finding.severity?;
        let verdict = finding.verdicts.last()?;
        let width = (finding.end - finding.start) as u64;
        let (line, column) = (finding.line, finding.column);
        Some(SarifFinding {
            rule: format!("citation.{verdict}"),
            severity: Some(severity),
            message: format!("{}：{}", finding.matched, finding.message),
            path: path.clone(),
            region: Some([line, column, line, column + width]),
            logical: field.clone(),
            ..SarifFinding::default()
        })
    });
    sarif::write(out, &rules, results, &[])
}
