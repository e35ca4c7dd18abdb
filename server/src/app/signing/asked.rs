//! The withdrawal of a case's reports was asked for, because its images turned out to be another's or were withdrawn: a
//! person withdraws them ([`super::withdraw`]), or says here that they stand.

use dokuei_models::store::cases::{self, WITHDRAWAL_ASKED};
use dokuei_models::store::images::reports_stand_in_tx;
use dokuei_models::{CaseId, Connection, StoreError};

use super::withdraw::{By, case_of};
use crate::app::form::need_reason;
use crate::app::worklist::{reader_of, tell};
use crate::authority::Person;
use crate::error::Result;
use crate::state::State;

/// The case's reports stand.
///
/// # Errors
/// `form_invalid` without a reason, `not_found` for anybody else's case, `already_done` when nobody asks any more.
pub async fn stand(state: &State, person: &Person, by: By, reason: &str) -> Result<CaseId> {
    let reason = need_reason("reason", reason)?;
    let reader = match &by {
        By::Signer(_) => Some(reader_of(state, person).await?.id),
        By::Director(..) | By::Asked(..) => None,
    };
    let actor = person.actor(state.now());
    let row = state
        .db
        .tx(move |conn| {
            let case = case_of(conn, &by, reader)?;
            reports_stand_in_tx(conn, &actor, case.id, &reason)?;
            cases::case_get(conn, case.id)
        })
        .await?;
    tell(state, &row, None);
    Ok(row.id)
}

/// Which of these cases have reports whose withdrawal is asked for.
///
/// # Errors
/// What the database says.
pub fn asked_of(conn: &mut Connection, of: &[CaseId]) -> std::result::Result<Vec<CaseId>, StoreError> {
    let rows = cases::case_list_by_id(conn, of)?;
    Ok(rows.into_iter().filter(|case| case.has_flag(WITHDRAWAL_ASKED)).map(|case| case.id).collect())
}
