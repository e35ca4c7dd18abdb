//! Leaving a read unsigned: giving it back, asking the site.

use chrono::TimeDelta;
use dokuei_models::ReadId;
use dokuei_models::state::{CaseEvent, HoldActor, NoteKind, ReadEvent, case_apply_in_tx, read_apply_in_tx};
use dokuei_models::store::{case_notes, cases, reads};
use dokuei_terms::Priority;

use crate::app::form::need_reason;
use crate::app::worklist::{reader_of, refused, stop_reading_in_tx, tell};
use crate::authority::Person;
use crate::error::Result;
use crate::state::State;

/// How long a question to a site may wait before a dispatcher looks: well within what its priority grants.
const fn answer_within(priority: Priority) -> TimeDelta {
    TimeDelta::minutes(match priority {
        Priority::Stat => 10,
        Priority::Urgent => 30,
        Priority::Priority => 4 * 60,
        Priority::Routine => 24 * 60,
    })
}

/// Gives a read back to the pool, with a reason; it may come to the same reader again. The draft is kept.
///
/// # Errors
/// `form_invalid`, `read_held_by_another`, `read_not_open`.
pub async fn give_back(state: &State, person: &Person, read: ReadId, reason: &str) -> Result<()> {
    let reason = need_reason("reason", reason)?;
    let reader = reader_of(state, person).await?.id;
    let actor = person.actor(state.now());
    let case = state
        .db
        .tx(move |conn| {
            read_apply_in_tx(conn, &actor, read, &ReadEvent::GiveBack { reader, reason: reason.clone() })?;
            stop_reading_in_tx(conn, &actor, read)
        })
        .await
        .map_err(refused)?;
    tell(state, &case, Some(reader.0));
    Ok(())
}

/// Asks the site: the case is held until it answers, the draft is kept, and the read comes back to the same reader
/// if he is there then.
///
/// # Errors
/// `form_invalid`, `read_held_by_another`, `read_not_open`.
pub async fn ask_site(state: &State, person: &Person, read: ReadId, question: &str) -> Result<()> {
    let question = need_reason("question", question)?;
    let reader = reader_of(state, person).await?.id;
    let now = state.now();
    let actor = person.actor(now);
    let case = state
        .db
        .tx(move |conn| {
            let event = ReadEvent::GiveBack { reader, reason: "asked_site".to_owned() };
            read_apply_in_tx(conn, &actor, read, &event)?;
            reads::read_prefer_in_tx(conn, read, Some(reader))?;
            let case = stop_reading_in_tx(conn, &actor, read)?;
            case_notes::case_note_add_in_tx(conn, &actor, case.id, NoteKind::Question, "", &question)?;
            // The words stand in the note; the event says only that there is a question.
            let until = now + answer_within(case.priority);
            let hold = CaseEvent::Hold { reason: "question".to_owned(), actor: HoldActor::Site, until };
            case_apply_in_tx(conn, &actor, case.id, &hold)?;
            cases::case_get(conn, case.id)
        })
        .await
        .map_err(refused)?;
    tell(state, &case, Some(reader.0));
    Ok(())
}
