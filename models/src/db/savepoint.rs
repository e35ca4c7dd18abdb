//! A part of a transaction that may fail without ending it.

use diesel::connection::SimpleConnection;

use super::Connection;

/// Runs `part`; when it fails, what it did is undone and the transaction goes on.
///
/// PostgreSQL ends a transaction at the first error, so that "insert, or find the row that was first" needs this.
/// (diesel's own nested transactions do not know of the transaction that [`crate::Db`] began.)
///
/// # Errors
/// What `part` returns, or what the database says of the savepoint.
pub(crate) fn in_savepoint<T>(
    conn: &mut Connection,
    part: impl FnOnce(&mut Connection) -> diesel::QueryResult<T>,
) -> diesel::QueryResult<T> {
    conn.batch_execute("SAVEPOINT part")?;
    let outcome = part(conn);
    conn.batch_execute(if outcome.is_ok() {
        "RELEASE SAVEPOINT part"
    } else {
        "ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part"
    })?;
    outcome
}
