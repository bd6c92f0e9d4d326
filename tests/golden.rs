//! Golden output of every report form and of the problems a rule pack can have, on a small rule pack of its own.
//!
//! `INSTA_UPDATE=always cargo test --test golden` rewrites them; read the diff before committing.

use assert_cmd::Command;

fn run(arguments: &[&str]) -> String {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
    let mut command = Command::cargo_bin("zhijian").expect("the program is built");
    let output = command.current_dir(fixtures).args(arguments).output().expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('\r', "␍").replace('\u{feff}', "␠BOM␠");
    let code = output.status.code().unwrap_or(-1);
    format!("{}--- stderr\n{}--- exit {code}\n", text(&output.stdout), text(&output.stderr))
}

fn scan(arguments: &[&str]) -> String {
    run(&[&["scan", "--no-builtin", "--lexicons", "pack"], arguments].concat())
}

#[test]
fn text_report() {
    insta::assert_snapshot!(scan(&["--format", "text", "day.csv"]));
}

#[test]
fn text_report_in_english() {
    insta::assert_snapshot!(scan(&["--format", "text", "--lang", "en", "day.csv"]));
}

#[test]
fn json_lines() {
    insta::assert_snapshot!(scan(&["--format", "jsonl", "--quiet", "day.csv"]));
}

#[test]
fn csv() {
    insta::assert_snapshot!(scan(&["--format", "csv", "--quiet", "day.csv"]));
}

#[test]
fn nothing_found() {
    insta::assert_snapshot!(scan(&["--format", "text", "clean.csv"]));
    insta::assert_snapshot!("nothing_found_csv", scan(&["--format", "csv", "--quiet", "clean.csv"]));
    insta::assert_snapshot!("nothing_found_jsonl", scan(&["--format", "jsonl", "--quiet", "clean.csv"]));
}

#[test]
fn problems_of_a_rule_pack_come_all_at_once() {
    insta::assert_snapshot!(run(&["rules", "check", "--no-builtin", "--lexicons", "broken"]));
}

#[test]
fn failing_examples_are_shown_with_their_places() {
    insta::assert_snapshot!(run(&["rules", "test", "--no-builtin", "--lexicons", "failing"]));
}

#[test]
fn a_rule_explains_itself() {
    insta::assert_snapshot!(run(&["rules", "show", "insult.fool", "--no-builtin", "--lexicons", "pack"]));
}
