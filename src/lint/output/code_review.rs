//! For code-review tools: SARIF, GitHub workflow commands and step summary, GitLab code quality.

use std::io::{self, Write};

use serde_json::json;

use crate::checker::Checker;
use crate::lint::Linted;
use crate::lint::issue::{Issue, fingerprint};
use crate::lint::output::{Counts, text};
use crate::lint::page::{heading, page};
use crate::model::Severity;
use crate::report::Language;
use crate::report::sarif::{self, SarifFinding, SarifRule};

/// GitHub shows so many annotations of a step.
const ANNOTATIONS: usize = 10;
/// Rows of the step summary.
const SUMMARY_ROWS: usize = 50;

/// SARIF 2.1.0 with the pages of the rules that fired.
///
/// # Errors
/// When the output cannot be written.
pub fn write_sarif(out: impl Write, linted: &Linted, checker: &Checker) -> io::Result<()> {
    let mut ids: Vec<&str> = linted.issues.iter().map(|issue| issue.rule.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let rule = |id: &&str| {
        page(checker, id).map(|page| SarifRule {
            help: format!("# {}\n\n{}", heading(&page), page.body),
            id: page.id,
            title: page.title,
            severity: page.severity,
            tags: vec![page.family],
        })
    };
    let rules: Vec<SarifRule> = ids.iter().filter_map(rule).collect();
    let finding = |issue: &Issue| {
        let at = &issue.at;
        let region = at.region();
        SarifFinding {
            rule: issue.rule.clone(),
            severity: Some(issue.severity),
            message: message(issue),
            path: issue.path.clone(),
            region,
            snippet: issue.excerpt.text.clone(),
            logical: if region.is_some() { issue.field.clone() } else { at.short() },
            fingerprint: issue.fingerprint.clone(),
            replacement: issue.replacement.as_ref().and_then(|r| Some((r.at.region()?, r.text.clone()))),
        }
    };
    sarif::write(out, &rules, linted.issues.iter().map(finding), &linted.problems)
}

/// What is wrong and what to do, in one paragraph.
fn message(issue: &Issue) -> String {
    let place = match (&issue.at.sheet, &issue.at.cell) {
        (Some(sheet), Some(cell)) => format!("{sheet}!{cell} "),
        _ => String::new(),
    };
    format!("{place}“{}”：{}建议：{}", issue.matched, issue.message, issue.advice)
}

/// Workflow commands: annotations for the gravest findings, everything in the log.
///
/// # Errors
/// When the output cannot be written.
pub fn write_github(mut out: impl Write, linted: &Linted, language: Language) -> io::Result<()> {
    let mut gravest: Vec<&Issue> = linted.issues.iter().collect();
    gravest.sort_by_key(|issue| std::cmp::Reverse(issue.severity));
    for issue in gravest.into_iter().take(ANNOTATIONS) {
        let command = match issue.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let at = &issue.at;
        // Columns of different lines are refused.
        let columns = at.line == at.end_line;
        let numbers = [
            ("line", at.line),
            ("endLine", at.end_line),
            ("col", at.column.filter(|_| columns)),
            ("endColumn", at.end_column.filter(|_| columns)),
        ];
        let place: String =
            numbers.iter().filter_map(|(name, number)| number.map(|number| format!(",{name}={number}"))).collect();
        let (file, title) = (property(&issue.path), property(&issue.rule));
        writeln!(out, "::{command} file={file}{place},title={title}::{}", data(&message(issue)))?;
    }
    for problem in &linted.problems {
        writeln!(out, "::error::{}", data(problem))?;
    }
    writeln!(out, "::group::zhijian lint")?;
    text::write(&mut out, linted, language)?;
    writeln!(out, "::endgroup::")?;
    out.flush()
}

/// The text of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The step summary: a table in Markdown.
pub fn github_summary(linted: &Linted) -> String {
    let Counts { errors, warnings, notes } = Counts::of(linted);
    let ledger = &linted.ledger;
    let mut summary = format!(
        "## 话术检查 zhijian lint\n\n文件 {}，话术 {}；严重 {errors}，警告 {warnings}，提示 {notes}。\n",
        ledger.files, ledger.judged
    );
    for problem in &linted.problems {
        summary.push_str(&format!("\n- ❌ {}", cell(problem)));
    }
    if linted.issues.is_empty() {
        return summary + "\n";
    }
    summary.push_str("\n| 级别 | 位置 | 命中 | 规则 | 建议 |\n|---|---|---|---|---|\n");
    let mut gravest: Vec<&Issue> = linted.issues.iter().collect();
    gravest.sort_by_key(|issue| std::cmp::Reverse(issue.severity));
    for issue in gravest.iter().take(SUMMARY_ROWS) {
        let place = cell(&format!("{}:{}", issue.path, issue.at.short()));
        let (matched, advice) = (cell(&issue.matched), cell(&issue.advice));
        summary.push_str(&format!(
            "| {} | {place} | {matched} | `{}` | {advice} |\n",
            issue.severity.chinese(),
            issue.rule
        ));
    }
    if gravest.len() > SUMMARY_ROWS {
        summary.push_str(&format!("\n另有 {} 处，见日志。\n", gravest.len() - SUMMARY_ROWS));
    }
    summary
}

/// Text in a cell of a Markdown table.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '!' | '@' | '#' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// GitLab code quality: one array.
///
/// # Errors
/// When the output cannot be written.
pub fn write_gitlab(mut out: impl Write, linted: &Linted) -> io::Result<()> {
    let entry = |issue: &Issue| {
        json!({
            "description": message(issue),
            "check_name": issue.rule,
            "fingerprint": fingerprint(&[&issue.path, &issue.fingerprint]),
            "severity": match issue.severity {
                Severity::Error => "critical",
                Severity::Warning => "major",
                Severity::Note => "info",
            },
            "location": {"path": issue.path, "lines": {"begin": issue.at.line.unwrap_or(1)}},
        })
    };
    let entries: Vec<serde_json::Value> = linted.issues.iter().map(entry).collect();
    serde_json::to_writer_pretty(&mut out, &entries)?;
    out.write_all(b"\n")?;
    out.flush()
}
