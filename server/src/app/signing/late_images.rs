//! Images that came after their case was put together: seen by whoever signs, they are late no longer.

use std::collections::BTreeSet;

use dokuei_models::state::ReadState;
use dokuei_models::store::cases::{self, INCOMPLETE, LATE_IMAGES};
use dokuei_models::store::reads::{self, ReadRow};
use dokuei_models::store::{case_events, studies};
use dokuei_models::{Actor, Connection, InstanceId, StoreError};
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

/// Marks a case that is signed while images are known to come, with how many there were.
///
/// # Errors
/// What the database says.
pub(super) fn note_incomplete_in_tx(conn: &mut Connection, actor: &Actor, signed: &ReadRow) -> Result<(), StoreError> {
    let (received, expected, coming) = arrivals::of_case(conn, signed.case_id, actor.at)?;
    if !coming {
        return Ok(());
    }
    cases::case_flag_in_tx(conn, signed.case_id, INCOMPLETE, true)?;
    let data = json!({ "instances": received, "expected": expected });
    case_events::append_in_tx(conn, actor, signed.case_id, Some(signed.id), "signed_incomplete", &data)
}
