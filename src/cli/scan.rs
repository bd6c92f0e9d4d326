//! `zhijian scan`

use std::cell::OnceCell;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use crate::checker::{Checked, Checker};
use crate::cli::args::{Language, OutputFormat, ReadingOptions, ScanArguments};
use crate::cli::report::ReportWriter;
use crate::cli::{Failure, Outcome, checker_with, config, output, progress, report as reports};
use crate::engine::{MAX_TURNS, Mode};
use crate::error::OutputError;
use crate::input::ledger::Skipped;
use crate::input::seen::Seen;
use crate::input::{self, Batches, Export, InputOptions, Ledger, RoleWords, Skip};
use crate::model::Severity;
use crate::report::csv::CsvReporter;
use crate::report::jsonl::JsonlReporter;
use crate::report::text::{Mark, TextReporter};
use crate::report::{self, Privacy, Reporter};
use crate::timings::{self, Stage, stage};

/// Conversations judged before their findings are written.
const BATCH: usize = 4096;
/// Bytes that the program takes besides the rows it reads: rules, automata, buffers, what is judged at the moment.
const PROGRAM: usize = 128 << 20;
/// The least that rows are given.
const LEAST: usize = 16 << 20;

pub fn run(arguments: &ScanArguments) -> Result<Outcome, Failure> {
    let began = Instant::now();
    if arguments.timings {
        timings::ask();
    }
    let options = input_options(&arguments.reading)?;
    let mut seen = arguments.skip_seen.as_deref().map(Seen::read).transpose()?;
    let config = config(&arguments.rules, arguments.inputs.first().map(PathBuf::as_path))?;
    let loaded = OnceCell::new();
    let checker = || match loaded.get() {
        Some(checker) => Ok(checker),
        None => {
            let _stage = stage(Stage::Load);
            checker_with(&arguments.rules, &config).map(|checker| loaded.get_or_init(|| checker))
        }
    };
    // Files of the user are checked before anything is read; the embedded ones wait for the first conversation.
    if !arguments.rules.lexicons.is_empty() || !arguments.rules.statutes.is_empty() || !config.is_empty() {
        checker()?;
    }
    let privacy = reports::privacy(&arguments.privacy)?;
    let mut report = match &arguments.report {
        Some(_) => Some(ReportWriter::new(checker()?, &config, &arguments.reports, privacy.clone())?),
        None => None,
    };
    let reading = stage(Stage::Read);
    let (export, unread) = read(arguments, &options);
    drop(reading);
    let mut output = Output::open(arguments, &privacy)?;
    let grouping = stage(Stage::Group);
    let (mut ledger, batches) = export.into_batches()?;
    drop(grouping);
    let worst = judge(&checker, batches, &mut ledger, seen.as_mut(), &mut output, report.as_mut(), arguments)?;
    let writing = stage(Stage::Write);
    output.close()?;
    drop(writing);
    if let (Some(report), Some(dir)) = (report, &arguments.report) {
        report.write(dir, &arguments.rules, &input::expand(&arguments.inputs).0, Some(&ledger))?;
    }
    if !arguments.quiet {
        print_ledger(&ledger, arguments.lang);
    }
    if arguments.timings {
        print_timings(began.elapsed(), arguments.lang);
    }
    if let Some(path) = &arguments.summary {
        let json = serde_json::to_string_pretty(&ledger).expect("a ledger serialises");
        output::write(path, |out| writeln!(out, "{json}"))?;
    }
    if let (Some(path), Some(seen)) = (&arguments.skip_seen, &seen) {
        output::write(path, |out| seen.write(out))?;
    }
    if unread || ledger.is_incomplete() {
        return Ok(Outcome::Incomplete);
    }
    let before = ledger.skipped.contains_key(&Skip::Seen);
    if ledger.rows > 0 && ledger.judged == 0 && !before {
        let message = match arguments.lang {
            Language::Zh => {
                "没有可检查的坐席消息；请用 --roles 说明角色词，例如 --roles agent=商家,customer=会员，或用 --agents 说明坐席昵称"
            }
            Language::En => {
                "no agent turn to judge; say what the role words mean, as --roles agent=商家,customer=会员, or who the agents are by --agents"
            }
        };
        return Err(Failure(message.to_owned()));
    }
    let reached = arguments.fail_on.is_some_and(|threshold| worst.is_some_and(|worst| worst >= threshold));
    Ok(if reached { Outcome::Findings } else { Outcome::Clean })
}

/// The options as meant.
pub fn input_options(arguments: &ReadingOptions) -> Result<InputOptions, Failure> {
    let mut roles = RoleWords::default();
    for words in &arguments.roles {
        roles.add(words).map_err(|message| Failure(format!("--roles: {message}")))?;
    }
    for names in &arguments.agents {
        roles.add_agents(names).map_err(|message| Failure(format!("--agents: {message}")))?;
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
        sheet: arguments.sheet.clone(),
        roles,
        channel: arguments.channel,
        industry: arguments.industry.clone(),
    })
}

/// Reads every input. One that cannot be read is reported at once and does not keep the others from being judged. Tells
/// whether there was one.
fn read(arguments: &ScanArguments, options: &InputOptions) -> (Export, bool) {
    let (files, left, errors) = input::expand(&arguments.inputs);
    let size = |path: &PathBuf| path.metadata().map_or(0, |metadata| metadata.len());
    let bar = progress::bar(files.iter().map(size).sum(), "读取", arguments.quiet);
    let budget = arguments.memory.saturating_sub(PROGRAM).max(LEAST);
    let mut export = Export::with_budget(budget);
    let unnamed = left.iter().map(|path| format!("{}: not read: its name is not that of an export", path.display()));
    export.ledger.notices.extend(unnamed);
    let mut unread = !errors.is_empty();
    errors.iter().for_each(|error| anstream::eprintln!("{error}"));
    for path in &files {
        if let Err(error) = input::read(path, options, &mut export, &|bytes| bar.inc(bytes)) {
            bar.suspend(|| anstream::eprintln!("{error}"));
            unread = true;
        }
    }
    bar.finish_and_clear();
    (export, unread)
}

/// Judges all conversations in parallel and writes their findings in input order. Returns the gravest severity. `load` is
/// asked for the rules when the first conversation comes.
fn judge<'c>(
    load: &dyn Fn() -> Result<&'c Checker, Failure>,
    mut batches: Batches,
    ledger: &mut Ledger,
    mut seen: Option<&mut Seen>,
    output: &mut Output,
    mut report: Option<&mut ReportWriter<'_>>,
    arguments: &ScanArguments,
) -> Result<Option<Severity>, Failure> {
    let pool = ThreadPoolBuilder::new().num_threads(arguments.threads.unwrap_or(0)).build()?;
    let bar: ProgressBar = progress::bar(ledger.conversations, "检查", arguments.quiet);
    let mut worst = None;
    output.write(|reporter| reporter.begin())?;
    let next = |batches: &mut Batches| {
        let _stage = stage(Stage::Group);
        batches.next_batch()
    };
    while let Some(export) = next(&mut batches)? {
        let fresh: Option<Vec<bool>> = seen.as_deref_mut().map(|seen| {
            let mut fresh = |at| {
                let conversation = export.get(at);
                let known = seen.contains(&conversation);
                if known {
                    ledger.pass_over(&conversation);
                }
                !known
            };
            (0..export.len()).map(&mut fresh).collect()
        });
        for start in (0..export.len()).step_by(BATCH) {
            let end = (start + BATCH).min(export.len());
            let checker = load()?;
            let check = |at: usize| {
                if fresh.as_ref().is_some_and(|fresh| !fresh[at]) {
                    return None;
                }
                let grouping = stage(Stage::Group);
                let conversation = export.get(at);
                drop(grouping);
                let checked = checker.check_with(&conversation, Mode::Lazy);
                (checked != Checked::default()).then_some((at, checked))
            };
            let batch: Vec<(usize, Checked)> =
                pool.install(|| (start..end).into_par_iter().with_min_len(64).filter_map(check).collect());
            let writing = stage(Stage::Write);
            for (at, checked) in &batch {
                let conversation = export.get(*at);
                ledger.truncated += checked.truncated as u64;
                ledger.pieces += u64::from(checked.cut);
                for finding in &checked.findings {
                    ledger.findings += 1;
                    worst = worst.max(Some(finding.severity));
                    output.write(|reporter| reporter.finding(finding, &conversation))?;
                }
            }
            if let Some(report) = &mut report {
                // Rates rest on conversations without findings, too.
                let mut batch = batch.iter().peekable();
                for at in (start..end).filter(|at| fresh.as_ref().is_none_or(|fresh| fresh[*at])) {
                    let found =
                        batch.next_if(|(other, _)| *other == at).map_or(&[][..], |(_, checked)| &checked.findings);
                    report.add(&export.get(at), found);
                }
            }
            drop(writing);
            bar.inc((end - start) as u64);
        }
    }
    output.write(|reporter| reporter.end())?;
    bar.finish_and_clear();
    Ok(worst)
}

/// Where findings go. A file is written under another name and takes its own when it is complete.
struct Output {
    reporter: Box<dyn Reporter>,
    path: PathBuf,
    pending: Option<output::Pending>,
    closed_pipe: bool,
}

impl Output {
    fn open(arguments: &ScanArguments, privacy: &Privacy) -> Result<Output, Failure> {
        let privacy = privacy.clone();
        let terminal = arguments.output.is_none() && io::stdout().is_terminal();
        let default = if terminal { OutputFormat::Text } else { OutputFormat::Jsonl };
        let format = arguments.format.unwrap_or(default);
        let language = match arguments.lang {
            Language::Zh => report::Language::Chinese,
            Language::En => report::Language::English,
        };
        let path = arguments.output.clone().unwrap_or_else(|| PathBuf::from("<stdout>"));
        let failed = |source| OutputError { path: path.clone(), source };
        let (out, pending): (Box<dyn Write>, _) = match &arguments.output {
            Some(path) => {
                let (file, pending) = output::create(path)?;
                (Box::new(BufWriter::new(file)), Some(pending))
            }
            None => (Box::new(BufWriter::new(io::stdout())), None),
        };
        let reporter: Box<dyn Reporter> = match format {
            OutputFormat::Jsonl => Box::new(JsonlReporter::new(out, privacy)),
            OutputFormat::Csv => Box::new(CsvReporter::new(out, language, !arguments.no_bom, privacy).map_err(failed)?),
            OutputFormat::Text if terminal => Box::new(TextReporter::new(
                anstream::AutoStream::auto(io::stdout()),
                language,
                Mark::Underline,
                privacy,
            )),
            OutputFormat::Text => {
                Box::new(TextReporter::new(anstream::StripStream::new(out), language, Mark::Brackets, privacy))
            }
        };
        Ok(Output { reporter, path, pending, closed_pipe: false })
    }

    /// A reader that has had enough is no failure: what follows is not written. After any other failure the partial file is
    /// removed with this value.
    fn write(&mut self, act: impl FnOnce(&mut dyn Reporter) -> io::Result<()>) -> Result<(), Failure> {
        if self.closed_pipe {
            return Ok(());
        }
        match act(self.reporter.as_mut()) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe && self.pending.is_none() => {
                self.closed_pipe = true;
                Ok(())
            }
            Err(source) => Err(OutputError { path: self.path.clone(), source }.into()),
        }
    }

    fn close(self) -> Result<(), Failure> {
        drop(self.reporter);
        self.pending.map_or(Ok(()), output::Pending::complete)
    }
}

fn print_ledger(ledger: &Ledger, language: Language) {
    for notice in &ledger.notices {
        anstream::eprintln!("{notice}");
    }
    let Ledger { files, conversations, rows, judged, customer, system, findings, truncated, pieces, .. } = ledger;
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
    if *pieces > 0 {
        anstream::eprintln!(
            "{pieces} 个会话超过 {MAX_TURNS} 条消息，已分段检查 conversations of more than {MAX_TURNS} turns were judged in pieces"
        );
    }
    let kinds: Vec<String> = ledger
        .kinds
        .iter()
        .map(|(kind, rows)| match language {
            Language::Zh => format!("{} {rows}", kind.chinese()),
            Language::En => format!("{} {rows}", kind.english()),
        })
        .collect();
    match language {
        _ if kinds.is_empty() => {}
        Language::Zh => anstream::eprintln!("其中非人工消息：{}", kinds.join("，")),
        Language::En => anstream::eprintln!("of these no messages of a person: {}", kinds.join(", ")),
    }
    for (reason, skipped) in &ledger.skipped {
        print_places(if language == Language::Zh { reason.chinese() } else { reason.english() }, skipped);
    }
    for (flaw, flaws) in &ledger.flaws {
        print_places(if language == Language::Zh { flaw.chinese() } else { flaw.english() }, flaws);
    }
}

/// Times of threads are added up, so that the stages may take longer than the run.
fn print_timings(whole: Duration, language: Language) {
    let rows: Vec<(&str, u64, Duration)> = timings::so_far()
        .map(|(stage, times, time)| {
            let (chinese, english) = stage.names();
            (if language == Language::Zh { chinese } else { english }, times, time)
        })
        .collect();
    let sum: Duration = rows.iter().map(|(_, _, time)| *time).sum();
    for (name, times, time) in rows {
        let share = 100.0 * time.as_secs_f64() / sum.as_secs_f64().max(f64::MIN_POSITIVE);
        anstream::eprintln!("{:>9.3} s {share:>5.1} % {times:>10} × {name}", time.as_secs_f64());
    }
    let name = if language == Language::Zh { "全程" } else { "whole run" };
    anstream::eprintln!("{:>9.3} s {name}", whole.as_secs_f64());
}

fn print_places(name: &str, skipped: &Skipped) {
    for place in &skipped.first {
        let detail = if place.detail.is_empty() { String::new() } else { format!(" '{}'", place.detail) };
        anstream::eprintln!("  {}:{}: {name}{detail}", place.path, place.line);
    }
    let more = skipped.rows - skipped.first.len() as u64;
    if more > 0 {
        anstream::eprintln!("  … {name} +{more}");
    }
}
