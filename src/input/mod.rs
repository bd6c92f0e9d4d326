//! Bytes → conversations, with a ledger that says what became of every row.

pub mod columns;
pub mod csv;
pub mod date;
pub mod encoding;
pub mod export;
pub mod jsonl;
pub mod ledger;
pub mod roles;

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

pub use columns::ColumnChoice;
pub use encoding::Encoding;
pub use export::Export;
pub use ledger::{Ledger, Skip};
pub use roles::RoleWords;

use crate::error::InputError;
use crate::model::Channel;

/// The shape of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Delimited text with or without a header.
    Csv,
    /// One conversation a line.
    Jsonl,
}

/// How to read inputs; what is left open is detected.
#[derive(Debug, Clone, Default)]
pub struct InputOptions {
    /// The shape.
    pub format: Option<Format>,
    /// The encoding.
    pub encoding: Option<Encoding>,
    /// The delimiter of delimited text.
    pub delimiter: Option<u8>,
    /// Which column holds what.
    pub columns: ColumnChoice,
    /// What the words in the role column mean.
    pub roles: RoleWords,
    /// The channel of conversations that do not say.
    pub channel: Channel,
    /// The trade of conversations that do not say.
    pub industry: String,
}

/// How many bytes of an input decide its format and encoding.
const SAMPLE: usize = 1 << 18;

/// Reads one input into `export`. `-` is standard input.
///
/// # Errors
/// When the input cannot be opened or its columns cannot be told. Single bad rows are counted in the ledger instead.
pub fn read(
    path: &Path,
    options: &InputOptions,
    export: &mut Export,
    progress: &dyn Fn(u64),
) -> Result<(), InputError> {
    let name = if path == Path::new("-") { "<stdin>".to_owned() } else { path.display().to_string() };
    let unreadable = |error: &io::Error, help: &str| InputError::Unreadable {
        path: name.clone(),
        message: error.to_string(),
        help: help.to_owned(),
    };
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        let help = "check the path";
        if fs::metadata(path).map_err(|error| unreadable(&error, help))?.is_dir() {
            return Err(InputError::Unreadable {
                path: name,
                message: "is a directory".to_owned(),
                help: "name the files in it".to_owned(),
            });
        }
        Box::new(File::open(path).map_err(|error| unreadable(&error, help))?)
    };
    let mut reader = BufReader::with_capacity(SAMPLE, Counted { inner: source, progress });
    let failed = |error: io::Error| unreadable(&error, "the part before was read");
    let sample = peek(&mut reader).map_err(failed)?;
    let encoding = options.encoding.unwrap_or_else(|| Encoding::detect(&sample));
    let sample = encoding.decode_sample(&sample);
    let format = options.format.unwrap_or_else(|| detect_format(path, &sample));
    let mut reader = encoding.reader(reader);
    export.begin_file(&name);
    match format {
        Format::Csv => csv::read(&name, &mut reader, encoding, &sample, options, export),
        Format::Jsonl => jsonl::read(&name, BufReader::new(reader), encoding, options, export),
    }
}

/// The first bytes of `reader`, which stay in it.
fn peek<R: Read>(reader: &mut BufReader<R>) -> io::Result<Vec<u8>> {
    // A pipe may hand over less than the buffer holds; what it hands over first is sample enough.
    Ok(reader.fill_buf()?.to_vec())
}

fn detect_format(path: &Path, sample: &str) -> Format {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("").to_lowercase();
    match extension.as_str() {
        "jsonl" | "ndjson" | "json" => Format::Jsonl,
        "csv" | "tsv" | "txt" => Format::Csv,
        _ if sample.trim_start().starts_with('{') => Format::Jsonl,
        _ => Format::Csv,
    }
}

struct Counted<'p> {
    inner: Box<dyn Read>,
    progress: &'p dyn Fn(u64),
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        (self.progress)(read as u64);
        Ok(read)
    }
}
