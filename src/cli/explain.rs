//! `zhijian explain`, `zhijian completions`, `zhijian man`

use std::io;

use clap::CommandFactory;

use crate::cli::args::{Arguments, ExplainArguments};
use crate::cli::{Failure, Outcome};

pub fn run(_arguments: &ExplainArguments) -> Result<Outcome, Failure> {
    Ok(Outcome::Clean)
}

/// Prints the completion script of `shell`.
pub fn completions(shell: clap_complete::Shell) -> Result<Outcome, Failure> {
    clap_complete::generate(shell, &mut Arguments::command(), "zhijian", &mut io::stdout());
    Ok(Outcome::Clean)
}

/// Prints the man page.
pub fn man() -> Result<Outcome, Failure> {
    clap_mangen::Man::new(Arguments::command()).render(&mut io::stdout())?;
    Ok(Outcome::Clean)
}
