//! `zhijian review`

use std::io::Write;
use std::path::PathBuf;

use crate::cli::args::{ReviewArguments, ReviewCommand};
use crate::cli::report::Transcripts;
use crate::cli::{Failure, Outcome, output, scan};
use crate::report::Privacy;
use crate::report::table::write_csv;
use crate::review::{Reviews, gold};

pub fn run(arguments: &ReviewArguments) -> Result<Outcome, Failure> {
    let ReviewCommand::Import { files, suppressions, gold: corpus, transcripts, unmask, reading } = &arguments.command;
    let mut reviews = Reviews::default();
    for file in files {
        reviews.read(file)?;
    }
    for problem in &reviews.problems {
        anstream::eprintln!("{problem}");
    }
    anstream::print!("{reviews}");
    if let Some(path) = suppressions {
        output::write(path, |out| write_csv(out, reviews.suppressions()))?;
    }
    let mut incomplete = !reviews.problems.is_empty();
    if let Some(path) = corpus {
        let options = scan::input_options(reading)?;
        incomplete |= write_gold(&reviews, path, transcripts, &options, *unmask)?;
    }
    Ok(if incomplete { Outcome::Incomplete } else { Outcome::Clean })
}

/// Writes the corpus; tells whether a conversation is missing from it.
fn write_gold(
    reviews: &Reviews,
    path: &std::path::Path,
    transcripts: &[PathBuf],
    options: &crate::input::InputOptions,
    unmask: bool,
) -> Result<bool, Failure> {
    let privacy = Privacy::new(unmask, None).expect("without a key nothing can be wrong with it");
    let mut labels = gold::labels(reviews);
    let named = labels.keys().map(|(path, _)| path.clone()).collect();
    let mut transcripts = Transcripts::open(transcripts, named, options)?;
    let mut lines = Vec::new();
    transcripts.each(&mut |conversation, path| {
        if let Some(labels) = labels.remove(&(path.to_owned(), conversation.id.to_owned())) {
            lines.push(gold::record(conversation, &labels, &privacy).to_string());
        }
        Ok(())
    })?;
    output::write(path, |out| lines.iter().try_for_each(|line| writeln!(out, "{line}")))?;
    anstream::println!("标注语料\t{} 个会话", lines.len());
    for (path, id) in labels.keys() {
        anstream::eprintln!("{path}: [gold] 找不到会话 '{id}'；用 --transcripts 指定会话文件");
    }
    Ok(transcripts.incomplete || !labels.is_empty())
}
