//! Windows and VOI LUTs (PS3.3 C.11.2).

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use serde::Serialize;

use super::RenderError;
use super::attributes::File;
use super::format::Format;
use super::lut::Lut;
use crate::header::value;

/// The function that a window's two numbers parametrise (PS3.3 C.11.2.1.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum VoiFunction {
    /// C.11.2.1.2.1: `((x - (c - 0.5)) / (w - 1) + 0.5)`.
    #[default]
    Linear,
    /// C.11.2.1.3.2: `((x - c) / w + 0.5)`.
    LinearExact,
    /// C.11.2.1.3.1: `1 / (1 + exp(-4 (x - c) / w))`.
    Sigmoid,
}

/// Where a preset comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PresetSource {
    /// Window Center and Width of the object.
    Declared,
    /// An item of the object's VOI LUT Sequence; centre and width give the span of
    /// its input, from which a manual window may start.
    Table,
    /// The object says nothing: the span of the pixel values, or of the stored
    /// bits for 8-bit images.
    Computed,
}

/// One way the object offers to be shown. Numbers are in modality units.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Preset {
    /// Where it comes from.
    pub source: PresetSource,
    /// Window centre.
    pub center: f64,
    /// Window width, above 0.
    pub width: f64,
    /// Function of this preset.
    pub function: VoiFunction,
    /// The sender's words for it, e.g. "LUNG".
    pub explanation: Option<String>,
}

/// A VOI LUT: modality value `first + n` becomes `entries[n] / full`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VoiTable {
    /// Input of the first entry. Inputs outside are clamped.
    pub first: i64,
    /// Value that stands for white.
    pub full: u16,
    /// Outputs.
    pub entries: Vec<u16>,
}

/// What the object offers for a frame, tables first (as PACS viewers do).
pub(super) struct Offers {
    pub presets: Vec<Preset>,
    /// As many as there are presets with [`PresetSource::Table`].
    pub tables: Vec<Lut>,
    pub function: VoiFunction,
}

/// How one picture is made.
pub(super) enum Voi<'a> {
    Window { center: f64, width: f64, function: VoiFunction },
    Table(&'a Lut),
}

const GROUP: Tag = tags::FRAME_VOILUT_SEQUENCE;

/// Reads what is declared for a frame. Empty if nothing usable is.
pub(super) fn offers(file: &File<'_>, format: &Format, frame: u32) -> Offers {
    let tables = tables(file, format);
    let function = match file.of_frame(frame, GROUP, tags::VOILUT_FUNCTION).map(|e| value::ascii(&e)).as_deref() {
        Some("SIGMOID") => VoiFunction::Sigmoid,
        Some("LINEAR_EXACT") => VoiFunction::LinearExact,
        _ => VoiFunction::Linear,
    };
    let mut presets: Vec<Preset> = tables
        .iter()
        .map(|(lut, explanation)| Preset {
            source: PresetSource::Table,
            center: lut.first as f64 + lut.entries.len() as f64 / 2.0,
            width: lut.entries.len() as f64,
            function: VoiFunction::Linear,
            explanation: explanation.clone(),
        })
        .collect();
    presets.extend(windows(file, frame, function));
    Offers { presets, tables: tables.into_iter().map(|(lut, _)| lut).collect(), function }
}

fn windows(file: &File<'_>, frame: u32, function: VoiFunction) -> Vec<Preset> {
    let numbers = |tag| file.of_frame(frame, GROUP, tag).map(|e| value::decimals(&e)).unwrap_or_default();
    let explanations = file
        .of_frame(frame, GROUP, tags::WINDOW_CENTER_WIDTH_EXPLANATION)
        .map(|element| file.sets.values(element.value))
        .unwrap_or_default();
    let pairs = numbers(tags::WINDOW_CENTER).into_iter().zip(numbers(tags::WINDOW_WIDTH)).enumerate();
    let preset = |(at, (center, width)): (usize, (f64, f64))| Preset {
        source: PresetSource::Declared,
        center,
        width,
        function,
        explanation: explanations.get(at).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()),
    };
    pairs.filter(|(_, (_, width))| *width > 0.0).map(preset).collect()
}

fn tables(file: &File<'_>, format: &Format) -> Vec<(Lut, Option<String>)> {
    const SEQUENCE: Tag = tags::VOILUT_SEQUENCE;
    let read = |item| {
        let descriptor = file.inside(SEQUENCE, item, tags::LUT_DESCRIPTOR)?;
        let data = file.inside(SEQUENCE, item, tags::LUT_DATA)?;
        let lut = Lut::read(&descriptor, &data, format.signed)?;
        let explanation = file.inside(SEQUENCE, item, tags::LUT_EXPLANATION).map(|element| file.text(&element));
        Some((lut, explanation))
    };
    // A table that does not fit its descriptor is passed over; 64 are plenty.
    (0..64).map_while(|item| file.inside(SEQUENCE, item, tags::LUT_DESCRIPTOR).map(|_| item)).filter_map(read).collect()
}

impl Offers {
    /// The choice that `view` makes.
    pub fn choose(&self, view: &super::View) -> Result<Voi<'_>, RenderError> {
        if let Some((center, width)) = view.window {
            if !(center.is_finite() && width.is_finite() && width > 0.0) {
                return Err(RenderError::Window);
            }
            return Ok(Voi::Window { center, width, function: self.function });
        }
        let index = view.preset.unwrap_or(0);
        if let Some(lut) = self.tables.get(index) {
            return Ok(Voi::Table(lut));
        }
        let preset = self.presets.get(index).ok_or(RenderError::NoSuchPreset(index))?;
        Ok(Voi::Window { center: preset.center, width: preset.width, function: preset.function })
    }
}

impl Voi<'_> {
    /// A modality value as a grey level, 0 to 255.
    pub fn grey(&self, x: f64) -> u8 {
        let part = match *self {
            // A table's input is a whole number (the modality LUT's output).
            Self::Table(lut) => f64::from(lut.map(x.round() as i64)) / lut.full(),
            Self::Window { center, width, function } => match function {
                VoiFunction::Sigmoid => 1.0 / (1.0 + (-4.0 * (x - center) / width).exp()),
                VoiFunction::Linear if width > 1.0 => (x - (center - 0.5)) / (width - 1.0) + 0.5,
                // LINEAR of width 1 is a threshold (C.11.2.1.2.1); less is undefined
                // there and read as exact.
                VoiFunction::Linear if width == 1.0 => f64::from(u8::from(x > center - 0.5)),
                VoiFunction::Linear | VoiFunction::LinearExact => (x - center) / width + 0.5,
            },
        };
        (part.clamp(0.0, 1.0) * 255.0).round() as u8
    }
}
