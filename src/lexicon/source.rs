//! Where rule, class, guard and statute files come from: embedded in the program, or folders of the user.

use std::fs;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use crate::error::{Diagnostic, SourceFile};

static LEXICONS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/lexicons");

/// The files a rule set is compiled from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// One rule a file.
    pub rules: Vec<SourceFile>,
    /// Word classes shared between rules.
    pub classes: Vec<SourceFile>,
    /// Guards shared between rules.
    pub guards: Vec<SourceFile>,
    /// Words that jieba must keep whole, one a line.
    pub words: Vec<SourceFile>,
    /// The table of weighted cues, at most one.
    pub cues: Vec<SourceFile>,
}

impl Sources {
    /// The files embedded in the program.
    pub fn builtin() -> Sources {
        let mut sources = Sources::default();
        let mut dirs = vec![&LEXICONS];
        while let Some(dir) = dirs.pop() {
            dirs.extend(dir.dirs());
            for file in dir.files() {
                let text = file.contents_utf8().expect("rule files are UTF-8, as the tests check");
                sources.add(file.path(), SourceFile::new(format!("builtin/{}", file.path().display()), text));
            }
        }
        sources.sort();
        sources
    }

    /// The files below `dir`, laid out as `lexicons/` is.
    ///
    /// # Errors
    /// A diagnostic for each file or folder that cannot be read.
    pub fn of_dir(dir: &Path) -> Result<Sources, Vec<Diagnostic>> {
        let (mut sources, mut problems) = (Sources::default(), Vec::new());
        let mut pending = vec![dir.to_owned()];
        while let Some(folder) = pending.pop() {
            let unreadable = |path: &Path, error: &std::io::Error| {
                Diagnostic::of_file(
                    &path.display().to_string(),
                    "read",
                    error.to_string(),
                    "give a folder of rule files",
                )
            };
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) => {
                    problems.push(unreadable(&folder, &error));
                    continue;
                }
            };
            let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
            paths.sort();
            for path in paths {
                if path.is_dir() {
                    pending.push(path);
                } else if matches!(path.extension().and_then(|e| e.to_str()), Some("toml" | "txt" | "tsv")) {
                    match fs::read_to_string(&path) {
                        Ok(text) => {
                            let relative = path.strip_prefix(dir).unwrap_or(&path);
                            sources.add(relative, SourceFile::new(path.display().to_string(), text));
                        }
                        Err(error) => problems.push(unreadable(&path, &error)),
                    }
                }
            }
        }
        sources.sort();
        if problems.is_empty() { Ok(sources) } else { Err(problems) }
    }

    /// Adds the files of `other`; a rule, class or guard of `other` replaces the one of the same name here, a
    /// table of cues the table.
    pub fn extend(&mut self, other: Sources) {
        fn name(file: &SourceFile) -> Option<String> {
            let path = file.path.replace('\\', "/");
            let mut parts: Vec<&str> = path.rsplit('/').take(2).collect();
            parts.reverse();
            Some(parts.join("/"))
        }
        for (mine, theirs) in
            [(&mut self.rules, other.rules), (&mut self.classes, other.classes), (&mut self.guards, other.guards)]
        {
            let replaced: Vec<_> = theirs.iter().filter_map(name).collect();
            mine.retain(|file| name(file).is_none_or(|n| !replaced.contains(&n)));
            mine.extend(theirs);
        }
        self.words.extend(other.words);
        if !other.cues.is_empty() {
            self.cues = other.cues;
        }
    }

    fn add(&mut self, relative: &Path, file: SourceFile) {
        let kind = match relative.extension().and_then(|e| e.to_str()) {
            Some("txt") => &mut self.words,
            Some("tsv") => &mut self.cues,
            Some("toml") if relative.starts_with("classes") => &mut self.classes,
            Some("toml") if relative.starts_with("guards") => &mut self.guards,
            Some("toml") => &mut self.rules,
            _ => return,
        };
        kind.push(file);
    }

    fn sort(&mut self) {
        for files in [&mut self.rules, &mut self.classes, &mut self.guards, &mut self.words, &mut self.cues] {
            files.sort_by(|a, b| a.path.cmp(&b.path));
        }
    }
}
