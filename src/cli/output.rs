//! Files that are complete or not there: written beside their place, moved to it at the end, removed by an interrupt.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use tempfile::TempPath;

use crate::cli::Failure;
use crate::error::OutputError;

/// A file being written, removed unless it is made [`complete`](Pending::complete).
pub struct Pending {
    path: PathBuf,
    /// What it is called meanwhile; none for a device or a pipe, which is written to where it is.
    partial: Option<TempPath>,
}

/// A new file that is going to be `path`.
pub fn create(path: &Path) -> Result<(File, Pending), Failure> {
    let failed = |source| OutputError { path: path.to_owned(), source };
    // What is no file, such as `/dev/null` or a pipe, must not be replaced by one. A folder is refused here.
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        let file = File::options().write(true).open(path).map_err(failed)?;
        return Ok((file, Pending { path: path.to_owned(), partial: None }));
    }
    remove_on_interrupt();
    // A link stays: what it leads to is written.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default();
    let mut builder = tempfile::Builder::new();
    builder.prefix(name).suffix(".partial");
    let mut unfinished = unfinished();
    // Not `tempfile_in`: what it makes nobody else may read.
    let (file, partial) = builder.make_in(folder, |path| File::create_new(path)).map_err(failed)?.into_parts();
    unfinished.push(partial.to_path_buf());
    Ok((file, Pending { path, partial: Some(partial) }))
}

/// Writes a whole file.
pub fn write(path: &Path, act: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result<(), Failure> {
    let (file, pending) = create(path)?;
    let mut out = BufWriter::new(file);
    act(&mut out).and_then(|()| out.flush()).map_err(|source| OutputError { path: path.to_owned(), source })?;
    pending.complete()
}

impl Pending {
    /// Gives the file its name. What it holds is on the disk before.
    pub fn complete(self) -> Result<(), Failure> {
        let Some(partial) = self.partial else { return Ok(()) };
        let failed = |source| OutputError { path: self.path.clone(), source };
        File::open(&partial).and_then(|file| file.sync_all()).map_err(failed)?;
        let mut unfinished = unfinished();
        unfinished.retain(|other| *other != *partial);
        partial.persist(&self.path).map_err(|error| failed(error.error))?;
        Ok(())
    }
}

/// The partial files of this process. While this is held none is made or completed.
fn unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The exit code of a program that was interrupted, as shells have it.
const INTERRUPTED: i32 = 130;

fn remove_on_interrupt() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Where no handler can be set, an interrupt leaves the partial file behind: no reason to write nothing.
        let _ = ctrlc::set_handler(|| {
            let unfinished = unfinished();
            unfinished.iter().for_each(|path| drop(fs::remove_file(path)));
            std::process::exit(INTERRUPTED);
        });
    });
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{FileTypeExt, symlink};
    use std::process::Command;
    use std::thread;

    use super::*;

    #[test]
    fn pipes_and_links_stay_what_they_are() {
        let dir = tempfile::tempdir().expect("the temporary folder is writable");
        let [pipe, link, file] = ["pipe", "link", "file"].map(|name| dir.path().join(name));
        assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
        let reader = thread::spawn({
            let pipe = pipe.clone();
            move || fs::read_to_string(pipe)
        });
        assert!(write(&pipe, |out| out.write_all(b"through")).is_ok());
        assert_eq!(reader.join().expect("the reader ends").expect("readable"), "through");
        assert!(fs::metadata(&pipe).expect("there").file_type().is_fifo());
        fs::write(&file, "before").expect("writable");
        symlink(&file, &link).expect("writable");
        assert!(write(&link, |out| out.write_all(b"after")).is_ok());
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(fs::read_to_string(&file).expect("readable"), "after");
        assert!(write(dir.path(), |_| panic!("a folder is refused before anything is done")).is_err());
        assert_eq!(fs::read_dir(dir.path()).expect("readable").count(), 3, "nothing partial is left");
    }
}
