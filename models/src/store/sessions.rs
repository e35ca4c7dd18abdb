//! Sessions: a browser that a user signed in with.
//!
//! The row holds the SHA-256 of the cookie's token, never the token. A session
//! ends when it was not seen for the idle time, when `expires_at` is reached,
//! or when it is deleted (signing out, a new password, an inactive user).

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::Connection;
use crate::error::StoreError;
use crate::ids::{SessionId, UserId};
use crate::schema::sessions;

/// One session.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub struct Session {
    /// The row.
    pub id: SessionId,
    /// Whose.
    pub user_id: UserId,
    /// What its forms must carry.
    pub csrf_token: String,
    /// Where it was begun.
    pub address: String,
    /// When it was begun (UTC).
    pub created_at: NaiveDateTime,
    /// When it was last seen (UTC; written at most once a minute).
    pub seen_at: NaiveDateTime,
    /// When it ends at the latest (UTC).
    pub expires_at: NaiveDateTime,
    /// When signing was opened by password, if it is (UTC).
    pub signing_opened_at: Option<NaiveDateTime>,
    /// When the last report was signed in it (UTC).
    pub signing_used_at: Option<NaiveDateTime>,
}

/// What a new session is made of.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = sessions)]
pub struct NewSession {
    /// Whose.
    pub user_id: UserId,
    /// SHA-256 of the cookie's token, in hexadecimal.
    pub token_hash: String,
    /// What its forms must carry.
    pub csrf_token: String,
    /// Where it is begun.
    pub address: String,
    /// When it is begun (UTC).
    pub created_at: NaiveDateTime,
    /// The same.
    pub seen_at: NaiveDateTime,
    /// When it ends at the latest (UTC).
    pub expires_at: NaiveDateTime,
}

/// Begins a session.
///
/// # Errors
/// Only the database's own.
pub fn session_insert_in_tx(connection: &mut Connection, session: &NewSession) -> Result<SessionId, StoreError> {
    Ok(diesel::insert_into(sessions::table).values(session.clone()).returning(sessions::id).get_result(connection)?)
}

/// The session of this token's hash, where it is in force: not expired at `now` and seen since `idle_since`.
///
/// # Errors
/// Only the database's own.
pub fn session_in_force(
    connection: &mut Connection,
    token_hash: &str,
    now: NaiveDateTime,
    idle_since: NaiveDateTime,
) -> Result<Option<Session>, StoreError> {
    Ok(sessions::table
        .filter(sessions::token_hash.eq(token_hash))
        .filter(sessions::expires_at.gt(now))
        .filter(sessions::seen_at.gt(idle_since))
        .select(Session::as_select())
        .first(connection)
        .optional()?)
}

/// The session with this id, if it still is there.
///
/// # Errors
/// Only the database's own.
pub fn session_get(connection: &mut Connection, id: SessionId) -> Result<Option<Session>, StoreError> {
    Ok(sessions::table.find(id).select(Session::as_select()).first(connection).optional()?)
}

/// Notes that the session was seen.
///
/// # Errors
/// Only the database's own.
pub fn session_seen_in_tx(connection: &mut Connection, id: SessionId, at: NaiveDateTime) -> Result<(), StoreError> {
    diesel::update(sessions::table.find(id)).set(sessions::seen_at.eq(at)).execute(connection)?;
    Ok(())
}

/// Opens signing in this session (the password was just proved), or notes its use when `opened_at` is kept.
///
/// # Errors
/// [`StoreError::NotFound`] when the session is gone.
pub fn session_signing_in_tx(
    connection: &mut Connection,
    id: SessionId,
    opened_at: Option<NaiveDateTime>,
    used_at: Option<NaiveDateTime>,
) -> Result<(), StoreError> {
    let changed = diesel::update(sessions::table.find(id))
        .set((sessions::signing_opened_at.eq(opened_at), sessions::signing_used_at.eq(used_at)))
        .execute(connection)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::NotFound("the session")) }
}

/// Ends one session.
///
/// # Errors
/// Only the database's own.
pub fn session_delete_in_tx(connection: &mut Connection, id: SessionId) -> Result<(), StoreError> {
    diesel::delete(sessions::table.find(id)).execute(connection)?;
    Ok(())
}

/// Ends every session of the user but `kept`; says how many.
///
/// # Errors
/// Only the database's own.
pub fn session_delete_of_user_in_tx(
    connection: &mut Connection,
    user: UserId,
    kept: Option<SessionId>,
) -> Result<usize, StoreError> {
    let kept = kept.unwrap_or(SessionId(0));
    Ok(diesel::delete(sessions::table.filter(sessions::user_id.eq(user)).filter(sessions::id.ne(kept)))
        .execute(connection)?)
}

/// Deletes what has ended; says how many.
///
/// # Errors
/// Only the database's own.
pub fn session_sweep_in_tx(
    connection: &mut Connection,
    now: NaiveDateTime,
    idle_since: NaiveDateTime,
) -> Result<usize, StoreError> {
    Ok(diesel::delete(sessions::table.filter(sessions::expires_at.le(now).or(sessions::seen_at.le(idle_since))))
        .execute(connection)?)
}
