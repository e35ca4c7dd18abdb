//! API tokens: what a program signs in with, in a user's name.
//!
//! The row holds the SHA-256 of the token, never the token.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::Connection;
use crate::error::StoreError;
use crate::ids::UserId;
use crate::schema::api_tokens;

/// One token.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = api_tokens)]
pub struct ApiToken {
    /// The row.
    pub id: i64,
    /// In whose name.
    pub user_id: UserId,
    /// What it is for, in the user's words.
    pub name: String,
    /// When it was made (UTC).
    pub created_at: NaiveDateTime,
    /// When it ends (UTC), if ever.
    pub expires_at: Option<NaiveDateTime>,
    /// When it was last used (UTC; written at most once a minute).
    pub used_at: Option<NaiveDateTime>,
    /// When it was revoked (UTC), if it was.
    pub revoked_at: Option<NaiveDateTime>,
}

/// What a new token is made of.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = api_tokens)]
pub struct NewApiToken {
    /// In whose name.
    pub user_id: UserId,
    /// What it is for.
    pub name: String,
    /// SHA-256 of the token, in hexadecimal.
    pub token_hash: String,
    /// When it is made (UTC).
    pub created_at: NaiveDateTime,
    /// When it ends (UTC), if ever.
    pub expires_at: Option<NaiveDateTime>,
}

/// Makes a token.
///
/// # Errors
/// Only the database's own.
pub fn api_token_insert_in_tx(connection: &mut Connection, token: &NewApiToken) -> Result<i64, StoreError> {
    Ok(diesel::insert_into(api_tokens::table).values(token.clone()).returning(api_tokens::id).get_result(connection)?)
}

/// The token of this hash, where it is in force at `now`.
///
/// # Errors
/// Only the database's own.
pub fn api_token_in_force(
    connection: &mut Connection,
    token_hash: &str,
    now: NaiveDateTime,
) -> Result<Option<ApiToken>, StoreError> {
    Ok(api_tokens::table
        .filter(api_tokens::token_hash.eq(token_hash))
        .filter(api_tokens::revoked_at.is_null())
        .filter(api_tokens::expires_at.is_null().or(api_tokens::expires_at.gt(now)))
        .select(ApiToken::as_select())
        .first(connection)
        .optional()?)
}

/// The user's tokens, newest first, revoked ones too.
///
/// # Errors
/// Only the database's own.
pub fn api_token_list(connection: &mut Connection, user: UserId) -> Result<Vec<ApiToken>, StoreError> {
    Ok(api_tokens::table
        .filter(api_tokens::user_id.eq(user))
        .order(api_tokens::id.desc())
        .select(ApiToken::as_select())
        .load(connection)?)
}

/// Notes that the token was used.
///
/// # Errors
/// Only the database's own.
pub fn api_token_used_in_tx(connection: &mut Connection, id: i64, at: NaiveDateTime) -> Result<(), StoreError> {
    diesel::update(api_tokens::table.find(id)).set(api_tokens::used_at.eq(Some(at))).execute(connection)?;
    Ok(())
}

/// Revokes a token of the user.
///
/// # Errors
/// [`StoreError::NotFound`] when the user has no such token in force.
pub fn api_token_revoke_in_tx(
    connection: &mut Connection,
    user: UserId,
    id: i64,
    at: NaiveDateTime,
) -> Result<(), StoreError> {
    let changed = diesel::update(
        api_tokens::table
            .filter(api_tokens::id.eq(id))
            .filter(api_tokens::user_id.eq(user))
            .filter(api_tokens::revoked_at.is_null()),
    )
    .set(api_tokens::revoked_at.eq(Some(at)))
    .execute(connection)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::NotFound("the API token")) }
}
