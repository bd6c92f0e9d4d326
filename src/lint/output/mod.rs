//! Issues → bytes.

pub mod text;

use crate::lint::Linted;
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
