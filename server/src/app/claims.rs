//! Studies from elsewhere that the site itself sends: a dispatcher says whose they are, and what was kept apart goes there.

use dokuei_dicom_gateway::intake::{self, Archive as _, IndexedArchive, Kept, ReceivedObject};
use dokuei_models::objects::KeptObject;
use dokuei_models::state::Whose;
use dokuei_models::store::images::{self, ArrivalCounts, Decision, InstanceFacts, NewArrival, Standing};
use dokuei_models::store::jobs::{self, NewJob};
use dokuei_models::store::patients::{self, PatientRow};
use dokuei_models::store::quarantine::{self, QuarantineOutcome, QuarantineRow};
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_models::store::studies::{self, StudyRow};
use dokuei_models::store::study_claims::{self, ClaimDecision, ClaimRow};
use dokuei_models::{Actor, ArrivalId, Connection, SiteId, StoreError, StudyId};

use super::elsewhere;
use super::form::need_reason;
use crate::authority::{Person, Reach};
use crate::error::Result;
use crate::state::State;
use crate::wake::Topic;

/// Questions that are listed.
const MOST: i64 = 100;
/// The job that files what was kept apart; its key is the study.
pub const REFILE: &str = "refile_claimed";
/// Objects of a study that are filed by one job at the most.
const AT_ONCE: i64 = 20_000;

/// A question.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Its row.
    pub row: ClaimRow,
    /// The study as it came from elsewhere.
    pub study: StudyRow,
    /// Its patient by that medium.
    pub foreign: PatientRow,
    /// What the site's own header says.
    pub said: InstanceFacts,
    /// How many images wait.
    pub waiting: i64,
}

/// The questions of some sites.
///
/// # Errors
/// What the database says.
pub fn waiting(conn: &mut Connection, site_rows: &[SiteRow]) -> Result<Vec<Claim>, StoreError> {
    let ids: Vec<SiteId> = site_rows.iter().map(|site| site.id).collect();
    let mut found = Vec::new();
    for row in study_claims::claim_list_waiting(conn, &ids, MOST)? {
        let study = studies::study_get(conn, row.study_id)?;
        let foreign = patients::patient_get(conn, study.patient_id)?;
        let waiting = quarantine::quarantine_count_claimed(conn, row.site_id, row.study_id)?;
        found.push(Claim { said: row.said()?, row, study, foreign, waiting });
    }
    Ok(found)
}

/// Says whose a study is.
///
/// # Errors
/// `not_found` outside reach, `form_invalid` without a reason, `already_done`.
pub async fn decide(
    state: &State,
    person: &Person,
    reach: Reach,
    study: StudyId,
    decision: ClaimDecision,
    reason: &str,
) -> Result<()> {
    let reason = need_reason("reason", reason)?;
    let actor = person.actor(state.now());
    let touched = state
        .db
        .tx(move |conn| {
            let row = study_claims::claim_get(conn, study)?;
            let site = sites::site_get(conn, row.site_id)?;
            if !reach.covers(site.id, site.pool_id) {
                return Err(StoreError::NotFound("the question"));
            }
            study_claims::claim_decide_in_tx(conn, &actor, study, decision, &reason)?;
            let touched = match decision {
                // It stood beside cases for comparison; now it is to be read itself.
                ClaimDecision::Ours => elsewhere::detach_study_in_tx(conn, &actor, study, &reason)?,
                ClaimDecision::Elsewhere => Vec::new(),
            };
            jobs::enqueue_in_tx(conn, &NewJob::now(REFILE, study.to_string(), actor.at))?;
            Ok(touched)
        })
        .await?;
    state.wake.tell(Topic::Jobs);
    for case in touched {
        state.wake.tell(Topic::Case(case.0));
    }
    Ok(())
}

/// Files what was kept apart of a study that was decided on. What is filed already changes nothing.
///
/// # Errors
/// The store or the database failed; the job is tried again.
pub async fn refile(state: &State, study: StudyId) -> anyhow::Result<()> {
    let (claim, row, apart) = state
        .db
        .read(move |conn| {
            let claim = study_claims::claim_get(conn, study)?;
            let apart = quarantine::quarantine_list_claimed(conn, claim.site_id, study, AT_ONCE)?;
            Ok((claim, studies::study_get(conn, study)?, apart))
        })
        .await?;
    let Some(decision) = claim.decision.filter(|_| !apart.is_empty()) else { return Ok(()) };
    let wake = state.wake.clone();
    let archive = IndexedArchive::new(state.db.clone(), state.objects.clone()).telling(move || wake.tell(Topic::Jobs));
    let arrival = archive
        .open(NewArrival {
            site: claim.site_id,
            endpoint: None,
            user: claim.decided_by,
            via: "import",
            whose: if decision == ClaimDecision::Ours { Whose::Ours } else { Whose::Elsewhere },
            calling_ae: String::new(),
            address: String::new(),
            at: state.now(),
        })
        .await?;
    let mut counts = ArrivalCounts::default();
    for object in apart {
        match file(state, &archive, (&claim, arrival), &row, decision, object).await? {
            Some(Kept::New(_)) => counts.kept += 1,
            Some(Kept::Repeat(_) | Kept::Renewed(_)) => counts.repeated += 1,
            Some(Kept::Conflict(_) | Kept::Quarantined(_)) | None => counts.quarantined += 1,
        }
    }
    archive.close(arrival, counts, "done").await?;
    settle_headers(state, study, decision, claim.reason.unwrap_or_default()).await?;
    state.wake.tell(Topic::Jobs);
    Ok(())
}

/// Files one object; `None` where it cannot be read any more, which leaves it apart.
async fn file(
    state: &State,
    archive: &IndexedArchive,
    (claim, arrival): (&ClaimRow, ArrivalId),
    study: &StudyRow,
    decision: ClaimDecision,
    object: QuarantineRow,
) -> anyhow::Result<Option<Kept>> {
    let bytes = state.objects.get_checked(&object.object_key, &object.sha256).await?;
    let read = ReceivedObject::from_file(&bytes).ok().and_then(|object| object.header().ok()?.ok());
    let Some(header) = read else { return Ok(None) };
    let facts = match decision {
        ClaimDecision::Ours => intake::facts(&header),
        ClaimDecision::Elsewhere => InstanceFacts { identity: study.identity(), ..intake::facts(&header) },
    };
    let kept = KeptObject { key: object.object_key, sha256: object.sha256, size: object.size };
    let filed = archive.file_as(claim.site_id, arrival, facts, kept, bytes).await?;
    let (actor, id) = (Actor::system("claims", state.now()), object.id);
    let reason = claim.reason.clone().unwrap_or_default();
    let resolve = move |conn: &mut Connection| {
        quarantine::quarantine_resolve_in_tx(conn, &actor, id, QuarantineOutcome::Assigned, &reason)
    };
    match state.db.tx(resolve).await {
        Ok(()) | Err(StoreError::Repeat(_)) => Ok(Some(filed)),
        Err(error) => Err(error.into()),
    }
}

/// Where both houses brought an image and its header still waits for a person, that of the house whose study it is is
/// shown: it was said whose they are. Where that would leave images of two patients in the study, because the site sent
/// some only, the rest stays a question on the page of the conflict. Other pixels always do.
async fn settle_headers(
    state: &State,
    study: StudyId,
    decision: ClaimDecision,
    reason: String,
) -> Result<(), StoreError> {
    let actor = Actor::system("claims", state.now());
    let decision = match decision {
        ClaimDecision::Ours => Decision::Take,
        ClaimDecision::Elsewhere => Decision::Keep,
    };
    let settle = move |conn: &mut Connection| {
        let versions = images::version_list_of_study(conn, study)?;
        let headers = versions
            .iter()
            .filter(|row| row.standing == Standing::Waiting && row.difference != images::Difference::Pixels);
        let ids: Vec<i64> = headers.map(|row| row.id).collect();
        if ids.is_empty() {
            return Ok(());
        }
        images::versions_decide_in_tx(conn, &actor, study, &ids, decision, &reason)
    };
    match state.db.tx(settle).await {
        Ok(()) | Err(StoreError::Conflict { .. } | StoreError::Repeat(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
