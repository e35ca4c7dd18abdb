//! Brings the tables up to date.

use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::Connection;
use crate::error::StoreError;

const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");

pub(super) fn run(connection: &mut Connection) -> Result<(), StoreError> {
    let outcome = match connection {
        Connection::Postgres(connection) => connection.run_pending_migrations(POSTGRES).map(drop),
        Connection::Sqlite(connection) => connection.run_pending_migrations(SQLITE).map(drop),
    };
    outcome.map_err(|error| StoreError::Unavailable(format!("the tables cannot be brought up to date: {error}")))
}

/// How many migrations wait.
///
/// # Errors
/// [`StoreError::Unavailable`] when the database does not answer.
pub fn pending_migrations(connection: &mut Connection) -> Result<usize, StoreError> {
    let pending = match connection {
        Connection::Postgres(connection) => connection.pending_migrations(POSTGRES).map(|list| list.len()),
        Connection::Sqlite(connection) => connection.pending_migrations(SQLITE).map(|list| list.len()),
    };
    pending.map_err(|error| StoreError::Unavailable(error.to_string()))
}
