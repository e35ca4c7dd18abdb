//! A site answers its reader's question.

use std::collections::BTreeSet;

use dokuei_models::state::{CaseEvent, CaseState, HoldActor, NoteKind, case_apply_in_tx};
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::{case_notes, cases, reads};
use dokuei_models::{CaseId, StoreError};

use super::{LONGEST_TEXT, tell};
use crate::app::form;
use crate::authority::Person;
use crate::authority::rights::Submit;
use crate::error::Result;
use crate::error::codes::common;
use crate::state::State;

/// Answers the reader's question; a case that waits for the site goes on where it was.
///
/// # Errors
/// `not_found`, `form_invalid` without an answer.
pub async fn answer(state: &State, person: &Person, case: CaseId, text: &str) -> Result<()> {
    let text = form::need_text("answer", text, LONGEST_TEXT, &common::FIELD_REQUIRED)?;
    let (reach, actor) = (person.reach::<Submit>(), person.actor(state.now()));
    let (row, readers) = state
        .db
        .tx(move |conn| {
            let row = cases::case_get(conn, case)?;
            if !reach.covers_site(row.site_id) {
                return Err(StoreError::NotFound("the case"));
            }
            case_notes::case_note_add_in_tx(conn, &actor, case, NoteKind::Answer, "", &text)?;
            audit::append_in_tx(conn, &actor, "case.answer", Subject::case(case, row.site_id), "done", "")?;
            if row.state == CaseState::OnHold && row.hold_actor == Some(HoldActor::Site) {
                case_apply_in_tx(conn, &actor, case, &CaseEvent::Release { reason: "answered".to_owned() })?;
            }
            let readers: BTreeSet<i64> =
                reads::read_list_of_case(conn, case)?.iter().filter_map(|read| read.reader_id.map(|id| id.0)).collect();
            Ok((row, readers))
        })
        .await?;
    tell(state, row.site_id, row.pool_id, &[case], &readers);
    Ok(())
}
