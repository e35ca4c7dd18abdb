//! Images as they arrive: arrivals, studies, series, instances.
//!
//! The gateway writes nothing else. [`instance_keep_in_tx`] is called when the
//! bytes are durable already; when its transaction commits, "success" may be
//! answered.

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use diesel::prelude::*;

use crate::db::{Connection, in_savepoint};
use crate::error::{OrNotFound, StoreError};
use crate::ids::{ArrivalId, EndpointId, InstanceId, SeriesId, SiteId, StudyId, UserId};
use crate::names::PatientIdRule;
use crate::objects::KeptObject;
use crate::schema::{arrivals, instances, series, sites, studies};
use crate::state::MatchState;
use crate::store::jobs::{self, NewJob};
use crate::store::patients::{self, Identity};
use crate::store::quarantine;

/// What the index keeps of an instance's header.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct InstanceFacts {
    /// The patient as the header says it.
    pub identity: Identity,
    /// StudyInstanceUID.
    pub study_uid: String,
    /// SeriesInstanceUID.
    pub series_uid: String,
    /// SOPInstanceUID.
    pub sop_instance_uid: String,
    /// SOPClassUID.
    pub sop_class_uid: String,
    /// TransferSyntaxUID of the stored bytes.
    pub transfer_syntax: String,
    /// AccessionNumber.
    pub accession_number: String,
    /// StudyDate.
    pub study_date: Option<NaiveDate>,
    /// StudyTime as received.
    pub study_time: String,
    /// StudyID.
    pub study_id: String,
    /// StudyDescription.
    pub study_description: String,
    /// InstitutionName.
    pub institution: String,
    /// Modality.
    pub modality: String,
    /// SeriesNumber.
    pub series_number: Option<i32>,
    /// SeriesDescription.
    pub series_description: String,
    /// ProtocolName.
    pub protocol: String,
    /// BodyPartExamined.
    pub body_part: String,
    /// Laterality or ImageLaterality.
    pub laterality: String,
    /// ViewPosition.
    pub view_position: String,
    /// InstanceNumber.
    pub instance_number: Option<i32>,
    /// Rows.
    pub rows: Option<i32>,
    /// Columns.
    pub columns: Option<i32>,
    /// NumberOfFrames, 1 if absent, 0 if the object shows no picture.
    pub frames: i32,
    /// The image's place along the slice normal in mm, where geometry tells it.
    pub position_along_normal: Option<f64>,
}

/// What became of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is new.
    New(InstanceId),
    /// The same bytes were here already.
    Repeat(InstanceId),
    /// Other bytes stand under this SOP instance UID: kept apart in quarantine, for a person to decide.
    Differs(InstanceId),
}

/// Opens the record of an association, an upload or an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewArrival {
    /// The site.
    pub site: SiteId,
    /// The endpoint, if it came over DICOM.
    pub endpoint: Option<EndpointId>,
    /// The person, if one uploaded it.
    pub user: Option<UserId>,
    /// `dicom`, `upload`, `stow` or `import`.
    pub via: &'static str,
    /// The calling AE title, or empty.
    pub calling_ae: String,
    /// The address it came from.
    pub address: String,
    /// When it began.
    pub at: NaiveDateTime,
}

/// Writes the arrival's row.
///
/// # Errors
/// What the database says.
pub fn arrival_open_in_tx(conn: &mut Connection, arrival: &NewArrival) -> Result<ArrivalId, StoreError> {
    if let Some(endpoint) = arrival.endpoint {
        use crate::schema::site_endpoints;
        diesel::update(site_endpoints::table.find(endpoint))
            .set((site_endpoints::last_contact_at.eq(Some(arrival.at)), site_endpoints::last_error.eq(None::<String>)))
            .execute(conn)?;
    }
    Ok(diesel::insert_into(arrivals::table)
        .values((
            arrivals::site_id.eq(arrival.site),
            arrivals::endpoint_id.eq(arrival.endpoint),
            arrivals::user_id.eq(arrival.user),
            arrivals::via.eq(arrival.via),
            arrivals::calling_ae.eq(&arrival.calling_ae),
            arrivals::address.eq(&arrival.address),
            arrivals::started_at.eq(arrival.at),
            arrivals::kept.eq(0),
            arrivals::repeated.eq(0),
            arrivals::quarantined.eq(0),
            arrivals::failed.eq(0),
            arrivals::bytes.eq(0_i64),
            arrivals::outcome.eq("open"),
        ))
        .returning(arrivals::id)
        .get_result(conn)?)
}

/// What an arrival brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ArrivalCounts {
    /// New instances.
    pub kept: i32,
    /// Instances that were here.
    pub repeated: i32,
    /// Kept apart for a person.
    pub quarantined: i32,
    /// Refused.
    pub failed: i32,
    /// Bytes received.
    pub bytes: i64,
}

/// Closes the arrival's row. `outcome` is `released`, `aborted`, `lost`, `timeout` or `done`.
///
/// # Errors
/// What the database says.
pub fn arrival_close_in_tx(
    conn: &mut Connection,
    arrival: ArrivalId,
    counts: ArrivalCounts,
    outcome: &str,
    at: NaiveDateTime,
) -> Result<(), StoreError> {
    diesel::update(arrivals::table.find(arrival))
        .set((
            arrivals::ended_at.eq(Some(at)),
            arrivals::kept.eq(counts.kept),
            arrivals::repeated.eq(counts.repeated),
            arrivals::quarantined.eq(counts.quarantined),
            arrivals::failed.eq(counts.failed),
            arrivals::bytes.eq(counts.bytes),
            arrivals::outcome.eq(outcome),
        ))
        .execute(conn)?;
    Ok(())
}

/// Indexes an instance whose bytes are durable: patient, study, series and instance rows, and the job that waits for
/// the study's quiet time.
///
/// # Errors
/// What the database says; then nothing may be acknowledged.
pub fn instance_keep_in_tx(
    conn: &mut Connection,
    site: SiteId,
    arrival: Option<ArrivalId>,
    facts: &InstanceFacts,
    object: &KeptObject,
    at: NaiveDateTime,
) -> Result<Kept, StoreError> {
    if let Some((id, sha256)) = instance_by_uid(conn, site, &facts.sop_instance_uid)? {
        if sha256 == object.sha256 {
            return Ok(Kept::Repeat(id));
        }
        quarantine::quarantine_keep_in_tx(conn, site, arrival, "differs", "", &facts.sop_instance_uid, object, at)?;
        return Ok(Kept::Differs(id));
    }
    let (rule, quiet_seconds): (String, i32) = sites::table
        .find(site)
        .select((sites::patient_id_rule, sites::quiet_seconds))
        .first(conn)
        .or_not_found("the site")?;
    let rule: PatientIdRule = rule.parse()?;
    let study = study_of_uid_in_tx(conn, site, rule, facts, at)?;
    let series_id = series_of_uid_in_tx(conn, study, facts, at)?;
    let instance: InstanceId = diesel::insert_into(instances::table)
        .values((
            instances::site_id.eq(site),
            instances::study_id.eq(study),
            instances::series_id.eq(series_id),
            instances::arrival_id.eq(arrival),
            instances::sop_instance_uid.eq(&facts.sop_instance_uid),
            instances::sop_class_uid.eq(&facts.sop_class_uid),
            instances::transfer_syntax.eq(&facts.transfer_syntax),
            instances::sha256.eq(&object.sha256),
            instances::size.eq(object.size),
            instances::object_key.eq(&object.key),
            instances::number.eq(facts.instance_number),
            instances::image_rows.eq(facts.rows),
            instances::image_columns.eq(facts.columns),
            instances::frames.eq(facts.frames),
            instances::position_along_normal.eq(facts.position_along_normal),
            instances::received_at.eq(at),
        ))
        .returning(instances::id)
        .get_result(conn)
        .map_err(|error| match error {
            // Another association was first with this very instance: run again, it is a repeat then.
            diesel::result::Error::DatabaseError(diesel::result::DatabaseErrorKind::UniqueViolation, _) => {
                StoreError::TryAgain
            }
            other => other.into(),
        })?;
    diesel::update(series::table.find(series_id)).set(series::instances.eq(series::instances + 1)).execute(conn)?;
    diesel::update(studies::table.find(study))
        .set((
            studies::instances.eq(studies::instances + 1),
            studies::last_received_at.eq(at),
            studies::version.eq(studies::version + 1),
        ))
        .execute(conn)?;
    let quiet = at + TimeDelta::seconds(i64::from(quiet_seconds));
    jobs::postpone_in_tx(conn, &NewJob::now("settle_study", study.to_string(), at).at(quiet))?;
    Ok(Kept::New(instance))
}

fn instance_by_uid(
    conn: &mut Connection,
    site: SiteId,
    sop_instance_uid: &str,
) -> Result<Option<(InstanceId, String)>, StoreError> {
    Ok(instances::table
        .filter(instances::site_id.eq(site))
        .filter(instances::sop_instance_uid.eq(sop_instance_uid))
        .select((instances::id, instances::sha256))
        .first(conn)
        .optional()?)
}

/// Finds or makes the study's row. Two associations may bring one study at once.
fn study_of_uid_in_tx(
    conn: &mut Connection,
    site: SiteId,
    rule: PatientIdRule,
    facts: &InstanceFacts,
    at: NaiveDateTime,
) -> Result<StudyId, StoreError> {
    let find = |conn: &mut Connection| {
        studies::table
            .filter(studies::site_id.eq(site))
            .filter(studies::study_uid.eq(&facts.study_uid))
            .select((studies::id, studies::modalities))
            .first::<(StudyId, String)>(conn)
            .optional()
    };
    if let Some((study, modalities)) = find(conn)? {
        if !facts.modality.is_empty() && !modalities.split('\\').any(|one| one == facts.modality) {
            let joined = if modalities.is_empty() {
                facts.modality.clone()
            } else {
                format!("{modalities}\\{}", facts.modality)
            };
            diesel::update(studies::table.find(study)).set(studies::modalities.eq(joined)).execute(conn)?;
        }
        return Ok(study);
    }
    let identity = &facts.identity;
    let key = rule.key(&identity.patient_id);
    let patient = patients::patient_of_key_in_tx(conn, site, &key, identity, at)?;
    let inserted = in_savepoint(conn, |conn| {
        diesel::insert_into(studies::table)
            .values((
                (
                    studies::site_id.eq(site),
                    studies::study_uid.eq(&facts.study_uid),
                    studies::patient_id.eq(patient.id),
                    studies::header_patient_id.eq(&identity.patient_id),
                    studies::header_name_alphabetic.eq(&identity.name.alphabetic),
                    studies::header_name_ideographic.eq(&identity.name.ideographic),
                    studies::header_name_phonetic.eq(&identity.name.phonetic),
                    studies::header_birth_date.eq(identity.birth_date),
                    studies::header_sex.eq(&identity.sex),
                    studies::accession_number.eq(&facts.accession_number),
                    studies::study_date.eq(facts.study_date),
                    studies::study_time.eq(&facts.study_time),
                ),
                (
                    studies::study_id_text.eq(&facts.study_id),
                    studies::description.eq(&facts.study_description),
                    studies::modalities.eq(&facts.modality),
                    studies::institution.eq(&facts.institution),
                    studies::instances.eq(0),
                    studies::series.eq(0),
                    studies::first_received_at.eq(at),
                    studies::last_received_at.eq(at),
                    studies::settled_instances.eq(0),
                    studies::match_state.eq(MatchState::Arriving),
                    studies::version.eq(1),
                ),
            ))
            .returning(studies::id)
            .get_result(conn)
    });
    match inserted {
        Ok(study) => Ok(study),
        Err(diesel::result::Error::DatabaseError(diesel::result::DatabaseErrorKind::UniqueViolation, _)) => {
            // The other association was first; its row is visible now.
            find(conn)?.map(|(study, _)| study).ok_or(StoreError::TryAgain)
        }
        Err(error) => Err(error.into()),
    }
}

fn series_of_uid_in_tx(
    conn: &mut Connection,
    study: StudyId,
    facts: &InstanceFacts,
    at: NaiveDateTime,
) -> Result<SeriesId, StoreError> {
    use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamp};
    let made = diesel::sql_query(
        "INSERT INTO series (study_id, series_uid, modality, number, description, protocol, body_part, laterality, \
         view_position, instances, first_received_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10) \
         ON CONFLICT DO NOTHING",
    )
    .bind::<BigInt, _>(study)
    .bind::<Text, _>(&facts.series_uid)
    .bind::<Text, _>(&facts.modality)
    .bind::<Nullable<Integer>, _>(facts.series_number)
    .bind::<Text, _>(&facts.series_description)
    .bind::<Text, _>(&facts.protocol)
    .bind::<Text, _>(&facts.body_part)
    .bind::<Text, _>(&facts.laterality)
    .bind::<Text, _>(&facts.view_position)
    .bind::<Timestamp, _>(at)
    .execute(conn)?;
    if made == 1 {
        diesel::update(studies::table.find(study)).set(studies::series.eq(studies::series + 1)).execute(conn)?;
    }
    Ok(series::table
        .filter(series::study_id.eq(study))
        .filter(series::series_uid.eq(&facts.series_uid))
        .select(series::id)
        .first(conn)?)
}
