//! Every frame of an image, decoded to native pixels for a device that takes nothing else.

use super::attributes::File;
use super::format::Format;
use super::frames;
use super::samples::{self, Decoded};
use super::{Excerpt, Image, RenderError};

/// Native pixels of all frames, little endian, components interleaved.
pub(crate) struct NativePixels {
    /// Frame after frame; of even length.
    pub bytes: Vec<u8>,
    /// 8, 16 or 32.
    pub bits_allocated: u32,
    /// 1 or 3.
    pub samples_per_pixel: usize,
    /// What the samples mean now: a decoder may have made RGB of YBR.
    pub photometric: String,
}

/// Decodes a whole object of at most `limit` decoded bytes.
pub(super) fn decode(bytes: &[u8], limit: usize) -> Result<NativePixels, RenderError> {
    let file = File::open(bytes.into())?;
    let located = frames::locate(&file)?;
    let format = &located.format;
    let (held, stated) = (located.held(), located.stated);
    if held < stated {
        return Err(RenderError::Truncated { held, stated });
    }
    let size = format.frame_bytes()?.checked_mul(stated as usize).filter(|size| *size <= limit);
    let mut out = Vec::with_capacity(size.ok_or(RenderError::Implausible)? + 1);
    let mut is_rgb = false;
    for index in 0..stated {
        let decoded = samples::decode(&file, &located, index)?;
        is_rgb |= decoded.is_rgb;
        write(&mut out, format, &decoded);
    }
    if out.len() % 2 == 1 {
        out.push(0);
    }
    Ok(NativePixels {
        bytes: out,
        bits_allocated: format.bits_allocated,
        samples_per_pixel: format.samples_per_pixel,
        photometric: match format.photometric.as_str() {
            _ if is_rgb => "RGB".to_owned(),
            // Decoded, every pixel has its own chroma.
            "YBR_FULL_422" => "YBR_FULL".to_owned(),
            other => other.to_owned(),
        },
    })
}

/// Decodes the frame of an excerpt.
pub(super) fn of(excerpt: &Excerpt) -> Result<Vec<u8>, RenderError> {
    let file = File::open(Image::Frame(excerpt))?;
    let located = frames::locate(&file)?;
    let mut out = Vec::with_capacity(located.format.frame_bytes()?);
    write(&mut out, &located.format, &samples::decode(&file, &located, excerpt.wanted())?);
    Ok(out)
}

/// Words as wide as Bits Allocated says, whatever the codec made of them; signed ones with their sign in all bits.
fn write(out: &mut Vec<u8>, format: &Format, decoded: &Decoded) {
    let word = |raw: u32| match format.signed && format.shift == 0 {
        true => format.stored(raw) as u32,
        false => raw,
    };
    match format.bits_allocated {
        8 => out.extend(decoded.samples.iter().map(|raw| word(raw) as u8)),
        16 => out.extend(decoded.samples.iter().flat_map(|raw| (word(raw) as u16).to_le_bytes())),
        _ => out.extend(decoded.samples.iter().flat_map(|raw| word(raw).to_le_bytes())),
    }
}
