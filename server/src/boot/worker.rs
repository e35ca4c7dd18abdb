//! The services of background work: the job worker, the sealer of the audit trail, the sweeper of orphan objects.

use super::Services;
use crate::state::State;
use crate::work;

pub(super) fn begin(state: &State, services: &mut Services) {
    let worker = state.clone();
    services.add("worker", async move {
        work::run(worker, work::kinds::all()).await;
        Ok(())
    });
    let sealer = state.clone();
    services.add("sealer", async move {
        work::sealer::run(sealer).await;
        Ok(())
    });
    let arriving = state.clone();
    services.add("arrivals", async move {
        work::arriving::run(arriving).await;
        Ok(())
    });
    let sweeper = state.clone();
    services.add("sweeper", async move {
        work::orphans::run(sweeper).await;
        Ok(())
    });
}
