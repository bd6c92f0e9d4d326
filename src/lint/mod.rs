//! Scripted replies before they go live: phrase tables, bot answers, prompts and training dialogues, in the files they are
//! kept in. Replies are judged by the same rules as conversations, in the channel `script`.

pub mod align;
pub mod baseline;
pub mod changed;
pub mod files;
pub mod fix;
pub mod issue;
pub mod output;
pub mod page;
pub mod placeholder;
mod prose;
pub mod script;
pub mod suppress;
mod table;
mod tree;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use rayon::prelude::*;
use serde::Serialize;

use crate::checker::Checker;
use crate::error::SourceFile;
use crate::lint::align::Alignment;
use crate::lint::issue::{Issue, Locator, Replacement, fingerprint};
use crate::lint::placeholder::neutralise;
use crate::lint::script::{Keys, Reach, Reply, Script};
use crate::lint::suppress::{PathSuppression, RULES, Suppression};
use crate::model::{Channel, Conversation, Family, Severity, Turn};
use crate::span::Span;
use crate::statutes::Finding;

/// How to lint.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which values are replies.
    pub keys: Keys,
    /// Suppressions of the settings file, and that file's folder as paths in reports show it.
    pub path_suppressions: Vec<PathSuppression>,
    /// The day on which suppressions must hold.
    pub today: Date,
    /// The trade, as 电商; decides which articles apply.
    pub industry: String,
}

/// What became of every piece of text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Ledger {
    /// Files read.
    pub files: usize,
    /// Pieces of text: `judged`, `context` and `skipped` add up to it.
    pub texts: usize,
    /// Replies that were judged.
    pub judged: usize,
    /// Customers' lines.
    pub context: usize,
    /// Not judged, by reason.
    pub skipped: BTreeMap<&'static str, usize>,
    /// Findings reported.
    pub findings: usize,
    /// Findings that a suppression accepts.
    pub suppressed: usize,
    /// Findings that the baseline knows.
    pub baselined: usize,
    /// Findings on lines that were not changed.
    pub unchanged: usize,
    /// Replies with so many hits that some were not looked at.
    pub truncated: usize,
}

/// What linting gave.
#[derive(Debug, Default)]
pub struct Linted {
    /// In the order of files and of places in them.
    pub issues: Vec<Issue>,
    /// The count of everything.
    pub ledger: Ledger,
    /// What could not be read, one line each.
    pub problems: Vec<String>,
    /// The paths linted, as in reports.
    pub paths: Vec<String>,
    /// Of each suppression of the settings file: whether a file matched it, and whether it met a finding.
    pub path_suppressions: Vec<(bool, bool)>,
}

/// Lints `files`, in parallel; the result is in their order.
pub fn lint(checker: &Checker, files: &[PathBuf], options: &Options) -> Linted {
    let of_file = |path: &PathBuf| {
        let script = files::read(path, &options.keys);
        let checked = check(checker, &script, options);
        (script.path, script.problems, script.replies.len(), script.skipped, checked)
    };
    let all: Vec<_> = files.par_iter().map(of_file).collect();
    let mut linted = Linted::default();
    let mut used = vec![(false, false); options.path_suppressions.len()];
    for (path, problems, texts, skipped, checked) in all {
        let ledger = &mut linted.ledger;
        ledger.files += 1;
        ledger.texts += texts + skipped.values().sum::<usize>();
        ledger.judged += checked.judged;
        ledger.context += texts - checked.judged;
        ledger.suppressed += checked.suppressed;
        ledger.truncated += checked.truncated;
        for (reason, count) in skipped {
            *ledger.skipped.entry(reason).or_default() += count;
        }
        for (at, (matched, hit)) in used.iter_mut().enumerate() {
            *matched |= checked.paths_matched.contains(&at);
            *hit |= checked.paths_used.contains(&at);
        }
        linted.problems.extend(problems);
        linted.issues.extend(checked.issues);
        linted.paths.push(path);
    }
    linted.path_suppressions = used;
    linted
}

/// What is wrong with the suppressions of the settings file. One that met nothing is only a note: the files it is for may
/// not all have been linted.
pub fn settings_faults(checker: &Checker, settings: &SourceFile, options: &Options, linted: &Linted) -> Vec<Issue> {
    let script = Script::new(&files::shown(Path::new(&settings.path)), settings.text.clone());
    let mut locator = Locator::new(&script);
    let mut issues = Vec::new();
    for (entry, (matched, used)) in options.path_suppressions.iter().zip(&linted.path_suppressions) {
        let mut faults = entry.suppression.faults(&checker.rules, options.today);
        if faults.is_empty() && *matched && !used {
            faults.push((RULES[2].0, format!("{} 没有命中可忽略", entry.suppression.rules.join("、"))));
        }
        for (rule, detail) in faults {
            let place = table::plain_place(entry.span.start, &settings.text[entry.span.clone()]);
            let located = locator.locate(&place, &settings.text[entry.span.clone()], &(0..entry.span.len()));
            let mut issue = fault(&script.path, rule, &detail, &entry.suppression.rules.join("、"), located);
            if rule == RULES[2].0 {
                issue.severity = Severity::Note;
            }
            issues.push(issue);
        }
    }
    issues
}

#[derive(Debug, Default)]
struct CheckedScript {
    issues: Vec<Issue>,
    judged: usize,
    suppressed: usize,
    truncated: usize,
    paths_matched: Vec<usize>,
    paths_used: Vec<usize>,
}

/// The text of a reply as rules see it.
struct Seen<'s> {
    reply: &'s Reply,
    text: std::borrow::Cow<'s, str>,
    alignment: Option<Alignment>,
}

impl Seen<'_> {
    /// The bytes of the reply that the code points `start` to `end` of the seen text came from.
    fn span(&self, start: usize, end: usize) -> Span {
        let byte = |n: usize| self.text.char_indices().nth(n).map_or(self.text.len(), |(at, _)| at);
        let span = byte(start)..byte(end);
        self.alignment.as_ref().map_or(span.clone(), |alignment| alignment.source(&span))
    }
}

fn check(checker: &Checker, script: &Script, options: &Options) -> CheckedScript {
    let seen: Vec<Seen<'_>> = script
        .replies
        .iter()
        .map(|reply| {
            let (text, alignment) = neutralise(&reply.text);
            Seen { reply, text, alignment }
        })
        .collect();
    let judge = |dialogue: &Vec<usize>| {
        let turns = dialogue.iter().map(|at| Turn::new(seen[*at].reply.role, &seen[*at].text)).collect();
        let conversation = Conversation {
            id: "",
            channel: Channel::Script,
            industry: &options.industry,
            date: None,
            path: &script.path,
            turns,
        };
        checker.check_with(&conversation, crate::engine::Mode::Lazy)
    };
    let checked: Vec<_> = script.dialogues.par_iter().with_min_len(16).map(judge).collect();
    let mut result = CheckedScript { judged: script.judged(), ..CheckedScript::default() };
    let mut locator = Locator::new(script);
    let mut found: Vec<(Vec<usize>, Issue)> = Vec::new();
    for (dialogue, checked) in script.dialogues.iter().zip(checked) {
        result.truncated += checked.truncated;
        for finding in checked.findings {
            let turns: Vec<usize> = match (finding.turn, &finding.turns) {
                (Some(turn), _) => vec![dialogue[turn]],
                (None, Some(turns)) => turns.iter().map(|turn| dialogue[*turn]).collect(),
                (None, None) => vec![dialogue[0]],
            };
            let replacement = replacement(checker, &seen[turns[0]], &finding, &mut locator);
            found.push((turns.clone(), issue(script, &seen, &turns, finding, replacement, &mut locator)));
        }
    }
    suppress(checker, script, options, found, &mut locator, &mut result);
    result.issues.sort_by_key(|issue| (issue.at.line, issue.at.column));
    number(&mut result.issues);
    result
}

fn issue(
    script: &Script,
    seen: &[Seen<'_>],
    turns: &[usize],
    finding: Finding,
    replacement: Option<Replacement>,
    locator: &mut Locator<'_>,
) -> Issue {
    let first = &seen[turns[0]];
    let span = match (finding.start, finding.end) {
        (Some(start), Some(end)) => first.span(start, end),
        _ => 0..first.reply.text.len(),
    };
    let located = locator.locate(&first.reply.place, &first.reply.text, &span);
    let texts: Vec<&str> = turns.iter().map(|turn| seen[*turn].reply.text.as_str()).collect();
    let matched = &first.reply.text[span];
    Issue {
        path: script.path.clone(),
        at: located.at,
        field: first.reply.field.clone(),
        family: finding.family.to_string(),
        severity: finding.severity,
        matched: crate::report::mask::mask(matched).into_owned(),
        statutes: finding.statutes,
        message: finding.message,
        advice: finding.advice,
        fingerprint: fingerprint(&[&finding.rule, &texts.join("\n"), matched]),
        rule: finding.rule,
        replacement,
        excerpt: located.excerpt,
        lines: located.lines,
    }
}

/// What may safely stand in the place of what was found.
fn replacement(
    checker: &Checker,
    seen: &Seen<'_>,
    finding: &Finding,
    locator: &mut Locator<'_>,
) -> Option<Replacement> {
    let text = &seen.reply.text;
    let span = seen.span(finding.start?, finding.end?);
    let (span, words) = if finding.family == Family::Citation {
        let cited = checker.citations().audit(&checker.statutes, text, checker.default_date);
        let cited = cited.iter().find(|cited| cited.span == span)?;
        (span, fix::of_citation(cited)?.to_owned())
    } else {
        let rule = checker.rules.rule(&finding.rule).filter(|rule| !rule.replace.is_empty())?;
        let (span, words) = fix::of_rule(rule, text, &span)?;
        (span, words.to_owned())
    };
    let located = locator.locate(&seen.reply.place, text, &span);
    Some(Replacement { at: located.at, text: words, span: located.source? })
}

/// Takes out what is suppressed and adds what is wrong with the suppressions.
fn suppress(
    checker: &Checker,
    script: &Script,
    options: &Options,
    found: Vec<(Vec<usize>, Issue)>,
    locator: &mut Locator<'_>,
    result: &mut CheckedScript,
) {
    let notes: Vec<Suppression> = script.notes.iter().map(|note| Suppression::parse(&note.text)).collect();
    let mut used: Vec<Vec<bool>> = notes.iter().map(|note| vec![false; note.rules.len()]).collect();
    let on_path: Vec<usize> = (0..options.path_suppressions.len())
        .filter(|at| options.path_suppressions[*at].glob.is_match(&script.path))
        .collect();
    for (turns, issue) in found {
        let mut accepted = false;
        for ((note, suppression), used) in script.notes.iter().zip(&notes).zip(&mut used) {
            let reaches = match &note.reach {
                Reach::File => true,
                Reach::Replies(replies) => turns.iter().any(|turn| replies.contains(turn)),
            };
            if let Some(name) = suppression.names(&issue.rule).filter(|_| reaches) {
                used[name] = true;
                accepted |= suppression.holds(options.today);
            }
        }
        for at in &on_path {
            let suppression = &options.path_suppressions[*at].suppression;
            if suppression.names(&issue.rule).is_some() {
                result.paths_used.push(*at);
                accepted |= suppression.holds(options.today);
            }
        }
        if accepted {
            result.suppressed += 1;
        } else {
            result.issues.push(issue);
        }
    }
    result.paths_matched = on_path;
    for ((note, suppression), used) in script.notes.iter().zip(&notes).zip(&used) {
        let mut faults = suppression.faults(&checker.rules, options.today);
        let known = |name: &str| {
            !faults.iter().any(|(rule, detail)| *rule == RULES[0].0 && detail.contains(&format!("'{name}'")))
        };
        let idle: Vec<&str> = suppression
            .rules
            .iter()
            .zip(used)
            .filter(|(name, used)| !**used && known(name))
            .map(|(name, _)| name.as_str())
            .collect();
        if !idle.is_empty() && suppression.holds(options.today) {
            faults.push((RULES[2].0, format!("{} 没有命中可忽略", idle.join("、"))));
        }
        for (rule, detail) in faults {
            let located = locator.locate(&note.place, &note.text, &(0..note.text.len()));
            result.issues.push(fault(&script.path, rule, &detail, &note.text, located));
        }
    }
}

/// What is wrong with a suppression, as a finding.
fn fault(path: &str, rule: &str, detail: &str, text: &str, located: issue::Located) -> Issue {
    let (_, title, advice) = RULES.into_iter().find(|(id, _, _)| *id == rule).unwrap_or(RULES[0]);
    Issue {
        path: path.to_owned(),
        at: located.at,
        field: String::new(),
        rule: rule.to_owned(),
        family: "suppression".to_owned(),
        severity: Severity::Warning,
        matched: crate::report::mask::mask(text).into_owned(),
        statutes: Vec::new(),
        message: format!("{title}：{detail}。"),
        advice: advice.to_owned(),
        fingerprint: fingerprint(&[rule, text, detail]),
        replacement: None,
        excerpt: located.excerpt,
        lines: located.lines,
    }
}

/// Tells findings of the same words in equal replies of one file apart.
fn number(issues: &mut [Issue]) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for issue in issues {
        let count = seen.entry(issue.fingerprint.clone()).or_default();
        *count += 1;
        if *count > 1 {
            issue.fingerprint = fingerprint(&[&issue.fingerprint, &count.to_string()]);
        }
    }
}
