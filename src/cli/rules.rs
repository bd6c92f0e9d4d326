//! `zhijian rules`

use crate::cli::args::{RuleOptions, RulesArguments, RulesCommand};
use crate::cli::{Failure, Outcome, checker};
use crate::engine::selftest;
use crate::lexicon::Example;

pub fn run(arguments: &RulesArguments) -> Result<Outcome, Failure> {
    match &arguments.command {
        RulesCommand::List(options) => list(options),
        RulesCommand::Show { id, rules } => show(id, rules),
        RulesCommand::Check(options) => check(options),
        RulesCommand::Test(options) => test(options),
    }
}

fn list(options: &RuleOptions) -> Result<Outcome, Failure> {
    let checker = checker(options)?;
    for rule in &checker.rules.rules {
        let statute = rule.statutes.first().map_or(String::new(), |(reference, _)| reference.to_string());
        anstream::println!("{}\t{}\t{}\t{}\t{statute}", rule.id, rule.severity.as_str(), rule.entries, rule.title);
    }
    Ok(Outcome::Clean)
}

fn show(id: &str, options: &RuleOptions) -> Result<Outcome, Failure> {
    let checker = checker(options)?;
    let Some(rule) = checker.rules.rule(id) else {
        return Err(Failure(format!("没有规则 '{id}'；用 `zhijian rules list` 查看全部规则")));
    };
    anstream::println!("{} {}（{}，{}）", rule.id, rule.title, rule.family.chinese(), rule.severity.chinese());
    anstream::println!("理由：{}\n建议：{}\n来源：{}（{}）\n文件：{}", rule.why, rule.advice, rule.source, rule.since, rule.path);
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
    let rules = checker(options)?.rules;
    let entries: usize = rules.rules.iter().map(|rule| rule.entries).sum();
    let (count, classes, literals) = (rules.rules.len(), rules.class_entries, rules.literals.len());
    anstream::println!("规则 {count} 条，词条与句式 {entries} 个，词类词条 {classes} 个，展开后字面词 {literals} 个：未发现问题");
    Ok(Outcome::Clean)
}

fn test(options: &RuleOptions) -> Result<Outcome, Failure> {
    let rules = checker(options)?.rules;
    let result = selftest::run(&rules);
    for failure in &result.failures {
        anstream::println!("{failure}");
    }
    anstream::println!("rules: {} passed, {} failed", result.passed, result.failures.len());
    Ok(if result.failures.is_empty() { Outcome::Clean } else { Outcome::Findings })
}
