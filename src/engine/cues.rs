//! What no phrase foresees: the cues of a turn and of what the customer said before and after it, weighed.

use crate::engine::context::Context;
use crate::engine::scanner::Flag;
use crate::lexicon::cues::{self, Place, Points};
use crate::lexicon::{RuleIndex, RuleSet};
use crate::model::{Family, SpeakerRole};
use crate::span::Span;

/// How many cues a flag names.
const NAMED: usize = 5;

/// What was counted for a flag that cues raised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weighed {
    /// The points of the turn.
    pub points: i32,
    /// How many it takes.
    pub bar: i32,
    /// The cues of the turn itself that count most, with their points.
    pub cues: Vec<(String, i32)>,
}

/// Weighs the cues of agent turn `turn` together with the `flags` raised by other rules: drops
/// those that the cues speak against, unless `all` are wanted, and adds those that cues raise by themselves.
pub fn weigh(context: &Context<'_, '_>, turn: usize, flags: &mut Vec<Flag>, all: bool) {
    let rules = context.lens.rules;
    let weighers = || rules.weighers.iter().map(|index| (*index, &rules.rules[*index as usize]));
    if !weighers().any(|(_, rule)| rule.channels.contains(&context.conversation.channel)) {
        return;
    }
    let points = points(context, turn);
    for (index, rule) in weighers() {
        let Some(cues) = rule.cues.filter(|_| rule.channels.contains(&context.conversation.channel)) else { continue };
        let points = points[place_of(rule.family)];
        let of_family = |flag: &Flag| rules.rules[flag.rule as usize].family == rule.family;
        let hit = flags.iter().any(of_family);
        if hit && !all {
            if points + cues.hit < cues.bar {
                flags.retain(|flag| !of_family(flag) || !rules.rules[flag.rule as usize].weighed);
            }
        } else if points >= cues.bar {
            flags.extend(flag(context, turn, index, points, cues.bar));
        }
    }
}

fn place_of(family: Family) -> usize {
    Family::CONDUCT.iter().position(|other| *other == family).expect("rules are about conduct")
}

/// The points of agent turn `turn` for every family.
fn points(context: &Context<'_, '_>, turn: usize) -> Points {
    let turns = &context.conversation.turns;
    let customer = |at: &usize| turns[*at].role == SpeakerRole::Customer;
    let asked = (0..turn).rev().find(customer);
    let answered = (turn + 1..turns.len()).find(customer);
    let mut sum = context.lens.rules.cues.base();
    for (at, place) in [Some(turn), asked, answered].into_iter().zip(Place::ALL) {
        let Some(at) = at else { continue };
        sum.iter_mut().zip(context.points(at, place)).for_each(|(sum, points)| *sum += points);
    }
    sum
}

/// A flag that cues raise, where they stand closest in the turn; none where a condition of the rule is against it.
fn flag(context: &Context<'_, '_>, turn: usize, index: RuleIndex, points: i32, bar: i32) -> Option<Flag> {
    let rules = context.lens.rules;
    let rule = &rules.rules[index as usize];
    let analysis = context.plain(turn);
    let plain = analysis.view().text();
    let (span, cues) = strongest(rules, rule.family, plain);
    if !analysis.local_conditions_hold(rule, &span) || !context.surroundings_hold(rule, turn) {
        return None;
    }
    // A clause can be read by itself.
    let clause = analysis.clause(&span);
    let bare = plain[clause.clone()].trim_matches(|c: char| !c.is_alphanumeric());
    let start = clause.start + plain[clause.clone()].find(bare).unwrap_or(0);
    let span = if bare.is_empty() { span } else { start..start + bare.len() };
    Some(Flag {
        rule: index,
        hit: Some((turn, analysis.view().original(span))),
        turns: Vec::new(),
        weighed: Some(Box::new(Weighed { points, bar, cues })),
    })
}

/// The part of a plain text that has the most points for `family`, and the cues that count most.
fn strongest(rules: &RuleSet, family: Family, plain: &str) -> (Span, Vec<(String, i32)>) {
    let family = place_of(family);
    let mut text = Vec::new();
    cues::read(plain, &mut text);
    // The points of a cue are shared out among its characters.
    let mut shares = vec![0f64; text.len()];
    let mut found: Vec<(i32, String)> = Vec::new();
    cues::pieces(Place::Said, &text, |key, range| {
        let Some(points) = rules.cues.points(key).map(|points| points[family]).filter(|points| *points != 0) else {
            return;
        };
        let share = f64::from(points) / range.len() as f64;
        shares[range].iter_mut().for_each(|sum| *sum += share);
        let cue = cues::written(Place::Said, key);
        if points > 0 && telling(&cue) {
            found.push((-points, cue));
        }
    });
    let (mut best, mut best_sum, mut start, mut sum) = (0..text.len(), 0.0, 0, 0.0);
    for (at, share) in shares.iter().enumerate() {
        if sum <= 0.0 {
            (start, sum) = (at, 0.0);
        }
        sum += share;
        if sum > best_sum {
            (best, best_sum) = (start..at + 1, sum);
        }
    }
    let inside = |(c, span): &(char, Span)| !span.is_empty() && (c.is_alphanumeric() || !c.is_ascii());
    let first = text[best.clone()].iter().find(|piece| inside(piece));
    let last = text[best.clone()].iter().rev().find(|piece| inside(piece));
    let span = match (first, last) {
        (Some((_, first)), Some((_, last))) => first.start..last.end,
        _ => 0..plain.len(),
    };
    found.sort();
    found.dedup();
    let mut named: Vec<(String, i32)> = Vec::new();
    for (points, cue) in found {
        if named.len() < NAMED && !named.iter().any(|(other, _)| other.contains(&cue) || cue.contains(other.as_str())) {
            named.push((cue, -points));
        }
    }
    (span, named)
}

/// Whether a cue tells a reader something: a single character or a mark does not.
fn telling(cue: &str) -> bool {
    let word = cue.trim_start_matches('^').trim_end_matches('$');
    word.chars().count() > 1 && word.chars().all(char::is_alphanumeric)
}
