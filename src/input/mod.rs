//! Bytes → conversations, with a ledger that says what became of every row.
//!
//! [`read`] opens an input whatever it is packed in, tells what shape each file in it has, and hands its rows to an
//! [`Export`]; [`Export::into_batches`] gives them back as whole conversations.

mod chat;
#[cfg(feature = "parquet")]
mod columnar;
pub mod columns;
mod contain;
mod container;
mod csv;
pub mod date;
pub mod encoding;
pub mod export;
pub mod inspect;
mod json;
pub mod kinds;
pub mod ledger;
mod ods;
mod paths;
pub mod roles;
mod rows;
pub mod seen;
mod shapes;
mod sheet;
mod spill;
mod strings;
mod subtitle;
mod xls;
mod xml;

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

pub use columns::ColumnChoice;
pub use contain::is_contained;
pub use encoding::Encoding;
pub use export::{Batches, Export, LONGEST_TEXT};
pub use kinds::Kind;
pub use ledger::{Flaw, Ledger, Skip};
pub use paths::expand;
pub use roles::RoleWords;

use crate::error::InputError;
use crate::input::columns::Columns;
use crate::input::container::Content;
use crate::model::Channel;

/// The shape of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Delimited text with or without a header.
    Csv,
    /// JSON documents or JSON Lines of any shape that `shapes` knows.
    Json,
    /// A chat as plain text.
    Chat,
    /// SubRip or WebVTT.
    Subtitle,
    /// An XML answer of a message service.
    Xml,
    /// XLSX, XLSB, XLS or ODS.
    Workbook,
    /// Parquet.
    Parquet,
}

impl Format {
    /// The word that `--input-format` takes.
    pub fn name(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Json => "json",
            Format::Chat => "text",
            Format::Subtitle => "subtitle",
            Format::Xml => "xml",
            Format::Workbook => "workbook",
            Format::Parquet => "parquet",
        }
    }
}

/// How to read inputs; what is left open is detected.
#[derive(Debug, Clone, Default)]
pub struct InputOptions {
    /// The shape of text; workbooks and Parquet are always known by their first bytes.
    pub format: Option<Format>,
    /// The encoding.
    pub encoding: Option<Encoding>,
    /// The delimiter of delimited text.
    pub delimiter: Option<u8>,
    /// Which column holds what.
    pub columns: ColumnChoice,
    /// The sheet of a workbook to read; all where left out.
    pub sheet: Option<String>,
    /// What the words in the role column mean, and which names are agents.
    pub roles: RoleWords,
    /// The channel of conversations that do not say.
    pub channel: Channel,
    /// The trade of conversations that do not say.
    pub industry: String,
}

/// How many bytes of an input decide its format and encoding.
pub(crate) const SAMPLE: usize = 1 << 18;

/// A file in an input.
pub struct Source<'a> {
    /// The path as given, with the path inside an archive behind it.
    pub name: &'a str,
    /// The encoding of its text.
    pub encoding: Encoding,
    /// Its first bytes as text; empty for workbooks and Parquet.
    pub sample: Cow<'a, str>,
}

impl Source<'_> {
    /// The name of the file without folder and extensions: the id of a conversation that fills a file and has no other.
    pub fn stem(&self) -> &str {
        let file = self.name.rsplit(['/', '\\']).next().unwrap_or(self.name);
        let stem = file.split('.').find(|part| !part.is_empty()).unwrap_or(file);
        stem.strip_suffix("_chat").filter(|stem| !stem.is_empty()).unwrap_or(stem)
    }

    fn columns(&self, (message, help): (String, String)) -> InputError {
        InputError::Columns { path: self.name.to_owned(), message, help }
    }

    fn unreadable(&self, message: &str, help: &str) -> InputError {
        unreadable(self.name, message, help)
    }

    /// The input breaks off at `line`.
    fn broken(&self, error: &io::Error, line: u64, export: &mut Export) -> InputError {
        export.flaw(Flaw::BrokenOff, line, "");
        unreadable(&format!("{}:{line}", self.name), &error.to_string(), "the part before was read")
    }

    /// Says what was guessed about the columns.
    fn notices(&self, columns: &Columns, export: &mut Export) {
        let name = self.name;
        if columns.guessed {
            export
                .ledger
                .notices
                .push(format!("{name}: no header; columns told by their content: --columns {columns}"));
        }
        if columns.role.is_none() {
            let text = columns.text + 1;
            export.ledger.notices.push(format!("{name}: column {text} holds whole conversations"));
        }
        if columns.conversation.is_none() {
            let by =
                if columns.customer.is_some() { "the customer tells them apart" } else { "the file is taken as one" };
            export.ledger.notices.push(format!("{name}: no column of conversation ids; {by}"));
        }
    }
}

fn unreadable(name: &str, message: &str, help: &str) -> InputError {
    InputError::Unreadable { path: name.to_owned(), message: message.to_owned(), help: help.to_owned() }
}

/// Reads one input into `export`: a file, or `-` for standard input. Archives may hold several files.
///
/// # Errors
/// When the input cannot be opened, its columns cannot be told, or it breaks off; what could be read before is in `export`.
/// Single bad rows are counted in the ledger instead.
pub fn read(
    path: &Path,
    options: &InputOptions,
    export: &mut Export,
    progress: &dyn Fn(u64),
) -> Result<(), InputError> {
    open(path, options, export, progress, &mut read_file)
}

/// Reads an input that is in memory; `name` is what it would be called on disk.
///
/// # Errors
/// As [`read`].
pub fn read_bytes(name: &str, bytes: &[u8], options: &InputOptions, export: &mut Export) -> Result<(), InputError> {
    container::open(name, None, Box::new(bytes), 0, options, export, &mut read_file)
}

/// Opens an input and hands the files in it to `take`.
fn open(
    path: &Path,
    options: &InputOptions,
    export: &mut Export,
    progress: &dyn Fn(u64),
    take: &mut container::Take<'_>,
) -> Result<(), InputError> {
    if path == Path::new("-") {
        let stdin = Box::new(Counted { inner: io::stdin().lock(), progress });
        return container::open("<stdin>", None, stdin, 0, options, export, take);
    }
    let name = path.display().to_string();
    let failed = |error: io::Error| unreadable(&name, &error.to_string(), "check the path");
    if fs::metadata(path).map_err(failed)?.is_dir() {
        return Err(unreadable(&name, "is a directory", "name the files in it"));
    }
    let file = Box::new(Counted { inner: File::open(path).map_err(failed)?, progress });
    container::open(&name, Some(path), file, 0, options, export, take)
}

/// Reads one file that is not packed.
fn read_file(name: &str, content: Content<'_>, options: &InputOptions, export: &mut Export) -> Result<(), InputError> {
    export.begin_file(name);
    let binary = Source { name, encoding: Encoding::Utf8, sample: Cow::Borrowed("") };
    let (sample, whole) = match content {
        Content::Workbook(file) => return sheet::read(&binary, file, options, export),
        #[cfg(feature = "parquet")]
        Content::Parquet(file) => return columnar::read(&binary, file, options, export),
        #[cfg(not(feature = "parquet"))]
        Content::Parquet(_) => {
            return Err(
                binary.unreadable("this program was built without Parquet", "build it with the feature parquet")
            );
        }
        Content::Text((sample, whole)) => (sample, whole),
    };
    let encoding = options.encoding.unwrap_or_else(|| Encoding::detect(&sample));
    let source = Source { name, encoding, sample: Cow::Owned(encoding.decode_sample(&sample)) };
    drop(sample);
    let format = options.format.unwrap_or_else(|| detect_format(name, &source.sample, options));
    let mut reader = encoding.reader(whole);
    match format {
        Format::Csv => csv::read(&source, &mut reader, options, export),
        Format::Json => json::read(&source, BufReader::with_capacity(1 << 16, reader), options, export),
        Format::Chat => chat::read(&source, BufReader::with_capacity(1 << 16, reader), options, export),
        Format::Subtitle => subtitle::read(&source, BufReader::new(reader), options, export),
        Format::Xml => xml::read(&source, &mut reader, options, export),
        Format::Workbook | Format::Parquet => {
            Err(source.unreadable(&format!("this is no {}", format.name()), "leave --input-format out"))
        }
    }
}

/// Tells the shape of text by how it begins, and by its name where that leaves doubt.
fn detect_format(name: &str, sample: &str, options: &InputOptions) -> Format {
    let start = sample.trim_start();
    let mut lines = start.lines().map(str::trim);
    let (first, second) = (lines.next().unwrap_or(""), lines.next().unwrap_or(""));
    let cue = |line: &str| line.split_once("-->").is_some_and(|(start, _)| subtitle::is_offset(start.trim()));
    if start.starts_with("WEBVTT") || cue(first) || (cue(second) && first.bytes().all(|byte| byte.is_ascii_digit())) {
        return Format::Subtitle;
    }
    let inside = start.get(1..).unwrap_or("").trim_start();
    if start.starts_with('{') || (start.starts_with('[') && inside.starts_with(['{', '[', ']'])) {
        return Format::Json;
    }
    if start.starts_with("<?xml") || (start.starts_with('<') && inside.starts_with(|c: char| c.is_ascii_alphabetic())) {
        return Format::Xml;
    }
    let packed = [".gz", ".zst"].iter().find_map(|suffix| name.strip_suffix(suffix));
    match packed.unwrap_or(name).rsplit('.').next().unwrap_or("").to_lowercase().as_str() {
        "csv" | "tsv" => Format::Csv,
        "json" | "jsonl" | "ndjson" => Format::Json,
        "srt" | "vtt" => Format::Subtitle,
        _ if csv::Dialect::detect(sample, options).is_ok() => Format::Csv,
        _ if chat::Style::detect(sample, &options.roles).is_some() => Format::Chat,
        _ => Format::Csv,
    }
}

/// The text of a row; of one in the other common encoding too, which is noted as a flaw. `None` when it is no text.
fn decode_row<'b>(bytes: &'b [u8], encoding: Encoding, line: u64, export: &mut Export) -> Option<Cow<'b, str>> {
    encoding.decode(bytes).or_else(|| {
        let text = encoding.decode_other(bytes)?;
        export.flaw(Flaw::OtherEncoding, line, "");
        Some(text)
    })
}

/// Reads a line with its newline, at most `longest` bytes of it; `false` when it was longer. Nothing at the end.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>, longest: usize) -> io::Result<bool> {
    let mut whole = true;
    loop {
        let chunk = match reader.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let (used, ended) = match memchr::memchr(b'\n', chunk) {
            Some(at) => (at + 1, true),
            None => (chunk.len(), chunk.is_empty()),
        };
        let room = longest.saturating_sub(line.len());
        whole &= used <= room;
        line.extend_from_slice(&chunk[..used.min(room)]);
        reader.consume(used);
        if ended {
            return Ok(whole);
        }
    }
}

struct Counted<'p, R> {
    inner: R,
    progress: &'p dyn Fn(u64),
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        (self.progress)(read as u64);
        Ok(read)
    }
}
