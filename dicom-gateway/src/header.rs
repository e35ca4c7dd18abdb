//! Reads what a DICOM object says about itself, from its bytes, up to its pixels.
//!
//! The reader is iterative: nesting costs heap in proportion to the bytes present
//! and stops at [`MAX_DEPTH`], so that no later recursive parser meets a deeper
//! object. It borrows from the input and never allocates what a length field
//! claims. It understands explicit and implicit little endian, explicit big
//! endian and deflated data sets; undefined-length UN as implicit little endian
//! (PS3.5 6.2.2 note, CP-246); files without preamble, without file meta
//! information or with a wrong group length; and elements whose VR is not one.
//!
//! An object whose identity (SOP class, SOP instance, study and series UID) can't
//! be read is an error, to be quarantined by the caller. Everything less is an
//! [`Oddity`], kept with the header.

mod collect;
pub(crate) mod element;
mod file;
mod instance;
mod lines;
mod long;
mod rejection;
pub(crate) mod value;
pub(crate) mod walk;

pub use file::{FileParts, split_file};
pub use instance::{
    ImageHeader, InstanceHeader, Oddity, PatientHeader, PixelDataAt, RequestHeader, SeriesHeader, StudyHeader,
};
pub use lines::{Line, lines};
pub use long::{MAX_HEADER, ReadAt, read_long};
pub use rejection::rejection;

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;

/// Deepest nesting of sequences that is accepted. Real objects stay below 10; a
/// recursive parser with a 2 MiB stack dies at about 2,000.
pub const MAX_DEPTH: usize = 64;

/// Most bytes that a deflated data set may grow to before its pixels begin.
pub const MAX_INFLATED_HEADER: u64 = 64 << 20;

/// Why no header could be read. Messages name tags and offsets, never values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The bytes do not begin like any DICOM object.
    #[error("this is not a DICOM object")]
    NotDicom,
    /// The data ends inside the element at this offset of the data set.
    #[error("the object is cut off inside the element at offset {at}")]
    Truncated {
        /// Offset in the data set, in bytes.
        at: usize,
    },
    /// The structure at this offset is not DICOM.
    #[error("the object's structure is broken at offset {at}")]
    Malformed {
        /// Offset in the data set, in bytes.
        at: usize,
    },
    /// Sequences are nested deeper than [`MAX_DEPTH`].
    #[error("sequences are nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// An identifier without which the object cannot be filed is missing.
    #[error("the object has no {0}")]
    Missing(&'static str),
    /// An identifier is there but is not a UID.
    #[error("the object's {0} is not a UID")]
    InvalidUid(&'static str),
    /// The deflated data set cannot be inflated.
    #[error("the object's deflated data cannot be inflated")]
    Deflate,
    /// A deflated data set exceeds [`MAX_INFLATED_HEADER`] before its pixels.
    #[error("the object's deflated header is too large")]
    HeaderTooLarge,
}

/// Reads the header of a file: Part 10, or a bare data set.
pub fn read_file(bytes: &[u8]) -> Result<InstanceHeader, HeaderError> {
    let parts = split_file(bytes)?;
    read_dataset(&bytes[parts.dataset_at..], &parts.transfer_syntax)
}

/// Reads the header of a data set as it came over a presentation context with
/// this transfer syntax.
pub fn read_dataset(dataset: &[u8], transfer_syntax: &str) -> Result<InstanceHeader, HeaderError> {
    collect::read(dataset, transfer_syntax)
}
