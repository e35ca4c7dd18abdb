//! Returning a signed version to its site, and what the site says to it.
//!
//! A case is *returned* when each required delivery of it is delivered or given
//! up. *Opened*, *accepted* and *acted on* are three facts per recipient; the
//! first acceptance after the return acknowledges the case.

use dokuei_models::state::{CaseEvent, CaseState, VersionState, case_apply_in_tx};
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::signed_versions::{self, SignedVersion};
use dokuei_models::store::{cases, deliveries, recipients, requests};
use dokuei_models::{Actor, CaseId, Connection, DeliveryId, ReportVersionId, SiteId, StoreError};
use dokuei_terms::Language;

use crate::authority::Person;
use crate::authority::rights::{ActOnReports, SeeReports};
use crate::error::codes::{common, portal as codes};
use crate::error::{Error, Result};
use crate::state::State;
use crate::wake::Topic;

/// The longest note on what was done.
pub const LONGEST_NOTE: usize = 1000;

/// A delivery's last error in one language: it is kept as a Japanese line and an English one.
pub fn error_sentence(language: Language, last_error: &str) -> &str {
    let (ja, en) = last_error.split_once('\n').unwrap_or((last_error, last_error));
    match language {
        Language::Ja => ja,
        Language::En => en,
    }
}

/// Names the recipients of a version: the ordering doctor, or where the request names no user, every doctor of the site.
///
/// # Errors
/// What the database says.
pub fn name_recipients_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    case: CaseId,
    version: ReportVersionId,
) -> Result<(), StoreError> {
    let case = cases::case_get(conn, case)?;
    let request = requests::request_get(conn, case.request_id)?;
    let doctors = recipients::site_doctor_list(conn, case.site_id, actor.at)?;
    let ordering = request.ordering_user_id.filter(|user| doctors.iter().any(|(id, ..)| id == user));
    for (doctor, ..) in doctors {
        if ordering.is_none_or(|user| user == doctor) {
            recipients::recipient_add_in_tx(conn, case.id, version, doctor, actor.at)?;
        }
    }
    Ok(())
}

/// Makes the case *returned* if nothing required is owed any more. Whether it did.
///
/// # Errors
/// What the database says.
pub fn settle_case_in_tx(conn: &mut Connection, actor: &Actor, case: CaseId) -> Result<bool, StoreError> {
    if !deliveries::delivery_all_done(conn, case)? {
        return Ok(false);
    }
    match case_apply_in_tx(conn, actor, case, &CaseEvent::Return) {
        Ok(_) => Ok(true),
        // Returned before, accepted already, or being read once more: the next version returns it.
        Err(StoreError::Repeat(_) | StoreError::Conflict { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Tells everybody who looks at the case that its return moved.
pub fn tell(state: &State, case: CaseId, site: SiteId, pool: dokuei_models::PoolId) {
    state.wake.tell(Topic::Deliveries);
    state.wake.tell(Topic::Case(case.0));
    state.wake.tell(Topic::Portal(site.0));
    state.wake.tell(Topic::Board(pool.0));
}

/// Has a dead delivery tried again. The caller has checked that the person may.
///
/// # Errors
/// `conflict` when it is not dead.
pub async fn retry(state: &State, actor: Actor, delivery: DeliveryId) -> Result<()> {
    let case = state
        .db
        .tx(move |conn| {
            deliveries::delivery_retry_in_tx(conn, &actor, delivery)?;
            let row = deliveries::delivery_get(conn, delivery)?;
            cases::case_get(conn, row.case_id)
        })
        .await?;
    state.wake.tell(Topic::Jobs);
    tell(state, case.id, case.site_id, case.pool_id);
    Ok(())
}

/// Gives a dead delivery up, which may make its case *returned*. The caller has checked that the person may.
///
/// # Errors
/// `form_invalid` without a reason, `conflict` when it is not dead.
pub async fn give_up(state: &State, actor: Actor, delivery: DeliveryId, reason: &str) -> Result<()> {
    let reason = reason.trim().to_owned();
    if reason.is_empty() {
        return Err(Error::new(&common::FORM_INVALID).field("reason", &common::FIELD_REASON_REQUIRED));
    }
    let case = state
        .db
        .tx(move |conn| {
            deliveries::delivery_give_up_in_tx(conn, &actor, delivery, &reason)?;
            let row = deliveries::delivery_get(conn, delivery)?;
            settle_case_in_tx(conn, &actor, row.case_id)?;
            cases::case_get(conn, row.case_id)
        })
        .await?;
    tell(state, case.id, case.site_id, case.pool_id);
    Ok(())
}

/// The PDF of a signed version, for a person of its site. Leaves an audit row, and the fact that a named recipient
/// opened it.
///
/// # Errors
/// `not_found` for another site's version or a draft, `internal` when the stored bytes are not those that were signed.
pub async fn open_pdf(
    state: &State,
    person: &Person,
    version: ReportVersionId,
) -> Result<(SignedVersion, bytes::Bytes)> {
    let (reach, user, actor) = (person.reach::<SeeReports>(), person.id, person.actor(state.now()));
    let (row, site, first) = state
        .db
        .tx(move |conn| {
            let row = signed_versions::signed_version_get(conn, version)?;
            let case = cases::case_get(conn, row.case_id)?;
            if !reach.covers_site(case.site_id) {
                return Err(StoreError::NotFound("the report version"));
            }
            let first = recipients::recipient_opened_in_tx(conn, &actor, version, user)?;
            let subject = Subject::row("report_version", version.0, Some(case.site_id));
            audit::append_in_tx(conn, &actor, "report.view", subject, "done", "")?;
            Ok((row, case.site_id, first))
        })
        .await?;
    let bytes = state.objects.get_checked(&row.object_key, &row.sha256).await.map_err(Error::internal)?;
    if first {
        state.wake.tell(Topic::Case(row.case_id.0));
        state.wake.tell(Topic::Portal(site.0));
    }
    Ok((row, bytes))
}

/// A doctor accepts a version; the first to do so after the return acknowledges the case. One who was not named
/// becomes a recipient by it: the substitute.
///
/// # Errors
/// `not_found`, `report_withdrawn`, `report_not_returned` before the return, `already_done`.
pub async fn accept(state: &State, person: &Person, version: ReportVersionId) -> Result<CaseId> {
    respond(state, person, version, None).await
}

/// A doctor says what was done about a version.
///
/// # Errors
/// As [`accept`], and `form_invalid` without a note.
pub async fn act(state: &State, person: &Person, version: ReportVersionId, note: &str) -> Result<CaseId> {
    let note = note.trim();
    if note.is_empty() {
        return Err(Error::new(&common::FORM_INVALID).field("note", &common::FIELD_REQUIRED));
    }
    if note.chars().count() > LONGEST_NOTE {
        return Err(Error::new(&common::FORM_INVALID).field("note", &common::FIELD_TOO_LONG));
    }
    respond(state, person, version, Some(note.to_owned())).await
}

enum Refused {
    NotReturned,
    Withdrawn,
}

async fn respond(state: &State, person: &Person, version: ReportVersionId, note: Option<String>) -> Result<CaseId> {
    let (reach, user, actor) = (person.reach::<ActOnReports>(), person.id, person.actor(state.now()));
    let outcome = state
        .db
        .tx(move |conn| {
            let row = signed_versions::signed_version_get(conn, version)?;
            let case = cases::case_get(conn, row.case_id)?;
            if !reach.covers_site(case.site_id) {
                return Err(StoreError::NotFound("the report version"));
            }
            if row.state == VersionState::Withdrawn {
                return Ok(Err(Refused::Withdrawn));
            }
            if case.returned_at.is_none() {
                return Ok(Err(Refused::NotReturned));
            }
            recipients::recipient_add_in_tx(conn, case.id, version, user, actor.at)?;
            match &note {
                None => {
                    recipients::recipient_accepted_in_tx(conn, &actor, version, user)?;
                    if case.state == CaseState::Returned {
                        case_apply_in_tx(conn, &actor, case.id, &CaseEvent::Acknowledge { by: user })?;
                    }
                }
                Some(note) => recipients::recipient_acted_in_tx(conn, &actor, version, user, note)?,
            }
            Ok(Ok(case))
        })
        .await?;
    match outcome {
        Ok(case) => {
            tell(state, case.id, case.site_id, case.pool_id);
            Ok(case.id)
        }
        Err(Refused::NotReturned) => Err(Error::new(&codes::REPORT_NOT_RETURNED)),
        Err(Refused::Withdrawn) => Err(Error::new(&codes::REPORT_WITHDRAWN)),
    }
}
