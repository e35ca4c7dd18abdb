//! Modality Performed Procedure Steps (PS3.4 annex F): what a modality says it is making, and has made.
//!
//! Each change is also a saying about the study's completeness, in [`evidence`].

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamp};

use crate::codes::codes;
use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{EndpointId, SiteId};
use crate::schema::performed_steps;
use crate::store::evidence::{self, EvidenceKind, NewEvidence};
use crate::store::jobs::{self, NewJob};
use crate::store::submissions;

codes! {
    /// Performed Procedure Step Status (0040,0252).
    StepStatus {
        /// The modality is at it.
        InProgress => "IN PROGRESS",
        /// It has ended, with what was wanted.
        Completed => "COMPLETED",
        /// It has ended without.
        Discontinued => "DISCONTINUED",
    }
}

/// What was made in a series: Series Instance UID and SOP Instance UIDs.
pub type Made = (String, Vec<String>);

/// A step.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = performed_steps)]
pub struct StepRow {
    /// The row's id.
    pub id: i64,
    /// The site.
    pub site_id: SiteId,
    /// The modality.
    pub endpoint_id: EndpointId,
    /// SOP Instance UID of the step.
    pub sop_instance_uid: String,
    /// Its status.
    pub status: StepStatus,
    /// Study Instance UIDs of its scheduled steps, parted by a backslash.
    pub study_uids: String,
    /// What was made so far, as a JSON array of [`Made`].
    pub made: String,
    /// When it was created.
    pub created_at: NaiveDateTime,
    /// When it was last changed.
    pub changed_at: NaiveDateTime,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepChange {
    /// It is written.
    Done,
    /// A step of this UID is here already (N-CREATE).
    Known,
    /// There is no such step (N-SET).
    Unknown,
    /// It has ended and can't be changed any more (N-SET).
    Ended,
}

/// Keeps a step that has begun.
///
/// # Errors
/// What the database says.
pub fn step_create_in_tx(
    conn: &mut Connection,
    site: SiteId,
    endpoint: EndpointId,
    sop_instance_uid: &str,
    study_uids: &[String],
    at: NaiveDateTime,
) -> Result<StepChange, StoreError> {
    let inserted = diesel::sql_query(
        "INSERT INTO performed_steps (site_id, endpoint_id, sop_instance_uid, status, study_uids, made, created_at, \
         changed_at) VALUES ($1, $2, $3, 'IN PROGRESS', $4, '[]', $5, $5) ON CONFLICT DO NOTHING",
    )
    .bind::<BigInt, _>(site.0)
    .bind::<BigInt, _>(endpoint.0)
    .bind::<Text, _>(sop_instance_uid)
    .bind::<Text, _>(study_uids.join("\\"))
    .bind::<Timestamp, _>(at)
    .execute(conn)?;
    if inserted == 0 {
        return Ok(StepChange::Known);
    }
    say(conn, site, sop_instance_uid, study_uids, StepStatus::InProgress, &[], at)?;
    Ok(StepChange::Done)
}

/// Writes what a modality says later: another status, what it has made. `None` leaves what was said before.
///
/// # Errors
/// What the database says.
pub fn step_set_in_tx(
    conn: &mut Connection,
    site: SiteId,
    sop_instance_uid: &str,
    status: Option<StepStatus>,
    made: Option<&[Made]>,
    at: NaiveDateTime,
) -> Result<StepChange, StoreError> {
    let row: Option<StepRow> = performed_steps::table
        .filter(performed_steps::site_id.eq(site))
        .filter(performed_steps::sop_instance_uid.eq(sop_instance_uid))
        .select(StepRow::as_select())
        .first(conn)
        .optional()?;
    let Some(row) = row else { return Ok(StepChange::Unknown) };
    let status = status.unwrap_or(row.status);
    let made: Vec<Made> = match made {
        Some(made) => made.to_vec(),
        None => serde_json::from_str(&row.made).unwrap_or_default(),
    };
    let open = performed_steps::table.find(row.id).filter(performed_steps::status.eq(StepStatus::InProgress));
    let written = diesel::update(open)
        .set((
            performed_steps::status.eq(status),
            performed_steps::made.eq(serde_json::json!(made).to_string()),
            performed_steps::changed_at.eq(at),
        ))
        .execute(conn)?;
    if written == 0 {
        return Ok(StepChange::Ended);
    }
    let studies: Vec<String> = row.study_uids.split('\\').filter(|uid| !uid.is_empty()).map(str::to_owned).collect();
    say(conn, site, sop_instance_uid, &studies, status, &made, at)?;
    Ok(StepChange::Done)
}

/// A step's saying about its studies. It counts once it has ended, and for the one study that it has.
fn say(
    conn: &mut Connection,
    site: SiteId,
    source: &str,
    study_uids: &[String],
    status: StepStatus,
    made: &[Made],
    at: NaiveDateTime,
) -> Result<(), StoreError> {
    let series: Vec<_> = made
        .iter()
        .map(|(series, instances)| serde_json::json!({"series": series, "instances": instances.len()}))
        .collect();
    let count: usize = made.iter().map(|(_, instances)| instances.len()).sum();
    let counts = status != StepStatus::InProgress && study_uids.len() == 1;
    for study_uid in study_uids {
        evidence::evidence_record_in_tx(
            conn,
            &NewEvidence {
                site,
                study_uid: study_uid.clone(),
                kind: EvidenceKind::Mpps,
                source: source.to_owned(),
                expected_instances: counts.then(|| i32::try_from(count).unwrap_or(i32::MAX)),
                detail: serde_json::json!({"step": status.code(), "series": series}),
                at,
            },
        )?;
        // A step that has ended may make its study whole: it is looked at again now, not after the quiet time.
        if status != StepStatus::InProgress
            && let Some(study) = submissions::study_of_uid(conn, site, study_uid)?
        {
            jobs::enqueue_in_tx(conn, &NewJob::now("settle_study", study.to_string(), at))?;
        }
    }
    Ok(())
}
