//! Which column holds what: given, told by the header, or told by what the columns hold.

use std::collections::HashSet;
use std::fmt;

use crate::input::chat;
use crate::input::roles::RoleWords;
use crate::model::SpeakerRole;

/// What a column can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    /// The conversation's id.
    Conversation,
    /// Who speaks, as a role word.
    Role,
    /// The message.
    Text,
    /// The agent's name.
    Agent,
    /// The time of the message.
    Time,
    /// The channel.
    Channel,
    /// The trade.
    Industry,
    /// The customer's name.
    Customer,
    /// What kind of message it is.
    Kind,
    /// Whether the message was recalled.
    Recalled,
    /// The day, beside a column of times.
    Day,
}

/// Header names, lower case, blanks and underscores removed. Source: exports of the desks listed in docs/formats.md.
const HEADERS: [(Field, &[&str]); 11] = [
    (
        Field::Conversation,
        &[
            "会话id",
            "会话编号",
            "sessionid",
            "对话id",
            "对话编号",
            "会话",
            "sid",
            "conversationid",
            "conversation",
            "convid",
            "chatid",
            "session",
            "callid",
            "通话id",
            "通话编号",
            "工单号",
            "subsessionid",
            "tid",
            "录音编号",
        ],
    ),
    (
        Field::Role,
        &[
            "角色",
            "发言角色",
            "发送方",
            "发送人类型",
            "发送者类型",
            "说话人角色",
            "消息方向",
            "role",
            "speaker",
            "speakerrole",
            "issender",
            "sender",
            "sendertype",
            "sourcetype",
            "waitersend",
            "participantrole",
            "说话人",
            "发言人",
            "身份",
            "发送人",
            "发送者",
            "发送人名称",
            "聊天对象",
            "from",
            "fromname",
            "sendername",
            "strtalker",
        ],
    ),
    (
        Field::Text,
        &[
            "消息内容",
            "聊天内容",
            "会话消息",
            "会话消息内容",
            "会话内容",
            "对话内容",
            "消息",
            "内容",
            "聊天记录",
            "文本",
            "话术",
            "识别结果",
            "text",
            "content",
            "message",
            "msg",
            "utterance",
            "words",
            "strcontent",
            "完整会话",
            "转人工后完整会话",
        ],
    ),
    (
        Field::Agent,
        &[
            "客服",
            "坐席",
            "座席",
            "接待成员",
            "接待人",
            "客服昵称",
            "客服姓名",
            "客服实名",
            "坐席姓名",
            "坐席工号",
            "工号",
            "客服账号",
            "agent",
            "agentname",
            "agentnickname",
            "waiter",
            "staff",
            "agentid",
            "成员",
        ],
    ),
    (
        Field::Time,
        &[
            "发送时间",
            "发言时间",
            "消息时间",
            "聊天时间",
            "时间",
            "日期时间",
            "创建时间",
            "time",
            "timestamp",
            "createdtime",
            "createtime",
            "sendtime",
            "date",
            "msgtime",
            "begintime",
            "日期",
        ],
    ),
    (Field::Channel, &["渠道", "会话渠道", "社媒渠道", "来源渠道", "channel", "calltype", "渠道类型"]),
    (Field::Industry, &["行业", "业务", "业务线", "industry", "trade"]),
    (
        Field::Customer,
        &[
            "客户",
            "顾客",
            "买家",
            "访客",
            "用户",
            "联系人",
            "客户姓名",
            "客户名",
            "客户名称",
            "客户昵称",
            "买家昵称",
            "群名/好友昵称",
            "customer",
            "customername",
            "visitorname",
            "customerid",
            "visitorid",
            "客户id",
            "strtalker",
            "talkerid",
        ],
    ),
    (Field::Kind, &["消息类型", "内容类型", "类型", "msgtype", "contenttype", "mediatype", "messagetype", "type"]),
    (Field::Recalled, &["是否撤回", "撤回", "revokeflag", "isrevoke"]),
    (Field::Day, &["日期", "date", "聊天日期"]),
];

/// A column as a user names it: by header or by 1-based number.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    Header(String),
    Number(usize),
}

/// The columns a user gave; those left out are told by the header.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ColumnChoice(Vec<(Field, Name)>);

impl ColumnChoice {
    /// Reads `conversation=会话ID,role=3,text=消息内容`.
    ///
    /// # Errors
    /// A sentence that says what is wrong with `text`.
    pub fn parse(text: &str) -> Result<ColumnChoice, String> {
        let mut choice = Vec::new();
        for pair in text.split(',').filter(|pair| !pair.trim().is_empty()) {
            let (field, name) = pair
                .split_once('=')
                .ok_or_else(|| format!("'{pair}' is not of the form field=column, as text=消息内容"))?;
            let field = match field.trim() {
                "conversation" => Field::Conversation,
                "role" => Field::Role,
                "text" => Field::Text,
                "agent" => Field::Agent,
                "time" => Field::Time,
                "channel" => Field::Channel,
                "industry" => Field::Industry,
                "customer" => Field::Customer,
                "kind" => Field::Kind,
                other => {
                    return Err(format!(
                        "'{other}' is not a field; use conversation, role, text, agent, customer, time, kind, channel or industry"
                    ));
                }
            };
            let name = match name.trim().parse::<usize>() {
                Ok(0) => return Err("columns are numbered from 1".to_owned()),
                Ok(number) => Name::Number(number),
                Err(_) => Name::Header(name.trim().to_owned()),
            };
            choice.push((field, name));
        }
        Ok(ColumnChoice(choice))
    }

    /// Whether no column was given.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Column indices, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    /// The conversation's id; without one the customer tells conversations apart, and without that the file is one.
    pub conversation: Option<usize>,
    /// Who speaks; without one every cell of the text column holds a whole conversation.
    pub role: Option<usize>,
    /// The message.
    pub text: usize,
    /// The agent's name.
    pub agent: Option<usize>,
    /// The customer's name.
    pub customer: Option<usize>,
    /// The time.
    pub time: Option<usize>,
    /// The day, where the time is one of day only.
    pub day: Option<usize>,
    /// What kind of message it is.
    pub kind: Option<usize>,
    /// Whether it was recalled.
    pub recalled: Option<usize>,
    /// The channel.
    pub channel: Option<usize>,
    /// The trade.
    pub industry: Option<usize>,
    /// Whether the first row is a header.
    pub header: bool,
    /// Whether the columns were told by what they hold, which is worth a notice.
    pub guessed: bool,
    /// Whether a speaker that is no agent is a customer: some speakers are known to be agents.
    pub others_are_customers: bool,
    /// Cells of the first row.
    pub width: usize,
}

impl Columns {
    /// How many columns a row must have at least.
    pub fn needed(&self) -> usize {
        self.conversation.max(self.role).max(Some(self.text)).unwrap_or(0) + 1
    }

    /// The fields and their columns, from 1, in the order `--columns` lists them.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, usize)> {
        let all = [
            ("conversation", self.conversation),
            ("role", self.role),
            ("text", Some(self.text)),
            ("agent", self.agent),
            ("customer", self.customer),
            ("time", self.time),
            ("kind", self.kind),
            ("channel", self.channel),
            ("industry", self.industry),
        ];
        all.into_iter().filter_map(|(name, column)| Some((name, column? + 1)))
    }
}

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, column)) in self.named().enumerate() {
            write!(f, "{}{name}={column}", if at > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

/// A header cell as the table has it: lower case, without blanks, underscores and the marks spreadsheets add.
fn header_key(cell: &str) -> String {
    let drop = |c: &char| !(c.is_whitespace() || matches!(c, '_' | '-' | '\u{feff}' | '"' | '*'));
    cell.chars().filter(drop).flat_map(char::to_lowercase).collect()
}

pub(super) fn by_table(header: &[String], field: Field) -> Option<usize> {
    let names = HEADERS.iter().find(|(f, _)| *f == field).map(|(_, names)| *names)?;
    // In the order of the table: "角色" is a better role column than "发送人".
    let keys: Vec<String> = header.iter().map(|cell| header_key(cell)).collect();
    names.iter().find_map(|name| keys.iter().position(|key| key == name))
}

/// Whether the row is a header: it names a text column and another one.
pub(super) fn is_header(row: &[String]) -> bool {
    let others = [Field::Conversation, Field::Role, Field::Time, Field::Agent];
    let text = by_table(row, Field::Text);
    text.is_some() && others.iter().any(|field| by_table(row, *field).is_some_and(|at| Some(at) != text))
}

/// Whether the row is the header of a list of conversations without their messages.
pub(super) fn is_session_header(row: &[String]) -> bool {
    let count = |field| usize::from(by_table(row, field).is_some());
    let session =
        ["开始时间", "结束时间", "总消息数", "接待组", "msgcount", "totalmsgcount", "endtime", "starttime", "会话状态"];
    let known = row.iter().filter(|cell| session.contains(&header_key(cell).as_str())).count();
    by_table(row, Field::Text).is_none()
        && count(Field::Conversation) + usize::from(header_key(&row[0]) == "id") + known >= 2
}

/// Tells the columns from the user's choice and the first rows of a file.
///
/// # Errors
/// What is missing, and what to do.
pub fn choose(choice: &ColumnChoice, rows: &[Vec<String>], roles: &RoleWords) -> Result<Columns, (String, String)> {
    let Some(first) = rows.first() else {
        return Err(("the file is empty".to_owned(), "give a file with rows".to_owned()));
    };
    let named = |field| choice.0.iter().find(|(f, _)| *f == field).map(|(_, name)| name);
    let header = is_header(first) || choice.0.iter().any(|(_, name)| matches!(name, Name::Header(_)));
    let find = |field: Field| -> Result<Option<usize>, (String, String)> {
        match named(field) {
            Some(Name::Number(number)) if *number > first.len() => Err((
                format!("there is no column {number}: the first row has {}", first.len()),
                "columns are numbered from 1".to_owned(),
            )),
            Some(Name::Number(number)) => Ok(Some(number - 1)),
            Some(Name::Header(name)) => {
                let key = header_key(name);
                match first.iter().position(|cell| header_key(cell) == key) {
                    Some(at) => Ok(Some(at)),
                    None => Err((
                        format!("there is no column '{name}'"),
                        format!("the columns are {}", shorten(&first.join(","))),
                    )),
                }
            }
            None if header => Ok(by_table(first, field)),
            None => Ok(None),
        }
    };
    let mut columns = Columns {
        conversation: find(Field::Conversation)?,
        role: find(Field::Role)?,
        text: 0,
        agent: find(Field::Agent)?,
        customer: find(Field::Customer)?,
        time: find(Field::Time)?,
        day: None,
        kind: find(Field::Kind)?,
        recalled: find(Field::Recalled)?,
        channel: find(Field::Channel)?,
        industry: find(Field::Industry)?,
        header,
        guessed: false,
        others_are_customers: false,
        width: first.len(),
    };
    let text = find(Field::Text)?;
    columns.agent = columns.agent.filter(|at| Some(*at) != columns.role);
    columns.customer = columns.customer.filter(|at| Some(*at) != columns.role);
    columns.day = find(Field::Day)?.filter(|at| columns.time.is_some_and(|time| time != *at));
    let body = &rows[usize::from(header && rows.len() > 1)..];
    if let Some(text) = text {
        columns.text = text;
        if let Some(role) = columns.role {
            let cells = body.iter().filter_map(|row| Some((row.get(role)?, row)));
            let is_agent = |(word, row): (&String, &Vec<String>)| {
                let agent =
                    columns.agent.and_then(|at| row.get(at)).is_some_and(|agent| !agent.is_empty() && agent == word);
                agent || roles.name(word) == SpeakerRole::Agent
            };
            let role_words =
                body.iter().filter_map(|row| row.get(role)).all(|word| roles.role(word) != SpeakerRole::Unknown);
            columns.others_are_customers =
                header && !role_words && holds_names(first, role) && cells.clone().any(is_agent);
        }
        let cells = || body.iter().filter_map(|row| row.get(text)).filter(|cell| !cell.trim().is_empty());
        let whole =
            columns.role.is_none() && cells().next().is_some() && cells().all(|cell| chat::is_chat(cell, roles));
        let complete = columns.conversation.is_some() || header;
        if complete && (columns.role.is_some() || whole) {
            return Ok(columns);
        }
    }
    if !header
        && choice.is_empty()
        && let Some((conversation, role, text)) = guess(rows, roles)
    {
        return Ok(Columns { conversation: Some(conversation), role: Some(role), text, guessed: true, ..columns });
    }
    let (conversation, role) = (columns.conversation, columns.role);
    let missing: Vec<&str> = [(conversation, "conversation"), (role, "role"), (text, "text")]
        .into_iter()
        .filter(|(found, name)| found.is_none() && !(header && *name == "conversation"))
        .map(|(_, name)| name)
        .collect();
    let example =
        if header { "conversation=会话ID,role=角色,text=消息内容" } else { "conversation=1,role=3,text=7" };
    Err((
        format!(
            "cannot tell which column holds {}; the first row is {}",
            missing.join(", "),
            shorten(&first.join(","))
        ),
        format!("give --columns {example}"),
    ))
}

/// Whether the header of the role column is one that stands over names.
fn holds_names(header: &[String], role: usize) -> bool {
    let names = [
        "发送方",
        "发送人",
        "发送者",
        "发送人名称",
        "聊天对象",
        "说话人",
        "发言人",
        "sender",
        "speaker",
        "from",
        "fromname",
        "sendername",
        "strtalker",
    ];
    header.get(role).is_some_and(|cell| names.contains(&header_key(cell).as_str()))
}

/// At most 60 characters: a first row may hold a message.
fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// Tells the columns of a file without header by what they hold: the role column holds only role words, of both sides
/// as evenly as any; the text column is the longest; the id column is the first other one whose values repeat.
fn guess(rows: &[Vec<String>], roles: &RoleWords) -> Option<(usize, usize, usize)> {
    let width = rows.iter().map(Vec::len).min().filter(|width| *width >= 3)?;
    let column = |at: usize| rows.iter().map(move |row| row[at].as_str());
    let evenness = |at: usize| {
        let agents = column(at).filter(|word| roles.role(word) == SpeakerRole::Agent).count();
        let known = column(at).all(|word| roles.role(word) != SpeakerRole::Unknown);
        let other = rows.len() - agents;
        (known && agents > 0 && other > 0).then(|| agents.min(other))
    };
    let role = (0..width).filter_map(|at| Some((evenness(at)?, std::cmp::Reverse(at)))).max()?.1.0;
    let length = |at: usize| column(at).map(|cell| cell.chars().filter(|c| !c.is_ascii()).count()).sum::<usize>();
    let text = (0..width).filter(|at| *at != role).max_by_key(|at| length(*at)).filter(|at| length(*at) > 0)?;
    let repeats = |at: usize| {
        column(at).collect::<HashSet<_>>().len() < rows.len() && column(at).all(|cell| !cell.trim().is_empty())
    };
    let conversation = (0..width).find(|at| *at != role && *at != text && repeats(*at) && evenness(*at).is_none())?;
    Some((conversation, role, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Vec<String>> {
        text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
    }

    #[test]
    fn headers_of_real_desks_are_known() {
        let columns =
            choose(&ColumnChoice::default(), &rows("会话ID,渠道,角色,客服,发送时间,消息内容\n"), &RoleWords::default());
        assert_eq!(columns.expect("known").to_string(), "conversation=1,role=3,text=6,agent=4,time=5,channel=2");
    }

    #[test]
    fn a_file_without_header_is_told_by_its_content() {
        let text = "a1,u1,0,0,nan,什么时候发货\na1,u1,1,0,nan,亲请稍等\nb2,u2,0,0,nan,你好\nb2,u2,1,1,nan,在的亲\n";
        let columns = choose(&ColumnChoice::default(), &rows(text), &RoleWords::default()).expect("told");
        assert_eq!((columns.to_string().as_str(), columns.guessed), ("conversation=1,role=3,text=6", true));
    }

    #[test]
    fn what_cannot_be_told_says_what_to_do() {
        let (message, help) =
            choose(&ColumnChoice::default(), &rows("甲,乙\n丙,丁\n"), &RoleWords::default()).expect_err("unknown");
        assert!(message.contains("conversation, role, text"), "{message}");
        assert!(help.contains("--columns"), "{help}");
        let choice = ColumnChoice::parse("text=正文").expect("well formed");
        let (message, _) =
            choose(&choice, &rows("会话ID,角色,内容\n"), &RoleWords::default()).expect_err("no such column");
        assert_eq!(message, "there is no column '正文'");
        assert!(ColumnChoice::parse("text=0").is_err());
        assert!(ColumnChoice::parse("body=1").is_err());
    }
}
