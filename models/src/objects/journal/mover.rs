//! The thread that moves filed records into the folder, when nothing comes in or the journal fills.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Record, Shared, lock, unavailable};
use crate::objects::ObjectError;
use crate::objects::folder::Folder;

/// Silence after which records are moved.
const QUIET: Duration = Duration::from_millis(500);
/// Records moved under the same syncs, at most.
const BATCH: usize = 16;
const AGAIN: Duration = Duration::from_secs(2);

pub(super) fn start(shared: Arc<Shared>, folder: Folder) -> Result<(), ObjectError> {
    std::thread::Builder::new()
        .name("journal-mover".to_owned())
        .spawn(move || run(&shared, &folder))
        .map(drop)
        .map_err(unavailable)
}

fn run(shared: &Shared, folder: &Folder) {
    while !shared.stop.load(Ordering::Acquire) {
        let waiting = lock(&shared.filed);
        let (waiting, _) = shared
            .wake
            .wait_timeout_while(waiting, QUIET, |filed| filed.is_empty() && !shared.stop.load(Ordering::Acquire))
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if waiting.is_empty() {
            continue;
        }
        drop(waiting);
        let busy = lock(&shared.last_append).elapsed() < QUIET;
        if busy && shared.used.load(Ordering::Acquire) < shared.capacity / 2 {
            std::thread::sleep(QUIET / 5);
            continue;
        }
        let batch: Vec<Arc<Record>> = lock(&shared.filed).iter().take(BATCH).cloned().collect();
        match place(folder, &batch) {
            Ok(()) => {
                batch.iter().for_each(|record| shared.forget(record));
                lock(&shared.filed).drain(..batch.len());
            }
            Err(error) => {
                // No room, most likely. The records stay, and are given from here.
                tracing::error!(%error, "objects could not be moved out of the journal");
                std::thread::sleep(AGAIN);
            }
        }
    }
}

fn place(folder: &Folder, batch: &[Arc<Record>]) -> Result<(), ObjectError> {
    let mut placing = folder.placing();
    for record in batch {
        placing.add(&record.key, &record.read(0..record.len)?).map_err(unavailable)?;
    }
    placing.finish().map_err(unavailable)
}
