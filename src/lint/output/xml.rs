//! For build servers: JUnit and Checkstyle.

use std::collections::BTreeMap;
use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use crate::lint::Linted;
use crate::lint::issue::Issue;
use crate::model::Severity;

/// JUnit: a suite a file, a failed case a finding; a file without findings is one case that passed.
///
/// # Errors
/// When the output cannot be written.
pub fn write_junit(out: impl Write, linted: &Linted) -> io::Result<()> {
    let mut xml = begin(out)?;
    let by_path = by_path(linted);
    let tests: usize = by_path.values().map(|issues| issues.len().max(1)).sum();
    let (tests, errors) = ((tests + linted.problems.len()).to_string(), linted.problems.len().to_string());
    let failures = linted.issues.len().to_string();
    let root = xml.create_element("testsuites").with_attributes([
        ("name", "zhijian lint"),
        ("tests", tests.as_str()),
        ("failures", failures.as_str()),
        ("errors", errors.as_str()),
    ]);
    root.write_inner_content(|xml| {
        for (path, issues) in by_path {
            let (tests, failures) = (issues.len().max(1).to_string(), issues.len().to_string());
            let name = clean(path);
            let suite = xml.create_element("testsuite").with_attributes([
                ("name", name.as_str()),
                ("tests", tests.as_str()),
                ("failures", failures.as_str()),
                ("errors", "0"),
            ]);
            suite.write_inner_content(|xml| {
                if issues.is_empty() {
                    let case = [("classname", name.as_str()), ("name", "zhijian lint")];
                    xml.create_element("testcase").with_attributes(case).write_empty()?;
                }
                for issue in issues {
                    case(xml, &name, issue)?;
                }
                Ok(())
            })?;
        }
        if !linted.problems.is_empty() {
            unread(xml, &linted.problems)?;
        }
        Ok(())
    })?;
    end(xml)
}

fn case(xml: &mut Writer<impl Write>, path: &str, issue: &Issue) -> io::Result<()> {
    let name = clean(&format!("{} {}", issue.rule, issue.at.short()));
    let case = xml.create_element("testcase").with_attributes([("classname", path), ("name", name.as_str())]);
    case.write_inner_content(|xml| {
        let (message, kind) = (clean(&issue.message), clean(&issue.rule));
        let labels: Vec<&str> = issue.statutes.iter().map(|statute| statute.label.as_str()).collect();
        let text = format!(
            "{}:{}\n{}\n法条：{}\n建议：{}",
            issue.path,
            issue.at.short(),
            issue.excerpt.text,
            labels.join("；"),
            issue.advice
        );
        let failure =
            xml.create_element("failure").with_attributes([("message", message.as_str()), ("type", kind.as_str())]);
        failure.write_text_content(BytesText::new(&clean(&text)))?;
        Ok(())
    })?;
    Ok(())
}

/// What could not be read, as cases that broke off.
fn unread(xml: &mut Writer<impl Write>, problems: &[String]) -> io::Result<()> {
    let count = problems.len().to_string();
    let suite = xml.create_element("testsuite").with_attributes([
        ("name", "unread"),
        ("tests", count.as_str()),
        ("failures", "0"),
        ("errors", count.as_str()),
    ]);
    suite.write_inner_content(|xml| {
        for problem in problems {
            let problem = clean(problem);
            let case = [("classname", "unread"), ("name", problem.as_str())];
            xml.create_element("testcase").with_attributes(case).write_inner_content(|xml| {
                xml.create_element("error").with_attribute(("message", problem.as_str())).write_empty()?;
                Ok(())
            })?;
        }
        Ok(())
    })?;
    Ok(())
}

/// Checkstyle.
///
/// # Errors
/// When the output cannot be written.
pub fn write_checkstyle(out: impl Write, linted: &Linted) -> io::Result<()> {
    let mut xml = begin(out)?;
    let root = xml.create_element("checkstyle").with_attribute(("version", "4.3"));
    root.write_inner_content(|xml| {
        for (path, issues) in by_path(linted) {
            let file = xml.create_element("file").with_attribute(("name", clean(path).as_str()));
            file.write_inner_content(|xml| {
                for issue in issues {
                    let severity = match issue.severity {
                        Severity::Error => "error",
                        Severity::Warning => "warning",
                        Severity::Note => "info",
                    };
                    let place = if issue.at.line.is_none() { format!("{} ", issue.at.short()) } else { String::new() };
                    let message =
                        clean(&format!("{place}“{}”：{}建议：{}", issue.matched, issue.message, issue.advice));
                    let (line, column) =
                        (issue.at.line.unwrap_or(1).to_string(), issue.at.column.unwrap_or(1).to_string());
                    let source = format!("zhijian.{}", issue.rule);
                    xml.create_element("error")
                        .with_attributes([
                            ("line", line.as_str()),
                            ("column", column.as_str()),
                            ("severity", severity),
                            ("message", message.as_str()),
                            ("source", source.as_str()),
                        ])
                        .write_empty()?;
                }
                Ok(())
            })?;
        }
        Ok(())
    })?;
    end(xml)
}

fn begin<W: Write>(out: W) -> io::Result<Writer<W>> {
    let mut xml = Writer::new_with_indent(out, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    Ok(xml)
}

fn end(xml: Writer<impl Write>) -> io::Result<()> {
    let mut out = xml.into_inner();
    out.write_all(b"\n")?;
    out.flush()
}

/// The findings of each file linted.
fn by_path(linted: &Linted) -> BTreeMap<&str, Vec<&Issue>> {
    let mut by_path: BTreeMap<&str, Vec<&Issue>> =
        linted.paths.iter().map(|path| (path.as_str(), Vec::new())).collect();
    for issue in &linted.issues {
        by_path.entry(&issue.path).or_default().push(issue);
    }
    by_path
}

/// Without the characters XML cannot hold.
fn clean(text: &str) -> String {
    let allowed =
        |c: &char| matches!(c, '\t' | '\n') || (*c >= ' ' && !matches!(c, '\u{7f}' | '\u{fffe}' | '\u{ffff}'));
    text.chars().filter(allowed).collect()
}
