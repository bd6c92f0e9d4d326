//! Files that are complete or not there: written beside their place, moved to it at the end.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::{NamedTempFile, TempPath};

use crate::cli::Failure;
use crate::error::OutputError;

/// A new file beside `path`, removed unless it is made [`complete`].
pub fn partial(path: &Path) -> Result<NamedTempFile, Failure> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default();
    let mut builder = tempfile::Builder::new();
    builder.prefix(name).suffix(".partial");
    // Not `tempfile_in`: what it makes nobody else may read.
    let made = builder.make_in(folder, |path| File::create_new(path));
    made.map_err(|source| OutputError { path: path.to_owned(), source }.into())
}

/// Gives a file its name. What it holds is on the disk before.
pub fn complete(partial: TempPath, path: &Path) -> Result<(), Failure> {
    let failed = |source| OutputError { path: path.to_owned(), source };
    File::open(&partial).and_then(|file| file.sync_all()).map_err(failed)?;
    partial.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Writes a whole file.
pub fn write(path: &Path, act: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result<(), Failure> {
    let (file, partial) = partial(path)?.into_parts();
    let mut out = BufWriter::new(file);
    act(&mut out).and_then(|()| out.flush()).map_err(|source| OutputError { path: path.to_owned(), source })?;
    complete(partial, path)
}
