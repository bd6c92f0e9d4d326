//! Tables that people fill in: CSV as any Excel saves it, and workbooks.

use std::fs;
use std::path::{Path, PathBuf};

use calamine::{Data, Reader, open_workbook_auto};

use crate::input::Encoding;
use crate::report::csv::undo;

/// Why a table could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: [table] {message}", path.display())]
pub struct SheetError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong and what to do.
    pub message: String,
}

/// A table with a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// The path as given, with `!` and the name of the sheet in a workbook.
    pub name: String,
    /// The header cells, trimmed.
    pub header: Vec<String>,
    /// The rows that are not empty, each with its 1-based line or row.
    pub rows: Vec<(u64, Vec<String>)>,
}

impl Sheet {
    /// Reads a CSV file (one sheet) or a workbook (all its sheets). What this program put before or behind a cell to keep
    /// it text is taken off again.
    ///
    /// # Errors
    /// When the file cannot be read as a table.
    pub fn read(path: &Path) -> Result<Vec<Sheet>, SheetError> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or("").to_lowercase();
        match extension.as_str() {
            "xlsx" | "xlsm" | "xls" | "xlsb" | "ods" => workbook(path),
            _ => Ok(vec![csv(path)?]),
        }
    }

    /// The place of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|cell| cell == name)
    }
}

/// The cells of chosen columns of the first sheet that has them all.
///
/// # Errors
/// When the file cannot be read or no sheet has these columns.
pub fn columns<const N: usize>(path: &Path, wanted: [&str; N]) -> Result<Vec<[String; N]>, SheetError> {
    for sheet in Sheet::read(path)? {
        let places = wanted.map(|name| sheet.column(name));
        if places.iter().all(Option::is_some) {
            let cell =
                |row: &[String], place: Option<usize>| place.and_then(|at| row.get(at)).cloned().unwrap_or_default();
            return Ok(sheet.rows.iter().map(|(_, row)| places.map(|place| cell(row, place))).collect());
        }
    }
    let message = format!("没有表头含 {} 的表", wanted.join("、"));
    Err(SheetError { path: path.to_owned(), message })
}

fn csv(path: &Path) -> Result<Sheet, SheetError> {
    let failed = |message: String| SheetError { path: path.to_owned(), message };
    let bytes = fs::read(path).map_err(|error| failed(error.to_string()))?;
    let encoding = Encoding::detect(&bytes);
    let text = encoding.decode_sample(&bytes);
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().next().unwrap_or("");
    let delimiter = [b'\t', b';'].into_iter().find(|byte| first.contains(char::from(*byte)) && !first.contains(','));
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .delimiter(delimiter.unwrap_or(b','))
        .from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| failed(error.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        rows.push((line, record.iter().map(|cell| undo(cell).to_owned()).collect()));
    }
    Ok(sheet(path.display().to_string(), rows))
}

fn workbook(path: &Path) -> Result<Vec<Sheet>, SheetError> {
    let failed = |message: String| SheetError { path: path.to_owned(), message };
    let mut workbook = open_workbook_auto(path).map_err(|error| failed(error.to_string()))?;
    let mut sheets = Vec::new();
    for name in workbook.sheet_names() {
        let range = workbook.worksheet_range(&name).map_err(|error| failed(format!("{name}: {error}")))?;
        let first = range.start().map_or(0, |(row, _)| u64::from(row));
        let rows = (1..).zip(range.rows());
        let rows = rows.map(|(at, row)| (first + at, row.iter().map(cell).collect()));
        sheets.push(sheet(format!("{}!{name}", path.display()), rows.collect()));
    }
    Ok(sheets)
}

fn cell(data: &Data) -> String {
    match data {
        Data::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        data => data.to_string(),
    }
}

fn sheet(name: String, rows: Vec<(u64, Vec<String>)>) -> Sheet {
    let mut rows =
        rows.into_iter().filter(|(_, row): &(u64, Vec<String>)| row.iter().any(|cell| !cell.trim().is_empty()));
    let header =
        rows.next().map(|(_, row)| row.iter().map(|cell| cell.trim().to_owned()).collect()).unwrap_or_default();
    Sheet { name, header, rows: rows.collect() }
}
