//! Reads a data set from its bytes.

use std::io::Read;

use super::build::Builder;
use super::{DataSet, Value};
use crate::header::element::Encoding;
use crate::header::{self, HeaderError, MAX_INFLATED_HEADER, walk};

/// Deflated Explicit VR Little Endian.
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

/// What a data set may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Values longer than this stay in the source ([`Value::Elsewhere`]), in bytes.
    pub inline: usize,
    /// Most elements and items together.
    pub elements: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { inline: 64 << 10, elements: 1 << 20 }
    }
}

/// Why there is no data set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The bytes are broken before the pixels.
    #[error(transparent)]
    Broken(#[from] HeaderError),
    /// More elements than [`Limits::elements`].
    #[error("the data set has too many elements")]
    TooMany,
}

/// Reads a data set in this transfer syntax: every element up to its pixels, and the
/// pixels' place. What follows the pixels (padding, signatures) is left out.
///
/// # Errors
/// Broken structure, or more elements than allowed.
pub fn read(bytes: &[u8], transfer_syntax: &str, limits: Limits) -> Result<DataSet, ReadError> {
    if transfer_syntax != DEFLATED {
        return plain(bytes, transfer_syntax, limits, false);
    }
    let mut inflated = Vec::new();
    let mut source = flate2::read::DeflateDecoder::new(bytes).take(MAX_INFLATED_HEADER);
    if source.read_to_end(&mut inflated).is_err() && inflated.is_empty() {
        return Err(HeaderError::Deflate.into());
    }
    plain(&inflated, transfer_syntax, limits, false)
}

/// Reads the first part of a data set that is not deflated. A top-level element that
/// goes beyond the bytes ends the reading and is [`Value::Elsewhere`]; whether that is
/// the last that was wanted (the pixels), the caller looks.
///
/// # Errors
/// As [`read`], and if the bytes end inside a head or a sequence of undefined length.
pub fn read_first(bytes: &[u8], transfer_syntax: &str, limits: Limits) -> Result<DataSet, ReadError> {
    plain(bytes, transfer_syntax, limits, true)
}

/// Reads a file: Part 10, or a bare data set. Offsets count from the data set's
/// beginning, which [`header::split_file`] tells.
///
/// # Errors
/// As [`read`].
pub fn read_file(bytes: &[u8], limits: Limits) -> Result<DataSet, ReadError> {
    let parts = header::split_file(bytes)?;
    read(&bytes[parts.dataset_at.min(bytes.len())..], &parts.transfer_syntax, limits)
}

fn plain(bytes: &[u8], transfer_syntax: &str, limits: Limits, partial: bool) -> Result<DataSet, ReadError> {
    let mut builder = Builder::new(bytes, limits);
    let walked = match walk::walk(bytes, Encoding::of(transfer_syntax, bytes), &mut builder) {
        Ok(walked) => Some(walked),
        // The element that was cut off is noted with its place.
        Err(HeaderError::Truncated { .. }) if partial && builder.ended_beyond => None,
        Err(error) => return Err(error.into()),
    };
    if builder.overflow {
        return Err(ReadError::TooMany);
    }
    if let Some(pixels) = walked.and_then(|walked| walked.pixels) {
        let value = Value::Elsewhere { at: pixels.value_at as u64, length: pixels.length.map(u64::from) };
        builder.root.insert(pixels.tag, pixels.vr, value);
    }
    Ok(builder.root)
}
