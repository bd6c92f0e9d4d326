//! `zhijian sample`

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs;

use crate::cli::args::SampleArguments;
use crate::cli::report::{Transcripts, privacy};
use crate::cli::{Failure, Outcome, output, scan};
use crate::model::{Conversation, SpeakerRole};
use crate::report::Privacy;
use crate::report::manifest::{self, Manifest};
use crate::report::table::{Cell, Column, REVIEW_COLUMNS, Table, write_csv};
use crate::report::workbook;
use crate::review::sample::{Candidate, Drawn, Plan, draw};
use crate::review::{SAMPLE_COLUMNS, sheet};

pub fn run(arguments: &SampleArguments) -> Result<Outcome, Failure> {
    let options = scan::input_options(&arguments.reading)?;
    let privacy = privacy(&arguments.privacy)?;
    let manifest_path = arguments.report.join(manifest::FILE_NAME);
    let failed = |message: String| Failure(format!("{}: [manifest] {message}", manifest_path.display()));
    let text = fs::read_to_string(&manifest_path).map_err(|error| failed(error.to_string()))?;
    let manifest: Manifest = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    let candidates = candidates(&arguments.report.join("conversations.csv"))?;
    let plan = Plan {
        risk: arguments.risk,
        random: arguments.random,
        per_agent: arguments.per_agent,
        seed: arguments.seed,
        full: manifest.settings["score"]["full"].as_f64().unwrap_or(100.0),
    };
    let drawn = draw(&candidates, &plan);
    let key = |candidate: &Candidate| (candidate.path.clone(), candidate.conversation.clone());
    let wanted: HashMap<(String, String), usize> =
        drawn.iter().enumerate().map(|(at, drawn)| (key(&candidates[drawn.at]), at)).collect();
    let named: BTreeSet<String> = drawn.iter().map(|drawn| candidates[drawn.at].path.clone()).collect();
    let mut texts = vec![String::new(); drawn.len()];
    let mut transcripts = Transcripts::open(&arguments.transcripts, named, &options)?;
    transcripts.each(&mut |conversation, path| {
        if let Some(at) = wanted.get(&(path.to_owned(), conversation.id.to_owned())) {
            texts[*at] = transcript(conversation, &privacy);
        }
        Ok(())
    })?;
    let missing = texts.iter().filter(|text| text.is_empty()).count();
    let table = || table(&candidates, &drawn, &texts);
    let path = &arguments.output;
    if path.extension().is_some_and(|extension| extension == "xlsx") {
        output::write(path, |out| workbook::write_table(out, table()))?;
    } else {
        output::write(path, |out| write_csv(out, table()))?;
    }
    let mut reasons: Vec<(&str, usize)> = Vec::new();
    for drawn in &drawn {
        match reasons.iter_mut().find(|(reason, _)| *reason == drawn.reason) {
            Some((_, count)) => *count += 1,
            None => reasons.push((drawn.reason, 1)),
        }
    }
    let reasons: Vec<String> = reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
    anstream::println!("抽样 {} 个会话（{}），共 {} 个", drawn.len(), reasons.join("，"), candidates.len());
    if missing > 0 {
        anstream::eprintln!("{missing} 个会话找不到原文；用 --transcripts 指定会话文件");
    }
    Ok(if missing > 0 || transcripts.incomplete { Outcome::Incomplete } else { Outcome::Clean })
}

fn candidates(path: &std::path::Path) -> Result<Vec<Candidate>, Failure> {
    let wanted = ["会话ID", "来源文件", "坐席", "命中数", "得分", "结论"];
    let rows = sheet::columns(path, wanted)?.into_iter();
    let candidate = |[conversation, path, agent, findings, score, verdict]: [String; 6]| Candidate {
        conversation,
        path,
        agent,
        findings: findings.parse().unwrap_or(0),
        score: score.parse().unwrap_or(0.0),
        fatal: verdict == "红线",
    };
    Ok(rows.map(candidate).collect())
}

/// One row a line, with its number and who speaks.
fn transcript(conversation: &Conversation<'_>, privacy: &Privacy) -> String {
    let mut text = String::new();
    for (at, turn) in conversation.turns.iter().enumerate() {
        let who = match turn.role {
            SpeakerRole::Agent => "坐席",
            SpeakerRole::Customer => "客户",
            SpeakerRole::System => "系统",
            SpeakerRole::Unknown => "未知",
        };
        let shown = privacy.text(turn.text, conversation);
        let line: String = shown.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let newline = if at > 0 { "\n" } else { "" };
        write!(text, "{newline}{at} {who}：{line}").expect("a string takes every write");
    }
    text
}

fn table<'t>(candidates: &'t [Candidate], drawn: &'t [Drawn], texts: &'t [String]) -> Table<'t> {
    let [reason, stratum, missed] = SAMPLE_COLUMNS;
    let columns = vec![
        Column("会话ID", 20.0),
        Column("坐席", 14.0),
        Column(reason, 12.0),
        Column(stratum, 8.0),
        Column("命中数", 8.0),
        Column("得分", 7.0),
        Column("会话原文", 80.0),
        Column("来源文件", 20.0),
        Column(missed, 20.0),
        Column(REVIEW_COLUMNS[0], 10.0),
        Column(REVIEW_COLUMNS[1], 10.0),
        Column(REVIEW_COLUMNS[2], 24.0),
    ];
    let rows = drawn.iter().zip(texts).map(|(drawn, text)| {
        let candidate = &candidates[drawn.at];
        vec![
            Cell::Id(candidate.conversation.as_str().into()),
            Cell::Id(candidate.agent.as_str().into()),
            Cell::Text(drawn.reason.into()),
            Cell::Count(drawn.stratum),
            Cell::Count(candidate.findings),
            Cell::Number(candidate.score, 1),
            Cell::Text(text.as_str().into()),
            Cell::Text(candidate.path.as_str().into()),
            Cell::Empty,
            Cell::Empty,
            Cell::Empty,
            Cell::Empty,
        ]
    });
    Table { file: "sample", sheet: "抽样", columns, rows: Box::new(rows) }
}
