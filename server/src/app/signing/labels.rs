//! Settling a disagreement about region or side before a report is signed.
//!
//! A person says which is right; what the case's parts say follows, because fee
//! and report name them. What was routed and read stays as it was.

use dokuei_models::store::cases::CasePart;
use dokuei_prescreen::labels::LabelConflict;
use dokuei_prescreen::minutes::reading_minutes;
use dokuei_terms::Part;
use serde::{Deserialize, Serialize};

/// Which of two sources is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The one that routed the case.
    Trusted,
    /// The one that disagrees.
    Other,
}

/// The parts after the choices (one for each conflict, in order); `None` when they stay as they are.
pub fn settle(parts: &[CasePart], conflicts: &[LabelConflict], choices: &[Choice]) -> Option<Vec<CasePart>> {
    let mut settled = parts.to_vec();
    for (conflict, choice) in conflicts.iter().zip(choices) {
        if *choice == Choice::Other {
            settled = follow_other(settled, conflict);
        }
    }
    (settled != parts).then_some(settled)
}

fn follow_other(parts: Vec<CasePart>, conflict: &LabelConflict) -> Vec<CasePart> {
    let mut changed: Vec<CasePart> = Vec::new();
    for part in parts {
        let replaced: Vec<Part> = match conflict {
            LabelConflict::Region { trusted_regions, other_regions, .. }
                if trusted_regions.contains(&part.part.region) =>
            {
                other_regions.iter().map(|region| Part { region: *region, ..part.part }).collect()
            }
            LabelConflict::Laterality { region, other_side, .. } if *region == part.part.region => {
                vec![Part { laterality: *other_side, ..part.part }]
            }
            _ => {
                if !changed.iter().any(|one| one.part == part.part) {
                    changed.push(part);
                }
                continue;
            }
        };
        for part in replaced {
            if !changed.iter().any(|one| one.part == part) {
                let minutes = reading_minutes(&part);
                changed.push(CasePart { part, minutes, confidence: 1.0, source: "person".to_owned() });
            }
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use dokuei_prescreen::labels::LabelSource;
    use dokuei_terms::{Laterality, Modality, Region};

    fn part(region: Region, laterality: Laterality) -> CasePart {
        let part = Part { region, modality: Modality::Mr, laterality };
        CasePart { part, minutes: 10.0, confidence: 0.5, source: "order_words".to_owned() }
    }

    fn region(code: &str) -> Region {
        Region::all().find(|region| region.code() == code).unwrap()
    }

    fn side(of: Region) -> LabelConflict {
        LabelConflict::Laterality {
            region: of,
            trusted: LabelSource::OrderWords,
            trusted_side: Laterality::Left,
            other: LabelSource::BodyPartExamined,
            other_side: Laterality::Right,
        }
    }

    #[test]
    fn the_wrong_side_is_corrected_when_the_other_source_is_right() {
        let some = Region::all().nth(5).unwrap();
        let parts = [part(some, Laterality::Left)];
        let settled = settle(&parts, &[side(some)], &[Choice::Other]).unwrap();
        assert_eq!(settled[0].part.laterality, Laterality::Right);
        assert_eq!(settled[0].source, "person");
        assert_eq!(settle(&parts, &[side(some)], &[Choice::Trusted]), None, "what routed the case stands");
    }

    #[test]
    fn a_wrong_region_is_replaced_once_however_many_parts_named_it() {
        let all: Vec<Region> = Region::all().collect();
        let (a, b, c) = (all[1], all[2], all[3]);
        let conflict = LabelConflict::Region {
            trusted: LabelSource::OrderWords,
            trusted_regions: vec![a, b],
            other: LabelSource::StudyDescription,
            other_regions: vec![c],
        };
        let parts = [part(a, Laterality::None), part(b, Laterality::None)];
        let settled = settle(&parts, &[conflict], &[Choice::Other]).unwrap();
        assert_eq!(settled.len(), 1);
        assert_eq!(settled[0].part.region, c);
        assert!(settled[0].minutes > 0.0);
        assert_eq!(region(c.code()), c);
    }
}
