//! Login attempts, for throttling: which name was tried from which address, and whether it went well.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::Connection;
use crate::error::StoreError;
use crate::schema::login_attempts;

/// Failures in a row, and when the last one was (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failures {
    /// How many since the last success (or since `since`).
    pub count: i64,
    /// The newest one.
    pub last_at: Option<NaiveDateTime>,
}

#[derive(Insertable)]
#[diesel(table_name = login_attempts)]
struct NewAttempt {
    login: String,
    address: String,
    at: NaiveDateTime,
    succeeded: bool,
}

/// Notes an attempt before the password is looked at, as a failure: of many attempts at once each counts.
/// The name is kept in lower case and cut to 100 characters.
///
/// # Errors
/// Only the database's own.
pub fn login_attempt_begin_in_tx(
    connection: &mut Connection,
    login: &str,
    address: &str,
    at: NaiveDateTime,
) -> Result<i64, StoreError> {
    let attempt = NewAttempt { login: key(login), address: address.to_owned(), at, succeeded: false };
    Ok(diesel::insert_into(login_attempts::table)
        .values(attempt)
        .returning(login_attempts::id)
        .get_result(connection)?)
}

/// The attempt went well after all.
///
/// # Errors
/// Only the database's own.
pub fn login_attempt_succeeded_in_tx(connection: &mut Connection, id: i64) -> Result<(), StoreError> {
    diesel::update(login_attempts::table.find(id)).set(login_attempts::succeeded.eq(true)).execute(connection)?;
    Ok(())
}

/// Failures for this login name since its last success, not older than `since`.
///
/// # Errors
/// Only the database's own.
pub fn login_failures_of_login(
    connection: &mut Connection,
    login: &str,
    since: NaiveDateTime,
) -> Result<Failures, StoreError> {
    let login = key(login);
    let success: Option<i64> = login_attempts::table
        .filter(login_attempts::login.eq(&login))
        .filter(login_attempts::succeeded.eq(true))
        .filter(login_attempts::at.ge(since))
        .select(diesel::dsl::max(login_attempts::id))
        .first(connection)?;
    let failures = login_attempts::table
        .filter(login_attempts::login.eq(&login))
        .filter(login_attempts::succeeded.eq(false))
        .filter(login_attempts::at.ge(since))
        .filter(login_attempts::id.gt(success.unwrap_or(0)))
        .select((diesel::dsl::count_star(), diesel::dsl::max(login_attempts::at)))
        .first::<(i64, Option<NaiveDateTime>)>(connection)?;
    Ok(Failures { count: failures.0, last_at: failures.1 })
}

/// Failures from this address, whatever the name, not older than `since`. A success does not wipe them:
/// one known account must not pay for guessing at others.
///
/// # Errors
/// Only the database's own.
pub fn login_failures_of_address(
    connection: &mut Connection,
    address: &str,
    since: NaiveDateTime,
) -> Result<Failures, StoreError> {
    let failures = login_attempts::table
        .filter(login_attempts::address.eq(address))
        .filter(login_attempts::succeeded.eq(false))
        .filter(login_attempts::at.ge(since))
        .select((diesel::dsl::count_star(), diesel::dsl::max(login_attempts::at)))
        .first::<(i64, Option<NaiveDateTime>)>(connection)?;
    Ok(Failures { count: failures.0, last_at: failures.1 })
}

/// Deletes what is older than `before`; says how many.
///
/// # Errors
/// Only the database's own.
pub fn login_attempt_sweep_in_tx(connection: &mut Connection, before: NaiveDateTime) -> Result<usize, StoreError> {
    Ok(diesel::delete(login_attempts::table.filter(login_attempts::at.lt(before))).execute(connection)?)
}

fn key(login: &str) -> String {
    login.to_lowercase().chars().take(100).collect()
}
