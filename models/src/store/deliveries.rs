//! Deliveries: the outbox of signed versions.
//!
//! A row says that one signed version is owed to one destination. It is written
//! in the transaction that signs, together with its job; the worker moves it
//! `pending -> sending -> delivered`, back to `pending` with a pause, or to
//! `dead`. Out of `dead` only a person leads: again, or given up with a reason.
//! Every change is one UPDATE whose WHERE names the legal states.

mod lists;

use chrono::NaiveDateTime;
use diesel::prelude::*;

pub use self::lists::{DeadDelivery, delivery_list_dead, delivery_list_due, delivery_list_of_case};

use crate::actor::Actor;
use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{CaseId, DeliveryId, EndpointId, ReportVersionId, SiteId, UserId};
use crate::schema::{cases, deliveries, withdrawals};
use crate::state::{DeliveryContent, DeliveryKind, DeliveryState};
use crate::store::jobs::{self, NewJob};
use crate::store::{audit, case_events};

/// The kind of job that moves a delivery; its key is the delivery's id.
pub const DELIVER_JOB: &str = "deliver";
/// How often a delivery is tried before it is dead: with pauses that double up to ten minutes, about two hours.
pub const DELIVERY_ATTEMPTS: i32 = 20;

/// A delivery.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = deliveries)]
pub struct DeliveryRow {
    /// The row's id.
    pub id: DeliveryId,
    /// The case.
    pub case_id: CaseId,
    /// The signed version that is owed.
    pub report_version_id: ReportVersionId,
    /// What is brought of it.
    pub content: DeliveryContent,
    /// How it goes.
    pub kind: DeliveryKind,
    /// The site's DICOM node, for `dicom`.
    pub endpoint_id: Option<EndpointId>,
    /// In words: an AE title, a mail address, or `portal`.
    pub destination: String,
    /// Whether the case is returned only when this one is done.
    pub required: bool,
    /// Where it stands.
    pub state: DeliveryState,
    /// Tries so far.
    pub attempts: i32,
    /// Not before.
    pub next_at: NaiveDateTime,
    /// What went wrong last: a sentence in Japanese, a line end, the same in English.
    pub last_error: Option<String>,
    /// When it was written.
    pub created_at: NaiveDateTime,
    /// When it arrived.
    pub delivered_at: Option<NaiveDateTime>,
    /// Who gave it up.
    pub given_up_by: Option<UserId>,
    /// Why.
    pub given_up_reason: Option<String>,
    /// Grows with each change.
    pub version: i32,
}

/// A delivery to be owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// The case.
    pub case: CaseId,
    /// The signed version.
    pub version: ReportVersionId,
    /// What is brought of it.
    pub content: DeliveryContent,
    /// How it goes.
    pub kind: DeliveryKind,
    /// The site's DICOM node, for `dicom`.
    pub endpoint: Option<EndpointId>,
    /// In words: an AE title, a mail address, or `portal`.
    pub destination: String,
    /// Whether the case is returned only when this one is done.
    pub required: bool,
    /// When it is written.
    pub at: NaiveDateTime,
}

/// Owes a signed version to a destination and queues the job that brings it there. To be called in the transaction
/// that signs.
///
/// # Errors
/// What the database says.
pub fn delivery_create_in_tx(conn: &mut Connection, new: &NewDelivery) -> Result<DeliveryId, StoreError> {
    let id: DeliveryId = diesel::insert_into(deliveries::table)
        .values((
            deliveries::case_id.eq(new.case),
            deliveries::report_version_id.eq(new.version),
            deliveries::content.eq(new.content),
            deliveries::kind.eq(new.kind),
            deliveries::endpoint_id.eq(new.endpoint),
            deliveries::destination.eq(&new.destination),
            deliveries::required.eq(new.required),
            deliveries::state.eq(DeliveryState::Pending),
            deliveries::attempts.eq(0),
            deliveries::next_at.eq(new.at),
            deliveries::created_at.eq(new.at),
            deliveries::version.eq(1),
        ))
        .returning(deliveries::id)
        .get_result(conn)?;
    delivery_queue_in_tx(conn, id, new.at)?;
    Ok(id)
}

/// Queues the job of a delivery.
///
/// # Errors
/// What the database says.
pub fn delivery_queue_in_tx(conn: &mut Connection, delivery: DeliveryId, now: NaiveDateTime) -> Result<(), StoreError> {
    let mut job = NewJob::now(DELIVER_JOB, delivery.to_string(), now);
    job.max_attempts = DELIVERY_ATTEMPTS;
    jobs::enqueue_in_tx(conn, &job)
}

/// One delivery.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none.
pub fn delivery_get(conn: &mut Connection, delivery: DeliveryId) -> Result<DeliveryRow, StoreError> {
    deliveries::table.find(delivery).select(DeliveryRow::as_select()).first(conn).or_not_found("the delivery")
}

/// Begins to send. `None` when there is nothing to do any more, or not yet. One left in `sending` by a worker that
/// died is taken up again: the job's lease says that nobody else has it.
///
/// # Errors
/// [`StoreError::NotFound`] when there is no such delivery.
pub fn delivery_begin_in_tx(
    conn: &mut Connection,
    delivery: DeliveryId,
    now: NaiveDateTime,
) -> Result<Option<DeliveryRow>, StoreError> {
    let begun = diesel::update(
        deliveries::table
            .filter(deliveries::id.eq(delivery))
            .filter(deliveries::state.eq_any([DeliveryState::Pending, DeliveryState::Sending]))
            .filter(deliveries::next_at.le(now)),
    )
    .set((
        deliveries::state.eq(DeliveryState::Sending),
        deliveries::attempts.eq(deliveries::attempts + 1),
        deliveries::version.eq(deliveries::version + 1),
    ))
    .execute(conn)?;
    let row = delivery_get(conn, delivery)?;
    if begun == 1 && stop_if_withdrawn(conn, &row)? {
        return Ok(None);
    }
    Ok((begun == 1).then_some(row))
}

/// Gives up a report that was being sent while it was withdrawn; its notice goes instead. Returns whether it was.
fn stop_if_withdrawn(conn: &mut Connection, row: &DeliveryRow) -> Result<bool, StoreError> {
    let withdrawn = withdrawals::table.filter(withdrawals::report_version_id.eq(row.report_version_id));
    let withdrawn: bool = diesel::select(diesel::dsl::exists(withdrawn)).get_result(conn)?;
    if row.content != DeliveryContent::Report || !withdrawn {
        return Ok(false);
    }
    diesel::update(deliveries::table.find(row.id).filter(deliveries::state.eq(DeliveryState::Sending)))
        .set((
            deliveries::state.eq(DeliveryState::GivenUp),
            deliveries::given_up_reason.eq(Some("report_withdrawn")),
            deliveries::version.eq(deliveries::version + 1),
        ))
        .execute(conn)?;
    Ok(true)
}

/// It arrived.
///
/// # Errors
/// [`StoreError::Repeat`] when that is known, [`StoreError::Conflict`] when it was not being sent.
pub fn delivery_done_in_tx(conn: &mut Connection, actor: &Actor, delivery: DeliveryId) -> Result<(), StoreError> {
    let changed = diesel::update(
        deliveries::table.filter(deliveries::id.eq(delivery)).filter(deliveries::state.eq(DeliveryState::Sending)),
    )
    .set((
        deliveries::state.eq(DeliveryState::Delivered),
        deliveries::delivered_at.eq(Some(actor.at)),
        deliveries::last_error.eq(None::<String>),
        deliveries::version.eq(deliveries::version + 1),
    ))
    .execute(conn)?;
    if changed == 0 {
        return Err(refusal(conn, delivery, DeliveryState::Delivered, "the delivery")?);
    }
    note(conn, actor, delivery, "delivery.delivered", "done", "")
}

/// What a failed try leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    /// It is tried again, not before this time.
    Again(NaiveDateTime),
    /// It waits for a setting until this time; that counts as no try.
    Wait(NaiveDateTime),
    /// A person must decide.
    Dead,
}

/// It did not arrive. `error` is a sentence in Japanese, a line end, and the same in English; no patient data.
///
/// # Errors
/// [`StoreError::Conflict`] when it was not being sent.
pub fn delivery_failed_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    delivery: DeliveryId,
    error: &str,
    after: AfterFailure,
) -> Result<(), StoreError> {
    let row = delivery_get(conn, delivery)?;
    if row.state == DeliveryState::Sending && stop_if_withdrawn(conn, &row)? {
        return note(conn, actor, delivery, "delivery.give_up", "done", "");
    }
    let (state, next_at, attempts) = match after {
        AfterFailure::Again(at) => (DeliveryState::Pending, at, row.attempts),
        AfterFailure::Wait(at) => (DeliveryState::Pending, at, row.attempts - 1),
        AfterFailure::Dead => (DeliveryState::Dead, row.next_at, row.attempts),
    };
    let changed = diesel::update(
        deliveries::table.filter(deliveries::id.eq(delivery)).filter(deliveries::state.eq(DeliveryState::Sending)),
    )
    .set((
        deliveries::state.eq(state),
        deliveries::next_at.eq(next_at),
        deliveries::attempts.eq(attempts),
        deliveries::last_error.eq(Some(error)),
        deliveries::version.eq(deliveries::version + 1),
    ))
    .execute(conn)?;
    if changed == 0 {
        return Err(refusal(conn, delivery, state, "the delivery")?);
    }
    match after {
        AfterFailure::Again(_) | AfterFailure::Wait(_) => Ok(()),
        AfterFailure::Dead => note(conn, actor, delivery, "delivery.dead", "failed", ""),
    }
}

/// A person has it tried again, from the first attempt.
///
/// # Errors
/// [`StoreError::Repeat`] when it waits already, [`StoreError::Conflict`] when it is not dead.
pub fn delivery_retry_in_tx(conn: &mut Connection, actor: &Actor, delivery: DeliveryId) -> Result<(), StoreError> {
    let changed = diesel::update(
        deliveries::table.filter(deliveries::id.eq(delivery)).filter(deliveries::state.eq(DeliveryState::Dead)),
    )
    .set((
        deliveries::state.eq(DeliveryState::Pending),
        deliveries::attempts.eq(0),
        deliveries::next_at.eq(actor.at),
        deliveries::version.eq(deliveries::version + 1),
    ))
    .execute(conn)?;
    if changed == 0 {
        return Err(refusal(conn, delivery, DeliveryState::Pending, "the retry")?);
    }
    delivery_queue_in_tx(conn, delivery, actor.at)?;
    note(conn, actor, delivery, "delivery.retry", "done", "")
}

/// A person gives it up. The caller then asks [`delivery_all_done`] whether the case is returned by that
/// (`app::returns::give_up` in the server does both).
///
/// # Errors
/// [`StoreError::Repeat`] when it was given up, [`StoreError::Conflict`] when it is not dead.
pub fn delivery_give_up_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    delivery: DeliveryId,
    reason: &str,
) -> Result<(), StoreError> {
    let changed = diesel::update(
        deliveries::table.filter(deliveries::id.eq(delivery)).filter(deliveries::state.eq(DeliveryState::Dead)),
    )
    .set((
        deliveries::state.eq(DeliveryState::GivenUp),
        deliveries::given_up_by.eq(actor.user),
        deliveries::given_up_reason.eq(Some(reason)),
        deliveries::version.eq(deliveries::version + 1),
    ))
    .execute(conn)?;
    if changed == 0 {
        return Err(refusal(conn, delivery, DeliveryState::GivenUp, "giving up")?);
    }
    note(conn, actor, delivery, "delivery.give_up", "done", "")
}

/// Takes back what was not brought yet of a case's reports: nobody shall get them any more. What is being brought at
/// this moment cannot be taken back.
///
/// # Errors
/// What the database says.
pub fn delivery_stop_in_tx(conn: &mut Connection, actor: &Actor, case: CaseId, reason: &str) -> Result<(), StoreError> {
    let waiting: Vec<DeliveryId> = deliveries::table
        .filter(deliveries::case_id.eq(case))
        .filter(deliveries::content.eq(DeliveryContent::Report))
        .filter(deliveries::state.eq_any([DeliveryState::Pending, DeliveryState::Dead]))
        .order(deliveries::id)
        .select(deliveries::id)
        .load(conn)?;
    for delivery in waiting {
        let stopped = diesel::update(
            deliveries::table
                .find(delivery)
                .filter(deliveries::state.eq_any([DeliveryState::Pending, DeliveryState::Dead])),
        )
        .set((
            deliveries::state.eq(DeliveryState::GivenUp),
            deliveries::given_up_by.eq(actor.user),
            deliveries::given_up_reason.eq(Some(reason)),
            deliveries::version.eq(deliveries::version + 1),
        ))
        .execute(conn)?;
        if stopped == 1 {
            note(conn, actor, delivery, "delivery.give_up", "done", "")?;
        }
    }
    Ok(())
}

/// Whether a notice that a report was withdrawn is still on its way by DICOM: until it has arrived, the studies of the
/// case stay as they were reported on, so that it lies where the report lies.
///
/// # Errors
/// What the database says.
pub fn notice_is_owed(conn: &mut Connection, case: CaseId) -> Result<bool, StoreError> {
    let owed = deliveries::table
        .filter(deliveries::case_id.eq(case))
        .filter(deliveries::content.eq(DeliveryContent::Withdrawal))
        .filter(deliveries::kind.eq(DeliveryKind::Dicom))
        .filter(deliveries::state.ne_all([DeliveryState::Delivered, DeliveryState::GivenUp]));
    Ok(diesel::select(diesel::dsl::exists(owed)).get_result(conn)?)
}

/// Whether each required delivery of the case is delivered or given up (and there is one at all).
///
/// # Errors
/// What the database says.
pub fn delivery_all_done(conn: &mut Connection, case: CaseId) -> Result<bool, StoreError> {
    let states: Vec<(DeliveryState, bool)> = deliveries::table
        .filter(deliveries::case_id.eq(case))
        .select((deliveries::state, deliveries::required))
        .load(conn)?;
    let done = |state: DeliveryState| matches!(state, DeliveryState::Delivered | DeliveryState::GivenUp);
    let owed_none = states.iter().filter(|(_, required)| *required).all(|(state, _)| done(*state));
    Ok(owed_none && states.iter().any(|(state, _)| done(*state)))
}

fn refusal(
    conn: &mut Connection,
    delivery: DeliveryId,
    wanted: DeliveryState,
    what: &'static str,
) -> Result<StoreError, StoreError> {
    let state = delivery_get(conn, delivery)?.state;
    Ok(if state == wanted {
        StoreError::Repeat(what)
    } else {
        StoreError::Conflict { what, state: state.code().to_owned() }
    })
}

/// Writes the audit row, and the event of the case's history.
fn note(
    conn: &mut Connection,
    actor: &Actor,
    delivery: DeliveryId,
    action: &str,
    outcome: &str,
    detail: &str,
) -> Result<(), StoreError> {
    let (case, site, kind): (CaseId, SiteId, DeliveryKind) = deliveries::table
        .inner_join(cases::table.on(cases::id.eq(deliveries::case_id)))
        .filter(deliveries::id.eq(delivery))
        .select((cases::id, cases::site_id, deliveries::kind))
        .first(conn)
        .or_not_found("the delivery")?;
    let event = action.replace('.', "_");
    case_events::append_in_tx(
        conn,
        actor,
        case,
        None,
        &event,
        &serde_json::json!({ "delivery": delivery, "kind": kind }),
    )?;
    audit::append_in_tx(conn, actor, action, audit::Subject::row("delivery", delivery.0, Some(site)), outcome, detail)
}
