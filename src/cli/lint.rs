//! `zhijian lint`

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use globset::{Glob, GlobSet, GlobSetBuilder};
use rayon::ThreadPoolBuilder;

use crate::Checker;
use crate::cli::args::{self, LintArguments};
use crate::cli::{Failure, Outcome, checker_with, config};
use crate::config::Config;
use crate::error::{LoadError, OutputError};
use crate::lint::baseline::Baseline;
use crate::lint::changed::Changed;
use crate::lint::fix::fix;
use crate::lint::issue::Replacement;
use crate::lint::output::code_review::{github_summary, write_github, write_gitlab, write_sarif};
use crate::lint::output::xml::{write_checkstyle, write_junit};
use crate::lint::output::{text, write_json};
use crate::lint::script::Keys;
use crate::lint::suppress::{PathSuppression, Suppression};
use crate::lint::{Linted, Options, files, lint, settings_faults};
use crate::report::Language;

/// A form of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Text,
    Json,
    Sarif,
    Github,
    Gitlab,
    Junit,
    Checkstyle,
}

const FORMATS: [(&str, Format); 7] = [
    ("text", Format::Text),
    ("json", Format::Json),
    ("sarif", Format::Sarif),
    ("github", Format::Github),
    ("gitlab", Format::Gitlab),
    ("junit", Format::Junit),
    ("checkstyle", Format::Checkstyle),
];

/// A form and the file it goes to; `-` is standard output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    format: Format,
    path: PathBuf,
}

/// Reads `sarif=out.sarif`; a form alone goes to standard output.
pub fn output(text: &str) -> Result<Output, String> {
    let (name, path) = text.split_once('=').unwrap_or((text, "-"));
    let format = FORMATS.into_iter().find(|(word, _)| *word == name).map(|(_, format)| format);
    let names = || FORMATS.map(|(name, _)| name).join(", ");
    let format = format.ok_or_else(|| format!("'{name}' is not a form of output; use {}", names()))?;
    if path.is_empty() {
        return Err("name a file, or - for standard output".to_owned());
    }
    Ok(Output { format, path: path.into() })
}

pub fn run(arguments: &LintArguments) -> Result<Outcome, Failure> {
    let config = settings(arguments)?;
    let exclude = exclusions(arguments, &config)?;
    let mut files = files::find(&arguments.paths, &exclude).map_err(|problems| Failure(problems.join("\n")))?;
    let changed = match &arguments.changed_since {
        Some(revision) => {
            let changed = Changed::since(revision, &files).map_err(Failure)?;
            files.retain(|path| changed.file(path));
            Some(changed)
        }
        None => None,
    };
    let checker = checker_with(&arguments.rules, &config)?;
    let options = Options {
        keys: Keys::new(arguments.keys.clone()),
        path_suppressions: path_suppressions(&config)?,
        today: checker.default_date,
        industry: arguments.industry.clone(),
    };
    let pool = ThreadPoolBuilder::new().num_threads(arguments.threads.unwrap_or(0)).build()?;
    let judge = || -> Result<Linted, Failure> {
        let mut linted = pool.install(|| lint(&checker, &files, &options));
        if let Some(settings) = config.file() {
            let faults = settings_faults(&checker, settings, &options, &linted);
            linted.issues.extend(faults);
        }
        if let Some(changed) = &changed {
            let before = linted.issues.len();
            linted.issues.retain(|issue| changed.holds(issue));
            linted.ledger.unchanged = before - linted.issues.len();
        }
        baseline(arguments, &mut linted)?;
        linted.ledger.findings = linted.issues.len();
        Ok(linted)
    };
    let mut linted = judge()?;
    let mended = (arguments.fix || arguments.diff) && mend(arguments, &files, &linted)?;
    if mended && !arguments.diff {
        linted = judge()?;
    }
    if !arguments.diff || !arguments.output.is_empty() {
        write(arguments, &linted, &checker)?;
    }
    for problem in &linted.problems {
        anstream::eprintln!("{problem}");
    }
    if !arguments.quiet {
        print_ledger(&linted, arguments.lang);
    }
    if !linted.problems.is_empty() || linted.ledger.truncated > 0 {
        return Ok(Outcome::Incomplete);
    }
    let reached = linted.issues.iter().any(|issue| issue.severity >= arguments.fail_on);
    Ok(if reached && !arguments.exit_zero { Outcome::Findings } else { Outcome::Clean })
}

/// Makes the safe replacements, or only shows them. Says whether there were any.
fn mend(arguments: &LintArguments, files: &[PathBuf], linted: &Linted) -> Result<bool, Failure> {
    let mut total = 0;
    for path in files {
        let name = files::shown(path);
        let of_file = linted.issues.iter().filter(|issue| issue.path == name);
        let wanted: Vec<&Replacement> = of_file.filter_map(|issue| issue.replacement.as_ref()).collect();
        if wanted.is_empty() {
            continue;
        }
        let failed = |source| OutputError { path: path.clone(), source };
        let Some(fixed) = fix(path, &wanted).map_err(failed)? else { continue };
        total += fixed.count;
        if arguments.diff {
            anstream::print!("{}", fixed.diff(&name));
        } else {
            fixed.write(path).map_err(failed)?;
        }
    }
    if !arguments.quiet {
        let word = if arguments.diff { "可改写 would be replaced" } else { "已改写 replaced" };
        anstream::eprintln!("{word}: {total}");
    }
    Ok(total > 0)
}

/// The settings given, or the nearest above the first path.
fn settings(arguments: &LintArguments) -> Result<Config, Failure> {
    let first = arguments.paths.first().map(|path| {
        let path = path.canonicalize().unwrap_or_else(|_| path.clone());
        if path.is_dir() { path.join(crate::config::FILE_NAME) } else { path }
    });
    config(&arguments.rules, first.as_deref())
}

/// The folder of the settings file as paths in reports show it, with `/` behind it where it is not empty.
fn folder_of(config: &Config) -> String {
    let folder = config.file().and_then(|file| Path::new(&file.path).parent());
    let folder = folder.map(files::shown).unwrap_or_default();
    if folder.is_empty() { folder } else { format!("{folder}/") }
}

fn exclusions(arguments: &LintArguments, config: &Config) -> Result<GlobSet, Failure> {
    let mut set = GlobSetBuilder::new();
    for glob in &arguments.exclude {
        set.add(Glob::new(glob).map_err(|error| Failure(format!("--exclude: {error}")))?);
    }
    let folder = folder_of(config);
    for glob in config.lint_exclude() {
        let parsed = Glob::new(&format!("{folder}{}", glob.as_ref()));
        set.add(parsed.map_err(|error| misplaced(config, glob.span(), &error.to_string()))?);
    }
    Ok(set.build()?)
}

fn path_suppressions(config: &Config) -> Result<Vec<PathSuppression>, Failure> {
    let folder = folder_of(config);
    let one = |entry: &toml::Spanned<crate::config::LintIgnore>| {
        let (span, ignore) = (entry.span(), entry.as_ref());
        let glob = Glob::new(&format!("{folder}{}", ignore.path));
        let glob = glob.map_err(|error| misplaced(config, span.clone(), &error.to_string()))?.compile_matcher();
        let until = ignore.until.as_ref().map(|day| day.parse());
        let until = until.transpose().map_err(|_| misplaced(config, span.clone(), "write a day as 2026-09-18"))?;
        let suppression = Suppression { rules: ignore.rules.clone(), until, reason: ignore.reason.trim().to_owned() };
        Ok(PathSuppression { glob, span, suppression })
    };
    config.lint_ignore().iter().map(one).collect()
}

/// A problem in the settings file.
fn misplaced(config: &Config, span: crate::span::Span, message: &str) -> Failure {
    let diagnostic = config.file().map(|file| file.diagnostic(span, "lint-settings", message, "see docs/lint.md"));
    LoadError(diagnostic.into_iter().collect()).into()
}

fn baseline(arguments: &LintArguments, linted: &mut Linted) -> Result<(), Failure> {
    let Some(path) = &arguments.baseline else { return Ok(()) };
    let known = Baseline::read(path).map_err(Failure)?;
    if known.is_none() && !arguments.allow_growth {
        let message = "there is no such baseline; --update-baseline --allow-growth makes one";
        return Err(Failure(format!("{}: [baseline] {message}", path.display())));
    }
    let mut known = known.unwrap_or_default();
    if arguments.update_baseline {
        // What could not be read may hold what the baseline knows.
        if !linted.problems.is_empty() {
            return Ok(());
        }
        let updated = known.updated(&linted.issues, &linted.paths, arguments.allow_growth);
        if updated != known || !path.exists() {
            fs::write(path, updated.to_json()).map_err(|source| OutputError { path: path.clone(), source })?;
        }
        known = updated;
    }
    linted.ledger.baselined = known.filter(&mut linted.issues);
    let gone = known.updated(&[], &linted.paths, false).count();
    let stale = known.count() - gone - linted.ledger.baselined;
    if stale > 0 && !arguments.quiet {
        anstream::eprintln!(
            "{}: {stale} 处已改好，可用 --update-baseline 去掉 no longer found; take out with --update-baseline",
            path.display()
        );
    }
    Ok(())
}

fn write(arguments: &LintArguments, linted: &Linted, checker: &Checker) -> Result<(), Failure> {
    let default = [Output { format: Format::Text, path: "-".into() }];
    let outputs = if arguments.output.is_empty() { &default[..] } else { &arguments.output };
    for Output { format, path } in outputs {
        let stdout = path == Path::new("-");
        let name = if stdout { PathBuf::from("<stdout>") } else { path.clone() };
        let failed = |source| OutputError { path: name.clone(), source };
        let out: Box<dyn Write> = if stdout {
            Box::new(BufWriter::new(io::stdout()))
        } else {
            Box::new(BufWriter::new(File::create(path).map_err(failed)?))
        };
        let written = match format {
            Format::Text if stdout && io::stdout().is_terminal() => {
                text::write(anstream::AutoStream::auto(io::stdout()), linted, language(arguments.lang))
            }
            Format::Text => text::write(anstream::StripStream::new(out), linted, language(arguments.lang)),
            Format::Json => write_json(out, linted),
            Format::Sarif => write_sarif(out, linted, checker),
            Format::Github => write_github(anstream::StripStream::new(out), linted, language(arguments.lang)),
            Format::Gitlab => write_gitlab(out, linted),
            Format::Junit => write_junit(out, linted),
            Format::Checkstyle => write_checkstyle(out, linted),
        };
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            written => written.map_err(failed)?,
        }
        if *format == Format::Github {
            summarise(linted)?;
        }
    }
    Ok(())
}

/// Adds to the step summary where GitHub Actions names one.
fn summarise(linted: &Linted) -> Result<(), Failure> {
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").map(PathBuf::from) else { return Ok(()) };
    let file = File::options().create(true).append(true).open(&path);
    let written = file.and_then(|mut file| file.write_all(github_summary(linted).as_bytes()));
    Ok(written.map_err(|source| OutputError { path, source })?)
}

fn language(lang: args::Language) -> Language {
    match lang {
        args::Language::Zh => Language::Chinese,
        args::Language::En => Language::English,
    }
}

fn print_ledger(linted: &Linted, lang: args::Language) {
    let ledger = &linted.ledger;
    let skipped: Vec<String> = ledger.skipped.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    let none = |zh: &str, en: &str| if language(lang) == Language::Chinese { zh.to_owned() } else { en.to_owned() };
    let skipped = if skipped.is_empty() { none("无", "none") } else { skipped.join("，") };
    let crate::lint::Ledger {
        files,
        texts,
        judged,
        context,
        findings,
        suppressed,
        baselined,
        unchanged,
        truncated,
        ..
    } = ledger;
    match lang {
        args::Language::Zh => anstream::eprintln!(
            "台账：文件 {files}，文字 {texts} = 话术 {judged} + 客户 {context} + 未检查（{skipped}）；命中 {findings}，已忽略 {suppressed}，基线内 {baselined}，未改动 {unchanged}"
        ),
        args::Language::En => anstream::eprintln!(
            "ledger: {files} file(s), {texts} texts = {judged} replies + {context} customer + not judged ({skipped}); {findings} findings, {suppressed} suppressed, {baselined} in the baseline, {unchanged} on unchanged lines"
        ),
    }
    if *truncated > 0 {
        anstream::eprintln!(
            "{truncated} 条话术命中过多，超出部分未检查 replies with too many hits were not looked at in full"
        );
    }
}
