//! How well citations are judged: a labelled corpus → precision and recall.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::citation::{CitationFinding, CitationIndex, Verdict};
use crate::statutes::StatuteBase;

/// One line of a corpus: a text with every numbered citation and every wrong mention in it labelled.
#[derive(Debug, Clone, Deserialize)]
pub struct LabelledText {
    /// Its id.
    pub id: String,
    /// `dev` or `held-out`; the thresholds were set on `dev` alone.
    #[serde(default)]
    pub split: String,
    /// The text.
    pub text: String,
    /// The day whose law applies; that of the evaluation where left out.
    pub on: Option<Date>,
    /// The citations in it.
    pub citations: Vec<LabelledCitation>,
}

/// A labelled citation.
#[derive(Debug, Clone, Deserialize)]
pub struct LabelledCitation {
    /// First code point and the one after the last, from 0.
    pub span: (usize, usize),
    /// What holds about it.
    pub verdict: Vec<Verdict>,
    /// Articles any of which is right instead, as `民法典 577`; a bare name where only the law is meant.
    #[serde(default)]
    pub successor: Vec<String>,
}

/// Counts and the cases behind them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CitationEvaluation {
    /// Labelled citations.
    pub citations: usize,
    /// Of these, wrong ones.
    pub wrong: usize,
    /// Wrong ones that were called wrong.
    pub true_positives: usize,
    /// Right ones, or what is no citation, that were called wrong.
    pub false_positives: usize,
    /// Wrong ones that were not called wrong.
    pub false_negatives: usize,
    /// Wrong ones called wrong with exactly the labelled verdicts.
    pub exact: usize,
    /// Wrong ones with a labelled right article.
    pub with_successor: usize,
    /// Of these, found with the right article among the first two suggestions.
    pub successor_named: usize,
    /// One line a mistake.
    pub mistakes: Vec<String>,
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

impl CitationEvaluation {
    /// The share of those called wrong that are wrong.
    pub fn precision(&self) -> f64 {
        share(self.true_positives, self.true_positives + self.false_positives)
    }

    /// The share of wrong ones that were called wrong.
    pub fn recall(&self) -> f64 {
        share(self.true_positives, self.wrong)
    }

    /// The share of wrong ones with a known right article for which it was named.
    pub fn successor_share(&self) -> f64 {
        share(self.successor_named, self.with_successor)
    }
}

impl fmt::Display for CitationEvaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CitationEvaluation { citations, wrong, true_positives, false_positives, false_negatives, .. } = self;
        writeln!(
            f,
            "citations {citations}, wrong {wrong}: TP {true_positives} FP {false_positives} FN {false_negatives}"
        )?;
        writeln!(
            f,
            "wrong: precision {:.3} recall {:.3}; same verdicts {}/{true_positives}; right article {}/{} = {:.3}",
            self.precision(),
            self.recall(),
            self.exact,
            self.successor_named,
            self.with_successor,
            self.successor_share()
        )
    }
}

/// Judges `texts`, those without a day by the law of `date`, and compares with the labels. A finding and a label are of
/// one citation when their spans overlap.
pub fn evaluate(base: &StatuteBase, texts: &[LabelledText], date: Date) -> CitationEvaluation {
    let index = CitationIndex::new(base);
    let mut evaluation = CitationEvaluation::default();
    for labelled in texts {
        let found = index.audit(base, &labelled.text, labelled.on.unwrap_or(date));
        let mut used = vec![false; found.len()];
        for label in &labelled.citations {
            let overlaps = |finding: &CitationFinding| finding.start < label.span.1 && label.span.0 < finding.end;
            let matches: Vec<usize> = (0..found.len()).filter(|at| overlaps(&found[*at])).collect();
            matches.iter().for_each(|at| used[*at] = true);
            let wrong = label.verdict.iter().any(|verdict| verdict.is_wrong());
            let called: Vec<&CitationFinding> = matches.iter().map(|at| &found[*at]).filter(|f| f.is_wrong()).collect();
            evaluation.citations += 1;
            evaluation.wrong += usize::from(wrong);
            let words: Vec<&str> = label.verdict.iter().map(|verdict| verdict.as_str()).collect();
            let cited: String = labelled.text.chars().skip(label.span.0).take(label.span.1 - label.span.0).collect();
            match (wrong, called.first()) {
                (true, Some(finding)) => {
                    evaluation.true_positives += 1;
                    let mut expected = label.verdict.clone();
                    expected.sort();
                    let same = finding.verdicts == expected;
                    evaluation.exact += usize::from(same);
                    if !same {
                        let message = format!(
                            "~ {} {cited}: {words:?} but {:?}: {}",
                            labelled.id, finding.verdicts, finding.message
                        );
                        evaluation.mistakes.push(message);
                    }
                    if !label.successor.is_empty() {
                        evaluation.with_successor += 1;
                        if names_one_of(base, finding, &label.successor) {
                            evaluation.successor_named += 1;
                        } else {
                            let message =
                                format!("> {} {cited}: wants {:?}: {}", labelled.id, label.successor, finding.message);
                            evaluation.mistakes.push(message);
                        }
                    }
                }
                (true, None) => {
                    evaluation.false_negatives += 1;
                    evaluation.with_successor += usize::from(!label.successor.is_empty());
                    evaluation.mistakes.push(format!("FN {} {cited}: {words:?}", labelled.id));
                }
                (false, Some(finding)) => {
                    evaluation.false_positives += 1;
                    evaluation
                        .mistakes
                        .push(format!("FP {} {cited}: {:?} {}", labelled.id, finding.verdicts, finding.message));
                }
                (false, None) => {
                    let unknown = label.verdict.contains(&Verdict::UnknownLaw);
                    let said = matches.iter().any(|at| found[*at].verdicts.contains(&Verdict::UnknownLaw));
                    if matches.is_empty() || unknown != said {
                        evaluation.mistakes.push(format!("? {} {cited}: {words:?} not found as such", labelled.id));
                    }
                }
            }
        }
        for (finding, _) in found.iter().zip(used).filter(|(finding, used)| !used && finding.is_wrong()) {
            evaluation.false_positives += 1;
            let (matched, verdicts) = (&finding.matched, &finding.verdicts);
            evaluation.mistakes.push(format!("FP {} {matched}: {verdicts:?}, not labelled", labelled.id));
        }
    }
    evaluation
}

/// Whether one of the first two suggestions is, or is a part of, one of the labelled articles.
fn names_one_of(base: &StatuteBase, finding: &CitationFinding, wanted: &[String]) -> bool {
    let article = |place: &str| place.split('(').next().unwrap_or_default().to_owned();
    wanted.iter().any(|wanted| {
        let (law, place) = wanted.rsplit_once(' ').unwrap_or((wanted, ""));
        let law = base.law(law).map_or(law, |law| law.name.as_str());
        finding
            .suggestions
            .iter()
            .take(2)
            .any(|s| s.law == law && (place.is_empty() || article(&s.place) == article(place)))
    })
}
