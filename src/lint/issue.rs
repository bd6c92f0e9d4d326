//! The lint record: a finding in a script file, or something wrong with a suppression.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::lint::script::{Place, Script};
use crate::model::Severity;
use crate::report::mask::mask;
use crate::span::{LineIndex, Span};
use crate::statutes::FindingStatute;

/// The schema name of the record.
pub const SCHEMA: &str = "zhijian.lint/1";

/// How many characters of a line are shown on either side of what is meant.
const AROUND: usize = 36;

/// One finding. Field order is the order in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Issue {
    /// The path as given, relative to the working folder where it lies in it, with `/`.
    pub path: String,
    /// Where it stands.
    #[serde(flatten)]
    pub at: Location,
    /// The JSON pointer of the value or the header of the column; empty in text.
    pub field: String,
    /// The rule's id.
    pub rule: String,
    /// The family: one of the nine, `citation` or `suppression`.
    pub family: String,
    /// How grave it is.
    pub severity: Severity,
    /// What is wrong, as it reads; long numbers and mail addresses masked.
    pub matched: String,
    /// The articles at risk on the day, the most direct one first.
    pub statutes: Vec<FindingStatute>,
    /// What is wrong and why, in Chinese.
    pub message: String,
    /// What to write instead.
    pub advice: String,
    /// The same for the same rule and words in the same reply, wherever it stands in whichever file.
    pub fingerprint: String,
    /// What `--fix` would do; `null` where no replacement is safe.
    pub replacement: Option<Replacement>,
    /// The line it stands on.
    #[serde(skip)]
    pub excerpt: Excerpt,
    /// The first and last line of the reply; `None` in a spreadsheet.
    #[serde(skip)]
    pub lines: Option<(u64, u64)>,
}

/// A safe replacement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replacement {
    /// What is replaced.
    #[serde(flatten)]
    pub at: Location,
    /// What takes its place.
    pub text: String,
    /// What is replaced, in bytes of the decoded file.
    #[serde(skip)]
    pub span: Span,
}

/// Where a finding stands: lines and columns in text, a cell in a spreadsheet.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Location {
    /// 1-based line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// 1-based code-point column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
    /// The line on which it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_line: Option<u64>,
    /// The column after its last character.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_column: Option<u64>,
    /// The sheet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The cell, as `B7`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cell: Option<String>,
}

impl Location {
    /// First line, first column, last line, column after the last character; `None` in a spreadsheet.
    pub fn region(&self) -> Option<[u64; 4]> {
        Some([self.line?, self.column?, self.end_line?, self.end_column?])
    }

    /// As `12:5`, or `话术!B7`.
    pub fn short(&self) -> String {
        match (&self.sheet, &self.cell) {
            (Some(sheet), Some(cell)) => format!("{sheet}!{cell}"),
            _ => format!("{}:{}", self.line.unwrap_or(1), self.column.unwrap_or(1)),
        }
    }
}

/// A piece of a line, personal data masked, without control characters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Excerpt {
    /// The text.
    pub text: String,
    /// What is meant in it, in code points.
    pub mark: Span,
}

impl Excerpt {
    /// What stands on the first line of `span`, in bytes of `text`.
    fn new(text: &str, span: &Span) -> Excerpt {
        let start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
        let line = text[start..].split('\n').next().unwrap_or("").trim_end_matches('\r');
        let before = text[start..span.start].chars().count();
        let marked = text[span.start..span.end.min(start + line.len()).max(span.start)].chars().count();
        let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        // A mask leaves every character at its place.
        let (line, mark) = (mask(&line), before..before + marked);
        let cut = mark.start.saturating_sub(AROUND);
        let cut = if cut < 4 { 0 } else { cut };
        let shown = mark.end + AROUND - cut;
        let mut text: String = line.chars().skip(cut).take(shown).collect();
        let more = line.chars().count() > cut + shown;
        let lead = usize::from(cut > 0);
        if cut > 0 {
            text.insert(0, '…');
        }
        if more {
            text.push('…');
        }
        Excerpt { text, mark: mark.start - cut + lead..mark.end - cut + lead }
    }
}

/// Finds lines and columns in one script; lines are counted when first needed.
#[derive(Debug)]
pub struct Locator<'s> {
    script: &'s Script,
    index: Option<LineIndex>,
}

/// A place found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// Lines and columns, or the cell.
    pub at: Location,
    /// What is shown.
    pub excerpt: Excerpt,
    /// The bytes of the source.
    pub source: Option<Span>,
    /// The lines of the whole reply.
    pub lines: Option<(u64, u64)>,
}

impl<'s> Locator<'s> {
    /// For the places in `script`.
    pub fn new(script: &'s Script) -> Locator<'s> {
        Locator { script, index: None }
    }

    /// Where `span`, in bytes of `text`, stands; `text` is what stands at `place`.
    pub fn locate(&mut self, place: &Place, text: &str, span: &Span) -> Located {
        match place {
            Place::Cell { sheet, cell } => Located {
                at: Location { sheet: Some(sheet.clone()), cell: Some(cell.clone()), ..Location::default() },
                excerpt: Excerpt::new(text, span),
                source: None,
                lines: None,
            },
            Place::Source { whole, alignment } => {
                let source = &self.script.source.text;
                let index = self.index.get_or_insert_with(|| LineIndex::new(source));
                let span = alignment.source(span);
                let ((line, column), (end_line, end_column)) =
                    (index.locate(source, span.start), index.locate(source, span.end));
                let lines = (index.locate(source, whole.start).0, index.locate(source, whole.end).0);
                Located {
                    at: Location {
                        line: Some(line),
                        column: Some(column),
                        end_line: Some(end_line),
                        end_column: Some(end_column),
                        ..Location::default()
                    },
                    excerpt: Excerpt::new(source, &span),
                    source: Some(span),
                    lines: Some(lines),
                }
            }
        }
    }
}

/// 32 hexadecimal digits that stand for `parts`, the same on every machine and in every version.
///
/// ```
/// use zhijian::lint::issue::fingerprint;
/// assert_eq!(fingerprint(&["a", "bc"]), fingerprint(&["a", "bc"]));
/// assert_ne!(fingerprint(&["a", "bc"]), fingerprint(&["ab", "c"]));
/// ```
pub fn fingerprint(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
