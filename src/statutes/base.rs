//! All laws, and which article applies on a given day.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use include_dir::{Dir, include_dir};
use jiff::civil::Date;

use crate::error::{Diagnostic, LoadError, SourceFile};
use crate::model::{StatuteRef, chinese_number};
use crate::statutes::law::{ArticleEntry, Change, Law, Version};

static STATUTES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/statutes");

/// The trades that sector laws are limited to, by the words exports use for industries.
const SECTORS: [(&str, &[&str]); 10] = [
    ("banking", &["银行", "信用卡", "贷款", "金融", "理财"]),
    ("insurance", &["保险", "理赔"]),
    ("express", &["快递", "物流", "快运"]),
    ("telecom", &["电信", "通信", "运营商", "宽带", "移动", "联通"]),
    ("livestream", &["直播"]),
    ("prepaid", &["健身", "美容", "美发", "洗浴", "教育", "培训", "早教", "舞蹈", "预付"]),
    ("online", &["电商", "网购", "电子商务", "直播", "外卖", "网店"]),
    ("travel", &["旅游", "旅行", "酒店", "机票"]),
    ("car", &["汽车", "4s"]),
    ("property", &["物业"]),
];

/// Every law that is known. Immutable.
#[derive(Debug)]
pub struct StatuteBase {
    laws: Vec<Law>,
    names: HashMap<String, usize>,
}

/// An article as it stood on a day.
#[derive(Debug, Clone)]
pub struct Cited<'b> {
    /// The law.
    pub law: &'b Law,
    /// The version in force on the day.
    pub version: &'b Version,
    /// The article.
    pub entry: &'b ArticleEntry,
    /// The paragraph, where one is meant.
    pub paragraph: Option<u8>,
    /// The item, where one is meant.
    pub item: Option<u8>,
}

impl Cited<'_> {
    /// 《消费者权益保护法》第五十六条第一款第(八)项. The paragraph of an article that has only one is not named.
    pub fn label(&self) -> String {
        let mut label = format!("《{}》第{}条", self.law.name, chinese_number(self.entry.article.number));
        if self.entry.article.branch > 0 {
            label.push_str(&format!("之{}", chinese_number(u16::from(self.entry.article.branch))));
        }
        if let Some(paragraph) = self.paragraph.filter(|_| self.entry.structure.len() > 1) {
            label.push_str(&format!("第{}款", chinese_number(u16::from(paragraph))));
        }
        if let Some(item) = self.item {
            label.push_str(&format!("第({})项", chinese_number(u16::from(item))));
        }
        label
    }

    /// The gist of the part that is cited.
    pub fn gist(&self) -> &str {
        self.entry.gist_of(self.paragraph, self.item)
    }
}

impl StatuteBase {
    /// The laws embedded in the program, with those of `dirs` in place of or beside them.
    ///
    /// # Errors
    /// Every problem found in the files.
    pub fn load(dirs: &[&Path]) -> Result<StatuteBase, LoadError> {
        let mut files: Vec<SourceFile> = STATUTES
            .files()
            .filter(|file| file.path().extension().is_some_and(|e| e == "toml"))
            .map(|file| {
                let text = file.contents_utf8().expect("statute files are UTF-8, as the tests check");
                SourceFile::new(format!("builtin/statutes/{}", file.path().display()), text)
            })
            .collect();
        let mut problems = Vec::new();
        for dir in dirs {
            let mut unreadable = |path: &Path, error: std::io::Error| {
                let help = "give a folder of statute files";
                problems.push(Diagnostic::of_file(&path.display().to_string(), "read", error.to_string(), help));
            };
            let entries = match fs::read_dir(dir) {
                Ok(entries) => entries,
                Err(error) => {
                    unreadable(dir, error);
                    continue;
                }
            };
            let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
            paths.sort();
            for path in paths.into_iter().filter(|path| path.extension().is_some_and(|e| e == "toml")) {
                match fs::read_to_string(&path) {
                    Ok(text) => files.push(SourceFile::new(path.display().to_string(), text)),
                    Err(error) => unreadable(&path, error),
                }
            }
        }
        let mut base = StatuteBase { laws: Vec::new(), names: HashMap::new() };
        for file in &files {
            match toml::from_str::<Law>(&file.text) {
                Ok(law) => base.add(law, file, &mut problems),
                Err(error) => problems.push(file.toml_error(&error)),
            }
        }
        base.check_references(&mut problems);
        if problems.is_empty() { Ok(base) } else { Err(LoadError(problems)) }
    }

    fn add(&mut self, mut law: Law, file: &SourceFile, problems: &mut Vec<Diagnostic>) {
        law.versions.sort_by_key(|version| version.in_force_from);
        law.articles.sort_by_key(|entry| entry.article);
        for pair in law.versions.windows(2) {
            if pair[0].in_force_until.is_none_or(|until| until >= pair[1].in_force_from) {
                let message = format!("versions '{}' and '{}' are in force on the same day", pair[0].id, pair[1].id);
                problems.push(Diagnostic::of_file(&file.path, "versions", message, "correct their dates"));
            }
        }
        for entry in &law.articles {
            if let Some(id) = entry.versions.iter().find(|id| !law.versions.iter().any(|v| v.id == **id)) {
                let message = format!("article {} names version '{id}', which the law does not have", entry.article);
                problems.push(Diagnostic::of_file(&file.path, "versions", message, "name one of its versions"));
            }
        }
        let replaced = self.laws.iter().position(|other| other.name == law.name);
        let at = replaced.unwrap_or(self.laws.len());
        for name in law.abbreviations.iter().chain([&law.name, &law.title]) {
            if let Some(other) = self.names.insert(name.clone(), at).filter(|other| *other != at) {
                let message = format!("'{name}' is also a name of {}", self.laws[other].name);
                problems.push(Diagnostic::of_file(&file.path, "duplicate-name", message, "take it out of one of them"));
            }
        }
        match replaced {
            Some(at) => self.laws[at] = law,
            None => self.laws.push(law),
        }
    }

    fn check_references(&self, problems: &mut Vec<Diagnostic>) {
        for law in &self.laws {
            for entry in &law.articles {
                let successors = entry.successors.iter().map(|successor| ("successor", "successor", &successor.to));
                let misread = entry.misread.iter().filter_map(|misread| misread.to.as_ref());
                let misread = misread.map(|to| ("misread", "misread.to", to));
                for (code, key, to) in successors.chain(misread).filter(|(_, _, to)| self.resolve(to).is_none()) {
                    let message = format!("{} {}: {key} '{to}' does not resolve", law.name, entry.article);
                    let help = "name an article that the statute base has";
                    problems.push(Diagnostic::of_file(&format!("statutes: {}", law.name), code, message, help));
                }
            }
        }
    }

    /// Every law, in no particular order.
    pub fn laws(&self) -> &[Law] {
        &self.laws
    }

    /// The law with this name, title or abbreviation; 《》 may stand around it.
    pub fn law(&self, name: &str) -> Option<&Law> {
        let name = name.trim().trim_start_matches('《').trim_end_matches('》');
        self.names.get(name).map(|at| &self.laws[*at])
    }

    /// The article in the newest version of its law; `None` when the law, article, paragraph or item does not exist.
    pub fn resolve(&self, reference: &StatuteRef) -> Option<Cited<'_>> {
        let law = self.law(&reference.law)?;
        law.versions.iter().rev().find_map(|version| cite(law, version, reference))
    }

    /// The article that said on `date` what `reference`, a place in the newest version of a law, says now: the same
    /// number, an older number of the same law, or an article of a law that has been repealed since. `None` when no
    /// article said so then, or when the law is limited to trades other than `industry`.
    ///
    /// Source of the principle: conduct is judged by the law of its day; 法释〔2020〕15号 1 and 2 for 民法典.
    pub fn in_force(&self, reference: &StatuteRef, date: Date, industry: &str) -> Option<Cited<'_>> {
        let law = self.law(&reference.law)?;
        if !applies(law, industry) {
            return None;
        }
        if let Some(version) = law.versions.iter().find(|version| version.covers(date)) {
            let newest = self.resolve(reference)?;
            return match cite(law, version, reference) {
                Some(cited) if std::ptr::eq(cited.entry, newest.entry) => Some(cited),
                _ => self.predecessor(law, version, reference),
            };
        }
        let others = self.laws.iter().filter(|other| !std::ptr::eq(*other, law) && applies(other, industry));
        let predecessors = others.filter_map(|other| {
            let version = other.versions.iter().find(|version| version.covers(date))?;
            self.ranked_predecessor(other, version, reference)
        });
        // The closest content; of equals the first law.
        predecessors.reduce(|best, other| if other.0 > best.0 { other } else { best }).map(|(_, cited)| cited)
    }

    fn predecessor<'b>(&'b self, law: &'b Law, version: &'b Version, reference: &StatuteRef) -> Option<Cited<'b>> {
        self.ranked_predecessor(law, version, reference).map(|(_, cited)| cited)
    }

    /// The predecessor in `version`, ranked by how closely the part fits and how little the content changed.
    fn ranked_predecessor<'b>(
        &'b self,
        law: &'b Law,
        version: &'b Version,
        reference: &StatuteRef,
    ) -> Option<(u8, Cited<'b>)> {
        let target = self.law(&reference.law)?;
        let mut best: Option<(u8, Cited<'b>)> = None;
        for entry in law.articles.iter().filter(|entry| entry.versions.contains(&version.id)) {
            for successor in &entry.successors {
                let to = &successor.to;
                let same_law = self.law(&to.law).is_some_and(|law| std::ptr::eq(law, target));
                let agree = |a: Option<u8>, b: Option<u8>| a.is_none() || b.is_none() || a == b;
                if !same_law
                    || to.article != reference.article
                    || !agree(to.paragraph, reference.paragraph)
                    || !agree(to.item, reference.item)
                {
                    continue;
                }
                let part = u8::from(to.paragraph == reference.paragraph) + u8::from(to.item == reference.item);
                let kept = match successor.change {
                    Change::Same => 3,
                    Change::Wording => 2,
                    Change::Changed => 1,
                    Change::Rewritten => 0,
                };
                let closeness = part * 4 + kept;
                let (paragraph, item) = successor.part.map_or((None, None), |(p, i)| (Some(p), i));
                if best.as_ref().is_none_or(|(other, _)| closeness > *other) {
                    best = Some((closeness, Cited { law, version, entry, paragraph, item }));
                }
            }
        }
        best
    }
}

fn cite<'b>(law: &'b Law, version: &'b Version, reference: &StatuteRef) -> Option<Cited<'b>> {
    let entry = law.articles.iter().find(|entry| {
        entry.article == reference.article
            && entry.versions.contains(&version.id)
            && entry.has(reference.paragraph, reference.item)
    })?;
    Some(Cited { law, version, entry, paragraph: reference.paragraph, item: reference.item })
}

/// Whether a law applies to a trade, named by a word that exports use or by its key in statute files. A law limited to some trades applies only where the trade is known to be one.
fn applies(law: &Law, industry: &str) -> bool {
    let industry = industry.to_lowercase();
    law.sectors.is_empty()
        || SECTORS.iter().any(|(sector, words)| {
            law.sectors.iter().any(|s| s == sector)
                && (industry == *sector || words.iter().any(|word| industry.contains(word)))
        })
}
