//! Images that came after their case was put together: seen by whoever signs, they are late no longer.

use std::collections::{BTreeMap, BTreeSet};

use dokuei_models::state::ReadState;
use dokuei_models::store::cases::{self, INCOMPLETE, LATE_IMAGES};
use dokuei_models::store::reads::{self, ReadRow};
use dokuei_models::store::{case_events, studies};
use dokuei_models::{Actor, CaseId, Connection, InstanceId, ReportVersionId, StoreError};
use serde_json::json;

use crate::app::{arrivals, opening};

/// Takes the case's flag away when a version has been signed with every late image opened, in this read or in an
/// earlier signed one. One that nobody opened keeps it.
///
/// # Errors
/// What the database says.
pub(super) fn settle_in_tx(conn: &mut Connection, actor: &Actor, signed: &ReadRow) -> Result<(), StoreError> {
    let case = cases::case_get(conn, signed.case_id)?;
    if !case.has_flag(LATE_IMAGES) {
        return Ok(());
    }
    let mut seen: BTreeSet<InstanceId> = BTreeSet::new();
    for read in reads::read_list_of_case(conn, case.id)?.iter().filter(|read| read.state == ReadState::Signed) {
        seen.extend(reads::image_view_list(conn, read.id)?);
    }
    for study in opening::current_studies(conn, case.id)? {
        // What has no picture (a structured report, a presentation state) cannot be opened and is not waited for.
        let mut late = studies::instance_list(conn, study)?.into_iter();
        if late.any(|one| one.frames > 0 && one.received_at > case.created_at && !seen.contains(&one.id)) {
            return Ok(());
        }
    }
    cases::case_flag_in_tx(conn, case.id, LATE_IMAGES, false)?;
    case_events::append_in_tx(conn, actor, case.id, Some(signed.id), "late_images_seen", &json!({}))
}

/// The event of a signature while images were known to come; it names the version, and how many there were.
const SIGNED_INCOMPLETE: &str = "signed_incomplete";

/// Marks a case that is signed while images are known to come, with how many there were: what the PDF says, else what is
/// known now.
///
/// # Errors
/// What the database says.
pub(super) fn note_incomplete_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    signed: &ReadRow,
    version: ReportVersionId,
    said: Option<(i32, Option<i32>)>,
) -> Result<(), StoreError> {
    let (received, expected, coming) = arrivals::of_case(conn, signed.case_id, actor.at)?;
    if coming {
        cases::case_flag_in_tx(conn, signed.case_id, INCOMPLETE, true)?;
    }
    let Some((received, expected)) = said.or(coming.then_some((received, expected))) else { return Ok(()) };
    let data = json!({ "instances": received, "expected": expected, "version": version });
    case_events::append_in_tx(conn, actor, signed.case_id, Some(signed.id), SIGNED_INCOMPLETE, &data)
}

/// The versions of a case that were signed while images were known to come: images received, and expected.
///
/// # Errors
/// What the database says.
pub fn signed_incomplete(
    conn: &mut Connection,
    case: CaseId,
) -> Result<BTreeMap<ReportVersionId, (i64, Option<i64>)>, StoreError> {
    let events = case_events::case_event_list(conn, case)?;
    let of = events.iter().filter(|event| event.kind == SIGNED_INCOMPLETE).filter_map(|event| {
        let data: serde_json::Value = serde_json::from_str(&event.data).ok()?;
        let version = ReportVersionId(data["version"].as_i64()?);
        Some((version, (data["instances"].as_i64()?, data["expected"].as_i64())))
    });
    Ok(of.collect())
}
