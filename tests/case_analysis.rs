//! The seed document, where it is at hand: every numbered citation is judged as a reader with the texts judges it.
#![allow(clippy::print_stdout)] // figures are printed for `--nocapture`

use std::fs;

use zhijian::citation::{CitationFinding, Verdict, audit};
use zhijian::statutes::StatuteBase;

#[test]
fn the_case_analysis_is_judged_as_in_the_truth_table() {
    let Ok(text) = fs::read_to_string("../shared/reference/case-analysis.txt") else { return };
    let base = StatuteBase::load(&[]).expect("the embedded statutes load");
    let found = audit(&base, &text, "2026-11-23".parse().expect("a date"));
    for finding in &found {
        println!("{} {} {} {:?} {}", finding.line, finding.column, finding.matched, finding.verdicts, finding.message);
    }
    type Row = (u64, &'static str, &'static [Verdict], &'static [&'static str]);
    let truth: [Row; 7] = [
        (17, "24", &[Verdict::ContentMismatch], &["消费者权益保护法 18", "消费者权益保护法 7"]),
        (18, "109", &[Verdict::Repealed, Verdict::ContentMismatch], &["民法典 577"]),
        (27, "46", &[Verdict::ContentMismatch], &["消费者权益保护法 48", "消费者权益保护法实施条例 48"]),
        (28, "39", &[Verdict::ContentMismatch], &[]),
        (108, "14", &[Verdict::Ok], &[]),
        (112, "106", &[Verdict::Repealed, Verdict::ContentMismatch], &["民法典 577"]),
        (115, "39", &[Verdict::ContentMismatch], &["消费者权益保护法 8", "消费者权益保护法 20"]),
    ];
    for (line, place, verdicts, right) in &truth {
        let finding = found.iter().find(|f| f.line == *line && f.place == *place).expect("the citation is found");
        assert_eq!(finding.verdicts, *verdicts, "line {line}: {}", finding.message);
        let first =
            finding.suggestions.first().map(|s| format!("{} {}", s.law, s.place.split('(').next().unwrap_or("")));
        assert!(
            right.is_empty() || first.as_deref().is_some_and(|first| right.contains(&first)),
            "line {line}: {first:?}"
        );
    }
    let numbered = found.iter().filter(|f| !f.place.is_empty()).count();
    assert_eq!(numbered, truth.len());
    let outdated: Vec<u64> = found
        .iter()
        .filter(|f: &&CitationFinding| f.place.is_empty() && f.verdicts == [Verdict::Repealed])
        .map(|f| f.line)
        .collect();
    for line in [53, 54, 62, 63, 111, 119] {
        assert!(outdated.contains(&line), "the repealed law named on line {line}: {outdated:?}");
    }
    let right_law = found.iter().filter(|f| f.place.is_empty() && f.law == "消费者权益保护法");
    assert!(right_law.clone().count() > 0 && right_law.clone().all(|f| f.verdicts == [Verdict::Ok]));
}
