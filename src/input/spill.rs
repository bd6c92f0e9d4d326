//! Exports larger than the memory given to them. Rows go to temporary files by the hash of their conversation, so that
//! each file can be grouped in memory; the groups are merged in the order of first rows. The files have no name: the system
//! removes them when the process ends, however it ends.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::hash::{Hash, Hasher};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use jiff::civil::Date;
use rustc_hash::{FxHashMap, FxHasher};

use crate::input::export::{About, Export};
use crate::input::ledger::Ledger;
use crate::model::{Channel, SpeakerRole, Turn};

/// Files that rows are divided over, at each level.
const PARTITIONS: usize = 64;
/// Levels of division: 64^3 files of a budget each.
const LEVELS: u32 = 3;
/// A conversation with more rows than this is judged in parts.
pub const PART_ROWS: usize = 20_000;
/// A conversation of more encoded bytes than this is judged in parts.
pub const PART_BYTES: usize = 2 << 20;
/// At most what a row takes besides its texts: a role, a line and three lengths.
pub const ROW_BYTES: usize = 1 + 10 + 3 * 10;
/// Bytes of encoded rows in a batch.
const BATCH: usize = 4 << 20;
/// Bytes of the buffers of one file.
const BUFFER: usize = 1 << 15;

/// Rows of one conversation that stood in memory together.
#[derive(Debug)]
pub struct Fragment<'a> {
    pub file: u32,
    pub sequence: u64,
    pub about: About,
    pub id: &'a str,
    pub turns: &'a [Turn<'a>],
}

/// The rows of one conversation, encoded.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    pub file: u32,
    pub sequence: u64,
    pub about: About,
    pub id: String,
    count: u32,
    encoded: Vec<u8>,
}

/// What has gone to temporary files.
#[derive(Debug, Default)]
pub struct Spill {
    /// With what each holds in bytes; made when first written to.
    partitions: Vec<Option<(BufWriter<File>, usize)>>,
    failed: Option<io::Error>,
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Seven bits a byte, the low ones first.
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn encode(turn: &Turn<'_>, out: &mut Vec<u8>) {
    out.push(match turn.role {
        SpeakerRole::Agent => 0,
        SpeakerRole::Customer => 1,
        SpeakerRole::System => 2,
        SpeakerRole::Unknown => 3,
    });
    put_number(out, turn.line);
    put_text(out, turn.text);
    put_text(out, turn.agent);
    put_text(out, turn.time);
}

/// Reads what [`encode`] wrote; the files are ours, so what they hold is well formed.
struct Decoder<'a>(&'a [u8]);

const OURS: &str = "the temporary file holds what was written to it";

impl<'a> Decoder<'a> {
    fn number(&mut self) -> u64 {
        let mut number = 0;
        for shift in (0..).step_by(7) {
            let (byte, rest) = self.0.split_first().expect(OURS);
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        number
    }

    fn text(&mut self) -> &'a str {
        let length = self.number() as usize;
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        std::str::from_utf8(text).expect(OURS)
    }

    fn turn(&mut self) -> Turn<'a> {
        let (role, rest) = self.0.split_first().expect(OURS);
        self.0 = rest;
        let role = match role {
            0 => SpeakerRole::Agent,
            1 => SpeakerRole::Customer,
            2 => SpeakerRole::System,
            _ => SpeakerRole::Unknown,
        };
        let line = self.number();
        Turn { role, line, text: self.text(), agent: self.text(), time: self.text() }
    }
}

impl Part {
    fn of(fragment: &Fragment<'_>) -> Part {
        let mut encoded = Vec::new();
        fragment.turns.iter().for_each(|turn| encode(turn, &mut encoded));
        let count = u32::try_from(fragment.turns.len()).expect("fewer than 2^32 rows fit in memory");
        let (file, sequence, about) = (fragment.file, fragment.sequence, fragment.about.clone());
        Part { file, sequence, about, id: fragment.id.to_owned(), count, encoded }
    }

    /// Hands over the rows: role, text, agent, time, line.
    pub fn rows(&self, mut act: impl FnMut(SpeakerRole, &str, &str, &str, u64)) {
        let mut decoder = Decoder(&self.encoded);
        for _ in 0..self.count {
            let turn = decoder.turn();
            act(turn.role, turn.text, turn.agent, turn.time, turn.line);
        }
    }

    fn write(&self, out: &mut impl Write) -> io::Result<usize> {
        let mut head = Vec::with_capacity(64 + self.id.len());
        put_number(&mut head, u64::from(self.file));
        put_number(&mut head, self.sequence);
        put_number(
            &mut head,
            Channel::ALL.iter().position(|channel| *channel == self.about.channel).unwrap_or(0) as u64,
        );
        put_text(&mut head, &self.about.date.map(|date| date.to_string()).unwrap_or_default());
        put_text(&mut head, &self.about.industry);
        put_text(&mut head, &self.id);
        put_number(&mut head, u64::from(self.count));
        for length in [head.len(), self.encoded.len()] {
            out.write_all(&u32::try_from(length).expect("a part is smaller than 4 GiB").to_le_bytes())?;
        }
        out.write_all(&head)?;
        out.write_all(&self.encoded)?;
        Ok(8 + head.len() + self.encoded.len())
    }

    /// The next part; `None` at the end.
    fn read(input: &mut impl Read) -> io::Result<Option<Part>> {
        let mut lengths = [0u8; 8];
        match input.read_exact(&mut lengths) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        let length = |at: usize| u32::from_le_bytes(lengths[at..at + 4].try_into().expect("four bytes")) as usize;
        let mut head = vec![0; length(0)];
        let mut encoded = vec![0; length(4)];
        input.read_exact(&mut head)?;
        input.read_exact(&mut encoded)?;
        let mut decoder = Decoder(&head);
        let file = u32::try_from(decoder.number()).expect(OURS);
        let sequence = decoder.number();
        let channel = Channel::ALL[decoder.number() as usize];
        let date: Option<Date> = decoder.text().parse().ok();
        let industry = decoder.text().to_owned();
        let id = decoder.text().to_owned();
        let count = u32::try_from(decoder.number()).expect(OURS);
        Ok(Some(Part { file, sequence, about: About { channel, industry, date }, id, count, encoded }))
    }

    fn place(&self, level: u32) -> usize {
        let mut hasher = FxHasher::default();
        (level, self.file, &self.id).hash(&mut hasher);
        // The upper bits: FxHasher mixes upwards.
        (hasher.finish() >> 58) as usize % PARTITIONS
    }
}

impl Spill {
    /// Writes a fragment to its file. A failure is kept and reported at the merge.
    pub fn add(&mut self, fragment: &Fragment<'_>) {
        if self.failed.is_none()
            && let Err(error) = self.write(&Part::of(fragment), 0)
        {
            self.failed = Some(error);
        }
    }

    fn write(&mut self, part: &Part, level: u32) -> io::Result<()> {
        self.partitions.resize_with(PARTITIONS, || None);
        let partition = &mut self.partitions[part.place(level)];
        if partition.is_none() {
            *partition = Some((BufWriter::with_capacity(BUFFER, tempfile::tempfile()?), 0));
        }
        if let Some((file, bytes)) = partition {
            *bytes += part.write(file)?;
        }
        Ok(())
    }

    /// Groups every file within `budget` bytes, and merges.
    ///
    /// # Errors
    /// When a temporary file cannot be written or read.
    pub fn merge(self, budget: usize, files: Arc<Vec<String>>, ledger: &mut Ledger) -> io::Result<Merge> {
        let mut grouping = Grouping { budget, files: &files, ledger };
        let runs = grouping.runs(self, 0)?;
        Ok(Merge { runs: Runs::new(runs)?, files })
    }
}

struct Grouping<'l> {
    budget: usize,
    files: &'l [String],
    ledger: &'l mut Ledger,
}

impl Grouping<'_> {
    /// One sorted file a partition.
    fn runs(&mut self, spill: Spill, level: u32) -> io::Result<Vec<File>> {
        if let Some(error) = spill.failed {
            return Err(error);
        }
        let mut runs = Vec::new();
        for (partition, bytes) in spill.partitions.into_iter().flatten() {
            let mut file = partition.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.seek(SeekFrom::Start(0))?;
            let mut reader = BufReader::with_capacity(1 << 18, file);
            if bytes <= self.budget || level + 1 == LEVELS {
                runs.push(self.group(&mut reader)?);
                continue;
            }
            let mut finer = Spill::default();
            while let Some(part) = Part::read(&mut reader)? {
                finer.write(&part, level + 1)?;
            }
            drop(reader);
            let mut merged = Runs::new(self.runs(finer, level + 1)?)?;
            let mut run = BufWriter::with_capacity(1 << 18, tempfile::tempfile()?);
            while let Some(part) = merged.next()? {
                part.write(&mut run)?;
            }
            runs.push(rewound(run)?);
        }
        Ok(runs)
    }

    /// Joins the fragments of each conversation and sorts by first row. A conversation that grows too large is cut, so that
    /// memory stays bounded even when the whole export is one conversation.
    fn group(&mut self, reader: &mut impl Read) -> io::Result<File> {
        let mut open: FxHashMap<(u32, String), (u32, Part)> = FxHashMap::default();
        let mut closed: Vec<(u64, u64)> = Vec::new();
        let mut parts = BufWriter::with_capacity(1 << 18, tempfile::tempfile()?);
        let mut written = 0u64;
        while let Some(fragment) = Part::read(reader)? {
            let key = (fragment.file, fragment.id.clone());
            let (number, part) = open.entry(key).or_insert_with(|| (1, empty(&fragment, fragment.sequence)));
            part.about.date = part.about.date.or(fragment.about.date);
            let mut rest = Decoder(&fragment.encoded);
            if part.count + fragment.count <= PART_ROWS as u32 && part.encoded.len() + rest.0.len() <= PART_BYTES {
                part.encoded.extend_from_slice(rest.0);
                part.count += fragment.count;
                continue;
            }
            for _ in 0..fragment.count {
                let start = rest.0;
                let line = rest.turn().line;
                let row = &start[..start.len() - rest.0.len()];
                if part.count as usize == PART_ROWS || part.encoded.len() + row.len() > PART_BYTES.max(row.len()) {
                    let path = self.files.get(fragment.file as usize).map_or("", String::as_str);
                    *number += 1;
                    self.ledger.notices.push(format!(
                        "{path}:{line}: conversation '{0}' is too large to be judged in one piece; goes on as '{0}#{number}'",
                        fragment.id
                    ));
                    // The parts stand together: the same place, told apart by their order in the file.
                    let mut next = empty(&fragment, part.sequence);
                    next.id = format!("{}#{number}", fragment.id);
                    next.about.date = part.about.date;
                    let full = std::mem::replace(part, next);
                    closed.push((full.sequence, written));
                    written += full.write(&mut parts)? as u64;
                    self.ledger.conversations += 1;
                }
                part.encoded.extend_from_slice(row);
                part.count += 1;
            }
        }
        let mut open: Vec<Part> = open.into_values().map(|(_, part)| part).collect();
        open.sort_by_key(|part| part.sequence);
        self.ledger.conversations += open.len() as u64;
        if closed.is_empty() {
            for part in &open {
                part.write(&mut parts)?;
            }
            return rewound(parts);
        }
        for part in &open {
            closed.push((part.sequence, written));
            written += part.write(&mut parts)? as u64;
        }
        drop(open);
        closed.sort_unstable();
        let mut reader = BufReader::with_capacity(1 << 18, rewound(parts)?);
        let mut run = BufWriter::with_capacity(1 << 18, tempfile::tempfile()?);
        for (_, offset) in closed {
            reader.seek(SeekFrom::Start(offset))?;
            if let Some(part) = Part::read(&mut reader)? {
                part.write(&mut run)?;
            }
        }
        rewound(run)
    }
}

fn empty(fragment: &Part, sequence: u64) -> Part {
    let (file, id, about) = (fragment.file, fragment.id.clone(), fragment.about.clone());
    Part { file, sequence, about, id, count: 0, encoded: Vec::new() }
}

fn rewound(file: BufWriter<File>) -> io::Result<File> {
    let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// Sorted files, read as one.
#[derive(Debug)]
struct Runs {
    readers: Vec<BufReader<File>>,
    heads: BinaryHeap<Reverse<Head>>,
}

#[derive(Debug, PartialEq, Eq)]
struct Head {
    part: Part,
    run: usize,
}

impl Ord for Head {
    fn cmp(&self, other: &Head) -> std::cmp::Ordering {
        (self.part.sequence, self.run).cmp(&(other.part.sequence, other.run))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Head) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Runs {
    fn new(runs: Vec<File>) -> io::Result<Runs> {
        let readers = runs.into_iter().map(|run| BufReader::with_capacity(BUFFER, run)).collect();
        let mut runs = Runs { readers, heads: BinaryHeap::new() };
        for run in 0..runs.readers.len() {
            runs.advance(run)?;
        }
        Ok(runs)
    }

    fn advance(&mut self, run: usize) -> io::Result<()> {
        if let Some(part) = Part::read(&mut self.readers[run])? {
            self.heads.push(Reverse(Head { part, run }));
        }
        Ok(())
    }

    fn next(&mut self) -> io::Result<Option<Part>> {
        let Some(Reverse(Head { part, run })) = self.heads.pop() else { return Ok(None) };
        self.advance(run)?;
        Ok(Some(part))
    }
}

/// The merged conversations.
#[derive(Debug)]
pub struct Merge {
    runs: Runs,
    files: Arc<Vec<String>>,
}

impl Merge {
    /// The next conversations, some megabytes of them; `None` after the last.
    ///
    /// # Errors
    /// When a temporary file cannot be read.
    pub fn next_batch(&mut self) -> io::Result<Option<Export>> {
        let (mut bytes, mut parts) = (0, Vec::new());
        while bytes < BATCH
            && let Some(part) = self.runs.next()?
        {
            bytes += part.encoded.len();
            parts.push(part);
        }
        Ok((!parts.is_empty()).then(|| Export::batch(&self.files, parts.into_iter())))
    }
}
