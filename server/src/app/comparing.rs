//! Two independent reports laid beside each other: do they agree?
//!
//! Findings are words, so that nobody but a person can tell. When both readers
//! have signed, the second of them sees the first's report for the first time and
//! says so; where he does not, a dispatcher does. The case is reported when they
//! agree. When they differ, a third reader reads it, who sees both.

use dokuei_models::state::{CaseEvent, ReadKind, VersionState, case_apply_in_tx};
use dokuei_models::store::cases::{self, COMPARE, CaseRow};
use dokuei_models::store::reads::{self, ReadRow};
use dokuei_models::store::{case_events, jobs, reports};
use dokuei_models::{Actor, CaseId, Connection, ReadId, StoreError};
use serde_json::json;

use super::form::need_reason;
use super::overriding::{case_within, conflict};
use super::signing::follow;
use super::worklist::{reader_of, tell};
use crate::authority::{Person, Reach};
use crate::error::codes::reading as codes;
use crate::error::{Error, Result};
use crate::state::State;

/// What the two reports are to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// They say the same.
    Agree,
    /// They differ, in this.
    Differ(String),
}

impl Comparison {
    /// From a form: `agree`, or `differ` with words.
    ///
    /// # Errors
    /// `form_invalid` without one of them, or where they differ and nobody says in what.
    pub fn of(outcome: &str, reason: &str) -> Result<Self> {
        match outcome {
            "agree" => Ok(Self::Agree),
            "differ" => Ok(Self::Differ(need_reason("reason", reason)?)),
            _ => Err(Error::new(&crate::error::codes::common::FORM_INVALID)
                .field("outcome", &crate::error::codes::common::FIELD_REQUIRED)),
        }
    }
}

/// The read that was signed last, of two independent ones that are both signed.
pub fn last_of_two<'a>(case: &CaseRow, all: &'a [ReadRow]) -> Option<&'a ReadRow> {
    let signed = || all.iter().filter(|read| read.kind == ReadKind::Independent && read.stands_signed(case));
    signed().max_by_key(|read| (read.signed_at, read.id)).filter(|_| signed().count() > 1)
}

/// Both are signed: whoever signed last is asked.
///
/// # Errors
/// What the database says.
pub(super) fn ask_in_tx(conn: &mut Connection, actor: &Actor, last: &ReadRow) -> std::result::Result<(), StoreError> {
    cases::case_flag_in_tx(conn, last.case_id, COMPARE, true)?;
    case_events::append_in_tx(conn, actor, last.case_id, Some(last.id), "compare_asked", &json!({}))
}

/// Whether the reader of this read is asked to compare.
///
/// # Errors
/// What the database says.
pub fn is_asked(conn: &mut Connection, case: &CaseRow, read: ReadId) -> std::result::Result<bool, StoreError> {
    if !case.has_flag(COMPARE) {
        return Ok(false);
    }
    let all = reads::read_list_of_case(conn, case.id)?;
    Ok(last_of_two(case, &all).is_some_and(|last| last.id == read))
}

/// Says what is asked of one's own read, if it is. Returns whether it is still asked.
///
/// # Errors
/// `not_found`.
pub async fn is_asked_of(state: &State, read: ReadId) -> Result<bool> {
    let asked = state.db.read(move |conn| {
        let case = reads::read_get(conn, read)?.case_id;
        let case = cases::case_get(conn, case)?;
        is_asked(conn, &case, read)
    });
    Ok(asked.await?)
}

/// The second reader compares.
///
/// # Errors
/// `compare_not_asked` for anybody but him, and when it has been done.
pub async fn compare(state: &State, person: &Person, read: ReadId, outcome: Comparison) -> Result<()> {
    let reader = reader_of(state, person).await?.id;
    let actor = person.actor(state.now());
    let case = state
        .db
        .tx(move |conn| {
            let row = reads::read_get(conn, read)?;
            if row.reader_id != Some(reader) {
                return Err(StoreError::NotFound("the read"));
            }
            let case = cases::case_get(conn, row.case_id)?;
            if !is_asked(conn, &case, read)? {
                return Err(conflict("compare", "not_asked"));
            }
            compare_in_tx(conn, &actor, case.id, &outcome)
        })
        .await
        .map_err(refused)?;
    tell(state, &case, Some(reader.0));
    state.wake.tell(crate::wake::Topic::Deliveries);
    Ok(())
}

/// A dispatcher compares, or has somebody compare and writes it down.
///
/// # Errors
/// `not_found` outside reach, `compare_not_asked`.
pub async fn compare_as_dispatcher(
    state: &State,
    person: &Person,
    reach: Reach,
    case: CaseId,
    outcome: Comparison,
) -> Result<()> {
    let actor = person.actor(state.now());
    let case = state
        .db
        .tx(move |conn| {
            let row = case_within(conn, &reach, case)?;
            compare_in_tx(conn, &actor, row.id, &outcome)
        })
        .await
        .map_err(refused)?;
    tell(state, &case, None);
    state.wake.tell(crate::wake::Topic::Deliveries);
    Ok(())
}

fn refused(error: StoreError) -> Error {
    match error {
        StoreError::Conflict { what: "compare", .. } => Error::new(&codes::COMPARE_NOT_ASKED),
        other => other.into(),
    }
}

/// The same within a transaction; returns the case as it is then.
///
/// # Errors
/// [`StoreError::Conflict`] when nobody is asked to compare.
pub fn compare_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    case: CaseId,
    outcome: &Comparison,
) -> std::result::Result<CaseRow, StoreError> {
    cases::case_lock_in_tx(conn, case)?;
    let row = cases::case_get(conn, case)?;
    let all = reads::read_list_of_case(conn, case)?;
    let (Some(last), true) = (last_of_two(&row, &all), row.has_flag(COMPARE)) else {
        return Err(conflict("compare", "not_asked"));
    };
    let (agrees, reason) = match outcome {
        Comparison::Agree => (true, String::new()),
        Comparison::Differ(reason) => (false, reason.clone()),
    };
    case_apply_in_tx(conn, actor, case, &CaseEvent::Compare { agrees, reason })?;
    cases::case_flag_in_tx(conn, case, COMPARE, false)?;
    if agrees {
        let of_last = reports::version_list_of_case(conn, case)?
            .into_iter()
            .rfind(|(report, version)| report.read_id == last.id && version.state != VersionState::Draft);
        let (_, version) = of_last.ok_or(StoreError::NotFound("the signed report"))?;
        follow::report_in_tx(conn, actor, case, version.id)?;
    } else {
        let number = all.iter().map(|read| read.number).max().unwrap_or(0) + 1;
        cases::read_create_in_tx(conn, actor, case, number, ReadKind::Third, last.expected_minutes)?;
        jobs::enqueue_plan_in_tx(conn, row.pool_id, actor.at)?;
    }
    cases::case_get(conn, case)
}
