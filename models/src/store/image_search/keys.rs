//! What is searched for, and where.

use super::pattern::{DayRange, NamePattern, TextPattern, TimeRange};
use crate::ids::{SiteId, StudyId};

/// The keys of a query; what is empty or `None` matches everything. All of them must hold.
///
/// A key of a lower level than the one searched asks whether there is one such below: a study with a series of the
/// knee. The identifying attributes are those of the headers at study level and below, and the patient's row at
/// patient level.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageKeys {
    /// PatientID (0010,0020). A single value is also compared by each site's rule for leading zeros.
    pub patient_id: Option<TextPattern>,
    /// PatientName (0010,0010).
    pub patient_name: Option<NamePattern>,
    /// PatientBirthDate (0010,0030).
    pub birth_date: Option<DayRange>,
    /// PatientSex (0010,0040).
    pub sex: Option<TextPattern>,
    /// StudyInstanceUID (0020,000D), one of these.
    pub study_uids: Vec<String>,
    /// AccessionNumber (0008,0050).
    pub accession_number: Option<TextPattern>,
    /// StudyDate (0008,0020).
    pub study_date: Option<DayRange>,
    /// StudyTime (0008,0030).
    pub study_time: Option<TimeRange>,
    /// StudyID (0020,0010).
    pub study_id: Option<TextPattern>,
    /// StudyDescription (0008,1030).
    pub study_description: Option<TextPattern>,
    /// ReferringPhysicianName (0008,0090).
    pub referring_physician: Option<TextPattern>,
    /// InstitutionName (0008,0080), as the study's first instance says it.
    pub institution: Option<TextPattern>,
    /// ModalitiesInStudy (0008,0061): one of these.
    pub modalities_in_study: Vec<String>,
    /// SeriesInstanceUID (0020,000E), one of these.
    pub series_uids: Vec<String>,
    /// Modality (0008,0060), one of these.
    pub modalities: Vec<String>,
    /// SeriesNumber (0020,0011).
    pub series_number: Option<i32>,
    /// SeriesDescription (0008,103E).
    pub series_description: Option<TextPattern>,
    /// ProtocolName (0018,1030).
    pub protocol: Option<TextPattern>,
    /// BodyPartExamined (0018,0015).
    pub body_part: Option<TextPattern>,
    /// Laterality (0020,0060).
    pub laterality: Option<TextPattern>,
    /// SOPInstanceUID (0008,0018), one of these.
    pub sop_instance_uids: Vec<String>,
    /// SOPClassUID (0008,0016), one of these.
    pub sop_class_uids: Vec<String>,
    /// InstanceNumber (0020,0013).
    pub instance_number: Option<i32>,
}

impl ImageKeys {
    pub(super) fn is_about_series(&self) -> bool {
        !self.series_uids.is_empty()
            || !self.modalities.is_empty()
            || self.series_number.is_some()
            || [&self.series_description, &self.protocol, &self.body_part, &self.laterality]
                .iter()
                .any(|key| key.is_some())
    }

    pub(super) fn is_about_instances(&self) -> bool {
        !self.sop_instance_uids.is_empty() || !self.sop_class_uids.is_empty() || self.instance_number.is_some()
    }

    /// Whether the PatientID is the only number that is named.
    pub(super) fn is_about_a_patient_alone(&self) -> bool {
        let single = |key: &Option<TextPattern>| key.as_ref().is_some_and(|key| key.single_value().is_some());
        single(&self.patient_id) && self.study_uids.is_empty() && !single(&self.accession_number)
    }

    /// Whether a key names a study or a patient by a number of which there is an index.
    pub(super) fn is_about_a_number(&self) -> bool {
        let single = |key: &Option<TextPattern>| key.as_ref().is_some_and(|key| key.single_value().is_some());
        !self.study_uids.is_empty() || single(&self.patient_id) || single(&self.accession_number)
    }

    /// Whether a key asks for what stands in the index of days.
    pub(super) fn is_in_index_of_days(&self) -> bool {
        self.patient_name.is_some() || self.patient_id.is_some() || self.accession_number.is_some()
    }

    /// Whether a key asks for part of a text of which PostgreSQL has the letter runs.
    pub(super) fn is_about_parts(&self) -> bool {
        let texts = [&self.patient_id, &self.accession_number, &self.study_description];
        let part = |key: &TextPattern| key.single_value().is_none() && !key.marked().runs.is_empty();
        self.patient_name.as_ref().is_some_and(|name| name.marked().any(|group| !group.runs.is_empty()))
            || texts.into_iter().flatten().any(part)
    }
}

/// What may be found: nothing outside of it exists for whoever searches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everything of these sites; none of them, nothing.
    Sites(Vec<SiteId>),
    /// These studies, those of a case for instance.
    Studies(Vec<StudyId>),
}

/// Which of the matches, counted from 0 in the stable order of the level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many at the most.
    pub limit: u32,
    /// How many are left out before them.
    pub offset: u32,
}
