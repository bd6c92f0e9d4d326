//! Inputs as named → the files to read: folders are walked, patterns expanded.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::error::InputError;
use crate::input::unreadable;

/// What exports are called. Other files in a folder are not read unless they are named.
const EXTENSIONS: [&str; 18] = [
    "csv", "tsv", "txt", "log", "json", "jsonl", "ndjson", "xlsx", "xlsm", "xlsb", "xls", "ods", "srt", "vtt", "xml",
    "parquet", "gz", "zst",
];

/// The files that the inputs name, each once, those of a folder or pattern by name; and the files of folders that are left
/// out, since their names are not those of exports. Hidden files are passed over.
///
/// # Errors
/// One for every folder that cannot be walked and every pattern that fits nothing.
pub fn expand(inputs: &[PathBuf]) -> (Vec<PathBuf>, Vec<PathBuf>, Vec<InputError>) {
    let (mut files, mut left, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    for input in inputs {
        let name = input.display().to_string();
        if input.is_dir() {
            walk(input, &mut files, &mut left, &mut errors);
        } else if input.exists() || input == Path::new("-") || !name.contains(['*', '?', '[']) {
            files.push(input.clone());
        } else {
            match glob::glob(&name) {
                Ok(found) => {
                    let mut any = false;
                    for path in found {
                        any = true;
                        match path {
                            Ok(path) if path.is_dir() => walk(&path, &mut files, &mut left, &mut errors),
                            Ok(path) => files.push(path),
                            Err(error) => errors.push(unreadable(&name, &error.to_string(), "check the path")),
                        }
                    }
                    if !any {
                        errors.push(unreadable(&name, "fits no file", "check the pattern"));
                    }
                }
                Err(error) => errors.push(unreadable(&name, &error.to_string(), "check the pattern")),
            }
        }
    }
    let mut seen = std::collections::HashSet::new();
    files.retain(|path| seen.insert(path.clone()));
    (files, left, errors)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>, left: &mut Vec<PathBuf>, errors: &mut Vec<InputError>) {
    let before = files.len();
    let hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.');
    let entries = WalkDir::new(folder).follow_links(true).sort_by_file_name().into_iter();
    for entry in entries.filter_entry(|entry| entry.depth() == 0 || !hidden(entry.file_name())) {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {}
            Ok(entry) => {
                let path = entry.into_path();
                let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("").to_lowercase();
                let known = EXTENSIONS.contains(&extension.as_str()) || extension == "zip";
                if known { files.push(path) } else { left.push(path) }
            }
            Err(error) => {
                let path = error.path().unwrap_or(folder).display().to_string();
                errors.push(unreadable(&path, &error.to_string(), "check the folder"));
            }
        }
    }
    if files.len() == before {
        errors.push(unreadable(&folder.display().to_string(), "holds no export", "name the files to read"));
    }
}
