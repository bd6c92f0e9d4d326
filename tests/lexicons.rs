//! The rule files as a whole. `zhijian rules test` runs the same examples from the command line.

use std::collections::BTreeMap;

use zhijian::engine::selftest;
use zhijian::lexicon::{RuleSet, Sources};
use zhijian::model::{Family, SpeakerRole};
use zhijian::{Checker, Conversation, Turn};

#[test]
fn every_example_and_counterexample_holds() {
    let rules = RuleSet::compile(&Sources::builtin()).unwrap_or_else(|error| panic!("{error}"));
    let result = selftest::run(&rules);
    let failures: Vec<String> = result.failures.iter().map(ToString::to_string).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(result.passed > 500);
}

#[test]
fn every_statute_reference_resolves() {
    Checker::builtin().unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn the_core_families_have_the_breadth_they_promise() {
    let rules = RuleSet::compile(&Sources::builtin()).expect("the embedded rules load");
    let mut by_family: BTreeMap<Family, (usize, usize)> = BTreeMap::new();
    for rule in &rules.rules {
        let (count, entries) = by_family.entry(rule.family).or_default();
        *count += 1;
        *entries += rule.entries;
    }
    let core = [Family::Insult, Family::Stall, Family::Refuse];
    let rules: usize = core.iter().map(|family| by_family[family].0).sum();
    let entries: usize = core.iter().map(|family| by_family[family].1).sum();
    assert!(rules >= 60 && entries >= 600, "{rules} rules, {entries} entries");
    assert!(Family::CONDUCT.iter().all(|family| by_family.contains_key(family)), "{by_family:?}");
}

#[test]
fn every_rule_teaches() {
    let rules = RuleSet::compile(&Sources::builtin()).expect("the embedded rules load");
    for rule in &rules.rules {
        assert!(rule.why.chars().count() >= 12, "{}: why says too little", rule.id);
        assert!(rule.advice.chars().count() >= 6, "{}: advice says too little", rule.id);
        assert!(rule.examples.len() >= 3 && rule.counterexamples.len() >= 3, "{}: too few examples", rule.id);
    }
}

/// Homographs of abuse in their plain sense: what keyword lists get wrong.
#[test]
fn plain_homographs_are_not_flagged() {
    let checker = Checker::builtin().expect("the embedded rules load");
    for text in [
        "这台滚筒洗衣机10公斤的",
        "傻瓜相机装胶卷就能拍",
        "您挂神经内科就可以",
        "草泥马公仔有货的亲",
        "买两包草泥送一包腐叶土",
        "宝鸡巴士公司的票在这里退",
        "这只甲鱼是母王八，2斤左右",
        "30枚草鸡蛋碎了6个，按单价赔您",
        "USB接口在左边，sbus不支持热插拔",
        "猪头肉和老婆饼都在另一个袋子里",
        "现在拍一共二百五十元",
    ] {
        let turns = vec![Turn::new(SpeakerRole::Customer, "你好"), Turn::new(SpeakerRole::Agent, text)];
        let conversation =
            Conversation { id: "1", channel: Default::default(), industry: "电商", date: None, path: "", turns };
        let found: Vec<String> =
            checker.check(&conversation).into_iter().map(|f| format!("{} {}", f.rule, f.matched)).collect();
        assert!(found.is_empty(), "{text}: {found:?}");
    }
}
