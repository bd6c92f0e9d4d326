//! The round trip of a review: scan → workbook → filled in by two reviewers → import → suppressions, gold file, sample.

mod common;

use calamine::{Data, DataType, Reader, open_workbook_auto};
use common::{DAY, HEADER, Workdir};
use rust_xlsxwriter::Workbook;

/// A cell to fill in: its header, its row from 0 without the header, its text.
type Filled<'t> = (&'t str, usize, &'t str);

/// Copies a sheet of a workbook with cells filled in, as a reviewer's Excel would save it.
fn fill_in(dir: &Workdir, from: &str, sheet: &str, to: &str, cells: &[Filled<'_>]) {
    let mut source = open_workbook_auto(dir.0.join(from)).expect("a workbook");
    let range = source.worksheet_range(sheet).expect("the sheet");
    let mut workbook = Workbook::new();
    let copy = workbook.add_worksheet().set_name(sheet).expect("a name");
    for (row, values) in (0u32..).zip(range.rows()) {
        for (column, value) in (0u16..).zip(values) {
            match value {
                Data::Empty => {}
                Data::Float(number) => drop(copy.write_number(row, column, *number).expect("a cell")),
                value => drop(copy.write_string(row, column, value.to_string()).expect("a cell")),
            }
        }
    }
    for (header, row, text) in cells {
        let place = range.rows().next().expect("a header").iter().position(|cell| cell.get_string() == Some(header));
        let column = u16::try_from(place.unwrap_or_else(|| panic!("{header}"))).expect("few columns");
        copy.write_string(u32::try_from(*row).expect("few rows") + 1, column, *text).expect("a cell");
    }
    workbook.save(dir.0.join(to)).expect("writable");
}

#[test]
fn what_reviewers_write_into_the_workbook_comes_back() {
    let dir = Workdir::new();
    let more = "d,在线,电商,客服,小李,2026-01-02 12:00:00,傻子瓜子到了，傻子都懂\n";
    dir.file("day.csv", format!("{HEADER}{DAY}{more}"));
    dir.report("day.csv", "out", &[]);
    let ids = dir.column("out/findings.csv", "命中编号");
    assert_eq!(ids.len(), 3, "{ids:?}");
    let fill = |name: &'static str, verdicts: [&'static str; 3]| -> Vec<Filled<'static>> {
        let verdicts = verdicts.into_iter().enumerate();
        verdicts.flat_map(|(at, verdict)| [("复核结论", at, verdict), ("复核人", at, name)]).collect()
    };
    let mut first = fill("甲", ["正确", "正确", "错误"]);
    first.push(("复核意见", 2, "=商品名"));
    fill_in(&dir, "out/report.xlsx", "命中", "甲.xlsx", &first);
    fill_in(&dir, "out/report.xlsx", "命中", "乙.xlsx", &fill("乙", ["正确", "存疑", "错误"]));
    let import = ["review", "import", "甲.xlsx", "乙.xlsx", "--suppressions", "wrong.csv", "--gold", "gold.jsonl"];
    let (code, out, err) = dir.zhijian(&import);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("insult.fool\t正确 1，错误 1，存疑 0，精确率 0.500（95% 区间 0.095–0.905）"), "{out}");
    assert!(out.contains("stall.put-offs\t正确 0，错误 0，存疑 1\n"), "{out}");
    // Two of three alike; by chance 2/3·1/3 + 1/3·1/3 = 1/3: (2/3 − 1/3) / (1 − 1/3).
    assert!(out.contains("同判 3 处，Cohen κ 0.500"), "{out}");
    assert_eq!(dir.column("wrong.csv", "命中编号"), [ids[2].clone()]);
    assert_eq!(dir.column("wrong.csv", "复核意见"), ["'=商品名"]);

    dir.report("day.csv", "again", &["--suppressions", "wrong.csv"]);
    assert_eq!(dir.column("again/findings.csv", "命中编号"), ids[..2]);
    assert!(dir.read("again/manifest.json").contains("\"suppressed\": 1"));

    let gold = dir.read("gold.jsonl");
    assert_eq!(gold.lines().count(), 3, "{gold}");
    assert!(!gold.contains("13800001234"), "{gold}");
    let pack = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/pack");
    let (code, figures, err) = dir.zhijian(&["eval", "gold.jsonl", "--no-builtin", "--lexicons", pack, "--json"]);
    assert_eq!(code, 0, "{err}");
    let figures: serde_json::Value = serde_json::from_str(&figures).expect("JSON");
    assert_eq!(figures["all"], serde_json::json!({"tp": 1, "fp": 1, "fn": 0}), "{figures}");
}

#[test]
fn an_upheld_appeal_makes_a_finding_wrong_and_bad_cells_are_named() {
    let dir = Workdir::new();
    dir.file("day.csv", format!("{HEADER}{DAY}"));
    dir.report("day.csv", "out", &[]);
    let cells = [("复核结论", 0, "正确"), ("申诉", 0, "成立"), ("复核结论", 1, "大概")];
    fill_in(&dir, "out/report.xlsx", "命中", "甲.xlsx", &cells);
    let (code, out, err) = dir.zhijian(&["review", "import", "甲.xlsx", "--suppressions", "wrong.csv"]);
    assert_eq!(code, 2, "{out}");
    assert!(err.contains("甲.xlsx!命中:3: [review]") && err.contains("大概"), "{err}");
    assert!(out.contains("申诉成立\t1 处"), "{out}");
    assert_eq!(dir.column("wrong.csv", "命中编号").len(), 1);
    let (code, _, err) = dir.zhijian(&["review", "import", "day.csv"]);
    assert!(code == 2 && err.contains("[table]"), "{err}");
}

#[test]
fn a_csv_saved_by_chinese_excel_is_read() {
    let dir = Workdir::new();
    dir.file("day.csv", format!("{HEADER}{DAY}"));
    dir.report("day.csv", "out", &[]);
    // The last four cells of a row are those to fill in.
    let text = dir.read("out/findings.csv").trim_start_matches('\u{feff}').replace(",,,,\r\n", ",正确,甲,,\r\n");
    dir.file("gbk.csv", encoding_rs::GBK.encode(&text).0);
    let (code, out, err) = dir.zhijian(&["review", "import", "gbk.csv"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("合计\t正确 2，错误 0"), "{out}");
}

#[test]
fn a_sample_is_reproducible_and_its_review_estimates_what_was_missed() {
    let dir = Workdir::new();
    let clean = |at: usize| format!("n{at},在线,电商,客服,小赵,2026-01-02 12:00:00,好的\n");
    dir.file("day.csv", format!("{HEADER}{DAY}") + &(0..40).map(clean).collect::<String>());
    dir.report("day.csv", "out", &[]);
    let arguments = ["sample", "out", "--random", "0.1", "--per-agent", "6", "-o"];
    for (name, seed) in [("one.csv", "1"), ("two.csv", "1"), ("three.csv", "2")] {
        let (code, _, err) = dir.zhijian(&[&arguments[..], &[name, "--seed", seed]].concat());
        assert_eq!(code, 0, "{err}");
    }
    assert_eq!(dir.read("one.csv"), dir.read("two.csv"));
    assert_ne!(dir.read("one.csv"), dir.read("three.csv"));
    let reasons = dir.column("one.csv", "抽样原因");
    let count = |reason: &str| reasons.iter().filter(|other| *other == reason).count();
    assert_eq!((count("红线"), count("按风险"), count("随机未命中")), (1, 1, 5));
    assert!(!dir.read("one.csv").contains("13800001234"));
    let (code, _, err) = dir.zhijian(&[&arguments[..], &["s.xlsx"]].concat());
    assert_eq!(code, 0, "{err}");
    let random: Vec<usize> = (0..reasons.len()).filter(|at| reasons[*at] == "随机未命中").collect();
    let mut cells: Vec<Filled<'_>> = random.iter().map(|at| ("复核结论", *at, "正确")).collect();
    cells.push(("漏检", random[0], "拖延推诿@0"));
    fill_in(&dir, "s.xlsx", "抽样", "done.xlsx", &cells);
    let (code, out, err) = dir.zhijian(&["review", "import", "done.xlsx", "--gold", "gold.jsonl"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("随机未命中会话 5 个，其中 1 个有漏检（0.200"), "{out}");
    assert!(out.contains("推算 41 个未命中会话中约 8 个"), "{out}");
    assert!(dir.read("gold.jsonl").contains("{\"family\":\"stall\"}"));
}
