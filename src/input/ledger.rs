//! What became of every row. The counts add up to the rows read.

use std::collections::BTreeMap;

use serde::Serialize;

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
}

impl Skip {
    /// Whether the row could not be read, which makes the run incomplete.
    pub fn is_unread(self) -> bool {
        !matches!(self, Skip::UnknownRole | Skip::EmptyText)
    }

    /// The Chinese words for the report.
    pub fn chinese(self) -> &'static str {
        match self {
            Skip::TooFewColumns => "列数不足",
            Skip::Undecodable => "无法解码",
            Skip::MissingConversation => "缺会话ID",
            Skip::Malformed => "JSON格式错误",
            Skip::UnknownRole => "角色未知",
            Skip::EmptyText => "内容为空",
        }
    }

    /// The English words for the report.
    pub fn english(self) -> &'static str {
        match self {
            Skip::TooFewColumns => "too few columns",
            Skip::Undecodable => "undecodable",
            Skip::MissingConversation => "no conversation id",
            Skip::Malformed => "malformed JSON",
            Skip::UnknownRole => "unknown role",
            Skip::EmptyText => "empty text",
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

    /// Whether some row could not be read.
    pub fn is_incomplete(&self) -> bool {
        self.truncated > 0 || self.skipped.keys().any(|reason| reason.is_unread())
    }

    /// Whether judged, context and skipped rows make up the rows read.
    pub fn adds_up(&self) -> bool {
        let skipped: u64 = self.skipped.values().map(|skipped| skipped.rows).sum();
        self.rows == self.judged + self.customer + self.system + skipped
    }
}
