//! What went wrong where nobody looks: dead deliveries and jobs, quarantine, strangers, silent peers.

use chrono::{NaiveDateTime, TimeDelta};
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::cases::{self, CaseRow, IDENTITY_CHANGED, IMAGES_WITHDRAWN, WITHDRAWAL_ASKED};
use dokuei_models::store::deliveries::{self, DeadDelivery};
use dokuei_models::store::endpoint_states::{self, EndpointStateRow};
use dokuei_models::store::jobs::{self, JobRow};
use dokuei_models::store::quarantine::{self, QuarantineOutcome, QuarantineRow, RefusalRow};
use dokuei_models::store::sites::{self, EndpointRow, SiteRow};
use dokuei_models::store::{case_events, images, study_claims};
use dokuei_models::{CaseId, Connection, EndpointId, JobId, SiteId, StoreError};

use super::board;
use super::claims::{self, Claim};
use super::conflicts::{self, Waiting};
use crate::authority::{Person, Reach};
use crate::error::{Error, Result};
use crate::state::State;
use crate::wake::Topic;

/// A peer that sent before and has been quiet for so long is *silent*.
const SILENT_AFTER: TimeDelta = TimeDelta::hours(24);
/// Strangers of this long are shown.
const REFUSALS_OF: TimeDelta = TimeDelta::hours(24);
const MOST: i64 = 200;
/// Objects kept apart that are listed after somebody decided on them.
const RESOLVED: i64 = 20;

/// How much of each there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trouble {
    /// Deliveries that were tried too often.
    pub deliveries: usize,
    /// Jobs that were tried too often.
    pub jobs: usize,
    /// Objects kept apart.
    pub quarantine: i64,
    /// Cases whose site has withdrawn images.
    pub withdrawn: usize,
    /// Cases whose reports' withdrawal is asked for.
    pub asked: usize,
    /// Images that contradict what is shown.
    pub conflicts: i64,
    /// Studies from elsewhere that their site itself sends.
    pub claims: usize,
    /// Strangers of the last day.
    pub refusals: i64,
    /// Peers that have been quiet.
    pub silent: usize,
}

impl Trouble {
    /// Whether there is nothing.
    pub const fn is_none(&self) -> bool {
        self.deliveries == 0
            && self.jobs == 0
            && self.quarantine == 0
            && self.conflicts == 0
            && self.withdrawn == 0
            && self.asked == 0
            && self.claims == 0
            && self.refusals == 0
            && self.silent == 0
    }
}

/// The lists behind the numbers.
#[derive(Debug, Clone)]
pub struct TroubleLists {
    /// The sites within reach.
    pub sites: Vec<SiteRow>,
    /// Dead deliveries.
    pub deliveries: Vec<DeadDelivery>,
    /// Dead jobs.
    pub jobs: Vec<JobRow>,
    /// Objects kept apart.
    pub quarantine: Vec<QuarantineRow>,
    /// Those that somebody decided on lately.
    pub quarantine_done: Vec<QuarantineRow>,
    /// Cases whose site has withdrawn images.
    pub withdrawn: Vec<CaseRow>,
    /// Cases whose reports' withdrawal is asked for.
    pub asked: Vec<CaseRow>,
    /// Studies of which versions wait.
    pub conflicts: Vec<Waiting>,
    /// Studies from elsewhere that their site itself sends.
    pub claims: Vec<Claim>,
    /// Strangers.
    pub refusals: Vec<RefusalRow>,
    /// Silent peers.
    pub silent: Vec<EndpointRow>,
    /// How they were found when they were last called.
    pub states: Vec<EndpointStateRow>,
}

impl TroubleLists {
    /// Since when and how often in a row a peer did not answer, where it is called from time to time.
    pub fn failing(&self, endpoint: EndpointId) -> Option<(NaiveDateTime, i32)> {
        let state = self.states.iter().find(|state| state.endpoint_id == endpoint)?;
        state.failing_since.map(|since| (since, state.failures))
    }
}

/// Counts.
///
/// # Errors
/// What the database says.
pub fn count(conn: &mut Connection, site_rows: &[SiteRow], now: NaiveDateTime) -> Result<Trouble, StoreError> {
    let ids: Vec<SiteId> = site_rows.iter().map(|site| site.id).collect();
    Ok(Trouble {
        deliveries: dead_deliveries(conn, &ids)?.len(),
        jobs: jobs::job_list_dead(conn, MOST)?.len(),
        quarantine: quarantine::quarantine_list_open(conn, &ids, 1)?.1,
        withdrawn: cases::case_list_flagged(conn, &ids, IMAGES_WITHDRAWN, MOST)?.len(),
        asked: cases::case_list_flagged(conn, &ids, WITHDRAWAL_ASKED, MOST)?.len(),
        conflicts: images::version_count_waiting(conn, &ids)?,
        claims: study_claims::claim_list_waiting(conn, &ids, MOST)?.len(),
        refusals: quarantine::refusal_list(conn, now - REFUSALS_OF, 1)?.1,
        silent: silent(conn, site_rows, now)?.len(),
    })
}

fn dead_deliveries(conn: &mut Connection, ids: &[SiteId]) -> Result<Vec<DeadDelivery>, StoreError> {
    let mut dead = deliveries::delivery_list_dead(conn, MOST)?;
    dead.retain(|one| ids.contains(&one.site));
    Ok(dead)
}

/// Active peers that sent before, not lately; and those whose last contact failed.
fn silent(conn: &mut Connection, site_rows: &[SiteRow], now: NaiveDateTime) -> Result<Vec<EndpointRow>, StoreError> {
    let mut peers = sites::endpoint_list(conn, None)?;
    peers.retain(|peer| {
        let ours = site_rows.iter().any(|site| site.id == peer.site_id && site.active);
        let quiet = peer.sends && peer.last_contact_at.is_some_and(|at| at < now - SILENT_AFTER);
        ours && peer.active && (quiet || peer.last_error.is_some())
    });
    Ok(peers)
}

/// Everything, for the page.
///
/// # Errors
/// What the database says.
pub async fn lists(state: &State, reach: Reach) -> Result<TroubleLists> {
    let now = state.now();
    let load = move |conn: &mut Connection| {
        let site_rows = board::sites_within(conn, &reach)?;
        let ids: Vec<SiteId> = site_rows.iter().map(|site| site.id).collect();
        Ok(TroubleLists {
            deliveries: dead_deliveries(conn, &ids)?,
            jobs: jobs::job_list_dead(conn, MOST)?,
            quarantine: quarantine::quarantine_list_open(conn, &ids, MOST)?.0,
            quarantine_done: quarantine::quarantine_list_resolved(conn, &ids, RESOLVED)?,
            withdrawn: cases::case_list_flagged(conn, &ids, IMAGES_WITHDRAWN, MOST)?,
            asked: cases::case_list_flagged(conn, &ids, WITHDRAWAL_ASKED, MOST)?,
            conflicts: conflicts::waiting(conn, &site_rows)?,
            claims: claims::waiting(conn, &site_rows)?,
            refusals: quarantine::refusal_list(conn, now - REFUSALS_OF, MOST)?.0,
            silent: silent(conn, &site_rows, now)?,
            states: endpoint_states::endpoint_state_list(conn)?,
            sites: site_rows,
        })
    };
    Ok(state.db.read(load).await?)
}

/// Has a dead job done once more, from the first try.
///
/// # Errors
/// `already_done` when it is not dead any more.
pub async fn revive(state: &State, person: &Person, job: JobId) -> Result<()> {
    let actor = person.actor(state.now());
    state
        .db
        .tx(move |conn| {
            jobs::job_revive_in_tx(conn, job, actor.at)?;
            audit::append_in_tx(conn, &actor, "job.revive", Subject::row("job", job.0, None), "done", "")
        })
        .await?;
    state.wake.tell(Topic::Jobs);
    Ok(())
}

/// Discards an object kept apart: its bytes are kept, and shown nowhere.
///
/// # Errors
/// `not_found` outside reach, `already_done` when somebody was first.
pub async fn discard(state: &State, person: &Person, reach: Reach, id: i64, reason: String) -> Result<()> {
    let actor = person.actor(state.now());
    let within = state
        .db
        .tx(move |conn| {
            let row = quarantine::quarantine_get(conn, id)?;
            let site = sites::site_get(conn, row.site_id)?;
            if !reach.covers(site.id, site.pool_id) {
                return Ok(false);
            }
            quarantine::quarantine_resolve_in_tx(conn, &actor, id, QuarantineOutcome::Discarded, &reason)?;
            Ok(true)
        })
        .await?;
    if within { Ok(()) } else { Err(Error::not_found()) }
}

/// Notes what a person decided about a case whose site has withdrawn images: a signed report stands, or was withdrawn.
/// A held case is released on its own page.
///
/// # Errors
/// `not_found` outside reach, `already_done` when it is settled.
pub async fn settle_withdrawn(
    state: &State,
    person: &Person,
    reach: Reach,
    case: CaseId,
    reason: String,
) -> Result<()> {
    let actor = person.actor(state.now());
    let row = state
        .db
        .tx(move |conn| {
            cases::case_lock_in_tx(conn, case)?;
            let row = cases::case_get(conn, case)?;
            if !reach.covers(row.site_id, row.pool_id) {
                return Err(StoreError::NotFound("the case"));
            }
            if !row.has_flag(IMAGES_WITHDRAWN) {
                return Err(StoreError::Repeat("the decision"));
            }
            cases::case_flag_in_tx(conn, case, IMAGES_WITHDRAWN, false)?;
            let data = serde_json::json!({ "reason": reason });
            case_events::append_in_tx(conn, &actor, case, None, "images_withdrawn_settled", &data)?;
            let subject = Subject::case(case, row.site_id);
            audit::append_in_tx(conn, &actor, "case.images_withdrawn_settled", subject, "done", &reason)?;
            if row.has_flag(WITHDRAWAL_ASKED) && !row.has_flag(IDENTITY_CHANGED) {
                images::reports_stand_in_tx(conn, &actor, case, &reason)?;
            }
            Ok(row)
        })
        .await?;
    super::worklist::tell(state, &row, None);
    Ok(())
}
