//! Signed versions with their PDFs, as they are returned and shown to the site.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{CaseId, ReportVersionId};
use crate::schema::{artefacts, report_versions, reports, withdrawals};
use crate::state::VersionState;
use crate::store::artefacts::PDF;

/// A signed version with its PDF, as it is returned and shown to the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedVersion {
    /// The version.
    pub id: ReportVersionId,
    /// The case it reports on.
    pub case_id: CaseId,
    /// Counts the versions of its report from 1.
    pub number: i32,
    /// What it is: preliminary, final, addendum, amended or withdrawn.
    pub state: VersionState,
    /// Why it was written, for all but the first.
    pub reason: String,
    /// When it was signed.
    pub signed_at: Option<NaiveDateTime>,
    /// Where the PDF is.
    pub object_key: String,
    /// The PDF's SHA-256.
    pub sha256: String,
    /// The PDF's bytes.
    pub size: i64,
    /// Why and when it was withdrawn, if it was; its state says so then.
    pub withdrawn: Option<(String, NaiveDateTime)>,
}

type Row = (
    ReportVersionId,
    CaseId,
    i32,
    VersionState,
    String,
    Option<NaiveDateTime>,
    (String, String, i64),
    (Option<String>, Option<NaiveDateTime>),
);

fn of_row((id, case_id, number, state, reason, signed_at, file, withdrawn): Row) -> SignedVersion {
    let (object_key, sha256, size) = file;
    let withdrawn = withdrawn.0.zip(withdrawn.1);
    let state = if withdrawn.is_some() { VersionState::Withdrawn } else { state };
    SignedVersion { id, case_id, number, state, reason, signed_at, object_key, sha256, size, withdrawn }
}

macro_rules! signed_versions {
    ($filter:expr) => {
        report_versions::table
            .inner_join(reports::table.on(reports::id.eq(report_versions::report_id)))
            .inner_join(artefacts::table.on(artefacts::report_version_id.eq(report_versions::id)))
            .left_join(withdrawals::table.on(withdrawals::report_version_id.eq(report_versions::id)))
            .filter(artefacts::kind.eq(PDF))
            .filter(report_versions::state.ne(VersionState::Draft))
            .filter($filter)
            .order((report_versions::signed_at.desc(), report_versions::id.desc()))
            .select((
                report_versions::id,
                reports::case_id,
                report_versions::number,
                report_versions::state,
                report_versions::reason,
                report_versions::signed_at,
                (artefacts::object_key, artefacts::sha256, artefacts::size),
                (withdrawals::reason.nullable(), withdrawals::at.nullable()),
            ))
    };
}

/// One signed version.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none, or it is a draft.
pub fn signed_version_get(conn: &mut Connection, version: ReportVersionId) -> Result<SignedVersion, StoreError> {
    let row: Row = signed_versions!(report_versions::id.eq(version)).first(conn).or_not_found("the report version")?;
    Ok(of_row(row))
}

/// The signed versions of these cases, the newest first.
///
/// # Errors
/// What the database says.
pub fn signed_version_list(conn: &mut Connection, of: &[CaseId]) -> Result<Vec<SignedVersion>, StoreError> {
    let rows: Vec<Row> = signed_versions!(reports::case_id.eq_any(of.to_vec())).load(conn)?;
    Ok(rows.into_iter().map(of_row).collect())
}
