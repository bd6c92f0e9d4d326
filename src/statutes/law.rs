//! The typed form of a statute file. Unknown keys are refused. Facts and gists only: no text of the law.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::model::{Article, StatuteRef, parse_part};

/// `statutes/<law>.toml`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Law {
    /// The name printed in findings, without 中华人民共和国.
    pub name: String,
    /// The official title.
    pub title: String,
    /// Other names in use (消法, 消保法 …).
    pub abbreviations: Vec<String>,
    /// Where it stands in the order of norms.
    pub rank: Rank,
    /// Who issued it.
    pub issuer: String,
    /// Trades it is limited to; empty for a law that applies to every trade.
    #[serde(default)]
    pub sectors: Vec<String>,
    /// The law that replaced it as a whole.
    pub successor: Option<String>,
    /// The first day of the law in any wording, where that is before the first of `versions`.
    pub in_force_since: Option<Date>,
    /// Doubts about dates, wording and source.
    #[serde(default)]
    pub note: String,
    /// Oldest first or last; [`StatuteBase`](super::StatuteBase) sorts them.
    pub versions: Vec<Version>,
    /// In any order; one entry for each content an article number has had.
    pub articles: Vec<ArticleEntry>,
}

/// 法律, 行政法规, 部门规章 or 司法解释.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rank {
    /// 法律
    Law,
    /// 行政法规
    Regulation,
    /// 部门规章
    Rule,
    /// 司法解释
    Interpretation,
}

impl Rank {
    /// The Chinese word.
    pub fn chinese(self) -> &'static str {
        match self {
            Rank::Law => "法律",
            Rank::Regulation => "行政法规",
            Rank::Rule => "部门规章",
            Rank::Interpretation => "司法解释",
        }
    }
}

/// A wording of a law and when it was in force.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// Its name within the law, usually the year of adoption.
    pub id: String,
    /// The number of the order that promulgated it.
    #[serde(default)]
    pub number: String,
    /// The first day.
    pub in_force_from: Date,
    /// The last day; `None` while it is in force.
    pub in_force_until: Option<Date>,
    /// The number of its last article; `None` where that is not known.
    pub articles: Option<u16>,
    /// Whether every article of it has an entry.
    pub coverage: Coverage,
    /// Whether the source lost breaks between paragraphs, so that an article may have more of them than its entry says.
    #[serde(default)]
    pub paragraphs_unsure: bool,
    /// Doubts.
    #[serde(default)]
    pub note: String,
}

impl Version {
    /// Whether it was in force on `date`.
    pub fn covers(&self, date: Date) -> bool {
        self.in_force_from <= date && self.in_force_until.is_none_or(|until| date <= until)
    }
}

/// How much of a version has entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// Every article.
    Whole,
    /// Some articles.
    Excerpt,
}

/// What a breach of an article leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Liability {
    /// 民事责任
    Civil,
    /// 行政责任
    Administrative,
    /// 刑事责任
    Criminal,
    /// 治安处罚
    PublicSecurity,
    /// 劳动纪律
    Labour,
}

impl Liability {
    /// The Chinese word.
    pub fn chinese(self) -> &'static str {
        match self {
            Liability::Civil => "民事责任",
            Liability::Administrative => "行政责任",
            Liability::Criminal => "刑事责任",
            Liability::PublicSecurity => "治安处罚",
            Liability::Labour => "劳动纪律",
        }
    }
}

impl fmt::Display for Liability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.chinese())
    }
}

/// Whom an article binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// 经营者
    Operator,
    /// 平台
    Platform,
    /// 主管部门
    Authority,
    /// 坐席个人
    Agent,
    /// 消费者
    Consumer,
    /// 协会
    Association,
    /// 生产者
    Producer,
    /// 用人单位
    Employer,
    /// 承运、快递企业
    Carrier,
    /// 法院
    Court,
    /// 国家
    State,
    /// 任何人
    Everyone,
    /// 广告主体
    Advertiser,
}

impl Bound {
    /// The Chinese word.
    pub fn chinese(self) -> &'static str {
        match self {
            Bound::Operator => "经营者",
            Bound::Platform => "平台",
            Bound::Authority => "主管部门",
            Bound::Agent => "坐席个人",
            Bound::Consumer => "消费者",
            Bound::Association => "协会",
            Bound::Producer => "生产者",
            Bound::Employer => "用人单位",
            Bound::Carrier => "承运、快递企业",
            Bound::Court => "法院",
            Bound::State => "国家",
            Bound::Everyone => "任何人",
            Bound::Advertiser => "广告主体",
        }
    }
}

/// An article (条) with the content it has in some versions.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArticleEntry {
    /// The number, `24` or `253之一`.
    #[serde(deserialize_with = "article")]
    pub article: Article,
    /// The ids of the versions in which the number has this content.
    pub versions: Vec<String>,
    /// How many items (项) each paragraph (款) has.
    pub structure: Vec<u8>,
    /// What it says, in our own words.
    pub gist: String,
    /// What its parts say, keyed `1(8)` or `2`.
    #[serde(default)]
    pub items: BTreeMap<String, String>,
    /// What it is about, in the words people use.
    pub topics: Vec<String>,
    /// What a breach leads to, the most direct first.
    pub liability: Vec<Liability>,
    /// Whom it binds.
    pub binds: Vec<Bound>,
    /// The time limit it sets and for whom.
    pub deadline: Option<String>,
    /// What it does not apply to.
    pub exceptions: Option<String>,
    /// Traps.
    #[serde(default)]
    pub note: String,
    /// Where its content stands today; only on former versions and repealed laws.
    #[serde(default)]
    pub successors: Vec<Successor>,
    /// What is often said of the article although it does not say so.
    #[serde(default)]
    pub misread: Vec<Misread>,
}

/// Something that is often wrongly attributed to an article.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Misread {
    /// Words that show it when all of them stand in the sentence.
    pub words: Vec<String>,
    /// What is wrong.
    pub note: String,
    /// Where it stands in fact, if anywhere; `None` also where the article is right and its content is not.
    #[serde(default, deserialize_with = "optional_reference")]
    pub to: Option<StatuteRef>,
}

impl ArticleEntry {
    /// What a breach leads to, in Chinese, joined by 、.
    pub fn liabilities(&self) -> String {
        self.liability.iter().map(|liability| liability.chinese()).collect::<Vec<_>>().join("、")
    }

    /// Whom it binds, in Chinese, joined by 、.
    pub fn bound(&self) -> String {
        self.binds.iter().map(|bound| bound.chinese()).collect::<Vec<_>>().join("、")
    }

    /// The gist of the part a reference names, or of the article where the part has none of its own.
    pub fn gist_of(&self, paragraph: Option<u8>, item: Option<u8>) -> &str {
        let item_gist = match (paragraph, item) {
            (Some(p), Some(i)) => self.items.get(&format!("{p}({i})")),
            _ => None,
        };
        let paragraph_gist = paragraph.and_then(|p| self.items.get(&p.to_string()));
        item_gist.or(paragraph_gist).map_or(self.gist.as_str(), String::as_str)
    }

    /// Whether the article has this paragraph and item.
    pub fn has(&self, paragraph: Option<u8>, item: Option<u8>) -> bool {
        let Some(paragraph) = paragraph else { return item.is_none() };
        let items = usize::from(paragraph).checked_sub(1).and_then(|at| self.structure.get(at));
        items.is_some_and(|items| item.is_none_or(|item| item <= *items))
    }
}

/// Where the content of an article, or of a part of it, stands today.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Successor {
    /// The part meant, `1(8)` or `2`; the whole article where left out.
    #[serde(default, deserialize_with = "part")]
    pub part: Option<(u8, Option<u8>)>,
    /// The article in the latest version.
    #[serde(deserialize_with = "reference")]
    pub to: StatuteRef,
    /// How far the content changed.
    pub change: Change,
    /// What changed.
    #[serde(default)]
    pub note: String,
}

/// How far the content of an article changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Not at all.
    Same,
    /// In wording only.
    Wording,
    /// In content.
    Changed,
    /// Altogether.
    Rewritten,
}

fn article<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Article, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|()| serde::de::Error::custom(format!("'{text}' is not an article number")))
}

fn reference<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<StatuteRef, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

fn optional_reference<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<StatuteRef>, D::Error> {
    reference(deserializer).map(Some)
}

fn part<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<(u8, Option<u8>)>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrapped = match text.split_once('(') {
        Some((paragraph, item)) => format!("({paragraph})({item}"),
        None => format!("({text})"),
    };
    match parse_part(&wrapped) {
        Some((Some(paragraph), item)) => Ok(Some((paragraph, item))),
        _ => Err(serde::de::Error::custom(format!("'{text}' is not a part of an article, as '1(8)' or '2'"))),
    }
}
