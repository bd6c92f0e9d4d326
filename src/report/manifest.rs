//! What a report was made from and what it holds, so that anyone can check that nothing was changed since.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::ReportSettings;
use crate::lexicon::Sources;
use crate::report::privacy::hex;
use crate::report::summary::Report;
use crate::statutes::StatuteBase;

/// The name of the file.
pub const FILE_NAME: &str = "manifest.json";

/// The schema name.
pub const SCHEMA: &str = "zhijian.manifest/1";

/// `manifest.json`. Hashes are SHA-256 in lower-case hexadecimal. It holds no time of writing: the same inputs, options and
/// program give the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// `zhijian.manifest/1`
    pub schema: String,
    /// The program's version.
    pub version: String,
    /// Of the rule, class, guard and word files and of the settings file.
    pub rules_sha256: String,
    /// Of the statute base.
    pub statutes_sha256: String,
    /// The day whose law applied to conversations without a date; `None` when every conversation carries one.
    pub law_of: Option<Date>,
    /// `true` unless `--unmask` was given.
    pub masked: bool,
    /// Whether agents' names were replaced.
    pub pseudonymised: bool,
    /// The settings of the report.
    pub settings: serde_json::Value,
    /// The files it was made from, as given. Not those of standard input.
    pub inputs: BTreeMap<String, FileFacts>,
    /// What became of every row of the inputs; `null` where only findings were read.
    pub ledger: serde_json::Value,
    /// What it holds.
    pub counts: Counts,
    /// Its files.
    pub files: BTreeMap<String, FileFacts>,
}

/// The size and hash of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFacts {
    /// Bytes.
    pub bytes: u64,
    /// SHA-256.
    pub sha256: String,
}

/// What a report holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Conversations, with and without findings.
    pub conversations: u64,
    /// Judged agent turns.
    pub agent_turns: u64,
    /// Findings.
    pub findings: u64,
    /// Conversations with findings.
    pub flagged_conversations: u64,
    /// Conversations with a fatal finding.
    pub fatal_conversations: u64,
    /// Findings left out because a reviewer judged them wrong.
    pub suppressed: u64,
    /// Articles quoted from imported texts.
    pub quoted_articles: u64,
}

impl Counts {
    /// Counts what `report` holds.
    pub fn of(report: &Report) -> Counts {
        let total = &report.day.total;
        Counts {
            conversations: report.day.conversations.len() as u64,
            agent_turns: total.turns,
            findings: report.day.hits.len() as u64,
            flagged_conversations: total.flagged,
            fatal_conversations: total.fatal,
            suppressed: report.day.suppressed,
            quoted_articles: report.notes.iter().filter(|note| !note.text.is_empty()).count() as u64,
        }
    }
}

impl FileFacts {
    /// Reads the file through.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(path: &Path) -> io::Result<FileFacts> {
        let mut file = File::open(path)?;
        let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0u64, vec![0; 1 << 16]);
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                return Ok(FileFacts { bytes, sha256: hex(&hash.finalize()) });
            }
            hash.update(&buffer[..read]);
            bytes += read as u64;
        }
    }
}

/// The settings as the manifest records them.
pub fn settings(settings: &ReportSettings) -> serde_json::Value {
    serde_json::to_value(settings).expect("settings are plain data")
}

/// The hash of rule files and settings. Their paths count below `lexicons` only, so that it is the same on every machine.
pub fn rules_hash(sources: &Sources, settings: &str) -> String {
    let mut hash = Sha256::new();
    for (kind, files) in [
        ("rules", &sources.rules),
        ("classes", &sources.classes),
        ("guards", &sources.guards),
        ("words", &sources.words),
    ] {
        for file in files {
            let name = file.path.rsplit(['/', '\\']).next().unwrap_or_default();
            for part in [kind, name, &file.text] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part.as_bytes());
            }
        }
    }
    hash.update(settings.as_bytes());
    hex(&hash.finalize())
}

/// The hash of all that the statute base knows.
pub fn statutes_hash(base: &StatuteBase) -> String {
    struct Hashing(Sha256);
    impl fmt::Write for Hashing {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.update(text.as_bytes());
            Ok(())
        }
    }
    let mut laws: Vec<_> = base.laws().iter().collect();
    laws.sort_by(|a, b| a.name.cmp(&b.name));
    let mut hashing = Hashing(Sha256::new());
    write!(hashing, "{laws:?}").expect("hashing takes writes");
    hex(&hashing.0.finalize())
}

/// What `verify` found about one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// As recorded.
    Same(String),
    /// Not as recorded.
    Different(String),
    /// Cannot be checked here.
    Unchecked(String),
    /// The report is as it was, but this program would now make another one.
    Outdated(String),
}

/// Compares what judged the conversations of `manifest` with what would judge them now.
pub fn judges(manifest: &Manifest, rules_sha256: &str, statutes_sha256: &str) -> Vec<Check> {
    let compare = |what: &str, then: &str, now: &str| match then == now {
        true => Check::Same(format!("{what} {then:.12}")),
        false => Check::Outdated(format!("{what}：报表用 {then:.12}，本机为 {now:.12}")),
    };
    vec![
        compare("程序版本", &manifest.version, env!("CARGO_PKG_VERSION")),
        compare("规则与设置", &manifest.rules_sha256, rules_sha256),
        compare("法条库", &manifest.statutes_sha256, statutes_sha256),
    ]
}

/// Recomputes what `manifest`, read from `dir`, says of its files, its inputs and its counts.
pub fn verify(manifest: &Manifest, dir: &Path) -> Vec<Check> {
    let mut checks = Vec::new();
    for (name, facts) in &manifest.files {
        // A name from the file is joined to the folder: it must not lead out of it.
        let plain = Path::new(name).file_name().is_some_and(|own| own == name.as_str());
        checks.push(match FileFacts::of(&dir.join(name)) {
            _ if !plain => Check::Different(format!("{name}：不是报表目录中的文件名")),
            Ok(now) if now == *facts => Check::Same(name.clone()),
            Ok(_) => Check::Different(format!("{name}：内容已改动")),
            Err(error) => Check::Different(format!("{name}：{error}")),
        });
    }
    for (path, facts) in &manifest.inputs {
        checks.push(match FileFacts::of(Path::new(path)) {
            Ok(now) if now == *facts => Check::Same(format!("输入 {path}")),
            Ok(_) => Check::Different(format!("输入 {path}：内容已改动")),
            Err(error) => Check::Unchecked(format!("输入 {path}：{error}")),
        });
    }
    let counts = &manifest.counts;
    // What is counted, in which column of which table, and how much a cell of it counts.
    type Measure<'m> = (&'m str, &'m str, &'m str, fn(&str) -> u64, u64);
    let measures: [Measure<'_>; 5] = [
        ("findings.csv", "命中编号", "命中数", |_| 1, counts.findings),
        ("conversations.csv", "会话ID", "会话数", |_| 1, counts.conversations),
        ("conversations.csv", "坐席轮数", "坐席轮数", number, counts.agent_turns),
        ("conversations.csv", "命中数", "命中会话", |cell| u64::from(number(cell) > 0), counts.flagged_conversations),
        ("conversations.csv", "结论", "红线会话", |cell| u64::from(cell == "红线"), counts.fatal_conversations),
    ];
    for (file, column, what, worth, recorded) in measures {
        checks.push(match sum(&dir.join(file), column, worth) {
            Ok(sum) if sum == recorded => Check::Same(format!("{what} {recorded}")),
            Ok(sum) => Check::Different(format!("{what}：清单记 {recorded}，{file} 合计 {sum}")),
            Err(error) => Check::Different(format!("{file}：{error}")),
        });
    }
    checks
}

fn number(cell: &str) -> u64 {
    cell.parse().unwrap_or(0)
}

/// The sum of what the cells of a column are worth; 0 where the table has no such column.
fn sum(path: &Path, column: &str, worth: fn(&str) -> u64) -> Result<u64, csv::Error> {
    let mut reader = csv::Reader::from_path(path)?;
    let place = reader.headers()?.iter().position(|cell| cell.trim_start_matches('\u{feff}') == column);
    let (mut record, mut sum) = (csv::StringRecord::new(), 0u64);
    while reader.read_record(&mut record)? {
        sum = sum.saturating_add(place.and_then(|at| record.get(at)).map_or(0, worth));
    }
    Ok(sum)
}
