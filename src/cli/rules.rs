//! `zhijian rules`

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::checker::Checker;
use crate::cli::args::{RuleOptions, RulesArguments, RulesCommand};
use crate::cli::{Failure, Outcome, checker, compiled_checker, output, sources};
use crate::engine::selftest;
use crate::evaluation::GoldConversation;
use crate::fit;
use crate::input::{self, Export, InputOptions};
use crate::lexicon::{Example, RuleSet, Sources, check};
use crate::model::RuleId;
use crate::report::mask::mask;

/// How many examples of each change `rules diff` shows.
const SHOWN: usize = 5;

pub fn run(arguments: &RulesArguments) -> Result<Outcome, Failure> {
    match &arguments.command {
        RulesCommand::List(options) => list(options),
        RulesCommand::Show { id, rules } => show(id, rules),
        RulesCommand::Check(pack) => check(&pack.options()),
        RulesCommand::Test(pack) => test(&pack.options()),
        RulesCommand::Fit { gold, output, rules } => fit(gold, output, rules),
        RulesCommand::New { id, dir } => new(id, dir),
        RulesCommand::Diff { before, after, inputs } => diff(before, after, inputs),
    }
}

fn list(options: &RuleOptions) -> Result<Outcome, Failure> {
    let checker = checker(options, None)?;
    for rule in &checker.rules.rules {
        let statute = rule.statutes.first().map_or(String::new(), |(reference, _)| reference.to_string());
        anstream::println!("{}\t{}\t{}\t{}\t{statute}", rule.id, rule.severity.as_str(), rule.entries, rule.title);
    }
    Ok(Outcome::Clean)
}

fn show(id: &str, options: &RuleOptions) -> Result<Outcome, Failure> {
    let checker = compiled_checker(options)?;
    let Some(rule) = checker.rules.rule(id) else {
        return Err(Failure(format!("没有规则 '{id}'；用 `zhijian rules list` 查看全部规则")));
    };
    anstream::println!("{} {}（{}，{}）", rule.id, rule.title, rule.family.chinese(), rule.severity.chinese());
    anstream::println!(
        "理由：{}\n建议：{}\n来源：{}（{}）\n文件：{}",
        rule.why,
        rule.advice,
        rule.source,
        rule.since,
        rule.path
    );
    anstream::println!("法条：");
    for (reference, _) in &rule.statutes {
        if let Some(cited) = checker.statutes.resolve(reference) {
            anstream::println!("  {}：{}", cited.label(), cited.gist());
        }
    }
    for (title, examples) in [("应命中：", &rule.examples), ("不应命中：", &rule.counterexamples)] {
        anstream::println!("{title}");
        for (example, _) in examples {
            match example {
                Example::Turn(text) => anstream::println!("  {text}"),
                Example::Conversation(lines) => anstream::println!("  {}", lines.join(" / ")),
            }
        }
    }
    Ok(Outcome::Clean)
}

fn check(options: &RuleOptions) -> Result<Outcome, Failure> {
    let rules = compiled_checker(options)?.rules;
    let entries: usize = rules.rules.iter().map(|rule| rule.entries).sum();
    let (count, classes, literals) = (rules.rules.len(), rules.class_entries, rules.literals.len());
    let doubts = check::lint(&sources(options, &[])?);
    for doubt in &doubts {
        anstream::println!("{doubt}");
    }
    let problems = if doubts.is_empty() { "未发现问题".to_owned() } else { format!("{} 处存疑", doubts.len()) };
    anstream::println!(
        "规则 {count} 条，词条与句式 {entries} 个，词类词条 {classes} 个，展开后字面词 {literals} 个：{problems}"
    );
    Ok(if doubts.is_empty() { Outcome::Clean } else { Outcome::Findings })
}

fn test(options: &RuleOptions) -> Result<Outcome, Failure> {
    let rules = compiled_checker(options)?.rules;
    let result = selftest::run(&rules);
    for failure in &result.failures {
        anstream::println!("{failure}");
    }
    anstream::println!("rules: {} passed, {} failed", result.passed, result.failures.len());
    Ok(if result.failures.is_empty() { Outcome::Clean } else { Outcome::Findings })
}

fn fit(gold: &[PathBuf], output: &Path, options: &RuleOptions) -> Result<Outcome, Failure> {
    // The old table and the rules that weigh it have no say.
    let mut sources = sources(options, &[])?;
    sources.rules.retain(|file| !file.text.contains("\n[cues]"));
    let rules = RuleSet::compile(&sources)?;
    let mut labelled = Vec::new();
    for path in gold {
        labelled.extend(GoldConversation::read(path)?);
    }
    let table = fit::fit(&labelled, &rules);
    output::write(output, |out| out.write_all(table.as_bytes()))?;
    anstream::println!("{}：{} 条线索", output.display(), table.lines().count() - 2);
    Ok(Outcome::Clean)
}

fn new(id: &str, dir: &Path) -> Result<Outcome, Failure> {
    let id = RuleId::new(id).map_err(Failure)?;
    let (family, name) = id.as_str().split_once('.').expect("a rule id has a dot");
    let folder = dir.join(family);
    let path = folder.join(format!("{name}.toml"));
    if path.exists() {
        return Err(Failure(format!("{} 已存在", path.display())));
    }
    let template = format!(
        r#"id = "{id}"
title = "一句话说明哪里不对"
severity = "warning"
why = "坐席申诉时念给他听的理由"
statutes = ["消法 56(1)(8)"]
advice = "可以这样说：……"
source = "依据"
since = "{version}"
phrases = ["命中的词句"]
unless = []
examples = ["含有命中的词句的一句话"]
counterexamples = ["看着像但不该命中的一句话"]
"#,
        version = env!("CARGO_PKG_VERSION")
    );
    let failed = |error: std::io::Error| Failure(format!("{}: [write] {error}", path.display()));
    fs::create_dir_all(&folder).map_err(failed)?;
    fs::write(&path, template).map_err(failed)?;
    anstream::println!("{}：改好后运行 zhijian rules test --lexicons {}", path.display(), dir.display());
    Ok(Outcome::Clean)
}

/// What rule set `after` finds and `before` does not, and the other way round.
fn diff(before: &Path, after: &Path, inputs: &[PathBuf]) -> Result<Outcome, Failure> {
    let load = |dir: &Path| -> Result<Checker, Failure> {
        Ok(Checker::load(&Sources::of_dir(dir).map_err(crate::error::LoadError)?, &[])?)
    };
    let (before, after) = (load(before)?, load(after)?);
    let mut export = Export::default();
    for path in inputs {
        input::read(path, &InputOptions::default(), &mut export, &|_| {})?;
    }
    export.finish();
    let mut changes: BTreeMap<(bool, String), (usize, Vec<String>)> = BTreeMap::new();
    for conversation in (0..export.len()).map(|at| export.get(at)) {
        let key = |f: &crate::Finding| (f.rule.clone(), f.turn, f.turns.clone(), f.matched.clone());
        let (old, new) = (before.check(&conversation), after.check(&conversation));
        let mut note = |added: bool, here: &[crate::Finding], there: &[crate::Finding]| {
            for finding in here.iter().filter(|f| !there.iter().any(|other| key(other) == key(f))) {
                let change = changes.entry((added, finding.rule.clone())).or_default();
                change.0 += 1;
                if change.1.len() < SHOWN {
                    let text = finding.turn.map_or("", |turn| conversation.turns[turn].text);
                    let line = finding.source.line;
                    change.1.push(format!(
                        "{}:{line} 【{}】 {}",
                        finding.source.path,
                        mask(&finding.matched),
                        mask(text)
                    ));
                }
            }
        };
        note(true, &new, &old);
        note(false, &old, &new);
    }
    for ((added, rule), (count, examples)) in &changes {
        let sign = if *added { '+' } else { '-' };
        anstream::println!("{sign}{count} {rule}");
        for example in examples {
            anstream::println!("    {example}");
        }
    }
    let total = |added: bool| changes.iter().filter(|((a, _), _)| *a == added).map(|(_, (n, _))| n).sum::<usize>();
    anstream::println!("新增 {}，减少 {}", total(true), total(false));
    Ok(Outcome::Clean)
}
