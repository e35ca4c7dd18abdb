//! Writes a plan back into rows, item by item.
//!
//! A plan that changes nothing leaves no row: its row is written with the first
//! item that changes something.

use std::collections::BTreeSet;

use chrono::{NaiveDateTime, TimeDelta};
use dokuei_assigner::{Plan, WaitReason};
use dokuei_models::state::{AssignedRead, ReadEvent, ReadState, read_apply_in_tx, read_assign_in_tx};
use dokuei_models::store::leases;
use dokuei_models::store::plans::{self, PlanRow};
use dokuei_models::store::reads::{self, ReadRow};
use dokuei_models::{Actor, Connection, PlanId, PoolId, ReadId, ReaderId, StoreError};

use super::Snapshot;

/// How long a read that nobody can take waits before a person looks, by nothing but its priority's due time at most.
const LOOK_AGAIN_MINUTES: i64 = 15;

/// What a plan changed, for those who must hear of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// The plan's row; none where nothing changed.
    pub plan: Option<PlanId>,
    /// Readers whose list changed.
    pub readers: BTreeSet<ReaderId>,
    /// Items written.
    pub applied: i32,
    /// Items whose read had changed meanwhile.
    pub stale: i32,
    /// Reads that have nobody.
    pub waiting: i32,
}

/// Applies a plan item by item.
///
/// # Errors
/// [`StoreError::Stale`] when the lease was lost, or what the database says. Stale items are no error.
pub fn apply_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    snapshot: &Snapshot,
    plan: &Plan,
    fencing: i64,
    solve_ms: i32,
) -> Result<Applied, StoreError> {
    if !leases::lease_holds(conn, &lease_name(snapshot.pool), fencing)? {
        return Err(StoreError::Stale("the lease on the pool's plan"));
    }
    let parent = plans::plan_newest_applied(conn, snapshot.pool)?;
    let headline = plan.headline();
    let row = PlanRow {
        pool_id: snapshot.pool,
        parent_id: parent,
        fencing,
        seed: i64::try_from(plan.seed).unwrap_or(i64::MAX),
        reads: count(snapshot.problem.reads.len()),
        readers: count(snapshot.problem.readers.len()),
        assigned: count(plan.items.len()),
        waiting: count(plan.waiting.len()),
        applied: 0,
        stale: 0,
        objective: headline.map_or(0.0, |level| level.value),
        bound: headline.map_or(0.0, |level| level.bound),
        gap: headline.map_or(0.0, |level| level.gap),
        stopped_by: code_of(&plan.stopped_by),
        solve_ms,
        at: snapshot.at,
    };
    let mut written = Written { row, id: None };
    let mut done = Applied { waiting: count(plan.waiting.len()), ..Applied::default() };
    for item in &plan.items {
        let Some(seen) = snapshot.reads.get(&ReadId(item.read)) else { continue };
        apply_item(conn, actor, &mut written, seen, item, &mut done)?;
    }
    for waiting in &plan.waiting {
        let Some(seen) = snapshot.reads.get(&ReadId(waiting.read)) else { continue };
        apply_waiting(conn, actor, &mut written, seen, waiting, snapshot.at, &mut done)?;
    }
    done.plan = written.id;
    if let Some(id) = written.id {
        plans::plan_applied_in_tx(conn, id, done.applied, done.stale)?;
    }
    Ok(done)
}

/// A plan's row, not there before the first change.
struct Written {
    row: PlanRow,
    id: Option<PlanId>,
}

impl Written {
    fn id(&mut self, conn: &mut Connection) -> Result<PlanId, StoreError> {
        if let Some(id) = self.id {
            return Ok(id);
        }
        let id = plans::plan_create_in_tx(conn, &self.row)?;
        self.id = Some(id);
        Ok(id)
    }
}

/// The lease under which a pool is planned.
pub fn lease_name(pool: PoolId) -> String {
    format!("plan:{pool}")
}

fn count(length: usize) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

/// A vocabulary value's stable name, as it is in JSON.
fn code_of(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(code)) => code,
        Ok(serde_json::Value::Object(map)) => {
            map.get("reason").and_then(|reason| reason.as_str()).unwrap_or_default().to_owned()
        }
        _ => String::new(),
    }
}

fn to_json(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Damaged(error.to_string()))
}

fn apply_item(
    conn: &mut Connection,
    actor: &Actor,
    written: &mut Written,
    seen: &ReadRow,
    item: &dokuei_assigner::Item,
    done: &mut Applied,
) -> Result<(), StoreError> {
    let reader = ReaderId(item.reader);
    // Sparse, so that a read can be put between two others.
    let place = i32::try_from(item.rank).unwrap_or(i32::MAX / 10).saturating_mul(10);
    let same_reader = seen.state == ReadState::Assigned && seen.reader_id == Some(reader);
    if same_reader && seen.place_in_list == place && !seen.explanation.is_empty() {
        return Ok(());
    }
    let plan = written.id(conn)?;
    let explanation = to_json(&item.explanation)?;
    let assigned = AssignedRead {
        read: seen.id,
        seen_version: seen.version,
        reader,
        plan: Some(plan),
        place_in_list: place,
        explanation: explanation.clone(),
    };
    let outcome = match read_assign_in_tx(conn, actor, &assigned) {
        Ok(()) => "applied",
        Err(StoreError::Stale(_) | StoreError::NotFound(_)) => "stale",
        Err(error) => return Err(error),
    };
    if outcome == "applied" {
        done.applied += 1;
        done.readers.insert(reader);
        done.readers.extend(seen.reader_id);
    } else {
        done.stale += 1;
    }
    if !same_reader {
        plans::plan_item_add_in_tx(conn, plan, seen.id, Some(reader), place, &explanation, outcome)?;
    }
    Ok(())
}

fn apply_waiting(
    conn: &mut Connection,
    actor: &Actor,
    written: &mut Written,
    seen: &ReadRow,
    waiting: &dokuei_assigner::Waiting,
    at: NaiveDateTime,
    done: &mut Applied,
) -> Result<(), StoreError> {
    let reason = match waiting.reason {
        WaitReason::NoReader => "no_reader",
        WaitReason::NobodyEligible => "nobody_eligible",
        WaitReason::PinBlocked { .. } => "pin_blocked",
        WaitReason::PinUnknown { .. } => "pin_unknown",
        WaitReason::OthersOfCase => "others_of_case",
    };
    let result = (|| {
        if seen.state == ReadState::Assigned {
            let gone = ReadEvent::Unassign { reason: "nobody_can_take_it_now".to_owned() };
            read_apply_in_tx(conn, actor, seen.id, &gone)?;
            done.readers.extend(seen.reader_id);
        } else if seen.waiting_reason.as_deref() == Some(reason) {
            return Ok(false);
        }
        let until = at + TimeDelta::minutes(LOOK_AGAIN_MINUTES);
        read_apply_in_tx(conn, actor, seen.id, &ReadEvent::Wait { reason: reason.to_owned(), until })?;
        reads::read_explain_in_tx(conn, seen.id, &to_json(waiting)?)?;
        Ok(true)
    })();
    match result {
        Ok(changed) => {
            if changed {
                done.applied += 1;
                let plan = written.id(conn)?;
                plans::plan_item_add_in_tx(conn, plan, seen.id, None, 0, &to_json(waiting)?, "applied")?;
            }
            Ok(())
        }
        Err(StoreError::Conflict { .. } | StoreError::Repeat(_) | StoreError::NotFound(_)) => {
            done.stale += 1;
            Ok(())
        }
        Err(error) => Err(error),
    }
}
