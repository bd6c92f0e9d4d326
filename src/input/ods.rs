//! Sheets of OpenDocument, a row at a time. calamine would hold all sheets in memory, with every repeated row written out:
//! a file of some kilobytes can say that it has a hundred million cells.

use std::fs::File;
use std::io::BufReader;

use quick_xml::XmlVersion::Implicit1_0;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use crate::input::rows::LONGEST_CELL;
use crate::input::sheet::{Act, holds_anything, number, set};
use crate::input::xml;

/// Rows of a sheet.
const MOST_ROWS: u64 = 1 << 20;

/// An open file.
pub struct Ods {
    archive: ZipArchive<BufReader<File>>,
    /// The names of its sheets, in order.
    pub names: Vec<String>,
}

/// A cell whose content is being read.
#[derive(Default)]
struct Cell {
    /// What its attributes say it holds; the text is what it shows then.
    value: Option<String>,
    text: String,
    paragraphs: usize,
    repeated: u64,
    formula: bool,
}

impl Ods {
    /// Opens a file.
    ///
    /// # Errors
    /// When it is damaged or cannot be read without a password.
    pub fn open(archive: ZipArchive<BufReader<File>>) -> Result<Ods, String> {
        let mut ods = Ods { archive, names: Vec::new() };
        let mut names = Vec::new();
        ods.each(&mut |event| {
            if let Event::Start(tag) | Event::Empty(tag) = event
                && tag.name().as_ref() == "table:table"
            {
                names.push(attribute(tag, "table:name").unwrap_or_default());
            }
            Ok(true)
        })?;
        ods.names = names;
        Ok(ods)
    }

    /// Calls `act` with every event of the part that holds the sheets, until it has enough.
    fn each(&mut self, act: &mut dyn FnMut(&Event<'_>) -> Result<bool, String>) -> Result<(), String> {
        let part = self.archive.by_name("content.xml").map_err(|error| error.to_string())?;
        let mut reader = quick_xml::Reader::from_reader(BufReader::with_capacity(1 << 16, part));
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            match reader.read_event_into(&mut buffer) {
                Ok(Event::Eof) => return Ok(()),
                Ok(event) => {
                    if !act(&event)? {
                        return Ok(());
                    }
                }
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    /// Calls `act` with the rows of a sheet that hold anything, as [`Act`] says.
    ///
    /// # Errors
    /// When the file is damaged; the rows before were handed over.
    pub fn each_row(&mut self, name: &str, act: &mut Act<'_>) -> Result<(), String> {
        let (mut inside, mut line, mut notes) = (false, 1, 0u32);
        let (mut row, mut column, mut repeated, mut formula) = (Vec::new(), 0, 1, false);
        let mut cell: Option<Cell> = None;
        self.each(&mut |event| {
            match event {
                Event::Start(tag) | Event::Empty(tag) => {
                    let closed = matches!(event, Event::Empty(_));
                    match (tag.name().as_ref(), &mut cell) {
                        ("table:table", None) => inside = attribute(tag, "table:name").unwrap_or_default() == name,
                        _ if !inside => {}
                        ("table:table-row", None) => {
                            row.clear();
                            (column, formula) = (0, false);
                            repeated = count(tag, "table:number-rows-repeated");
                            if closed {
                                line += repeated;
                            }
                        }
                        ("table:table-cell" | "table:covered-table-cell", None) => {
                            let open = Cell::of(tag);
                            if closed {
                                open.put(&mut row, &mut column, &mut formula);
                            } else {
                                cell = Some(open);
                            }
                        }
                        ("office:annotation", Some(_)) if !closed => notes += 1,
                        (tag_name, Some(cell)) if notes == 0 => match tag_name {
                            "text:p" => {
                                if cell.paragraphs > 0 {
                                    cell.push("\n");
                                }
                                cell.paragraphs += 1;
                            }
                            "text:s" => cell.push(&" ".repeat(count(tag, "text:c").min(1000) as usize)),
                            "text:tab" => cell.push("\t"),
                            "text:line-break" => cell.push("\n"),
                            _ => {}
                        },
                        _ => {}
                    }
                }
                Event::End(tag) if inside => match tag.name().as_ref() {
                    "office:annotation" => notes = notes.saturating_sub(1),
                    "table:table-cell" | "table:covered-table-cell" => {
                        if let Some(cell) = cell.take() {
                            cell.put(&mut row, &mut column, &mut formula);
                        }
                    }
                    "table:table-row" if cell.is_none() => {
                        if holds_anything(&row) {
                            for line in line..line.saturating_add(repeated) {
                                if line > MOST_ROWS {
                                    return Err(format!("sheet '{name}': more rows than a sheet can have"));
                                }
                                if !act(line, &row, formula) {
                                    return Ok(false);
                                }
                            }
                        }
                        line = line.saturating_add(repeated);
                    }
                    "table:table" if cell.is_none() => return Ok(false),
                    _ => {}
                },
                Event::Text(piece) if notes == 0 => {
                    if let Some(cell) = &mut cell {
                        cell.push(&piece.xml_content(Implicit1_0));
                    }
                }
                Event::CData(piece) if notes == 0 => {
                    if let Some(cell) = &mut cell {
                        cell.push(&piece.xml_content(Implicit1_0));
                    }
                }
                Event::GeneralRef(reference) if notes == 0 => {
                    if let Some(cell) = &mut cell
                        && let Some(character) = xml::character(reference)?
                    {
                        cell.push(character.encode_utf8(&mut [0; 4]));
                    }
                }
                _ => {}
            }
            Ok(true)
        })
        .map_err(|error| if inside { format!("sheet '{name}': row {line}: {error}") } else { error })
    }
}

impl Cell {
    fn of(tag: &BytesStart<'_>) -> Cell {
        let value = |name| attribute(tag, name);
        let shown = value("office:value").map(|text| text.parse().map_or(text.clone(), number));
        let others = ["office:date-value", "office:time-value", "office:boolean-value", "office:string-value"];
        Cell {
            value: shown.or_else(|| others.into_iter().find_map(value)),
            repeated: count(tag, "table:number-columns-repeated"),
            formula: value("table:formula").is_some(),
            ..Cell::default()
        }
    }

    /// What is too long is counted as such; no need to keep more of it.
    fn push(&mut self, text: &str) {
        if self.text.len() <= LONGEST_CELL {
            self.text.push_str(text);
        }
    }

    fn put(self, row: &mut Vec<String>, column: &mut u64, formula: &mut bool) {
        let text = self.value.unwrap_or(self.text);
        *formula |= self.formula && text.is_empty();
        let end = column.saturating_add(self.repeated);
        for at in *column..end.min(u64::from(u16::MAX)) {
            if !set(row, at as usize, text.clone()) {
                break;
            }
        }
        *column = end;
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = tag.try_get_attribute(name).ok()??;
    attribute.normalized_value(Implicit1_0).ok().map(|value| value.into_owned())
}

/// How often something is repeated: at least once.
fn count(tag: &BytesStart<'_>, name: &str) -> u64 {
    attribute(tag, name).and_then(|text| text.parse().ok()).unwrap_or(1).max(1)
}
