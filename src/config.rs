//! `zhijian.toml`: what a team changes about the rules without touching their files.

mod report;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::error::{Diagnostic, LoadError, SourceFile};
use crate::lexicon::RuleSet;
use crate::model::Severity;
pub use report::{ReportSettings, Scoring};

/// The name of the file.
pub const FILE_NAME: &str = "zhijian.toml";

/// The settings, already checked for form.
#[derive(Debug, Default)]
pub struct Config {
    file: Option<SourceFile>,
    settings: Settings,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    #[serde(default)]
    rules: RuleSettings,
    #[serde(default)]
    lint: LintSettings,
    #[serde(default)]
    report: report::ReportFile,
}

/// What `zhijian lint` takes from the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LintSettings {
    /// Files of folders that are left out, as globs relative to the file.
    #[serde(default)]
    exclude: Vec<Spanned<String>>,
    /// Findings that are accepted.
    #[serde(default)]
    ignore: Vec<Spanned<LintIgnore>>,
}

/// Findings that are accepted in some files.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LintIgnore {
    /// Which files, as a glob relative to the settings file.
    pub path: String,
    /// Rule ids, or `family.*`.
    pub rules: Vec<String>,
    /// Why.
    pub reason: String,
    /// The last day on which it holds.
    #[serde(default)]
    pub until: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleSettings {
    /// Folders of rules to add, relative to the file.
    #[serde(default)]
    lexicons: Vec<PathBuf>,
    /// Rules not to apply, by id or `family.*`.
    #[serde(default)]
    disable: Vec<Spanned<String>>,
    /// Other severities, by id or `family.*`.
    #[serde(default)]
    severity: BTreeMap<Spanned<String>, Severity>,
}

impl Config {
    /// Whether no file gave these settings.
    pub fn is_empty(&self) -> bool {
        self.file.is_none()
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    /// When it cannot be read or holds something else than settings.
    pub fn read(path: &Path) -> Result<Config, LoadError> {
        let name = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|error| {
            LoadError(vec![Diagnostic::of_file(&name, "read", error.to_string(), "check --config")])
        })?;
        let file = SourceFile::new(name, text);
        let settings = toml::from_str(&file.text).map_err(|error| LoadError(vec![file.toml_error(&error)]))?;
        Ok(Config { file: Some(file), settings })
    }

    /// The nearest `zhijian.toml` in the folder of `input` or above it; no settings where there is none.
    ///
    /// # Errors
    /// When there is one that cannot be read.
    pub fn find(input: &Path) -> Result<Config, LoadError> {
        let start = input.canonicalize().unwrap_or_else(|_| input.to_owned());
        let found = start.ancestors().skip(1).map(|dir| dir.join(FILE_NAME)).find(|path| path.is_file());
        found.map_or_else(|| Ok(Config::default()), |path| Config::read(&path))
    }

    /// The folders of rules to add.
    pub fn lexicons(&self) -> Vec<PathBuf> {
        let base = self.file.as_ref().and_then(|file| Path::new(&file.path).parent());
        let base = base.unwrap_or(Path::new(""));
        self.settings.rules.lexicons.iter().map(|dir| base.join(dir)).collect()
    }

    /// The settings file; `None` where there is none.
    pub fn file(&self) -> Option<&SourceFile> {
        self.file.as_ref()
    }

    /// Globs of files that `lint` leaves out, with their places in the file.
    pub fn lint_exclude(&self) -> &[Spanned<String>] {
        &self.settings.lint.exclude
    }

    /// Findings that `lint` accepts, with their places in the file.
    pub fn lint_ignore(&self) -> &[Spanned<LintIgnore>] {
        &self.settings.lint.ignore
    }

    /// The settings of reports, with the points and fatal rules checked against `rules`.
    ///
    /// # Errors
    /// When they name a rule that does not exist or hold a number that is none.
    pub fn report(&self, rules: &RuleSet) -> Result<ReportSettings, LoadError> {
        match &self.file {
            Some(file) => self.settings.report.check(file, rules).map_err(LoadError),
            None => Ok(ReportSettings::default()),
        }
    }

    /// Applies the settings to compiled rules.
    ///
    /// # Errors
    /// When they name a rule that does not exist.
    pub fn apply(&self, rules: &mut RuleSet) -> Result<(), LoadError> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut problems = Vec::new();
        let mut selected = |pattern: &Spanned<String>| {
            let wanted = pattern.as_ref();
            let ids: Vec<String> = rules
                .rules
                .iter()
                .filter(|rule| match wanted.strip_suffix(".*") {
                    Some(family) => rule.family.as_str() == family,
                    None => rule.id.as_str() == wanted,
                })
                .map(|rule| rule.id.to_string())
                .collect();
            if ids.is_empty() {
                let help = "see `zhijian rules list`";
                problems.push(file.diagnostic(
                    pattern.span(),
                    "unknown-rule",
                    format!("no rule is called '{wanted}'"),
                    help,
                ));
            }
            ids
        };
        let disabled: Vec<String> = self.settings.rules.disable.iter().flat_map(&mut selected).collect();
        let severities: Vec<(String, Severity)> = self
            .settings
            .rules
            .severity
            .iter()
            .flat_map(|(pattern, severity)| selected(pattern).into_iter().map(|id| (id, *severity)))
            .collect();
        if !problems.is_empty() {
            return Err(LoadError(problems));
        }
        for (id, severity) in severities {
            rules.set_severity(&id, severity);
        }
        for id in disabled {
            rules.disable(&id);
        }
        Ok(())
    }
}
