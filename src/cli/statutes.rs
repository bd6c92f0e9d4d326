//! `zhijian statutes`

use crate::cli::args::{RuleOptions, StatutesArguments, StatutesCommand};
use crate::cli::{Failure, Outcome};
use crate::model::StatuteRef;
use crate::statutes::{Cited, StatuteBase};

pub fn run(arguments: &StatutesArguments) -> Result<Outcome, Failure> {
    match &arguments.command {
        StatutesCommand::List(options) => list(&base(options)?),
        StatutesCommand::Show { law, place, rules } => show(&base(rules)?, law, place.as_deref(), rules),
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

fn show(base: &StatuteBase, name: &str, place: Option<&str>, options: &RuleOptions) -> Result<Outcome, Failure> {
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
    Ok(Outcome::Clean)
}

fn print(cited: &Cited<'_>) {
    let until = cited.version.in_force_until.map_or("至今".to_owned(), |until| format!("至 {until}"));
    anstream::println!("{}（{} 起{until}）", cited.label(), cited.version.in_force_from);
    anstream::println!("要旨：{}", cited.gist());
    let liability: Vec<&str> = cited.entry.liability.iter().map(|liability| liability.chinese()).collect();
    let rest = [
        ("责任", liability.join("、")),
        ("约束", cited.entry.binds.join("、")),
        ("期限", cited.entry.deadline.clone().unwrap_or_default()),
        ("例外", cited.entry.exceptions.clone().unwrap_or_default()),
        ("注意", cited.entry.note.clone()),
    ];
    for (name, text) in rest.into_iter().filter(|(_, text)| !text.is_empty()) {
        anstream::println!("{name}：{text}");
    }
}
