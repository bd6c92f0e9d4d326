//! `zhijian inspect`

use std::path::Path;

use crate::cli::args::{InspectArguments, Language, ReadingOptions};
use crate::cli::scan::input_options;
use crate::cli::{Failure, Outcome};
use crate::input::inspect::{Inspection, inspect};
use crate::input::ledger::Skipped;
use crate::input::{self, Flaw, Skip};
use crate::model::SpeakerRole;
use crate::report::mask::mask;

/// Characters of a text that are shown.
const SHOWN: usize = 40;

pub fn run(arguments: &InspectArguments) -> Result<Outcome, Failure> {
    let options = input_options(&arguments.reading)?;
    let (files, left, errors) = input::expand(&arguments.inputs);
    let zh = arguments.lang == Language::Zh;
    let mut complete = errors.is_empty();
    errors.iter().for_each(|error| anstream::eprintln!("{error}"));
    for path in left {
        let why =
            if zh { "未读取：文件名不像导出文件" } else { "not read: its name is not that of an export" };
        anstream::println!("{}: {why}", path.display());
    }
    for path in &files {
        match inspect(path, &options, arguments.rows) {
            Ok(found) => {
                for inspection in &found {
                    print(inspection, &command(path, inspection, &arguments.reading), zh);
                    complete &= inspection.problem.is_none() && !inspection.ledger.is_incomplete();
                }
            }
            Err(error) => {
                anstream::eprintln!("{error}");
                complete = false;
            }
        }
    }
    Ok(if complete { Outcome::Clean } else { Outcome::Incomplete })
}

fn print(inspection: &Inspection, command: &str, zh: bool) {
    let word = |chinese: &'static str, english: &'static str| if zh { chinese } else { english };
    let colon = word("：", ": ");
    anstream::println!("{}", inspection.name);
    let line = |name: &str, value: &str| anstream::println!("  {name}{colon}{value}");
    let detail = if inspection.detail.is_empty() { String::new() } else { format!(" ({})", inspection.detail) };
    line(word("格式", "format"), &format!("{}{detail}", inspection.format.name()));
    if let Some(encoding) = inspection.encoding {
        line(word("编码", "encoding"), encoding.name());
    }
    if let Some(delimiter) = inspection.delimiter {
        line(word("分隔符", "delimiter"), &delimiter_name(delimiter));
    }
    if let Some(columns) = &inspection.columns {
        let name = |at: usize| inspection.header.get(at - 1).filter(|_| columns.header).cloned().unwrap_or_default();
        let named: Vec<String> =
            columns.named().map(|(field, at)| format!("{field}={at} {}", name(at)).trim_end().to_owned()).collect();
        line(word("列", "columns"), &named.join(word("，", ", ")));
    } else if !inspection.header.is_empty() {
        let first: Vec<String> = inspection.header.iter().map(|cell| shorten(cell)).collect();
        line(word("首行", "first row"), &first.join(" | "));
    }
    let ledger = &inspection.ledger;
    let unknown = ledger.skipped.get(&Skip::UnknownRole);
    line(
        word("角色", "roles"),
        &format!(
            "{} {}, {} {}, {} {}, {} {}",
            word("坐席", "agent"),
            ledger.judged,
            word("客户", "customer"),
            ledger.customer,
            word("系统", "system"),
            ledger.system,
            word("未知", "unknown"),
            unknown.map_or(0, |skipped| skipped.rows)
        ),
    );
    let kinds: Vec<String> = ledger
        .kinds
        .iter()
        .map(|(kind, rows)| format!("{} {rows}", if zh { kind.chinese() } else { kind.english() }))
        .collect();
    if !kinds.is_empty() {
        line(word("非人工消息", "no messages of a person"), &kinds.join(", "));
    }
    for (reason, skipped) in &ledger.skipped {
        let name = if zh { reason.chinese() } else { reason.english() };
        line(name, &places(skipped));
    }
    for (flaw, flaws) in &ledger.flaws {
        line(if zh { Flaw::chinese(*flaw) } else { Flaw::english(*flaw) }, &places(flaws));
    }
    for notice in &ledger.notices {
        line(word("说明", "note"), notice);
    }
    if let Some((first, last)) = &inspection.times {
        line(word("时间", "times"), &format!("{first} — {last}"));
    }
    line(word("会话", "conversations"), &format!("{} / {}", ledger.conversations, ledger.rows));
    if let Some((id, rows)) = &inspection.first {
        line(word("首个会话", "first conversation"), id);
        for row in rows {
            let role = match row.role {
                SpeakerRole::Agent => word("坐席", "agent"),
                SpeakerRole::Customer => word("客户", "customer"),
                SpeakerRole::System => word("系统", "system"),
                SpeakerRole::Unknown => word("未知", "unknown"),
            };
            anstream::println!("    {:>5} {} {role} {}", row.line, row.time, mask(&shorten(&row.text)));
        }
    }
    if let Some(problem) = &inspection.problem {
        line(word("问题", "problem"), &problem.to_string());
    }
    line(word("若有误，修改此命令", "if this is wrong, change this command"), command);
    anstream::println!();
}

fn places(skipped: &Skipped) -> String {
    let places = skipped.first.iter().take(3).map(|place| match place.detail.as_str() {
        "" => format!("{}:{}", place.path, place.line),
        detail => format!("{}:{} '{detail}'", place.path, place.line),
    });
    format!("{} ({})", skipped.rows, places.collect::<Vec<_>>().join(", "))
}

fn delimiter_name(delimiter: u8) -> String {
    if delimiter == b'\t' { "tab".to_owned() } else { char::from(delimiter).to_string() }
}

/// One line, without control characters.
fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// The command that reads the input as it was read, every guess spelt out.
fn command(path: &Path, inspection: &Inspection, given: &ReadingOptions) -> String {
    let mut command = "zhijian scan".to_owned();
    if let Some(encoding) = inspection.encoding {
        command.push_str(&format!(" --input-format {} --encoding {}", inspection.format.name(), encoding.name()));
    }
    if let Some(delimiter) = inspection.delimiter {
        command.push_str(&format!(" --delimiter '{}'", delimiter_name(delimiter)));
    }
    if let Some(sheet) = &given.sheet {
        command.push_str(&format!(" --sheet {}", quoted(sheet)));
    }
    match &inspection.columns {
        Some(columns) => command.push_str(&format!(" --columns {columns}")),
        None if !inspection.header.is_empty() => command.push_str(" --columns conversation=1,role=2,text=3"),
        None => {}
    }
    given.roles.iter().for_each(|words| command.push_str(&format!(" --roles {}", quoted(words))));
    given.agents.iter().for_each(|names| command.push_str(&format!(" --agents {}", quoted(names))));
    if let Some(unknown) = inspection.ledger.skipped.get(&Skip::UnknownRole) {
        let mut words: Vec<&str> = unknown.first.iter().map(|place| place.detail.as_str()).collect();
        words.sort_unstable();
        words.dedup();
        // The names of a chat are hidden; the numbers of recognised speech are not.
        match words.as_slice() {
            [customer, agent, ..] if !customer.contains('*') => {
                command.push_str(&format!(" --roles 'agent={agent},customer={customer}'"));
            }
            [agent] if !agent.contains('*') => command.push_str(&format!(" --roles 'agent={agent}'")),
            _ => command.push_str(" --agents '小满,*客服'"),
        }
    }
    format!("{command} {}", quoted(&path.display().to_string()))
}

/// As a shell takes it.
fn quoted(word: &str) -> String {
    let plain = word.chars().all(|c| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_'));
    if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}
