//! Files what was kept apart of a study from elsewhere once a person has said whose it is.

use dokuei_models::StudyId;

use super::Job;
use crate::app::claims;
use crate::state::State;

/// How long it may take: a study has thousands of images.
pub const LEASE_SECONDS: u32 = 900;

/// Files the study that the job's key names.
///
/// # Errors
/// The store or the database failed; the job is tried again.
pub async fn run(state: State, job: Job) -> anyhow::Result<()> {
    let study: StudyId = job.id_of_key()?;
    claims::refile(&state, study).await
}
