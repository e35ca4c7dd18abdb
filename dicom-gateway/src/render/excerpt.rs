//! One frame of an object that is too long for memory: the object up to its pixels, that frame, and the middle one, from
//! whose values a window is computed where the object states none.

use bytes::Bytes;

/// What is drawn of an object of which not everything was read. Made by [`crate::ranged::excerpt`].
#[derive(Clone, Debug)]
pub struct Excerpt {
    /// The file up to the value of its pixel data.
    pub(crate) head: Bytes,
    /// The frame that is wanted, then the middle one if that is another: which it is, from 0, and its bytes (little endian
    /// samples from the first bit on, or a codestream).
    pub(crate) frames: Vec<(u32, Bytes)>,
    /// Frames that are wholly there.
    pub(crate) held: u32,
}

impl Excerpt {
    pub(crate) fn frame(&self, index: u32) -> Option<&[u8]> {
        self.frames.iter().find(|(frame, _)| *frame == index).map(|(_, bytes)| bytes.as_ref())
    }

    /// The frame that is wanted.
    pub(crate) fn wanted(&self) -> u32 {
        self.frames.first().map_or(0, |(frame, _)| *frame)
    }
}

/// An object as it is drawn.
#[derive(Clone, Copy, Debug)]
pub enum Image<'a> {
    /// All its bytes: Part 10, or tolerated without its preamble.
    Whole(&'a [u8]),
    /// One frame of it.
    Frame(&'a Excerpt),
}

impl<'a, T: AsRef<[u8]> + ?Sized> From<&'a T> for Image<'a> {
    fn from(bytes: &'a T) -> Self {
        Self::Whole(bytes.as_ref())
    }
}
