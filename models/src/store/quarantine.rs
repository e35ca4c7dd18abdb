//! What was kept apart or turned away at the door, until a person has looked at it.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::actor::Actor;
use crate::codes::codes;
use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{ArrivalId, SiteId, StudyId, UserId};
use crate::objects::KeptObject;
use crate::schema::{quarantine, refusals, studies};
use crate::store::study_claims::ELSEWHERE_STUDY;
use crate::store::{audit, images};

codes! {
    /// What became of an object that was kept apart.
    QuarantineOutcome {
        /// It was read once more and understood.
        ReadAgain => "read_again",
        /// A person said to which study it belongs.
        Assigned => "assigned",
        /// It is kept and shown nowhere.
        Discarded => "discarded",
    }
}

/// Bytes that could not be indexed, or that contradict what is there.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = quarantine)]
pub struct QuarantineRow {
    /// The row's id.
    pub id: i64,
    /// The site that sent them.
    pub site_id: SiteId,
    /// Why they are here, as a code.
    pub reason: String,
    /// More about it; no patient data.
    pub detail: String,
    /// SOPInstanceUID, where it could be read.
    pub sop_instance_uid: String,
    /// SHA-256 of the bytes.
    pub sha256: String,
    /// Bytes.
    pub size: i64,
    /// Where the bytes are.
    pub object_key: String,
    /// When they came.
    pub received_at: NaiveDateTime,
    /// When a person has looked at them.
    pub resolved_at: Option<NaiveDateTime>,
    /// Who.
    pub resolved_by: Option<UserId>,
    /// What became of it.
    pub outcome: Option<QuarantineOutcome>,
    /// Why, in the person's words.
    pub resolution: Option<String>,
}

impl QuarantineRow {
    /// The study that it names though another patient's is there.
    pub fn study_of_another_patient(&self) -> Option<StudyId> {
        (self.reason == images::OTHER_PATIENT).then(|| self.detail.parse().ok()).flatten()
    }
}

/// Keeps bytes that could not be indexed, or that contradict what is there, for a person to decide.
///
/// # Errors
/// What the database says; then nothing may be acknowledged.
#[expect(clippy::too_many_arguments, reason = "one row's columns")]
pub fn quarantine_keep_in_tx(
    conn: &mut Connection,
    site: SiteId,
    arrival: Option<ArrivalId>,
    reason: &str,
    detail: &str,
    sop_instance_uid: &str,
    object: &KeptObject,
    at: NaiveDateTime,
) -> Result<(), StoreError> {
    use diesel::sql_types::{BigInt, Nullable, Text, Timestamp};
    diesel::sql_query(
        "INSERT INTO quarantine (site_id, arrival_id, reason, detail, sop_instance_uid, sha256, size, object_key, \
         received_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
    )
    .bind::<BigInt, _>(site)
    .bind::<Nullable<BigInt>, _>(arrival)
    .bind::<Text, _>(reason)
    .bind::<Text, _>(detail)
    .bind::<Text, _>(sop_instance_uid)
    .bind::<Text, _>(&object.sha256)
    .bind::<BigInt, _>(object.size)
    .bind::<Text, _>(&object.key)
    .bind::<Timestamp, _>(at)
    .execute(conn)?;
    Ok(())
}

/// What waits for a person, the newest first, and how many there are in all. What waits with its whole study for one
/// answer ([`super::study_claims`]) is not among it.
///
/// # Errors
/// What the database says.
pub fn quarantine_list_open(
    conn: &mut Connection,
    sites: &[SiteId],
    limit: i64,
) -> Result<(Vec<QuarantineRow>, i64), StoreError> {
    let count = quarantine::table
        .filter(quarantine::site_id.eq_any(sites))
        .filter(quarantine::resolved_at.is_null())
        .filter(quarantine::reason.ne(ELSEWHERE_STUDY))
        .count()
        .get_result(conn)?;
    let rows = quarantine::table
        .filter(quarantine::site_id.eq_any(sites))
        .filter(quarantine::resolved_at.is_null())
        .filter(quarantine::reason.ne(ELSEWHERE_STUDY))
        .order(quarantine::id.desc())
        .limit(limit)
        .select(QuarantineRow::as_select())
        .load(conn)?;
    Ok((rows, count))
}

/// How many objects wait that name a study of another patient.
///
/// # Errors
/// What the database says.
pub fn quarantine_open_of_study(conn: &mut Connection, study: StudyId) -> Result<i64, StoreError> {
    let site: SiteId = studies::table.find(study).select(studies::site_id).first(conn)?;
    Ok(quarantine::table
        .filter(quarantine::site_id.eq(site))
        .filter(quarantine::reason.eq(images::OTHER_PATIENT))
        .filter(quarantine::detail.eq(study.to_string()))
        .filter(quarantine::resolved_at.is_null())
        .count()
        .get_result(conn)?)
}

/// What waits with a study from elsewhere until a person has said whose it is, the oldest first.
///
/// # Errors
/// What the database says.
pub fn quarantine_list_claimed(
    conn: &mut Connection,
    site: SiteId,
    study: StudyId,
    limit: i64,
) -> Result<Vec<QuarantineRow>, StoreError> {
    Ok(quarantine::table
        .filter(quarantine::site_id.eq(site))
        .filter(quarantine::reason.eq(ELSEWHERE_STUDY))
        .filter(quarantine::detail.eq(study.to_string()))
        .filter(quarantine::resolved_at.is_null())
        .order(quarantine::id)
        .limit(limit)
        .select(QuarantineRow::as_select())
        .load(conn)?)
}

/// How many those are.
///
/// # Errors
/// What the database says.
pub fn quarantine_count_claimed(conn: &mut Connection, site: SiteId, study: StudyId) -> Result<i64, StoreError> {
    Ok(quarantine::table
        .filter(quarantine::site_id.eq(site))
        .filter(quarantine::reason.eq(ELSEWHERE_STUDY))
        .filter(quarantine::detail.eq(study.to_string()))
        .filter(quarantine::resolved_at.is_null())
        .count()
        .get_result(conn)?)
}

/// One row.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none.
pub fn quarantine_get(conn: &mut Connection, id: i64) -> Result<QuarantineRow, StoreError> {
    quarantine::table.find(id).select(QuarantineRow::as_select()).first(conn).or_not_found("the quarantined object")
}

/// What people decided on lately, the newest first.
///
/// # Errors
/// What the database says.
pub fn quarantine_list_resolved(
    conn: &mut Connection,
    sites: &[SiteId],
    limit: i64,
) -> Result<Vec<QuarantineRow>, StoreError> {
    Ok(quarantine::table
        .filter(quarantine::site_id.eq_any(sites))
        .filter(quarantine::resolved_at.is_not_null())
        .filter(quarantine::reason.ne(ELSEWHERE_STUDY))
        .order((quarantine::resolved_at.desc(), quarantine::id.desc()))
        .limit(limit)
        .select(QuarantineRow::as_select())
        .load(conn)?)
}

/// Notes what became of an object, and why. The bytes are kept.
///
/// # Errors
/// [`StoreError::Repeat`] when somebody has decided before.
pub fn quarantine_resolve_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    id: i64,
    outcome: QuarantineOutcome,
    reason: &str,
) -> Result<(), StoreError> {
    let row = quarantine_get(conn, id)?;
    let changed = diesel::update(quarantine::table.find(id).filter(quarantine::resolved_at.is_null()))
        .set((
            quarantine::resolved_at.eq(Some(actor.at)),
            quarantine::resolved_by.eq(actor.user),
            quarantine::outcome.eq(Some(outcome)),
            quarantine::resolution.eq(Some(reason)),
        ))
        .execute(conn)?;
    if changed == 0 {
        return Err(StoreError::Repeat("the quarantine's end"));
    }
    let subject = audit::Subject::row("quarantine", id, Some(row.site_id));
    audit::append_in_tx(conn, actor, &format!("quarantine.{outcome}"), subject, "done", reason)?;
    match row.study_of_another_patient() {
        Some(study) => images::identity_settled_in_tx(conn, actor, study),
        None => Ok(()),
    }
}

/// Takes a discarded object back: it waits for a person again, and stops what it stopped before.
///
/// # Errors
/// [`StoreError::Conflict`] when it was not discarded.
pub fn quarantine_restore_in_tx(conn: &mut Connection, actor: &Actor, id: i64) -> Result<(), StoreError> {
    let row = quarantine_get(conn, id)?;
    let changed =
        diesel::update(quarantine::table.find(id).filter(quarantine::outcome.eq(Some(QuarantineOutcome::Discarded))))
            .set((
                quarantine::resolved_at.eq(None::<NaiveDateTime>),
                quarantine::resolved_by.eq(None::<UserId>),
                quarantine::outcome.eq(None::<QuarantineOutcome>),
                quarantine::resolution.eq(None::<String>),
            ))
            .execute(conn)?;
    if changed == 0 {
        let state = row.outcome.map_or("waiting", QuarantineOutcome::code).to_owned();
        return Err(StoreError::Conflict { what: "quarantine_restore", state });
    }
    let subject = audit::Subject::row("quarantine", id, Some(row.site_id));
    audit::append_in_tx(conn, actor, "quarantine.restore", subject, "done", "")?;
    match row.study_of_another_patient() {
        Some(study) => images::identity_doubted_in_tx(conn, row.site_id, study, actor.at),
        None => Ok(()),
    }
}

/// Somebody who called and was turned away.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = refusals)]
pub struct RefusalRow {
    /// The row's id.
    pub id: i64,
    /// When.
    pub at: NaiveDateTime,
    /// The AE title that he called himself.
    pub calling_ae: String,
    /// The AE title that he called.
    pub called_ae: String,
    /// His address.
    pub address: String,
    /// Why he was turned away.
    pub reason: String,
}

/// Records a stranger who was refused.
///
/// # Errors
/// What the database says.
pub fn refusal_record_in_tx(
    conn: &mut Connection,
    calling_ae: &str,
    called_ae: &str,
    address: &str,
    reason: &str,
    at: NaiveDateTime,
) -> Result<(), StoreError> {
    diesel::insert_into(refusals::table)
        .values((
            refusals::at.eq(at),
            refusals::calling_ae.eq(calling_ae),
            refusals::called_ae.eq(called_ae),
            refusals::address.eq(address),
            refusals::reason.eq(reason),
        ))
        .execute(conn)?;
    Ok(())
}

/// Who was turned away since a time, the newest first, and how often in all.
///
/// # Errors
/// What the database says.
pub fn refusal_list(
    conn: &mut Connection,
    since: NaiveDateTime,
    limit: i64,
) -> Result<(Vec<RefusalRow>, i64), StoreError> {
    let count = refusals::table.filter(refusals::at.ge(since)).count().get_result(conn)?;
    let rows = refusals::table
        .filter(refusals::at.ge(since))
        .order(refusals::id.desc())
        .limit(limit)
        .select(RefusalRow::as_select())
        .load(conn)?;
    Ok((rows, count))
}
