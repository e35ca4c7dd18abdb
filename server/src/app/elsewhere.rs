//! Images of other institutions' patients, on a medium that a patient brought.
//!
//! Their PatientIDs are another house's numbers and mean nothing here, so nothing
//! is matched by them. Such studies are for comparison only: no request finds
//! them and none is ever opened for them. A person of the site says which of its
//! own patients it is (see [`deciding`]); from then on they stand beside his
//! cases, and when that is undone they stand there no longer.

pub mod deciding;

use chrono::TimeDelta;
use dokuei_models::identity::{self, IdentityDoubt};
use dokuei_models::names::{PatientIdRule, fold};
use dokuei_models::state::{CaseStudyRole, LinkState};
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::patient_links::{self, LinkRow};
use dokuei_models::store::patients::{self, Identity, PatientRow};
use dokuei_models::store::studies::{self, StudyRow};
use dokuei_models::store::{case_events, cases, jobs, users};
use dokuei_models::{Actor, CaseId, Connection, PatientId, SiteId, StoreError, StudyId};
use serde_json::json;

use crate::authority::Person;
use crate::authority::rights::Submit;
use crate::error::Result;
use crate::state::State;

/// Why such a study is kept for comparison.
pub const FROM_ELSEWHERE: &str = "elsewhere";
/// How long what was decided stays on the list, to be undone.
const SHOWN_FOR: TimeDelta = TimeDelta::days(30);
const MOST: i64 = 200;
/// Suggestions for one patient.
const SUGGESTED: usize = 4;

/// Another institution's patient with his studies.
#[derive(Debug, Clone)]
pub struct Foreign {
    /// Who he is by his medium.
    pub patient: PatientRow,
    /// What was decided.
    pub link: Option<LinkRow>,
    /// Who decided, in Japanese.
    pub decided_by: String,
    /// Who he is here.
    pub own: Option<PatientRow>,
    /// His studies, newest first.
    pub studies: Vec<StudyRow>,
    /// Who he may be; empty once it is decided.
    pub suggestions: Vec<Suggestion>,
}

/// One of the site's own patients who may be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// The patient.
    pub patient: PatientRow,
    /// In what the two differ, beside their numbers.
    pub doubts: Vec<IdentityDoubt>,
}

impl Foreign {
    /// Whether a person still has to say who he is.
    pub fn waits(&self) -> bool {
        self.link.is_none()
    }

    /// Whether his images are hidden.
    pub fn is_discarded(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.state == LinkState::Discarded)
    }
}

/// Other institutions' patients of a site: first those that wait for a decision. Leaves an audit row.
///
/// # Errors
/// `not_found` for a site that is not the person's.
pub async fn list(state: &State, person: &Person, site: SiteId) -> Result<Vec<Foreign>> {
    person.reach::<Submit>().need_site(site)?;
    let actor = person.actor(state.now());
    Ok(state
        .db
        .tx(move |conn| {
            let mut found = Vec::new();
            for (patient, link) in patient_links::foreign_patient_list(conn, site, actor.at - SHOWN_FOR, MOST)? {
                found.push(look(conn, patient, link)?);
            }
            found.sort_by_key(|foreign| !foreign.waits());
            let subject = Subject::row("site", site.0, Some(site));
            audit::append_in_tx(conn, &actor, "elsewhere.view", subject, "done", "")?;
            Ok(found)
        })
        .await?)
}

fn look(conn: &mut Connection, patient: PatientRow, link: Option<LinkRow>) -> Result<Foreign, StoreError> {
    let own = match link.as_ref().and_then(|link| link.own_id) {
        Some(own) => Some(patients::patient_get(conn, own)?),
        None => None,
    };
    let decided_by = match &link {
        Some(link) => users::user_get(conn, link.by_user_id)?.name_ja,
        None => String::new(),
    };
    let suggestions = if link.is_none() { suggestions(conn, &patient)? } else { Vec::new() };
    let studies = studies::study_list_of_patient(conn, patient.id)?;
    Ok(Foreign { patient, link, decided_by, own, studies, suggestions })
}

/// The site's own patients of the same birth date or name, the most alike first.
fn suggestions(conn: &mut Connection, foreign: &PatientRow) -> Result<Vec<Suggestion>, StoreError> {
    let mut near = Vec::new();
    if foreign.birth_date.is_some() {
        near = patient_links::own_patient_list_like(conn, foreign.site_id, foreign.birth_date, "", MOST)?;
    }
    for group in [&foreign.name_ideographic, &foreign.name_phonetic, &foreign.name_alphabetic] {
        let text = fold(group);
        if !text.is_empty() {
            near.extend(patient_links::own_patient_list_like(conn, foreign.site_id, None, &text, 50)?);
        }
    }
    near.sort_by_key(|patient| patient.id.0);
    near.dedup_by_key(|patient| patient.id.0);
    let mut found: Vec<Suggestion> = near
        .into_iter()
        .map(|patient| Suggestion { doubts: doubts(&patient.identity(), &foreign.identity()), patient })
        // Of the same birth date only, there are many in a year.
        .filter(|one| !one.doubts.contains(&IdentityDoubt::Name))
        .collect();
    found.sort_by_key(|one| (one.doubts.len(), std::cmp::Reverse(one.patient.id.0)));
    found.truncate(SUGGESTED);
    Ok(found)
}

/// In what two identities differ, beside their numbers, which are two houses'.
pub fn doubts(own: &Identity, foreign: &Identity) -> Vec<IdentityDoubt> {
    let mut found = identity::doubts(PatientIdRule::Exact, own, foreign);
    found.retain(|doubt| *doubt != IdentityDoubt::PatientId);
    found
}

/// Puts what is known to be a patient's from elsewhere beside his open cases.
///
/// # Errors
/// What the database says.
pub fn attach_in_tx(conn: &mut Connection, actor: &Actor, own: PatientId) -> Result<Vec<CaseId>, StoreError> {
    let linked = patient_links::study_list_of_linked(conn, own)?;
    let mut touched = Vec::new();
    for case in cases::case_list_of_patient(conn, own)?.into_iter().filter(|case| case.state.is_open()) {
        let here = cases::case_study_list(conn, case.id)?;
        for study in linked.iter().filter(|study| !here.iter().any(|(one, _)| *one == study.id)) {
            cases::case_study_add_in_tx(conn, case.id, study.id, CaseStudyRole::Prior)?;
            let data = json!({ "study": study.id });
            case_events::append_in_tx(conn, actor, case.id, None, "prior_from_elsewhere", &data)?;
            prescreen_in_tx(conn, actor, case.id)?;
            touched.push(case.id);
        }
    }
    touched.dedup();
    Ok(touched)
}

/// Takes a patient's studies from elsewhere away from every case. Whoever has read or is reading beside them is told by
/// a flag that stays until he signs.
fn detach_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    foreign: PatientId,
    reason: &str,
) -> Result<Vec<CaseId>, StoreError> {
    let mut touched = Vec::new();
    for study in studies::study_list_of_patient(conn, foreign)? {
        touched.extend(detach_study_in_tx(conn, actor, study.id, reason)?);
    }
    touched.sort_by_key(|case| case.0);
    touched.dedup();
    Ok(touched)
}

/// Takes one study from elsewhere away from every case.
///
/// # Errors
/// What the database says.
pub(super) fn detach_study_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    study: StudyId,
    reason: &str,
) -> Result<Vec<CaseId>, StoreError> {
    let mut touched = Vec::new();
    for (case, _) in studies::study_cases(conn, study)? {
        cases::case_study_remove_in_tx(conn, case, study)?;
        cases::case_flag_in_tx(conn, case, cases::PRIOR_REMOVED, true)?;
        let data = json!({ "study": study, "reason": reason });
        case_events::append_in_tx(conn, actor, case, None, "prior_removed", &data)?;
        prescreen_in_tx(conn, actor, case)?;
        touched.push(case);
    }
    Ok(touched)
}

fn prescreen_in_tx(conn: &mut Connection, actor: &Actor, case: CaseId) -> Result<(), StoreError> {
    jobs::enqueue_in_tx(conn, &jobs::NewJob::now("prescreen_case", case.to_string(), actor.at))
}
