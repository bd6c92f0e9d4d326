//! `zhijian explain`, `zhijian completions`, `zhijian man`

use std::fs;
use std::io;

use clap::CommandFactory;

use crate::cli::args::{Arguments, ExplainArguments};
use crate::cli::{Failure, Outcome, compiled_checker};
use crate::error::OutputError;
use crate::lint::page::{documents, heading, page};

pub fn run(arguments: &ExplainArguments) -> Result<Outcome, Failure> {
    let checker = compiled_checker(&arguments.rules)?;
    if let Some(dir) = &arguments.write {
        let failed = |path: &std::path::Path, source| OutputError { path: path.to_owned(), source };
        fs::create_dir_all(dir).map_err(|source| failed(dir, source))?;
        for (name, text) in documents(&checker) {
            let path = dir.join(name);
            fs::write(&path, text).map_err(|source| failed(&path, source))?;
        }
    }
    if let Some(id) = &arguments.rule {
        let Some(page) = page(&checker, id) else {
            return Err(Failure(format!("没有规则 '{id}'；用 `zhijian rules list` 查看全部规则")));
        };
        anstream::print!("# {}\n\n{}", heading(&page), page.body);
    }
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
