//! Withdrawing a case's reports: wrong patient, wrong study.
//!
//! Nothing signed changes. A withdrawal is a fact beside each signed version of
//! the case; whatever the reports stood for ends with it, in one transaction: what
//! was not delivered yet stays here, every destination they were owed to gets a
//! notice, the ledger gets reversing lines, and the case is held for a dispatcher,
//! with new reads that begin when he releases it.

use std::collections::BTreeSet;

use dokuei_models::objects::KeptObject;
use dokuei_models::state::{CaseEvent, DeliveryContent, DeliveryKind, VersionState, case_apply_in_tx};
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::cases::{self, CaseRow};
use dokuei_models::store::deliveries::{self, NewDelivery};
use dokuei_models::store::reports::{ReportRow, VersionRow};
use dokuei_models::store::withdrawals::{self, WithdrawalRow};
use dokuei_models::store::{artefacts, readers, reads, reports, requests};
use dokuei_models::{Actor, CaseId, Connection, EndpointId, ReadId, ReaderId, ReportVersionId, StoreError};
use dokuei_report::{Fonts, ReaderBlock, ReportDocument};

use super::{document, not_set};
use crate::app::form::need_reason;
use crate::app::worklist::{reader_of, tell};
use crate::app::{ledger, opening};
use crate::authority::{Person, Reach};
use crate::error::codes::{common, dispatch as codes};
use crate::error::{Error, Result};
use crate::state::State;
use crate::wake::Topic;

/// Why reads, deliveries and a hold end or begin with a withdrawal.
pub const WITHDRAWN: &str = "report_withdrawn";

/// Who withdraws.
#[derive(Debug, Clone)]
pub enum By {
    /// A reading director within whose reach the case lies.
    Director(Reach, CaseId),
    /// The reader who signed this read.
    Signer(ReadId),
    /// A dispatcher within whose reach the case lies, while its withdrawal is asked for.
    Asked(Reach, CaseId),
}

/// The case that somebody decides about.
///
/// # Errors
/// [`StoreError::NotFound`] for anybody else's, [`StoreError::Repeat`] when its withdrawal is not asked for any more.
pub(super) fn case_of(
    conn: &mut Connection,
    by: &By,
    reader: Option<ReaderId>,
) -> std::result::Result<CaseRow, StoreError> {
    match by {
        By::Director(reach, case) | By::Asked(reach, case) => {
            let row = cases::case_get(conn, *case)?;
            if !reach.covers(row.site_id, row.pool_id) {
                return Err(StoreError::NotFound("the case"));
            }
            if matches!(by, By::Asked(..)) && !row.has_flag(cases::WITHDRAWAL_ASKED) {
                return Err(StoreError::Repeat("the decision"));
            }
            Ok(row)
        }
        By::Signer(read) => {
            let read = reads::read_get(conn, *read)?;
            let case = cases::case_get(conn, read.case_id)?;
            let his = read.reader_id == reader && read.stands_signed(&case);
            if his { Ok(case) } else { Err(StoreError::NotFound("the read")) }
        }
    }
}

/// Withdraws every report of a case that is in force.
///
/// # Errors
/// `form_invalid` without a reason or the confirmation, `not_found` for anybody else's case, `nothing_signed`,
/// `already_done` for a dispatcher when its withdrawal is not asked for any more.
pub async fn withdraw(state: &State, person: &Person, by: By, reason: &str, confirmed: bool) -> Result<CaseId> {
    let reason = need_reason("reason", reason)?;
    if !confirmed {
        return Err(Error::new(&common::FORM_INVALID).field("confirm", &common::FIELD_REQUIRED));
    }
    let reader = match &by {
        By::Signer(_) => Some(reader_of(state, person).await?.id),
        By::Director(..) | By::Asked(..) => None,
    };
    let (actor, name) = (person.actor(state.now()), person.name_ja.clone());
    let (words, at) = (reason.clone(), actor.at);
    let (case, newest, document) = state
        .db
        .read(move |conn| {
            let case = case_of(conn, &by, reader)?;
            let in_force = withdrawals::version_list_in_force(conn, case.id)?;
            let Some(newest) = in_force.last().copied() else { return Err(nothing()) };
            let document = notice_of(conn, &case, newest, &words, at, name.clone())?;
            Ok((case, newest, document))
        })
        .await
        .map_err(refused)?;
    let fonts = state.config.signing.fonts.clone();
    let pdf = tokio::task::spawn_blocking(move || {
        dokuei_report::typeset(&document, &Fonts::in_folder(fonts)).map_err(not_set)
    })
    .await
    .map_err(Error::internal)??;
    let notice = state.objects.keep("reports", pdf.into()).await;
    let notice = notice.map_err(|error| Error::not_kept(&codes::WITHDRAWAL_NOT_KEPT, error))?;
    let id = case.id;
    let (row, touched) =
        state.db.tx(move |conn| withdraw_in_tx(conn, &actor, id, newest, &reason, &notice)).await.map_err(refused)?;
    metrics::counter!("dokuei_reports_withdrawn_total").increment(1);
    tell(state, &row, None);
    for reader in touched {
        state.wake.tell(Topic::Worklist(reader));
    }
    state.wake.tell(Topic::Deliveries);
    Ok(row.id)
}

fn nothing() -> StoreError {
    StoreError::Conflict { what: "withdraw", state: "nothing_signed".to_owned() }
}

fn refused(error: StoreError) -> Error {
    match error {
        StoreError::Conflict { what: "withdraw", .. } => Error::new(&codes::NOTHING_SIGNED),
        other => other.into(),
    }
}

/// The page that tells a destination: the newest version's head, the reason, no findings.
fn notice_of(
    conn: &mut Connection,
    case: &CaseRow,
    newest: ReportVersionId,
    reason: &str,
    at: chrono::NaiveDateTime,
    name: String,
) -> std::result::Result<ReportDocument, StoreError> {
    let (report, version): (ReportRow, VersionRow) = reports::version_get(conn, newest)?;
    let reader = readers::reader_get(conn, report.reader_id)?;
    let read = reads::read_get(conn, report.read_id)?;
    let parts = cases::case_part_list(conn, case.id)?;
    let blank =
        VersionRow { number: version.number + 1, findings: String::new(), impression: String::new(), ..version };
    let made = document::of(
        conn,
        &document::Making {
            reader: &reader,
            read: &read,
            case,
            parts: &parts,
            draft: &blank,
            becomes: VersionState::Withdrawn,
            reason,
            signed_at: at,
            incomplete: None,
        },
    )?;
    // Whoever withdraws stands under it, not whoever read.
    Ok(ReportDocument {
        reader: ReaderBlock { name, qualification: String::new() },
        first_reader: None,
        ai_support: Vec::new(),
        incomplete: None,
        ..made.document
    })
}

/// The same within a transaction; returns the case as it is then, and the readers who lose a read.
///
/// # Errors
/// [`StoreError::Conflict`] when nothing is in force, or something else than was looked at.
pub fn withdraw_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    case: CaseId,
    newest: ReportVersionId,
    reason: &str,
    notice: &KeptObject,
) -> std::result::Result<(CaseRow, BTreeSet<i64>), StoreError> {
    let by = actor.user.ok_or_else(|| StoreError::Rule("only a person withdraws".to_owned()))?;
    cases::case_lock_in_tx(conn, case)?;
    let before = cases::case_get(conn, case)?;
    let in_force = withdrawals::version_list_in_force(conn, case)?;
    if in_force.last() != Some(&newest) {
        return Err(nothing());
    }
    for version in &in_force {
        let row =
            WithdrawalRow { report_version_id: *version, reason: reason.to_owned(), by_user_id: by, at: actor.at };
        withdrawals::withdrawal_add_in_tx(conn, &row)?;
        let subject = Subject::row("report_version", version.0, Some(before.site_id));
        audit::append_in_tx(conn, actor, "report.withdraw", subject, "done", "")?;
    }
    artefacts::artefact_add_in_tx(conn, newest, artefacts::WITHDRAWAL, notice, actor.at)?;
    let all = reads::read_list_of_case(conn, case)?;
    let touched = all.iter().filter_map(|read| read.reader_id.map(|reader| reader.0)).collect();
    reads::void_all_in_tx(conn, actor, case, WITHDRAWN)?;
    // Somebody looks at once: a report that is wrong here is missing elsewhere.
    let event = CaseEvent::Withdraw { reason: reason.to_owned(), until: actor.at };
    case_apply_in_tx(conn, actor, case, &event)?;
    cases::case_flag_in_tx(conn, case, cases::COMPARE, false)?;
    cases::case_flag_in_tx(conn, case, cases::WITHDRAWAL_ASKED, false)?;
    read_anew_in_tx(conn, actor, &before, all.iter().map(|read| read.number).max().unwrap_or(0))?;
    deliveries::delivery_stop_in_tx(conn, actor, case, WITHDRAWN)?;
    tell_destinations_in_tx(conn, actor, case, newest)?;
    ledger::reverse_in_tx(conn, actor, case)?;
    Ok((cases::case_get(conn, case)?, touched))
}

/// The reads that the request asks for, once more; they begin when the hold ends.
fn read_anew_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    case: &CaseRow,
    last: i32,
) -> std::result::Result<(), StoreError> {
    let kind = requests::request_get(conn, case.request_id)?.kind;
    let minutes = cases::case_part_list(conn, case.id)?.iter().map(|part| part.minutes).sum();
    for (number, read) in (last + 1..).zip(opening::reads_of(kind)) {
        cases::read_create_in_tx(conn, actor, case.id, number, read, minutes)?;
    }
    reads::freeze_in_tx(conn, case.id, true)
}

/// One notice to each destination that a report of the case was ever owed to.
fn tell_destinations_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    case: CaseId,
    version: ReportVersionId,
) -> std::result::Result<(), StoreError> {
    let mut told: BTreeSet<(DeliveryKind, Option<EndpointId>, String)> = BTreeSet::new();
    for owed in deliveries::delivery_list_of_case(conn, case)? {
        let destination = (owed.kind, owed.endpoint_id, owed.destination.clone());
        if owed.content != DeliveryContent::Report || !told.insert(destination) {
            continue;
        }
        let notice = NewDelivery {
            case,
            version,
            content: DeliveryContent::Withdrawal,
            kind: owed.kind,
            endpoint: owed.endpoint_id,
            destination: owed.destination,
            required: owed.required,
            at: actor.at,
        };
        deliveries::delivery_create_in_tx(conn, &notice)?;
    }
    Ok(())
}
