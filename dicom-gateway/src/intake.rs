//! What happens to an object between its arrival and the word "success".
//!
//! [`Archive::keep`] returns `Ok` only when the object's bytes and its index row
//! survive a power cut, in the index or in quarantine; whoever received it may
//! answer "success" then and not before. [`Archive::receive`] may return when both
//! are in a journal instead, and whoever asks later waits for the row. The same instance again with the same
//! data set changes nothing. Other bytes under a known SOP instance UID, and an
//! object whose header cannot be read, are kept apart for a person to decide:
//! they are answered as success too, because nothing was lost.

mod again;
mod index;
mod journal;
mod object;
mod rows;

use async_trait::async_trait;
use dokuei_models::objects::Spool;
use dokuei_models::store::images::{ArrivalCounts, NewArrival};
use dokuei_models::{ArrivalId, SiteId};
use tokio::sync::oneshot;

pub use index::{IndexedArchive, facts};
pub use journal::replay;
pub(crate) use object::{LONG, Receiving};
pub use object::{ObjectError, ReceivedObject};

/// What became of an object that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is new.
    New(Filed),
    /// The same was here already.
    Repeat(Filed),
    /// Another header of what was here: it is shown from now on, and the older one is kept.
    Renewed(Filed),
    /// It contradicts what was here (other pixels, or another patient, side or study): kept apart, a person decides.
    Conflict(Filed),
    /// It could not be understood: kept apart, with the reason in words.
    Quarantined(String),
}

/// An object that nothing can lose any more, and that whoever asks next is given.
#[derive(Debug)]
pub enum Received {
    /// It is known what became of it.
    Kept(Kept),
    /// It will be told: its row is queued behind it. Nothing is told only when the archive ends.
    Safe(oneshot::Receiver<Kept>),
}

/// Where an object belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filed {
    /// Its study.
    pub study_uid: String,
    /// Its series.
    pub series_uid: String,
    /// Its own UID.
    pub sop_instance_uid: String,
}

/// Why an object was not kept. Nothing of it is here then; the sender must hear
/// of it. Messages hold no patient data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeepError {
    /// No room, or the store or database is down: the same may work later.
    #[error("the archive is unavailable: {0}")]
    Unavailable(String),
    /// So much waits for the bucket that nothing more is taken: later, when it is there.
    #[error("too much waits for the object store, which has to take it first")]
    Full,
    /// The data set names another SOP class or instance than the message around it.
    #[error("the data set and the message name different {0}")]
    Mismatch(&'static str),
    /// The archive cannot do it, and will not be able to later.
    #[error("the archive failed: {0}")]
    Failed(String),
}

/// Keeps objects. Implemented by [`IndexedArchive`] over the models.
#[async_trait]
pub trait Archive: Send + Sync + 'static {
    /// Opens the record of an association, an upload or an import.
    async fn open(&self, arrival: NewArrival) -> Result<ArrivalId, KeepError>;

    /// Keeps one object durably.
    async fn keep(&self, site: SiteId, arrival: ArrivalId, object: ReceivedObject) -> Result<Kept, KeepError>;

    /// Keeps one object as durably, and returns as soon as it is: what became of it may be told later.
    async fn receive(&self, site: SiteId, arrival: ArrivalId, object: ReceivedObject) -> Result<Received, KeepError> {
        self.keep(site, arrival, object).await.map(Received::Kept)
    }

    /// Has what was [received](Archive::receive) and is not told yet written at once.
    fn hurry(&self) {}

    /// Where an object goes that is too long for memory; `None` if all are held in memory. Blocks on the disk.
    ///
    /// # Errors
    /// The disk's.
    fn spool(&self) -> Result<Option<Spool>, KeepError> {
        Ok(None)
    }

    /// Closes the record. `outcome` is `released`, `aborted`, `lost`, `timeout` or `done`.
    async fn close(&self, arrival: ArrivalId, counts: ArrivalCounts, outcome: &'static str) -> Result<(), KeepError>;
}
