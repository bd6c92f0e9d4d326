//! Wrong citations in agent turns, as findings of the family `citation`.

use jiff::civil::Date;

use crate::citation::{CitationFinding, CitationIndex, Reason, Verdict};
use crate::model::{Conversation, Family, Severity, SpeakerRole, StatuteRef};
use crate::statutes::finding::SCHEMA;
use crate::statutes::{Finding, FindingSource, FindingStatute, StatuteBase};

/// The wrong citations in the agent turns of `conversation`, judged by the law of `date`, in the order of the turns. One
/// finding a citation, under the rule id of its gravest verdict (`citation.repealed` …). A law that the base does not know
/// is reported only where its name is nearly that of one it knows. Turns that name no law cost one pass over their text.
pub fn conversation_findings(
    index: &CitationIndex,
    base: &StatuteBase,
    conversation: &Conversation<'_>,
    date: Date,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, turn) in conversation.turns.iter().enumerate() {
        if turn.role != SpeakerRole::Agent {
            continue;
        }
        for cited in index.audit(base, turn.text, date) {
            let Some(severity) = cited.severity.filter(|severity| *severity >= Severity::Warning) else { continue };
            findings.push(Finding {
                schema: SCHEMA.to_owned(),
                conversation: conversation.id.to_owned(),
                turn: Some(at),
                turns: None,
                role: SpeakerRole::Agent,
                agent: turn.agent.to_owned(),
                time: turn.time.to_owned(),
                rule: format!("citation.{}", cited.verdicts.last().copied().unwrap_or(Verdict::Ok)),
                family: Family::Citation,
                severity,
                start: Some(cited.start),
                end: Some(cited.end),
                statutes: statutes(base, &cited),
                message: format!("{}。", cited.message),
                advice: advice(&cited),
                matched: cited.matched,
                source: FindingSource { path: conversation.path.to_owned(), line: turn.line },
            });
        }
    }
    findings
}

/// The suggested articles.
fn statutes(base: &StatuteBase, cited: &CitationFinding) -> Vec<FindingStatute> {
    let resolve = |suggestion: &crate::citation::Suggestion| {
        let reference: StatuteRef = format!("{} {}", suggestion.law, suggestion.place).parse().ok()?;
        base.resolve(&reference).map(|cited| FindingStatute::from(&cited))
    };
    cited.suggestions.iter().filter_map(resolve).collect()
}

fn advice(cited: &CitationFinding) -> String {
    match cited.suggestions.first() {
        Some(suggestion) if suggestion.reason == Reason::InForce => format!("当日应引{}。", suggestion.label),
        Some(suggestion) => format!("核对后改引{}；拿不准时不引条号。", suggestion.label),
        None => "核对现行条文后再引用；拿不准时不引条号。".to_owned(),
    }
}
