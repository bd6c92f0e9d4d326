//! The typed form of rule, class and guard files. Unknown keys are refused.
//!
//! The keys are described for authors in `docs/rule-language.md`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::model::{Channel, Family, Severity};
use crate::text::View;

/// A string of a rule file that knows where it stands.
pub type Text = Spanned<String>;

/// `lexicons/<family>/<name>.toml`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    /// `family.kebab-name`, equal to the path.
    pub id: Text,
    /// What is wrong, in a few Chinese words.
    pub title: String,
    /// How grave it is.
    pub severity: Severity,
    /// Why it is a breach, for an agent who appeals.
    pub why: String,
    /// The articles at risk, the most direct one first, as `消法 56(1)(8)`.
    pub statutes: Vec<Text>,
    /// What to say instead.
    pub advice: String,
    /// Words that `lint --fix` may put in the place of others, whatever stands around them.
    #[serde(default)]
    pub replace: BTreeMap<String, String>,
    /// Where the rule comes from.
    pub source: String,
    /// The version that brought it.
    pub since: String,
    /// Channels it applies to; all when left out.
    #[serde(default = "all_channels")]
    pub channels: Vec<Channel>,
    /// The form of the text its phrases are looked for in.
    #[serde(default)]
    pub view: View,
    /// Where in the conversation the turn must stand.
    #[serde(default)]
    pub position: Position,
    /// What fires.
    #[serde(default)]
    pub phrases: Vec<Text>,
    /// Longer harmless phrases: a hit that one of them overlaps does not count.
    #[serde(default)]
    pub unless: Vec<Text>,
    /// Conditions that must all hold.
    #[serde(default)]
    pub require: Vec<ConditionFile>,
    /// Conditions of which none may hold.
    #[serde(default)]
    pub exclude: Vec<ConditionFile>,
    /// Guards to apply beside those of the family.
    #[serde(default)]
    pub guards: Vec<Text>,
    /// Guards of the family not to apply.
    #[serde(default)]
    pub guards_off: Vec<Text>,
    /// Set on a rule about the conversation as a whole.
    pub dialogue: Option<DialogueFile>,
    /// Set on the rule that weighs the cues of its family.
    pub cues: Option<CuesFile>,
    /// What it must flag.
    pub examples: Vec<Spanned<Example>>,
    /// What it must not flag.
    pub counterexamples: Vec<Spanned<Example>>,
}

fn all_channels() -> Vec<Channel> {
    Channel::ALL.to_vec()
}

/// An agent turn, or a conversation of lines `客：…`, `坐：…`, `系：…`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Example {
    /// One agent turn.
    Turn(String),
    /// Several turns.
    Conversation(Vec<String>),
}

/// Where in a conversation a rule looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// Any agent turn.
    #[default]
    Any,
    /// The first agent turn.
    Opening,
    /// The last agent turn.
    Closing,
}

/// What a condition looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Before the hit in its clause, at most `within` words (all when left out).
    Before,
    /// After the hit in its clause, at most `within` words (all when left out).
    After,
    /// The clause of the hit.
    Clause,
    /// The sentence of the hit.
    Sentence,
    /// The turn of the hit.
    Turn,
    /// The turn of the hit and the turns of the same speaker next to it.
    Utterance,
    /// The hit stands inside quotation marks (`any` may be left out).
    Quoted,
    /// The last `within` customer turns before (1 when left out).
    CustomerBefore,
    /// Every customer turn before.
    CustomerEver,
    /// The next `within` customer turns after (1 when left out).
    CustomerAfter,
    /// The last `within` agent turns before (1 when left out).
    AgentBefore,
    /// Every agent turn before.
    AgentEver,
    /// The next `within` agent turns after (1 when left out).
    AgentAfter,
}

impl Scope {
    /// Whether it looks at what the customer says.
    pub fn is_customer(self) -> bool {
        matches!(self, Scope::CustomerBefore | Scope::CustomerEver | Scope::CustomerAfter)
    }

    /// Whether it lies inside the turn of the hit.
    pub fn is_local(self) -> bool {
        use Scope::{After, Before, Clause, Quoted, Sentence, Turn};
        matches!(self, Before | After | Clause | Sentence | Turn | Quoted)
    }
}

/// One condition on the surroundings of a hit.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditionFile {
    /// What it looks at.
    #[serde(rename = "in")]
    pub scope: Spanned<Scope>,
    /// How many words or turns; see [`Scope`].
    pub within: Option<usize>,
    /// Phrases of which one must stand there.
    #[serde(default)]
    pub any: Vec<Text>,
    /// Longer phrases that take a phrase of `any` back where they overlap it.
    #[serde(default)]
    pub unless: Vec<Text>,
    /// How many turns of a scope of several turns must hold one; 1 when left out.
    #[serde(default = "one")]
    pub at_least: usize,
    /// The turn has at most so many letters, digits and Han characters; `any` may then be left out.
    pub max_chars: Option<usize>,
}

fn one() -> usize {
    1
}

/// `lexicons/guards/<name>.toml`: an exclude condition that rules share.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuardFile {
    /// Its name, equal to the file's.
    pub id: Text,
    /// What it lifts and why.
    pub why: String,
    /// The families whose rules have it unless they say `guards_off`.
    pub families: Vec<Spanned<Family>>,
    /// Any one of these lifts the flag.
    pub when: Vec<ConditionFile>,
}

/// `lexicons/classes/<name>.toml`: words that stand for one another in patterns, written `{name}` there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassFile {
    /// Its name, equal to the file's.
    pub id: Text,
    /// What its members have in common.
    pub why: String,
    /// Phrases in pattern syntax, `{other}` included.
    pub entries: Vec<Text>,
    /// Entries that also count when a word of the same sound stands there, in recognised speech only.
    #[serde(default)]
    pub sound: Vec<Text>,
}

/// How the cues of a family are weighed; points are those of the table of cues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CuesFile {
    /// A turn with so many points is a breach.
    pub bar: i32,
    /// What a hit of another rule of the family counts, in points. With it and its cues together a turn must reach the bar,
    /// too: else the hit is dropped.
    pub hit: i32,
}

/// What a rule about the conversation as a whole counts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DialogueFile {
    /// The mechanism.
    pub kind: Spanned<DialogueKind>,
    /// How many turns of evidence it takes.
    #[serde(default = "one")]
    pub at_least: usize,
    /// `count`: turns flagged by these rules are evidence too. An id, or `family.*`.
    #[serde(default)]
    pub rules: Vec<Text>,
    /// `count`: how many of the turns must be evidence by `rules` rather than by `phrases`.
    #[serde(default)]
    pub flagged: usize,
    /// `unanswered`: what counts as an answer in an agent turn.
    #[serde(default)]
    pub answer: Vec<Text>,
    /// `unanswered`: within how many agent turns; to the end when left out.
    pub within: Option<usize>,
    /// `repeat`: how alike two replies must be, from 0 to 1 (Dice coefficient of their character pairs).
    #[serde(default = "alike")]
    pub similarity: f64,
    /// `repeat`: replies shorter than this many characters do not count.
    #[serde(default)]
    pub min_chars: usize,
    /// `slow`: seconds a customer may wait for the first reply.
    #[serde(default)]
    pub seconds: u64,
}

fn alike() -> f64 {
    1.0
}

/// The mechanisms of dialogue rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DialogueKind {
    /// At least `at_least` agent turns hold a phrase or were flagged by `rules`.
    Count,
    /// At least `at_least` agent turns say nearly the same, each fulfilling `require` and `exclude`.
    Repeat,
    /// At least `at_least` customer turns hold a phrase and no agent turn `within` holds an `answer`.
    Unanswered,
    /// No agent turn holds any of `phrases` although the conditions of `require` hold.
    Missing,
    /// The first agent turn came more than `seconds` after the first customer turn.
    Slow,
    /// A customer turn holds a phrase and no agent turn follows it.
    Abandoned,
    /// An agent turn holds a phrase with a number and a unit (3分钟, 两小时), and the next agent turn after the customer
    /// came back comes later than that.
    Overdue,
}
