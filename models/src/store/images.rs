//! Images as they arrive: arrivals, studies, series, instances.
//!
//! The gateway writes nothing else. [`instance_keep_in_tx`] is called when the
//! bytes are durable already; when its transaction commits, "success" may be
//! answered.

mod again;
mod arrivals;
mod ask_withdrawal;
mod decide;
mod hidden;
mod places;
mod together;
mod versions;
mod warn;
mod withdraw;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use diesel::prelude::*;

use self::again::known_instance;
use self::places::{Place, series_of_uid_in_tx, study_of_uid_in_tx};
use self::versions::version_is_here;
use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{ArrivalId, InstanceId, SeriesId, SiteId, StudyId};
use crate::names::PatientIdRule;
use crate::objects::KeptObject;
use crate::schema::{instances, series, sites, studies};
use crate::store::evidence::{self, EvidenceKind, NewEvidence};
use crate::store::jobs::{self, NewJob};
use crate::store::patients::Identity;
use crate::store::quarantine;
use crate::store::study_claims::{self, ELSEWHERE_STUDY};

pub use self::again::{Again, AgainKept, KnownInstance, instance_again_in_tx};
pub use self::arrivals::{ArrivalCounts, NewArrival, arrival_close_in_tx, arrival_open_in_tx};
pub use self::ask_withdrawal::reports_stand_in_tx;
pub use self::decide::{Decision, identity_settled_in_tx, versions_decide_in_tx, versions_undo_in_tx};
pub use self::hidden::{instances_hide_in_tx, instances_show_in_tx};
pub use self::together::{Arrived, instances_keep_in_tx};
pub use self::versions::{
    Difference, Standing, VersionRow, version_count_waiting, version_get, version_list_of_study, version_list_waiting,
};
pub use self::withdraw::{
    ImageWithdrawalRow, Rejection, Withdraw, WithdrawalCause, image_withdrawal_count, image_withdrawal_get,
    image_withdrawal_list, image_withdrawal_undo_in_tx, images_withdraw_in_tx, withdrawn_catch_up_in_tx,
};

/// Why an instance is in quarantine that names a study of another patient; the row's detail is the study's id.
pub const OTHER_PATIENT: &str = "other_patient";

/// What the index keeps of an instance's header.
#[derive(Debug, Clone, PartialEq, Default, serde::Serialize, serde::Deserialize)]
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
    /// ImagesInAcquisition.
    #[serde(default)]
    pub images_in_acquisition: Option<i32>,
    /// What it withdraws, if it is a rejection note.
    #[serde(default)]
    pub rejection: Option<Rejection>,
    /// The image's place along the slice normal in mm, where geometry tells it.
    pub position_along_normal: Option<f64>,
}

/// What became of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// It is new.
    New(InstanceId),
    /// These very bytes were here already, as what is shown or as what was kept beside it.
    Repeat(InstanceId),
    /// Other bytes stand under this SOP instance UID. Nothing was written: whoever has both compares them and calls
    /// [`instance_again_in_tx`]; only then is it kept.
    Known(KnownInstance),
    /// It names a study of another patient: kept apart in quarantine, and the study's cases stop.
    OtherPatient,
    /// The site itself sends it of a study from elsewhere: kept apart in quarantine until a person says whose study it is.
    Claimed,
}

/// Somebody took back that a study holds one patient's images: its cases stop again.
///
/// # Errors
/// What the database says.
pub fn identity_doubted_in_tx(
    conn: &mut Connection,
    site: SiteId,
    study: StudyId,
    at: NaiveDateTime,
) -> Result<(), StoreError> {
    warn::identity_in_tx(conn, site, study, at)
}

/// Keeps an instance apart that the site itself sends of a study from elsewhere.
fn claimed_in_tx(
    conn: &mut Connection,
    site: SiteId,
    study: StudyId,
    arrival: Option<ArrivalId>,
    facts: &InstanceFacts,
    object: &KeptObject,
    at: NaiveDateTime,
) -> Result<Kept, StoreError> {
    let (study, uid) = (study.to_string(), &facts.sop_instance_uid);
    quarantine::quarantine_keep_in_tx(conn, site, arrival, ELSEWHERE_STUDY, &study, uid, object, at)?;
    Ok(Kept::Claimed)
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
    one_in_tx(conn, &Arrived { site, arrival, facts, object, at }).map(|(kept, _)| kept)
}

/// Where a new instance was put.
#[derive(Debug, Clone, Copy)]
struct Placed {
    study: StudyId,
    series: SeriesId,
    /// The study is another institution's.
    elsewhere: bool,
    /// How long the study must be quiet.
    quiet_seconds: i32,
}

fn one_in_tx(conn: &mut Connection, came: &Arrived<'_>) -> Result<(Kept, Option<Placed>), StoreError> {
    let Arrived { site, arrival, facts, object, at } = *came;
    if let Some((known, of_elsewhere)) = known_instance(conn, site, &facts.sop_instance_uid)? {
        let claimed = match of_elsewhere {
            Some(study) => study_claims::claims_in_tx(conn, site, study, arrival, facts, at)?.then_some(study),
            None => None,
        };
        if let Some(study) = claimed.filter(|_| known.sha256 != object.sha256) {
            return Ok((claimed_in_tx(conn, site, study, arrival, facts, object, at)?, None));
        }
        let here = known.sha256 == object.sha256 || version_is_here(conn, known.id, &object.sha256)?;
        return Ok((if here { Kept::Repeat(known.id) } else { Kept::Known(known) }, None));
    }
    let (rule, quiet_seconds): (String, i32) = sites::table
        .find(site)
        .select((sites::patient_id_rule, sites::quiet_seconds))
        .first(conn)
        .or_not_found("the site")?;
    let rule: PatientIdRule = rule.parse()?;
    let study = match study_of_uid_in_tx(conn, site, rule, arrival, facts, at)? {
        Place::Theirs(study) => study,
        Place::Claimed(study) => return Ok((claimed_in_tx(conn, site, study, arrival, facts, object, at)?, None)),
        Place::OtherPatients(study) => {
            let (study_id, uid) = (study.to_string(), &facts.sop_instance_uid);
            quarantine::quarantine_keep_in_tx(conn, site, arrival, OTHER_PATIENT, &study_id, uid, object, at)?;
            warn::identity_in_tx(conn, site, study, at)?;
            return Ok((Kept::OtherPatient, None));
        }
    };
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
    let elsewhere: bool = diesel::update(studies::table.find(study))
        .set((
            studies::instances.eq(studies::instances + 1),
            // A series counts while it shows an instance.
            studies::series.eq(studies::series + i32::from(in_series == 1)),
            studies::last_received_at.eq(at),
            studies::version.eq(studies::version + 1),
        ))
        .returning(studies::elsewhere)
        .get_result(conn)?;
    if let Some(expected) = facts.images_in_acquisition.filter(|count| *count > 0 && in_series == 1) {
        let said = NewEvidence {
            site,
            study_uid: facts.study_uid.clone(),
            kind: EvidenceKind::ImagesInAcquisition,
            source: facts.series_uid.clone(),
            expected_instances: Some(expected),
            detail: serde_json::json!({}),
            at,
        };
        evidence::evidence_record_in_tx(conn, &said)?;
    }
    if let Some(rejection) = &facts.rejection {
        let what = Withdraw {
            site,
            study_uid: facts.study_uid.clone(),
            cause: rejection.cause,
            note: String::new(),
            rejection: Some(instance),
            instances: rejection.instances.clone(),
        };
        images_withdraw_in_tx(conn, &warn::actor(at), &what)?;
    }
    let placed = Placed { study, series: series_id, elsewhere, quiet_seconds };
    quiet_from_in_tx(conn, placed, at)?;
    Ok((Kept::New(instance), Some(placed)))
}

/// The study's quiet time begins anew.
fn quiet_from_in_tx(conn: &mut Connection, placed: Placed, at: NaiveDateTime) -> Result<(), StoreError> {
    let quiet = at + TimeDelta::seconds(i64::from(placed.quiet_seconds));
    jobs::postpone_in_tx(conn, &NewJob::now("settle_study", placed.study.to_string(), at).at(quiet))
}
