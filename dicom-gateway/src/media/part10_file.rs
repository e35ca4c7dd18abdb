//! A tolerated object made a Part 10 file.

use std::borrow::Cow;

use super::Refusal;
use crate::header::{self, HeaderError, Oddity, split_file};
use crate::part10;

/// Checks that the object can be filed (its identifiers, its depth, that it is
/// whole) and gives it as a Part 10 file. A file with preamble comes back as it
/// is. The data set's bytes are never changed.
pub fn normalise(bytes: &[u8]) -> Result<Cow<'_, [u8]>, Refusal> {
    let header = header::read_file(bytes)?;
    if header.oddities.contains(&Oddity::PixelDataTruncated) {
        return Err(Refusal::Truncated);
    }
    let parts = split_file(bytes)?;
    if bytes.get(128..132) == Some(b"DICM") && parts.sop_instance.is_some() {
        return Ok(Cow::Borrowed(bytes));
    }
    let (class, instance) = (header.sop_class.as_str(), header.sop_instance.as_str());
    let mut file = part10::file_meta(class, instance, &parts.transfer_syntax);
    file.extend_from_slice(&bytes[parts.dataset_at..]);
    Ok(Cow::Owned(file))
}

impl From<HeaderError> for Refusal {
    fn from(error: HeaderError) -> Self {
        match error {
            HeaderError::NotDicom => Self::NotDicom,
            HeaderError::Truncated { .. } => Self::Truncated,
            HeaderError::TooDeep | HeaderError::HeaderTooLarge => Self::TooDeep,
            HeaderError::Malformed { .. } => Self::Damaged("its structure is broken"),
            HeaderError::Deflate => Self::Damaged("it cannot be inflated"),
            HeaderError::Missing(what) | HeaderError::InvalidUid(what) => Self::Damaged(what),
        }
    }
}
