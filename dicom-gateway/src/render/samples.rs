//! One frame's samples as they were stored: unmasked words, pixel by pixel.

use dicom_core::VR;

use super::RenderError;
use super::attributes::File;
use super::codec;
use super::format::Format;
use super::frames::{self, FrameBytes, Frames};

/// Raw words of one frame, `rows * cols * samples_per_pixel`, components
/// interleaved. Bits above High Bit are still in them.
pub(super) enum Samples {
    Eight(Vec<u8>),
    Sixteen(Vec<u16>),
    ThirtyTwo(Vec<u32>),
}

/// A decoded frame, and whether its decoder already made RGB of YBR.
pub(super) struct Decoded {
    pub samples: Samples,
    pub is_rgb: bool,
}

impl Samples {
    pub fn len(&self) -> usize {
        match self {
            Self::Eight(words) => words.len(),
            Self::Sixteen(words) => words.len(),
            Self::ThirtyTwo(words) => words.len(),
        }
    }

    /// All words, widened.
    pub fn iter(&self) -> Box<dyn Iterator<Item = u32> + '_> {
        match self {
            Self::Eight(words) => Box::new(words.iter().map(|&word| u32::from(word))),
            Self::Sixteen(words) => Box::new(words.iter().map(|&word| u32::from(word))),
            Self::ThirtyTwo(words) => Box::new(words.iter().copied()),
        }
    }

    /// Words of `bits_allocated` bits (8, 16, 32) from their bytes.
    pub fn from_bytes(bytes: &[u8], bits_allocated: u32, big_endian: bool) -> Self {
        match bits_allocated {
            16 => {
                let word = if big_endian { u16::from_be_bytes } else { u16::from_le_bytes };
                Self::Sixteen(bytes.chunks_exact(2).map(|b| word([b[0], b[1]])).collect())
            }
            32 => {
                let word = if big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
                Self::ThirtyTwo(bytes.chunks_exact(4).map(|b| word([b[0], b[1], b[2], b[3]])).collect())
            }
            _ => Self::Eight(bytes.to_vec()),
        }
    }

    /// From one plane per component to pixel by pixel.
    pub fn interleave(self, components: usize) -> Self {
        fn turn<T: Copy>(planes: &[T], components: usize) -> Vec<T> {
            let pixels = planes.len() / components;
            (0..pixels).flat_map(|at| (0..components).map(move |plane| planes[plane * pixels + at])).collect()
        }
        match self {
            _ if components < 2 => self,
            Self::Eight(words) => Self::Eight(turn(&words, components)),
            Self::Sixteen(words) => Self::Sixteen(turn(&words, components)),
            Self::ThirtyTwo(words) => Self::ThirtyTwo(turn(&words, components)),
        }
    }
}

/// Decodes frame `index`, from 0.
pub(super) fn decode(file: &File<'_>, frames: &Frames, index: u32) -> Result<Decoded, RenderError> {
    let format = &frames.format;
    let decoded = match frames.bytes(file, index)? {
        FrameBytes::Native { bytes, first_bit, vr } => {
            Decoded { samples: native(format, bytes, first_bit, vr, file.pixels_big_endian), is_rgb: false }
        }
        FrameBytes::Encapsulated(bytes) => codec::decode(&file.transfer_syntax, format, &bytes)?,
    };
    if decoded.samples.len() != format.samples() {
        return Err(RenderError::Damaged);
    }
    Ok(decoded)
}

/// Whether two objects show the same: equal sizes, frames, colour space and stored values.
pub(super) fn same(one: &File<'_>, other: &File<'_>) -> Result<bool, RenderError> {
    let (a, b) = (frames::locate(one)?, frames::locate(other)?);
    let form = |format: &Format| {
        (format.rows, format.cols, format.samples_per_pixel, format.bits_stored, format.signed, format.is_grey())
    };
    if form(&a.format) != form(&b.format) || a.stated != b.stated || a.held() != b.held() {
        return Ok(false);
    }
    for index in 0..a.held() {
        let (left, right) = (decode(one, &a, index)?, decode(other, &b, index)?);
        let space = |decoded: &Decoded, format: &Format| {
            if decoded.is_rgb { "RGB".to_owned() } else { format.photometric.clone() }
        };
        if space(&left, &a.format) != space(&right, &b.format) {
            return Ok(false);
        }
        let stored = |decoded: &Decoded, format: &Format| -> Vec<i64> {
            decoded.samples.iter().map(|raw| format.stored(raw)).collect()
        };
        if stored(&left, &a.format) != stored(&right, &b.format) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn native(format: &Format, bytes: &[u8], first_bit: usize, vr: VR, big_endian: bool) -> Samples {
    // Eight bits in big endian OW lie in swapped pairs (PS3.5 8.1.1 and A.3).
    let swapped: Vec<u8>;
    let mut bytes = bytes;
    if big_endian && vr == VR::OW && format.bits_allocated <= 8 {
        swapped = bytes.chunks(2).flat_map(|pair| pair.iter().rev().copied()).collect();
        bytes = &swapped;
    }
    if format.bits_allocated == 1 {
        // Packed from the lowest bit on; a frame may begin inside a byte.
        let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| byte >> (at % 8) & 1);
        return Samples::Eight((first_bit..first_bit + format.pixels()).map(bit).collect());
    }
    let halved = format.photometric == "YBR_FULL_422" && format.bits_allocated == 8;
    let samples = if halved { format.rows * format.cols.div_ceil(2) * 4 } else { format.samples() };
    let length = samples * (format.bits_allocated / 8) as usize;
    let bytes = bytes.get(first_bit / 8..).unwrap_or_default();
    let bytes = bytes.get(..length).unwrap_or(bytes);
    if halved {
        return Samples::Eight(from_422(format, bytes));
    }
    let samples = Samples::from_bytes(bytes, format.bits_allocated, big_endian);
    if format.planar { samples.interleave(format.samples_per_pixel) } else { samples }
}

/// Y1 Y2 Cb Cr to Y1 Cb Cr, Y2 Cb Cr, row by row.
fn from_422(format: &Format, bytes: &[u8]) -> Vec<u8> {
    let row_bytes = format.cols.div_ceil(2) * 4;
    let mut out = Vec::with_capacity(format.samples());
    for row in bytes.chunks_exact(row_bytes).take(format.rows) {
        let pixels = row.chunks_exact(4).flat_map(|q| [[q[0], q[2], q[3]], [q[1], q[2], q[3]]]);
        out.extend(pixels.take(format.cols).flatten());
    }
    out
}
