//! The one transaction of a signature, and what follows from it.
//!
//! Of an independent double reading the second signature reports nothing yet:
//! whoever made it says whether the two agree (`app::comparing`).

use std::collections::BTreeSet;

use dokuei_models::objects::KeptObject;
use dokuei_models::state::{
    CaseEvent, DeliveryContent, DeliveryKind, ReadEvent, ReadKind, ReadState, VersionState, case_apply_in_tx,
    read_apply_in_tx,
};
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::cases::{self, CasePart, CaseRow};
use dokuei_models::store::deliveries::{self, NewDelivery};
use dokuei_models::store::reads::{self, ReadRow};
use dokuei_models::store::reports::{self, VersionRow};
use dokuei_models::store::{artefacts, case_events, sessions, sites, withdrawals};
use dokuei_models::{Actor, CaseId, Connection, ReaderId, ReportVersionId, SessionId, StoreError, UserId};
use serde_json::json;

use super::labels::Choice;
use super::late_images;
use crate::app::{comparing, ledger, returns};

/// How much of the first reading's minutes a checking one is expected to take.
const CHECK_SHARE: f64 = 0.5;

/// The session in which a signature was made.
#[derive(Debug, Clone, Copy)]
pub(super) struct UsedSession {
    pub id: SessionId,
    pub opened_at: chrono::NaiveDateTime,
}

/// A signed PDF that is stored and waits for its rows.
pub(super) struct Finished {
    pub read: ReadRow,
    pub reader: ReaderId,
    pub user: UserId,
    pub draft: VersionRow,
    pub becomes: VersionState,
    pub reason: String,
    pub object: KeptObject,
    pub parts: Option<Vec<CasePart>>,
    /// Images received and expected, where the PDF says that more were known to come.
    pub incomplete: Option<(i32, Option<i32>)>,
    pub choices: Vec<Choice>,
    pub session: Option<UsedSession>,
}

/// Writes everything, or nothing. Returns the case as it is then.
///
/// # Errors
/// [`StoreError::Stale`] when the draft is not the revision that was typeset; what the state machines refuse.
pub(super) fn finish_in_tx(conn: &mut Connection, actor: &Actor, done: &Finished) -> Result<CaseRow, StoreError> {
    let (read, version) = (&done.read, done.draft.id);
    // Two readers may sign at once: the second must see the first's read as signed.
    cases::case_lock_in_tx(conn, read.case_id)?;
    reports::version_sign_in_tx(conn, version, done.draft.revision, done.becomes, &done.reason, done.user, actor.at)?;
    artefacts::artefact_add_in_tx(conn, version, artefacts::PDF, &done.object, actor.at)?;
    if let Some(parts) = &done.parts {
        cases::case_parts_replace_in_tx(conn, read.case_id, parts)?;
    }
    if !done.choices.is_empty() {
        let data = json!({ "choices": done.choices });
        case_events::append_in_tx(conn, actor, read.case_id, Some(read.id), "labels_settled", &data)?;
    }
    read_apply_in_tx(conn, actor, read.id, &ReadEvent::Sign { reader: done.reader })?;
    late_images::settle_in_tx(conn, actor, read)?;
    cases::case_flag_in_tx(conn, read.case_id, cases::PRIOR_REMOVED, false)?;
    late_images::note_incomplete_in_tx(conn, actor, read, version, done.incomplete)?;
    // An addendum or amendment belongs to the reading that was billed.
    if read.kind != ReadKind::Reopened {
        ledger::write_in_tx(conn, actor, read.id, version)?;
    }
    if read.kind == ReadKind::First {
        ask_for_check_in_tx(conn, actor, read)?;
    } else {
        report_if_complete_in_tx(conn, actor, read, version)?;
    }
    if let Some(session) = done.session {
        sessions::session_signing_in_tx(conn, session.id, Some(session.opened_at), Some(actor.at))?;
    }
    let case = cases::case_get(conn, read.case_id)?;
    let detail = json!({ "state": done.becomes.code(), "sha256": done.object.sha256 }).to_string();
    let subject = Subject::row("report_version", version.0, Some(case.site_id));
    audit::append_in_tx(conn, actor, "report.sign", subject, "done", &detail)?;
    Ok(case)
}

/// The first of a checked reading is signed: the second is made, for another reader.
fn ask_for_check_in_tx(conn: &mut Connection, actor: &Actor, first: &ReadRow) -> Result<(), StoreError> {
    let all = reads::read_list_of_case(conn, first.case_id)?;
    let case = cases::case_get(conn, first.case_id)?;
    let waits =
        |read: &ReadRow| !matches!(read.state, ReadState::Signed | ReadState::Void) || read.stands_signed(&case);
    if all.iter().any(|read| read.kind == ReadKind::Check && waits(read)) {
        return Ok(());
    }
    let number = all.iter().map(|read| read.number).max().unwrap_or(0) + 1;
    let minutes = first.expected_minutes * CHECK_SHARE;
    cases::read_create_in_tx(conn, actor, first.case_id, number, ReadKind::Check, minutes)?;
    Ok(())
}

/// Reports the case when nobody reads it any more, and owes what was signed to the site's destinations.
fn report_if_complete_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    read: &ReadRow,
    version: ReportVersionId,
) -> Result<(), StoreError> {
    let all = reads::read_list_of_case(conn, read.case_id)?;
    if all.iter().any(|other| !matches!(other.state, ReadState::Signed | ReadState::Void)) {
        return Ok(());
    }
    let case = cases::case_get(conn, read.case_id)?;
    if read.kind == ReadKind::Independent && comparing::last_of_two(&case, &all).is_some() {
        return comparing::ask_in_tx(conn, actor, read);
    }
    report_in_tx(conn, actor, read.case_id, version)
}

/// Reports the case, and owes what was signed and not owed yet to the site's destinations. Where two independent
/// reports differed, the third goes out and not the two.
///
/// # Errors
/// What the state machine refuses, or what the database says.
pub(in crate::app) fn report_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    case: CaseId,
    version: ReportVersionId,
) -> Result<(), StoreError> {
    case_apply_in_tx(conn, actor, case, &CaseEvent::Report { version: Some(version) })?;
    let case = cases::case_get(conn, case)?;
    let all = reads::read_list_of_case(conn, case.id)?;
    let in_force = withdrawals::version_list_in_force(conn, case.id)?;
    let arbitrated = all.iter().any(|read| read.kind == ReadKind::Third && read.stands_signed(&case));
    let owed: BTreeSet<ReportVersionId> =
        deliveries::delivery_list_of_case(conn, case.id)?.into_iter().map(|one| one.report_version_id).collect();
    for (report, signed) in reports::version_list_of_case(conn, case.id)? {
        let one_of_two = all.iter().any(|read| read.id == report.read_id && read.kind == ReadKind::Independent);
        let goes_out = match signed.state {
            VersionState::Final => !(arbitrated && one_of_two),
            VersionState::Addendum | VersionState::Amended => true,
            VersionState::Draft | VersionState::Preliminary | VersionState::Withdrawn => false,
        };
        if goes_out && in_force.contains(&signed.id) && !owed.contains(&signed.id) {
            owe_in_tx(conn, actor, &case, signed.id)?;
        }
    }
    Ok(())
}

/// One delivery for each of the site's destinations: its DICOM nodes that receive, the portal, a notice by mail.
fn owe_in_tx(conn: &mut Connection, actor: &Actor, case: &CaseRow, version: ReportVersionId) -> Result<(), StoreError> {
    let site = sites::site_get(conn, case.site_id)?;
    let to = |kind, endpoint, destination: String, required| NewDelivery {
        case: case.id,
        version,
        content: DeliveryContent::Report,
        kind,
        endpoint,
        destination,
        required,
        at: actor.at,
    };
    let mut owed = vec![to(DeliveryKind::Portal, None, "portal".to_owned(), true)];
    for endpoint in sites::endpoint_list(conn, Some(site.id))? {
        if endpoint.receives && endpoint.active && endpoint.kind == "site" && !endpoint.host.is_empty() {
            owed.push(to(DeliveryKind::Dicom, Some(endpoint.id), endpoint.ae_title, true));
        }
    }
    if !site.email.is_empty() {
        // A notice: the report itself is in the portal, so the case does not wait for it.
        owed.push(to(DeliveryKind::Mail, None, site.email, false));
    }
    for delivery in &owed {
        deliveries::delivery_create_in_tx(conn, delivery)?;
    }
    returns::name_recipients_in_tx(conn, actor, case.id, version)
}
