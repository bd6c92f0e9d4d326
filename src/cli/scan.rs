//! `zhijian scan`

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use indicatif::ProgressBar;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::cli::args::{Language, OutputFormat, ScanArguments};
use crate::cli::{Failure, Outcome, checker, progress};
use crate::engine::Mode;
use crate::error::OutputError;
use crate::input::{self, Export, InputOptions, Ledger, RoleWords};
use crate::model::Severity;
use crate::report::csv::CsvReporter;
use crate::report::jsonl::JsonlReporter;
use crate::report::text::{Mark, TextReporter};
use crate::report::{self, Reporter};
use crate::{Checker, Finding};

/// Conversations judged before their findings are written.
const BATCH: usize = 4096;

pub fn run(arguments: &ScanArguments) -> Result<Outcome, Failure> {
    let options = input_options(arguments)?;
    let checker = checker(&arguments.rules, arguments.inputs.first().map(PathBuf::as_path))?;
    let pool = ThreadPoolBuilder::new().num_threads(arguments.threads.unwrap_or(0)).build()?;
    let (mut export, unread) = read(arguments, &options);
    let mut output = Output::open(arguments)?;
    let worst = judge(&checker, &pool, &mut export, &mut output, arguments)?;
    output.close()?;
    let ledger = &export.ledger;
    if !arguments.quiet {
        print_ledger(ledger, arguments.lang);
    }
    if let Some(path) = &arguments.summary {
        write_summary(ledger, path)?;
    }
    if !unread.is_empty() || ledger.is_incomplete() {
        return Ok(Outcome::Incomplete);
    }
    if ledger.rows > 0 && ledger.judged == 0 {
        let message = match arguments.lang {
            Language::Zh => "没有可检查的坐席消息；请用 --roles 说明角色词，例如 --roles agent=商家,customer=会员",
            Language::En => "no agent turn to judge; say what the role words mean, as --roles agent=商家,customer=会员",
        };
        return Err(Failure(message.to_owned()));
    }
    let reached = arguments.fail_on.is_some_and(|threshold| worst.is_some_and(|worst| worst >= threshold));
    Ok(if reached { Outcome::Findings } else { Outcome::Clean })
}

fn input_options(arguments: &ScanArguments) -> Result<InputOptions, Failure> {
    let mut roles = RoleWords::default();
    for words in &arguments.roles {
        roles.add(words).map_err(|message| Failure(format!("--roles: {message}")))?;
    }
    let (format, tab) = arguments.input_format.map_or((None, None), |format| {
        let (format, delimiter) = format.meant();
        (Some(format), delimiter)
    });
    Ok(InputOptions {
        format,
        encoding: arguments.encoding,
        delimiter: arguments.delimiter.or(tab),
        columns: arguments.columns.clone(),
        roles,
        channel: arguments.channel,
        industry: arguments.industry.clone(),
    })
}

/// Reads every input. One that cannot be read is reported at once and does not keep the others from being judged.
fn read(arguments: &ScanArguments, options: &InputOptions) -> (Export, Vec<PathBuf>) {
    let size = |path: &PathBuf| path.metadata().map_or(0, |metadata| metadata.len());
    let bar = progress::bar(arguments.inputs.iter().map(size).sum(), "读取", arguments.quiet);
    let mut export = Export::default();
    let mut unread = Vec::new();
    for path in &arguments.inputs {
        if let Err(error) = input::read(path, options, &mut export, &|bytes| bar.inc(bytes)) {
            bar.suspend(|| anstream::eprintln!("{error}"));
            unread.push(path.clone());
        }
    }
    bar.finish_and_clear();
    export.finish();
    (export, unread)
}

/// Judges all conversations in parallel and writes their findings in input order. Returns the gravest severity.
fn judge(
    checker: &Checker,
    pool: &ThreadPool,
    export: &mut Export,
    output: &mut Output,
    arguments: &ScanArguments,
) -> Result<Option<Severity>, Failure> {
    let bar: ProgressBar = progress::bar(export.len() as u64, "检查", arguments.quiet);
    let (mut findings, mut truncated, mut worst) = (0u64, 0u64, None);
    output.write(|reporter| reporter.begin())?;
    for start in (0..export.len()).step_by(BATCH) {
        let end = (start + BATCH).min(export.len());
        let check = |at: usize| {
            let checked = checker.check_with(&export.get(at), Mode::Lazy);
            (!checked.findings.is_empty() || checked.truncated > 0).then_some((at, checked.findings, checked.truncated))
        };
        let batch: Vec<(usize, Vec<Finding>, usize)> =
            pool.install(|| (start..end).into_par_iter().with_min_len(64).filter_map(check).collect());
        for (at, found, cut) in &batch {
            let conversation = export.get(*at);
            truncated += *cut as u64;
            for finding in found {
                findings += 1;
                worst = worst.max(Some(finding.severity));
                output.write(|reporter| reporter.finding(finding, &conversation))?;
            }
        }
        bar.inc((end - start) as u64);
    }
    output.write(|reporter| reporter.end())?;
    bar.finish_and_clear();
    export.ledger.findings = findings;
    export.ledger.truncated = truncated;
    Ok(worst)
}

/// Where findings go. A file is written under another name and takes its own when it is complete.
struct Output {
    reporter: Box<dyn Reporter>,
    path: PathBuf,
    partial: Option<PathBuf>,
    closed_pipe: bool,
}

impl Output {
    fn open(arguments: &ScanArguments) -> Result<Output, Failure> {
        let terminal = arguments.output.is_none() && io::stdout().is_terminal();
        let default = if terminal { OutputFormat::Text } else { OutputFormat::Jsonl };
        let format = arguments.format.unwrap_or(default);
        let language = match arguments.lang {
            Language::Zh => report::Language::Chinese,
            Language::En => report::Language::English,
        };
        let (path, partial) = match &arguments.output {
            Some(path) => (path.clone(), Some(partial_path(path))),
            None => (PathBuf::from("<stdout>"), None),
        };
        let failed = |source| OutputError { path: path.clone(), source };
        let out: Box<dyn Write> = match &partial {
            Some(partial) => Box::new(BufWriter::new(File::create(partial).map_err(failed)?)),
            None => Box::new(BufWriter::new(io::stdout())),
        };
        let reporter: Box<dyn Reporter> = match format {
            OutputFormat::Jsonl => Box::new(JsonlReporter(out)),
            OutputFormat::Csv => Box::new(CsvReporter::new(out, language, !arguments.no_bom).map_err(failed)?),
            OutputFormat::Text if terminal => {
                Box::new(TextReporter::new(anstream::AutoStream::auto(io::stdout()), language, Mark::Underline))
            }
            OutputFormat::Text => {
                Box::new(TextReporter::new(anstream::StripStream::new(out), language, Mark::Brackets))
            }
        };
        Ok(Output { reporter, path, partial, closed_pipe: false })
    }

    /// A reader that has had enough is no failure: what follows is not written.
    fn write(&mut self, act: impl FnOnce(&mut dyn Reporter) -> io::Result<()>) -> Result<(), Failure> {
        if self.closed_pipe {
            return Ok(());
        }
        match act(self.reporter.as_mut()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed_pipe = true;
                Ok(())
            }
            Err(source) => {
                if let Some(partial) = &self.partial {
                    // The half file is of no use; that it cannot be removed adds nothing to the message.
                    let _ = std::fs::remove_file(partial);
                }
                Err(OutputError { path: self.path.clone(), source }.into())
            }
        }
    }

    fn close(self) -> Result<(), Failure> {
        drop(self.reporter);
        if let Some(partial) = &self.partial {
            std::fs::rename(partial, &self.path).map_err(|source| OutputError { path: self.path.clone(), source })?;
        }
        Ok(())
    }
}

fn partial_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    path.with_file_name(name)
}

fn print_ledger(ledger: &Ledger, language: Language) {
    for notice in &ledger.notices {
        anstream::eprintln!("{notice}");
    }
    let Ledger { files, conversations, rows, judged, customer, system, findings, truncated, .. } = ledger;
    let skipped: Vec<String> = ledger
        .skipped
        .iter()
        .map(|(reason, skipped)| match language {
            Language::Zh => format!("{} {}", reason.chinese(), skipped.rows),
            Language::En => format!("{} {}", reason.english(), skipped.rows),
        })
        .collect();
    match language {
        Language::Zh => {
            let skipped = if skipped.is_empty() { "无".to_owned() } else { skipped.join("，") };
            anstream::eprintln!(
                "台账：文件 {files}，会话 {conversations}，行 {rows} = 坐席 {judged} + 客户 {customer} + 系统 {system} + 未检查（{skipped}）；命中 {findings}"
            );
        }
        Language::En => {
            let skipped = if skipped.is_empty() { "none".to_owned() } else { skipped.join(", ") };
            anstream::eprintln!(
                "ledger: {files} file(s), {conversations} conversations, {rows} rows = {judged} agent + {customer} customer + {system} system + not judged ({skipped}); {findings} findings"
            );
        }
    }
    if *truncated > 0 {
        anstream::eprintln!(
            "{truncated} 条消息命中过多，超出部分未检查 turns with too many hits were not looked at in full"
        );
    }
    for (reason, skipped) in &ledger.skipped {
        let name = match language {
            Language::Zh => reason.chinese(),
            Language::En => reason.english(),
        };
        for place in &skipped.first {
            let detail = if place.detail.is_empty() { String::new() } else { format!(" '{}'", place.detail) };
            anstream::eprintln!("  {}:{}: {name}{detail}", place.path, place.line);
        }
        let more = skipped.rows - skipped.first.len() as u64;
        if more > 0 {
            anstream::eprintln!("  … {name} +{more}");
        }
    }
}

fn write_summary(ledger: &Ledger, path: &Path) -> Result<(), Failure> {
    let json = serde_json::to_string_pretty(ledger).expect("a ledger serialises");
    let partial = partial_path(path);
    let failed = |source| OutputError { path: path.to_owned(), source };
    std::fs::write(&partial, json + "\n").map_err(failed)?;
    std::fs::rename(&partial, path).map_err(failed)?;
    Ok(())
}
