//! Files that cite law → passages of text: plain text, Markdown, CSV, JSON Lines and Word documents.

use std::fs;
use std::io::{self, Cursor, Read};
use std::path::Path;

use jiff::civil::Date;
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::error::InputError;
use crate::input::Encoding;
use crate::input::date::parse_date;

/// The largest Word document, unpacked, in bytes: a small archive can unpack to any size.
const LARGEST_DOCUMENT: u64 = 256 << 20;

/// A piece of a file that is audited as one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// The text.
    pub text: String,
    /// The 1-based line of the file on which it starts; in a Word document the paragraph.
    pub line: u64,
    /// The CSV column, or the path of the JSON value as `turns[2].text`; empty for a whole file.
    pub field: String,
    /// The day that the record gives, as `date` in JSON Lines or at the head of a Markdown file.
    pub date: Option<Date>,
}

/// A file as read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    /// The path as given; `<stdin>` for standard input.
    pub path: String,
    /// The passages in order.
    pub passages: Vec<Passage>,
    /// What could not be read, one line each; the rest was read.
    pub problems: Vec<String>,
}

/// Reads the file at `path`, `-` for standard input. The form follows from the extension; text where it has no other.
///
/// # Errors
/// When the file cannot be read at all.
pub fn read(path: &Path) -> Result<Document, InputError> {
    let stdin = path == Path::new("-");
    let name = if stdin { "<stdin>".to_owned() } else { path.display().to_string() };
    let unreadable =
        |message: String, help: &str| InputError::Unreadable { path: name.clone(), message, help: help.to_owned() };
    let mut bytes = Vec::new();
    if stdin {
        io::stdin().lock().read_to_end(&mut bytes).map_err(|error| unreadable(error.to_string(), "check the input"))?;
    } else {
        bytes = fs::read(path).map_err(|error| unreadable(error.to_string(), "check the path"))?;
    }
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("").to_lowercase();
    let mut document = Document { path: name.clone(), ..Document::default() };
    if extension == "docx" || bytes.starts_with(b"PK\x03\x04") {
        let text = word(&bytes).map_err(|message| unreadable(message, "save it as .docx or as text"))?;
        document.passages.push(Passage { text, line: 1, field: String::new(), date: None });
        return Ok(document);
    }
    let (text, spoilt) = decode(&bytes);
    if let Some(line) = spoilt {
        document.problems.push(format!("{name}:{line}: [encoding] bytes that are no text; save the file as UTF-8"));
    }
    match extension.as_str() {
        "jsonl" | "ndjson" => json_lines(&text, &mut document),
        "csv" => csv_cells(&text, b',', &mut document),
        "tsv" => csv_cells(&text, b'\t', &mut document),
        _ => {
            let date = front_matter_date(&text);
            document.passages.push(Passage { text, line: 1, field: String::new(), date });
        }
    }
    Ok(document)
}

/// The text of `bytes` in whichever encoding they are, without byte order mark, and the 1-based line of the first bytes that
/// are no text.
pub fn decode(bytes: &[u8]) -> (String, Option<usize>) {
    let encoding = Encoding::detect(&bytes[..bytes.len().min(1 << 16)]);
    let plain = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match encoding {
        Encoding::Utf8 => String::from_utf8_lossy(plain).into_owned(),
        _ => encoding.decode_sample(plain),
    };
    let spoilt = text.find('\u{fffd}').map(|at| text[..at].matches('\n').count() + 1);
    (text, spoilt)
}

/// `date: 2025-06-09` between the `---` lines at the head of a Markdown file.
fn front_matter_date(text: &str) -> Option<Date> {
    let head = text.strip_prefix("---\n").or_else(|| text.strip_prefix("---\r\n"))?;
    let end = head.find("\n---")?;
    let value = head[..end].lines().find_map(|line| line.strip_prefix("date:"))?;
    parse_date(value.trim().trim_matches(['"', '\'']))
}

fn json_lines(text: &str, document: &mut Document) {
    for (line, row) in (1u64..).zip(text.lines()).filter(|(_, row)| !row.trim().is_empty()) {
        match serde_json::from_str::<serde_json::Value>(row) {
            Ok(value) => {
                let date = ["date", "on", "time"].iter().find_map(|key| parse_date(value.get(key)?.as_str()?));
                json_strings(&value, "", line, date, &mut document.passages);
            }
            Err(error) => {
                let (path, column) = (&document.path, error.column());
                document.problems.push(format!("{path}:{line}:{column}: [json] {error}; the line was skipped"));
            }
        }
    }
}

fn json_strings(value: &serde_json::Value, path: &str, line: u64, date: Option<Date>, passages: &mut Vec<Passage>) {
    match value {
        serde_json::Value::String(text) => {
            passages.push(Passage { text: text.clone(), line, field: path.to_owned(), date });
        }
        serde_json::Value::Array(values) => {
            for (at, value) in values.iter().enumerate() {
                json_strings(value, &format!("{path}[{at}]"), line, date, passages);
            }
        }
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                json_strings(value, &path, line, date, passages);
            }
        }
        _ => {}
    }
}

fn csv_cells(text: &str, delimiter: u8, document: &mut Document) {
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).has_headers(false).from_reader(text.as_bytes());
    let mut header: Option<csv::StringRecord> = None;
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                document.problems.push(format!("{}: [csv] {error}; the row was skipped", document.path));
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        let names = header.get_or_insert_with(|| record.clone());
        for (at, cell) in record.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
            let field = names.get(at).map_or_else(|| (at + 1).to_string(), str::to_owned);
            document.passages.push(Passage { text: cell.to_owned(), line, field, date: None });
        }
    }
}

/// The paragraphs of a Word document, one a line.
fn word(bytes: &[u8]) -> Result<String, String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let part = archive.by_name("word/document.xml").map_err(|_| "no Word document in it".to_owned())?;
    let mut xml = String::new();
    part.take(LARGEST_DOCUMENT).read_to_string(&mut xml).map_err(|error| error.to_string())?;
    let mut reader = Reader::from_str(&xml);
    let (mut text, mut in_text) = (String::new(), false);
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(tag) if tag.name().as_ref() == "w:t" => in_text = true,
            Event::End(tag) if tag.name().as_ref() == "w:t" => in_text = false,
            Event::End(tag) if tag.name().as_ref() == "w:p" => text.push('\n'),
            Event::Empty(tag) if matches!(tag.name().as_ref(), "w:tab" | "w:br" | "w:cr") => text.push(' '),
            Event::Text(piece) if in_text => text.push_str(&piece.xml_content(quick_xml::XmlVersion::Implicit1_0)),
            Event::GeneralRef(reference) if in_text => {
                let character = reference.resolve_char_ref().map_err(|error| error.to_string())?;
                let named = match &*reference.xml_content(quick_xml::XmlVersion::Implicit1_0) {
                    "lt" => Some('<'),
                    "gt" => Some('>'),
                    "amp" => Some('&'),
                    "quot" => Some('"'),
                    "apos" => Some('\''),
                    _ => None,
                };
                text.extend(character.or(named));
            }
            Event::Eof => return Ok(text),
            _ => {}
        }
    }
}
