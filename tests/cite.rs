//! `zhijian cite` as a program.

use std::fs;
use std::io::{Cursor, Write};
use std::path::PathBuf;

use assert_cmd::Command;
use zip::write::SimpleFileOptions;

fn folder(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&path).expect("the folder can be made");
    path
}

fn cite(arguments: &[&str]) -> (i32, String) {
    let mut command = Command::cargo_bin("zhijian").expect("the program is built");
    let output = command.arg("cite").args(arguments).output().expect("it runs");
    (output.status.code().unwrap_or(-1), String::from_utf8(output.stdout).expect("UTF-8"))
}

const WRONG: &str = "依照《合同法》第一百零七条，违约方应当承担违约责任。";

#[test]
fn exit_codes_follow_the_gravest_finding() {
    let dir = folder("exit");
    let (wrong, right) = (dir.join("wrong.txt"), dir.join("right.md"));
    fs::write(&wrong, WRONG).expect("written");
    fs::write(&right, format!("---\ndate: 2019-05-01\n---\n{WRONG}")).expect("written");
    let (wrong, right) = (wrong.to_str().expect("UTF-8"), right.to_str().expect("UTF-8"));
    assert_eq!(cite(&[wrong, "--on", "2026-11-23"]).0, 1);
    assert_eq!(cite(&[wrong, "--on", "2026-11-23", "--fail-on", "error"]).0, 0);
    assert_eq!(cite(&[wrong, "--on", "2019-11-23"]).0, 0);
    assert_eq!(cite(&[right]).0, 0, "the head of the file gives the day");
    assert_eq!(cite(&[wrong, "missing.txt"]).0, 2);
}

#[test]
fn word_csv_and_json_lines_are_read_where_they_stand() {
    let dir = folder("forms");
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    archive.start_file("word/document.xml", stored).expect("a part");
    let xml = "<w:document xmlns:w=\"w\"><w:p><w:r><w:t>第一段 A&amp;B</w:t></w:r></w:p><w:p><w:r><w:t>依照《合同</w:t></w:r>\
               <w:r><w:t>法》第一百零七条，违约方应当承担违约责任。</w:t></w:r></w:p></w:document>";
    archive.write_all(xml.as_bytes()).expect("written");
    let bytes = archive.finish().expect("finished").into_inner();
    let files = [
        ("a.docx", bytes, (2, 3), ""),
        ("a.csv", format!("id,text\n1,{WRONG}\n").into_bytes(), (2, 3), "text"),
        ("a.jsonl", format!("{{\"turns\":[{{\"text\":\"{WRONG}\"}}]}}\n").into_bytes(), (1, 3), "turns[0].text"),
    ];
    for (name, bytes, place, field) in files {
        let path = dir.join(name);
        fs::write(&path, bytes).expect("written");
        let (code, out) = cite(&[path.to_str().expect("UTF-8"), "--on", "2026-11-23", "--format", "jsonl"]);
        let record: serde_json::Value = serde_json::from_str(&out).expect("one record");
        assert_eq!(code, 1, "{name}");
        assert_eq!((record["line"].as_u64(), record["column"].as_u64()), (Some(place.0), Some(place.1)), "{name}");
        assert_eq!(record["field"], field);
        assert_eq!(record["verdicts"], serde_json::json!(["repealed"]));
        assert_eq!(record["suggestions"][0]["place"], "577");
    }
}

#[test]
fn sarif_and_csv_are_written_also_without_findings() {
    let dir = folder("empty");
    let path = dir.join("empty.txt");
    fs::write(&path, "您好，请问有什么可以帮您？").expect("written");
    let path = path.to_str().expect("UTF-8");
    let (code, sarif) = cite(&[path, "--format", "sarif"]);
    let sarif: serde_json::Value = serde_json::from_str(&sarif).expect("SARIF is JSON");
    assert_eq!((code, &sarif["version"]), (0, &serde_json::json!("2.1.0")));
    assert_eq!(sarif["runs"][0]["results"], serde_json::json!([]));
    let (code, csv) = cite(&[path, "--format", "csv"]);
    assert_eq!((code, csv.lines().count()), (0, 1));
}
