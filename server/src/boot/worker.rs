//! The services of background work: the job worker and the sealer of the audit trail.

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
}
