//! Brings requests and studies together, and opens cases.
//!
//! Matching is within one site, many to many, by accession number or study
//! UID. Identity must agree (see `dokuei_models::identity`); where it does not,
//! both sides are *doubtful*: a person decides and nobody reads. A settled
//! study that no request names follows its site's rule. Studies older than the
//! site's limit are kept for comparison; a request that names one says so on the
//! board, where a person may join them all the same.
//!
//! Everything here runs inside the caller's transaction, so that a study and
//! its request cannot both miss each other: each looks for the other after its
//! own row stands.

use chrono::TimeDelta;
use dokuei_models::identity::{self, IdentityDoubt};
use dokuei_models::names::PatientIdRule;
use dokuei_models::state::{
    CaseEvent, CaseState, MatchState, OrphanRule, RequestKind, RequestState, Source, case_apply_in_tx,
};
use dokuei_models::store::requests::{self, NewRequest, RequestRow};
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_models::store::studies::{self, StudyRow};
use dokuei_models::store::{cases, patient_links};
use dokuei_models::{Actor, CaseId, Connection, RequestId, StoreError, StudyId};
use dokuei_terms::Priority;

use super::due::day_in_japan;
use super::elsewhere::{self, FROM_ELSEWHERE};
use super::{opening, priors};

/// Why a study is kept for comparison, and why the request that names it waits.
pub const OLDER_THAN_LIMIT: &str = "older_than_limit";

/// What became of a study or a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matched {
    /// Cases that were opened or changed.
    pub cases: Vec<CaseId>,
    /// Whether something now waits for a person.
    pub for_a_person: bool,
}

/// Finds a place for a study that has settled.
///
/// # Errors
/// What the database says.
pub fn match_study_in_tx(conn: &mut Connection, actor: &Actor, study: StudyId) -> Result<Matched, StoreError> {
    let study = studies::study_get(conn, study)?;
    let site = sites::site_get(conn, study.site_id)?;
    if study.elsewhere {
        return keep_from_elsewhere(conn, actor, &study);
    }
    if let Some(cases) = priors::attach_in_tx(conn, actor, &study)? {
        return Ok(Matched { cases, for_a_person: false });
    }
    if is_for_comparison(&site, &study, actor) {
        studies::study_match_in_tx(conn, study.id, MatchState::Comparison, Some(OLDER_THAN_LIMIT), None)?;
        let named = requests::request_list_naming(conn, site.id, &study.accession_number, &study.study_uid)?;
        let waiting: Vec<_> = named.iter().filter(|request| request.state == RequestState::Waiting).collect();
        for request in &waiting {
            requests::request_state_in_tx(conn, request.id, RequestState::Waiting, Some(OLDER_THAN_LIMIT))?;
        }
        return Ok(Matched { cases: Vec::new(), for_a_person: !waiting.is_empty() });
    }
    let named = requests::request_list_naming(conn, site.id, &study.accession_number, &study.study_uid)?;
    if named.is_empty() {
        return follow_orphan_rule(conn, actor, &site, &study);
    }
    let rule: PatientIdRule = site.patient_id_rule.parse()?;
    let mut matched = Matched::default();
    let mut doubts = Vec::new();
    for request in &named {
        let found = identity::doubts(rule, &request.identity(), &study.identity());
        if found.is_empty() {
            matched.cases.push(join(conn, actor, &site, request, &study)?);
        } else {
            doubts.push((request.id, found));
        }
    }
    if matched.cases.is_empty() {
        mark_doubtful(conn, actor, &site, &study, &doubts)?;
        matched.for_a_person = true;
    }
    Ok(matched)
}

/// Another institution's images are for comparison, whatever numbers they carry. Where it was said whose they are,
/// they go to his cases.
fn keep_from_elsewhere(conn: &mut Connection, actor: &Actor, study: &StudyRow) -> Result<Matched, StoreError> {
    studies::study_match_in_tx(conn, study.id, MatchState::Comparison, Some(FROM_ELSEWHERE), None)?;
    let own = patient_links::link_in_force(conn, study.patient_id)?.and_then(|link| link.own_id);
    let cases = own.map(|own| elsewhere::attach_in_tx(conn, actor, own)).transpose()?.unwrap_or_default();
    Ok(Matched { cases, for_a_person: own.is_none() })
}

/// Finds the settled studies that a new request names.
///
/// # Errors
/// What the database says.
pub fn match_request_in_tx(conn: &mut Connection, actor: &Actor, request: RequestId) -> Result<Matched, StoreError> {
    let request = requests::request_get(conn, request)?;
    let site = sites::site_get(conn, request.site_id)?;
    let rule: PatientIdRule = site.patient_id_rule.parse()?;
    let waiting = studies::study_list_waiting_for(conn, site.id, &request.accession_number, &request.study_uid)?;
    let mut matched = Matched::default();
    let settled = waiting.iter().filter(|study| study.settled_at.is_some());
    let (old, wanted): (Vec<_>, Vec<_>) = settled.partition(|study| is_for_comparison(&site, study, actor));
    for study in wanted {
        let found = identity::doubts(rule, &request.identity(), &study.identity());
        if found.is_empty() {
            let case = join(conn, actor, &site, &request, study)?;
            if !matched.cases.contains(&case) {
                matched.cases.push(case);
            }
        } else {
            mark_doubtful(conn, actor, &site, study, &[(request.id, found)])?;
            matched.for_a_person = true;
        }
    }
    if !old.is_empty() && matched == Matched::default() {
        requests::request_state_in_tx(conn, request.id, RequestState::Waiting, Some(OLDER_THAN_LIMIT))?;
        matched.for_a_person = true;
    }
    Ok(matched)
}

/// Joins a request and a study because a person says so, whatever differs.
///
/// # Errors
/// [`StoreError::NotFound`] when the two are of different sites or the images are another institution's, or what the database says.
pub fn join_by_hand_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    request: RequestId,
    study: StudyId,
) -> Result<CaseId, StoreError> {
    let request = requests::request_get(conn, request)?;
    let study = studies::study_get(conn, study)?;
    if request.site_id != study.site_id || study.elsewhere {
        return Err(StoreError::NotFound("the study"));
    }
    let site = sites::site_get(conn, request.site_id)?;
    join(conn, actor, &site, &request, &study)
}

/// Opens a case for an unmatched study with a default request because a person says so.
///
/// # Errors
/// What the database says.
pub fn open_default_in_tx(conn: &mut Connection, actor: &Actor, study: StudyId) -> Result<CaseId, StoreError> {
    let study = studies::study_get(conn, study)?;
    if study.elsewhere {
        return Err(StoreError::NotFound("the study"));
    }
    let site = sites::site_get(conn, study.site_id)?;
    let request = default_request_in_tx(conn, actor, &site, &study)?;
    join(conn, actor, &site, &request, &study)
}

fn is_for_comparison(site: &SiteRow, study: &StudyRow, actor: &Actor) -> bool {
    let age = study.study_date.map(|day| day_in_japan(actor.at).signed_duration_since(day).num_days());
    age.is_some_and(|days| days > i64::from(site.comparison_after_days))
}

fn follow_orphan_rule(
    conn: &mut Connection,
    actor: &Actor,
    site: &SiteRow,
    study: &StudyRow,
) -> Result<Matched, StoreError> {
    match site.orphan_rule {
        OrphanRule::Comparison => {
            studies::study_match_in_tx(conn, study.id, MatchState::Comparison, Some("site_rule"), None)?;
            Ok(Matched::default())
        }
        OrphanRule::Wait => {
            let deadline = actor.at + TimeDelta::minutes(i64::from(site.orphan_wait_minutes));
            studies::study_match_in_tx(conn, study.id, MatchState::Unmatched, Some("no_request"), Some(deadline))?;
            Ok(Matched { cases: Vec::new(), for_a_person: true })
        }
        OrphanRule::DefaultRequest => {
            let request = default_request_in_tx(conn, actor, site, study)?;
            let case = join(conn, actor, site, &request, study)?;
            Ok(Matched { cases: vec![case], for_a_person: false })
        }
    }
}

/// Writes the request that a site's rule stands for: a routine reading of what the headers say.
fn default_request_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    site: &SiteRow,
    study: &StudyRow,
) -> Result<RequestRow, StoreError> {
    let rule: PatientIdRule = site.patient_id_rule.parse()?;
    let identity = study.identity();
    let new = NewRequest {
        site: site.id,
        accession_number: study.accession_number.clone(),
        study_uid: study.study_uid.clone(),
        patient_key: rule.key(&identity.patient_id),
        identity,
        ordering_doctor: String::new(),
        ordering_user: None,
        department: String::new(),
        phone: site.phone.clone(),
        exam: study.description.clone(),
        question: String::new(),
        history: String::new(),
        kind: RequestKind::Reading,
        source: Source::Outpatient,
        priority: Priority::Routine,
        wanted_by: None,
        expected_instances: None,
        is_default: true,
    };
    let id = requests::request_create_in_tx(conn, actor, &new)?;
    requests::request_get(conn, id)
}

/// Puts the study into the request's open case, or into the open one that has taken that in, or opens one.
fn join(
    conn: &mut Connection,
    actor: &Actor,
    site: &SiteRow,
    request: &RequestRow,
    study: &StudyRow,
) -> Result<CaseId, StoreError> {
    let open = cases::case_open_of_request(conn, request.id)?;
    studies::study_match_in_tx(conn, study.id, MatchState::Matched, None, None)?;
    requests::request_state_in_tx(conn, request.id, RequestState::Matched, None)?;
    let Some(case) = open else {
        return opening::open_case_in_tx(conn, actor, site, request, study);
    };
    cases::case_study_add_in_tx(conn, case.id, study.id, dokuei_models::state::CaseStudyRole::Current)?;
    case_apply_in_tx(conn, actor, case.id, &CaseEvent::AttachStudy { study: study.id })?;
    opening::understand_parts_in_tx(conn, case.id)?;
    if case.state == CaseState::WaitingRequest {
        case_apply_in_tx(conn, actor, case.id, &CaseEvent::Ready)?;
    }
    Ok(case.id)
}

/// Holds a pair that does not agree for a person. The reasons are codes: no patient data.
fn mark_doubtful(
    conn: &mut Connection,
    actor: &Actor,
    site: &SiteRow,
    study: &StudyRow,
    doubts: &[(RequestId, Vec<IdentityDoubt>)],
) -> Result<(), StoreError> {
    let words: Vec<String> = doubts
        .iter()
        .map(|(request, found)| {
            let codes: Vec<&str> = found.iter().map(|doubt| doubt.code()).collect();
            format!("{request}:{}", codes.join("+"))
        })
        .collect();
    let reason = words.join(",");
    let deadline = actor.at + TimeDelta::minutes(i64::from(site.orphan_wait_minutes));
    studies::study_match_in_tx(conn, study.id, MatchState::Doubtful, Some(&reason), Some(deadline))?;
    for (request, found) in doubts {
        let waits = requests::request_get(conn, *request)?.state == RequestState::Waiting;
        if waits {
            let codes: Vec<&str> = found.iter().map(|doubt| doubt.code()).collect();
            requests::request_state_in_tx(conn, *request, RequestState::Doubtful, Some(&codes.join("+")))?;
        }
    }
    Ok(())
}
