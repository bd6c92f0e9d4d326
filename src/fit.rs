//! Labelled conversations → the table of weighted cues: for each family a linear support vector machine over the cues of
//! every agent turn and the customer turns next to it.
//!
//! Solved in the dual by coordinate descent (Hsieh et al., "A dual coordinate descent method for large-scale linear SVM",
//! ICML 2008; squared hinge loss). The order of the steps is fixed, so that the same corpus gives the same table.

use std::collections::HashMap;
use std::fmt::Write;

use rayon::prelude::*;

use crate::engine::selftest::example_line;
use crate::evaluation::GoldConversation;
use crate::lexicon::cues::{self, HEADER, Place, Points};
use crate::lexicon::{Example, RuleSet};
use crate::model::{Family, SpeakerRole};
use crate::text::normalize::plain_text;

/// How much a turn may pull the points: more follows the corpus closer.
const COST: f64 = 0.02;
/// A breach weighs as much as so many turns without one.
const BREACH: f64 = 1.5;
/// An example of a rule, made to show one thing, weighs as much as so many turns of a conversation.
const EXAMPLE: f64 = 0.2;
/// A cue is learned when it stands in at least so many turns.
const SEEN: usize = 3;
/// How often every turn is gone through.
const PASSES: usize = 60;

/// For each family whether it is breached, and the weight of that; 0 where it could be argued either way.
type Verdicts = [(bool, f64); Family::CONDUCT.len()];

/// A turn to learn from.
#[derive(Debug)]
struct Sample {
    cues: Vec<u32>,
    verdicts: Verdicts,
}

/// The table learned from `gold` and from the examples of `rules`; as [`Cues::parse`](cues::Cues::parse) reads it.
pub fn fit(gold: &[GoldConversation], rules: &RuleSet) -> String {
    let (samples, keys) = samples(gold, rules);
    let learned: Vec<Vec<f64>> = (0..Family::CONDUCT.len())
        .into_par_iter()
        .map(|family| {
            let of_family = |sample: &Sample| (sample.verdicts[family].1 > 0.0).then_some(sample.verdicts[family]);
            let chosen: Vec<_> = samples.iter().filter_map(|s| Some((s.cues.as_slice(), of_family(s)?))).collect();
            solve(&chosen, keys.len())
        })
        .collect();
    let row = |at: usize| -> Points { std::array::from_fn(|family| (learned[family][at] * 100.0).round() as i32) };
    let mut out = format!("{HEADER}\n");
    let mut line = |cue: &str, place: &str, points: Points| {
        let shown = points.map(|points| if points == 0 { String::new() } else { points.to_string() });
        writeln!(out, "{cue}\t{place}\t{}", shown.join("\t")).expect("a string takes writes");
    };
    line("", "base", row(keys.len()));
    let mut lines: Vec<(Place, String, Points)> =
        keys.iter().enumerate().map(|(at, (place, key))| (*place, cues::written(*place, *key), row(at))).collect();
    lines.retain(|(_, _, points)| *points != Points::default());
    lines.sort();
    lines.iter().for_each(|(place, cue, points)| line(cue, place.as_str(), *points));
    out
}

/// The turns of the corpora and the examples, and the cues that stand in enough of them.
fn samples(gold: &[GoldConversation], rules: &RuleSet) -> (Vec<Sample>, Vec<(Place, u64)>) {
    let mut turns: Vec<(Vec<(Place, u64)>, Verdicts)> = Vec::new();
    for conversation in gold {
        let rows: Vec<(SpeakerRole, &str)> = conversation.turns.iter().map(|t| (t.speaker, t.text.as_str())).collect();
        for (at, turn) in conversation.turns.iter().enumerate().filter(|(_, t)| t.speaker == SpeakerRole::Agent) {
            let verdict = |family| match turn.labels.iter().any(|label| label.family == family) {
                true => (true, BREACH),
                false if turn.borderline.contains(&family) => (false, 0.0),
                false => (false, 1.0),
            };
            turns.push((cues_of(&rows, at), Family::CONDUCT.map(verdict)));
        }
    }
    for rule in rules.rules.iter().filter(|rule| rule.dialogue.is_none()) {
        let examples = rule.examples.iter().map(|e| (e, true)).chain(rule.counterexamples.iter().map(|e| (e, false)));
        for ((example, _), breach) in examples {
            let rows: Vec<(SpeakerRole, &str)> = match example {
                Example::Turn(text) => vec![(SpeakerRole::Agent, text)],
                Example::Conversation(lines) => {
                    lines.iter().filter_map(|line| example_line(line)).map(|turn| (turn.role, turn.text)).collect()
                }
            };
            let Some(at) = rows.iter().rposition(|(role, _)| *role == SpeakerRole::Agent) else { continue };
            // Of the other families nothing is known.
            let verdict = |family| if family == rule.family { (breach, EXAMPLE) } else { (false, 0.0) };
            turns.push((cues_of(&rows, at), Family::CONDUCT.map(verdict)));
        }
    }
    let mut seen: HashMap<(Place, u64), usize> = HashMap::new();
    turns.iter().flat_map(|(cues, _)| cues).for_each(|cue| *seen.entry(*cue).or_default() += 1);
    let mut keys: Vec<(Place, u64)> =
        seen.into_iter().filter(|(_, count)| *count >= SEEN).map(|(cue, _)| cue).collect();
    keys.sort_unstable();
    let number =
        |cue: &(Place, u64)| keys.binary_search(cue).ok().map(|at| u32::try_from(at).expect("fewer than 2^32 cues"));
    let sample =
        |(cues, verdicts): &(Vec<_>, _)| Sample { cues: cues.iter().filter_map(number).collect(), verdicts: *verdicts };
    let samples = turns.iter().map(sample).collect();
    (samples, keys)
}

/// The cues of agent turn `at`, each once.
fn cues_of(rows: &[(SpeakerRole, &str)], at: usize) -> Vec<(Place, u64)> {
    let customer = |(role, _): &&(SpeakerRole, &str)| *role == SpeakerRole::Customer;
    let asked = rows[..at].iter().rev().find(customer);
    let answered = rows[at + 1..].iter().find(customer);
    let mut all = Vec::new();
    let mut text = Vec::new();
    for (place, row) in Place::ALL.into_iter().zip([Some(&rows[at]), asked, answered]) {
        let Some((_, row)) = row else { continue };
        cues::read(&plain_text(row), &mut text);
        cues::pieces(place, &text, |key, _| all.push((place, key)));
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// One weight for each cue, and one for what no cue says, last.
fn solve(samples: &[(&[u32], (bool, f64))], cues: usize) -> Vec<f64> {
    let mut weights = vec![0.0; cues + 1];
    let mut multipliers = vec![0.0f64; samples.len()];
    let mut order: Vec<usize> = (0..samples.len()).collect();
    let mut random = 0x2545_f491_4f6c_dd1du64;
    for _ in 0..PASSES {
        for last in (1..order.len()).rev() {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            order.swap(last, (random % (last as u64 + 1)) as usize);
        }
        for at in &order {
            let (cues_of, (breach, weight)) = samples[*at];
            let sign = if breach { 1.0 } else { -1.0 };
            let slack = 0.5 / (COST * weight);
            let sum = cues_of.iter().map(|cue| weights[*cue as usize]).sum::<f64>() + weights[cues];
            let gradient = sign * sum - 1.0 + slack * multipliers[*at];
            let before = multipliers[*at];
            let after = (before - gradient / (cues_of.len() as f64 + 1.0 + slack)).max(0.0);
            let step = sign * (after - before);
            if step != 0.0 {
                multipliers[*at] = after;
                cues_of.iter().for_each(|cue| weights[*cue as usize] += step);
                weights[cues] += step;
            }
        }
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cue_that_parts_the_turns_gets_the_points() {
        let (refusal, answer): (&[u32], &[u32]) = (&[0, 1], &[0, 2]);
        let samples: Vec<_> =
            (0..40).map(|at| if at % 2 == 0 { (refusal, (true, 1.0)) } else { (answer, (false, 1.0)) }).collect();
        let weights = solve(&samples, 3);
        assert!(weights[1] > 0.3 && weights[2] < -0.3, "{weights:?}");
        assert!(weights[0].abs() < 0.1, "{weights:?}");
    }
}
