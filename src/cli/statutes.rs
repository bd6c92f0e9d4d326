//! `zhijian statutes`

use std::path::Path;

use crate::cli::args::{RuleOptions, StatutesArguments, StatutesCommand};
use crate::cli::{Failure, Outcome, checker};
use crate::model::StatuteRef;
use crate::statutes::texts::TextStore;
use crate::statutes::{Cited, StatuteBase};

pub fn run(arguments: &StatutesArguments) -> Result<Outcome, Failure> {
    match &arguments.command {
        StatutesCommand::List(options) => list(&base(options)?),
        StatutesCommand::Show { law, place, text, data_dir, rules } => {
            let store = if *text { Some(store(data_dir.as_deref())?) } else { None };
            show(&base(rules)?, law, place.as_deref(), rules, store.as_ref())
        }
        StatutesCommand::Search { words, limit, rules } => search(&base(rules)?, words, *limit, rules),
        StatutesCommand::Graph { law, place, rules } => graph(law, place, rules),
        StatutesCommand::Import { path, data_dir, rules } => import(&base(rules)?, path, data_dir.as_deref()),
    }
}

fn base(options: &RuleOptions) -> Result<StatuteBase, Failure> {
    let dirs: Vec<&std::path::Path> = options.statutes.iter().map(std::path::PathBuf::as_path).collect();
    Ok(StatuteBase::load(&dirs)?)
}

fn list(base: &StatuteBase) -> Result<Outcome, Failure> {
    let mut laws: Vec<_> = base.laws().iter().collect();
    laws.sort_by(|a, b| a.name.cmp(&b.name));
    for law in laws {
        let versions: Vec<String> = law
            .versions
            .iter()
            .map(|v| {
                let until = v.in_force_until.map(|until| until.to_string()).unwrap_or_default();
                format!("{}～{until}", v.in_force_from)
            })
            .collect();
        anstream::println!("{}\t{}\t{}条\t{}", law.name, law.rank.chinese(), law.articles.len(), versions.join("，"));
    }
    Ok(Outcome::Clean)
}

fn show(
    base: &StatuteBase,
    name: &str,
    place: Option<&str>,
    options: &RuleOptions,
    texts: Option<&TextStore>,
) -> Result<Outcome, Failure> {
    let Some(law) = base.law(name) else {
        return Err(Failure(format!("没有法律 '{name}'；用 `zhijian statutes list` 查看全部法律")));
    };
    let Some(place) = place else {
        anstream::println!("《{}》（{}，{}）", law.title, law.rank.chinese(), law.issuer);
        for entry in &law.articles {
            anstream::println!("  {}\t{}\t{}", entry.article, entry.versions.join(","), entry.gist);
        }
        return Ok(Outcome::Clean);
    };
    let reference: StatuteRef = format!("{name} {place}").parse().map_err(Failure)?;
    let Some(newest) = base.resolve(&reference) else {
        return Err(Failure(format!("法条库中没有 {reference}")));
    };
    let industry = law.sectors.first().map_or("", String::as_str);
    let cited = match options.on {
        Some(date) => base
            .in_force(&reference, date, industry)
            .ok_or_else(|| Failure(format!("{date} 没有与 {reference} 相当的有效条文")))?,
        None => newest,
    };
    print(&cited);
    if let Some(texts) = texts {
        let stored = texts.text(cited.law, cited.version)?;
        match stored.as_ref().and_then(|stored| stored.articles.get(&cited.entry.article.to_string())) {
            Some(text) => anstream::println!("原文：{text}"),
            None => {
                let (law, dir) = (&cited.law.name, texts.dir().display());
                return Err(Failure(format!(
                    "没有《{law}》这一文本的原文（{dir}）；先用 `zhijian statutes import` 导入"
                )));
            }
        }
    }
    Ok(Outcome::Clean)
}

fn store(dir: Option<&Path>) -> Result<TextStore, Failure> {
    TextStore::new(dir).ok_or_else(|| Failure("找不到数据目录；用 --data-dir 指定".to_owned()))
}

fn search(base: &StatuteBase, words: &[String], limit: usize, options: &RuleOptions) -> Result<Outcome, Failure> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let date = options.on.unwrap_or_else(|| jiff::ZonedDateTime::now().date());
    for hit in base.search(&words, date).iter().take(limit) {
        let until = hit.cited.version.in_force_until.filter(|_| !hit.in_force);
        let state = until.map_or(String::new(), |until| format!("（至 {until}）"));
        anstream::println!("{}{state}\t{}", hit.cited.label(), hit.cited.gist());
    }
    Ok(Outcome::Clean)
}

fn graph(law: &str, place: &str, options: &RuleOptions) -> Result<Outcome, Failure> {
    let checker = checker(options, None)?;
    let base = &checker.statutes;
    let reference: StatuteRef = format!("{law} {place}").parse().map_err(Failure)?;
    let Some(cited) = base.resolve(&reference) else {
        return Err(Failure(format!("法条库中没有 {reference}")));
    };
    anstream::println!("{}：{}", cited.label(), cited.gist());
    let agree = |a: Option<u8>, b: Option<u8>| a.is_none() || b.is_none() || a == b;
    let means = |other: &StatuteRef| {
        base.law(&other.law).is_some_and(|law| law.name == cited.law.name)
            && other.article == reference.article
            && agree(other.paragraph, reference.paragraph)
            && agree(other.item, reference.item)
    };
    for law in base.laws() {
        for entry in &law.articles {
            let successors = entry.successors.iter();
            if successors.clone().any(|successor| means(&successor.to)) {
                let newest = law.versions.iter().rev().find(|version| entry.versions.contains(&version.id));
                if let Some(version) = newest {
                    let former = Cited { law, version, entry, paragraph: None, item: None };
                    anstream::println!("  ← {}（{} 起）", former.label(), version.in_force_from);
                }
            }
        }
    }
    for successor in &cited.entry.successors {
        if let Some(now) = base.resolve(&successor.to) {
            anstream::println!("  → {}", now.label());
        }
    }
    for rule in &checker.rules.rules {
        for (reference, _) in rule.statutes.iter().filter(|(reference, _)| means(reference)) {
            anstream::println!("  规则 {}\t{}\t{reference}", rule.id, rule.title);
        }
    }
    Ok(Outcome::Clean)
}

fn import(base: &StatuteBase, path: &Path, dir: Option<&Path>) -> Result<Outcome, Failure> {
    let store = store(dir)?;
    let reports = store.import(base, path)?;
    for report in &reports {
        anstream::println!("{report}");
    }
    let (stored, agree) = (
        reports.iter().filter(|report| report.taken_for.is_some()).count(),
        reports.iter().filter(|report| report.agrees()).count(),
    );
    anstream::println!("已导入 {stored} 个文本到 {}，其中 {agree} 个与法条库完全一致", store.dir().display());
    Ok(if stored == 0 { Outcome::Incomplete } else { Outcome::Clean })
}

fn print(cited: &Cited<'_>) {
    let until = cited.version.in_force_until.map_or("至今".to_owned(), |until| format!("至 {until}"));
    anstream::println!("{}（{} 起{until}）", cited.label(), cited.version.in_force_from);
    anstream::println!("要旨：{}", cited.gist());
    let rest = [
        ("责任", cited.entry.liabilities()),
        ("约束", cited.entry.bound()),
        ("期限", cited.entry.deadline.clone().unwrap_or_default()),
        ("例外", cited.entry.exceptions.clone().unwrap_or_default()),
        ("注意", cited.entry.note.clone()),
    ];
    for (name, text) in rest.into_iter().filter(|(_, text)| !text.is_empty()) {
        anstream::println!("{name}：{text}");
    }
}
