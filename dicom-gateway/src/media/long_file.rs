//! A DICOM file that is too long for memory, looked at where it lies.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;

use super::Refusal;
use crate::header::{self, FileParts, Oddity, ReadAt, split_file};

/// From so many bytes on a file is not held in memory.
pub const LONG: u64 = crate::intake::LONG as u64;
/// File meta information is looked for in as many bytes.
const META: u64 = 1 << 20;

/// A file of which it is known that it can be filed: the same is checked as by [`super::normalise`].
#[derive(Debug)]
pub struct LongFile {
    file: File,
    size: u64,
    parts: FileParts,
    class: String,
    instance: String,
}

impl LongFile {
    /// Reads the header. Blocks on the disk.
    ///
    /// # Errors
    /// Why it cannot be filed, or [`Refusal::Io`].
    pub fn open(mut file: File) -> Result<Self, Refusal> {
        let io = |_| Refusal::Io;
        let size = file.seek(SeekFrom::End(0)).map_err(io)?;
        file.rewind().map_err(io)?;
        let mut head = Vec::new();
        file.by_ref().take(META).read_to_end(&mut head).map_err(io)?;
        let parts = split_file(&head)?;
        let dataset = DataSet { file: &file, from: parts.dataset_at as u64, size };
        let header = header::read_long(&dataset, &parts.transfer_syntax).map_err(io)??;
        if header.oddities.contains(&Oddity::PixelDataTruncated) {
            return Err(Refusal::Truncated);
        }
        let (class, instance) = (header.sop_class.to_string(), header.sop_instance.to_string());
        Ok(Self { file, size, parts, class, instance })
    }

    pub(crate) fn transfer_syntax(&self) -> &str {
        &self.parts.transfer_syntax
    }

    /// SOP class and instance.
    pub(crate) fn names(&self) -> (&str, &str) {
        (&self.class, &self.instance)
    }

    /// Gives the data set's bytes in pieces. Blocks on the disk.
    ///
    /// # Errors
    /// The disk's, or what `take` says.
    pub(crate) fn pieces<E: From<io::Error>>(&self, mut take: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let (mut at, mut piece) = (self.parts.dataset_at as u64, vec![0; 1 << 20]);
        while at < self.size {
            let length = usize::try_from(self.size - at).unwrap_or(usize::MAX).min(piece.len());
            self.file.read_exact_at(&mut piece[..length], at)?;
            take(&piece[..length])?;
            at += length as u64;
        }
        Ok(())
    }
}

struct DataSet<'a> {
    file: &'a File,
    from: u64,
    size: u64,
}

impl ReadAt for DataSet<'_> {
    fn size(&self) -> u64 {
        self.size.saturating_sub(self.from)
    }

    fn read_exact_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        self.file.read_exact_at(bytes, self.from + at)
    }
}
