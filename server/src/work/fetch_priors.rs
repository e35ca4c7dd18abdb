//! Fetches the priors of a case from its site's PACS. A PACS that cannot be reached is tried again with a growing pause.

use dokuei_models::CaseId;

use super::Job;
use crate::app::priors;
use crate::state::State;

/// How long a fetch may take: a study of some gigabytes over a hospital's line.
pub const LEASE_SECONDS: u32 = 3_600;

/// Fetches for the case that the job's key names.
///
/// # Errors
/// A PACS could not be asked, or the database failed.
pub async fn run(state: State, job: Job) -> anyhow::Result<()> {
    let case: CaseId = job.id_of_key()?;
    priors::fetch(&state, case, job.last_chance).await
}
