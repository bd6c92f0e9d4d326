//! Old Excel files are looked through before calamine opens them: it makes room for as many cells as the file says it has,
//! and a damaged record says there are billions.

use std::fs::File;
use std::io::{BufReader, Read};

use crate::input::contain::contain;

/// Bytes of a file. calamine holds it in memory, and 65,536 rows of chat fit.
const LARGEST: u64 = 64 << 20;
/// Cells of the area that a sheet covers: 65,536 rows of 64 columns.
const MOST_CELLS: u64 = 65_536 * 64;

const DIMENSIONS: u16 = 0x0200;
const BOUND_SHEET: u16 = 0x0085;
const END: u16 = 0x000a;
/// Records of cells with their row and column before anything else.
const CELLS: [u16; 8] = [0x0203, 0x0204, 0x00d6, 0x0205, 0x027e, 0x00fd, 0x00bd, 0x0006];

/// Whether a file can be opened within bounds.
///
/// # Errors
/// What is wrong with it.
pub fn check(file: File) -> Result<(), String> {
    if file.metadata().map_err(|error| error.to_string())?.len() > LARGEST {
        return Err("too large for an old Excel file".to_owned());
    }
    let mut container =
        contain(|| cfb::CompoundFile::open(BufReader::new(file)))?.map_err(|error| error.to_string())?;
    if container.is_stream("EncryptedPackage") {
        return Err("it is protected by a password".to_owned());
    }
    let name = ["Workbook", "Book"].into_iter().find(|name| container.is_stream(name)).ok_or("it holds no workbook")?;
    let mut book = Vec::new();
    contain(|| container.open_stream(name).and_then(|stream| stream.take(LARGEST).read_to_end(&mut book)))?
        .map_err(|error| error.to_string())?;
    for (_, record) in records(&book).filter(|(kind, _)| *kind == BOUND_SHEET) {
        let start = number(record, 0, 4) as usize;
        if area(book.get(start..).unwrap_or_default()) > MOST_CELLS {
            return Err("a sheet says it has more cells than a chat".to_owned());
        }
    }
    Ok(())
}

/// The cells from the first to the last of a sheet, as it says and as they stand.
fn area(sheet: &[u8]) -> u64 {
    let (mut rows, mut columns) = (0, 0);
    for (kind, record) in records(sheet).take_while(|(kind, _)| *kind != END) {
        let (row, column) = match kind {
            // Wider numbers of rows since Excel 97.
            DIMENSIONS if record.len() > 10 => (number(record, 4, 4), number(record, 10, 2)),
            DIMENSIONS => (number(record, 2, 2), number(record, 6, 2)),
            // A run of cells ends with its last column.
            0x00bd => (number(record, 0, 2) + 1, number(record, record.len().saturating_sub(2), 2) + 1),
            kind if CELLS.contains(&kind) => (number(record, 0, 2) + 1, number(record, 2, 2) + 1),
            _ => continue,
        };
        rows = rows.max(row);
        columns = columns.max(column);
    }
    rows * columns
}

/// Kinds and contents of records, to the end or to the first that is cut.
fn records(mut stream: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (head, rest) = stream.split_at_checked(4)?;
        let (record, rest) = rest.split_at_checked(number(head, 2, 2) as usize)?;
        stream = rest;
        Some((number(head, 0, 2) as u16, record))
    })
}

/// Little-endian; 0 beyond the end.
fn number(bytes: &[u8], at: usize, length: usize) -> u64 {
    (0..length).map(|byte| u64::from(bytes.get(at + byte).copied().unwrap_or(0)) << (8 * byte)).sum()
}
