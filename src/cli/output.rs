//! Files that are complete or not there: written beside their place, moved to it at the end.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::TempPath;

use crate::cli::Failure;
use crate::error::OutputError;

/// A new file beside `path`, removed unless it is made [`complete`]. What is no file, such as `/dev/null` or a pipe, must not
/// be replaced by one: it is written to, and there is nothing to complete.
pub fn open(path: &Path) -> Result<(File, Option<TempPath>), Failure> {
    let failed = |source| OutputError { path: path.to_owned(), source };
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Ok((File::options().write(true).open(path).map_err(failed)?, None));
    }
    let place = place(path);
    let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = place.file_name().unwrap_or_default();
    let mut builder = tempfile::Builder::new();
    builder.prefix(name).suffix(".partial");
    // Not `tempfile_in`: what it makes nobody else may read.
    let made = builder.make_in(folder, |path| File::create_new(path)).map_err(failed)?;
    let (file, partial) = made.into_parts();
    Ok((file, Some(partial)))
}

/// Gives a file its name. What it holds is on the disk before.
pub fn complete(partial: TempPath, path: &Path) -> Result<(), Failure> {
    let failed = |source| OutputError { path: path.to_owned(), source };
    File::open(&partial).and_then(|file| file.sync_all()).map_err(failed)?;
    partial.persist(place(path)).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Where a link leads: the link itself stays.
fn place(path: &Path) -> Cow<'_, Path> {
    path.canonicalize().map_or(Cow::Borrowed(path), Cow::Owned)
}

/// Writes a whole file.
pub fn write(path: &Path, act: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result<(), Failure> {
    let (file, partial) = open(path)?;
    let mut out = BufWriter::new(file);
    act(&mut out).and_then(|()| out.flush()).map_err(|source| OutputError { path: path.to_owned(), source })?;
    partial.map_or(Ok(()), |partial| complete(partial, path))
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
