//! A study has been quiet for its site's quiet time: it counts as settled and looks for its case.

use chrono::TimeDelta;
use dokuei_models::state::{CaseEvent, case_apply_in_tx};
use dokuei_models::store::{cases, jobs, sites, studies};
use dokuei_models::{Actor, CaseId, Connection, PoolId, SiteId, StoreError, StudyId};

use super::Job;
use crate::app::{matching, opening};
use crate::state::State;
use crate::wake::Topic;

/// Settles the study that the job's key names.
///
/// # Errors
/// The database failed; the job is tried again.
pub async fn run(state: State, job: Job) -> anyhow::Result<()> {
    let study: StudyId = job.id_of_key()?;
    let actor = Actor::system("matcher", state.now());
    let settled = state.db.tx(move |conn| settle_in_tx(conn, &actor, study)).await?;
    let Some(settled) = settled else { return Ok(()) };
    state.wake.tell(Topic::Jobs);
    state.wake.tell(Topic::Board(settled.pool.0));
    state.wake.tell(Topic::Portal(settled.site.0));
    for case in settled.cases {
        state.wake.tell(Topic::Case(case.0));
    }
    Ok(())
}

struct Settled {
    site: SiteId,
    pool: PoolId,
    cases: Vec<CaseId>,
}

/// `None` when images came meanwhile: the quiet time runs anew.
fn settle_in_tx(conn: &mut Connection, actor: &Actor, study: StudyId) -> Result<Option<Settled>, StoreError> {
    let row = studies::study_get(conn, study)?;
    let site = sites::site_get(conn, row.site_id)?;
    let quiet_until = row.last_received_at + TimeDelta::seconds(i64::from(site.quiet_seconds));
    if quiet_until > actor.at {
        let again = jobs::NewJob::now("settle_study", study.to_string(), actor.at).at(quiet_until);
        jobs::enqueue_in_tx(conn, &again)?;
        return Ok(None);
    }
    let grown = row.settled_at.is_some() && row.instances > row.settled_instances;
    let again = row.settled_at.is_some() && !grown;
    studies::study_settle_in_tx(conn, study, actor.at)?;
    let mut cases: Vec<CaseId> = studies::study_cases(conn, study)?.into_iter().map(|(case, _)| case).collect();
    if cases.is_empty() {
        cases = matching::match_study_in_tx(conn, actor, study)?.cases;
    } else if !again {
        note_late_images(conn, actor, &cases, study, row.instances)?;
    }
    Ok(Some(Settled { site: site.id, pool: site.pool_id, cases }))
}

/// Tells each case of the study that more images came after it was put together.
fn note_late_images(
    conn: &mut Connection,
    actor: &Actor,
    of: &[CaseId],
    study: StudyId,
    instances: i32,
) -> Result<(), StoreError> {
    for case in of {
        cases::case_lock_in_tx(conn, *case)?;
        match case_apply_in_tx(conn, actor, *case, &CaseEvent::ImagesArrived { study, instances }) {
            Ok(state) if state.is_open() => opening::understand_parts_in_tx(conn, *case)?,
            // A cancelled case takes no notice.
            Ok(_) | Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
        cases::case_flag_in_tx(conn, *case, cases::LATE_IMAGES, true)?;
    }
    Ok(())
}
