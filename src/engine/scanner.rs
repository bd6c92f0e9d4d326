//! Scans conversations with a compiled rule set.

use std::collections::BTreeMap;

use crate::engine::analysis::Analysis;
use crate::engine::context::{Context, Place};
use crate::engine::dialogue;
use crate::lexicon::rule::Position;
use crate::lexicon::{PatternId, Rule, RuleIndex, RuleSet};
use crate::model::{Conversation, SpeakerRole};
use crate::span::Span;
use crate::text::normalize::View;
use crate::text::traits;

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
}

/// What scanning one conversation gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scan {
    /// Sorted by turn and place, those about the whole conversation last.
    pub flags: Vec<Flag>,
    /// Turns with so many hits that some were not looked at; see [`analysis::MAX_HITS`](super::analysis::MAX_HITS).
    pub truncated: usize,
}

/// Cheap to make; any number may share one rule set.
#[derive(Debug, Clone, Copy)]
pub struct Scanner<'r> {
    rules: &'r RuleSet,
    mode: Mode,
}

/// Per dialogue rule the agent turns that are evidence by its own phrases.
pub(super) type Evidence = BTreeMap<RuleIndex, Vec<usize>>;

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
        let mut context: Option<Context<'r, '_>> = None;
        let mut flags: Vec<Flag> = Vec::new();
        let mut evidence = Evidence::new();
        for (turn, row) in conversation.turns.iter().enumerate() {
            if row.role != SpeakerRole::Agent || row.text.is_empty() {
                continue;
            }
            let traits = traits(row.text);
            let pass = self.mode == Mode::Eager
                || self.rules.gate.agent(&self.rules.places, row.text, traits, conversation.channel);
            if pass {
                let context = context.get_or_insert_with(|| Context::new(self.rules, conversation));
                if self.mode == Mode::Eager {
                    context.plain(turn).words();
                }
                let mut found = self.judge(context, turn, traits.folds, &mut evidence);
                if resolve {
                    found = self.resolve(found);
                }
                flags.extend(found);
            }
        }
        let eager = self.mode == Mode::Eager;
        flags.extend(dialogue::judge(self.rules, conversation, &mut context, &flags, evidence, eager));
        Scan { flags, truncated: context.map_or(0, |context| context.truncated()) }
    }

    /// Evaluates the rules that the hits of agent turn `turn` can fire.
    fn judge(&self, context: &Context<'r, '_>, turn: usize, folds: bool, evidence: &mut Evidence) -> Vec<Flag> {
        let plain = context.plain(turn);
        let mut flags = Vec::new();
        let mut judge = |analysis: &Analysis<'r>, views: &[View]| {
            for (rule, patterns) in self.candidates(analysis, views) {
                let definition = &self.rules.rules[rule as usize];
                let Some(span) = first_hit(context, definition, &patterns, turn, analysis) else { continue };
                if definition.dialogue.is_some() {
                    evidence.entry(rule).or_default().push(turn);
                } else {
                    let original = analysis.view().original(span);
                    flags.push(Flag { rule, hit: Some((turn, original)), turns: Vec::new() });
                }
            }
        };
        judge(plain, &[View::Plain, View::Sound, View::Folded]);
        if folds {
            judge(context.folded(turn), &[View::Folded]);
        }
        for turns in evidence.values_mut() {
            turns.dedup();
        }
        flags.sort_by_key(|flag| (flag.hit.clone().map(|(_, span)| (span.start, span.end)), flag.rule));
        flags.dedup();
        flags
    }

    fn candidates(&self, analysis: &Analysis<'r>, views: &[View]) -> BTreeMap<RuleIndex, Vec<PatternId>> {
        let mut candidates: BTreeMap<RuleIndex, Vec<PatternId>> = BTreeMap::new();
        for pattern in analysis.active() {
            let Some(rule) = self.rules.owners[pattern as usize] else { continue };
            if views.contains(&self.rules.rules[rule as usize].view) {
                candidates.entry(rule).or_default().push(pattern);
            }
        }
        candidates
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

/// The first match of `patterns` that satisfies everything `rule` says of its surroundings.
fn first_hit<'r>(
    context: &Context<'r, '_>,
    rule: &Rule,
    patterns: &[PatternId],
    turn: usize,
    analysis: &Analysis<'r>,
) -> Option<Span> {
    if !rule.channels.contains(&context.conversation.channel) || !stands_at(context, rule.position, turn) {
        return None;
    }
    let mut spans: Vec<Span> = patterns.iter().flat_map(|pattern| analysis.matches(*pattern).to_vec()).collect();
    spans.sort_by_key(|span| (span.start, span.end));
    spans.dedup();
    spans.into_iter().find(|span| {
        if analysis.any_over(&rule.unless, span) {
            return false;
        }
        let place = Place { turn, analysis, span: span.clone() };
        rule.require.iter().all(|condition| context.holds(condition, &place))
            && !rule.exclude.iter().any(|condition| context.holds(condition, &place))
    })
}

fn stands_at(context: &Context<'_, '_>, position: Position, turn: usize) -> bool {
    let mut agents = context.turns_of(SpeakerRole::Agent);
    match position {
        Position::Any => true,
        Position::Opening => agents.next() == Some(turn),
        Position::Closing => agents.next_back() == Some(turn),
    }
}
