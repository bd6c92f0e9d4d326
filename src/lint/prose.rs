//! Plain text and Markdown.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::lint::align::Alignment;
use crate::lint::script::{KEYWORD, Place, Reply, Script, script_role};
use crate::lint::table::plain_place;
use crate::model::SpeakerRole;
use crate::span::Span;

/// A name before a colon is at most this long.
const LONGEST_NAME: usize = 24;

/// Reads plain text. One reply a line; where lines stand in blocks between blank lines, one reply a block. In a block whose
/// lines begin with speakers (`客户：…`, `客服：…`) each line is a turn.
pub fn text(script: &mut Script) {
    let source = script.source.text.clone();
    let mut blocks: Vec<Vec<Span>> = vec![Vec::new()];
    let mut at = 0;
    for line in source.split_inclusive('\n') {
        let span = at..at + line.trim_end().len();
        at += line.len();
        if line.trim().is_empty() {
            blocks.push(Vec::new());
        } else if !(line.trim_start().starts_with(['#', '/', '<']) && line.contains(KEYWORD)) {
            blocks.last_mut().expect("never empty").push(span);
        }
    }
    blocks.retain(|block| !block.is_empty());
    let in_blocks = blocks.len() > 1 && blocks.iter().any(|block| block.len() > 1);
    for block in blocks {
        let lines: Vec<(usize, &str)> = block.iter().map(|span| (span.start, &source[span.clone()])).collect();
        if speaks(&lines) {
            dialogue(script, &lines);
        } else if in_blocks {
            let span = block[0].start..block[block.len() - 1].end;
            single(script, plain_place(span.start, &source[span.clone()]), &source[span]);
        } else {
            for (start, line) in lines {
                let indent = line.len() - line.trim_start().len();
                single(script, plain_place(start + indent, line.trim_start()), line.trim_start());
            }
        }
    }
}

fn single(script: &mut Script, place: Place, text: &str) {
    let reply = Reply { role: SpeakerRole::Agent, text: text.to_owned(), place, field: String::new() };
    let reply = script.add(reply);
    script.dialogues.push(vec![reply]);
}

/// The speaker a line names, and how many bytes the name and the colon take.
fn speaker(line: &str) -> Option<(SpeakerRole, usize)> {
    let at = line.find(['：', ':']).filter(|at| *at <= LONGEST_NAME)?;
    let colon = line[at..].chars().next().map_or(1, char::len_utf8);
    let role = script_role(&line[..at])?;
    let rest = &line[at + colon..];
    Some((role, at + colon + rest.len() - rest.trim_start_matches(['*', ' ', '\u{3000}']).len()))
}

/// Whether these lines are a dialogue: the first names a speaker.
fn speaks(lines: &[(usize, &str)]) -> bool {
    lines.first().is_some_and(|(_, line)| speaker(line).is_some())
}

/// Adds a dialogue. A line without speaker goes on with what the last one said, as a turn of its own.
fn dialogue(script: &mut Script, lines: &[(usize, &str)]) {
    let mut turns = Vec::new();
    let mut role = SpeakerRole::Agent;
    for (start, line) in lines {
        let (said, name) = speaker(line).unwrap_or((role, 0));
        role = said;
        let text = &line[name..];
        if !text.trim().is_empty() {
            let place = plain_place(start + name, text);
            turns.push(script.add(Reply { role, text: text.to_owned(), place, field: String::new() }));
        }
    }
    script.dialogues.push(turns);
}

/// Reads Markdown: paragraphs, list items, headings, quotes and table cells. Code and HTML are not replies.
pub fn markdown(script: &mut Script) {
    let source = script.source.text.clone();
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut block = Block::default();
    let (mut pending, mut unread) = (Vec::new(), false);
    for (event, span) in Parser::new_ext(&source, options).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(_) | Tag::HtmlBlock | Tag::MetadataBlock(_)) => {
                block.close(&mut pending);
                let comment = source[span.clone()].contains(KEYWORD);
                if !comment {
                    script.skip("代码、HTML 与文件头");
                    script.opaque.push(span);
                }
                unread = true;
            }
            Event::End(TagEnd::CodeBlock | TagEnd::HtmlBlock | TagEnd::MetadataBlock(_)) => unread = false,
            Event::Text(text) if !unread => block.text(&text, span, &source),
            Event::Code(text) if !unread => {
                let inner = span.start + source[span.clone()].find(&*text).unwrap_or(0);
                block.text(&text, inner..(inner + text.len()).min(span.end), &source);
            }
            Event::SoftBreak | Event::HardBreak => block.line_break(span),
            Event::Start(Tag::Emphasis | Tag::Strong | Tag::Strikethrough | Tag::Link { .. } | Tag::Image { .. })
            | Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image)
            | Event::InlineHtml(_) => {}
            Event::Start(_) | Event::End(_) => block.close(&mut pending),
            _ => {}
        }
    }
    block.close(&mut pending);
    let mut open = false;
    for lines in pending {
        open = piece(script, lines, open);
    }
}

/// A line of a block: its text and where it stands.
#[derive(Debug, Default)]
struct Line {
    text: String,
    alignment: Alignment,
    whole: Option<Span>,
}

#[derive(Debug, Default)]
struct Block(Vec<Line>);

impl Block {
    fn text(&mut self, text: &str, span: Span, source: &str) {
        if self.0.is_empty() {
            self.0.push(Line::default());
        }
        let line = self.0.last_mut().expect("just filled");
        line.text.push_str(text);
        // What Markdown decodes (`&amp;`) stands for the whole of its source.
        let span = if source.get(span.clone()) == Some(text) { span.start..span.start + text.len() } else { span };
        line.alignment.push(line.text.len(), span.clone());
        let start = line.whole.as_ref().map_or(span.start, |whole| whole.start);
        line.whole = Some(start..span.end);
    }

    fn line_break(&mut self, _: Span) {
        self.0.push(Line::default());
    }

    fn close(&mut self, pending: &mut Vec<Vec<Line>>) {
        let lines: Vec<Line> = self.0.drain(..).filter(|line| !line.text.trim().is_empty()).collect();
        if !lines.is_empty() {
            pending.push(lines);
        }
    }
}

fn reply(line: Line, role: SpeakerRole, name: usize) -> Reply {
    let whole = line.whole.unwrap_or_default();
    if name == 0 {
        let place = Place::Source { whole, alignment: line.alignment };
        return Reply { role, text: line.text, place, field: String::new() };
    }
    let text = line.text[name..].to_owned();
    let mut alignment = Alignment::default();
    let mut at = name;
    for c in text.chars() {
        let source = line.alignment.source(&(at..at + c.len_utf8()));
        at += c.len_utf8();
        alignment.push(at - name, source);
    }
    let whole = line.alignment.source(&(name..line.text.len())).start..whole.end;
    Reply { role, text, place: Place::Source { whole, alignment }, field: String::new() }
}

/// Adds a block: as a dialogue where it names speakers, else as one reply with its lines joined. Says whether it is a turn
/// that the next block may answer: of a list of turns each item is a block.
fn piece(script: &mut Script, lines: Vec<Line>, open: bool) -> bool {
    if speaker(&lines[0].text).is_some() {
        let single_line = lines.len() == 1;
        let follows = open && single_line;
        let mut turns = Vec::new();
        let mut role = SpeakerRole::Agent;
        for line in lines {
            let (said, name) = speaker(&line.text).unwrap_or((role, 0));
            role = said;
            if !line.text[name..].trim().is_empty() {
                turns.push(script.add(reply(line, role, name)));
            }
        }
        match script.dialogues.last_mut().filter(|_| follows) {
            Some(last) => last.extend(turns),
            None => script.dialogues.push(turns),
        }
        return single_line;
    }
    let (mut text, mut alignment) = (String::new(), Alignment::default());
    let mut whole: Option<Span> = None;
    for line in lines {
        let part = line.whole.clone().unwrap_or_default();
        // A line break within a paragraph shows as a blank, and in Chinese as nothing.
        if let Some(before) = &whole
            && (text.ends_with(|c: char| c.is_ascii()) || line.text.starts_with(|c: char| c.is_ascii()))
        {
            text.push(' ');
            alignment.push(text.len(), before.end..part.start);
        }
        let start = text.len();
        let mut at = 0;
        for c in line.text.chars() {
            let source = line.alignment.source(&(at..at + c.len_utf8()));
            at += c.len_utf8();
            alignment.push(start + at, source);
        }
        text.push_str(&line.text);
        whole = Some(whole.map_or(part.start, |whole| whole.start)..part.end);
    }
    single(script, Place::Source { whole: whole.unwrap_or_default(), alignment }, &text);
    false
}
