//! The cases of a study hear of what came: they stop, or are marked, in the transaction that keeps the image.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;
use serde_json::json;

use super::ask_withdrawal;
use crate::actor::Actor;
use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{CaseId, SiteId, StudyId};
use crate::schema::{case_studies, sites};
use crate::state::{CaseEvent, HoldActor, case_apply_in_tx};
use crate::store::cases::{self, IDENTITY_CHANGED, IMAGE_CONFLICT};
use crate::store::jobs::{self, NewJob};
use crate::store::{case_events, studies};

/// Who writes it.
pub(super) fn actor(at: NaiveDateTime) -> Actor {
    Actor::system("intake", at)
}

/// The cases that hold a study, for reading or for comparison, in the order in which they are locked.
pub(super) fn cases_of(conn: &mut Connection, study: StudyId) -> Result<Vec<CaseId>, StoreError> {
    Ok(case_studies::table
        .filter(case_studies::study_id.eq(study))
        .order(case_studies::case_id)
        .select(case_studies::case_id)
        .load(conn)?)
}

/// Images came again as another patient's, side's or study's, or another patient's images came into the study: its
/// cases stop until a person has decided. A signed one is marked, and the withdrawal of its reports asked for.
pub(super) fn identity_in_tx(
    conn: &mut Connection,
    site: SiteId,
    study: StudyId,
    at: NaiveDateTime,
) -> Result<(), StoreError> {
    let minutes: i32 =
        sites::table.find(site).select(sites::orphan_wait_minutes).first(conn).or_not_found("the site")?;
    stop_in_tx(conn, &actor(at), study, IDENTITY_CHANGED, at + TimeDelta::minutes(i64::from(minutes)))
}

/// Stops the cases of a study under a flag that is the hold's reason too.
pub(super) fn stop_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    study: StudyId,
    flag: &str,
    until: NaiveDateTime,
) -> Result<(), StoreError> {
    for case in cases_of(conn, study)? {
        cases::case_lock_in_tx(conn, case)?;
        if !cases::case_get(conn, case)?.has_flag(flag) {
            cases::case_flag_in_tx(conn, case, flag, true)?;
            case_events::append_in_tx(conn, actor, case, None, flag, &json!({ "study": study }))?;
        }
        ask_withdrawal::ask_in_tx(conn, actor, case, study, flag)?;
        let hold = CaseEvent::Hold { reason: flag.to_owned(), actor: HoldActor::Dispatcher, until };
        match case_apply_in_tx(conn, actor, case, &hold) {
            // Held for something else already, or signed, or over.
            Ok(_) | Err(StoreError::Repeat(_) | StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    tell_in_tx(conn, study, actor.at)
}

/// An image came again with other pixels: the study's cases are marked, and go on.
pub(super) fn pixels_in_tx(conn: &mut Connection, study: StudyId, at: NaiveDateTime) -> Result<(), StoreError> {
    for case in cases_of(conn, study)? {
        cases::case_lock_in_tx(conn, case)?;
        if !cases::case_get(conn, case)?.has_flag(IMAGE_CONFLICT) {
            cases::case_flag_in_tx(conn, case, IMAGE_CONFLICT, true)?;
            case_events::append_in_tx(conn, &actor(at), case, None, IMAGE_CONFLICT, &json!({ "study": study }))?;
        }
    }
    tell_in_tx(conn, study, at)
}

/// An image shows another header: whoever has it open fetches it anew.
pub(super) fn renewed_in_tx(conn: &mut Connection, study: StudyId, at: NaiveDateTime) -> Result<(), StoreError> {
    tell_in_tx(conn, study, at)
}

/// Has everybody told who looks at a case of the study.
pub(super) fn tell_in_tx(conn: &mut Connection, study: StudyId, at: NaiveDateTime) -> Result<(), StoreError> {
    jobs::enqueue_in_tx(conn, &NewJob::now("tell_study", study.to_string(), at))
}

/// Takes a flag from the study's cases, and lets those go on that stood for it alone and whose request agrees with all
/// their studies. `still` says whether a study's matter is open yet.
pub(super) fn go_on_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    study: StudyId,
    flag: &str,
    still: impl Fn(&mut Connection, StudyId) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    for case in cases_of(conn, study)? {
        cases::case_lock_in_tx(conn, case)?;
        let row = cases::case_get(conn, case)?;
        let mut open = false;
        for (of, _) in cases::case_study_list(conn, case)? {
            open |= still(conn, of)?;
        }
        if open || !row.has_flag(flag) {
            continue;
        }
        cases::case_flag_in_tx(conn, case, flag, false)?;
        case_events::append_in_tx(conn, actor, case, None, &format!("{flag}_settled"), &json!({ "study": study }))?;
        ask_withdrawal::settle_in_tx(conn, actor, case)?;
        if row.hold_reason.as_deref() == Some(flag) && agrees(conn, &row)? {
            case_apply_in_tx(conn, actor, case, &CaseEvent::Release { reason: format!("{flag}_settled") })?;
        }
    }
    tell_in_tx(conn, study, actor.at)
}

/// Whether the case's request names the patient of each of its studies.
fn agrees(conn: &mut Connection, case: &cases::CaseRow) -> Result<bool, StoreError> {
    let request = crate::store::requests::request_get(conn, case.request_id)?.identity();
    let rule: String = sites::table.find(case.site_id).select(sites::patient_id_rule).first(conn)?;
    let rule = rule.parse()?;
    for (study, _) in cases::case_study_list(conn, case.id)? {
        if crate::identity::contradicts(rule, &request, &studies::study_get(conn, study)?.identity()) {
            return Ok(false);
        }
    }
    Ok(true)
}
