//! What is found.

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::ids::{InstanceId, PatientId, SeriesId, SiteId, StudyId};
use crate::names::PatientName;
use crate::schema::{patients, studies};
pub use crate::store::studies::{InstanceRow, SeriesRow};

/// A patient of a site.
#[derive(Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = patients)]
pub struct FoundPatient {
    /// The row's id.
    pub id: PatientId,
    /// The site.
    pub site_id: SiteId,
    /// PatientID as first received.
    pub patient_id: String,
    /// PatientName, alphabetic group.
    pub name_alphabetic: String,
    /// Its ideographic group.
    pub name_ideographic: String,
    /// Its phonetic group.
    pub name_phonetic: String,
    /// PatientBirthDate.
    pub birth_date: Option<NaiveDate>,
    /// PatientSex.
    pub sex: String,
}

/// A study, its patient as the headers say.
#[derive(Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = studies)]
pub struct FoundStudy {
    /// The row's id.
    pub id: StudyId,
    /// The site.
    pub site_id: SiteId,
    /// StudyInstanceUID.
    pub study_uid: String,
    /// The patient's row.
    pub patient_id: PatientId,
    /// PatientID.
    pub header_patient_id: String,
    /// PatientName, alphabetic group.
    pub header_name_alphabetic: String,
    /// Its ideographic group.
    pub header_name_ideographic: String,
    /// Its phonetic group.
    pub header_name_phonetic: String,
    /// PatientBirthDate.
    pub header_birth_date: Option<NaiveDate>,
    /// PatientSex.
    pub header_sex: String,
    /// AccessionNumber.
    pub accession_number: String,
    /// StudyDate.
    pub study_date: Option<NaiveDate>,
    /// StudyTime, `HHMMSS` or empty.
    pub study_time: String,
    /// StudyID.
    pub study_id_text: String,
    /// StudyDescription.
    pub description: String,
    /// ModalitiesInStudy, parted by a backslash.
    pub modalities: String,
    /// InstitutionName.
    pub institution: String,
    /// ReferringPhysicianName, groups parted by `=`.
    pub referring_physician: String,
    /// NumberOfStudyRelatedInstances.
    pub instances: i32,
    /// NumberOfStudyRelatedSeries.
    pub series: i32,
}

impl FoundPatient {
    /// PatientName.
    pub fn name(&self) -> PatientName {
        PatientName {
            alphabetic: self.name_alphabetic.clone(),
            ideographic: self.name_ideographic.clone(),
            phonetic: self.name_phonetic.clone(),
        }
    }
}

impl FoundStudy {
    /// PatientName.
    pub fn name(&self) -> PatientName {
        PatientName {
            alphabetic: self.header_name_alphabetic.clone(),
            ideographic: self.header_name_ideographic.clone(),
            phonetic: self.header_name_phonetic.clone(),
        }
    }
}

impl std::fmt::Debug for FoundPatient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FoundPatient").field("id", &self.id).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for FoundStudy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FoundStudy").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A series with its study.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundSeries {
    /// The study.
    pub study: FoundStudy,
    /// The series.
    pub series: SeriesRow,
}

/// An instance with its series and study.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundInstance {
    /// The study.
    pub study: FoundStudy,
    /// The series.
    pub series: SeriesRow,
    /// The instance.
    pub instance: InstanceRow,
}

/// A row with a number, to be put back into the order of the search.
pub(super) trait Numbered {
    fn number(&self) -> i64;
}

impl Numbered for FoundPatient {
    fn number(&self) -> i64 {
        self.id.0
    }
}

impl Numbered for FoundStudy {
    fn number(&self) -> i64 {
        self.id.0
    }
}

impl Numbered for (SeriesRow, FoundStudy) {
    fn number(&self) -> i64 {
        let SeriesId(id) = self.0.id;
        id
    }
}

impl Numbered for (InstanceRow, SeriesRow, FoundStudy) {
    fn number(&self) -> i64 {
        let InstanceId(id) = self.0.id;
        id
    }
}
