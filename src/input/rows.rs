//! Rows of a table → rows of conversations: the same for delimited text, worksheets and Parquet.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use crate::input::columns::{self, Columns, Field};
use crate::input::export::{About, Export, Row};
use crate::input::kinds::Kind;
use crate::input::ledger::{Flaw, Skip};
use crate::input::{InputOptions, chat, date};
use crate::model::{Channel, SpeakerRole};

/// The cells of one row.
pub trait Cells {
    /// How many there are.
    fn len(&self) -> usize;
    /// The text of a cell; `None` when its bytes are no text. A cell that the row lacks is empty.
    fn get(&self, column: usize) -> Option<Cow<'_, str>>;
    /// Whether the cell holds what the one of the row before held, told without decoding.
    fn bytes(&self, column: usize) -> &[u8];
}

impl Cells for [String] {
    fn len(&self) -> usize {
        self.len()
    }

    fn get(&self, column: usize) -> Option<Cow<'_, str>> {
        Some(Cow::Borrowed(<[String]>::get(self, column).map_or("", String::as_str)))
    }

    fn bytes(&self, column: usize) -> &[u8] {
        <[String]>::get(self, column).map_or(b"", |cell| cell.as_bytes())
    }
}

/// Bytes. What is longer is no cell, and no row, of a chat.
pub const LONGEST_CELL: usize = 8 << 20;

/// What says that a message was recalled, in a column for it.
const RECALLED: [&[u8]; 3] = [b"1", b"true", "是".as_bytes()];

/// What a list of sessions says about one, for the rows of its messages that do not.
#[derive(Debug, Default)]
pub struct Session {
    agent: String,
    channel: String,
    industry: String,
}

impl Session {
    /// Takes a row of a list of sessions.
    pub(super) fn read(header: &[String], row: &[String], sessions: &mut FxHashMap<String, Session>) {
        let cell =
            |at: Option<usize>| at.and_then(|at| row.get(at)).map(|cell| cell.trim().to_owned()).unwrap_or_default();
        let by_name = |field| columns::by_table(header, field);
        let id = by_name(Field::Conversation)
            .or_else(|| header.iter().position(|cell| cell.trim().eq_ignore_ascii_case("id")));
        let id = cell(id);
        if !id.is_empty() {
            let (agent, channel) = (cell(by_name(Field::Agent)), cell(by_name(Field::Channel)));
            sessions.insert(id, Session { agent, channel, industry: cell(by_name(Field::Industry)) });
        }
    }
}

/// Puts rows into an export.
pub struct Rows<'o> {
    columns: Columns,
    options: &'o InputOptions,
    /// The id of the conversation where the table is one.
    whole: String,
    /// The last speaker and who that is: rows of one speaker come in runs.
    word: Vec<u8>,
    role: SpeakerRole,
    text: String,
    /// The sessions that a list beside the messages tells of, by id.
    pub(super) sessions: Option<&'o FxHashMap<String, Session>>,
}

impl<'o> Rows<'o> {
    /// `whole` is the id of the conversation when the table does not tell conversations apart.
    pub fn new(columns: Columns, whole: &str, options: &'o InputOptions) -> Rows<'o> {
        let (word, role, text) = (Vec::new(), SpeakerRole::Unknown, String::new());
        Rows { columns, options, whole: whole.to_owned(), word, role, text, sessions: None }
    }

    /// Adds one row, or counts why not.
    pub fn push(&mut self, cells: &(impl Cells + ?Sized), line: u64, export: &mut Export) {
        let columns = self.columns;
        if cells.len() < columns.needed() {
            if (0..cells.len()).all(|at| cells.bytes(at).iter().all(u8::is_ascii_whitespace)) {
                return;
            }
            return export.skip(Skip::TooFewColumns, line, &format!("{}/{}", cells.len(), columns.needed()));
        }
        let optional = |column: Option<usize>| column.and_then(|column| cells.get(column)).unwrap_or_default();
        let id = match columns.conversation.or(columns.customer) {
            Some(column) => match cells.get(column) {
                Some(id) => id,
                None => return export.skip(Skip::Undecodable, line, ""),
            },
            None => Cow::Borrowed(self.whole.as_str()),
        };
        let id = id.trim();
        if id.is_empty() {
            if (0..cells.len()).all(|at| cells.bytes(at).iter().all(u8::is_ascii_whitespace)) {
                return;
            }
            return export.skip(Skip::MissingConversation, line, "");
        }
        if is_rounded(id) {
            export.flaw(Flaw::RoundedId, line, id);
        }
        let session = self.sessions.and_then(|sessions| sessions.get(id));
        let time = optional(columns.time);
        // Most times are moments, longer than any day number.
        let serial = (time.len() < 19).then(|| time.parse().ok().and_then(date::from_serial)).flatten();
        let time = serial.map_or(time, Cow::Owned);
        let time = match columns.day {
            Some(_) if date::parse_date(&time).is_none() => {
                Cow::Owned(format!("{} {}", optional(columns.day).trim(), time.trim()))
            }
            _ => time,
        };
        let time = date::standard(&time);
        let about = || {
            let industry = optional(columns.industry);
            let known = [industry.trim(), session.map_or("", |session| &session.industry), &self.options.industry];
            let industry = known.into_iter().find(|name| !name.is_empty()).unwrap_or("");
            let channel = Channel::from_word(&optional(columns.channel));
            let channel = channel.or_else(|| Channel::from_word(&session?.channel));
            About {
                channel: channel.unwrap_or(self.options.channel),
                industry: industry.to_owned(),
                date: date::parse_date(&time),
            }
        };
        let mut text = cells.get(columns.text);
        if cells.len() > columns.width && (columns.width..cells.len()).any(|at| !cells.bytes(at).is_empty()) {
            export.flaw(Flaw::TooManyColumns, line, &format!("{}/{}", cells.len(), columns.width));
            // A delimiter in an unquoted text: what follows it belongs to the text when that is the last column.
            if columns.text + 1 == columns.width
                && let Some(first) = &text
            {
                self.text.clear();
                self.text.push_str(first);
                for rest in (columns.width..cells.len()).filter_map(|at| cells.get(at)) {
                    self.text.push_str(&self.options.delimiter.map_or(",".into(), |d| char::from(d).to_string()));
                    self.text.push_str(&rest);
                }
                text = Some(Cow::Borrowed(&self.text));
            }
        }
        if text.as_ref().is_some_and(|text| memchr::memchr(0, text.as_bytes()).is_some()) {
            export.flaw(Flaw::Nul, line, "");
        }
        let agent = match (optional(columns.agent), session) {
            (agent, Some(session)) if agent.is_empty() => Cow::Borrowed(session.agent.as_str()),
            (agent, _) => agent,
        };
        let Some(role_column) = columns.role else {
            return match &text {
                Some(text) if text.len() > LONGEST_CELL => export.skip(Skip::TooLong, line, ""),
                Some(text) => chat::read_cell(text, id, about, &agent, line, self.options, export),
                None => export.skip(Skip::Undecodable, line, ""),
            };
        };
        let word = optional(columns.role);
        if self.word != cells.bytes(role_column) {
            self.word = cells.bytes(role_column).to_vec();
            self.role = self.options.roles.role(&word);
        }
        let mut role = self.role;
        if role == SpeakerRole::Unknown && !word.trim().is_empty() {
            role = if word == agent {
                SpeakerRole::Agent
            } else if columns.customer.is_some() && word == optional(columns.customer) {
                SpeakerRole::Customer
            } else {
                match self.options.roles.name(&word) {
                    SpeakerRole::Unknown if columns.others_are_customers => SpeakerRole::Customer,
                    role => role,
                }
            };
        }
        let mut kind = columns.kind.and_then(|column| Kind::from_word(&cells.get(column)?));
        if columns.recalled.is_some_and(|column| RECALLED.contains(&cells.bytes(column))) {
            kind = Some(Kind::Recall);
        }
        // The name of an agent stands in the role column where there is none for it.
        let by = if columns.agent.is_none() && role == SpeakerRole::Agent && self.role == SpeakerRole::Unknown {
            &word
        } else {
            &agent
        };
        let text = text.as_deref().ok_or(Skip::Undecodable);
        export.add(id, about, Row { role, word: &word, kind, text, agent: by, time: &time, line });
    }
}

/// `7.30123E+18`: what a spreadsheet makes of a long number.
fn is_rounded(id: &str) -> bool {
    let bytes = id.as_bytes();
    let Some(at) = memchr::memchr2(b'E', b'e', bytes) else { return false };
    let digits = |part: &[u8]| !part.is_empty() && part.iter().all(|b| b.is_ascii_digit() || *b == b'.');
    let exponent = bytes[at + 1..].strip_prefix(b"+").unwrap_or(&[]);
    digits(&bytes[..at]) && !exponent.is_empty() && exponent.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::is_rounded;

    #[test]
    fn ids_rounded_by_a_spreadsheet_are_known() {
        for id in ["7.30123E+18", "2.02609E+15", "7e+12"] {
            assert!(is_rounded(id), "{id}");
        }
        for id in ["1e5", "20260918-0001", "abcE+5", "E+5", "7.3E18", ""] {
            assert!(!is_rounded(id), "{id}");
        }
    }
}
