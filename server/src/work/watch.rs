//! Looks over everything that waits, and moves or alarms: so that no case is in nobody's hands.
//!
//! Every half minute: a read in progress whose reader was not heard of goes back
//! to the pool if it has no draft, and alarms the dispatcher if it has one; shifts
//! are written some days ahead; each pool is planned anew (shifts begin and end,
//! waiting grows). Absent yet: taking a read that was not started in time away
//! from its reader.

use chrono::TimeDelta;
use dokuei_models::state::{CaseEvent, CaseState, ReadEvent, case_apply_in_tx, read_apply_in_tx};
use dokuei_models::store::{cases, jobs, reads, reports, shifts, sites};
use dokuei_models::{Actor, Connection, StoreError};

use super::Job;
use crate::state::State;
use crate::wake::Topic;

/// A reader of whom nothing was heard for so long has left his read.
const CLAIM_IDLE: TimeDelta = TimeDelta::minutes(15);

/// One round.
///
/// # Errors
/// The database failed; the next round comes.
pub async fn run(state: State, _: Job) -> anyhow::Result<()> {
    let actor = Actor::system("watch", state.now());
    let pools = state.db.tx(move |conn| round_in_tx(conn, &actor)).await?;
    for pool in pools {
        state.wake.tell(Topic::Board(pool));
    }
    state.wake.tell(Topic::Jobs);
    Ok(())
}

fn round_in_tx(conn: &mut Connection, actor: &Actor) -> Result<Vec<i64>, StoreError> {
    give_back_stale(conn, actor)?;
    shifts::shift_extend_in_tx(conn, actor.at)?;
    let pools: Vec<i64> = sites::pool_list(conn)?.into_iter().map(|(id, ..)| id.0).collect();
    for pool in &pools {
        jobs::enqueue_plan_in_tx(conn, dokuei_models::PoolId(*pool), actor.at)?;
    }
    Ok(pools)
}

fn give_back_stale(conn: &mut Connection, actor: &Actor) -> Result<(), StoreError> {
    for read in reads::read_list_stale(conn, actor.at - CLAIM_IDLE)? {
        let Some(reader) = read.reader_id else { continue };
        if reports::draft_exists(conn, read.id)? {
            reads::read_alarm_in_tx(conn, read.id, "stale_with_draft", actor.at)?;
            continue;
        }
        let back = ReadEvent::GiveBack { reader, reason: "not_heard_of".to_owned() };
        read_apply_in_tx(conn, actor, read.id, &back)?;
        let state = cases::case_get(conn, read.case_id)?.state;
        if state == CaseState::Reading {
            case_apply_in_tx(conn, actor, read.case_id, &CaseEvent::StopReading { read: read.id })?;
        }
    }
    Ok(())
}
