//! JSON documents and JSON Lines: split into values without reading the whole, then read by [`shapes`].

use std::borrow::Cow;
use std::io::{self, BufRead};

use serde::Deserialize;
use serde_json::Value;

use crate::error::InputError;
use crate::input::export::{About, Export, Row};
use crate::input::ledger::{Flaw, Skip};
use crate::input::{InputOptions, Source, date, shapes};
use crate::model::Channel;

/// Bytes. A conversation longer than this is not read.
const LONGEST_VALUE: usize = 16 << 20;

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    id: Id<'a>,
    #[serde(borrow, default)]
    channel: Cow<'a, str>,
    #[serde(borrow, default)]
    industry: Cow<'a, str>,
    #[serde(borrow, default)]
    date: Option<Cow<'a, str>>,
    #[serde(borrow)]
    turns: Vec<LineTurn<'a>>,
}

/// Ids come as strings or numbers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Id<'a> {
    Text(#[serde(borrow)] Cow<'a, str>),
    Number(serde_json::Number),
}

#[derive(Deserialize)]
struct LineTurn<'a> {
    #[serde(borrow, alias = "role")]
    speaker: Cow<'a, str>,
    #[serde(borrow, default)]
    text: Cow<'a, str>,
    #[serde(borrow, default)]
    agent: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    time: Option<Cow<'a, str>>,
}

/// Reads all values of `reader`: one a line, or the elements of a list, or one document.
///
/// # Errors
/// When the input breaks off.
pub fn read(
    source: &Source<'_>,
    mut reader: impl BufRead,
    options: &InputOptions,
    export: &mut Export,
) -> Result<(), InputError> {
    let lines = is_lines(&source.sample);
    let mut splitter = Splitter::default();
    let mut line = 1;
    loop {
        let next =
            if lines { read_line(&mut reader, &mut splitter.value, &mut line) } else { splitter.next(&mut reader) };
        match next {
            Ok(Some(Found::Value(line))) => push(&splitter.value, line, source, options, export),
            Ok(Some(Found::TooLong(line))) => export.skip(Skip::TooLong, line, ""),
            Ok(Some(Found::Cut(line))) => {
                export.flaw(Flaw::BrokenOff, line, "");
                push(&splitter.value, line, source, options, export);
            }
            Ok(None) => return Ok(()),
            Err(error) => return Err(source.broken(&error, line.max(splitter.line + 1), export)),
        }
    }
}

/// Whether each line is a value of its own: the first one is, and another follows.
fn is_lines(sample: &str) -> bool {
    let mut lines = sample.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or("");
    let value = |line: &str| serde_json::from_str::<serde::de::IgnoredAny>(line).is_ok();
    first.trim_start().starts_with('{')
        && match lines.next() {
            Some(second) => value(first) || (second.trim_start().starts_with("{\"") && first.trim_end().ends_with('}')),
            None => sample.len() < crate::input::SAMPLE / 2,
        }
}

enum Found {
    /// A value that starts on this line.
    Value(u64),
    /// A value that is too long to be read.
    TooLong(u64),
    /// A value that the input ends in.
    Cut(u64),
}

fn read_line(reader: &mut impl BufRead, value: &mut Vec<u8>, line: &mut u64) -> io::Result<Option<Found>> {
    value.clear();
    let whole = super::read_line(reader, value, LONGEST_VALUE)?;
    if value.is_empty() {
        return Ok(None);
    }
    *line += 1;
    Ok(Some(if whole { Found::Value(*line - 1) } else { Found::TooLong(*line - 1) }))
}

/// Cuts a stream into JSON values without understanding them.
#[derive(Default)]
struct Splitter {
    value: Vec<u8>,
    /// Newlines read.
    line: u64,
    /// Open brackets, outermost first.
    open: Vec<u8>,
    /// How many of them are lists whose elements are the values, and what these stand in.
    base: usize,
    /// The list has ended; what follows it in its document is passed over.
    after: bool,
}

impl Splitter {
    fn next(&mut self, reader: &mut impl BufRead) -> io::Result<Option<Found>> {
        self.value.clear();
        let (mut start, mut too_long, mut inside) = (self.line + 1, false, false);
        let (mut string, mut escaped) = (false, false);
        // Where the last string begins and ends, for the key before a list.
        let mut last = 0..0;
        loop {
            let chunk = reader.fill_buf()?;
            if chunk.is_empty() {
                return Ok((inside && !self.value.is_empty()).then_some(Found::Cut(start)));
            }
            let mut used = 0;
            let mut found = None;
            for &byte in chunk {
                used += 1;
                self.line += u64::from(byte == b'\n');
                if !inside {
                    match byte {
                        b' ' | b'\t' | b'\r' | b'\n' | b',' => continue,
                        b'[' if self.base == 0 => {
                            self.open.push(byte);
                            self.base = 1;
                            continue;
                        }
                        b']' | b'}' if self.base > 0 => {
                            self.open.pop();
                            self.after = !self.open.is_empty();
                            self.base = 0;
                            inside = self.after;
                            continue;
                        }
                        _ => {
                            (inside, start) = (true, self.line + 1 - u64::from(byte == b'\n'));
                        }
                    }
                }
                if self.value.len() < LONGEST_VALUE {
                    if !self.after {
                        self.value.push(byte);
                    }
                } else {
                    too_long = true;
                }
                if string {
                    match byte {
                        _ if escaped => escaped = false,
                        b'\\' => escaped = true,
                        b'"' => {
                            string = false;
                            last.end = self.value.len().saturating_sub(1);
                        }
                        _ => {}
                    }
                    continue;
                }
                match byte {
                    b'"' => {
                        string = true;
                        last.start = self.value.len();
                    }
                    b'[' if self.base == 0
                        && !self.after
                        && self.open == [b'{']
                        && is_list(self.value.get(last.clone())) =>
                    {
                        self.open.push(byte);
                        self.base = 2;
                        self.value.clear();
                        (inside, too_long) = (false, false);
                    }
                    b'{' | b'[' => self.open.push(byte),
                    b'}' | b']' => {
                        self.open.pop();
                        if self.open.len() <= self.base {
                            if std::mem::take(&mut self.after) {
                                inside = false;
                                continue;
                            }
                            found = Some(if too_long { Found::TooLong(start) } else { Found::Value(start) });
                            break;
                        }
                    }
                    // A number or a word between values: what it means is told when it is read.
                    b',' | b'\n' if self.open.len() == self.base => {
                        found = Some(Found::Value(start));
                        break;
                    }
                    _ => {}
                }
            }
            reader.consume(used);
            if found.is_some() {
                return Ok(found);
            }
        }
    }
}

fn is_list(key: Option<&[u8]>) -> bool {
    key.is_some_and(|key| shapes::LISTS.iter().any(|list| list.as_bytes() == key))
}

fn push(bytes: &[u8], line: u64, source: &Source<'_>, options: &InputOptions, export: &mut Export) {
    let Some(text) = super::decode_row(bytes, source.encoding, line, export) else {
        return export.skip(Skip::Undecodable, line, "");
    };
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    let mended = mend_surrogates(text);
    if mended.is_some() {
        export.flaw(Flaw::LoneSurrogate, line, "");
    }
    let text = mended.as_deref().unwrap_or(text);
    if memchr::memmem::find(text.as_bytes(), b"\\u0000").is_some() {
        export.flaw(Flaw::Nul, line, "");
    }
    if let Ok(parsed) = serde_json::from_str::<Line<'_>>(text) {
        return push_native(parsed, line, options, export);
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value) => {
            if value.get("turns").is_some_and(Value::is_array) && value.get("id").is_none() {
                return export.skip(Skip::MissingConversation, line, "");
            }
            if !shapes::read(&value, line, source, options, export) {
                export.skip(Skip::Malformed, line, "no messages found");
            }
        }
        Err(error) => {
            // The category and column, not the message: it may quote the text.
            let line = line + (error.line() as u64).saturating_sub(1);
            let detail = format!("{:?} error at column {}", error.classify(), error.column());
            export.skip(Skip::Malformed, line, &detail.to_lowercase());
        }
    }
}

fn push_native(parsed: Line<'_>, line: u64, options: &InputOptions, export: &mut Export) {
    let id = match &parsed.id {
        Id::Text(id) => id.trim().to_owned(),
        Id::Number(id) => id.to_string(),
    };
    if id.is_empty() {
        return export.skip(Skip::MissingConversation, line, "");
    }
    let about = About {
        channel: Channel::from_word(&parsed.channel).unwrap_or(options.channel),
        industry: if parsed.industry.is_empty() { options.industry.clone() } else { parsed.industry.into_owned() },
        date: parsed.date.as_deref().and_then(date::parse_date),
    };
    for turn in &parsed.turns {
        let role = options.roles.role(&turn.speaker);
        let (agent, time) = (turn.agent.as_deref().unwrap_or(""), turn.time.as_deref().unwrap_or(""));
        let (word, text) = (turn.speaker.as_ref(), Ok(turn.text.as_ref()));
        let row = Row { role, word, kind: None, text, agent, time: &date::standard(time), line };
        export.add(&id, || about.clone(), row);
    }
}

/// Reads a list of messages that stands in a cell of a table.
pub(super) fn read_cell(
    text: &str,
    id: &str,
    about: impl Fn() -> About,
    line: u64,
    options: &InputOptions,
    export: &mut Export,
) {
    let read = serde_json::from_str::<Value>(text.trim());
    if !read.is_ok_and(|value| shapes::read_list(&value, id, &about, line, options, export)) {
        export.skip(Skip::Malformed, line, "");
    }
}

/// Replaces `\ud83d` without its other half by U+FFFD; `None` when there is none.
fn mend_surrogates(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let unit = |at: usize| {
        let escape = bytes.get(at..at + 6).filter(|escape| escape.starts_with(b"\\u"))?;
        u16::from_str_radix(std::str::from_utf8(&escape[2..]).ok()?, 16).ok()
    };
    let mut places = Vec::new();
    let mut at = 0;
    while let Some(next) = memchr::memchr(b'\\', bytes.get(at..)?) {
        at += next;
        at += match unit(at) {
            Some(0xd800..=0xdbff) if unit(at + 6).is_some_and(|low| (0xdc00..=0xdfff).contains(&low)) => 12,
            Some(0xd800..=0xdfff) => {
                places.push(at);
                6
            }
            _ => 2,
        };
    }
    if places.is_empty() {
        return None;
    }
    let mut mended = text.to_owned();
    for place in places {
        mended.replace_range(place..place + 6, "\\ufffd");
    }
    Some(mended)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<(u64, String)> {
        let mut reader = io::BufReader::with_capacity(7, text.as_bytes());
        let mut splitter = Splitter::default();
        let mut values = Vec::new();
        while let Some(found) = splitter.next(&mut reader).expect("memory is readable") {
            let (Found::Value(line) | Found::TooLong(line) | Found::Cut(line)) = found;
            values.push((line, String::from_utf8(splitter.value.clone()).expect("UTF-8")));
        }
        values
    }

    #[test]
    fn values_are_split_without_reading_the_whole() {
        let values = |text| split(text).into_iter().map(|(_, value)| value).collect::<Vec<_>>();
        assert_eq!(values("[{\"a\":1},\n {\"b\":[2]}]"), ["{\"a\":1}", "{\"b\":[2]}"]);
        assert_eq!(values("{\"a\":\"}\\\"\"}\n{\"b\":2}"), ["{\"a\":\"}\\\"\"}", "{\"b\":2}"]);
        let wrapped = "{\"code\":0,\"tickets\":[{\"tid\":1},{\"tid\":2}],\"more\":{\"x\":[]}} {\"z\":1}";
        assert_eq!(values(wrapped), ["{\"tid\":1}", "{\"tid\":2}", "{\"z\":1}"]);
        assert_eq!(values("{\"turns\":[{\"x\":1}]}"), ["{\"turns\":[{\"x\":1}]}"]);
        assert_eq!(values("[{\"a\":1},{\"b\""), ["{\"a\":1}", "{\"b\""]);
        assert_eq!(split("[\n{\"a\":1},\n\n{\"b\":2}]").iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 4]);
        assert!(values("").is_empty() && values("[]").is_empty());
    }

    #[test]
    fn lone_surrogates_are_mended() {
        assert_eq!(mend_surrogates(r#"{"a":"\ud83d\ude00"}"#), None);
        assert_eq!(mend_surrogates(r#"{"a":"\ud83dx\ude00"}"#).as_deref(), Some(r#"{"a":"\ufffdx\ufffd"}"#));
        assert_eq!(mend_surrogates(r#"{"a":"\\ud83d"}"#), None);
    }
}
