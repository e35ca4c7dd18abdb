//! JJ1017 codes: what the first eleven characters say.
//!
//! Ver 3.4 (2024-09-07), table 5.1: 1 kind of examination, 2-7 technique, 8-10 part
//! (small region), 11 side; characters are 0-9 and A-Z without I and O. Sixteen
//! characters travel in DICOM (JJ1017-16M), thirty-two between HIS and RIS.
//!
//! The guideline's table of parts has 431 rows and is published as PDF only.
//! `data/jj1017-regions.csv` holds the ones that were checked; another code tells
//! its modality and side, but no region.

use std::collections::HashMap;
use std::sync::LazyLock;

use dokuei_terms::{Laterality, Modality, Region};

use super::dictionary::{is_paired, regions_of};

/// What one JJ1017 code says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jj1017 {
    /// The modality class of character 1; `None` for therapy, bone density and undefined kinds.
    pub modality: Option<Modality>,
    /// The regions of characters 8-10; empty if the part is not in the table.
    pub regions: Vec<Region>,
    /// The side of character 11, where it is one of R, L, B.
    pub laterality: Laterality,
}

static REGIONS: LazyLock<HashMap<String, Vec<Region>>> = LazyLock::new(|| {
    csv::Reader::from_reader(include_str!("../../data/jj1017-regions.csv").as_bytes())
        .into_deserialize::<(String, String)>()
        .map(|row| row.expect("data/jj1017-regions.csv is part of the program and is read by its tests"))
        .map(|(code, regions)| (code, regions_of(&regions).expect("data/jj1017-regions.csv names only known regions")))
        .collect()
});

impl Jj1017 {
    /// Reads a JJ1017-16M or JJ1017-32 code; `None` if it has another length or a character the guideline forbids.
    pub fn parse(code: &str) -> Option<Self> {
        let code = code.trim();
        let allowed = |c: char| c.is_ascii_digit() || (c.is_ascii_uppercase() && c != 'I' && c != 'O');
        if !matches!(code.len(), 16 | 32) || !code.chars().all(allowed) {
            return None;
        }
        let modality = match &code[..1] {
            "1" | "4" | "G" | "H" => Some(Modality::Radiograph),
            "2" => Some(Modality::Fluoroscopy),
            "3" => Some(Modality::Angiography),
            "6" => Some(Modality::Ct),
            "7" => Some(Modality::Mr),
            "8" => Some(Modality::Nuclear),
            "9" => Some(Modality::Ultrasound),
            "F" => Some(Modality::Mammography),
            _ => None,
        };
        let laterality = match &code[10..11] {
            "R" => Laterality::Right,
            "L" => Laterality::Left,
            "B" => Laterality::Both,
            _ => Laterality::None,
        };
        Some(Self { modality, regions: REGIONS.get(&code[7..10]).cloned().unwrap_or_default(), laterality })
    }

    pub(crate) fn said(&self) -> super::dictionary::Said {
        let mut said = super::dictionary::Said::default();
        for region in &self.regions {
            let side = if is_paired(*region) { self.laterality } else { Laterality::None };
            said.add_region(*region, side);
        }
        self.modality.into_iter().for_each(|modality| said.add_modality(modality));
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guidelines_examples_are_read() {
        let chest = Jj1017::parse("10000002000101000000010000000000").expect("plain chest, standing, frontal");
        assert_eq!(chest.modality, Some(Modality::Radiograph));
        assert_eq!(chest.regions, ["chest".parse().unwrap()]);
        let head = Jj1017::parse("6000000100000200").expect("head CT as it travels in DICOM");
        assert_eq!((head.modality, head.regions), (Some(Modality::Ct), vec!["head".parse().unwrap()]));
    }

    #[test]
    fn what_is_not_a_code_is_none_and_an_unknown_part_still_tells_modality() {
        for not_a_code in ["", "CT001", "600000010000020O", "6000000100000200 6", "胸部単純撮影正面"] {
            assert_eq!(Jj1017::parse(not_a_code), None, "{not_a_code}");
        }
        let local = Jj1017::parse("7000000A0000000R").expect("a local part");
        assert_eq!((local.modality, local.regions.len()), (Some(Modality::Mr), 0));
    }
}
