//! How long a part takes to read until the platform has learned it.
//!
//! Planning needs minutes on the first day. These are *defaults*: the few
//! published figures there are, and assumptions where there are none; the
//! column `basis` of `data/reading-minutes.csv` says which is which, row by
//! row. Fees are no measure of time (a local fee and the US value units
//! correlate with r = 0.05, 10.1111/1754-9485.12492), so none is used.

use std::collections::HashMap;
use std::sync::LazyLock;

use dokuei_terms::{Modality, Part, Region};

/// Used for a modality that has no row even for the whole body; a test proves that none is missing.
const UNKNOWN_MINUTES: f64 = 10.0;

static TABLE: LazyLock<HashMap<(Region, Modality), f64>> =
    LazyLock::new(|| rows().map(|(key, _, m)| (key, m)).collect());

#[derive(serde::Deserialize)]
struct Row {
    region: Region,
    modality: Modality,
    minutes: f64,
    basis: String,
}

fn rows() -> impl Iterator<Item = ((Region, Modality), String, f64)> {
    csv::Reader::from_reader(include_str!("../data/reading-minutes.csv").as_bytes())
        .into_deserialize::<Row>()
        .map(|row| row.expect("data/reading-minutes.csv is part of the program and is read by its tests"))
        .map(|row| ((row.region, row.modality), row.basis, row.minutes))
}

/// Expected minutes to read and report one part, alone, by an average reader.
///
/// Takes the nearest row up the region tree, then the whole body's. Both sides of a paired
/// part count one and a half times (the second is compared with the first).
pub fn reading_minutes(part: &Part) -> f64 {
    let one_side = part
        .region
        .and_ancestors()
        .chain(std::iter::once(Region::WHOLE_BODY))
        .find_map(|region| TABLE.get(&(region, part.modality)).copied())
        .unwrap_or(UNKNOWN_MINUTES);
    match part.laterality {
        // Mammography is always of both sides, and its row says so.
        dokuei_terms::Laterality::Both if part.modality != Modality::Mammography => one_side * 1.5,
        _ => one_side,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dokuei_terms::Laterality;

    #[test]
    fn every_part_that_can_exist_has_minutes_and_every_row_a_basis() {
        for region in Region::all() {
            for modality in Modality::ALL {
                let minutes = reading_minutes(&Part::new(region, *modality));
                assert!((1.0..=60.0).contains(&minutes), "{region} {modality}: {minutes}");
            }
        }
        for modality in Modality::ALL {
            assert!(TABLE.contains_key(&(Region::WHOLE_BODY, *modality)), "{modality} has no last resort");
        }
        assert!(rows().all(|(_, basis, _)| !basis.is_empty()));
    }

    #[test]
    fn a_leaf_without_a_row_takes_its_parents() {
        let brain: Region = "head.brain".parse().unwrap();
        let head: Region = "head".parse().unwrap();
        assert_eq!(reading_minutes(&Part::new(brain, Modality::Ct)), reading_minutes(&Part::new(head, Modality::Ct)));
        let knee = Part::new("lower.knee".parse().unwrap(), Modality::Mr);
        let both = Part { laterality: Laterality::Both, ..knee };
        assert_eq!(reading_minutes(&both), reading_minutes(&knee) * 1.5);
    }
}
