//! `zhijian eval`

use std::fs;

use crate::cli::args::EvalArguments;
use crate::cli::{Failure, Outcome, checker};
use crate::evaluation::{GoldConversation, evaluate};

pub fn run(arguments: &EvalArguments) -> Result<Outcome, Failure> {
    let checker = checker(&arguments.rules, None)?;
    let mut gold: Vec<GoldConversation> = Vec::new();
    for path in &arguments.gold {
        let text = fs::read_to_string(path).map_err(|error| Failure(format!("{}: [read] {error}", path.display())))?;
        for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
            let parsed = serde_json::from_str(text);
            gold.push(parsed.map_err(|error| {
                let column = error.column();
                Failure(format!("{}:{line}:{column}: [gold] {error}; see docs/labelling.md", path.display()))
            })?);
        }
    }
    let findings: Vec<_> = gold.iter().flat_map(|labelled| checker.check(&labelled.conversation())).collect();
    let evaluation = evaluate(&gold, &findings);
    if arguments.json {
        anstream::println!("{}", serde_json::to_string(&evaluation).expect("figures serialise"));
        return Ok(Outcome::Clean);
    }
    anstream::print!("{evaluation}");
    if arguments.errors {
        for mistake in &evaluation.mistakes {
            let labelled = gold.iter().find(|g| g.id == mistake.conversation);
            let text = labelled.zip(mistake.turn).map_or("", |(g, turn)| g.turns[turn].text.as_str());
            let kind = if mistake.false_alarm { "FP" } else { "FN" };
            let turn = mistake.turn.map_or("-".to_owned(), |turn| turn.to_string());
            let rules = mistake.rules.join(" ");
            anstream::println!("{kind} {} {turn} {} [{rules}] {text}", mistake.conversation, mistake.family);
        }
    }
    Ok(Outcome::Clean)
}
