//! Paths as given → script files to read, and their readers.

use std::fs;
use std::path::{Path, PathBuf};

use globset::GlobSet;
use ignore::WalkBuilder;

use crate::citation::document::decode;
use crate::config::FILE_NAME;
use crate::lint::script::{Keys, Script};
use crate::lint::{prose, table, tree};

/// A file larger than this is refused: no script is.
const LARGEST: u64 = 256 << 20;

/// The forms scripts come in, by extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Csv,
    Tsv,
    Spreadsheet,
    Yaml,
    Json,
    JsonLines,
    Toml,
    Markdown,
    Text,
}

fn form(path: &Path) -> Option<Form> {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("").to_lowercase();
    Some(match extension.as_str() {
        "csv" => Form::Csv,
        "tsv" => Form::Tsv,
        "xlsx" | "xlsm" | "xlsb" | "xls" | "ods" => Form::Spreadsheet,
        "yaml" | "yml" => Form::Yaml,
        "json" | "jsonc" => Form::Json,
        "jsonl" | "ndjson" => Form::JsonLines,
        "toml" => Form::Toml,
        "md" | "markdown" => Form::Markdown,
        "txt" => Form::Text,
        _ => return None,
    })
}

/// The files that `paths` name: files themselves, and of folders every file of a known form, as git sees the folder
/// (ignored and hidden files are left out), except what `exclude` matches. Sorted, none twice.
///
/// # Errors
/// What cannot be read or matches nothing, one line each.
pub fn find(paths: &[PathBuf], exclude: &GlobSet) -> Result<Vec<PathBuf>, Vec<String>> {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for path in paths {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => {
                problems.push(format!("{}: [read] {error}; check the path", path.display()));
                continue;
            }
        };
        if !metadata.is_dir() {
            found.push(path.clone());
            continue;
        }
        let before = found.len();
        for entry in WalkBuilder::new(path).require_git(false).build() {
            match entry {
                Ok(entry) => {
                    let file = entry.file_type().is_some_and(|kind| kind.is_file());
                    let settings = entry.file_name() == FILE_NAME;
                    let lock = entry.path().file_name().is_some_and(|name| name.to_string_lossy().starts_with("~$"));
                    if file && !settings && !lock && form(entry.path()).is_some() {
                        found.push(entry.into_path());
                    }
                }
                Err(error) => problems.push(format!("{}: [read] {error}", path.display())),
            }
        }
        if found.len() == before {
            problems.push(format!("{}: [empty] no script file in it; see docs/lint.md for the forms", path.display()));
        }
    }
    found.retain(|path| !exclude.is_match(shown(path)));
    found.sort();
    found.dedup();
    if found.is_empty() && problems.is_empty() {
        problems.push("no file left to lint; check --exclude".to_owned());
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

/// The path in reports: relative to the working folder where it lies in it, with `/`.
pub fn shown(path: &Path) -> String {
    let relative = std::env::current_dir().ok().and_then(|here| path.strip_prefix(here).ok());
    let text = relative.unwrap_or(path).to_string_lossy().replace('\\', "/");
    let text = text.strip_prefix("./").unwrap_or(&text);
    // A line break in a name would let it write lines of its own into a log.
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Reads one file. What cannot be read is among its problems.
pub fn read(path: &Path, keys: &Keys) -> Script {
    let name = shown(path);
    let failed = |message: String| {
        let mut script = Script::new(&name, String::new());
        script.problems.push(format!("{name}: [read] {message}"));
        script
    };
    match fs::metadata(path) {
        Ok(metadata) if metadata.len() > LARGEST => return failed(format!("larger than {} MiB", LARGEST >> 20)),
        _ => {}
    }
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return failed(error.to_string()),
    };
    let form = form(path).unwrap_or(Form::Text);
    let mut script = if form == Form::Spreadsheet {
        let mut script = Script::new(&name, String::new());
        table::spreadsheet(&mut script, keys, &bytes);
        script
    } else {
        let (text, spoilt) = decode(&bytes);
        let mut script = Script::new(&name, text);
        if let Some(line) = spoilt {
            script.problems.push(format!("{name}:{line}: [encoding] bytes that are no text; save the file as UTF-8"));
        }
        match form {
            Form::Csv => {
                let delimiter = table::delimiter(&script.source.text);
                table::csv(&mut script, keys, delimiter);
            }
            Form::Tsv => table::csv(&mut script, keys, b'\t'),
            Form::Yaml => tree::yaml(&mut script, keys),
            Form::Json => tree::json(&mut script, keys),
            Form::JsonLines => tree::json_lines(&mut script, keys),
            Form::Toml => tree::toml(&mut script, keys),
            Form::Markdown => prose::markdown(&mut script),
            Form::Text | Form::Spreadsheet => prose::text(&mut script),
        }
        script.find_comments();
        script
    };
    if script.judged() == 0 && script.problems.is_empty() {
        script
            .problems
            .push(format!("{name}: [empty] no reply found in it; check --keys, or leave it out with --exclude"));
    }
    script
}
