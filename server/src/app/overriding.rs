//! A dispatcher's decisions on a case: each with a reason, each heard by the next plan, each with its way back.
//!
//! Every decision goes through the state machines; what is in force stands in
//! `overrides`.

mod price;

use chrono::NaiveDateTime;
use dokuei_models::state::{
    CaseEvent, HoldActor, OverrideKind, ReadEvent, ReadState, case_apply_in_tx, read_apply_in_tx,
};
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::cases::{self, CaseRow};
use dokuei_models::store::jobs::{self, NewJob};
use dokuei_models::store::overrides::{self, OverrideRow};
use dokuei_models::store::reads::{self, ReadRow};
use dokuei_models::store::{case_events, readers, requests, sites};
use dokuei_models::{Actor, CaseId, Connection, OverrideId, ReadId, ReaderId, StoreError};
use dokuei_terms::Priority;

pub use self::price::{Delayed, Price, price};

use super::{due, worklist};
use crate::authority::{Person, Reach};
use crate::error::codes::dispatch as codes;
use crate::error::{Error, Result};
use crate::state::State;
use crate::wake::Topic;

/// What a dispatcher decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// This reader and no other.
    Pin {
        /// The read.
        read: ReadId,
        /// Who shall have it.
        reader: ReaderId,
    },
    /// Not this reader, for any read of the case.
    Exclude {
        /// Who shall not have it.
        reader: ReaderId,
    },
    /// Stop.
    Hold {
        /// Who must act.
        actor: HoldActor,
        /// When somebody looks at the latest.
        until: NaiveDateTime,
    },
    /// Go on.
    Release,
    /// Another priority; the due time follows the contract.
    Prioritise(Priority),
    /// Off the reader's list, back to the plan. A draft is kept.
    Unassign(ReadId),
    /// End without a report.
    Cancel,
}

/// Decides. `reason` goes into the history.
///
/// # Errors
/// `not_found` outside reach; `case_state`, `read_being_read`, `case_signed` where it is too late.
pub async fn decide(
    state: &State,
    person: &Person,
    reach: Reach,
    case: CaseId,
    decision: Decision,
    reason: String,
) -> Result<()> {
    let actor = person.actor(state.now());
    let touched = state
        .db
        .tx(move |conn| {
            let row = case_within(conn, &reach, case)?;
            let mut touched = readers_of(conn, case)?;
            decide_in_tx(conn, &actor, &row, decision, &reason)?;
            touched.extend(readers_of(conn, case)?);
            Ok((row, touched))
        })
        .await
        .map_err(refused)?;
    tell(state, &touched.0, &touched.1);
    Ok(())
}

/// The case, if it is within reach.
///
/// # Errors
/// [`StoreError::NotFound`] where it is not: another pool's case looks like none.
pub fn case_within(conn: &mut Connection, reach: &Reach, case: CaseId) -> std::result::Result<CaseRow, StoreError> {
    let row = cases::case_get(conn, case)?;
    if reach.covers(row.site_id, row.pool_id) { Ok(row) } else { Err(StoreError::NotFound("the case")) }
}

fn readers_of(conn: &mut Connection, case: CaseId) -> std::result::Result<Vec<ReaderId>, StoreError> {
    Ok(reads::read_list_of_case(conn, case)?.iter().filter_map(|read| read.reader_id).collect())
}

/// Tells everybody who looks at the case.
pub fn tell(state: &State, case: &CaseRow, readers: &[ReaderId]) {
    state.wake.tell(Topic::Jobs);
    state.wake.tell(Topic::Case(case.id.0));
    state.wake.tell(Topic::Board(case.pool_id.0));
    state.wake.tell(Topic::Portal(case.site_id.0));
    for reader in readers {
        state.wake.tell(Topic::Worklist(reader.0));
    }
}

/// A refusal in the words of a dispatcher.
pub fn refused(error: StoreError) -> Error {
    let StoreError::Conflict { state, .. } = &error else { return error.into() };
    Error::new(match state.as_str() {
        "being_read" => &codes::READ_BEING_READ,
        "signed" => &codes::CASE_SIGNED,
        "notice_owed" => &codes::NOTICE_OWED,
        "last_study" => &codes::LAST_STUDY,
        "other_patient" => &codes::OTHER_PATIENT,
        "elsewhere" => &codes::STUDY_ELSEWHERE,
        "identity" => &codes::IDENTITY_DIFFERS,
        _ => &codes::CASE_STATE,
    })
}

/// A conflict that [`refused`] has a sentence for.
pub(super) fn conflict(what: &'static str, why: &str) -> StoreError {
    StoreError::Conflict { what, state: why.to_owned() }
}

/// The same within a transaction.
///
/// # Errors
/// What the state machines refuse.
pub fn decide_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    case: &CaseRow,
    decision: Decision,
    reason: &str,
) -> std::result::Result<(), StoreError> {
    match decision {
        Decision::Pin { read, reader } => pin(conn, actor, case, read, reader, reason),
        Decision::Exclude { reader } => exclude(conn, actor, case, reader, reason),
        Decision::Hold { actor: who, until } => {
            let event = CaseEvent::Hold { reason: reason.to_owned(), actor: who, until };
            case_apply_in_tx(conn, actor, case.id, &event)?;
            overrides::override_create_in_tx(conn, actor, case.id, None, OverrideKind::Hold, None, "", reason)?;
            Ok(())
        }
        Decision::Release => release(conn, actor, case, reason),
        Decision::Prioritise(priority) => {
            let due_at = due_for(conn, case, priority)?;
            let event = CaseEvent::Prioritise { priority, due_at, reason: reason.to_owned() };
            case_apply_in_tx(conn, actor, case.id, &event)?;
            revoke_all(conn, actor, case.id, |one| one.kind == OverrideKind::Priority)?;
            let code = priority.code();
            overrides::override_create_in_tx(conn, actor, case.id, None, OverrideKind::Priority, None, code, reason)?;
            prescreen_again(conn, actor, case.id)
        }
        Decision::Unassign(read) => unassign(conn, actor, case, read, reason),
        Decision::Cancel => {
            if reads::read_list_of_case(conn, case.id)?.iter().any(|read| read.stands_signed(case)) {
                return Err(conflict("cancel", "signed"));
            }
            case_apply_in_tx(conn, actor, case.id, &CaseEvent::Cancel { reason: reason.to_owned() }).map(|_| ())
        }
    }
}

/// One read of the case.
fn read_of(conn: &mut Connection, case: &CaseRow, read: ReadId) -> std::result::Result<ReadRow, StoreError> {
    let row = reads::read_get(conn, read)?;
    if row.case_id == case.id { Ok(row) } else { Err(StoreError::NotFound("the read")) }
}

fn need_reader(conn: &mut Connection, case: &CaseRow, reader: ReaderId) -> std::result::Result<(), StoreError> {
    let row = readers::reader_get(conn, reader)?;
    if row.pool_id == case.pool_id && row.active { Ok(()) } else { Err(StoreError::NotFound("the reader")) }
}

fn pin(
    conn: &mut Connection,
    actor: &Actor,
    case: &CaseRow,
    read: ReadId,
    reader: ReaderId,
    reason: &str,
) -> std::result::Result<(), StoreError> {
    need_reader(conn, case, reader)?;
    match read_of(conn, case, read)?.state {
        ReadState::Open | ReadState::Assigned => {}
        ReadState::InProgress => return Err(conflict("pin", "being_read")),
        ReadState::Signed | ReadState::Void => return Err(conflict("pin", "signed")),
    }
    // One pin at a time; and who was kept away and is wanted now is kept away no longer.
    revoke_all(conn, actor, case.id, |one| {
        (one.kind == OverrideKind::Pin && one.read_id.is_none_or(|of| of == read))
            || (one.kind == OverrideKind::Exclude && one.reader_id == Some(reader))
    })?;
    overrides::override_create_in_tx(conn, actor, case.id, Some(read), OverrideKind::Pin, Some(reader), "", reason)?;
    record(conn, actor, case, Some(read), "override_pin", serde_json::json!({ "reader": reader, "reason": reason }))
}

fn exclude(
    conn: &mut Connection,
    actor: &Actor,
    case: &CaseRow,
    reader: ReaderId,
    reason: &str,
) -> std::result::Result<(), StoreError> {
    need_reader(conn, case, reader)?;
    let held: Vec<ReadRow> =
        reads::read_list_of_case(conn, case.id)?.into_iter().filter(|read| read.reader_id == Some(reader)).collect();
    if held.iter().any(|read| read.state == ReadState::InProgress) {
        return Err(conflict("exclude", "being_read"));
    }
    revoke_all(conn, actor, case.id, |one| one.kind == OverrideKind::Pin && one.reader_id == Some(reader))?;
    let kind = OverrideKind::Exclude;
    overrides::override_create_in_tx(conn, actor, case.id, None, kind, Some(reader), "", reason)?;
    for read in held.iter().filter(|read| read.state == ReadState::Assigned) {
        read_apply_in_tx(conn, actor, read.id, &ReadEvent::Unassign { reason: "excluded".to_owned() })?;
    }
    record(conn, actor, case, None, "override_exclude", serde_json::json!({ "reader": reader, "reason": reason }))
}

fn release(conn: &mut Connection, actor: &Actor, case: &CaseRow, reason: &str) -> std::result::Result<(), StoreError> {
    case_apply_in_tx(conn, actor, case.id, &CaseEvent::Release { reason: reason.to_owned() })?;
    revoke_all(conn, actor, case.id, |one| one.kind == OverrideKind::Hold)
}

fn unassign(
    conn: &mut Connection,
    actor: &Actor,
    case: &CaseRow,
    read: ReadId,
    reason: &str,
) -> std::result::Result<(), StoreError> {
    let row = read_of(conn, case, read)?;
    // A pin would bring it straight back.
    revoke_all(conn, actor, case.id, |one| one.kind == OverrideKind::Pin && one.read_id.is_none_or(|of| of == read))?;
    reads::read_prefer_in_tx(conn, read, None)?;
    match (row.state, row.reader_id) {
        (ReadState::InProgress, Some(reader)) => {
            let event = ReadEvent::GiveBack { reader, reason: reason.to_owned() };
            read_apply_in_tx(conn, actor, read, &event)?;
            worklist::stop_reading_in_tx(conn, actor, read).map(drop)
        }
        _ => read_apply_in_tx(conn, actor, read, &ReadEvent::Unassign { reason: reason.to_owned() }),
    }
}

/// When the report is owed at another priority.
///
/// # Errors
/// What the database says.
pub fn due_for(
    conn: &mut Connection,
    case: &CaseRow,
    priority: Priority,
) -> std::result::Result<NaiveDateTime, StoreError> {
    let site = sites::site_get(conn, case.site_id)?;
    let contract = case.contract_id.map(|id| sites::contract_get(conn, id)).transpose()?;
    let wanted_by = requests::request_get(conn, case.request_id)?.wanted_by;
    due::due_at(conn, &site, contract.as_ref(), priority, wanted_by, case.received_at)
}

fn prescreen_again(conn: &mut Connection, actor: &Actor, case: CaseId) -> std::result::Result<(), StoreError> {
    jobs::enqueue_in_tx(conn, &NewJob::now("prescreen_case", case.to_string(), actor.at))
}

fn revoke_all(
    conn: &mut Connection,
    actor: &Actor,
    case: CaseId,
    which: impl Fn(&OverrideRow) -> bool,
) -> std::result::Result<(), StoreError> {
    for one in overrides::override_list(conn, &[case])?.iter().filter(|one| which(one)) {
        overrides::override_revoke_in_tx(conn, actor, one.id)?;
    }
    Ok(())
}

/// Writes event and audit row of what no state machine tells, and has the pool planned anew.
pub(super) fn record(
    conn: &mut Connection,
    actor: &Actor,
    case: &CaseRow,
    read: Option<ReadId>,
    kind: &str,
    data: serde_json::Value,
) -> std::result::Result<(), StoreError> {
    case_events::append_in_tx(conn, actor, case.id, read, kind, &data)?;
    let action = format!("case.{kind}");
    audit::append_in_tx(conn, actor, &action, Subject::case(case.id, case.site_id), "done", "")?;
    jobs::enqueue_plan_in_tx(conn, case.pool_id, actor.at)
}

/// Takes a decision back: pins and exclusions end, a hold is released, a priority is what it was before.
///
/// # Errors
/// `already_done` when it was taken back before, `not_found` outside reach.
pub async fn take_back(state: &State, person: &Person, reach: Reach, case: CaseId, which: OverrideId) -> Result<()> {
    let actor = person.actor(state.now());
    let (row, readers) = state
        .db
        .tx(move |conn| {
            let row = case_within(conn, &reach, case)?;
            take_back_in_tx(conn, &actor, &row, which)?;
            let readers = readers_of(conn, case)?;
            Ok((row, readers))
        })
        .await
        .map_err(refused)?;
    tell(state, &row, &readers);
    Ok(())
}

/// The same within a transaction.
///
/// # Errors
/// [`StoreError::Repeat`] when it was taken back before.
pub fn take_back_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    case: &CaseRow,
    which: OverrideId,
) -> std::result::Result<(), StoreError> {
    let in_force = overrides::override_list(conn, &[case.id])?;
    let Some(one) = in_force.iter().find(|one| one.id == which) else {
        return Err(StoreError::Repeat("the override's end"));
    };
    overrides::override_revoke_in_tx(conn, actor, which)?;
    match one.kind {
        OverrideKind::Pin | OverrideKind::Exclude => {}
        OverrideKind::Hold => release(conn, actor, case, "taken_back")?,
        OverrideKind::Priority => {
            let priority = requests::request_get(conn, case.request_id)?.priority;
            let due_at = due_for(conn, case, priority)?;
            let event = CaseEvent::Prioritise { priority, due_at, reason: "taken_back".to_owned() };
            case_apply_in_tx(conn, actor, case.id, &event)?;
            prescreen_again(conn, actor, case.id)?;
        }
    }
    let data = serde_json::json!({ "kind": one.kind, "reader": one.reader_id });
    record(conn, actor, case, one.read_id, "override_revoke", data)
}
