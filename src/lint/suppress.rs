//! Suppressions: comments, cells of the 忽略 column and settings that say which finding is accepted, why and until when.

use globset::GlobMatcher;
use jiff::civil::Date;

use crate::lexicon::RuleSet;
use crate::model::RuleId;
use crate::span::Span;

/// What can be wrong with a suppression: the rule's id, what is wrong, what to do.
pub const RULES: [(&str, &str, &str); 4] = [
    ("suppression.unknown-rule", "忽略的规则不存在", "用 `zhijian rules list` 查规则编号，改正或删去这条忽略。"),
    ("suppression.missing-reason", "忽略没有写理由", "在冒号后写明谁审过、为什么可以保留。"),
    ("suppression.unused", "忽略没有用上", "话术已改好或规则已变，删去这条忽略。"),
    ("suppression.expired", "忽略已过期", "改好话术，或复审后写新的期限。"),
];

/// `RULE[, RULE] [until DATE]: REASON`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// Rule ids, or `family.*`.
    pub rules: Vec<String>,
    /// The last day on which it holds.
    pub until: Option<Date>,
    /// Why the findings are accepted.
    pub reason: String,
}

impl Suppression {
    /// Reads what stands behind the keyword, or in a cell.
    ///
    /// ```
    /// use zhijian::lint::suppress::Suppression;
    /// let parsed = Suppression::parse("stall.wait, refuse.* until 2026-12-31：法务已审");
    /// assert_eq!(parsed.rules, ["stall.wait", "refuse.*"]);
    /// assert_eq!(parsed.until, Some("2026-12-31".parse().unwrap()));
    /// assert_eq!(parsed.reason, "法务已审");
    /// ```
    pub fn parse(text: &str) -> Suppression {
        let (head, reason) = text.split_once([':', '：']).unwrap_or((text, ""));
        let mut words = head.split([',', '，', '、', ' ', '\t']).filter(|word| !word.is_empty());
        let (mut rules, mut until) = (Vec::new(), None);
        while let Some(word) = words.next() {
            match word {
                "until" | "至" | "到" => match words.next().map(|word| (word, word.parse())) {
                    Some((_, Ok(date))) => until = Some(date),
                    Some((word, Err(_))) => rules.push(word.to_owned()),
                    None => {}
                },
                word => rules.push(word.to_owned()),
            }
        }
        Suppression { rules, until, reason: reason.trim().to_owned() }
    }

    /// Whether it names `rule`, by id or by family, and which of its names does.
    pub fn names(&self, rule: &str) -> Option<usize> {
        self.rules.iter().position(|name| matches(name, rule))
    }

    /// What is wrong with it, whatever it meets, on `today`: the rule's id and the detail.
    pub fn faults(&self, rules: &RuleSet, today: Date) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        if self.rules.is_empty() {
            faults.push(("suppression.unknown-rule", "没有写规则编号".to_owned()));
        }
        for name in self.rules.iter().filter(|name| !is_known(name, rules)) {
            faults.push(("suppression.unknown-rule", format!("没有规则 '{name}'")));
        }
        if self.reason.is_empty() {
            faults.push(("suppression.missing-reason", self.rules.join("、")));
        }
        if let Some(until) = self.until.filter(|until| *until < today) {
            faults.push(("suppression.expired", format!("{} 只忽略到 {until}", self.rules.join("、"))));
        }
        faults
    }

    /// Whether it holds on `today`.
    pub fn holds(&self, today: Date) -> bool {
        self.until.is_none_or(|until| until >= today)
    }
}

/// A suppression of the settings file: for the paths that a glob matches.
#[derive(Debug, Clone)]
pub struct PathSuppression {
    /// Which files, relative to the settings file.
    pub glob: GlobMatcher,
    /// Where in the settings file it stands, in bytes.
    pub span: Span,
    /// What it suppresses.
    pub suppression: Suppression,
}

fn matches(name: &str, rule: &str) -> bool {
    match name.strip_suffix(".*") {
        Some(family) => rule.split('.').next() == Some(family),
        None => name == rule,
    }
}

/// Whether a rule of this name exists. Rules of suppressions cannot be suppressed.
fn is_known(name: &str, rules: &RuleSet) -> bool {
    let citation = |name: &str| {
        crate::citation::Verdict::ALL
            .iter()
            .filter(|verdict| verdict.is_wrong())
            .any(|v| name == format!("citation.{v}"))
    };
    match name.strip_suffix(".*") {
        Some(family) => family.parse::<crate::model::Family>().is_ok(),
        None => RuleId::new(name).is_ok() && (rules.rule(name).is_some() || citation(name)),
    }
}
