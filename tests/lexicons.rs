//! The rule files as a whole. `zhijian rules test` runs the same examples from the command line.

use std::collections::BTreeMap;
use std::fs;

use zhijian::engine::{Flag, Mode, Scanner, selftest};
use zhijian::error::SourceFile;
use zhijian::evaluation::GoldConversation;
use zhijian::fit;
use zhijian::lexicon::cues::HEADER;
use zhijian::lexicon::{RuleSet, Sources};
use zhijian::model::{Channel, Family, SpeakerRole};
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

#[test]
fn the_table_of_cues_is_what_its_corpus_teaches() {
    let mut sources = Sources::builtin();
    sources.rules.retain(|file| !file.text.contains("\n[cues]"));
    let rules = RuleSet::compile(&sources).unwrap_or_else(|error| panic!("{error}"));
    let gold = ["corpora/labelled/tune.jsonl", "corpora/labelled/day.jsonl"];
    let gold: Vec<_> =
        gold.iter().flat_map(|path| GoldConversation::read(path.as_ref()).expect("the corpus is whole")).collect();
    let table = fs::read_to_string("lexicons/cues.tsv").expect("readable");
    let stale = "run `zhijian rules fit corpora/labelled/tune.jsonl corpora/labelled/day.jsonl`";
    assert!(fit::fit(&gold, &rules) == table, "lexicons/cues.tsv is stale: {stale}");
}

/// A pack of one rule that cues weigh, with the points of `cues`.
fn weighed_pack(cues: &str) -> Sources {
    let rule = |name: &str, what: &str| {
        let text = format!(
            "id = \"refuse.{name}\"\ntitle = \"t\"\nseverity = \"warning\"\nwhy = \"w\"\nstatutes = [\"消法 52\"]\nadvice = \"a\"\n\
             source = \"s\"\nsince = \"0\"\nexamples = [\"退不了\"]\ncounterexamples = [\"好\"]\n{what}\n"
        );
        SourceFile::new(format!("pack/refuse/{name}.toml"), text)
    };
    Sources {
        rules: vec![rule("denied", "phrases = [\"退不了\"]"), rule("weighed", "[cues]\nbar = 50\nhit = 80")],
        cues: vec![SourceFile::new("pack/cues.tsv", format!("{HEADER}\n{cues}"))],
        ..Sources::default()
    }
}

fn rules_that_flag(rules: &RuleSet, rows: &[(SpeakerRole, &str)]) -> Vec<(String, String)> {
    let turns: Vec<Turn<'_>> = rows.iter().map(|(role, text)| Turn::new(*role, text)).collect();
    let conversation = Conversation { id: "c", channel: Channel::Chat, industry: "", date: None, path: "", turns };
    let flags = Scanner::new(rules, Mode::Lazy).scan(&conversation).flags;
    let part = |flag: &Flag| flag.hit.as_ref().map_or("", |(turn, span)| &rows[*turn].1[span.clone()]).to_owned();
    flags.iter().map(|flag| (rules.rules[flag.rule as usize].id.to_string(), part(flag))).collect()
}

#[test]
fn cues_raise_what_no_phrase_foresees_and_drop_what_they_speak_against() {
    let cues = "不给\tsaid\t\t\t\t60\t\t\t\t\t\n假期\tasked\t\t\t\t-100\t\t\t\t\t\n";
    let mut rules = RuleSet::compile(&weighed_pack(cues)).unwrap_or_else(|error| panic!("{error}"));
    let found = |rules: &RuleSet, asked: &str, said: &str| {
        rules_that_flag(rules, &[(SpeakerRole::Customer, asked), (SpeakerRole::Agent, said)])
    };
    let flag = |rule: &str, part: &str| vec![(rule.to_owned(), part.to_owned())];
    assert_eq!(found(&rules, "退货", "亲，不给的"), flag("refuse.weighed", "不给的"));
    assert_eq!(found(&rules, "退货", "退不了"), flag("refuse.denied", "退不了"));
    assert_eq!(found(&rules, "假期呢", "退不了"), []);
    assert_eq!(found(&rules, "假期呢", "不给"), []);
    rules.disable("refuse.weighed");
    assert_eq!(found(&rules, "假期呢", "退不了"), flag("refuse.denied", "退不了"));
}

#[test]
fn rules_of_another_pack_are_not_weighed() {
    let mut sources = weighed_pack("退不\tsaid\t\t\t\t-100\t\t\t\t\t\n");
    sources.rules[0].path = "mine/refuse/denied.toml".to_owned();
    let rules = RuleSet::compile(&sources).unwrap_or_else(|error| panic!("{error}"));
    let found = rules_that_flag(&rules, &[(SpeakerRole::Agent, "退不了")]);
    assert_eq!(found, [("refuse.denied".to_owned(), "退不了".to_owned())]);
}

#[test]
fn a_pack_that_weighs_cues_needs_a_table() {
    let sources = Sources { cues: Vec::new(), ..weighed_pack("") };
    let error = RuleSet::compile(&sources).expect_err("no table").to_string();
    assert!(error.contains("there is no table of cues"), "{error}");
}
