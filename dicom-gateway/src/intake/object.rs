//! An object as it was received, ready to be kept.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use dokuei_models::objects::Spool;
use sha2::{Digest, Sha256};

use super::KeepError;
use crate::header::{self, HeaderError, InstanceHeader};
use crate::media::LongFile;
use crate::part10;
use crate::uid::Uid;

/// A complete object: our own file meta information and the data set's bytes as
/// received. Equal data sets in one transfer syntax make equal files, so that the
/// hash of the file tells whether an instance came again.
#[derive(Clone)]
pub struct ReceivedObject {
    pub(crate) content: Content,
    pub(crate) dataset_at: usize,
    pub(crate) transfer_syntax: String,
    /// SHA-256 of `file`, lower-case hexadecimal.
    pub(crate) sha256: String,
    /// SOP class and instance as the message around it says.
    pub(crate) announced: Option<(String, String)>,
}

/// The file's bytes.
#[derive(Clone)]
pub(crate) enum Content {
    Memory(Bytes),
    /// Too long for memory.
    Spool(Arc<Spool>),
}

/// The bytes are not a DICOM object at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the file is not a DICOM object: {0}")]
pub struct ObjectError(#[from] pub HeaderError);

impl ReceivedObject {
    /// Takes a file from an upload or a medium: Part 10, or a bare data set. What
    /// is before the data set is replaced by our own file meta information.
    ///
    /// # Errors
    /// Bytes that nothing shows to be DICOM are not an object. A broken object is
    /// one: it will be quarantined.
    pub fn from_file(bytes: &[u8]) -> Result<Self, ObjectError> {
        let parts = header::split_file(bytes)?;
        let dataset = &bytes[parts.dataset_at.min(bytes.len())..];
        let (class, instance) = match header::read_dataset(dataset, &parts.transfer_syntax) {
            Ok(header) => (header.sop_class.to_string(), header.sop_instance.to_string()),
            Err(HeaderError::NotDicom) => return Err(HeaderError::NotDicom.into()),
            Err(_) => (parts.sop_class.unwrap_or_default(), parts.sop_instance.unwrap_or_default()),
        };
        let mut file = part10::file_meta(&class, &instance, &parts.transfer_syntax);
        let dataset_at = file.len();
        file.extend_from_slice(dataset);
        let sha256 = hex::encode(Sha256::digest(&file));
        let content = Content::Memory(file.into());
        Ok(Self { content, dataset_at, transfer_syntax: parts.transfer_syntax, sha256, announced: None })
    }

    /// The same of a file that is too long for memory: its data set goes into the archive's `spool`. Blocks on the disk.
    ///
    /// # Errors
    /// The disk's.
    pub fn from_long(long: &LongFile, mut spool: Spool) -> Result<Self, KeepError> {
        let (class, instance) = long.names();
        let meta = part10::file_meta(class, instance, long.transfer_syntax());
        spool.write(&meta)?;
        long.pieces(|piece| spool.write(piece).map_err(KeepError::from))?;
        Ok(Self {
            sha256: spool.sha256(),
            content: Content::Spool(Arc::new(spool)),
            dataset_at: meta.len(),
            transfer_syntax: long.transfer_syntax().to_owned(),
            announced: None,
        })
    }

    /// Bytes of the file.
    pub fn size(&self) -> u64 {
        match &self.content {
            Content::Memory(file) => file.len() as u64,
            Content::Spool(spool) => spool.len(),
        }
    }

    /// The DICOM file; `None` when it is too long for memory.
    pub fn file(&self) -> Option<&Bytes> {
        match &self.content {
            Content::Memory(file) => Some(file),
            Content::Spool(_) => None,
        }
    }

    /// The data set's bytes as received; `None` when it is too long for memory.
    pub fn dataset(&self) -> Option<&[u8]> {
        self.file().map(|file| &file[self.dataset_at..])
    }

    /// Reads the header.
    ///
    /// # Errors
    /// The outer error is the spool's, the inner one the object's.
    pub fn header(&self) -> io::Result<Result<InstanceHeader, HeaderError>> {
        match &self.content {
            Content::Memory(file) => Ok(header::read_dataset(&file[self.dataset_at..], &self.transfer_syntax)),
            Content::Spool(spool) => {
                header::read_long(&Spooled { spool, from: self.dataset_at as u64 }, &self.transfer_syntax)
            }
        }
    }

    /// The transfer syntax of the data set.
    pub fn transfer_syntax(&self) -> &str {
        &self.transfer_syntax
    }
}

/// A spooled file from its data set on.
struct Spooled<'a> {
    spool: &'a Spool,
    from: u64,
}

impl header::ReadAt for Spooled<'_> {
    fn size(&self) -> u64 {
        self.spool.len().saturating_sub(self.from)
    }

    fn read_exact_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        self.spool.read_exact_at(bytes, self.from + at).map_err(io::Error::other)
    }
}

/// An object that is still being received: in memory, or in a spool from [`LONG`] bytes on.
pub(crate) struct Receiving {
    /// The file, or what of it is not in the spool yet.
    buffer: Vec<u8>,
    spool: Option<Box<Spool>>,
    dataset_at: usize,
    hashed: usize,
    hash: Sha256,
    transfer_syntax: String,
    announced: (Uid, Uid),
}

/// Bytes that are held in memory of one object.
pub(crate) const LONG: usize = 4 << 20;
/// Bytes that are written to a spool at once.
const PIECE: usize = 1 << 20;

impl Receiving {
    /// `expected` bytes are reserved at most; more is taken as it comes.
    pub fn new(class: Uid, instance: Uid, transfer_syntax: &str, expected: usize) -> Self {
        let mut buffer = part10::file_meta(class.as_str(), instance.as_str(), transfer_syntax);
        buffer.reserve(expected.min(LONG));
        let dataset_at = buffer.len();
        Self {
            buffer,
            spool: None,
            dataset_at,
            hashed: 0,
            hash: Sha256::new(),
            transfer_syntax: transfer_syntax.to_owned(),
            announced: (class, instance),
        }
    }

    /// Where the next bytes go.
    pub fn target(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Bytes of the data set so far.
    pub fn len(&self) -> usize {
        let spooled = self.spool.as_ref().map_or(0, |spool| usize::try_from(spool.len()).unwrap_or(usize::MAX));
        spooled.saturating_add(self.buffer.len()) - self.dataset_at
    }

    /// Bytes in memory.
    pub fn in_memory(&self) -> usize {
        self.buffer.len()
    }

    /// Whether it is in a spool.
    pub fn is_spooled(&self) -> bool {
        self.spool.is_some()
    }

    /// Whether it is time for [`Receiving::spill`].
    pub fn is_long(&self) -> bool {
        self.buffer.len() >= if self.spool.is_some() { PIECE } else { LONG }
    }

    /// Hashes what came since the last call, while the next bytes are under way. A spool hashes for itself.
    pub fn hash(&mut self) {
        if self.spool.is_none() {
            self.hash.update(&self.buffer[self.hashed..]);
            self.hashed = self.buffer.len();
        }
    }

    /// Moves what is in memory into the spool, which `make` makes the first time. Blocks on the disk.
    ///
    /// # Errors
    /// The disk's; then the object cannot be received.
    pub fn spill(&mut self, make: impl FnOnce() -> Result<Option<Spool>, KeepError>) -> Result<(), KeepError> {
        if self.spool.is_none() {
            let Some(spool) = make()? else { return Ok(()) };
            self.spool = Some(Box::new(spool));
        }
        if let Some(spool) = &mut self.spool {
            spool.write(&self.buffer)?;
            self.buffer.clear();
            self.buffer.shrink_to(2 * PIECE);
        }
        Ok(())
    }

    /// The data set is complete. Blocks on the disk if there is a spool.
    ///
    /// # Errors
    /// The disk's.
    pub fn finish(mut self) -> Result<ReceivedObject, KeepError> {
        self.hash();
        let (content, sha256) = match self.spool {
            None => (Content::Memory(self.buffer.into()), hex::encode(self.hash.finalize())),
            Some(mut spool) => {
                spool.write(&self.buffer)?;
                let sha256 = spool.sha256();
                (Content::Spool(Arc::new(*spool)), sha256)
            }
        };
        Ok(ReceivedObject {
            content,
            dataset_at: self.dataset_at,
            transfer_syntax: self.transfer_syntax,
            sha256,
            announced: Some((self.announced.0.to_string(), self.announced.1.to_string())),
        })
    }
}
