//! Goes through a ZIP, entry by entry.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom, Write as _};

use zip::ZipArchive;
use zip::result::ZipError;

use super::{Kind, LONG, Limits, LongFile, MAX_DIRECTORY, Refusal, classify, normalise};

/// Enough of an entry to tell what it is.
const HEAD: u64 = 1024;

/// One file of the archive.
#[derive(Debug)]
pub struct Entry {
    /// Path within the archive, for showing only; inner archives come before a `!`.
    /// Names that are not UTF-8 are read as Shift_JIS, as Japanese Windows packs.
    pub name: String,
    /// What it is.
    pub found: Found,
}

/// What became of an entry.
#[derive(Debug)]
pub enum Found {
    /// An object, as a Part 10 file.
    Dicom(Vec<u8>),
    /// An object that is too long for memory.
    Long(LongFile),
    /// The directory of a medium: what it names comes by itself.
    Directory(Vec<u8>),
    /// Not an image, so left out: its kind.
    Ignored(Kind),
    /// Not taken, and why. After a limit of the whole archive nothing follows.
    Refused(Refusal),
}

trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

/// What an entry was unpacked into.
enum Unpacked {
    Memory(Vec<u8>),
    File(File),
}

struct Level<'a> {
    zip: ZipArchive<Box<dyn ReadSeek + 'a>>,
    next: usize,
    prefix: String,
}

/// Iterator over the files of a ZIP. Folders are passed over.
pub struct Archive<'a> {
    levels: Vec<Level<'a>>,
    limits: Limits,
    scratch: Box<dyn Fn() -> io::Result<File> + Send + 'a>,
    packed_bytes: u64,
    unpacked_bytes: u64,
    entries: u64,
}

impl<'a> Archive<'a> {
    /// Opens a ZIP from a handle that can seek. Only its directory is read. `scratch` makes the file into which an entry
    /// goes that is too long for memory.
    pub fn open(
        mut reader: impl Read + Seek + 'a,
        limits: Limits,
        scratch: impl Fn() -> io::Result<File> + Send + 'a,
    ) -> Result<Self, Refusal> {
        let packed_bytes = reader.seek(SeekFrom::End(0)).map_err(|_| Refusal::Io)?;
        let scratch = Box::new(scratch);
        let mut archive = Self { levels: Vec::new(), limits, scratch, packed_bytes, unpacked_bytes: 0, entries: 0 };
        archive.enter(Box::new(reader), String::new())?;
        Ok(archive)
    }

    fn enter(&mut self, reader: Box<dyn ReadSeek + 'a>, prefix: String) -> Result<(), Refusal> {
        let zip = ZipArchive::new(reader).map_err(|error| refusal(&error))?;
        if zip.has_duplicate_names() {
            return Err(Refusal::DuplicateNames);
        }
        self.entries += zip.len() as u64;
        if self.entries > self.limits.entries {
            return Err(Refusal::TooManyEntries(self.limits.entries));
        }
        self.levels.push(Level { zip, next: 0, prefix });
        Ok(())
    }

    /// What the next entry is, or `None` for a folder or an opened inner archive.
    fn step(&mut self) -> Result<Option<Entry>, (String, Refusal)> {
        let Some(level) = self.levels.last_mut() else { return Ok(None) };
        let index = level.next;
        level.next += 1;
        let (name, folder, refused) = match level.zip.by_index_raw(index) {
            Ok(file) => {
                let name = format!("{}{}", level.prefix, shown(file.name_raw()));
                let refused = file.encrypted().then_some(Refusal::Encrypted);
                (name, file.is_dir() || file.is_symlink(), refused)
            }
            Err(error) => (format!("{}#{index}", level.prefix), false, Some(refusal(&error))),
        };
        if folder {
            return Ok(None);
        }
        let found = match refused {
            Some(refusal) => Err(refusal),
            None => self.read(index, &name),
        };
        match found {
            Ok((Kind::Zip, unpacked)) => {
                if self.levels.len() as u32 > self.limits.nesting {
                    return Ok(Some(Entry { name, found: Found::Refused(Refusal::Nesting) }));
                }
                let inner: Box<dyn ReadSeek> = match unpacked {
                    Unpacked::Memory(bytes) => Box::new(Cursor::new(bytes)),
                    Unpacked::File(file) => Box::new(file),
                };
                match self.enter(inner, format!("{name}!")) {
                    Ok(()) => Ok(None),
                    Err(refusal) if refusal.ends_archive() => Err((name, refusal)),
                    Err(refusal) => Ok(Some(Entry { name, found: Found::Refused(refusal) })),
                }
            }
            Ok((Kind::Dicom | Kind::BareDicom, unpacked)) => {
                let found = match unpacked {
                    Unpacked::Memory(bytes) => object(bytes).map(Found::Dicom),
                    Unpacked::File(file) => LongFile::open(file).map(Found::Long),
                };
                Ok(Some(Entry { name, found: found.unwrap_or_else(Found::Refused) }))
            }
            Ok((Kind::DicomDir, Unpacked::Memory(bytes))) if !bytes.is_empty() => {
                Ok(Some(Entry { name, found: Found::Directory(bytes) }))
            }
            Ok((kind, _)) => Ok(Some(Entry { name, found: Found::Ignored(kind) })),
            Err(refusal) if refusal.ends_archive() => Err((name, refusal)),
            Err(refusal) => Ok(Some(Entry { name, found: Found::Refused(refusal) })),
        }
    }

    /// The entry's kind, and what it was unpacked into if it is an object or an archive.
    fn read(&mut self, index: usize, name: &str) -> Result<(Kind, Unpacked), Refusal> {
        let depth = self.levels.len() as u32;
        let Some(level) = self.levels.last_mut() else { return Err(Refusal::Io) };
        let mut file = level.zip.by_index(index).map_err(|error| refusal(&error))?;
        let packed = file.compressed_size().max(1);
        let mut bytes = Vec::new();
        file.by_ref().take(HEAD).read_to_end(&mut bytes).map_err(damage)?;
        self.unpacked_bytes += bytes.len() as u64;
        let kind = classify(name, &bytes);
        let wanted = match kind {
            Kind::Dicom | Kind::BareDicom => true,
            Kind::DicomDir => file.size() <= MAX_DIRECTORY,
            Kind::Zip => depth <= self.limits.nesting,
            _ => false,
        };
        if !wanted {
            return Ok((kind, Unpacked::Memory(Vec::new())));
        }
        // What the directory says is not believed, but held to: an entry that says it is too large is refused before it
        // is unpacked, and one that turns out larger than it says, where it passes that size.
        let (stated, limits) = (file.size(), self.limits);
        if stated > limits.ratio_from && stated / packed > limits.ratio {
            return Err(Refusal::Ratio(limits.ratio));
        }
        if stated > limits.entry_bytes {
            return Err(Refusal::EntryTooLarge(limits.entry_bytes));
        }
        let mut unpacked = bytes.len() as u64;
        let mut into = if stated > LONG && kind != Kind::DicomDir {
            let mut long = (self.scratch)().map_err(|_| Refusal::Io)?;
            long.write_all(&bytes).map_err(|_| Refusal::Io)?;
            Unpacked::File(long)
        } else {
            // At once, because growing would hold the bytes twice.
            bytes.reserve_exact(usize::try_from(stated).unwrap_or(0).saturating_sub(bytes.len()));
            Unpacked::Memory(bytes)
        };
        let mut chunk = vec![0; 64 << 10];
        loop {
            let count = match file.read(&mut chunk).map_err(damage)? {
                0 => return Ok((kind, into)),
                count => count,
            };
            self.unpacked_bytes += count as u64;
            unpacked += count as u64;
            if unpacked > stated {
                return Err(Refusal::Checksum);
            }
            let grown = unpacked > limits.ratio_from && unpacked / packed > limits.ratio;
            let all = self.unpacked_bytes;
            if grown || (all > 4 * limits.ratio_from && all / self.packed_bytes.max(1) > limits.ratio) {
                return Err(Refusal::Ratio(limits.ratio));
            }
            if all > limits.total_bytes {
                return Err(Refusal::TotalTooLarge(limits.total_bytes));
            }
            if unpacked > limits.entry_bytes {
                return Err(Refusal::EntryTooLarge(limits.entry_bytes));
            }
            match &mut into {
                Unpacked::Memory(bytes) => bytes.extend_from_slice(&chunk[..count]),
                Unpacked::File(long) => long.write_all(&chunk[..count]).map_err(|_| Refusal::Io)?,
            }
        }
    }
}

/// A Part 10 file, without a second copy of what is one already.
fn object(bytes: Vec<u8>) -> Result<Vec<u8>, Refusal> {
    let made = match normalise(&bytes)? {
        Cow::Owned(file) => Some(file),
        Cow::Borrowed(_) => None,
    };
    Ok(made.unwrap_or(bytes))
}

impl Iterator for Archive<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        loop {
            let level = self.levels.last()?;
            if level.next >= level.zip.len() {
                self.levels.pop();
                continue;
            }
            match self.step() {
                Ok(Some(entry)) => return Some(entry),
                Ok(None) => {}
                Err((name, refusal)) => {
                    self.levels.clear();
                    return Some(Entry { name, found: Found::Refused(refusal) });
                }
            }
        }
    }
}

impl Refusal {
    /// Whether the archive is not read any further after it.
    fn ends_archive(self) -> bool {
        matches!(self, Self::TotalTooLarge(_) | Self::TooManyEntries(_) | Self::Ratio(_) | Self::Io)
    }
}

fn shown(raw: &[u8]) -> String {
    match std::str::from_utf8(raw) {
        Ok(name) => name.to_owned(),
        Err(_) => encoding_rs::SHIFT_JIS.decode(raw).0.into_owned(),
    }
}

fn refusal(error: &ZipError) -> Refusal {
    match error {
        ZipError::Io(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => Refusal::Io,
        ZipError::CompressionMethodNotSupported(_) => Refusal::Method,
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword => Refusal::Encrypted,
        ZipError::UnsupportedArchive(_) => Refusal::Method,
        _ => Refusal::BrokenArchive,
    }
}

/// An error while unpacking is the archive's unless the disk failed.
fn damage(error: std::io::Error) -> Refusal {
    use std::io::ErrorKind::{InvalidData, InvalidInput, Other, UnexpectedEof};
    if matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof | Other) {
        Refusal::Checksum
    } else {
        Refusal::Io
    }
}
