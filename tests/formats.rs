//! Every export shape gives the same findings; broken and hostile input is read as far as it goes, and said to be broken.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

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
    let result = input::read_bytes(name, bytes, &options(name), &mut export);
    let complete = result.is_ok();
    if let Err(error) = result {
        eprintln!("{error}");
    }
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

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).expect("memory takes writes");
    out.finish().expect("memory takes writes")
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

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        out.start_file(*name, zip::write::SimpleFileOptions::default()).expect("memory takes writes");
        out.write_all(bytes).expect("memory takes writes");
    }
    out.finish().expect("memory takes writes").into_inner()
}

/// A workbook of one sheet with this XML in it.
fn workbook(rows: &str) -> Vec<u8> {
    let types = r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#;
    let book = r#"<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="消息" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
    let links = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
    let sheet = format!(
        r#"<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>"#
    );
    zip(&[
        ("[Content_Types].xml", types.as_bytes()),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", links.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ])
}

fn cells(row: usize, cells: &[&str]) -> String {
    let cell = |(at, text): (usize, &&str)| {
        let name = char::from(b'A' + u8::try_from(at).expect("few columns"));
        if text.starts_with('<') {
            format!(r#"<c r="{name}{row}">{text}</c>"#)
        } else {
            format!(r#"<c r="{name}{row}" t="inlineStr"><is><t>{text}</t></is></c>"#)
        }
    };
    format!(r#"<row r="{row}">{}</row>"#, cells.iter().enumerate().map(cell).collect::<String>())
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
