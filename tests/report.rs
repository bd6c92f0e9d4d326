//! Reports: golden output of every file, also with zero findings; figures, privacy, comparison, manifest.
//!
//! `INSTA_UPDATE=always cargo test --test report` rewrites the snapshots; read the diff before committing.

mod common;

use std::fs;
use std::path::Path;

use calamine::{Reader, open_workbook_auto};
use common::{DAY, HEADER, Workdir};
use regex::Regex;
use serde_json::Value;

fn day() -> String {
    format!("{HEADER}{DAY}")
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern")
}

/// Every CSV file of a report, one after the other.
fn tables(dir: &Workdir, report: &str) -> String {
    let names = fs::read_dir(dir.0.join(report)).expect("a folder");
    let mut names: Vec<String> =
        names.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name.ends_with(".csv"));
    names.sort();
    let show = |name: &String| {
        let text = dir.read(&format!("{report}/{name}"));
        let text = text.replace('\r', "␍").replace('\u{feff}', "␠BOM␠").replace('\t', "␉");
        format!("--- {name}\n{text}")
    };
    names.iter().map(show).collect()
}

/// The page without its style and script, one element a line.
fn page(dir: &Workdir, report: &str) -> String {
    let text = dir.read(&format!("{report}/report.html"));
    let text = pattern("(?s)<style>.*?</style>").replace_all(&text, "<style>…</style>").into_owned();
    let text = pattern("(?s)<script>.*?</script>").replace_all(&text, "<script>…</script>").into_owned();
    let text = pattern("sha256-[A-Za-z0-9+/=]+").replace_all(&text, "sha256-…");
    text.replace(env!("CARGO_PKG_VERSION"), "[version]").replace("><", ">\n<")
}

fn workbook(path: &Path) -> String {
    let mut workbook = open_workbook_auto(path).expect("a workbook");
    let mut text = String::new();
    for name in workbook.sheet_names() {
        let range = workbook.worksheet_range(&name).expect("a sheet");
        text.push_str(&format!("--- {name}\n"));
        for row in range.rows() {
            let cells: Vec<String> = row.iter().map(|cell| cell.to_string().replace('\n', "␊")).collect();
            text.push_str(cells.join(" | ").trim_end());
            text.push('\n');
        }
    }
    text
}

fn manifest(dir: &Workdir, report: &str) -> String {
    let text = dir.read(&format!("{report}/manifest.json"));
    let text = pattern("\"[0-9a-f]{64}\"").replace_all(&text, "\"[sha256]\"").into_owned();
    let text = pattern("\"bytes\": [0-9]+").replace_all(&text, "\"bytes\": [n]");
    text.replace(env!("CARGO_PKG_VERSION"), "[version]")
}

#[test]
fn every_file_of_a_report() {
    let dir = Workdir::new();
    dir.file("day.csv", day());
    dir.report("day.csv", "out", &[]);
    insta::assert_snapshot!("report_tables", tables(&dir, "out"));
    insta::assert_snapshot!("report_page", page(&dir, "out"));
    insta::assert_snapshot!("report_workbook", workbook(&dir.0.join("out/report.xlsx")));
    insta::assert_snapshot!("report_manifest", manifest(&dir, "out"));
}

#[test]
fn every_file_of_a_report_without_findings() {
    let dir = Workdir::new();
    dir.file("day.csv", format!("{HEADER}c,在线,电商,客服,小赵,2026-01-02 11:00:05,在的，您说\n"));
    dir.report("day.csv", "out", &[]);
    insta::assert_snapshot!("report_tables_without_findings", tables(&dir, "out"));
    insta::assert_snapshot!("report_page_without_findings", page(&dir, "out"));
    insta::assert_snapshot!("report_workbook_without_findings", workbook(&dir.0.join("out/report.xlsx")));
}

#[test]
fn two_runs_give_the_same_bytes_and_findings_give_the_same_tables() {
    let dir = Workdir::new();
    dir.file("day.csv", day());
    dir.report("day.csv", "one", &["--threads", "1"]);
    dir.report("day.csv", "two", &["--threads", "4"]);
    let pack = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/pack");
    let again = ["report", "findings.jsonl", "-o", "three", "--no-builtin", "--lexicons", pack];
    let (code, _, err) = dir.zhijian(&again);
    assert_eq!(code, 0, "{err}");
    for entry in fs::read_dir(dir.0.join("one")).expect("a folder") {
        let name = entry.expect("readable").file_name();
        let bytes = |report: &str| fs::read(dir.0.join(report).join(&name)).expect("readable");
        assert!(bytes("one") == bytes("two"), "{name:?}");
        if Path::new(&name).extension().is_some_and(|extension| extension == "csv") {
            assert!(bytes("one") == bytes("three"), "{name:?}");
        }
    }
}

#[test]
fn findings_without_their_transcripts_are_listed_without_rates() {
    let dir = Workdir::new();
    dir.file("day.csv", day());
    dir.report("day.csv", "out", &[]);
    fs::remove_file(dir.0.join("day.csv")).expect("removable");
    let (code, _, err) = dir.zhijian(&["report", "findings.jsonl", "-o", "bare"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("day.csv: [transcripts]"), "{err}");
    assert_eq!(dir.column("bare/findings.csv", "命中编号"), dir.column("out/findings.csv", "命中编号"));
    assert!(dir.column("bare/rules.csv", "每千轮命中").iter().all(String::is_empty));
    // How many conversations had no finding is not known either.
    for column in ["会话数", "命中会话占比", "平均得分", "合格率"] {
        for table in ["bare/agents.csv", "bare/days.csv"] {
            assert!(dir.column(table, column).iter().all(String::is_empty), "{table} {column}");
        }
    }
    assert!(dir.column("bare/families.csv", "会话占比").iter().all(String::is_empty));
    let page = dir.read("bare/report.html");
    assert!(page.contains("找不到原文") && !page.contains("<span class=\"dim\">平均得分"));
    assert_eq!(dir.zhijian(&["verify", "bare"]).0, 0);
    // Some of the transcripts are not enough.
    dir.file("other.csv", format!("{HEADER}x,在线,电商,客服,小钱,2026-01-02 12:00:00,好的\n"));
    let (code, _, err) = dir.zhijian(&["report", "findings.jsonl", "-o", "some", "--transcripts", "other.csv"]);
    assert_eq!(code, 0, "{err}");
    assert!(dir.column("some/agents.csv", "命中会话占比").iter().all(String::is_empty));
}

#[test]
fn no_cell_is_a_formula_and_no_element_comes_from_a_transcript() {
    let dir = Workdir::new();
    dir.file("day.csv", day());
    dir.report("day.csv", "out", &[]);
    for entry in fs::read_dir(dir.0.join("out")).expect("a folder") {
        let name = entry.expect("readable").file_name().to_string_lossy().into_owned();
        if name.ends_with(".csv") {
            for cell in dir.csv(&format!("out/{name}")).iter().flatten() {
                assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{name}: {cell}");
            }
        }
    }
    assert!(dir.column("out/findings.csv", "原文").contains(&"'=cmd|' /C calc'!A0 傻子都懂".to_owned()));
    assert!(dir.column("out/agents.csv", "坐席").contains(&"'@sum".to_owned()));
    assert_eq!(dir.column("out/findings.csv", "会话ID")[0], "7301234567890123456\t");
    let mut workbook = open_workbook_auto(dir.0.join("out/report.xlsx")).expect("a workbook");
    for name in workbook.sheet_names() {
        let formulas = workbook.worksheet_formula(&name).expect("a sheet");
        assert!(formulas.rows().flatten().all(String::is_empty), "{name}");
    }
    let page = dir.read("out/report.html");
    assert!(page.contains("\\u003cscript\\u003ealert(1)"), "the transcript is in the page");
    assert!(!page.contains("<script>alert") && !page.contains("<img"));
    assert_eq!((page.matches("<script").count(), page.matches("</script>").count()), (2, 2));
    let (_, policy) = page.split_once("Content-Security-Policy").expect("a policy");
    assert!(policy.starts_with("\" content=\"default-src 'none'; style-src 'sha256-"));
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains(" style="));
}

#[test]
fn personal_data_is_in_no_file_unless_asked_for() {
    let dir = Workdir::new();
    dir.file("day.csv", day());
    let holds = |report: &str, word: &str| -> Vec<String> {
        let entries = fs::read_dir(dir.0.join(report)).expect("a folder");
        let mut texts: Vec<(String, String)> = entries
            .map(|entry| entry.expect("readable").path())
            .filter(|path| path.extension().is_some_and(|extension| extension != "xlsx"))
            .map(|path| (path.display().to_string(), fs::read_to_string(&path).expect("UTF-8")))
            .collect();
        texts.push(("report.xlsx".to_owned(), workbook(&dir.0.join(report).join("report.xlsx"))));
        texts.push(("findings.jsonl".to_owned(), dir.read("findings.jsonl")));
        texts.into_iter().filter(|(_, text)| text.contains(word)).map(|(name, _)| name).collect()
    };
    dir.report("day.csv", "out", &[]);
    for word in ["13800001234", "张小满", "11010519491231002X"] {
        assert_eq!(holds("out", word), Vec::<String>::new(), "{word}");
    }
    dir.report("day.csv", "open", &["--unmask"]);
    assert!(holds("open", "13800001234").len() >= 3);
    let read =
        |report: &str| -> Value { serde_json::from_str(&dir.read(&format!("{report}/manifest.json"))).expect("JSON") };
    assert_eq!((&read("out")["masked"], &read("open")["masked"]), (&Value::Bool(true), &Value::Bool(false)));
    dir.file("key", "0123456789abcdef0123456789abcdef");
    dir.report("day.csv", "hashed", &["--pseudonymise", "key"]);
    for word in ["小李", "小王", "@sum"] {
        assert_eq!(holds("hashed", word), Vec::<String>::new(), "{word}");
    }
    assert_eq!(read("hashed")["pseudonymised"], Value::Bool(true));
    assert!(dir.column("hashed/agents.csv", "坐席").iter().all(|name| name.starts_with("坐席-")));
    dir.file("short", "abc");
    let (code, _, err) = dir.zhijian(&["scan", "day.csv", "--report", "x", "--pseudonymise", "short"]);
    assert!(code == 2 && err.contains("[key]"), "{err}");
}

#[test]
fn scores_and_fatal_rules_are_as_the_settings_say() {
    let dir = Workdir::new();
    dir.file("day.csv", day());
    dir.report("day.csv", "out", &[]);
    assert_eq!(dir.column("out/conversations.csv", "得分"), ["0", "95", "100"]);
    assert_eq!(dir.column("out/conversations.csv", "结论"), ["红线", "合格", "合格"]);
    let settings = "[report]\nminimum_turns = 3\nroster = \"roster.csv\"\n\
        [report.score]\npass = 90\nfatal = [\"stall.*\"]\nfatal_severity = \"note\"\n\
        [report.score.rules]\n\"insult.*\" = 12.5\n";
    dir.file("zhijian.toml", settings);
    dir.file("roster.csv", "坐席,班组\n小李,一组\n小王,二组\n'@sum,一组\n");
    dir.report("day.csv", "own", &[]);
    assert_eq!(dir.column("own/conversations.csv", "得分"), ["87.5", "0", "100"]);
    assert_eq!(dir.column("own/conversations.csv", "结论"), ["不合格", "红线", "合格"]);
    assert_eq!(dir.column("own/teams.csv", "班组"), ["一组", "二组"]);
    assert_eq!(dir.column("own/teams.csv", "会话数"), ["2", "1"]);
    // Only one agent spoke three times; the others have no rank, whatever their rate.
    assert_eq!(dir.column("own/agents.csv", "名次"), ["1", "", ""]);
    assert_eq!(dir.column("own/agents.csv", "坐席")[0], "小王");
    let wrong =
        ["[report.score.rules]\n\"insult.nothing\" = 1\n", "[report.score]\npass = -1\n", "[report]\nnothing = 1\n"];
    for settings in wrong {
        dir.file("zhijian.toml", settings);
        let (code, _, err) = dir.zhijian(&["scan", "day.csv", "--report", "x", "-q"]);
        assert!(code == 2 && err.contains("zhijian.toml:2:"), "{err}");
    }
}

#[test]
fn a_report_says_what_is_new_what_continues_and_what_is_gone() {
    let dir = Workdir::new();
    dir.file("monday.csv", day());
    dir.report("monday.csv", "monday", &[]);
    let tuesday = "\
        t1,在线,电商,客服,小李,2026-01-03 09:00:09,您好\n\
        t2,在线,电商,客服,@sum,2026-01-03 09:00:09,傻子都懂\n\
        t3,热线,电信,客服,小王,2026-01-03 10:01:00,请等等\n\
        t3,热线,电信,客户,小王,2026-01-03 10:02:00,多久\n\
        t3,热线,电信,客服,小王,2026-01-03 10:03:00,再等等\n\
        t3,热线,电信,客服,小王,2026-01-03 10:04:00,等一等嘛\n";
    dir.file("tuesday.csv", format!("{HEADER}{tuesday}"));
    dir.report("tuesday.csv", "tuesday", &["--previous", "monday"]);
    let changes: Vec<String> = dir.csv("tuesday/changes.csv")[1..].iter().map(|row| row.join(" ")).collect();
    assert_eq!(
        changes,
        [
            "'@sum insult.fool 骂人蠢 新增 0 1",
            "小王 stall.put-offs 多次让客户等待 持续 1 1",
            "小李 insult.fool 骂人蠢 已消除 1 0",
        ]
    );
    assert_eq!(dir.column("tuesday/findings.csv", "较上期"), ["新增", "持续"]);
    let (_, out, _) = dir.zhijian(&["verify", "tuesday"]);
    assert!(out.contains("一致　　输入 monday/findings.csv"), "{out}");
    // A later report without comparison leaves no comparison behind.
    dir.report("tuesday.csv", "tuesday", &[]);
    assert!(!dir.0.join("tuesday/changes.csv").exists());
}

#[test]
fn verify_finds_every_change() {
    let dir = Workdir::new();
    dir.file("day.csv", day());
    dir.report("day.csv", "out", &[]);
    let (code, out, err) = dir.zhijian(&["verify", "out"]);
    assert_eq!(code, 0, "{out}{err}");
    // The rules are those of the fixtures: the embedded ones would judge otherwise, which is no fault of the report.
    assert!(out.contains("已更新　规则与设置"), "{out}");
    let pack = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/pack");
    let (code, out, _) = dir.zhijian(&["verify", "out", "--no-builtin", "--lexicons", pack]);
    assert!(code == 0 && out.contains("一致　　规则与设置"), "{out}");
    let counted = dir.read("out/manifest.json");
    for (figure, other) in
        [("\"agent_turns\": 5", "\"agent_turns\": 6"), ("\"fatal_conversations\": 1", "\"fatal_conversations\": 0")]
    {
        assert!(counted.contains(figure), "{counted}");
        dir.file("out/manifest.json", counted.replace(figure, other));
        let (code, out, _) = dir.zhijian(&["verify", "out"]);
        assert!(code == 1 && out.contains("清单记"), "{out}");
    }
    dir.file("out/manifest.json", counted);
    let page = dir.read("out/report.html");
    dir.file("out/report.html", page.replace("红线", "黑线"));
    let (code, out, _) = dir.zhijian(&["verify", "out"]);
    assert!(code == 1 && out.contains("不一致　report.html"), "{out}");
    dir.file("out/report.html", page);
    dir.file("day.csv", day() + "d,在线,电商,客服,小赵,2026-01-02 12:00:00,好的\n");
    let (code, out, _) = dir.zhijian(&["verify", "out"]);
    assert!(code == 1 && out.contains("不一致　输入 day.csv"), "{out}");
    fs::remove_file(dir.0.join("day.csv")).expect("removable");
    let (code, out, _) = dir.zhijian(&["verify", "out"]);
    assert!(code == 2 && out.contains("未核对　输入 day.csv"), "{out}");
    let changed = dir.read("out/manifest.json").replace("\"agents.csv\"", "\"../day.csv\"");
    dir.file("out/manifest.json", changed);
    let (_, out, _) = dir.zhijian(&["verify", "out"]);
    assert!(out.contains("不是报表目录中的文件名"), "{out}");
    fs::remove_file(dir.0.join("out/manifest.json")).expect("removable");
    assert_eq!(dir.zhijian(&["verify", "out"]).0, 2);
}

#[test]
fn imported_law_texts_are_quoted() {
    let dir = Workdir::new();
    dir.file("day.csv", day());
    dir.report("day.csv", "before", &[]);
    let labels = dir.column("before/articles.csv", "法条");
    for table in ["before/articles.csv", "before/findings.csv"] {
        assert!(dir.column(table, "法条原文").iter().all(String::is_empty), "{table}");
    }
    assert!(!dir.read("before/report.html").contains("<blockquote>"));
    assert!(labels.iter().any(|label| label == "《消费者权益保护法》第二十七条"), "{labels:?}");
    fs::create_dir_all(dir.0.join("texts")).expect("writable");
    dir.file("texts/消费者权益保护法_2013.txt", "消费者权益保护法\n第二十七条　供测试用的一句话。\n");
    let (code, _, err) = dir.zhijian(&["statutes", "import", "texts", "--data-dir", "kept"]);
    assert_eq!(code, 0, "{err}");
    dir.report("day.csv", "after", &["--data-dir", "kept"]);
    let quoted = "供测试用的一句话。".to_owned();
    assert!(dir.column("after/articles.csv", "法条原文").contains(&quoted));
    // A finding quotes its first article only where that one was imported.
    let (first, texts) = (dir.column("after/findings.csv", "首要法条"), dir.column("after/findings.csv", "法条原文"));
    assert!(texts.contains(&quoted), "{first:?}");
    for (label, text) in first.iter().zip(&texts) {
        assert_eq!(text == &quoted, label == "《消费者权益保护法》第二十七条", "{label}: {text}");
    }
    assert!(dir.read("after/report.html").contains("供测试用的一句话。"));
    assert!(workbook(&dir.0.join("after/report.xlsx")).contains("供测试用的一句话。"));
    assert!(dir.read("after/manifest.json").contains("\"quoted_articles\": 1"));
}

#[test]
fn a_bad_findings_file_is_refused_with_its_place_and_without_its_text() {
    let dir = Workdir::new();
    dir.file("findings.jsonl", "{\"schema\":\"zhijian.finding/1\",\"conversation\":\"a\",\"turn\":\"13800001234\"}\n");
    let (code, _, err) = dir.zhijian(&["report", "findings.jsonl", "-o", "out"]);
    assert!(code == 2 && err.contains("findings.jsonl:1:"), "{err}");
    assert!(!err.contains("13800001234"), "{err}");
}
