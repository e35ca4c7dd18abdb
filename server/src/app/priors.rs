//! Earlier studies of a patient, fetched from his site's PACS for comparison.
//!
//! The PACS is asked by its own PatientID and answers with what it has; a study is fetched only when the answer names
//! the same person (ID by the site's rule, name, birth date), is older than the case's study, fits the rule of that
//! PACS and is not here already. It comes as the rule says, by C-MOVE to our own AE title or by C-GET over a connection
//! of ours, and through the same door as any image; that it was asked for is written down first, and so it is a prior
//! of the case and never a new read.
//!
//! Every step may run twice: what came meanwhile is not asked for again. What a dispatcher reads of it is in the case's
//! history, what an administrator does at the rule, without patient data.

use dokuei_models::state::{CaseStudyRole, MatchState, RequestState};
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::cases::{self, CaseRow};
use dokuei_models::store::jobs::{self, NewJob};
use dokuei_models::store::priors;
use dokuei_models::store::sites::SiteRow;
use dokuei_models::store::studies::{self, StudyRow};
use dokuei_models::store::{case_events, reads, requests};
use dokuei_models::{Actor, CaseId, Connection, ReadId, StoreError};
use serde_json::json;

use super::overriding::{case_within, refused};
use super::{opening, worklist};
use crate::authority::{Person, Reach};
use crate::error::{Error, Result};
use crate::state::State;
use crate::wake::Topic;

mod fetching;
mod fitting;
mod retrieving;
pub mod rule;

pub use fetching::fetch;

/// The kind of the job; its key is the case.
pub const JOB: &str = "fetch_priors";
/// How often a PACS is tried before a person must look.
const ATTEMPTS: i32 = 6;

/// Queues the fetching for a case.
///
/// # Errors
/// What the database says.
pub fn enqueue_in_tx(
    conn: &mut Connection,
    case: CaseId,
    at: chrono::NaiveDateTime,
) -> std::result::Result<(), StoreError> {
    let job = NewJob { max_attempts: ATTEMPTS, ..NewJob::now(JOB, case.to_string(), at) };
    jobs::enqueue_in_tx(conn, &job)
}

/// Queues it where a rule of the site says so: a case has opened.
///
/// # Errors
/// What the database says.
pub fn follow_rules_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    site: &SiteRow,
    case: CaseId,
) -> std::result::Result<(), StoreError> {
    if priors::prior_rule_list(conn, site.id)?.iter().any(|(rule, _)| rule.active) {
        enqueue_in_tx(conn, case, actor.at)?;
    }
    Ok(())
}

/// A dispatcher asks for a case's priors, whatever the rules say of doing it by themselves.
///
/// # Errors
/// `not_found` outside reach, `no_prior_source` where no PACS of the site is set up for it.
pub async fn ask(state: &State, person: &Person, reach: Reach, case: CaseId) -> Result<()> {
    let actor = person.actor(state.now());
    let asked = state
        .db
        .tx(move |conn| {
            let row = case_within(conn, &reach, case)?;
            ask_in_tx(conn, &actor, &row)
        })
        .await
        .map_err(refused)?;
    told(state, asked)
}

/// A reader asks for the priors of what he reads.
///
/// # Errors
/// `not_found` for another's read, `no_prior_source`.
pub async fn ask_as_reader(state: &State, person: &Person, read: ReadId) -> Result<()> {
    let reader = worklist::reader_of(state, person).await?.id;
    let actor = person.actor(state.now());
    let asked = state
        .db
        .tx(move |conn| {
            let row = reads::read_get(conn, read)?;
            if row.reader_id != Some(reader) {
                return Err(StoreError::NotFound("the read"));
            }
            let case = cases::case_get(conn, row.case_id)?;
            ask_in_tx(conn, &actor, &case)
        })
        .await?;
    told(state, asked)
}

fn ask_in_tx(conn: &mut Connection, actor: &Actor, case: &CaseRow) -> std::result::Result<bool, StoreError> {
    if priors::prior_rule_list(conn, case.site_id)?.is_empty() {
        return Ok(false);
    }
    enqueue_in_tx(conn, case.id, actor.at)?;
    case_events::append_in_tx(conn, actor, case.id, None, "priors_asked", &json!({}))?;
    audit::append_in_tx(conn, actor, "case.priors", Subject::case(case.id, case.site_id), "done", "")?;
    Ok(true)
}

fn told(state: &State, asked: bool) -> Result<()> {
    if !asked {
        return Err(Error::new(&crate::error::codes::dispatch::NO_PRIOR_SOURCE));
    }
    state.wake.tell(Topic::Jobs);
    Ok(())
}

/// Puts a study that was asked for beside the cases that asked, where no request names it. `None` when nobody asked.
///
/// # Errors
/// What the database says.
pub fn attach_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    study: &StudyRow,
) -> std::result::Result<Option<Vec<CaseId>>, StoreError> {
    let asked = priors::prior_case_list(conn, study.site_id, &study.study_uid)?;
    if asked.is_empty() {
        return Ok(None);
    }
    let named = requests::request_list_naming(conn, study.site_id, &study.accession_number, &study.study_uid)?;
    if named.iter().any(|request| request.state == RequestState::Waiting) {
        return Ok(None);
    }
    studies::study_match_in_tx(conn, study.id, MatchState::Comparison, Some("fetched_prior"), None)?;
    let mut attached = Vec::new();
    for case in asked {
        let current = opening::current_studies(conn, case)?;
        let Some(first) = current.first() else { continue };
        let first = studies::study_get(conn, *first)?;
        if opening::is_prior_of(study, &first) {
            cases::case_study_add_in_tx(conn, case, study.id, CaseStudyRole::Prior)?;
            case_events::append_in_tx(conn, actor, case, None, "prior_arrived", &json!({ "study": study.id.0 }))?;
            attached.push(case);
        }
    }
    Ok(Some(attached))
}
