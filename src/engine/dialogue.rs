//! Rules about the conversation as a whole.

use std::cell::OnceCell;
use std::collections::HashMap;

use jiff::civil::DateTime;

use crate::engine::context::Context;
use crate::engine::scanner::{Candidates, Flag, says};
use crate::lexicon::rule::DialogueKind;
use crate::lexicon::{Dialogue, PatternId, Rule, RuleIndex};
use crate::model::{Conversation, SpeakerRole, parse_chinese_number};
use crate::text::normalize::{is_han, plain_text, traits};

/// The flags of all dialogue rules. `flags` are those of the turns, `candidates` the turns that may hold the phrases of a
/// rule, sorted.
pub(super) fn judge(context: &Context<'_, '_>, candidates: &Candidates, flags: &[Flag]) -> Vec<Flag> {
    let conversation = context.conversation;
    let mut out = Vec::new();
    let asked = OnceCell::new();
    for index in &context.lens.rules.dialogues {
        let rule = &context.lens.rules.rules[*index as usize];
        let Some(dialogue) = rule.dialogue.as_ref().filter(|_| rule.channels.contains(&conversation.channel)) else {
            continue;
        };
        let mut own = of_rule(candidates, *index).filter(|turn| says(context, rule, *turn));
        let customer = || of_rule(asked.get_or_init(|| asking(context)), *index).collect::<Vec<usize>>();
        let turns = match dialogue.kind {
            DialogueKind::Count => count(dialogue, flags, of_rule(candidates, *index).count(), own),
            DialogueKind::Repeat => repeat(context, rule, dialogue),
            DialogueKind::Unanswered => unanswered(context, rule, dialogue, customer),
            DialogueKind::Missing => missing(context, rule),
            DialogueKind::Slow => slow(dialogue, conversation),
            DialogueKind::Abandoned => abandoned(context, rule, customer),
            DialogueKind::Overdue => own.find_map(|turn| overdue(context, rule, turn)),
        };
        if let Some(turns) = turns {
            out.push(Flag { rule: *index, hit: None, turns, weighed: None });
        }
    }
    out
}

fn of_rule(candidates: &Candidates, index: RuleIndex) -> impl Iterator<Item = usize> + '_ {
    let first = candidates.partition_point(|(rule, _)| *rule < index);
    candidates[first..].iter().take_while(move |(rule, _)| *rule == index).map(|(_, turn)| *turn)
}

/// The customer turns that may hold phrases of rules about the conversation, sorted.
fn asking(context: &Context<'_, '_>) -> Candidates {
    let mut found = Candidates::new();
    for turn in context.turns_of(SpeakerRole::Customer) {
        let text = context.conversation.turns[turn].text;
        if context.lens.eager {
            found.extend(context.lens.rules.dialogues.iter().map(|rule| (*rule, turn)));
        } else {
            let rules = context.lens.customer_look(text, context.known(turn));
            found.extend(rules.into_iter().map(|rule| (rule, turn)));
        }
    }
    found.sort_unstable();
    found
}

/// `candidates` tells how many turns `own` may have.
fn count(
    dialogue: &Dialogue,
    flags: &[Flag],
    candidates: usize,
    own: impl Iterator<Item = usize>,
) -> Option<Vec<usize>> {
    let by_rules = flags.iter().filter(|flag| dialogue.rules.contains(&flag.rule));
    let mut turns: Vec<usize> = by_rules.filter_map(|flag| flag.hit.as_ref().map(|(turn, _)| *turn)).collect();
    turns.sort_unstable();
    turns.dedup();
    if turns.len() < dialogue.flagged || turns.len() + candidates < dialogue.at_least {
        return None;
    }
    turns.extend(own);
    turns.sort_unstable();
    turns.dedup();
    (turns.len() >= dialogue.at_least).then_some(turns)
}

/// The largest group of agent turns that all say nearly the same as the first of them.
fn repeat(context: &Context<'_, '_>, rule: &Rule, dialogue: &Dialogue) -> Option<Vec<usize>> {
    let conversation = context.conversation;
    let long = |text: &str| text.len() >= dialogue.min_chars && text.chars().count() >= dialogue.min_chars;
    let agent = conversation.turns.iter().enumerate().filter(|(_, t)| t.role == SpeakerRole::Agent && long(t.text));
    let turns: Vec<(usize, &str)> = agent.map(|(at, turn)| (at, turn.text)).collect();
    if turns.len() < dialogue.at_least {
        return None;
    }
    // Replies of very different lengths cannot be alike: no pairs are counted for them.
    let alike_length = |a: &str, b: &str| {
        let (short, long) = (a.len().min(b.len()) as f64, a.len().max(b.len()) as f64);
        2.0 * short / (short + long) >= dialogue.similarity
    };
    let mut sketches: HashMap<usize, Sketch> = HashMap::new();
    let mut best: Vec<usize> = Vec::new();
    for (at, (first, text)) in turns.iter().enumerate() {
        let mut group = vec![*first];
        for (other, other_text) in &turns[at + 1..] {
            if text == other_text {
                group.push(*other);
            } else if alike_length(text, other_text) {
                let a = *sketches.entry(*first).or_insert_with(|| Sketch::of(text));
                let b = *sketches.entry(*other).or_insert_with(|| Sketch::of(other_text));
                let may_be = a.may_be_alike(b, dialogue.similarity);
                if may_be && dice(&pairs_of(text), &pairs_of(other_text)) >= dialogue.similarity {
                    group.push(*other);
                }
            }
        }
        if group.len() >= dialogue.at_least && group.len() > best.len() {
            group.retain(|turn| surroundings_hold(context, rule, *turn));
            if group.len() >= dialogue.at_least {
                best = group;
            }
        }
    }
    (!best.is_empty()).then_some(best)
}

/// Which pairs of characters a text may hold, told in a few words: most replies are seen to differ by it.
#[derive(Debug, Clone, Copy)]
struct Sketch {
    bits: [u64; 4],
    pairs: u32,
    /// Normalising may change more than the width of marks: nothing can be told.
    changes: bool,
}

impl Sketch {
    fn of(text: &str) -> Sketch {
        let mut sketch = Sketch { bits: [0; 4], pairs: 0, changes: traits(text).changes };
        let mut before: Option<char> = None;
        for c in text.chars().filter(|c| is_han(*c) || c.is_alphanumeric()) {
            if let Some(before) = before {
                let hash = (before as u32).wrapping_mul(31).wrapping_add(c as u32).wrapping_mul(0x9e37_79b1) >> 24;
                sketch.bits[hash as usize / 64] |= 1 << (hash % 64);
                sketch.pairs += 1;
            }
            before = Some(c);
        }
        sketch
    }

    /// Whether the Dice coefficient of the pairs may reach `similarity`: each bit that only one text has is a pair at least
    /// that only it has.
    fn may_be_alike(self, other: Sketch, similarity: f64) -> bool {
        let only = |a: Sketch, b: Sketch| (0..4).map(|i| (a.bits[i] & !b.bits[i]).count_ones()).sum::<u32>();
        let common = (self.pairs - only(self, other)).min(other.pairs - only(other, self));
        self.changes || other.changes || 2.0 * f64::from(common) >= similarity * f64::from(self.pairs + other.pairs)
    }
}

fn pairs_of(text: &str) -> HashMap<(char, char), usize> {
    let chars: Vec<char> = plain_text(text).chars().filter(|c| is_han(*c) || c.is_alphanumeric()).collect();
    let mut pairs = HashMap::new();
    for pair in chars.windows(2) {
        *pairs.entry((pair[0], pair[1])).or_insert(0) += 1;
    }
    pairs
}

fn dice(a: &HashMap<(char, char), usize>, b: &HashMap<(char, char), usize>) -> f64 {
    let common: usize = a.iter().map(|(pair, n)| (*n).min(b.get(pair).copied().unwrap_or(0))).sum();
    let total: usize = a.values().sum::<usize>() + b.values().sum::<usize>();
    if total == 0 { 0.0 } else { 2.0 * common as f64 / total as f64 }
}

/// Whether the conditions of a rule hold for a whole turn.
fn surroundings_hold(context: &Context<'_, '_>, rule: &Rule, turn: usize) -> bool {
    let analysis = context.plain(turn);
    let span = 0..analysis.view().text().len();
    analysis.local_conditions_hold(rule, &span) && context.surroundings_hold(rule, turn)
}

fn unanswered(
    context: &Context<'_, '_>,
    rule: &Rule,
    dialogue: &Dialogue,
    candidates: impl Fn() -> Vec<usize>,
) -> Option<Vec<usize>> {
    context.turns_of(SpeakerRole::Customer).nth(dialogue.at_least.checked_sub(1)?)?;
    let candidates = candidates();
    if candidates.len() < dialogue.at_least {
        return None;
    }
    let mut asked = asked(context, rule, candidates);
    let answers = |patterns: &[PatternId], turn: usize| {
        let analysis = context.plain(turn);
        analysis.any_in(patterns, &(0..analysis.view().text().len()), &[])
    };
    let first = *asked.get(dialogue.at_least.checked_sub(1)?)?;
    let replies: Vec<usize> = context.turns_of(SpeakerRole::Agent).filter(|turn| *turn > asked[0]).collect();
    // Nothing said afterwards at all is the end of the export, not an answer withheld.
    let last = *replies.last().filter(|last| **last > first)?;
    let window = replies.iter().take(dialogue.within.unwrap_or(usize::MAX));
    if dialogue.within.is_some_and(|within| replies.len() < within) {
        return None;
    }
    if window.into_iter().any(|turn| answers(&dialogue.answer, *turn)) {
        return None;
    }
    asked.retain(|turn| *turn < last);
    let mut evidence = asked.clone();
    evidence.extend(replies);
    evidence.sort_unstable();
    Some(evidence)
}

/// Those of the customer turns `candidates` that hold a phrase of `rule`.
fn asked(context: &Context<'_, '_>, rule: &Rule, mut candidates: Vec<usize>) -> Vec<usize> {
    candidates.retain(|turn| {
        let analysis = context.plain(*turn);
        let mut spans = rule.phrases.iter().flat_map(|pattern| analysis.matches(*pattern).to_vec());
        spans.any(|span| !analysis.any_over(&rule.unless, &span)) && surroundings_hold(context, rule, *turn)
    });
    candidates
}

/// The customer turns at the end of the conversation, when one of them holds a phrase and an agent had spoken before.
fn abandoned(context: &Context<'_, '_>, rule: &Rule, candidates: impl Fn() -> Vec<usize>) -> Option<Vec<usize>> {
    let last_agent = context.turns_of(SpeakerRole::Agent).next_back()?;
    context.turns_of(SpeakerRole::Customer).next_back().filter(|turn| *turn > last_agent)?;
    let mut turns = asked(context, rule, candidates());
    turns.retain(|turn| *turn > last_agent);
    if turns.is_empty() {
        return None;
    }
    turns.insert(0, last_agent);
    Some(turns)
}

/// The promise, the customer's return and the late follow-up.
fn overdue(context: &Context<'_, '_>, rule: &Rule, turn: usize) -> Option<Vec<usize>> {
    let conversation = context.conversation;
    let analysis = context.plain(turn);
    let spans = rule.phrases.iter().flat_map(|pattern| analysis.matches(*pattern).to_vec());
    let seconds = spans.filter_map(|span| seconds_of(&analysis.view().text()[span])).max()?;
    let promised = time_of(conversation, turn)?;
    let late =
        |at: &usize| time_of(conversation, *at).is_some_and(|time| promised.duration_until(time).as_secs() > seconds);
    let customer = context.turns_of(SpeakerRole::Customer).find(|at| *at > turn && late(at))?;
    let before = context.turns_of(SpeakerRole::Agent).any(|at| at > turn && at < customer);
    let follow_up = context.turns_of(SpeakerRole::Agent).find(|at| *at > customer);
    (!before).then(|| [Some(turn), Some(customer), follow_up].into_iter().flatten().collect())
}

/// The seconds that a phrase such as `30分钟内` or `两个小时` names.
fn seconds_of(text: &str) -> Option<i64> {
    let units = [("分钟", 60), ("小时", 3600), ("钟头", 3600), ("工作日", 86_400), ("天", 86_400)];
    let (at, unit) = units.iter().find_map(|(word, seconds)| text.find(word).map(|at| (at, *seconds)))?;
    let before = text[..at].trim_end_matches('个').replace('两', "二");
    let digits = |c: &char| c.is_ascii_digit();
    let tail: String = before.chars().rev().take_while(digits).collect();
    let number = match tail.chars().rev().collect::<String>().parse::<i64>() {
        Ok(number) => number,
        Err(_) => {
            let numeral = |c: &char| parse_chinese_number(&c.to_string()).is_some();
            let tail: String = before.chars().rev().take_while(numeral).collect();
            i64::from(parse_chinese_number(&tail.chars().rev().collect::<String>())?)
        }
    };
    (number > 0).then(|| number.saturating_mul(unit))
}

fn time_of(conversation: &Conversation<'_>, turn: usize) -> Option<DateTime> {
    conversation.turns[turn].time.trim().replace('/', "-").parse().ok()
}

fn missing(context: &Context<'_, '_>, rule: &Rule) -> Option<Vec<usize>> {
    let last = context.turns_of(SpeakerRole::Agent).next_back()?;
    let said = |turn: usize| {
        let analysis = context.plain(turn);
        analysis.any_in(&rule.phrases, &(0..analysis.view().text().len()), &rule.unless)
    };
    (surroundings_hold(context, rule, last) && !context.turns_of(SpeakerRole::Agent).any(said)).then(|| vec![last])
}

fn slow(dialogue: &Dialogue, conversation: &Conversation<'_>) -> Option<Vec<usize>> {
    let first = |role| conversation.turns.iter().position(|turn| turn.role == role);
    let customer = first(SpeakerRole::Customer)?;
    let agent = customer + conversation.turns[customer..].iter().position(|turn| turn.role == SpeakerRole::Agent)?;
    let waited = time_of(conversation, customer)?.duration_until(time_of(conversation, agent)?).as_secs();
    (waited > i64::try_from(dialogue.seconds).ok()?).then(|| vec![customer, agent])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promised_times_are_read() {
        for (text, seconds) in [
            ("30分钟内", Some(1800)),
            ("两个小时", Some(7200)),
            ("3个工作日", Some(259_200)),
            ("十五分钟", Some(900)),
            ("马上", None),
            ("几分钟", None),
        ] {
            assert_eq!(seconds_of(text), seconds, "{text}");
        }
    }

    #[test]
    fn similar_replies_are_alike_and_others_are_not() {
        let alike = |a: &str, b: &str| dice(&pairs_of(a), &pairs_of(b));
        assert!(alike("您的订单正在备货中，请您耐心等待", "您的订单正在备货中哦，请耐心等待") > 0.7);
        assert!(alike("您的订单正在备货中，请您耐心等待", "已经给您退款了，请查收") < 0.3);
    }
}
