//! The side of the body.

use crate::{Language, vocabulary};

/// The side of a part. JJ1017's position 11 narrowed to what routing needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Laterality {
    /// Unpaired, or not said.
    #[default]
    None,
    /// Right (DICOM `R`).
    Right,
    /// Left (DICOM `L`).
    Left,
    /// Both sides (DICOM `B`).
    Both,
}

vocabulary!(Laterality, "laterality", { None => "none", Right => "right", Left => "left", Both => "both" });

impl Laterality {
    /// Reads DICOM Laterality (0020,0060) or Image Laterality (0020,0062): `R`, `L`, `B`, `U` or empty (PS3.3 C.7.3.1.1.1).
    pub fn from_dicom(value: &str) -> Option<Self> {
        match value.trim() {
            "R" => Some(Self::Right),
            "L" => Some(Self::Left),
            "B" => Some(Self::Both),
            "" | "U" => Some(Self::None),
            _ => None,
        }
    }

    /// The word on screens; empty for [`Laterality::None`].
    pub const fn label(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::None, _) => "",
            (Self::Right, Language::Ja) => "右",
            (Self::Right, Language::En) => "right",
            (Self::Left, Language::Ja) => "左",
            (Self::Left, Language::En) => "left",
            (Self::Both, Language::Ja) => "両側",
            (Self::Both, Language::En) => "both sides",
        }
    }
}
