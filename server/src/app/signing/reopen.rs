//! Addenda and amendments: a signed case is reopened by its signer.

use dokuei_models::state::{AssignedRead, CaseEvent, CaseState, ReadKind, case_apply_in_tx, read_assign_in_tx};
use dokuei_models::store::{cases, reads, reports};
use dokuei_models::{ReadId, StoreError};

use crate::app::form::need_reason;
use crate::app::worklist::{reader_of, refused, start_in_tx, tell};
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
