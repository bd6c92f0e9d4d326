//! Every export shape gives the same findings; broken and hostile input is read as far as it goes, and said to be broken.

#[path = "common/files.rs"]
mod files;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use files::{cells, gzip, opendocument, spreadsheet, workbook, zip};
use zhijian::input::{self, Export, Flaw, InputOptions, Ledger, RoleWords, Skip};
use zhijian::{Checker, SpeakerRole};

fn checker() -> &'static Checker {
    static CHECKER: OnceLock<Checker> = OnceLock::new();
    CHECKER.get_or_init(|| Checker::builtin().expect("the embedded rules load"))
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora/formats")
}

fn options(name: &str) -> InputOptions {
    let mut roles = RoleWords::default();
    // Recognisers number speakers; Whisper does not tell them apart.
    let words = if name.starts_with("whisper") { "agent=-" } else { "agent=1,customer=0" };
    if ["asr", "iflytek", "whisper"].iter().any(|speech| name.contains(speech)) {
        roles.add(words).expect("well formed");
    }
    InputOptions { roles, ..InputOptions::default() }
}

fn read(name: &str, bytes: &[u8]) -> (Export, bool) {
    let mut export = Export::default();
    let complete = input::read_bytes(name, bytes, &options(name), &mut export).is_ok();
    export.finish();
    assert!(export.ledger.adds_up(), "{name}: {:?}", export.ledger);
    (export, complete)
}

/// Rule and breach of every finding.
fn findings(export: &Export) -> Vec<(String, String)> {
    let found = (0..export.len()).flat_map(|at| checker().check(&export.get(at)));
    let mut found: Vec<_> = found.map(|finding| (finding.rule, finding.matched)).collect();
    found.sort();
    found
}

fn sample_names() -> Vec<String> {
    let entries = fs::read_dir(samples()).expect("the samples are in the repository");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8")).collect();
    names.retain(|name| !matches!(name.as_str(), "README.md" | "wecom-enclave.json"));
    names.sort();
    names
}

#[test]
fn every_format_gives_the_same_findings() {
    let names = sample_names();
    assert!(names.len() >= 40, "a sample of every format: {}", names.len());
    let mut wrong = Vec::new();
    for name in &names {
        let mut export = Export::default();
        let result = input::read(&samples().join(name), &options(name), &mut export, &|_| {});
        export.finish();
        let found = findings(&export);
        let said: Vec<&str> = found.iter().map(|(_, matched)| matched.as_str()).collect();
        let ledger = &export.ledger;
        let agents = if name.starts_with("whisper") { 3 } else { 2 };
        let fine = result.is_ok()
            && ledger.adds_up()
            && !ledger.is_incomplete()
            && ledger.judged >= agents
            && ledger.skipped.is_empty()
            && found.len() == 1
            && found[0].0.starts_with("insult.")
            && said[0].contains("傻逼");
        if !fine {
            wrong.push(format!("{name}: {result:?} {found:?} {ledger:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn rows_that_are_no_messages_are_counted_by_kind_and_not_judged() {
    for name in sample_names() {
        let mut export = Export::default();
        input::read(&samples().join(&name), &options(&name), &mut export, &|_| {}).expect("readable");
        export.finish();
        let speech = ["asr", "iflytek", "whisper", "call."].iter().any(|speech| name.contains(speech));
        if speech {
            continue;
        }
        let kinds: u64 = export.ledger.kinds.values().sum();
        assert!(kinds >= 2, "{name}: the picture and the automatic reply: {:?}", export.ledger.kinds);
        let judged =
            (0..export.len()).flat_map(|at| export.get(at).turns).filter(|turn| turn.role == SpeakerRole::Agent);
        assert!(judged.into_iter().all(|turn| !turn.text.contains("自动回复")), "{name}");
    }
}

#[test]
fn encrypted_messages_are_said_to_be_encrypted() {
    let (export, _) = read("wecom-enclave.json", &fs::read(samples().join("wecom-enclave.json")).expect("readable"));
    assert_eq!(export.ledger.skipped[&Skip::Encrypted].rows, 1);
    assert!(export.ledger.is_incomplete());
}

const HEADER: &str = "会话ID,角色,客服,发送时间,消息内容\n";

fn row(id: &str, role: &str, second: usize, text: &str) -> String {
    format!("{id},{role},小满,2026-09-18 {:02}:{:02}:{:02},{text}\n", second / 3600, second / 60 % 60, second % 60)
}

fn good_rows(from: usize) -> String {
    row("good", "客户", from, "能退吗") + &row("good", "客服", from + 1, "你就是个傻逼")
}

/// Reads what is broken in the middle: what stands before and after is judged, and the ledger says what is wrong.
fn hostile(name: &str, bytes: &[u8], flaw: Option<Flaw>, skip: Option<Skip>) -> Ledger {
    let (export, _) = read(name, bytes);
    let ledger = export.ledger.clone();
    assert!(findings(&export).iter().any(|(_, matched)| matched.contains("傻逼")), "{name}: {ledger:?}");
    if let Some(flaw) = flaw {
        assert!(ledger.flaws.contains_key(&flaw), "{name}: {flaw:?} in {ledger:?}");
    }
    if let Some(skip) = skip {
        assert!(ledger.skipped.contains_key(&skip), "{name}: {skip:?} in {ledger:?}");
    }
    assert!(ledger.is_incomplete(), "{name}: exit code 2");
    ledger
}

#[test]
fn a_quote_that_is_never_closed_swallows_one_row_only() {
    for place in ["c,客户,小满,2026-09-18 09:00:00,\"没有收到\n", "c,客户,\"小满,2026-09-18 09:00:00,没有收到\n"]
    {
        let text = format!("{HEADER}{}{place}{}", row("a", "客户", 1, "你好"), good_rows(60));
        let ledger = hostile("day.csv", text.as_bytes(), Some(Flaw::UnclosedQuote), None);
        assert_eq!((ledger.rows, ledger.flaws[&Flaw::UnclosedQuote].first[0].line), (4, 3));
    }
}

#[test]
fn quoted_newlines_and_quotes_are_read() {
    let text = format!("{HEADER}a,客户,小满,2026-09-18 09:00:00,\"第一行\n第二行 \"\"引\"\"，号\"\n{}", good_rows(60));
    let (export, _) = read("day.csv", text.as_bytes());
    assert_eq!(export.get(0).turns[0].text, "第一行\n第二行 \"引\"，号");
    assert!(!export.ledger.is_incomplete(), "{:?}", export.ledger);
}

#[test]
fn a_cell_of_a_hundred_megabytes_costs_one_row() {
    let huge = "字".repeat((100 << 20) / 3);
    for quote in ["", "\""] {
        let text = format!("{HEADER}a,客服,小满,2026-09-18 09:00:00,{quote}{huge}{quote}\n{}", good_rows(60));
        let ledger = hostile("day.csv", text.as_bytes(), None, Some(Skip::TooLong));
        assert_eq!(ledger.rows, 3);
    }
}

#[test]
fn a_cell_of_a_hundred_megabytes_in_a_workbook_costs_one_row() {
    let huge = "字".repeat((100 << 20) / 3);
    let rows = [
        ["会话ID", "角色", "发送时间", "消息内容"],
        ["a", "客服", "2026-09-18 09:00:00", &huge],
        ["good", "客户", "2026-09-18 09:01:00", "能退吗"],
        ["good", "客服", "2026-09-18 09:01:10", "你就是个傻逼"],
    ];
    let sheet: String = (1..).zip(&rows).map(|(at, row)| cells(at, row)).collect();
    let table = rows.map(|row| row.map(str::to_owned));
    for (name, bytes) in [("day.xlsx", workbook(&sheet)), ("day.ods", opendocument(&table[0], &table[1..]))] {
        let ledger = hostile(name, &bytes, None, Some(Skip::TooLong));
        assert_eq!((ledger.rows, ledger.skipped[&Skip::TooLong].first[0].line), (3, 2), "{name}");
    }
}

#[test]
fn rows_of_any_width_are_read_or_counted() {
    let text = format!("{HEADER}a,客服\n{}a,客服,小满,2026-09-18 09:00:00,好的,再见\n", good_rows(60));
    let ledger = hostile("day.csv", text.as_bytes(), Some(Flaw::TooManyColumns), Some(Skip::TooFewColumns));
    assert_eq!(ledger.flaws[&Flaw::TooManyColumns].first[0].line, 5);
    let (export, _) = read("day.csv", text.as_bytes());
    assert_eq!(export.get(1).turns[0].text, "好的,再见", "a comma in an unquoted text loses nothing");
}

#[test]
fn nul_rounded_ids_and_doubled_headers_are_reported() {
    let nul = format!("{HEADER}a,客户,小满,2026-09-18 09:00:00,你\0好\n{}", good_rows(60));
    hostile("day.csv", nul.as_bytes(), Some(Flaw::Nul), None);
    let rounded = format!("{HEADER}{}{}", row("7.30123E+18", "客户", 1, "你好"), good_rows(60));
    let ledger = hostile("day.csv", rounded.as_bytes(), Some(Flaw::RoundedId), None);
    assert_eq!(ledger.flaws[&Flaw::RoundedId].first[0].detail, "7.30123E+18");
    let doubled = format!("会话ID,角色,客服,发送时间,消息内容,消息内容\n{}", good_rows(60).replace('\n', ",x\n"));
    hostile("day.csv", doubled.as_bytes(), Some(Flaw::DoubledHeader), None);
}

#[test]
fn rows_in_another_encoding_are_read_and_reported() {
    let odd = row("a", "客户", 1, "这一行是另一种编码写的");
    let gbk = |text: &str| encoding_rs::GB18030.encode(text).0.into_owned();
    let utf8_file = [HEADER.as_bytes(), good_rows(60).repeat(20).as_bytes(), &gbk(&odd)].concat();
    hostile("day.csv", &utf8_file, Some(Flaw::OtherEncoding), None);
    let gbk_file = [gbk(HEADER), gbk(&good_rows(60).repeat(20)), odd.clone().into_bytes()].concat();
    let ledger = hostile("day.csv", &gbk_file, Some(Flaw::OtherEncoding), None);
    assert_eq!(ledger.rows, 41);
}

#[test]
fn lone_surrogates_are_mended_and_reported() {
    let line = r#"{"id":"a","turns":[{"speaker":"customer","text":"\ud83d能退吗"},{"speaker":"agent","text":"你就是个傻逼"}]}"#;
    hostile("day.jsonl", format!("{line}\n{line}\n").as_bytes(), Some(Flaw::LoneSurrogate), None);
}

#[test]
fn a_json_line_that_is_cut_costs_one_line() {
    let good = r#"{"id":"a","turns":[{"speaker":"agent","text":"你就是个傻逼"}]}"#;
    let ledger =
        hostile("day.jsonl", format!("{good}\n{{\"id\":\"b\",\n{good}\n").as_bytes(), None, Some(Skip::Malformed));
    assert_eq!(ledger.skipped[&Skip::Malformed].first[0].line, 2);
    let cut = format!("[{good},{{\"id\":\"b\",\"turns\":[");
    hostile("day.json", cut.as_bytes(), Some(Flaw::BrokenOff), Some(Skip::Malformed));
}

#[test]
fn a_truncated_archive_is_read_as_far_as_it_goes() {
    let mut text = format!("{HEADER}{}", good_rows(60));
    (0..40_000).for_each(|at| text.push_str(&row(&format!("c{}", at * 7919 % 40_000), "客户", at, "什么时候发货呀")));
    for packed in [gzip(text.as_bytes()), zstd::encode_all(text.as_bytes(), 3).expect("packs")] {
        let cut = &packed[..packed.len() * 3 / 4];
        let (export, complete) = read("day.csv.gz", cut);
        assert!(!complete && !findings(&export).is_empty());
        assert!(export.ledger.flaws.contains_key(&Flaw::BrokenOff), "{:?}", export.ledger.flaws);
    }
}

#[test]
fn an_archive_bomb_is_stopped() {
    // Zstandard packs zeros to a thirty-thousandth.
    let text = format!("{HEADER}{}a,客户,小满,2026-09-18 09:00:00,", good_rows(60));
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).expect("packs");
    encoder.write_all(text.as_bytes()).expect("memory takes writes");
    for _ in 0..200 {
        encoder.write_all(&vec![b'a'; 1 << 20]).expect("memory takes writes");
    }
    let bomb = encoder.finish().expect("memory takes writes");
    let mut export = Export::default();
    let error = input::read_bytes("day.csv.zst", &bomb, &InputOptions::default(), &mut export).expect_err("a bomb");
    assert!(error.to_string().contains("archive bomb"), "{error}");
    export.finish();
    assert!(!findings(&export).is_empty(), "the part before was read");
}

#[test]
fn archives_in_archives_end_somewhere() {
    let mut bytes = format!("{HEADER}{}", good_rows(60)).into_bytes();
    for _ in 0..6 {
        bytes = gzip(&bytes);
    }
    let mut export = Export::default();
    let error = input::read_bytes("day.gz", &bytes, &InputOptions::default(), &mut export).expect_err("too deep");
    assert!(error.to_string().contains("unpack it first"), "{error}");
}

#[test]
fn a_sheet_of_a_million_empty_rows_serial_dates_and_formulas_is_read() {
    let header = cells(1, &["会话ID", "角色", "发送时间", "消息内容"]);
    let first = cells(2, &["<v>7301234567890123456</v>", "客户", "<v>45917.375</v>", "能退吗"]);
    let formula = cells(3, &["a", "客服", "<v>45917.5</v>", "<f>A1</f>"]);
    let empty: String = (4..1_000_000).map(|row| format!(r#"<row r="{row}"/>"#)).collect();
    let last = cells(1_000_001, &["a", "客服", "<v>45918</v>", "你就是个傻逼"]);
    let bytes = workbook(&format!("{header}{first}{formula}{empty}{last}"));
    let ledger = hostile("day.xlsx", &bytes, Some(Flaw::RoundedId), Some(Skip::EmptyText));
    assert_eq!((ledger.rows, ledger.flaws[&Flaw::Formula].first[0].line), (3, 3));
    let (export, _) = read("day.xlsx", &bytes);
    assert_eq!(export.get(0).turns[0].time, "2025-09-17 09:00:00");
    assert_eq!(export.get(1).turns.last().map(|turn| turn.line), Some(1_000_001));
}

#[test]
fn rows_repeated_by_the_million_are_not_written_out() {
    let cell = |text: &str| format!("<table:table-cell><text:p>{text}</text:p></table:table-cell>");
    let row = |cells: &[&str]| {
        format!("<table:table-row>{}</table:table-row>", cells.iter().map(|text| cell(text)).collect::<String>())
    };
    let empty = r#"<table:table-row table:number-rows-repeated="1000000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>"#;
    let formula = r#"<table:table-row><table:table-cell office:value="7301234567890123456"/><table:table-cell><text:p>客户</text:p></table:table-cell><table:table-cell office:date-value="2026-09-18T09:00:00"/><table:table-cell table:formula="of:=1"/></table:table-row>"#;
    let header = row(&["会话ID", "角色", "发送时间", "消息内容"]);
    let last = row(&[
        "a",
        "客服",
        "2026-09-18 09:00:10",
        "你就是个傻逼<text:line-break/>&#x4f60;&amp;<office:annotation><text:p>批注</text:p></office:annotation>",
    ]);
    let bytes = spreadsheet(&format!("{header}{formula}{empty}{last}"));
    let ledger = hostile("day.ods", &bytes, Some(Flaw::RoundedId), Some(Skip::EmptyText));
    assert_eq!((ledger.rows, ledger.flaws[&Flaw::Formula].first[0].line), (2, 2));
    let (export, _) = read("day.ods", &bytes);
    assert_eq!(export.get(0).turns[0].time, "2026-09-18 09:00:00");
    let turn = export.get(1).turns[0];
    assert_eq!((turn.line, turn.text), (1_000_003, "你就是个傻逼\n你&"));
    // A row with something in it, said to stand there a thousand million times.
    let bomb = row(&["a", "客服", "2026-09-18 09:00:10", "好"])
        .replace("<table:table-row>", r#"<table:table-row table:number-rows-repeated="1000000000">"#);
    let mut export = Export::with_budget(1 << 20);
    let bytes = spreadsheet(&format!("{header}{last}{bomb}"));
    let error = input::read_bytes("day.ods", &bytes, &InputOptions::default(), &mut export).expect_err("a bomb");
    assert!(error.to_string().contains("more rows than a sheet can have"), "{error}");
    assert!(export.ledger.adds_up() && export.ledger.rows < 1 << 20);
}

#[test]
fn workbooks_that_say_they_are_huge_are_refused() {
    let mut old = fs::read(samples().join("desk.xls")).expect("readable");
    let name = "消息".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    assert!(memchr::memmem::find(&old, &name).is_some(), "the sample is BIFF8");
    let dimensions = memchr::memmem::find(&old, b"\x00\x02\x0e\x00").expect("the sheet says how large it is");
    old[dimensions + 8..dimensions + 12].copy_from_slice(&u32::MAX.to_le_bytes());
    old[dimensions + 14..dimensions + 16].copy_from_slice(&u16::MAX.to_le_bytes());
    let strings = r#"<?xml version="1.0"?><sst uniqueCount="99999999999"><si><t>a</t></si></sst>"#;
    let new = zip(&[("xl/workbook.xml", b"<workbook/>"), ("xl/sharedStrings.xml", strings.as_bytes())]);
    for (name, bytes, what) in [("day.xls", old, "more cells"), ("day.xlsx", new, "more texts")] {
        let error = input::read_bytes(name, &bytes, &InputOptions::default(), &mut Export::default());
        let error = error.expect_err("damaged").to_string();
        assert!(error.starts_with(name) && error.contains(what), "{error}");
    }
}

#[test]
fn bytes_of_any_kind_are_refused_with_a_message() {
    for name in ["a.csv", "a.json", "a.xlsx", "a.zip", "a.txt", "a.srt", "a.xml", "a.parquet", "a.gz"] {
        for bytes in [
            &b""[..],
            b"\0\0\0\0",
            b"PK\x03\x04junk",
            b"\x1f\x8b\x08junk",
            b"PAR1junk",
            b"\xff\xfe\xff",
            b"<a><b>",
            b"[[[",
        ] {
            let mut export = Export::default();
            if let Err(error) = input::read_bytes(name, bytes, &InputOptions::default(), &mut export) {
                assert!(error.to_string().starts_with(name.trim_end_matches(".gz")), "{error}");
            }
            assert!(export.ledger.adds_up());
        }
    }
}

/// Everything that findings depend on, in order.
fn content(export: Export) -> (Vec<String>, Ledger) {
    let (ledger, mut batches) = export.into_batches().expect("the temporary folder is writable");
    let mut all = Vec::new();
    while let Some(batch) = batches.next_batch().expect("readable") {
        all.extend((0..batch.len()).map(|at| format!("{:?}", batch.get(at))));
    }
    (all, ledger)
}

#[test]
fn results_do_not_depend_on_the_memory_or_on_the_order_of_rows() {
    let mut rows: Vec<String> = Vec::new();
    for at in 0..20_000 {
        let role = if at % 2 == 0 { "客户" } else { "客服" };
        rows.push(row(&format!("c{}", at * 31 % 997), role, at, &format!("第{at}句")));
    }
    let read = |rows: &[String], budget: usize| {
        let mut export = Export::with_budget(budget);
        let text = format!("{HEADER}{}", rows.concat());
        input::read_bytes("day.csv", text.as_bytes(), &InputOptions::default(), &mut export).expect("readable");
        content(export)
    };
    let (whole, ledger) = read(&rows, usize::MAX);
    assert_eq!(ledger.conversations, 997);
    for budget in [1, 1000, 100_000] {
        let (spilt, other) = read(&rows, budget);
        assert!(spilt == whole, "budget {budget}");
        assert_eq!(other, ledger);
    }
    // Shuffled: the conversations come in another order, but each is the same in itself, the lines aside.
    let mut shuffled = rows.clone();
    (0..shuffled.len()).for_each(|at| shuffled.swap(at, at * 7919 % rows.len()));
    let turns = |rows: &[String], budget| {
        let mut export = Export::with_budget(budget);
        let text = format!("{HEADER}{}", rows.concat());
        input::read_bytes("day.csv", text.as_bytes(), &InputOptions::default(), &mut export).expect("readable");
        let (_, mut batches) = export.into_batches().expect("the temporary folder is writable");
        let mut all = BTreeMap::new();
        while let Some(batch) = batches.next_batch().expect("readable") {
            for at in 0..batch.len() {
                let conversation = batch.get(at);
                let texts: Vec<String> = conversation.turns.iter().map(|turn| turn.text.to_owned()).collect();
                all.insert(conversation.id.to_owned(), texts);
            }
        }
        all
    };
    assert!(turns(&shuffled, 50_000) == turns(&rows, usize::MAX));
}

#[test]
fn one_conversation_larger_than_memory_is_judged_in_parts() {
    let rows: String = (0..50_000).map(|at| row("all", "客户", at, &format!("第{at}句"))).collect();
    let text = format!("{HEADER}{rows}");
    let read = |budget: usize| {
        let mut export = Export::with_budget(budget);
        input::read_bytes("day.csv", text.as_bytes(), &InputOptions::default(), &mut export).expect("readable");
        content(export)
    };
    let (whole, ledger) = read(usize::MAX);
    assert_eq!((whole.len(), ledger.conversations, ledger.notices.len()), (3, 3, 2));
    for budget in [10_000, 1_000_000] {
        assert_eq!(read(budget), (whole.clone(), ledger.clone()), "{budget}");
    }
}

/// Changes to make to a sample: where, in thousandths of its length, and what.
fn damage() -> impl proptest::strategy::Strategy<Value = Vec<(usize, Damage)>> {
    use proptest::prelude::*;
    let piece = prop_oneof![
        any::<u8>().prop_map(|byte| vec![byte]),
        prop_oneof![Just("\""), Just("\n"), Just(","), Just("{"), Just("]"), Just("\0"), Just("-->"), Just("\\ud800")]
            .prop_map(|text| text.as_bytes().to_vec()),
    ];
    let damage = prop_oneof![
        piece.prop_map(Damage::Insert),
        (1usize..200).prop_map(Damage::Remove),
        Just(Damage::Cut),
        any::<u8>().prop_map(Damage::Flip)
    ];
    proptest::collection::vec((0usize..1000, damage), 1..5)
}

#[derive(Debug, Clone)]
enum Damage {
    Insert(Vec<u8>),
    Remove(usize),
    Flip(u8),
    Cut,
}

fn damaged(mut bytes: Vec<u8>, damages: &[(usize, Damage)]) -> Vec<u8> {
    for (place, damage) in damages {
        let at = bytes.len() * place / 1000;
        match damage {
            Damage::Insert(piece) => drop(bytes.splice(at..at, piece.iter().copied())),
            Damage::Remove(count) => drop(bytes.drain(at..bytes.len().min(at + count))),
            Damage::Flip(mask) => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= mask),
            Damage::Cut => bytes.truncate(at),
        }
    }
    bytes
}

proptest::proptest! {
    #[test]
    fn damaged_samples_never_panic_and_the_ledger_adds_up(damages in damage()) {
        for name in sample_names() {
            let bytes = damaged(fs::read(samples().join(&name)).expect("readable"), &damages);
            let content = |budget| {
                let mut export = Export::with_budget(budget);
                let error = input::read_bytes(&name, &bytes, &options(&name), &mut export).err();
                assert!(export.ledger.adds_up(), "{name}: {:?}", export.ledger);
                (error.map(|error| error.to_string()), content(export))
            };
            proptest::prop_assert_eq!(content(usize::MAX), content(64), "{}", name);
        }
    }
}

/// Runs the program in a folder of its own.
fn zhijian(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = assert_cmd::Command::cargo_bin("zhijian").expect("the program is built");
    let output = command.current_dir(folder).args(arguments).output().expect("runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

#[test]
fn folders_patterns_and_archives_are_walked() {
    let folder = tempfile::tempdir().expect("writable");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("has one")).expect("writable");
        fs::write(path, bytes).expect("writable");
    };
    let day = format!("{HEADER}{}", good_rows(60));
    write("in/a.csv", day.as_bytes());
    write("in/deep/b.csv.gz", &gzip(day.as_bytes()));
    write("in/c.zip", &zip(&[("x.csv", day.as_bytes()), ("__MACOSX/x.csv", b"junk"), ("y/z.csv", day.as_bytes())]));
    write("in/logo.png", b"junk");
    write("in/.hidden.csv", b"junk");
    let (code, out, err) = zhijian(folder.path(), &["scan", "in"]);
    assert_eq!((code, out.lines().count()), (0, 4), "{err}");
    assert!(err.contains("logo.png: not read") && err.contains("文件 4"), "{err}");
    for path in ["in/a.csv", "in/c.zip/x.csv", "in/c.zip/y/z.csv", "in/deep/b.csv.gz"] {
        assert!(out.contains(&format!("\"path\":\"{path}\"")), "{path}: {out}");
    }
    let (_, one, _) = zhijian(folder.path(), &["scan", "in/*.csv", "in/a.csv"]);
    assert_eq!(one.lines().count(), 1, "a file named twice is read once");
    fs::create_dir(folder.path().join("empty")).expect("writable");
    let (code, _, err) = zhijian(folder.path(), &["scan", "empty"]);
    assert!(code == 2 && err.contains("holds no export"), "{err}");
}

#[test]
fn a_conversation_is_judged_once_and_again_when_it_grows() {
    let folder = tempfile::tempdir().expect("writable");
    let day = folder.path().join("day.csv");
    let scan = || zhijian(folder.path(), &["scan", "day.csv", "--skip-seen", "seen", "--summary", "ledger.json"]);
    fs::write(&day, format!("{HEADER}{}", good_rows(60))).expect("writable");
    assert_eq!(scan().1.lines().count(), 1);
    let state = fs::read(folder.path().join("seen")).expect("written");
    assert!(!String::from_utf8_lossy(&state).contains("good"), "no id, no text");
    let (code, out, _) = scan();
    assert_eq!((code, out.as_str()), (0, ""));
    let ledger: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("ledger.json")).expect("written")).expect("JSON");
    assert_eq!(
        (&ledger["rows"], &ledger["judged"], &ledger["skipped"]["seen"]["rows"]),
        (&2.into(), &0.into(), &2.into())
    );
    assert_eq!(fs::read(folder.path().join("seen")).expect("written"), state, "the same state, the same bytes");
    fs::write(&day, format!("{HEADER}{}{}", good_rows(60), row("good", "客户", 90, "还在吗"))).expect("writable");
    assert_eq!(scan().1.lines().count(), 1);
    fs::write(folder.path().join("seen"), "no state").expect("writable");
    let (code, _, err) = scan();
    assert!(code == 2 && err.contains("seen:1"), "{err}");
}

#[test]
fn a_failed_write_leaves_no_half_file() {
    let folder = tempfile::tempdir().expect("writable");
    fs::write(folder.path().join("day.csv"), format!("{HEADER}{}", good_rows(60))).expect("writable");
    fs::write(folder.path().join("found.csv"), "former").expect("writable");
    fs::create_dir(folder.path().join("taken")).expect("writable");
    let (code, _, err) = zhijian(folder.path(), &["scan", "day.csv", "-o", "taken"]);
    assert!(code == 2 && err.contains("[write]"), "{err}");
    let (code, _, err) = zhijian(folder.path(), &["scan", "day.csv", "-o", "nowhere/found.csv"]);
    assert!(code == 2 && err.contains("nowhere"), "{err}");
    let (code, _, _) =
        zhijian(folder.path(), &["scan", "day.csv", "-o", "found.csv", "--summary", "nowhere/ledger.json"]);
    assert_eq!(code, 2);
    assert_eq!(names(folder.path()), ["day.csv", "found.csv", "taken"], "no partial file is left");
    if Path::new("/dev/full").exists() {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("zhijian"));
        let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("writable");
        let output = command.current_dir(folder.path()).args(["scan", "day.csv"]).stdout(full).output().expect("runs");
        assert_eq!(output.status.code(), Some(2), "a full disk is said");
        assert!(String::from_utf8_lossy(&output.stderr).contains("[write]"));
    }
}

/// Runs the program with files of at most `blocks` half kilobytes: a full disk.
#[cfg(unix)]
fn on_a_full_disk(folder: &Path, blocks: u32, arguments: &str) -> (i32, String) {
    let program = assert_cmd::cargo::cargo_bin("zhijian");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec {} {arguments}", program.display());
    let mut command = std::process::Command::new("sh");
    // Remembered rules are no part of this.
    command.current_dir(folder).env("TMPDIR", folder).env("XDG_CACHE_HOME", folder.join("none")).args(["-c", &script]);
    let output = command.output().expect("runs");
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[cfg(unix)]
#[test]
fn a_full_disk_leaves_no_half_file_and_no_temporary_file() {
    let folder = tempfile::tempdir().expect("writable");
    let rows: String = (0..3000).map(|at| row(&format!("c{at}"), "客服", at, "你就是个傻逼")).collect();
    fs::write(folder.path().join("day.csv"), format!("{HEADER}{rows}")).expect("writable");
    fs::write(folder.path().join("found.csv"), "former").expect("writable");
    fs::create_dir(folder.path().join("none")).expect("writable");
    let (code, err) = on_a_full_disk(folder.path(), 8, "scan day.csv -o found.csv");
    assert!(code == 2 && err.contains("found.csv: [write]"), "{err}");
    assert_eq!(fs::read_to_string(folder.path().join("found.csv")).expect("readable"), "former");
    assert_eq!(names(folder.path()), ["day.csv", "found.csv", "none"], "no partial file is left");
    let rows: String =
        (0..300_000).map(|at| row(&format!("c{}", at % 70_000), "客户", at % 80_000, "什么时候发货呀")).collect();
    fs::write(folder.path().join("day.csv"), format!("{HEADER}{rows}")).expect("writable");
    let (code, err) = on_a_full_disk(folder.path(), 8, "scan day.csv -o found.csv --memory 1MiB");
    assert!(code == 2 && err.contains("[temporary]"), "{err}");
    assert_eq!(names(folder.path()), ["day.csv", "found.csv", "none"]);
}

#[cfg(unix)]
#[test]
fn an_interrupt_leaves_no_half_file_and_no_temporary_file() {
    let folder = tempfile::tempdir().expect("writable");
    // Enough that judging takes a while.
    let rows: String = (0..200_000)
        .map(|at| row(&format!("c{}", at % 30_000), "客服", at % 80_000, &format!("您的单号{at}已经登记，马上处理")))
        .collect();
    fs::write(folder.path().join("day.csv"), format!("{HEADER}{rows}")).expect("writable");
    fs::write(folder.path().join("found.csv"), "former").expect("writable");
    for signal in ["INT", "TERM"] {
        let program = assert_cmd::cargo::cargo_bin("zhijian");
        let mut command = std::process::Command::new(program);
        command.current_dir(folder.path()).env("TMPDIR", folder.path());
        let mut child =
            command.args(["scan", "day.csv", "-q", "-o", "found.csv", "--memory", "1MiB"]).spawn().expect("runs");
        while !names(folder.path()).iter().any(|name| name.ends_with(".partial")) {
            assert!(child.try_wait().expect("is ours").is_none(), "the run was over before it was interrupted");
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let process = child.id().to_string();
        let sent = std::process::Command::new("kill").args(["-s", signal, &process]).status().expect("runs");
        assert!(sent.success());
        assert_eq!(child.wait().expect("is ours").code(), Some(130), "{signal}");
        assert_eq!(names(folder.path()), ["day.csv", "found.csv"], "{signal}");
        assert_eq!(fs::read_to_string(folder.path().join("found.csv")).expect("readable"), "former");
    }
}

#[cfg(unix)]
#[test]
fn a_device_is_written_to_and_not_replaced() {
    let folder = tempfile::tempdir().expect("writable");
    fs::write(folder.path().join("day.csv"), format!("{HEADER}{}", good_rows(60))).expect("writable");
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("runs").success());
    let reader = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read_to_string(pipe).expect("readable")
    });
    let (code, _, err) = zhijian(folder.path(), &["scan", "day.csv", "-o", "pipe"]);
    assert_eq!(code, 0, "{err}");
    assert!(reader.join().expect("reads").contains("insult."));
    assert!(!pipe.metadata().expect("is there").is_file());
}

#[test]
fn little_memory_gives_the_same_output_and_leaves_no_temporary_file() {
    let folder = tempfile::tempdir().expect("writable");
    let rows: String = (0..300_000)
        .map(|at| {
            row(
                &format!("c{}", at * 7919 % 9973),
                if at % 2 == 0 { "客户" } else { "客服" },
                at % 80_000,
                if at % 1000 == 1 {
                    "你就是个傻逼"
                } else {
                    "好的，您的问题我已经记录下来了，马上为您查询处理"
                },
            )
        })
        .collect();
    fs::write(folder.path().join("day.csv"), format!("{HEADER}{rows}")).expect("writable");
    let spool = folder.path().join("spool");
    fs::create_dir(&spool).expect("writable");
    let scan = |memory: &str| {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("zhijian"));
        command.current_dir(folder.path()).env("TMPDIR", &spool).args(["scan", "day.csv", "-q", "--memory", memory]);
        command.output().expect("runs")
    };
    let (little, much) = (scan("1MiB"), scan("4GiB"));
    assert!(little.status.success() && !much.stdout.is_empty());
    assert!(little.stdout == much.stdout);
    assert!(names(&spool).is_empty());
}

#[test]
fn inspect_says_what_was_detected_and_how_to_change_it() {
    let (code, out, err) = zhijian(&samples(), &["inspect", "desk.gbk.csv", "desk.xlsx", "wecom.jsonl", "wechat.txt"]);
    assert_eq!(code, 0, "{err}");
    for part in [
        "格式：csv",
        "编码：gb18030",
        "conversation=1 会话ID",
        "坐席 2, 客户 2, 系统 1",
        "2026-09-18 09:00:00 — 2026-09-18 09:00:40",
        "zhijian scan --input-format csv --encoding gb18030 --delimiter ',' --columns conversation=1,role=2,text=5,agent=3,time=4 desk.gbk.csv",
        "会话列表, 消息明细",
        "json (wecom)",
        "张三: 你好",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    let (code, out, _) = zhijian(&samples(), &["inspect", "volcengine-asr.json", "--lang", "en"]);
    assert!(code == 0 && out.contains("unknown 3") && out.contains("--roles 'agent=1,customer=0'"), "{out}");
}

#[cfg(unix)]
#[test]
fn the_command_that_inspect_prints_reads_the_input_alike() {
    let (bin, path) = (assert_cmd::cargo::cargo_bin("zhijian"), std::env::var("PATH").unwrap_or_default());
    let path = format!("{}:{path}", bin.parent().expect("is in a folder").display());
    for name in ["desk.utf-16.txt", "desk.xlsx", "packed.csv.gz", "qianniu.zip", "aliyun-asr.json", "wangwang.xml"] {
        let (code, out, err) = zhijian(&samples(), &["inspect", name, "--roles", "agent=1,customer=0"]);
        assert_eq!(code, 0, "{name}: {err}");
        let command = out.lines().find_map(|line| line.split_once("zhijian scan ")).expect("a command").1;
        let output = std::process::Command::new("sh")
            .current_dir(samples())
            .env("PATH", &path)
            .args(["-c", &format!("zhijian scan {command} -q")])
            .output()
            .expect("runs");
        let found = String::from_utf8(output.stdout).expect("UTF-8");
        assert_eq!((output.status.code(), found.lines().count()), (Some(0), 1), "{name}: {command}");
    }
}

#[test]
fn names_of_agents_are_told_by_the_user_where_nothing_else_tells() {
    let folder = tempfile::tempdir().expect("writable");
    let chat = "2026-09-18 09:00:00 林间: 能退吗\n2026-09-18 09:00:10 小满01: 你就是个傻逼\n";
    fs::write(folder.path().join("chat.txt"), chat).expect("writable");
    let (code, _, err) = zhijian(folder.path(), &["scan", "chat.txt"]);
    assert!(code == 2 && err.contains("--agents"), "{err}");
    assert!(!err.contains("林间") && !err.contains("小满01"), "names are personal data: {err}");
    let (code, out, err) = zhijian(folder.path(), &["scan", "chat.txt", "--agents", "小满*"]);
    assert_eq!((code, out.lines().count()), (0, 1), "{err}");
    assert!(out.contains("\"agent\":\"小满01\""), "{out}");
}
