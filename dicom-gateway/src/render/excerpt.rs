//! One frame of an object that is too long for memory: the object up to its pixels, and that frame.

use bytes::Bytes;

/// What is drawn of an object of which not everything was read. Made by [`crate::ranged::excerpt`].
#[derive(Clone, Debug)]
pub struct Excerpt {
    /// The file up to the value of its pixel data.
    pub(crate) head: Bytes,
    /// The frame's bytes: little endian samples from the first bit on, or a codestream.
    pub(crate) pixels: Bytes,
    /// Which frame it is, from 0.
    pub(crate) frame: u32,
    /// Frames that are wholly there.
    pub(crate) held: u32,
}

/// An object as it is drawn.
#[derive(Clone, Copy, Debug)]
pub enum Image<'a> {
    /// All its bytes: Part 10, or tolerated without its preamble.
    Whole(&'a [u8]),
    /// One frame of it; there is no other.
    Frame(&'a Excerpt),
}

impl<'a, T: AsRef<[u8]> + ?Sized> From<&'a T> for Image<'a> {
    fn from(bytes: &'a T) -> Self {
        Self::Whole(bytes.as_ref())
    }
}
