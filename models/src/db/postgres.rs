//! PostgreSQL: threads that each own a connection.

use diesel::Connection as _;
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;

use super::behind::Behind;
use super::threads::{self, Job, Lane, Queue};
use super::{Connection, Db, Flavour, migrate};
use crate::error::StoreError;

const READERS: usize = 4;
const WRITERS: usize = 4;
/// How often a transaction that lost a race is run again.
const TRIES: usize = 8;

pub(super) fn open(address: &str) -> Result<Db, StoreError> {
    let mut first = connect(address)?;
    // Roles that start together must not migrate together.
    first.batch_execute("SELECT pg_advisory_lock(20261121)")?;
    let migrated = migrate::run(&mut first);
    first.batch_execute("SELECT pg_advisory_unlock(20261121)")?;
    migrated?;
    drop(first);
    let (read_lane, read_queue) = Lane::new();
    let (write_lane, write_queue) = Lane::new();
    for (name, count, queue, begin) in [
        ("db-reader", READERS, read_queue, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
        ("db-writer", WRITERS, write_queue, "BEGIN ISOLATION LEVEL READ COMMITTED"),
    ] {
        for at in 0..count {
            let (queue, address) = (queue.clone(), address.to_owned());
            threads::start(&format!("{name}-{at}"), move || serve(&address, begin, &queue))?;
        }
    }
    Ok(Db { flavour: Flavour::Postgres, read_lane, write_lane, behind: Behind::default() })
}

fn connect(address: &str) -> Result<Connection, StoreError> {
    // libpq's message may repeat the address, so only that it failed is told.
    let connection = PgConnection::establish(address)
        .map_err(|_| StoreError::Unavailable("PostgreSQL does not accept the connection".to_owned()))?;
    let mut connection = Connection::Postgres(connection);
    connection.batch_execute("SET TIME ZONE 'UTC'; SET client_min_messages = warning")?;
    Ok(connection)
}

fn serve(address: &str, begin: &str, queue: &Queue) {
    let mut connection = None;
    while let Some(mut job) = threads::next(queue) {
        let outcome = run(&mut connection, address, begin, job.as_mut());
        job.finish(outcome.err());
    }
}

fn run(slot: &mut Option<Connection>, address: &str, begin: &str, job: &mut dyn Job) -> Result<(), StoreError> {
    let mut last = StoreError::TryAgain;
    for attempt in 0..TRIES {
        if slot.is_none() {
            *slot = Some(connect(address)?);
        }
        let Some(connection) = slot.as_mut() else { continue };
        if let Err(error) = connection.batch_execute(begin) {
            // The connection died while it was idle: nothing was begun, so a new one may try.
            *slot = None;
            last = error.into();
            continue;
        }
        let verdict = job.run(connection).and_then(|()| connection.batch_execute("COMMIT").map_err(StoreError::from));
        match verdict {
            Ok(()) => return Ok(()),
            Err(error) => {
                let gone = connection.batch_execute("ROLLBACK").is_err();
                if gone {
                    *slot = None;
                }
                // What a server says while it goes down is not the change's fault: the same may work later.
                let error = match error {
                    StoreError::Database(_) if gone => StoreError::Unavailable("the connection was closed".to_owned()),
                    error => error,
                };
                if !error.is_transient() {
                    return Err(error);
                }
                last = error;
                std::thread::sleep(std::time::Duration::from_millis(2 << attempt));
            }
        }
    }
    Err(last)
}
