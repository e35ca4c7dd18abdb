//! One frame as samples without compression, whatever it was received in.

use bytes::Bytes;

use super::{Coding, Frames, Head, Ranged, RangedError};
use crate::render::{self, MAX_FRAME_BYTES};

/// An empty Basic Offset Table and the head of the item that follows, without its length (PS3.5 A.4).
const BEFORE: [u8; 12] = [0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0, 0xFE, 0xFF, 0x00, 0xE0];
/// The end of the items.
const AFTER: [u8; 8] = [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0];

/// The samples of a frame, from 1, little endian, as Explicit VR Little Endian has them (PS3.5 A.2): components beside
/// each other, colour as its decoder gives it, which for what was YBR within JPEG 2000 is RGB. Reads the head and the
/// frame; decodes on a thread that may take its time.
///
/// # Errors
/// That there is no such frame, or why it cannot be decoded.
pub async fn decoded(source: &dyn Ranged, head: &Head, frames: &Frames, frame: u32) -> Result<Bytes, RangedError> {
    let (pieces, length) = frames.pieces(source, head, frame).await?;
    let length = usize::try_from(length).ok().filter(|length| *length <= MAX_FRAME_BYTES);
    let length = length.ok_or(render::RenderError::Implausible)?;
    let Some(pixels) = head.pixels.filter(|_| frames.coding == Coding::Encapsulated) else {
        let mut samples = Vec::with_capacity(length);
        for piece in &pieces {
            samples.extend_from_slice(&piece.read(source, head).await?);
        }
        return Ok(samples.into());
    };
    // The object as it is up to its fragments, then this frame alone: what decodes whole objects decodes it.
    let before = source.read(0..head.dataset_at + pixels.at).await?;
    let mut file = Vec::with_capacity(before.len() + BEFORE.len() + 4 + length + 1 + AFTER.len());
    file.extend_from_slice(&before);
    file.extend_from_slice(&BEFORE);
    let even = u32::try_from(length + length % 2).map_err(|_| render::RenderError::Implausible)?;
    file.extend_from_slice(&even.to_le_bytes());
    for piece in &pieces {
        file.extend_from_slice(&piece.read(source, head).await?);
    }
    file.resize(file.len() + length % 2, 0);
    file.extend_from_slice(&AFTER);
    let samples = tokio::task::spawn_blocking(move || render::native_frame(&file)).await;
    Ok(samples.unwrap_or(Err(render::RenderError::Damaged))?.into())
}
