//! Workbooks: XLSX, XLSB, XLS and ODS. Sheets of messages are read; sheets of sessions are joined to them by id.

use std::fs::File;
use std::io::{BufReader, Read, Seek};

use calamine::{Cell, Data, DataRef, Reader, Xls, Xlsb, Xlsx};
use rustc_hash::FxHashMap;
use zip::ZipArchive;

use crate::error::InputError;
use crate::input::columns;
use crate::input::contain::contain;
use crate::input::csv::{ROWS_SEEN, flag_doubled};
use crate::input::export::Export;
use crate::input::ledger::Flaw;
use crate::input::ods::Ods;
use crate::input::rows::{LONGEST_CELL, Rows, Session};
use crate::input::{InputOptions, Source, date, xls};

enum Workbook {
    Xlsx(Xlsx<BufReader<File>>),
    Xlsb(Xlsb<BufReader<File>>),
    Xls(Xls<BufReader<File>>),
    Ods(Ods),
}

/// The name of a sheet and its first rows.
type FirstRows = (String, Vec<Vec<String>>);

/// Takes the rows of a worksheet that hold anything: their 1-based numbers, their cells, and whether a formula in them has no
/// value. Returns whether to go on.
pub(super) type Act<'a> = dyn FnMut(u64, &[String], bool) -> bool + 'a;

/// Opens a workbook of any kind.
fn open(mut file: File) -> Result<Workbook, String> {
    let mut start = [0; 2];
    file.rewind().and_then(|()| file.read_exact(&mut start)).map_err(|error| error.to_string())?;
    let again = || -> Result<BufReader<File>, String> {
        let mut file = file.try_clone().map_err(|error| error.to_string())?;
        file.rewind().map_err(|error| error.to_string())?;
        Ok(BufReader::new(file))
    };
    let reader = again()?;
    if start != *b"PK" {
        xls::check(again()?.into_inner())?;
        return contain(|| Xls::new(reader))?.map(Workbook::Xls).map_err(|error| error.to_string());
    }
    let archive = ZipArchive::new(again()?).map_err(|error| error.to_string())?;
    if archive.index_for_name("xl/workbook.xml").is_some() {
        return contain(|| Xlsx::new(reader))?.map(Workbook::Xlsx).map_err(|error| error.to_string());
    }
    if archive.index_for_name("xl/workbook.bin").is_some() {
        return contain(|| Xlsb::new(reader))?.map(Workbook::Xlsb).map_err(|error| error.to_string());
    }
    Ods::open(archive).map(Workbook::Ods)
}

impl Workbook {
    fn names(&self) -> Vec<String> {
        match self {
            Workbook::Xlsx(workbook) => workbook.sheet_names(),
            Workbook::Xlsb(workbook) => workbook.sheet_names(),
            Workbook::Xls(workbook) => workbook.sheet_names(),
            Workbook::Ods(workbook) => workbook.names.clone(),
        }
    }
}

/// The names of the sheets and the first rows of each that holds any.
pub(super) fn first_rows(file: File) -> Result<Vec<FirstRows>, String> {
    let mut workbook = open(file)?;
    let mut sheets = Vec::new();
    for name in workbook.names() {
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

/// Calls `act` with the rows of a sheet. Only sheets of .xls are held in memory.
fn each_row(workbook: &mut Workbook, name: &str, act: &mut Act<'_>) -> Result<(), String> {
    match workbook {
        Workbook::Xlsx(workbook) => {
            let mut cells = contain(|| workbook.worksheet_cells_reader(name))?.map_err(|error| error.to_string())?;
            let next = || {
                let cell = cells.next_cell_with_formula().map_err(|error| error.to_string())?;
                Ok(cell.map(|cell| {
                    let formula = cell.formula.is_some_and(|text| !text.is_empty());
                    (Cell::new(cell.pos, cell.value), formula)
                }))
            };
            rows_of(name, next, act)
        }
        Workbook::Xlsb(workbook) => {
            let mut cells = contain(|| workbook.worksheet_cells_reader(name))?.map_err(|error| error.to_string())?;
            let next = || Ok(cells.next_cell().map_err(|error| error.to_string())?.map(|cell| (cell, false)));
            rows_of(name, next, act)
        }
        Workbook::Xls(workbook) => {
            let range = contain(|| workbook.worksheet_range(name))?.map_err(|error| error.to_string())?;
            let (first, left) = range.start().unwrap_or((0, 0));
            for (at, cells) in (u64::from(first) + 1..).zip(range.rows()) {
                let mut row = vec![String::new(); left as usize];
                row.extend(cells.iter().map(text));
                while row.last().is_some_and(String::is_empty) {
                    row.pop();
                }
                if holds_anything(&row) && !act(at, &row, false) {
                    break;
                }
            }
            Ok(())
        }
        Workbook::Ods(workbook) => workbook.each_row(name, act),
    }
}

/// Brings the cells of a sheet together in rows. `next` tells whether a cell has a formula.
fn rows_of<'a>(
    name: &str,
    mut next: impl FnMut() -> Result<Option<(Cell<DataRef<'a>>, bool)>, String>,
    act: &mut Act<'_>,
) -> Result<(), String> {
    let (mut row, mut number, mut formula) = (Vec::new(), 0u32, false);
    loop {
        let cell = contain(&mut next)
            .unwrap_or_else(Err)
            .map_err(|error| format!("sheet '{name}': row {}: {error}", number + 1))?;
        let Some((cell, by_formula)) = cell else { break };
        let (at, column) = cell.get_position();
        if at != number {
            if holds_anything(&row) && !act(u64::from(number) + 1, &row, formula) {
                return Ok(());
            }
            (number, formula) = (at, false);
            row.clear();
        }
        let value = cell.get_value();
        formula |= by_formula && matches!(value, DataRef::Empty);
        let value = match value {
            DataRef::SharedString(text) => bounded(text),
            DataRef::String(text) => bounded(text),
            other => text(&Data::from(other.clone())),
        };
        set(&mut row, column as usize, value);
    }
    if holds_anything(&row) {
        act(u64::from(number) + 1, &row, formula);
    }
    Ok(())
}

pub(super) fn holds_anything(row: &[String]) -> bool {
    row.iter().any(|cell| !cell.trim().is_empty())
}

/// Columns of a sheet that are looked at: a cell far to the right must not cost a row of gigabytes.
const WIDEST: usize = 1024;

/// Puts a text into a row; `false` when it stands too far to the right.
pub(super) fn set(row: &mut Vec<String>, column: usize, text: String) -> bool {
    let near = column < WIDEST;
    if near && !text.is_empty() {
        if row.len() <= column {
            row.resize(column + 1, String::new());
        }
        row[column] = text;
    }
    near
}

/// The start of a text that is too long, with enough of it to be seen as such: a cell of 100 MB is copied on its way.
pub(super) fn bounded(text: &str) -> String {
    let end = (LONGEST_CELL + 1..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    text[..end].to_owned()
}

fn text(cell: &Data) -> String {
    match cell {
        Data::Empty => String::new(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => bounded(text),
        Data::Int(number) => number.to_string(),
        Data::Float(value) => number(*value),
        Data::Bool(flag) => flag.to_string(),
        Data::DateTime(moment) => date::from_serial(moment.as_f64()).unwrap_or_else(|| moment.as_f64().to_string()),
        Data::Error(error) => error.to_string(),
    }
}

/// Beyond 15 digits a spreadsheet rounds: what it shows then, as `7.30123E+18`, is what it knows.
pub(super) fn number(value: f64) -> String {
    if value.abs() >= 1e15 { format!("{value:.5E}").replace('E', "E+") } else { value.to_string() }
}
