//! Scans conversations with a compiled rule set.

use crate::engine::analysis::Analysis;
use crate::engine::context::Context;
use crate::engine::cues::{self, Weighed};
use crate::engine::dialogue;
use crate::lexicon::rule::Position;
use crate::lexicon::{Rule, RuleIndex, RuleSet};
use crate::model::{Conversation, SpeakerRole};
use crate::span::Span;
use crate::text::normalize::View;

/// A longer conversation is judged in pieces of so many turns, each for itself, so that its cost grows with its length
/// and not with the square of it. No customer is served in so many turns: such ids stand for many conversations.
pub const MAX_TURNS: usize = 1000;

/// How turns are chosen for full evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Only turns that pass the gate.
    #[default]
    Lazy,
    /// Every turn: slower, the same flags, as a test proves.
    Eager,
}

/// A rule that fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// Which rule.
    pub rule: RuleIndex,
    /// The turn and the breach in it, in bytes of the original text; `None` on a rule about the whole conversation.
    pub hit: Option<(usize, Span)>,
    /// The turns that are evidence, in order; empty when `hit` is set.
    pub turns: Vec<usize>,
    /// What was counted, on a flag that cues raised.
    pub weighed: Option<Box<Weighed>>,
}

/// What scanning one conversation gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scan {
    /// Sorted by turn and place, those about the whole conversation last.
    pub flags: Vec<Flag>,
    /// Turns with so many hits that some were not looked at; see [`MAX_HITS`](crate::lexicon::index::MAX_HITS).
    pub truncated: usize,
    /// Whether the conversation was judged in pieces; see [`MAX_TURNS`].
    pub cut: bool,
}

/// Cheap to make; any number may share one rule set.
#[derive(Debug, Clone, Copy)]
pub struct Scanner<'r> {
    rules: &'r RuleSet,
    mode: Mode,
}

/// The agent turns that may hold phrases of rules about the whole conversation, in order.
pub(super) type Candidates = Vec<(RuleIndex, usize)>;

impl<'r> Scanner<'r> {
    /// A scanner for `rules`.
    pub fn new(rules: &'r RuleSet, mode: Mode) -> Scanner<'r> {
        Scanner { rules, mode }
    }

    /// The flags of one conversation. Of overlapping flags of one family in a turn only the gravest is kept.
    pub fn scan(&self, conversation: &Conversation<'_>) -> Scan {
        self.run(conversation, true)
    }

    /// Like [`scan`](Self::scan), but keeps every rule that fired, overlapped or not: for the rules' own examples.
    pub fn scan_all(&self, conversation: &Conversation<'_>) -> Scan {
        self.run(conversation, false)
    }

    fn run(&self, conversation: &Conversation<'_>, resolve: bool) -> Scan {
        if conversation.turns.len() <= MAX_TURNS {
            return self.piece(conversation, resolve);
        }
        let mut whole = Scan { cut: true, ..Scan::default() };
        for (piece, turns) in conversation.turns.chunks(MAX_TURNS).enumerate() {
            let mut scan = self.piece(&Conversation { turns: turns.to_vec(), ..conversation.clone() }, resolve);
            for flag in &mut scan.flags {
                let hit = flag.hit.as_mut().map(|(turn, _)| turn);
                hit.into_iter().chain(&mut flag.turns).for_each(|turn| *turn += piece * MAX_TURNS);
            }
            whole.flags.extend(scan.flags);
            whole.truncated += scan.truncated;
        }
        // Stable: the order at one place stays.
        whole.flags.sort_by_key(|flag| flag.hit.as_ref().map_or(usize::MAX, |(turn, _)| *turn));
        whole
    }

    fn piece(&self, conversation: &Conversation<'_>, resolve: bool) -> Scan {
        let eager = self.mode == Mode::Eager;
        let context = Context::new(self.rules, conversation, eager);
        let mut flags: Vec<Flag> = Vec::new();
        let mut candidates = Candidates::new();
        for (turn, row) in conversation.turns.iter().enumerate() {
            if row.role != SpeakerRole::Agent || row.text.is_empty() {
                continue;
            }
            let known = context.lens.recall(row.text);
            let look = context.lens.agent_look(row.text, known.as_deref());
            let evidence = if eager { &self.rules.dialogues } else { &look.evidence };
            candidates.extend(evidence.iter().map(|rule| (*rule, turn)));
            if known.is_some() || look.fires || eager {
                context.set(turn, known.unwrap_or_default());
            }
            let mut found = self.judge_brief(&context, turn, look.chars);
            if look.fires || eager {
                found.extend(self.judge(&context, turn));
            }
            cues::weigh(&context, turn, &mut found, !resolve);
            if !found.is_empty() {
                found.sort_by_key(|flag| (flag.hit.clone().map(|(_, span)| (span.start, span.end)), flag.rule));
                found.dedup();
                flags.extend(if resolve { self.resolve(found) } else { found });
            }
        }
        candidates.sort_unstable();
        flags.extend(dialogue::judge(&context, &candidates, &flags));
        Scan { flags, truncated: context.truncated(), cut: false }
    }

    /// Evaluates the rules whose phrases stand in agent turn `turn`.
    fn judge(&self, context: &Context<'r, '_>, turn: usize) -> Vec<Flag> {
        let mut flags = Vec::new();
        let applies = |rule: RuleIndex| applies(context, &self.rules.rules[rule as usize], turn);
        for analysis in context.views(turn) {
            let mut flag = |rule: RuleIndex, spans: &[Span]| {
                let original = analysis.view().original(spans[0].clone());
                flags.push(Flag { rule, hit: Some((turn, original)), turns: Vec::new(), weighed: None });
            };
            if context.known(turn).is_kept() {
                for (rule, spans) in analysis.standing().iter().filter(|(rule, _)| applies(*rule)) {
                    flag(*rule, spans);
                }
                continue;
            }
            // What the customer said decides more often than what the turn says, and costs less to ask.
            for (rule, patterns) in analysis.candidates().into_iter().filter(|(rule, _)| applies(*rule)) {
                let spans = analysis.places(&self.rules.rules[rule as usize], &patterns);
                if !spans.is_empty() {
                    flag(rule, &spans);
                }
            }
        }
        flags
    }

    /// Evaluates the rules about short turns on agent turn `turn`, which has `chars` letters, digits and Han characters.
    fn judge_brief(&self, context: &Context<'r, '_>, turn: usize, chars: usize) -> Vec<Flag> {
        let mut flags = Vec::new();
        for rule in &self.rules.briefs {
            let definition = &self.rules.rules[*rule as usize];
            // What the customer said decides more often than what the turn says.
            if definition.brief.is_some_and(|longest| (1..=longest).contains(&chars))
                && applies(context, definition, turn)
            {
                let analysis = context.plain(turn);
                let whole = 0..analysis.view().text().len();
                if analysis.local_conditions_hold(definition, &whole) {
                    let original = analysis.view().original(whole);
                    flags.push(Flag { rule: *rule, hit: Some((turn, original)), turns: Vec::new(), weighed: None });
                }
            }
        }
        flags
    }

    fn resolve(&self, flags: Vec<Flag>) -> Vec<Flag> {
        let rank = |flag: &Flag| {
            let rule = &self.rules.rules[flag.rule as usize];
            let length = flag.hit.as_ref().map_or(0, |(_, span)| span.len());
            (rule.severity, length, std::cmp::Reverse(flag.rule))
        };
        let beats = |a: &Flag, b: &Flag| {
            let (Some((_, one)), Some((_, two))) = (&a.hit, &b.hit) else { return false };
            let family = |flag: &Flag| self.rules.rules[flag.rule as usize].family;
            let overlap = one.start < two.end && two.start < one.end;
            a != b && family(a) == family(b) && overlap && rank(a) > rank(b)
        };
        let keep: Vec<bool> = flags.iter().map(|flag| !flags.iter().any(|other| beats(other, flag))).collect();
        flags.into_iter().zip(keep).filter(|(_, keep)| *keep).map(|(flag, _)| flag).collect()
    }
}

/// Whether a phrase of `rule` stands in agent turn `turn`, with all conditions.
pub(super) fn says(context: &Context<'_, '_>, rule: &Rule, turn: usize) -> bool {
    let stands = |analysis: Analysis<'_>| !analysis.places(rule, &rule.phrases).is_empty();
    let stands = stands(context.plain(turn)) || rule.view == View::Folded && stands(context.folded(turn));
    stands && applies(context, rule, turn)
}

/// Whether a phrase of `rule` in turn `turn` fires, as far as the conversation around it has a say.
fn applies(context: &Context<'_, '_>, rule: &Rule, turn: usize) -> bool {
    rule.channels.contains(&context.conversation.channel)
        && stands_at(context, rule.position, turn)
        && context.surroundings_hold(rule, turn)
}

fn stands_at(context: &Context<'_, '_>, position: Position, turn: usize) -> bool {
    let mut agents = context.turns_of(SpeakerRole::Agent);
    match position {
        Position::Any => true,
        Position::Opening => agents.next() == Some(turn),
        Position::Closing => agents.next_back() == Some(turn),
    }
}
