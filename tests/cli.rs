//! The program as a user runs it, each test in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use assert_cmd::Command;
use serde_json::Value;

struct Workdir(PathBuf);

impl Workdir {
    fn new() -> Workdir {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("zhijian-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("the temporary folder is writable");
        Workdir(path)
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).expect("writable");
        path
    }

    fn zhijian(&self, arguments: &[&str]) -> Command {
        let mut command = Command::cargo_bin("zhijian").expect("the program is built");
        command.current_dir(&self.0).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = self.zhijian(arguments).output().expect("the program runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output is UTF-8");
        (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
    }
}

impl Drop for Workdir {
    fn drop(&mut self) {
        // A folder left behind in the temporary folder does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

const ROWS: &str = "会话ID,角色,客服,发送时间,消息内容\n\
    a,客户,小李,2026-09-18 09:00:00,这个怎么用\n\
    b,客户,小王,2026-09-18 09:00:05,在吗\n\
    a,客服,小李,2026-09-18 09:00:10,😊你就是个傻逼\n\
    b,客服,小王,2026-09-18 09:00:20,在的，您说\n";

fn findings(output: &str) -> Vec<Value> {
    output.lines().map(|line| serde_json::from_str(line).expect("JSON Lines")).collect()
}

#[test]
fn interleaved_conversations_are_found_with_their_place_and_article() {
    let dir = Workdir::new();
    dir.file("day.csv", ROWS);
    let (code, out, err) = dir.run(&["scan", "day.csv", "--format", "jsonl"]);
    assert_eq!(code, 0, "{err}");
    let found = findings(&out);
    assert_eq!(found.len(), 1, "{out}");
    let finding = &found[0];
    assert_eq!(finding["schema"], "zhijian.finding/1");
    assert_eq!(finding["conversation"], "a");
    assert_eq!((finding["turn"].as_u64(), finding["source"]["line"].as_u64()), (Some(1), Some(4)));
    assert_eq!(finding["agent"], "小李");
    assert_eq!(finding["family"], "insult");
    assert_eq!(finding["statutes"][0]["law"], "消费者权益保护法");
    assert_eq!(finding["statutes"][0]["in_force_from"], "2014-03-15");
    assert!(finding["matched"].as_str().is_some_and(|text| text.ends_with("傻逼")), "{finding}");
    assert!(err.contains("行 4 = 坐席 2 + 客户 2"), "{err}");
}

#[test]
fn every_encoding_gives_the_same_findings() {
    let dir = Workdir::new();
    let utf16 = |little: bool| {
        let mut bytes = if little { vec![0xff, 0xfe] } else { vec![0xfe, 0xff] };
        for unit in ROWS.encode_utf16() {
            bytes.extend(if little { unit.to_le_bytes() } else { unit.to_be_bytes() });
        }
        bytes
    };
    dir.file("day.csv", ROWS);
    let (_, expected, _) = dir.run(&["scan", "day.csv", "--quiet", "--format", "jsonl"]);
    assert!(!expected.is_empty());
    let forms: [(&str, Vec<u8>); 4] = [
        ("bom", ["\u{feff}", ROWS].concat().into_bytes()),
        ("gb18030", encoding_rs::GB18030.encode(ROWS).0.into_owned()),
        ("utf-16le", utf16(true)),
        ("utf-16be", utf16(false)),
    ];
    for (name, bytes) in forms {
        dir.file("day.csv", bytes);
        let (code, out, err) = dir.run(&["scan", "day.csv", "--quiet", "--format", "jsonl"]);
        assert_eq!((code, &out), (0, &expected), "{name}: {err}");
    }
    dir.file("day.csv", ROWS.replace(',', "\t").replace("，", ","));
    let (_, tabbed, _) = dir.run(&["scan", "day.csv", "--quiet", "--format", "jsonl"]);
    assert_eq!(tabbed, expected);
}

#[test]
fn a_file_without_header_is_read_by_number_or_by_its_content() {
    let dir = Workdir::new();
    let rows: String = ROWS.lines().skip(1).map(|row| row.replace("客户", "0").replace("客服", "1") + "\n").collect();
    dir.file("day.csv", &rows);
    let (code, out, err) = dir.run(&["scan", "day.csv", "--format", "jsonl"]);
    assert_eq!((code, findings(&out).len()), (0, 1), "{err}");
    assert!(err.contains("--columns conversation=1,role=2,text=5"), "{err}");
    let columns = "conversation=1,role=2,agent=3,time=4,text=5";
    let (code, out, err) = dir.run(&["scan", "day.csv", "--columns", columns, "--format", "jsonl"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(findings(&out)[0]["agent"], "小李");
}

#[test]
fn standard_input_and_conversation_json_are_read() {
    let dir = Workdir::new();
    let line = r#"{"id":7,"channel":"chat","industry":"电商","date":"2012-05-01","turns":[{"speaker":"customer","text":"喂"},{"speaker":"agent","text":"你个傻逼","agent":"小李"}]}"#;
    let output = dir.zhijian(&["scan", "--format", "jsonl"]).write_stdin(line).output().expect("runs");
    let found = findings(&String::from_utf8(output.stdout).expect("UTF-8"));
    assert_eq!(found[0]["conversation"], "7");
    assert_eq!(found[0]["source"]["path"], "<stdin>");
    // In 2012 the prohibition of insult stood in article 25.
    assert_eq!(found[0]["statutes"][0]["label"], "《消费者权益保护法》第二十五条");
}

#[test]
fn bad_rows_are_counted_with_their_lines_and_the_run_goes_on() {
    let dir = Workdir::new();
    let mut bytes = ROWS.as_bytes().to_vec();
    bytes.extend("c,客服\n".as_bytes());
    bytes.extend("c,店长,小李,2026-09-18 09:01:00,你好\n".as_bytes());
    bytes.extend(",客服,小李,2026-09-18 09:01:00,你好\n".as_bytes());
    bytes.extend("c,客服,小李,2026-09-18 09:01:00,\n".as_bytes());
    bytes.extend("c,客服,小李,2026-09-18 09:01:00,".as_bytes());
    bytes.extend(b"\xff\xfe\n");
    dir.file("day.csv", bytes);
    let (code, out, err) = dir.run(&["scan", "day.csv", "--format", "jsonl", "--summary", "ledger.json"]);
    assert_eq!(code, 2, "{err}");
    assert_eq!(findings(&out).len(), 1);
    let ledger: Value =
        serde_json::from_str(&fs::read_to_string(dir.0.join("ledger.json")).expect("written")).expect("JSON");
    let skipped = |reason: &str| ledger["skipped"][reason]["first"][0]["line"].as_u64();
    assert_eq!(skipped("too_few_columns"), Some(6));
    assert_eq!(skipped("unknown_role"), Some(7));
    assert_eq!(skipped("missing_conversation"), Some(8));
    assert_eq!(skipped("empty_text"), Some(9));
    assert_eq!(skipped("undecodable"), Some(10));
    let count = |key: &str| ledger[key].as_u64().expect("a count");
    let skipped: u64 =
        ledger["skipped"].as_object().expect("by reason").values().filter_map(|s| s["rows"].as_u64()).sum();
    assert_eq!(count("rows"), count("judged") + count("customer") + count("system") + skipped);
    let (code, _, err) = dir.run(&["scan", "day.csv", "--roles", "agent=店长", "--quiet"]);
    assert_eq!(code, 2);
    assert!(err.is_empty(), "{err}");
}

#[test]
fn what_cannot_be_read_says_what_to_do_in_one_line() {
    let dir = Workdir::new();
    dir.file("odd.csv", "甲,乙,丙\n丁,戊,己\n");
    for (arguments, expected) in [
        (vec!["scan", "missing.csv"], "check the path"),
        (vec!["scan", "*.xlsx"], "fits no file; check the pattern"),
        (vec!["scan", "odd.csv"], "give --columns"),
        (vec!["scan", "odd.csv", "--columns", "text=正文"], "there is no column '正文'"),
    ] {
        let (code, _, err) = dir.run(&arguments);
        assert_eq!(code, 2, "{arguments:?}");
        let line = err.lines().find(|line| line.contains(expected));
        assert!(line.is_some(), "{arguments:?}: {err}");
    }
    let (code, _, err) = dir.run(&["scan", "odd.csv", "--columns", "body=1"]);
    assert_eq!(code, 2);
    assert!(err.contains("is not a field"), "{err}");
}

#[test]
fn csv_is_for_excel() {
    let dir = Workdir::new();
    dir.file("day.csv", ROWS.replace("小李", "=cmd|' /C calc'!A0"));
    let (code, out, _) = dir.run(&["scan", "day.csv", "--format", "csv", "-o", "found.csv", "--quiet"]);
    assert_eq!((code, out.as_str()), (0, ""));
    let csv = fs::read_to_string(dir.0.join("found.csv")).expect("written");
    assert!(csv.starts_with("\u{feff}会话ID,轮次,"), "{csv}");
    assert!(csv.contains("\r\n") && csv.contains("'=cmd|"), "{csv}");
    let (_, out, _) = dir.run(&["scan", "day.csv", "--format", "csv", "--no-bom", "--lang", "en", "--quiet"]);
    assert!(out.starts_with("conversation,turn,"), "{out}");
    dir.file("clean.csv", ROWS.replace("你就是个傻逼", "您好"));
    let (_, out, _) = dir.run(&["scan", "clean.csv", "--format", "csv", "--quiet"]);
    assert_eq!(out.lines().count(), 1, "the header is written also when there is no finding");
    assert!(!Path::new(&dir.0.join("found.csv.partial")).exists());
}

#[test]
fn exit_codes_follow_the_threshold() {
    let dir = Workdir::new();
    dir.file("day.csv", ROWS);
    assert_eq!(dir.run(&["scan", "day.csv", "-q", "--fail-on", "error"]).0, 1);
    assert_eq!(dir.run(&["scan", "day.csv", "-q"]).0, 0);
    assert_eq!(dir.run(&["scan", "day.csv", "missing.csv", "-q", "--fail-on", "error"]).0, 2);
    assert_eq!(dir.run(&["scan", "--threads", "x"]).0, 2);
    dir.file("strange.csv", ROWS.replace("客服", "掌柜").replace("客户", "书友"));
    let (code, _, err) = dir.run(&["scan", "strange.csv", "--columns", "conversation=1,role=2,text=5", "-q"]);
    assert_eq!(code, 2);
    assert!(err.contains("--roles"), "{err}");
}

#[test]
fn text_shows_the_turn_before_and_masks_numbers() {
    let dir = Workdir::new();
    dir.file("day.csv", ROWS.replace("这个怎么用", "我电话13800001234"));
    let (_, out, _) = dir.run(&["scan", "day.csv", "--format", "text", "-q"]);
    assert!(out.contains("客户 我电话138******34"), "{out}");
    assert!(out.contains("《消费者权益保护法》第二十七条"), "{out}");
    assert!(out.contains("共 1 处命中"), "{out}");
    assert!(!out.contains('\u{1b}'), "no colour codes in a pipe");
}

#[test]
fn any_number_of_threads_gives_the_same_bytes() {
    let dir = Workdir::new();
    let day = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora/examples/day-2026-09-18.csv");
    let day = day.to_str().expect("UTF-8 path");
    for format in ["jsonl", "csv", "text"] {
        let (_, one, _) = dir.run(&["scan", day, "-q", "--format", format, "--threads", "1"]);
        let (_, eight, _) = dir.run(&["scan", day, "-q", "--format", format, "--threads", "8"]);
        assert!(one.lines().count() > 50, "the example day has findings");
        assert_eq!(one, eight, "{format}");
    }
}

#[test]
fn both_example_exports_give_the_same_findings() {
    let dir = Workdir::new();
    let scan = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora/examples").join(name);
        let (code, out, err) = dir.run(&["scan", path.to_str().expect("UTF-8 path"), "-q", "--format", "jsonl"]);
        assert_eq!(code, 0, "{err}");
        out.replace(name, "day")
    };
    assert_eq!(scan("day-2026-09-18.csv"), scan("day-2026-09-18.gbk.csv"));
}

#[test]
fn a_rule_that_does_not_resolve_stops_the_program_with_file_and_line() {
    let dir = Workdir::new();
    fs::create_dir_all(dir.0.join("pack/insult")).expect("writable");
    let rule = r#"id = "insult.house-word"
title = "t"
severity = "error"
why = "w"
statutes = ["消法 999"]
advice = "a"
source = "s"
since = "0.1.0"
phrases = ["坏东西{nobody}", "坏东西，呀"]
examples = ["你这个坏东西"]
counterexamples = ["好东西"]
colour = "red"
"#;
    let path = dir.file("pack/insult/house-word.toml", rule);
    let (code, _, err) = dir.run(&["rules", "check", "--lexicons", "pack"]);
    assert_eq!(code, 2);
    assert!(err.contains("house-word.toml:12:1: [toml] unknown field `colour`"), "{err}");
    fs::write(&path, rule.replace("colour = \"red\"\n", "")).expect("writable");
    let (_, _, err) = dir.run(&["rules", "check", "pack"]);
    assert!(err.contains("house-word.toml:9:12: [unknown-class] there is no class 'nobody'"), "{err}");
    assert!(err.contains("[pattern] ',' parts text"), "{err}");
    fs::write(
        &path,
        rule.replace("colour = \"red\"\n", "")
            .replace("phrases = [\"坏东西{nobody}\", \"坏东西，呀\"]", "phrases = [\"坏东西\"]"),
    )
    .expect("writable");
    let (code, _, err) = dir.run(&["scan", "--lexicons", "pack"]);
    assert_eq!(code, 2);
    assert!(err.contains("house-word.toml:5:13: [statute] '消法 999' is not in the statute base"), "{err}");
}

#[test]
fn eval_prints_the_figures_of_a_gold_file() {
    let dir = Workdir::new();
    let gold = concat!(
        r#"{"id":"1","turns":[{"speaker":"customer","text":"喂"},{"speaker":"agent","text":"你个傻逼","labels":[{"family":"insult","span":"傻逼"}]},"#,
        r#"{"speaker":"agent","text":"您好","labels":[{"family":"privacy","span":"您好"}]}]}"#,
        "\n"
    );
    dir.file("gold.jsonl", gold);
    let (code, out, err) = dir.run(&["eval", "gold.jsonl", "--json"]);
    assert_eq!(code, 0, "{err}");
    let figures: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(
        (figures["all"]["tp"].as_u64(), figures["all"]["fp"].as_u64(), figures["all"]["fn"].as_u64()),
        (Some(1), Some(0), Some(1))
    );
    let (_, out, _) = dir.run(&["eval", "gold.jsonl", "--errors"]);
    assert!(out.contains("FN 1 2 privacy"), "{out}");
    dir.file("gold.jsonl", "{\"id\":1}\n");
    let (code, _, err) = dir.run(&["eval", "gold.jsonl"]);
    assert_eq!(code, 2);
    assert!(err.starts_with("gold.jsonl:1:"), "{err}");
}

#[test]
fn settings_above_the_input_disable_rules_and_change_severities() {
    let dir = Workdir::new();
    dir.file("day.csv", ROWS);
    dir.file("zhijian.toml", "[rules.severity]\n\"insult.*\" = \"note\"\n");
    let (_, out, err) = dir.run(&["scan", "day.csv", "--format", "jsonl", "-q"]);
    assert_eq!(findings(&out)[0]["severity"], "note", "{err}");
    dir.file("zhijian.toml", "[rules]\ndisable = [\"insult.*\"]\n");
    let (_, out, _) = dir.run(&["scan", "day.csv", "--format", "jsonl", "-q"]);
    assert_eq!(out, "");
    dir.file("zhijian.toml", "[rules]\ndisable = [\"insult.no-such\"]\n");
    let (code, _, err) = dir.run(&["scan", "day.csv", "-q"]);
    assert_eq!(code, 2);
    assert!(err.contains("zhijian.toml:2:12: [unknown-rule] no rule is called 'insult.no-such'"), "{err}");
}

#[test]
fn a_new_rule_file_loads_and_its_effect_can_be_compared() {
    let dir = Workdir::new();
    dir.file("day.csv", ROWS);
    let (code, _, err) = dir.run(&["rules", "new", "stall.house-phrase", "--dir", "b"]);
    assert_eq!(code, 0, "{err}");
    let (code, out, _) = dir.run(&["rules", "test", "--no-builtin", "--lexicons", "b"]);
    assert_eq!(code, 0, "{out}");
    assert_eq!(dir.run(&["rules", "new", "stall.house-phrase", "--dir", "b"]).0, 2);
    let path = dir.0.join("b/stall/house-phrase.toml");
    let rule = fs::read_to_string(&path).expect("written").replace("命中的词句", "您说");
    fs::write(&path, rule).expect("writable");
    fs::create_dir(dir.0.join("a")).expect("writable");
    let (code, out, err) = dir.run(&["rules", "diff", "a", "b", "day.csv"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("+1 stall.house-phrase") && out.contains("新增 1，减少 0"), "{out}");
}

#[test]
fn timings_tell_where_the_time_went() {
    let dir = Workdir::new();
    dir.file("day.csv", "会话ID,角色,消息内容\n1,客户,什么时候退款\n1,客服,你等着吧，谁知道呢\n");
    let (code, _, err) = dir.run(&["scan", "day.csv", "--timings", "--threads", "1", "--lang", "en"]);
    assert_eq!(code, 0, "{err}");
    let seconds = |name: &str| -> f64 {
        let line = err.lines().find(|line| line.ends_with(name)).unwrap_or_else(|| panic!("{name} in {err}"));
        line.split_whitespace().next().expect("a number").parse().expect("seconds")
    };
    let stages =
        ["read", "group", "load", "normalise", "automaton", "follow", "segment", "rules", "citations", "write"];
    let sum: f64 = stages.iter().map(|stage| seconds(stage)).sum();
    // Each figure is rounded to a millisecond.
    assert!(sum <= seconds("whole run") + 0.01, "{err}");
    assert!(seconds("load") > 0.0, "{err}");
}
