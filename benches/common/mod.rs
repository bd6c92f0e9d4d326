//! The corpora of the benches: the shipped example day, repeated under new ids until it is as large as asked for.
#![allow(dead_code)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The shipped example day.
pub const DAY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpora/examples/day-2026-09-18.csv");

/// The column that holds the message in the example export.
pub const TEXT_COLUMN: usize = 7;

/// Bytes of the generated export; `ZHIJIAN_BENCH_MB` overrides the 200 MB of the published figures.
pub fn export_bytes() -> usize {
    let megabytes = env::var("ZHIJIAN_BENCH_MB").ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    megabytes * 1_000_000
}

/// What a generated export holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    /// The example day as it is.
    Mixed,
    /// Only its conversations that no rule fires on.
    Clean,
    /// The same, with a number of its own in every message: nothing is ever said twice, as if no reply were pasted.
    Distinct,
}

/// Writes an export of about `bytes` to the temporary folder, unless it is there, and returns its path.
pub fn export(bytes: usize, day: Day) -> PathBuf {
    let kind = format!("{day:?}").to_lowercase();
    let path = env::temp_dir().join(format!("zhijian-bench-{kind}-{}.csv", bytes / 1_000_000));
    if !path.exists() {
        let partial = path.with_extension("partial");
        fs::write(&partial, generate(bytes, day)).expect("the temporary folder is writable");
        fs::rename(&partial, &path).expect("the temporary folder is writable");
    }
    path
}

fn generate(bytes: usize, kind: Day) -> String {
    let day = fs::read_to_string(DAY).expect("the example export is in the repository");
    let mut reader = csv::ReaderBuilder::new().from_reader(day.trim_start_matches('\u{feff}').as_bytes());
    let header = reader.headers().expect("the example export has a header").clone();
    let mut rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("well formed")).collect();
    if kind != Day::Mixed {
        let flagged = flagged_ids();
        rows.retain(|row| !flagged.contains(&row[0].to_owned()));
    }
    let mut out = header.iter().collect::<Vec<_>>().join(",") + "\r\n";
    let (mut copy, mut number) = (0, 0u64);
    while out.len() < bytes {
        let mut csv = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        let (mut id, mut text) = (String::new(), String::new());
        for row in &rows {
            id.clear();
            write!(id, "{copy:06}-{}", &row[0]).expect("a string takes writes");
            text.clear();
            text.push_str(&row[TEXT_COLUMN]);
            if kind == Day::Distinct {
                number += 1;
                write!(text, "，单号{}", number * 7919).expect("a string takes writes");
            }
            let others = row.iter().enumerate().skip(1);
            let fields = others.map(|(at, field)| if at == TEXT_COLUMN { text.as_str() } else { field });
            csv.write_record(std::iter::once(id.as_str()).chain(fields)).expect("memory takes writes");
        }
        out.push_str(&String::from_utf8(csv.into_inner().expect("flushed")).expect("UTF-8"));
        copy += 1;
    }
    out
}

fn flagged_ids() -> Vec<String> {
    let checker = zhijian::Checker::builtin().expect("the embedded rules load");
    let export = read(Path::new(DAY));
    let flagged = (0..export.len()).filter(|at| !checker.check(&export.get(*at)).is_empty());
    flagged.map(|at| export.get(at).id.to_owned()).collect()
}

/// Reads a whole export.
pub fn read(path: &Path) -> zhijian::input::Export {
    let mut export = zhijian::input::Export::default();
    zhijian::input::read(path, &zhijian::input::InputOptions::default(), &mut export, &|_| {}).expect("readable");
    export.finish();
    export
}

/// The texts of the agent turns of the example day.
pub fn agent_texts() -> Vec<String> {
    let export = read(Path::new(DAY));
    let turns = (0..export.len()).flat_map(|at| export.get(at).turns.clone());
    let agent = turns.filter(|turn| turn.role == zhijian::SpeakerRole::Agent);
    agent.map(|turn| turn.text.to_owned()).collect()
}

/// The long literals of the rules, for automata beside the engine's own: a DFA of the short ones too would not fit a cache.
pub fn literals(rules: &zhijian::lexicon::RuleSet) -> Vec<String> {
    rules.literals.iter().filter(|literal| literal.chars().count() >= 4).cloned().collect()
}
