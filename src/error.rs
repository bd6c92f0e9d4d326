//! What can go wrong, said as `path:line:column: [code] what is wrong: 'the text'; what to do`.

use std::fmt;
use std::path::PathBuf;

use crate::span::{LineIndex, Span};

/// How many code points of a line are shown on either side of a place in it.
const EXCERPT: usize = 40;

/// A place in a file. Line and column are 1-based, the column in code points.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The path as given, `<stdin>` for standard input, `builtin/…` for an embedded file.
    pub path: String,
    /// 1-based line; 0 where the whole file is meant.
    pub line: u64,
    /// 1-based column; 0 where the whole line is meant.
    pub column: u64,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        for number in [self.line, self.column] {
            if number > 0 {
                write!(f, ":{number}")?;
            }
        }
        Ok(())
    }
}

/// One problem in a rule, class, guard or statute file. Its display is one line, with the excerpt on the next two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where it stands.
    pub location: Location,
    /// A stable word for the kind of problem.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do about it; may be empty.
    pub help: String,
    /// The line of the file it stands on, cut around the place when it is long; empty where the whole file is meant.
    pub excerpt: String,
    /// Which code points of the excerpt are meant.
    pub mark: Span,
}

impl Diagnostic {
    /// A problem of a whole file.
    pub fn of_file(path: &str, code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Diagnostic {
        Diagnostic {
            location: Location { path: path.to_owned(), line: 0, column: 0 },
            code,
            message: message.into(),
            help: help.into(),
            excerpt: String::new(),
            mark: 0..0,
        }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: [{}] {}", self.location, self.code, self.message)?;
        if !self.help.is_empty() {
            write!(f, "; {}", self.help)?;
        }
        if !self.excerpt.is_empty() {
            let before: String = self.excerpt.chars().take(self.mark.start).collect();
            let carets = "^".repeat(self.mark.len());
            let indent = " ".repeat(unicode_width::UnicodeWidthStr::width(before.as_str()));
            write!(f, "\n    {}\n    {indent}{carets}", self.excerpt)?;
        }
        Ok(())
    }
}

/// A file that diagnostics point into.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The path that diagnostics print.
    pub path: String,
    /// The whole text.
    pub text: String,
    index: LineIndex,
}

impl SourceFile {
    /// Takes a file's path and text.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> SourceFile {
        let text = text.into();
        SourceFile { path: path.into(), index: LineIndex::new(&text), text }
    }

    /// A problem at byte range `span` of the file.
    pub fn diagnostic(
        &self,
        span: Span,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Diagnostic {
        let (line, column) = self.index.locate(&self.text, span.start);
        let whole = self.index.line(&self.text, line);
        let before = column as usize - 1;
        let width =
            self.text.get(span).map_or(1, |s| s.chars().count()).min(whole.chars().count().saturating_sub(before));
        // Of a long line only the part around the place is shown.
        let cut = before.saturating_sub(EXCERPT);
        let excerpt = whole.chars().skip(cut).take(before - cut + width.min(EXCERPT) + EXCERPT).collect();
        Diagnostic {
            location: Location { path: self.path.clone(), line, column },
            code,
            message: message.into(),
            help: help.into(),
            excerpt,
            mark: before - cut..before - cut + width.clamp(1, EXCERPT),
        }
    }

    /// A TOML error as a diagnostic of this file.
    pub fn toml_error(&self, error: &toml::de::Error) -> Diagnostic {
        let message = error.message().trim().replace('\n', ", ");
        match error.span() {
            Some(span) => self.diagnostic(span, "toml", message, "see docs/rule-language.md for the keys"),
            None => Diagnostic::of_file(&self.path, "toml", message, ""),
        }
    }
}

/// Every problem found in the rule and statute files, so that they can be mended in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError(pub Vec<Diagnostic>);

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for diagnostic in &self.0 {
            writeln!(f, "{diagnostic}")?;
        }
        write!(f, "{} problem(s) in the rule or statute files", self.0.len())
    }
}

impl std::error::Error for LoadError {}

/// Why an export could not be read at all. Single bad rows are not errors: they are counted in the ledger.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The file cannot be opened or read.
    #[error("{path}: [read] {message}; {help}")]
    Unreadable {
        /// The path as given.
        path: String,
        /// What the system says.
        message: String,
        /// What to do.
        help: String,
    },
    /// No column mapping can be found or the one given does not fit the file.
    #[error("{path}:1: [columns] {message}; {help}")]
    Columns {
        /// The path as given.
        path: String,
        /// What does not fit.
        message: String,
        /// What to do.
        help: String,
    },
    /// What does not fit memory cannot be kept elsewhere.
    #[error("{dir}: [temporary] {message}; free space there, name another folder by TMPDIR, or give more --memory", dir = std::env::temp_dir().display())]
    Temporary {
        /// What the system says.
        message: String,
    },
}

/// Why output could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{path}: [write] {source}", path = .path.display())]
pub struct OutputError {
    /// The file that was being written; `<stdout>` for standard output.
    pub path: PathBuf,
    /// What the system says.
    pub source: std::io::Error,
}
