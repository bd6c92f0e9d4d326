//! The citation audit against the labelled corpus.
#![allow(clippy::print_stdout)] // figures are printed for `--nocapture`

use std::fs;

use jiff::civil::Date;
use proptest::prelude::*;
use zhijian::citation::CitationIndex;
use zhijian::citation::evaluation::{LabelledText, evaluate};
use zhijian::model::{Channel, Conversation, Family, SpeakerRole, Turn};
use zhijian::statutes::StatuteBase;

/// The day of the labels.
fn day() -> Date {
    "2026-11-23".parse().expect("a date")
}

fn corpus(split: &str) -> Vec<LabelledText> {
    let text = fs::read_to_string("corpora/citations/citations.jsonl").expect("the corpus is there");
    let all = text.lines().map(|line| serde_json::from_str::<LabelledText>(line).expect("a labelled text"));
    all.filter(|labelled| labelled.split == split).collect()
}

#[test]
fn wrong_citations_are_found_and_right_ones_left_alone() {
    let base = StatuteBase::load(&[]).expect("the embedded statutes load");
    for split in ["dev", "held-out"] {
        let evaluation = evaluate(&base, &corpus(split), day());
        println!("{split}\n{evaluation}");
        for mistake in &evaluation.mistakes {
            println!("  {mistake}");
        }
        assert!(evaluation.precision() >= 0.95, "{split}: precision {}", evaluation.precision());
        assert!(evaluation.recall() >= 0.90, "{split}: recall {}", evaluation.recall());
        assert!(evaluation.successor_share() >= 0.90, "{split}: right article {}", evaluation.successor_share());
    }
}

#[test]
fn right_citations_of_the_laws_own_words_are_left_alone() {
    let folder = std::path::Path::new("../shared/reference/statutes");
    let base = StatuteBase::load(&[]).expect("the embedded statutes load");
    let index = CitationIndex::new(&base);
    let files = [
        ("消费者权益保护法_2013", "消费者权益保护法"),
        ("电子商务法_2018", "电子商务法"),
        ("个人信息保护法_2021", "个人信息保护法"),
        ("消费者权益保护法实施条例_2024", "消费者权益保护法实施条例"),
        ("网络购买商品七日无理由退货暂行办法_2020", "网络购买商品七日无理由退货暂行办法"),
        ("民法典_合同编", "民法典"),
        ("民法典_人格权编", "民法典"),
        ("民法典_侵权责任编", "民法典"),
        ("劳动合同法_2012", "劳动合同法"),
    ];
    let (mut judged, mut wrong) = (0, Vec::new());
    for (file, law) in files {
        let Ok(text) = fs::read_to_string(folder.join(format!("{file}.txt"))) else {
            continue;
        };
        for (article, words) in
            text.lines().filter_map(|line| line.split_once("条 ")).filter(|(a, _)| a.starts_with('第'))
        {
            let sentence = words.split(['。', '\\']).next().unwrap_or_default();
            let memo = format!("根据《{law}》{article}条，{sentence}。");
            for finding in index.audit(&base, &memo, day()).iter().take(1).filter(|finding| finding.verified) {
                judged += 1;
                if finding.is_wrong() {
                    wrong.push(format!("{memo} {}", finding.message));
                }
            }
        }
    }
    println!("{} of {judged} called wrong", wrong.len());
    assert!(wrong.len() * 50 <= judged, "{}", wrong.join("\n"));
}

#[test]
fn agent_turns_with_a_wrong_citation_are_findings_of_their_own_family() {
    let checker = zhijian::Checker::builtin().expect("the embedded rules load");
    let turns = vec![
        Turn::new(SpeakerRole::Customer, "依照《合同法》第一百零七条你们要赔"),
        Turn::new(SpeakerRole::Agent, "亲，依照《合同法》第一百零七条，我们不承担违约责任"),
        Turn::new(SpeakerRole::Agent, "依据《消费者权益保护法》第二十五条，支持七天无理由退货"),
    ];
    let conversation =
        Conversation { id: "c1", channel: Channel::Chat, industry: "", date: Some(day()), path: "", turns };
    let found = checker.check(&conversation);
    let cited: Vec<_> = found.iter().filter(|finding| finding.family == Family::Citation).collect();
    assert_eq!(cited.len(), 1);
    assert_eq!((cited[0].turn, cited[0].rule.as_str()), (Some(1), "citation.repealed"));
    assert_eq!((cited[0].start, cited[0].end), (Some(4), Some(15)));
    assert_eq!(cited[0].matched, "《合同法》第一百零七条");
    assert_eq!(cited[0].statutes[0].label, "《民法典》第五百七十七条");
}

#[test]
fn what_only_looks_like_a_citation_is_passed_over() {
    let base = StatuteBase::load(&[]).expect("the embedded statutes load");
    let texts = [
        "请取消法院寄来的送达地址",
        "合同法定代表人签字",
        "合同法律关系",
        "违反法律、行政法规",
        "双方合同第三条",
        "第二十四条",
        "《消费者权益保护法释义》一书",
        "公司制度第五条",
    ];
    for text in texts {
        let found = zhijian::citation::audit(&base, text, day());
        assert!(found.is_empty(), "{text}: {found:?}");
    }
    let found = zhijian::citation::audit(&base, "劳动合同法第三十九条", day());
    assert_eq!((found.len(), found[0].law.as_str()), (1, "劳动合同法"));
}

fn piece() -> impl Strategy<Value = String> {
    let words = [
        "《",
        "》",
        "消费者权益保护法",
        "合同法",
        "民法典",
        "第",
        "二十四",
        "24",
        "２",
        "条",
        "款",
        "项",
        "（一）",
        "(8)",
        "之一",
        "至",
        "、",
        "和",
        "，",
        "。",
        "\n",
        "本法",
        "同条",
        "前款",
        "（以下简称《消法》）",
        "《消法》",
        "规定",
        "：",
        "退货",
        "违约责任",
        "😊",
        " ",
        "a",
        "原",
        "2013年版",
        "99999",
    ];
    proptest::sample::select(words.to_vec()).prop_map(str::to_owned)
}

proptest! {
    #[test]
    fn any_text_is_audited_and_spans_are_what_was_matched(pieces in proptest::collection::vec(piece(), 0..40)) {
        static BASE: std::sync::LazyLock<(StatuteBase, CitationIndex)> = std::sync::LazyLock::new(|| {
            let base = StatuteBase::load(&[]).expect("the embedded statutes load");
            let index = CitationIndex::new(&base);
            (base, index)
        });
        let text = pieces.concat();
        for finding in BASE.1.audit(&BASE.0, &text, day()) {
            prop_assert_eq!(&text[finding.span.clone()], &finding.matched);
            prop_assert_eq!(zhijian::span::code_points(&text, &finding.span), finding.start..finding.end);
            prop_assert!(!finding.verdicts.is_empty());
        }
    }
}
