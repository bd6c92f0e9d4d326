//! What inputs are taken for, before anything is judged.

use std::path::Path;

use serde_json::Value;

use crate::error::InputError;
use crate::input::columns::{self, Columns};
use crate::input::container::Content;
use crate::input::{Encoding, Export, Format, InputOptions, chat, csv, detect_format, open, read_file, shapes, sheet};

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
    /// The rows; grouped, with a ledger.
    pub export: Export,
    /// Why not everything could be read.
    pub problem: Option<InputError>,
}

/// Reads the input at `path` and says what every file in it was taken for.
///
/// # Errors
/// When the input cannot be opened.
pub fn inspect(path: &Path, options: &InputOptions) -> Result<Vec<Inspection>, InputError> {
    let mut found = Vec::new();
    let mut unused = Export::default();
    open(path, options, &mut unused, &|_| {}, &mut |name, content, options, _| {
        let mut inspection = look(name, &content, options);
        let mut export = Export::default();
        inspection.problem = read_file(name, content, options, &mut export).err();
        export.finish();
        inspection.export = export;
        found.push(inspection);
        Ok(())
    })?;
    Ok(found)
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
        export: Export::default(),
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
        Some(value) => shapes::name_of(&value).unwrap_or("told by the names of its keys"),
        None => "",
    }
}
