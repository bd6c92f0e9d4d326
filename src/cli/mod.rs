//! The command line: arguments as typed → options as meant → the library → exit code. Only this module prints.

#![allow(clippy::print_stdout, clippy::print_stderr)]

mod args;
mod cite;
mod eval;
mod explain;
mod inspect;
mod lint;
mod output;
mod progress;
mod report;
mod review;
mod rules;
mod sample;
mod scan;
mod statutes;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use crate::checker::Checker;
use crate::config::Config;
use crate::error::LoadError;
use crate::lexicon::Sources;
use args::{Arguments, Command, RuleOptions};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Nothing at or above the threshold.
    Clean,
    /// Findings at or above the threshold.
    Findings,
    /// Work not done in full.
    Incomplete,
}

/// A message for the user that ends the run with exit code 2.
#[derive(Debug)]
struct Failure(String);

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure(error.to_string())
    }
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !crate::input::is_contained() {
            hook(panic);
        }
    }));
    let outcome = match &arguments.command {
        Command::Scan(arguments) => scan::run(arguments),
        Command::Inspect(arguments) => inspect::run(arguments),
        Command::Lint(arguments) => lint::run(arguments),
        Command::Explain(arguments) => explain::run(arguments),
        Command::Completions { shell } => explain::completions(*shell),
        Command::Man => explain::man(),
        Command::Eval(arguments) => eval::run(arguments),
        Command::Rules(arguments) => rules::run(arguments),
        Command::Cite(arguments) => cite::run(arguments),
        Command::Report(arguments) => report::run(arguments),
        Command::Review(arguments) => review::run(arguments),
        Command::Sample(arguments) => sample::run(arguments),
        Command::Verify(arguments) => verify::run(arguments),
        Command::Statutes(arguments) => statutes::run(arguments),
    };
    match outcome {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Ok(Outcome::Incomplete) => ExitCode::from(2),
        Err(Failure(message)) => {
            anstream::eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

/// The rule files that the options name beside the embedded ones.
fn own_sources(options: &RuleOptions, more: &[PathBuf]) -> Result<Sources, Failure> {
    let mut sources = Sources::default();
    for dir in more.iter().chain(&options.lexicons) {
        sources.extend(Sources::of_dir(dir).map_err(LoadError)?);
    }
    Ok(sources)
}

/// The rule files that the options and the settings name.
fn sources(options: &RuleOptions, more: &[PathBuf]) -> Result<Sources, Failure> {
    let mut sources = if options.no_builtin { Sources::default() } else { Sources::builtin() };
    sources.extend(own_sources(options, more)?);
    Ok(sources)
}

/// The settings given, or found above `input`.
fn config(options: &RuleOptions, input: Option<&Path>) -> Result<Config, Failure> {
    Ok(match (&options.config, input) {
        (Some(path), _) => Config::read(path)?,
        (None, Some(input)) => Config::find(input)?,
        (None, None) => Config::default(),
    })
}

/// The rules and statutes that the options name, with the settings given or found above `input`. The rules may come
/// without their examples.
fn checker(options: &RuleOptions, input: Option<&Path>) -> Result<Checker, Failure> {
    checker_with(options, &config(options, input)?)
}

/// Like [`checker`], with settings that were read before.
fn checker_with(options: &RuleOptions, config: &Config) -> Result<Checker, Failure> {
    load(options, config, |more, dirs| Checker::remembered(!options.no_builtin, more, dirs))
}

/// Like [`checker`], compiled anew and with examples: for verbs about the rules themselves.
fn compiled_checker(options: &RuleOptions) -> Result<Checker, Failure> {
    load(options, &config(options, None)?, |more, dirs| {
        let mut sources = if options.no_builtin { Sources::default() } else { Sources::builtin() };
        sources.extend(more);
        Checker::load(&sources, dirs)
    })
}

fn load(
    options: &RuleOptions,
    config: &Config,
    load: impl FnOnce(Sources, &[&Path]) -> Result<Checker, LoadError>,
) -> Result<Checker, Failure> {
    let sources = own_sources(options, &config.lexicons())?;
    let dirs: Vec<&Path> = options.statutes.iter().map(PathBuf::as_path).collect();
    let mut checker = load(sources, &dirs)?;
    config.apply(&mut checker.rules)?;
    if let Some(date) = options.on {
        checker.default_date = date;
    }
    Ok(checker)
}
