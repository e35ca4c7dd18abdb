//! Everything a site sees of one request: its line, the thread with the reader, its report's versions.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use dokuei_models::state::{NoteKind, RequestState, VersionState};
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::case_notes::{self, CaseNoteRow};
use dokuei_models::store::cases::{self, CaseRow};
use dokuei_models::store::recipients::{self, RecipientRow};
use dokuei_models::store::requests::{self, RequestFileRow, RequestRow};
use dokuei_models::store::signed_versions::{self, SignedVersion};
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_models::store::studies::StudyRow;
use dokuei_models::store::{reads, submissions};
use dokuei_models::{CaseId, Connection, ReportVersionId, RequestId, StoreError, UserId};

use super::steps::{of_case, of_waiting};
use super::{Line, Standing};
use crate::app::signing::signed_incomplete;
use crate::authority::Person;
use crate::authority::rights::SeeReports;
use crate::error::{Error, Result};
use crate::state::State;

/// Everything of one request, or of one case of it.
#[derive(Clone)]
pub struct Dossier {
    /// The line of the list.
    pub line: Line,
    /// The site.
    pub site: SiteRow,
    /// The request.
    pub request: RequestRow,
    /// Its scanned forms.
    pub files: Vec<RequestFileRow>,
    /// The case, if there is one.
    pub case: Option<CaseRow>,
    /// The studies to be read.
    pub studies: Vec<StudyRow>,
    /// Questions and answers, oldest first.
    pub thread: Vec<CaseNoteRow>,
    /// Signed versions, the newest first.
    pub versions: Vec<SignedVersion>,
    /// Those that were signed while images were known to come: how many were here, and how many there should be.
    pub incomplete: BTreeMap<ReportVersionId, (i64, Option<i64>)>,
    /// Their recipients.
    pub recipients: Vec<RecipientRow>,
    /// Whether the site may still withdraw it.
    pub may_cancel: bool,
}

impl Dossier {
    /// Whether the reader waits for an answer.
    pub fn is_asked(&self) -> bool {
        self.line.standing == Standing::Question
    }

    /// The newest version that is in force.
    pub fn in_force(&self) -> Option<&SignedVersion> {
        self.versions.iter().find(|version| version.state != VersionState::Withdrawn)
    }

    /// Why and when its reports were withdrawn, where none is in force since.
    pub fn withdrawn(&self) -> Option<&(String, NaiveDateTime)> {
        if self.in_force().is_some() { None } else { self.versions.iter().find_map(|one| one.withdrawn.as_ref()) }
    }

    /// Whether its reports are in doubt: their withdrawal is asked for.
    pub fn in_doubt(&self) -> bool {
        self.case.as_ref().is_some_and(|case| case.has_flag(cases::WITHDRAWAL_ASKED))
    }

    /// The recipients of a version.
    pub fn recipients_of(&self, version: &SignedVersion) -> Vec<&RecipientRow> {
        self.recipients.iter().filter(|recipient| recipient.version_id == version.id).collect()
    }

    /// Whether a person may accept and act on a version: returned and not withdrawn.
    pub fn may_respond(&self, version: &SignedVersion) -> bool {
        self.case.as_ref().is_some_and(|case| case.returned_at.is_some()) && version.state != VersionState::Withdrawn
    }

    /// What a person has said to a version: accepted, acted.
    pub fn responses_of(&self, version: &SignedVersion, user: UserId) -> (bool, bool) {
        let own = self.recipients_of(version).into_iter().find(|recipient| recipient.user_id == user);
        own.map_or((false, false), |own| (own.accepted_at.is_some(), own.acted_at.is_some()))
    }
}

/// The dossier of a case. Leaves an audit row.
///
/// # Errors
/// `not_found` for another site's case.
pub async fn dossier_of_case(state: &State, person: &Person, case: CaseId) -> Result<Dossier> {
    let (reach, actor) = (person.reach::<SeeReports>(), person.actor(state.now()));
    let dossier = state
        .db
        .tx(move |conn| {
            let case = cases::case_get(conn, case)?;
            if !reach.covers_site(case.site_id) {
                return Err(StoreError::NotFound("the case"));
            }
            audit::append_in_tx(conn, &actor, "case.view", Subject::case(case.id, case.site_id), "done", "")?;
            let request = requests::request_get(conn, case.request_id)?;
            load_dossier(conn, request, Some(case))
        })
        .await?;
    Ok(dossier)
}

/// The dossier of a request; of its newest case, if it has one. Leaves an audit row.
///
/// # Errors
/// `not_found` for another site's request.
pub async fn dossier_of_request(state: &State, person: &Person, request: RequestId) -> Result<Dossier> {
    let (reach, actor) = (person.reach::<SeeReports>(), person.actor(state.now()));
    let dossier = state
        .db
        .tx(move |conn| {
            let request = requests::request_get(conn, request)?;
            if !reach.covers_site(request.site_id) {
                return Err(StoreError::NotFound("the request"));
            }
            let subject = Subject::row("request", request.id.0, Some(request.site_id));
            audit::append_in_tx(conn, &actor, "request.view", subject, "done", "")?;
            let case = cases::case_list_of_request(conn, request.id)?.pop();
            load_dossier(conn, request, case)
        })
        .await?;
    Ok(dossier)
}

fn load_dossier(conn: &mut Connection, request: RequestRow, case: Option<CaseRow>) -> Result<Dossier, StoreError> {
    let ids: Vec<CaseId> = case.iter().map(|case| case.id).collect();
    let studies: Vec<StudyRow> =
        submissions::study_list_of_cases(conn, &ids)?.into_iter().map(|(_, study)| study).collect();
    let mut thread = Vec::new();
    for case in &ids {
        thread.extend(case_notes::case_note_list(conn, *case)?);
    }
    thread.retain(|note| matches!(note.kind, NoteKind::Question | NoteKind::Answer));
    let versions = signed_versions::signed_version_list(conn, &ids)?;
    let signed = match &case {
        Some(case) => reads::read_list_of_case(conn, case.id)?.iter().any(|read| read.stands_signed(case)),
        None => false,
    };
    let open = case.as_ref().map_or(request.state != RequestState::Cancelled, |case| case.state.is_open());
    let incomplete = match &case {
        Some(case) => signed_incomplete(conn, case.id)?,
        None => BTreeMap::new(),
    };
    let line = match &case {
        Some(case) => of_case(&request, case, &studies),
        None => of_waiting(&request, &[]),
    };
    Ok(Dossier {
        line,
        site: sites::site_get(conn, request.site_id)?,
        files: requests::request_file_list(conn, request.id)?,
        recipients: recipients::recipient_list(conn, &ids)?,
        may_cancel: open && versions.iter().all(|version| version.state == VersionState::Withdrawn) && !signed,
        incomplete,
        request,
        case,
        studies,
        thread,
        versions,
    })
}

/// A scanned form with its bytes, for the site's own people. Leaves an audit row.
///
/// # Errors
/// `not_found` for another site's form.
pub async fn form_file(state: &State, person: &Person, file: i64) -> Result<(RequestFileRow, bytes::Bytes)> {
    let (reach, actor) = (person.reach::<SeeReports>(), person.actor(state.now()));
    let row = state
        .db
        .tx(move |conn| {
            let row = requests::request_file_get(conn, file)?;
            let request = requests::request_get(conn, row.request_id)?;
            if !reach.covers_site(request.site_id) {
                return Err(StoreError::NotFound("the form"));
            }
            let subject = Subject::row("request", request.id.0, Some(request.site_id));
            audit::append_in_tx(conn, &actor, "request.form.view", subject, "done", "")?;
            Ok(row)
        })
        .await?;
    let bytes = state.objects.get_checked(&row.object_key, &row.sha256).await.map_err(Error::internal)?;
    Ok((row, bytes))
}
