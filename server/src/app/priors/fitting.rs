//! Which of a PACS's studies are wanted: the same person's, older, and as the rule says.

use chrono::TimeDelta;
use dokuei_dicom_gateway::scu::StudyAnswer;
use dokuei_models::identity::{self, IdentityDoubt};
use dokuei_models::names::{PatientIdRule, PatientName};
use dokuei_models::store::patients::Identity;
use dokuei_models::store::priors::PriorRule;
use dokuei_models::store::studies::StudyRow;
use dokuei_prescreen::labels::{self, Order, SeriesHeader, StudyHeader};
use dokuei_terms::{Modality, Region};

use super::fetching::Wanted;

/// Who the patient of an answer is.
fn identity_of(answer: &StudyAnswer) -> Identity {
    Identity {
        patient_id: answer.patient_id.clone(),
        name: PatientName {
            alphabetic: answer.patient_name.alphabetic().to_owned(),
            ideographic: answer.patient_name.ideographic().to_owned(),
            phonetic: answer.patient_name.phonetic().to_owned(),
        },
        birth_date: answer.birth_date,
        sex: answer.sex.clone(),
    }
}

/// Whether an answer names the patient of the case: nothing may speak against it, and the number alone is not enough.
pub(super) fn is_same_person(wanted: &Wanted, current: &StudyRow, candidate: &StudyAnswer) -> bool {
    let rule: PatientIdRule = wanted.site.patient_id_rule.parse().unwrap_or(PatientIdRule::Exact);
    let doubts = identity::doubts(rule, &current.identity(), &identity_of(candidate));
    doubts.iter().all(|doubt| *doubt == IdentityDoubt::Sex && candidate.sex.is_empty())
}

/// Whether a study of the patient is one that the rule wants.
pub(super) fn fits(wanted: &Wanted, rule: &PriorRule, current: &StudyRow, candidate: &StudyAnswer) -> bool {
    if wanted.current.iter().any(|study| study.study_uid == candidate.study_uid) {
        return false;
    }
    let (Some(of), Some(date)) = (current.study_date, candidate.date) else { return false };
    if date > of || of - date > TimeDelta::days(i64::from(rule.within_days)) {
        return false;
    }
    let modalities: Vec<Modality> = candidate.modalities.iter().filter_map(|code| Modality::from_dicom(code)).collect();
    if rule.same_modality && !modalities.iter().any(|one| wanted.modalities.contains(one)) {
        return false;
    }
    !rule.same_region || regions_meet(&wanted.regions, &regions_of(candidate))
}

/// Where two studies show one region, or one within the other; a study of which nothing is known may be of any.
fn regions_meet(current: &[Region], other: &[Region]) -> bool {
    let within = |a: &Region, b: &Region| a.and_ancestors().any(|region| region == *b);
    other.is_empty() || other.iter().any(|a| current.iter().any(|b| within(a, b) || within(b, a)))
}

/// The regions that a study's description names.
fn regions_of(candidate: &StudyAnswer) -> Vec<Region> {
    let series = candidate
        .modalities
        .iter()
        .map(|modality| SeriesHeader { modality: modality.clone(), ..SeriesHeader::default() });
    let header = StudyHeader {
        study_description: candidate.description.clone(),
        series: series.collect(),
        ..StudyHeader::default()
    };
    let labels = labels::check(&header, &Order::default());
    let regions: Vec<Region> = labels.parts.iter().map(|labelled| labelled.part.region).collect();
    // The whole body is what is said where nothing is known.
    if regions.iter().any(|region| region.code() == "body") { Vec::new() } else { regions }
}

#[cfg(test)]
mod tests {
    use dokuei_dicom_gateway::charset::PersonName;

    use super::*;

    #[test]
    fn a_study_of_another_region_is_left_there_and_one_of_an_unknown_region_is_not() {
        let region = |code: &str| code.parse::<Region>().expect("a region of the tree");
        let candidate = |description: &str| StudyAnswer {
            study_uid: "1.2.3".into(),
            patient_id: String::new(),
            patient_name: PersonName::of("", "", ""),
            birth_date: None,
            sex: String::new(),
            date: None,
            modalities: vec!["CT".into()],
            description: description.into(),
            instances: None,
        };
        let head = [region("head")];
        assert!(regions_meet(&head, &regions_of(&candidate("頭部CT"))));
        assert!(!regions_meet(&head, &regions_of(&candidate("膝関節 CT"))));
        assert!(regions_meet(&head, &regions_of(&candidate("CT"))));
    }
}
