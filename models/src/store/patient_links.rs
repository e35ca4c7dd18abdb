//! Who another institution's patient is: said by a person, never by a number.
//!
//! Images from elsewhere keep the patient that their medium names (see
//! [`patients::foreign_patient_in_tx`](super::patients::foreign_patient_in_tx)). A *link* says which of the site's own
//! patients he is, or that his images are not wanted. Links are never changed, only undone, so that it can be seen
//! later whose images stood beside whose.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use super::patients::PatientRow;
use super::studies::StudyRow;
use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{PatientId, SiteId, UserId};
use crate::schema::{patient_links, patients, studies};
use crate::state::LinkState;

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = patient_links)]
pub struct LinkRow {
    /// The row's id.
    pub id: i64,
    /// The site.
    pub site_id: SiteId,
    /// The patient as the medium names him.
    pub foreign_id: PatientId,
    /// Who he is here; none where he was discarded.
    pub own_id: Option<PatientId>,
    /// What was decided.
    pub state: LinkState,
    /// Why.
    pub reason: String,
    /// By whom.
    pub by_user_id: UserId,
    /// When.
    pub at: NaiveDateTime,
    /// When it was undone.
    pub undone_at: Option<NaiveDateTime>,
}

/// A decision to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLink {
    /// The site.
    pub site: SiteId,
    /// The patient as the medium names him.
    pub foreign: PatientId,
    /// Who he is here; `None` discards his images.
    pub own: Option<PatientId>,
    /// Why.
    pub reason: String,
    /// By whom.
    pub by: UserId,
    /// When.
    pub at: NaiveDateTime,
}

/// Writes a decision. Returns its id.
///
/// # Errors
/// [`StoreError::Repeat`] when one is in force already.
pub fn link_add_in_tx(conn: &mut Connection, link: &NewLink) -> Result<i64, StoreError> {
    if link_in_force(conn, link.foreign)?.is_some() {
        return Err(StoreError::Repeat("patient.link"));
    }
    let state = if link.own.is_some() { LinkState::Linked } else { LinkState::Discarded };
    diesel::insert_into(patient_links::table)
        .values((
            patient_links::site_id.eq(link.site),
            patient_links::foreign_id.eq(link.foreign),
            patient_links::own_id.eq(link.own),
            patient_links::state.eq(state),
            patient_links::reason.eq(&link.reason),
            patient_links::by_user_id.eq(link.by),
            patient_links::at.eq(link.at),
        ))
        .returning(patient_links::id)
        .get_result(conn)
        .map_err(|error| match error {
            // Somebody else decided in the same moment.
            diesel::result::Error::DatabaseError(diesel::result::DatabaseErrorKind::UniqueViolation, _) => {
                StoreError::TryAgain
            }
            other => other.into(),
        })
}

/// Undoes a decision.
///
/// # Errors
/// [`StoreError::Repeat`] when it is undone already.
pub fn link_undo_in_tx(
    conn: &mut Connection,
    link: i64,
    by: UserId,
    reason: &str,
    at: NaiveDateTime,
) -> Result<(), StoreError> {
    let changed = diesel::update(patient_links::table.find(link).filter(patient_links::undone_at.is_null()))
        .set((
            patient_links::undone_at.eq(Some(at)),
            patient_links::undone_by.eq(Some(by)),
            patient_links::undone_reason.eq(Some(reason)),
        ))
        .execute(conn)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Repeat("patient.unlink")) }
}

/// One decision.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none.
pub fn link_get(conn: &mut Connection, link: i64) -> Result<LinkRow, StoreError> {
    patient_links::table.find(link).select(LinkRow::as_select()).first(conn).or_not_found("the link")
}

/// What is decided of another institution's patient, if anything.
///
/// # Errors
/// What the database says.
pub fn link_in_force(conn: &mut Connection, foreign: PatientId) -> Result<Option<LinkRow>, StoreError> {
    Ok(patient_links::table
        .filter(patient_links::foreign_id.eq(foreign))
        .filter(patient_links::undone_at.is_null())
        .select(LinkRow::as_select())
        .first(conn)
        .optional()?)
}

/// Other institutions' patients of a site with what is decided of them, newest first: those without a decision, and
/// those decided on at or after `since`.
///
/// # Errors
/// What the database says.
pub fn foreign_patient_list(
    conn: &mut Connection,
    site: SiteId,
    since: NaiveDateTime,
    limit: i64,
) -> Result<Vec<(PatientRow, Option<LinkRow>)>, StoreError> {
    Ok(patients::table
        .left_join(
            patient_links::table.on(patient_links::foreign_id.eq(patients::id).and(patient_links::undone_at.is_null())),
        )
        .filter(patients::site_id.eq(site))
        .filter(patients::medium_id.is_not_null())
        .filter(patient_links::id.is_null().or(patient_links::at.ge(since)))
        .order((patients::created_at.desc(), patients::id.desc()))
        .limit(limit)
        .select((PatientRow::as_select(), Option::<LinkRow>::as_select()))
        .load(conn)?)
}

/// The studies from elsewhere that are known to be a patient's, newest first.
///
/// # Errors
/// What the database says.
pub fn study_list_of_linked(conn: &mut Connection, own: PatientId) -> Result<Vec<StudyRow>, StoreError> {
    let linked = patient_links::table
        .filter(patient_links::own_id.eq(own))
        .filter(patient_links::state.eq(LinkState::Linked))
        .filter(patient_links::undone_at.is_null())
        .select(patient_links::foreign_id);
    Ok(studies::table
        .filter(studies::patient_id.eq_any(linked))
        .order((studies::study_date.desc(), studies::id.desc()))
        .select(StudyRow::as_select())
        .load(conn)?)
}

/// The site's own patients who may be meant: of this birth date, or whose name or ID holds this folded text.
///
/// # Errors
/// What the database says.
pub fn own_patient_list_like(
    conn: &mut Connection,
    site: SiteId,
    birth_date: Option<NaiveDate>,
    text: &str,
    limit: i64,
) -> Result<Vec<PatientRow>, StoreError> {
    let mut rows = patients::table
        .filter(patients::site_id.eq(site))
        .filter(patients::medium_id.is_null())
        .order(patients::id.desc())
        .limit(limit)
        .select(PatientRow::as_select())
        .into_boxed();
    if let Some(day) = birth_date {
        rows = rows.filter(patients::birth_date.eq(day));
    }
    if !text.is_empty() {
        let plain = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        rows = rows.filter(patients::search_text.like(format!("%{plain}%")).escape('\\'));
    }
    Ok(rows.load(conn)?)
}
