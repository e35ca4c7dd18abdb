//! The reading room: who may look at a read, what it shows, its draft, and giving it away.
//!
//! A read is its reader's. Dispatchers and reading directors may look, within
//! their scope; for everybody else it does not exist. In an independent double
//! reading the other's report is not shown until both are signed.

mod leaving;

use dokuei_models::state::{CaseStudyRole, NoteKind, ReadKind, ReadState, VersionState};
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::case_notes::{self, CaseNoteRow};
use dokuei_models::store::cases::{self, CasePart, CaseRow};
use dokuei_models::store::patients::{self, PatientRow};
use dokuei_models::store::prescreens::{self, FindingRow};
use dokuei_models::store::reads::{self, ReadRow};
use dokuei_models::store::reports::{self, DraftText, ReportRow, VersionRow};
use dokuei_models::store::requests::{self, RequestFileRow, RequestRow};
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_models::store::studies::{self, StudyRow};
use dokuei_models::store::{readers, users, withdrawals};
use dokuei_models::{Connection, InstanceId, ReadId, ReaderId, StoreError, StudyId};
use dokuei_prescreen::labels::{LabelConflict, Labels};
use dokuei_prescreen::urgency::Contribution;

pub use self::leaving::{ask_site, give_back};

use super::worklist::{reader_of, refused};
use crate::authority::Person;
use crate::authority::rights::Dispatch;
use crate::error::codes::reading as codes;
use crate::error::{Error, Result};
use crate::state::State;

/// The longest findings or impression, in characters.
pub const LONGEST_TEXT: usize = dokuei_report::LONGEST_TEXT;

/// What a person may see of a read.
#[derive(Debug, Clone)]
pub struct Access {
    /// The read.
    pub read: ReadRow,
    /// Its case.
    pub case: CaseRow,
    /// The reader, where the person is the one who has the read.
    pub own: Option<ReaderId>,
}

/// Whether a person may look at a read, and as whom.
///
/// # Errors
/// [`StoreError::NotFound`] for everybody but its reader and dispatchers within whose scope it lies.
pub fn access(conn: &mut Connection, person: &Person, read: ReadId) -> Result<Access, StoreError> {
    let read = reads::read_get(conn, read)?;
    let case = cases::case_get(conn, read.case_id)?;
    let reader = readers::reader_of_user(conn, person.id)?;
    let own = reader.map(|reader| reader.id).filter(|id| read.reader_id == Some(*id));
    if own.is_none() && person.reach::<Dispatch>().need(case.site_id, case.pool_id).is_err() {
        return Err(StoreError::NotFound("the read"));
    }
    Ok(Access { read, case, own })
}

/// A signed version with its signer's name.
#[derive(Clone)]
pub struct Signed {
    /// Its report.
    pub report: ReportRow,
    /// The version.
    pub version: VersionRow,
    /// Who signed it.
    pub signer: String,
    /// Why it was withdrawn, if it was.
    pub withdrawn: Option<String>,
}

/// Everything that stands around the images.
#[derive(Clone)]
pub struct Room {
    /// Who looks.
    pub access: Access,
    /// The patient.
    pub patient: PatientRow,
    /// The request.
    pub request: RequestRow,
    /// Its scanned forms.
    pub files: Vec<RequestFileRow>,
    /// The site.
    pub site: SiteRow,
    /// What is to be read.
    pub parts: Vec<CasePart>,
    /// What made the urgency.
    pub contributions: Vec<Contribution>,
    /// Disagreements about region or side.
    pub conflicts: Vec<LabelConflict>,
    /// Current studies, then priors.
    pub studies: Vec<(StudyRow, CaseStudyRole)>,
    /// What engines found, where it may be shown.
    pub findings: Vec<FindingRow>,
    /// Signed versions that this person may see, oldest first.
    pub signed: Vec<Signed>,
    /// The draft.
    pub draft: Option<VersionRow>,
    /// Who saved the draft last, where it was somebody else.
    pub draft_of: Option<String>,
    /// Questions and answers.
    pub thread: Vec<CaseNoteRow>,
    /// The reader's name.
    pub reader_name: String,
    /// Whether the person is asked to compare two independent reports.
    pub compare: bool,
}

impl Room {
    /// Whether the person may write: his own read, in progress, not held.
    pub fn is_editable(&self) -> bool {
        self.access.own.is_some() && self.access.read.state == ReadState::InProgress && !self.access.read.frozen
    }
}

/// What is here of a case's current studies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Here {
    /// Instances that are shown.
    pub received: i32,
    /// Instances that came.
    pub counted: i32,
    /// How many there should be, where somebody counted.
    pub expected: Option<i32>,
    /// Whether more are known to come.
    pub coming: bool,
    /// Images that came after the case was put together and were not opened in this read.
    pub late: usize,
}

fn late_unseen(conn: &mut Connection, access: &Access) -> Result<usize, StoreError> {
    if !access.case.has_flag(cases::LATE_IMAGES) {
        return Ok(0);
    }
    let seen: std::collections::BTreeSet<InstanceId> =
        reads::image_view_list(conn, access.read.id)?.into_iter().collect();
    let mut late = 0;
    for study in super::opening::current_studies(conn, access.case.id)? {
        let of = studies::instance_list(conn, study)?;
        late += of
            .iter()
            .filter(|one| one.frames > 0 && one.received_at > access.case.created_at && !seen.contains(&one.id))
            .count();
    }
    Ok(late)
}

/// Where a read stands now, and what is here of its current studies.
///
/// # Errors
/// `not_found`.
pub async fn standing(state: &State, person: &Person, read: ReadId) -> Result<(Access, Here)> {
    let who = person.clone();
    let now = state.now();
    Ok(state
        .db
        .read(move |conn| {
            let access = access(conn, &who, read)?;
            let mut received = 0;
            for study in super::opening::current_studies(conn, access.case.id)? {
                received += studies::study_get(conn, study)?.instances;
            }
            let (counted, expected, coming) = super::arrivals::of_case(conn, access.case.id, now)?;
            let late = late_unseen(conn, &access)?;
            Ok((access, Here { received, counted, expected, coming, late }))
        })
        .await?)
}

/// The room of a read; leaves its row in the audit trail.
///
/// # Errors
/// `not_found`.
pub async fn room(state: &State, person: &Person, read: ReadId) -> Result<Room> {
    let who = person.clone();
    let room = state.db.read(move |conn| load(conn, &who, read)).await?;
    let (actor, site) = (person.actor(state.now()), room.access.case.site_id);
    state
        .db
        .tx(move |conn| audit::append_in_tx(conn, &actor, "read.view", Subject::read(read, site), "done", ""))
        .await?;
    Ok(room)
}

fn load(conn: &mut Connection, person: &Person, read: ReadId) -> Result<Room, StoreError> {
    let access = access(conn, person, read)?;
    let case = &access.case;
    let request = requests::request_get(conn, case.request_id)?;
    let (contributions, conflicts) = prescreened(conn, case)?;
    let mut shown = Vec::new();
    for (study, role) in cases::case_study_list(conn, case.id)? {
        shown.push((studies::study_get(conn, study)?, role));
    }
    let current: Vec<StudyId> =
        shown.iter().filter(|(_, role)| *role == CaseStudyRole::Current).map(|(study, _)| study.id).collect();
    let draft = reports::draft_of_read(conn, read)?;
    let draft_of = match &draft {
        Some(draft) if draft.saved_by != person.id => Some(users::user_get(conn, draft.saved_by)?.name_ja),
        _ => None,
    };
    let reader_name = match access.read.reader_id {
        Some(reader) => {
            let user = readers::reader_get(conn, reader)?.user_id;
            users::user_get(conn, user)?.name_ja
        }
        None => String::new(),
    };
    Ok(Room {
        patient: patients::patient_get(conn, case.patient_id)?,
        files: requests::request_file_list(conn, request.id)?,
        site: sites::site_get(conn, case.site_id)?,
        parts: cases::case_part_list(conn, case.id)?,
        findings: prescreens::finding_list_to_show(conn, &current)?,
        signed: signed_versions(conn, &access)?,
        compare: access.own.is_some() && super::comparing::is_asked(conn, case, read)?,
        thread: case_notes::case_note_list(conn, case.id)?
            .into_iter()
            .filter(|note| matches!(note.kind, NoteKind::Question | NoteKind::Answer))
            .collect(),
        request,
        contributions,
        conflicts,
        studies: shown,
        draft,
        draft_of,
        reader_name,
        access,
    })
}

/// What the newest prescreen says: the reasons of the urgency, and what must be settled before signing.
///
/// # Errors
/// What the database says, or damaged JSON.
pub fn prescreened(
    conn: &mut Connection,
    case: &CaseRow,
) -> Result<(Vec<Contribution>, Vec<LabelConflict>), StoreError> {
    let Some(row) = prescreens::prescreen_newest(conn, case.id)? else { return Ok((Vec::new(), Vec::new())) };
    let damaged = |error: serde_json::Error| StoreError::Damaged(error.to_string());
    let contributions: Vec<Contribution> = serde_json::from_str(&row.contributions).map_err(damaged)?;
    let labels: Labels = serde_json::from_str(&row.labels).map_err(damaged)?;
    let conflicts = labels.conflicts.into_iter().filter(LabelConflict::must_be_settled_before_signing).collect();
    Ok((contributions, conflicts))
}

/// The signed versions of the case that the person may see.
///
/// # Errors
/// What the database says.
pub fn signed_versions(conn: &mut Connection, access: &Access) -> Result<Vec<Signed>, StoreError> {
    let all = reads::read_list_of_case(conn, access.case.id)?;
    let independent_open = all
        .iter()
        .any(|read| read.kind == ReadKind::Independent && !matches!(read.state, ReadState::Signed | ReadState::Void));
    let blind = access.own.is_some() && access.read.kind == ReadKind::Independent && independent_open;
    let withdrawn = withdrawals::withdrawal_list(conn, access.case.id)?;
    let mut shown = Vec::new();
    for (report, version) in reports::version_list_of_case(conn, access.case.id)? {
        if version.state == VersionState::Draft || (blind && report.read_id != access.read.id) {
            continue;
        }
        let signer = match version.signed_by {
            Some(user) => users::user_get(conn, user)?.name_ja,
            None => String::new(),
        };
        let withdrawn = withdrawn.iter().find(|row| row.report_version_id == version.id).map(|row| row.reason.clone());
        shown.push(Signed { report, version, signer, withdrawn });
    }
    Ok(shown)
}

/// What became of a save.
#[derive(Clone)]
pub enum Saved {
    /// It is the newest now.
    Done(VersionRow),
    /// Another window saved meanwhile: what it wrote, and nothing was changed.
    Differs(VersionRow),
}

/// Saves the draft of one's own read.
///
/// # Errors
/// `read_held_by_another`, `read_on_hold`, `read_not_open`, `draft_too_long`.
pub async fn save_draft(state: &State, person: &Person, read: ReadId, text: DraftText) -> Result<Saved> {
    if text.findings.chars().count() > LONGEST_TEXT || text.impression.chars().count() > LONGEST_TEXT {
        return Err(Error::new(&codes::DRAFT_TOO_LONG).with("limit", LONGEST_TEXT));
    }
    let reader = reader_of(state, person).await?;
    let now = state.now();
    let saved = state
        .db
        .tx(move |conn| {
            need_in_hand(conn, read, reader.id)?;
            reads::read_heartbeat_in_tx(conn, read, reader.id, now)?;
            match reports::draft_save_in_tx(conn, read, reader.id, reader.user_id, &text, now) {
                Ok(saved) => Ok(Saved::Done(saved)),
                Err(StoreError::Stale(_)) => {
                    let there = reports::draft_of_read(conn, read)?.ok_or(StoreError::TryAgain)?;
                    Ok(Saved::Differs(there))
                }
                Err(error) => Err(error),
            }
        })
        .await;
    saved.map_err(refused)
}

/// Whether the read is the reader's, in progress and not held.
///
/// # Errors
/// [`StoreError::Conflict`] with what stands in the way.
pub fn need_in_hand(conn: &mut Connection, read: ReadId, reader: ReaderId) -> Result<ReadRow, StoreError> {
    let row = reads::read_get(conn, read)?;
    let state = if row.reader_id != Some(reader) {
        "held_by_another"
    } else if row.frozen {
        "on_hold"
    } else if row.state != ReadState::InProgress {
        row.state.code()
    } else {
        return Ok(row);
    };
    Err(StoreError::Conflict { what: "draft_save", state: state.to_owned() })
}

/// Notes that the reader is still at it; false when the read is no longer his.
///
/// # Errors
/// `reader_unknown`.
pub async fn heartbeat(state: &State, person: &Person, read: ReadId) -> Result<bool> {
    let reader = reader_of(state, person).await?.id;
    let now = state.now();
    Ok(state.db.tx(move |conn| reads::read_heartbeat_in_tx(conn, read, reader, now)).await?)
}

/// Notes images that the reader opened. Those that are not of the case's current studies are passed over.
///
/// # Errors
/// `read_held_by_another` when the read is not his.
pub async fn note_viewed(state: &State, person: &Person, read: ReadId, seen: Vec<InstanceId>) -> Result<()> {
    let reader = reader_of(state, person).await?.id;
    let now = state.now();
    state
        .db
        .tx(move |conn| {
            let row = need_in_hand(conn, read, reader)?;
            let mut known = std::collections::BTreeSet::new();
            for study in super::opening::current_studies(conn, row.case_id)? {
                known.extend(studies::instance_list(conn, study)?.into_iter().map(|instance| instance.id));
            }
            let seen: Vec<InstanceId> = seen.iter().copied().filter(|id| known.contains(id)).collect();
            reads::image_view_in_tx(conn, read, &seen, now)
        })
        .await
        .map_err(refused)
}

/// A scanned form of the request, with its bytes.
///
/// # Errors
/// `not_found`.
pub async fn request_file(
    state: &State,
    person: &Person,
    read: ReadId,
    file: i64,
) -> Result<(RequestFileRow, bytes::Bytes)> {
    let who = person.clone();
    let actor = person.actor(state.now());
    let row = state
        .db
        .tx(move |conn| {
            let access = access(conn, &who, read)?;
            let files = requests::request_file_list(conn, access.case.request_id)?;
            let found = files.into_iter().find(|row| row.id == file).ok_or(StoreError::NotFound("the file"))?;
            let subject = Subject::row("request_file", file, Some(access.case.site_id));
            audit::append_in_tx(conn, &actor, "request_file.view", subject, "done", "")?;
            Ok(found)
        })
        .await?;
    let bytes = state.objects.get_checked(&row.object_key, &row.sha256).await.map_err(Error::internal)?;
    Ok((row, bytes))
}
