//! Whether two sayings of who a patient is agree.
//!
//! Images are read only under the patient they belong to: PatientID (by the
//! site's leading-zero rule), name, birth date and sex must agree between
//! request and images. What cannot be compared is a doubt too, and a doubt is
//! held for a person.

use crate::codes::codes;
use crate::names::{NameAgreement, PatientIdRule};
use crate::store::patients::Identity;

codes! {
    /// What keeps a request and a study apart.
    IdentityDoubt {
        /// The PatientIDs are two.
        PatientId => "patient_id",
        /// The names are two.
        Name => "name",
        /// The names are written in different scripts only, so that nothing can be compared.
        NameIncomparable => "name_incomparable",
        /// The birth dates are two, or one is missing.
        BirthDate => "birth_date",
        /// The sexes are two, or one is missing.
        Sex => "sex",
    }
}

/// What keeps `one` and `other` apart; empty when they agree.
pub fn doubts(rule: PatientIdRule, one: &Identity, other: &Identity) -> Vec<IdentityDoubt> {
    let mut doubts = Vec::new();
    if rule.key(&one.patient_id) != rule.key(&other.patient_id) || one.patient_id.trim().is_empty() {
        doubts.push(IdentityDoubt::PatientId);
    }
    match one.name.agreement(&other.name) {
        NameAgreement::Same => {}
        NameAgreement::Different => doubts.push(IdentityDoubt::Name),
        NameAgreement::Incomparable => doubts.push(IdentityDoubt::NameIncomparable),
    }
    if one.birth_date.is_none() || one.birth_date != other.birth_date {
        doubts.push(IdentityDoubt::BirthDate);
    }
    if one.sex.is_empty() || one.sex != other.sex {
        doubts.push(IdentityDoubt::Sex);
    }
    doubts
}

codes! {
    /// What another header of one instance says otherwise, of the things that decide whose images these are.
    IdentityChange {
        /// PatientID, name, birth date or sex.
        Patient => "patient",
        /// The side of the body, or how the picture lies.
        Laterality => "laterality",
        /// Study Instance UID, accession number or study date.
        Study => "study",
    }
}

/// Whether two headers name two patients. What one of them leaves empty, or writes in another script, contradicts
/// nothing: what a workstation makes out of a study often says less of the patient.
pub fn contradicts(rule: PatientIdRule, one: &Identity, other: &Identity) -> bool {
    let (a, b) = (one.patient_id.trim(), other.patient_id.trim());
    let ids = !a.is_empty() && !b.is_empty() && rule.key(a) != rule.key(b);
    let births = one.birth_date.zip(other.birth_date).is_some_and(|(a, b)| a != b);
    let sexes = !one.sex.is_empty() && !other.sex.is_empty() && one.sex != other.sex;
    ids || births || sexes || one.name.agreement(&other.name) == NameAgreement::Different
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::PatientName;

    fn yamada() -> Identity {
        Identity {
            patient_id: "0012".into(),
            name: PatientName {
                alphabetic: "YAMADA^TARO".into(),
                ideographic: "山田^太郎".into(),
                phonetic: String::new(),
            },
            birth_date: chrono::NaiveDate::from_ymd_opt(1960, 4, 1),
            sex: "M".into(),
        }
    }

    #[test]
    fn one_patient_written_two_ways_is_no_doubt() {
        let mut form = yamada();
        form.patient_id = "12".into();
        form.name.alphabetic.clear();
        assert_eq!(doubts(PatientIdRule::IgnoreLeadingZeros, &form, &yamada()), []);
        assert_eq!(doubts(PatientIdRule::Exact, &form, &yamada()), [IdentityDoubt::PatientId]);
    }

    #[test]
    fn each_difference_is_named() {
        let mut twin = yamada();
        twin.name.ideographic = "山田^次郎".into();
        twin.birth_date = None;
        twin.sex = "F".into();
        assert_eq!(
            doubts(PatientIdRule::Exact, &twin, &yamada()),
            [IdentityDoubt::Name, IdentityDoubt::BirthDate, IdentityDoubt::Sex]
        );
    }

    #[test]
    fn what_is_left_out_contradicts_nothing_and_each_difference_does() {
        let rule = PatientIdRule::IgnoreLeadingZeros;
        let less = Identity { patient_id: "12".into(), ..Identity::default() };
        assert!(!contradicts(rule, &yamada(), &less));
        let changes: [fn(&mut Identity); 4] = [
            |one| one.patient_id = "13".into(),
            |one| one.name.ideographic = "山田^次郎".into(),
            |one| one.birth_date = chrono::NaiveDate::from_ymd_opt(1960, 4, 2),
            |one| one.sex = "F".into(),
        ];
        for change in changes {
            let mut other = yamada();
            change(&mut other);
            assert!(contradicts(rule, &yamada(), &other));
        }
    }

    #[test]
    fn nothing_to_compare_is_a_doubt() {
        assert_eq!(doubts(PatientIdRule::Exact, &Identity::default(), &Identity::default()).len(), 4);
    }
}
