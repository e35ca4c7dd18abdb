//! While studies arrive: every two seconds each is looked at, so that pages and readers see what is here.
//!
//! What arrives is known by its waiting `settle_study` job; nothing is written
//! for it when an image is kept. Several workers may look at once: a version is
//! noted by one.

use std::time::Duration;

use dokuei_models::store::{jobs, sites};
use dokuei_models::{Actor, StoreError, StudyId};

use crate::app::arrivals;
use crate::state::State;
use crate::wake::Topic;

const EVERY: Duration = Duration::from_secs(2);
/// Studies that are looked at in one round.
const MOST: i64 = 200;

/// Looks until the process stops.
pub async fn run(state: State) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = state.stopped() => return,
        }
        if let Err(error) = look(&state).await {
            tracing::warn!(%error, "arriving studies were not looked at");
        }
    }
}

/// One round.
///
/// # Errors
/// The database cannot be asked.
pub async fn look(state: &State) -> Result<(), StoreError> {
    let keys = state.db.read(|conn| jobs::job_keys_queued(conn, "settle_study", MOST)).await?;
    for study in keys.iter().filter_map(|key| key.parse::<StudyId>().ok()) {
        let actor = Actor::system("arrivals", state.now());
        let looked = state
            .db
            .tx(move |conn| {
                let looked = arrivals::look_in_tx(conn, &actor, study)?;
                let opened = arrivals::open_early_in_tx(conn, &actor, study)?;
                let pool = sites::site_get(conn, looked.study.site_id)?.pool_id;
                Ok((looked, opened, pool))
            })
            .await;
        let (looked, opened, pool) = match looked {
            Ok(found) => found,
            // Another worker was first, or the study is being changed: the next round sees it.
            Err(StoreError::TryAgain | StoreError::NotFound(_)) => continue,
            Err(error) => return Err(error),
        };
        let fresh = state.now() - looked.study.last_received_at < chrono::TimeDelta::seconds(5);
        if looked.changed || fresh || !opened.is_empty() {
            let cases = if looked.changed { looked.cases } else { Vec::new() };
            arrivals::tell(state, looked.study.site_id, pool.0, &[cases, opened.clone()].concat());
        }
        if !opened.is_empty() {
            state.wake.tell(Topic::Jobs);
        }
    }
    Ok(())
}
