//! Plans a pool: load, solve, apply.
//!
//! One worker plans a pool at a time, under a lease whose fencing number is
//! checked when the plan is applied. The solver runs on a thread of its own;
//! changes that come meanwhile make their reads stale and queue the job again.

use std::time::Instant;

use chrono::TimeDelta;
use dokuei_assigner::Budget;
use dokuei_models::store::{jobs, leases};
use dokuei_models::{Actor, PoolId, StoreError};

use super::Job;
use crate::app::planning;
use crate::state::State;
use crate::wake::Topic;

/// A plan that takes longer is given out as it is.
const MOST_SECONDS: f64 = 20.0;

/// Plans the pool that the job's key names.
///
/// # Errors
/// The database or the solver failed; the job is tried again.
pub async fn run(state: State, job: Job) -> anyhow::Result<()> {
    let pool: PoolId = job.id_of_key()?;
    let (now, holder, name) = (state.now(), format!("job-{}", job.id), planning::lease_name(pool));
    let taken = {
        let (name, holder) = (name.clone(), holder.clone());
        state.db.tx(move |conn| leases::lease_take_in_tx(conn, &name, &holder, now, TimeDelta::seconds(30))).await?
    };
    let Some(fencing) = taken else {
        // Another worker plans this pool right now and may have missed what queued this job.
        return later(&state, pool).await;
    };
    let snapshot = state.db.read(move |conn| planning::snapshot(conn, pool, now)).await?;
    let seed = u64::try_from(job.id.0).unwrap_or(0);
    let begun = Instant::now();
    let (snapshot, plan) = tokio::task::spawn_blocking(move || {
        let plan = dokuei_assigner::plan(&snapshot.problem, seed, &Budget::default(), &|| {
            begun.elapsed().as_secs_f64() / MOST_SECONDS
        });
        (snapshot, plan)
    })
    .await?;
    let plan = plan?;
    let solve_ms = i32::try_from(begun.elapsed().as_millis()).unwrap_or(i32::MAX);
    metrics::histogram!("dokuei_plan_seconds").record(begun.elapsed().as_secs_f64());
    let actor = Actor::system("planner", state.now());
    let applied =
        state.db.tx(move |conn| planning::apply_in_tx(conn, &actor, &snapshot, &plan, fencing, solve_ms)).await;
    let now = state.now();
    state.db.tx(move |conn| leases::lease_release_in_tx(conn, &name, &holder, now)).await?;
    let applied = match applied {
        Err(StoreError::Stale(_)) => return later(&state, pool).await,
        other => other?,
    };
    for reader in &applied.readers {
        state.wake.tell(Topic::Worklist(reader.0));
    }
    if applied.applied > 0 {
        state.wake.tell(Topic::Board(pool.0));
    }
    if applied.stale > 0 {
        return later(&state, pool).await;
    }
    Ok(())
}

/// Queues the pool once more, a moment later.
async fn later(state: &State, pool: PoolId) -> anyhow::Result<()> {
    let now = state.now();
    let again = jobs::NewJob::now("plan", pool.to_string(), now).at(now + TimeDelta::milliseconds(300));
    state.db.tx(move |conn| jobs::enqueue_in_tx(conn, &again)).await?;
    Ok(())
}
