//! The sheet that is shown before signing: patient, study, and what was not opened.

use dokuei_models::state::ReadKind;
use dokuei_models::store::cases::{self, CasePart};
use dokuei_models::store::patients::{self, PatientRow};
use dokuei_models::store::reads::{self, ReadRow};
use dokuei_models::store::reports;
use dokuei_models::store::sessions as session_store;
use dokuei_models::store::studies::{self, StudyRow};
use dokuei_models::{Connection, ReadId, StoreError};
use dokuei_prescreen::labels::LabelConflict;

use super::{asks_each_time, is_empty, is_open};
use crate::app::reading::{need_in_hand, prescreened};
use crate::app::worklist::{reader_of, refused};
use crate::app::{arrivals, opening};
use crate::authority::Person;
use crate::error::Result;
use crate::state::State;

/// What is shown before signing.
#[derive(Clone)]
pub struct Sheet {
    /// The revision that would be signed.
    pub revision: i32,
    /// The patient.
    pub patient: PatientRow,
    /// The studies that were read.
    pub studies: Vec<StudyRow>,
    /// The parts.
    pub parts: Vec<CasePart>,
    /// Series with images that were not opened, and how many of them.
    pub unseen: Vec<(String, usize)>,
    /// Images in all.
    pub total: usize,
    /// The impression.
    pub impression: String,
    /// Whether findings or impression are missing.
    pub empty: bool,
    /// Disagreements that must be settled.
    pub conflicts: Vec<LabelConflict>,
    /// Whether it is an addendum or amendment.
    pub reopened: bool,
    /// Its reason so far.
    pub reason: String,
    /// Whether the password must be given.
    pub needs_password: bool,
    /// How many images are here and how many there should be, while more are known to come.
    pub coming: Option<(i32, Option<i32>)>,
}

/// The sheet of one's own read.
///
/// # Errors
/// `read_held_by_another`, `read_on_hold`, `read_not_open`.
pub async fn sheet(state: &State, person: &Person, read: ReadId) -> Result<Sheet> {
    let reader = reader_of(state, person).await?;
    let (session, now) = (person.session(), state.now());
    let sheet = state
        .db
        .read(move |conn| {
            let row = need_in_hand(conn, read, reader.id)?;
            let case = cases::case_get(conn, row.case_id)?;
            let draft = reports::draft_of_read(conn, read)?;
            let (studies, unseen, total) = looked_at(conn, &row)?;
            let open = match session {
                Some(id) => session_store::session_get(conn, id)?
                    .is_some_and(|session| is_open(session.signing_opened_at, session.signing_used_at, now)),
                None => false,
            };
            let (received, expected, coming) = arrivals::of_case(conn, case.id, now)?;
            Ok(Sheet {
                coming: coming.then_some((received, expected)),
                revision: draft.as_ref().map_or(0, |draft| draft.revision),
                patient: patients::patient_get(conn, case.patient_id)?,
                studies,
                parts: cases::case_part_list(conn, case.id)?,
                unseen,
                total,
                impression: draft.as_ref().map(|draft| draft.impression.clone()).unwrap_or_default(),
                empty: draft.as_ref().is_none_or(is_empty),
                conflicts: prescreened(conn, &case)?.1,
                reopened: row.kind == ReadKind::Reopened,
                reason: draft.map(|draft| draft.reason).unwrap_or_default(),
                needs_password: !open || asks_each_time(conn, &case)?,
            })
        })
        .await;
    sheet.map_err(refused)
}

type LookedAt = (Vec<StudyRow>, Vec<(String, usize)>, usize);

/// The current studies, their series with unopened images, and how many images there are.
fn looked_at(conn: &mut Connection, read: &ReadRow) -> Result<LookedAt, StoreError> {
    let seen: std::collections::BTreeSet<_> = reads::image_view_list(conn, read.id)?.into_iter().collect();
    let (mut rows, mut unseen, mut total) = (Vec::new(), Vec::new(), 0);
    for study in opening::current_studies(conn, read.case_id)? {
        let instances = studies::instance_list(conn, study)?;
        for series in studies::series_list(conn, study)? {
            let of_series = instances.iter().filter(|one| one.series_id == series.id && one.frames > 0);
            total += of_series.clone().count();
            let missing = of_series.filter(|one| !seen.contains(&one.id)).count();
            if missing > 0 {
                let number = series.number.map(|number| number.to_string()).unwrap_or_default();
                let name = if series.description.is_empty() { series.protocol } else { series.description };
                unseen.push((format!("{number} {} {name}", series.modality).trim().to_owned(), missing));
            }
        }
        rows.push(studies::study_get(conn, study)?);
    }
    Ok((rows, unseen, total))
}
