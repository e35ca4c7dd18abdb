//! Looks over everything that waits, and moves or alarms: so that no case is in nobody's hands.
//!
//! Every half minute: a read in progress whose reader was not heard of goes back
//! to the pool if it has no draft, and alarms the dispatcher if it has one; a read
//! that its reader, being there, did not start within its priority's limit goes
//! back too, and alarms the dispatcher where he has pinned it; shifts are written
//! some days ahead; each pool is planned anew (shifts begin and end, waiting
//! grows).

use std::collections::BTreeSet;

use chrono::TimeDelta;
use dokuei_models::state::{OverrideKind, ReadEvent, read_apply_in_tx};
use dokuei_models::store::{jobs, overrides, read_clocks, reads, reports, shifts, sites};
use dokuei_models::{Actor, Connection, ReaderId, StoreError};

use super::Job;
use crate::app::worklist;
use crate::config::Work;
use crate::state::State;
use crate::wake::Topic;

/// A reader of whom nothing was heard for so long has left his read.
const CLAIM_IDLE: TimeDelta = TimeDelta::minutes(15);

/// One round.
///
/// # Errors
/// The database failed; the next round comes.
pub async fn run(state: State, _: Job) -> anyhow::Result<()> {
    let (actor, limits) = (Actor::system("watch", state.now()), state.config.work.clone());
    let (pools, readers) = state.db.tx(move |conn| round_in_tx(conn, &actor, &limits)).await?;
    for pool in pools {
        state.wake.tell(Topic::Board(pool));
    }
    for reader in readers {
        state.wake.tell(Topic::Worklist(reader.0));
    }
    state.wake.tell(Topic::Jobs);
    Ok(())
}

/// The round within a transaction: the pools that are planned anew, and the readers whose list changed.
///
/// # Errors
/// What the database says.
pub fn round_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    limits: &Work,
) -> Result<(Vec<i64>, BTreeSet<ReaderId>), StoreError> {
    let mut readers = give_back_stale(conn, actor)?;
    readers.extend(take_back_unstarted(conn, actor, limits)?);
    shifts::shift_extend_in_tx(conn, actor.at)?;
    let pools: Vec<i64> = sites::pool_list(conn)?.into_iter().map(|(id, ..)| id.0).collect();
    for pool in &pools {
        jobs::enqueue_plan_in_tx(conn, dokuei_models::PoolId(*pool), actor.at)?;
    }
    Ok((pools, readers))
}

fn take_back_unstarted(conn: &mut Connection, actor: &Actor, limits: &Work) -> Result<Vec<ReaderId>, StoreError> {
    let mut lost = Vec::new();
    for one in read_clocks::read_list_unstarted(conn, actor.at)? {
        let Some(reader) = one.read.reader_id else { continue };
        if actor.at - one.since < limits.start_within(one.priority) {
            continue;
        }
        let pinned = overrides::override_list(conn, &[one.read.case_id])?.iter().any(|decision| {
            decision.kind == OverrideKind::Pin
                && decision.reader_id == Some(reader)
                && decision.read_id.is_none_or(|which| which == one.read.id)
        });
        if pinned {
            // A plan would only bring it straight back: whoever pinned it decides.
            reads::read_alarm_in_tx(conn, one.read.id, "not_started", actor.at)?;
            continue;
        }
        let event = ReadEvent::NotStarted { reader, missed: one.read.missed_starts + 1 };
        read_apply_in_tx(conn, actor, one.read.id, &event)?;
        metrics::counter!("dokuei_reads_not_started_total", "priority" => one.priority.code()).increment(1);
        lost.push(reader);
    }
    Ok(lost)
}

fn give_back_stale(conn: &mut Connection, actor: &Actor) -> Result<BTreeSet<ReaderId>, StoreError> {
    let mut lost = BTreeSet::new();
    for read in read_clocks::read_list_stale(conn, actor.at - CLAIM_IDLE)? {
        let Some(reader) = read.reader_id else { continue };
        if reports::draft_exists(conn, read.id)? {
            reads::read_alarm_in_tx(conn, read.id, "stale_with_draft", actor.at)?;
            continue;
        }
        let back = ReadEvent::GiveBack { reader, reason: "not_heard_of".to_owned() };
        read_apply_in_tx(conn, actor, read.id, &back)?;
        worklist::stop_reading_in_tx(conn, actor, read.id)?;
        lost.insert(reader);
    }
    Ok(lost)
}
