//! Images that came again and contradict what is shown: both versions side by side, and the decision.

use dokuei_dicom_gateway::header;
use dokuei_dicom_gateway::render;
use dokuei_models::state::CaseStudyRole;
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::images::{self, Decision, Difference, Standing, VersionRow};
use dokuei_models::store::sites::SiteRow;
use dokuei_models::store::studies::{self, StudyRow};
use dokuei_models::{CaseId, Connection, SiteId, StoreError, StudyId};

use super::board;
use super::signing::asked::asked_of;
use crate::authority::{Person, Reach};
use crate::error::codes::dispatch as codes;
use crate::error::{Error, Result};
use crate::state::State;
use crate::wake::Topic;

/// Most versions that are listed.
const MOST: i64 = 5000;
/// Pairs of a study that are shown as pictures.
pub const SHOWN: usize = 12;
/// Longest side of a picture, in pixels.
const PICTURE: u32 = 512;

/// A study of which versions wait.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The study.
    pub study: StudyRow,
    /// Its cases.
    pub cases: Vec<CaseId>,
    /// Codes of what the new headers change about whose images these are.
    pub identity: Vec<String>,
    /// Versions that wait because of their header.
    pub headers: usize,
    /// Versions that wait because of their pixels.
    pub pixels: usize,
    /// Since when.
    pub since: chrono::NaiveDateTime,
}

/// The studies within reach of which versions wait, the longest waiting first.
///
/// # Errors
/// What the database says.
pub fn waiting(conn: &mut Connection, site_rows: &[SiteRow]) -> Result<Vec<Waiting>, StoreError> {
    let ids: Vec<SiteId> = site_rows.iter().map(|site| site.id).collect();
    let mut found: Vec<Waiting> = Vec::new();
    for row in images::version_list_waiting(conn, &ids, MOST)? {
        let at = match found.iter().position(|one| one.study.id == row.study_id) {
            Some(at) => at,
            None => {
                found.push(Waiting {
                    study: studies::study_get(conn, row.study_id)?,
                    cases: studies::study_cases(conn, row.study_id)?.into_iter().map(|(case, _)| case).collect(),
                    identity: Vec::new(),
                    headers: 0,
                    pixels: 0,
                    since: row.received_at,
                });
                found.len() - 1
            }
        };
        let one = &mut found[at];
        match row.difference {
            Difference::Pixels => one.pixels += 1,
            _ => one.headers += 1,
        }
        for code in row.identity_change_codes() {
            if !one.identity.contains(&code) {
                one.identity.push(code);
            }
        }
    }
    Ok(found)
}

/// A header field of which two versions say different things.
pub struct Field {
    /// Eight hexadecimal digits.
    pub tag: String,
    /// The keyword, or empty.
    pub keyword: String,
    /// What is shown now.
    pub before: String,
    /// What came.
    pub after: String,
}

/// Two versions of one instance.
pub struct Pair {
    /// What came and waits.
    pub new: VersionRow,
    /// What is shown.
    pub shown: VersionRow,
    /// Whether it has a picture.
    pub picture: bool,
}

/// A study's conflict, for a person to decide on.
pub struct Sheet {
    /// The study.
    pub study: StudyRow,
    /// Its cases.
    pub cases: Vec<(CaseId, CaseStudyRole)>,
    /// Every waiting version with what is shown.
    pub pairs: Vec<Pair>,
    /// The differing fields of the first pair that has any.
    pub fields: Vec<Field>,
    /// Decisions that can be taken back, newest first.
    pub decided: Vec<VersionRow>,
    /// Its cases whose reports' withdrawal is asked for.
    pub asked: Vec<CaseId>,
}

/// Looks at a study's conflict; leaves its row in the audit trail.
///
/// # Errors
/// `not_found` outside reach.
pub async fn sheet(state: &State, person: &Person, reach: Reach, study: StudyId) -> Result<Sheet> {
    let actor = person.actor(state.now());
    let (row, cases, pairs, decided, asked) = state
        .db
        .tx(move |conn| {
            let row = within(conn, &reach, study)?;
            let versions = images::version_list_of_study(conn, study)?;
            let mut pairs = Vec::new();
            for new in versions.iter().filter(|row| row.standing == Standing::Waiting) {
                let current =
                    |other: &&VersionRow| other.instance_id == new.instance_id && other.standing == Standing::Current;
                let Some(shown) = versions.iter().find(current) else { continue };
                let picture = new.facts()?.frames > 0 && shown.facts()?.frames > 0;
                pairs.push(Pair { new: new.clone(), shown: shown.clone(), picture });
            }
            let decided = |row: &&VersionRow| {
                row.decided_at.is_some() && matches!(row.standing, Standing::Current | Standing::Refused)
            };
            let mut decided: Vec<VersionRow> = versions.iter().filter(decided).cloned().collect();
            decided.reverse();
            let subject = Subject::row("study", study.0, Some(row.site_id));
            audit::append_in_tx(conn, &actor, "image.versions_view", subject, "done", "")?;
            let cases = studies::study_cases(conn, study)?;
            let of: Vec<CaseId> = cases.iter().map(|(case, _)| *case).collect();
            let asked = asked_of(conn, &of)?;
            Ok((row, cases, pairs, decided, asked))
        })
        .await?;
    let fields = fields(state, &pairs).await?;
    Ok(Sheet { study: row, cases, pairs, fields, decided, asked })
}

/// The study, if it lies within reach.
fn within(conn: &mut Connection, reach: &Reach, study: StudyId) -> Result<StudyRow, StoreError> {
    let row = studies::study_get(conn, study)?;
    let seen = board::sites_within(conn, reach)?.iter().any(|site| site.id == row.site_id);
    if seen { Ok(row) } else { Err(StoreError::NotFound("the study")) }
}

async fn fields(state: &State, pairs: &[Pair]) -> Result<Vec<Field>> {
    let Some(pair) = pairs.iter().find(|pair| !pair.new.changed_tags().is_empty()) else { return Ok(Vec::new()) };
    let mut sides = Vec::new();
    for version in [&pair.shown, &pair.new] {
        let bytes = state.objects.get_checked(&version.object_key, &version.sha256).await.map_err(Error::internal)?;
        let read = tokio::task::spawn_blocking(move || header::lines(&bytes).0);
        sides.push(read.await.map_err(Error::internal)?);
    }
    let value = |side: &[header::Line], tag: &str| {
        side.iter().find(|line| line.tag == tag).map(|line| (line.keyword, line.value.clone())).unwrap_or_default()
    };
    let fields = pair.new.changed_tags().into_iter().map(|tag| {
        let (before, after) = (value(&sides[0], &tag), value(&sides[1], &tag));
        let keyword = if before.0.is_empty() { after.0 } else { before.0 };
        Field { keyword: keyword.to_owned(), before: before.1, after: after.1, tag }
    });
    Ok(fields.collect())
}

/// What a person says of the versions of a study that wait.
#[derive(Debug, Clone)]
pub struct Order {
    /// The versions that he saw.
    pub versions: Vec<i64>,
    /// Which is shown from now on.
    pub decision: Decision,
    /// Why.
    pub reason: String,
}

/// Decides.
///
/// # Errors
/// `not_found` outside reach, `already_done` when somebody was first, `mixed_patients`.
pub async fn decide(state: &State, person: &Person, reach: Reach, study: StudyId, order: Order) -> Result<()> {
    let actor = person.actor(state.now());
    let done = state
        .db
        .tx(move |conn| {
            within(conn, &reach, study)?;
            images::versions_decide_in_tx(conn, &actor, study, &order.versions, order.decision, &order.reason)
        })
        .await;
    done.map_err(refused)?;
    state.wake.tell(Topic::Jobs);
    Ok(())
}

/// Takes decisions back: what was decided on waits again.
///
/// # Errors
/// `not_found` outside reach, `version_not_decided`.
pub async fn undo(state: &State, person: &Person, reach: Reach, study: StudyId, versions: Vec<i64>) -> Result<()> {
    let actor = person.actor(state.now());
    let done = state
        .db
        .tx(move |conn| {
            within(conn, &reach, study)?;
            images::versions_undo_in_tx(conn, &actor, study, &versions)
        })
        .await;
    done.map_err(refused)?;
    state.wake.tell(Topic::Jobs);
    Ok(())
}

fn refused(error: StoreError) -> Error {
    match &error {
        StoreError::Conflict { state, .. } if state == "mixed_patients" => Error::new(&codes::MIXED_PATIENTS),
        StoreError::Conflict { state, .. } if state == "other_study" => Error::new(&codes::MIXED_PATIENTS),
        StoreError::Conflict { what: "version_undo", .. } => Error::new(&codes::VERSION_NOT_DECIDED),
        _ => error.into(),
    }
}

/// The middle frame of a version as PNG.
///
/// # Errors
/// `not_found` outside reach; why it cannot be shown.
pub async fn picture(state: &State, reach: Reach, version: i64) -> Result<bytes::Bytes> {
    let row = state
        .db
        .read(move |conn| {
            let row = images::version_get(conn, version)?;
            within(conn, &reach, row.study_id)?;
            Ok(row)
        })
        .await?;
    let bytes = state.objects.get_checked(&row.object_key, &row.sha256).await.map_err(Error::internal)?;
    let made = tokio::task::spawn_blocking(move || render::thumbnail_png(&bytes, PICTURE));
    Ok(made.await.map_err(Error::internal)?.map_err(super::images::not_shown)?.into())
}
