//! Grey images: stored values, modality values, grey levels.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::attributes::File;
use super::describe::Rescale;
use super::format::Format;
use super::frames::{self, Frames};
use super::lut::Lut;
use super::samples::{Samples, decode};
use super::voi::{self, Offers, Preset, PresetSource, Voi, VoiFunction, VoiTable};
use super::{RenderError, View};
use crate::header::value;

const GROUP: Tag = tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE;

/// One grey frame for windowing in a browser.
///
/// The picture of [`super::frame_png`] is `levels[x]` with
/// `x = sample * slope + intercept`, the preset's or the viewer's window, then
/// `255 - level` if `inverted`, and 0 where the sample lies in `padding`.
#[derive(Clone, Debug, PartialEq)]
pub struct RawFrame {
    /// Pixel columns.
    pub cols: u32,
    /// Pixel rows.
    pub rows: u32,
    /// `rows * cols` samples of 16 bits, little endian, row by row: stored values,
    /// or modality values where the object has a Modality LUT.
    pub samples: Vec<u8>,
    /// Whether samples are two's complement.
    pub signed: bool,
    /// Modality units per sample step.
    pub slope: f64,
    /// Modality value of sample 0.
    pub intercept: f64,
    /// What units those are, e.g. "HU".
    pub unit: Option<String>,
    /// Function for a window the viewer sets by hand.
    pub function: VoiFunction,
    /// Never empty; the first is the default.
    pub presets: Vec<Preset>,
    /// Tables of the presets that are tables, in their order.
    pub tables: Vec<VoiTable>,
    /// MONOCHROME1: low values are bright.
    pub inverted: bool,
    /// Samples from the first to the second, both included, are padding.
    pub padding: Option<(i32, i32)>,
}

/// From stored to modality values (PS3.3 C.11.1).
pub(super) enum Modality {
    Rescale(Rescale),
    Table(Lut, Option<String>),
}

impl Modality {
    pub fn read(file: &File<'_>, format: &Format, frame: u32) -> Self {
        const SEQUENCE: Tag = tags::MODALITY_LUT_SEQUENCE;
        let inside = |tag| file.inside(SEQUENCE, 0, tag);
        let lut = || Lut::read(&inside(tags::LUT_DESCRIPTOR)?, &inside(tags::LUT_DATA)?, format.signed);
        if let Some(lut) = lut() {
            return Self::Table(lut, inside(tags::MODALITY_LUT_TYPE).map(|element| file.text(&element)));
        }
        let number =
            |tag| file.of_frame(frame, GROUP, tag).and_then(|element| value::decimals(&element).first().copied());
        let unit = file.of_frame(frame, GROUP, tags::RESCALE_TYPE).map(|element| file.text(&element));
        Self::Rescale(Rescale {
            slope: number(tags::RESCALE_SLOPE).filter(|slope| *slope != 0.0).unwrap_or(1.0),
            intercept: number(tags::RESCALE_INTERCEPT).unwrap_or(0.0),
            unit: unit.filter(|unit| !unit.is_empty()),
        })
    }

    fn value(&self, stored: i64) -> f64 {
        match self {
            Self::Rescale(rescale) => stored as f64 * rescale.slope + rescale.intercept,
            Self::Table(lut, _) => f64::from(lut.map(stored)),
        }
    }
}

/// Pixel Padding Value and Range Limit as stored values, both included.
fn padding(file: &File<'_>, format: &Format) -> Option<(i64, i64)> {
    // The VR may be US or SS whatever the pixels are: the bits count.
    let bits = |tag| {
        let element = file.top(tag)?;
        let &[a, b, ..] = element.value else { return None };
        let raw = u32::from(element.encoding.u16([a, b]));
        Some(Format { shift: 0, ..format.clone() }.stored(raw))
    };
    let value = bits(tags::PIXEL_PADDING_VALUE)?;
    let limit = bits(tags::PIXEL_PADDING_RANGE_LIMIT).unwrap_or(value);
    Some((value.min(limit), value.max(limit)))
}

/// The presets for a frame; never empty.
pub(super) fn presets(file: &File<'_>, frames: &Frames, frame: u32) -> Result<Offers, RenderError> {
    let mut offers = voi::offers(file, &frames.format, frame);
    if offers.presets.is_empty() {
        offers.presets.push(computed(file, frames)?);
    }
    Ok(offers)
}

/// The span of the middle frame's values (so that all frames of an object look
/// alike), or all that can be stored in 8 bits.
fn computed(file: &File<'_>, frames: &Frames) -> Result<Preset, RenderError> {
    let format = &frames.format;
    let modality = Modality::read(file, format, 0);
    let span = if format.bits_stored == 8 && !matches!(modality, Modality::Table(..)) {
        Some(format.range())
    } else {
        let padding = padding(file, format);
        let samples = decode(file, frames, frames.held() / 2)?.samples;
        let stored = samples.iter().map(|raw| format.stored(raw));
        let mut kept = stored.filter(|&value| !padding.is_some_and(|(low, high)| (low..=high).contains(&value)));
        kept.next().map(|first| kept.fold((first, first), |(low, high), value| (low.min(value), high.max(value))))
    };
    let (low, high) = span.unwrap_or(format.range());
    let (a, b) = match &modality {
        Modality::Rescale(_) => (modality.value(low), modality.value(high)),
        // A table need not be monotonic.
        Modality::Table(lut, _) => {
            let inside = (low..=high).take(1 << 16).map(|stored| f64::from(lut.map(stored)));
            inside.fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)))
        }
    };
    let width = if a == b { 1.0 } else { (b - a).abs() };
    Ok(Preset {
        source: PresetSource::Computed,
        center: f64::midpoint(a, b),
        width,
        function: VoiFunction::LinearExact,
        explanation: None,
    })
}

/// 8-bit grey levels of one frame.
pub(super) fn levels(file: &File<'_>, frames: &Frames, frame: u32, view: &View) -> Result<Vec<u8>, RenderError> {
    let format = &frames.format;
    let samples = decode(file, frames, frame)?.samples;
    let modality = Modality::read(file, format, frame);
    let offers = presets(file, frames, frame)?;
    let voi = offers.choose(view)?;
    let padding = padding(file, format);
    let inverted = (format.photometric == "MONOCHROME1") != view.invert;
    let level = |raw: u32| level(format, &modality, &voi, padding, inverted, raw);
    Ok(match &samples {
        // One entry for each raw word, then a lookup for each pixel.
        Samples::Eight(words) => {
            let table: Vec<u8> = (0..=u32::from(u8::MAX)).map(level).collect();
            words.iter().map(|&word| table[usize::from(word)]).collect()
        }
        Samples::Sixteen(words) => {
            let table: Vec<u8> = (0..=u32::from(u16::MAX)).map(level).collect();
            words.iter().map(|&word| table[usize::from(word)]).collect()
        }
        Samples::ThirtyTwo(words) => words.iter().map(|&word| level(word)).collect(),
    })
}

fn level(
    format: &Format,
    modality: &Modality,
    voi: &Voi<'_>,
    padding: Option<(i64, i64)>,
    inverted: bool,
    raw: u32,
) -> u8 {
    let stored = format.stored(raw);
    if padding.is_some_and(|(low, high)| (low..=high).contains(&stored)) {
        return 0;
    }
    let grey = voi.grey(modality.value(stored));
    if inverted { u8::MAX - grey } else { grey }
}

pub(super) fn raw(file: &File<'_>, frame: u32) -> Result<RawFrame, RenderError> {
    let frames = frames::locate(file)?;
    let format = &frames.format;
    if !format.is_grey() || format.bits_stored > 16 || format.bits_allocated > 16 {
        return Err(RenderError::NotGrey);
    }
    let offers = presets(file, &frames, frame)?;
    let decoded = decode(file, &frames, frame)?.samples;
    let (table, rescale) = match Modality::read(file, format, frame) {
        Modality::Rescale(rescale) => (None, rescale),
        Modality::Table(lut, unit) => (Some(lut), Rescale { slope: 1.0, intercept: 0.0, unit }),
    };
    let sample = |raw: u32| {
        let stored = format.stored(raw);
        table.as_ref().map_or(stored as u16, |lut| lut.map(stored)).to_le_bytes()
    };
    Ok(RawFrame {
        cols: format.cols as u32,
        rows: format.rows as u32,
        samples: decoded.iter().flat_map(sample).collect(),
        signed: format.signed && table.is_none(),
        slope: rescale.slope,
        intercept: rescale.intercept,
        unit: rescale.unit,
        function: offers.function,
        presets: offers.presets,
        tables: offers
            .tables
            .into_iter()
            .map(|lut| VoiTable { first: lut.first, full: lut.full() as u16, entries: lut.entries })
            .collect(),
        inverted: format.photometric == "MONOCHROME1",
        // Behind a Modality LUT padding can no longer be told from values.
        padding: padding(file, format).filter(|_| table.is_none()).map(|(low, high)| (low as i32, high as i32)),
    })
}
