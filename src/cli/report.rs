//! `zhijian report`, and the reports of `zhijian scan --report`

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use crate::Finding;
use crate::checker::Checker;
use crate::cli::args::{PrivacyOptions, ReportArguments, ReportOptions, RuleOptions};
use crate::cli::{Failure, Outcome, checker_with, config, output, scan, sources};
use crate::config::Config;
use crate::error::OutputError;
use crate::input::{self, Batches, Export, InputOptions, Ledger};
use crate::model::Conversation;
use crate::report::Privacy;
use crate::report::day::{Collector, CompactFinding};
use crate::report::manifest::{self, Counts, FileFacts, Manifest};
use crate::report::summary::{Previous, Report};
use crate::report::table::{self, tables, write_csv};
use crate::report::{html, workbook};
use crate::review::sheet;
use crate::statutes::texts::TextStore;

/// Gathers a run and writes its reports.
pub struct ReportWriter<'s> {
    checker: &'s Checker,
    config: &'s Config,
    collector: Collector<'s>,
    privacy: Privacy,
    texts: Option<TextStore>,
    previous: Option<Previous>,
    undated: bool,
    /// The tables it was made with beside the inputs: roster, suppressions, the findings before.
    tables: Vec<PathBuf>,
}

impl<'s> ReportWriter<'s> {
    pub fn new(
        checker: &'s Checker,
        config: &'s Config,
        options: &ReportOptions,
        privacy: Privacy,
    ) -> Result<ReportWriter<'s>, Failure> {
        let settings = config.report(&checker.rules)?;
        let roster_path = options.roster.as_ref().or(settings.roster.as_ref()).cloned();
        let before = options.previous.as_ref().map(|dir| dir.join("findings.csv"));
        let roster = roster_path.as_deref().map(roster).transpose()?.unwrap_or_default();
        let suppressions = options.suppressions.as_deref().map(suppressions).transpose()?.unwrap_or_default();
        let previous = before.as_deref().map(previous).transpose()?;
        let tables = [roster_path, options.suppressions.clone(), before].into_iter().flatten().collect();
        let texts = TextStore::new(options.data_dir.as_deref());
        let collector = Collector::new(&checker.rules, settings, privacy.clone(), roster, suppressions);
        Ok(ReportWriter { checker, config, collector, privacy, texts, previous, undated: false, tables })
    }

    pub fn add(&mut self, conversation: &Conversation<'_>, findings: &[Finding]) {
        let compact = findings.iter().map(|finding| self.collector.compact(finding)).collect();
        self.add_compact(conversation, compact);
    }

    fn add_compact(&mut self, conversation: &Conversation<'_>, findings: Vec<CompactFinding>) {
        self.undated |= conversation.date.is_none();
        self.collector.add(conversation, findings);
    }

    /// Writes every report to `dir`, the manifest last.
    pub fn write(
        self,
        dir: &Path,
        options: &RuleOptions,
        inputs: &[PathBuf],
        ledger: Option<&Ledger>,
    ) -> Result<(), Failure> {
        let checker = self.checker;
        let report =
            Report::new(self.collector.finish(), &checker.statutes, self.texts.as_ref(), self.previous.as_ref())?;
        fs::create_dir_all(dir).map_err(|source| OutputError { path: dir.to_owned(), source })?;
        let manifest_path = dir.join(manifest::FILE_NAME);
        // A folder without a manifest is not finished.
        remove(&manifest_path)?;
        remove(&dir.join("changes.csv"))?;
        // The workbook takes as long as everything else: each has a core.
        let (rest, book) = rayon::join(
            || -> Result<BTreeMap<String, FileFacts>, Failure> {
                let mut files = BTreeMap::new();
                for table in tables(&report) {
                    let name = format!("{}.csv", table.file);
                    let facts = write_file(&dir.join(&name), |out| write_csv(out, table))?;
                    files.insert(name, facts);
                }
                let page = write_file(&dir.join("report.html"), |out| html::write(out, &report))?;
                files.insert("report.html".to_owned(), page);
                Ok(files)
            },
            || write_file(&dir.join("report.xlsx"), |out| workbook::write(out, &report)),
        );
        let mut files = rest?;
        files.insert("report.xlsx".to_owned(), book?);
        let mut facts = BTreeMap::new();
        for path in inputs.iter().chain(&self.tables).filter(|path| path.as_path() != Path::new("-")) {
            // An input that could not be read has been reported; its absence here says so.
            if let Ok(input) = FileFacts::of(path) {
                facts.insert(path.display().to_string(), input);
            }
        }
        let manifest = Manifest {
            schema: manifest::SCHEMA.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            rules_sha256: rules_hash(options, self.config)?,
            statutes_sha256: manifest::statutes_hash(&checker.statutes),
            law_of: (self.undated || options.on.is_some()).then_some(checker.default_date),
            masked: self.privacy.masks(),
            pseudonymised: self.privacy.pseudonymises(),
            settings: manifest::settings(&report.day.settings),
            inputs: facts,
            ledger: serde_json::to_value(ledger).expect("a ledger serialises"),
            counts: Counts::of(&report),
            files,
        };
        let json = serde_json::to_string_pretty(&manifest).expect("a manifest serialises") + "\n";
        write_file(&manifest_path, |out| out.write_all(json.as_bytes()))?;
        Ok(())
    }
}

/// The hash of the rules and settings that the options name.
pub fn rules_hash(options: &RuleOptions, config: &Config) -> Result<String, Failure> {
    let sources = sources(options, &config.lexicons())?;
    Ok(manifest::rules_hash(&sources, config.file().map_or("", |file| &file.text)))
}

/// Writes a whole file and says how large it is and what it holds.
fn write_file(path: &Path, act: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<FileFacts, Failure> {
    output::write(path, |out| act(out))?;
    Ok(FileFacts::of(path).map_err(|source| OutputError { path: path.to_owned(), source })?)
}

fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(OutputError { path: path.to_owned(), source: error }.into())
        }
        _ => Ok(()),
    }
}

/// What the options let be shown.
pub fn privacy(options: &PrivacyOptions) -> Result<Privacy, Failure> {
    let failed = |path: &Path, message: String| Failure(format!("{}: [key] {message}", path.display()));
    match &options.pseudonymise {
        None => Ok(Privacy::new(options.unmask, None).expect("without a key nothing can be wrong with it")),
        Some(path) => {
            let key = fs::read(path).map_err(|error| failed(path, error.to_string()))?;
            let key = key.trim_ascii();
            Privacy::new(options.unmask, Some(key)).map_err(|_| {
                let least = crate::report::privacy::MINIMUM_KEY;
                failed(path, format!("密钥不足 {least} 字节；可用 `openssl rand -hex 32 > {}` 生成", path.display()))
            })
        }
    }
}

fn roster(path: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let rows = sheet::columns(path, ["坐席", "班组"])?;
    Ok(rows.into_iter().map(|[agent, team]| (agent, team)).collect())
}

fn suppressions(path: &Path) -> Result<BTreeSet<String>, Failure> {
    Ok(sheet::columns(path, [table::ID_COLUMN])?.into_iter().map(|[id]| id).collect())
}

/// The findings of the report before, by agent and rule.
fn previous(path: &Path) -> Result<Previous, Failure> {
    let mut previous = Previous::default();
    for [agent, rule, title] in sheet::columns(path, ["坐席", "规则", "规则说明"])? {
        previous.titles.entry(rule.clone()).or_insert(title);
        *previous.findings.entry((agent, rule)).or_default() += 1;
    }
    Ok(previous)
}

pub fn run(arguments: &ReportArguments) -> Result<Outcome, Failure> {
    let options = scan::input_options(&arguments.reading)?;
    let config = config(&arguments.rules, arguments.findings.first().map(PathBuf::as_path))?;
    let checker = checker_with(&arguments.rules, &config)?;
    let privacy = privacy(&arguments.privacy)?;
    let mut writer = ReportWriter::new(&checker, &config, &arguments.reports, privacy)?;
    let mut pending: HashMap<(String, String), (usize, Vec<CompactFinding>)> = HashMap::new();
    for path in &arguments.findings {
        read_findings(path, &mut |finding| {
            let next = pending.len();
            let key = (finding.source.path.clone(), finding.conversation.clone());
            let compact = writer.collector.compact(&finding);
            pending.entry(key).or_insert_with(|| (next, Vec::new())).1.push(compact);
        })?;
    }
    let named = pending.keys().map(|(path, _)| path.clone()).collect();
    let mut transcripts = Transcripts::open(&arguments.transcripts, named, &options)?;
    transcripts.each(&mut |conversation, path| {
        let findings = pending.remove(&(path.to_owned(), conversation.id.to_owned()));
        writer.add_compact(conversation, findings.map(|(_, findings)| findings).unwrap_or_default());
        Ok(())
    })?;
    let mut rest: Vec<_> = pending.into_iter().collect();
    rest.sort_by_key(|(_, (order, _))| *order);
    for ((path, id), (_, findings)) in rest {
        writer.collector.add_without_text(&id, &path, findings);
    }
    let ledger = (!transcripts.files.is_empty()).then_some(&transcripts.ledger);
    let inputs: Vec<PathBuf> = arguments.findings.iter().chain(&transcripts.files).cloned().collect();
    writer.write(&arguments.output, &arguments.rules, &inputs, ledger)?;
    Ok(if transcripts.incomplete { Outcome::Incomplete } else { Outcome::Clean })
}

/// Transcripts that findings or reviews speak of.
pub struct Transcripts {
    /// The files read.
    pub files: Vec<PathBuf>,
    /// What became of their rows.
    pub ledger: Ledger,
    /// Whether something could not be read.
    pub incomplete: bool,
    batches: Batches,
    named: HashMap<String, String>,
}

impl Transcripts {
    /// Reads `files`, or those of `named` that are there.
    pub fn open(files: &[PathBuf], named: BTreeSet<String>, options: &InputOptions) -> Result<Transcripts, Failure> {
        let mut files = files.to_vec();
        let mut incomplete = false;
        if files.is_empty() {
            let (found, missing): (Vec<_>, Vec<_>) = named.iter().partition(|path| Path::new(path).is_file());
            files = found.into_iter().map(PathBuf::from).collect();
            for path in missing {
                anstream::eprintln!("{path}: [transcripts] 找不到会话文件，没有原文和比率；用 --transcripts 指定");
            }
        }
        let mut export = Export::default();
        for path in &files {
            if let Err(error) = input::read(path, options, &mut export, &|_| {}) {
                anstream::eprintln!("{error}");
                incomplete = true;
            }
        }
        let (ledger, batches) = export.into_batches()?;
        incomplete |= ledger.is_incomplete();
        let named = named_paths(&files, &named);
        Ok(Transcripts { files, ledger, incomplete, batches, named })
    }

    /// Hands over every conversation with the path by which it is spoken of.
    pub fn each(&mut self, act: &mut dyn FnMut(&Conversation<'_>, &str) -> Result<(), Failure>) -> Result<(), Failure> {
        while let Some(batch) = self.batches.next_batch()? {
            for at in 0..batch.len() {
                let conversation = batch.get(at);
                let path = self.named.get(conversation.path).map_or(conversation.path, String::as_str);
                act(&conversation, path)?;
            }
        }
        Ok(())
    }
}

/// For every transcript the path that the findings name: its own, or the only one with the same file name.
fn named_paths(transcripts: &[PathBuf], named: &BTreeSet<String>) -> HashMap<String, String> {
    let same_name = |path: &Path| {
        let mut same = named.iter().filter(|other| Path::new(other).file_name() == path.file_name());
        same.next().filter(|_| same.next().is_none()).cloned()
    };
    let transcripts = transcripts.iter().map(|path| (path.display().to_string(), path));
    transcripts
        .filter(|(shown, _)| !named.contains(shown))
        .filter_map(|(shown, path)| Some((shown, same_name(path)?)))
        .collect()
}

/// Hands every finding of a JSON Lines file to `act`.
fn read_findings(path: &Path, act: &mut dyn FnMut(Finding)) -> Result<(), Failure> {
    let failed = |line: u64, message: String| Failure(format!("{}:{line}: [findings] {message}", path.display()));
    let file = File::open(path).map_err(|error| Failure(format!("{}: [read] {error}", path.display())))?;
    for (line, text) in (1..).zip(BufReader::with_capacity(1 << 18, file).lines()) {
        let text = text.map_err(|error| failed(line, error.to_string()))?;
        if text.trim().is_empty() {
            continue;
        }
        let finding: Finding = serde_json::from_str(&text).map_err(|error| {
            // The parser's own message may quote the record, and with it a transcript.
            failed(line, format!("第 {} 列不合命中记录的格式；应为 `zhijian scan` 写出的 JSON Lines", error.column()))
        })?;
        act(finding);
    }
    Ok(())
}
