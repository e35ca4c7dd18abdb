//! An object in a transfer syntax that every device takes: implicit or explicit VR little endian, uncompressed
//! (PS3.5 10.1 makes implicit the default that nobody may refuse).
//!
//! Used when a peer does not take an object as it was received. Compressed pixels are decoded by [`crate::render`],
//! with Photometric Interpretation and Planar Configuration made true again; that an image was once compressed with
//! loss stays said. Everything else is carried over element by element, without recursion and without understanding
//! its text. What was received is not touched.

mod rewrite;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use flate2::read::DeflateDecoder;

use crate::header::element::Encoding;
use crate::header::{HeaderError, split_file};
use crate::render::{self, NativePixels, RenderError};
use rewrite::{Edit, rewrite};

/// Most bytes that an object may have after it was decoded or inflated.
pub const MAX_BYTES: usize = 512 << 20;

const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
/// GE's private implicit little endian with big endian pixels.
const GE_BIG_PIXELS: &str = "1.2.840.113619.5.2";
/// Baseline and extended JPEG always lose something.
const LOSSY: [&str; 2] = ["1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"];

/// What an object is turned into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Explicit VR little endian.
    Explicit,
    /// Implicit VR little endian.
    Implicit,
}

impl Target {
    /// Its transfer syntax UID.
    pub const fn uid(self) -> &'static str {
        match self {
            Self::Explicit => "1.2.840.10008.1.2.1",
            Self::Implicit => "1.2.840.10008.1.2",
        }
    }

    fn encoding(self) -> Encoding {
        match self {
            Self::Explicit => Encoding::EXPLICIT,
            Self::Implicit => Encoding::IMPLICIT,
        }
    }

    /// What an object of this transfer syntax is offered as to a peer that may not take it, the better one first. An
    /// implicit one only stays implicit, which nobody may refuse: as explicit its private elements would be UN.
    pub fn of(transfer_syntax: &str) -> &'static [Self] {
        match transfer_syntax {
            "1.2.840.10008.1.2" => &[],
            "1.2.840.10008.1.2.1" | GE_BIG_PIXELS => &[Self::Implicit],
            _ => &[Self::Explicit, Self::Implicit],
        }
    }
}

/// Why an object cannot be turned into an uncompressed one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TranscodeError {
    /// Its structure cannot be followed to the end.
    #[error(transparent)]
    Unreadable(#[from] HeaderError),
    /// Its pixels cannot be decoded.
    #[error(transparent)]
    Pixels(#[from] RenderError),
    /// It would have more than [`MAX_BYTES`].
    #[error("uncompressed it would have more than {} MiB", MAX_BYTES >> 20)]
    TooLarge,
}

/// The data set of a file in another transfer syntax.
///
/// # Errors
/// [`TranscodeError`]; the sentences hold no patient data.
pub fn dataset(file: &[u8], target: Target) -> Result<Vec<u8>, TranscodeError> {
    let parts = split_file(file)?;
    let body = file.get(parts.dataset_at..).unwrap_or_default();
    let syntax = parts.transfer_syntax.as_str();
    let inflated = if syntax == DEFLATED { Some(inflate(body)?) } else { None };
    let body = inflated.as_deref().unwrap_or(body);
    let from = Encoding::of(syntax, body);
    let mut edits = Vec::new();
    if is_encapsulated(syntax) {
        let pixels = match render::native_pixels(file, MAX_BYTES) {
            // A document without pixels in a compressed transfer syntax is just elements.
            Err(RenderError::NoPixels) => None,
            Err(RenderError::Implausible) => return Err(TranscodeError::TooLarge),
            Err(error) => return Err(error.into()),
            Ok(pixels) => Some(pixels),
        };
        edits = pixels.map(|pixels| edits_of(pixels, syntax)).unwrap_or_default();
    }
    Ok(rewrite(body, from, target.encoding(), syntax == GE_BIG_PIXELS, edits)?)
}

/// Whether pixels of this transfer syntax come in fragments (PS3.5 A.4).
fn is_encapsulated(transfer_syntax: &str) -> bool {
    !matches!(
        transfer_syntax,
        "1.2.840.10008.1.2" | "1.2.840.10008.1.2.1" | "1.2.840.10008.1.2.2" | DEFLATED | GE_BIG_PIXELS
    )
}

/// What must be said otherwise about decoded pixels (PS3.3 C.7.6.3, PS3.5 8.2), in order of tags.
fn edits_of(pixels: NativePixels, syntax: &str) -> Vec<Edit> {
    let padded = |text: &str| {
        let mut bytes = text.as_bytes().to_vec();
        if bytes.len() % 2 == 1 {
            bytes.push(b' ');
        }
        bytes
    };
    let set = |tag: Tag, vr: VR, value: Vec<u8>| Edit { tag, vr, value: Some(value), only_if_absent: false };
    let mut edits = vec![set(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, padded(&pixels.photometric))];
    if pixels.samples_per_pixel > 1 {
        edits.push(set(tags::PLANAR_CONFIGURATION, VR::US, vec![0, 0]));
    }
    if LOSSY.contains(&syntax) {
        let lossy = set(tags::LOSSY_IMAGE_COMPRESSION, VR::CS, padded("01"));
        edits.push(Edit { only_if_absent: true, ..lossy });
    }
    for table in [tags::EXTENDED_OFFSET_TABLE, tags::EXTENDED_OFFSET_TABLE_LENGTHS] {
        edits.push(Edit { tag: table, vr: VR::OV, value: None, only_if_absent: false });
    }
    let vr = if pixels.bits_allocated > 8 { VR::OW } else { VR::OB };
    edits.push(set(tags::PIXEL_DATA, vr, pixels.bytes));
    edits
}

fn inflate(body: &[u8]) -> Result<Vec<u8>, TranscodeError> {
    use std::io::Read;
    let mut out = Vec::new();
    let read = DeflateDecoder::new(body).take(MAX_BYTES as u64 + 1).read_to_end(&mut out);
    match read {
        Ok(_) if out.len() > MAX_BYTES => Err(TranscodeError::TooLarge),
        Ok(_) => Ok(out),
        Err(_) => Err(HeaderError::Deflate.into()),
    }
}
