//! Housekeeping of every hour: ended sessions, old login attempts, finished jobs, plans of which nothing was applied,
//! storage commitments that could not be told.

use chrono::TimeDelta;
use dokuei_models::store::{commitments, jobs, login_attempts, plans, sessions};

use super::Job;
use super::report_commitment::ASKED_FOR;
use crate::app::throttle;
use crate::state::State;

/// How long a finished job is kept to be looked at.
const JOBS_KEPT: TimeDelta = TimeDelta::days(7);
/// How long a plan is kept that everything had moved away from before it was applied.
const PLANS_KEPT: TimeDelta = TimeDelta::days(7);
const PLANS_AT_ONCE: i64 = 1_000;

/// Sweeps once.
///
/// # Errors
/// Only the database's own.
pub async fn run(state: State, _: Job) -> anyhow::Result<()> {
    let now = state.now();
    let idle_since = now - TimeDelta::minutes(i64::from(state.config.security.session_idle_minutes));
    let (sessions, jobs, plans, commitments) = state
        .db
        .tx(move |connection| {
            let sessions = sessions::session_sweep_in_tx(connection, now, idle_since)?;
            login_attempts::login_attempt_sweep_in_tx(connection, now - throttle::MEMORY)?;
            let plans = plans::plan_sweep_in_tx(connection, now - PLANS_KEPT, PLANS_AT_ONCE)?;
            let expired = commitments::commitment_expire_in_tx(connection, now - ASKED_FOR)?;
            Ok((sessions, jobs::job_sweep_in_tx(connection, now - JOBS_KEPT)?, plans, expired))
        })
        .await?;
    tracing::debug!(sessions, jobs, plans, commitments, "swept");
    Ok(())
}
