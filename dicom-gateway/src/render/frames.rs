//! Finds the bytes of each frame, without believing Number of Frames.

use std::borrow::Cow;
use std::ops::Range;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::RenderError;
use super::attributes::File;
use super::encapsulated::{Fragments, assign};
use super::format::Format;

/// Where frames lie in the data set.
pub(super) struct Frames {
    pub format: Format,
    pub stated: u32,
    source: Source,
}

enum Source {
    /// Offset of the first frame; bits of one frame; VR of the pixel data.
    Native { value: Range<usize>, frame_bits: u64, vr: VR, held: u32 },
    /// Some frames alone: VR of native pixel data, and how many frames there are.
    Excerpt { native: Option<VR>, held: u32 },
    /// Byte ranges of the fragments that make up each frame.
    Encapsulated(Vec<Vec<Range<usize>>>),
}

/// One frame's bytes as they are in the object.
pub(super) enum FrameBytes<'a> {
    Native { bytes: &'a [u8], first_bit: usize, vr: VR },
    Encapsulated(Cow<'a, [u8]>),
}

pub(super) fn locate(file: &File<'_>) -> Result<Frames, RenderError> {
    let pixels = file.pixels.ok_or(RenderError::NoPixels)?;
    if pixels.tag != tags::PIXEL_DATA {
        return Err(RenderError::FloatPixels);
    }
    let format = Format::read(file)?;
    let stated = file.integer(tags::NUMBER_OF_FRAMES).and_then(|value| u32::try_from(value).ok()).unwrap_or(1).max(1);
    if let Some(excerpt) = file.excerpt {
        format.frame_bytes()?;
        let source = Source::Excerpt { native: pixels.length.map(|_| pixels.vr), held: excerpt.held };
        return Ok(Frames { format, stated, source });
    }
    let source = match pixels.length {
        Some(length) => {
            let end = pixels.value_at.saturating_add(length as usize).min(file.dataset.len());
            native(&format, pixels.value_at..end, pixels.vr, stated)?
        }
        None => {
            let fragments = Fragments::read(&file.dataset, pixels.value_at);
            let extended = file.top(tags::EXTENDED_OFFSET_TABLE).map(|element| element.value);
            Source::Encapsulated(assign(&file.dataset, &fragments, stated, extended)?)
        }
    };
    Ok(Frames { format, stated, source })
}

fn native(format: &Format, value: Range<usize>, vr: VR, stated: u32) -> Result<Source, RenderError> {
    format.frame_bytes()?;
    // YBR_FULL_422 keeps two of three samples (PS3.3 C.7.6.3.1.2).
    let samples =
        if format.photometric == "YBR_FULL_422" { format.rows * format.cols.div_ceil(2) * 4 } else { format.samples() };
    let frame_bits = samples as u64 * u64::from(format.bits_allocated);
    let held = (value.len() as u64 * 8 / frame_bits).min(u64::from(stated)) as u32;
    Ok(Source::Native { value, frame_bits, vr, held })
}

impl Frames {
    /// Frames that are wholly there.
    pub fn held(&self) -> u32 {
        match &self.source {
            Source::Native { held, .. } | Source::Excerpt { held, .. } => *held,
            Source::Encapsulated(frames) => frames.len() as u32,
        }
    }

    /// The bytes of frame `index`, from 0.
    pub fn bytes<'a>(&self, file: &'a File<'_>, index: u32) -> Result<FrameBytes<'a>, RenderError> {
        let (held, stated) = (self.held(), self.stated);
        if index >= held {
            return Err(if index < stated {
                RenderError::Truncated { held, stated }
            } else {
                RenderError::NoSuchFrame { frame: index, frames: held }
            });
        }
        match &self.source {
            Source::Native { value, frame_bits, vr, .. } => {
                let first = u64::from(index) * frame_bits;
                // Words of big endian OW are swapped whole, also where a frame begins or ends inside one.
                let in_words = file.pixels_big_endian && *vr == VR::OW && self.format.bits_allocated <= 8;
                let word = if in_words { 16 } else { 8 };
                let start = value.start + (first / word * (word / 8)) as usize;
                let end = value.start + ((first + frame_bits).div_ceil(word) * (word / 8)) as usize;
                let bytes = file.dataset.get(start..end.min(value.end));
                let bytes = bytes.ok_or(RenderError::Truncated { held, stated })?;
                Ok(FrameBytes::Native { bytes, first_bit: (first % word) as usize, vr: *vr })
            }
            Source::Excerpt { native, .. } => {
                let bytes = file.excerpt.and_then(|excerpt| excerpt.frame(index));
                let bytes = bytes.ok_or(RenderError::NoSuchFrame { frame: index, frames: held })?;
                Ok(match native {
                    Some(vr) => FrameBytes::Native { bytes, first_bit: 0, vr: *vr },
                    None => FrameBytes::Encapsulated(Cow::Borrowed(bytes)),
                })
            }
            Source::Encapsulated(frames) => match frames[index as usize].as_slice() {
                [only] => Ok(FrameBytes::Encapsulated(Cow::Borrowed(&file.dataset[only.clone()]))),
                several => {
                    let parts: Vec<&[u8]> = several.iter().map(|range| &file.dataset[range.clone()]).collect();
                    Ok(FrameBytes::Encapsulated(Cow::Owned(parts.concat())))
                }
            },
        }
    }
}

/// The tag of an item, here of a fragment.
pub(super) const ITEM: Tag = Tag(0xFFFE, 0xE000);
