//! All rows of a run, grouped by conversation. One buffer holds every text; rows are ranges of it.

use std::borrow::Cow;
use std::ops::Range;

use jiff::civil::Date;
use rustc_hash::FxHashMap;

use crate::input::date::parse_date;
use crate::input::ledger::{Ledger, Skip};
use crate::model::{Channel, Conversation, SpeakerRole, Turn};

/// A row as a reader hands it over.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
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

/// A stored row: its text and, right behind it, its time stand in the buffer.
#[derive(Debug)]
struct StoredRow {
    start: usize,
    text: u32,
    time: u32,
    conversation: u32,
    agent: u32,
    role: SpeakerRole,
    line: u64,
}

#[derive(Debug)]
struct Header {
    id: Range<usize>,
    channel: Channel,
    industry: String,
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
    /// Of the current file: the same id in two files is two conversations.
    ids: FxHashMap<Box<str>, u32>,
    files: Vec<String>,
    last: Option<u32>,
    agents: Vec<Box<str>>,
    agent_ids: FxHashMap<Box<str>, u32>,
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
        self.ids.clear();
        self.last = None;
    }

    /// The conversation with this id in the current input, made with `describe` when it is new.
    pub fn conversation(&mut self, id: &str, describe: impl FnOnce() -> (Channel, String, Option<Date>)) -> u32 {
        if let Some(last) = self.last
            && &self.buffer[self.headers[last as usize].id.clone()] == id
        {
            return last;
        }
        let at = match self.ids.get(id) {
            Some(at) => *at,
            None => {
                let at = u32::try_from(self.headers.len()).expect("fewer than 2^32 conversations fit in memory");
                let (channel, industry, date) = describe();
                let start = self.buffer.len();
                self.buffer.push_str(id);
                let file = self.files.len() - 1;
                self.headers.push(Header { id: start..self.buffer.len(), channel, industry, date, file, rows: 0 });
                self.ids.insert(Box::from(id), at);
                self.ledger.conversations += 1;
                at
            }
        };
        self.last = Some(at);
        at
    }

    /// Adds a row to conversation `at`. The caller has counted it in the ledger.
    pub fn push(&mut self, at: u32, row: Row<'_>) {
        let header = &mut self.headers[at as usize];
        header.rows += 1;
        if header.date.is_none() && !row.time.is_empty() {
            header.date = parse_date(row.time);
        }
        let start = self.buffer.len();
        self.buffer.push_str(row.text);
        self.buffer.push_str(row.time);
        let length = |text: &str| u32::try_from(text.len()).expect("a cell is smaller than 4 GiB");
        let (text, time) = (length(row.text), length(row.time));
        let agent = self.intern(row.agent);
        self.rows.push(StoredRow { start, text, time, conversation: at, agent, role: row.role, line: row.line });
    }

    fn intern(&mut self, agent: &str) -> u32 {
        if let Some(last) = self.rows.last().map(|row| row.agent).filter(|last| *self.agents[*last as usize] == *agent)
        {
            return last;
        }
        if let Some(id) = self.agent_ids.get(agent) {
            return *id;
        }
        let id = u32::try_from(self.agents.len()).expect("fewer than 2^32 agents");
        self.agents.push(Box::from(agent));
        self.agent_ids.insert(Box::from(agent), id);
        id
    }

    /// Counts a row that has a role and a text.
    pub fn count<'w>(&mut self, role: SpeakerRole, word: impl FnOnce() -> Cow<'w, str>, text: &str, line: u64) {
        self.ledger.rows += 1;
        let path = self.files.last().map_or("", String::as_str);
        match role {
            _ if text.trim().is_empty() => self.ledger.skip(Skip::EmptyText, path, line, ""),
            SpeakerRole::Agent => self.ledger.judged += 1,
            SpeakerRole::Customer => self.ledger.customer += 1,
            SpeakerRole::System => self.ledger.system += 1,
            SpeakerRole::Unknown => self.ledger.skip(Skip::UnknownRole, path, line, &word()),
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
        let turn = |row: &u32| {
            let row = &self.rows[*row as usize];
            let time = row.start + row.text as usize;
            Turn {
                role: row.role,
                text: &self.buffer[row.start..time],
                agent: &self.agents[row.agent as usize],
                time: &self.buffer[time..time + row.time as usize],
                line: row.line,
            }
        };
        Conversation {
            id: &self.buffer[header.id.clone()],
            channel: header.channel,
            industry: &header.industry,
            date: header.date,
            path: &self.files[header.file],
            turns: self.order[range].iter().map(turn).collect(),
        }
    }
}
