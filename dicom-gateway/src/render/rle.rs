//! RLE Lossless (PS3.5 Annex G): one PackBits segment per byte plane, the most
//! significant byte of each component first.

use super::RenderError;
use super::format::Format;
use super::samples::Samples;

const HEADER: usize = 64;

pub(super) fn decode(bytes: &[u8], format: &Format) -> Result<Samples, RenderError> {
    let word_bytes = (format.bits_allocated as usize).div_ceil(8);
    let planes = word_bytes * format.samples_per_pixel;
    let header = bytes.get(..HEADER).ok_or(RenderError::Damaged)?;
    let word = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]) as usize;
    if word(0) != planes || planes > 15 {
        return Err(RenderError::Damaged);
    }
    let mut out = vec![0_u8; format.frame_bytes()?];
    for plane in 0..planes {
        let start = word(4 + 4 * plane);
        let end = if plane + 1 < planes { word(8 + 4 * plane) } else { bytes.len() };
        let segment = bytes.get(start..end).filter(|_| start >= HEADER).ok_or(RenderError::Damaged)?;
        let (component, byte) = (plane / word_bytes, word_bytes - 1 - plane % word_bytes);
        let first = component * word_bytes + byte;
        unpack(segment, out.get_mut(first..).unwrap_or_default(), planes)?;
    }
    Ok(Samples::from_bytes(&out, format.bits_allocated, false))
}

/// Fills every `step`-th byte of `out` from one segment.
fn unpack(segment: &[u8], out: &mut [u8], step: usize) -> Result<(), RenderError> {
    let mut slots = out.iter_mut().step_by(step);
    let mut left = slots.len();
    let mut at = 0;
    while left > 0 {
        let control = i8::from_le_bytes([*segment.get(at).ok_or(RenderError::Damaged)?]);
        at += 1;
        match control {
            0.. => {
                let count = control as usize + 1;
                let literal = segment.get(at..at + count.min(left)).ok_or(RenderError::Damaged)?;
                for (&byte, slot) in literal.iter().zip(slots.by_ref()) {
                    *slot = byte;
                }
                at += count;
                left -= literal.len();
            }
            -128 => {}
            _ => {
                let count = (1 - isize::from(control)) as usize;
                let byte = *segment.get(at).ok_or(RenderError::Damaged)?;
                slots.by_ref().take(count).for_each(|slot| *slot = byte);
                at += 1;
                left = left.saturating_sub(count);
            }
        }
    }
    Ok(())
}
