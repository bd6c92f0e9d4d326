//! The command line: arguments as typed → options as meant → the library → exit code. Only this module prints.

mod args;
mod cite;
mod eval;
mod progress;
mod rules;
mod scan;
mod statutes;

use std::process::ExitCode;

use clap::Parser;

use crate::checker::Checker;
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
    let outcome = match &arguments.command {
        Command::Scan(arguments) => scan::run(arguments),
        Command::Eval(arguments) => eval::run(arguments),
        Command::Rules(arguments) => rules::run(arguments),
        Command::Cite(arguments) => cite::run(arguments),
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

/// The rules and statutes that the options name.
fn checker(options: &RuleOptions) -> Result<Checker, Failure> {
    let mut sources = if options.no_builtin { Sources::default() } else { Sources::builtin() };
    for dir in &options.lexicons {
        sources.extend(Sources::of_dir(dir).map_err(crate::error::LoadError)?);
    }
    let dirs: Vec<&std::path::Path> = options.statutes.iter().map(std::path::PathBuf::as_path).collect();
    let mut checker = Checker::load(&sources, &dirs)?;
    if let Some(date) = options.on {
        checker.default_date = date;
    }
    Ok(checker)
}
