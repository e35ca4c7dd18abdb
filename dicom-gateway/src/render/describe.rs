//! What there is to show, before anything is drawn.

use dicom_dictionary_std::tags;
use serde::Serialize;

use super::attributes::File;
use super::codec;
use super::frames::{self, FrameBytes, Frames};
use super::grey::{self, Modality};
use super::orientation::{self, Edges};
use super::voi::{Preset, VoiFunction};
use super::{Excerpt, RenderError, codec::Codec};
use crate::header::value;

/// From stored to modality values: `stored * slope + intercept`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rescale {
    /// Never 0.
    pub slope: f64,
    /// Modality value of stored 0.
    pub intercept: f64,
    /// Rescale Type, e.g. "HU".
    pub unit: Option<String>,
}

/// Where a pixel spacing was measured (PS3.3 10.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpacingSource {
    /// In the patient (Pixel Spacing).
    Patient,
    /// At the detector (Imager Pixel Spacing): lengths are magnified.
    Detector,
    /// On the scanned film (Nominal Scanned Pixel Spacing).
    Film,
}

/// Distance of pixel centres in mm.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spacing {
    /// Between rows, that is downwards.
    pub row_mm: f64,
    /// Between columns, that is to the right.
    pub column_mm: f64,
    /// Where it was measured.
    pub source: SpacingSource,
}

/// One object, as far as showing it goes. Numbers are 0 and texts empty where
/// the object does not have them.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameSet {
    /// Frames wholly present, each of which [`super::frame_png`] draws.
    pub frames: u32,
    /// What Number of Frames says; more than `frames` if the data are cut off.
    pub frames_stated: u32,
    /// Pixel rows.
    pub rows: u32,
    /// Pixel columns.
    pub cols: u32,
    /// Photometric Interpretation.
    pub photometric: String,
    /// Whether pictures are RGB; windows then do nothing.
    pub colour: bool,
    /// Bits Stored.
    pub bits_stored: u32,
    /// Presets of the first frame, the default first. Empty for colour.
    pub windows: Vec<Preset>,
    /// Function of a window that the viewer sets.
    pub function: VoiFunction,
    /// Of the first frame. `None` for colour and behind a Modality LUT.
    pub rescale: Option<Rescale>,
    /// `None` if not stated: then nothing may be measured.
    pub spacing: Option<Spacing>,
    /// Letters for the edges of the first frame.
    pub edges: Option<Edges>,
    /// R, L or B, from Image Laterality, Frame Laterality or Laterality.
    pub laterality: String,
    /// View Position, else the meaning of the view code.
    pub view: String,
    /// Overlay planes that are not drawn, by label or group number.
    pub overlays: Vec<String>,
    /// Why nothing can be drawn.
    pub displayable: Result<(), RenderError>,
}

pub(super) fn describe(file: &File<'_>) -> Result<FrameSet, RenderError> {
    let size = |tag| file.integer(tag).and_then(|value| u32::try_from(value).ok()).unwrap_or_default();
    let mut set = FrameSet {
        frames: 0,
        frames_stated: size(tags::NUMBER_OF_FRAMES).max(1),
        rows: size(tags::ROWS),
        cols: size(tags::COLUMNS),
        photometric: file.code(tags::PHOTOMETRIC_INTERPRETATION),
        colour: size(tags::SAMPLES_PER_PIXEL) == 3 || file.code(tags::PHOTOMETRIC_INTERPRETATION) == "PALETTE COLOR",
        bits_stored: size(tags::BITS_STORED),
        windows: Vec::new(),
        function: VoiFunction::default(),
        rescale: None,
        spacing: spacing(file),
        edges: orientation::edges(file, 0),
        laterality: laterality(file),
        view: view(file),
        overlays: file.overlays(),
        displayable: Ok(()),
    };
    set.displayable = fill(file, &mut set);
    Ok(set)
}

fn fill(file: &File<'_>, set: &mut FrameSet) -> Result<(), RenderError> {
    let frames = frames::locate(file)?;
    set.frames = frames.held();
    // Of an excerpt, the frame that is there.
    let first = file.excerpt.map_or(0, Excerpt::wanted);
    decodable(file, &frames, first)?;
    if frames.format.is_grey() {
        if let Modality::Rescale(rescale) = Modality::read(file, &frames.format, first) {
            set.rescale = Some(rescale);
        }
        let offers = grey::presets(file, &frames, first)?;
        set.function = offers.function;
        set.windows = offers.presets;
    }
    Ok(())
}

/// Whether the first frame's own header is one that can be decoded.
fn decodable(file: &File<'_>, frames: &Frames, first: u32) -> Result<(), RenderError> {
    match frames.bytes(file, first)? {
        FrameBytes::Native { .. } => match codec::codec_of(&file.transfer_syntax) {
            Some(Codec::Native) => Ok(()),
            _ => Err(RenderError::Coding("native pixels in a compressed transfer syntax")),
        },
        FrameBytes::Encapsulated(bytes) => {
            codec::check(&file.transfer_syntax, &frames.format, &bytes)?;
            Ok(())
        }
    }
}

fn spacing(file: &File<'_>) -> Option<Spacing> {
    let candidates = [
        (tags::PIXEL_SPACING, SpacingSource::Patient),
        (tags::IMAGER_PIXEL_SPACING, SpacingSource::Detector),
        (tags::NOMINAL_SCANNED_PIXEL_SPACING, SpacingSource::Film),
    ];
    candidates.into_iter().find_map(|(tag, source)| {
        let element = file.of_frame(0, tags::PIXEL_MEASURES_SEQUENCE, tag)?;
        let [row_mm, column_mm] = value::exactly::<2>(&element)?;
        (row_mm > 0.0 && column_mm > 0.0).then_some(Spacing { row_mm, column_mm, source })
    })
}

fn laterality(file: &File<'_>) -> String {
    let element = file
        .top(tags::IMAGE_LATERALITY)
        .or_else(|| file.of_frame(0, tags::FRAME_ANATOMY_SEQUENCE, tags::FRAME_LATERALITY))
        .or_else(|| file.top(tags::LATERALITY));
    element.map(|element| value::ascii(&element)).unwrap_or_default()
}

fn view(file: &File<'_>) -> String {
    let position = file.code(tags::VIEW_POSITION);
    if !position.is_empty() {
        return position;
    }
    let meaning = file.inside(tags::VIEW_CODE_SEQUENCE, 0, tags::CODE_MEANING);
    meaning.map(|element| file.text(&element)).unwrap_or_default()
}
