//! Which study belongs to which case, by a person's hand, until signing.
//!
//! A study that is to be read stands in exactly one open case, whatever is done
//! here: it is moved, never copied, and one that is taken out waits as
//! *unmatched*, with a deadline. Identity that differs must have been looked
//! at: the caller says which doubts the person has seen.

mod settle;

use chrono::TimeDelta;
use dokuei_models::identity::{self, IdentityDoubt};
use dokuei_models::names::PatientIdRule;
use dokuei_models::state::{
    CaseEvent, CaseState, CaseStudyRole, MatchState, ReadState, RequestState, case_apply_in_tx,
};
use dokuei_models::store::cases::{self, CasePart, CaseRow};
use dokuei_models::store::jobs::{self, NewJob};
use dokuei_models::store::{deliveries, reads, requests, sites, studies};
use dokuei_models::{Actor, CaseId, Connection, RequestId, StoreError, StudyId};
use dokuei_prescreen::minutes::reading_minutes;
use dokuei_terms::Part;

pub use self::settle::{Settle, settle, settle_in_tx};

use super::opening;
use super::overriding::{case_within, conflict, record, refused, tell};
use crate::authority::{Person, Reach};
use crate::error::Result;
use crate::state::State;
use crate::wake::Topic;

/// What is done to a case's studies and parts.
#[derive(Debug, Clone, PartialEq)]
pub enum Regroup {
    /// Puts a study in. `seen` are the differences the person takes upon himself.
    Attach {
        /// The study.
        study: StudyId,
        /// What differs between its headers and the request.
        seen: Vec<IdentityDoubt>,
    },
    /// Takes a study out; it waits as unmatched.
    Detach(StudyId),
    /// Gives a study a case of its own, of the same request.
    Split(StudyId),
    /// Takes in everything of another case of this patient, which ends.
    Merge(CaseId),
    /// Says what is to be read.
    Correct(Vec<Part>),
}

/// Regroups.
///
/// # Errors
/// `not_found` outside reach; `case_signed`, `last_study`, `other_patient`, `study_elsewhere`, `identity_differs`.
pub async fn regroup(
    state: &State,
    person: &Person,
    reach: Reach,
    case: CaseId,
    what: Regroup,
    reason: String,
) -> Result<()> {
    let actor = person.actor(state.now());
    let (row, readers, other) = state
        .db
        .tx(move |conn| {
            let row = case_within(conn, &reach, case)?;
            let mut other = None;
            match &what {
                Regroup::Attach { study, seen } => attach_in_tx(conn, &actor, &row, *study, seen)?,
                Regroup::Detach(study) => detach_in_tx(conn, &actor, &row, *study)?,
                Regroup::Split(study) => other = Some(split_in_tx(conn, &actor, &row, *study)?),
                Regroup::Merge(from) => {
                    case_within(conn, &reach, *from)?;
                    merge_in_tx(conn, &actor, &row, *from, &reason)?;
                    other = Some(*from);
                }
                Regroup::Correct(parts) => correct_in_tx(conn, &actor, &row, parts, &reason)?,
            }
            let readers: Vec<_> =
                reads::read_list_of_case(conn, case)?.iter().filter_map(|read| read.reader_id).collect();
            Ok((row, readers, other))
        })
        .await
        .map_err(refused)?;
    tell(state, &row, &readers);
    if let Some(other) = other {
        state.wake.tell(Topic::Case(other.0));
    }
    Ok(())
}

/// Whether a case's studies may still change.
fn need_unsigned(conn: &mut Connection, case: &CaseRow) -> std::result::Result<(), StoreError> {
    let signed = reads::read_list_of_case(conn, case.id)?.iter().any(|read| read.stands_signed(case));
    match case.state.is_open() {
        true if !signed && deliveries::notice_is_owed(conn, case.id)? => Err(conflict("regroup", "notice_owed")),
        true if !signed => Ok(()),
        true => Err(conflict("regroup", "signed")),
        false => Err(conflict("regroup", if case.reported_at.is_some() { "signed" } else { case.state.code() })),
    }
}

/// The open case in which a study is to be read.
///
/// # Errors
/// What the database says.
pub fn open_case_of(conn: &mut Connection, study: StudyId) -> std::result::Result<Option<CaseId>, StoreError> {
    for (case, role) in studies::study_cases(conn, study)? {
        if role == CaseStudyRole::Current && cases::case_get(conn, case)?.state.is_open() {
            return Ok(Some(case));
        }
    }
    Ok(None)
}

/// What differs between a request and a study.
///
/// # Errors
/// What the database says.
pub fn doubts_between(
    conn: &mut Connection,
    request: RequestId,
    study: StudyId,
) -> std::result::Result<Vec<IdentityDoubt>, StoreError> {
    let request = requests::request_get(conn, request)?;
    let study = studies::study_get(conn, study)?;
    let rule: PatientIdRule = sites::site_get(conn, study.site_id)?.patient_id_rule.parse()?;
    Ok(identity::doubts(rule, &request.identity(), &study.identity()))
}

fn need_seen(
    conn: &mut Connection,
    request: RequestId,
    study: StudyId,
    seen: &[IdentityDoubt],
) -> std::result::Result<Vec<IdentityDoubt>, StoreError> {
    let doubts = doubts_between(conn, request, study)?;
    if doubts.iter().all(|doubt| seen.contains(doubt)) { Ok(doubts) } else { Err(conflict("attach", "identity")) }
}

fn codes(doubts: &[IdentityDoubt]) -> Vec<&'static str> {
    doubts.iter().map(|doubt| doubt.code()).collect()
}

/// Puts a study into a case.
///
/// # Errors
/// See [`regroup`].
pub fn attach_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    case: &CaseRow,
    study: StudyId,
    seen: &[IdentityDoubt],
) -> std::result::Result<(), StoreError> {
    need_unsigned(conn, case)?;
    let row = studies::study_get(conn, study)?;
    if row.site_id != case.site_id {
        return Err(StoreError::NotFound("the study"));
    }
    match open_case_of(conn, study)? {
        Some(here) if here == case.id => return Err(StoreError::Repeat("the attachment")),
        Some(_) => return Err(conflict("attach", "elsewhere")),
        None => {}
    }
    let doubts = need_seen(conn, case.request_id, study, seen)?;
    studies::study_match_in_tx(conn, study, MatchState::Matched, None, None)?;
    requests::request_state_in_tx(conn, case.request_id, RequestState::Matched, None)?;
    cases::case_study_add_in_tx(conn, case.id, study, CaseStudyRole::Current)?;
    case_apply_in_tx(conn, actor, case.id, &CaseEvent::AttachStudy { study })?;
    opening::understand_parts_in_tx(conn, case.id)?;
    if case.state == CaseState::WaitingRequest {
        case_apply_in_tx(conn, actor, case.id, &CaseEvent::Ready)?;
    }
    if !doubts.is_empty() {
        record(
            conn,
            actor,
            case,
            None,
            "identity_accepted",
            serde_json::json!({ "study": study, "differs": codes(&doubts) }),
        )?;
    }
    jobs::enqueue_plan_in_tx(conn, case.pool_id, actor.at)
}

/// Takes a study out of the case's studies to be read.
fn take_out(
    conn: &mut Connection,
    actor: &Actor,
    case: &CaseRow,
    study: StudyId,
) -> std::result::Result<(), StoreError> {
    need_unsigned(conn, case)?;
    let current = opening::current_studies(conn, case.id)?;
    if !current.contains(&study) {
        return Err(StoreError::NotFound("the study"));
    }
    if current.len() == 1 {
        return Err(conflict("detach", "last_study"));
    }
    cases::case_study_remove_in_tx(conn, case.id, study)?;
    case_apply_in_tx(conn, actor, case.id, &CaseEvent::DetachStudy { study })?;
    opening::understand_parts_in_tx(conn, case.id)?;
    jobs::enqueue_plan_in_tx(conn, case.pool_id, actor.at)
}

/// Takes a study out; it waits as unmatched with its site's deadline.
///
/// # Errors
/// See [`regroup`].
pub fn detach_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    case: &CaseRow,
    study: StudyId,
) -> std::result::Result<(), StoreError> {
    take_out(conn, actor, case, study)?;
    let site = sites::site_get(conn, case.site_id)?;
    let deadline = actor.at + TimeDelta::minutes(i64::from(site.orphan_wait_minutes));
    studies::study_match_in_tx(conn, study, MatchState::Unmatched, Some("detached"), Some(deadline))
}

/// Gives a study a case of its own under the same request, at the same priority and due time.
///
/// # Errors
/// See [`regroup`].
pub fn split_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    case: &CaseRow,
    study: StudyId,
) -> std::result::Result<CaseId, StoreError> {
    take_out(conn, actor, case, study)?;
    let site = sites::site_get(conn, case.site_id)?;
    let request = requests::request_get(conn, case.request_id)?;
    let row = studies::study_get(conn, study)?;
    let new = opening::open_case_in_tx(conn, actor, &site, &request, &row)?;
    let opened = cases::case_get(conn, new)?;
    if (opened.priority, opened.due_at) != (case.priority, case.due_at) {
        let event = CaseEvent::Prioritise { priority: case.priority, due_at: case.due_at, reason: "split".to_owned() };
        case_apply_in_tx(conn, actor, new, &event)?;
    }
    record(conn, actor, case, None, "split", serde_json::json!({ "study": study, "case": new }))?;
    record(conn, actor, &opened, None, "split_from", serde_json::json!({ "study": study, "case": case.id }))?;
    Ok(new)
}

/// Takes in everything of another open case of this patient, which is cancelled. The more pressing of the two counts.
///
/// # Errors
/// See [`regroup`].
pub fn merge_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    into: &CaseRow,
    from: CaseId,
    reason: &str,
) -> std::result::Result<(), StoreError> {
    let from = cases::case_get(conn, from)?;
    if from.id == into.id || from.site_id != into.site_id || from.patient_id != into.patient_id {
        return Err(conflict("merge", "other_patient"));
    }
    need_unsigned(conn, into)?;
    need_unsigned(conn, &from)?;
    if reads::read_list_of_case(conn, from.id)?.iter().any(|read| read.state == ReadState::InProgress) {
        return Err(conflict("merge", "being_read"));
    }
    let here = cases::case_study_list(conn, into.id)?;
    for (study, role) in cases::case_study_list(conn, from.id)? {
        match role {
            CaseStudyRole::Current => {
                cases::case_study_remove_in_tx(conn, from.id, study)?;
                case_apply_in_tx(conn, actor, from.id, &CaseEvent::DetachStudy { study })?;
                cases::case_study_add_in_tx(conn, into.id, study, CaseStudyRole::Current)?;
                case_apply_in_tx(conn, actor, into.id, &CaseEvent::AttachStudy { study })?;
            }
            CaseStudyRole::Prior if here.iter().all(|(other, _)| *other != study) => {
                cases::case_study_add_in_tx(conn, into.id, study, CaseStudyRole::Prior)?;
            }
            CaseStudyRole::Prior => {}
        }
    }
    opening::understand_parts_in_tx(conn, into.id)?;
    let (priority, due_at) = (into.priority.min(from.priority), into.due_at.min(from.due_at));
    if (priority, due_at) != (into.priority, into.due_at) {
        let event = CaseEvent::Prioritise { priority, due_at, reason: "merged".to_owned() };
        case_apply_in_tx(conn, actor, into.id, &event)?;
    }
    case_apply_in_tx(conn, actor, from.id, &CaseEvent::Cancel { reason: "merged".to_owned() })?;
    cases::case_merged_in_tx(conn, from.id, into.id)?;
    record(conn, actor, &from, None, "merged_into", serde_json::json!({ "case": into.id, "reason": reason }))?;
    record(conn, actor, into, None, "merged_from", serde_json::json!({ "case": from.id, "reason": reason }))
}

/// Says what is to be read; what headers and order say no longer routes this case.
///
/// # Errors
/// See [`regroup`].
pub fn correct_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    case: &CaseRow,
    parts: &[Part],
    reason: &str,
) -> std::result::Result<(), StoreError> {
    need_unsigned(conn, case)?;
    let rows: Vec<CasePart> = parts
        .iter()
        .map(|part| CasePart {
            part: *part,
            minutes: reading_minutes(part),
            confidence: 1.0,
            source: opening::BY_PERSON.to_owned(),
        })
        .collect();
    cases::case_parts_replace_in_tx(conn, case.id, &rows)?;
    jobs::enqueue_in_tx(conn, &NewJob::now("prescreen_case", case.id.to_string(), actor.at))?;
    record(conn, actor, case, None, "correct_parts", serde_json::json!({ "parts": parts, "reason": reason }))
}
