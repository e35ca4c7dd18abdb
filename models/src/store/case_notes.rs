//! Notes, telephone calls, questions and answers on a case. Append-only.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::actor::Actor;
use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{CaseId, UserId};
use crate::schema::{case_notes, users};
use crate::state::NoteKind;

/// A line in a case's notes.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct CaseNoteRow {
    /// The row's id.
    pub id: i64,
    /// What it is.
    pub kind: NoteKind,
    /// Who wrote it.
    pub author_id: Option<UserId>,
    /// His name in Japanese.
    pub author_name: Option<String>,
    /// Who was on the telephone, for a call.
    pub contact: String,
    /// The text.
    pub body: String,
    /// When.
    pub at: NaiveDateTime,
}

/// Adds a line.
///
/// # Errors
/// What the database says.
pub fn case_note_add_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    case: CaseId,
    kind: NoteKind,
    contact: &str,
    body: &str,
) -> Result<i64, StoreError> {
    Ok(diesel::insert_into(case_notes::table)
        .values((
            case_notes::case_id.eq(case),
            case_notes::kind.eq(kind),
            case_notes::author_id.eq(actor.user),
            case_notes::contact.eq(contact),
            case_notes::body.eq(body),
            case_notes::at.eq(actor.at),
        ))
        .returning(case_notes::id)
        .get_result(conn)?)
}

/// The lines of a case, oldest first.
///
/// # Errors
/// What the database says.
pub fn case_note_list(conn: &mut Connection, case: CaseId) -> Result<Vec<CaseNoteRow>, StoreError> {
    Ok(case_notes::table
        .left_join(users::table.on(users::id.nullable().eq(case_notes::author_id)))
        .filter(case_notes::case_id.eq(case))
        .order(case_notes::id)
        .select((
            case_notes::id,
            case_notes::kind,
            case_notes::author_id,
            users::name_ja.nullable(),
            case_notes::contact,
            case_notes::body,
            case_notes::at,
        ))
        .load(conn)?)
}
