//! What a team sets about its reports: `[report]` in `zhijian.toml`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::error::{Diagnostic, SourceFile};
use crate::lexicon::RuleSet;
use crate::model::{Family, Severity};

/// The settings of reports, already checked. The defaults are what a team gets without a settings file.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportSettings {
    /// Agents and days with fewer judged agent turns get no rank: their rates say little.
    pub minimum_turns: u64,
    /// A CSV file with the columns 坐席 and 班组: who is in which team.
    pub roster: Option<PathBuf>,
    /// How many findings `report.html` shows in full at most; the conversations with the lowest scores come first.
    pub html_findings: usize,
    /// How conversations are scored.
    pub score: Scoring,
}

/// Points of a conversation: `full` less the points of every finding, and 0 when one of them is fatal (红线). Findings of
/// one rule in one turn count once.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scoring {
    /// Points of a conversation without findings.
    pub full: f64,
    /// The lowest score that passes (合格).
    pub pass: f64,
    /// Points a finding costs, by its severity.
    pub severity: BTreeMap<Severity, f64>,
    /// Points a finding costs, by rule id or `family.*`, before those by severity; an id wins over its family.
    pub rules: BTreeMap<String, f64>,
    /// Rules that fail a conversation, by id or `family.*`.
    pub fatal: Vec<String>,
    /// How grave a finding of a fatal rule must be.
    pub fatal_severity: Severity,
}

impl Default for ReportSettings {
    fn default() -> ReportSettings {
        ReportSettings { minimum_turns: 50, roster: None, html_findings: 20_000, score: Scoring::default() }
    }
}

impl Default for Scoring {
    fn default() -> Scoring {
        Scoring {
            full: 100.0,
            pass: 80.0,
            severity: [(Severity::Note, 1.0), (Severity::Warning, 5.0), (Severity::Error, 20.0)].into(),
            rules: BTreeMap::new(),
            fatal: vec!["insult.*".to_owned(), "threat.*".to_owned()],
            fatal_severity: Severity::Error,
        }
    }
}

impl Scoring {
    /// What a finding of `rule` costs.
    pub fn points(&self, rule: &str, severity: Severity) -> f64 {
        let family = || self.rules.get(&family_pattern(rule));
        let by_rule = self.rules.get(rule).or_else(family);
        by_rule.or_else(|| self.severity.get(&severity)).copied().unwrap_or(0.0)
    }

    /// Whether a finding of `rule` fails its conversation.
    pub fn is_fatal(&self, rule: &str, severity: Severity) -> bool {
        let family = family_pattern(rule);
        severity >= self.fatal_severity && self.fatal.iter().any(|pattern| *pattern == rule || *pattern == family)
    }
}

fn family_pattern(rule: &str) -> String {
    format!("{}.*", rule.split('.').next().unwrap_or(rule))
}

/// `[report]` as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportFile {
    minimum_turns: Option<u64>,
    roster: Option<PathBuf>,
    html_findings: Option<usize>,
    #[serde(default)]
    score: ScoreFile,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScoreFile {
    full: Option<Spanned<f64>>,
    pass: Option<Spanned<f64>>,
    #[serde(default)]
    severity: BTreeMap<Severity, Spanned<f64>>,
    #[serde(default)]
    rules: BTreeMap<Spanned<String>, Spanned<f64>>,
    fatal: Option<Vec<Spanned<String>>>,
    fatal_severity: Option<Severity>,
}

impl ReportFile {
    /// Checks the settings against `rules`; `file` is where they stand. Paths are taken from its folder.
    pub(super) fn check(&self, file: &SourceFile, rules: &RuleSet) -> Result<ReportSettings, Vec<Diagnostic>> {
        let mut settings = ReportSettings::default();
        let mut problems = Vec::new();
        settings.minimum_turns = self.minimum_turns.unwrap_or(settings.minimum_turns);
        settings.html_findings = self.html_findings.unwrap_or(settings.html_findings);
        let folder = std::path::Path::new(&file.path).parent();
        settings.roster = self.roster.as_ref().map(|path| folder.map_or(path.clone(), |folder| folder.join(path)));
        let mut points = |value: &Spanned<f64>| {
            let number = *value.as_ref();
            if !number.is_finite() || number < 0.0 {
                let message = format!("'{number}' is no number of points");
                problems.push(file.diagnostic(value.span(), "score", message, "write a number from 0 upwards"));
            }
            number
        };
        let score = &mut settings.score;
        score.full = self.score.full.as_ref().map_or(score.full, &mut points);
        score.pass = self.score.pass.as_ref().map_or(score.pass, &mut points);
        for (severity, value) in &self.score.severity {
            score.severity.insert(*severity, points(value));
        }
        for (pattern, value) in &self.score.rules {
            score.rules.insert(pattern.as_ref().clone(), points(value));
        }
        score.fatal_severity = self.score.fatal_severity.unwrap_or(score.fatal_severity);
        if let Some(fatal) = &self.score.fatal {
            score.fatal = fatal.iter().map(|pattern| pattern.as_ref().clone()).collect();
        }
        let patterns = self.score.rules.keys().chain(self.score.fatal.iter().flatten());
        for pattern in patterns.filter(|pattern| !is_known(pattern.as_ref(), rules)) {
            let message = format!("no rule is called '{}'", pattern.as_ref());
            problems.push(file.diagnostic(pattern.span(), "unknown-rule", message, "see `zhijian rules list`"));
        }
        if problems.is_empty() { Ok(settings) } else { Err(problems) }
    }
}

/// Citation findings come from no rule file.
fn is_known(pattern: &str, rules: &RuleSet) -> bool {
    match pattern.strip_suffix(".*") {
        Some(family) => family.parse::<Family>().is_ok(),
        None => rules.rule(pattern).is_some() || pattern.starts_with("citation."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_wins_over_its_family_and_a_family_over_the_severity() {
        let rules = [("stall.*".to_owned(), 2.0), ("stall.dont-know".to_owned(), 9.0)].into();
        let scoring = Scoring { rules, ..Scoring::default() };
        assert_eq!(scoring.points("stall.dont-know", Severity::Error), 9.0);
        assert_eq!(scoring.points("stall.other", Severity::Error), 2.0);
        assert_eq!(scoring.points("refuse.other", Severity::Error), 20.0);
        assert!(scoring.is_fatal("insult.fool", Severity::Error));
        assert!(!scoring.is_fatal("insult.fool", Severity::Warning) && !scoring.is_fatal("stall.x", Severity::Error));
    }
}
