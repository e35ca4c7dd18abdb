//! Reports and their versions.
//!
//! A read has one report; a read that was made by reopening a case writes the
//! next version of the report in force. A *draft* has a revision that grows with
//! each save, so that a second window cannot overwrite the first. Everything
//! that is no draft is immutable: a trigger refuses changes.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text, Timestamp};

use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{CaseId, ReadId, ReaderId, ReportId, ReportVersionId, UserId};
use crate::schema::{cases, reads, report_versions, reports};
use crate::state::{ReadKind, ReadState, VersionState};

/// A report.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = reports)]
pub struct ReportRow {
    /// The row's id.
    pub id: ReportId,
    /// The case.
    pub case_id: CaseId,
    /// The read it was begun for.
    pub read_id: ReadId,
    /// Who writes or wrote it.
    pub reader_id: ReaderId,
    /// When it was begun.
    pub created_at: NaiveDateTime,
}

/// A version of a report. `Debug` hides what it says.
#[derive(Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = report_versions)]
pub struct VersionRow {
    /// The row's id.
    pub id: ReportVersionId,
    /// The report.
    pub report_id: ReportId,
    /// 1, 2, 3 ... within the report.
    pub number: i32,
    /// What it is.
    pub state: VersionState,
    /// Grows with each save of a draft.
    pub revision: i32,
    /// Findings (所見).
    pub findings: String,
    /// Impression (診断).
    pub impression: String,
    /// Why this version exists, for all but the first.
    pub reason: String,
    /// When it was last saved.
    pub saved_at: NaiveDateTime,
    /// By whom.
    pub saved_by: UserId,
    /// When it was signed.
    pub signed_at: Option<NaiveDateTime>,
    /// By whom.
    pub signed_by: Option<UserId>,
}

impl std::fmt::Debug for VersionRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VersionRow")
            .field("id", &self.id)
            .field("number", &self.number)
            .field("state", &self.state)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

/// Whether a read has a draft with words in it.
///
/// # Errors
/// What the database says.
pub fn draft_exists(conn: &mut Connection, read: ReadId) -> Result<bool, StoreError> {
    let draft = draft_of_read(conn, read)?;
    Ok(draft.is_some_and(|draft| !draft.findings.is_empty() || !draft.impression.is_empty()))
}

/// The report that a read writes: its own, or for a reopened case's read the one in force.
///
/// # Errors
/// [`StoreError::NotFound`] when there is no such read.
pub fn report_of_read(conn: &mut Connection, read: ReadId) -> Result<Option<ReportRow>, StoreError> {
    let own: Option<ReportRow> =
        reports::table.filter(reports::read_id.eq(read)).select(ReportRow::as_select()).first(conn).optional()?;
    if own.is_some() {
        return Ok(own);
    }
    let (case, kind): (CaseId, ReadKind) =
        reads::table.find(read).select((reads::case_id, reads::kind)).first(conn).or_not_found("the read")?;
    if kind != ReadKind::Reopened {
        return Ok(None);
    }
    Ok(reports::table
        .inner_join(report_versions::table.on(report_versions::report_id.eq(reports::id)))
        .filter(reports::case_id.eq(case))
        .filter(report_versions::signed_at.is_not_null())
        .order((report_versions::signed_at.desc(), report_versions::id.desc()))
        .select(ReportRow::as_select())
        .first(conn)
        .optional()?)
}

/// The reports of a case with all their versions, oldest first.
///
/// # Errors
/// What the database says.
pub fn version_list_of_case(conn: &mut Connection, case: CaseId) -> Result<Vec<(ReportRow, VersionRow)>, StoreError> {
    Ok(report_versions::table
        .inner_join(reports::table.on(reports::id.eq(report_versions::report_id)))
        .filter(reports::case_id.eq(case))
        .order(report_versions::id)
        .select((ReportRow::as_select(), VersionRow::as_select()))
        .load(conn)?)
}

/// One version with its report.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none.
pub fn version_get(conn: &mut Connection, version: ReportVersionId) -> Result<(ReportRow, VersionRow), StoreError> {
    report_versions::table
        .inner_join(reports::table.on(reports::id.eq(report_versions::report_id)))
        .filter(report_versions::id.eq(version))
        .select((ReportRow::as_select(), VersionRow::as_select()))
        .first(conn)
        .or_not_found("the report version")
}

/// The versions of a report, oldest first.
///
/// # Errors
/// What the database says.
pub fn version_list(conn: &mut Connection, report: ReportId) -> Result<Vec<VersionRow>, StoreError> {
    Ok(report_versions::table
        .filter(report_versions::report_id.eq(report))
        .order(report_versions::number)
        .select(VersionRow::as_select())
        .load(conn)?)
}

/// The draft that a read has, if any.
///
/// # Errors
/// [`StoreError::NotFound`] when there is no such read.
pub fn draft_of_read(conn: &mut Connection, read: ReadId) -> Result<Option<VersionRow>, StoreError> {
    let Some(report) = report_of_read(conn, read)? else { return Ok(None) };
    Ok(report_versions::table
        .filter(report_versions::report_id.eq(report.id))
        .filter(report_versions::state.eq(VersionState::Draft))
        .order(report_versions::number.desc())
        .select(VersionRow::as_select())
        .first(conn)
        .optional()?)
}

/// What a save of a draft brings.
#[derive(Clone, PartialEq, Eq)]
pub struct DraftText {
    /// The revision that the writer saw; 0 before the first save.
    pub seen: i32,
    /// Findings.
    pub findings: String,
    /// Impression.
    pub impression: String,
}

/// Saves a draft over the revision that the writer saw, and returns it as it is now. The first save makes the report.
///
/// The report becomes the reader's: whoever took over a read goes on with what is there.
///
/// # Errors
/// [`StoreError::Stale`] when somebody saved meanwhile.
pub fn draft_save_in_tx(
    conn: &mut Connection,
    read: ReadId,
    reader: ReaderId,
    by: UserId,
    text: &DraftText,
    at: NaiveDateTime,
) -> Result<VersionRow, StoreError> {
    let draft = draft_open_in_tx(conn, read, reader, by, "", at)?;
    let changed = diesel::update(
        report_versions::table
            .find(draft.id)
            .filter(report_versions::state.eq(VersionState::Draft))
            .filter(report_versions::revision.eq(text.seen)),
    )
    .set((
        report_versions::findings.eq(&text.findings),
        report_versions::impression.eq(&text.impression),
        report_versions::revision.eq(text.seen + 1),
        report_versions::saved_at.eq(at),
        report_versions::saved_by.eq(by),
    ))
    .execute(conn)?;
    if changed == 0 {
        return Err(StoreError::Stale("the draft"));
    }
    if draft.number == 1 {
        diesel::update(reports::table.find(draft.report_id)).set(reports::reader_id.eq(reader)).execute(conn)?;
    }
    Ok(version_get(conn, draft.id)?.1)
}

/// Finds the draft of a read or makes an empty one of revision 0. Two windows that come at once get the same.
///
/// # Errors
/// What the database says.
pub fn draft_open_in_tx(
    conn: &mut Connection,
    read: ReadId,
    reader: ReaderId,
    by: UserId,
    reason: &str,
    at: NaiveDateTime,
) -> Result<VersionRow, StoreError> {
    if let Some(draft) = draft_of_read(conn, read)? {
        return Ok(draft);
    }
    let report = match report_of_read(conn, read)? {
        Some(report) => report.id,
        None => report_begin_in_tx(conn, read, reader, at)?,
    };
    let last: Option<i32> = report_versions::table
        .filter(report_versions::report_id.eq(report))
        .select(diesel::dsl::max(report_versions::number))
        .first(conn)?;
    diesel::sql_query(
        "INSERT INTO report_versions (report_id, number, state, revision, findings, impression, reason, saved_at, \
         saved_by) VALUES ($1, $2, 'draft', 0, '', '', $3, $4, $5) ON CONFLICT DO NOTHING",
    )
    .bind::<BigInt, _>(report)
    .bind::<Integer, _>(last.unwrap_or(0) + 1)
    .bind::<Text, _>(reason)
    .bind::<Timestamp, _>(at)
    .bind::<BigInt, _>(by)
    .execute(conn)?;
    draft_of_read(conn, read)?.ok_or(StoreError::TryAgain)
}

fn report_begin_in_tx(
    conn: &mut Connection,
    read: ReadId,
    reader: ReaderId,
    at: NaiveDateTime,
) -> Result<ReportId, StoreError> {
    let case: CaseId = reads::table.find(read).select(reads::case_id).first(conn).or_not_found("the read")?;
    diesel::sql_query(
        "INSERT INTO reports (case_id, read_id, reader_id, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind::<BigInt, _>(case)
    .bind::<BigInt, _>(read)
    .bind::<BigInt, _>(reader)
    .bind::<Timestamp, _>(at)
    .execute(conn)?;
    Ok(reports::table.filter(reports::read_id.eq(read)).select(reports::id).first(conn)?)
}

/// Makes a draft the signed version it is from now on.
///
/// # Errors
/// [`StoreError::Stale`] when the draft is not the one that was typeset (`revision`), or is no draft any more.
pub fn version_sign_in_tx(
    conn: &mut Connection,
    version: ReportVersionId,
    revision: i32,
    becomes: VersionState,
    reason: &str,
    by: UserId,
    at: NaiveDateTime,
) -> Result<(), StoreError> {
    let changed = diesel::update(
        report_versions::table
            .find(version)
            .filter(report_versions::state.eq(VersionState::Draft))
            .filter(report_versions::revision.eq(revision)),
    )
    .set((
        report_versions::state.eq(becomes),
        report_versions::reason.eq(reason),
        report_versions::signed_at.eq(Some(at)),
        report_versions::signed_by.eq(Some(by)),
    ))
    .execute(conn)?;
    if changed == 0 { Err(StoreError::Stale("the draft")) } else { Ok(()) }
}

/// What a reader has signed since a time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct SignedWork {
    /// Reads.
    pub reads: usize,
    /// Their expected minutes.
    pub minutes: f64,
    /// Those signed by the time their case was owed.
    pub on_time: usize,
}

/// Counts what a reader has signed since `since`.
///
/// # Errors
/// What the database says.
pub fn signed_since(conn: &mut Connection, reader: ReaderId, since: NaiveDateTime) -> Result<SignedWork, StoreError> {
    let rows: Vec<(f64, Option<NaiveDateTime>, NaiveDateTime)> = reads::table
        .inner_join(cases::table.on(cases::id.eq(reads::case_id)))
        .filter(reads::reader_id.eq(reader))
        .filter(reads::state.eq(ReadState::Signed))
        .filter(reads::signed_at.ge(since).assume_not_null())
        .select((reads::expected_minutes, reads::signed_at, cases::due_at))
        .load(conn)?;
    Ok(SignedWork {
        reads: rows.len(),
        minutes: rows.iter().fold(0.0, |sum, row| sum + row.0),
        on_time: rows.iter().filter(|(_, at, due)| at.is_some_and(|at| at <= *due)).count(),
    })
}
