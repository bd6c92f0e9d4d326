//! Runs the examples that every rule carries.

use crate::engine::{Mode, Scanner};
use crate::error::Diagnostic;
use crate::lexicon::{Example, RuleSet};
use crate::model::{Channel, Conversation, SpeakerRole, Turn};

/// What the self-test found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SelfTest {
    /// Examples and counterexamples that hold.
    pub passed: usize,
    /// Those that do not, with their places.
    pub failures: Vec<Diagnostic>,
}

/// Reads a line of an example: `客：…` customer, `坐：…` agent, `系：…` system, with a time between where that matters, as
/// `坐 2026-09-18 10:05：…`; `None` for anything else.
pub fn example_line(line: &str) -> Option<Turn<'_>> {
    // A time holds colons of its own.
    ['：', ':'].into_iter().find_map(|colon| {
        let (head, text) = line.split_once(colon)?;
        let (role, time) = head.trim().split_once(' ').unwrap_or((head.trim(), ""));
        let role = match role {
            "客" => SpeakerRole::Customer,
            "坐" => SpeakerRole::Agent,
            "系" => SpeakerRole::System,
            _ => return None,
        };
        Some(Turn { time: time.trim(), ..Turn::new(role, text.trim_start()) })
    })
}

/// Runs every example and counterexample of every rule, each in all channels its rule applies to.
pub fn run(rules: &RuleSet) -> SelfTest {
    let scanner = Scanner::new(rules, Mode::Lazy);
    let mut result = SelfTest::default();
    for (index, rule) in (0..).zip(&rules.rules) {
        let fires = |example: &Example, channel: Channel| {
            conversation(example, channel)
                .map(|conversation| scanner.scan_all(&conversation).flags.iter().any(|flag| flag.rule == index))
        };
        let expected = rule.examples.iter().map(|e| (e, true)).chain(rule.counterexamples.iter().map(|e| (e, false)));
        for ((example, diagnostic), expected) in expected {
            for channel in &rule.channels {
                match fires(example, *channel) {
                    Some(fired) if fired == expected => result.passed += 1,
                    Some(_) => {
                        result.failures.push(diagnostic.clone());
                        break;
                    }
                    None => {
                        let message = "a line of an example starts with '客：', '坐：' or '系：'".to_owned();
                        result.failures.push(Diagnostic { message, ..diagnostic.clone() });
                        break;
                    }
                }
            }
        }
    }
    result
}

fn conversation(example: &Example, channel: Channel) -> Option<Conversation<'_>> {
    let turns = match example {
        Example::Turn(text) => vec![Turn::new(SpeakerRole::Agent, text)],
        Example::Conversation(lines) => lines.iter().map(|line| example_line(line)).collect::<Option<Vec<_>>>()?,
    };
    Some(Conversation { id: "example", channel, industry: "", date: None, path: "", turns })
}
