//! CSV and TSV: any delimiter, with or without header, decoded field by field.

use std::borrow::Cow;
use std::io::Read;

use csv::{ByteRecord, ReaderBuilder};

use crate::error::InputError;
use crate::input::columns::{self, Columns};
use crate::input::encoding::Encoding;
use crate::input::export::{Export, Row};
use crate::input::ledger::Skip;
use crate::input::{InputOptions, date};
use crate::model::{Channel, SpeakerRole};

/// How many rows decide the columns of a file without header.
const ROWS_SEEN: usize = 200;

/// Reads all rows of `reader`.
///
/// # Errors
/// When the columns cannot be told or the input breaks off.
pub fn read(
    name: &str,
    reader: &mut dyn Read,
    encoding: Encoding,
    sample: &str,
    options: &InputOptions,
    export: &mut Export,
) -> Result<(), InputError> {
    let delimiter = options.delimiter.unwrap_or_else(|| detect_delimiter(sample));
    if sample.trim().is_empty() {
        return Ok(());
    }
    // Tabbed exports hold bare quotation marks; only a file that quotes whole cells is read with quoting.
    let quoting = delimiter != b'\t' || sample.starts_with('"') || sample.contains("\t\"");
    let columns = choose_columns(name, sample, delimiter, quoting, options)?;
    if columns.guessed {
        export.ledger.notices.push(format!("{name}: no header; columns told by their content: --columns {columns}"));
    }
    let mut csv = ReaderBuilder::new()
        .delimiter(delimiter)
        .quoting(quoting)
        .flexible(true)
        .has_headers(columns.header)
        .buffer_capacity(1 << 18)
        .from_reader(reader);
    let mut record = ByteRecord::new();
    let mut rows = Rows { columns, encoding, options, role_word: Vec::new(), role: SpeakerRole::Unknown };
    loop {
        match csv.read_byte_record(&mut record) {
            Ok(true) => rows.push(&record, export),
            Ok(false) => return Ok(()),
            Err(error) => {
                return Err(InputError::Unreadable {
                    path: name.to_owned(),
                    message: error.to_string(),
                    help: "the part before was read".to_owned(),
                });
            }
        }
    }
}

struct Rows<'o> {
    columns: Columns,
    encoding: Encoding,
    options: &'o InputOptions,
    /// The last role word and what it means: rows of one role come in runs.
    role_word: Vec<u8>,
    role: SpeakerRole,
}

/// The fields of a row. A row that is UTF-8 as a whole, as nearly all are, is checked once.
struct Fields<'r> {
    record: &'r ByteRecord,
    encoding: Encoding,
    valid: Option<&'r str>,
}

impl<'r> Fields<'r> {
    fn new(record: &'r ByteRecord, encoding: Encoding) -> Fields<'r> {
        let utf8 = encoding == Encoding::Utf8;
        let valid = utf8.then(|| simdutf8::basic::from_utf8(record.as_slice()).ok()).flatten();
        Fields { record, encoding, valid }
    }

    /// The text of a field; `None` when its bytes are no text. A field that the row lacks is empty.
    fn get(&self, column: usize) -> Option<Cow<'r, str>> {
        let Some(range) = self.record.range(column) else { return Some(Cow::Borrowed("")) };
        // A cut character may stand where two fields meet: then each field is looked at for itself.
        match self.valid.and_then(|text| text.get(range)) {
            Some(text) => Some(Cow::Borrowed(text)),
            None => self.encoding.decode(&self.record[column]),
        }
    }

    fn optional(&self, column: Option<usize>) -> Cow<'r, str> {
        column.and_then(|column| self.get(column)).unwrap_or_default()
    }
}

impl Rows<'_> {
    fn push(&mut self, record: &ByteRecord, export: &mut Export) {
        let line = record.position().map_or(0, csv::Position::line);
        let columns = &self.columns;
        if record.len() < columns.needed() {
            if record.len() == 1 && record[0].iter().all(u8::is_ascii_whitespace) {
                return;
            }
            let detail = format!("{}/{}", record.len(), columns.needed());
            return export.skip(Skip::TooFewColumns, line, &detail);
        }
        let fields = Fields::new(record, self.encoding);
        let Some(id) = fields.get(columns.conversation) else {
            return export.skip(Skip::Undecodable, line, "");
        };
        let id = id.trim();
        if id.is_empty() {
            return export.skip(Skip::MissingConversation, line, "");
        }
        if self.role_word != record[columns.role] {
            self.role_word = record[columns.role].to_vec();
            let word = fields.get(columns.role);
            self.role = word.map_or(SpeakerRole::Unknown, |word| self.options.roles.role(&word));
        }
        let time = fields.optional(columns.time);
        let at = export.conversation(id, || {
            let industry = fields.optional(columns.industry);
            let industry = industry.trim();
            (
                Channel::from_word(&fields.optional(columns.channel)).unwrap_or(self.options.channel),
                if industry.is_empty() { self.options.industry.clone() } else { industry.to_owned() },
                date::parse_date(&time),
            )
        });
        // A row that cannot be decoded keeps its place, so that the turns after it keep their numbers.
        let text = fields.get(columns.text);
        match &text {
            Some(text) => export.count(self.role, || fields.optional(Some(columns.role)), text, line),
            None => export.skip(Skip::Undecodable, line, ""),
        }
        let agent = fields.optional(columns.agent);
        let text = text.unwrap_or_default();
        export.push(at, Row { role: self.role, text: &text, agent: &agent, time: &time, line });
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
    let score = |delimiter: &u8| (in_every_line(char::from(*delimiter)), of_first(char::from(*delimiter)));
    candidates.into_iter().rev().max_by_key(score).expect("there are candidates")
}

fn choose_columns(
    name: &str,
    sample: &str,
    delimiter: u8,
    quoting: bool,
    options: &InputOptions,
) -> Result<Columns, InputError> {
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .quoting(quoting)
        .flexible(true)
        .has_headers(false)
        .from_reader(sample.as_bytes());
    let mut rows: Vec<Vec<String>> = Vec::new();
    for record in reader.records().take(ROWS_SEEN).map_while(Result::ok) {
        rows.push(record.iter().map(str::to_owned).collect());
    }
    // The sample may end inside a row.
    if rows.len() > 1 && rows.len() < ROWS_SEEN && !sample.ends_with('\n') {
        rows.pop();
    }
    columns::choose(&options.columns, &rows, &options.roles).map_err(|(message, help)| InputError::Columns {
        path: name.to_owned(),
        message,
        help,
    })
}
