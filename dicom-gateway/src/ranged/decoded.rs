//! One frame as samples without compression, whatever it was received in.

use bytes::Bytes;

use super::excerpt::{self, whole};
use super::{Coding, Frames, Head, Ranged, RangedError};
use crate::render::{self, RenderError};

/// The samples of a frame, from 1, little endian, as Explicit VR Little Endian has them (PS3.5 A.2): components beside
/// each other, colour as its decoder gives it, which for what was YBR within JPEG 2000 is RGB. Reads the head and the
/// frame; decodes on a thread that may take its time.
///
/// # Errors
/// That there is no such frame, or why it cannot be decoded.
pub async fn decoded(source: &dyn Ranged, head: &Head, frames: &Frames, frame: u32) -> Result<Bytes, RangedError> {
    let missing = RangedError::NoSuchFrame { frame, frames: frames.count() };
    let index = frame.checked_sub(1).ok_or(missing)?;
    if frames.coding == Coding::Native {
        return whole(source, head, frames, index).await;
    }
    let excerpt = excerpt::of(source, head, frames, &[index]).await?;
    let samples = tokio::task::spawn_blocking(move || render::native_frame(&excerpt)).await;
    Ok(samples.unwrap_or(Err(RenderError::Damaged))?.into())
}
