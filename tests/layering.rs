//! Data flows one way: a module imports only from those to its left.

use std::fs;
use std::path::Path;

/// Shared nouns first, then the stages in the order data flows through them.
const ORDER: [&str; 17] = [
    "span",
    "timings",
    "error",
    "model",
    "input",
    "text",
    "lexicon",
    "config",
    "engine",
    "statutes",
    "citation",
    "report",
    "evaluation",
    "fit",
    "review",
    "checker",
    "lint",
];

/// Arguments outside the flow: they import anything, nothing imports them.
const OUTSIDE: [&str; 2] = ["cli", "main"];

#[test]
fn no_module_imports_from_its_right() {
    let mut wrong = Vec::new();
    visit(Path::new("src"), &mut |path, text| {
        let own = stage(path);
        if OUTSIDE.contains(&own.as_str()) || own == "lib" {
            return;
        }
        let own_rank =
            ORDER.iter().position(|name| *name == own).unwrap_or_else(|| panic!("{own} has no place in the order"));
        for (line, text) in (1..).zip(text.lines()) {
            let code = text.split("//").next().unwrap_or("");
            for used in code.split("crate::").skip(1) {
                let module: String = used.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                match ORDER.iter().position(|name| *name == module) {
                    Some(rank) if rank > own_rank => {
                        wrong.push(format!("{}:{line}: {own} imports {module}", path.display()));
                    }
                    None if OUTSIDE.contains(&module.as_str()) => {
                        wrong.push(format!("{}:{line}: {own} imports {module}", path.display()));
                    }
                    _ => {}
                }
            }
        }
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_is_longer_than_a_thousand_lines() {
    visit(Path::new("src"), &mut |path, text| {
        assert!(text.lines().count() < 1000, "{} is too long to read in one go", path.display());
    });
}

/// `src/engine/context.rs` → `engine`, `src/model.rs` → `model`.
fn stage(path: &Path) -> String {
    let relative = path.strip_prefix("src").expect("below src");
    let first = relative.components().next().expect("a file has a name");
    first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

fn visit(dir: &Path, act: &mut dyn FnMut(&Path, &str)) {
    let mut paths: Vec<_> =
        fs::read_dir(dir).expect("a folder of sources").map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            visit(&path, act);
        } else {
            act(&path, &fs::read_to_string(&path).expect("sources are UTF-8"));
        }
    }
}
