//! Where each frame of an object lies, and its bytes.

use std::ops::Range;

use bytes::Bytes;
use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::fragments::{Fragment, Walk};
use super::head::{Head, PixelsAt};
use super::{Ranged, RangedError};
use crate::dataset::{DataSet, Value};

/// Read at once while a frame is given out, in bytes. A multiple of 8, so that words are swapped whole.
const PIECE: u64 = 1 << 20;
/// Frames that one object may have: 16 bytes are kept for each.
const MAX_FRAMES: usize = 1 << 22;

/// How a frame's bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// Little endian samples as Pixel Data has them in Explicit VR Little Endian.
    Native,
    /// A codestream of the object's transfer syntax.
    Encapsulated,
}

/// The frames of one object.
#[derive(Debug)]
pub struct Frames {
    /// How each frame is written.
    pub coding: Coding,
    places: Places,
    count: u32,
}

#[derive(Debug)]
enum Places {
    /// Offset of the first; bits of one; bytes of a word that is stored big endian, else 1.
    Native { at: u64, bits: u64, swapped: usize },
    /// Where the first item of each frame is, by an offset table; where the last frame's items end is seen there.
    Items(Vec<u64>),
    /// The values of each frame's fragments.
    Fragments(Vec<Vec<Range<u64>>>),
}

/// Some of a frame's bytes: read them one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    range: Range<u64>,
    swapped: usize,
    /// Bits before the frame begins, and the frame's bits; only of frames that do not begin with a byte, or with a word
    /// that is swapped.
    bits: Option<(u32, u64)>,
}

impl Frames {
    /// Finds the frames. Number of Frames is not believed where the bytes say less.
    ///
    /// # Errors
    /// That there are none, or why they cannot be told apart.
    pub async fn find(source: &dyn Ranged, head: &Head) -> Result<Self, RangedError> {
        let pixels = head.pixels.ok_or(RangedError::NoFrames)?;
        let stated = head.dataset.integer(tags::NUMBER_OF_FRAMES).unwrap_or(1).max(1);
        let stated = u32::try_from(stated).map_err(|_| RangedError::Attribute("Number of Frames"))?;
        match pixels.length {
            Some(length) => native(source, head, pixels, length, stated),
            None => encapsulated(source, head, pixels, stated).await,
        }
    }

    /// How many frames are wholly there.
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// The pieces of a frame, from 1 as PS3.18 counts, and how many bytes they make together.
    ///
    /// # Errors
    /// `NoSuchFrame`, or that its fragments cannot be read.
    pub async fn pieces(&self, source: &dyn Ranged, head: &Head, frame: u32) -> Result<(Vec<Piece>, u64), RangedError> {
        let index = match frame.checked_sub(1) {
            Some(index) if index < self.count => index,
            _ => return Err(RangedError::NoSuchFrame { frame, frames: self.count }),
        };
        let ranges = match &self.places {
            Places::Native { at, bits, swapped } => {
                let (first, word) = (u64::from(index) * bits, *swapped as u64 * 8);
                let range = at + first / 8..at + (first + bits).div_ceil(8);
                if first % word != 0 || bits % word != 0 {
                    // It begins or ends inside a byte, or inside a word that has to be swapped whole.
                    let whole = at + first / word * (word / 8)..at + (first + bits).div_ceil(word) * (word / 8);
                    let piece = Piece { range: whole, swapped: *swapped, bits: Some(((first % word) as u32, *bits)) };
                    return Ok((vec![piece], bits.div_ceil(8)));
                }
                let length = range.end - range.start;
                return Ok((cut(&range, *swapped), length));
            }
            Places::Items(starts) => {
                let end = starts.get(index as usize + 1).copied();
                of_items(source, head, starts[index as usize], end).await?
            }
            Places::Fragments(frames) => frames[index as usize].clone(),
        };
        let length = ranges.iter().map(|range| range.end - range.start).sum();
        Ok((ranges.iter().flat_map(|range| cut(range, 1)).collect(), length))
    }
}

/// The bytes of a piece, little endian.
///
/// # Errors
/// The store's, or [`RangedError::Fragments`] where fewer are there than the head says.
pub async fn read(source: &dyn Ranged, head: &Head, piece: &Piece) -> Result<Bytes, RangedError> {
    let length = piece.range.end - piece.range.start;
    let bytes = head.bytes(source, piece.range.start, length).await?;
    if bytes.len() as u64 != length {
        return Err(RangedError::Fragments);
    }
    let bytes = if piece.swapped > 1 {
        let mut swapped = bytes.to_vec();
        swapped.chunks_exact_mut(piece.swapped).for_each(<[u8]>::reverse);
        swapped.into()
    } else {
        bytes
    };
    Ok(match piece.bits {
        Some((skip, bits)) => aligned(&bytes[(skip / 8) as usize..], skip % 8, bits),
        None => bytes,
    })
}

impl Piece {
    /// The bytes of this piece; see [`read`].
    ///
    /// # Errors
    /// As [`read`].
    pub async fn read(&self, source: &dyn Ranged, head: &Head) -> Result<Bytes, RangedError> {
        read(source, head, self).await
    }
}

fn cut(range: &Range<u64>, swapped: usize) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let end = (at + PIECE).min(range.end);
        pieces.push(Piece { range: at..end, swapped, bits: None });
        at = end;
    }
    pieces
}

/// Bits of a frame that begins inside a byte, the lowest bit first (PS3.5 8.1.1).
fn aligned(bytes: &[u8], skip: u32, bits: u64) -> Bytes {
    let mut out: Vec<u8> = bytes
        .iter()
        .enumerate()
        .map(|(at, byte)| {
            let next = u16::from(bytes.get(at + 1).copied().unwrap_or(0));
            // The low byte of the two, moved.
            (((next << 8) | u16::from(*byte)) >> skip) as u8
        })
        .collect();
    out.truncate(usize::try_from(bits.div_ceil(8)).unwrap_or(usize::MAX));
    if let (Some(last), 1..=7) = (out.last_mut(), bits % 8) {
        *last &= (1u8 << (bits % 8)) - 1;
    }
    out.into()
}

fn native(source: &dyn Ranged, head: &Head, pixels: PixelsAt, length: u64, stated: u32) -> Result<Frames, RangedError> {
    let number = |tag: Tag, name| {
        let value = head.dataset.integer(tag).and_then(|value| u64::try_from(value).ok());
        value.filter(|&value| value > 0).ok_or(RangedError::Attribute(name))
    };
    let rows = number(tags::ROWS, "Rows")?;
    let columns = number(tags::COLUMNS, "Columns")?;
    let allocated = number(tags::BITS_ALLOCATED, "Bits Allocated")?;
    let samples = head.dataset.integer(tags::SAMPLES_PER_PIXEL).and_then(|value| u64::try_from(value).ok());
    let samples = samples.filter(|samples| (1..=4).contains(samples)).unwrap_or(1);
    if allocated > 64 {
        return Err(RangedError::Attribute("Bits Allocated"));
    }
    // YBR_FULL_422 keeps two of three samples (PS3.3 C.7.6.3.1.2).
    let halved = head.dataset.text(tags::PHOTOMETRIC_INTERPRETATION).trim() == "YBR_FULL_422";
    let per_row = if halved { columns.div_ceil(2) * 4 } else { columns * samples };
    let bits = rows * per_row * allocated;
    let there = length.min(head.size(source).saturating_sub(pixels.at));
    let count = (there * 8 / bits).min(u64::from(stated)) as u32;
    // Samples of up to eight bits in OW lie in words of two bytes all the same (PS3.5 8.1.1 and A.3).
    let word = if pixels.vr == dicom_core::VR::OB { 1 } else { usize::try_from(allocated / 8).unwrap_or(2).max(2) };
    let swapped = if head.is_big_endian() { word } else { 1 };
    Ok(Frames { coding: Coding::Native, places: Places::Native { at: pixels.at, bits, swapped }, count })
}

async fn encapsulated(source: &dyn Ranged, head: &Head, pixels: PixelsAt, stated: u32) -> Result<Frames, RangedError> {
    let frames = |places, count: usize| {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        Ok(Frames { coding: Coding::Encapsulated, places, count })
    };
    let mut walk = Walk::new(head, source, pixels.at);
    let Some(table) = walk.next().await? else { return frames(Places::Fragments(Vec::new()), 0) };
    let first_item = walk.at;
    if stated > 1 {
        let extended = extended_offsets(source, head).await?;
        for offsets in [extended, basic_offsets(source, head, &table).await?] {
            if let Some(starts) = starts_of(&offsets, first_item, stated) {
                return frames(Places::Items(starts), stated as usize);
            }
        }
    }
    let mut found: Vec<Fragment> = Vec::new();
    while let Some(fragment) = walk.next().await? {
        found.push(fragment);
        if found.len() > MAX_FRAMES {
            return Err(RangedError::Fragments);
        }
    }
    let places = assign(&found, stated as usize)?;
    let count = places.len();
    frames(Places::Fragments(places), count)
}

/// Which fragments make which frame, where no table says it.
fn assign(found: &[Fragment], stated: usize) -> Result<Vec<Vec<Range<u64>>>, RangedError> {
    if found.is_empty() {
        return Ok(Vec::new());
    }
    if stated == 1 {
        return Ok(vec![found.iter().map(|fragment| fragment.value.clone()).collect()]);
    }
    // Fewer fragments than frames: what was received before a cut.
    if found.len() <= stated {
        return Ok(found.iter().map(|fragment| vec![fragment.value.clone()]).collect());
    }
    let starts: Vec<usize> = (0..found.len()).filter(|&at| found[at].begins_image).collect();
    if starts.len() != stated || starts.first() != Some(&0) {
        return Err(RangedError::Fragments);
    }
    let ends = starts.iter().skip(1).copied().chain([found.len()]);
    let values = |range: Range<usize>| found[range].iter().map(|fragment| fragment.value.clone()).collect();
    Ok(starts.iter().zip(ends).map(|(&start, end)| values(start..end)).collect())
}

/// Offsets of the frames' first items from the first item, if there is one for each frame and they grow.
fn starts_of(offsets: &[u64], first_item: u64, stated: u32) -> Option<Vec<u64>> {
    let sound = offsets.len() == stated as usize
        && offsets.first() == Some(&0)
        && offsets.windows(2).all(|pair| pair[0] < pair[1]);
    sound.then(|| offsets.iter().map(|offset| first_item.saturating_add(*offset)).collect())
}

async fn basic_offsets(source: &dyn Ranged, head: &Head, table: &Fragment) -> Result<Vec<u64>, RangedError> {
    let length = (table.value.end - table.value.start).min(4 * MAX_FRAMES as u64);
    let bytes = head.bytes(source, table.value.start, length).await?;
    let word = |chunk: &[u8]| <[u8; 4]>::try_from(chunk).map(u32::from_le_bytes).map(u64::from);
    Ok(bytes.chunks_exact(4).filter_map(|chunk| word(chunk).ok()).collect())
}

/// Extended Offset Table (7FE0,0001), which stands before the pixels.
async fn extended_offsets(source: &dyn Ranged, head: &Head) -> Result<Vec<u64>, RangedError> {
    let bytes = element_bytes(source, head, &head.dataset, tags::EXTENDED_OFFSET_TABLE).await?;
    let word = |chunk: &[u8]| <[u8; 8]>::try_from(chunk).map(u64::from_le_bytes);
    Ok(bytes.chunks_exact(8).filter_map(|chunk| word(chunk).ok()).collect())
}

async fn element_bytes(source: &dyn Ranged, head: &Head, dataset: &DataSet, tag: Tag) -> Result<Bytes, RangedError> {
    match dataset.get(tag).map(|element| &element.value) {
        Some(Value::Bytes(bytes)) => Ok(bytes.clone()),
        Some(Value::Elsewhere { at, length: Some(length) }) => {
            head.bytes(source, *at, (*length).min(8 * MAX_FRAMES as u64)).await
        }
        _ => Ok(Bytes::new()),
    }
}

/// The values of the items from `start` to `end`, or to the end of the pixels.
async fn of_items(
    source: &dyn Ranged,
    head: &Head,
    start: u64,
    end: Option<u64>,
) -> Result<Vec<Range<u64>>, RangedError> {
    let mut walk = Walk::new(head, source, start);
    let mut values = Vec::new();
    while end.is_none_or(|end| walk.at < end) {
        match walk.next().await? {
            Some(fragment) => values.push(fragment.value),
            None => break,
        }
    }
    let fits = end.is_none_or(|end| walk.at == end);
    if values.is_empty() || !fits { Err(RangedError::Fragments) } else { Ok(values) }
}
