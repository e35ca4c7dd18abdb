//! One frame with all that is needed to draw it.

use bytes::Bytes;

use super::{Frames, Head, MAX_HEAD, Ranged, RangedError};
use crate::render::{Excerpt, MAX_FRAME_BYTES, RenderError};

/// Reads what drawing a frame (from 0) takes: the object up to its pixels, the frame, and the middle frame.
///
/// # Errors
/// As for the frame's pieces. A deflated object has no bytes before its pixels that could be read alone:
/// [`RangedError::DeflatedTooLarge`].
pub async fn excerpt(source: &dyn Ranged, head: &Head, frames: &Frames, frame: u32) -> Result<Excerpt, RangedError> {
    let middle = frames.count() / 2;
    let both = [frame, middle];
    of(source, head, frames, if middle == frame { &both[..1] } else { &both }).await
}

/// The same with these frames, the one that is wanted first.
pub(super) async fn of(
    source: &dyn Ranged,
    head: &Head,
    frames: &Frames,
    wanted: &[u32],
) -> Result<Excerpt, RangedError> {
    if head.is_inflated() {
        return Err(RangedError::DeflatedTooLarge);
    }
    let value_at = head.pixels.ok_or(RangedError::NoFrames)?.at.saturating_add(head.dataset_at);
    if value_at > MAX_HEAD {
        return Err(RangedError::Attribute("Pixel Data"));
    }
    let mut read = Vec::with_capacity(wanted.len());
    for frame in wanted {
        read.push((*frame, whole(source, head, frames, *frame).await?));
    }
    Ok(Excerpt { head: source.read(0..value_at).await?, frames: read, held: frames.count() })
}

/// A frame's bytes, at most as many as are ever decoded.
pub(super) async fn whole(source: &dyn Ranged, head: &Head, frames: &Frames, frame: u32) -> Result<Bytes, RangedError> {
    let (pieces, length) = frames.pieces(source, head, frame.saturating_add(1)).await?;
    let length = usize::try_from(length).ok().filter(|length| *length <= MAX_FRAME_BYTES);
    let mut bytes = Vec::with_capacity(length.ok_or(RenderError::Implausible)?);
    for piece in pieces {
        bytes.extend_from_slice(&piece.read(source, head).await?);
    }
    Ok(bytes.into())
}
