//! Makes pictures for a screen out of DICOM objects, from full-bit data.
//!
//! Input is always the bytes of one object (Part 10, or tolerated without its
//! preamble), or of an object that is too long for memory an [`Excerpt`]; output is a value. Nothing is kept between calls and no stored
//! byte is changed: turning, mirroring and shutters are never applied.
//!
//! The grey pipeline is that of PS3.4 N.2: stored value -> Modality LUT or
//! rescale -> VOI LUT or window (PS3.3 C.11.2) -> 8 bit, inverted for MONOCHROME1.
//! Pixel padding is shown black. At full size each PNG pixel is one stored pixel.
//!
//! **Hostile input.** No call panics: codecs run behind an unwinding boundary.
//! Nesting is walked by [`crate::header`] without recursion. What Rows, Columns
//! and Number of Frames claim is compared with the bytes at hand (native, RLE) or
//! with the codec's own header and a ratio (JPEG family) before anything of that
//! size is allocated.
//!
//! Not done: overlay planes and presentation states are not drawn (overlays are
//! named), ICC profiles are not applied, 12-bit JPEG Extended, JPEG XL and video
//! are refused by name.

mod attributes;
mod codec;
mod colour;
mod describe;
mod encapsulated;
mod excerpt;
mod format;
mod frames;
mod grey;
mod jpeg;
mod lut;
mod native;
mod orientation;
mod picture;
mod rle;
mod samples;
mod voi;

pub use describe::{FrameSet, Rescale, Spacing, SpacingSource};
pub use excerpt::{Excerpt, Image};
pub use grey::RawFrame;
pub use orientation::Edges;
pub use voi::{Preset, PresetSource, VoiFunction, VoiTable};

pub(crate) use native::NativePixels;

use attributes::File;

/// Most bytes that one decoded frame may have: 16,384 x 16,384 at 16 bits.
pub const MAX_FRAME_BYTES: usize = 512 << 20;

/// How a frame is to be shown. The default is the object's own first preset.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct View {
    /// Centre and width in modality units (HU for CT). Wins over `preset`.
    pub window: Option<(f64, f64)>,
    /// Index into [`FrameSet::windows`].
    pub preset: Option<usize>,
    /// Swaps black and white, on top of what MONOCHROME1 asks for.
    pub invert: bool,
    /// Longest side in pixels. Larger pictures are averaged down; none is enlarged.
    pub max_size: Option<u32>,
}

/// Why an object, or one frame, cannot be shown. Messages carry no patient data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// The bytes are not a readable DICOM object.
    #[error(transparent)]
    Unreadable(#[from] crate::header::HeaderError),
    /// A report, a presentation state, a document: nothing to draw.
    #[error("the object has no pixels")]
    NoPixels,
    /// Floating point pixels (parametric maps).
    #[error("floating point pixels cannot be shown")]
    FloatPixels,
    /// No decoder for this transfer syntax.
    #[error("images in transfer syntax {0} cannot be decoded")]
    TransferSyntax(String),
    /// A coding within a known transfer syntax that is not decoded.
    #[error("the image's coding cannot be decoded: {0}")]
    Coding(&'static str),
    /// An attribute without which pixels mean nothing is missing or impossible.
    #[error("{0} is missing or impossible")]
    Attribute(&'static str),
    /// The pixel data end before the frame does.
    #[error("the pixel data are cut off: {held} of {stated} frames are there")]
    Truncated {
        /// Frames wholly present.
        held: u32,
        /// What Number of Frames says.
        stated: u32,
    },
    /// The frame asked for does not exist. Frames count from 0.
    #[error("there is no frame {frame}; the object has {frames}")]
    NoSuchFrame {
        /// Index asked for, from 0.
        frame: u32,
        /// Frames that can be shown.
        frames: u32,
    },
    /// The stated size is beyond what the bytes can hold or beyond [`MAX_FRAME_BYTES`].
    #[error("the image claims a size that its data cannot hold")]
    Implausible,
    /// The decoder gave up.
    #[error("the compressed image is damaged")]
    Damaged,
    /// Width not above 0, or a number that is not finite.
    #[error("the window's width must be above 0 and both numbers finite")]
    Window,
    /// No preset of that index.
    #[error("there is no window preset {0}")]
    NoSuchPreset(usize),
    /// Raw samples exist only for grey images of at most 16 bits.
    #[error("the image is not grey with at most 16 bits")]
    NotGrey,
}

/// What there is to show: size, presets, orientation, and whether it can be shown.
///
/// Fails only if the bytes are not a readable object; an object that cannot be
/// shown says why in [`FrameSet::displayable`].
pub fn describe<'a>(image: impl Into<Image<'a>>) -> Result<FrameSet, RenderError> {
    let image = image.into();
    guarded(|| describe::describe(&File::open(image)?))
}

/// One frame (from 0) as a PNG: 8-bit grey, or 8-bit RGB for colour.
pub fn frame_png<'a>(image: impl Into<Image<'a>>, frame: u32, view: &View) -> Result<Vec<u8>, RenderError> {
    let image = image.into();
    guarded(|| picture::png(&File::open(image)?, frame, view))
}

/// How a picture is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Without loss.
    Png,
    /// With loss, `quality` from 1 to 100. For a glance, not for reading.
    Jpeg {
        /// 1 to 100.
        quality: u8,
    },
}

/// One frame (from 0): 8-bit grey, or 8-bit RGB for colour.
pub fn frame_encoded<'a>(
    image: impl Into<Image<'a>>,
    frame: u32,
    view: &View,
    encoding: Encoding,
) -> Result<Vec<u8>, RenderError> {
    let image = image.into();
    match encoding {
        Encoding::Png => guarded(|| picture::png(&File::open(image)?, frame, view)),
        Encoding::Jpeg { quality } => guarded(|| picture::jpeg(&File::open(image)?, frame, view, quality)),
    }
}

/// The middle frame, at most `max_size` pixels at its longest side.
pub fn thumbnail_png(bytes: &[u8], max_size: u32) -> Result<Vec<u8>, RenderError> {
    guarded(|| {
        let file = File::open(bytes.into())?;
        let frames = frames::locate(&file)?.held();
        picture::png(&file, frames / 2, &View { max_size: Some(max_size), ..View::default() })
    })
}

/// One grey frame (from 0) as 16-bit samples, with all that a browser needs to
/// window it exactly as [`frame_png`] does.
pub fn raw_frame<'a>(image: impl Into<Image<'a>>, frame: u32) -> Result<RawFrame, RenderError> {
    let image = image.into();
    guarded(|| grey::raw(&File::open(image)?, frame))
}

/// All frames as native little endian pixels, at most `limit` bytes of them.
pub(crate) fn native_pixels(bytes: &[u8], limit: usize) -> Result<NativePixels, RenderError> {
    guarded(|| native::decode(bytes, limit))
}

/// The frame that an excerpt is of as native little endian pixels.
pub(crate) fn native_frame(excerpt: &Excerpt) -> Result<Vec<u8>, RenderError> {
    guarded(|| native::of(excerpt))
}

/// Whether two objects of equal pixel format hold equal stored values, frame by frame.
pub(crate) fn same_samples(one: &[u8], other: &[u8]) -> Result<bool, RenderError> {
    guarded(|| samples::same(&File::open(one.into())?, &File::open(other.into())?))
}

/// A panic in a codec is damage in the image, not the end of the process.
fn guarded<T>(work: impl FnOnce() -> Result<T, RenderError>) -> Result<T, RenderError> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or(Err(RenderError::Damaged))
}
