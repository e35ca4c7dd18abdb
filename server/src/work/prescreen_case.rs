//! Prescreens a case again because its studies changed.

use dokuei_models::store::cases;
use dokuei_models::store::jobs;
use dokuei_models::{Actor, CaseId};

use super::Job;
use crate::app::prescreening;
use crate::state::State;
use crate::wake::Topic;

/// Prescreens the case that the job's key names, and has its pool planned anew.
///
/// # Errors
/// The database failed; the job is tried again.
pub async fn run(state: State, job: Job) -> anyhow::Result<()> {
    let case: CaseId = job.id_of_key()?;
    let actor = Actor::system("prescreen", state.now());
    let pool = state
        .db
        .tx(move |conn| {
            prescreening::prescreen_case_in_tx(conn, &actor, case)?;
            let pool = cases::case_get(conn, case)?.pool_id;
            jobs::enqueue_plan_in_tx(conn, pool, actor.at)?;
            Ok(pool)
        })
        .await?;
    state.wake.tell(Topic::Case(case.0));
    state.wake.tell(Topic::Board(pool.0));
    state.wake.tell(Topic::Jobs);
    Ok(())
}
