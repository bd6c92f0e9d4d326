//! CSV and TSV: any delimiter, with or without header, decoded field by field.

use std::borrow::Cow;
use std::cell::Cell;
use std::io::{self, Read};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::error::InputError;
use crate::input::columns::{self, Columns};
use crate::input::encoding::Encoding;
use crate::input::export::Export;
use crate::input::ledger::{Flaw, Skip};
use crate::input::rows::{Cells, LONGEST_CELL, Rows};
use crate::input::{InputOptions, Source};

/// How many rows decide the columns.
pub(super) const ROWS_SEEN: usize = 200;
/// Bytes read at once.
const CHUNK: usize = 1 << 18;

/// How delimited text is written, and what it holds.
#[derive(Debug, Clone, Copy)]
pub struct Dialect {
    /// The delimiter.
    pub delimiter: u8,
    /// Whether cells may be quoted.
    pub quoting: bool,
    /// The columns.
    pub columns: Columns,
}

impl Dialect {
    /// Tells delimiter, quoting and columns from the first bytes of a file.
    ///
    /// # Errors
    /// What is missing, and what to do.
    pub fn detect(sample: &str, options: &InputOptions) -> Result<Dialect, (String, String)> {
        let (delimiter, quoting) = form(sample, options);
        let rows = first_rows(sample, options);
        let columns = columns::choose(&options.columns, &rows, &options.roles)?;
        Ok(Dialect { delimiter, quoting, columns })
    }
}

/// Delimiter and quoting.
fn form(sample: &str, options: &InputOptions) -> (u8, bool) {
    let delimiter = options.delimiter.unwrap_or_else(|| detect_delimiter(sample));
    // Tabbed exports hold bare quotation marks; only a file that quotes whole cells is read with quoting.
    (delimiter, delimiter != b'\t' || sample.starts_with('"') || sample.contains("\t\""))
}

/// The first rows of a file.
pub(super) fn first_rows(sample: &str, options: &InputOptions) -> Vec<Vec<String>> {
    let (delimiter, quoting) = form(sample, options);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .quoting(quoting)
        .flexible(true)
        .has_headers(false)
        .from_reader(sample.as_bytes());
    let records = reader.records().take(ROWS_SEEN).map_while(Result::ok);
    let mut rows: Vec<Vec<String>> = records.map(|record| record.iter().map(str::to_owned).collect()).collect();
    // The sample may end inside a row.
    if rows.len() > 1 && rows.len() < ROWS_SEEN && !sample.ends_with('\n') {
        rows.pop();
    }
    rows
}

/// Reads all rows of `reader`.
///
/// # Errors
/// When the columns cannot be told or the input breaks off.
pub fn read(
    source: &Source<'_>,
    reader: &mut dyn Read,
    options: &InputOptions,
    export: &mut Export,
) -> Result<(), InputError> {
    if source.sample.trim().is_empty() {
        return Ok(());
    }
    let dialect = Dialect::detect(&source.sample, options).map_err(|error| source.columns(error))?;
    let columns = dialect.columns;
    source.notices(&columns, export);
    if columns.header {
        flag_doubled(&first_rows(&source.sample, options)[0], &columns, export);
    }
    let mut table = Table::new(reader, dialect);
    let mut options = options.clone();
    options.delimiter = Some(dialect.delimiter);
    let mut rows = Rows::new(columns, source.stem(), &options);
    let mut first = columns.header;
    loop {
        match table.next() {
            Ok(Next::Row { line, flawed }) if !std::mem::take(&mut first) => {
                if flawed {
                    export.flaw(Flaw::UnclosedQuote, line, "");
                }
                let fields = Fields::new(&table.fields, &table.ends[..table.count], source.encoding);
                rows.push(&fields, line, export);
                if fields.other.get() {
                    export.flaw(Flaw::OtherEncoding, line, "");
                }
            }
            Ok(Next::Row { .. }) => {}
            Ok(Next::TooLong { line }) => export.skip(Skip::TooLong, line, ""),
            Ok(Next::End) => return Ok(()),
            Err(error) => return Err(source.broken(&error, table.core.line(), export)),
        }
    }
}

pub(super) fn flag_doubled(header: &[String], columns: &Columns, export: &mut Export) {
    for (_, column) in columns.named() {
        let name = header.get(column - 1).map(|cell| cell.trim()).unwrap_or_default();
        if !name.is_empty() && header.iter().filter(|cell| cell.trim() == name).count() > 1 {
            export.flaw(Flaw::DoubledHeader, 1, name);
        }
    }
}

enum Next {
    /// The fields of a row stand in the table; `flawed` when a quote was not closed.
    Row {
        line: u64,
        flawed: bool,
    },
    TooLong {
        line: u64,
    },
    End,
}

/// Rows of delimited text. Unlike `csv::Reader` it bounds the length of a row, and goes back to the line where a quote was
/// opened that is not closed.
struct Table<R> {
    reader: R,
    dialect: Dialect,
    core: Reader,
    buffer: Vec<u8>,
    /// What is still to be read of the buffer.
    start: usize,
    end: usize,
    ended: bool,
    fields: Vec<u8>,
    ends: Vec<usize>,
    count: usize,
}

impl<R: Read> Table<R> {
    fn new(reader: R, dialect: Dialect) -> Table<R> {
        let core = ReaderBuilder::new().delimiter(dialect.delimiter).quoting(dialect.quoting).build();
        Table {
            reader,
            dialect,
            core,
            buffer: vec![0; CHUNK],
            start: 0,
            end: 0,
            ended: false,
            fields: vec![0; 4096],
            ends: vec![0; 64],
            count: 0,
        }
    }

    /// Reads more, keeping what stands from `self.start` on.
    fn fill(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        loop {
            match self.reader.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.ended = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            return Ok(());
        }
    }

    fn next(&mut self) -> io::Result<Next> {
        let line = self.core.line();
        let (mut at, mut outputs, mut ends) = (self.start, 0, 0);
        loop {
            if at == self.end && !self.ended {
                // Empty input would mean the end.
                let before = at - self.start;
                self.fill()?;
                at = self.start + before;
                continue;
            }
            let input = &self.buffer[at..self.end];
            let finishing = input.is_empty() && self.ended;
            let (result, read, written, ended) =
                self.core.read_record(input, &mut self.fields[outputs..], &mut self.ends[ends..]);
            at += read;
            outputs += written;
            ends += ended;
            match result {
                ReadRecordResult::InputEmpty if finishing => unreachable!("empty input ends the record"),
                // A row longer than that has a quote that is never closed, or is no row of a chat.
                ReadRecordResult::InputEmpty => {
                    if at - self.start > LONGEST_CELL {
                        return self.reread(line);
                    }
                }
                ReadRecordResult::OutputFull => self.fields.resize(self.fields.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => {
                    self.count = ends;
                    let several = self.core.line() - line > 1;
                    let cut = finishing && self.dialect.quoting && self.odd_quotes(at);
                    let torn = several && ends != self.dialect.columns.width && self.whole_line();
                    if cut || torn {
                        return self.reread(line);
                    }
                    self.start = at;
                    return Ok(Next::Row { line, flawed: false });
                }
                ReadRecordResult::End => return Ok(Next::End),
            }
        }
    }

    fn odd_quotes(&self, end: usize) -> bool {
        memchr::memchr_iter(b'"', &self.buffer[self.start..end]).count() % 2 == 1
    }

    /// The first line of what is still to be read, blank lines before it left out: its range, and the newlines before it.
    fn line(&self) -> (std::ops::Range<usize>, u64, bool) {
        let rest = &self.buffer[self.start..self.end];
        let blank = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let newlines = memchr::memchr_iter(b'\n', &rest[..blank]).count() as u64;
        let start = self.start + blank;
        match memchr::memchr(b'\n', &self.buffer[start..self.end]) {
            Some(length) => (start..start + length, newlines, true),
            None => (start..self.end, newlines, false),
        }
    }

    /// Whether the first line, read without quoting, is a row by itself.
    fn whole_line(&self) -> bool {
        let (line, _, _) = self.line();
        memchr::memchr_iter(self.dialect.delimiter, &self.buffer[line]).count() + 1 == self.dialect.columns.width
    }

    /// Takes the first line alone as a row, without quoting: the quote in it is never closed.
    fn reread(&mut self, line: u64) -> io::Result<Next> {
        let (range, newlines, mut complete) = self.line();
        let line = line + newlines;
        self.core.reset();
        self.core.set_line(line + 1);
        if !complete && !self.ended {
            // One line longer than any row: nothing of it is kept.
            self.start = self.end;
            while !complete && !self.ended {
                self.fill()?;
                let found = memchr::memchr(b'\n', &self.buffer[self.start..self.end]);
                complete = found.is_some();
                self.start = found.map_or(self.end, |at| self.start + at + 1);
            }
            return Ok(Next::TooLong { line });
        }
        self.start = (range.end + usize::from(complete)).min(self.end);
        let row = self.buffer[range].to_vec();
        let row = row.strip_suffix(b"\r").unwrap_or(&row);
        (self.count, self.ends[0]) = (0, 0);
        let mut written = 0;
        for field in row.split(|byte| *byte == self.dialect.delimiter) {
            let field = field.strip_prefix(b"\"").unwrap_or(field);
            let field = field.strip_suffix(b"\"").unwrap_or(field);
            if self.fields.len() < written + field.len() {
                self.fields.resize((written + field.len()) * 2, 0);
            }
            if self.ends.len() == self.count {
                self.ends.resize(self.count * 2, 0);
            }
            self.fields[written..written + field.len()].copy_from_slice(field);
            written += field.len();
            self.ends[self.count] = written;
            self.count += 1;
        }
        Ok(Next::Row { line, flawed: true })
    }
}

/// The fields of a row. A row that is UTF-8 as a whole, as nearly all are, is checked once.
struct Fields<'r> {
    bytes: &'r [u8],
    ends: &'r [usize],
    encoding: Encoding,
    valid: Option<&'r str>,
    /// Whether a field was in another encoding than the file.
    other: Cell<bool>,
}

impl<'r> Fields<'r> {
    fn new(bytes: &'r [u8], ends: &'r [usize], encoding: Encoding) -> Fields<'r> {
        let bytes = &bytes[..ends.last().copied().unwrap_or(0)];
        let mut fields = Fields { bytes, ends, encoding, valid: None, other: Cell::new(false) };
        match encoding {
            Encoding::Utf8 => fields.valid = simdutf8::basic::from_utf8(bytes).ok(),
            // Four Han characters that are UTF-8 are no accident.
            Encoding::Gb18030 if !bytes.is_ascii() => {
                let utf8 = simdutf8::basic::from_utf8(bytes).ok();
                fields.valid = utf8.filter(|text| text.chars().filter(|c| *c >= '\u{800}').count() >= 4);
                fields.other.set(fields.valid.is_some());
            }
            _ => {}
        }
        fields
    }

    fn range(&self, column: usize) -> Option<std::ops::Range<usize>> {
        let end = *self.ends.get(column)?;
        let start = if column == 0 { 0 } else { self.ends[column - 1] };
        Some(start..end)
    }
}

impl Cells for Fields<'_> {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, column: usize) -> Option<Cow<'_, str>> {
        let Some(range) = self.range(column) else { return Some(Cow::Borrowed("")) };
        // A cut character may stand where two fields meet: then each field is looked at for itself.
        if let Some(text) = self.valid.and_then(|text| text.get(range.clone())) {
            return Some(Cow::Borrowed(text));
        }
        let bytes = &self.bytes[range];
        self.encoding.decode(bytes).or_else(|| {
            let other = self.encoding.decode_other(bytes)?;
            self.other.set(true);
            Some(other)
        })
    }

    fn bytes(&self, column: usize) -> &[u8] {
        self.range(column).map_or(b"", |range| &self.bytes[range])
    }
}

fn detect_delimiter(sample: &str) -> u8 {
    let lines: Vec<&str> = sample.lines().take(20).collect();
    let in_every_line = |delimiter: char| {
        let counts = lines.iter().filter(|line| !line.trim().is_empty()).map(|line| line.matches(delimiter).count());
        counts.min().unwrap_or(0)
    };
    let of_first = |delimiter: char| lines.first().map_or(0, |line| line.matches(delimiter).count());
    let candidates = [b',', b'\t', b';', b'|'];
    let score = |delimiter: &u8| {
        let delimiter = char::from(*delimiter);
        // Quoted cells may hold lines without any.
        if sample.contains('"') {
            (of_first(delimiter), in_every_line(delimiter))
        } else {
            (in_every_line(delimiter), of_first(delimiter))
        }
    };
    candidates.into_iter().rev().max_by_key(score).expect("there are candidates")
}
