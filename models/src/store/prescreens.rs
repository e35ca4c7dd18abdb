//! Prescreens and the engines' findings: versions, never overwritten.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{CaseId, InstanceId, StudyId};
use crate::schema::{findings, prescreens};

/// A prescreen to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPrescreen {
    /// The case.
    pub case: CaseId,
    /// 0..1.
    pub urgency: f64,
    /// What made it so, as JSON.
    pub contributions: String,
    /// What order and headers say, as JSON.
    pub labels: String,
    /// The model that said so.
    pub model_version: String,
    /// When.
    pub at: NaiveDateTime,
}

/// A prescreen.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = prescreens)]
pub struct PrescreenRow {
    /// The case.
    pub case_id: CaseId,
    /// 1, 2, 3 ... within the case.
    pub number: i32,
    /// 0..1.
    pub urgency: f64,
    /// What made it so, as JSON.
    pub contributions: String,
    /// What order and headers say, as JSON.
    pub labels: String,
    /// The model that said so.
    pub model_version: String,
    /// When.
    pub at: NaiveDateTime,
}

/// Writes the next version.
///
/// # Errors
/// What the database says.
pub fn prescreen_create_in_tx(conn: &mut Connection, new: &NewPrescreen) -> Result<i32, StoreError> {
    let newest: Option<i32> = prescreens::table
        .filter(prescreens::case_id.eq(new.case))
        .select(diesel::dsl::max(prescreens::number))
        .first(conn)?;
    let number = newest.unwrap_or(0) + 1;
    diesel::insert_into(prescreens::table)
        .values((
            prescreens::case_id.eq(new.case),
            prescreens::number.eq(number),
            prescreens::urgency.eq(new.urgency),
            prescreens::contributions.eq(&new.contributions),
            prescreens::labels.eq(&new.labels),
            prescreens::model_version.eq(&new.model_version),
            prescreens::at.eq(new.at),
        ))
        .execute(conn)?;
    Ok(number)
}

/// The newest prescreen of a case.
///
/// # Errors
/// What the database says.
pub fn prescreen_newest(conn: &mut Connection, case: CaseId) -> Result<Option<PrescreenRow>, StoreError> {
    Ok(prescreens::table
        .filter(prescreens::case_id.eq(case))
        .order(prescreens::number.desc())
        .select(PrescreenRow::as_select())
        .first(conn)
        .optional()?)
}

/// One engine's finding.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = findings)]
pub struct FindingRow {
    /// The row's id.
    pub id: i64,
    /// The study.
    pub study_id: StudyId,
    /// The image, if it is one image's.
    pub instance_id: Option<InstanceId>,
    /// The engine.
    pub engine: String,
    /// Its version.
    pub engine_version: String,
    /// What it names.
    pub label: String,
    /// 0..1.
    pub confidence: f64,
    /// `Low`, `Mid` or `High`.
    pub class: String,
    /// Where, as JSON.
    pub mark: Option<String>,
    /// Whether the engine's approval and the site's flags let it show.
    pub shown: bool,
    /// When.
    pub at: NaiveDateTime,
}

/// The findings that may be shown for some studies.
///
/// # Errors
/// What the database says.
pub fn finding_list_to_show(conn: &mut Connection, of: &[StudyId]) -> Result<Vec<FindingRow>, StoreError> {
    Ok(findings::table
        .filter(findings::study_id.eq_any(of))
        .filter(findings::shown.eq(true))
        .order(findings::id)
        .select(FindingRow::as_select())
        .load(conn)?)
}

/// Whether there is a finding that may be shown.
///
/// # Errors
/// What the database says.
pub fn finding_exists_to_show(conn: &mut Connection, of: &[StudyId]) -> Result<bool, StoreError> {
    Ok(!finding_list_to_show(conn, of)?.is_empty())
}
