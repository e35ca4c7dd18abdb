//! Grants: which role a user has, how far it reaches, and between which dates.
//!
//! A grant is never deleted; it ends (`to_at`). Roles are text here: which
//! roles there are, and what they allow, is the server's matter.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::Connection;
use crate::error::StoreError;
use crate::ids::{PoolId, SiteId, UserId};
use crate::schema::grants;

/// One grant. With neither site nor pool it reaches everything.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = grants)]
pub struct Grant {
    /// The row.
    pub id: i64,
    /// Who has it.
    pub user_id: UserId,
    /// The role's code.
    pub role: String,
    /// The one site it reaches.
    pub site_id: Option<SiteId>,
    /// The one pool it reaches.
    pub pool_id: Option<PoolId>,
    /// In force from (UTC).
    pub from_at: NaiveDateTime,
    /// In force until (UTC, excluded); open where there is none.
    pub to_at: Option<NaiveDateTime>,
    /// Who gave it; nobody for the first administrator.
    pub given_by: Option<UserId>,
}

/// What a new grant is made of.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = grants)]
pub struct NewGrant {
    /// Who gets it.
    pub user_id: UserId,
    /// The role's code.
    pub role: String,
    /// The one site it reaches.
    pub site_id: Option<SiteId>,
    /// The one pool it reaches.
    pub pool_id: Option<PoolId>,
    /// In force from (UTC).
    pub from_at: NaiveDateTime,
    /// In force until (UTC, excluded).
    pub to_at: Option<NaiveDateTime>,
    /// Who gives it.
    pub given_by: Option<UserId>,
}

/// Gives a role.
///
/// # Errors
/// [`StoreError::Rule`] when user, site or pool does not exist.
pub fn grant_insert_in_tx(connection: &mut Connection, grant: &NewGrant) -> Result<i64, StoreError> {
    Ok(diesel::insert_into(grants::table).values(grant.clone()).returning(grants::id).get_result(connection)?)
}

/// The user's grants in force at `at`.
///
/// # Errors
/// Only the database's own.
pub fn grant_list_in_force(
    connection: &mut Connection,
    user: UserId,
    at: NaiveDateTime,
) -> Result<Vec<Grant>, StoreError> {
    Ok(grants::table
        .filter(grants::user_id.eq(user))
        .filter(grants::from_at.le(at))
        .filter(grants::to_at.is_null().or(grants::to_at.gt(at)))
        .order(grants::id)
        .select(Grant::as_select())
        .load(connection)?)
}

/// Every grant of the user, ended ones too, oldest first.
///
/// # Errors
/// Only the database's own.
pub fn grant_list(connection: &mut Connection, user: UserId) -> Result<Vec<Grant>, StoreError> {
    Ok(grants::table.filter(grants::user_id.eq(user)).order(grants::id).select(Grant::as_select()).load(connection)?)
}

/// How many active users have this role at `at`.
///
/// # Errors
/// Only the database's own.
pub fn grant_count_of_role(connection: &mut Connection, role: &str, at: NaiveDateTime) -> Result<i64, StoreError> {
    use crate::schema::users;
    let holders: Vec<UserId> = grants::table
        .filter(grants::role.eq(role))
        .filter(grants::from_at.le(at))
        .filter(grants::to_at.is_null().or(grants::to_at.gt(at)))
        .select(grants::user_id)
        .distinct()
        .load(connection)?;
    Ok(users::table.filter(users::id.eq_any(holders)).filter(users::active.eq(true)).count().get_result(connection)?)
}

/// Ends a grant at `at`.
///
/// # Errors
/// [`StoreError::Repeat`] when it has ended already or does not exist.
pub fn grant_end_in_tx(connection: &mut Connection, id: i64, at: NaiveDateTime) -> Result<(), StoreError> {
    let changed = diesel::update(
        grants::table.filter(grants::id.eq(id)).filter(grants::to_at.is_null().or(grants::to_at.gt(at))),
    )
    .set(grants::to_at.eq(Some(at)))
    .execute(connection)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Repeat("ending the grant")) }
}

/// One grant.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn grant_get(connection: &mut Connection, id: i64) -> Result<Grant, StoreError> {
    use crate::error::OrNotFound as _;
    grants::table.find(id).select(Grant::as_select()).first(connection).or_not_found("the grant")
}

/// Everybody's grants in force at `at`.
///
/// # Errors
/// Only the database's own.
pub fn grant_list_all_in_force(connection: &mut Connection, at: NaiveDateTime) -> Result<Vec<Grant>, StoreError> {
    Ok(grants::table
        .filter(grants::from_at.le(at))
        .filter(grants::to_at.is_null().or(grants::to_at.gt(at)))
        .order(grants::id)
        .select(Grant::as_select())
        .load(connection)?)
}
