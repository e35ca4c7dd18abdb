//! Where engines plug in.
//!
//! An *engine* looks at the images of a case and returns AI findings. Engines that
//! need no network may live in this crate; adapters (ONNX, HTTP, DICOM nodes) implement
//! [`Engine`] from outside. This crate ships none: what has no approval and no data to
//! prove it is not offered.
//!
//! Confidence classes and marks follow source 004: Low below 0.30, Mid below 0.65, High
//! from there; a mark from 0.50. An engine's [`Thresholds`] may say otherwise.
//! Whether a finding may be seen at all is decided by [`may_show`] (invariant 8).

use dokuei_terms::{Modality, Part, Region};
use serde::{Deserialize, Serialize};

/// Name and version of an engine: what findings are kept under and never overwritten.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EngineId {
    /// Stable name, e.g. `cxr-qc`.
    pub name: String,
    /// Version as the maker writes it.
    pub version: String,
}

/// What an engine says of itself; the registry row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EngineDescription {
    /// Name and version.
    pub id: EngineId,
    /// Who makes it.
    pub maker: String,
    /// The number of its approval as a medical device for `intended_use` (承認番号), if it has one.
    pub approval_number: Option<String>,
    /// The intended use, in the words of the approval or of the maker.
    pub intended_use: String,
    /// What it takes.
    pub input: InputRule,
    /// Every label it can return.
    pub labels: Vec<String>,
    /// How its confidences are classed.
    pub thresholds: Thresholds,
}

/// Which images an engine takes. An empty list or a `None` asks nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InputRule {
    /// One of these modality classes.
    pub modalities: Vec<Modality>,
    /// One of these regions or a region below one of them.
    pub regions: Vec<Region>,
    /// At least this many instances.
    pub minimum_instances: usize,
    /// The patient is at least this old, in years. An unknown age does not pass.
    pub minimum_age_years: Option<u16>,
}

/// Why an engine does not run on a study; shown by the rule tester.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum NotTaken {
    /// No part has a modality of the rule.
    #[error("no part is of a modality the engine takes")]
    Modality,
    /// No part lies in a region of the rule.
    #[error("no part lies in a region the engine takes")]
    Region,
    /// Too few instances yet.
    #[error("{have} of at least {need} instances are here")]
    Instances {
        /// Needed.
        need: usize,
        /// Received so far.
        have: usize,
    },
    /// Too young, or the age is not known.
    #[error("the patient's age is not known to be {need} years or more")]
    Age {
        /// Needed, in years.
        need: u16,
    },
}

/// What is known of a study when an input rule is asked.
#[derive(Debug, Clone, Copy)]
pub struct StudyFacts<'a> {
    /// The study's parts.
    pub parts: &'a [Part],
    /// Instances received so far.
    pub instances: usize,
    /// The patient's age in full years.
    pub age_years: Option<u16>,
}

impl InputRule {
    /// Whether the engine takes the study, or the first reason why not.
    ///
    /// # Errors
    /// The first clause of the rule that does not hold, in the order of the fields.
    pub fn takes(&self, study: &StudyFacts<'_>) -> Result<(), NotTaken> {
        let modality = |part: &&Part| self.modalities.is_empty() || self.modalities.contains(&part.modality);
        let region = |part: &&Part| {
            self.regions.is_empty() || part.region.and_ancestors().any(|above| self.regions.contains(&above))
        };
        if !study.parts.iter().any(|part| modality(&part)) {
            return Err(NotTaken::Modality);
        }
        if !study.parts.iter().filter(modality).any(|part| region(&part)) {
            return Err(NotTaken::Region);
        }
        if study.instances < self.minimum_instances {
            return Err(NotTaken::Instances { need: self.minimum_instances, have: study.instances });
        }
        match self.minimum_age_years {
            Some(need) if study.age_years.is_none_or(|age| age < need) => Err(NotTaken::Age { need }),
            _ => Ok(()),
        }
    }
}

/// One grey image: `pixels[row * columns + column]`, modality values after rescale (HU for CT), full depth.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// `rows * columns` values.
    pixels: Vec<f32>,
    rows: usize,
    columns: usize,
    /// How values turn into brightness.
    pub photometric: Photometric,
}

/// PhotometricInterpretation (0028,0004) of a grey image (PS3.3 C.7.6.3.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Photometric {
    /// The lowest value is white.
    #[serde(rename = "MONOCHROME1")]
    Monochrome1,
    /// The lowest value is black.
    #[serde(rename = "MONOCHROME2")]
    Monochrome2,
}

/// Pixels that are no image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The number of values is not rows times columns, or zero.
    #[error("{values} values do not make an image of {rows} rows and {columns} columns")]
    Shape {
        /// Values given.
        values: usize,
        /// Rows given.
        rows: usize,
        /// Columns given.
        columns: usize,
    },
    /// A value is not a number or infinite.
    #[error("the image holds values that are not finite")]
    NotFinite,
}

impl Image {
    /// Checks and takes the pixels.
    ///
    /// # Errors
    /// [`ImageError`] where shape and values do not fit, or a value is not finite.
    pub fn new(pixels: Vec<f32>, rows: usize, columns: usize, photometric: Photometric) -> Result<Self, ImageError> {
        if pixels.is_empty() || rows.checked_mul(columns) != Some(pixels.len()) {
            return Err(ImageError::Shape { values: pixels.len(), rows, columns });
        }
        if !pixels.iter().all(|value| value.is_finite()) {
            return Err(ImageError::NotFinite);
        }
        Ok(Self { pixels, rows, columns, photometric })
    }

    /// The values, row by row.
    pub fn pixels(&self) -> &[f32] {
        &self.pixels
    }

    /// Height in pixels.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Width in pixels.
    pub const fn columns(&self) -> usize {
        self.columns
    }
}

/// What an engine is given.
#[derive(Debug, Clone, Copy)]
pub struct EngineInput<'a> {
    /// The study's parts.
    pub parts: &'a [Part],
    /// The images that met the input rule, in order.
    pub images: &'a [Image],
    /// The patient's age in full years.
    pub age_years: Option<u16>,
}

/// Where an engine fails. The message is for the case's history and holds no patient data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The input does not meet the engine's rule.
    #[error("the engine does not take this study: {0}")]
    NotTaken(#[from] NotTaken),
    /// The engine gave a confidence outside 0..1 or no number.
    #[error("the engine answered with a confidence that is no probability")]
    NoProbability,
    /// The engine gave a label that its description does not list.
    #[error("the engine answered with a label that it does not list")]
    UnknownLabel,
    /// Anything else, in words without patient data.
    #[error("the engine failed: {0}")]
    Failed(String),
}

/// An engine. Implementations keep no state between runs and may be slow: the caller owns time limits and retries.
pub trait Engine: Send + Sync {
    /// Name, maker, approval, input rule, labels and thresholds.
    fn describe(&self) -> EngineDescription;

    /// Raw answers: label, confidence, and where.
    ///
    /// # Errors
    /// [`EngineError`]; the case goes on without this engine.
    fn run(&self, input: &EngineInput<'_>) -> Result<Vec<RawFinding>, EngineError>;
}

/// What an engine answers, before its thresholds are applied.
#[derive(Debug, Clone, PartialEq)]
pub struct RawFinding {
    /// One of the description's labels.
    pub label: String,
    /// 0..1.
    pub confidence: f64,
    /// Where, if the engine can say.
    pub place: Option<Mark>,
}

/// A rectangle on one image, in pixels from the top left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Index into [`EngineInput::images`].
    pub image: usize,
    /// Left edge.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// How sure an engine is, as people are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ConfidenceClass {
    /// Below [`Thresholds::mid`].
    Low,
    /// From `mid` to below `high`.
    Mid,
    /// From `high`.
    High,
}

/// An AI finding (AI所見候補): help for the reader, never a diagnosis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AiFinding {
    /// What the engine says of the case.
    pub label: String,
    /// 0..1.
    pub confidence: f64,
    /// The class of the confidence.
    pub class: ConfidenceClass,
    /// Where; only from [`Thresholds::mark`] up.
    pub mark: Option<Mark>,
}

/// Where the classes begin and marks appear.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawThresholds")]
pub struct Thresholds {
    mid: f64,
    high: f64,
    mark: f64,
}

#[derive(Deserialize)]
struct RawThresholds {
    mid: f64,
    high: f64,
    mark: f64,
}

impl TryFrom<RawThresholds> for Thresholds {
    type Error = BadThresholds;
    fn try_from(raw: RawThresholds) -> Result<Self, BadThresholds> {
        Self::new(raw.mid, raw.high, raw.mark)
    }
}

/// Thresholds that make no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("thresholds must satisfy 0 <= mid <= high <= 1 and 0 <= mark <= 1")]
pub struct BadThresholds;

impl Default for Thresholds {
    /// Source 004: 0.30, 0.65, mark from 0.50.
    fn default() -> Self {
        Self { mid: 0.30, high: 0.65, mark: 0.50 }
    }
}

impl Thresholds {
    /// Thresholds of an engine's own.
    ///
    /// # Errors
    /// [`BadThresholds`] unless `0 <= mid <= high <= 1` and `0 <= mark <= 1`.
    pub fn new(mid: f64, high: f64, mark: f64) -> Result<Self, BadThresholds> {
        let ordered = 0.0 <= mid && mid <= high && high <= 1.0 && (0.0..=1.0).contains(&mark);
        if ordered { Ok(Self { mid, high, mark }) } else { Err(BadThresholds) }
    }

    /// The class of a confidence.
    pub fn class(&self, confidence: f64) -> ConfidenceClass {
        if confidence < self.mid {
            ConfidenceClass::Low
        } else if confidence < self.high {
            ConfidenceClass::Mid
        } else {
            ConfidenceClass::High
        }
    }

    fn finding(&self, raw: RawFinding) -> AiFinding {
        let mark = raw.place.filter(|_| raw.confidence >= self.mark);
        AiFinding { class: self.class(raw.confidence), label: raw.label, confidence: raw.confidence, mark }
    }
}

/// Runs an engine and turns what it answers into findings; Low ones are kept, because they are listed too.
///
/// # Errors
/// [`EngineError`] where the rule does not take the study, the engine fails, or its answer is nonsense:
/// a label it never declared or a confidence outside 0..1 discards the whole answer.
pub fn run(engine: &dyn Engine, input: &EngineInput<'_>) -> Result<Vec<AiFinding>, EngineError> {
    let description = engine.describe();
    let study = StudyFacts { parts: input.parts, instances: input.images.len(), age_years: input.age_years };
    description.input.takes(&study)?;
    let raw = engine.run(input)?;
    for answer in &raw {
        if !(0.0..=1.0).contains(&answer.confidence) {
            return Err(EngineError::NoProbability);
        }
        if !description.labels.contains(&answer.label) {
            return Err(EngineError::UnknownLabel);
        }
    }
    Ok(raw.into_iter().map(|answer| description.thresholds.finding(answer)).collect())
}

/// What a site is flagged as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SiteFlags {
    /// A site of the demo organisation.
    pub demo: bool,
    /// A research site (the ethics board's approval is noted with the flag).
    pub research: bool,
}

/// Whether an engine's findings may rank, mark or be shown for a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Showing {
    /// Approved: as help for the reader (参考).
    Approved,
    /// Not approved, but the site is for demo or research: with the words "research use" (研究用・参考) beside it.
    ResearchUse,
    /// Nowhere: it ranks nothing, marks nothing and is not seen.
    Hidden,
}

/// Invariant 8: an engine without an approval number for its use ranks nothing, marks nothing and
/// shows nowhere outside sites flagged demo or research. A blank number is none.
pub fn may_show(approval_number: Option<&str>, site: SiteFlags) -> Showing {
    match approval_number.map(str::trim) {
        Some(number) if !number.is_empty() => Showing::Approved,
        _ if site.demo || site.research => Showing::ResearchUse,
        _ => Showing::Hidden,
    }
}
