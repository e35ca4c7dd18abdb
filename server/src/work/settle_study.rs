//! A study counts as here: all that was counted has come, or its site's quiet time has passed. It looks for its case;
//! where it has one, that hears what came late.

use chrono::TimeDelta;
use dokuei_models::state::{CaseEvent, case_apply_in_tx};
use dokuei_models::store::{cases, jobs, sites, studies};
use dokuei_models::{Actor, CaseId, Connection, PoolId, SiteId, StoreError, StudyId};

use super::Job;
use crate::app::signing::reopen_late_in_tx;
use crate::app::{arrivals, matching, opening};
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
    state.wake.tell(Topic::Jobs);
    arrivals::tell(&state, settled.site, settled.pool.0, &settled.cases);
    for reader in settled.readers {
        state.wake.tell(Topic::Worklist(reader));
    }
    Ok(())
}

struct Settled {
    site: SiteId,
    pool: PoolId,
    cases: Vec<CaseId>,
    readers: Vec<i64>,
}

/// Images may have come meanwhile: then the quiet time runs anew, unless all is here by somebody's count.
fn settle_in_tx(conn: &mut Connection, actor: &Actor, study: StudyId) -> Result<Settled, StoreError> {
    let looked = arrivals::look_in_tx(conn, actor, study)?;
    let row = looked.study;
    let site = sites::site_get(conn, row.site_id)?;
    let quiet_until = row.last_received_at + TimeDelta::seconds(i64::from(site.quiet_seconds));
    let mut settled = Settled { site: site.id, pool: site.pool_id, cases: looked.cases, readers: Vec::new() };
    if quiet_until > actor.at && !looked.known.is_complete() {
        settled.cases.extend(arrivals::open_early_in_tx(conn, actor, study)?);
        let again = jobs::NewJob::now("settle_study", study.to_string(), actor.at).at(quiet_until);
        jobs::enqueue_in_tx(conn, &again)?;
        return Ok(settled);
    }
    let grown = row.settled_at.is_some() && row.instances > row.settled_instances;
    let again = row.settled_at.is_some() && !grown;
    studies::study_settle_in_tx(conn, study, actor.at)?;
    if row.instances == 0 {
        // All of it is withdrawn.
        return Ok(settled);
    }
    if settled.cases.is_empty() {
        settled.cases = matching::match_study_in_tx(conn, actor, study)?.cases;
    } else if !again {
        let late = NoteLate { study, instances: row.instances };
        for case in settled.cases.clone() {
            settled.readers.extend(late.in_tx(conn, actor, case)?);
        }
    }
    Ok(settled)
}

struct NoteLate {
    study: StudyId,
    instances: i32,
}

impl NoteLate {
    /// Tells a case that more images came after it was put together. A reported one is reopened; the reader who gets it.
    fn in_tx(&self, conn: &mut Connection, actor: &Actor, case: CaseId) -> Result<Option<i64>, StoreError> {
        cases::case_lock_in_tx(conn, case)?;
        let event = CaseEvent::ImagesArrived { study: self.study, instances: self.instances };
        let mut reader = None;
        match case_apply_in_tx(conn, actor, case, &event) {
            Ok(state) if state.is_open() => opening::understand_parts_in_tx(conn, case)?,
            Ok(state) if arrivals::is_reported(state) => {
                reader = reopen_late_in_tx(conn, actor, case, self.study)?.map(|reader| reader.0);
            }
            // A cancelled case takes no notice.
            Ok(_) | Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
        cases::case_flag_in_tx(conn, case, cases::LATE_IMAGES, true)?;
        Ok(reader)
    }
}
