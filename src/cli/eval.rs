//! `zhijian eval`

use crate::cli::args::EvalArguments;
use crate::cli::{Failure, Outcome, checker};
use crate::evaluation::{GoldConversation, evaluate};

pub fn run(arguments: &EvalArguments) -> Result<Outcome, Failure> {
    let checker = checker(&arguments.rules, None)?;
    let mut gold: Vec<GoldConversation> = Vec::new();
    for path in &arguments.gold {
        gold.extend(GoldConversation::read(path)?);
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
