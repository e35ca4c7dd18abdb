//! Reading parts of a stored object without holding the whole.
//!
//! A header, one frame or one bulk value is read by its offset, so that a 2 GB object costs what is asked of it. What
//! cannot be read so, a deflated data set, is inflated in memory up to [`MAX_INFLATED`] and refused above it.
//!
//! Bytes read in part cannot be held against the object's hash; whoever gives out whole objects does that.

mod decoded;
mod excerpt;
mod fragments;
mod frames;
mod head;
#[cfg(test)]
mod tests;

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use dokuei_models::objects::{ObjectError, Objects};

pub use decoded::decoded;
pub use excerpt::excerpt;
pub use frames::{Coding, Frames, Piece};
pub use head::{Head, PixelsAt, head, leading};

use crate::dataset::ReadError;
use crate::header::HeaderError;
use crate::render::RenderError;

/// The largest deflated data set that is read, inflated, in bytes.
pub const MAX_INFLATED: u64 = 64 << 20;
/// The most bytes before the pixels that are read as a header.
pub const MAX_HEAD: u64 = 64 << 20;

/// Bytes that can be read in part.
#[async_trait]
pub trait Ranged: Send + Sync {
    /// How many there are.
    fn size(&self) -> u64;
    /// Some of them; the range lies within [`Ranged::size`].
    ///
    /// # Errors
    /// The store's.
    async fn read(&self, range: Range<u64>) -> Result<Bytes, ObjectError>;
}

/// An object of the store.
#[derive(Clone, Debug)]
pub struct Stored {
    objects: Objects,
    key: String,
    size: u64,
}

impl Stored {
    /// The object of this key, which has this many bytes.
    pub fn new(objects: Objects, key: &str, size: u64) -> Self {
        Self { objects, key: key.to_owned(), size }
    }
}

#[async_trait]
impl Ranged for Stored {
    fn size(&self) -> u64 {
        self.size
    }

    async fn read(&self, range: Range<u64>) -> Result<Bytes, ObjectError> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        self.objects.get_range(&self.key, range).await
    }
}

#[async_trait]
impl Ranged for Bytes {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    async fn read(&self, range: Range<u64>) -> Result<Bytes, ObjectError> {
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(self.len());
        Ok(self.slice(place(range.start)..place(range.end)))
    }
}

/// Why a part could not be read. Messages hold no patient data.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RangedError {
    /// The store could not give the bytes.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The header cannot be read.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The data set cannot be read.
    #[error(transparent)]
    DataSet(#[from] ReadError),
    /// It has no pixels that are frames.
    #[error("the object has no frames")]
    NoFrames,
    /// There are fewer frames. Frames count from 1 here, as in PS3.18.
    #[error("there is no frame {frame}; the object has {frames}")]
    NoSuchFrame {
        /// The one asked for.
        frame: u32,
        /// How many there are.
        frames: u32,
    },
    /// Attributes that say how pixels lie are missing or do not fit.
    #[error("{0} is missing or impossible")]
    Attribute(&'static str),
    /// The fragments of an encapsulated object do not tell where a frame begins.
    #[error("the fragments cannot be told apart into frames")]
    Fragments,
    /// Its frame cannot be decoded.
    #[error(transparent)]
    Pixels(#[from] RenderError),
    /// A deflated data set beyond [`MAX_INFLATED`].
    #[error("the deflated data set is larger than {} MB and is given out only whole", MAX_INFLATED >> 20)]
    DeflatedTooLarge,
}
