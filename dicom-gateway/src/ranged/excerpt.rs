//! One frame with all that is needed to draw it.

use bytes::Bytes;

use super::{Frames, Head, MAX_HEAD, Ranged, RangedError};
use crate::render::Excerpt;

/// Reads what drawing a frame (from 0) takes: the object up to its pixels, the frame, and the middle frame.
///
/// # Errors
/// As for the frame's pieces. A deflated object has no bytes before its pixels that could be read alone:
/// [`RangedError::DeflatedTooLarge`].
pub async fn excerpt(source: &dyn Ranged, head: &Head, frames: &Frames, frame: u32) -> Result<Excerpt, RangedError> {
    if head.is_inflated() {
        return Err(RangedError::DeflatedTooLarge);
    }
    let value_at = head.pixels.ok_or(RangedError::NoFrames)?.at.saturating_add(head.dataset_at);
    if value_at > MAX_HEAD {
        return Err(RangedError::Attribute("Pixel Data"));
    }
    let mut read = vec![(frame, whole(source, head, frames, frame).await?)];
    let middle = frames.count() / 2;
    if middle != frame {
        read.push((middle, whole(source, head, frames, middle).await?));
    }
    Ok(Excerpt { head: source.read(0..value_at).await?, frames: read, held: frames.count() })
}

/// A frame's bytes.
async fn whole(source: &dyn Ranged, head: &Head, frames: &Frames, frame: u32) -> Result<Bytes, RangedError> {
    let (pieces, length) = frames.pieces(source, head, frame.saturating_add(1)).await?;
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    for piece in pieces {
        bytes.extend_from_slice(&piece.read(source, head).await?);
    }
    Ok(bytes.into())
}
