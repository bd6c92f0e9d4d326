//! What became of every row. The counts add up to the rows read.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::input::kinds::Kind;
use crate::model::{Conversation, SpeakerRole};

/// How many places of each kind are kept for the report.
pub const SHOWN: usize = 20;

/// Why a row was not judged although it may have been meant to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// The row lacks a column that is needed.
    TooFewColumns,
    /// The row holds bytes that are no text in the file's encoding.
    Undecodable,
    /// The row does not say which conversation it belongs to.
    MissingConversation,
    /// The line is no JSON of the expected form.
    Malformed,
    /// The role word is not known.
    UnknownRole,
    /// The row has no text.
    EmptyText,
    /// The text is longer than [`LONGEST_TEXT`](crate::input::LONGEST_TEXT).
    TooLong,
    /// The text is encrypted, as that of 企业微信 专区.
    Encrypted,
    /// A former run judged the conversation and it has not changed.
    Seen,
}

/// What was wrong with something that was read all the same: the run is incomplete, since what was meant is not sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// The input breaks off: a cut archive, a limit that was reached.
    BrokenOff,
    /// A conversation id such as `7.30123E+18`: a spreadsheet rounded it, so that several conversations may share it.
    RoundedId,
    /// The row is in another encoding than its file.
    OtherEncoding,
    /// Half of a UTF-16 character stood alone; it is now U+FFFD.
    LoneSurrogate,
    /// The text holds NUL.
    Nul,
    /// A quotation mark is never closed; the row was read without quoting.
    UnclosedQuote,
    /// The row has more cells than the header.
    TooManyColumns,
    /// Two columns have the same name; the first is used.
    DoubledHeader,
    /// A formula without a stored value.
    Formula,
}

impl Flaw {
    /// The Chinese words for the report.
    pub fn chinese(self) -> &'static str {
        match self {
            Flaw::BrokenOff => "输入中断",
            Flaw::RoundedId => "会话ID被表格软件改成科学计数法，请以文本格式重新导出",
            Flaw::OtherEncoding => "该行编码与文件不一致",
            Flaw::LoneSurrogate => "不成对的代理字符",
            Flaw::Nul => "含NUL字符",
            Flaw::UnclosedQuote => "引号未闭合",
            Flaw::TooManyColumns => "列数多于表头",
            Flaw::DoubledHeader => "表头重复",
            Flaw::Formula => "公式没有结果",
        }
    }

    /// The English words for the report.
    pub fn english(self) -> &'static str {
        match self {
            Flaw::BrokenOff => "input breaks off",
            Flaw::RoundedId => "conversation id rounded by a spreadsheet; export it again as text",
            Flaw::OtherEncoding => "row in another encoding than its file",
            Flaw::LoneSurrogate => "lone surrogate",
            Flaw::Nul => "NUL character",
            Flaw::UnclosedQuote => "quote never closed",
            Flaw::TooManyColumns => "more cells than the header",
            Flaw::DoubledHeader => "doubled header",
            Flaw::Formula => "formula without a result",
        }
    }
}

impl Skip {
    /// Whether the row could not be read, which makes the run incomplete.
    pub fn is_unread(self) -> bool {
        !matches!(self, Skip::UnknownRole | Skip::EmptyText | Skip::Seen)
    }

    /// The Chinese words for the report.
    pub fn chinese(self) -> &'static str {
        match self {
            Skip::TooFewColumns => "列数不足",
            Skip::Undecodable => "无法解码",
            Skip::MissingConversation => "缺会话ID",
            Skip::Malformed => "格式错误",
            Skip::UnknownRole => "角色未知",
            Skip::EmptyText => "内容为空",
            Skip::TooLong => "内容过长",
            Skip::Encrypted => "内容已加密",
            Skip::Seen => "此前已检查",
        }
    }

    /// The English words for the report.
    pub fn english(self) -> &'static str {
        match self {
            Skip::TooFewColumns => "too few columns",
            Skip::Undecodable => "undecodable",
            Skip::MissingConversation => "no conversation id",
            Skip::Malformed => "malformed",
            Skip::UnknownRole => "unknown role",
            Skip::EmptyText => "empty text",
            Skip::TooLong => "text too long",
            Skip::Encrypted => "encrypted",
            Skip::Seen => "judged before",
        }
    }
}

/// A place in an input that the ledger reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The path as given.
    pub path: String,
    /// 1-based line.
    pub line: u64,
    /// What stands there where that helps: a role word, a parser's message without the text it stumbled over.
    pub detail: String,
}

/// The rows skipped for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Skipped {
    /// How many.
    pub rows: u64,
    /// The first of them.
    pub first: Vec<Place>,
}

/// The ledger of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Ledger {
    /// Inputs read.
    pub files: u64,
    /// Conversations formed.
    pub conversations: u64,
    /// Rows read, the header aside.
    pub rows: u64,
    /// Agent rows that were judged.
    pub judged: u64,
    /// Customer rows, used as context.
    pub customer: u64,
    /// System rows, used as context.
    pub system: u64,
    /// Rows not judged, by reason.
    pub skipped: BTreeMap<Skip, Skipped>,
    /// Of the rows read, those that are no messages of a person. Such rows of agents are counted under `system`.
    pub kinds: BTreeMap<Kind, u64>,
    /// What was wrong with things that were read all the same: how often, and the first places.
    pub flaws: BTreeMap<Flaw, Skipped>,
    /// Conversations so long that they were judged in pieces, each for itself.
    pub pieces: u64,
    /// Judged rows with so many hits that some were not looked at.
    pub truncated: u64,
    /// Findings written.
    pub findings: u64,
    /// Things worth knowing that are no problem, such as columns told by their content.
    pub notices: Vec<String>,
}

impl Ledger {
    /// Counts a row that was not judged.
    pub fn skip(&mut self, reason: Skip, path: &str, line: u64, detail: &str) {
        let skipped = self.skipped.entry(reason).or_default();
        skipped.rows += 1;
        if skipped.first.len() < SHOWN {
            skipped.first.push(Place { path: path.to_owned(), line, detail: detail.to_owned() });
        }
    }

    /// Notes a flaw of something that was read.
    pub fn flaw(&mut self, flaw: Flaw, path: &str, line: u64, detail: &str) {
        let flaws = self.flaws.entry(flaw).or_default();
        flaws.rows += 1;
        if flaws.first.len() < SHOWN {
            flaws.first.push(Place { path: path.to_owned(), line, detail: detail.to_owned() });
        }
    }

    /// Counts the rows of a conversation that is not judged because a former run judged it.
    pub fn pass_over(&mut self, conversation: &Conversation<'_>) {
        for turn in conversation.turns.iter().filter(|turn| !turn.text.trim().is_empty()) {
            match turn.role {
                SpeakerRole::Agent => self.judged -= 1,
                SpeakerRole::Customer => self.customer -= 1,
                SpeakerRole::System => self.system -= 1,
                // Is counted as skipped already.
                SpeakerRole::Unknown => continue,
            }
            self.skip(Skip::Seen, conversation.path, turn.line, "");
        }
    }

    /// Whether something could not be read, or not as it was meant.
    pub fn is_incomplete(&self) -> bool {
        self.truncated > 0 || !self.flaws.is_empty() || self.skipped.keys().any(|reason| reason.is_unread())
    }

    /// Whether judged, context and skipped rows make up the rows read.
    pub fn adds_up(&self) -> bool {
        let skipped: u64 = self.skipped.values().map(|skipped| skipped.rows).sum();
        self.rows == self.judged + self.customer + self.system + skipped
    }
}
