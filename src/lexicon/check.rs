//! What is well formed but surely not meant: entries that cannot make a difference, anchors that make every turn slow.

use std::collections::BTreeSet;

use crate::error::Diagnostic;
use crate::lexicon::pattern::{self, Edge};
use crate::lexicon::rule::{ClassFile, GuardFile, RuleFile, Text};
use crate::lexicon::source::Sources;
use crate::text::View;
use crate::text::normalize::is_han;

/// Looks at every file that loads; [`RuleSet::compile`](super::RuleSet::compile) reports those that do not.
pub fn lint(sources: &Sources) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut used = BTreeSet::new();
    for file in &sources.rules {
        let Ok(rule) = toml::from_str::<RuleFile>(&file.text) else { continue };
        let conditions = rule.require.iter().chain(&rule.exclude).flat_map(|c| c.any.iter().chain(&c.unless));
        let dialogue = rule.dialogue.iter().flat_map(|dialogue| &dialogue.answer);
        let all = rule.phrases.iter().chain(&rule.unless).chain(conditions).chain(dialogue);
        all.for_each(|text| note_classes(text, &mut used));
        let plain: Vec<(&Text, String)> =
            rule.phrases.iter().flat_map(|text| literals(text).into_iter().map(move |l| (text, l))).collect();
        for (text, literal) in &plain {
            let shorter = plain
                .iter()
                .find(|(other, l)| other.span() != text.span() && l != literal && literal.contains(l.as_str()));
            // With harmless phrases about, the longer entry may hold where the shorter one does not.
            if let Some((_, shorter)) = shorter.filter(|_| rule.unless.is_empty() && rule.view == View::Plain) {
                let message = format!("'{literal}' never decides: '{shorter}' fires wherever it stands");
                found.push(file.diagnostic(
                    text.span(),
                    "shadowed",
                    message,
                    "remove it, or make the shorter entry narrower",
                ));
            }
            let mut chars = literal.chars();
            if chars.next().is_some_and(is_han) && chars.next().is_none() {
                let message = format!("'{literal}' stands in every other turn");
                found.push(file.diagnostic(text.span(), "common", message, "give it company: a class, a gap, an edge"));
            }
        }
    }
    for file in &sources.guards {
        let Ok(guard) = toml::from_str::<GuardFile>(&file.text) else { continue };
        guard.when.iter().flat_map(|c| c.any.iter().chain(&c.unless)).for_each(|text| note_classes(text, &mut used));
    }
    let classes: Vec<(&_, ClassFile)> =
        sources.classes.iter().filter_map(|file| Some((file, toml::from_str(&file.text).ok()?))).collect();
    for (_, class) in &classes {
        class.entries.iter().for_each(|text| note_classes(text, &mut used));
    }
    for (file, class) in &classes {
        if !used.contains(class.id.as_ref()) {
            let message = format!("no rule, guard or class uses '{{{}}}'", class.id.as_ref());
            found.push(file.diagnostic(class.id.span(), "unused-class", message, "use it or remove it"));
        }
    }
    found
}

/// The literals of an entry that is nothing but literals.
fn literals(text: &Text) -> Vec<String> {
    let sequences = pattern::parse(text.as_ref()).unwrap_or_default();
    let plain = sequences.into_iter().filter(|sequence| {
        let free = sequence.start == Edge::Any && sequence.end == Edge::Any;
        free && sequence.places.len() == 1 && sequence.places[0].classes.is_empty() && !sequence.places[0].whole
    });
    plain.flat_map(|sequence| sequence.places.into_iter().flat_map(|place| place.literals)).collect()
}

fn note_classes(text: &Text, used: &mut BTreeSet<String>) {
    for sequence in pattern::parse(text.as_ref()).unwrap_or_default() {
        used.extend(sequence.places.into_iter().flat_map(|place| place.classes));
    }
}
