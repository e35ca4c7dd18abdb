//! A site withdraws its request while nothing is signed.

use std::collections::BTreeSet;

use dokuei_models::state::{CaseEvent, CaseState, MatchState, case_apply_in_tx};
use dokuei_models::store::{cases, reads, requests, sites, studies, withdrawals};
use dokuei_models::{CaseId, Connection, RequestId, StoreError};

use super::{LONGEST_REASON, tell};
use crate::app::form;
use crate::app::opening;
use crate::authority::Person;
use crate::authority::rights::Submit;
use crate::error::codes::{common, portal as codes};
use crate::error::{Error, Result};
use crate::state::State;

/// Withdraws a request with its cases, while nothing is signed.
///
/// # Errors
/// `not_found`, `form_invalid` without a reason, `request_signed`, `already_done`.
pub async fn cancel(state: &State, person: &Person, request: RequestId, reason: &str) -> Result<()> {
    let reason = form::need_text("reason", reason, LONGEST_REASON, &common::FIELD_REASON_REQUIRED)?;
    let (reach, actor) = (person.reach::<Submit>(), person.actor(state.now()));
    let outcome = state
        .db
        .tx(move |conn| {
            let row = requests::request_get(conn, request)?;
            if !reach.covers_site(row.site_id) {
                return Err(StoreError::NotFound("the request"));
            }
            let of_request = cases::case_list_of_request(conn, request)?;
            let ids: Vec<CaseId> = of_request.iter().map(|case| case.id).collect();
            let mut signed = false;
            for case in &ids {
                signed |= !withdrawals::version_list_in_force(conn, *case)?.is_empty();
            }
            if signed || of_request.iter().any(|case| !case.state.is_open() && case.state != CaseState::Cancelled) {
                return Ok(None);
            }
            let mut readers = BTreeSet::new();
            for case in of_request.iter().filter(|case| case.state.is_open()) {
                readers.extend(
                    reads::read_list_of_case(conn, case.id)?.iter().filter_map(|read| read.reader_id.map(|id| id.0)),
                );
                case_apply_in_tx(conn, &actor, case.id, &CaseEvent::Cancel { reason: reason.clone() })?;
                free_studies(conn, case.id)?;
            }
            requests::request_cancel_in_tx(conn, &actor, request, &reason)?;
            let pool = sites::site_get(conn, row.site_id)?.pool_id;
            Ok(Some((row.site_id, pool, ids, readers)))
        })
        .await?;
    let Some((site, pool, ids, readers)) = outcome else { return Err(Error::new(&codes::REQUEST_SIGNED)) };
    tell(state, site, pool, &ids, &readers);
    Ok(())
}

/// The studies of a cancelled case that no other case has are kept for comparison, and may be asked for again.
fn free_studies(conn: &mut Connection, case: CaseId) -> Result<(), StoreError> {
    for study in opening::current_studies(conn, case)? {
        let others: Vec<CaseId> = studies::study_cases(conn, study)?
            .into_iter()
            .map(|(other, _)| other)
            .filter(|other| *other != case)
            .collect();
        let in_use = cases::case_list_by_id(conn, &others)?.iter().any(|other| other.state != CaseState::Cancelled);
        if !in_use {
            studies::study_match_in_tx(conn, study, MatchState::Comparison, Some("request_cancelled"), None)?;
        }
    }
    Ok(())
}
