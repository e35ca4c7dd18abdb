//! Which parts a study shows, and who says so.
//!
//! [`check`] reads everything that names a part: the order's code and words, the
//! DICOM header, the clinical question. The most trusted source goes first; the
//! others support it, add to it, or disagree. A disagreement is a
//! [`LabelConflict`], never settled in silence: the most trusted source decides
//! for routing only, and a person decides before signing.
//!
//! Labels are wrong in 3 to 12 % of examinations (source 002), mostly where a
//! device fills them in by itself, which is why the header's body part comes last.
//! Nothing is ever empty for a study with images: a part nobody names is the whole
//! body with low confidence.

mod dictionary;
mod jj1017;
mod reconcile;

use dokuei_terms::{Laterality, Modality, Part, Region};
use serde::{Deserialize, Serialize};

pub use jj1017::Jj1017;
pub use reconcile::check;

/// The header of one series. Text is as decoded from DICOM; empty where absent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SeriesHeader {
    /// Modality (0008,0060).
    pub modality: String,
    /// BodyPartExamined (0018,0015).
    pub body_part_examined: String,
    /// Laterality (0020,0060) or ImageLaterality (0020,0062).
    pub laterality: String,
    /// ProtocolName (0018,1030).
    pub protocol_name: String,
    /// SeriesDescription (0008,103E).
    pub series_description: String,
}

/// The header of one study.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StudyHeader {
    /// StudyDescription (0008,1030).
    pub study_description: String,
    /// Code values of ProcedureCodeSequence and the protocol code sequences; those that are not JJ1017 are passed over.
    pub procedure_codes: Vec<String>,
    /// One entry per series.
    pub series: Vec<SeriesHeader>,
}

/// What the site asked for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Order {
    /// The modality named by the request, if it names one apart from its words.
    pub modality: Option<Modality>,
    /// JJ1017 codes of the ordered items.
    pub codes: Vec<String>,
    /// The ordered examination in words, e.g. `胸腹骨盤CT（造影）`.
    pub words: String,
    /// The clinical question and history: only asked for a region when nothing else names one, but always for the side.
    pub question: String,
}

/// Who named a part, most trusted first (so that `Ord` sorts by trust).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LabelSource {
    /// A JJ1017 code of the order.
    OrderCode,
    /// The order's words.
    OrderWords,
    /// A JJ1017 code in the header.
    HeaderCode,
    /// StudyDescription.
    StudyDescription,
    /// ProtocolName.
    ProtocolName,
    /// SeriesDescription.
    SeriesDescription,
    /// BodyPartExamined, with Laterality.
    BodyPartExamined,
    /// The clinical question.
    Question,
    /// Nobody: the last resort.
    Nobody,
}

impl LabelSource {
    /// How often a label of this source alone is taken to be right, 0..1.
    ///
    /// Assumed, but for BodyPartExamined: one minus the worst error rate of source 002 (12 %).
    /// Site corrections will replace these.
    pub const fn trust(self) -> f64 {
        match self {
            Self::OrderCode => 0.97,
            Self::OrderWords => 0.95,
            Self::HeaderCode => 0.95,
            Self::StudyDescription => 0.93,
            Self::ProtocolName => 0.91,
            Self::SeriesDescription => 0.90,
            Self::BodyPartExamined => 0.88,
            Self::Question => 0.40,
            Self::Nobody => 0.05,
        }
    }

    /// Whether the site's order says it (and not the images' header).
    pub const fn is_order(self) -> bool {
        matches!(self, Self::OrderCode | Self::OrderWords | Self::Question)
    }
}

/// A part with what speaks for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelledPart {
    /// The part.
    pub part: Part,
    /// 0..1: one minus the product of the supporting sources' doubts, at most 0.99, halved where another source contradicts.
    pub confidence: f64,
    /// Who named it, most trusted first.
    pub sources: Vec<LabelSource>,
}

/// Two sources disagree. `trusted` is the one that routes the case meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LabelConflict {
    /// They name regions that have nothing to do with each other.
    Region {
        /// The source that was believed.
        trusted: LabelSource,
        /// What has been believed so far.
        trusted_regions: Vec<Region>,
        /// The source that disagrees.
        other: LabelSource,
        /// What it says.
        other_regions: Vec<Region>,
    },
    /// They name different sides of the same region.
    Laterality {
        /// The region.
        region: Region,
        /// The source that was believed.
        trusted: LabelSource,
        /// The side it names.
        trusted_side: Laterality,
        /// The source that disagrees.
        other: LabelSource,
        /// The side it names.
        other_side: Laterality,
    },
    /// The order names a modality that no image has.
    Modality {
        /// Who named it.
        source: LabelSource,
        /// What was ordered.
        ordered: Vec<Modality>,
        /// What the images are.
        images: Vec<Modality>,
    },
}

impl LabelConflict {
    /// Whether a person must settle it before the report is signed: a wrong region or side harms, a wrong modality word does not.
    pub const fn must_be_settled_before_signing(&self) -> bool {
        matches!(self, Self::Region { .. } | Self::Laterality { .. })
    }
}

/// The parts of a study and the disagreements about them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Labels {
    /// Never empty if a series has images; sorted by part.
    pub parts: Vec<LabelledPart>,
    /// In the order of trust.
    pub conflicts: Vec<LabelConflict>,
}
