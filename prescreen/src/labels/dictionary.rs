//! From words to regions, sides and modality classes.
//!
//! The dictionary is `data/parts.csv`: pattern, regions (joined by `+`), side
//! and modality class. A row without any of the three is a stop word: 手術
//! (operation) contains 手 (hand) and means none.

use std::sync::LazyLock;

use dokuei_terms::{Laterality, Modality, Region};

use crate::words::{Finder, fold_to_words};

/// What some words say, in the order of the words, without repetition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// Regions with the side said of each; [`Laterality::None`] where none was.
    pub(crate) regions: Vec<(Region, Laterality)>,
    pub(crate) modalities: Vec<Modality>,
}

impl Said {
    /// Adds a region; two sides of the same region make both, a side fills none.
    pub(crate) fn add_region(&mut self, region: Region, side: Laterality) {
        match self.regions.iter_mut().find(|(known, _)| *known == region) {
            Some((_, known)) => *known = both_of(*known, side),
            None => self.regions.push((region, side)),
        }
    }

    pub(crate) fn add_modality(&mut self, modality: Modality) {
        if !self.modalities.contains(&modality) {
            self.modalities.push(modality);
        }
    }

    /// Adds all of `other`.
    pub(crate) fn merge(&mut self, other: &Said) {
        for (region, side) in &other.regions {
            self.add_region(*region, *side);
        }
        for modality in &other.modalities {
            self.add_modality(*modality);
        }
    }
}

/// Right and left make both.
pub(crate) fn both_of(one: Laterality, other: Laterality) -> Laterality {
    match (one, other) {
        (Laterality::None, side) | (side, Laterality::None) => side,
        (one, other) if one == other => one,
        _ => Laterality::Both,
    }
}

/// Whether the region exists on both sides, so that a side word can belong to it.
pub(crate) fn is_paired(region: Region) -> bool {
    region.and_ancestors().any(|above| matches!(above.code(), "upper" | "lower"))
        || matches!(region.code(), "head.orbit" | "head.temporal" | "head.salivary" | "chest.breast")
}

struct Entry {
    pattern: String,
    regions: Vec<Region>,
    side: Laterality,
    modality: Option<Modality>,
}

struct Dictionary {
    entries: Vec<Entry>,
    finder: Finder,
}

#[derive(serde::Deserialize)]
struct Row {
    pattern: String,
    regions: String,
    side: String,
    modality: Option<Modality>,
}

static DICTIONARY: LazyLock<Dictionary> = LazyLock::new(|| {
    let entries: Vec<Entry> = csv::Reader::from_reader(include_str!("../../data/parts.csv").as_bytes())
        .into_deserialize::<Row>()
        .map(|row| row.expect("data/parts.csv is part of the program and is read by its tests"))
        .map(|row| Entry {
            pattern: fold_to_words(&row.pattern),
            regions: regions_of(&row.regions).expect("data/parts.csv names only regions of the tree"),
            side: Laterality::from_dicom(&row.side).expect("data/parts.csv names sides as R, L or B"),
            modality: row.modality,
        })
        .collect();
    let finder = Finder::new(entries.iter().enumerate().map(|(id, entry)| (entry.pattern.clone(), id)));
    Dictionary { entries, finder }
});

/// Reads `chest+abdomen`.
pub(crate) fn regions_of(codes: &str) -> Result<Vec<Region>, dokuei_terms::UnknownTerm> {
    codes.split('+').filter(|code| !code.is_empty()).map(str::parse).collect()
}

/// What a description, protocol name, body part or order text says.
///
/// A side belongs to the paired regions after it (`右膝`, `R KNEE`), or, where the text begins
/// with a region, to those before it (`KNEE RT`, `膝関節 右`). A side beside no paired region is not used.
pub(crate) fn read(text: &str) -> Said {
    let dictionary = &*DICTIONARY;
    let folded = fold_to_words(text);
    let entries: Vec<&Entry> =
        dictionary.finder.find_all(&folded).iter().map(|found| &dictionary.entries[found.id]).collect();

    let mut said = Said::default();
    let mut paired: Vec<(Region, Laterality)> = Vec::new();
    let is_bare_side = |entry: &&&Entry| entry.regions.is_empty() && entry.side != Laterality::None;
    let side_comes_first = entries
        .iter()
        .find(|entry| is_bare_side(entry) || entry.regions.iter().any(|region| is_paired(*region)))
        .is_some_and(|entry| is_bare_side(&entry));
    let (mut current, mut last_was_side, mut without_side) = (Laterality::None, false, 0);
    for entry in entries {
        if let Some(modality) = entry.modality {
            said.add_modality(modality);
        }
        if entry.regions.is_empty() {
            if entry.side == Laterality::None {
                continue;
            }
            if side_comes_first {
                current = if last_was_side { both_of(current, entry.side) } else { entry.side };
            } else {
                let from = if last_was_side { paired.len().saturating_sub(1) } else { without_side };
                for (_, side) in &mut paired[from..] {
                    *side = both_of(*side, entry.side);
                }
                without_side = paired.len();
            }
            last_was_side = true;
            continue;
        }
        last_was_side = false;
        for region in &entry.regions {
            if is_paired(*region) {
                let side = if entry.side == Laterality::None { current } else { entry.side };
                paired.push((*region, side));
            }
            said.add_region(*region, Laterality::None);
        }
    }
    for (region, side) in paired {
        said.add_region(region, side);
    }
    // "PET" alone means the whole body; "brain PET" does not.
    if said.regions.iter().any(|(region, _)| *region != Region::WHOLE_BODY) {
        said.regions.retain(|(region, _)| *region != Region::WHOLE_BODY);
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_pattern_is_listed_twice_and_every_pattern_finds_itself() {
        let mut seen = std::collections::HashSet::new();
        for (id, entry) in DICTIONARY.entries.iter().enumerate() {
            assert!(seen.insert(entry.pattern.clone()), "{} is listed twice", entry.pattern);
            let found = DICTIONARY.finder.find_all(&entry.pattern);
            assert_eq!(found.iter().map(|found| found.id).collect::<Vec<_>>(), [id], "{}", entry.pattern);
        }
    }

    #[test]
    fn every_region_of_the_tree_can_be_said() {
        for region in Region::all() {
            assert!(DICTIONARY.entries.iter().any(|entry| entry.regions.contains(&region)), "no word for {region}");
        }
    }
}
