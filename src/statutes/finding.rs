//! The finding: a flag with the articles at risk, as written to JSON Lines.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::engine::Flag;
use crate::lexicon::Rule;
use crate::model::{Conversation, Family, Severity, SpeakerRole};
use crate::span::code_points;
use crate::statutes::base::{Cited, StatuteBase};
use crate::statutes::law::Liability;

/// The schema name of the finding record.
pub const SCHEMA: &str = "zhijian.finding/1";

/// One finding. Field order is the order in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// `zhijian.finding/1`
    pub schema: String,
    /// The conversation's id as exported.
    pub conversation: String,
    /// The row of the conversation, from 0; `null` on a finding about the whole conversation.
    pub turn: Option<usize>,
    /// The rows that are evidence of a finding about the whole conversation, else `null`.
    pub turns: Option<Vec<usize>>,
    /// Who is judged: always `agent`.
    pub role: SpeakerRole,
    /// The agent's name as exported; may be empty.
    pub agent: String,
    /// The time of the turn as exported; may be empty.
    pub time: String,
    /// The rule's id.
    pub rule: String,
    /// The family of the rule.
    pub family: Family,
    /// How grave it is.
    pub severity: Severity,
    /// First code point of the breach in the original text of the turn; `null` with `turn`.
    pub start: Option<usize>,
    /// The code point after the last one.
    pub end: Option<usize>,
    /// The breach, as it stands in the original text; empty when `turn` is `null`.
    pub matched: String,
    /// The articles at risk on the day, the most direct one first.
    pub statutes: Vec<FindingStatute>,
    /// What is wrong, in Chinese, for the agent and the reviewer.
    pub message: String,
    /// What to say instead.
    pub advice: String,
    /// Where the row stands.
    pub source: FindingSource,
}

/// An article at risk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingStatute {
    /// The law's name without 中华人民共和国.
    pub law: String,
    /// The article (条).
    pub article: u16,
    /// The 之 number of an article such as 第二百九十三条之一; left out where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<u8>,
    /// The paragraph (款), from 1.
    pub paragraph: Option<u8>,
    /// The item (项), from 1.
    pub item: Option<u8>,
    /// The citation as lawyers write it.
    pub label: String,
    /// The most direct liability; `null` where the article sets none.
    pub liability: Option<Liability>,
    /// The first day of the version that applies.
    pub in_force_from: Date,
}

impl From<&Cited<'_>> for FindingStatute {
    fn from(cited: &Cited<'_>) -> FindingStatute {
        FindingStatute {
            law: cited.law.name.clone(),
            article: cited.entry.article.number,
            branch: Some(cited.entry.article.branch).filter(|branch| *branch > 0),
            paragraph: cited.paragraph,
            item: cited.item,
            label: cited.label(),
            liability: cited.entry.liability.first().copied(),
            in_force_from: cited.version.in_force_from,
        }
    }
}

/// Where a row stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingSource {
    /// The path as given; `<stdin>` for standard input.
    pub path: String,
    /// 1-based line on which the row starts.
    pub line: u64,
}

impl Finding {
    /// Turns a flag into a finding by adding the articles in force on `date`.
    pub fn new(flag: &Flag, rule: &Rule, conversation: &Conversation<'_>, base: &StatuteBase, date: Date) -> Finding {
        let first = flag.hit.as_ref().map(|(turn, _)| *turn).or_else(|| flag.turns.first().copied());
        // A customer's request may be the first evidence; the finding names the agent who let it lie.
        let of_agent = |turn: &&usize| conversation.turns[**turn].role == SpeakerRole::Agent;
        let agent_turn = flag.turns.iter().find(of_agent).copied().or(first);
        let row = first.map(|turn| conversation.turns[turn]);
        let by = agent_turn.map(|turn| conversation.turns[turn]);
        let span = flag.hit.as_ref().map(|(turn, span)| {
            let text = conversation.turns[*turn].text;
            (code_points(text, span), text[span.clone()].to_owned())
        });
        let cited: Vec<Cited<'_>> = rule
            .statutes
            .iter()
            .filter_map(|(reference, _)| base.in_force(reference, date, conversation.industry))
            .collect();
        let risk = cited.first().map(|cited| format!("，可能违反{}", cited.label())).unwrap_or_default();
        Finding {
            schema: SCHEMA.to_owned(),
            conversation: conversation.id.to_owned(),
            turn: flag.hit.as_ref().map(|(turn, _)| *turn),
            turns: flag.hit.is_none().then(|| flag.turns.clone()),
            role: SpeakerRole::Agent,
            agent: by.map(|turn| turn.agent.to_owned()).unwrap_or_default(),
            time: row.map(|turn| turn.time.to_owned()).unwrap_or_default(),
            rule: rule.id.to_string(),
            family: rule.family,
            severity: rule.severity,
            start: span.as_ref().map(|(range, _)| range.start),
            end: span.as_ref().map(|(range, _)| range.end),
            matched: span.map(|(_, text)| text).unwrap_or_default(),
            statutes: cited.iter().map(FindingStatute::from).collect(),
            message: format!("{}{risk}。{}{}", rule.title, rule.why, counted(flag)),
            advice: rule.advice.clone(),
            source: FindingSource { path: conversation.path.to_owned(), line: row.map_or(0, |turn| turn.line) },
        }
    }
}

/// What cues counted, in words: which of the turn's own count most, the points of all and how many it takes.
fn counted(flag: &Flag) -> String {
    let Some(weighed) = &flag.weighed else { return String::new() };
    let cues: Vec<String> = weighed.cues.iter().map(|(cue, points)| format!("“{}”{points}", shown(cue))).collect();
    let cues = if cues.is_empty() { "单字".to_owned() } else { cues.join("、") };
    format!("（线索：{cues}等，连同客户前后文共 {} 分，达到 {} 分即命中）", weighed.points, weighed.bar)
}

/// A cue without the marks of the start and the end of a turn.
fn shown(cue: &str) -> &str {
    cue.trim_start_matches('^').trim_end_matches('$')
}
