//! No bench: writes an export of any size, for figures of memory and time.
//!
//! `cargo bench --bench export -- 2000 interleaved day.csv`: the example day's conversations, repeated under new ids until
//! there are about 2000 MB. `sorted` keeps the rows of a conversation together; `interleaved` puts the first rows of all
//! conversations first, then all second ones, and so on: those of one lie as far apart as can be. A path that ends in
//! `.xlsx` gives a workbook with as many rows; there every message is another, as workbooks keep each text once.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::{env, fs};

use csv::StringRecord;
use rust_xlsxwriter::Workbook;

#[path = "common/mod.rs"]
mod common;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    // `cargo bench` without arguments passes by.
    let [megabytes, order, path] = arguments.as_slice() else { return Ok(()) };
    let bytes = megabytes.parse::<usize>()? * 1_000_000;
    let day = fs::read_to_string(common::DAY)?;
    let mut reader = csv::Reader::from_reader(day.trim_start_matches('\u{feff}').as_bytes());
    let header = reader.headers()?.clone();
    let mut conversations: BTreeMap<String, Vec<StringRecord>> = BTreeMap::new();
    for row in reader.records() {
        let row = row?;
        conversations.entry(row[0].to_owned()).or_default().push(row);
    }
    let size = |row: &StringRecord| row.as_slice().len() + row.len() + "000000-\n".len();
    let copies = bytes / conversations.values().flatten().map(size).sum::<usize>();
    let rows: Box<dyn Iterator<Item = (usize, &StringRecord)>> = match order.as_str() {
        "sorted" => Box::new((0..copies).flat_map(|copy| conversations.values().flatten().map(move |row| (copy, row)))),
        "interleaved" => {
            let longest = conversations.values().map(Vec::len).max().unwrap_or(0);
            let turns = (0..longest).flat_map(|turn| (0..copies).map(move |copy| (turn, copy)));
            Box::new(turns.flat_map(|(turn, copy)| {
                conversations.values().filter_map(move |rows| rows.get(turn)).map(move |row| (copy, row))
            }))
        }
        other => return Err(format!("'{other}' is neither sorted nor interleaved").into()),
    };
    let id = |copy: usize, row: &StringRecord| format!("{copy:06}-{}", &row[0]);
    if path.ends_with(".xlsx") {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet_with_low_memory()?;
        sheet.write_row(0, 0, &header)?;
        for (at, (copy, row)) in (1..).zip(rows) {
            let text = format!("{}（{at}）", &row[common::TEXT_COLUMN]);
            let cells = row.iter().enumerate().skip(1);
            let cells = cells.map(|(column, cell)| if column == common::TEXT_COLUMN { &text } else { cell });
            sheet.write_row(at, 0, std::iter::once(id(copy, row).as_str()).chain(cells))?;
        }
        workbook.save(path)?;
        return Ok(());
    }
    let mut out = csv::Writer::from_writer(BufWriter::new(File::create(path)?));
    out.write_record(&header)?;
    for (copy, row) in rows {
        out.write_record(std::iter::once(id(copy, row).as_str()).chain(row.iter().skip(1)))?;
    }
    out.flush()?;
    Ok(())
}
