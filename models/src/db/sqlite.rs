//! SQLite: one writer with group commit, several readers.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use diesel::Connection as _;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;

use super::behind::Behind;
use super::threads::{self, Job, Lane, Queue};
use super::{Connection, Db, Flavour, migrate};
use crate::error::StoreError;

const READERS: usize = 3;
/// Transactions that share one commit, at most.
const GROUP: usize = 64;
/// How long a group is filled while others wait for it, at most.
const GROUP_TIME: Duration = Duration::from_millis(20);
/// How long changes that nobody waits for are gathered: a commit for every row behind a received image would stand in the
/// way of the next image, and rows that are written together cost less.
const GATHER: Duration = Duration::from_millis(100);

const WRITER_SETTINGS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
     PRAGMA busy_timeout = 10000; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000; \
     PRAGMA journal_size_limit = 67108864;";
const READER_SETTINGS: &str =
    "PRAGMA busy_timeout = 10000; PRAGMA query_only = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8000;";

pub(super) fn open(path: &Path) -> Result<Db, StoreError> {
    let mut writer = connect(path, WRITER_SETTINGS)?;
    migrate::run(&mut writer)?;
    let (write_lane, write_queue) = Lane::new();
    threads::start("db-writer", move || write_loop(&mut writer, &write_queue))?;
    let (read_lane, read_queue) = Lane::new();
    for at in 0..READERS {
        let queue = read_queue.clone();
        let path: PathBuf = path.to_owned();
        let mut connection = connect(&path, READER_SETTINGS)?;
        threads::start(&format!("db-reader-{at}"), move || read_loop(&mut connection, &queue))?;
    }
    Ok(Db { flavour: Flavour::Sqlite, read_lane, write_lane, behind: Behind::default() })
}

fn connect(path: &Path, settings: &str) -> Result<Connection, StoreError> {
    let unavailable = |error: &dyn std::fmt::Display| StoreError::Unavailable(format!("{}: {error}", path.display()));
    let text = path.to_str().ok_or_else(|| unavailable(&"the path is not UTF-8"))?;
    let mut connection = SqliteConnection::establish(text).map_err(|error| unavailable(&error))?;
    connection.batch_execute(settings).map_err(|error| unavailable(&error))?;
    Ok(Connection::Sqlite(connection))
}

fn read_loop(connection: &mut Connection, queue: &Queue) {
    while let Some(mut job) = threads::next(queue) {
        // One snapshot for the whole closure.
        let outcome = connection.batch_execute("BEGIN").map_err(StoreError::from);
        let outcome = outcome.and_then(|()| job.run(connection));
        if let Err(error) = connection.batch_execute("ROLLBACK") {
            tracing::error!(%error, "a reader could not end its snapshot");
        }
        job.finish(outcome.err());
    }
}

fn write_loop(connection: &mut Connection, queue: &Queue) {
    while let Some(first) = threads::next(queue) {
        commit_group(connection, first, queue);
    }
}

/// Runs `first` and whatever waits behind it under one commit; answers only afterwards. Changes that nobody waits for are
/// gathered first, and the database is not held meanwhile.
fn commit_group(connection: &mut Connection, first: Box<dyn Job>, queue: &Queue) {
    let mut begun = Instant::now();
    let mut group = VecDeque::from([first]);
    while group.len() < GROUP && !group.back().is_some_and(|job| job.is_waited_for()) {
        let Some(job) = threads::next_within(queue, GATHER.saturating_sub(begun.elapsed())) else { break };
        group.push_back(job);
    }
    if let Err(error) = connection.batch_execute("BEGIN IMMEDIATE") {
        let error = StoreError::from(error);
        group.into_iter().for_each(|job| job.finish(Some(error.clone())));
        return;
    }
    begun = Instant::now();
    let mut done: Vec<(Box<dyn Job>, Option<StoreError>)> = Vec::new();
    while let Some(mut job) = group.pop_front() {
        let verdict = in_savepoint(connection, job.as_mut());
        done.push((job, verdict.err()));
        if group.is_empty() && done.len() < GROUP && begun.elapsed() < GROUP_TIME {
            group.extend(threads::next_waiting(queue));
        }
    }
    let committed = connection.batch_execute("COMMIT").map_err(StoreError::from);
    if committed.is_err() {
        // The transaction may be gone already (a full disk rolls back by itself): then there is nothing to undo.
        drop(connection.batch_execute("ROLLBACK"));
    }
    for (job, failure) in done {
        job.finish(failure.or_else(|| committed.clone().err()));
    }
}

fn in_savepoint(connection: &mut Connection, job: &mut dyn Job) -> Result<(), StoreError> {
    connection.batch_execute("SAVEPOINT one")?;
    let verdict = job.run(connection);
    let closing = if verdict.is_ok() { "RELEASE one" } else { "ROLLBACK TO one; RELEASE one" };
    connection.batch_execute(closing)?;
    verdict
}
