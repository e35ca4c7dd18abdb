//! One (region, modality, laterality) of a case.

use crate::{Language, Laterality, Modality, Region};

/// A part: a chest-abdomen-pelvis CT has three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Part {
    /// The region of the body.
    pub region: Region,
    /// The modality class.
    pub modality: Modality,
    /// The side.
    pub laterality: Laterality,
}

impl Part {
    /// The part without a side.
    pub const fn new(region: Region, modality: Modality) -> Self {
        Self { region, modality, laterality: Laterality::None }
    }

    /// The words on screens, e.g. `左膝関節 MR` or `Chest CT`.
    pub fn label(&self, language: Language) -> String {
        let side = self.laterality.label(language);
        let region = self.region.label(language);
        let modality = self.modality.label(language);
        match (language, side.is_empty()) {
            (Language::Ja, _) => format!("{side}{region} {modality}"),
            (Language::En, true) => format!("{region} {modality}"),
            (Language::En, false) => format!("{region} ({side}) {modality}"),
        }
    }
}
