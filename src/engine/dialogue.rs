//! Rules about the conversation as a whole.

use std::collections::HashMap;

use jiff::civil::DateTime;

use crate::engine::context::{Context, Place};
use crate::engine::scanner::{Evidence, Flag};
use crate::lexicon::rule::DialogueKind;
use crate::lexicon::{Dialogue, PatternId, Rule, RuleSet};
use crate::model::{Conversation, SpeakerRole, parse_chinese_number};
use crate::text::normalize::{is_han, plain_text};
use crate::text::traits;

/// The flags of all dialogue rules. `flags` are those of the turns, `evidence` the turns that the phrases of the rules
/// were found in.
pub(super) fn judge<'r, 'c>(
    rules: &'r RuleSet,
    conversation: &'c Conversation<'c>,
    context: &mut Option<Context<'r, 'c>>,
    flags: &[Flag],
    mut evidence: Evidence,
    eager: bool,
) -> Vec<Flag> {
    let mut out = Vec::new();
    for index in &rules.dialogues {
        let rule = &rules.rules[*index as usize];
        let Some(dialogue) = rule.dialogue.as_ref().filter(|_| rule.channels.contains(&conversation.channel)) else {
            continue;
        };
        let own = evidence.remove(index).unwrap_or_default();
        let turns = match dialogue.kind {
            DialogueKind::Count => count(dialogue, flags, own),
            DialogueKind::Repeat => repeat(rules, rule, dialogue, conversation, context),
            DialogueKind::Unanswered => unanswered(rules, rule, dialogue, conversation, context, eager),
            DialogueKind::Missing => missing(rules, rule, conversation, context, &own),
            DialogueKind::Slow => slow(dialogue, conversation),
            DialogueKind::Abandoned => abandoned(rules, rule, conversation, context, eager),
            DialogueKind::Overdue => {
                own.into_iter().find_map(|turn| overdue(rule, conversation, context.as_ref()?, turn))
            }
        };
        if let Some(turns) = turns {
            out.push(Flag { rule: *index, hit: None, turns });
        }
    }
    out
}

fn count(dialogue: &Dialogue, flags: &[Flag], own: Vec<usize>) -> Option<Vec<usize>> {
    let by_rules = flags.iter().filter(|flag| dialogue.rules.contains(&flag.rule));
    let mut flagged: Vec<usize> = by_rules.filter_map(|flag| flag.hit.as_ref().map(|(turn, _)| *turn)).collect();
    flagged.sort_unstable();
    flagged.dedup();
    if flagged.len() < dialogue.flagged {
        return None;
    }
    let mut turns = own;
    turns.extend(flagged);
    turns.sort_unstable();
    turns.dedup();
    (turns.len() >= dialogue.at_least).then_some(turns)
}

/// The largest group of agent turns that all say nearly the same as the first of them.
fn repeat<'r, 'c>(
    rules: &'r RuleSet,
    rule: &Rule,
    dialogue: &Dialogue,
    conversation: &'c Conversation<'c>,
    context: &mut Option<Context<'r, 'c>>,
) -> Option<Vec<usize>> {
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
    let mut pairs: HashMap<usize, HashMap<(char, char), usize>> = HashMap::new();
    let mut best: Vec<usize> = Vec::new();
    for (at, (first, text)) in turns.iter().enumerate() {
        let mut group = vec![*first];
        for (other, other_text) in &turns[at + 1..] {
            if text == other_text {
                group.push(*other);
            } else if alike_length(text, other_text) {
                let a = pairs.entry(*first).or_insert_with(|| pairs_of(text)).clone();
                let b = pairs.entry(*other).or_insert_with(|| pairs_of(other_text));
                if dice(&a, b) >= dialogue.similarity {
                    group.push(*other);
                }
            }
        }
        if group.len() >= dialogue.at_least && group.len() > best.len() {
            let context = context.get_or_insert_with(|| Context::new(rules, conversation));
            group.retain(|turn| surroundings_hold(context, rule, *turn));
            if group.len() >= dialogue.at_least {
                best = group;
            }
        }
    }
    (!best.is_empty()).then_some(best)
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
    if analysis.any_over(&rule.unless, &span) {
        return false;
    }
    let place = Place { turn, analysis, span };
    rule.require.iter().all(|condition| context.holds(condition, &place))
        && !rule.exclude.iter().any(|condition| context.holds(condition, &place))
}

fn unanswered<'r, 'c>(
    rules: &'r RuleSet,
    rule: &Rule,
    dialogue: &Dialogue,
    conversation: &'c Conversation<'c>,
    context: &mut Option<Context<'r, 'c>>,
    eager: bool,
) -> Option<Vec<usize>> {
    let mut asked = asked(rules, rule, conversation, context, eager);
    let context = context.as_ref()?;
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

/// The customer turns that hold a phrase of `rule`.
fn asked<'r, 'c>(
    rules: &'r RuleSet,
    rule: &Rule,
    conversation: &'c Conversation<'c>,
    context: &mut Option<Context<'r, 'c>>,
    eager: bool,
) -> Vec<usize> {
    let mut asked: Vec<usize> = Vec::new();
    for (turn, row) in conversation.turns.iter().enumerate() {
        let customer = row.role == SpeakerRole::Customer;
        if !customer || !(eager || rules.gate.customer(&rules.places, row.text, traits(row.text))) {
            continue;
        }
        let context = context.get_or_insert_with(|| Context::new(rules, conversation));
        let analysis = context.plain(turn);
        let mut spans = rule.phrases.iter().flat_map(|pattern| analysis.matches(*pattern).to_vec());
        if spans.any(|span| !analysis.any_over(&rule.unless, &span)) && surroundings_hold(context, rule, turn) {
            asked.push(turn);
        }
    }
    asked
}

/// The customer turns at the end of the conversation, when one of them holds a phrase and an agent had spoken before.
fn abandoned<'r, 'c>(
    rules: &'r RuleSet,
    rule: &Rule,
    conversation: &'c Conversation<'c>,
    context: &mut Option<Context<'r, 'c>>,
    eager: bool,
) -> Option<Vec<usize>> {
    let last_agent = conversation.turns.iter().rposition(|turn| turn.role == SpeakerRole::Agent)?;
    if !conversation.turns[last_agent..].iter().any(|turn| turn.role == SpeakerRole::Customer) {
        return None;
    }
    let mut turns = asked(rules, rule, conversation, context, eager);
    turns.retain(|turn| *turn > last_agent);
    if turns.is_empty() {
        return None;
    }
    turns.insert(0, last_agent);
    Some(turns)
}

/// The promise, the customer's return and the late follow-up.
fn overdue(rule: &Rule, conversation: &Conversation<'_>, context: &Context<'_, '_>, turn: usize) -> Option<Vec<usize>> {
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

fn missing<'r, 'c>(
    rules: &'r RuleSet,
    rule: &Rule,
    conversation: &'c Conversation<'c>,
    context: &mut Option<Context<'r, 'c>>,
    said: &[usize],
) -> Option<Vec<usize>> {
    let last = conversation.turns.iter().rposition(|turn| turn.role == SpeakerRole::Agent)?;
    let context = context.get_or_insert_with(|| Context::new(rules, conversation));
    let analysed = |turn: usize| {
        let analysis = context.plain(turn);
        analysis.any_in(&rule.phrases, &(0..analysis.view().text().len()), &rule.unless)
    };
    if !said.is_empty() || context.turns_of(SpeakerRole::Agent).any(analysed) {
        return None;
    }
    surroundings_hold(context, rule, last).then(|| vec![last])
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
