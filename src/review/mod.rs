//! Findings that people have judged: precision by rule, agreement between reviewers, what to suppress, what to learn from.

pub mod gold;
pub mod sample;
pub mod sheet;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use crate::model::Family;
use crate::report::statistics::{kappa, wilson};
use crate::report::table::{Cell, Column, ID_COLUMN, REVIEW_COLUMNS, Table};
use sheet::{Sheet, SheetError};

/// The columns that sample tables have beside those of reviews.
pub const SAMPLE_COLUMNS: [&str; 3] = ["抽样原因", "层总数", "漏检"];

/// The reason by which a conversation without findings came into a sample at random.
pub const AT_RANDOM: &str = "随机未命中";

/// A reviewer's judgement of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// 正确
    Right,
    /// 错误
    Wrong,
    /// 存疑
    Doubtful,
}

impl Verdict {
    /// Reads the words reviewers use; `None` for any other.
    pub fn from_word(word: &str) -> Option<Verdict> {
        Some(match word.trim() {
            "正确" | "对" | "是" => Verdict::Right,
            "错误" | "错" | "否" | "误报" => Verdict::Wrong,
            "存疑" | "不确定" | "？" | "?" => Verdict::Doubtful,
            _ => return None,
        })
    }
}

/// One judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Who judged: 复核人, or the file where that is empty.
    pub reviewer: String,
    /// What.
    pub verdict: Verdict,
    /// 复核意见
    pub comment: String,
}

/// A finding of a reviewed table, judged or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewedFinding {
    /// 命中编号
    pub id: String,
    /// 会话ID
    pub conversation: String,
    /// 来源文件
    pub path: String,
    /// 轮次
    pub turn: Option<usize>,
    /// 规则
    pub rule: String,
    /// 类别
    pub family: Family,
    /// In the order they were read.
    pub judgements: Vec<Judgement>,
    /// Whether the agent's appeal was upheld (申诉 成立): the finding is then wrong.
    pub appealed: bool,
}

impl ReviewedFinding {
    /// What the reviewers agree on: doubtful where they differ, `None` where nobody judged. An upheld appeal decides.
    pub fn verdict(&self) -> Option<Verdict> {
        if self.appealed {
            return Some(Verdict::Wrong);
        }
        let first = self.judgements.first()?.verdict;
        let agreed = self.judgements.iter().all(|judgement| judgement.verdict == first);
        Some(if agreed { first } else { Verdict::Doubtful })
    }
}

/// A reviewed conversation of a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewedConversation {
    /// 会话ID
    pub conversation: String,
    /// 来源文件
    pub path: String,
    /// 抽样原因
    pub reason: String,
    /// 层总数: how many conversations the reason could have drawn from.
    pub stratum: u64,
    /// 漏检: what the rules missed, as family and turn.
    pub missed: Vec<(Family, Option<usize>)>,
}

/// Everything read from reviewed tables.
#[derive(Debug, Default)]
pub struct Reviews {
    /// In the order of their first appearance.
    pub findings: Vec<ReviewedFinding>,
    /// In the order read; only those with a verdict.
    pub conversations: Vec<ReviewedConversation>,
    /// Cells that could not be understood, each with its place.
    pub problems: Vec<String>,
    by_id: BTreeMap<String, usize>,
}

impl Reviews {
    /// Reads a table, beside those read before. Cells that cannot be understood are noted in `problems`.
    ///
    /// # Errors
    /// When the file cannot be read or holds neither findings nor a sample.
    pub fn read(&mut self, path: &Path) -> Result<(), SheetError> {
        let mut any = false;
        for sheet in Sheet::read(path)? {
            if sheet.column(ID_COLUMN).is_some() && sheet.column(REVIEW_COLUMNS[0]).is_some() {
                any = true;
                self.findings(&sheet);
            } else if sheet.column(SAMPLE_COLUMNS[0]).is_some() && sheet.column(REVIEW_COLUMNS[0]).is_some() {
                any = true;
                self.conversations(&sheet);
            }
        }
        let message = format!("没有表头含“{ID_COLUMN}”或“{}”和“{}”的表", SAMPLE_COLUMNS[0], REVIEW_COLUMNS[0]);
        if any { Ok(()) } else { Err(SheetError { path: path.to_owned(), message }) }
    }

    fn findings(&mut self, sheet: &Sheet) {
        for (line, row) in &sheet.rows {
            let cell = |name: &str| cell(sheet, row, name);
            let id = cell(ID_COLUMN);
            if id.is_empty() {
                self.problems.push(format!("{}:{line}: [review] “{ID_COLUMN}”为空", sheet.name));
                continue;
            }
            let at = match self.by_id.get(id) {
                Some(at) => *at,
                None => {
                    let word = cell("类别");
                    let Some(family) = family(word) else {
                        self.problems.push(format!("{}:{line}: [review] 不认识的类别“{word}”", sheet.name));
                        continue;
                    };
                    self.findings.push(ReviewedFinding {
                        id: id.to_owned(),
                        conversation: cell("会话ID").to_owned(),
                        path: cell("来源文件").to_owned(),
                        turn: cell("轮次").parse().ok(),
                        rule: cell("规则").to_owned(),
                        family,
                        judgements: Vec::new(),
                        appealed: false,
                    });
                    self.by_id.insert(id.to_owned(), self.findings.len() - 1);
                    self.findings.len() - 1
                }
            };
            self.findings[at].appealed |=
                cell(REVIEW_COLUMNS[3]).contains("成立") && !cell(REVIEW_COLUMNS[3]).contains("不成立");
            let word = cell(REVIEW_COLUMNS[0]);
            if word.is_empty() {
                continue;
            }
            let Some(verdict) = Verdict::from_word(word) else {
                let column = REVIEW_COLUMNS[0];
                self.problems
                    .push(format!("{}:{line}: [review] “{column}”应为 正确、错误 或 存疑，不是“{word}”", sheet.name));
                continue;
            };
            let named = cell(REVIEW_COLUMNS[1]);
            let reviewer = if named.is_empty() { sheet.name.clone() } else { named.to_owned() };
            let judgements = &mut self.findings[at].judgements;
            // A reviewer who hands in twice has changed their mind.
            judgements.retain(|judgement| judgement.reviewer != reviewer);
            judgements.push(Judgement { reviewer, verdict, comment: cell(REVIEW_COLUMNS[2]).to_owned() });
        }
    }

    fn conversations(&mut self, sheet: &Sheet) {
        for (line, row) in &sheet.rows {
            let cell = |name: &str| cell(sheet, row, name);
            let text = cell(SAMPLE_COLUMNS[2]);
            if cell(REVIEW_COLUMNS[0]).is_empty() && text.is_empty() {
                continue;
            }
            let mut missed = Vec::new();
            for word in text.split([' ', '、', '；', ';', '，', ',', '\n']).filter(|word| !word.is_empty()) {
                let (name, turn) = word.split_once(['@', '＠']).map_or((word, None), |(name, turn)| (name, Some(turn)));
                match (family(name), turn.map(str::parse::<usize>)) {
                    (Some(family), None) => missed.push((family, None)),
                    (Some(family), Some(Ok(turn))) => missed.push((family, Some(turn))),
                    _ => {
                        let column = SAMPLE_COLUMNS[2];
                        self.problems.push(format!(
                            "{}:{line}: [review] “{column}”应写作 类别@轮次，如 拖延推诿@3，不是“{word}”",
                            sheet.name
                        ));
                    }
                }
            }
            self.conversations.push(ReviewedConversation {
                conversation: cell("会话ID").to_owned(),
                path: cell("来源文件").to_owned(),
                reason: cell(SAMPLE_COLUMNS[0]).to_owned(),
                stratum: cell(SAMPLE_COLUMNS[1]).parse().unwrap_or(0),
                missed,
            });
        }
    }

    /// Right and wrong findings by rule, judged unanimously.
    pub fn precision(&self) -> BTreeMap<&str, Precision> {
        let mut rules: BTreeMap<&str, Precision> = BTreeMap::new();
        for finding in &self.findings {
            let Some(verdict) = finding.verdict() else { continue };
            rules.entry(&finding.rule).or_default().count(verdict);
        }
        rules
    }

    /// Cohen's kappa for every two reviewers who judged the same findings: names, how many, kappa.
    pub fn agreement(&self) -> Vec<(String, String, usize, Option<f64>)> {
        let reviewers: BTreeSet<&str> = self
            .findings
            .iter()
            .flat_map(|finding| &finding.judgements)
            .map(|judgement| judgement.reviewer.as_str())
            .collect();
        let reviewers: Vec<&str> = reviewers.into_iter().collect();
        let mut agreement = Vec::new();
        for (at, first) in reviewers.iter().enumerate() {
            for second in &reviewers[at + 1..] {
                let by = |finding: &ReviewedFinding, name: &str| {
                    finding
                        .judgements
                        .iter()
                        .find(|judgement| judgement.reviewer == name)
                        .map(|judgement| judgement.verdict)
                };
                let pairs: Vec<(Verdict, Verdict)> =
                    self.findings.iter().filter_map(|finding| by(finding, first).zip(by(finding, second))).collect();
                if !pairs.is_empty() {
                    agreement.push(((*first).to_owned(), (*second).to_owned(), pairs.len(), kappa(&pairs)));
                }
            }
        }
        agreement
    }

    /// The findings judged wrong, as a table for `--suppressions`.
    pub fn suppressions(&self) -> Table<'_> {
        let columns = vec![
            Column(ID_COLUMN, 14.0),
            Column("会话ID", 20.0),
            Column("轮次", 6.0),
            Column("规则", 26.0),
            Column(REVIEW_COLUMNS[1], 14.0),
            Column(REVIEW_COLUMNS[2], 40.0),
        ];
        let wrong = self.findings.iter().filter(|finding| finding.verdict() == Some(Verdict::Wrong));
        let rows = wrong.map(|finding| {
            let join = |part: fn(&Judgement) -> &str| {
                let parts: Vec<&str> = finding.judgements.iter().map(part).filter(|part| !part.is_empty()).collect();
                Cell::Text(parts.join("；").into())
            };
            vec![
                Cell::Text(finding.id.as_str().into()),
                Cell::Id(finding.conversation.as_str().into()),
                finding.turn.map_or(Cell::Empty, |turn| Cell::Count(turn as u64)),
                Cell::Text(finding.rule.as_str().into()),
                join(|judgement| &judgement.reviewer),
                join(|judgement| &judgement.comment),
            ]
        });
        Table { file: "suppressions", sheet: "剔除", columns, rows: Box::new(rows) }
    }

    /// How many conversations without findings were drawn at random and reviewed, in how many of them the rules missed
    /// something, and how many there are in all.
    pub fn missed(&self) -> (u64, u64, u64) {
        let random = || self.conversations.iter().filter(|conversation| conversation.reason == AT_RANDOM);
        let missed = random().filter(|conversation| !conversation.missed.is_empty()).count();
        let stratum = random().map(|conversation| conversation.stratum).max().unwrap_or(0);
        (random().count() as u64, missed as u64, stratum)
    }
}

/// Right, wrong and doubtful findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Precision {
    /// Judged right.
    pub right: u64,
    /// Judged wrong.
    pub wrong: u64,
    /// Judged doubtful, or differently by two reviewers.
    pub doubtful: u64,
}

impl Precision {
    fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Right => self.right += 1,
            Verdict::Wrong => self.wrong += 1,
            Verdict::Doubtful => self.doubtful += 1,
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Precision { right, wrong, doubtful } = self;
        write!(f, "正确 {right}，错误 {wrong}，存疑 {doubtful}")?;
        match wilson(*right, right + wrong) {
            Some((low, high)) => {
                write!(f, "，精确率 {:.3}（95% 区间 {low:.3}–{high:.3}）", *right as f64 / (right + wrong) as f64)
            }
            None => Ok(()),
        }
    }
}

impl fmt::Display for Reviews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = Precision::default();
        for (rule, precision) in self.precision() {
            writeln!(f, "{rule}\t{precision}")?;
            all.right += precision.right;
            all.wrong += precision.wrong;
            all.doubtful += precision.doubtful;
        }
        let judged = self.findings.iter().filter(|finding| finding.verdict().is_some()).count();
        writeln!(f, "合计\t{all}；已复核 {judged}，未复核 {}", self.findings.len() - judged)?;
        let appealed = self.findings.iter().filter(|finding| finding.appealed).count();
        if appealed > 0 {
            writeln!(f, "申诉成立\t{appealed} 处，按判错处理")?;
        }
        for (first, second, pairs, kappa) in self.agreement() {
            let kappa =
                kappa.map_or_else(|| "无法计算（两人的结论没有差别）".to_owned(), |kappa| format!("{kappa:.3}"));
            writeln!(f, "一致性\t{first} 与 {second}：同判 {pairs} 处，Cohen κ {kappa}")?;
        }
        let (drawn, missed, stratum) = self.missed();
        if let Some((low, high)) = wilson(missed, drawn) {
            let (share, n) = (missed as f64 / drawn as f64, stratum as f64);
            writeln!(
                f,
                "漏检\t随机未命中会话 {drawn} 个，其中 {missed} 个有漏检（{share:.3}，95% 区间 {low:.3}–{high:.3}）；\
                 推算 {stratum} 个未命中会话中约 {:.0} 个（{:.0}–{:.0}）",
                share * n,
                low * n,
                high * n
            )?;
        }
        Ok(())
    }
}

fn cell<'r>(sheet: &Sheet, row: &'r [String], name: &str) -> &'r str {
    sheet.column(name).and_then(|at| row.get(at)).map_or("", |cell| cell.trim())
}

fn family(word: &str) -> Option<Family> {
    Family::ALL.into_iter().find(|family| family.chinese() == word || family.as_str() == word)
}
