//! The beginning of a stored object: its data set up to the pixels, and where those are.

use std::io::Read as _;

use bytes::Bytes;
use dicom_core::{Tag, VR};

use super::{MAX_HEAD, MAX_INFLATED, Ranged, RangedError};
use crate::dataset::{self, DataSet, Limits, ReadError, Value};
use crate::header::{self, HeaderError};

const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
/// What a deflated data set is, inflated (PS3.5 A.5).
const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";
/// What is read at first; most headers are smaller.
const FIRST: u64 = 128 << 10;

/// An object's data set without its pixels.
#[derive(Debug)]
pub struct Head {
    /// Every element before the pixels; the pixels' own as [`Value::Elsewhere`].
    pub dataset: DataSet,
    /// Offset of the data set in the source, in bytes.
    pub dataset_at: u64,
    /// The transfer syntax of the stored bytes.
    pub transfer_syntax: String,
    /// Where the pixels are.
    pub pixels: Option<PixelsAt>,
    /// How many bytes were read for it.
    pub cost: u64,
    /// The data set of a deflated object; offsets count from its beginning then.
    inflated: Option<Bytes>,
}

/// Where the pixels of an object are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelsAt {
    /// Pixel Data, Float Pixel Data or Double Float Pixel Data.
    pub tag: Tag,
    /// As written, or the dictionary's.
    pub vr: VR,
    /// Offset of the value in the data set, in bytes.
    pub at: u64,
    /// In bytes; `None` if encapsulated.
    pub length: Option<u64>,
}

/// Reads the head of an object. Values above `limits.inline` bytes stay where they are.
///
/// # Errors
/// What is broken before the pixels, or that the store did not give the bytes.
pub async fn head(source: &dyn Ranged, limits: Limits) -> Result<Head, RangedError> {
    let size = source.size();
    let mut wanted = FIRST.min(size);
    loop {
        let bytes = source.read(0..wanted).await?;
        let whole = wanted == size;
        match look(&bytes, limits, whole || wanted >= MAX_HEAD, size)? {
            Some(head) => return Ok(head),
            None => wanted = (wanted * 8).min(size).min(MAX_HEAD.max(FIRST)),
        }
    }
}

/// The elements before the pixels and the transfer syntax, for whoever gives the rest out as it is: also of a deflated
/// object of any size, of which the first [`MAX_INFLATED`] bytes are inflated.
///
/// # Errors
/// As [`head`]; a deflated data set whose pixels begin later.
pub async fn leading(source: &dyn Ranged, limits: Limits) -> Result<(DataSet, String), RangedError> {
    match head(source, limits).await {
        Ok(head) => Ok((head.dataset, head.transfer_syntax)),
        Err(RangedError::DeflatedTooLarge) => {
            // Deflating makes nothing longer that is worth mentioning.
            let bytes = source.read(0..source.size().min(MAX_HEAD)).await?;
            let parts = header::split_file(&bytes)?;
            let body = &bytes[parts.dataset_at.min(bytes.len())..];
            let mut out = Vec::new();
            let read = flate2::read::DeflateDecoder::new(body).take(MAX_INFLATED).read_to_end(&mut out);
            if let Err(error) = read {
                tracing::debug!(%error, "a deflated data set was read up to here");
            }
            let dataset = dataset::read_first(&out, EXPLICIT_LITTLE, limits)?;
            if pixels_of(&dataset).is_none() {
                return Err(RangedError::DeflatedTooLarge);
            }
            Ok((dataset, parts.transfer_syntax))
        }
        Err(error) => Err(error),
    }
}

/// The head, if these bytes hold it. `last` takes what is there.
fn look(bytes: &Bytes, limits: Limits, last: bool, size: u64) -> Result<Option<Head>, RangedError> {
    let parts = header::split_file(bytes)?;
    let dataset_at = parts.dataset_at.min(bytes.len());
    if parts.transfer_syntax == DEFLATED {
        return if bytes.len() as u64 == size {
            inflated(&bytes[dataset_at..], dataset_at as u64, limits).map(Some)
        } else if size > MAX_INFLATED {
            Err(RangedError::DeflatedTooLarge)
        } else {
            Ok(None)
        };
    }
    let dataset = match dataset::read_first(&bytes[dataset_at..], &parts.transfer_syntax, limits) {
        Ok(dataset) => dataset,
        Err(ReadError::Broken(HeaderError::Truncated { .. })) if !last => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let pixels = pixels_of(&dataset);
    if pixels.is_none() && !last {
        return Ok(None);
    }
    Ok(Some(Head {
        dataset,
        dataset_at: dataset_at as u64,
        transfer_syntax: parts.transfer_syntax,
        pixels,
        cost: bytes.len() as u64,
        inflated: None,
    }))
}

fn inflated(body: &[u8], dataset_at: u64, limits: Limits) -> Result<Head, RangedError> {
    let mut out = Vec::new();
    let read = flate2::read::DeflateDecoder::new(body).take(MAX_INFLATED + 1).read_to_end(&mut out);
    if out.len() as u64 > MAX_INFLATED {
        return Err(RangedError::DeflatedTooLarge);
    }
    if read.is_err() && out.is_empty() {
        return Err(HeaderError::Deflate.into());
    }
    let dataset = dataset::read_first(&out, EXPLICIT_LITTLE, limits)?;
    let pixels = pixels_of(&dataset);
    let cost = out.len() as u64;
    let inflated = Some(Bytes::from(out));
    Ok(Head { dataset, dataset_at, transfer_syntax: DEFLATED.to_owned(), pixels, cost, inflated })
}

fn pixels_of(dataset: &DataSet) -> Option<PixelsAt> {
    [0x0008, 0x0009, 0x0010].into_iter().find_map(|element| {
        let tag = Tag(0x7FE0, element);
        let found = dataset.get(tag)?;
        match &found.value {
            Value::Elsewhere { at, length } => Some(PixelsAt { tag, vr: found.vr, at: *at, length: *length }),
            _ => None,
        }
    })
}

impl Head {
    /// Bytes of the data set from `at` on, at the most `length` and not beyond its end.
    ///
    /// # Errors
    /// The store's.
    pub async fn bytes(&self, source: &dyn Ranged, at: u64, length: u64) -> Result<Bytes, RangedError> {
        let (source, base): (&dyn Ranged, u64) = match &self.inflated {
            Some(inflated) => (inflated, 0),
            None => (source, self.dataset_at),
        };
        let start = base.saturating_add(at).min(source.size());
        let end = start.saturating_add(length).min(source.size());
        Ok(source.read(start..end).await?)
    }

    /// Bytes of the data set.
    pub fn size(&self, source: &dyn Ranged) -> u64 {
        match &self.inflated {
            Some(inflated) => inflated.size(),
            None => source.size().saturating_sub(self.dataset_at),
        }
    }

    /// Whether the object is deflated, so that offsets count in what was inflated.
    pub fn is_inflated(&self) -> bool {
        self.inflated.is_some()
    }

    /// Whether multi-byte values are stored big endian.
    pub fn is_big_endian(&self) -> bool {
        matches!(self.transfer_syntax.as_str(), "1.2.840.10008.1.2.2" | "1.2.840.113619.5.2")
    }
}
