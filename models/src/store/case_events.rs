//! A case's history: append-only, and what the screen shows as such.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::actor::Actor;
use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{CaseId, ReadId, UserId};
use crate::schema::{case_events, users};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct CaseEventRow {
    /// The row's id.
    pub id: i64,
    /// The read concerned, if it is one read's event.
    pub read_id: Option<ReadId>,
    /// The person.
    pub actor_id: Option<UserId>,
    /// The person's name in Japanese, if it was a person.
    pub actor_name: Option<String>,
    /// The event's stable name.
    pub kind: String,
    /// The event as JSON.
    pub data: String,
    /// When (UTC).
    pub at: NaiveDateTime,
}

/// Appends an event. `data` is serialised as it is: it must hold no patient data.
///
/// # Errors
/// What the database says.
pub fn append_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    case: CaseId,
    read: Option<ReadId>,
    kind: &str,
    data: &impl serde::Serialize,
) -> Result<(), StoreError> {
    let data = serde_json::to_string(data).map_err(|error| StoreError::Damaged(error.to_string()))?;
    diesel::insert_into(case_events::table)
        .values((
            case_events::case_id.eq(case),
            case_events::read_id.eq(read.map(|id| id.0)),
            case_events::actor_id.eq(actor.user),
            case_events::kind.eq(kind),
            case_events::data.eq(data),
            case_events::at.eq(actor.at),
        ))
        .execute(conn)?;
    Ok(())
}

/// The history of a case, oldest first.
///
/// # Errors
/// What the database says.
pub fn case_event_list(conn: &mut Connection, case: CaseId) -> Result<Vec<CaseEventRow>, StoreError> {
    Ok(case_events::table
        .left_join(users::table.on(users::id.nullable().eq(case_events::actor_id)))
        .filter(case_events::case_id.eq(case))
        .order(case_events::id)
        .select((
            case_events::id,
            case_events::read_id,
            case_events::actor_id,
            users::name_ja.nullable(),
            case_events::kind,
            case_events::data,
            case_events::at,
        ))
        .load(conn)?)
}
