//! The rows of journalled objects, gathered and written together.
//!
//! A row is gathered before "success" is answered. The change that writes all that have gathered is queued with the
//! first of them ([`Db::tx_behind`](dokuei_models::Db::tx_behind)) and takes those that came until it is run: whoever
//! asks the database later waits for it. When a row stands, its record may be moved and whoever waits is told.
//!
//! When rows are not taken together each is tried by itself, again and again until it is taken; meanwhile nothing else is
//! received.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::NaiveDateTime;
use dokuei_models::objects::Record;
use dokuei_models::store::images::{self, Arrived};
use tokio::sync::oneshot;

use super::again::Came;
use super::{IndexedArchive, KeepError, Kept};

/// How long a row that was not taken waits to be tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// A row to be written, of a record in the journal, which has the object's bytes.
pub(super) struct Row {
    pub came: Came,
    pub at: NaiveDateTime,
    pub record: Arc<Record>,
}

impl Row {
    fn arrived(&self) -> Arrived<'_> {
        let Came { site, arrival, facts, object, .. } = &self.came;
        Arrived { site: *site, arrival: Some(*arrival), facts, object, at: self.at }
    }
}

/// A row that somebody is to be told of.
pub(super) struct Waiting {
    row: Row,
    tell: oneshot::Sender<Kept>,
}

impl Waiting {
    fn is(self, kept: Kept) {
        self.row.record.filed();
        // Whoever is gone does not want to know.
        drop(self.tell.send(kept));
    }
}

/// Rows that wait for the change that writes them.
pub(super) type Gathered = Arc<Mutex<Vec<Waiting>>>;

impl IndexedArchive {
    /// Queues a row where everybody who asks from now on sees it. It is told what became of it.
    pub(super) fn gather(&self, row: Row) -> oneshot::Receiver<Kept> {
        let (tell, told) = oneshot::channel();
        let mut gathered = lock(&self.gathered);
        gathered.push(Waiting { row, tell });
        if gathered.len() > 1 {
            // The change that was queued with the first takes it too.
            return told;
        }
        let taken = Gathered::default();
        let (from, into) = (Arc::clone(&self.gathered), Arc::clone(&taken));
        let underway = self.db.tx_behind(move |conn| {
            let mut rows = lock(&into);
            rows.append(&mut lock(&from));
            let rows: Vec<Arrived<'_>> = rows.iter().map(|waiting| waiting.row.arrived()).collect();
            images::instances_keep_in_tx(conn, &rows)
        });
        drop(gathered);
        let archive = self.clone();
        tokio::spawn(async move {
            let written = match underway {
                Some(Ok(underway)) => underway.await.ok().and_then(Result::ok),
                Some(Err(_)) | None => None,
            };
            let mut rows = std::mem::take(&mut *lock(&taken));
            if written.is_none() {
                // The change may never have been run.
                rows.append(&mut lock(&archive.gathered));
            }
            let outcomes = written.unwrap_or_default().into_iter().map(Some).chain(std::iter::repeat(None));
            for (waiting, outcome) in rows.into_iter().zip(outcomes) {
                archive.conclude(waiting, outcome).await;
            }
        });
        told
    }

    /// Tells what became of a row. One that is not written yet, or has to be compared, holds up no other.
    async fn conclude(&self, waiting: Waiting, outcome: Option<images::Kept>) {
        if let Some(known @ (images::Kept::New(_) | images::Kept::Repeat(_))) = &outcome
            && let Ok(kept) = self.settled(&waiting.row.came, known.clone()).await
        {
            return waiting.is(kept);
        }
        let archive = self.clone();
        tokio::spawn(async move {
            let kept = archive.settle_until_taken(&waiting.row, outcome).await;
            waiting.is(kept);
        });
    }

    /// Writes the row, if that has not come about yet, and settles what it is to what was here; until it is taken.
    pub(super) async fn settle_until_taken(&self, row: &Row, written: Option<images::Kept>) -> Kept {
        let mut written = written;
        let mut stuck = false;
        loop {
            if written.is_none() && !stuck {
                self.stuck.fetch_add(1, Ordering::AcqRel);
                stuck = true;
            }
            match self.settle(row, written.take()).await {
                Ok(kept) => {
                    if stuck {
                        self.stuck.fetch_sub(1, Ordering::AcqRel);
                    }
                    return kept;
                }
                Err(error) => {
                    tracing::error!(%error, "a received object waits in the journal for its row");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// The same, tried once.
    pub(super) async fn settle(&self, row: &Row, written: Option<images::Kept>) -> Result<Kept, KeepError> {
        let outcome = match written {
            Some(outcome) => outcome,
            None => self.write(&row.came, row.at).await?,
        };
        if !matches!(outcome, images::Kept::Known(_)) {
            return self.settled(&row.came, outcome).await;
        }
        let record = Arc::clone(&row.record);
        let file = tokio::task::spawn_blocking(move || record.read(0..record.len())).await;
        let file = file.map_err(|error| KeepError::Failed(error.to_string()))??;
        self.settled(&Came { file: Some(file), ..row.came.clone() }, outcome).await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
