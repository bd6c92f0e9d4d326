//! The tables as one workbook: a first sheet with totals and charts, then a sheet a table with frozen header, filter, widths
//! and colours. No cell is a formula.

use std::io::{self, Write};

use rust_xlsxwriter::{
    Chart, ChartFont, ChartFormat, ChartLine, ChartSolidFill, ChartType, Color, ConditionalFormatCell,
    ConditionalFormatCellRule, ConditionalFormatDataBar, DataValidation, DocProperties, ExcelDateTime, Format,
    FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use crate::model::{Family, Severity};
use crate::report::day::rate;
use crate::report::summary::{Report, Status};
use crate::report::table::{Cell, Column, REVIEW_COLUMNS, Table, tables};

/// The rows of a sheet, its header aside: a limit of the format. What does not fit goes to a further sheet.
const SHEET_ROWS: u32 = 1_048_575;

/// The UTF-16 units of a cell: a limit of the format.
const CELL_UNITS: usize = 32_767;

/// The number that the format gives to the paper.
const A4: u8 = 9;

const CUT: &str = "…（单元格放不下，全文见 CSV）";

/// The verdicts a reviewer can give.
pub const VERDICTS: [&str; 3] = ["正确", "错误", "存疑"];

const RED: Color = Color::RGB(0xFBE3E0);
const DARK_RED: Color = Color::RGB(0xB3261E);
const AMBER: Color = Color::RGB(0xFDEFD0);
const BLUE: Color = Color::RGB(0xE0ECF8);
const TEAL: Color = Color::RGB(0x3C8D96);
const GRID: Color = Color::RGB(0xE1E4E9);

struct Formats {
    header: Format,
    review: Format,
    number: Format,
    share: Format,
    date: Format,
    time: Format,
    title: Format,
    dim: Format,
    bold: Format,
}

/// Writes the workbook.
///
/// # Errors
/// When it cannot be written.
pub fn write(mut out: impl Write, report: &Report) -> io::Result<()> {
    let bytes = build(report).map_err(io::Error::other)?;
    out.write_all(&bytes)?;
    out.flush()
}

/// Writes one table as a workbook.
///
/// # Errors
/// When it cannot be written.
pub fn write_table(mut out: impl Write, table: Table<'_>) -> io::Result<()> {
    let formats = Formats::new();
    let bytes = new_workbook().and_then(|mut workbook| {
        sheets(&mut workbook, table, &formats)?;
        workbook.save_to_buffer()
    });
    out.write_all(&bytes.map_err(io::Error::other)?)?;
    out.flush()
}

fn build(report: &Report) -> Result<Vec<u8>, XlsxError> {
    let formats = Formats::new();
    let mut workbook = new_workbook()?;
    overview(workbook.add_worksheet(), report, &formats)?;
    for table in tables(report) {
        sheets(&mut workbook, table, &formats)?;
    }
    workbook.save_to_buffer()
}

fn new_workbook() -> Result<Workbook, XlsxError> {
    let mut workbook = Workbook::new();
    // The time of writing would make two runs differ.
    let created = ExcelDateTime::from_ymd(2000, 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_title("客服质检报告").set_creation_datetime(&created));
    Ok(workbook)
}

impl Formats {
    fn new() -> Formats {
        let header =
            Format::new().set_bold().set_background_color(Color::RGB(0xE9EDF1)).set_border_bottom(FormatBorder::Thin);
        Formats {
            review: header.clone().set_background_color(Color::RGB(0xFFF3C4)),
            header,
            number: Format::new().set_num_format("0.0#"),
            share: Format::new().set_num_format("0.0%"),
            date: Format::new().set_num_format("yyyy-mm-dd"),
            time: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
            title: Format::new().set_bold().set_font_size(18),
            dim: Format::new().set_font_color(Color::RGB(0x5D6878)),
            bold: Format::new().set_bold().set_font_size(14).set_align(FormatAlign::Left),
        }
    }
}

/// Totals, the numbers behind the charts, and the charts.
fn overview(sheet: &mut Worksheet, report: &Report, formats: &Formats) -> Result<(), XlsxError> {
    const NAME: &str = "总览";
    /// The column where the numbers behind the charts begin, right of the charts and of the printed page.
    const DATA: u16 = 23;
    sheet.set_name(NAME)?.set_screen_gridlines(false);
    sheet.set_column_width(0, 16)?.set_column_width(1, 12)?.set_column_width(2, 24)?;
    sheet.set_column_width(DATA, 34)?.set_column_width(DATA + 1, 11)?;
    sheet.set_landscape().set_paper_size(A4).set_print_area(0, 0, 45, DATA - 1)?.set_print_fit_to_pages(1, 1);
    let total = &report.day.total;
    let period = match report.period() {
        Some((first, last)) if first == last => first.to_string(),
        Some((first, last)) => format!("{first} 至 {last}"),
        None => "日期未注明".to_owned(),
    };
    let masked = if report.day.masked { "个人信息已遮盖" } else { "个人信息未遮盖" };
    sheet.write_string_with_format(0, 0, "客服质检报告", &formats.title)?;
    sheet.write_string_with_format(1, 0, format!("{period}　{masked}　命中是复核线索，不是法律结论"), &formats.dim)?;
    let per_thousand = |rate: Option<(f64, f64, f64)>| Cell::Number(rate.map_or(0.0, |rate| rate.0), 2);
    let share = |part: u64, whole: u64| if whole == 0 { Cell::Empty } else { Cell::Share(part as f64 / whole as f64) };
    let number = |value: Option<f64>| value.map_or(Cell::Empty, |value| Cell::Number(value, 2));
    let known = |count: u64| if report.day.has_transcripts { Cell::Count(count) } else { Cell::Empty };
    let all = total.rate();
    let interval = all.map_or_else(String::new, |(_, low, high)| format!("95% 区间 {low:.1}–{high:.1}"));
    let mut figures = vec![
        ("会话数", known(total.conversations), String::new()),
        ("坐席轮数", known(total.turns), String::new()),
        ("命中数", Cell::Count(total.findings), String::new()),
        ("每千轮命中", number(all.map(|rate| rate.0)), interval),
        ("命中会话", Cell::Count(total.flagged), String::new()),
        ("命中会话占比", share(total.flagged, total.conversations), String::new()),
        ("红线会话", Cell::Count(total.fatal), "一票否决，得 0 分".to_owned()),
        ("平均得分", number(total.mean_score()), format!("满分 {}", report.day.settings.score.full)),
        ("合格率", share(total.passed, total.conversations), format!("{} 分及以上", report.day.settings.score.pass)),
    ];
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        figures.push((severity.chinese(), Cell::Count(total.severities[severity as usize]), String::new()));
    }
    if report.day.suppressed > 0 {
        figures.push(("复核剔除", Cell::Count(report.day.suppressed), "判错的命中不计入".to_owned()));
    }
    if let Some(changes) = &report.changes {
        for status in [Status::New, Status::Continuing, Status::Resolved, Status::Absent] {
            let count = changes.iter().filter(|change| change.status == status).count() as u64;
            figures.push((status.chinese(), Cell::Count(count), "坐席与规则的组合".to_owned()));
        }
    }
    let mut row = 3;
    for (name, value, note) in figures {
        sheet.write_string(row, 0, name)?;
        cell(sheet, row, 1, &value, formats, Some(&formats.bold))?;
        sheet.write_string_with_format(row, 2, note, &formats.dim)?;
        row += 1;
    }
    let families: Vec<(String, Cell<'_>)> = (0..Family::ALL.len())
        .map(|at| (Family::ALL[at].chinese().to_owned(), Cell::Count(total.families[at])))
        .collect();
    let by_hour = report.day.days.len() < 2;
    let trend: Vec<(String, Cell<'_>)> = if by_hour {
        let rate = |(turns, flagged): (u64, u64)| per_thousand(rate(flagged, turns));
        (0..24)
            .filter(|hour| report.day.hours[*hour].0 > 0)
            .map(|hour| (format!("{hour}时"), rate(report.day.hours[hour])))
            .collect()
    } else {
        report.day.days.iter().map(|(date, tally)| (date.to_string(), per_thousand(tally.rate()))).collect()
    };
    let agents: Vec<(String, Cell<'_>)> = report.agent_order[..report.ranked.min(15)]
        .iter()
        .map(|at| &report.day.agents[*at])
        .map(|agent| (agent.name.clone(), per_thousand(agent.tally.rate())))
        .collect();
    let rules: Vec<(String, Cell<'_>)> = report.rule_order[..report.rule_order.len().min(15)]
        .iter()
        .map(|at| (report.day.rules[*at].title.clone(), Cell::Count(report.rules[*at].findings)))
        .collect();
    let charts = [
        ("各类别命中数", ChartType::Bar, families),
        (if by_hour { "每千轮命中（按小时）" } else { "每千轮命中（按日）" }, ChartType::Column, trend),
        ("坐席每千轮命中（排名前 15）", ChartType::Bar, agents),
        ("高频规则命中数", ChartType::Bar, rules),
    ];
    row = 3;
    for (at, (name, kind, points)) in (0u32..).zip(charts) {
        sheet.write_string_with_format(row, DATA, name, &formats.header)?;
        sheet.write_string_with_format(row, DATA + 1, "数值", &formats.header)?;
        let first = row + 1;
        for (label, value) in &points {
            row += 1;
            cell(sheet, row, DATA, &Cell::Text(label.as_str().into()), formats, None)?;
            cell(sheet, row, DATA + 1, value, formats, None)?;
        }
        row += 2;
        if points.is_empty() {
            continue;
        }
        let last = first + u32::try_from(points.len()).unwrap_or(1) - 1;
        let mut chart = Chart::new(kind);
        chart.title().set_name(name);
        chart.legend().set_hidden();
        let series = chart.add_series();
        series.set_categories((NAME, first, DATA, last, DATA)).set_values((NAME, first, DATA + 1, last, DATA + 1));
        series.set_gap(50);
        series.set_format(ChartFormat::new().set_solid_fill(ChartSolidFill::new().set_color(TEAL)));
        // Of a bar chart the names stand on y. Every one is shown, the first on top as in the table.
        let bar = kind == ChartType::Bar;
        let names = if bar { chart.y_axis().set_reverse() } else { chart.x_axis() };
        names.set_label_interval(1).set_font(ChartFont::new().set_size(8));
        let numbers = if bar { chart.x_axis() } else { chart.y_axis() };
        numbers.set_major_gridlines_line(ChartLine::new().set_color(GRID));
        chart.set_width(560).set_height(400);
        sheet.insert_chart(3 + (at / 2) * 21, u16::try_from(4 + (at % 2) * 9).unwrap_or(4), &chart)?;
    }
    Ok(())
}

/// Writes a table to as many sheets as it needs.
fn sheets(workbook: &mut Workbook, mut table: Table<'_>, formats: &Formats) -> Result<(), XlsxError> {
    let mut rows = table.rows.by_ref().peekable();
    let mut part = 0;
    while part == 0 || rows.peek().is_some() {
        part += 1;
        let name = if part == 1 { table.sheet.to_owned() } else { format!("{} {part}", table.sheet) };
        // Rows go to a temporary file at once: a day of a million turns must not be held in memory as cells.
        let sheet = workbook.add_worksheet_with_constant_memory()?;
        sheet.set_name(name)?;
        for (at, Column(title, width)) in (0u16..).zip(&table.columns) {
            let reviewed = REVIEW_COLUMNS.contains(title);
            sheet.write_string_with_format(0, at, *title, if reviewed { &formats.review } else { &formats.header })?;
            sheet.set_column_width(at, *width)?;
        }
        let mut last = 0;
        for row in rows.by_ref().take(SHEET_ROWS as usize) {
            last += 1;
            for (at, value) in (0u16..).zip(&row) {
                cell(sheet, last, at, value, formats, None)?;
            }
        }
        dress(sheet, &table.columns, last)?;
    }
    Ok(())
}

/// Frozen header, filter and colours.
fn dress(sheet: &mut Worksheet, columns: &[Column], last: u32) -> Result<(), XlsxError> {
    let width = u16::try_from(columns.len()).unwrap_or(1);
    sheet.set_freeze_panes(1, if width > 6 { 2 } else { 1 })?;
    sheet.autofilter(0, 0, last, width - 1)?;
    if last == 0 {
        return Ok(());
    }
    for (at, Column(title, _)) in (0u16..).zip(columns) {
        let mut word = |word: &str, format: Format| {
            let rule =
                ConditionalFormatCell::new().set_rule(ConditionalFormatCellRule::EqualTo(word)).set_format(format);
            sheet.add_conditional_format(1, at, last, at, &rule).map(|_| ())
        };
        let fill = |color: Color| Format::new().set_background_color(color);
        match *title {
            "级别" | "最高级别" => {
                word("严重", fill(RED).set_font_color(DARK_RED))?;
                word("警告", fill(AMBER))?;
                word("提示", fill(BLUE))?;
            }
            "红线" => word("是", fill(RED).set_font_color(DARK_RED).set_bold())?,
            "结论" => {
                word("红线", fill(RED).set_font_color(DARK_RED).set_bold())?;
                word("不合格", fill(AMBER))?;
            }
            "较上期" | "状态" => {
                word("新增", fill(RED))?;
                word("已消除", fill(Color::RGB(0xDDF0E3)))?;
            }
            "每千轮命中" | "命中会话占比" | "会话占比" => {
                let bar = ConditionalFormatDataBar::new().set_fill_color(Color::RGB(0xF0A79F));
                sheet.add_conditional_format(1, at, last, at, &bar)?;
            }
            title if title == REVIEW_COLUMNS[0] => {
                sheet.add_data_validation(1, at, last, at, &DataValidation::new().allow_list_strings(&VERDICTS)?)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn cell(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    value: &Cell<'_>,
    formats: &Formats,
    format: Option<&Format>,
) -> Result<(), XlsxError> {
    let merged = |own: &Format| format.map_or_else(|| own.clone(), |format| own.clone().merge(format));
    match value {
        // Written as text, never as a formula, link or number.
        Cell::Text(text) | Cell::Id(text) => {
            let text = fit(text);
            match format {
                Some(format) => sheet.write_string_with_format(row, column, text, format)?,
                None => sheet.write_string(row, column, text)?,
            }
        }
        Cell::Count(count) => match format {
            Some(format) => sheet.write_number_with_format(row, column, *count as f64, format)?,
            None => sheet.write_number(row, column, *count as f64)?,
        },
        Cell::Number(number, _) => sheet.write_number_with_format(row, column, *number, &merged(&formats.number))?,
        Cell::Share(share) => sheet.write_number_with_format(row, column, *share, &merged(&formats.share))?,
        Cell::Date(date) => match u16::try_from(date.year()).ok().filter(|year| (1900..=9999).contains(year)) {
            Some(year) => {
                let date = ExcelDateTime::from_ymd(year, date.month().unsigned_abs(), date.day().unsigned_abs())?;
                sheet.write_datetime_with_format(row, column, date, &formats.date)?
            }
            None => sheet.write_string(row, column, date.to_string())?,
        },
        Cell::Time(time) => match u16::try_from(time.year()).ok().filter(|year| (1900..=9999).contains(year)) {
            Some(year) => {
                let date = ExcelDateTime::from_ymd(year, time.month().unsigned_abs(), time.day().unsigned_abs())?;
                let (hour, minute) = (u16::from(time.hour().unsigned_abs()), time.minute().unsigned_abs());
                let date = date.and_hms(hour, minute, f64::from(time.second()))?;
                sheet.write_datetime_with_format(row, column, date, &formats.time)?
            }
            None => sheet.write_string(row, column, time.to_string())?,
        },
        Cell::Empty => return Ok(()),
    };
    Ok(())
}

/// The text, cut where a cell cannot hold it, without characters that XML cannot.
fn fit(text: &str) -> String {
    let clean = |c: char| if c.is_control() && c != '\n' { ' ' } else { c };
    if text.encode_utf16().count() <= CELL_UNITS {
        return text.chars().map(clean).collect();
    }
    let room = CELL_UNITS - CUT.encode_utf16().count();
    let mut units = 0;
    let kept = text.chars().take_while(|c| {
        units += c.len_utf16();
        units <= room
    });
    kept.map(clean).chain(CUT.chars()).collect()
}
