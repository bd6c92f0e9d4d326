//! Issues → bytes.

pub mod code_review;
pub mod text;
pub mod xml;

use std::io::{self, Write};

use serde::Serialize;

use crate::lint::issue::{Issue, SCHEMA};
use crate::lint::{Ledger, Linted};
use crate::model::Severity;

/// How many issues there are of each severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// `error`
    pub errors: usize,
    /// `warning`
    pub warnings: usize,
    /// `note`
    pub notes: usize,
}

impl Counts {
    /// Counts what was found.
    pub fn of(linted: &Linted) -> Counts {
        let count = |severity| linted.issues.iter().filter(|issue| issue.severity == severity).count();
        Counts { errors: count(Severity::Error), warnings: count(Severity::Warning), notes: count(Severity::Note) }
    }
}

/// One JSON object: `zhijian.lint/1` with the findings, what could not be read, and the ledger.
///
/// # Errors
/// When the output cannot be written.
pub fn write_json(mut out: impl Write, linted: &Linted) -> io::Result<()> {
    #[derive(Serialize)]
    struct Document<'l> {
        schema: &'static str,
        findings: &'l [Issue],
        problems: &'l [String],
        ledger: &'l Ledger,
    }
    let document =
        Document { schema: SCHEMA, findings: &linted.issues, problems: &linted.problems, ledger: &linted.ledger };
    serde_json::to_writer_pretty(&mut out, &document)?;
    out.write_all(b"\n")?;
    out.flush()
}
