//! Which lines changed in git since a revision.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lint::files::shown;
use crate::lint::issue::Issue;

/// The lines of each changed file, by its path in reports; `None`: all of them.
#[derive(Debug, Clone, Default)]
pub struct Changed(HashMap<String, Option<Vec<RangeInclusive<u64>>>>);

impl Changed {
    /// Asks git what changed in `files` since `revision`, the working tree included. New files changed as a whole.
    ///
    /// # Errors
    /// What git says when there is no repository or no such revision.
    pub fn since(revision: &str, files: &[PathBuf]) -> Result<Changed, String> {
        if revision.is_empty() || revision.starts_with('-') {
            return Err(format!("--changed-since: '{revision}' is not a revision"));
        }
        let folder = |path: &PathBuf| path.canonicalize().ok().and_then(|path| path.parent().map(Path::to_owned));
        let Some(start) = files.iter().find_map(folder) else { return Ok(Changed::default()) };
        let root = String::from_utf8_lossy(&git(&start, &["rev-parse", "--show-toplevel"])?).trim_end().to_owned();
        let root = PathBuf::from(root);
        let names = |bytes: Vec<u8>| -> Vec<PathBuf> {
            let names = bytes.split(|byte| *byte == 0).filter(|name| !name.is_empty());
            names.map(|name| root.join(String::from_utf8_lossy(name).as_ref())).collect()
        };
        let modified = names(git(&root, &["diff", "--name-only", "--no-renames", "-z", revision, "--"])?);
        let new = names(git(&root, &["ls-files", "--others", "--exclude-standard", "-z"])?);
        let mut changed = HashMap::new();
        for path in files {
            let Ok(full) = path.canonicalize() else { continue };
            if new.contains(&full) {
                changed.insert(shown(path), None);
            } else if modified.contains(&full) {
                let name = full.to_string_lossy();
                let options =
                    ["diff", "--unified=0", "--no-color", "--no-ext-diff", "--no-renames", revision, "--", &name];
                changed.insert(shown(path), lines(&String::from_utf8_lossy(&git(&root, &options)?)));
            }
        }
        Ok(Changed(changed))
    }

    /// Whether any line of the file changed.
    pub fn file(&self, path: &Path) -> bool {
        self.0.contains_key(&shown(path))
    }

    /// Whether a line of the reply that `issue` is about changed.
    pub fn holds(&self, issue: &Issue) -> bool {
        match (self.0.get(&issue.path), issue.lines) {
            (None, _) => false,
            (Some(None), _) | (_, None) => true,
            (Some(Some(changed)), Some((first, last))) => {
                changed.iter().any(|lines| *lines.start() <= last && first <= *lines.end())
            }
        }
    }
}

/// The lines after the change: `@@ -3 +3,2 @@`. `None` for a file that git cannot compare by lines.
fn lines(diff: &str) -> Option<Vec<RangeInclusive<u64>>> {
    let mut ranges = Vec::new();
    for line in diff.lines() {
        if line.starts_with("Binary files ") {
            return None;
        }
        let Some(header) = line.strip_prefix("@@ ") else { continue };
        let after = header.split(' ').find_map(|part| part.strip_prefix('+'))?;
        let (start, count) = after.split_once(',').unwrap_or((after, "1"));
        let (start, count): (u64, u64) = (start.parse().ok()?, count.parse().ok()?);
        if count > 0 {
            ranges.push(start..=start + count - 1);
        }
    }
    Some(ranges)
}

fn git(folder: &Path, arguments: &[&str]) -> Result<Vec<u8>, String> {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).output();
    let output = output.map_err(|error| format!("--changed-since: git cannot be run: {error}"))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(format!("--changed-since: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_give_the_lines_after_the_change() {
        let diff = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n@@ -4,2 +4,0 @@\n-c\n@@ -9,0 +8,3 @@ @@ x\n+d\n";
        assert_eq!(lines(diff), Some(vec![1..=1, 8..=10]));
        assert_eq!(lines("Binary files a/x and b/x differ\n"), None);
        assert_eq!(lines(""), Some(vec![]));
    }
}
