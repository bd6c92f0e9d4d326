//! Workbooks: XLSX, XLSB, XLS and ODS. Sheets of messages are read; sheets of sessions are joined to them by id.

use std::fs::File;
use std::io::{BufReader, Seek};

use calamine::{Data, DataRef, Ods, Reader, Sheets, Xls, Xlsb, Xlsx};
use rustc_hash::FxHashMap;

use crate::error::InputError;
use crate::input::columns;
use crate::input::contain::contain;
use crate::input::csv::{ROWS_SEEN, flag_doubled};
use crate::input::export::Export;
use crate::input::ledger::Flaw;
use crate::input::rows::{Rows, Session};
use crate::input::{InputOptions, Source, date};

type Workbook = Sheets<BufReader<File>>;

/// The name of a sheet and its first rows.
type FirstRows = (String, Vec<Vec<String>>);

/// Rows of a worksheet; returns whether to go on.
type Act<'a> = dyn FnMut(u64, &[String], bool) -> bool + 'a;

/// Opens a workbook of any kind. What it says is wrong with an .xlsx, if it is none of the others.
fn open(file: File) -> Result<Workbook, String> {
    let again = || -> Result<BufReader<File>, String> {
        let mut file = file.try_clone().map_err(|error| error.to_string())?;
        file.rewind().map_err(|error| error.to_string())?;
        Ok(BufReader::new(file))
    };
    let reader = again()?;
    let problem = match contain(|| Xlsx::new(reader))? {
        Ok(workbook) => return Ok(Sheets::Xlsx(workbook)),
        Err(error) => error.to_string(),
    };
    let reader = again()?;
    if let Ok(workbook) = contain(|| Xls::new(reader))? {
        return Ok(Sheets::Xls(workbook));
    }
    let reader = again()?;
    if let Ok(workbook) = contain(|| Xlsb::new(reader))? {
        return Ok(Sheets::Xlsb(workbook));
    }
    let reader = again()?;
    contain(|| Ods::new(reader))?.map(Sheets::Ods).map_err(|_| problem)
}

/// The names of the sheets and the first rows of each that holds any.
pub(super) fn first_rows(file: File) -> Result<Vec<FirstRows>, String> {
    let mut workbook = open(file)?;
    let mut sheets = Vec::new();
    for name in workbook.sheet_names() {
        let mut rows: Vec<Vec<String>> = Vec::new();
        each_row(&mut workbook, &name, &mut |_, row, _| {
            rows.push(row.to_vec());
            rows.len() < ROWS_SEEN
        })?;
        if !rows.is_empty() {
            sheets.push((name, rows));
        }
    }
    Ok(sheets)
}

/// Reads a workbook.
///
/// # Errors
/// When it cannot be read or no sheet holds messages.
pub fn read(source: &Source<'_>, file: File, options: &InputOptions, export: &mut Export) -> Result<(), InputError> {
    let failed = |message: String| source.unreadable(&message, "save it as .xlsx or as CSV");
    let copy = file.try_clone().map_err(|error| failed(error.to_string()))?;
    let mut sheets = first_rows(copy).map_err(failed)?;
    if let Some(wanted) = &options.sheet {
        let names: Vec<String> = sheets.iter().map(|(name, _)| name.clone()).collect();
        sheets.retain(|(name, _)| name == wanted);
        if sheets.is_empty() {
            return Err(source.unreadable(
                &format!("there is no sheet '{wanted}'"),
                &format!("the sheets are {}", names.join(", ")),
            ));
        }
    }
    let mut workbook = open(file).map_err(failed)?;
    let mut sessions = FxHashMap::default();
    for (name, _) in sheets.iter().filter(|(_, rows)| columns::is_session_header(&rows[0])) {
        let mut header: Option<Vec<String>> = None;
        each_row(&mut workbook, name, &mut |_, row, _| {
            match &header {
                None => header = Some(row.to_vec()),
                Some(header) => Session::read(header, row, &mut sessions),
            }
            true
        })
        .map_err(failed)?;
        export.ledger.notices.push(format!(
            "{}: sheet '{name}': {} sessions, joined by id",
            source.name,
            sessions.len()
        ));
    }
    let (mut any, mut problem) = (false, None);
    for (name, rows) in sheets.iter().filter(|(_, rows)| !columns::is_session_header(&rows[0])) {
        let columns = match columns::choose(&options.columns, rows, &options.roles) {
            Ok(columns) => columns,
            Err((message, help)) => {
                problem.get_or_insert((format!("sheet '{name}': {message}"), help));
                continue;
            }
        };
        any = true;
        source.notices(&columns, export);
        if columns.header {
            flag_doubled(&rows[0], &columns, export);
        }
        let mut reader = Rows::new(columns, source.stem(), options);
        reader.sessions = Some(&sessions);
        let mut first = columns.header;
        let mut padded: Vec<String> = Vec::new();
        each_row(&mut workbook, name, &mut |line, row, formula| {
            if !std::mem::take(&mut first) {
                if formula {
                    export.flaw(Flaw::Formula, line, "");
                }
                // A sheet does not store the empty cells at the end of a row.
                padded.clear();
                padded.extend_from_slice(row);
                padded.resize(row.len().max(columns.width), String::new());
                reader.push(padded.as_slice(), line, export);
            }
            true
        })
        .map_err(failed)?;
    }
    match problem {
        // A cover sheet or a legend beside the messages is no problem.
        Some(error) if !any => Err(source.columns(error)),
        None if !any && sheets.is_empty() => Ok(()),
        None if !any => Err(source.unreadable("it lists sessions without their messages", "export the messages, too")),
        _ => Ok(()),
    }
}

/// Calls `act` with the rows of a sheet that hold anything: their 1-based numbers, their cells, and whether a formula in them
/// has no value. Sheets of .xlsx are never held in memory.
fn each_row(workbook: &mut Workbook, name: &str, act: &mut Act<'_>) -> Result<(), String> {
    let mut row: Vec<String> = Vec::new();
    if let Sheets::Xlsx(xlsx) = workbook {
        let mut cells = contain(|| xlsx.worksheet_cells_reader(name))?.map_err(|error| error.to_string())?;
        let (mut number, mut formula) = (0u32, false);
        loop {
            let cell = contain(|| cells.next_cell_with_formula())?
                .map_err(|error| format!("sheet '{name}': row {}: {error}", number + 1))?;
            let Some(cell) = cell else { break };
            let (at, column) = cell.pos;
            if at != number {
                if holds_anything(&row) && !act(u64::from(number) + 1, &row, formula) {
                    return Ok(());
                }
                (number, formula) = (at, false);
                row.clear();
            }
            formula |= cell.formula.is_some_and(|text| !text.is_empty()) && matches!(cell.value, DataRef::Empty);
            set(&mut row, column as usize, text(&Data::from(cell.value)));
        }
        if holds_anything(&row) {
            act(u64::from(number) + 1, &row, formula);
        }
        return Ok(());
    }
    let range = contain(|| workbook.worksheet_range(name))?.map_err(|error| error.to_string())?;
    let (first, left) = range.start().unwrap_or((0, 0));
    for (at, cells) in (u64::from(first) + 1..).zip(range.rows()) {
        row.clear();
        row.resize(left as usize, String::new());
        row.extend(cells.iter().map(text));
        while row.last().is_some_and(String::is_empty) {
            row.pop();
        }
        if holds_anything(&row) && !act(at, &row, false) {
            return Ok(());
        }
    }
    Ok(())
}

fn holds_anything(row: &[String]) -> bool {
    row.iter().any(|cell| !cell.trim().is_empty())
}

/// Columns of a sheet that are looked at: a cell far to the right must not cost a row of gigabytes.
const WIDEST: usize = 1024;

fn set(row: &mut Vec<String>, column: usize, text: String) {
    if column < WIDEST && !text.is_empty() {
        if row.len() <= column {
            row.resize(column + 1, String::new());
        }
        row[column] = text;
    }
}

fn text(cell: &Data) -> String {
    match cell {
        Data::Empty => String::new(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text.clone(),
        Data::Int(number) => number.to_string(),
        // Beyond 15 digits a spreadsheet rounds: what it shows then is what it knows.
        Data::Float(number) if number.abs() >= 1e15 => scientific(*number),
        Data::Float(number) => number.to_string(),
        Data::Bool(flag) => flag.to_string(),
        Data::DateTime(moment) => date::from_serial(moment.as_f64()).unwrap_or_else(|| moment.as_f64().to_string()),
        Data::Error(error) => error.to_string(),
    }
}

/// `7.30123E+18`
fn scientific(number: f64) -> String {
    format!("{number:.5E}").replace('E', "E+")
}
