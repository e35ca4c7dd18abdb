//! Requests and their scanned forms.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use dokuei_terms::Priority;

use crate::actor::Actor;
use crate::codes::Code;
use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{RequestId, SiteId, UserId};
use crate::names::PatientName;
use crate::objects::KeptObject;
use crate::schema::{request_files, requests};
use crate::state::{RequestKind, RequestState, Source};
use crate::store::audit;
use crate::store::patients::Identity;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = requests)]
pub struct RequestRow {
    /// The row's id.
    pub id: RequestId,
    /// The site that asks.
    pub site_id: SiteId,
    /// AccessionNumber, or empty.
    pub accession_number: String,
    /// StudyInstanceUID, or empty.
    pub study_uid: String,
    /// PatientID by the site's leading-zero rule.
    pub patient_key: String,
    /// PatientID as written.
    pub patient_id: String,
    /// The name's alphabetic group.
    pub name_alphabetic: String,
    /// The name's ideographic group.
    pub name_ideographic: String,
    /// The name's phonetic group.
    pub name_phonetic: String,
    /// The birth date.
    pub birth_date: Option<NaiveDate>,
    /// The sex.
    pub sex: String,
    /// The ordering doctor's name.
    pub ordering_doctor: String,
    /// The ordering doctor, if a user.
    pub ordering_user_id: Option<UserId>,
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
    /// What is asked for.
    pub kind: RequestKind,
    /// Where the patient is.
    pub source: Source,
    /// How pressing the site says it is.
    #[diesel(deserialize_as = Code<Priority>)]
    pub priority: Priority,
    /// When the site wants the report.
    pub wanted_by: Option<NaiveDateTime>,
    /// How many instances the site says there are.
    pub expected_instances: Option<i32>,
    /// Made by the site's rule, not written by a person.
    pub is_default: bool,
    /// Whether it waits for its studies.
    pub state: RequestState,
    /// Why it stands there.
    pub state_reason: Option<String>,
    /// Who wrote it.
    pub created_by: Option<UserId>,
    /// When it was written.
    pub created_at: NaiveDateTime,
    /// For optimistic locking.
    pub version: i32,
}

impl RequestRow {
    /// Who the patient is by the form.
    pub fn identity(&self) -> Identity {
        Identity {
            patient_id: self.patient_id.clone(),
            name: PatientName {
                alphabetic: self.name_alphabetic.clone(),
                ideographic: self.name_ideographic.clone(),
                phonetic: self.name_phonetic.clone(),
            },
            birth_date: self.birth_date,
            sex: self.sex.clone(),
        }
    }
}

/// A request to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRequest {
    /// The site that asks.
    pub site: SiteId,
    /// AccessionNumber, or empty.
    pub accession_number: String,
    /// StudyInstanceUID, or empty.
    pub study_uid: String,
    /// PatientID by the site's leading-zero rule.
    pub patient_key: String,
    /// The patient as written.
    pub identity: Identity,
    /// The ordering doctor's name.
    pub ordering_doctor: String,
    /// The ordering doctor, if a user.
    pub ordering_user: Option<UserId>,
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
    /// What is asked for.
    pub kind: RequestKind,
    /// Where the patient is.
    pub source: Source,
    /// How pressing the site says it is.
    pub priority: Priority,
    /// When the site wants the report.
    pub wanted_by: Option<NaiveDateTime>,
    /// How many instances the site says there are.
    pub expected_instances: Option<i32>,
    /// Made by the site's rule.
    pub is_default: bool,
}

/// Writes a request, with its audit row.
///
/// # Errors
/// What the database says.
pub fn request_create_in_tx(conn: &mut Connection, actor: &Actor, new: &NewRequest) -> Result<RequestId, StoreError> {
    let identity = &new.identity;
    let id: RequestId = diesel::insert_into(requests::table)
        .values((
            (
                requests::site_id.eq(new.site),
                requests::accession_number.eq(&new.accession_number),
                requests::study_uid.eq(&new.study_uid),
                requests::patient_key.eq(&new.patient_key),
                requests::patient_id.eq(&identity.patient_id),
                requests::name_alphabetic.eq(&identity.name.alphabetic),
                requests::name_ideographic.eq(&identity.name.ideographic),
                requests::name_phonetic.eq(&identity.name.phonetic),
                requests::birth_date.eq(identity.birth_date),
                requests::sex.eq(&identity.sex),
                requests::ordering_doctor.eq(&new.ordering_doctor),
                requests::ordering_user_id.eq(new.ordering_user),
                requests::department.eq(&new.department),
                requests::phone.eq(&new.phone),
            ),
            (
                requests::exam.eq(&new.exam),
                requests::question.eq(&new.question),
                requests::history.eq(&new.history),
                requests::kind.eq(new.kind),
                requests::source.eq(new.source),
                requests::priority.eq(new.priority.code()),
                requests::wanted_by.eq(new.wanted_by),
                requests::expected_instances.eq(new.expected_instances),
                requests::is_default.eq(new.is_default),
                requests::state.eq(RequestState::Waiting),
                requests::created_by.eq(actor.user),
                requests::created_at.eq(actor.at),
                requests::version.eq(1),
            ),
        ))
        .returning(requests::id)
        .get_result(conn)?;
    audit::append_in_tx(
        conn,
        actor,
        "request.create",
        audit::Subject::row("request", id.0, Some(new.site)),
        "done",
        "",
    )?;
    Ok(id)
}

/// One request.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none.
pub fn request_get(conn: &mut Connection, request: RequestId) -> Result<RequestRow, StoreError> {
    requests::table.find(request).select(RequestRow::as_select()).first(conn).or_not_found("the request")
}

/// Requests of a site that name a study UID, else those that name an accession number, cancelled ones left out: whoever
/// was given a UID for one of several requests of a number means that one. Empty keys match nothing.
///
/// # Errors
/// What the database says.
pub fn request_list_naming(
    conn: &mut Connection,
    site: SiteId,
    accession_number: &str,
    study_uid: &str,
) -> Result<Vec<RequestRow>, StoreError> {
    let by_number = requests::accession_number.eq(accession_number).and(requests::accession_number.ne(""));
    let by_uid = requests::study_uid.eq(study_uid).and(requests::study_uid.ne(""));
    let mut named: Vec<RequestRow> = requests::table
        .filter(requests::site_id.eq(site))
        .filter(by_number.or(by_uid))
        .filter(requests::state.ne(RequestState::Cancelled))
        .order(requests::id)
        .select(RequestRow::as_select())
        .load(conn)?;
    let by_uid = |request: &RequestRow| !study_uid.is_empty() && request.study_uid == study_uid;
    if named.iter().any(by_uid) {
        named.retain(by_uid);
    }
    Ok(named)
}

/// Writes the Study Instance UID that a worklist gave for a request, where it has none. One that is there stays.
///
/// # Errors
/// What the database says.
pub fn request_study_uid_in_tx(
    conn: &mut Connection,
    site: SiteId,
    request: RequestId,
    study_uid: &str,
) -> Result<(), StoreError> {
    let row = requests::table.find(request).filter(requests::site_id.eq(site)).filter(requests::study_uid.eq(""));
    diesel::update(row).set(requests::study_uid.eq(study_uid)).execute(conn)?;
    Ok(())
}

/// Requests in a state, oldest first; of one site or of all.
///
/// # Errors
/// What the database says.
pub fn request_list_in(
    conn: &mut Connection,
    state: RequestState,
    site: Option<SiteId>,
    limit: i64,
) -> Result<Vec<RequestRow>, StoreError> {
    let mut rows = requests::table
        .filter(requests::state.eq(state))
        .order(requests::created_at)
        .limit(limit)
        .select(RequestRow::as_select())
        .into_boxed();
    if let Some(site) = site {
        rows = rows.filter(requests::site_id.eq(site));
    }
    Ok(rows.load(conn)?)
}

/// Writes where a request stands.
///
/// # Errors
/// [`StoreError::NotFound`] when there is no such request or it was cancelled.
pub fn request_state_in_tx(
    conn: &mut Connection,
    request: RequestId,
    state: RequestState,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    let changed = diesel::update(requests::table.find(request).filter(requests::state.ne(RequestState::Cancelled)))
        .set((
            requests::state.eq(state),
            requests::state_reason.eq(reason),
            requests::version.eq(requests::version + 1),
        ))
        .execute(conn)?;
    if changed == 0 { Err(StoreError::NotFound("the request")) } else { Ok(()) }
}

/// A scanned form that belongs to a request.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = request_files)]
pub struct RequestFileRow {
    /// The row's id.
    pub id: i64,
    /// The request.
    pub request_id: RequestId,
    /// The file's name as it was uploaded.
    pub name: String,
    /// `application/pdf`, `image/jpeg` or `image/png`.
    pub content_type: String,
    /// Bytes.
    pub size: i64,
    /// SHA-256.
    pub sha256: String,
    /// Where the bytes are.
    pub object_key: String,
}

/// Adds a scanned form.
///
/// # Errors
/// What the database says.
pub fn request_file_add_in_tx(
    conn: &mut Connection,
    request: RequestId,
    name: &str,
    content_type: &str,
    object: &KeptObject,
    at: NaiveDateTime,
) -> Result<i64, StoreError> {
    Ok(diesel::insert_into(request_files::table)
        .values((
            request_files::request_id.eq(request),
            request_files::name.eq(name),
            request_files::content_type.eq(content_type),
            request_files::size.eq(object.size),
            request_files::sha256.eq(&object.sha256),
            request_files::object_key.eq(&object.key),
            request_files::created_at.eq(at),
        ))
        .returning(request_files::id)
        .get_result(conn)?)
}

/// The scanned forms of a request.
///
/// # Errors
/// What the database says.
pub fn request_file_list(conn: &mut Connection, request: RequestId) -> Result<Vec<RequestFileRow>, StoreError> {
    Ok(request_files::table
        .filter(request_files::request_id.eq(request))
        .order(request_files::id)
        .select(RequestFileRow::as_select())
        .load(conn)?)
}

/// One scanned form.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none.
pub fn request_file_get(conn: &mut Connection, file: i64) -> Result<RequestFileRow, StoreError> {
    request_files::table.find(file).select(RequestFileRow::as_select()).first(conn).or_not_found("the form")
}

/// Withdraws a request. The caller cancels its cases (none may be signed).
///
/// # Errors
/// [`StoreError::Repeat`] when it is withdrawn already.
pub fn request_cancel_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    request: RequestId,
    reason: &str,
) -> Result<(), StoreError> {
    let row = request_get(conn, request)?;
    let changed = diesel::update(requests::table.find(request).filter(requests::state.ne(RequestState::Cancelled)))
        .set((
            requests::state.eq(RequestState::Cancelled),
            requests::state_reason.eq(Some(reason)),
            requests::version.eq(requests::version + 1),
        ))
        .execute(conn)?;
    if changed == 0 {
        return Err(StoreError::Repeat("request.cancel"));
    }
    let subject = audit::Subject::row("request", request.0, Some(row.site_id));
    audit::append_in_tx(conn, actor, "request.cancel", subject, "done", "")
}

/// Puts what a person wrote into a request that the site's rule had made.
///
/// # Errors
/// [`StoreError::Conflict`] when a person wrote it before.
pub fn request_fill_default_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    request: RequestId,
    new: &NewRequest,
) -> Result<(), StoreError> {
    let changed = diesel::update(requests::table.find(request).filter(requests::is_default.eq(true)))
        .set((
            requests::accession_number.eq(&new.accession_number),
            requests::ordering_doctor.eq(&new.ordering_doctor),
            requests::ordering_user_id.eq(new.ordering_user),
            requests::department.eq(&new.department),
            requests::phone.eq(&new.phone),
            requests::exam.eq(&new.exam),
            requests::question.eq(&new.question),
            requests::history.eq(&new.history),
            requests::source.eq(new.source),
            requests::priority.eq(new.priority.code()),
            requests::wanted_by.eq(new.wanted_by),
            requests::expected_instances.eq(new.expected_instances),
            requests::is_default.eq(false),
            requests::created_by.eq(actor.user),
            requests::version.eq(requests::version + 1),
        ))
        .execute(conn)?;
    if changed == 0 {
        return Err(StoreError::Conflict { what: "request.fill", state: "written".to_owned() });
    }
    let subject = audit::Subject::row("request", request.0, Some(new.site));
    audit::append_in_tx(conn, actor, "request.fill", subject, "done", "")
}
