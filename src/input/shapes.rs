//! The shapes of JSON: where conversations, messages and their parts stand. One table; what it does not know is told by
//! the names of its keys, as the columns of a table are.

use std::borrow::Cow;

use serde_json::Value;

use crate::input::columns::{self, Field};
use crate::input::export::{About, Export, Row};
use crate::input::kinds::Kind;
use crate::input::ledger::Skip;
use crate::input::{InputOptions, Source, date};
use crate::model::{Channel, SpeakerRole};

/// How the speaker of a message is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// By a role word or a name.
    Word,
    /// The sender whose name stands at this path of the conversation is the customer, anyone else an agent.
    CustomerIs(&'static str),
    /// The id of a participant; the list has their roles: list, id, role.
    Participant(&'static str, &'static str, &'static str),
    /// Accounts of customers begin with `wm` or `wo`.
    External,
    /// A number of a recognised call: the user says which is the agent.
    Speaker,
    /// A role word; an agent with `0` at this path is a robot.
    Robot(&'static str),
    /// 0 from the shop's account to the buyer's, 1 the other way.
    Direction,
}

/// Where the parts stand: paths of keys joined by `.`, `[]` for the elements of a list. A string that holds JSON is read
/// where a path leads into it. Of several paths the first that leads to something counts.
#[derive(Debug)]
struct Shape {
    name: &'static str,
    /// Paths that all lead to something in every document of this shape.
    signs: &'static [&'static str],
    conversations: &'static str,
    /// Empty where the conversation is a message and its id brings its messages together.
    messages: &'static str,
    /// `a~b`: both ends of a conversation, in either order.
    id: &'static [&'static str],
    role: &'static [&'static str],
    text: &'static [&'static str],
    agent: &'static [&'static str],
    time: &'static [&'static str],
    kind: &'static [&'static str],
    channel: &'static [&'static str],
    who: Who,
}

const CHAT: Shape = Shape {
    name: "",
    signs: &[],
    conversations: "",
    messages: "",
    id: &[],
    role: &[],
    text: &[],
    agent: &[],
    time: &[],
    kind: &[],
    channel: &[],
    who: Who::Word,
};

const SPEECH: Shape =
    Shape { who: Who::Speaker, id: &["TaskId", "task_id", "Data.TaskId", "Response.Data.TaskId"], ..CHAT };

/// Source of the names: the vendors' pages that docs/formats.md lists.
const SHAPES: [Shape; 18] = [
    Shape {
        name: "wecom",
        signs: &["msg.msgtype"],
        id: &["msg.roomid", "msg.from~msg.tolist[]"],
        role: &["msg.from"],
        text: &[
            "msg.text.content",
            "msg.markdown.content",
            "msg.mixed.item[].content.content",
            "msg.link.title",
            "msg.content",
        ],
        agent: &["msg.from"],
        time: &["msg.msgtime"],
        kind: &["msg.action", "msg.msgtype"],
        who: Who::External,
        ..CHAT
    },
    Shape {
        name: "wecom",
        signs: &["msgtype", "tolist", "from"],
        id: &["roomid", "from~tolist[]"],
        role: &["from"],
        text: &["text.content", "markdown.content", "mixed.item[].content.content", "link.title", "content"],
        agent: &["from"],
        time: &["msgtime"],
        kind: &["action", "msgtype"],
        who: Who::External,
        ..CHAT
    },
    Shape {
        name: "jingdong",
        signs: &["from.app", "content"],
        id: &["sid", "from.pin~to.pin", "from.uid~to.uid"],
        role: &["from.app"],
        text: &["content", "body.content"],
        agent: &["from.pin", "from.uid"],
        time: &["timestamp", "datetime"],
        kind: &["msgType", "body.type"],
        ..CHAT
    },
    Shape {
        name: "qianniu",
        signs: &["user", "chats[].sender"],
        messages: "chats[]",
        id: &["user"],
        role: &["sender"],
        text: &["text"],
        agent: &["sender"],
        time: &["date+time", "time", "date"],
        who: Who::CustomerIs("user"),
        ..CHAT
    },
    Shape {
        name: "wangwang",
        signs: &["msgs.msg[].direction"],
        messages: "msgs.msg[]",
        id: &["to_id", "toId"],
        role: &["direction"],
        text: &["content"],
        time: &["time"],
        kind: &["type"],
        who: Who::Direction,
        ..CHAT
    },
    Shape { name: "alibaba-sca", signs: &["tickets[].dialogue[].words"], conversations: "tickets[]", ..SCA },
    SCA,
    Shape {
        name: "dianjin",
        signs: &["conversationList[].dialogueList[].content"],
        conversations: "conversationList[]",
        ..DIANJIN
    },
    DIANJIN,
    Shape {
        name: "google",
        signs: &["entries[].text", "entries[].role"],
        messages: "entries[]",
        id: &["conversation_info.conversation_id", "conversation_id", "name"],
        role: &["role"],
        text: &["text"],
        agent: &["user_id"],
        time: &["start_timestamp_usec"],
        ..CHAT
    },
    Shape {
        name: "aws",
        signs: &["Transcript[].Content", "Participants[].ParticipantRole"],
        messages: "Transcript[]",
        id: &["CustomerMetadata.ContactId", "ContactId", "JobName"],
        role: &["ParticipantRole", "ParticipantId"],
        text: &["Content"],
        agent: &["DisplayName", "ParticipantId"],
        time: &["AbsoluteTime", "BeginOffsetMillis"],
        who: Who::Participant("Participants[]", "ParticipantId", "ParticipantRole"),
        ..CHAT
    },
    Shape {
        name: "meiqia",
        signs: &["conv_content[].content"],
        messages: "conv_content[]",
        id: &["conv_id"],
        role: &["from", "from_type", "role"],
        text: &["content"],
        agent: &["agent_nick_name", "agent_name"],
        time: &["timestamp", "created_on", "time"],
        kind: &["type", "content_type"],
        ..CHAT
    },
    Shape {
        name: "aliyun-asr",
        signs: &["Sentences[].Text"],
        messages: "Sentences[]",
        role: &["ChannelId", "SpeakerId"],
        text: &["Text"],
        time: &["BeginTime"],
        ..SPEECH
    },
    Shape {
        name: "tencent-asr",
        signs: &["ResultDetail[].FinalSentence"],
        messages: "ResultDetail[]",
        role: &["SpeakerId"],
        text: &["WrittenText", "FinalSentence"],
        time: &["StartMs"],
        ..SPEECH
    },
    Shape {
        name: "iflytek",
        signs: &["data[].onebest"],
        messages: "data[]",
        role: &["speaker"],
        text: &["onebest"],
        time: &["bg"],
        ..SPEECH
    },
    Shape {
        name: "iflytek",
        signs: &["content.orderResult.lattice[].json_1best.st"],
        messages: "content.orderResult.lattice[].json_1best.st",
        id: &["content.orderInfo.orderId"],
        role: &["rl"],
        text: &["rt[].ws[].cw[].w"],
        time: &["bg"],
        ..SPEECH
    },
    Shape {
        name: "volcengine",
        signs: &["utterances[].text"],
        messages: "utterances[]",
        role: &["additions.speaker", "additions.channel_id", "speaker"],
        text: &["text"],
        time: &["start_time"],
        ..SPEECH
    },
    // Whisper, and the recogniser of Huawei with the text one level deeper.
    Shape {
        name: "segments",
        signs: &["segments[]"],
        messages: "segments[]",
        role: &["speaker", "result.analysis_info.role", "channel"],
        text: &["text", "result.text"],
        time: &["start", "start_time"],
        ..SPEECH
    },
];

const SCA: Shape = Shape {
    name: "alibaba-sca",
    signs: &["dialogue[].words"],
    messages: "dialogue[]",
    id: &["tid", "fileName"],
    role: &["role"],
    text: &["words"],
    agent: &["identity"],
    time: &["beginTime", "begin"],
    channel: &["callType", "channel"],
    ..CHAT
};

const DIANJIN: Shape = Shape {
    name: "dianjin",
    signs: &["dialogueList[].content"],
    messages: "dialogueList[]",
    id: &["sessionId", "conversationId", "customerId+gmtService", "customerId"],
    role: &["role"],
    text: &["content"],
    agent: &["customerServiceName"],
    time: &["beginTime", "begin"],
    kind: &["type"],
    channel: &["callType"],
    who: Who::Robot("customerServiceType"),
    ..CHAT
};

/// Wrappers that answers of web services come in.
const WRAPPERS: [&str; 9] = [
    "",
    "data",
    "Data",
    "result",
    "Result",
    "Response.Data",
    "response",
    "eservice_chatlog_get_response",
    "wangwang_eservice_chatlog_get_response",
];

/// Lists of conversations or messages that stand for themselves: such a document is read an element at a time.
pub(super) const LISTS: [&str; 12] = [
    "tickets",
    "conversationList",
    "conversations",
    "sessions",
    "chatdata",
    "msg_list",
    "records",
    "rows",
    "chatLogs",
    "chatLogList",
    "messageList",
    "chatlogs",
];

/// Calls `act` with every value that `path` leads to.
fn walk(value: &Value, path: &str, act: &mut dyn FnMut(&Value)) {
    if path.is_empty() {
        return act(value);
    }
    if let Value::String(text) = value {
        // JSON in a string, as recognisers and resellers send it.
        if text.trim_start().starts_with(['{', '['])
            && let Ok(inner) = serde_json::from_str::<Value>(text)
        {
            walk(&inner, path, act);
        }
        return;
    }
    let (step, rest) = path.split_once('.').unwrap_or((path, ""));
    let (key, list) = step.strip_suffix("[]").map_or((step, false), |key| (key, true));
    let Some(mut found) = value.get(key) else { return };
    let parsed;
    if list
        && let Value::String(text) = found
        && let Ok(inner) = serde_json::from_str::<Value>(text)
    {
        parsed = inner;
        found = &parsed;
    }
    match found {
        Value::Array(elements) if list => elements.iter().for_each(|element| walk(element, rest, act)),
        Value::Null => {}
        // One element need not be a list: XML does not tell, and some services leave the list out.
        _ => walk(found, rest, act),
    }
}

fn leads_somewhere(value: &Value, path: &str) -> bool {
    let mut any = false;
    walk(value, path, &mut |_| any = true);
    any
}

fn scalar(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
        _ => None,
    }
}

/// The texts that `path` leads to, joined.
fn joined(value: &Value, path: &str) -> String {
    let mut text = String::new();
    walk(value, path, &mut |found| {
        if let Some(part) = scalar(found) {
            text.push_str(&part);
        }
    });
    text
}

/// What the first of `paths` that leads to something leads to: `a+b` joins by a blank, `a~b` by order.
fn first(value: &Value, paths: &[&str]) -> Option<String> {
    paths.iter().find_map(|path| {
        let text = if let Some((a, b)) = path.split_once('+') {
            let (a, b) = (joined(value, a), joined(value, b));
            if a.is_empty() || b.is_empty() { String::new() } else { format!("{a} {b}") }
        } else if let Some((a, b)) = path.split_once('~') {
            let (a, b) = (joined(value, a), joined(value, b));
            if a.is_empty() {
                b
            } else if a < b {
                format!("{a}/{b}")
            } else {
                format!("{b}/{a}")
            }
        } else {
            joined(value, path)
        };
        (!text.trim().is_empty()).then_some(text)
    })
}

/// Reads the conversations of a document. `false` when it holds none that can be told.
pub(super) fn read(value: &Value, line: u64, source: &Source<'_>, options: &InputOptions, export: &mut Export) -> bool {
    if let Some((shape, wrapper)) = shape_of(value) {
        walk(value, wrapper, &mut |inner| {
            if shape.conversations.is_empty() {
                shape.conversation(inner, line, source, options, export);
            } else {
                walk(inner, shape.conversations, &mut |one| shape.conversation(one, line, source, options, export));
            }
        });
        return true;
    }
    if encrypted(value) {
        export.skip(Skip::Encrypted, line, "");
        return true;
    }
    if record(value, source.stem(), About::default(), line, options, export) {
        return true;
    }
    conversation_by_keys(value, line, source, options, export)
}

/// The name of the shape a document has; `None` where the keys are to tell.
pub(super) fn name_of(value: &Value) -> Option<&'static str> {
    shape_of(value).map(|(shape, _)| shape.name)
}

fn shape_of(value: &Value) -> Option<(&'static Shape, &'static str)> {
    static SHAPES_OF_ALL: [Shape; 18] = SHAPES;
    if !value.is_object() {
        return None;
    }
    WRAPPERS.iter().find_map(|wrapper| {
        let mut found = None;
        walk(value, wrapper, &mut |inner| {
            let fits = |shape: &&Shape| shape.signs.iter().all(|sign| leads_somewhere(inner, sign));
            found = found.or(SHAPES_OF_ALL.iter().find(fits));
        });
        found.map(|shape| (shape, *wrapper))
    })
}

/// A message of 企业微信 专区: its content can be read inside the enclave only.
fn encrypted(value: &Value) -> bool {
    value.get("msgid").is_some() && value.get("sender").is_some_and(|sender| sender.get("type").is_some())
}

impl Shape {
    fn conversation(&self, value: &Value, line: u64, source: &Source<'_>, options: &InputOptions, export: &mut Export) {
        let id = first(value, self.id);
        let id = id.as_deref().unwrap_or(source.stem());
        let agent = first(value, self.agent);
        let speech = self.who == Who::Speaker;
        let channel = first(value, self.channel).and_then(|word| Channel::from_word(&word));
        let channel = channel.unwrap_or(if speech { Channel::Call } else { options.channel });
        let about = About { channel, industry: options.industry.clone(), date: None };
        let mut add = |message: &Value| {
            let word = first(message, self.role).unwrap_or_else(|| "-".to_owned());
            let role = self.role(&word, message, value, options);
            let mut kind = first(message, self.kind).and_then(|word| Kind::from_word(&word));
            if let Some(word) = self.kind.get(1).and_then(|path| first(message, &[path])) {
                kind = kind.or_else(|| Kind::from_word(&word));
            }
            let text = first(message, self.text).unwrap_or_default();
            // A picture without text is a picture all the same, and no empty row.
            let text = if text.is_empty() { kind.map_or(text, |kind| format!("[{}]", kind.chinese())) } else { text };
            let time = first(message, self.time).unwrap_or_default();
            let time = if speech { Cow::Borrowed(time.as_str()) } else { date::standard(&time) };
            let by = first(message, self.agent).or_else(|| agent.clone()).unwrap_or_default();
            let agent = if role == SpeakerRole::Agent { by.as_str() } else { "" };
            export.add(
                id,
                || about.clone(),
                Row { role, word: &word, kind, text: Ok(&text), agent, time: &time, line },
            );
        };
        if self.messages.is_empty() {
            add(value);
        } else {
            walk(value, self.messages, &mut add);
        }
    }

    fn role(&self, word: &str, message: &Value, conversation: &Value, options: &InputOptions) -> SpeakerRole {
        let roles = &options.roles;
        match self.who {
            Who::Word => roles.name(word),
            Who::CustomerIs(path) if joined(conversation, path) == word => SpeakerRole::Customer,
            Who::CustomerIs(_) => SpeakerRole::Agent,
            Who::Participant(list, id, role) => {
                let mut found = roles.role(word);
                walk(conversation, list, &mut |participant| {
                    if joined(participant, id) == word {
                        found = roles.role(&joined(participant, role));
                    }
                });
                found
            }
            Who::External if word.starts_with("wm") || word.starts_with("wo") => SpeakerRole::Customer,
            Who::External => SpeakerRole::Agent,
            Who::Speaker => match roles.speaker(word) {
                // A recogniser that was told who speaks says so in words, not in numbers.
                SpeakerRole::Unknown if !word.bytes().all(|byte| byte.is_ascii_digit()) => roles.role(word),
                role => role,
            },
            Who::Robot(path) => match roles.role(word) {
                SpeakerRole::Agent if joined(message, path) == "0" => SpeakerRole::System,
                role => role,
            },
            Who::Direction => match word {
                "0" => SpeakerRole::Agent,
                "1" => SpeakerRole::Customer,
                _ => SpeakerRole::Unknown,
            },
        }
    }
}

/// Reads an object whose keys are named as the columns of a table are: one message.
fn record(value: &Value, whole: &str, above: About, line: u64, options: &InputOptions, export: &mut Export) -> bool {
    let Value::Object(map) = value else { return false };
    // The order of the table decides between two keys for one field, as it does for columns.
    let keys: Vec<String> = map.keys().cloned().collect();
    let get = |field| columns::by_table(&keys, field).and_then(|at| scalar(&map[&keys[at]]));
    let (Some(text), Some(word)) = (get(Field::Text), get(Field::Role)) else { return false };
    let id = get(Field::Conversation).or_else(|| get(Field::Customer));
    let id = id.as_deref().map(str::trim).filter(|id| !id.is_empty()).unwrap_or(whole);
    let time = get(Field::Time).unwrap_or_default();
    let time = date::standard(&time);
    let role = options.roles.name(&word);
    let mut kind = get(Field::Kind).and_then(|word| Kind::from_word(&word));
    if get(Field::Recalled).is_some_and(|flag| matches!(flag.as_ref(), "1" | "true" | "是")) {
        kind = Some(Kind::Recall);
    }
    let agent = get(Field::Agent).or_else(|| scalar(map.get("senderNickname").or(map.get("name"))?));
    let agent = agent.filter(|_| role == SpeakerRole::Agent).unwrap_or_default();
    let channel = get(Field::Channel).and_then(|word| Channel::from_word(&word));
    let industry = get(Field::Industry).map(Cow::into_owned);
    let about = || About {
        channel: channel.unwrap_or(if above == About::default() { options.channel } else { above.channel }),
        industry: industry.unwrap_or_else(|| options.industry.clone()),
        date: above.date,
    };
    export.add(id, about, Row { role, word: &word, kind, text: Ok(&text), agent: &agent, time: &time, line });
    true
}

/// Reads an object that holds a list of messages with known keys.
fn conversation_by_keys(
    value: &Value,
    line: u64,
    source: &Source<'_>,
    options: &InputOptions,
    export: &mut Export,
) -> bool {
    let Value::Object(map) = value else { return false };
    let keys: Vec<String> = map.keys().cloned().collect();
    let get = |field| columns::by_table(&keys, field).and_then(|at| scalar(&map[&keys[at]]));
    let id = get(Field::Conversation).or_else(|| get(Field::Customer));
    let about = About {
        channel: get(Field::Channel).and_then(|word| Channel::from_word(&word)).unwrap_or(options.channel),
        industry: String::new(),
        date: get(Field::Time).and_then(|time| date::parse_date(&time)),
    };
    let mut any = false;
    for (key, inner) in map {
        let parsed;
        let inner = match inner {
            Value::String(text) if text.trim_start().starts_with('[') => match serde_json::from_str::<Value>(text) {
                Ok(inner) => {
                    parsed = inner;
                    &parsed
                }
                Err(_) => inner,
            },
            _ => inner,
        };
        match inner {
            Value::Array(elements) => {
                for element in elements {
                    let whole = id.as_deref().unwrap_or(source.stem());
                    any |= record(element, whole, about.clone(), line, options, export)
                        || (element.is_object() && id.is_none() && read(element, line, source, options, export));
                }
            }
            Value::Object(_) if WRAPPERS.contains(&key.as_str()) => any |= read(inner, line, source, options, export),
            _ => {}
        }
    }
    any
}

/// Reads a list of messages that stands in a cell.
pub(super) fn read_list(
    value: &Value,
    id: &str,
    about: &dyn Fn() -> About,
    line: u64,
    options: &InputOptions,
    export: &mut Export,
) -> bool {
    let mut any = false;
    for element in value.as_array().into_iter().flatten() {
        any |= record(element, id, about(), line, options, export);
    }
    any
}
