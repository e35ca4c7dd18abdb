//! The one door to the database.
//!
//! [`Db::read`] and [`Db::tx`] run a closure on a thread that this module owns,
//! so that no async runtime ever blocks. A closure may be run more than once
//! (after a lost race) and must have no effect but on the database.
//!
//! SQLite: one writer thread; the transactions that wait together are committed
//! together (each in its savepoint, all under one `BEGIN IMMEDIATE` and one
//! sync), so that many small writers share the cost of a durable commit.
//! Readers are threads of their own over the write-ahead log. PostgreSQL: a
//! pool of connections, READ COMMITTED, unique indexes for cross-row rules.

mod behind;
mod connection;
mod migrate;
mod postgres;
mod savepoint;
mod sqlite;
mod threads;

pub use connection::{AnyConnection, DatabaseUrl, Flavour};

/// The connection every store function takes.
pub type Connection = AnyConnection;
pub use migrate::pending_migrations;
pub(crate) use savepoint::in_savepoint;

use tokio::sync::oneshot;

use crate::error::StoreError;
use behind::Behind;
use threads::Lane;

/// The outcome of a change that was queued; an error of the channel means that the database's thread has ended.
pub type Underway<T> = oneshot::Receiver<Result<T, StoreError>>;

/// A handle to the database; clones share the threads.
#[derive(Clone)]
pub struct Db {
    flavour: Flavour,
    read_lane: Lane,
    write_lane: Lane,
    behind: Behind,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db").field("flavour", &self.flavour).finish_non_exhaustive()
    }
}

impl Db {
    /// Opens the database, brings its tables up to date and starts the threads.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when it cannot be opened or migrated.
    pub fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        match url {
            DatabaseUrl::Sqlite(path) => sqlite::open(path),
            DatabaseUrl::Postgres(address) => postgres::open(address),
        }
    }

    /// Which database it is.
    pub const fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// Runs a query that changes nothing.
    ///
    /// # Errors
    /// What the closure returns, or [`StoreError::Unavailable`].
    pub async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.hurry();
        self.behind.settled().await;
        Self::on(&self.read_lane, query).await
    }

    /// Has what was queued [behind](Db::tx_behind) committed now: it is gathered for a moment otherwise.
    pub fn hurry(&self) {
        if self.behind.is_pending() {
            // A thread that has ended commits nothing more, and says so to whoever asks it.
            drop(self.write_lane.submit(Box::new(threads::Hurry)));
        }
    }

    /// Runs a closure in one transaction: all of it is durable on return, or none of it is.
    ///
    /// # Errors
    /// What the closure returns (nothing was changed then), or [`StoreError::Unavailable`].
    pub async fn tx<T, F>(&self, change: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        Self::on(&self.write_lane, change).await
    }

    /// Queues a change, where everybody who asks later sees it: every later [`Db::read`] and [`Db::tx`] waits for it.
    /// `None` where other processes write and read too (PostgreSQL): there it must be waited for. It is run and
    /// committed with others that are queued in the same 100 ms, unless somebody asks.
    ///
    /// The change is durable when the receiver gives its outcome. Whoever does not wait must be able to make the change
    /// again after a crash.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the database's thread has ended.
    pub fn tx_behind<T, F>(&self, change: F) -> Option<Result<Underway<T>, StoreError>>
    where
        T: Send + 'static,
        F: Fn(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        (self.flavour == Flavour::Sqlite).then(|| {
            let (sender, receiver) = oneshot::channel();
            let work = threads::Work { run: change, answer: Some(sender), outcome: None };
            self.write_lane.submit(self.behind.follow(Box::new(work)))?;
            Ok(receiver)
        })
    }

    async fn on<T, F>(lane: &Lane, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        lane.submit(Box::new(threads::Work { run: work, answer: Some(sender), outcome: None }))?;
        receiver.await.map_err(|_| StoreError::Unavailable("the database thread ended".to_owned()))?
    }
}
