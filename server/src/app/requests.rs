//! Requests: what a site's person writes, checked, kept and matched; withdrawn; questions answered.
//!
//! A request may come before or after its images. Where the site's rule has
//! already opened a case with a default request, the written one takes its
//! place: a case nobody reads yet is opened anew, one that is being read gets
//! the words.

use std::collections::BTreeSet;

use bytes::Bytes;
use chrono::{NaiveDate, NaiveDateTime, TimeZone as _};
use chrono_tz::Asia::Tokyo;
use dokuei_dicom_gateway::media::{self, Kind};
use dokuei_models::identity::{self, IdentityDoubt};
use dokuei_models::names::{PatientIdRule, PatientName};
use dokuei_models::objects::KeptObject;
use dokuei_models::state::{
    CaseEvent, CaseState, HoldActor, MatchState, NoteKind, RequestKind, RequestState, Source, case_apply_in_tx,
};
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::patients::Identity;
use dokuei_models::store::requests::{self, NewRequest};
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_models::store::studies::{self, StudyRow};
use dokuei_models::store::submissions::{self, CaseOfStudy};
use dokuei_models::store::{case_notes, cases, deliveries, jobs, reads, recipients};
use dokuei_models::{Actor, CaseId, Connection, PoolId, RequestId, SiteId, StoreError, StudyId, UserId};
use dokuei_terms::Priority;
use serde::Deserialize;

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
        let object = state.objects.keep(&format!("forms/{site}"), file.bytes).await.map_err(Error::internal)?;
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

/// A name as a header writes it: the family name, `^`, the given name.
fn components(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join("^")
}

fn content_type(file: &FormFile) -> Option<&'static str> {
    match media::classify(&file.name, &file.bytes) {
        Kind::Pdf => Some("application/pdf"),
        Kind::Jpeg => Some("image/jpeg"),
        Kind::Png => Some("image/png"),
        _ => None,
    }
}

/// Faults of a form, gathered so that all are told at once.
#[derive(Default)]
struct Faults(Vec<(&'static str, &'static Code)>);

impl Faults {
    fn add(&mut self, field: &'static str, code: &'static Code) {
        self.0.push((field, code));
    }

    /// Trimmed, without control characters but line ends, at most `most` characters.
    fn text(&mut self, field: &'static str, text: &str, most: usize) -> String {
        let text = text.replace("\r\n", "\n").trim().to_owned();
        if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
            self.add(field, &common::FIELD_INVALID);
        } else if text.chars().count() > most {
            self.add(field, &common::FIELD_TOO_LONG);
        }
        text
    }

    fn required(&mut self, field: &'static str, text: &str, most: usize) -> String {
        let text = self.text(field, text, most);
        if text.is_empty() {
            self.add(field, &common::FIELD_REQUIRED);
        }
        text
    }

    fn code<T: std::str::FromStr>(&mut self, field: &'static str, text: &str, or: T) -> T {
        text.parse().unwrap_or_else(|_| {
            self.add(field, &common::FIELD_REQUIRED);
            or
        })
    }
}

/// What of the form is to be kept.
///
/// # Errors
/// `form_invalid` with every field that is wrong.
fn check(form: &RequestForm, known: &Known, files: &[FormFile]) -> Result<NewRequest> {
    let mut faults = Faults::default();
    let rule: PatientIdRule = known.site.patient_id_rule.parse().map_err(Error::internal)?;
    let identity = check_identity(&mut faults, form, known.now);
    let accession_number = faults.text("accession_number", &form.accession_number, 16);
    if accession_number.contains('\\') {
        faults.add("accession_number", &common::FIELD_INVALID);
    }
    if accession_number.is_empty() && known.study.is_none() {
        faults.add("accession_number", &codes::KEY_REQUIRED);
    }
    let (ordering_user, ordering_doctor) = check_doctor(&mut faults, form, known);
    let kind = faults.code("kind", &form.kind, RequestKind::Reading);
    let source = faults.code("source", &form.source, Source::Outpatient);
    let priority = faults.code("priority", &form.priority, Priority::Routine);
    let phone = check_phone(&mut faults, &form.phone, priority);
    let question = faults.text("question", &form.question, LONGEST_TEXT);
    // A check-up asks nothing in particular, and an engine reads no question.
    if question.is_empty() && source != Source::Checkup && kind != RequestKind::AiOnly {
        faults.add("question", &common::FIELD_REQUIRED);
    }
    let wanted_by = check_wanted_by(&mut faults, &form.wanted_by, known.now);
    let expected_instances = match form.expected_instances.trim() {
        "" => None,
        text => match text.parse::<i32>() {
            Ok(count) if (1..=100_000).contains(&count) => Some(count),
            _ => {
                faults.add("expected_instances", &common::FIELD_INVALID);
                None
            }
        },
    };
    if files.iter().any(|file| file.bytes.len() > LARGEST_FORM) || files.len() > MOST_FORMS {
        faults.add("files", &codes::FORM_FILE_LARGE);
    } else if files.iter().any(|file| content_type(file).is_none()) {
        faults.add("files", &codes::FORM_FILE_KIND);
    }
    let new = NewRequest {
        site: known.site.id,
        accession_number,
        study_uid: known.study.as_ref().map(|study| study.study_uid.clone()).unwrap_or_default(),
        patient_key: rule.key(&identity.patient_id),
        identity,
        ordering_doctor,
        ordering_user,
        department: faults.text("department", &form.department, 100),
        phone,
        exam: faults.required("exam", &form.exam, 200),
        question,
        history: faults.text("history", &form.history, LONGEST_TEXT),
        kind,
        source,
        priority,
        wanted_by,
        expected_instances,
        is_default: false,
    };
    if faults.0.is_empty() {
        return Ok(new);
    }
    Err(faults.0.into_iter().fold(Error::new(&common::FORM_INVALID), |error, (field, code)| error.field(field, code)))
}

fn check_identity(faults: &mut Faults, form: &RequestForm, now: NaiveDateTime) -> Identity {
    let patient_id = faults.required("patient_id", &form.patient_id, 64);
    if patient_id.contains(['\\', '\n']) {
        faults.add("patient_id", &common::FIELD_INVALID);
    }
    let name = PatientName {
        alphabetic: components(&faults.text("name_latin", &form.name_latin, 64)),
        ideographic: components(&faults.text("name_kanji", &form.name_kanji, 64)),
        phonetic: components(&faults.text("name_kana", &form.name_kana, 64)),
    };
    if name == PatientName::default() {
        faults.add("name_kanji", &codes::NAME_REQUIRED);
    }
    let birth_date = NaiveDate::parse_from_str(form.birth_date.trim(), "%Y-%m-%d").ok();
    let first = NaiveDate::from_ymd_opt(1880, 1, 1).unwrap_or_default();
    if birth_date.is_none_or(|day| day > due::day_in_japan(now) || day < first) {
        faults.add(
            "birth_date",
            if form.birth_date.trim().is_empty() { &common::FIELD_REQUIRED } else { &codes::DAY_INVALID },
        );
    }
    let sex = form.sex.trim().to_owned();
    if !matches!(sex.as_str(), "M" | "F" | "O") {
        faults.add("sex", &common::FIELD_REQUIRED);
    }
    Identity { patient_id, name, birth_date, sex }
}

fn check_doctor(faults: &mut Faults, form: &RequestForm, known: &Known) -> (Option<UserId>, String) {
    let chosen = form.ordering_user.trim().parse::<UserId>().ok();
    if let Some((user, name, _)) = chosen.and_then(|chosen| known.doctors.iter().find(|(user, ..)| *user == chosen)) {
        return (Some(*user), name.clone());
    }
    if chosen.is_some() {
        faults.add("ordering_user", &common::FIELD_INVALID);
        return (None, String::new());
    }
    (None, faults.required("ordering_doctor", &form.ordering_doctor, 64))
}

fn check_phone(faults: &mut Faults, text: &str, priority: Priority) -> String {
    let phone = faults.text("phone", text, 30);
    let digits = phone.chars().filter(|c| c.is_numeric()).count();
    if phone.is_empty() {
        if priority == Priority::Stat {
            faults.add("phone", &codes::PHONE_FOR_STAT);
        }
    } else if digits < 3 || !phone.chars().all(|c| c.is_numeric() || "+-()－ー（） 内線x".contains(c)) {
        faults.add("phone", &codes::PHONE_INVALID);
    }
    phone
}

fn check_wanted_by(faults: &mut Faults, text: &str, now: NaiveDateTime) -> Option<NaiveDateTime> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").ok();
    let at = local.and_then(|local| Tokyo.from_local_datetime(&local).single()).map(|at| at.naive_utc());
    match at {
        Some(at) if at > now => Some(at),
        Some(_) => {
            faults.add("wanted_by", &codes::WANTED_PAST);
            None
        }
        None => {
            faults.add("wanted_by", &codes::DAY_INVALID);
            None
        }
    }
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

/// A reason or an answer as it is kept.
///
/// # Errors
/// `form_invalid` when it is empty or too long.
fn need_text(field: &'static str, text: &str, most: usize, missing: &'static Code) -> Result<String> {
    let text = text.replace("\r\n", "\n").trim().to_owned();
    if text.is_empty() {
        return Err(Error::new(&common::FORM_INVALID).field(field, missing));
    }
    if text.chars().count() > most {
        return Err(Error::new(&common::FORM_INVALID).field(field, &common::FIELD_TOO_LONG));
    }
    Ok(text)
}

/// Withdraws a request with its cases, while nothing is signed.
///
/// # Errors
/// `not_found`, `form_invalid` without a reason, `request_signed`, `already_done`.
pub async fn cancel(state: &State, person: &Person, request: RequestId, reason: &str) -> Result<()> {
    let reason = need_text("reason", reason, LONGEST_REASON, &common::FIELD_REASON_REQUIRED)?;
    let (reach, actor) = (person.reach::<Submit>(), person.actor(state.now()));
    let outcome = state
        .db
        .tx(move |conn| {
            let row = requests::request_get(conn, request)?;
            if !reach.covers_site(row.site_id) {
                return Err(StoreError::NotFound("the request"));
            }
            let of_request = cases::case_list_of_request(conn, request)?;
            let ids: Vec<CaseId> = of_request.iter().map(|case| case.id).collect();
            let signed = !deliveries::signed_version_list(conn, &ids)?.is_empty();
            if signed || of_request.iter().any(|case| !case.state.is_open() && case.state != CaseState::Cancelled) {
                return Ok(None);
            }
            let mut readers = BTreeSet::new();
            for case in of_request.iter().filter(|case| case.state.is_open()) {
                readers.extend(
                    reads::read_list_of_case(conn, case.id)?.iter().filter_map(|read| read.reader_id.map(|id| id.0)),
                );
                case_apply_in_tx(conn, &actor, case.id, &CaseEvent::Cancel { reason: reason.clone() })?;
                free_studies(conn, case.id)?;
            }
            requests::request_cancel_in_tx(conn, &actor, request, &reason)?;
            let pool = sites::site_get(conn, row.site_id)?.pool_id;
            Ok(Some((row.site_id, pool, ids, readers)))
        })
        .await?;
    let Some((site, pool, ids, readers)) = outcome else { return Err(Error::new(&codes::REQUEST_SIGNED)) };
    tell(state, site, pool, &ids, &readers);
    Ok(())
}

/// The studies of a cancelled case that no other case has are kept for comparison, and may be asked for again.
fn free_studies(conn: &mut Connection, case: CaseId) -> Result<(), StoreError> {
    for study in opening::current_studies(conn, case)? {
        let others: Vec<CaseId> = studies::study_cases(conn, study)?
            .into_iter()
            .map(|(other, _)| other)
            .filter(|other| *other != case)
            .collect();
        let in_use = cases::case_list_by_id(conn, &others)?.iter().any(|other| other.state != CaseState::Cancelled);
        if !in_use {
            studies::study_match_in_tx(conn, study, MatchState::Comparison, Some("request_cancelled"), None)?;
        }
    }
    Ok(())
}

/// Answers the reader's question; a case that waits for the site goes on where it was.
///
/// # Errors
/// `not_found`, `form_invalid` without an answer.
pub async fn answer(state: &State, person: &Person, case: CaseId, text: &str) -> Result<()> {
    let text = need_text("answer", text, LONGEST_TEXT, &common::FIELD_REQUIRED)?;
    let (reach, actor) = (person.reach::<Submit>(), person.actor(state.now()));
    let (row, readers) = state
        .db
        .tx(move |conn| {
            let row = cases::case_get(conn, case)?;
            if !reach.covers_site(row.site_id) {
                return Err(StoreError::NotFound("the case"));
            }
            case_notes::case_note_add_in_tx(conn, &actor, case, NoteKind::Answer, "", &text)?;
            audit::append_in_tx(conn, &actor, "case.answer", Subject::case(case, row.site_id), "done", "")?;
            if row.state == CaseState::OnHold && row.hold_actor == Some(HoldActor::Site) {
                case_apply_in_tx(conn, &actor, case, &CaseEvent::Release { reason: "answered".to_owned() })?;
            }
            let readers: BTreeSet<i64> =
                reads::read_list_of_case(conn, case)?.iter().filter_map(|read| read.reader_id.map(|id| id.0)).collect();
            Ok((row, readers))
        })
        .await?;
    tell(state, row.site_id, row.pool_id, &[case], &readers);
    Ok(())
}

/// The doctors of a site, as a form offers them.
///
/// # Errors
/// Only the database's own.
pub async fn doctors(state: &State, site: SiteId) -> Result<Vec<(UserId, String, String)>> {
    let now = state.now();
    Ok(state.db.read(move |conn| recipients::site_doctor_list(conn, site, now)).await?)
}

#[cfg(test)]
mod tests {
    use dokuei_models::state::OrphanRule;

    use super::*;

    fn known() -> Known {
        let site = SiteRow {
            id: SiteId(1),
            pool_id: PoolId(1),
            code: "a".to_owned(),
            name_ja: "星空".to_owned(),
            name_en: "Hoshizora".to_owned(),
            refers: true,
            reads: false,
            insured: true,
            institution_code: None,
            phone: String::new(),
            email: String::new(),
            patient_id_rule: "exact".to_owned(),
            orphan_rule: OrphanRule::Wait,
            orphan_wait_minutes: 60,
            comparison_after_days: 365,
            quiet_seconds: 5,
            unknown_classes: false,
            standing_notes: String::new(),
            demo: true,
            research: false,
            active: true,
            version: 1,
        };
        let now = NaiveDate::from_ymd_opt(2026, 4, 1).unwrap().and_hms_opt(3, 0, 0).unwrap();
        Known { site, doctors: vec![(UserId(7), "架空 太郎".to_owned(), String::new())], study: None, now }
    }

    fn good() -> RequestForm {
        RequestForm {
            accession_number: "A-1".to_owned(),
            patient_id: "0012".to_owned(),
            name_kanji: "架空　花子".to_owned(),
            birth_date: "1960-04-01".to_owned(),
            sex: "F".to_owned(),
            ordering_user: "7".to_owned(),
            exam: "胸部 CT".to_owned(),
            question: "肺塞栓の有無".to_owned(),
            kind: "reading".to_owned(),
            source: "ward".to_owned(),
            priority: "routine".to_owned(),
            ..RequestForm::default()
        }
    }

    fn faults(form: &RequestForm, files: &[FormFile]) -> Vec<(String, &'static str)> {
        match check(form, &known(), files) {
            Ok(_) => Vec::new(),
            Err(error) => error.fields().iter().map(|(field, code)| (field.clone(), code.name)).collect(),
        }
    }

    #[test]
    fn a_complete_form_is_taken_with_the_name_as_a_header_writes_it() {
        let new = check(&good(), &known(), &[]).unwrap();
        assert_eq!(new.identity.name.ideographic, "架空^花子");
        assert_eq!((new.ordering_user, new.ordering_doctor.as_str()), (Some(UserId(7)), "架空 太郎"));
    }

    #[test]
    fn a_stat_request_needs_a_number_that_answers() {
        let stat = RequestForm { priority: "stat".to_owned(), ..good() };
        assert_eq!(faults(&stat, &[]), [("phone".to_owned(), "phone_for_stat")]);
        let called = RequestForm { phone: "03-1234-5678 内線12".to_owned(), ..stat.clone() };
        assert_eq!(faults(&called, &[]), []);
        let wrong = RequestForm { phone: "あとで".to_owned(), ..stat };
        assert_eq!(faults(&wrong, &[]), [("phone".to_owned(), "phone_invalid")]);
    }

    #[test]
    fn every_wrong_field_is_told_at_once() {
        let names: Vec<String> = faults(&RequestForm::default(), &[]).into_iter().map(|(field, _)| field).collect();
        let all = [
            "patient_id",
            "name_kanji",
            "birth_date",
            "sex",
            "accession_number",
            "ordering_doctor",
            "kind",
            "source",
            "priority",
            "question",
            "exam",
        ];
        assert_eq!(names, all);
    }

    #[test]
    fn a_wish_is_a_time_in_japan_that_has_not_passed() {
        let form = |wanted: &str| RequestForm { wanted_by: wanted.to_owned(), ..good() };
        // It is noon in Japan.
        assert_eq!(faults(&form("2026-04-01T11:59"), &[]), [("wanted_by".to_owned(), "wanted_past")]);
        let new = check(&form("2026-04-01T13:00"), &known(), &[]).unwrap();
        assert_eq!(new.wanted_by.unwrap().to_string(), "2026-04-01 04:00:00");
        assert_eq!(faults(&form("tomorrow"), &[]), [("wanted_by".to_owned(), "day_invalid")]);
    }

    #[test]
    fn a_scanned_form_is_known_by_its_content_and_not_by_its_name() {
        let file = |bytes: &'static [u8]| FormFile { name: "form.pdf".to_owned(), bytes: Bytes::from_static(bytes) };
        assert_eq!(faults(&good(), &[file(b"%PDF-1.7 ...")]), []);
        assert_eq!(faults(&good(), &[file(b"MZ\x90 program")]), [("files".to_owned(), "form_file_kind")]);
        let large = FormFile { name: "big.pdf".to_owned(), bytes: vec![b'%'; LARGEST_FORM + 1].into() };
        assert_eq!(faults(&good(), &[large]), [("files".to_owned(), "form_file_large")]);
    }

    #[test]
    fn a_birth_date_ahead_is_none() {
        let form = RequestForm { birth_date: "2026-04-02".to_owned(), ..good() };
        assert_eq!(faults(&form, &[]), [("birth_date".to_owned(), "day_invalid")]);
    }
}
