//! CSV and TSV: any delimiter, with or without header, decoded field by field.

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
        let decode = |column: usize| self.encoding.decode(&record[column]);
        let optional = |column: Option<usize>| {
            column.and_then(|at| record.get(at)).map_or(Some("".into()), |bytes| self.encoding.decode(bytes))
        };
        let Some(id) = decode(columns.conversation) else {
            return export.skip(Skip::Undecodable, line, "");
        };
        let id = id.trim();
        if id.is_empty() {
            return export.skip(Skip::MissingConversation, line, "");
        }
        if self.role_word != record[columns.role] {
            self.role_word = record[columns.role].to_vec();
            self.role = decode(columns.role).map_or(SpeakerRole::Unknown, |word| self.options.roles.role(&word));
        }
        let text = decode(columns.text);
        let describe = || {
            let channel = optional(columns.channel).and_then(|word| Channel::from_word(&word));
            let industry = optional(columns.industry).filter(|word| !word.trim().is_empty());
            let date = optional(columns.time).and_then(|time| date::parse_date(&time));
            (
                channel.unwrap_or(self.options.channel),
                industry.map_or_else(|| self.options.industry.clone(), |word| word.trim().to_owned()),
                date,
            )
        };
        let at = export.conversation(id, describe);
        // A row that cannot be decoded keeps its place, so that the turns after it keep their numbers.
        match &text {
            Some(text) => {
                let word = decode(columns.role).unwrap_or_default();
                export.count(self.role, &word, text, line);
            }
            None => export.skip(Skip::Undecodable, line, ""),
        }
        let (agent, time) = (optional(columns.agent).unwrap_or_default(), optional(columns.time).unwrap_or_default());
        let text = text.unwrap_or_default();
        let row = Row { conversation: id, role: self.role, text: &text, agent: &agent, time: &time, line };
        export.push(at, row);
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
