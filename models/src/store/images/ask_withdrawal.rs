//! The images of a signed case turn out to be another's, or are withdrawn: the withdrawal of its reports is asked for.
//!
//! Asking changes no report: a person withdraws them, or says that they stand. It ends by itself where what it was asked
//! for turned out not to be so.

use diesel::prelude::*;
use serde_json::json;

use crate::actor::Actor;
use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{CaseId, StudyId};
use crate::schema::{instance_versions, report_versions};
use crate::state::CaseStudyRole;
use crate::store::audit::{self, Subject};
use crate::store::cases::{self, IDENTITY_CHANGED, IMAGES_WITHDRAWN, WITHDRAWAL_ASKED};
use crate::store::{case_events, withdrawals};

use super::versions::Standing;

/// Asks for the withdrawal of what is signed of a case, if the study is one that was read and something is in force.
/// The caller holds the case.
pub(super) fn ask_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    case: CaseId,
    study: StudyId,
    cause: &str,
) -> Result<(), StoreError> {
    let row = cases::case_get(conn, case)?;
    let was_read = cases::case_study_list(conn, case)?.contains(&(study, CaseStudyRole::Current));
    if row.has_flag(WITHDRAWAL_ASKED) || !was_read || withdrawals::version_list_in_force(conn, case)?.is_empty() {
        return Ok(());
    }
    cases::case_flag_in_tx(conn, case, WITHDRAWAL_ASKED, true)?;
    case_events::append_in_tx(conn, actor, case, None, WITHDRAWAL_ASKED, &json!({ "study": study, "cause": cause }))?;
    let subject = Subject::case(case, row.site_id);
    audit::append_in_tx(conn, actor, "report.withdrawal_asked", subject, "done", cause)
}

/// Nothing is open any more that the withdrawal was asked for: it ends, unless a person has decided since the signature
/// that the images are another's.
pub(super) fn settle_in_tx(conn: &mut Connection, actor: &Actor, case: CaseId) -> Result<(), StoreError> {
    let row = cases::case_get(conn, case)?;
    let open = row.has_flag(IDENTITY_CHANGED) || row.has_flag(IMAGES_WITHDRAWN);
    if open || !row.has_flag(WITHDRAWAL_ASKED) || was_changed(conn, case)? {
        return Ok(());
    }
    cases::case_flag_in_tx(conn, case, WITHDRAWAL_ASKED, false)?;
    case_events::append_in_tx(conn, actor, case, None, "withdrawal_not_needed", &json!({}))
}

/// Whether images of the case's current studies are shown under another identity than when it was signed last.
fn was_changed(conn: &mut Connection, case: CaseId) -> Result<bool, StoreError> {
    let in_force = withdrawals::version_list_in_force(conn, case)?;
    let signed: Option<Option<chrono::NaiveDateTime>> = report_versions::table
        .filter(report_versions::id.eq_any(in_force))
        .select(diesel::dsl::max(report_versions::signed_at))
        .first(conn)
        .optional()?;
    let Some(signed) = signed.flatten() else { return Ok(false) };
    let studies: Vec<StudyId> = cases::case_study_list(conn, case)?
        .into_iter()
        .filter(|(_, role)| *role == CaseStudyRole::Current)
        .map(|(study, _)| study)
        .collect();
    let taken: i64 = instance_versions::table
        .filter(instance_versions::study_id.eq_any(studies))
        .filter(instance_versions::standing.eq(Standing::Current))
        .filter(instance_versions::identity_changes.ne("[]"))
        .filter(instance_versions::decided_at.gt(signed))
        .count()
        .get_result(conn)?;
    Ok(taken > 0)
}

/// A person says that the reports of a case stand although their withdrawal was asked for.
///
/// # Errors
/// [`StoreError::Repeat`] when nobody asks for it any more.
pub fn reports_stand_in_tx(conn: &mut Connection, actor: &Actor, case: CaseId, reason: &str) -> Result<(), StoreError> {
    cases::case_lock_in_tx(conn, case)?;
    let row = cases::case_get(conn, case)?;
    if !row.has_flag(WITHDRAWAL_ASKED) {
        return Err(StoreError::Repeat("the decision"));
    }
    cases::case_flag_in_tx(conn, case, WITHDRAWAL_ASKED, false)?;
    case_events::append_in_tx(conn, actor, case, None, "reports_stand", &json!({ "reason": reason }))?;
    audit::append_in_tx(conn, actor, "report.stands", Subject::case(case, row.site_id), "done", reason)
}
