//! Citation findings → text, JSON Lines, CSV and SARIF 2.1.0.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use serde_sarif::sarif::{
    ArtifactLocation, Location, Message, MultiformatMessageString, PhysicalLocation, Region, ReportingDescriptor,
    Result as SarifResult, ResultLevel, Run, Sarif, Tool, ToolComponent,
};

use crate::citation::{CitationFinding, Verdict};
use crate::model::Severity;

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
        csv.write_record(cells.map(|cell| super::csv::defuse(&cell)))?;
    }
    csv.flush()
}

/// SARIF 2.1.0 with what is wrong and what is unknown; columns are counted in code points.
///
/// # Errors
/// When the output cannot be written.
pub fn write_sarif(mut out: impl Write, findings: &[LocatedCitation]) -> io::Result<()> {
    let rules: Vec<ReportingDescriptor> = Verdict::ALL
        .into_iter()
        .filter(|verdict| *verdict != Verdict::Ok)
        .map(|verdict| {
            let text = MultiformatMessageString::builder().text(verdict.chinese()).build();
            ReportingDescriptor::builder().id(format!("citation.{verdict}")).short_description(text).build()
        })
        .collect();
    let results = findings.iter().filter_map(|LocatedCitation { path, finding, .. }| {
        let level = match finding.severity? {
            Severity::Note => ResultLevel::Note,
            Severity::Warning => ResultLevel::Warning,
            Severity::Error => ResultLevel::Error,
        };
        let verdict = finding.verdicts.last()?;
        let width = i64::try_from(finding.end - finding.start).unwrap_or(1);
        let (line, column) = (i64::try_from(finding.line).ok()?, i64::try_from(finding.column).ok()?);
        let region = Region::builder().start_line(line).start_column(column).end_column(column + width).build();
        let uri = path.replace('\\', "/");
        let place = PhysicalLocation::builder()
            .artifact_location(ArtifactLocation::builder().uri(uri).build())
            .region(region)
            .build();
        let text = format!("{}：{}", finding.matched, finding.message);
        Some(
            SarifResult::builder()
                .rule_id(format!("citation.{verdict}"))
                .level(level)
                .message(Message::builder().text(text).build())
                .locations(vec![Location::builder().physical_location(place).build()])
                .build(),
        )
    });
    let driver =
        ToolComponent::builder().name(env!("CARGO_PKG_NAME")).version(env!("CARGO_PKG_VERSION")).rules(rules).build();
    let run = Run::builder()
        .tool(Tool::builder().driver(driver).build())
        .column_kind(serde_json::Value::from("unicodeCodePoints"))
        .results(results.collect::<Vec<_>>())
        .build();
    let sarif = Sarif::builder()
        .schema("https://json.schemastore.org/sarif-2.1.0.json")
        .version(serde_json::Value::from("2.1.0"))
        .runs(vec![run])
        .build();
    serde_json::to_writer_pretty(&mut out, &sarif)?;
    out.write_all(b"\n")?;
    out.flush()
}
