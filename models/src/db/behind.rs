//! Changes that are queued and not waited for, and the readers that must see them.
//!
//! The one writer takes them in the order in which they were queued, so that a count of those that are done tells a reader
//! whether all that were queued before he asked are there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

use super::Connection;
use super::threads::Job;
use crate::error::StoreError;

/// The count of changes queued and done.
#[derive(Clone, Default)]
pub(super) struct Behind {
    queued: Arc<AtomicU64>,
    done: Arc<watch::Sender<u64>>,
}

impl Behind {
    /// Counts a change that is about to be queued.
    pub fn follow(&self, job: Box<dyn Job>) -> Box<dyn Job> {
        self.queued.fetch_add(1, Ordering::AcqRel);
        Box::new(Followed { job: Some(job), done: Arc::clone(&self.done) })
    }

    /// Whether a change that was queued is not committed yet.
    pub fn is_pending(&self) -> bool {
        *self.done.borrow() < self.queued.load(Ordering::Acquire)
    }

    /// Waits until every change that was queued before this call is committed, or has failed.
    pub async fn settled(&self) {
        let queued = self.queued.load(Ordering::Acquire);
        if *self.done.borrow() < queued {
            // The sender is held here, so it cannot be gone.
            drop(self.done.subscribe().wait_for(|done| *done >= queued).await);
        }
    }
}

struct Followed {
    job: Option<Box<dyn Job>>,
    done: Arc<watch::Sender<u64>>,
}

impl Job for Followed {
    fn run(&mut self, connection: &mut Connection) -> Result<(), StoreError> {
        self.job.as_mut().map_or(Ok(()), |job| job.run(connection))
    }

    fn finish(mut self: Box<Self>, error: Option<StoreError>) {
        if let Some(job) = self.job.take() {
            job.finish(error);
        }
    }

    fn is_waited_for(&self) -> bool {
        false
    }
}

/// Counted however it ends, or readers would wait for ever.
impl Drop for Followed {
    fn drop(&mut self) {
        self.done.send_modify(|done| *done += 1);
    }
}
