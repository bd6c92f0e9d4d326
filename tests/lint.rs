//! `zhijian lint` as a program, and the files that are generated from the rules.
//!
//! `INSTA_UPDATE=always cargo test --test lint` rewrites the golden output; read the diff before committing.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;
use zhijian::lint::files;
use zhijian::lint::page::documents;
use zhijian::lint::script::Keys;
use zhijian::model::Channel;
use zhijian::{Checker, Conversation, SpeakerRole, Turn};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// An empty folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("lint").join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("the folder can be made");
    path
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn run_in(dir: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::cargo_bin("zhijian").expect("the program is built");
    let output = command.current_dir(dir).args(arguments).env_remove("GITHUB_STEP_SUMMARY").output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
}

/// Lints in `dir` with the small rule pack of the tests, by the law of one day.
fn lint(dir: &Path, arguments: &[&str]) -> Ran {
    let pack = format!("{ROOT}/tests/fixtures/lint/rules");
    let fixed = ["lint", "--no-builtin", "--lexicons", &pack, "--on", "2026-11-23"];
    run_in(dir, &[&fixed, arguments].concat())
}

/// `path:line:column rule` of every finding.
fn places(dir: &Path, arguments: &[&str]) -> Vec<String> {
    let ran = lint(dir, &[&["-q", "--output", "json"], arguments].concat());
    let document: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.err));
    let place = |finding: &Value| {
        let at = match finding["cell"].as_str() {
            Some(cell) => format!("{}!{cell}", finding["sheet"].as_str().expect("a sheet")),
            None => format!("{}:{}", finding["line"], finding["column"]),
        };
        format!("{}:{at} {}", finding["path"].as_str().expect("a path"), finding["rule"].as_str().expect("a rule"))
    };
    document["findings"].as_array().expect("a list").iter().map(place).collect()
}

fn golden(format: &str) -> String {
    let ran = lint(&Path::new(ROOT).join("tests/fixtures/lint"), &["--output", format, "scripts"]);
    let out = ran.out.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    format!("{out}--- stderr\n{}--- exit {}\n", ran.err, ran.code)
}

#[test]
fn text() {
    insta::assert_snapshot!(golden("text"));
}

#[test]
fn json() {
    insta::assert_snapshot!(golden("json"));
}

#[test]
fn sarif() {
    insta::assert_snapshot!(golden("sarif"));
}

#[test]
fn github() {
    insta::assert_snapshot!(golden("github"));
}

#[test]
fn gitlab() {
    insta::assert_snapshot!(golden("gitlab"));
}

#[test]
fn junit() {
    insta::assert_snapshot!(golden("junit"));
}

#[test]
fn checkstyle() {
    insta::assert_snapshot!(golden("checkstyle"));
}

#[test]
fn nothing_found_in_any_form() {
    let dir = Path::new(ROOT).join("tests/fixtures/lint");
    let mut all = String::new();
    for format in ["text", "json", "sarif", "github", "gitlab", "junit", "checkstyle"] {
        let ran = lint(&dir, &["-q", "--output", format, "clean.txt"]);
        let out = ran.out.replace(env!("CARGO_PKG_VERSION"), "VERSION");
        all.push_str(&format!("=== {format} exit {}\n{out}{}", ran.code, ran.err));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn several_outputs_at_once_and_a_step_summary() {
    let dir = folder("outputs");
    fs::write(dir.join("a.txt"), "请耐心等待\n").expect("written");
    let pack = format!("{ROOT}/tests/fixtures/lint/rules");
    let mut command = Command::cargo_bin("zhijian").expect("the program is built");
    let arguments = ["lint", "--no-builtin", "--lexicons", &pack, "a.txt", "-o", "sarif=a.sarif", "-o", "github=-"];
    let output = command.current_dir(&dir).args(arguments).env("GITHUB_STEP_SUMMARY", dir.join("sum.md")).output();
    let out = String::from_utf8(output.expect("it runs").stdout).expect("UTF-8");
    assert!(out.starts_with("::warning file=a.txt,line=1,endLine=1,col=2,endColumn=6,title=stall.wait::"), "{out}");
    assert!(fs::read_to_string(dir.join("a.sarif")).expect("written").contains("stall.wait"));
    assert!(fs::read_to_string(dir.join("sum.md")).expect("written").contains("| 警告 | a.txt:1:2 | 耐心等待 |"));
}

/// The published schema, `tests/fixtures/sarif-2.1.0.json`.
#[test]
fn sarif_keeps_to_the_published_schema() {
    // As published one of its patterns is no regular expression: a bracket stands alone.
    let published = include_str!("fixtures/sarif-2.1.0.json").replace("{2}]?$", r"{2}\\]?$");
    let schema: Value = serde_json::from_str(&published).expect("the schema is JSON");
    let schema = jsonschema::validator_for(&schema).expect("the schema can be used");
    let dir = folder("schema");
    fs::write(dir.join("broken.json"), "{\"a\": ").expect("written");
    fs::write(dir.join("空 格.txt"), "最终解释权归本店所有\n").expect("written");
    fs::copy(format!("{ROOT}/corpora/scripts/quick-phrases.xlsx"), dir.join("q.xlsx")).expect("copied");
    fs::write(dir.join("cited.txt"), "依照《合同法》第一百零七条，违约方应当承担违约责任。").expect("written");
    let lint = ["lint", "-q", "--output", "sarif", "."];
    let cite = ["cite", "--format", "sarif", "cited.txt"];
    for arguments in [&lint[..], &cite[..]] {
        let ran = run_in(&dir, arguments);
        let sarif: Value = serde_json::from_str(&ran.out).expect("SARIF is JSON");
        let errors: Vec<String> = schema.iter_errors(&sarif).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let run = &sarif["runs"][0];
        assert_eq!(run["columnKind"], "unicodeCodePoints");
        let results = run["results"].as_array().expect("results");
        assert!(!results.is_empty());
        for result in results {
            let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small");
            assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
            let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().expect("a URI");
            assert!(uri.is_ascii() && !uri.contains([' ', '\\']) && !uri.starts_with('/'), "{uri}");
        }
    }
    let sarif: Value = serde_json::from_str(&run_in(&dir, &lint).out).expect("JSON");
    let run = &sarif["runs"][0];
    assert_eq!(run["invocations"][0]["executionSuccessful"], false, "broken.json could not be read");
    assert!(run["results"][0]["partialFingerprints"]["zhijianReply/v1"].is_string());
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    for rule in rules.iter().filter(|rule| rule["properties"]["tags"][0] != "citation") {
        let help = rule["help"]["markdown"].as_str().expect("help");
        assert!(help.contains("**法条**") && help.contains('《'), "the help names the article: {help}");
    }
    assert!(rules.iter().any(|rule| rule["properties"]["tags"][0] == "unfair_terms"));
}

/// What was planted in `corpora/scripts`: the file, the place, the words that are wrong, a family that must say so.
const PLANTED: [(&str, &str, &str, &str); 16] = [
    ("bot.json", "4:16", "拆封后一概不退", "unfair_terms"),
    ("bot.json", "5:26", "您自己问快递", "stall"),
    ("bot.json", "7:13", "《合同法》第一百零七条", "citation"),
    ("bot.json", "8:17", "概不退换", "unfair_terms"),
    ("dialogues.jsonl", "1:104", "退不了", "refuse"),
    ("handbook.md", "8:7", "拆封后一概不退", "unfair_terms"),
    ("handbook.md", "16:9", "把您的登录密码发", "privacy"),
    ("handbook.md", "25:6", "你去投诉好了", "obstruct"),
    ("intents.yaml", "8:9", "特价商品一经售出", "unfair_terms"),
    ("intents.yaml", "14:15", "把支付密码报", "privacy"),
    ("intents.yaml", "18:7", "拆封后一概不退", "unfair_terms"),
    ("ivr.toml", "12:11", "定金一律不退", "unfair_terms"),
    ("phrases.csv", "3:9", "特价商品一经售出", "unfair_terms"),
    ("phrases.gbk.csv", "3:9", "特价商品一经售出", "unfair_terms"),
    ("quick-phrases.xlsx", "快捷短语!B3", "拆封后一概不退", "unfair_terms"),
    ("quick.txt", "2:1", "特价商品，一经售出", "unfair_terms"),
];

#[test]
fn every_planted_breach_is_found_where_it_stands() {
    let dir = Path::new(ROOT).join("corpora/scripts");
    let ran = run_in(&dir, &["lint", "-q", "--on", "2026-11-23", "--output", "json", "."]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let document: Value = serde_json::from_str(&ran.out).expect("JSON");
    let findings = document["findings"].as_array().expect("a list");
    for (path, place, words, family) in PLANTED {
        let found = findings.iter().any(|finding| {
            let at = match finding["cell"].as_str() {
                Some(cell) => format!("{}!{cell}", finding["sheet"].as_str().unwrap_or("")),
                None => format!("{}:{}", finding["line"], finding["column"]),
            };
            let matched = finding["matched"].as_str().unwrap_or("");
            finding["path"] == path && at == place && matched.starts_with(words) && finding["family"] == family
        });
        assert!(found, "{path}:{place} {words} {family}\n{}", ran.out);
    }
    assert!(findings.iter().all(|finding| finding["path"] != "clean.yaml"));
    // Every suppression of the corpus is counted, and every text is judged, context, or skipped with a reason.
    let ledger = &document["ledger"];
    let skipped: u64 = ledger["skipped"].as_object().expect("reasons").values().filter_map(Value::as_u64).sum();
    let sum = ledger["judged"].as_u64().expect("a count") + ledger["context"].as_u64().expect("a count") + skipped;
    assert_eq!(ledger["texts"].as_u64(), Some(sum));
    assert!(ledger["suppressed"].as_u64() >= Some(5), "{ledger}");
}

#[test]
fn exit_codes_follow_the_gravest_finding_and_what_could_not_be_read() {
    let dir = folder("exit");
    fs::create_dir(dir.join("none")).expect("made");
    for (name, text) in [
        ("warning.txt", "请耐心等待"),
        ("note.txt", "傻子"),
        ("blank.yaml", "a: 1\nb: ''\n"),
        ("broken.yaml", "a: \"请耐心等待\nb: 好"),
        ("two.csv", "甲,乙\n丙,丁\n"),
    ] {
        fs::write(dir.join(name), text).expect("written");
    }
    for (arguments, code) in [
        (&["warning.txt"][..], 1),
        (&["warning.txt", "--fail-on", "error"], 0),
        (&["warning.txt", "--exit-zero"], 0),
        (&["note.txt"], 0),
        (&["note.txt", "--fail-on", "note"], 1),
        (&["missing.txt"], 2),
        (&["none"], 2),
        (&["blank.yaml"], 2),
        (&["broken.yaml", "--exit-zero"], 2),
        (&["warning.txt", "blank.yaml", "--exit-zero"], 2),
        (&["two.csv"], 2),
        (&["two.csv", "--keys", "乙"], 0),
        (&["two.csv", "--keys", "戊"], 2),
        (&[".", "--exclude", "**"], 2),
    ] {
        let ran = lint(&dir, arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {}{}", ran.out, ran.err);
    }
    let ran = lint(&dir, &["broken.yaml"]);
    assert!(ran.err.contains("broken.yaml:") && ran.err.contains("[yaml]"), "{}", ran.err);
    assert!(!ran.err.contains("耐心"), "errors do not print replies: {}", ran.err);
}

#[test]
fn keys_name_what_is_a_reply() {
    let dir = folder("keys");
    let text = "a:\n  reply: 请耐心等待\n  note: 傻子\nb:\n  - reply: [请耐心等待]\n";
    fs::write(dir.join("k.yaml"), text).expect("written");
    assert_eq!(places(&dir, &["k.yaml"]).len(), 3);
    let replies = ["k.yaml:2:11 stall.wait", "k.yaml:5:14 stall.wait"];
    assert_eq!(places(&dir, &["k.yaml", "--keys", "reply"]), replies);
    assert_eq!(places(&dir, &["k.yaml", "--keys", "/b/*/reply"]), replies[1..]);
    assert_eq!(places(&dir, &["k.yaml", "--keys", "/a/note"]), ["k.yaml:3:9 insult.fool"]);
}

#[test]
fn suppressions_hold_in_every_form_and_are_checked_themselves() {
    let dir = folder("suppress");
    let accepted = [
        ("a.yaml", "# zhijian-ignore stall.wait: 已审\na: 请耐心等待\nb: 请耐心等待 # zhijian-ignore stall.*: 已审\n"),
        ("b.toml", "a = '请耐心等待' # zhijian-ignore stall.wait until 2026-11-23: 已审\n"),
        ("c.json", "{\n// zhijian-ignore stall.wait: 已审\n\"a\": \"请耐心等待\"}\n"),
        ("d.md", "<!-- zhijian-ignore stall.wait: 已审 -->\n请耐心等待\n"),
        ("e.txt", "# zhijian-ignore-file stall.wait: 已审\n好\n请耐心等待\n"),
        ("f.csv", "话术,忽略\n请耐心等待,stall.wait：已审\n"),
    ];
    for (name, text) in accepted {
        fs::write(dir.join(name), text).expect("written");
        assert_eq!(places(&dir, &[name]), Vec::<String>::new(), "{name}");
    }
    for (text, rules) in [
        ("# zhijian-ignore stall.wait\n请耐心等待\n", &["suppression.missing-reason"][..]),
        ("# zhijian-ignore stall.wait: 已审\n好的\n", &["suppression.unused"]),
        ("# zhijian-ignore stall.gone: 已审\n好的\n", &["suppression.unknown-rule"]),
        ("# zhijian-ignore stall.wait until 2026-11-22: 已审\n请耐心等待\n", &["suppression.expired", "stall.wait"]),
        ("# zhijian-ignore insult.fool: 已审\n请耐心等待\n", &["suppression.unused", "stall.wait"]),
    ] {
        fs::write(dir.join("x.txt"), text).expect("written");
        let found: Vec<String> =
            places(&dir, &["x.txt"]).iter().filter_map(|place| Some(place.rsplit_once(' ')?.1.to_owned())).collect();
        assert_eq!(found, rules, "{text}");
    }
    // In a value the words are a reply, not a comment.
    fs::write(dir.join("y.json"), "{\"a\": \"# zhijian-ignore stall.wait: 请耐心等待\"}").expect("written");
    assert_eq!(places(&dir, &["y.json"]).len(), 1);
}

#[test]
fn settings_suppress_by_path_and_exclude() {
    let dir = folder("settings");
    fs::create_dir_all(dir.join("old")).expect("made");
    fs::write(dir.join("old/a.txt"), "请耐心等待\n").expect("written");
    fs::write(dir.join("new.txt"), "请耐心等待\n").expect("written");
    fs::write(dir.join("skip.txt"), "请耐心等待\n").expect("written");
    let entry = "[lint]\nexclude = [\"skip.txt\"]\n[[lint.ignore]]\npath = \"old/**\"\nrules = [\"stall.wait\"]\nreason = \"REASON\"\n";
    fs::write(dir.join("zhijian.toml"), entry.replace("REASON", "旧稿，下季度改")).expect("written");
    assert_eq!(places(&dir, &["."]), ["new.txt:1:2 stall.wait"]);
    fs::write(dir.join("zhijian.toml"), entry.replace("REASON", " ").replace("stall.wait", "insult.fool"))
        .expect("written");
    assert_eq!(
        places(&dir, &["."]),
        ["new.txt:1:2 stall.wait", "old/a.txt:1:2 stall.wait", "zhijian.toml:3:1 suppression.missing-reason"]
    );
    fs::write(dir.join("zhijian.toml"), entry.replace("until", "").replace("REASON", "旧") + "until = \"soon\"\n")
        .expect("written");
    let ran = lint(&dir, &["."]);
    assert!(ran.code == 2 && ran.err.contains("zhijian.toml:3:1"), "{}", ran.err);
}

#[test]
fn a_baseline_is_keyed_by_content_and_only_shrinks() {
    let dir = folder("baseline");
    fs::write(dir.join("a.txt"), "请耐心等待\n傻子\n最终解释权\n").expect("written");
    let with = |more: &[&str]| lint(&dir, &[&["a.txt", "--baseline", "base.json"], more].concat());
    assert_eq!(with(&[]).code, 2, "no baseline yet");
    assert_eq!(with(&["--update-baseline"]).code, 2, "an empty one would hide nothing");
    assert_eq!(with(&["--update-baseline", "--allow-growth"]).code, 0);
    assert!(!fs::read_to_string(dir.join("base.json")).expect("written").contains("等待"), "it holds no text");
    fs::write(dir.join("a.txt"), "您好\n傻子\n最终解释权\n  请耐心等待\n").expect("written");
    assert_eq!(with(&[]).code, 0, "lines may move");
    fs::write(dir.join("a.txt"), "傻子\n请耐心等待\n请耐心等待\n").expect("written");
    let ran = with(&[]);
    assert_eq!(ran.code, 1, "a second one of the same is new");
    assert!(ran.err.contains("1 处已改好"), "{}", ran.err);
    assert_eq!(with(&["--update-baseline"]).code, 1, "the new one is not let in");
    let count = || fs::read_to_string(dir.join("base.json")).expect("there").matches("fingerprint").count();
    assert_eq!(count(), 2, "what is gone is out");
    assert_eq!(with(&["--update-baseline", "--allow-growth"]).code, 0);
    assert_eq!(count(), 3);
    fs::write(dir.join("base.json"), "{").expect("written");
    assert_eq!(with(&[]).code, 2, "a broken baseline hides nothing");
}

#[test]
fn safe_replacements_are_made_in_every_form() {
    let dir = folder("fix");
    let (wrong, right) = ("最终解释权归本店所有", "有疑问请咨询客服");
    let escaped = "\\u6700终解释权归本店所有";
    let forms = [
        ("a.yaml", format!("a: \"{escaped}\"\nb: |\n  好的\n  {wrong}。\n")),
        ("b.json", format!("{{\"a\": \"{escaped}，好\"}}")),
        ("c.toml", format!("a = '{wrong}'\n")),
        ("d.csv", format!("话术,备注\r\n\"他说\"\"{wrong}\"\"\",甲\r\n")),
        ("e.md", format!("- 活动**{wrong}**\n")),
        ("f.txt", format!("{wrong}\n# zhijian-ignore unfair_terms.last-say: 已审\n{wrong}！\n")),
    ];
    for (name, text) in &forms {
        fs::write(dir.join(name), text).expect("written");
    }
    let (gbk, _, _) = encoding_rs::GB18030.encode("话术\n最终解释权归本店所有\n");
    fs::write(dir.join("g.csv"), &gbk).expect("written");
    let law = "依据《合同法》第一百零七条，违约方应当承担违约责任\n";
    fs::write(dir.join("h.txt"), law).expect("written");
    let before: Vec<Vec<u8>> = forms.iter().map(|(name, _)| fs::read(dir.join(name)).expect("there")).collect();
    let ran = lint(&dir, &["--diff", "."]);
    assert!(ran.out.contains("-a = '最终解释权归本店所有'\n+a = '有疑问请咨询客服'\n"), "{}", ran.out);
    let after: Vec<Vec<u8>> = forms.iter().map(|(name, _)| fs::read(dir.join(name)).expect("there")).collect();
    assert_eq!(before, after, "--diff leaves files alone");
    assert_eq!(lint(&dir, &["--fix", "."]).code, 0, "all were replaced");
    for (name, text) in forms {
        let expected = match name {
            "f.txt" => text.replacen(wrong, right, 1),
            _ => text.replace(escaped, right).replace(wrong, right),
        };
        assert_eq!(fs::read_to_string(dir.join(name)).expect("there"), expected, "{name}");
    }
    let (gbk, _, _) = encoding_rs::GB18030.encode("话术\n有疑问请咨询客服\n");
    assert_eq!(fs::read(dir.join("g.csv")).expect("there"), gbk.as_ref(), "in its own encoding");
    let law = law.replace("《合同法》第一百零七条", "《民法典》第五百七十七条");
    assert_eq!(fs::read_to_string(dir.join("h.txt")).expect("there"), law);
}

#[test]
fn only_changed_lines_are_reported() {
    let dir = folder("git");
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"];
        let mut command = Command::new("git");
        command.current_dir(&dir).args(identity).args(arguments).env_remove("GIT_DIR").assert().success();
    };
    git(&["init", "-q"]);
    fs::write(dir.join("a.yaml"), "a: 请耐心等待\nb: 好的\nc: >-\n  好的，\n  您说\n").expect("written");
    fs::write(dir.join("b.txt"), "请耐心等待\n").expect("written");
    git(&["add", "."]);
    git(&["commit", "-qm", "one"]);
    assert_eq!(lint(&dir, &[".", "--changed-since", "HEAD"]).code, 0, "nothing changed");
    fs::write(dir.join("a.yaml"), "a: 请耐心等待\nb: 傻子\nc: >-\n  请耐心等待，\n  您好\n").expect("written");
    fs::write(dir.join("话术.txt"), "请耐心等待\n").expect("written");
    assert_eq!(
        places(&dir, &[".", "--changed-since", "HEAD"]),
        ["a.yaml:2:4 insult.fool", "a.yaml:4:4 stall.wait", "话术.txt:1:2 stall.wait"]
    );
    assert_eq!(lint(&dir, &[".", "--changed-since", "no-such"]).code, 2);
    assert_eq!(lint(&dir, &[".", "--changed-since=--output=x"]).code, 2, "no option slips through to git");
}

#[test]
fn output_is_the_same_for_any_number_of_threads() {
    let dir = Path::new(ROOT).join("corpora/scripts");
    let run =
        |threads| run_in(&dir, &["lint", "-q", "--on", "2026-11-23", "--threads", threads, "-o", "json", "."]).out;
    assert_eq!(run("1"), run("8"));
}

#[test]
fn no_input_makes_a_reader_panic() {
    let dir = folder("hostile");
    let deep = "[".repeat(20_000);
    let nasty = [
        "",
        "\u{feff}",
        "\0\0\0",
        "\"",
        "'",
        "{",
        "}",
        "[",
        ":",
        "- - -",
        "# zhijian-ignore",
        "<!-- zhijian-ignore",
        "/*zhijian-ignore",
        "a: \"\\u\"",
        "\"\\ud83d\"",
        "a: |\n",
        "a: &x [*x]",
        "a: *y",
        "---\n---\n...",
        "\"\"\"",
        ",,,\n\"",
        "甲\u{2028}乙",
        "\\\n\\",
        "{{{{",
        "%",
        "%1$",
        "【",
        "｛甲",
        "`",
        "| a |\n|-|\n|`|",
        "客户：",
        "：：",
        "a = '''\n",
        "a = \"\"\"\\\n  \"\"\"",
        "? [a, b]\n: c",
        "!!binary x",
        "%YAML 9\n---\na",
        deep.as_str(),
    ];
    for extension in ["csv", "tsv", "xlsx", "yaml", "json", "jsonl", "toml", "md", "txt"] {
        for (number, text) in nasty.iter().enumerate() {
            let path = dir.join(format!("{number}.{extension}"));
            for bytes in [text.as_bytes().to_vec(), [b"\xff\xfe\x81", text.as_bytes()].concat()] {
                fs::write(&path, bytes).expect("written");
                let script = files::read(&path, &Keys::default());
                assert!(script.judged() > 0 || !script.problems.is_empty(), "{extension} {text:?}: silence");
            }
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]
    #[test]
    fn random_text_is_read_in_every_form(text in "[甲请等\\\\\"':,#|>{}\\[\\]\n\r\t &*!%@`<=-]{0,40}") {
        let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        for extension in ["csv", "yaml", "json", "jsonl", "toml", "md", "txt"] {
            let path = dir.join(format!("random.{extension}"));
            fs::write(&path, &text).expect("written");
            files::read(&path, &Keys::default());
        }
    }
}

#[test]
fn the_pages_of_the_rules_are_up_to_date() {
    let checker = Checker::builtin().expect("the embedded rules load");
    let dir = Path::new(ROOT).join("docs/rules");
    let mut names = BTreeSet::new();
    for (name, text) in documents(&checker) {
        let there = fs::read_to_string(dir.join(&name)).unwrap_or_default();
        assert!(there == text, "docs/rules/{name} is stale; run `zhijian explain --write docs/rules`");
        names.insert(name);
    }
    let files = fs::read_dir(&dir).expect("there").map(|entry| entry.expect("readable").file_name());
    let left: Vec<_> = files.filter(|name| !names.contains(name.to_string_lossy().as_ref())).collect();
    assert!(left.is_empty(), "{left:?} are no pages of rules");
}

#[test]
fn safe_replacements_of_the_rules_are_safe() {
    let checker = Checker::builtin().expect("the embedded rules load");
    let found = |text: &str| -> Vec<String> {
        let turns = vec![Turn::new(SpeakerRole::Agent, text)];
        let conversation = Conversation { id: "", channel: Channel::Script, industry: "", date: None, path: "", turns };
        checker.check(&conversation).into_iter().map(|finding| finding.rule).collect()
    };
    let mut tried = 0;
    for rule in &checker.rules.rules {
        for (phrase, replacement) in &rule.replace {
            assert!(found(phrase).contains(&rule.id.to_string()), "{}: {phrase} is not flagged", rule.id);
            assert_eq!(found(replacement), Vec::<String>::new(), "{}: {replacement}", rule.id);
            tried += 1;
        }
    }
    assert!(tried > 5);
}

#[test]
fn explain_prints_the_page_and_the_shell_gets_its_files() {
    let dir = folder("explain");
    let ran = run_in(&dir, &["explain", "unfair_terms.last-word"]);
    assert!(
        ran.code == 0 && ran.out.starts_with("# unfair_terms.last-word ") && ran.out.contains("**法条**"),
        "{}",
        ran.out
    );
    assert!(run_in(&dir, &["explain", "suppression.unused"]).out.contains("忽略没有用上"));
    assert!(run_in(&dir, &["explain", "citation.repealed"]).out.contains("法律已废止"));
    assert_eq!(run_in(&dir, &["explain", "stall.no-such"]).code, 2);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ran = run_in(&dir, &["completions", shell]);
        assert!(ran.code == 0 && ran.out.contains("changed-since"), "{shell}");
    }
    assert!(run_in(&dir, &["man"]).out.starts_with(".ie"));
}

/// The action and the hooks name options that exist.
#[test]
fn the_action_and_the_hooks_fit_the_program() {
    let dir = folder("action");
    let help = run_in(&dir, &["lint", "--help"]).out;
    for name in ["action.yml", ".pre-commit-hooks.yaml", "docs/lint.md"] {
        let text = fs::read_to_string(Path::new(ROOT).join(name)).expect("there");
        let path = dir.join("x.yaml");
        if name != "docs/lint.md" {
            fs::write(&path, &text).expect("written");
            let script = files::read(&path, &Keys::default());
            assert!(script.problems.is_empty(), "{name}: {:?}", script.problems);
        }
        for line in text.lines().filter(|line| line.contains("zhijian lint")) {
            for option in line.split([' ', '`', '=']).filter(|word| word.starts_with("--")) {
                let option = option.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
                assert!(help.contains(option), "{name} names {option}: {line}");
            }
        }
    }
}

/// `客 我要退款 / 坐 退不了` for every dialogue of a file.
fn dialogues(name: &str, text: &str) -> Vec<String> {
    let path = folder(&format!("dialogues-{name}")).join(name);
    fs::write(&path, text).expect("written");
    let script = files::read(&path, &Keys::default());
    assert!(script.problems.is_empty(), "{:?}", script.problems);
    let turn = |at: &usize| {
        let reply = &script.replies[*at];
        let who = if reply.role == SpeakerRole::Agent { "坐" } else { "客" };
        format!("{who} {}", reply.text)
    };
    script.dialogues.iter().map(|turns| turns.iter().map(turn).collect::<Vec<_>>().join(" / ")).collect()
}

#[test]
fn questions_and_training_dialogues_are_context() {
    let asked = ["客 能退吗 / 坐 能", "坐 您好"];
    assert_eq!(dialogues("a.csv", "问题,答案\n能退吗,能\n,您好\n"), asked);
    assert_eq!(dialogues("b.yaml", "- question: 能退吗\n  answer: 能\n- answer: 您好\n"), asked);
    assert_eq!(dialogues("c.json", r#"[{"问题": ["能退吗"], "答案": "能"}, {"答案": "您好"}]"#), asked);
    assert_eq!(dialogues("d.txt", "客户：能退吗\n客服：能\n\n您好\n"), asked);
    assert_eq!(dialogues("e.md", "- 客户：能退吗\n- **客服**：能\n\n# 您好\n"), asked);
    let table = "会话ID,角色,内容\n1,客户,能退吗\n1,客服,能\n2,机器人,您好\n";
    assert_eq!(dialogues("f.csv", table), asked);
    let lines = "{\"turns\":[{\"speaker\":\"customer\",\"text\":\"能退吗\"},{\"speaker\":\"agent\",\"text\":\"能\"}]}\n\"您好\"\n";
    assert_eq!(dialogues("g.jsonl", lines), asked);
    assert_eq!(dialogues("h.txt", "12：30前送达\nhttps://a.cn\n"), ["坐 12：30前送达", "坐 https://a.cn"]);
}

#[test]
fn a_cell_far_away_costs_no_memory() {
    let cell = |at: &str, text: &str| format!("<c r=\"{at}\" t=\"inlineStr\"><is><t>{text}</t></is></c>");
    let rows = format!(
        "<row r=\"1\">{}</row><row r=\"2\">{}</row><row r=\"1048576\">{}{}</row>",
        cell("B1", "话术"),
        cell("B2", "请耐心等待"),
        cell("B1048576", "请耐心等待"),
        cell("XFD1048576", "远")
    );
    let dir = folder("far");
    let from = fs::File::open(format!("{ROOT}/corpora/scripts/quick-phrases.xlsx")).expect("there");
    let mut from = zip::ZipArchive::new(from).expect("a workbook");
    let mut to = zip::ZipWriter::new(fs::File::create(dir.join("far.xlsx")).expect("made"));
    for at in 0..from.len() {
        let part = from.by_index_raw(at).expect("a part");
        if part.name().expect("a name") == "xl/worksheets/sheet1.xml" {
            drop(part);
            to.start_file("xl/worksheets/sheet1.xml", zip::write::SimpleFileOptions::default()).expect("begun");
            let xml = format!(
                "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>{rows}</sheetData></worksheet>"
            );
            std::io::Write::write_all(&mut to, xml.as_bytes()).expect("written");
        } else {
            to.raw_copy_file(part).expect("copied");
        }
    }
    to.finish().expect("finished");
    assert_eq!(
        places(&dir, &["far.xlsx"]),
        ["far.xlsx:快捷短语!B2 stall.wait", "far.xlsx:快捷短语!B1048576 stall.wait"]
    );
}
