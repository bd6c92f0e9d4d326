//! `zhijian cite`

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};

use rayon::prelude::*;

use crate::citation::evaluation::{LabelledText, evaluate};
use crate::citation::{CitationIndex, document};
use crate::cli::args::{CiteArguments, CiteFormat};
use crate::cli::{Failure, Outcome};
use crate::error::OutputError;
use crate::model::Severity;
use crate::report::citations::{LocatedCitation, write_csv, write_jsonl, write_sarif, write_text};
use crate::statutes::StatuteBase;

pub fn run(arguments: &CiteArguments) -> Result<Outcome, Failure> {
    let dirs: Vec<&std::path::Path> = arguments.statutes.iter().map(std::path::PathBuf::as_path).collect();
    let base = StatuteBase::load(&dirs)?;
    let today = jiff::ZonedDateTime::now().date();
    if arguments.eval {
        return eval(&base, arguments);
    }
    let index = CitationIndex::new(&base);
    let (mut findings, mut incomplete) = (Vec::new(), false);
    for path in &arguments.inputs {
        let document = match document::read(path) {
            Ok(document) => document,
            Err(error) => {
                anstream::eprintln!("{error}");
                incomplete = true;
                continue;
            }
        };
        for problem in &document.problems {
            anstream::eprintln!("{problem}");
            incomplete = true;
        }
        let audited: Vec<Vec<LocatedCitation>> = document
            .passages
            .par_iter()
            .map(|passage| {
                let date = arguments.on.or(passage.date).unwrap_or(today);
                let found = index.audit(&base, &passage.text, date).into_iter();
                let located = found.map(|mut finding| {
                    finding.line += passage.line - 1;
                    LocatedCitation { path: document.path.clone(), field: passage.field.clone(), finding }
                });
                located.collect()
            })
            .collect();
        findings.extend(audited.into_iter().flatten());
    }
    write(arguments, &findings)?;
    if incomplete {
        return Ok(Outcome::Incomplete);
    }
    let threshold = arguments.fail_on.unwrap_or(Severity::Warning);
    let reached = findings.iter().any(|located| located.finding.severity.is_some_and(|severity| severity >= threshold));
    Ok(if reached { Outcome::Findings } else { Outcome::Clean })
}

fn write(arguments: &CiteArguments, findings: &[LocatedCitation]) -> Result<(), Failure> {
    let terminal = arguments.output.is_none() && io::stdout().is_terminal();
    let default = if terminal { CiteFormat::Text } else { CiteFormat::Jsonl };
    let path = arguments.output.clone().unwrap_or_else(|| "<stdout>".into());
    let failed = |source| OutputError { path: path.clone(), source };
    let out: Box<dyn Write> = match &arguments.output {
        Some(path) => Box::new(BufWriter::new(File::create(path).map_err(failed)?)),
        None => Box::new(BufWriter::new(io::stdout())),
    };
    let written = match arguments.format.unwrap_or(default) {
        CiteFormat::Text if terminal => write_text(anstream::AutoStream::auto(io::stdout()), findings, arguments.all),
        CiteFormat::Text => write_text(anstream::StripStream::new(out), findings, arguments.all),
        CiteFormat::Jsonl => write_jsonl(out, findings),
        CiteFormat::Csv => write_csv(out, findings),
        CiteFormat::Sarif => write_sarif(out, findings),
    };
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written.map_err(failed)?),
    }
}

/// Precision and recall on a labelled corpus, for each of its parts.
fn eval(base: &StatuteBase, arguments: &CiteArguments) -> Result<Outcome, Failure> {
    let mut texts: Vec<LabelledText> = Vec::new();
    for path in &arguments.inputs {
        let text =
            std::fs::read_to_string(path).map_err(|error| Failure(format!("{}: [read] {error}", path.display())))?;
        for (line, row) in (1..).zip(text.lines()).filter(|(_, row)| !row.trim().is_empty()) {
            let parsed = serde_json::from_str(row);
            texts.push(parsed.map_err(|error| Failure(format!("{}:{line}: [gold] {error}", path.display())))?);
        }
    }
    let date = arguments.on.unwrap_or_else(|| jiff::ZonedDateTime::now().date());
    let mut splits: Vec<String> = texts.iter().map(|text| text.split.clone()).collect();
    splits.dedup();
    for split in splits {
        let part: Vec<LabelledText> = texts.iter().filter(|text| text.split == split).cloned().collect();
        let evaluation = evaluate(base, &part, date);
        anstream::print!("[{split}] {evaluation}");
        for mistake in &evaluation.mistakes {
            anstream::println!("  {mistake}");
        }
    }
    Ok(Outcome::Clean)
}
