//! Requests: what a site's person writes, checked, kept and matched; withdrawn; questions answered.
//!
//! A request may come before or after its images. Where the site's rule has
//! already opened a case with a default request, the written one takes its
//! place: a case nobody reads yet is opened anew, one that is being read gets
//! the words.

mod answer;
mod cancel;
mod check;
mod forms;

use std::collections::BTreeSet;

use bytes::Bytes;
use chrono::NaiveDateTime;
use dokuei_models::identity::{self, IdentityDoubt};
use dokuei_models::names::PatientIdRule;
use dokuei_models::objects::KeptObject;
use dokuei_models::state::{CaseEvent, CaseState, MatchState, RequestKind, RequestState, Source, case_apply_in_tx};
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::requests::{self, NewRequest};
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_models::store::studies::{self, StudyRow};
use dokuei_models::store::submissions::{self, CaseOfStudy};
use dokuei_models::store::{cases, jobs, reads, recipients};
use dokuei_models::{Actor, CaseId, Connection, PoolId, RequestId, SiteId, StoreError, StudyId, UserId};
use dokuei_terms::Priority;
use serde::Deserialize;

pub use self::answer::answer;
pub use self::cancel::cancel;
pub use self::forms::add_form;

use self::check::{check, content_type};
use super::{due, matching, opening};
use crate::authority::rights::Submit;
use crate::authority::{Person, Role};
use crate::error::codes::{common, portal as codes};
use crate::error::{Code, Error, Result};
use crate::state::State;
use crate::wake::Topic;

/// The largest scanned form, in bytes.
pub const LARGEST_FORM: usize = 20 << 20;
/// How many scanned forms a request may have.
pub const MOST_FORMS: usize = 5;
/// Why a default case or request ended: a person's request took its place.
pub const REPLACED: &str = "replaced_by_request";
const LONGEST_TEXT: usize = 4000;
const LONGEST_REASON: usize = 500;

/// The form as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct RequestForm {
    /// The id of a study that is here, or empty.
    pub study: String,
    /// AccessionNumber, or empty.
    pub accession_number: String,
    /// PatientID.
    pub patient_id: String,
    /// The name in kanji.
    pub name_kanji: String,
    /// The name in kana.
    pub name_kana: String,
    /// The name in Latin letters.
    pub name_latin: String,
    /// `2026-04-01`.
    pub birth_date: String,
    /// `M`, `F` or `O`.
    pub sex: String,
    /// The ordering doctor's user id, or empty.
    pub ordering_user: String,
    /// The ordering doctor's name, where he is no user.
    pub ordering_doctor: String,
    /// The department.
    pub department: String,
    /// A telephone number that answers now.
    pub phone: String,
    /// The exam in the site's words.
    pub exam: String,
    /// The clinical question.
    pub question: String,
    /// History.
    pub history: String,
    /// A code of `RequestKind`.
    pub kind: String,
    /// A code of `Source`.
    pub source: String,
    /// A code of `Priority`.
    pub priority: String,
    /// `2026-04-01T14:05`, Japan; or empty.
    pub wanted_by: String,
    /// How many images there are, or empty.
    pub expected_instances: String,
}

/// A scanned form as it came.
#[derive(Debug, Clone)]
pub struct FormFile {
    /// Its name.
    pub name: String,
    /// Its bytes.
    pub bytes: Bytes,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The request.
    pub request: RequestId,
    /// Its cases, where images were here already.
    pub cases: Vec<CaseId>,
    /// Whether request and images differ, so that a person decides.
    pub for_a_person: bool,
}

/// What a form is held against.
struct Known {
    site: SiteRow,
    doctors: Vec<(UserId, String, String)>,
    study: Option<StudyRow>,
    now: NaiveDateTime,
}

/// Keeps a request with its scanned forms and looks for its images, all in one transaction.
///
/// # Errors
/// `form_invalid` with the fields that are wrong, `not_found` for a site that is not the person's.
pub async fn create(
    state: &State,
    person: &Person,
    site: SiteId,
    form: &RequestForm,
    files: Vec<FormFile>,
) -> Result<Created> {
    person.reach::<Submit>().need_site(site)?;
    let (chosen, now) = (form.study.trim().parse::<StudyId>().ok(), state.now());
    let known = state.db.read(move |conn| known(conn, site, chosen, now)).await?;
    let new = check(form, &known, &files)?;
    let mut kept: Vec<(String, &'static str, KeptObject)> = Vec::new();
    for file in files {
        let Some(kind) = content_type(&file) else { continue };
        let object = state.objects.keep(&format!("forms/{site}"), file.bytes).await;
        let object = object.map_err(|error| Error::not_kept(&codes::FORM_NOT_KEPT, error))?;
        kept.push((file.name, kind, object));
    }
    let (actor, picked, pool) = (person.actor(now), known.study.is_some(), known.site.pool_id);
    let outcome = state.db.tx(move |conn| create_in_tx(conn, &actor, &known.site, &new, picked, &kept)).await?;
    let (created, readers) = outcome.map_err(|(field, code)| Error::new(&common::FORM_INVALID).field(field, code))?;
    tell(state, site, pool, &created.cases, &readers);
    Ok(created)
}

fn known(conn: &mut Connection, site: SiteId, study: Option<StudyId>, now: NaiveDateTime) -> Result<Known, StoreError> {
    let study = match study {
        Some(study) => match studies::study_get(conn, study) {
            Ok(row) if row.site_id == site => Some(row),
            Ok(_) | Err(StoreError::NotFound(_)) => None,
            Err(error) => return Err(error),
        },
        None => None,
    };
    let doctors = recipients::site_doctor_list(conn, site, now)?;
    Ok(Known { site: sites::site_get(conn, site)?, doctors, study, now })
}

type Outcome = Result<(Created, BTreeSet<i64>), (&'static str, &'static Code)>;

/// `Ok(Err(…))` names the field that is wrong; then nothing was written.
fn create_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    site: &SiteRow,
    new: &NewRequest,
    picked: bool,
    files: &[(String, &'static str, KeptObject)],
) -> Result<Outcome, StoreError> {
    let field = if picked { "study" } else { "accession_number" };
    let named = submissions::case_list_of_named_studies(conn, new.site, &new.accession_number, &new.study_uid)?;
    let defaults: Vec<CaseOfStudy> = named.iter().copied().filter(|case| case.is_default).collect();
    if !named.is_empty() && defaults.is_empty() {
        return Ok(Err((field, &codes::STUDY_HAS_REQUEST)));
    }
    let rule: PatientIdRule = site.patient_id_rule.parse()?;
    let mut doubts: Vec<IdentityDoubt> = Vec::new();
    for case in &defaults {
        let study = studies::study_get(conn, case.study)?;
        doubts.extend(identity::doubts(rule, &new.identity, &study.identity()));
    }
    let mut readers = BTreeSet::new();
    if !doubts.is_empty() {
        let request = write(conn, actor, new, files)?;
        doubts.sort_unstable();
        doubts.dedup();
        let codes: Vec<&str> = doubts.iter().map(|doubt| doubt.code()).collect();
        requests::request_state_in_tx(conn, request, RequestState::Doubtful, Some(&codes.join("+")))?;
        return Ok(Ok((Created { request, cases: Vec::new(), for_a_person: true }, readers)));
    }
    if defaults.iter().any(|case| !case.state.is_open()) {
        return Ok(Err((field, &codes::STUDY_REPORTED)));
    }
    for case in &defaults {
        let rows = reads::read_list_of_case(conn, case.case)?;
        readers.extend(rows.iter().filter_map(|read| read.reader_id.map(|reader| reader.0)));
        if rows.iter().any(|read| read.started_at.is_some()) {
            if new.kind != RequestKind::Reading {
                return Ok(Err(("kind", &codes::READING_BEGUN)));
            }
            fill_default(conn, actor, site, case, new, files)?;
            return Ok(Ok((Created { request: case.request, cases: vec![case.case], for_a_person: false }, readers)));
        }
    }
    for case in &defaults {
        withdraw_default(conn, actor, case)?;
    }
    let request = write(conn, actor, new, files)?;
    let matched = matching::match_request_in_tx(conn, actor, request)?;
    Ok(Ok((Created { request, cases: matched.cases, for_a_person: matched.for_a_person }, readers)))
}

fn write(
    conn: &mut Connection,
    actor: &Actor,
    new: &NewRequest,
    files: &[(String, &'static str, KeptObject)],
) -> Result<RequestId, StoreError> {
    let request = requests::request_create_in_tx(conn, actor, new)?;
    for (name, kind, object) in files {
        requests::request_file_add_in_tx(conn, request, name, kind, object, actor.at)?;
    }
    Ok(request)
}

/// The default request's case ends and its study waits again: for the request that is being written.
fn withdraw_default(conn: &mut Connection, actor: &Actor, case: &CaseOfStudy) -> Result<(), StoreError> {
    if cases::case_get(conn, case.case)?.state != CaseState::Cancelled {
        case_apply_in_tx(conn, actor, case.case, &CaseEvent::Cancel { reason: REPLACED.to_owned() })?;
    }
    match requests::request_cancel_in_tx(conn, actor, case.request, REPLACED) {
        Ok(()) | Err(StoreError::Repeat(_)) => {}
        Err(error) => return Err(error),
    }
    studies::study_match_in_tx(conn, case.study, MatchState::Unmatched, Some("no_request"), None)
}

/// Somebody reads it already: the words go into the default request, the rest of the case stays.
fn fill_default(
    conn: &mut Connection,
    actor: &Actor,
    site: &SiteRow,
    of: &CaseOfStudy,
    new: &NewRequest,
    files: &[(String, &'static str, KeptObject)],
) -> Result<(), StoreError> {
    requests::request_fill_default_in_tx(conn, actor, of.request, new)?;
    for (name, kind, object) in files {
        requests::request_file_add_in_tx(conn, of.request, name, kind, object, actor.at)?;
    }
    let case = cases::case_get(conn, of.case)?;
    if case.priority != new.priority || new.wanted_by.is_some() {
        let contract = sites::contract_on(conn, site.id, due::day_in_japan(actor.at))?;
        let due_at = due::due_at(conn, site, contract.as_ref(), new.priority, new.wanted_by, case.received_at)?;
        let event = CaseEvent::Prioritise { priority: new.priority, due_at, reason: "request_written".to_owned() };
        case_apply_in_tx(conn, actor, case.id, &event)?;
    }
    opening::understand_parts_in_tx(conn, case.id)?;
    jobs::enqueue_in_tx(conn, &jobs::NewJob::now("prescreen_case", case.id.to_string(), actor.at))
}

fn tell(state: &State, site: SiteId, pool: PoolId, cases: &[CaseId], readers: &BTreeSet<i64>) {
    state.wake.tell(Topic::Jobs);
    state.wake.tell(Topic::Portal(site.0));
    state.wake.tell(Topic::Board(pool.0));
    for case in cases {
        state.wake.tell(Topic::Case(case.0));
    }
    for reader in readers {
        state.wake.tell(Topic::Worklist(*reader));
    }
}

/// A form filled as far as a study's headers allow. Leaves an audit row.
///
/// # Errors
/// `not_found` for another site's study.
pub async fn prefilled(state: &State, person: &Person, study: StudyId) -> Result<(SiteId, RequestForm)> {
    let (reach, actor) = (person.reach::<Submit>(), person.actor(state.now()));
    let row = state
        .db
        .tx(move |conn| {
            let row = studies::study_get(conn, study)?;
            if !reach.covers_site(row.site_id) {
                return Err(StoreError::NotFound("the study"));
            }
            let subject = Subject::row("study", study.0, Some(row.site_id));
            audit::append_in_tx(conn, &actor, "study.view", subject, "done", "")?;
            Ok(row)
        })
        .await?;
    let words = |text: &str| text.replace('^', " ").trim().to_owned();
    let form = RequestForm {
        study: row.id.to_string(),
        accession_number: row.accession_number.clone(),
        patient_id: row.header_patient_id.clone(),
        name_kanji: words(&row.header_name_ideographic),
        name_kana: words(&row.header_name_phonetic),
        name_latin: words(&row.header_name_alphabetic),
        birth_date: row.header_birth_date.map(|day| day.to_string()).unwrap_or_default(),
        sex: row.header_sex.clone(),
        exam: match row.description.as_str() {
            "" => row.modalities.replace('\\', " "),
            description => description.to_owned(),
        },
        ..empty_form(person)
    };
    Ok((row.site_id, form))
}

/// A form with what is usual.
pub fn empty_form(person: &Person) -> RequestForm {
    let doctor = person.has_role(Role::SiteDoctor);
    RequestForm {
        ordering_user: if doctor { person.id.to_string() } else { String::new() },
        kind: RequestKind::Reading.code().to_owned(),
        source: Source::Outpatient.code().to_owned(),
        priority: Priority::Routine.code().to_owned(),
        ..RequestForm::default()
    }
}

/// The doctors of a site, as a form offers them.
///
/// # Errors
/// Only the database's own.
pub async fn doctors(state: &State, site: SiteId) -> Result<Vec<(UserId, String, String)>> {
    let now = state.now();
    Ok(state.db.read(move |conn| recipients::site_doctor_list(conn, site, now)).await?)
}
