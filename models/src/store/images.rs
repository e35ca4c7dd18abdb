//! Images as they arrive: arrivals, studies, series, instances.
//!
//! The gateway writes nothing else. [`instance_keep_in_tx`] is called when the
//! bytes are durable already; when its transaction commits, "success" may be
//! answered.

mod arrivals;
mod hidden;
mod places;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use diesel::prelude::*;

use self::places::{series_of_uid_in_tx, study_of_uid_in_tx};
use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{ArrivalId, InstanceId, SiteId};
use crate::names::PatientIdRule;
use crate::objects::KeptObject;
use crate::schema::{instances, series, sites, studies};
use crate::store::jobs::{self, NewJob};
use crate::store::patients::Identity;
use crate::store::quarantine;

pub use self::arrivals::{ArrivalCounts, NewArrival, arrival_close_in_tx, arrival_open_in_tx};
pub use self::hidden::{instances_hide_in_tx, instances_show_in_tx};

/// What the index keeps of an instance's header.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct InstanceFacts {
    /// The patient as the header says it.
    pub identity: Identity,
    /// Who gave the patient that ID: IssuerOfPatientID, else InstitutionName.
    pub issuer: String,
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
    /// ReferringPhysicianName, its groups parted by `=`.
    pub referring_physician: String,
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
    let study = study_of_uid_in_tx(conn, site, rule, arrival, facts, at)?;
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
    let in_series: i32 = diesel::update(series::table.find(series_id))
        .set(series::instances.eq(series::instances + 1))
        .returning(series::instances)
        .get_result(conn)?;
    diesel::update(studies::table.find(study))
        .set((
            studies::instances.eq(studies::instances + 1),
            // A series counts while it shows an instance.
            studies::series.eq(studies::series + i32::from(in_series == 1)),
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
