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
    fn nothing_to_compare_is_a_doubt() {
        assert_eq!(doubts(PatientIdRule::Exact, &Identity::default(), &Identity::default()).len(), 4);
    }
}
