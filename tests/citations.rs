//! The citation audit against the labelled corpus.

use std::fs;

use jiff::civil::Date;
use zhijian::citation::evaluation::{LabelledText, evaluate};
use zhijian::statutes::StatuteBase;

/// The day of the labels.
fn day() -> Date {
    "2026-11-23".parse().expect("a date")
}

fn corpus(split: &str) -> Vec<LabelledText> {
    let text = fs::read_to_string("corpora/citations/citations.jsonl").expect("the corpus is there");
    let all = text.lines().map(|line| serde_json::from_str::<LabelledText>(line).expect("a labelled text"));
    all.filter(|labelled| labelled.split == split).collect()
}

#[test]
fn wrong_citations_are_found_and_right_ones_left_alone() {
    let base = StatuteBase::load(&[]).expect("the embedded statutes load");
    for split in ["dev", "held-out"] {
        let evaluation = evaluate(&base, &corpus(split), day());
        println!("{split}\n{evaluation}");
        for mistake in &evaluation.mistakes {
            println!("  {mistake}");
        }
        assert!(evaluation.precision() >= 0.95, "{split}: precision {}", evaluation.precision());
        assert!(evaluation.recall() >= 0.90, "{split}: recall {}", evaluation.recall());
        assert!(evaluation.successor_share() >= 0.90, "{split}: right article {}", evaluation.successor_share());
    }
}
