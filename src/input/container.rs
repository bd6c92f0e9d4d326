//! Bytes of an input, whatever it is packed in: gzip, Zstandard and zip are opened, within limits.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Chain, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;
use zip::ZipArchive;

use crate::error::InputError;
use crate::input::export::Export;
use crate::input::{Encoding, InputOptions, SAMPLE, unreadable};

/// Bytes that an archive may unpack to before the ratio is looked at.
const FREE: u64 = 64 << 20;
/// How many times its packed size an archive may unpack to. Chats shrink to a twentieth, generated ones to a hundredth.
const LARGEST_RATIO: u64 = 1000;
/// Bytes that one packed file may unpack to.
const LARGEST: u64 = 64 << 30;
/// Files in a zip.
const MOST_MEMBERS: usize = 100_000;
/// Archives in archives.
const DEEPEST: u32 = 3;
/// Bits of the window of Zstandard: 32 MiB of memory.
const LARGEST_WINDOW: u32 = 25;

/// The first bytes of a stream and all of it.
pub type Peeked<'r> = (Vec<u8>, Chain<Cursor<Vec<u8>>, Box<dyn Read + 'r>>);

/// Looks at the first bytes of `reader`.
///
/// # Errors
/// When not even they can be read.
pub fn peek<'r>(mut reader: Box<dyn Read + 'r>) -> io::Result<Peeked<'r>> {
    let mut sample = Vec::new();
    let read = reader.by_ref().take(SAMPLE as u64).read_to_end(&mut sample);
    // What can be read of a file that breaks off early is read; the reader meets the error again.
    if sample.is_empty() {
        read?;
    }
    Ok((sample.clone(), Cursor::new(sample).chain(reader)))
}

/// Counts the bytes that pass.
struct Counted<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.set(self.count.get() + read as u64);
        Ok(read)
    }
}

/// Ends with an error when far more comes out than went in.
struct Limited<R> {
    inner: R,
    packed: Rc<Cell<u64>>,
    unpacked: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.unpacked += read as u64;
        let bomb = self.unpacked > FREE && self.unpacked / self.packed.get().max(1) > LARGEST_RATIO;
        if bomb || self.unpacked > LARGEST {
            let times = self.unpacked / self.packed.get().max(1);
            return Err(io::Error::other(format!(
                "unpacks to more than {times} times its size; this looks like an archive bomb"
            )));
        }
        Ok(read)
    }
}

/// What the first bytes say a file is.
enum Packing {
    None,
    Gzip,
    Zstd,
    Zip,
    /// The container of old Excel files.
    Ole,
    Parquet,
}

impl Packing {
    fn of(sample: &[u8]) -> Packing {
        match sample {
            [0x1f, 0x8b, ..] => Packing::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Packing::Zstd,
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Packing::Zip,
            [0xd0, 0xcf, 0x11, 0xe0, ..] => Packing::Ole,
            [b'P', b'A', b'R', b'1', ..] => Packing::Parquet,
            _ => Packing::None,
        }
    }
}

/// What a file is in the end.
pub enum Content<'r> {
    /// Text of some kind: its first bytes, and all of them.
    Text(Peeked<'r>),
    /// A workbook.
    Workbook(File),
    /// A Parquet file.
    Parquet(File),
}

/// What takes the files found in an input, one after the other: their names, and what they are.
pub type Take<'t> = dyn FnMut(&str, Content<'_>, &InputOptions, &mut Export) -> Result<(), InputError> + 't;

/// Opens a stream and hands every file in it to `take`. `path` is where the bytes are on disk, unpacked, if they are.
///
/// # Errors
/// When it cannot be opened, or of the last file in it that could not be read; the others were read.
pub fn open(
    name: &str,
    path: Option<&Path>,
    reader: Box<dyn Read + '_>,
    depth: u32,
    options: &InputOptions,
    export: &mut Export,
    take: &mut Take<'_>,
) -> Result<(), InputError> {
    let failed = |error: io::Error| unreadable(name, &error.to_string(), "the file is damaged; export it again");
    let (sample, whole) = peek(reader).map_err(failed)?;
    let packing = Packing::of(&sample);
    if depth > DEEPEST && !matches!(packing, Packing::None) {
        return Err(unreadable(name, "archives in archives in archives", "unpack it first"));
    }
    match packing {
        Packing::None => take(name, Content::Text((sample, whole)), options, export),
        Packing::Gzip | Packing::Zstd => {
            let packed = Rc::new(Cell::new(0));
            let counted = BufReader::with_capacity(1 << 16, Counted { inner: whole, count: Rc::clone(&packed) });
            let inner: Box<dyn Read> = if matches!(packing, Packing::Gzip) {
                Box::new(MultiGzDecoder::new(counted))
            } else {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(counted).map_err(failed)?;
                decoder.window_log_max(LARGEST_WINDOW).map_err(failed)?;
                Box::new(decoder)
            };
            let inner = Box::new(Limited { inner, packed, unpacked: 0 });
            open(name, None, inner, depth + 1, options, export, take)
        }
        Packing::Zip => {
            let file = on_disk(path, whole).map_err(failed)?;
            open_zip(name, file, depth, options, export, take)
        }
        Packing::Ole => take(name, Content::Workbook(on_disk(path, whole).map_err(failed)?), options, export),
        Packing::Parquet => take(name, Content::Parquet(on_disk(path, whole).map_err(failed)?), options, export),
    }
}

/// The bytes as a file that can be read anywhere.
fn on_disk(path: Option<&Path>, mut reader: impl Read) -> io::Result<File> {
    match path {
        Some(path) => File::open(path),
        None => {
            let mut file = tempfile::tempfile()?;
            io::copy(&mut reader, &mut file)?;
            file.seek(SeekFrom::Start(0))?;
            Ok(file)
        }
    }
}

fn open_zip(
    name: &str,
    mut file: File,
    depth: u32,
    options: &InputOptions,
    export: &mut Export,
    take: &mut Take<'_>,
) -> Result<(), InputError> {
    let damaged =
        |message: String| unreadable(name, &message, "the archive is damaged or not complete; export it again");
    let copy = file.try_clone().map_err(|error| damaged(error.to_string()))?;
    let mut archive = ZipArchive::new(BufReader::new(copy)).map_err(|error| damaged(error.to_string()))?;
    if archive.len() > MOST_MEMBERS {
        return Err(damaged(format!("{} files in one archive", archive.len())));
    }
    let workbook =
        ["xl/workbook.xml", "xl/workbook.bin", "content.xml"].iter().any(|part| archive.index_for_name(part).is_some());
    let mut last = Ok(());
    for at in 0..archive.len() {
        let member = match archive.by_index(at) {
            Ok(member) => member,
            Err(error) => {
                // One member, as an encrypted one; the others are read.
                last = Err(unreadable(name, &error.to_string(), "unpack it first"));
                continue;
            }
        };
        let packed = Rc::new(Cell::new(member.compressed_size()));
        let part = member_name(member.name_raw());
        let hidden = part.split(['/', '\\']).any(|part| part.starts_with('.') || part == "__MACOSX");
        if member.is_dir() || (hidden && !workbook) {
            continue;
        }
        let mut limited = Limited { inner: member, packed, unpacked: 0 };
        if workbook {
            // The reader of workbooks holds parts in memory: that they are what they say is found out before.
            let mut start = Vec::new();
            let read = limited.by_ref().take(STRINGS_START).read_to_end(&mut start);
            read.and_then(|_| io::copy(&mut limited, &mut io::sink()))
                .map_err(|error| damaged(format!("{part}: {error}")))?;
            let strings =
                ["sharedstrings.xml", "sharedstrings.bin"].iter().any(|end| part.to_lowercase().ends_with(end));
            if strings && limited.unpacked > LARGEST_STRINGS {
                return Err(unreadable(name, "its texts do not fit memory", "save the sheet as CSV"));
            }
            if strings {
                export.set_aside(limited.unpacked as usize);
            }
            // Room is made for as many as it says.
            if strings && unique_count(&start) > limited.unpacked {
                return Err(damaged(format!("{part}: more texts than it has bytes")));
            }
            continue;
        }
        if let Err(error) = open(&format!("{name}/{part}"), None, Box::new(limited), depth + 1, options, export, take) {
            last = Err(error);
        }
    }
    if workbook {
        drop(archive);
        file.seek(SeekFrom::Start(0)).map_err(|error| damaged(error.to_string()))?;
        return take(name, Content::Workbook(file), options, export);
    }
    last
}

/// How many texts a workbook says it has.
fn unique_count(start: &[u8]) -> u64 {
    let start = String::from_utf8_lossy(start);
    let digits = start.split_once("uniqueCount=").map_or("", |(_, rest)| rest.trim_start_matches(['"', '\'']));
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    // Too many digits for a number: too many texts.
    if end == 0 { 0 } else { digits[..end].parse().unwrap_or(u64::MAX) }
}

/// Zips made by Windows in China name their members in GBK.
fn member_name(bytes: &[u8]) -> String {
    let name = Encoding::Utf8.decode(bytes).or_else(|| Encoding::Gb18030.decode(bytes));
    name.unwrap_or_else(|| String::from_utf8_lossy(bytes)).into_owned()
}

/// Bytes of the part of a workbook that holds its texts.
const LARGEST_STRINGS: u64 = 1 << 30;
/// Bytes of it that say how many there are.
const STRINGS_START: u64 = 4096;
