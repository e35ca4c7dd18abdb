//! Unpacks what a person brings: files, a folder's files, or a ZIP of a CD.
//!
//! [`classify`] tells what one file is, [`normalise`] makes a Part 10 file of a
//! tolerated DICOM object, [`Archive`] goes through a ZIP entry by entry from a
//! file handle. Nothing is ever written by a name from outside, so a path that
//! climbs is only a strange name; names are for showing alone.
//!
//! **Limits.** What an entry or an archive says of its own size is not believed:
//! every byte that comes out is counted against [`Limits`], and an archive that
//! passes one ends there, after a [`Refusal`] that says why. One entry is unpacked
//! at a time: in memory up to [`LONG`] bytes, into a file without a name above.

mod archive;
mod kind;
mod long_file;
mod part10_file;

pub use archive::{Archive, Entry, Found};
pub use kind::{Kind, classify};
pub use long_file::{LONG, LongFile};
pub use part10_file::normalise;

/// Largest directory of a medium that is read, in bytes. One of a full DVD has some 20 MB.
pub const MAX_DIRECTORY: u64 = 64 << 20;

/// How much an archive may hold. The default fits a CD or DVD of CT series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all entries together, unpacked.
    pub total_bytes: u64,
    /// Bytes of one entry, unpacked; also of an archive within the archive.
    pub entry_bytes: u64,
    /// Entries, folders included, those of inner archives too.
    pub entries: u64,
    /// Unpacked bytes per packed byte, for entries above [`Self::ratio_from`].
    pub ratio: u64,
    /// Entries smaller than this may be packed as well as they like: a blank slice
    /// is packed a thousandfold.
    pub ratio_from: u64,
    /// Archives within archives: 0 none, 1 a ZIP in the ZIP.
    pub nesting: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total_bytes: 16 << 30,
            entry_bytes: 2 << 30,
            entries: 50_000,
            ratio: 200,
            ratio_from: 16 << 20,
            nesting: 1,
        }
    }
}

/// Why a file or an archive is not taken. Messages are for the person who sent it
/// and carry neither names nor patient data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Neither DICOM nor anything else that is known here.
    #[error("the file is not DICOM")]
    NotDicom,
    /// The object ends inside an element.
    #[error("the DICOM file is cut off; please export it again")]
    Truncated,
    /// The object lacks an identifier or its structure is broken.
    #[error("the DICOM file is damaged: {0}")]
    Damaged(&'static str),
    /// Sequences nested beyond reason.
    #[error("the DICOM file is nested too deeply to be a medical image")]
    TooDeep,
    /// The bytes that should be a ZIP are not one, or it is cut off.
    #[error("the ZIP is damaged or cut off; please pack it again")]
    BrokenArchive,
    /// Two entries of one name, of which unpacking would lose one.
    #[error("the ZIP holds two files of the same name; please pack it again")]
    DuplicateNames,
    /// The entry needs a password.
    #[error("the ZIP has a password; please pack it without one")]
    Encrypted,
    /// Packed by a method other than stored and deflate.
    #[error("the ZIP is packed by an unusual method; please pack it as an ordinary ZIP")]
    Method,
    /// What comes out does not match its checksum.
    #[error("the file in the ZIP is damaged")]
    Checksum,
    /// [`Limits::entry_bytes`].
    #[error("a file in the ZIP is larger than {0} bytes")]
    EntryTooLarge(u64),
    /// [`Limits::total_bytes`].
    #[error("the ZIP holds more than {0} bytes; please send it in parts")]
    TotalTooLarge(u64),
    /// [`Limits::entries`].
    #[error("the ZIP holds more than {0} files; please send it in parts")]
    TooManyEntries(u64),
    /// [`Limits::ratio`].
    #[error("the ZIP grows more than {0}-fold when unpacked and was stopped (ZIP bomb)")]
    Ratio(u64),
    /// [`Limits::nesting`].
    #[error("the ZIP holds a ZIP within a ZIP; please unpack the inner one")]
    Nesting,
    /// Reading from the disk failed.
    #[error("the upload could not be read again from the disk")]
    Io,
}
