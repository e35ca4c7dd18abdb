//! Artefacts: the files of a signed version, each with its hash. Immutable.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::ReportVersionId;
use crate::objects::KeptObject;
use crate::schema::artefacts;

/// The kind of the signed PDF.
pub const PDF: &str = "pdf";

/// The kind of the notice that the version is withdrawn, a PDF too.
pub const WITHDRAWAL: &str = "withdrawal";

/// A file of a signed version.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = artefacts)]
pub struct ArtefactRow {
    /// The row's id.
    pub id: i64,
    /// The version.
    pub report_version_id: ReportVersionId,
    /// What it is: `pdf` or `withdrawal`.
    pub kind: String,
    /// Where the bytes are.
    pub object_key: String,
    /// SHA-256.
    pub sha256: String,
    /// Bytes.
    pub size: i64,
    /// When it was made.
    pub created_at: NaiveDateTime,
}

/// Adds a file to a version.
///
/// # Errors
/// [`StoreError::Rule`] when the version has one of that kind.
pub fn artefact_add_in_tx(
    conn: &mut Connection,
    version: ReportVersionId,
    kind: &str,
    object: &KeptObject,
    at: NaiveDateTime,
) -> Result<i64, StoreError> {
    Ok(diesel::insert_into(artefacts::table)
        .values((
            artefacts::report_version_id.eq(version),
            artefacts::kind.eq(kind),
            artefacts::object_key.eq(&object.key),
            artefacts::sha256.eq(&object.sha256),
            artefacts::size.eq(object.size),
            artefacts::created_at.eq(at),
        ))
        .returning(artefacts::id)
        .get_result(conn)?)
}

/// The files of some versions.
///
/// # Errors
/// What the database says.
pub fn artefact_list(conn: &mut Connection, of: &[ReportVersionId]) -> Result<Vec<ArtefactRow>, StoreError> {
    Ok(artefacts::table
        .filter(artefacts::report_version_id.eq_any(of))
        .order(artefacts::id)
        .select(ArtefactRow::as_select())
        .load(conn)?)
}

/// The file of a kind of a version.
///
/// # Errors
/// What the database says.
pub fn artefact_of_kind(
    conn: &mut Connection,
    version: ReportVersionId,
    kind: &str,
) -> Result<Option<ArtefactRow>, StoreError> {
    Ok(artefact_list(conn, &[version])?.into_iter().find(|artefact| artefact.kind == kind))
}
