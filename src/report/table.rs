//! The tables of a report: written as CSV files and as the sheets of the workbook.

use std::borrow::Cow;
use std::io::{self, Write};

use csv::{Terminator, WriterBuilder};
use jiff::civil::{Date, DateTime};

use crate::model::{Channel, Family, Severity};
use crate::report::csv::{defuse, long_id};
use crate::report::day::{Hit, Tally};
use crate::report::summary::Report;
use crate::report::time::parse_time;

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'r> {
    /// Text that may come from a transcript: never a formula.
    Text(Cow<'r, str>),
    /// An id: text also where it is all digits.
    Id(Cow<'r, str>),
    /// A count.
    Count(u64),
    /// A number with at most this many decimals.
    Number(f64, usize),
    /// A share from 0 to 1.
    Share(f64),
    /// A day.
    Date(Date),
    /// A time.
    Time(DateTime),
    /// Nothing: not known or without meaning.
    Empty,
}

/// A column: header, width in half-width characters for sheets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Column(pub &'static str, pub f64);

/// A table. Rows are made one at a time.
pub struct Table<'r> {
    /// The file name without `.csv`.
    pub file: &'static str,
    /// The name of the sheet.
    pub sheet: &'static str,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows; each has as many cells as there are columns.
    pub rows: Box<dyn Iterator<Item = Vec<Cell<'r>>> + 'r>,
}

/// The columns that a reviewer fills in.
pub const REVIEW_COLUMNS: [&str; 4] = ["复核结论", "复核人", "复核意见", "申诉"];

/// The header of the column that holds a finding's id.
pub const ID_COLUMN: &str = "命中编号";

/// Every table of a report, in the order of the sheets.
pub fn tables(report: &Report) -> Vec<Table<'_>> {
    let mut tables = vec![
        findings(report),
        conversations(report),
        agents(report),
        rules(report),
        articles(report),
        days(report),
        families(report),
        teams(report),
    ];
    if report.changes.is_some() {
        tables.push(changes(report));
    }
    tables
}

fn text<'r>(text: &'r (impl AsRef<str> + ?Sized)) -> Cell<'r> {
    match text.as_ref() {
        "" => Cell::Empty,
        text => Cell::Text(Cow::Borrowed(text)),
    }
}

fn owned<'r>(text: String) -> Cell<'r> {
    if text.is_empty() { Cell::Empty } else { Cell::Text(Cow::Owned(text)) }
}

fn yes<'r>(is: bool) -> Cell<'r> {
    if is { text("是") } else { Cell::Empty }
}

fn time(raw: &str) -> Cell<'_> {
    match parse_time(raw) {
        Some(time) => Cell::Time(time),
        None => text(raw),
    }
}

fn share<'r>(part: u64, whole: u64) -> Cell<'r> {
    if whole == 0 { Cell::Empty } else { Cell::Share(part as f64 / whole as f64) }
}

/// A rate and its bounds.
fn rate<'r>(rate: Option<(f64, f64, f64)>) -> [Cell<'r>; 3] {
    match rate {
        Some((rate, low, high)) => [rate, low, high].map(|value| Cell::Number(value, 2)),
        None => [Cell::Empty, Cell::Empty, Cell::Empty],
    }
}

/// The Chinese word.
pub fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Chat => "在线",
        Channel::Call => "热线",
        Channel::Script => "话术",
    }
}

/// The verdict on a conversation.
pub fn verdict(score: f64, fatal: bool, pass: f64) -> &'static str {
    match fatal {
        true => "红线",
        false if score >= pass => "合格",
        false => "不合格",
    }
}

fn findings(report: &Report) -> Table<'_> {
    let columns = vec![
        Column(ID_COLUMN, 14.0),
        Column("会话ID", 20.0),
        Column("轮次", 6.0),
        Column("证据轮次", 10.0),
        Column("时间", 19.0),
        Column("坐席", 12.0),
        Column("班组", 12.0),
        Column("渠道", 6.0),
        Column("行业", 8.0),
        Column("类别", 14.0),
        Column("级别", 7.0),
        Column("红线", 6.0),
        Column("规则", 24.0),
        Column("规则说明", 24.0),
        Column("命中内容", 20.0),
        Column("起", 5.0),
        Column("止", 5.0),
        Column("上文", 32.0),
        Column("原文", 40.0),
        Column("下文", 32.0),
        Column("首要法条", 34.0),
        Column("法条要旨", 40.0),
        Column("法条原文", 40.0),
        Column("责任", 16.0),
        Column("全部法条", 40.0),
        Column("说明", 40.0),
        Column("建议话术", 40.0),
        Column("扣分", 6.0),
        Column("较上期", 8.0),
        Column("来源文件", 20.0),
        Column("行号", 8.0),
        Column(REVIEW_COLUMNS[0], 10.0),
        Column(REVIEW_COLUMNS[1], 10.0),
        Column(REVIEW_COLUMNS[2], 24.0),
        Column(REVIEW_COLUMNS[3], 16.0),
    ];
    Table {
        file: "findings",
        sheet: "命中",
        columns,
        rows: Box::new(report.day.hits.iter().map(|hit| finding(report, hit))),
    }
}

fn finding<'r>(report: &'r Report, hit: &'r Hit) -> Vec<Cell<'r>> {
    let day = &report.day;
    let conversation = &day.conversations[hit.conversation as usize];
    let rule = &day.rules[hit.rule as usize];
    let agent = &day.agents[hit.agent as usize];
    let cited = &day.citations[hit.citations as usize];
    let first = cited.first().map(|at| *at as usize);
    let labels: Vec<&str> = cited.iter().map(|at| day.articles[*at as usize].label.as_str()).collect();
    let mut liabilities: Vec<&str> = Vec::new();
    for liability in cited.iter().filter_map(|at| day.articles[*at as usize].liability) {
        if !liabilities.contains(&liability.chinese()) {
            liabilities.push(liability.chinese());
        }
    }
    let shown = |at: Option<u32>| {
        at.and_then(|at| conversation.texts.get(at as usize)).map_or(Cell::Empty, |row| text(&*row.text))
    };
    let evidence = || {
        let rows = hit.turns.iter().filter_map(|at| conversation.texts.get(*at as usize));
        owned(rows.map(|row| &*row.text).collect::<Vec<_>>().join(" ⏎ "))
    };
    let turns = hit.turns.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    let place = |at: u32| if hit.turn.is_some() { Cell::Count(u64::from(at)) } else { Cell::Empty };
    vec![
        Cell::Text(Cow::Owned(Report::hit_id(hit))),
        Cell::Id(Cow::Borrowed(&conversation.id)),
        hit.turn.map_or(Cell::Empty, |turn| Cell::Count(u64::from(turn))),
        owned(turns),
        time(&hit.time),
        Cell::Id(Cow::Borrowed(&agent.name)),
        text(&agent.team),
        text(channel(conversation.channel)),
        text(&*day.words[conversation.industry as usize]),
        text(rule.family.chinese()),
        text(hit.severity.chinese()),
        yes(hit.fatal),
        text(&rule.id),
        text(&rule.title),
        text(&*hit.matched),
        place(hit.place.start),
        place(hit.place.end),
        shown(hit.turn.and_then(|turn| turn.checked_sub(1))),
        if hit.turn.is_some() { shown(hit.turn) } else { evidence() },
        shown(hit.turn.map(|turn| turn + 1)),
        first.map_or(Cell::Empty, |at| text(&day.articles[at].label)),
        first.map_or(Cell::Empty, |at| text(&report.notes[at].gist)),
        first.map_or(Cell::Empty, |at| text(&report.notes[at].text)),
        owned(liabilities.join("、")),
        owned(labels.join("；")),
        text(&*day.words[hit.message as usize]),
        text(&rule.advice),
        Cell::Number(hit.points, 1),
        report.status(hit).map_or(Cell::Empty, |status| text(status.chinese())),
        text(&*day.words[conversation.path as usize]),
        Cell::Count(hit.line),
        Cell::Empty,
        Cell::Empty,
        Cell::Empty,
        Cell::Empty,
    ]
}

fn conversations(report: &Report) -> Table<'_> {
    let day = &report.day;
    let columns = vec![
        Column("会话ID", 20.0),
        Column("日期", 11.0),
        Column("渠道", 6.0),
        Column("行业", 8.0),
        Column("坐席", 14.0),
        Column("班组", 12.0),
        Column("总轮数", 8.0),
        Column("坐席轮数", 9.0),
        Column("命中数", 8.0),
        Column("最高级别", 9.0),
        Column("类别", 28.0),
        Column("得分", 7.0),
        Column("结论", 8.0),
        Column("来源文件", 20.0),
        Column("行号", 8.0),
    ];
    let row = move |at: usize| {
        let conversation = &day.conversations[at];
        let hits = &day.hits[conversation.hits.clone()];
        let names: Vec<&str> = conversation.agents.iter().map(|at| day.agents[*at as usize].name.as_str()).collect();
        let mut teams: Vec<&str> = Vec::new();
        for agent in &conversation.agents {
            let team = day.agents[*agent as usize].team.as_str();
            if !team.is_empty() && !teams.contains(&team) {
                teams.push(team);
            }
        }
        let families: Vec<&str> = Family::ALL
            .iter()
            .filter(|family| hits.iter().any(|hit| day.rules[hit.rule as usize].family == **family))
            .map(|family| family.chinese())
            .collect();
        let known = |count: u32| if conversation.turns > 0 { Cell::Count(u64::from(count)) } else { Cell::Empty };
        vec![
            Cell::Id(Cow::Borrowed(&*conversation.id)),
            conversation.date.map_or(Cell::Empty, Cell::Date),
            text(channel(conversation.channel)),
            text(&*day.words[conversation.industry as usize]),
            match names[..] {
                [name] => Cell::Id(Cow::Borrowed(name)),
                _ => owned(names.join("、")),
            },
            owned(teams.join("、")),
            known(conversation.turns),
            known(conversation.agent_turns),
            Cell::Count(hits.len() as u64),
            report.worst(at).map_or(Cell::Empty, |severity| text(severity.chinese())),
            owned(families.join("、")),
            Cell::Number(conversation.score, 1),
            text(verdict(conversation.score, conversation.fatal, day.settings.score.pass)),
            text(&*day.words[conversation.path as usize]),
            Cell::Count(conversation.line),
        ]
    };
    Table { file: "conversations", sheet: "会话", columns, rows: Box::new((0..day.conversations.len()).map(row)) }
}

/// What tables by agent, team and day have in common.
fn tally_columns() -> Vec<Column> {
    let mut columns = vec![
        Column("会话数", 8.0),
        Column("坐席轮数", 9.0),
        Column("命中数", 8.0),
        Column("命中轮数", 9.0),
        Column("每千轮命中", 11.0),
        Column("下限95%", 9.0),
        Column("上限95%", 9.0),
        Column("命中会话", 9.0),
        Column("命中会话占比", 12.0),
        Column("红线会话", 9.0),
        Column("平均得分", 9.0),
        Column("合格率", 9.0),
        Column("严重", 7.0),
        Column("警告", 7.0),
        Column("提示", 7.0),
    ];
    columns.extend(Family::ALL.map(|family| Column(family.chinese(), 9.0)));
    columns
}

fn tally_cells<'r>(tally: &Tally) -> Vec<Cell<'r>> {
    let [rate, low, high] = rate(tally.rate());
    let [note, warning, error] = tally.severities;
    let mut cells = vec![
        if tally.conversations > 0 { Cell::Count(tally.conversations) } else { Cell::Empty },
        Cell::Count(tally.turns),
        Cell::Count(tally.findings),
        Cell::Count(tally.flagged_turns),
        rate,
        low,
        high,
        Cell::Count(tally.flagged),
        share(tally.flagged, tally.conversations),
        Cell::Count(tally.fatal),
        tally.mean_score().map_or(Cell::Empty, |score| Cell::Number(score, 1)),
        share(tally.passed, tally.conversations),
        Cell::Count(error),
        Cell::Count(warning),
        Cell::Count(note),
    ];
    cells.extend(tally.families.map(Cell::Count));
    cells
}

fn agents(report: &Report) -> Table<'_> {
    let mut columns = vec![Column("名次", 6.0), Column("坐席", 14.0), Column("班组", 12.0), Column("样本", 9.0)];
    columns.extend(tally_columns());
    let row = move |(rank, at): (usize, &usize)| {
        let agent = &report.day.agents[*at];
        let ranked = rank < report.ranked;
        let mut cells = vec![
            if ranked { Cell::Count(rank as u64 + 1) } else { Cell::Empty },
            if agent.name.is_empty() { text("（未注明）") } else { Cell::Id(Cow::Borrowed(agent.name.as_str())) },
            text(&agent.team),
            text(if ranked { "充足" } else { "不足" }),
        ];
        cells.extend(tally_cells(&agent.tally));
        cells
    };
    let rows = Box::new(report.agent_order.iter().enumerate().map(row));
    Table { file: "agents", sheet: "坐席", columns, rows }
}

fn rules(report: &Report) -> Table<'_> {
    let day = &report.day;
    let columns = vec![
        Column("规则", 26.0),
        Column("规则说明", 28.0),
        Column("类别", 14.0),
        Column("命中数", 8.0),
        Column("会话数", 8.0),
        Column("坐席数", 8.0),
        Column("每千轮命中", 11.0),
        Column("下限95%", 9.0),
        Column("上限95%", 9.0),
        Column("严重", 7.0),
        Column("警告", 7.0),
        Column("提示", 7.0),
        Column("建议话术", 50.0),
    ];
    let row = move |at: &usize| {
        let (rule, stats) = (&day.rules[*at], &report.rules[*at]);
        let [rate, low, high] = rate(stats.rate(day.total.turns));
        let [note, warning, error] = stats.severities.map(Cell::Count);
        vec![
            text(&rule.id),
            text(&rule.title),
            text(rule.family.chinese()),
            Cell::Count(stats.findings),
            Cell::Count(stats.conversations),
            Cell::Count(stats.agents),
            rate,
            low,
            high,
            error,
            warning,
            note,
            text(&rule.advice),
        ]
    };
    Table { file: "rules", sheet: "规则", columns, rows: Box::new(report.rule_order.iter().map(row)) }
}

fn articles(report: &Report) -> Table<'_> {
    let day = &report.day;
    let columns = vec![
        Column("法条", 38.0),
        Column("施行日期", 11.0),
        Column("命中数", 8.0),
        Column("会话数", 8.0),
        Column("坐席数", 8.0),
        Column("责任", 20.0),
        Column("要旨", 50.0),
        Column("约束对象", 14.0),
        Column("期限", 24.0),
        Column("例外", 24.0),
        Column("法条原文", 60.0),
    ];
    let row = move |at: &usize| {
        let (article, stats, note) = (&day.articles[*at], &report.articles[*at], &report.notes[*at]);
        vec![
            text(&article.label),
            Cell::Date(article.in_force_from),
            Cell::Count(stats.findings),
            Cell::Count(stats.conversations),
            Cell::Count(stats.agents),
            text(&note.liability),
            text(&note.gist),
            text(&note.binds),
            text(&note.deadline),
            text(&note.exceptions),
            text(&note.text),
        ]
    };
    Table { file: "articles", sheet: "法条", columns, rows: Box::new(report.article_order.iter().map(row)) }
}

fn days(report: &Report) -> Table<'_> {
    let mut columns = vec![Column("日期", 11.0)];
    columns.extend(tally_columns());
    let rows = report.day.days.iter().map(|(date, tally)| {
        let mut cells = vec![Cell::Date(*date)];
        cells.extend(tally_cells(tally));
        cells
    });
    Table { file: "days", sheet: "按日", columns, rows: Box::new(rows) }
}

fn teams(report: &Report) -> Table<'_> {
    let mut columns = vec![Column("班组", 14.0)];
    columns.extend(tally_columns());
    let rows = report.day.teams.iter().map(|(team, tally)| {
        let mut cells = vec![text(if team.is_empty() { "（未分组）" } else { team })];
        cells.extend(tally_cells(tally));
        cells
    });
    Table { file: "teams", sheet: "班组", columns, rows: Box::new(rows) }
}

/// The share of conversations hit, by family and severity.
fn families(report: &Report) -> Table<'_> {
    let day = &report.day;
    let columns = vec![
        Column("类别", 16.0),
        Column("级别", 8.0),
        Column("命中会话", 9.0),
        Column("会话占比", 10.0),
        Column("下限95%", 9.0),
        Column("上限95%", 9.0),
    ];
    let severities = [Severity::Error, Severity::Warning, Severity::Note];
    let pairs = (0..Family::ALL.len()).flat_map(move |family| severities.map(|severity| (family, severity)));
    let rows = pairs.map(move |(family, severity)| {
        let part = day.shares[family][severity as usize];
        let bounds = super::statistics::wilson(part, day.total.conversations);
        let bound = |pick: fn((f64, f64)) -> f64| bounds.map_or(Cell::Empty, |bounds| Cell::Share(pick(bounds)));
        vec![
            text(Family::ALL[family].chinese()),
            text(severity.chinese()),
            Cell::Count(part),
            share(part, day.total.conversations),
            bound(|bounds| bounds.0),
            bound(|bounds| bounds.1),
        ]
    });
    Table { file: "families", sheet: "类别", columns, rows: Box::new(rows) }
}

fn changes(report: &Report) -> Table<'_> {
    let columns = vec![
        Column("坐席", 14.0),
        Column("规则", 26.0),
        Column("规则说明", 28.0),
        Column("状态", 11.0),
        Column("上期命中", 9.0),
        Column("本期命中", 9.0),
    ];
    let rows = report.changes.iter().flatten().map(|change| {
        vec![
            Cell::Id(Cow::Borrowed(change.agent.as_str())),
            text(&change.rule),
            text(&change.title),
            text(change.status.chinese()),
            Cell::Count(change.before),
            Cell::Count(change.now),
        ]
    });
    Table { file: "changes", sheet: "较上期", columns, rows: Box::new(rows) }
}

/// Writes a table as CSV for Excel: byte order mark, CRLF, long ids as text, no cell that begins as formulas do.
///
/// # Errors
/// When the output cannot be written.
pub fn write_csv(mut out: impl Write, table: Table<'_>) -> io::Result<()> {
    out.write_all("\u{feff}".as_bytes())?;
    let mut csv = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
    csv.write_record(table.columns.iter().map(|column| column.0))?;
    for row in table.rows {
        for cell in &row {
            csv.write_field(csv_cell(cell).as_ref())?;
        }
        csv.write_record(None::<&[u8]>)?;
    }
    csv.flush()
}

fn csv_cell<'c>(cell: &'c Cell<'_>) -> Cow<'c, str> {
    match cell {
        Cell::Text(text) => defuse(text),
        Cell::Id(id) => long_id(id),
        Cell::Count(count) => Cow::Owned(count.to_string()),
        Cell::Number(value, decimals) => Cow::Owned(decimal(*value, *decimals)),
        Cell::Share(share) => Cow::Owned(format!("{:.2}%", share * 100.0)),
        Cell::Date(date) => Cow::Owned(date.to_string()),
        Cell::Time(time) => Cow::Owned(time.to_string()),
        Cell::Empty => Cow::Borrowed(""),
    }
}

/// At most so many decimals, without zeros at the end.
pub fn decimal(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    if decimals == 0 { text } else { text.trim_end_matches('0').trim_end_matches('.').to_owned() }
}
