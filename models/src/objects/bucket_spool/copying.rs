//! Copies what waits to the bucket, checks it there, and lets it go here.

use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::Utc;
use futures_util::StreamExt as _;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use sha2::{Digest, Sha256};

use super::{BucketSpool, Waiting, lock, unavailable};
use crate::objects::spool::send_parts;
use crate::objects::{ObjectError, Objects};
use crate::store::spooled;

/// Objects that are sent in one request, in bytes.
const SHORT: u64 = 8 << 20;

impl BucketSpool {
    /// Up to `most` objects that wait and are not being copied, the oldest of them. They are the caller's until
    /// [`Objects::copy_to_bucket`] has returned for each.
    pub fn take(&self, most: usize) -> Vec<String> {
        let (waiting, mut underway) = (lock(&self.0.waiting), lock(&self.0.underway));
        let mut free: Vec<(&String, &Waiting)> = waiting.iter().filter(|(key, _)| !underway.contains(*key)).collect();
        if free.len() > most {
            free.select_nth_unstable_by_key(most, |(_, one)| one.since);
            free.truncate(most);
        }
        let taken: Vec<String> = free.into_iter().map(|(key, _)| key.clone()).collect();
        underway.extend(taken.iter().cloned());
        taken
    }

    /// Waits until something came, at most so long.
    pub async fn came(&self, most: Duration) {
        // Nothing came in time: whoever waits looks all the same.
        let _ = tokio::time::timeout(most, self.0.came.notified()).await;
    }

    /// Whether the bucket took the last that it was offered.
    pub fn is_failing(&self) -> bool {
        lock(&self.0.failing).is_some()
    }

    fn note(&self, outcome: &Result<(), ObjectError>) {
        let mut failing = lock(&self.0.failing);
        match outcome {
            Ok(()) => *failing = None,
            Err(error) => {
                let since = failing.as_ref().map_or_else(|| Utc::now().naive_utc(), |(since, _)| *since);
                *failing = Some((since, error.to_string().chars().take(300).collect()));
            }
        }
    }

    /// It is not here any more.
    fn forget(&self, key: &str, copied: &Waiting) {
        let mut waiting = lock(&self.0.waiting);
        // What came again meanwhile is counted anew, and copied once more.
        if waiting.get(key) == Some(copied) {
            waiting.remove(key);
            self.0.used.fetch_sub(copied.size, Ordering::AcqRel);
        }
    }
}

impl Objects {
    /// Copies one object of the spool to the bucket, reads it back, and releases it. The same twice is no harm.
    ///
    /// # Errors
    /// The store's, the disk's or the database's; then it waits on.
    pub async fn copy_to_bucket(&self, spool: &BucketSpool, key: &str) -> Result<(), ObjectError> {
        let copied = self.copy(spool, key).await;
        lock(&spool.0.underway).remove(key);
        spool.note(&copied);
        copied
    }

    async fn copy(&self, spool: &BucketSpool, key: &str) -> Result<(), ObjectError> {
        let Some(known) = lock(&spool.0.waiting).get(key).copied() else { return Ok(()) };
        let (path, shared) = (spool.0.folder.path(key), &spool.0);
        let opened = tokio::task::spawn_blocking(move || std::fs::File::open(path)).await;
        let sent = match opened.map_err(|error| unavailable(&error))? {
            Ok(file) => {
                self.send_file(key, file).await?;
                true
            }
            // Released before, or its disk was lost.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
            Err(error) => return Err(unavailable(&error)),
        };
        match self.check(key).await {
            Err(ObjectError::Missing) if !sent => {
                tracing::error!(key, "an object is neither in the spool nor in the bucket");
                shared.lost.fetch_add(1, Ordering::AcqRel);
                spool.forget(key, &known);
                return Ok(());
            }
            checked => checked?,
        }
        let (row, node) = (key.to_owned(), shared.node.clone());
        let released = shared.db.tx(move |conn| spooled::spooled_release_in_tx(conn, &row, &node)).await;
        released.map_err(|error| unavailable(&error))?;
        let path = shared.folder.path(key);
        let removed = tokio::task::spawn_blocking(move || std::fs::remove_file(path)).await;
        match removed.map_err(|error| unavailable(&error))? {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unavailable(&error)),
            _ => {}
        }
        spool.forget(key, &known);
        Ok(())
    }

    async fn send_file(&self, key: &str, file: std::fs::File) -> Result<(), ObjectError> {
        if file.metadata().map_err(|error| unavailable(&error))?.len() > SHORT {
            return send_parts(&*self.store, key, file).await;
        }
        let read = tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut { file }, &mut bytes).map(|_| bytes)
        });
        let bytes = read.await.map_err(|error| unavailable(&error))?.map_err(|error| unavailable(&error))?;
        self.store.put(&Path::from(key), bytes.into()).await?;
        Ok(())
    }

    /// Reads an object of the bucket and holds it against the hash that its key ends in.
    async fn check(&self, key: &str) -> Result<(), ObjectError> {
        let store: &dyn ObjectStore = &*self.store;
        let mut pieces = store.get(&Path::from(key)).await?.into_stream();
        let mut hash = Sha256::new();
        while let Some(piece) = pieces.next().await {
            hash.update(&piece?);
        }
        if key.ends_with(&hex::encode(hash.finalize())) { Ok(()) } else { Err(ObjectError::Altered) }
    }
}
