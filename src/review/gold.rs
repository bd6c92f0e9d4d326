//! Reviewed findings and their conversations → a labelled corpus for `eval`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::model::{Conversation, Family};
use crate::report::Privacy;
use crate::review::{Reviews, Verdict};

/// What reviewers found out about a conversation.
#[derive(Debug, Default)]
pub struct Labels {
    /// Breaches, by turn; `None` for the whole conversation.
    labels: BTreeSet<(Option<usize>, Family)>,
    /// Findings in doubt or not judged: they count neither way.
    open: BTreeSet<(Option<usize>, Family)>,
}

/// What was found out, by path and conversation. Only conversations of which at least one finding was judged, or that were
/// reviewed in a sample.
pub fn labels(reviews: &Reviews) -> BTreeMap<(String, String), Labels> {
    let mut all: BTreeMap<(String, String), Labels> = BTreeMap::new();
    let mut reviewed: BTreeSet<(String, String)> = BTreeSet::new();
    for finding in &reviews.findings {
        let key = (finding.path.clone(), finding.conversation.clone());
        let labels = all.entry(key.clone()).or_default();
        let unit = (finding.turn, finding.family);
        match finding.verdict() {
            Some(Verdict::Right) => drop(labels.labels.insert(unit)),
            Some(Verdict::Wrong) => {}
            Some(Verdict::Doubtful) | None => drop(labels.open.insert(unit)),
        }
        if finding.verdict().is_some() {
            reviewed.insert(key);
        }
    }
    for conversation in &reviews.conversations {
        let key = (conversation.path.clone(), conversation.conversation.clone());
        let missed = conversation.missed.iter().map(|(family, turn)| (*turn, *family));
        all.entry(key.clone()).or_default().labels.extend(missed);
        reviewed.insert(key);
    }
    all.retain(|key, _| reviewed.contains(key));
    for labels in all.values_mut() {
        labels.open = labels.open.difference(&labels.labels).copied().collect();
    }
    all
}

/// One line of the corpus.
pub fn record(conversation: &Conversation<'_>, labels: &Labels, privacy: &Privacy) -> Value {
    let at = |units: &BTreeSet<(Option<usize>, Family)>, turn: Option<usize>| -> Vec<Family> {
        units.iter().filter(|unit| unit.0 == turn).map(|unit| unit.1).collect()
    };
    let named =
        |families: Vec<Family>| families.into_iter().map(|family| json!({"family": family})).collect::<Vec<_>>();
    let turns = conversation.turns.iter().enumerate().map(|(turn, row)| {
        json!({
            "speaker": row.role,
            "text": privacy.text(row.text, conversation),
            "labels": named(at(&labels.labels, Some(turn))),
            "borderline": at(&labels.open, Some(turn)),
        })
    });
    json!({
        "id": conversation.id,
        "channel": conversation.channel,
        "industry": conversation.industry,
        "turns": turns.collect::<Vec<_>>(),
        "dialogue_labels": named(at(&labels.labels, None)),
        "dialogue_borderline": at(&labels.open, None),
    })
}
