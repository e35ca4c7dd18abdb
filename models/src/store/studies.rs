//! Studies with their series and instances, as they are looked at and matched.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{InstanceId, PatientId, SeriesId, SiteId, StudyId};
use crate::names::PatientName;
use crate::schema::{case_studies, instances, series, studies};
use crate::state::MatchState;
use crate::store::patients::Identity;

/// A study.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = studies)]
pub struct StudyRow {
    /// The row's id.
    pub id: StudyId,
    /// The site it came from.
    pub site_id: SiteId,
    /// StudyInstanceUID.
    pub study_uid: String,
    /// The patient of its PatientID.
    pub patient_id: PatientId,
    /// Whether it is another institution's, kept for comparison only.
    pub elsewhere: bool,
    /// PatientID as received.
    pub header_patient_id: String,
    /// The name's alphabetic group as received.
    pub header_name_alphabetic: String,
    /// The name's ideographic group as received.
    pub header_name_ideographic: String,
    /// The name's phonetic group as received.
    pub header_name_phonetic: String,
    /// The birth date as received.
    pub header_birth_date: Option<NaiveDate>,
    /// The sex as received.
    pub header_sex: String,
    /// AccessionNumber.
    pub accession_number: String,
    /// StudyDate.
    pub study_date: Option<NaiveDate>,
    /// StudyDescription.
    pub description: String,
    /// The modalities of its series, parted by a backslash.
    pub modalities: String,
    /// How many instances are here; hidden ones are not counted.
    pub instances: i32,
    /// How many series that show an instance are here.
    pub series: i32,
    /// When the first instance came.
    pub first_received_at: NaiveDateTime,
    /// When the newest instance came.
    pub last_received_at: NaiveDateTime,
    /// When it last counted as settled.
    pub settled_at: Option<NaiveDateTime>,
    /// How many instances it had then.
    pub settled_instances: i32,
    /// Where it stands on the way to a case.
    pub match_state: MatchState,
    /// Why it stands there.
    pub match_reason: Option<String>,
    /// When a person looks at it at the latest.
    pub match_deadline: Option<NaiveDateTime>,
    /// Grows with each change.
    pub version: i32,
}

impl StudyRow {
    /// Who the patient is by the headers.
    pub fn identity(&self) -> Identity {
        Identity {
            patient_id: self.header_patient_id.clone(),
            name: PatientName {
                alphabetic: self.header_name_alphabetic.clone(),
                ideographic: self.header_name_ideographic.clone(),
                phonetic: self.header_name_phonetic.clone(),
            },
            birth_date: self.header_birth_date,
            sex: self.header_sex.clone(),
        }
    }
}

/// A series.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = series)]
pub struct SeriesRow {
    /// The row's id.
    pub id: SeriesId,
    /// The study.
    pub study_id: StudyId,
    /// SeriesInstanceUID.
    pub series_uid: String,
    /// Modality.
    pub modality: String,
    /// SeriesNumber.
    pub number: Option<i32>,
    /// SeriesDescription.
    pub description: String,
    /// ProtocolName.
    pub protocol: String,
    /// BodyPartExamined.
    pub body_part: String,
    /// Laterality.
    pub laterality: String,
    /// ViewPosition.
    pub view_position: String,
    /// How many instances are here; hidden ones are not counted.
    pub instances: i32,
}

/// An instance.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = instances)]
pub struct InstanceRow {
    /// The row's id.
    pub id: InstanceId,
    /// The site.
    pub site_id: SiteId,
    /// The study.
    pub study_id: StudyId,
    /// The series.
    pub series_id: SeriesId,
    /// SOPInstanceUID.
    pub sop_instance_uid: String,
    /// SOPClassUID.
    pub sop_class_uid: String,
    /// TransferSyntaxUID of the stored bytes.
    pub transfer_syntax: String,
    /// SHA-256 of the stored bytes.
    pub sha256: String,
    /// Bytes.
    pub size: i64,
    /// Where the bytes are.
    pub object_key: String,
    /// InstanceNumber.
    pub number: Option<i32>,
    /// Rows.
    pub image_rows: Option<i32>,
    /// Columns.
    pub image_columns: Option<i32>,
    /// Frames; 0 shows no picture.
    pub frames: i32,
    /// The place along the slice normal in mm.
    pub position_along_normal: Option<f64>,
    /// When it came.
    pub received_at: NaiveDateTime,
}

/// One study.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none.
pub fn study_get(conn: &mut Connection, study: StudyId) -> Result<StudyRow, StoreError> {
    studies::table.find(study).select(StudyRow::as_select()).first(conn).or_not_found("the study")
}

/// Studies of a site that no case has, by accession number or study UID (either may be empty).
///
/// # Errors
/// What the database says.
pub fn study_list_waiting_for(
    conn: &mut Connection,
    site: SiteId,
    accession_number: &str,
    study_uid: &str,
) -> Result<Vec<StudyRow>, StoreError> {
    let by_number = studies::accession_number.eq(accession_number).and(studies::accession_number.ne(""));
    let by_uid = studies::study_uid.eq(study_uid);
    Ok(studies::table
        .filter(studies::site_id.eq(site))
        .filter(by_number.or(by_uid))
        .filter(studies::match_state.ne(MatchState::Matched))
        .filter(studies::instances.gt(0))
        // Another institution's numbers name nothing here.
        .filter(studies::elsewhere.eq(false))
        .order(studies::id)
        .select(StudyRow::as_select())
        .load(conn)?)
}

/// Studies in a match state, the longest waiting first; of one site or of all.
///
/// # Errors
/// What the database says.
pub fn study_list_in(
    conn: &mut Connection,
    state: MatchState,
    site: Option<SiteId>,
    limit: i64,
) -> Result<Vec<StudyRow>, StoreError> {
    let mut rows = studies::table
        .filter(studies::match_state.eq(state))
        .filter(studies::instances.gt(0))
        .order(studies::first_received_at)
        .limit(limit)
        .select(StudyRow::as_select())
        .into_boxed();
    if let Some(site) = site {
        rows = rows.filter(studies::site_id.eq(site));
    }
    Ok(rows.load(conn)?)
}

/// Other studies of a patient, newest first: the priors.
///
/// # Errors
/// What the database says.
pub fn study_list_of_patient(conn: &mut Connection, patient: PatientId) -> Result<Vec<StudyRow>, StoreError> {
    Ok(studies::table
        .filter(studies::patient_id.eq(patient))
        .filter(studies::instances.gt(0))
        .order((studies::study_date.desc(), studies::id.desc()))
        .select(StudyRow::as_select())
        .load(conn)?)
}

/// Writes where a study stands on the way to its case.
///
/// # Errors
/// What the database says.
pub fn study_match_in_tx(
    conn: &mut Connection,
    study: StudyId,
    state: MatchState,
    reason: Option<&str>,
    deadline: Option<NaiveDateTime>,
) -> Result<(), StoreError> {
    diesel::update(studies::table.find(study))
        .set((
            studies::match_state.eq(state),
            studies::match_reason.eq(reason),
            studies::match_deadline.eq(deadline),
            studies::version.eq(studies::version + 1),
        ))
        .execute(conn)?;
    Ok(())
}

/// Marks a study settled with the instances it has now.
///
/// # Errors
/// What the database says.
pub fn study_settle_in_tx(conn: &mut Connection, study: StudyId, at: NaiveDateTime) -> Result<(), StoreError> {
    diesel::update(studies::table.find(study))
        .set((studies::settled_at.eq(Some(at)), studies::settled_instances.eq(studies::instances)))
        .execute(conn)?;
    Ok(())
}

/// The series of a study that show an instance, in their order.
///
/// # Errors
/// What the database says.
pub fn series_list(conn: &mut Connection, study: StudyId) -> Result<Vec<SeriesRow>, StoreError> {
    Ok(series::table
        .filter(series::study_id.eq(study))
        .filter(series::instances.gt(0))
        .order((series::number, series::id))
        .select(SeriesRow::as_select())
        .load(conn)?)
}

/// The instances of a study that are not hidden, in the order they are looked at: by series, place along the normal, instance number.
///
/// # Errors
/// What the database says.
pub fn instance_list(conn: &mut Connection, study: StudyId) -> Result<Vec<InstanceRow>, StoreError> {
    Ok(instances::table
        .filter(instances::study_id.eq(study))
        .filter(instances::hidden_at.is_null())
        .order((instances::series_id, instances::position_along_normal, instances::number, instances::id))
        .select(InstanceRow::as_select())
        .load(conn)?)
}

/// Every instance of a patient's studies, hidden or not.
///
/// # Errors
/// What the database says.
pub fn instance_list_of_patient(conn: &mut Connection, patient: PatientId) -> Result<Vec<InstanceId>, StoreError> {
    Ok(instances::table
        .inner_join(studies::table.on(studies::id.eq(instances::study_id)))
        .filter(studies::patient_id.eq(patient))
        .order(instances::id)
        .select(instances::id)
        .load(conn)?)
}

/// One instance.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none, or it is hidden.
pub fn instance_get(conn: &mut Connection, instance: InstanceId) -> Result<InstanceRow, StoreError> {
    instances::table
        .find(instance)
        .filter(instances::hidden_at.is_null())
        .select(InstanceRow::as_select())
        .first(conn)
        .or_not_found("the instance")
}

/// The cases a study belongs to.
///
/// # Errors
/// What the database says.
pub fn study_cases(
    conn: &mut Connection,
    study: StudyId,
) -> Result<Vec<(crate::ids::CaseId, crate::state::CaseStudyRole)>, StoreError> {
    Ok(case_studies::table
        .filter(case_studies::study_id.eq(study))
        .order(case_studies::id)
        .select((case_studies::case_id, case_studies::role))
        .load(conn)?)
}

/// The newest studies of some sites, withdrawn ones too, and those that are named besides.
///
/// # Errors
/// What the database says.
pub fn study_list_newest(
    conn: &mut Connection,
    sites: &[SiteId],
    besides: &[StudyId],
    limit: i64,
) -> Result<Vec<StudyRow>, StoreError> {
    let mut rows: Vec<StudyRow> = studies::table
        .filter(studies::site_id.eq_any(sites))
        .order(studies::id.desc())
        .limit(limit)
        .select(StudyRow::as_select())
        .load(conn)?;
    let more: Vec<StudyRow> = studies::table
        .filter(studies::site_id.eq_any(sites))
        .filter(studies::id.eq_any(besides))
        .select(StudyRow::as_select())
        .load(conn)?;
    rows.extend(more.into_iter().filter(|row| row.id < rows.last().map_or(row.id, |last| last.id)).collect::<Vec<_>>());
    rows.sort_by_key(|row| std::cmp::Reverse((row.last_received_at, row.id)));
    Ok(rows)
}

/// Who sent a study: calling AE title (empty for a person's upload), the way, and how it ended, oldest first.
///
/// # Errors
/// What the database says.
pub fn study_senders(conn: &mut Connection, study: StudyId) -> Result<Vec<(String, String, String)>, StoreError> {
    use crate::schema::arrivals;
    Ok(arrivals::table
        .filter(
            arrivals::id.nullable().eq_any(
                instances::table.filter(instances::study_id.eq(study)).select(instances::arrival_id).distinct(),
            ),
        )
        .order(arrivals::id)
        .select((arrivals::calling_ae, arrivals::via, arrivals::outcome))
        .load(conn)?)
}
