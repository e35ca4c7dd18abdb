//! Everything a dispatcher sees of one case: whose it is, why it is where it is, and what may be done with it.
//!
//! Opening the sheet leaves one audit row; a sheet that renews itself within ten
//! minutes is the same view.

use chrono::{NaiveDateTime, TimeDelta};
use dokuei_models::identity::IdentityDoubt;
use dokuei_models::state::{CaseStudyRole, MatchState, NoteKind, RequestState};
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::case_events::{self, CaseEventRow};
use dokuei_models::store::case_notes::{self, CaseNoteRow};
use dokuei_models::store::cases::{self, CasePart, CaseRow};
use dokuei_models::store::deliveries::{self, DeliveryRow};
use dokuei_models::store::overrides::{self, OverrideRow};
use dokuei_models::store::patients::{self, PatientRow};
use dokuei_models::store::prescreens::{self, PrescreenRow};
use dokuei_models::store::readers::{self, ReaderRow};
use dokuei_models::store::reads::{self, ReadRow};
use dokuei_models::store::reports;
use dokuei_models::store::requests::{self, RequestFileRow, RequestRow};
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_models::store::studies::{self, StudyRow};
use dokuei_models::store::{board, jobs, withdrawals};
use dokuei_models::{CaseId, Connection, DeliveryId, ReadId, ReportVersionId, RequestId, StoreError, StudyId};

use super::board::Names;
use super::matching::OLDER_THAN_LIMIT;
use super::overriding::{case_within, refused, tell};
use super::{form, regrouping, returns};
use crate::authority::rights::Direct;
use crate::authority::{Person, Reach};
use crate::error::codes::common;
use crate::error::{Error, Result};
use crate::state::State;
use crate::wake::Topic;

/// A page that renews itself is one view for so long.
const ONE_VIEW: TimeDelta = TimeDelta::minutes(10);
/// The longest note, and the longest name of whom one spoke with, in characters.
const LONGEST_NOTE: usize = 4000;
const LONGEST_CONTACT: usize = 200;
/// How many loose studies are offered.
const OFFERED: i64 = 20;

/// A study that could be put into the case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loose {
    /// The study.
    pub study: StudyRow,
    /// What differs between its headers and the request.
    pub doubts: Vec<IdentityDoubt>,
}

/// The sheet.
#[derive(Clone)]
pub struct Sheet {
    /// The case.
    pub case: CaseRow,
    /// The referring site.
    pub site: SiteRow,
    /// The patient.
    pub patient: PatientRow,
    /// The request.
    pub request: RequestRow,
    /// Its scanned forms.
    pub files: Vec<RequestFileRow>,
    /// Its studies.
    pub studies: Vec<(StudyRow, CaseStudyRole)>,
    /// What is to be read.
    pub parts: Vec<CasePart>,
    /// The newest prescreen.
    pub prescreen: Option<PrescreenRow>,
    /// Its reads.
    pub reads: Vec<ReadRow>,
    /// Decisions in force.
    pub overrides: Vec<OverrideRow>,
    /// Its history, oldest first.
    pub events: Vec<CaseEventRow>,
    /// Notes and telephone calls.
    pub notes: Vec<CaseNoteRow>,
    /// What is owed to the site.
    pub deliveries: Vec<DeliveryRow>,
    /// What was signed: the read, the version and its number in the case, oldest first.
    pub signed: Vec<(ReadId, ReportVersionId, i32)>,
    /// Studies that could be put into it.
    pub loose: Vec<Loose>,
    /// Other open cases of the patient.
    pub siblings: Vec<CaseRow>,
    /// The pool's readers with their names.
    pub readers: Vec<(ReaderRow, String, String)>,
    /// Names.
    pub names: Names,
    /// Whether the person may withdraw its reports: there is one in force, and he directs readings there.
    pub may_withdraw: bool,
}

/// Opens the sheet.
///
/// # Errors
/// `not_found` outside reach.
pub async fn sheet(state: &State, person: &Person, reach: Reach, case: CaseId) -> Result<Sheet> {
    let mut sheet = state.db.read(move |conn| sheet_in(conn, &reach, case)).await?;
    sheet.may_withdraw &= person.reach::<Direct>().covers(sheet.site.id, sheet.case.pool_id);
    seen(state, person, "case.show", Subject::case(case, sheet.site.id)).await?;
    Ok(sheet)
}

/// Writes that a person looked at a subject, once in [`ONE_VIEW`].
///
/// # Errors
/// What the database says.
pub async fn seen(state: &State, person: &Person, action: &'static str, subject: Subject) -> Result<()> {
    let actor = person.actor(state.now());
    let user = person.id;
    let since = actor.at - ONE_VIEW;
    let known = state.db.read(move |conn| audit::audit_shown_since(conn, user, action, subject, since)).await?;
    if !known {
        state.db.tx(move |conn| audit::append_in_tx(conn, &actor, action, subject, "done", "")).await?;
    }
    Ok(())
}

/// The same, on a connection, without a trace.
///
/// # Errors
/// [`StoreError::NotFound`] outside reach.
pub fn sheet_in(conn: &mut Connection, reach: &Reach, case: CaseId) -> std::result::Result<Sheet, StoreError> {
    let row = case_within(conn, reach, case)?;
    let mut in_case = Vec::new();
    for (study, role) in cases::case_study_list(conn, case)? {
        in_case.push((studies::study_get(conn, study)?, role));
    }
    let siblings = board::case_list_of_patient(conn, row.patient_id)?
        .into_iter()
        .filter(|other| other.id != case && other.state.is_open())
        .collect();
    let loose = if row.state.is_open() { loose_for(conn, &row, &in_case)? } else { Vec::new() };
    Ok(Sheet {
        site: sites::site_get(conn, row.site_id)?,
        patient: patients::patient_get(conn, row.patient_id)?,
        request: requests::request_get(conn, row.request_id)?,
        files: requests::request_file_list(conn, row.request_id)?,
        studies: in_case,
        parts: cases::case_part_list(conn, case)?,
        prescreen: prescreens::prescreen_newest(conn, case)?,
        reads: reads::read_list_of_case(conn, case)?,
        overrides: overrides::override_list(conn, &[case])?,
        events: case_events::case_event_list(conn, case)?,
        notes: case_notes::case_note_list(conn, case)?,
        deliveries: deliveries::delivery_list_of_case(conn, case)?,
        signed: reports::version_list_of_case(conn, case)?
            .into_iter()
            .filter(|(_, version)| version.signed_at.is_some())
            .map(|(report, version)| (report.read_id, version.id, version.number))
            .collect(),
        loose,
        siblings,
        readers: readers::reader_list(conn, Some(row.pool_id))?,
        names: Names::load(conn)?,
        may_withdraw: !withdrawals::version_list_in_force(conn, case)?.is_empty(),
        case: row,
    })
}

/// The patient's other studies, and the site's studies that found no partner; those of an open case left out.
fn loose_for(
    conn: &mut Connection,
    case: &CaseRow,
    in_case: &[(StudyRow, CaseStudyRole)],
) -> std::result::Result<Vec<Loose>, StoreError> {
    let (mut found, _) =
        board::board_study_list(conn, &[case.site_id], &[MatchState::Unmatched, MatchState::Doubtful], OFFERED)?;
    found.extend(studies::study_list_of_patient(conn, case.patient_id)?);
    let mut loose: Vec<Loose> = Vec::new();
    for study in found {
        let known = loose.iter().any(|one| one.study.id == study.id);
        let here = in_case.iter().any(|(one, role)| one.id == study.id && *role == CaseStudyRole::Current);
        if known
            || here
            || study.match_state == MatchState::Arriving
            || regrouping::open_case_of(conn, study.id)?.is_some()
        {
            continue;
        }
        let doubts = regrouping::doubts_between(conn, case.request_id, study.id)?;
        loose.push(Loose { study, doubts });
    }
    loose.sort_by_key(|one| one.doubts.len());
    Ok(loose)
}

/// Adds a note or a telephone call.
///
/// # Errors
/// `form_invalid`; `not_found` outside reach.
pub async fn note(
    state: &State,
    person: &Person,
    reach: Reach,
    case: CaseId,
    kind: &str,
    contact: &str,
    body: &str,
) -> Result<()> {
    let actor = person.actor(state.now());
    let kind = match kind {
        "phone" => NoteKind::Phone,
        "note" => NoteKind::Note,
        _ => return Err(form::invalid("kind")),
    };
    let body = form::need_text("body", body, LONGEST_NOTE, &common::FIELD_REQUIRED)?;
    let contact = contact.trim().to_owned();
    if contact.chars().count() > LONGEST_CONTACT {
        return Err(Error::new(&common::FORM_INVALID).field("contact", &common::FIELD_TOO_LONG));
    }
    let row = state
        .db
        .tx(move |conn| {
            let row = case_within(conn, &reach, case)?;
            case_notes::case_note_add_in_tx(conn, &actor, case, kind, &contact, &body)?;
            let subject = Subject::case(case, row.site_id);
            audit::append_in_tx(conn, &actor, &format!("case.{kind}"), subject, "done", "")?;
            Ok(row)
        })
        .await
        .map_err(refused)?;
    tell(state, &row, &[]);
    Ok(())
}

/// What a person does with a dead delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redeliver {
    /// Try again, from the first attempt.
    Again,
    /// Give it up, for this reason.
    GiveUp(String),
}

/// Decides about a dead delivery.
///
/// # Errors
/// `not_found` outside reach, `case_state` when it is not dead any more.
pub async fn redeliver(
    state: &State,
    person: &Person,
    reach: Reach,
    delivery: DeliveryId,
    what: Redeliver,
) -> Result<CaseId> {
    let row = state
        .db
        .read(move |conn| {
            let delivery = deliveries::delivery_get(conn, delivery)?;
            case_within(conn, &reach, delivery.case_id)
        })
        .await
        .map_err(refused)?;
    match what {
        Redeliver::Again => returns::retry(state, person.actor(state.now()), delivery).await?,
        Redeliver::GiveUp(reason) => returns::give_up(state, person.actor(state.now()), delivery, &reason).await?,
    }
    tell(state, &row, &[]);
    state.wake.tell(Topic::Deliveries);
    Ok(row.id)
}

/// Images or a request that found no partner, with what could be.
#[derive(Clone)]
pub struct Unpaired {
    /// The site.
    pub site: SiteRow,
    /// The study that is looked at, if it is one.
    pub study: Option<StudyRow>,
    /// The request that is looked at, if it is one.
    pub request: Option<RequestRow>,
    /// Requests that the study may belong to, with what differs.
    pub requests: Vec<(RequestRow, Vec<IdentityDoubt>)>,
    /// Studies that the request may have been written for, with what differs.
    pub studies: Vec<Loose>,
}

impl Unpaired {
    /// Whether the request waits because the study it names is older than the site's limit.
    pub fn names_an_older_study(&self) -> bool {
        self.request.as_ref().is_some_and(|request| request.state_reason.as_deref() == Some(OLDER_THAN_LIMIT))
    }
}

/// Opens what a study may belong to.
///
/// # Errors
/// `not_found` outside reach.
pub async fn unpaired_study(state: &State, person: &Person, reach: Reach, study: StudyId) -> Result<Unpaired> {
    let found = state
        .db
        .read(move |conn| {
            let row = studies::study_get(conn, study)?;
            let site = site_within(conn, &reach, row.site_id)?;
            let mut asked = requests::request_list_naming(conn, site.id, &row.accession_number, &row.study_uid)?;
            for state in [RequestState::Doubtful, RequestState::Waiting] {
                asked.extend(requests::request_list_in(conn, state, Some(site.id), OFFERED)?);
            }
            let mut offered: Vec<(RequestRow, Vec<IdentityDoubt>)> = Vec::new();
            for request in asked {
                if offered.iter().all(|(other, _)| other.id != request.id) {
                    let doubts = regrouping::doubts_between(conn, request.id, study)?;
                    offered.push((request, doubts));
                }
            }
            offered.sort_by_key(|(request, doubts)| (doubts.len(), request.id));
            Ok(Unpaired { site, study: Some(row), request: None, requests: offered, studies: Vec::new() })
        })
        .await
        .map_err(Error::from)?;
    seen(state, person, "study.show", Subject::row("study", study.0, Some(found.site.id))).await?;
    Ok(found)
}

/// Opens what a request may have been written for.
///
/// # Errors
/// `not_found` outside reach.
pub async fn unpaired_request(state: &State, person: &Person, reach: Reach, request: RequestId) -> Result<Unpaired> {
    let found = state
        .db
        .read(move |conn| {
            let row = requests::request_get(conn, request)?;
            let site = site_within(conn, &reach, row.site_id)?;
            let states = [MatchState::Unmatched, MatchState::Doubtful];
            let mut offered = Vec::new();
            let (mut found, _) = board::board_study_list(conn, &[site.id], &states, OFFERED)?;
            // What it names and what is kept for comparison only because of its age.
            let named = studies::study_list_waiting_for(conn, site.id, &row.accession_number, &row.study_uid)?;
            found.extend(named.into_iter().filter(|study| study.match_state == MatchState::Comparison));
            for study in found {
                let doubts = regrouping::doubts_between(conn, request, study.id)?;
                offered.push(Loose { study, doubts });
            }
            offered.sort_by_key(|one| (one.doubts.len(), one.study.id));
            Ok(Unpaired { site, study: None, request: Some(row), requests: Vec::new(), studies: offered })
        })
        .await
        .map_err(Error::from)?;
    seen(state, person, "request.show", Subject::row("request", request.0, Some(found.site.id))).await?;
    Ok(found)
}

fn site_within(
    conn: &mut Connection,
    reach: &Reach,
    site: dokuei_models::SiteId,
) -> std::result::Result<SiteRow, StoreError> {
    let site = sites::site_get(conn, site)?;
    if reach.covers(site.id, site.pool_id) { Ok(site) } else { Err(StoreError::NotFound("the site")) }
}

/// Has the case's pool planned anew, now.
///
/// # Errors
/// `not_found` outside reach.
pub async fn plan_again(state: &State, reach: Reach, case: CaseId) -> Result<()> {
    let now: NaiveDateTime = state.now();
    state
        .db
        .tx(move |conn| {
            let row = case_within(conn, &reach, case)?;
            jobs::enqueue_plan_in_tx(conn, row.pool_id, now)
        })
        .await?;
    state.wake.tell(Topic::Jobs);
    Ok(())
}
