//! An object as it was received, ready to be kept.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::header::{self, HeaderError};
use crate::part10;
use crate::uid::Uid;

/// A complete object: our own file meta information and the data set's bytes as
/// received. Equal data sets in one transfer syntax make equal files, so that the
/// hash of the file tells whether an instance came again.
#[derive(Clone)]
pub struct ReceivedObject {
    pub(crate) file: Bytes,
    pub(crate) dataset_at: usize,
    pub(crate) transfer_syntax: String,
    /// SHA-256 of `file`, lower-case hexadecimal.
    pub(crate) sha256: String,
    /// SOP class and instance as the message around it says.
    pub(crate) announced: Option<(String, String)>,
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
        Ok(Self { file: file.into(), dataset_at, transfer_syntax: parts.transfer_syntax, sha256, announced: None })
    }

    /// The DICOM file.
    pub fn file(&self) -> &Bytes {
        &self.file
    }

    /// The data set's bytes as received.
    pub fn dataset(&self) -> &[u8] {
        &self.file[self.dataset_at..]
    }

    /// The transfer syntax of the data set.
    pub fn transfer_syntax(&self) -> &str {
        &self.transfer_syntax
    }
}

/// An object that is still being received.
pub(crate) struct Receiving {
    file: Vec<u8>,
    dataset_at: usize,
    hashed: usize,
    hash: Sha256,
    transfer_syntax: String,
    announced: (Uid, Uid),
}

impl Receiving {
    /// `expected` bytes are reserved at most; more is taken as it comes.
    pub fn new(class: Uid, instance: Uid, transfer_syntax: &str, expected: usize) -> Self {
        let mut file = part10::file_meta(class.as_str(), instance.as_str(), transfer_syntax);
        file.reserve(expected);
        let dataset_at = file.len();
        Self {
            file,
            dataset_at,
            hashed: 0,
            hash: Sha256::new(),
            transfer_syntax: transfer_syntax.to_owned(),
            announced: (class, instance),
        }
    }

    /// Where the next bytes go.
    pub fn target(&mut self) -> &mut Vec<u8> {
        &mut self.file
    }

    /// Bytes of the data set so far.
    pub fn len(&self) -> usize {
        self.file.len() - self.dataset_at
    }

    /// Hashes what came since the last call, while the next bytes are under way.
    pub fn hash(&mut self) {
        self.hash.update(&self.file[self.hashed..]);
        self.hashed = self.file.len();
    }

    /// The data set is complete.
    pub fn finish(mut self) -> ReceivedObject {
        self.hash();
        ReceivedObject {
            file: self.file.into(),
            dataset_at: self.dataset_at,
            transfer_syntax: self.transfer_syntax,
            sha256: hex::encode(self.hash.finalize()),
            announced: Some((self.announced.0.to_string(), self.announced.1.to_string())),
        }
    }
}
