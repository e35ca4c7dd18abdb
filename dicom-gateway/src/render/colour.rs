//! Colour images as 8-bit RGB.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::RenderError;
use super::attributes::File;
use super::format::Format;
use super::frames::Frames;
use super::lut::{self, Lut};
use super::samples::{Samples, decode};

/// `rows * cols * 3` bytes of one frame.
pub(super) fn rgb(file: &File<'_>, frames: &Frames, frame: u32, invert: bool) -> Result<Vec<u8>, RenderError> {
    let format = &frames.format;
    let decoded = decode(file, frames, frame)?;
    let mut out = if format.photometric == "PALETTE COLOR" {
        palette(file, format, &decoded.samples)?
    } else {
        let bytes = eight_bit(format, &decoded.samples);
        if decoded.is_rgb || format.photometric == "RGB" { bytes } else { from_ybr(&bytes) }
    };
    if invert {
        out.iter_mut().for_each(|byte| *byte = u8::MAX - *byte);
    }
    Ok(out)
}

/// The upper eight of the stored bits.
fn eight_bit(format: &Format, samples: &Samples) -> Vec<u8> {
    let drop = format.bits_stored.saturating_sub(8);
    match samples {
        Samples::Eight(words) if format.bits_stored == 8 => words.clone(),
        _ => samples.iter().map(|raw| ((raw >> format.shift) >> drop) as u8).collect(),
    }
}

/// PS3.3 C.7.6.3.1.2, the inverse of the ITU-R BT.601 transform.
fn from_ybr(bytes: &[u8]) -> Vec<u8> {
    let pixel = |ybr: &[u8]| {
        let (y, cb, cr) = (f32::from(ybr[0]), f32::from(ybr[1]) - 128.0, f32::from(ybr[2]) - 128.0);
        [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb].map(|part| part.round() as u8)
    };
    bytes.chunks_exact(3).flat_map(pixel).collect()
}

const CHANNELS: [(Tag, Tag, Tag); 3] = [
    (
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::SEGMENTED_RED_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ),
    (
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::SEGMENTED_GREEN_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ),
    (
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DESCRIPTOR,
        tags::BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
        tags::SEGMENTED_BLUE_PALETTE_COLOR_LOOKUP_TABLE_DATA,
    ),
];

fn palette(file: &File<'_>, format: &Format, samples: &Samples) -> Result<Vec<u8>, RenderError> {
    const MISSING: RenderError = RenderError::Attribute("Palette Color Lookup Table");
    let channel = |(descriptor, data, segmented)| {
        let descriptor = file.top(descriptor)?;
        if let Some(data) = file.top(data) {
            return Lut::read(&descriptor, &data, format.signed);
        }
        let (count, first, bits) = Lut::descriptor(&descriptor, format.signed)?;
        let entries = lut::expand_segments(&lut::words(&file.top(segmented)?), count)?;
        Some(Lut { first, bits, entries })
    };
    let mut tables = Vec::with_capacity(3);
    for tags in CHANNELS {
        tables.push(channel(tags).ok_or(MISSING)?);
    }
    // Some writers state 16 bits and fill only the lower eight.
    let narrow = tables.iter().all(|lut| lut.bits <= 8 || lut.entries.iter().all(|&entry| entry <= 0xFF));
    let drop = if narrow { 0 } else { 8 };
    let pixel = |raw| {
        let stored = format.stored(raw);
        [0, 1, 2].map(|channel: usize| (tables[channel].map(stored) >> drop) as u8)
    };
    Ok(samples.iter().flat_map(pixel).collect())
}
