//! Conversations and their findings, gathered into the one model that every report is written from.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::civil::{Date, DateTime};
use rustc_hash::{FxHashMap, FxHashSet};
use sha2::{Digest, Sha256};

use crate::config::ReportSettings;
use crate::lexicon::RuleSet;
use crate::model::{Channel, Conversation, Family, Severity, SpeakerRole};
use crate::report::privacy::{Privacy, agents, hex};
use crate::report::time::parse_time;
use crate::statutes::{Finding, FindingStatute};

/// Index into [`Day::agents`].
pub type AgentIndex = u32;

/// What is counted alike for a day, an agent, a team and the whole.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tally {
    /// Conversations with at least one agent turn.
    pub conversations: u64,
    /// Judged agent turns.
    pub turns: u64,
    /// Judged agent turns with a finding.
    pub flagged_turns: u64,
    /// Findings.
    pub findings: u64,
    /// Conversations with a finding.
    pub flagged: u64,
    /// Conversations with a fatal finding.
    pub fatal: u64,
    /// Conversations whose score passes.
    pub passed: u64,
    /// The sum of the scores of the conversations.
    pub score: f64,
    /// Findings by family, in the order of [`Family::ALL`].
    pub families: [u64; Family::ALL.len()],
    /// Findings by severity, from note to error.
    pub severities: [u64; 3],
}

/// The place of `family` in [`Family::ALL`].
pub fn family_index(family: Family) -> usize {
    Family::ALL.iter().position(|other| *other == family).expect("every family is listed")
}

impl Tally {
    /// Flagged turns per 1,000 agent turns with the bounds of the 95 % interval; `None` without turns.
    pub fn rate(&self) -> Option<(f64, f64, f64)> {
        rate(self.flagged_turns, self.turns)
    }

    /// The mean score; `None` without conversations.
    pub fn mean_score(&self) -> Option<f64> {
        (self.conversations > 0).then(|| self.score / self.conversations as f64)
    }

    fn add(&mut self, other: &Tally) {
        self.conversations += other.conversations;
        self.turns += other.turns;
        self.flagged_turns += other.flagged_turns;
        self.findings += other.findings;
        self.flagged += other.flagged;
        self.fatal += other.fatal;
        self.passed += other.passed;
        self.score += other.score;
        let pairs = self.families.iter_mut().zip(&other.families);
        pairs.chain(self.severities.iter_mut().zip(&other.severities)).for_each(|(mine, theirs)| *mine += theirs);
    }
}

/// `part` per 1,000 of `whole` with the bounds of the 95 % interval; `None` when `whole` is 0.
pub fn rate(part: u64, whole: u64) -> Option<(f64, f64, f64)> {
    let (low, high) = super::statistics::wilson(part, whole)?;
    Some((1000.0 * part as f64 / whole as f64, 1000.0 * low, 1000.0 * high))
}

/// An agent.
#[derive(Debug, Clone, Default)]
pub struct Agent {
    /// The name as it may be shown; empty where the export names none.
    pub name: String,
    /// The team of the roster; empty where it has none.
    pub team: String,
    /// The agent's own share of everything: of a conversation with two agents each has the own turns and findings.
    pub tally: Tally,
    /// By day.
    pub days: BTreeMap<Date, Tally>,
}

/// A rule that has findings.
#[derive(Debug, Clone)]
pub struct RuleFacts {
    /// `family.kebab-name`
    pub id: String,
    /// What is wrong, in a few words; the id where the rule set does not know the rule.
    pub title: String,
    /// The family.
    pub family: Family,
    /// What to say instead.
    pub advice: String,
}

/// A conversation. Those without findings have no texts.
#[derive(Debug, Clone)]
pub struct ConversationFacts {
    /// The id as exported.
    pub id: Box<str>,
    /// Where it was held.
    pub channel: Channel,
    /// The trade, into [`Day::words`].
    pub industry: u32,
    /// The day.
    pub date: Option<Date>,
    /// Its agents in the order of their first turn.
    pub agents: Box<[AgentIndex]>,
    /// The file, into [`Day::words`].
    pub path: u32,
    /// 1-based line of its first row.
    pub line: u64,
    /// Rows; 0 when only findings are known.
    pub turns: u32,
    /// Judged agent turns.
    pub agent_turns: u32,
    /// Its findings, a range of [`Day::hits`].
    pub hits: Range<usize>,
    /// Points.
    pub score: f64,
    /// Whether a finding is fatal.
    pub fatal: bool,
    /// Its rows as they may be shown; empty without findings.
    pub texts: Box<[Row]>,
}

/// A row as it may be shown.
#[derive(Debug, Clone)]
pub struct Row {
    /// Who speaks.
    pub role: SpeakerRole,
    /// Which agent, on agent turns.
    pub agent: Option<AgentIndex>,
    /// The time as exported.
    pub time: Box<str>,
    /// The text: as many characters as the original, personal data hidden.
    pub text: Box<str>,
}

/// A finding.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The same in every run on the same export: of file name, conversation, turns, rule and place.
    pub id: [u8; 6],
    /// Into [`Day::conversations`].
    pub conversation: u32,
    /// The row, from 0; `None` on a finding about the whole conversation.
    pub turn: Option<u32>,
    /// The rows that are evidence, for a finding about the whole conversation.
    pub turns: Box<[u32]>,
    /// Who is judged.
    pub agent: AgentIndex,
    /// The time of the turn as exported.
    pub time: Box<str>,
    /// Into [`Day::rules`].
    pub rule: u32,
    /// How grave it is.
    pub severity: Severity,
    /// Whether it fails the conversation.
    pub fatal: bool,
    /// Code points of the text of the turn.
    pub place: Range<u32>,
    /// What was matched, as it may be shown.
    pub matched: Box<str>,
    /// The articles at risk, into [`Day::citations`].
    pub citations: u32,
    /// Why, into [`Day::words`].
    pub message: u32,
    /// 1-based line of the row.
    pub line: u64,
    /// Points it costs; 0 for the second finding of a rule in a turn.
    pub points: f64,
}

/// Everything a report says, before it is laid out.
#[derive(Debug)]
pub struct Day {
    /// The settings it was made with.
    pub settings: ReportSettings,
    /// Whether personal data is hidden.
    pub masked: bool,
    /// Whether every conversation was read, not only findings: otherwise nobody knows how many had none.
    pub has_transcripts: bool,
    /// Everything together.
    pub total: Tally,
    /// All agents, in the order of their first turn.
    pub agents: Vec<Agent>,
    /// Teams by name; empty without a roster.
    pub teams: BTreeMap<String, Tally>,
    /// By day.
    pub days: BTreeMap<Date, Tally>,
    /// Agent turns and flagged agent turns by hour of the day, of turns that tell their time.
    pub hours: [(u64, u64); 24],
    /// Flagged conversations by family and severity.
    pub shares: [[u64; 3]; Family::ALL.len()],
    /// All conversations, in input order.
    pub conversations: Vec<ConversationFacts>,
    /// All findings, in input order.
    pub hits: Vec<Hit>,
    /// The rules that have findings, in the order of their first one.
    pub rules: Vec<RuleFacts>,
    /// The lists of articles that findings name; an entry is an index into `articles`.
    pub citations: Vec<Vec<u32>>,
    /// The articles, in the order of their first finding.
    pub articles: Vec<FindingStatute>,
    /// Interned texts: messages, paths, trades.
    pub words: Vec<Box<str>>,
    /// Findings left out because a reviewer judged them wrong.
    pub suppressed: u64,
}

/// Gathers a [`Day`].
pub struct Collector<'r> {
    rules: &'r RuleSet,
    privacy: Privacy,
    roster: BTreeMap<String, String>,
    suppressions: BTreeSet<String>,
    day: Day,
    /// Whether the text of a conversation was missing.
    incomplete: bool,
    agent_ids: FxHashMap<Box<str>, AgentIndex>,
    rule_ids: FxHashMap<Box<str>, u32>,
    word_ids: FxHashMap<Box<str>, u32>,
    article_ids: FxHashMap<(String, Date), u32>,
    citation_ids: FxHashMap<Vec<u32>, u32>,
}

/// A finding in the few bytes a collector needs of it.
#[derive(Debug, Clone)]
pub struct CompactFinding(Hit);

impl<'r> Collector<'r> {
    /// Starts an empty day. `roster` is agent → team; `suppressions` are ids of findings to leave out.
    pub fn new(
        rules: &'r RuleSet,
        settings: ReportSettings,
        privacy: Privacy,
        roster: BTreeMap<String, String>,
        suppressions: BTreeSet<String>,
    ) -> Collector<'r> {
        let day = Day {
            settings,
            masked: privacy.masks(),
            has_transcripts: false,
            total: Tally::default(),
            agents: Vec::new(),
            teams: BTreeMap::new(),
            days: BTreeMap::new(),
            hours: [(0, 0); 24],
            shares: [[0; 3]; Family::ALL.len()],
            conversations: Vec::new(),
            hits: Vec::new(),
            rules: Vec::new(),
            citations: Vec::new(),
            articles: Vec::new(),
            words: Vec::new(),
            suppressed: 0,
        };
        Collector {
            rules,
            privacy,
            roster,
            suppressions,
            day,
            incomplete: false,
            agent_ids: FxHashMap::default(),
            rule_ids: FxHashMap::default(),
            word_ids: FxHashMap::default(),
            article_ids: FxHashMap::default(),
            citation_ids: FxHashMap::default(),
        }
    }

    /// Takes a finding in; its conversation comes later, in [`add`](Self::add) or [`add_without_text`](Self::add_without_text).
    pub fn compact(&mut self, finding: &Finding) -> CompactFinding {
        let rule = self.rule(finding);
        let articles: Vec<u32> = finding.statutes.iter().map(|statute| self.article(statute)).collect();
        let next = u32::try_from(self.day.citations.len()).expect("fewer than 2^32 lists");
        let citations = *self.citation_ids.entry(articles).or_insert_with_key(|articles| {
            self.day.citations.push(articles.clone());
            next
        });
        let index = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let place = index(finding.start.unwrap_or(0))..index(finding.end.unwrap_or(0));
        CompactFinding(Hit {
            id: finding_id(finding),
            conversation: 0,
            turn: finding.turn.map(index),
            turns: finding.turns.iter().flatten().map(|turn| index(*turn)).collect(),
            agent: self.agent(&finding.agent),
            time: Box::from(finding.time.as_str()),
            rule,
            severity: finding.severity,
            fatal: self.day.settings.score.is_fatal(&finding.rule, finding.severity),
            place,
            matched: Box::from(finding.matched.as_str()),
            citations,
            message: self.word(&finding.message),
            line: finding.source.line,
            points: self.day.settings.score.points(&finding.rule, finding.severity),
        })
    }

    /// Adds a conversation and all its findings; call it for conversations without findings, too: rates rest on them.
    pub fn add(&mut self, conversation: &Conversation<'_>, findings: Vec<CompactFinding>) {
        self.day.has_transcripts = true;
        let names = agents(conversation);
        let industry = self.word(conversation.industry);
        let path = self.word(conversation.path);
        let mut facts = ConversationFacts {
            id: Box::from(conversation.id),
            channel: conversation.channel,
            industry,
            date: conversation.date,
            agents: names.iter().map(|name| self.agent(name)).collect(),
            path,
            line: conversation.turns.first().map_or(0, |turn| turn.line),
            turns: u32::try_from(conversation.turns.len()).unwrap_or(u32::MAX),
            agent_turns: 0,
            hits: 0..0,
            score: 0.0,
            fatal: false,
            texts: Box::default(),
        };
        let mut turns: Vec<(AgentIndex, u32)> = Vec::new();
        let mut hits = self.kept(findings);
        let flagged: FxHashSet<u32> = hits.iter().filter_map(|hit| flagged_turn(hit, conversation)).collect();
        for (at, turn) in (0u32..).zip(&conversation.turns) {
            if turn.role != SpeakerRole::Agent || turn.text.trim().is_empty() {
                continue;
            }
            facts.agent_turns += 1;
            let agent = self.agent(turn.agent);
            match turns.iter_mut().find(|(other, _)| *other == agent) {
                Some((_, count)) => *count += 1,
                None => turns.push((agent, 1)),
            }
            if let Some(hour) = parse_time(turn.time).map(|time| usize::from(time.hour().unsigned_abs())) {
                self.day.hours[hour].0 += 1;
                self.day.hours[hour].1 += u64::from(flagged.contains(&at));
            }
        }
        if !hits.is_empty() {
            let rows = conversation.turns.iter().map(|turn| Row {
                role: turn.role,
                agent: (turn.role == SpeakerRole::Agent).then(|| self.agent(turn.agent)),
                time: Box::from(turn.time),
                text: Box::from(&*self.privacy.text_of(turn.text, &names)),
            });
            facts.texts = rows.collect::<Vec<_>>().into_boxed_slice();
            for hit in &mut hits {
                if let Some(row) = hit.turn.and_then(|turn| facts.texts.get(turn as usize)) {
                    let length = hit.place.end.saturating_sub(hit.place.start) as usize;
                    let shown: String = row.text.chars().skip(hit.place.start as usize).take(length).collect();
                    hit.matched = shown.into_boxed_str();
                }
            }
        }
        self.close(facts, hits, &turns, &|hit| flagged_turn(hit, conversation));
    }

    /// Adds the findings of a conversation whose text is not at hand: they are counted and listed, without rates.
    pub fn add_without_text(&mut self, id: &str, path: &str, findings: Vec<CompactFinding>) {
        let mut hits = self.kept(findings);
        if hits.is_empty() {
            return;
        }
        self.incomplete = true;
        let mut names: Vec<AgentIndex> = Vec::new();
        for hit in &mut hits {
            hit.matched = Box::from(&*self.privacy.text_of(&hit.matched, &[]));
            if !names.contains(&hit.agent) {
                names.push(hit.agent);
            }
        }
        let first = &hits[0];
        let date = parse_time(&first.time).map(DateTime::date);
        let line = first.line;
        let (industry, path) = (self.word(""), self.word(path));
        let facts = ConversationFacts {
            id: Box::from(id),
            channel: Channel::default(),
            industry,
            date,
            agents: names.into_boxed_slice(),
            path,
            line,
            turns: 0,
            agent_turns: 0,
            hits: 0..0,
            score: 0.0,
            fatal: false,
            texts: Box::default(),
        };
        self.close(facts, hits, &[], &|_| None);
    }

    /// Ends the day. Where a conversation was not read, shares of conversations and means over them would be wrong: they
    /// are left out, with the number of conversations.
    pub fn finish(mut self) -> Day {
        let day = &mut self.day;
        day.has_transcripts &= !self.incomplete;
        if !day.has_transcripts {
            let agents = day.agents.iter_mut();
            let agents = agents.flat_map(|agent| agent.days.values_mut().chain([&mut agent.tally]));
            let groups = day.teams.values_mut().chain(day.days.values_mut()).chain([&mut day.total]);
            for tally in agents.chain(groups) {
                (tally.conversations, tally.passed, tally.score) = (0, 0, 0.0);
            }
        }
        self.day
    }

    fn kept(&mut self, findings: Vec<CompactFinding>) -> Vec<Hit> {
        let all = findings.len();
        let kept: Vec<Hit> = findings
            .into_iter()
            .map(|finding| finding.0)
            .filter(|hit| self.suppressions.is_empty() || !self.suppressions.contains(&hex(&hit.id)))
            .collect();
        self.day.suppressed += (all - kept.len()) as u64;
        kept
    }

    /// Scores the conversation and counts it. `turns` are judged agent turns by agent.
    fn close(
        &mut self,
        mut facts: ConversationFacts,
        mut hits: Vec<Hit>,
        turns: &[(AgentIndex, u32)],
        flagged_turn: &dyn Fn(&Hit) -> Option<u32>,
    ) {
        let at = u32::try_from(self.day.conversations.len()).expect("fewer than 2^32 conversations");
        let mut scored: FxHashSet<(u32, Option<u32>)> = FxHashSet::default();
        for hit in &mut hits {
            hit.conversation = at;
            if !scored.insert((hit.rule, hit.turn)) {
                hit.points = 0.0;
            }
        }
        let scoring = &self.day.settings.score;
        let score = |hits: &mut dyn Iterator<Item = &Hit>| {
            let (mut points, mut fatal) = (scoring.full, false);
            for hit in hits {
                points -= hit.points;
                fatal |= hit.fatal;
            }
            (if fatal { 0.0 } else { points.max(0.0) }, fatal)
        };
        let tally = |hits: &[&Hit], turns: u32| {
            let (points, fatal) = score(&mut hits.iter().copied());
            let flagged: FxHashSet<u32> = hits.iter().filter_map(|hit| flagged_turn(hit)).collect();
            let mut tally = Tally {
                conversations: 1,
                turns: u64::from(turns),
                flagged_turns: flagged.len() as u64,
                findings: hits.len() as u64,
                flagged: u64::from(!hits.is_empty()),
                fatal: u64::from(fatal),
                passed: u64::from(points >= scoring.pass),
                score: points,
                ..Tally::default()
            };
            for hit in hits {
                tally.families[family_index(self.day.rules[hit.rule as usize].family)] += 1;
                tally.severities[hit.severity as usize] += 1;
            }
            tally
        };
        (facts.score, facts.fatal) = score(&mut hits.iter());
        let mut shares: Vec<(usize, usize)> = hits
            .iter()
            .map(|hit| (family_index(self.day.rules[hit.rule as usize].family), hit.severity as usize))
            .collect();
        shares.sort_unstable();
        shares.dedup();
        // A conversation no agent spoke in is listed, but there is nothing to judge in it.
        let counts = facts.agent_turns > 0 || !hits.is_empty();
        let of_agent = |agent: AgentIndex| hits.iter().filter(|hit| hit.agent == agent).collect::<Vec<_>>();
        let mut parts: Vec<(AgentIndex, Tally)> =
            turns.iter().map(|(agent, turns)| (*agent, tally(&of_agent(*agent), *turns))).collect();
        for hit in &hits {
            if !parts.iter().any(|(agent, _)| *agent == hit.agent) {
                parts.push((hit.agent, tally(&of_agent(hit.agent), 0)));
            }
        }
        let mut teams: Vec<(String, Tally)> = Vec::new();
        for (agent, part) in &parts {
            let team = &self.day.agents[*agent as usize].team;
            match teams.iter_mut().find(|(name, _)| name == team) {
                // One conversation, however many of the team took part; the lowest score counts.
                Some((_, sum)) => {
                    let low = sum.score.min(part.score);
                    sum.add(part);
                    (sum.conversations, sum.score) = (1, low);
                    (sum.flagged, sum.fatal) = (sum.flagged.min(1), sum.fatal.min(1));
                    sum.passed = u64::from(low >= scoring.pass);
                }
                None => teams.push((team.clone(), part.clone())),
            }
        }
        let whole = tally(&hits.iter().collect::<Vec<_>>(), facts.agent_turns);
        if counts {
            self.day.total.add(&whole);
            if let Some(date) = facts.date {
                self.day.days.entry(date).or_default().add(&whole);
            }
        }
        for (family, severity) in shares {
            self.day.shares[family][severity] += 1;
        }
        for (agent, part) in parts {
            let agent = &mut self.day.agents[agent as usize];
            agent.tally.add(&part);
            if let Some(date) = facts.date {
                agent.days.entry(date).or_default().add(&part);
            }
        }
        if !self.roster.is_empty() {
            for (team, part) in teams {
                self.day.teams.entry(team).or_default().add(&part);
            }
        }
        let start = self.day.hits.len();
        facts.hits = start..start + hits.len();
        self.day.hits.extend(hits);
        self.day.conversations.push(facts);
    }

    fn agent(&mut self, name: &str) -> AgentIndex {
        if let Some(index) = self.agent_ids.get(name) {
            return *index;
        }
        let index = u32::try_from(self.day.agents.len()).expect("fewer than 2^32 agents");
        let team = self.roster.get(name).cloned().unwrap_or_default();
        self.day.agents.push(Agent { name: self.privacy.agent(name).into_owned(), team, ..Agent::default() });
        self.agent_ids.insert(Box::from(name), index);
        index
    }

    fn rule(&mut self, finding: &Finding) -> u32 {
        if let Some(index) = self.rule_ids.get(finding.rule.as_str()) {
            return *index;
        }
        let index = u32::try_from(self.day.rules.len()).expect("fewer than 2^32 rules");
        let known = self.rules.rule(&finding.rule);
        self.day.rules.push(RuleFacts {
            id: finding.rule.clone(),
            title: known.map_or_else(|| finding.rule.clone(), |rule| rule.title.clone()),
            family: finding.family,
            advice: finding.advice.clone(),
        });
        self.rule_ids.insert(Box::from(finding.rule.as_str()), index);
        index
    }

    fn word(&mut self, word: &str) -> u32 {
        if let Some(index) = self.word_ids.get(word) {
            return *index;
        }
        let index = u32::try_from(self.day.words.len()).expect("fewer than 2^32 texts");
        self.day.words.push(Box::from(word));
        self.word_ids.insert(Box::from(word), index);
        index
    }

    fn article(&mut self, statute: &FindingStatute) -> u32 {
        let next = u32::try_from(self.day.articles.len()).expect("fewer than 2^32 articles");
        let key = (statute.label.clone(), statute.in_force_from);
        *self.article_ids.entry(key).or_insert_with(|| {
            self.day.articles.push(statute.clone());
            next
        })
    }
}

/// The agent turn a finding marks: its turn, or the first agent turn among the evidence.
fn flagged_turn(hit: &Hit, conversation: &Conversation<'_>) -> Option<u32> {
    let of_agent =
        |turn: &&u32| conversation.turns.get(**turn as usize).is_some_and(|turn| turn.role == SpeakerRole::Agent);
    hit.turn.or_else(|| hit.turns.iter().find(of_agent).copied())
}

/// The id of a finding: the first bytes of a hash of what tells it from others.
fn finding_id(finding: &Finding) -> [u8; 6] {
    let file = finding.source.path.rsplit(['/', '\\']).next().unwrap_or_default();
    let turns = (finding.turn, &finding.turns, finding.start, finding.end);
    let key = format!("{file}\0{}\0{turns:?}\0{}", finding.conversation, finding.rule);
    let hash = Sha256::digest(key.as_bytes());
    let mut id = [0; 6];
    id.copy_from_slice(&hash[..6]);
    id
}
