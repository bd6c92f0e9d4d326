//! The record of a citation and what is wrong with it.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::model::Severity;
use crate::span::Span;

/// The schema name of the citation record.
pub const SCHEMA: &str = "zhijian.citation/1";

/// What is found about a citation. Several may hold at once, except `Ok`, which stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing wrong was found.
    Ok,
    /// The law has been repealed.
    Repealed,
    /// The number belongs to a former version of the law; what it said stands under another number now.
    Renumbered,
    /// The law, or the article with this content, was not yet in force on the day.
    NotInForce,
    /// The law has no such article, or the article no such paragraph or item.
    NoSuchArticle,
    /// The sentence attributes to the article what another one says, or what no article says.
    ContentMismatch,
    /// The base does not know the law; nothing more is said about the citation.
    UnknownLaw,
}

impl Verdict {
    /// The stable English word used in JSON and in rule ids.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Repealed => "repealed",
            Verdict::Renumbered => "renumbered",
            Verdict::NotInForce => "not-in-force",
            Verdict::NoSuchArticle => "no-such-article",
            Verdict::ContentMismatch => "content-mismatch",
            Verdict::UnknownLaw => "unknown-law",
        }
    }

    /// The Chinese words printed in reports.
    pub fn chinese(self) -> &'static str {
        match self {
            Verdict::Ok => "未见错误",
            Verdict::Repealed => "法律已废止",
            Verdict::Renumbered => "条号已变",
            Verdict::NotInForce => "当日尚未施行",
            Verdict::NoSuchArticle => "没有这一条款项",
            Verdict::ContentMismatch => "内容与条文不符",
            Verdict::UnknownLaw => "法条库未收录",
        }
    }

    /// The verdict called `word`.
    pub fn from_word(word: &str) -> Option<Verdict> {
        Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == word)
    }

    /// Every verdict.
    pub const ALL: [Verdict; 7] = [
        Verdict::Ok,
        Verdict::Repealed,
        Verdict::Renumbered,
        Verdict::NotInForce,
        Verdict::NoSuchArticle,
        Verdict::ContentMismatch,
        Verdict::UnknownLaw,
    ];

    /// Whether the citation is wrong. A law that the base does not know may be cited rightly.
    pub fn is_wrong(self) -> bool {
        !matches!(self, Verdict::Ok | Verdict::UnknownLaw)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why an article is suggested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// It says what the sentence says.
    Content,
    /// It took the place of the article that is cited.
    Successor,
    /// It was in force on the day.
    InForce,
    /// Its name or number is nearly the one that is cited.
    Spelling,
}

/// An article, or a law, that was likely meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// The law's name.
    pub law: String,
    /// As `56(1)(8)`; empty where only the law is meant.
    pub place: String,
    /// The citation as lawyers write it.
    pub label: String,
    /// What it says, in the base's own words; empty where only the law is meant.
    pub gist: String,
    /// Why it is suggested.
    pub reason: Reason,
}

/// One citation in a text, right or wrong. Field order is the order in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CitationFinding {
    /// `zhijian.citation/1`
    pub schema: String,
    /// 1-based line of the text on which the citation starts.
    pub line: u64,
    /// 1-based code-point column.
    pub column: u64,
    /// The first code point of the citation in the text, from 0.
    pub start: usize,
    /// The code point after the last one.
    pub end: usize,
    /// The citation as written. In a list, the places behind the first one stand without the law.
    pub matched: String,
    /// The law's name: that of the base, or as written where the base does not know it.
    pub law: String,
    /// As `56(1)(8)` or `496-498`; empty where the law is named without an article.
    pub place: String,
    /// What was found, gravest content first; `ok` alone where nothing is wrong.
    pub verdicts: Vec<Verdict>,
    /// Whether the base holds the article, so that its content could be compared.
    pub verified: bool,
    /// How grave it is; `null` where nothing is to be said.
    pub severity: Option<Severity>,
    /// The articles that were likely meant, the likeliest first. Current law only, unless the day is given.
    pub suggestions: Vec<Suggestion>,
    /// What is wrong, in Chinese; empty where nothing is.
    pub message: String,
    /// The day whose law was applied.
    pub date: Date,
    /// The byte range of the citation in the text.
    #[serde(skip)]
    pub span: Span,
}

impl CitationFinding {
    /// Whether any verdict says that the citation is wrong.
    pub fn is_wrong(&self) -> bool {
        self.verdicts.iter().any(|verdict| verdict.is_wrong())
    }
}
