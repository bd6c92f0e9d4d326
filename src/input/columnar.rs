//! Parquet: a table whose columns have names.

use std::fs::File;

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};

use crate::error::InputError;
use crate::input::columns;
use crate::input::contain::contain;
use crate::input::csv::ROWS_SEEN;
use crate::input::export::Export;
use crate::input::rows::Rows;
use crate::input::{InputOptions, Source};

fn cells(row: &Row) -> Vec<String> {
    let text = |field: &Field| match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::Bytes(bytes) => String::from_utf8_lossy(bytes.data()).into_owned(),
        Field::TimestampMillis(milliseconds) => milliseconds.to_string(),
        Field::TimestampMicros(microseconds) => (microseconds / 1000).to_string(),
        other => other.to_string(),
    };
    row.get_column_iter().map(|(_, field)| text(field)).collect()
}

fn open(file: File) -> Result<SerializedFileReader<File>, String> {
    contain(|| SerializedFileReader::new(file))?.map_err(|error| error.to_string())
}

/// All rows; the iterator ends with the first that cannot be read.
fn rows(reader: &SerializedFileReader<File>) -> Result<impl Iterator<Item = Result<Vec<String>, String>>, String> {
    let mut rows = contain(|| reader.get_row_iter(None))?.map_err(|error| error.to_string())?;
    let mut broken = false;
    Ok(std::iter::from_fn(move || {
        if broken {
            return None;
        }
        let next = contain(|| rows.next()).unwrap_or_else(|message| Some(Err(ParquetError::General(message))));
        let row = next?.map(|row| cells(&row)).map_err(|error| error.to_string());
        broken = row.is_err();
        Some(row)
    }))
}

/// The names of the columns and the first rows.
pub(super) fn first_rows(file: File) -> Result<Vec<Vec<String>>, String> {
    let reader = open(file)?;
    let schema = reader.metadata().file_metadata().schema_descr().root_schema();
    let names = schema.get_fields().iter().map(|field| field.name().to_owned()).collect();
    let mut first = vec![names];
    for row in rows(&reader)?.take(ROWS_SEEN) {
        first.push(row?);
    }
    Ok(first)
}

/// Reads all rows; lines count rows from 1.
///
/// # Errors
/// When the file is damaged or the columns cannot be told.
pub fn read(source: &Source<'_>, file: File, options: &InputOptions, export: &mut Export) -> Result<(), InputError> {
    let failed = |message: String| source.unreadable(&message, "the file is damaged; export it again");
    let copy = file.try_clone().map_err(|error| failed(error.to_string()))?;
    let first = first_rows(copy).map_err(failed)?;
    let mut columns =
        columns::choose(&options.columns, &first, &options.roles).map_err(|error| source.columns(error))?;
    columns.header = true;
    let reader = open(file).map_err(failed)?;
    let mut table = Rows::new(columns, source.stem(), options);
    for (line, row) in (1..).zip(rows(&reader).map_err(failed)?) {
        match row {
            Ok(row) => table.push(row.as_slice(), line, export),
            Err(error) => return Err(source.broken(&std::io::Error::other(error), line, export)),
        }
    }
    Ok(())
}
