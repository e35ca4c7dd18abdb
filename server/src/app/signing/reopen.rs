//! Addenda and amendments: a signed case is reopened by its signer, or by images that come after the signature.

use dokuei_models::state::{
    AssignedRead, CaseEvent, CaseState, ReadKind, ReadState, case_apply_in_tx, read_assign_in_tx,
};
use dokuei_models::store::{case_events, cases, readers, reads, reports, studies};
use dokuei_models::{Actor, CaseId, Connection, ReadId, ReaderId, StoreError, StudyId};
use serde_json::json;

use crate::app::form::need_reason;
use crate::app::worklist::{reader_of, refused, start_in_tx, tell};
use crate::app::{opening, planning};
use crate::authority::Person;
use crate::error::codes::reading as codes;
use crate::error::{Error, Result};
use crate::state::State;

/// How much of the first reading's minutes an addendum is expected to take.
const REOPENED_SHARE: f64 = 0.3;

/// Begins an addendum or amendment: reopens the case and puts a new read into the signer's hands.
///
/// # Errors
/// `addendum_not_yours`, `form_invalid`.
pub async fn reopen(state: &State, person: &Person, read: ReadId, reason: &str) -> Result<ReadId> {
    let reason = need_reason("reason", reason)?;
    let reader = reader_of(state, person).await?;
    let (actor, id) = (person.actor(state.now()), reader.id);
    let (case, made) = state
        .db
        .tx(move |conn| {
            let row = reads::read_get(conn, read)?;
            let case = cases::case_get(conn, row.case_id)?;
            let done = matches!(case.state, CaseState::Reported | CaseState::Returned | CaseState::Acknowledged);
            if row.reader_id != Some(reader.id) || !row.stands_signed(&case) || !done {
                return Err(StoreError::Conflict { what: "reopen", state: "not_yours".to_owned() });
            }
            case_apply_in_tx(conn, &actor, case.id, &CaseEvent::Reopen { reason: reason.clone() })?;
            let number = reads::read_list_of_case(conn, case.id)?.iter().map(|read| read.number).max().unwrap_or(0) + 1;
            let minutes = row.expected_minutes * REOPENED_SHARE;
            let made = cases::read_create_in_tx(conn, &actor, case.id, number, ReadKind::Reopened, minutes)?;
            let item = AssignedRead {
                read: made,
                seen_version: 1,
                reader: reader.id,
                plan: None,
                place_in_list: 0,
                explanation: String::new(),
            };
            read_assign_in_tx(conn, &actor, &item)?;
            let case = start_in_tx(conn, &actor, &reader, made)?;
            reports::draft_open_in_tx(conn, made, reader.id, reader.user_id, &reason, actor.at)?;
            Ok((case, made))
        })
        .await
        .map_err(|error| match error {
            StoreError::Conflict { what: "reopen", .. } => Error::new(&codes::ADDENDUM_NOT_YOURS),
            other => refused(other),
        })?;
    tell(state, &case, Some(id.0));
    Ok(made)
}

/// Why a case is reopened by itself.
pub const LATE: &str = "late_images";

/// Reopens a reported case because pictures of a current study came after its newest signature: a new read, on its
/// signer's list while he is there. While he is away the planner gives it to another, who sees what was signed; it is his
/// again if he comes before that. `None` where nothing new can be looked at, a read is open already, or nobody has it yet.
///
/// # Errors
/// What the database says.
pub fn reopen_late_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    case: CaseId,
    study: StudyId,
) -> std::result::Result<Option<ReaderId>, StoreError> {
    let row = cases::case_get(conn, case)?;
    if !opening::current_studies(conn, case)?.contains(&study) {
        return Ok(None);
    }
    let all = reads::read_list_of_case(conn, case)?;
    let open = all.iter().any(|read| !matches!(read.state, ReadState::Signed | ReadState::Void));
    let signed = all.iter().filter(|read| read.stands_signed(&row)).max_by_key(|read| read.signed_at);
    let Some(signed) = signed.filter(|_| !open) else { return Ok(None) };
    let late = |one: &studies::InstanceRow| one.frames > 0 && signed.signed_at.is_some_and(|at| one.received_at > at);
    if !studies::instance_list(conn, study)?.iter().any(late) {
        return Ok(None);
    }
    case_apply_in_tx(conn, actor, case, &CaseEvent::Reopen { reason: LATE.to_owned() })?;
    let number = all.iter().map(|read| read.number).max().unwrap_or(0) + 1;
    let minutes = signed.expected_minutes * REOPENED_SHARE;
    let made = cases::read_create_in_tx(conn, actor, case, number, ReadKind::Reopened, minutes)?;
    let Some(reader) = signed.reader_id else { return Ok(None) };
    if !readers::reader_get(conn, reader)?.active {
        return Ok(None);
    }
    reads::read_prefer_in_tx(conn, made, Some(reader))?;
    if !planning::is_there_now(conn, row.pool_id, reader, actor.at)? {
        let data = json!({ "reader": reader });
        case_events::append_in_tx(conn, actor, case, Some(made), "signer_away", &data)?;
        return Ok(None);
    }
    let item =
        AssignedRead { read: made, seen_version: 1, reader, plan: None, place_in_list: 0, explanation: String::new() };
    read_assign_in_tx(conn, actor, &item)?;
    Ok(Some(reader))
}
