//! All rows of a run, grouped by conversation. One buffer holds every text; rows are ranges of it.

use std::ops::Range;

use jiff::civil::Date;
use rustc_hash::FxHashMap;

use crate::input::date::parse_date;
use crate::input::ledger::{Ledger, Skip};
use crate::model::{Channel, Conversation, SpeakerRole, Turn};

type Piece = Range<usize>;

/// A row as a reader hands it over.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The conversation's id.
    pub conversation: &'a str,
    /// Who speaks.
    pub role: SpeakerRole,
    /// The message; empty where the export has none or it could not be decoded.
    pub text: &'a str,
    /// The agent's name.
    pub agent: &'a str,
    /// The time.
    pub time: &'a str,
    /// 1-based line.
    pub line: u64,
}

#[derive(Debug)]
struct StoredRow {
    conversation: u32,
    role: SpeakerRole,
    text: Piece,
    agent: Piece,
    time: Piece,
    line: u64,
}

#[derive(Debug)]
struct Header {
    id: Piece,
    channel: Channel,
    industry: Piece,
    date: Option<Date>,
    file: usize,
    rows: u32,
}

/// The rows of a run.
#[derive(Debug, Default)]
pub struct Export {
    buffer: String,
    rows: Vec<StoredRow>,
    headers: Vec<Header>,
    /// By file and id: the same id in two files is two conversations.
    ids: FxHashMap<(usize, Box<str>), u32>,
    files: Vec<String>,
    last: Option<u32>,
    agent: Piece,
    /// What became of the rows.
    pub ledger: Ledger,
    starts: Vec<u32>,
    order: Vec<u32>,
}

impl Export {
    /// Starts a new input.
    pub fn begin_file(&mut self, name: &str) {
        self.files.push(name.to_owned());
        self.ledger.files += 1;
        self.last = None;
    }

    /// The conversation with this id in the current input, made with `describe` when it is new.
    pub fn conversation(&mut self, id: &str, describe: impl FnOnce() -> (Channel, String, Option<Date>)) -> u32 {
        if let Some(last) = self.last
            && &self.buffer[self.headers[last as usize].id.clone()] == id
        {
            return last;
        }
        let file = self.files.len() - 1;
        let key = (file, Box::from(id));
        let at = match self.ids.get(&key) {
            Some(at) => *at,
            None => {
                let at = u32::try_from(self.headers.len()).expect("fewer than 2^32 conversations fit in memory");
                let (channel, industry, date) = describe();
                let header = Header {
                    id: self.store(id),
                    channel,
                    industry: self.store(&industry),
                    date,
                    file,
                    rows: 0,
                };
                self.headers.push(header);
                self.ids.insert(key, at);
                self.ledger.conversations += 1;
                at
            }
        };
        self.last = Some(at);
        at
    }

    /// Adds a row to conversation `at`. The caller has counted it in the ledger if it is skipped.
    pub fn push(&mut self, at: u32, row: Row<'_>) {
        let header = &mut self.headers[at as usize];
        header.rows += 1;
        if header.date.is_none() && !row.time.is_empty() {
            header.date = parse_date(row.time);
        }
        let text = self.store(row.text);
        let time = self.store(row.time);
        if &self.buffer[self.agent.clone()] != row.agent {
            self.agent = self.store(row.agent);
        }
        let agent = self.agent.clone();
        self.rows.push(StoredRow { conversation: at, role: row.role, text, agent, time, line: row.line });
    }

    /// Counts a row that has a role and a text.
    pub fn count(&mut self, role: SpeakerRole, word: &str, text: &str, line: u64) {
        self.ledger.rows += 1;
        let path = self.files.last().map_or("", String::as_str);
        match role {
            _ if text.trim().is_empty() => self.ledger.skip(Skip::EmptyText, path, line, ""),
            SpeakerRole::Agent => self.ledger.judged += 1,
            SpeakerRole::Customer => self.ledger.customer += 1,
            SpeakerRole::System => self.ledger.system += 1,
            SpeakerRole::Unknown => self.ledger.skip(Skip::UnknownRole, path, line, word),
        }
    }

    /// Counts a row that could not be read.
    pub fn skip(&mut self, reason: Skip, line: u64, detail: &str) {
        self.ledger.rows += 1;
        self.ledger.skip(reason, self.files.last().map_or("", String::as_str), line, detail);
    }

    /// Groups the rows; call once, after the last input.
    pub fn finish(&mut self) {
        let mut next = 0u32;
        self.starts = Vec::with_capacity(self.headers.len() + 1);
        for header in &self.headers {
            self.starts.push(next);
            next += header.rows;
        }
        self.starts.push(next);
        let mut fill = self.starts.clone();
        self.order = vec![0; self.rows.len()];
        for (at, row) in (0u32..).zip(&self.rows) {
            let place = &mut fill[row.conversation as usize];
            self.order[*place as usize] = at;
            *place += 1;
        }
    }

    /// How many conversations there are.
    pub fn len(&self) -> usize {
        self.headers.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.headers.is_empty()
    }

    /// Conversation `at`, in the order of first rows. Call after [`finish`](Self::finish).
    ///
    /// # Panics
    /// When `at` is not below [`len`](Self::len).
    pub fn get(&self, at: usize) -> Conversation<'_> {
        let header = &self.headers[at];
        let range = self.starts[at] as usize..self.starts[at + 1] as usize;
        let piece = |piece: &Piece| &self.buffer[piece.clone()];
        let turn = |row: &u32| {
            let row = &self.rows[*row as usize];
            Turn {
                role: row.role,
                text: piece(&row.text),
                agent: piece(&row.agent),
                time: piece(&row.time),
                line: row.line,
            }
        };
        Conversation {
            id: piece(&header.id),
            channel: header.channel,
            industry: piece(&header.industry),
            date: header.date,
            path: &self.files[header.file],
            turns: self.order[range].iter().map(turn).collect(),
        }
    }

    fn store(&mut self, text: &str) -> Piece {
        let start = self.buffer.len();
        self.buffer.push_str(text);
        start..self.buffer.len()
    }
}
