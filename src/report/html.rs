//! One self-contained page: figures, trend, heat map, tables, and a reading view of the flagged conversations.
//!
//! Tables are written as HTML and read without scripts. The reading view is drawn by a script from data that stands in the
//! page as JSON, a page of conversations at a time, so that it stays quick with many. Everything from transcripts is
//! escaped or set as text, and a Content-Security-Policy allows the page's own style and script only, by their hashes.

use std::fmt::Write as _;
use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::model::{Family, Severity, SpeakerRole};
use crate::report::day::{ConversationFacts, Tally, family_index, rate};
use crate::report::summary::{Report, Status};
use crate::report::table::{channel, decimal, verdict};
use crate::report::time::parse_time;

const STYLE: &str = include_str!("html/report.css");
const SCRIPT: &str = include_str!("html/report.js");

/// How many rules and changes the page lists; the tables hold all of them.
const LISTED: usize = 15;

/// Writes the page.
///
/// # Errors
/// When the output cannot be written.
pub fn write(mut out: impl Write, report: &Report) -> io::Result<()> {
    let style = format!("{STYLE}{}", steps());
    let mut page = String::new();
    head(&mut page, report, &style);
    figures(&mut page, report);
    trend(&mut page, report);
    heat_map(&mut page, report);
    rules(&mut page, report);
    articles(&mut page, report);
    agents(&mut page, report);
    changes(&mut page, report);
    let shown = embedded(report);
    reading_view(&mut page, report, shown.len());
    out.write_all(page.as_bytes())?;
    out.write_all(b"<script type=\"application/json\" id=\"data\">")?;
    write_data(&mut Inert(&mut out), report, &shown)?;
    out.write_all(b"</script>\n<script>")?;
    out.write_all(SCRIPT.as_bytes())?;
    out.write_all(b"</script>\n</body>\n</html>\n")?;
    out.flush()
}

/// Heights and widths in steps of a hundredth: the policy forbids style attributes.
fn steps() -> String {
    (0..=100).map(|step| format!(".h{step}{{height:{step}%}}.w{step}{{width:{step}%}}")).collect()
}

fn step(part: f64, whole: f64) -> u32 {
    if whole > 0.0 { (100.0 * part / whole).round().clamp(0.0, 100.0) as u32 } else { 0 }
}

fn source_hash(text: &str) -> String {
    STANDARD.encode(Sha256::digest(text.as_bytes()))
}

/// Text as HTML text or attribute value; control characters become blanks.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push('\n'),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// Appends formatted text; a string takes every write.
macro_rules! put {
    ($page:expr, $($argument:tt)*) => {
        write!($page, $($argument)*).expect("a string takes every write")
    };
}

fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (at, c) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { "—".to_owned() } else { format!("{}%", decimal(100.0 * part as f64 / whole as f64, 1)) }
}

fn per_thousand(rate: Option<(f64, f64, f64)>) -> String {
    rate.map_or_else(|| "—".to_owned(), |(rate, ..)| decimal(rate, 1))
}

fn bounds(rate: Option<(f64, f64, f64)>) -> String {
    rate.map_or_else(String::new, |(_, low, high)| format!("{}–{}", decimal(low, 1), decimal(high, 1)))
}

fn head(page: &mut String, report: &Report, style: &str) {
    let period = match report.period() {
        Some((first, last)) if first == last => first.to_string(),
        Some((first, last)) => format!("{first} 至 {last}"),
        None => "日期未注明".to_owned(),
    };
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        source_hash(style),
        source_hash(SCRIPT)
    );
    let version = env!("CARGO_PKG_VERSION");
    let masked =
        if report.day.masked { "个人信息已遮盖" } else { "个人信息未遮盖（--unmask），请勿外传" };
    put!(
        page,
        "<!DOCTYPE html>\n<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>客服质检报告 {period}</title>\n<style>{style}</style>\n</head>\n<body>\n\
         <header class=\"top\"><h1>客服质检报告</h1><p class=\"dim\">{period}　zhijian {version}　{masked}</p></header>\n\
         <nav aria-label=\"目录\"><div><a href=\"#total\">总览</a><a href=\"#trend\">趋势</a><a href=\"#heat\">分布</a><a href=\"#rules\">规则</a>\
         <a href=\"#articles\">法条风险</a><a href=\"#agents\">坐席</a>{changes}<a href=\"#read\">会话</a></div></nav>\n<main>\n",
        changes = if report.changes.is_some() { "<a href=\"#changes\">较上期</a>" } else { "" },
    );
}

fn figure(page: &mut String, name: &str, value: &str, note: &str, bad: bool) {
    let class = if bad { "figure bad" } else { "figure" };
    put!(page, "<div class=\"{class}\"><span class=\"dim\">{name}</span><b>{value}</b><span class=\"dim\">");
    // Each part of a note keeps its words and numbers together.
    note.split('　').for_each(|part| put!(page, "<span class=\"part\">{part}</span> "));
    page.push_str("</span></div>");
}

fn figures(page: &mut String, report: &Report) {
    let total = &report.day.total;
    let [note, warning, error] = total.severities;
    page.push_str("<section class=\"figures\" id=\"total\" aria-label=\"总览\">");
    if report.day.has_transcripts {
        let turns = format!("坐席轮数 {}", grouped(total.turns));
        figure(page, "会话", &grouped(total.conversations), &turns, false);
    }
    figure(page, "命中", &grouped(total.findings), &format!("严重 {error}　警告 {warning}　提示 {note}"), false);
    if report.day.has_transcripts {
        let share = percent(total.flagged, total.conversations);
        figure(page, "命中会话占比", &share, &format!("{} 个会话", grouped(total.flagged)), false);
        let range = format!("95% 区间　{}", bounds(total.rate()));
        figure(page, "每千轮命中", &per_thousand(total.rate()), &range, false);
    }
    figure(page, "红线会话", &grouped(total.fatal), "一票否决，得 0 分", total.fatal > 0);
    if report.day.has_transcripts {
        let full = report.day.settings.score.full;
        let score = total.mean_score().map_or_else(|| "—".to_owned(), |score| decimal(score, 1));
        figure(page, "平均得分", &score, &format!("满分 {full}"), false);
        let pass = format!("{} 分及以上", report.day.settings.score.pass);
        figure(page, "合格率", &percent(total.passed, total.conversations), &pass, false);
    }
    if let Some(changes) = &report.changes {
        let count = |status: Status| changes.iter().filter(|change| change.status == status).count();
        let rest = format!("持续 {}　已消除 {}", count(Status::Continuing), count(Status::Resolved));
        figure(page, "新增问题", &count(Status::New).to_string(), &rest, count(Status::New) > 0);
    }
    if report.day.suppressed > 0 {
        figure(page, "复核剔除", &grouped(report.day.suppressed), "判错的命中不计入", false);
    }
    page.push_str("</section>\n");
    if !report.day.has_transcripts && total.findings > 0 {
        page.push_str(
            "<p class=\"dim\">有会话找不到原文，因此没有会话数、比率和平均得分；用 --transcripts 指定会话文件后可重新生成。</p>\n",
        );
    }
}

/// A bar for each day, or for each hour where there is only one day.
fn trend(page: &mut String, report: &Report) {
    let days = &report.day.days;
    let by_hour = days.len() < 2;
    let bars: Vec<(String, u64, u64)> = if by_hour {
        let hours = (0..24).map(|hour| (format!("{hour}时"), report.day.hours[hour].1, report.day.hours[hour].0));
        let hours: Vec<_> = hours.collect();
        let first = hours.iter().position(|bar| bar.2 > 0).unwrap_or(0);
        let last = hours.iter().rposition(|bar| bar.2 > 0).map_or(0, |at| at + 1);
        hours[first.min(last)..last].to_vec()
    } else {
        let label = |date: &jiff::civil::Date| format!("{}/{}", date.month(), date.day());
        days.iter().map(|(date, tally)| (label(date), tally.flagged_turns, tally.turns)).collect()
    };
    let unit = if by_hour { "按小时" } else { "按日" };
    let rates = bars.iter().filter_map(|(label, part, whole)| Some((rate(*part, *whole)?.0, label)));
    let highest = rates.max_by(|a, b| a.0.total_cmp(&b.0));
    let peak = highest.map_or_else(String::new, |(rate, label)| format!("，最高 {}（{label}）", decimal(rate, 0)));
    put!(page, "<section id=\"trend\"><h2>趋势</h2><p class=\"dim\">{unit}，每千坐席轮的命中轮数{peak}</p>");
    if bars.is_empty() {
        page.push_str("<p class=\"empty\">会话没有时间，画不出趋势。</p></section>");
        return;
    }
    let highest = highest.map_or(0.0, |(rate, _)| rate);
    let many = if bars.len() > 16 { " many" } else { "" };
    put!(page, "<div class=\"columns{many}\">");
    for (label, part, whole) in &bars {
        let rate = rate(*part, *whole);
        let height = rate.map_or(0, |rate| step(rate.0, highest));
        let value = rate.map_or_else(String::new, |rate| decimal(rate.0, 0));
        let title = format!("{label}：{whole} 轮，命中 {part} 轮，95% 区间 {}", bounds(rate));
        put!(
            page,
            "<div title=\"{title}\"><span><em>{value}</em><i class=\"h{height}\"></i></span><small>{label}</small></div>"
        );
    }
    page.push_str("</div></section>");
}

/// Families by team; by agent where there is no roster.
fn heat_map(page: &mut String, report: &Report) {
    let by_team = !report.day.teams.is_empty();
    let rows: Vec<(&str, &Tally)> = if by_team {
        report
            .day
            .teams
            .iter()
            .map(|(name, tally)| (if name.is_empty() { "（未分组）" } else { name.as_str() }, tally))
            .collect()
    } else {
        let agents = report.agent_order.iter().take(LISTED).map(|at| &report.day.agents[*at]);
        agents.map(|agent| (shown_name(&agent.name), &agent.tally)).collect()
    };
    let families: Vec<usize> = (0..Family::ALL.len()).filter(|at| report.day.total.families[*at] > 0).collect();
    let who = if by_team { "班组" } else { "坐席" };
    put!(page, "<section id=\"heat\"><h2>类别与{who}</h2><p class=\"dim\">命中数；颜色按每千坐席轮的命中数深浅");
    page.push_str(if by_team { "</p>" } else { "；提供班组表（--roster）后按班组汇总</p>" });
    if rows.is_empty() || families.is_empty() {
        page.push_str("<p class=\"empty\">没有命中。</p></section>\n");
        return;
    }
    let density = |tally: &Tally, family: usize| tally.families[family] as f64 / tally.turns.max(1) as f64;
    let highest = rows.iter().flat_map(|(_, tally)| families.iter().map(|at| density(tally, *at))).fold(0.0, f64::max);
    put!(page, "<div class=\"scroll\"><table class=\"heat\"><thead><tr><th>{who}</th>");
    for family in &families {
        put!(page, "<th>{}</th>", Family::ALL[*family].chinese());
    }
    page.push_str("</tr></thead><tbody>");
    for (name, tally) in rows {
        put!(page, "<tr><td class=\"name\">{}</td>", escape(name));
        for family in &families {
            let count = tally.families[*family];
            let shade = if count == 0 { 0 } else { 1 + step(density(tally, *family), highest) / 21 };
            let title = format!("每千轮 {}", decimal(1000.0 * density(tally, *family), 1));
            let shown = if count == 0 { "·".to_owned() } else { count.to_string() };
            put!(page, "<td class=\"t{shade}\" title=\"{title}\">{shown}</td>");
        }
        page.push_str("</tr>");
    }
    page.push_str("</tbody></table></div></section>\n");
}

fn shown_name(name: &str) -> &str {
    if name.is_empty() { "（未注明）" } else { name }
}

fn rules(page: &mut String, report: &Report) {
    let shown = report.rule_order.len().min(LISTED);
    page.push_str("<section id=\"rules\"><h2>高频规则</h2>");
    if shown == 0 {
        page.push_str("<p class=\"empty\">没有命中。</p></section>\n");
        return;
    }
    let all = report.rule_order.len();
    put!(page, "<p class=\"dim\">命中最多的 {shown} 条，共 {all} 条，全部见 rules.csv</p>");
    page.push_str(
        "<div class=\"scroll\"><table><thead><tr><th>规则</th><th class=\"num\">命中</th><th class=\"bar\"></th><th class=\"num\">会话</th>\
         <th class=\"num\">坐席</th><th class=\"num\">每千轮</th><th class=\"num range\">95% 区间</th></tr></thead><tbody>",
    );
    let most = report.rule_order.first().map_or(0, |at| report.rules[*at].findings);
    for at in &report.rule_order[..shown] {
        let (rule, stats) = (&report.day.rules[*at], &report.rules[*at]);
        let rate = stats.rate(report.day.total.turns);
        put!(
            page,
            "<tr><td class=\"wide\">{}<br><span class=\"dim\">{}　{}</span></td><td class=\"num\">{}</td>\
             <td class=\"bar\"><span class=\"track\"><i class=\"w{}\"></i></span></td><td class=\"num\">{}</td><td class=\"num\">{}</td>\
             <td class=\"num\">{}</td><td class=\"num range\">{}</td></tr>",
            escape(&rule.title),
            rule.family.chinese(),
            escape(&rule.id),
            grouped(stats.findings),
            step(stats.findings as f64, most as f64),
            grouped(stats.conversations),
            grouped(stats.agents),
            per_thousand(rate),
            bounds(rate),
        );
    }
    page.push_str("</tbody></table></div></section>\n");
}

fn articles(page: &mut String, report: &Report) {
    let shown = report.article_order.len().min(LISTED);
    page.push_str("<section id=\"articles\"><h2>法条风险</h2>");
    if shown == 0 {
        page.push_str("<p class=\"empty\">没有命中。</p></section>\n");
        return;
    }
    let all = report.article_order.len();
    put!(
        page,
        "<p class=\"dim\">涉嫌违反，不是认定；消费者权益法的义务人是经营者。列 {shown} 条，共 {all} 条，全部见 articles.csv</p>\
         <div class=\"scroll\"><table><thead><tr><th>法条</th><th>要旨</th><th>责任</th><th class=\"num\">命中</th><th class=\"num\">会话</th>\
         </tr></thead><tbody>"
    );
    for at in &report.article_order[..shown] {
        let (article, stats, note) = (&report.day.articles[*at], &report.articles[*at], &report.notes[*at]);
        put!(
            page,
            "<tr><td class=\"wide\">{}<br><span class=\"dim\">{} 起施行</span></td><td class=\"wide\">{}",
            escape(&article.label),
            article.in_force_from,
            escape(&note.gist),
        );
        if !note.deadline.is_empty() {
            put!(page, "<br><span class=\"dim\">期限：{}</span>", escape(&note.deadline));
        }
        if !note.text.is_empty() {
            put!(page, "<details><summary>原文</summary><blockquote>{}</blockquote></details>", escape(&note.text));
        }
        put!(
            page,
            "</td><td class=\"name\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td></tr>",
            escape(&note.liability).replace('、', "<br>"),
            grouped(stats.findings),
            grouped(stats.conversations),
        );
    }
    page.push_str("</tbody></table></div></section>\n");
}

fn agents(page: &mut String, report: &Report) {
    let least = report.day.settings.minimum_turns;
    put!(
        page,
        "<section id=\"agents\"><h2>坐席得分</h2><p class=\"dim\">按每千轮命中的区间下限排名；不足 {least} 轮的样本太小，不排名。得分是各会话得分的平均</p>"
    );
    if report.agent_order.is_empty() {
        page.push_str("<p class=\"empty\">没有坐席消息。</p></section>\n");
        return;
    }
    let team = !report.day.teams.is_empty();
    let trend = report.day.days.len() > 1;
    put!(
        page,
        "<div class=\"scroll\"><table><thead><tr><th class=\"num\">名次</th><th>坐席</th>{}<th class=\"num\">会话</th><th class=\"num\">轮数</th>\
         <th class=\"num\">命中</th><th class=\"num\">每千轮</th><th class=\"num range\">95% 区间</th><th class=\"num\">红线</th>\
         <th class=\"num\">得分</th><th class=\"num\">合格率</th>{}</tr></thead><tbody>",
        if team { "<th>班组</th>" } else { "" },
        if trend { "<th>每日得分</th>" } else { "" },
    );
    for (rank, at) in report.agent_order.iter().enumerate() {
        let agent = &report.day.agents[*at];
        let tally = &agent.tally;
        let ranked = rank < report.ranked;
        let place = if ranked { (rank + 1).to_string() } else { "—".to_owned() };
        put!(page, "<tr><td class=\"num\">{place}</td><td class=\"name\">{}</td>", escape(shown_name(&agent.name)));
        if team {
            put!(page, "<td>{}</td>", escape(&agent.team));
        }
        let fatal =
            if tally.fatal > 0 { format!("<span class=\"chip fatal\">{}</span>", tally.fatal) } else { "0".to_owned() };
        let dim = if ranked { "num" } else { "num thin" };
        put!(
            page,
            "<td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"{dim}\">{}</td><td class=\"{dim} range\">{}</td>\
             <td class=\"num\">{fatal}</td><td class=\"num\">{}</td><td class=\"num\">{}</td>",
            grouped(tally.conversations),
            grouped(tally.turns),
            grouped(tally.findings),
            per_thousand(tally.rate()),
            bounds(tally.rate()),
            tally.mean_score().map_or_else(|| "—".to_owned(), |score| decimal(score, 1)),
            percent(tally.passed, tally.conversations),
        );
        if trend {
            put!(page, "<td>{}</td>", sparkline(report, &agent.days));
        }
        page.push_str("</tr>");
    }
    page.push_str("</tbody></table></div></section>\n");
}

/// The agent's mean score day by day, on the days of the whole report; 0 to full.
fn sparkline(report: &Report, days: &std::collections::BTreeMap<jiff::civil::Date, Tally>) -> String {
    let last = (report.day.days.len() - 1).max(1) as f64;
    let full = report.day.settings.score.full.max(1.0);
    let mut points: Vec<(f64, f64)> = Vec::new();
    let mut title = Vec::new();
    for (at, date) in report.day.days.keys().enumerate() {
        if let Some(score) = days.get(date).and_then(Tally::mean_score) {
            points.push((2.0 + 100.0 * at as f64 / last, 24.0 - 22.0 * (score / full).clamp(0.0, 1.0)));
            title.push(format!("{}/{} {}", date.month(), date.day(), decimal(score, 1)));
        }
    }
    let line: Vec<String> = points.iter().map(|(x, y)| format!("{},{}", decimal(*x, 1), decimal(*y, 1))).collect();
    let dot = points.last().map_or_else(String::new, |(x, y)| {
        format!("<circle cx=\"{}\" cy=\"{}\" r=\"2\"/>", decimal(*x, 1), decimal(*y, 1))
    });
    format!(
        "<svg class=\"spark\" viewBox=\"0 0 104 26\" role=\"img\"><title>{}</title><polyline points=\"{}\"/>{dot}</svg>",
        title.join("，"),
        line.join(" ")
    )
}

fn changes(page: &mut String, report: &Report) {
    let Some(changes) = &report.changes else { return };
    page.push_str("<section id=\"changes\"><h2>较上期</h2><p class=\"dim\">以坐席和规则为单位；全部见 changes.csv</p>");
    if changes.is_empty() {
        page.push_str("<p class=\"empty\">两期都没有命中。</p></section>\n");
        return;
    }
    page.push_str(
        "<div class=\"scroll\"><table><thead><tr><th>状态</th><th>坐席</th><th>规则</th><th class=\"num\">上期</th><th class=\"num\">本期</th>\
         </tr></thead><tbody>",
    );
    for status in [Status::New, Status::Continuing, Status::Resolved] {
        for change in changes.iter().filter(|change| change.status == status).take(LISTED) {
            put!(
                page,
                "<tr><td class=\"name\">{}</td><td class=\"name\">{}</td><td class=\"wide\">{}<br><span class=\"dim\">{}</span></td><td class=\"num\">{}</td><td class=\"num\">{}</td></tr>",
                status.chinese(),
                escape(shown_name(&change.agent)),
                escape(&change.title),
                escape(&change.rule),
                change.before,
                change.now,
            );
        }
    }
    page.push_str("</tbody></table></div></section>\n");
}

fn reading_view(page: &mut String, report: &Report, shown: usize) {
    let all = report.day.conversations.iter().filter(|conversation| !conversation.hits.is_empty()).count();
    page.push_str("<section id=\"read\"><h2>命中会话</h2>");
    if all == 0 {
        page.push_str("<p class=\"empty\">没有命中。</p>");
    } else if shown < all {
        put!(
            page,
            "<p class=\"dim\">本页收录得分最低的 {} 个会话，共 {} 个；其余见 findings.csv 和 conversations.csv</p>",
            grouped(shown as u64),
            grouped(all as u64)
        );
    } else {
        page.push_str("<p class=\"dim\">红线在前，得分低的在前；轮次从 0 数起</p>");
    }
    page.push_str(
        "<noscript><p class=\"empty\">阅读会话需要启用脚本；全部命中见 findings.csv。</p></noscript>\
         <div class=\"filters\" role=\"search\">\
         <input id=\"search\" type=\"search\" placeholder=\"搜索原文、会话ID、规则，空格分隔\" aria-label=\"搜索\">\
         <select id=\"family\" aria-label=\"类别\"><option value=\"\">全部类别</option></select>\
         <select id=\"severity\" aria-label=\"级别\"><option value=\"\">全部级别</option></select>\
         <select id=\"agent\" aria-label=\"坐席\"><option value=\"\">全部坐席</option></select>\
         <select id=\"article\" aria-label=\"法条\"><option value=\"\">全部法条</option></select>\
         <select id=\"state\" aria-label=\"范围\"><option value=\"\">全部会话</option></select>\
         <button id=\"reset\" type=\"button\">清除</button></div>\
         <p class=\"dim\" id=\"count\" role=\"status\"></p><div id=\"list\"></div><button id=\"more\" type=\"button\" hidden>更多</button><p class=\"dim paper\" id=\"rest\"></p></section>\n\
         </main>\n<footer><p>命中是复核线索，不是法律结论。率的区间为 95% Wilson 区间。</p></footer>\n",
    );
}

/// The conversations the reading view holds: by risk, as many as the settings allow findings.
fn embedded(report: &Report) -> Vec<usize> {
    let mut left = report.day.settings.html_findings;
    let mut shown = Vec::new();
    for at in report.by_risk() {
        let hits = report.day.conversations[at].hits.len();
        if hits > left {
            break;
        }
        left -= hits;
        shown.push(at);
    }
    shown
}

/// JSON in a page: `<`, `>` and `&` are written as escapes, so that no text can end the element that holds it.
struct Inert<W: Write>(W);

impl<W: Write> Write for Inert<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut from = 0;
        for (at, byte) in bytes.iter().enumerate() {
            let escaped: &[u8] = match byte {
                b'<' => b"\\u003c",
                b'>' => b"\\u003e",
                b'&' => b"\\u0026",
                _ => continue,
            };
            self.0.write_all(&bytes[from..at])?;
            self.0.write_all(escaped)?;
            from = at + 1;
        }
        self.0.write_all(&bytes[from..])?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn write_data(out: &mut impl Write, report: &Report, shown: &[usize]) -> io::Result<()> {
    let day = &report.day;
    let agents: Vec<&str> = day.agents.iter().map(|agent| agent.name.as_str()).collect();
    let rules = day.rules.iter().map(|rule| json!([rule.id, rule.title, family_index(rule.family), rule.advice]));
    let articles = day.articles.iter().zip(&report.notes);
    let articles = articles.map(|(article, note)| json!([article.label, note.liability, note.gist, note.text]));
    let families = Family::ALL.map(|family| family.chinese());
    let severities = [Severity::Note, Severity::Warning, Severity::Error].map(Severity::chinese);
    let facts = json!({
        "families": families,
        "severities": severities,
        "agents": agents,
        "rules": rules.collect::<Vec<_>>(),
        "articles": articles.collect::<Vec<_>>(),
        "citations": day.citations,
        "messages": day.words,
        "compared": report.changes.is_some(),
    });
    let facts = serde_json::to_string(&facts).expect("plain data serialises");
    out.write_all(&facts.as_bytes()[..facts.len() - 1])?;
    out.write_all(b",\"conversations\":[")?;
    for (at, index) in shown.iter().enumerate() {
        out.write_all(if at == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &conversation(report, &day.conversations[*index]))?;
    }
    out.write_all(b"]}")
}

/// Id, date, channel, score, verdict, source, rows (role, agent, time, text), findings (id, turn, turns, agent, rule,
/// severity, fatal, start, end, citations, message, status). -1 stands for none.
fn conversation(report: &Report, facts: &ConversationFacts) -> Value {
    let day = &report.day;
    let rows = facts.texts.iter().map(|row| {
        let role = match row.role {
            SpeakerRole::Agent => 0,
            SpeakerRole::Customer => 1,
            SpeakerRole::System => 2,
            SpeakerRole::Unknown => 3,
        };
        // The date stands in the header of the conversation.
        let time =
            parse_time(&row.time).map_or_else(|| row.time.to_string(), |time| time.strftime("%H:%M:%S").to_string());
        json!([role, row.agent.map_or(-1, i64::from), time, row.text])
    });
    let hits = day.hits[facts.hits.clone()].iter().map(|hit| {
        json!([
            Report::hit_id(hit),
            hit.turn.map_or(-1, i64::from),
            hit.turns,
            hit.agent,
            hit.rule,
            hit.severity as u8,
            hit.fatal,
            hit.place.start,
            hit.place.end,
            hit.citations,
            hit.message,
            report.status(hit).map_or("", Status::chinese),
        ])
    });
    let date = facts.date.map(|date| date.to_string()).unwrap_or_default();
    let source = format!("{}:{}", day.words[facts.path as usize], facts.line);
    json!([
        facts.id,
        date,
        channel(facts.channel),
        facts.score,
        verdict(facts.score, facts.fatal, day.settings.score.pass),
        source,
        rows.collect::<Vec<_>>(),
        hits.collect::<Vec<_>>(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_a_transcript_can_end_an_element() {
        assert_eq!(escape("</script><b x='\"&"), "&lt;/script&gt;&lt;b x=&#39;&quot;&amp;");
        let mut out = Vec::new();
        serde_json::to_writer(Inert(&mut out), "</script><!--&").expect("memory takes writes");
        let text = String::from_utf8(out).expect("UTF-8");
        assert_eq!(text, r#""\u003c/script\u003e\u003c!--\u0026""#);
        assert_eq!(serde_json::from_str::<String>(&text).expect("JSON"), "</script><!--&");
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!((grouped(0), grouped(999), grouped(1_234_567)), ("0".into(), "999".into(), "1,234,567".into()));
    }
}
