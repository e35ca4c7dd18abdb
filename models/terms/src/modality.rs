//! The modality classes of skill tables and tariffs.

use crate::{Language, vocabulary};

/// A modality class: several DICOM modalities that are read, priced and scored alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Modality {
    /// Plain radiographs: CR, DX.
    Radiograph,
    /// Mammography.
    Mammography,
    /// Fluoroscopy, gastrointestinal series included.
    Fluoroscopy,
    /// Computed tomography.
    Ct,
    /// Magnetic resonance.
    Mr,
    /// Nuclear medicine, PET included.
    Nuclear,
    /// Ultrasound.
    Ultrasound,
    /// Angiography.
    Angiography,
    /// Anything else that shows pictures.
    Other,
}

vocabulary!(Modality, "modality", {
    Radiograph => "CR", Mammography => "MG", Fluoroscopy => "RF", Ct => "CT", Mr => "MR",
    Nuclear => "NM", Ultrasound => "US", Angiography => "XA", Other => "OT",
});

impl Modality {
    /// The class of a DICOM Modality (0008,0060) value (PS3.3 C.7.3.1.1.1).
    ///
    /// Objects that are not images (SR, PR, KO, DOC, SEG, RTSTRUCT, ...) give `None`: they are kept, but make no part.
    pub fn from_dicom(value: &str) -> Option<Self> {
        Some(match value.trim() {
            "CR" | "DX" | "DR" | "RG" => Self::Radiograph,
            "MG" => Self::Mammography,
            "RF" => Self::Fluoroscopy,
            "CT" => Self::Ct,
            "MR" => Self::Mr,
            "NM" | "PT" | "ST" => Self::Nuclear,
            "US" | "IVUS" | "BDUS" => Self::Ultrasound,
            "XA" => Self::Angiography,
            "SR" | "PR" | "KO" | "DOC" | "SEG" | "RTSTRUCT" | "RTPLAN" | "RTDOSE" | "RTRECORD" | "REG" | "FID"
            | "RWV" | "AU" | "ECG" | "HD" | "EPS" | "PLAN" | "ASMT" | "" => return None,
            _ => Self::Other,
        })
    }

    /// The word on screens.
    pub const fn label(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Radiograph, Language::Ja) => "単純X線",
            (Self::Radiograph, Language::En) => "Radiograph",
            (Self::Mammography, Language::Ja) => "マンモ",
            (Self::Mammography, Language::En) => "Mammography",
            (Self::Fluoroscopy, Language::Ja) => "透視・造影",
            (Self::Fluoroscopy, Language::En) => "Fluoroscopy",
            (Self::Ct, _) => "CT",
            (Self::Mr, Language::Ja) => "MR",
            (Self::Mr, Language::En) => "MR",
            (Self::Nuclear, Language::Ja) => "核医学",
            (Self::Nuclear, Language::En) => "Nuclear medicine",
            (Self::Ultrasound, Language::Ja) => "超音波",
            (Self::Ultrasound, Language::En) => "Ultrasound",
            (Self::Angiography, Language::Ja) => "血管造影",
            (Self::Angiography, Language::En) => "Angiography",
            (Self::Other, Language::Ja) => "その他",
            (Self::Other, Language::En) => "Other",
        }
    }
}
