//! A script file as read: replies with their places, the dialogues they form, and the notes that suppress findings.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::error::SourceFile;
use crate::input::RoleWords;
use crate::lint::align::Alignment;
use crate::model::SpeakerRole;
use crate::span::Span;

/// Where a reply stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a file of text.
    Source {
        /// The whole value, in bytes of the source, quotes included.
        whole: Span,
        /// The text of the reply → the source.
        alignment: Alignment,
    },
    /// In a spreadsheet.
    Cell {
        /// The sheet's name.
        sheet: String,
        /// As `B7`.
        cell: String,
    },
}

/// One piece of text: a reply that is judged, or what a customer says before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Only agents' replies are judged.
    pub role: SpeakerRole,
    /// As a customer reads it: escapes and markup resolved.
    pub text: String,
    /// Where it stands.
    pub place: Place,
    /// The JSON pointer of a value, the header of a column; empty in text.
    pub field: String,
}

/// What a note reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// Every reply of the file.
    File,
    /// These replies, by number.
    Replies(Vec<usize>),
}

/// A comment or a cell of the 忽略 column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What stands behind the keyword: rules, date, reason.
    pub text: String,
    /// Where.
    pub place: Place,
    /// What it reaches.
    pub reach: Reach,
}

/// A script file.
#[derive(Debug)]
pub struct Script {
    /// The path in reports: relative where it can be, with `/`.
    pub path: String,
    /// The decoded text; empty for a spreadsheet.
    pub source: SourceFile,
    /// Every reply and every customer's line.
    pub replies: Vec<Reply>,
    /// Replies by number, in order. A lone reply is a dialogue of one.
    pub dialogues: Vec<Vec<usize>>,
    /// What suppresses findings.
    pub notes: Vec<Note>,
    /// Pieces of text that are not judged, by reason.
    pub skipped: BTreeMap<&'static str, usize>,
    /// What could not be read; the rest was.
    pub problems: Vec<String>,
    /// Values that were passed over: a keyword in them is no comment.
    pub(super) opaque: Vec<Span>,
}

/// The word that makes a comment a suppression; `-file` behind it: for the whole file.
pub const KEYWORD: &str = "zhijian-ignore";

impl Script {
    /// An empty script with the text of its file.
    pub fn new(path: &str, text: String) -> Script {
        Script {
            path: path.to_owned(),
            source: SourceFile::new(path, text),
            replies: Vec::new(),
            dialogues: Vec::new(),
            notes: Vec::new(),
            skipped: BTreeMap::new(),
            problems: Vec::new(),
            opaque: Vec::new(),
        }
    }

    /// Adds a reply and says its number.
    pub fn add(&mut self, reply: Reply) -> usize {
        self.replies.push(reply);
        self.replies.len() - 1
    }

    /// Counts a piece of text that is not judged.
    pub fn skip(&mut self, reason: &'static str) {
        *self.skipped.entry(reason).or_default() += 1;
    }

    /// Notes a problem at byte `at` of the source.
    pub fn problem(&mut self, at: usize, code: &'static str, message: &str) {
        let at = (0..=at.min(self.source.text.len())).rev().find(|at| self.source.text.is_char_boundary(*at));
        let at = at.unwrap_or(0);
        // The place without the excerpt: errors do not print replies.
        let place = self.source.diagnostic(at..at, code, message, "").location;
        self.problems.push(format!("{place}: [{code}] {message}"));
    }

    /// How many replies are judged.
    pub fn judged(&self) -> usize {
        self.replies.iter().filter(|reply| reply.role == SpeakerRole::Agent).count()
    }

    /// Finds the comments that suppress findings. Call when all replies are in.
    pub(super) fn find_comments(&mut self) {
        if !self.source.text.contains(KEYWORD) {
            return;
        }
        let text = &self.source.text;
        let mut values: Vec<(Span, usize)> = Vec::new();
        for (at, reply) in self.replies.iter().enumerate() {
            if let Place::Source { whole, .. } = &reply.place {
                values.push((whole.clone(), at));
            }
        }
        values.sort_by_key(|(span, _)| span.start);
        let mut notes = Vec::new();
        for (at, _) in text.match_indices(KEYWORD) {
            let inside = |span: &Span| span.start < at && at < span.end;
            if values.iter().any(|(span, _)| inside(span)) || self.opaque.iter().any(inside) {
                continue;
            }
            let Some((start, body)) = comment(text, at) else { continue };
            let (file, body_start) = match text[body.clone()].strip_prefix("-file") {
                Some(_) => (true, body.start + "-file".len()),
                None => (false, body.start),
            };
            let inner = &text[body_start..body.end];
            let body_start = body_start + inner.len() - inner.trim_start().len();
            let inner = inner.trim();
            let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
            let alone = text[line_start..start].trim().is_empty();
            let line_end = text[at..].find('\n').map_or(text.len(), |length| at + length);
            let reach = if file {
                Reach::File
            } else if alone {
                let next = values.iter().find(|(span, _)| span.start >= at).map(|(span, _)| span.clone());
                // A block of text may hold several turns that start on one line.
                let on_line = |span: &Span| {
                    next.as_ref().is_some_and(|next| {
                        let end = text[next.start..].find('\n').map_or(text.len(), |length| next.start + length);
                        next.start <= span.start && span.start < end
                    })
                };
                Reach::Replies(values.iter().filter(|(span, _)| on_line(span)).map(|(_, at)| *at).collect())
            } else {
                let touches = |span: &Span| span.start < line_end && span.end > line_start;
                Reach::Replies(values.iter().filter(|(span, _)| touches(span)).map(|(_, at)| *at).collect())
            };
            let mut alignment = Alignment::default();
            alignment.push(inner.len(), body_start..body_start + inner.len());
            let place = Place::Source { whole: start..body.end, alignment };
            notes.push(Note { text: inner.to_owned(), place, reach });
        }
        self.notes.extend(notes);
    }
}

/// The start of the comment that the keyword at byte `at` opens, and what stands behind the keyword.
fn comment(text: &str, at: usize) -> Option<(usize, Span)> {
    let before = text[..at].trim_end_matches([' ', '\t']);
    let rest = &text[at..];
    let line = rest.find(['\n', '\r']).unwrap_or(rest.len());
    let (opener, end) = if before.ends_with("<!--") {
        (4, rest.find("-->").unwrap_or(line))
    } else if before.ends_with("/*") {
        (2, rest.find("*/").unwrap_or(line))
    } else if before.ends_with("//") {
        (2, line)
    } else if before.ends_with('#') {
        (1, line)
    } else {
        return None;
    };
    let body = at + KEYWORD.len()..at + end.max(KEYWORD.len());
    Some((before.len() - opener, body))
}

static WORDS: LazyLock<RoleWords> = LazyLock::new(RoleWords::default);

/// Who speaks under `word` in a script. Unlike in an export, a bot is judged: it says what it was given to say.
pub fn script_role(word: &str) -> Option<SpeakerRole> {
    let key = word.trim().trim_start_matches(['*', '-', '【', '[', ' ']).trim_end_matches(['*', '】', ']', ' ']);
    let key = key.to_lowercase();
    match key.as_str() {
        "" | "0" | "1" | "true" | "false" => None,
        "客" | "问" | "q" | "question" | "来电者" | "学员扮客户" | "human" => Some(SpeakerRole::Customer),
        "坐" | "答" | "a" | "answer" | "机器人" | "智能客服" | "自动回复" | "服务助手" | "助手" | "bot" | "robot"
        | "ivr" | "语音播报" | "播报" | "ai" => Some(SpeakerRole::Agent),
        "系" => Some(SpeakerRole::System),
        _ => Some(WORDS.role(&key)).filter(|role| *role != SpeakerRole::Unknown),
    }
}

/// A key or header as the tables of names have it: lower case, without blanks, `_`, `-` and `*`.
pub fn name_key(name: &str) -> String {
    let keep = |c: &char| !(c.is_whitespace() || matches!(c, '_' | '-' | '*' | '\u{feff}'));
    name.chars().filter(keep).flat_map(char::to_lowercase).collect()
}

/// Names of keys and columns that hold what a customer asks.
pub const QUESTIONS: [&str; 20] = [
    "问题",
    "标准问题",
    "标准问",
    "相似问",
    "相似问题",
    "用户问题",
    "用户问法",
    "问法",
    "客户问题",
    "常见问题",
    "客户",
    "用户",
    "question",
    "questions",
    "q",
    "query",
    "utterance",
    "utterances",
    "user",
    "customer",
];

/// Names of keys and columns that say who speaks.
pub const SPEAKERS: [&str; 9] = ["speaker", "role", "from", "sender", "角色", "说话人", "发言人", "发送方", "身份"];

/// Names of keys and columns that hold what is said, best first.
pub const REPLIES: [&str; 40] = [
    "话术",
    "话术内容",
    "快捷短语",
    "短语",
    "短语内容",
    "快捷回复",
    "回复",
    "回复内容",
    "回复话术",
    "标准话术",
    "参考话术",
    "推荐话术",
    "答案",
    "标准答案",
    "答复",
    "回答",
    "答",
    "文案",
    "模板",
    "模板内容",
    "正文",
    "播报内容",
    "播报",
    "内容",
    "消息内容",
    "文本",
    "text",
    "content",
    "reply",
    "replies",
    "answer",
    "answers",
    "response",
    "responses",
    "message",
    "phrase",
    "script",
    "prompt",
    "template",
    "a",
];

/// Which values are replies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keys(Vec<String>);

impl Keys {
    /// Names of keys or columns at any depth, 1-based numbers of columns, or JSON pointers with `*` for any one step.
    /// Empty: every value.
    pub fn new(keys: Vec<String>) -> Keys {
        Keys(keys)
    }

    /// Whether every value is a reply.
    pub fn all(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the value that these steps lead to is a reply.
    pub fn select(&self, steps: &[String]) -> bool {
        self.all()
            || self.0.iter().any(|key| match key.strip_prefix('/') {
                Some(pointer) => {
                    let wanted: Vec<&str> = pointer.split('/').collect();
                    wanted.len() <= steps.len()
                        && wanted
                            .iter()
                            .zip(steps)
                            .all(|(want, step)| *want == "*" || want.replace("~1", "/").replace("~0", "~") == *step)
                }
                None => steps.iter().any(|step| name_key(step) == name_key(key)),
            })
    }

    /// The columns of `header` that are named, from 0; those that are not there come back as an error.
    ///
    /// # Errors
    /// The first name that no column has.
    pub fn columns(&self, header: &[String]) -> Result<Vec<usize>, String> {
        let find = |key: &String| match key.parse::<usize>() {
            Ok(number) if (1..=header.len()).contains(&number) => Ok(number - 1),
            _ => header.iter().position(|cell| name_key(cell) == name_key(key)).ok_or_else(|| key.clone()),
        };
        self.0.iter().map(find).collect()
    }
}
