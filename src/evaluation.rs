//! Findings against a labelled corpus: precision, recall and F1 as the labelling guideline counts them.
//!
//! The unit is (conversation, agent turn, family); borderline units count neither way. Labels of whole conversations
//! are counted apart, by (conversation, family).

use std::collections::BTreeSet;
use std::path::Path;
use std::{fmt, fs};

use serde::{Deserialize, Serialize};

use crate::model::{Channel, Conversation, Family, SpeakerRole, Turn};
use crate::statutes::Finding;

/// A labelled conversation.
#[derive(Debug, Clone, Deserialize)]
pub struct GoldConversation {
    /// Its id, unique in the corpus.
    pub id: String,
    /// Where it was held.
    #[serde(default)]
    pub channel: Channel,
    /// The trade.
    #[serde(default)]
    pub industry: String,
    /// All rows.
    pub turns: Vec<GoldTurn>,
    /// Labels of the whole conversation.
    #[serde(default)]
    pub dialogue_labels: Vec<GoldLabel>,
    /// Families that could be argued either way for the whole conversation.
    #[serde(default)]
    pub dialogue_borderline: Vec<Family>,
}

/// A labelled turn.
#[derive(Debug, Clone, Deserialize)]
pub struct GoldTurn {
    /// Who speaks.
    pub speaker: SpeakerRole,
    /// The text.
    pub text: String,
    /// What it breaches.
    #[serde(default)]
    pub labels: Vec<GoldLabel>,
    /// What could be argued either way.
    #[serde(default)]
    pub borderline: Vec<Family>,
}

/// A label.
#[derive(Debug, Clone, Deserialize)]
pub struct GoldLabel {
    /// The family.
    pub family: Family,
}

/// Why a labelled corpus could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: [{code}] {message}")]
pub struct GoldError {
    place: String,
    code: &'static str,
    message: String,
}

impl GoldConversation {
    /// Reads labelled conversations, one JSON object a line.
    ///
    /// # Errors
    /// When the file cannot be read or a line is no labelled conversation, with its place.
    pub fn read(path: &Path) -> Result<Vec<GoldConversation>, GoldError> {
        let failed = |place: String, code, message: String| GoldError { place, code, message };
        let text =
            fs::read_to_string(path).map_err(|error| failed(path.display().to_string(), "read", error.to_string()))?;
        let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        let parse = |(number, line): (usize, &str)| {
            serde_json::from_str(line).map_err(|error| {
                let place = format!("{}:{number}:{}", path.display(), error.column());
                failed(place, "gold", format!("{error}; see docs/labelling.md"))
            })
        };
        lines.map(parse).collect()
    }

    /// The conversation without its labels.
    pub fn conversation(&self) -> Conversation<'_> {
        Conversation {
            id: &self.id,
            channel: self.channel,
            industry: &self.industry,
            date: None,
            path: "",
            turns: self.turns.iter().map(|turn| Turn::new(turn.speaker, &turn.text)).collect(),
        }
    }
}

/// Right and wrong findings of one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Labelled and found.
    #[serde(rename = "tp")]
    pub right: usize,
    /// Found but neither labelled nor borderline.
    #[serde(rename = "fp")]
    pub wrong: usize,
    /// Labelled but not found.
    #[serde(rename = "fn")]
    pub missed: usize,
}

impl Counts {
    fn of<T: Ord>(gold: &BTreeSet<T>, borderline: &BTreeSet<T>, found: &BTreeSet<T>) -> Counts {
        let wrong = found.iter().filter(|unit| !gold.contains(unit) && !borderline.contains(unit));
        Counts { right: gold.intersection(found).count(), wrong: wrong.count(), missed: gold.difference(found).count() }
    }

    /// Right among all found; `None` when nothing was found.
    pub fn precision(self) -> Option<f64> {
        ratio(self.right, self.right + self.wrong)
    }

    /// Found among all labelled; `None` when nothing is labelled.
    pub fn recall(self) -> Option<f64> {
        ratio(self.right, self.right + self.missed)
    }

    /// The harmonic mean of both; 0 where either is undefined.
    pub fn f1(self) -> f64 {
        match (self.precision(), self.recall()) {
            (Some(p), Some(r)) if p + r > 0.0 => 2.0 * p * r / (p + r),
            _ => 0.0,
        }
    }
}

fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// A finding that is wrong or a label that was missed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// `true`: found but not labelled; `false`: labelled but not found.
    pub false_alarm: bool,
    /// The conversation.
    pub conversation: String,
    /// The turn, or `None` for the whole conversation.
    pub turn: Option<usize>,
    /// The family.
    pub family: Family,
    /// The rules that found it.
    pub rules: Vec<String>,
}

/// The figures of a corpus.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Evaluation {
    /// Agent turns judged.
    pub agent_turns: usize,
    /// By family, in the order of [`Family::CONDUCT`].
    pub families: Vec<(Family, Counts)>,
    /// Insult, stall and refuse together.
    pub core: Counts,
    /// All families.
    pub all: Counts,
    /// Turns flagged at all, whatever the family.
    pub any: Counts,
    /// Whole conversations.
    pub dialogue: Counts,
    /// Turns flagged for nothing, per 1,000 agent turns.
    pub false_alarms_per_1000_agent_turns: f64,
    /// What went wrong, in corpus order.
    pub mistakes: Vec<Mistake>,
}

type Unit = (String, usize, Family);

/// Compares `findings` with `gold`.
pub fn evaluate(gold: &[GoldConversation], findings: &[Finding]) -> Evaluation {
    let (mut labels, mut borderline) = (BTreeSet::<Unit>::new(), BTreeSet::<Unit>::new());
    let (mut whole, mut whole_borderline) = (BTreeSet::new(), BTreeSet::new());
    let mut agent_turns = 0;
    for conversation in gold {
        for (at, turn) in conversation.turns.iter().enumerate().filter(|(_, t)| t.speaker == SpeakerRole::Agent) {
            agent_turns += 1;
            let unit = |family| (conversation.id.clone(), at, family);
            labels.extend(turn.labels.iter().map(|label| unit(label.family)));
            borderline.extend(turn.borderline.iter().map(|family| unit(*family)));
        }
        whole.extend(conversation.dialogue_labels.iter().map(|label| (conversation.id.clone(), label.family)));
        whole_borderline
            .extend(conversation.dialogue_borderline.iter().map(|family| (conversation.id.clone(), *family)));
    }
    let conduct = || findings.iter().filter(|finding| finding.family != Family::Citation);
    let unit = |finding: &Finding| finding.turn.map(|turn| (finding.conversation.clone(), turn, finding.family));
    let found: BTreeSet<Unit> = conduct().filter_map(unit).collect();
    let whole_found: BTreeSet<(String, Family)> =
        conduct().filter(|f| f.turn.is_none()).map(|f| (f.conversation.clone(), f.family)).collect();

    let of = |keep: &dyn Fn(Family) -> bool| {
        let only = |units: &BTreeSet<Unit>| units.iter().filter(|unit| keep(unit.2)).cloned().collect();
        Counts::of(&only(&labels), &only(&borderline), &only(&found))
    };
    let turns = |units: &BTreeSet<Unit>| -> BTreeSet<(String, usize)> {
        units.iter().map(|(conversation, turn, _)| (conversation.clone(), *turn)).collect()
    };
    let any = Counts::of(&turns(&labels), &turns(&borderline), &turns(&found));
    let rules = |turn: Option<usize>, conversation: &str, family: Family| {
        let same = conduct().filter(|f| f.turn == turn && f.conversation == conversation && f.family == family);
        same.map(|f| f.rule.clone()).collect()
    };
    let mistake = |false_alarm, conversation: &String, turn, family| Mistake {
        false_alarm,
        conversation: conversation.clone(),
        turn,
        family,
        rules: rules(turn, conversation, family),
    };
    let mut mistakes: Vec<Mistake> = Vec::new();
    mistakes.extend(
        found
            .iter()
            .filter(|u| !labels.contains(*u) && !borderline.contains(*u))
            .map(|u| mistake(true, &u.0, Some(u.1), u.2)),
    );
    mistakes.extend(labels.difference(&found).map(|u| mistake(false, &u.0, Some(u.1), u.2)));
    mistakes.extend(
        whole_found
            .iter()
            .filter(|u| !whole.contains(*u) && !whole_borderline.contains(*u))
            .map(|u| mistake(true, &u.0, None, u.1)),
    );
    mistakes.extend(whole.difference(&whole_found).map(|u| mistake(false, &u.0, None, u.1)));
    mistakes.sort_by(|a, b| (&a.conversation, a.turn, a.family).cmp(&(&b.conversation, b.turn, b.family)));
    Evaluation {
        agent_turns,
        families: Family::CONDUCT.into_iter().map(|family| (family, of(&|f| f == family))).collect(),
        core: of(&|f| matches!(f, Family::Insult | Family::Stall | Family::Refuse)),
        all: of(&|_| true),
        any,
        dialogue: Counts::of(&whole, &whole_borderline, &whole_found),
        false_alarms_per_1000_agent_turns: 1000.0 * any.wrong as f64 / agent_turns.max(1) as f64,
        mistakes,
    }
}

impl fmt::Display for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<14} {:>5} {:>5} {:>5}  {:>6} {:>6} {:>6}", "", "TP", "FP", "FN", "P", "R", "F1")?;
        let families = self.families.iter().map(|(family, counts)| (family.as_str(), counts));
        let groups =
            [("core", &self.core), ("all", &self.all), ("any", &self.any), ("dialogue", &self.dialogue)].into_iter();
        for (name, counts) in families.chain(groups) {
            let figure = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.3}"));
            let (p, r) = (figure(counts.precision()), figure(counts.recall()));
            let Counts { right, wrong, missed } = counts;
            writeln!(f, "{name:<14} {right:>5} {wrong:>5} {missed:>5}  {p:>6} {r:>6} {:>6.3}", counts.f1())?;
        }
        let alarms = self.false_alarms_per_1000_agent_turns;
        writeln!(f, "agent turns {}, false alarms per 1,000 agent turns {alarms:.2}", self.agent_turns)
    }
}
