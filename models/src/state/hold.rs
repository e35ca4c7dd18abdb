//! What a hold leaves behind when it ends: clocks that did not run.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;
use dokuei_terms::Priority;

use super::case::{CaseEvent, CaseState};
use super::case_apply::case_apply_in_tx;
use crate::actor::Actor;
use crate::codes::Code;
use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{CaseId, ContractId};
use crate::schema::cases;
use crate::store::{read_clocks, sites};

/// Why a due time moved when a hold ended.
const CLOCK_STOPPED: &str = "hold_stopped_the_clock";

/// A held case as it stood before its release.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = cases)]
pub(super) struct Held {
    /// Where it goes on.
    #[diesel(column_name = held_state)]
    pub state: Option<CaseState>,
    /// Since when it was held.
    #[diesel(column_name = held_at)]
    pub at: Option<NaiveDateTime>,
    /// The contract that says whether a hold stops the clock.
    pub contract_id: Option<ContractId>,
    /// Its priority.
    #[diesel(deserialize_as = Code<Priority>)]
    pub priority: Priority,
    /// When the report was owed before the hold ended.
    pub due_at: NaiveDateTime,
}

/// Gives the reads the time that was left to them, and the report too where the contract says so.
///
/// Every release comes through here, whoever caused it: the dispatcher, the site's answer, the clock.
///
/// # Errors
/// What the database says.
pub(super) fn resume_clocks_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    case: CaseId,
    held: &Held,
) -> Result<(), StoreError> {
    let Some(held_at) = held.at else { return Ok(()) };
    read_clocks::clocks_resume_in_tx(conn, case, held_at, actor.at)?;
    let contract = held.contract_id.map(|id| sites::contract_get(conn, id)).transpose()?;
    let stood = (actor.at - held_at).max(TimeDelta::zero());
    if contract.is_some_and(|contract| contract.hold_stops_clock) && !stood.is_zero() {
        let due_at = held.due_at + stood;
        let event = CaseEvent::Prioritise { priority: held.priority, due_at, reason: CLOCK_STOPPED.to_owned() };
        case_apply_in_tx(conn, actor, case, &event)?;
    }
    Ok(())
}
