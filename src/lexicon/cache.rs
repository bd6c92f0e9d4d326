//! Compiled rules, remembered between runs: compiling takes a third of a second, reading what was compiled a hundredth.
//!
//! A file in the user's cache folder, named by the content it was compiled from. One that is damaged, or that another
//! build of the program wrote, is compiled anew; where the folder cannot be written nothing is remembered.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use std::{env, fs, process};

use crate::lexicon::RuleSet;
use crate::lexicon::source::Sources;

/// How many files are kept; the oldest are removed.
const KEPT: usize = 4;
/// The length of the checksum a file begins with, in bytes.
const CHECKSUM: usize = 32;

/// A place for one compiled rule set.
#[derive(Debug)]
pub struct Cache {
    path: PathBuf,
}

impl Cache {
    /// The place for what `more` compiles to beside the embedded rules (`builtin`) or alone. `None` where the system has no
    /// cache folder.
    pub fn of(builtin: bool, more: &Sources) -> Option<Cache> {
        // The embedded files and the compiler are part of the program.
        let program = fs::metadata(env::current_exe().ok()?).ok()?;
        let built = program.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        let mut hasher = blake3::Hasher::new();
        let mut part = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        part(env!("CARGO_PKG_VERSION").as_bytes());
        part(&program.len().to_le_bytes());
        part(&built.as_nanos().to_le_bytes());
        part(&[u8::from(builtin)]);
        for files in [&more.rules, &more.classes, &more.guards, &more.words, &more.cues] {
            part(&(files.len() as u64).to_le_bytes());
            for file in files {
                part(file.path.as_bytes());
                part(file.text.as_bytes());
            }
        }
        let name = format!("rules-{}.bin", hasher.finalize().to_hex());
        let dirs = directories::ProjectDirs::from("", "", "zhijian")?;
        Some(Cache { path: dirs.cache_dir().join(name) })
    }

    /// What was remembered, if it is there and whole.
    pub fn load(&self) -> Option<RuleSet> {
        let bytes = fs::read(&self.path).ok()?;
        let (checksum, body) = bytes.split_at_checked(CHECKSUM)?;
        (blake3::hash(body).as_bytes() == checksum).then(|| postcard::from_bytes(body).ok()).flatten()
    }

    /// Remembers `rules`. That it cannot be done is no error: they are compiled again next time.
    pub fn store(&self, rules: &RuleSet) {
        let Some((folder, body)) = self.path.parent().zip(postcard::to_stdvec(rules).ok()) else { return };
        let partial = self.path.with_extension(format!("{}.partial", process::id()));
        let bytes = [blake3::hash(&body).as_bytes().as_slice(), &body].concat();
        let written = fs::create_dir_all(folder)
            .and_then(|()| fs::write(&partial, bytes))
            .and_then(|()| fs::rename(&partial, &self.path));
        match written {
            Ok(()) => remove_old(folder),
            Err(_) => drop(fs::remove_file(&partial)),
        }
    }
}

fn remove_old(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut files: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("rules-"))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    files.sort();
    let old = files.len().saturating_sub(KEPT);
    // What another run removes at the same time need not be removed again.
    files[..old].iter().for_each(|(_, path)| drop(fs::remove_file(path)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_compiled_comes_back_and_what_was_damaged_does_not() {
        let folder = env::temp_dir().join(format!("zhijian-cache-test-{}", process::id()));
        let cache = Cache { path: folder.join("rules-test.bin") };
        assert!(cache.load().is_none());
        let rules = RuleSet::compile(&Sources::builtin()).expect("the embedded rules load");
        cache.store(&rules);
        let loaded = cache.load().expect("stored");
        assert_eq!(loaded.rules.len(), rules.rules.len());
        assert_eq!(loaded.index.patterns, rules.index.patterns);
        let mut bytes = fs::read(&cache.path).expect("stored");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&cache.path, bytes).expect("writable");
        assert!(cache.load().is_none());
        fs::remove_dir_all(folder).expect("removable");
    }
}
