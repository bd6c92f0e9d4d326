//! Phrase tables: CSV, TSV and spreadsheets. Columns are named with `--keys` or found by their headers.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};

use calamine::{Data, Reader as _, Sheets, open_workbook_auto_from_rs};
use csv_core::{ReadFieldResult, Reader, ReaderBuilder};

use crate::lint::align::{Alignment, Syntax, align};
use crate::lint::script::{
    Keys, Note, Place, QUESTIONS, REPLIES, Reach, Reply, SPEAKERS, Script, name_key, script_role,
};
use crate::model::SpeakerRole;

/// Headers of the column that suppresses findings.
const IGNORE: [&str; 3] = ["忽略", "ignore", KEYWORD_COLUMN];
const KEYWORD_COLUMN: &str = "zhijianignore";
/// Headers of the column that says which dialogue a row belongs to.
const DIALOGUES: [&str; 8] =
    ["会话id", "会话编号", "对话id", "对话编号", "会话", "场景编号", "conversation", "conversationid"];
/// Columns of a sheet that are looked at.
const WIDEST: usize = 1024;
/// Cells of a sheet that are held, empty ones before a filled one too.
const MOST_CELLS: usize = 5_000_000;
/// Bytes that a packed workbook may unpack to.
const LARGEST: u64 = 1 << 30;

#[derive(Debug, Clone)]
struct Cell {
    text: String,
    place: Place,
}

/// Reads delimited text.
pub fn csv(script: &mut Script, keys: &Keys, delimiter: u8) {
    let rows = fields(&script.source.text, delimiter);
    table(script, keys, &rows, "");
}

/// The delimiter of delimited text: what its first line holds most of.
pub fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or("");
    let count = |delimiter: &u8| first.bytes().filter(|byte| byte == delimiter).count();
    // The first of equals: a line without any is one column of comma-separated text.
    [b';', b'\t', b','].into_iter().max_by_key(count).unwrap_or(b',')
}

fn fields(text: &str, delimiter: u8) -> Vec<Vec<Cell>> {
    let mut reader: Reader = ReaderBuilder::new().delimiter(delimiter).build();
    let (mut rows, mut row) = (Vec::new(), Vec::new());
    let (mut at, mut start) = (0, 0);
    let mut out = vec![0u8; 4096];
    let mut field: Vec<u8> = Vec::new();
    loop {
        let (result, read, written) = reader.read_field(&text.as_bytes()[at..], &mut out);
        at += read;
        field.extend_from_slice(&out[..written]);
        match result {
            ReadFieldResult::InputEmpty | ReadFieldResult::OutputFull => {}
            ReadFieldResult::End => break,
            ReadFieldResult::Field { record_end } => {
                row.push(cell(text, start, at, delimiter, &field));
                field.clear();
                start = at;
                if record_end {
                    rows.push(std::mem::take(&mut row));
                }
            }
        }
    }
    if !row.is_empty() {
        rows.push(row);
    }
    rows
}

/// The field that was read from bytes `start` to `end`, which hold its quotes and what ends it, too.
fn cell(source: &str, start: usize, end: usize, delimiter: u8, field: &[u8]) -> Cell {
    let mut raw = &source[start..end];
    let skipped = raw.len() - raw.trim_start_matches(['\r', '\n']).len();
    raw = &raw[skipped..];
    raw = raw.strip_suffix(char::from(delimiter)).unwrap_or(raw.trim_end_matches(['\r', '\n']));
    let whole = start + skipped..start + skipped + raw.len();
    let quoted = raw.len() >= 2 && raw.starts_with('"') && raw.ends_with('"');
    let inside = if quoted { whole.start + 1..whole.end - 1 } else { whole.clone() };
    let text = String::from_utf8_lossy(field).into_owned();
    let doubled = Some('"').filter(|_| quoted);
    let alignment = align(&text, &source[inside.clone()], inside.start, Syntax { escapes: false, doubled });
    Cell { text, place: Place::Source { whole, alignment } }
}

/// Reads every sheet of a spreadsheet.
pub fn spreadsheet(script: &mut Script, keys: &Keys, bytes: &[u8]) {
    let opened = unpacks(bytes).and_then(|()| {
        open_workbook_auto_from_rs(Cursor::new(bytes)).map_err(|error| format!("{error}; save it as .xlsx or as CSV"))
    });
    let mut workbook = match opened {
        Ok(workbook) => workbook,
        Err(message) => return script.problems.push(format!("{}: [spreadsheet] {message}", script.path)),
    };
    let before = script.replies.len();
    let mut complaints = Vec::new();
    for sheet in workbook.sheet_names() {
        let rows = match rows(&mut workbook, &sheet) {
            Ok(rows) => rows,
            Err(message) => {
                script.problems.push(format!("{}: [spreadsheet] {sheet}: {message}", script.path));
                continue;
            }
        };
        let problems = script.problems.len();
        if !rows.is_empty() {
            table(script, keys, &rows, &sheet);
        }
        complaints.extend(script.problems.split_off(problems));
    }
    // A sheet of notes beside the phrases is no mistake; no sheet with a reply is.
    if script.replies.len() == before {
        script.problems.extend(complaints);
    } else {
        complaints.iter().for_each(|_| script.skip("没有话术列的工作表"));
    }
}

/// Whether the parts of a packed workbook fit memory: found out before they are read into it.
fn unpacks(bytes: &[u8]) -> Result<(), String> {
    if !bytes.starts_with(b"PK") {
        return Ok(());
    }
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let mut unpacked = 0;
    for at in 0..archive.len() {
        let mut part = archive.by_index(at).map_err(|error| error.to_string())?.take(LARGEST + 1 - unpacked);
        unpacked += io::copy(&mut part, &mut io::sink()).map_err(|error| error.to_string())?;
        if unpacked > LARGEST {
            return Err(format!("unpacks to more than {} MiB", LARGEST >> 20));
        }
    }
    Ok(())
}

/// The rows of a sheet that hold anything. Cells are read one by one where the form allows it: one far to the right or far
/// down must not cost the memory of all before it.
fn rows(workbook: &mut Sheets<Cursor<&[u8]>>, sheet: &str) -> Result<Vec<Vec<Cell>>, String> {
    let mut rows: BTreeMap<u32, Vec<Cell>> = BTreeMap::new();
    let mut made = 0;
    let mut add = |(row, column): (u32, u32), data: &Data| {
        let text = match data {
            Data::String(text) => text.clone(),
            other => other.to_string(),
        };
        let at = column as usize;
        if !text.is_empty() && at < WIDEST {
            let cells = rows.entry(row).or_default();
            made += (at + 1).saturating_sub(cells.len());
            if made > MOST_CELLS {
                return;
            }
            for column in cells.len()..=at {
                let cell = format!("{}{}", column_letters(u32::try_from(column).expect("below the widest")), row + 1);
                cells.push(Cell { text: String::new(), place: Place::Cell { sheet: sheet.to_owned(), cell } });
            }
            cells[at].text = text;
        }
    };
    match workbook {
        Sheets::Xlsx(xlsx) => {
            let mut cells = xlsx.worksheet_cells_reader(sheet).map_err(|error| error.to_string())?;
            while let Some(cell) = cells.next_cell().map_err(|error| error.to_string())? {
                add(cell.get_position(), &Data::from(cell.get_value().clone()));
            }
        }
        Sheets::Xlsb(xlsb) => {
            let mut cells = xlsb.worksheet_cells_reader(sheet).map_err(|error| error.to_string())?;
            while let Some(cell) = cells.next_cell().map_err(|error| error.to_string())? {
                add(cell.get_position(), &Data::from(cell.get_value().clone()));
            }
        }
        other => {
            let range = other.worksheet_range(sheet).map_err(|error| error.to_string())?;
            let (top, left) = range.start().unwrap_or((0, 0));
            for (row, column, data) in range.used_cells() {
                let at = |first: u32, n: usize| first.saturating_add(u32::try_from(n).unwrap_or(u32::MAX));
                add((at(top, row), at(left, column)), data);
            }
        }
    }
    if made > MOST_CELLS {
        return Err(format!("more than {MOST_CELLS} cells; save it as CSV"));
    }
    Ok(rows.into_values().collect())
}

/// 0 → A, 26 → AA.
fn column_letters(column: u32) -> String {
    let (rest, last) = (column / 26, column % 26);
    let letter = char::from(b'A' + u8::try_from(last).expect("below 26"));
    if rest == 0 { letter.to_string() } else { format!("{}{letter}", column_letters(rest - 1)) }
}

struct Columns {
    replies: Vec<usize>,
    questions: Vec<usize>,
    speaker: Option<usize>,
    dialogue: Option<usize>,
    ignore: Option<usize>,
    header: bool,
}

fn columns(keys: &Keys, rows: &[Vec<Cell>]) -> Result<Columns, String> {
    let header: Vec<String> =
        rows.first().map(|row| row.iter().map(|cell| cell.text.clone()).collect()).unwrap_or_default();
    let names: Vec<String> = header.iter().map(|cell| name_key(cell)).collect();
    let one_of = |table: &[&str]| table.iter().find_map(|name| names.iter().position(|key| key == name));
    // 话术1, 话术2, 答案（备用）
    let stem = |name: &str| {
        let cut = name.find(['(', '（']).unwrap_or(name.len());
        name[..cut].trim_end_matches(|c: char| c.is_ascii_digit() || "一二三四五".contains(c)).to_owned()
    };
    let all_of = |table: &[&str]| -> Vec<usize> {
        (0..names.len()).filter(|at| table.contains(&stem(&names[*at]).as_str())).collect()
    };
    let mut found = Columns {
        replies: all_of(&REPLIES),
        questions: all_of(&QUESTIONS),
        speaker: one_of(&SPEAKERS),
        dialogue: one_of(&DIALOGUES),
        ignore: one_of(&IGNORE),
        header: true,
    };
    let shown: String = header.join(",").chars().take(60).collect();
    if !keys.all() {
        found.replies =
            keys.columns(&header).map_err(|key| format!("there is no column '{key}'; the first row is {shown}"))?;
        let numbered = keys.columns(&vec![String::new(); header.len()]).is_ok();
        let known = found.ignore.is_some() || !found.questions.is_empty() || !all_of(&REPLIES).is_empty();
        found.header = !numbered || known;
    } else if found.replies.is_empty() {
        // One column is a list of replies, whatever stands above it.
        if rows.iter().all(|row| row.len() == 1) {
            (found.replies, found.header) = (vec![0], false);
        } else {
            return Err(format!("cannot tell which column holds the replies; give --keys; the first row is {shown}"));
        }
    }
    found.questions.retain(|at| !found.replies.contains(at));
    Ok(found)
}

fn table(script: &mut Script, keys: &Keys, rows: &[Vec<Cell>], sheet: &str) {
    let columns = match columns(keys, rows) {
        Ok(columns) => columns,
        Err(message) => {
            let sheet = if sheet.is_empty() { String::new() } else { format!("{sheet}: ") };
            return script.problems.push(format!("{}:1: [columns] {sheet}{message}", script.path));
        }
    };
    let header: Vec<String> = rows.first().filter(|_| columns.header).map_or_else(Vec::new, |row| {
        row.iter().map(|cell| cell.text.trim().trim_start_matches('\u{feff}').to_owned()).collect()
    });
    let field =
        |at: usize| header.get(at).filter(|name| !name.is_empty()).cloned().unwrap_or_else(|| (at + 1).to_string());
    let mut open: Option<(String, Vec<usize>)> = None;
    for row in rows.iter().skip(usize::from(columns.header)) {
        let add = |script: &mut Script, at: usize, role: SpeakerRole| {
            let cell = row.get(at).filter(|cell| !cell.text.trim().is_empty())?;
            Some(script.add(Reply { role, text: cell.text.clone(), place: cell.place.clone(), field: field(at) }))
        };
        let speaker = columns.speaker.and_then(|at| script_role(&row.get(at)?.text));
        let asked: Vec<usize> =
            columns.questions.iter().filter_map(|at| add(script, *at, SpeakerRole::Customer)).collect();
        let mut said = Vec::new();
        for at in &columns.replies {
            match add(script, *at, speaker.unwrap_or(SpeakerRole::Agent)) {
                Some(reply) => said.push(reply),
                None => script.skip("空白"),
            }
        }
        let named = [columns.speaker, columns.dialogue, columns.ignore];
        let known =
            |at: usize| named.contains(&Some(at)) || columns.questions.contains(&at) || columns.replies.contains(&at);
        for _ in (0..row.len()).filter(|at| !known(*at) && !row[*at].text.trim().is_empty()) {
            script.skip("其他列");
        }
        if columns.speaker.is_some() {
            let id = columns.dialogue.and_then(|at| row.get(at)).map_or(String::new(), |cell| cell.text.clone());
            match &mut open {
                Some((last, dialogue)) if *last == id => dialogue.extend(&said),
                _ => script.dialogues.extend(open.replace((id, said.clone())).map(|(_, dialogue)| dialogue)),
            }
        } else {
            let with_question = |reply: &usize| asked.iter().copied().chain([*reply]).collect();
            script.dialogues.extend(said.iter().map(with_question));
        }
        if let Some(cell) = columns.ignore.and_then(|at| row.get(at)).filter(|cell| !cell.text.trim().is_empty()) {
            for text in cell.text.split(['\n', ';', '；']).map(str::trim).filter(|text| !text.is_empty()) {
                let reach = Reach::Replies(said.clone());
                script.notes.push(Note { text: text.to_owned(), place: cell.place.clone(), reach });
            }
        }
    }
    script.dialogues.extend(open.map(|(_, dialogue)| dialogue));
}

/// The place of the text from byte `start` of `source` on.
pub(super) fn plain_place(start: usize, text: &str) -> Place {
    let mut alignment = Alignment::default();
    alignment.push(text.len(), start..start + text.len());
    Place::Source { whole: start..start + text.len(), alignment }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_know_where_they_stand() {
        let text = "话术,忽略\r\n\"说\"\"不\"\"行\",a\r\n\r\n退不了,\n";
        let rows = fields(text, b',');
        let places: Vec<Vec<(&str, &str)>> = rows
            .iter()
            .map(|row| {
                row.iter()
                    .map(|cell| match &cell.place {
                        Place::Source { whole, .. } => (cell.text.as_str(), &text[whole.clone()]),
                        Place::Cell { .. } => panic!("no spreadsheet"),
                    })
                    .collect()
            })
            .collect();
        assert_eq!(places[1], [("说\"不\"行", "\"说\"\"不\"\"行\""), ("a", "a")]);
        assert_eq!(places[2], [("退不了", "退不了"), ("", "")]);
    }

    #[test]
    fn columns_are_lettered_as_in_spreadsheets() {
        assert_eq!([0, 25, 26, 701, 702].map(column_letters), ["A", "Z", "AA", "ZZ", "AAA"]);
    }
}
