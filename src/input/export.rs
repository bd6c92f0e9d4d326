//! The rows of a run, grouped by conversation. Their strings are stored once each; rows are numbers of them. With a budget, what
//! exceeds it goes to temporary files (`spill.rs`).

use std::sync::Arc;

use jiff::civil::Date;
use rustc_hash::FxHashMap;

use crate::error::InputError;
use crate::input::date::{self, parse_date};
use crate::input::kinds::Kind;
use crate::input::ledger::{Flaw, Ledger, Skip};
use crate::input::spill::{self, Fragment, Merge, Spill};
use crate::input::strings::{StringId, Strings};
use crate::model::{Channel, Conversation, SpeakerRole, Turn};

/// A row as a reader hands it over.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// Who speaks.
    pub role: SpeakerRole,
    /// What the export calls the speaker, for the ledger when the role is not known.
    pub word: &'a str,
    /// What the row is, when the export says that it is no message.
    pub kind: Option<Kind>,
    /// The message, or why there is none. The row keeps its place, so that those after it keep their numbers.
    pub text: Result<&'a str, Skip>,
    /// The agent's name.
    pub agent: &'a str,
    /// The time.
    pub time: &'a str,
    /// 1-based line.
    pub line: u64,
}

/// What is known of a conversation besides its rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// Where it was held.
    pub channel: Channel,
    /// The trade.
    pub industry: String,
    /// The day, where something other than the rows tells it.
    pub date: Option<Date>,
}

/// A stored row. Files of a day have millions of them: 24 bytes each.
#[derive(Debug)]
struct StoredRow {
    text: StringId,
    time: StringId,
    agent: StringId,
    conversation: u32,
    line: u32,
    /// What `line` has no room for.
    line_above: u16,
    role: SpeakerRole,
}

impl StoredRow {
    fn line(&self) -> u64 {
        u64::from(self.line_above) << 32 | u64::from(self.line)
    }
}

#[derive(Debug)]
struct Header {
    id: StringId,
    about: About,
    file: u32,
    rows: u32,
    /// At most what its rows take when encoded.
    bytes: usize,
    /// How many rows of the run stood before its first.
    sequence: u64,
}

/// The rows of a run, or of a batch of it.
#[derive(Debug)]
pub struct Export {
    strings: Strings,
    rows: Vec<StoredRow>,
    headers: Vec<Header>,
    /// Of the current file: the same id in two files is two conversations.
    ids: FxHashMap<StringId, u32>,
    files: Arc<Vec<String>>,
    last: Option<u32>,
    /// What became of the rows.
    pub ledger: Ledger,
    starts: Vec<u32>,
    order: Vec<u32>,
    sequence: u64,
    /// Bytes of memory that rows may take before they go to temporary files.
    budget: usize,
    spill: Option<Spill>,
}

impl Default for Export {
    fn default() -> Export {
        Export::with_budget(usize::MAX)
    }
}

impl Export {
    /// An export whose rows take about `budget` bytes of memory at most.
    pub fn with_budget(budget: usize) -> Export {
        Export {
            strings: Strings::default(),
            rows: Vec::new(),
            headers: Vec::new(),
            ids: FxHashMap::default(),
            files: Arc::default(),
            last: None,
            ledger: Ledger::default(),
            starts: Vec::new(),
            order: Vec::new(),
            sequence: 0,
            budget,
            spill: None,
        }
    }

    /// Leaves room for `bytes` that a reader holds besides the rows, to the end of the run.
    pub(super) fn set_aside(&mut self, bytes: usize) {
        self.budget = self.budget.saturating_sub(bytes).max(self.budget.min(LEAST_BUDGET));
    }

    /// Starts a new input.
    pub fn begin_file(&mut self, name: &str) {
        Arc::make_mut(&mut self.files).push(name.to_owned());
        self.ledger.files += 1;
        self.ids.clear();
        self.last = None;
    }

    /// Adds a row to the conversation with this id in the current input, made with `about` when it is new, and counts it.
    pub fn add(&mut self, id: &str, about: impl FnOnce() -> About, row: Row<'_>) {
        let path = self.files.last().map_or("", String::as_str);
        let kind = match row.text {
            Ok(text) => row.kind.or_else(|| Kind::of(text)),
            Err(_) => None,
        };
        if let Some(kind) = kind {
            *self.ledger.kinds.entry(kind).or_default() += 1;
        }
        let mut role = if kind.is_some() && row.role != SpeakerRole::Customer { SpeakerRole::System } else { row.role };
        self.ledger.rows += 1;
        let text = match row.text {
            Ok(text) if text.len() > LONGEST_TEXT => {
                self.ledger.skip(Skip::TooLong, path, row.line, &text.len().to_string());
                ""
            }
            Ok(text) => {
                match role {
                    _ if text.trim().is_empty() => self.ledger.skip(Skip::EmptyText, path, row.line, ""),
                    SpeakerRole::Agent => self.ledger.judged += 1,
                    SpeakerRole::Customer => self.ledger.customer += 1,
                    SpeakerRole::System => self.ledger.system += 1,
                    SpeakerRole::Unknown => self.ledger.skip(Skip::UnknownRole, path, row.line, shorten(row.word)),
                }
                text
            }
            Err(reason) => {
                self.ledger.skip(reason, path, row.line, "");
                role = row.role;
                ""
            }
        };
        self.reserve();
        let at = self.conversation(id, about);
        self.push(at, role, text, row.agent, row.time, row.line);
    }

    fn conversation(&mut self, id: &str, about: impl FnOnce() -> About) -> u32 {
        if let Some(last) = self.last
            && self.strings.get(self.headers[last as usize].id) == id
        {
            return last;
        }
        let id = self.strings.intern(id);
        let at = match self.ids.get(&id) {
            Some(at) => *at,
            None => {
                let file = u32::try_from(self.files.len().saturating_sub(1)).expect("fewer than 2^32 files");
                let at = self.begin_conversation(id, about(), file, self.sequence);
                self.ids.insert(id, at);
                at
            }
        };
        self.last = Some(at);
        at
    }

    fn begin_conversation(&mut self, id: StringId, about: About, file: u32, sequence: u64) -> u32 {
        let at = u32::try_from(self.headers.len()).expect("fewer than 2^32 conversations fit in memory");
        self.headers.push(Header { id, about, file, rows: 0, bytes: 0, sequence });
        at
    }

    fn push(&mut self, at: u32, role: SpeakerRole, text: &str, agent: &str, time: &str, line: u64) {
        self.sequence += 1;
        let header = &mut self.headers[at as usize];
        header.rows += 1;
        header.bytes += text.len() + agent.len() + time.len() + spill::ROW_BYTES;
        if header.about.date.is_none() && !time.is_empty() {
            header.about.date = parse_date(time);
        }
        let (text, time, agent) = (self.strings.intern(text), self.strings.intern(time), self.strings.intern(agent));
        let (line, line_above) = (line as u32, u16::try_from(line >> 32).unwrap_or(u16::MAX));
        self.rows.push(StoredRow { text, time, agent, conversation: at, line, line_above, role });
    }

    /// Counts a row that could not be read.
    pub fn skip(&mut self, reason: Skip, line: u64, detail: &str) {
        self.ledger.rows += 1;
        self.ledger.skip(reason, self.files.last().map_or("", String::as_str), line, detail);
    }

    /// Notes a flaw of the current input.
    pub fn flaw(&mut self, flaw: Flaw, line: u64, detail: &str) {
        self.ledger.flaw(flaw, self.files.last().map_or("", String::as_str), line, detail);
    }

    /// What the rows take in memory, with their places in order.
    fn memory(&self) -> usize {
        self.strings.memory()
            + self.rows.len() * (size_of::<StoredRow>() + size_of::<u32>())
            + self.headers.len() * (size_of::<Header>() + ID_BYTES)
    }

    /// Sends the rows to temporary files when they exceed the budget.
    fn reserve(&mut self) {
        if self.memory() > self.budget {
            self.spill();
        }
    }

    fn spill(&mut self) {
        let mut spill = self.spill.take().unwrap_or_default();
        // Group within what is in memory: one fragment a conversation.
        self.group();
        for at in 0..self.headers.len() {
            let header = &self.headers[at];
            let conversation = self.get(at);
            let (file, sequence, id) = (header.file, header.sequence, conversation.id);
            for turns in conversation.turns.chunks(spill::PART_ROWS) {
                spill.add(&Fragment { file, sequence, about: header.about.clone(), id, turns });
            }
        }
        self.clear();
        self.spill = Some(spill);
    }

    fn clear(&mut self) {
        self.strings.clear();
        self.rows.clear();
        self.headers.clear();
        self.ids.clear();
        self.starts.clear();
        self.order.clear();
        self.last = None;
    }

    /// Lists the rows of each conversation, in the order they were read.
    fn group(&mut self) {
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

    /// Groups the rows and puts those of each conversation in time order; call once, after the last input, on an export
    /// without a budget.
    pub fn finish(&mut self) {
        self.group();
        self.ledger.conversations += self.headers.len() as u64;
        for pair in self.starts.windows(2) {
            let order = &mut self.order[pair[0] as usize..pair[1] as usize];
            let time = |row: &u32| self.strings.get(self.rows[*row as usize].time);
            if order.is_sorted_by(|a, b| date::plainly_before(time(a), time(b))) {
                continue;
            }
            // A row without a time stays behind the one before it. One time that cannot be told: the order of the file.
            let mut before = i64::MIN;
            let keys: Option<Vec<(i64, u32)>> = order
                .iter()
                .map(|row| {
                    let time = time(row);
                    before = if time.trim().is_empty() { before } else { date::moment(time)? };
                    Some((before, *row))
                })
                .collect();
            if let Some(mut keys) = keys {
                keys.sort_by_key(|(moment, _)| *moment);
                order.iter_mut().zip(keys).for_each(|(place, (_, row))| *place = row);
            }
        }
    }

    /// The conversations in batches, in the order of their first rows, and the ledger.
    ///
    /// # Errors
    /// When the temporary files cannot be written or read.
    pub fn into_batches(mut self) -> Result<(Ledger, Batches), InputError> {
        let oversize = |header: &Header| header.rows as usize > spill::PART_ROWS || header.bytes > spill::PART_BYTES;
        if self.spill.is_some() || self.headers.iter().any(oversize) {
            self.spill();
        }
        match self.spill.take() {
            None => {
                self.finish();
                let ledger = std::mem::take(&mut self.ledger);
                Ok((ledger, Batches { whole: Some(self), merge: None }))
            }
            Some(spill) => {
                let files = Arc::clone(&self.files);
                let mut ledger = std::mem::take(&mut self.ledger);
                let budget = self.budget.min(LARGEST_GROUP);
                drop(self);
                let failed = |error: std::io::Error| InputError::Temporary { message: error.to_string() };
                let merge = spill.merge(budget, files, &mut ledger).map_err(failed)?;
                Ok((ledger, Batches { whole: None, merge: Some(merge) }))
            }
        }
    }

    /// A batch of whole conversations.
    pub(super) fn batch(files: &Arc<Vec<String>>, fragments: impl Iterator<Item = spill::Part>) -> Export {
        let mut export = Export { files: Arc::clone(files), ..Export::default() };
        for part in fragments {
            let id = export.strings.intern(&part.id);
            let at = export.begin_conversation(id, part.about.clone(), part.file, part.sequence);
            part.rows(|role, text, agent, time, line| export.push(at, role, text, agent, time, line));
        }
        export.finish();
        export
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
            let [text, agent, time] = [row.text, row.agent, row.time].map(|id| self.strings.get(id));
            Turn { role: row.role, text, agent, time, line: row.line() }
        };
        Conversation {
            id: self.strings.get(header.id),
            channel: header.about.channel,
            industry: &header.about.industry,
            date: header.about.date,
            path: self.files.get(header.file as usize).map_or("", String::as_str),
            turns: self.order[range].iter().map(turn).collect(),
        }
    }
}

/// Bytes. A message longer than this is not read; desks cut messages at a few thousand characters.
pub const LONGEST_TEXT: usize = 1 << 20;
/// Bytes that rows are given whatever else is held.
const LEAST_BUDGET: usize = 16 << 20;
/// About what the number of an id takes in the map.
const ID_BYTES: usize = 16;
/// Bytes of rows that are grouped at a time when the budget is larger or there is none.
const LARGEST_GROUP: usize = 1 << 28;

/// At most this many characters of a role word: it may be a customer's message in a wrong column.
fn shorten(word: &str) -> &str {
    word.char_indices().nth(12).map_or(word, |(at, _)| &word[..at])
}

/// The conversations of a run, a batch at a time, each whole, in the order of their first rows.
#[derive(Debug)]
pub struct Batches {
    whole: Option<Export>,
    merge: Option<Merge>,
}

impl Batches {
    /// The next batch; `None` after the last.
    ///
    /// # Errors
    /// When a temporary file cannot be read.
    pub fn next_batch(&mut self) -> Result<Option<Export>, InputError> {
        match (self.whole.take(), &mut self.merge) {
            (Some(whole), _) => Ok(Some(whole)),
            (None, Some(merge)) => {
                merge.next_batch().map_err(|error| InputError::Temporary { message: error.to_string() })
            }
            (None, None) => Ok(None),
        }
    }
}
