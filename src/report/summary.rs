//! A day with what reports compute from it once: ranks, what the law says, and how it compares with the report before.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Article, Severity, StatuteRef, chinese_number};
use crate::report::day::{Day, Hit, rate};
use crate::report::privacy::hex;
use crate::statutes::texts::{TextError, TextStore};
use crate::statutes::{FindingStatute, StatuteBase};

/// What findings of one rule or about one article amount to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stats {
    /// Findings.
    pub findings: u64,
    /// Conversations with one.
    pub conversations: u64,
    /// Agents with one.
    pub agents: u64,
    /// Turns with one; findings about whole conversations count once.
    pub turns: u64,
    /// Findings by severity, from note to error.
    pub severities: [u64; 3],
}

/// What the statute base says of an article, and its text where the user has imported it.
#[derive(Debug, Clone, Default)]
pub struct ArticleNote {
    /// In our own words.
    pub gist: String,
    /// Every liability, joined by 、.
    pub liability: String,
    /// Whom it binds.
    pub binds: String,
    /// The time limit it sets and for whom.
    pub deadline: String,
    /// What it does not apply to.
    pub exceptions: String,
    /// The official text of the part that is cited; empty where it was not imported.
    pub text: String,
}

/// How an agent's findings of a rule compare with the report before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Not in the report before.
    New,
    /// In both.
    Continuing,
    /// In the report before, not in this one, although the agent spoke.
    Resolved,
    /// In the report before; the agent did not speak in this one.
    Absent,
}

impl Status {
    /// The Chinese word.
    pub fn chinese(self) -> &'static str {
        match self {
            Status::New => "新增",
            Status::Continuing => "持续",
            Status::Resolved => "已消除",
            Status::Absent => "本期未上线",
        }
    }
}

/// The findings of the report before, by agent as shown and rule id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Previous {
    /// How many findings.
    pub findings: BTreeMap<(String, String), u64>,
    /// What the rules say is wrong, by rule id.
    pub titles: BTreeMap<String, String>,
}

/// One agent's findings of one rule, before and now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The agent as shown.
    pub agent: String,
    /// The rule's id.
    pub rule: String,
    /// What it says is wrong.
    pub title: String,
    /// What became of it.
    pub status: Status,
    /// Findings before.
    pub before: u64,
    /// Findings now.
    pub now: u64,
}

/// What reports are written from.
#[derive(Debug)]
pub struct Report {
    /// What was gathered.
    pub day: Day,
    /// By [`Day::rules`].
    pub rules: Vec<Stats>,
    /// By [`Day::articles`].
    pub articles: Vec<Stats>,
    /// By [`Day::articles`].
    pub notes: Vec<ArticleNote>,
    /// Indices of rules, those with most findings first.
    pub rule_order: Vec<usize>,
    /// Indices of articles, those with most findings first.
    pub article_order: Vec<usize>,
    /// Indices of agents: those with enough turns by the lower bound of their rate, highest first, then the others by
    /// name. An agent without turns and findings is left out.
    pub agent_order: Vec<usize>,
    /// How many agents at the head of `agent_order` have enough turns to be ranked.
    pub ranked: usize,
    /// Against the report before, worst first; `None` where none was given.
    pub changes: Option<Vec<Change>>,
    /// Of `changes`, by agent and rule as numbered in `day`.
    statuses: BTreeMap<(u32, u32), Status>,
}

impl Report {
    /// Computes the rest of the report.
    ///
    /// # Errors
    /// When an imported text cannot be read.
    pub fn new(
        day: Day,
        base: &StatuteBase,
        texts: Option<&TextStore>,
        previous: Option<&Previous>,
    ) -> Result<Report, TextError> {
        let mut rules = Counting::new(day.rules.len());
        let mut articles = Counting::new(day.articles.len());
        for hit in &day.hits {
            rules.count(hit.rule as usize, hit);
            let cited: BTreeSet<u32> = day.citations[hit.citations as usize].iter().copied().collect();
            cited.into_iter().for_each(|article| articles.count(article as usize, hit));
        }
        let (rules, articles) = (rules.finish(), articles.finish());
        let mut rule_order: Vec<usize> = (0..rules.len()).collect();
        rule_order.sort_by(|a, b| {
            let key = |at: usize| std::cmp::Reverse(rules[at].findings);
            key(*a).cmp(&key(*b)).then_with(|| day.rules[*a].id.cmp(&day.rules[*b].id))
        });
        let mut article_order: Vec<usize> = (0..articles.len()).collect();
        article_order.sort_by(|a, b| {
            let key = |at: usize| std::cmp::Reverse(articles[at].findings);
            key(*a).cmp(&key(*b)).then_with(|| day.articles[*a].label.cmp(&day.articles[*b].label))
        });
        let (agent_order, ranked) = rank_agents(&day);
        let notes = day.articles.iter().map(|article| note(article, base, texts)).collect::<Result<_, _>>()?;
        let changes = previous.map(|previous| compare(&day, previous));
        let mut statuses = BTreeMap::new();
        if let Some(previous) = previous {
            for hit in &day.hits {
                statuses.entry((hit.agent, hit.rule)).or_insert_with(|| {
                    let known = previous.findings.contains_key(&key(&day, hit));
                    if known { Status::Continuing } else { Status::New }
                });
            }
        }
        Ok(Report { day, rules, articles, notes, rule_order, article_order, agent_order, ranked, changes, statuses })
    }

    /// The first and the last day; `None` when no conversation carries a date.
    pub fn period(&self) -> Option<(jiff::civil::Date, jiff::civil::Date)> {
        Some((*self.day.days.keys().next()?, *self.day.days.keys().next_back()?))
    }

    /// Whether a finding is new or continuing; `None` without a report before.
    pub fn status(&self, hit: &Hit) -> Option<Status> {
        self.statuses.get(&(hit.agent, hit.rule)).copied()
    }

    /// The conversations with findings: fatal ones first, then by rising score, then in input order.
    pub fn by_risk(&self) -> Vec<usize> {
        let conversations = &self.day.conversations;
        let mut order: Vec<usize> = (0..conversations.len()).filter(|at| !conversations[*at].hits.is_empty()).collect();
        order.sort_by(|a, b| {
            let (a, b) = (&conversations[*a], &conversations[*b]);
            b.fatal.cmp(&a.fatal).then(a.score.total_cmp(&b.score)).then(b.hits.len().cmp(&a.hits.len()))
        });
        order
    }

    /// The id of a finding as reports show it: twelve hexadecimal digits.
    pub fn hit_id(hit: &Hit) -> String {
        hex(&hit.id)
    }

    /// The gravest severity among the findings of a conversation.
    pub fn worst(&self, conversation: usize) -> Option<Severity> {
        let hits = self.day.conversations[conversation].hits.clone();
        self.day.hits[hits].iter().map(|hit| hit.severity).max()
    }
}

fn rank_agents(day: &Day) -> (Vec<usize>, usize) {
    let enough = |at: usize| day.agents[at].tally.turns >= day.settings.minimum_turns.max(1);
    let lower = |at: usize| day.agents[at].tally.rate().map_or(0.0, |(_, low, _)| low);
    let seen = |at: &usize| day.agents[*at].tally.turns > 0 || day.agents[*at].tally.findings > 0;
    let mut order: Vec<usize> = (0..day.agents.len()).filter(seen).collect();
    order.sort_by(|a, b| {
        let by_name = || day.agents[*a].name.cmp(&day.agents[*b].name);
        let by_rate =
            if enough(*a) && enough(*b) { lower(*b).total_cmp(&lower(*a)) } else { std::cmp::Ordering::Equal };
        enough(*b).cmp(&enough(*a)).then(by_rate).then_with(by_name)
    });
    let ranked = order.iter().filter(|at| enough(**at)).count();
    (order, ranked)
}

/// Counts by key; a conversation, an agent and a turn count once.
struct Counting {
    stats: Vec<Stats>,
    conversations: Vec<Option<u32>>,
    agents: Vec<BTreeSet<u32>>,
    turns: Vec<BTreeSet<(u32, Option<u32>)>>,
}

impl Counting {
    fn new(keys: usize) -> Counting {
        Counting {
            stats: vec![Stats::default(); keys],
            conversations: vec![None; keys],
            agents: vec![BTreeSet::new(); keys],
            turns: vec![BTreeSet::new(); keys],
        }
    }

    /// Hits of a conversation come one after the other.
    fn count(&mut self, key: usize, hit: &Hit) {
        let stats = &mut self.stats[key];
        stats.findings += 1;
        stats.severities[hit.severity as usize] += 1;
        self.agents[key].insert(hit.agent);
        if self.conversations[key].replace(hit.conversation) != Some(hit.conversation) {
            stats.conversations += 1;
            stats.turns += self.turns[key].len() as u64;
            self.turns[key].clear();
        }
        self.turns[key].insert((hit.conversation, hit.turn));
    }

    fn finish(mut self) -> Vec<Stats> {
        for (stats, (agents, turns)) in self.stats.iter_mut().zip(self.agents.iter().zip(&self.turns)) {
            stats.agents = agents.len() as u64;
            stats.turns += turns.len() as u64;
        }
        self.stats
    }
}

impl Stats {
    /// Turns with a finding per 1,000 of `turns` agent turns, with the bounds of the 95 % interval.
    pub fn rate(&self, turns: u64) -> Option<(f64, f64, f64)> {
        rate(self.turns, turns)
    }
}

fn note(article: &FindingStatute, base: &StatuteBase, texts: Option<&TextStore>) -> Result<ArticleNote, TextError> {
    let Some(law) = base.law(&article.law) else { return Ok(ArticleNote::default()) };
    let number = Article { number: article.article, branch: article.branch.unwrap_or(0) };
    let version = law.versions.iter().find(|version| version.in_force_from == article.in_force_from);
    let entry = version.and_then(|version| {
        law.articles.iter().find(|entry| entry.article == number && entry.versions.contains(&version.id))
    });
    let reference =
        StatuteRef { law: law.name.clone(), article: number, paragraph: article.paragraph, item: article.item };
    let Some(entry) = entry.or_else(|| base.resolve(&reference).map(|cited| cited.entry)) else {
        return Ok(ArticleNote::default());
    };
    let stored = match (texts, version) {
        (Some(texts), Some(version)) => texts.text(law, version)?,
        _ => None,
    };
    let text = stored.and_then(|stored| {
        stored.articles.get(&number.to_string()).map(|text| part_of(text, article.paragraph, article.item))
    });
    Ok(ArticleNote {
        gist: entry.gist_of(article.paragraph, article.item).to_owned(),
        liability: entry.liabilities(),
        binds: entry.bound(),
        deadline: entry.deadline.clone().unwrap_or_default(),
        exceptions: entry.exceptions.clone().unwrap_or_default(),
        text: text.unwrap_or_default(),
    })
}

/// The paragraph of an article's text, with the item where one is named and with all its items otherwise. The whole text
/// where it does not have that part.
fn part_of(text: &str, paragraph: Option<u8>, item: Option<u8>) -> String {
    let Some(paragraph) = paragraph else { return text.to_owned() };
    let is_item = |line: &str| {
        let inner = line.strip_prefix(['（', '(']).and_then(|rest| rest.split(['）', ')']).next());
        inner.is_some_and(|inner| !inner.is_empty() && inner.chars().all(|c| "一二三四五六七八九十".contains(c)))
    };
    let (mut at, mut kept) = (0u8, Vec::new());
    for line in text.split('\n').map(str::trim).filter(|line| !line.is_empty()) {
        if !is_item(line) || at == 0 {
            at = at.saturating_add(1);
        }
        if at == paragraph {
            kept.push(line);
        }
    }
    if let Some(item) = item {
        let number = chinese_number(u16::from(item));
        let named =
            |line: &str| [format!("（{number}）"), format!("({number})")].iter().any(|mark| line.starts_with(mark));
        if kept.iter().any(|line| named(line)) {
            kept.retain(|line| !is_item(line) || named(line));
        }
    }
    if kept.is_empty() { text.to_owned() } else { kept.join("\n") }
}

/// Agent as shown and rule id.
fn key(day: &Day, hit: &Hit) -> (String, String) {
    (day.agents[hit.agent as usize].name.clone(), day.rules[hit.rule as usize].id.clone())
}

fn compare(day: &Day, previous: &Previous) -> Vec<Change> {
    let mut now: BTreeMap<(String, String), u64> = BTreeMap::new();
    for hit in &day.hits {
        *now.entry(key(day, hit)).or_default() += 1;
    }
    let present: BTreeSet<&str> =
        day.agents.iter().filter(|agent| agent.tally.turns > 0).map(|agent| agent.name.as_str()).collect();
    let mut titles: BTreeMap<&str, &str> = previous.titles.iter().map(|(id, title)| (&**id, &**title)).collect();
    titles.extend(day.rules.iter().map(|rule| (&*rule.id, &*rule.title)));
    let keys: BTreeSet<&(String, String)> = now.keys().chain(previous.findings.keys()).collect();
    let mut changes: Vec<Change> = keys
        .into_iter()
        .map(|key| {
            let count = |map: &BTreeMap<(String, String), u64>| map.get(key).copied().unwrap_or(0);
            let (before, now) = (count(&previous.findings), count(&now));
            let status = match (before, now) {
                (0, _) => Status::New,
                (_, 0) if present.contains(key.0.as_str()) => Status::Resolved,
                (_, 0) => Status::Absent,
                _ => Status::Continuing,
            };
            let title = titles.get(key.1.as_str()).copied().unwrap_or_default().to_owned();
            Change { agent: key.0.clone(), rule: key.1.clone(), title, status, before, now }
        })
        .collect();
    changes.sort_by(|a, b| {
        (a.status, std::cmp::Reverse(a.now), std::cmp::Reverse(a.before), &a.agent, &a.rule).cmp(&(
            b.status,
            std::cmp::Reverse(b.now),
            std::cmp::Reverse(b.before),
            &b.agent,
            &b.rule,
        ))
    });
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_cited_part_of_an_article_is_quoted() {
        let text = "经营者有下列情形之一：\n（一）甲；\n（八）乙；\n另有规定的除外。";
        assert_eq!(part_of(text, Some(1), Some(8)), "经营者有下列情形之一：\n（八）乙；");
        assert_eq!(part_of(text, Some(1), None), "经营者有下列情形之一：\n（一）甲；\n（八）乙；");
        assert_eq!(part_of(text, Some(2), None), "另有规定的除外。");
        assert_eq!(part_of(text, Some(9), None), text);
        assert_eq!(part_of(text, None, None), text);
    }
}
