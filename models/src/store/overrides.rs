//! A dispatcher's decisions that the plan must respect.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::actor::Actor;
use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{CaseId, OverrideId, ReadId, ReaderId, UserId};
use crate::schema::overrides;
use crate::state::OverrideKind;

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = overrides)]
pub struct OverrideRow {
    /// The row's id.
    pub id: OverrideId,
    /// The case.
    pub case_id: CaseId,
    /// One read of it, or all.
    pub read_id: Option<ReadId>,
    /// What was decided.
    pub kind: OverrideKind,
    /// The reader it names.
    pub reader_id: Option<ReaderId>,
    /// The new priority, for one.
    pub value: String,
    /// Why.
    pub reason: String,
    /// By whom.
    pub by_user_id: UserId,
    /// When.
    pub at: NaiveDateTime,
    /// When it was taken back.
    pub revoked_at: Option<NaiveDateTime>,
}

/// Writes a decision by a person.
///
/// # Errors
/// [`StoreError::Rule`] when the actor is no person.
#[expect(clippy::too_many_arguments, reason = "one row's columns")]
pub fn override_create_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    case: CaseId,
    read: Option<ReadId>,
    kind: OverrideKind,
    reader: Option<ReaderId>,
    value: &str,
    reason: &str,
) -> Result<OverrideId, StoreError> {
    let by = actor.user.ok_or_else(|| StoreError::Rule("only a person overrides".to_owned()))?;
    Ok(diesel::insert_into(overrides::table)
        .values((
            overrides::case_id.eq(case),
            overrides::read_id.eq(read),
            overrides::kind.eq(kind),
            overrides::reader_id.eq(reader),
            overrides::value.eq(value),
            overrides::reason.eq(reason),
            overrides::by_user_id.eq(by),
            overrides::at.eq(actor.at),
        ))
        .returning(overrides::id)
        .get_result(conn)?)
}

/// Takes a decision back.
///
/// # Errors
/// [`StoreError::Repeat`] when it was taken back before.
pub fn override_revoke_in_tx(conn: &mut Connection, actor: &Actor, which: OverrideId) -> Result<(), StoreError> {
    let changed = diesel::update(overrides::table.find(which).filter(overrides::revoked_at.is_null()))
        .set((overrides::revoked_at.eq(Some(actor.at)), overrides::revoked_by.eq(actor.user)))
        .execute(conn)?;
    if changed == 0 { Err(StoreError::Repeat("the override's end")) } else { Ok(()) }
}

/// The decisions in force for some cases.
///
/// # Errors
/// What the database says.
pub fn override_list(conn: &mut Connection, of: &[CaseId]) -> Result<Vec<OverrideRow>, StoreError> {
    Ok(overrides::table
        .filter(overrides::case_id.eq_any(of))
        .filter(overrides::revoked_at.is_null())
        .order(overrides::id)
        .select(OverrideRow::as_select())
        .load(conn)?)
}
