//! Images or a request that found no partner: a person says what becomes of them.

use dokuei_models::identity::IdentityDoubt;
use dokuei_models::state::{MatchState, RequestState};
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::{cases, requests, sites, studies};
use dokuei_models::{Actor, CaseId, Connection, RequestId, StoreError, StudyId};

use super::{codes, need_seen, open_case_of};
use crate::app::matching;
use crate::app::overriding::{conflict, record, refused};
use crate::authority::{Person, Reach};
use crate::error::Result;
use crate::state::State;
use crate::wake::Topic;

/// What a person does with images or a request that found no partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settle {
    /// These two belong together. `seen` are the differences the person takes upon himself.
    Join {
        /// The request.
        request: RequestId,
        /// The study.
        study: StudyId,
        /// What differs.
        seen: Vec<IdentityDoubt>,
    },
    /// Read it with the site's default request.
    OpenDefault(StudyId),
    /// Do not read it: keep it for comparison.
    KeepForComparison(StudyId),
    /// The request is not needed any more.
    Withdraw(RequestId),
}

/// Settles what found no partner. Returns the case, where there is one now.
///
/// # Errors
/// `not_found` outside reach; `case_state` when it was settled meanwhile; `identity_differs`.
pub async fn settle(
    state: &State,
    person: &Person,
    reach: Reach,
    what: Settle,
    reason: String,
) -> Result<Option<CaseId>> {
    let actor = person.actor(state.now());
    let (case, site) = state
        .db
        .tx(move |conn| {
            let site = match &what {
                Settle::Join { study, .. } | Settle::OpenDefault(study) | Settle::KeepForComparison(study) => {
                    studies::study_get(conn, *study)?.site_id
                }
                Settle::Withdraw(request) => requests::request_get(conn, *request)?.site_id,
            };
            let site = sites::site_get(conn, site)?;
            if !reach.covers(site.id, site.pool_id) {
                return Err(StoreError::NotFound("the study"));
            }
            let case = settle_in_tx(conn, &actor, &what, &reason)?;
            Ok((case, site))
        })
        .await
        .map_err(refused)?;
    state.wake.tell(Topic::Jobs);
    state.wake.tell(Topic::Board(site.pool_id.0));
    state.wake.tell(Topic::Portal(site.id.0));
    if let Some(case) = case {
        state.wake.tell(Topic::Case(case.0));
    }
    Ok(case)
}

/// The same within a transaction.
///
/// # Errors
/// See [`settle`].
pub fn settle_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    what: &Settle,
    reason: &str,
) -> std::result::Result<Option<CaseId>, StoreError> {
    match what {
        Settle::Join { request, study, seen } => {
            need_loose(conn, *study)?;
            let asked = requests::request_get(conn, *request)?;
            if asked.state == RequestState::Cancelled {
                return Err(conflict("join", "cancelled"));
            }
            let doubts = need_seen(conn, *request, *study, seen)?;
            let case = matching::join_by_hand_in_tx(conn, actor, *request, *study)?;
            let row = cases::case_get(conn, case)?;
            let data = serde_json::json!({ "study": study, "differs": codes(&doubts), "reason": reason });
            record(conn, actor, &row, None, "joined_by_hand", data)?;
            Ok(Some(case))
        }
        Settle::OpenDefault(study) => {
            need_loose(conn, *study)?;
            let case = matching::open_default_in_tx(conn, actor, *study)?;
            let row = cases::case_get(conn, case)?;
            record(conn, actor, &row, None, "opened_by_hand", serde_json::json!({ "study": study, "reason": reason }))?;
            Ok(Some(case))
        }
        Settle::KeepForComparison(study) => {
            let row = need_loose(conn, *study)?;
            studies::study_match_in_tx(conn, *study, MatchState::Comparison, Some("by_hand"), None)?;
            let subject = Subject::row("study", study.0, Some(row.site_id));
            audit::append_in_tx(conn, actor, "study.keep_for_comparison", subject, "done", "")?;
            Ok(None)
        }
        Settle::Withdraw(request) => {
            let row = requests::request_get(conn, *request)?;
            if !matches!(row.state, RequestState::Waiting | RequestState::Doubtful) {
                return Err(conflict("withdraw", row.state.code()));
            }
            requests::request_state_in_tx(conn, *request, RequestState::Cancelled, Some(reason))?;
            let subject = Subject::row("request", request.0, Some(row.site_id));
            audit::append_in_tx(conn, actor, "request.withdraw", subject, "done", "")?;
            Ok(None)
        }
    }
}

/// A study that belongs to no open case.
fn need_loose(conn: &mut Connection, study: StudyId) -> std::result::Result<studies::StudyRow, StoreError> {
    let row = studies::study_get(conn, study)?;
    match row.match_state {
        MatchState::Unmatched | MatchState::Doubtful | MatchState::Comparison => Ok(row),
        MatchState::Arriving => Err(conflict("settle", "arriving")),
        MatchState::Matched => match open_case_of(conn, study)? {
            Some(_) => Err(conflict("settle", "elsewhere")),
            None => Ok(row),
        },
    }
}
