//! Tells a peer which of its objects are safe here (PS3.4 annex J), over an association of its own.
//!
//! What is true is looked up anew at each attempt; a peer that does not answer is called again with a growing pause, also
//! after a restart, until it has been [`ASKED_FOR`]. Then the commitment has expired, which the peer's page shows.

use chrono::TimeDelta;
use dokuei_dicom_gateway::commitment::{self, PUSH_MODEL, PUSH_MODEL_INSTANCE};
use dokuei_dicom_gateway::scu::{self, Event, Timeouts};
use dokuei_models::store::commitments::{self, CommitmentState};
use dokuei_models::store::submissions;

use super::Job;
use crate::app::peers;
use crate::state::State;

/// How long a peer is called to be told what it asked.
pub const ASKED_FOR: TimeDelta = TimeDelta::hours(24);

/// Answers the commitment that the job's key names.
///
/// # Errors
/// It cannot be said or told at the moment; the job is tried again.
pub async fn run(state: State, job: Job) -> anyhow::Result<()> {
    let id: i64 = job.id_of_key()?;
    let (row, endpoint) = state
        .db
        .read(move |conn| {
            let row = commitments::commitment_get(conn, id)?;
            let endpoint = submissions::endpoint_get(conn, row.endpoint_id)?;
            Ok((row, endpoint))
        })
        .await?;
    // Asked again with the same transaction, it is answered again.
    if row.state == CommitmentState::Reported && job.attempt > 1 {
        return Ok(());
    }
    if row.state == CommitmentState::Expired {
        return Ok(());
    }
    let ours = &state.config.dicom.ae_title;
    let to = peers::destination(&state, &endpoint, Timeouts::default()).map_err(|said| anyhow::anyhow!(said.en))?;
    let findings = commitment::verify(&state.db, &state.objects, row.site_id, &row.references()?).await?;
    let event = Event {
        class: PUSH_MODEL,
        instance: PUSH_MODEL_INSTANCE,
        kind: findings.event_type(),
        information: findings.report(&row.transaction_uid, ours),
    };
    scu::report(&to, &event).await?;
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let (committed, failed, at) = (count(findings.committed.len()), count(findings.failed.len()), state.now());
    state.db.tx(move |conn| commitments::commitment_reported_in_tx(conn, id, committed, failed, at)).await?;
    Ok(())
}
