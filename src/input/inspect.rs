//! What inputs are taken for, before anything is judged.

use std::path::Path;

use serde_json::Value;

use crate::error::InputError;
use crate::input::columns::{self, Columns};
use crate::input::container::Content;
use crate::input::{
    Encoding, Export, Format, InputOptions, Ledger, chat, csv, detect_format, open, read_file, shapes, sheet,
};
use crate::model::SpeakerRole;

/// What one file was taken for.
#[derive(Debug)]
pub struct Inspection {
    /// The path as given, with the path inside an archive behind it.
    pub name: String,
    /// The shape.
    pub format: Format,
    /// What there is to say about the shape: the JSON of whom, an example of the layout of a chat, the sheets.
    pub detail: String,
    /// The encoding; `None` where the format settles it.
    pub encoding: Option<Encoding>,
    /// The delimiter of delimited text.
    pub delimiter: Option<u8>,
    /// The first row of a table.
    pub header: Vec<String>,
    /// The columns of a table, where they can be told.
    pub columns: Option<Columns>,
    /// What became of the rows.
    pub ledger: Ledger,
    /// The first and the last time, as text is compared.
    pub times: Option<(String, String)>,
    /// The id of the first conversation and its first rows.
    pub first: Option<(String, Vec<SeenRow>)>,
    /// Why not everything could be read.
    pub problem: Option<InputError>,
}

/// A row as it was understood.
#[derive(Debug)]
pub struct SeenRow {
    /// 1-based line.
    pub line: u64,
    /// The time.
    pub time: String,
    /// Who speaks.
    pub role: SpeakerRole,
    /// The message.
    pub text: String,
}

/// Bytes of rows held in memory; a look at a file needs no more.
const BUDGET: usize = 64 << 20;

/// Reads the input at `path` and says what every file in it was taken for, with the first `rows` rows.
///
/// # Errors
/// When the input cannot be opened.
pub fn inspect(path: &Path, options: &InputOptions, rows: usize) -> Result<Vec<Inspection>, InputError> {
    let mut found = Vec::new();
    let mut unused = Export::default();
    open(path, options, &mut unused, &|_| {}, &mut |name, content, options, _| {
        let mut inspection = look(name, &content, options);
        let mut export = Export::with_budget(BUDGET);
        inspection.problem = read_file(name, content, options, &mut export).err();
        if let Err(error) = inspection.take(export, rows) {
            inspection.problem = Some(error);
        }
        found.push(inspection);
        Ok(())
    })?;
    Ok(found)
}

impl Inspection {
    fn take(&mut self, export: Export, rows: usize) -> Result<(), InputError> {
        let (ledger, mut batches) = export.into_batches()?;
        self.ledger = ledger;
        while let Some(batch) = batches.next_batch()? {
            for at in 0..batch.len() {
                let conversation = batch.get(at);
                if self.first.is_none() {
                    let turns = conversation.turns.iter().take(rows);
                    let row = turns.map(|turn| SeenRow {
                        line: turn.line,
                        time: turn.time.to_owned(),
                        role: turn.role,
                        text: turn.text.to_owned(),
                    });
                    self.first = Some((conversation.id.to_owned(), row.collect()));
                }
                for time in conversation.turns.iter().map(|turn| turn.time).filter(|time| !time.is_empty()) {
                    match &mut self.times {
                        None => self.times = Some((time.to_owned(), time.to_owned())),
                        Some((first, _)) if time < first.as_str() => time.clone_into(first),
                        Some((_, last)) if time > last.as_str() => time.clone_into(last),
                        Some(_) => {}
                    }
                }
            }
        }
        Ok(())
    }
}

fn look(name: &str, content: &Content<'_>, options: &InputOptions) -> Inspection {
    let mut inspection = Inspection {
        name: name.to_owned(),
        format: Format::Workbook,
        detail: String::new(),
        encoding: None,
        delimiter: None,
        header: Vec::new(),
        columns: None,
        ledger: Ledger::default(),
        times: None,
        first: None,
        problem: None,
    };
    let mut table = |rows: &[Vec<String>]| {
        inspection.header = rows.first().cloned().unwrap_or_default();
        inspection.columns = columns::choose(&options.columns, rows, &options.roles).ok();
    };
    match content {
        Content::Workbook(file) => {
            // A problem shows when the file is read.
            let sheets = file.try_clone().ok().and_then(|file| sheet::first_rows(file).ok()).unwrap_or_default();
            let messages = sheets.iter().find(|(_, rows)| columns::is_header(&rows[0])).or(sheets.first());
            if let Some((_, rows)) = messages {
                table(rows);
            }
            inspection.detail = sheets.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        }
        Content::Parquet(_file) => {
            inspection.format = Format::Parquet;
            #[cfg(feature = "parquet")]
            if let Some(rows) = _file.try_clone().ok().and_then(|file| super::columnar::first_rows(file).ok()) {
                inspection.header = rows.first().cloned().unwrap_or_default();
                inspection.columns = columns::choose(&options.columns, &rows, &options.roles).ok();
            }
        }
        Content::Text((sample, _)) => {
            let encoding = options.encoding.unwrap_or_else(|| Encoding::detect(sample));
            let sample = encoding.decode_sample(sample);
            inspection.encoding = Some(encoding);
            inspection.format = options.format.unwrap_or_else(|| detect_format(name, &sample, options));
            match inspection.format {
                Format::Csv => {
                    inspection.header = csv::first_rows(&sample, options).into_iter().next().unwrap_or_default();
                    if let Ok(dialect) = csv::Dialect::detect(&sample, options) {
                        inspection.delimiter = Some(dialect.delimiter);
                        inspection.columns = Some(dialect.columns);
                    }
                }
                Format::Json => inspection.detail = json_shape(&sample).to_owned(),
                Format::Chat => {
                    let style = chat::Style::detect(&sample, &options.roles);
                    inspection.detail = style.map_or("", |style| style.layout.example()).to_owned();
                }
                _ => {}
            }
        }
    }
    inspection
}

/// Whose JSON it is, by its first value, where the sample holds all of it.
fn json_shape(sample: &str) -> &'static str {
    let mut values = serde_json::Deserializer::from_str(sample).into_iter::<Value>();
    let first = values.next().and_then(Result::ok);
    let first = match first {
        Some(Value::Array(elements)) => elements.into_iter().next(),
        first => first,
    };
    match first {
        Some(value) if value.get("turns").is_some() => "zhijian",
        Some(value) => {
            let inner = shapes::LISTS.iter().find_map(|list| value.get(list)?.get(0)).unwrap_or(&value);
            shapes::name_of(&value).or_else(|| shapes::name_of(inner)).unwrap_or("told by the names of its keys")
        }
        None => "",
    }
}
