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
    let root = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
    let links = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;
    let sheet = format!(
        r#"<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>"#
    );
    zip(&[
        ("[Content_Types].xml", types.as_bytes()),
        ("_rels/.rels", root.as_bytes()),
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

/// One conversation: id, and role, text and second of each message.
type Told = (String, Vec<(bool, String, u32)>);

fn told() -> impl proptest::strategy::Strategy<Value = Vec<Told>> {
    use proptest::prelude::*;
    // Words and marks that each shape has to keep apart from its own; no text is a notice or a picture by itself.
    let text = proptest::collection::vec(
        prop_oneof![
            Just("能退吗"),
            Just("，"),
            Just("a,b"),
            Just("\"引号\""),
            Just("；"),
            Just("不行"),
            Just("😊"),
            Just(" "),
            Just("1;2")
        ],
        1..8,
    )
    .prop_map(|words| format!("话{}完", words.concat()));
    let message = (any::<bool>(), text);
    let conversation = proptest::collection::vec(message, 1..6).prop_map(|messages| {
        (0u32..).zip(messages).map(|(second, (agent, text))| (agent, text, second)).collect::<Vec<_>>()
    });
    proptest::collection::vec(conversation, 1..5).prop_map(|conversations| {
        // A header-less or name-only reader needs both sides to be there; the first row settles it.
        let mut all: Vec<Told> = (0..).zip(conversations).map(|(at, turns)| (format!("c{at}"), turns)).collect();
        all[0].1.insert(0, (true, "您好".to_owned(), 0));
        all
    })
}

fn time(second: u32) -> String {
    format!("2026-09-18 09:00:{second:02}")
}

/// Every shape that conversations can be written in, with a name that tells it.
fn written(told: &[Told]) -> Vec<(&'static str, Vec<u8>)> {
    let words = |agent: bool| if agent { "客服" } else { "客户" };
    let rows = || {
        told.iter()
            .flat_map(|(id, turns)| turns.iter().map(move |(agent, text, second)| (id, *agent, text, time(*second))))
    };
    let delimited = |delimiter: u8| {
        let mut csv = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        csv.write_record(["会话ID", "角色", "发送时间", "消息内容"]).expect("memory takes writes");
        for (id, agent, text, time) in rows() {
            csv.write_record([id, words(agent), &time, text]).expect("memory takes writes");
        }
        csv.into_inner().expect("memory takes writes")
    };
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    let utf16: Vec<u8> = [0xfeffu16]
        .into_iter()
        .chain(text(&delimited(b',')).encode_utf16().collect::<Vec<_>>())
        .flat_map(u16::to_le_bytes)
        .collect();
    let native = |(id, turns): &Told| {
        let turns: Vec<_> = turns.iter().map(|(agent, text, second)| serde_json::json!({"speaker": if *agent { "agent" } else { "customer" }, "text": text, "time": time(*second)})).collect();
        serde_json::json!({"id": id, "turns": turns}).to_string() + "\n"
    };
    let lines: String = told.iter().map(native).collect();
    let records: Vec<_> = rows().map(|(id, agent, text, time)| serde_json::json!({"session_id": id, "sender": words(agent), "content": text, "send_time": time})).collect();
    let tickets: Vec<_> = told
        .iter()
        .map(|(id, turns)| {
            let dialogue: Vec<_> = turns.iter().map(|(agent, text, second)| serde_json::json!({"role": words(*agent), "words": text, "beginTime": time(*second)})).collect();
            serde_json::json!({"tid": id, "dialogue": dialogue})
        })
        .collect();
    let sheet = (1..).zip(rows()).map(|(at, (id, agent, text, time))| {
        let text = text.replace('"', "&quot;");
        cells(at + 1, &[id, words(agent), &time, &text])
    });
    let sheet = cells(1, &["会话ID", "角色", "发送时间", "消息内容"]) + &sheet.collect::<String>();
    let chats: Vec<(String, String)> = told
        .iter()
        .map(|(id, turns)| {
            let lines = turns.iter().map(|(agent, text, second)| {
                format!("{} {}: {text}\n", time(*second), if *agent { "客服小满" } else { "客户甲" })
            });
            (format!("{id}.txt"), lines.collect())
        })
        .collect();
    let members: Vec<(&str, &[u8])> = chats.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    vec![
        ("day.csv", delimited(b',')),
        ("day.tsv", delimited(b'\t')),
        ("semicolon.csv", delimited(b';')),
        ("gbk.csv", encoding_rs::GB18030.encode(&text(&delimited(b','))).0.into_owned()),
        ("utf16.csv", utf16),
        ("day.csv.gz", gzip(&delimited(b','))),
        ("day.csv.zst", zstd::encode_all(delimited(b',').as_slice(), 1).expect("packs")),
        ("day.jsonl", lines.into_bytes()),
        ("records.json", serde_json::json!({"code": 0, "data": records}).to_string().into_bytes()),
        ("tickets.json", serde_json::json!({"tickets": tickets}).to_string().into_bytes()),
        ("day.xlsx", workbook(&sheet)),
        ("chats.zip", zip(&members)),
    ]
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_in_any_shape_is_read_back_equal(told in told()) {
        for (name, bytes) in written(&told) {
            let (export, complete) = read(name, &bytes);
            let back: Vec<Told> = (0..export.len())
                .map(|at| {
                    let conversation = export.get(at);
                    let turn = |turn: &zhijian::Turn<'_>| {
                        assert_eq!(&turn.time[..17], "2026-09-18 09:00:");
                        (turn.role == SpeakerRole::Agent, turn.text.to_owned(), turn.time[17..].parse().expect("seconds"))
                    };
                    (conversation.id.to_owned(), conversation.turns.iter().map(turn).collect())
                })
                .collect();
            proptest::prop_assert!(complete && !export.ledger.is_incomplete(), "{}: {:?}", name, export.ledger);
            proptest::prop_assert_eq!(&back, &told, "{}", name);
        }
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
    for path in ["in/a.csv", "in/c.zip/x.csv", "in/c.zip/y/z.csv", "in/deep/b.csv"] {
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
