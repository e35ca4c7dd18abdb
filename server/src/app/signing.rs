//! Signing: from draft version n to an immutable one, with everything that follows from it.
//!
//! The PDF of exactly that revision is typeset, signed with the reader's own key
//! and stored durably first. Then one transaction, which names the revision,
//! makes the version final and writes artefact, read and case events, ledger
//! lines, deliveries, recipients and audit: a crash leaves a draft or everything.
//! An object without its row is an orphan and harms nobody.
//!
//! A *signing session* is opened by password within the browser's session; it
//! closes after 30 minutes without a signature and after 8 hours in any case. A
//! contract may ask for the password each time; a call without a browser's
//! session always brings it.

pub mod asked;
mod document;
pub(super) mod follow;
pub mod labels;
mod late_images;
mod reopen;
mod sheet;
pub mod withdraw;

use chrono::{NaiveDateTime, TimeDelta};
use dokuei_models::state::{ReadKind, VersionState};
use dokuei_models::store::artefacts::{self, ArtefactRow};
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::cases::{self, CasePart, CaseRow};
use dokuei_models::store::readers::ReaderRow;
use dokuei_models::store::reads::ReadRow;
use dokuei_models::store::reports::{self, VersionRow};
use dokuei_models::store::sessions as session_store;
use dokuei_models::store::sites;
use dokuei_models::{Connection, ReadId, ReportVersionId, StoreError};
use dokuei_report::{Fonts, SignatureDetails, TypesetError};

pub use self::late_images::signed_incomplete;
pub use self::reopen::{reopen, reopen_late_in_tx};
pub use self::sheet::{Sheet, sheet};

use self::labels::Choice;
use super::arrivals;
use super::keys;
use super::reading::{self, need_in_hand, prescreened};
use super::sessions;
use super::worklist::{reader_of, refused, tell};
use crate::authority::Person;
use crate::error::codes::reading as codes;
use crate::error::{Error, Result};
use crate::state::State;

/// A signing session closes after so long without a signature.
const IDLE: TimeDelta = TimeDelta::minutes(30);
/// And after so long in any case.
const LONGEST: TimeDelta = TimeDelta::hours(8);

/// What a person says when he signs.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// The revision that he saw.
    pub revision: i32,
    /// His password, where it is asked for.
    pub password: Option<String>,
    /// What is right, for each disagreement in its order.
    pub choices: Vec<Choice>,
    /// For a reopened case: addendum or amended.
    pub becomes: Option<VersionState>,
    /// Why, for these.
    pub reason: String,
    /// That he signs though images are known to come.
    pub although_coming: bool,
}

/// Whether a signing session is open.
pub fn is_open(opened_at: Option<NaiveDateTime>, used_at: Option<NaiveDateTime>, now: NaiveDateTime) -> bool {
    opened_at.is_some_and(|opened| {
        let last = used_at.map_or(opened, |used| used.max(opened));
        now - opened < LONGEST && now - last < IDLE
    })
}

fn is_empty(draft: &VersionRow) -> bool {
    draft.findings.trim().is_empty() || draft.impression.trim().is_empty()
}

fn asks_each_time(conn: &mut Connection, case: &CaseRow) -> Result<bool, StoreError> {
    match case.contract_id {
        Some(contract) => Ok(sites::contract_get(conn, contract)?.password_each_signature),
        None => Ok(false),
    }
}

/// Signs the draft of one's own read; returns the version that is final from now on.
///
/// # Errors
/// `signing_password_needed`, `study_still_coming`, `password_wrong`, `labels_unsettled`, `draft_empty`, `draft_stale`,
/// `version_kind_needed`, `read_held_by_another`, `read_on_hold`, `read_not_open`, `signing_unavailable`,
/// `report_not_kept`.
pub async fn sign(state: &State, person: &Person, read: ReadId, order: Order) -> Result<ReportVersionId> {
    let reader = reader_of(state, person).await?;
    let signed_at = state.now();
    let known = gather(state, &reader, read, &order, signed_at).await?;
    let session = open_session(state, person, &order, known.asks_each_time, signed_at).await?;

    let identity = keys::identity_of(state, reader.id, known.subject.clone()).await?;
    let fonts = state.config.signing.fonts.clone();
    let (document, location) = (known.document, known.institution);
    let pdf = tokio::task::spawn_blocking(move || {
        let set = dokuei_report::typeset(&document, &Fonts::in_folder(fonts)).map_err(not_set)?;
        let details = SignatureDetails {
            name: document.reader.name.clone(),
            reason: String::new(),
            location,
            time: document.signed_at,
        };
        dokuei_report::sign(&set, &identity, &details).map_err(Error::internal)
    })
    .await
    .map_err(Error::internal)??;
    let object = state.objects.keep("reports", pdf.into()).await;
    let object = object.map_err(|error| Error::not_kept(&codes::REPORT_NOT_KEPT, error))?;

    let mut actor = person.actor(state.now());
    // What the PDF says and what the rows say is one time.
    actor.at = signed_at;
    let version = known.draft.id;
    let finished = follow::Finished {
        read: known.read,
        reader: reader.id,
        user: reader.user_id,
        draft: known.draft,
        becomes: known.becomes,
        reason: known.reason,
        object,
        parts: known.settled_parts,
        incomplete: known.incomplete,
        choices: order.choices,
        session,
    };
    let reader = reader.id;
    let case = state.db.tx(move |conn| follow::finish_in_tx(conn, &actor, &finished)).await.map_err(refused)?;
    metrics::counter!("dokuei_reports_signed_total").increment(1);
    tell(state, &case, Some(reader.0));
    state.wake.tell(crate::wake::Topic::Deliveries);
    Ok(version)
}

fn not_set(error: TypesetError) -> Error {
    match error {
        TypesetError::TooLong { .. } => Error::new(&codes::DRAFT_TOO_LONG).with("limit", dokuei_report::LONGEST_TEXT),
        TypesetError::Fonts(error) => Error::new(&codes::SIGNING_UNAVAILABLE).with("what", error),
        other => Error::internal(other),
    }
}

/// What signing needs to know, as it stood when the draft was looked at.
struct Known {
    read: ReadRow,
    draft: VersionRow,
    becomes: VersionState,
    reason: String,
    asks_each_time: bool,
    settled_parts: Option<Vec<CasePart>>,
    /// Images received and expected, where more were known to come.
    incomplete: Option<(i32, Option<i32>)>,
    document: dokuei_report::ReportDocument,
    institution: String,
    subject: dokuei_report::Subject,
}

async fn gather(
    state: &State,
    reader: &ReaderRow,
    read: ReadId,
    order: &Order,
    signed_at: NaiveDateTime,
) -> Result<Known> {
    let (reader, order) = (reader.clone(), order.clone());
    state
        .db
        .read(move |conn| {
            let row = need_in_hand(conn, read, reader.id)?;
            let case = cases::case_get(conn, row.case_id)?;
            let Some(draft) = reports::draft_of_read(conn, read)? else {
                return Ok(Err(Error::new(&codes::DRAFT_EMPTY)));
            };
            if draft.revision != order.revision {
                return Ok(Err(Error::new(&codes::DRAFT_STALE)));
            }
            if is_empty(&draft) {
                return Ok(Err(Error::new(&codes::DRAFT_EMPTY)));
            }
            let (becomes, reason) = match becomes(row.kind, &order) {
                Ok(both) => both,
                Err(error) => return Ok(Err(error)),
            };
            let (received, expected, coming) = arrivals::of_case(conn, case.id, signed_at)?;
            if coming && !order.although_coming {
                let expected = expected.map_or_else(|| "?".to_owned(), |count| count.to_string());
                let error = Error::new(&codes::STUDY_STILL_COMING).with("received", received);
                return Ok(Err(error.with("expected", expected)));
            }
            let conflicts = prescreened(conn, &case)?.1;
            if order.choices.len() != conflicts.len() {
                return Ok(Err(Error::new(&codes::LABELS_UNSETTLED)));
            }
            let parts = cases::case_part_list(conn, case.id)?;
            let settled_parts = labels::settle(&parts, &conflicts, &order.choices);
            let incomplete = coming.then_some((received, expected));
            let made = document::of(
                conn,
                &document::Making {
                    reader: &reader,
                    read: &row,
                    case: &case,
                    parts: settled_parts.as_deref().unwrap_or(&parts),
                    draft: &draft,
                    becomes,
                    reason: &reason,
                    signed_at,
                    incomplete,
                },
            )?;
            Ok(Ok(Known {
                asks_each_time: asks_each_time(conn, &case)?,
                read: row,
                draft,
                becomes,
                reason,
                settled_parts,
                incomplete,
                document: made.document,
                institution: made.institution,
                subject: made.subject,
            }))
        })
        .await
        .map_err(refused)?
}

/// What the version becomes, and why.
fn becomes(kind: ReadKind, order: &Order) -> Result<(VersionState, String)> {
    match kind {
        ReadKind::First => Ok((VersionState::Preliminary, String::new())),
        ReadKind::Reopened => match order.becomes {
            Some(state @ (VersionState::Addendum | VersionState::Amended)) if !order.reason.trim().is_empty() => {
                Ok((state, order.reason.trim().to_owned()))
            }
            _ => Err(Error::new(&codes::VERSION_KIND_NEEDED)),
        },
        ReadKind::Single | ReadKind::Independent | ReadKind::Check | ReadKind::Third => {
            Ok((VersionState::Final, String::new()))
        }
    }
}

/// The session that this signature uses, with the time its signing was opened; `None` without a browser.
async fn open_session(
    state: &State,
    person: &Person,
    order: &Order,
    each_time: bool,
    now: NaiveDateTime,
) -> Result<Option<follow::UsedSession>> {
    let found = match person.session() {
        Some(id) => state.db.read(move |conn| session_store::session_get(conn, id)).await?,
        None => None,
    };
    let opened_at = found
        .as_ref()
        .filter(|session| !each_time && is_open(session.signing_opened_at, session.signing_used_at, now))
        .and_then(|session| session.signing_opened_at);
    let opened_at = match opened_at {
        Some(opened_at) => opened_at,
        None => {
            let password = order.password.clone().filter(|password| !password.is_empty());
            let password = password.ok_or_else(|| Error::new(&codes::SIGNING_PASSWORD_NEEDED))?;
            sessions::prove_password(state, person, password).await?;
            now
        }
    };
    Ok(found.map(|session| follow::UsedSession { id: session.id, opened_at }))
}

/// The signed PDF of a version that the person may see through this read.
///
/// # Errors
/// `not_found`, or `internal` when the stored bytes are not the ones that were signed.
pub async fn pdf(state: &State, person: &Person, read: ReadId, version: ReportVersionId) -> Result<bytes::Bytes> {
    let (who, actor) = (person.clone(), person.actor(state.now()));
    let artefact: ArtefactRow = state
        .db
        .tx(move |conn| {
            let access = reading::access(conn, &who, read)?;
            let shown = reading::signed_versions(conn, &access)?;
            if !shown.iter().any(|signed| signed.version.id == version) {
                return Err(StoreError::NotFound("the report version"));
            }
            let subject = Subject::row("report_version", version.0, Some(access.case.site_id));
            audit::append_in_tx(conn, &actor, "report.open", subject, "done", "")?;
            artefacts::artefact_of_kind(conn, version, artefacts::PDF)?.ok_or(StoreError::NotFound("the report's file"))
        })
        .await?;
    state.objects.get_checked(&artefact.object_key, &artefact.sha256).await.map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> NaiveDateTime {
        chrono::DateTime::from_timestamp(1_800_000_000 + minute * 60, 0).unwrap().naive_utc()
    }

    #[test]
    fn a_signing_session_closes_after_thirty_idle_minutes() {
        assert!(!is_open(None, None, at(0)));
        assert!(is_open(Some(at(0)), None, at(29)));
        assert!(!is_open(Some(at(0)), None, at(30)));
        assert!(is_open(Some(at(0)), Some(at(20)), at(49)));
        assert!(!is_open(Some(at(0)), Some(at(20)), at(50)));
    }

    #[test]
    fn a_signing_session_closes_after_eight_hours_however_much_it_is_used() {
        assert!(is_open(Some(at(0)), Some(at(479)), at(479)));
        assert!(!is_open(Some(at(0)), Some(at(479)), at(480)));
    }

    #[test]
    fn a_use_before_the_session_was_opened_anew_does_not_close_it() {
        assert!(is_open(Some(at(100)), Some(at(0)), at(120)));
    }

    #[test]
    fn an_addendum_needs_its_kind_and_a_reason() {
        let order = |becomes, reason: &str| Order { becomes, reason: reason.to_owned(), ..Order::default() };
        assert!(becomes(ReadKind::Reopened, &order(None, "late images")).is_err());
        assert!(becomes(ReadKind::Reopened, &order(Some(VersionState::Addendum), " ")).is_err());
        assert!(becomes(ReadKind::Reopened, &order(Some(VersionState::Final), "x")).is_err());
        assert_eq!(
            becomes(ReadKind::Reopened, &order(Some(VersionState::Amended), "x")).unwrap().0,
            VersionState::Amended
        );
        assert_eq!(becomes(ReadKind::First, &Order::default()).unwrap().0, VersionState::Preliminary);
        assert_eq!(becomes(ReadKind::Check, &Order::default()).unwrap().0, VersionState::Final);
    }
}
