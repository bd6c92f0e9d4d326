//! For people: the place, the line with carets, the articles and the advice.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

use crate::lint::Linted;
use crate::lint::issue::Issue;
use crate::lint::output::Counts;
use crate::model::{Family, Severity};
use crate::report::Language;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// Writes everything found. Colour codes are always written; wrap `out` to strip them where they do not belong.
///
/// # Errors
/// When the output cannot be written.
pub fn write(mut out: impl Write, linted: &Linted, language: Language) -> io::Result<()> {
    for issue in &linted.issues {
        one(&mut out, issue, language)?;
    }
    let Counts { errors, warnings, notes } = Counts::of(linted);
    let total = linted.issues.len();
    match language {
        Language::Chinese => writeln!(
            out,
            "共 {total} 处命中：严重 {errors}，警告 {warnings}，提示 {notes}。命中是复核线索，不是法律结论。"
        )?,
        Language::English => writeln!(
            out,
            "{total} finding(s): {errors} error, {warnings} warning, {notes} note. A finding is a lead for review, not a legal conclusion."
        )?,
    }
    out.flush()
}

fn one(out: &mut impl Write, issue: &Issue, language: Language) -> io::Result<()> {
    let colour = match issue.severity {
        Severity::Error => AnsiColor::Red,
        Severity::Warning => AnsiColor::Yellow,
        Severity::Note => AnsiColor::Cyan,
    };
    let style = Style::new().fg_color(Some(colour.into())).bold();
    let english = language == Language::English;
    let word = |zh: &'static str, en: &'static str| if english { en } else { zh };
    let severity = if english { issue.severity.as_str() } else { issue.severity.chinese() };
    let family = match issue.family.parse::<Family>() {
        Ok(family) if !english => family.chinese(),
        Err(()) if !english => "忽略",
        _ => &issue.family,
    };
    let place = issue.at.short();
    let field = if issue.field.is_empty() { String::new() } else { format!(" {}", issue.field) };
    writeln!(
        out,
        "{BOLD}{}:{place}{BOLD:#}{field}: {style}{severity}{style:#} {family} {BOLD}{}{BOLD:#}",
        issue.path, issue.rule
    )?;
    let excerpt = &issue.excerpt;
    let line = issue.at.line.map_or(String::new(), |line| line.to_string());
    let gutter = " ".repeat(line.len().max(2));
    let before: String = excerpt.text.chars().take(excerpt.mark.start).collect();
    let marked: String = excerpt.text.chars().skip(excerpt.mark.start).take(excerpt.mark.len()).collect();
    writeln!(out, "{gutter} {DIM}|{DIM:#}")?;
    writeln!(out, "{DIM}{line:>width$} |{DIM:#} {}", excerpt.text, width = gutter.len())?;
    let carets = "^".repeat(marked.width().max(1));
    writeln!(out, "{gutter} {DIM}|{DIM:#} {}{style}{carets}{style:#}", " ".repeat(before.width()))?;
    writeln!(out, "{gutter} {DIM}={DIM:#} {}{}", word("说明：", "why: "), issue.message)?;
    if !issue.statutes.is_empty() {
        let labels: Vec<&str> = issue.statutes.iter().map(|statute| statute.label.as_str()).collect();
        writeln!(out, "{gutter} {DIM}={DIM:#} {}{}", word("法条：", "articles: "), labels.join("；"))?;
    }
    writeln!(out, "{gutter} {DIM}={DIM:#} {}{}", word("建议：", "write instead: "), issue.advice)?;
    if let Some(replacement) = &issue.replacement {
        writeln!(out, "{gutter} {DIM}={DIM:#} {}“{}”", word("可用 --fix 改为：", "--fix writes: "), replacement.text)?;
    }
    writeln!(out)
}
