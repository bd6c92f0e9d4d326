//! The baseline: findings that were there when linting began. Keyed by content, so that lines may move.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::lint::issue::Issue;

/// The schema name of the file.
const SCHEMA: &str = "zhijian.baseline/1";

/// Known findings. Holds no text: only rules and fingerprints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    schema: String,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    path: String,
    rule: String,
    fingerprint: String,
    count: usize,
}

type Key = (String, String, String);

impl Default for Baseline {
    fn default() -> Baseline {
        Baseline { schema: SCHEMA.to_owned(), entries: Vec::new() }
    }
}

impl Baseline {
    /// Reads the file; `None` where there is none.
    ///
    /// # Errors
    /// A line that says what is wrong with the file.
    pub fn read(path: &Path) -> Result<Option<Baseline>, String> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{}: [read] {error}", path.display())),
        };
        let at = |error: &serde_json::Error| format!("{}:{}:{}", path.display(), error.line(), error.column());
        let baseline: Baseline =
            serde_json::from_str(&text).map_err(|error| format!("{}: [baseline] {error}", at(&error)))?;
        if baseline.schema != SCHEMA {
            return Err(format!("{}: [baseline] the schema is '{}', not {SCHEMA}", path.display(), baseline.schema));
        }
        Ok(Some(baseline))
    }

    /// Takes the known findings out of `issues` and says how many they were.
    pub fn filter(&self, issues: &mut Vec<Issue>) -> usize {
        let mut left = self.counts();
        let before = issues.len();
        issues.retain(|issue| match left.get_mut(&key(issue)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        });
        before - issues.len()
    }

    /// The baseline for `found`, all findings of the files `linted`. Entries of other files stay. What this one does not
    /// know comes in only with `growth`.
    pub fn updated(&self, found: &[Issue], linted: &[String], growth: bool) -> Baseline {
        let known = self.counts();
        let mut counts: BTreeMap<Key, usize> = BTreeMap::new();
        for issue in found {
            *counts.entry(key(issue)).or_default() += 1;
        }
        if !growth {
            for (key, count) in &mut counts {
                *count = (*count).min(known.get(key).copied().unwrap_or(0));
            }
        }
        let others = known.into_iter().filter(|((path, _, _), _)| !linted.contains(path));
        counts.extend(others);
        counts.retain(|_, count| *count > 0);
        let entry = |((path, rule, fingerprint), count)| Entry { path, rule, fingerprint, count };
        Baseline { schema: SCHEMA.to_owned(), entries: counts.into_iter().map(entry).collect() }
    }

    /// How many findings it knows.
    pub fn count(&self) -> usize {
        self.entries.iter().map(|entry| entry.count).sum()
    }

    /// As written to the file.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a baseline serialises") + "\n"
    }

    fn counts(&self) -> BTreeMap<Key, usize> {
        let mut counts = BTreeMap::new();
        for entry in &self.entries {
            let key = (entry.path.clone(), entry.rule.clone(), entry.fingerprint.clone());
            *counts.entry(key).or_default() += entry.count;
        }
        counts
    }
}

fn key(issue: &Issue) -> Key {
    (issue.path.clone(), issue.rule.clone(), issue.fingerprint.clone())
}
