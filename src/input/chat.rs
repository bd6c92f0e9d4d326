//! Plain text chats, as copied from chat windows or saved by chat programs: who spoke stands before or above the message.

use std::collections::VecDeque;
use std::io::BufRead;

use crate::error::InputError;
use crate::input::export::{About, Export, LONGEST_TEXT, Row};
use crate::input::kinds::Kind;
use crate::input::ledger::Skip;
use crate::input::roles::RoleWords;
use crate::input::{InputOptions, Source, date};
use crate::model::SpeakerRole;

/// Where the speaker and the time stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `2024-01-01 12:00:00 张三: 你好`
    TimeNameText,
    /// `2017-02-25 10:40:20 昵称(12345)`, the message below.
    TimeName,
    /// `昵称2025-9-1 9:03:22` with or without a blank, or `A --> B 2025-9-1 9:03:22`; the message below.
    NameTime,
    /// The name on one line, the time on the next, the message below.
    NameThenTime,
    /// Three lines a message: name, message, time.
    NameTextTime,
    /// `客服小王 10:32 您好`, or the message below.
    NameClock,
    /// `客服：您好`, `[客服] 您好`
    NameText,
}

impl Layout {
    const ALL: [Layout; 7] = [
        Layout::TimeNameText,
        Layout::NameTextTime,
        Layout::NameThenTime,
        Layout::TimeName,
        Layout::NameTime,
        Layout::NameClock,
        Layout::NameText,
    ];

    /// An example, for people.
    pub fn example(self) -> &'static str {
        match self {
            Layout::TimeNameText => "2024-01-01 12:00:00 张三: 你好",
            Layout::TimeName => "2024-01-01 12:00:00 张三 ⏎ 你好",
            Layout::NameTime => "张三 2024-01-01 12:00:00 ⏎ 你好",
            Layout::NameThenTime => "张三 ⏎ 2024-01-01 12:00:00 ⏎ 你好",
            Layout::NameTextTime => "张三 ⏎ 你好 ⏎ 2024-01-01 12:00:00",
            Layout::NameClock => "张三 12:00 你好",
            Layout::NameText => "张三：你好",
        }
    }
}

/// Characters of a name; what is longer is a message.
const LONGEST_NAME: usize = 40;
/// Bytes of a time.
const LONGEST_MOMENT: usize = 48;
/// Lines that a layout looks ahead.
const AHEAD: usize = 3;

/// Who speaks and when, with the part of the message on the same line.
struct Head<'a> {
    name: &'a str,
    time: &'a str,
    text: &'a str,
    /// Lines it takes.
    lines: usize,
}

impl Layout {
    /// The head of a message that starts at the first of `lines`.
    fn head<'a>(self, lines: &[&'a str]) -> Option<Head<'a>> {
        let line = lines.first()?.trim();
        let (name, time, text, lines) = match self {
            Layout::TimeNameText => {
                let (time, rest) = moment(line)?;
                let (name, text) = before_colon(rest.trim_start())?;
                (name, time, text, 1)
            }
            Layout::TimeName => {
                let (time, rest) = moment(line)?;
                let name = rest.trim();
                let inline = |(before, text): (&str, &str)| !text.is_empty() && !before.ends_with('店');
                if name.is_empty() || before_colon(name).is_some_and(inline) {
                    return None;
                }
                (name, time, "", 1)
            }
            Layout::NameTime => {
                let (name, time) = name_before_moment(line)?;
                (name, time, "", 1)
            }
            Layout::NameThenTime => {
                let (time, rest) = moment(lines.get(1)?.trim())?;
                if !rest.trim().is_empty() || moment(line).is_some() {
                    return None;
                }
                (line, time, "", 2)
            }
            Layout::NameTextTime => {
                let (time, rest) = moment(lines.get(2)?.trim())?;
                let text = lines.get(1)?.trim();
                if !rest.trim().is_empty() || moment(line).is_some() || moment(text).is_some() {
                    return None;
                }
                (line, time, text, 3)
            }
            Layout::NameClock => {
                let (name, rest) = line.split_once([' ', '\t', '\u{a0}'])?;
                let rest = rest.trim_start();
                let (_, text) = date::parse_time(rest)?;
                let time = &rest[..rest.len() - text.len()];
                if !(text.is_empty() || text.starts_with([' ', '\t', '：', ':', '\u{a0}'])) {
                    return None;
                }
                (name, time, text.trim_start_matches(['：', ':', ' ', '\t', '\u{a0}']), 1)
            }
            Layout::NameText => {
                let bracketed = line.strip_prefix(['[', '【']).and_then(|rest| rest.split_once([']', '】']));
                let (name, text) = match bracketed {
                    Some((name, text)) if Kind::of(line).is_none() => (name, text.trim_start_matches(['：', ':', ' '])),
                    _ => before_colon(line)?,
                };
                (name, "", text, 1)
            }
        };
        let name = plain_name(name);
        let day = date::parse(name).is_some_and(|(_, rest)| rest.is_empty());
        (!name.is_empty() && !day && name.chars().count() <= LONGEST_NAME).then_some(Head { name, time, text, lines })
    }

    /// The layout that fits most lines; `None` when none fits.
    fn detect(lines: &[&str], roles: &RoleWords) -> Option<Layout> {
        let lines: Vec<&str> = lines.iter().copied().filter(|line| !line.trim().is_empty()).collect();
        let count = |layout: Layout| {
            let (mut at, mut heads) = (0, 0);
            while at < lines.len() {
                match layout.head(&lines[at..lines.len().min(at + AHEAD)]) {
                    Some(head) => {
                        // A line of the form "字：字" is a message as often as a head, unless the name is known.
                        heads += usize::from(layout != Layout::NameText || known(&lines, head.name, roles));
                        at += head.lines;
                    }
                    None => at += 1,
                }
            }
            let first = layout.head(&lines[..lines.len().min(AHEAD)]).is_some();
            (heads, first)
        };
        let best = Layout::ALL.into_iter().rev().map(|layout| (count(layout), layout)).max_by_key(|(count, _)| *count);
        best.filter(|((heads, _), _)| *heads > 0).map(|(_, layout)| layout)
    }
}

/// Whether the name is known, or stands before several lines.
fn known(lines: &[&str], name: &str, roles: &RoleWords) -> bool {
    roles.name(name) != SpeakerRole::Unknown
        || lines.iter().filter(|line| line.trim_start().starts_with(name)).count() > 1
}

/// The time that starts a line, and what follows; a day without a time does not count.
fn moment(line: &str) -> Option<(&str, &str)> {
    let line = line.strip_prefix(['[', '(', '（', '【']).unwrap_or(line);
    let (_, rest) = date::parse(line)?;
    let time = &line[..line.len() - rest.len()];
    let rest = rest.strip_prefix([']', ')', '）', '】']).unwrap_or(rest);
    time.contains([':', '：', '时']).then_some((time, rest))
}

/// `昵称2025-9-1 9:03:22`: a time that ends the line.
fn name_before_moment(line: &str) -> Option<(&str, &str)> {
    if line.len() > 4 * LONGEST_NAME + LONGEST_MOMENT {
        return None;
    }
    let mut starts = line.char_indices().filter(|(at, c)| *at > 0 && c.is_ascii_digit());
    let (name, time) = starts.find_map(|(at, _)| {
        let (time, rest) = moment(&line[at..])?;
        rest.trim().is_empty().then_some((&line[..at], time))
    })?;
    let name = name.trim().trim_end_matches(['(', '（', '[']).trim_end();
    let name = name.split_once("-->").map_or(name, |(from, _)| from.trim());
    Some((name, time))
}

/// `客服：您好` → `客服`, `您好`. The colon of a shop account belongs to the name.
fn before_colon(line: &str) -> Option<(&str, &str)> {
    let at = line.find(['：', ':'])?;
    let colon = line[at..].chars().next()?.len_utf8();
    let (mut name, mut text) = (&line[..at], &line[at + colon..]);
    if name.ends_with('店')
        && let Some(next) = text.find(['：', ':'])
        && text[..next].chars().count() <= 12
    {
        let colon = text[next..].chars().next()?.len_utf8();
        name = &line[..at + line[at..].len() - text.len() + next];
        text = &text[next + colon..];
    }
    let clock = name.ends_with(|c: char| c.is_ascii_digit()) && text.starts_with(|c: char| c.is_ascii_digit());
    let number = name.chars().all(|c| c.is_ascii_digit() || c.is_whitespace());
    let long = name.chars().count() > LONGEST_NAME;
    let prose = name.contains(['，', '。', '？', '！', '?', '!', ',']) || text.starts_with("//");
    let plausible = !(clock || number || long || prose);
    plausible.then(|| (name.trim(), text.trim_start()))
}

/// `【管理员】昵称(12345)`, `昵称<a@b.cn>` → `昵称`.
fn plain_name(name: &str) -> &str {
    let mut name = name.trim();
    if let Some((_, rest)) = name.strip_prefix('【').and_then(|rest| rest.split_once('】'))
        && !rest.is_empty()
    {
        name = rest;
    }
    for (open, close) in [('(', ')'), ('<', '>'), ('（', '）')] {
        if let Some((before, inside)) = name.strip_suffix(close).and_then(|rest| rest.rsplit_once(open))
            && !before.is_empty()
            && inside.is_ascii()
        {
            name = before;
        }
    }
    name.trim().trim_end_matches(['：', ':'])
}

/// How a chat is written.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Where the speaker stands.
    pub layout: Layout,
    /// Whether speakers who are not known to be agents are customers: some are known to be agents.
    pub others_are_customers: bool,
}

impl Style {
    /// Tells the style from the first lines; `None` when they are no chat.
    pub fn detect(sample: &str, roles: &RoleWords) -> Option<Style> {
        let lines: Vec<&str> = sample.lines().take(400).collect();
        let layout = Layout::detect(&lines, roles)?;
        let heads = (0..lines.len()).filter_map(|at| layout.head(&lines[at..lines.len().min(at + AHEAD)]));
        let others_are_customers = heads.into_iter().any(|head| roles.name(head.name) == SpeakerRole::Agent);
        Some(Style { layout, others_are_customers })
    }
}

/// Whether `text` is a conversation: two messages at least, or one with a known speaker.
pub fn is_chat(text: &str, roles: &RoleWords) -> bool {
    let text = text.trim_start();
    if text.starts_with("[{") {
        return true;
    }
    let lines: Vec<&str> = text.lines().take(40).collect();
    let Some(layout) = Layout::detect(&lines, roles) else { return false };
    layout.head(&lines[..lines.len().min(AHEAD)]).is_some()
}

/// Turns lines into rows.
struct Reader<'o, 'e, A: Fn() -> About> {
    style: Style,
    options: &'o InputOptions,
    export: &'e mut Export,
    id: String,
    about: A,
    agent: &'o str,
    open: Option<Open>,
}

/// The message whose lines are being read.
struct Open {
    name: String,
    time: String,
    text: String,
    line: u64,
}

impl<A: Fn() -> About> Reader<'_, '_, A> {
    /// Takes one message or line from the front of `lines`; returns how many lines that was.
    fn take(&mut self, lines: &[&str], line: u64) -> usize {
        if let Some(head) = self.style.layout.head(lines) {
            self.close();
            let time = date::standard(head.time).into_owned();
            self.open = Some(Open { name: head.name.to_owned(), time, text: head.text.to_owned(), line });
            return head.lines;
        }
        let text = lines[0].trim();
        if let Some(group) = text.strip_prefix("消息对象:").or_else(|| text.strip_prefix("消息对象：")) {
            self.close();
            self.id = group.trim().to_owned();
        }
        let rule = text.chars().all(|c| matches!(c, '=' | '-' | '—' | '*'));
        let notice = matches!(Kind::of(text), Some(Kind::Receipt | Kind::Recall | Kind::Notice | Kind::Card));
        match &mut self.open {
            _ if text.is_empty() || rule => {}
            Some(open) if !notice => {
                // What is too long is counted as such; no need to keep more of it.
                if open.text.len() <= LONGEST_TEXT {
                    if !open.text.is_empty() {
                        open.text.push('\n');
                    }
                    open.text.push_str(text);
                }
            }
            _ => {
                self.close();
                self.add(SpeakerRole::System, "", Some(Kind::of(text).unwrap_or(Kind::Notice)), text, "", "", line);
            }
        }
        1
    }

    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        let role = match self.options.roles.name(&open.name) {
            SpeakerRole::Unknown if self.style.others_are_customers => SpeakerRole::Customer,
            role => role,
        };
        // A name is personal data: the ledger gets its first character.
        let hidden: String = open.name.chars().take(1).chain("**".chars()).collect();
        let agent = if role == SpeakerRole::Agent && self.agent.is_empty() { open.name.as_str() } else { self.agent };
        self.add(role, &hidden, None, &open.text, &open.time, agent, open.line);
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of a row")]
    fn add(
        &mut self,
        role: SpeakerRole,
        word: &str,
        kind: Option<Kind>,
        text: &str,
        time: &str,
        agent: &str,
        line: u64,
    ) {
        let row = Row { role, word, kind, text: Ok(text), agent, time, line };
        self.export.add(&self.id, &self.about, row);
    }
}

/// Reads a conversation that stands in one cell, as a text or as a JSON list of messages.
pub(super) fn read_cell(
    text: &str,
    id: &str,
    about: impl Fn() -> About,
    agent: &str,
    line: u64,
    options: &InputOptions,
    export: &mut Export,
) {
    if text.trim().is_empty() {
        return export.skip(Skip::EmptyText, line, "");
    }
    if text.trim_start().starts_with("[{") {
        return crate::input::json::read_cell(text, id, about, line, options, export);
    }
    let Some(style) = Style::detect(text, &options.roles) else {
        return export.skip(Skip::Malformed, line, "");
    };
    let lines: Vec<&str> = text.lines().collect();
    let mut reader = Reader { style, options, export, id: id.to_owned(), about, agent, open: None };
    let mut at = 0;
    while at < lines.len() {
        at += reader.take(&lines[at..lines.len().min(at + AHEAD)], line);
    }
    reader.close();
}

/// Reads a text file as one conversation, or as several where it names them.
///
/// # Errors
/// When the input breaks off or is no chat.
pub fn read(
    source: &Source<'_>,
    mut reader: impl BufRead,
    options: &InputOptions,
    export: &mut Export,
) -> Result<(), InputError> {
    if source.sample.trim().is_empty() {
        return Ok(());
    }
    let Some(style) = Style::detect(&source.sample, &options.roles) else {
        return Err(
            source.unreadable("no speaker can be told from its lines", "see docs/formats.md for the forms of chats")
        );
    };
    let about = || About { channel: options.channel, industry: options.industry.clone(), date: None };
    let mut rows = Reader { style, options, export, id: source.stem().to_owned(), about, agent: "", open: None };
    let mut window: VecDeque<(u64, String)> = VecDeque::new();
    let mut lines = Lines { next: 1, bytes: Vec::new() };
    loop {
        while window.len() < AHEAD {
            match lines.read(&mut reader, source, rows.export) {
                Ok(Some(line)) => window.push_back(line),
                Ok(None) => break,
                Err(error) => {
                    rows.close();
                    return Err(source.broken(&error, lines.next - 1, rows.export));
                }
            }
        }
        let Some((number, _)) = window.front() else { break };
        let number = *number;
        let taken = {
            let texts: Vec<&str> = window.iter().map(|(_, text)| text.as_str()).collect();
            rows.take(&texts, number)
        };
        window.drain(..taken);
    }
    rows.close();
    Ok(())
}

/// Lines with text, decoded one by one.
pub(super) struct Lines {
    pub next: u64,
    bytes: Vec<u8>,
}

impl Lines {
    pub fn new() -> Lines {
        Lines { next: 1, bytes: Vec::new() }
    }

    /// The next line that is text and its number; blank ones are left out. `None` at the end.
    pub fn read(
        &mut self,
        reader: &mut impl BufRead,
        source: &Source<'_>,
        export: &mut Export,
    ) -> std::io::Result<Option<(u64, String)>> {
        loop {
            self.bytes.clear();
            let whole = crate::input::read_line(reader, &mut self.bytes, LONGEST_TEXT)?;
            if self.bytes.is_empty() {
                return Ok(None);
            }
            let number = self.next;
            self.next += 1;
            if !whole {
                export.skip(Skip::TooLong, number, "");
                continue;
            }
            match crate::input::decode_row(&self.bytes, source.encoding, number, export) {
                Some(text) if text.trim().is_empty() => {}
                Some(text) => return Ok(Some((number, text.into_owned()))),
                None => export.skip(Skip::Undecodable, number, ""),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(text: &str) -> Vec<(String, String, String)> {
        let roles = RoleWords::default();
        let lines: Vec<&str> = text.lines().collect();
        let layout = Layout::detect(&lines, &roles).expect("a chat");
        let (mut at, mut heads) = (0, Vec::new());
        while at < lines.len() {
            match layout.head(&lines[at..lines.len().min(at + AHEAD)]) {
                Some(head) => {
                    heads.push((head.name.to_owned(), head.time.to_owned(), head.text.to_owned()));
                    at += head.lines;
                }
                None => at += 1,
            }
        }
        heads
    }

    #[test]
    fn speakers_are_found_in_every_layout() {
        let (agent, customer) = ("栗屿家居旗舰店:小满", "tb_1024");
        for text in [
            "2026-09-18 09:00:00 tb_1024: 能退吗\n2026-09-18 09:00:10 栗屿家居旗舰店:小满: 不能",
            "2026-09-18 9:00:00 tb_1024(5551024)\n能退吗\n\n2026-09-18 9:00:10 栗屿家居旗舰店:小满(123)\n不能",
            "tb_10242026-9-18 9:00:00\n能退吗\n栗屿家居旗舰店:小满 2026-9-18 9:00:10\n不能",
            "tb_1024 --> 栗屿家居旗舰店:小满 2026-9-18 9:00:00\n能退吗\n栗屿家居旗舰店:小满 --> tb_1024 2026-9-18 9:00:10\n不能",
            "tb_1024\n2026-09-18 09:00:00\n能退吗\n栗屿家居旗舰店:小满\n2026-09-18 09:00:10\n不能",
            "tb_1024\n能退吗\n2026-09-18 09:00:00\n栗屿家居旗舰店:小满\n不能\n2026-09-18 09:00:10",
            "tb_1024 09:00 能退吗\n栗屿家居旗舰店:小满 09:00 不能",
            "tb_1024：能退吗\n栗屿家居旗舰店:小满：不能\ntb_1024：为什么\n栗屿家居旗舰店:小满：规定",
        ] {
            let names: Vec<String> = heads(text).into_iter().map(|(name, _, _)| name).collect();
            assert_eq!(names[..2], [customer, agent], "{text}");
        }
    }

    #[test]
    fn prose_is_no_chat() {
        for text in ["今天天气很好。\n明天也是。", "注意：本店不退不换", ""] {
            assert!(!is_chat(text, &RoleWords::default()), "{text}");
        }
        assert!(is_chat("客户：能退吗\n客服：不能", &RoleWords::default()));
    }
}
