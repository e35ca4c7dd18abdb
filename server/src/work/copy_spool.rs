//! Copies what waits in this node's spool to the bucket, oldest first, and says how it goes.
//!
//! It is a loop and no job: only the process that has the folder can do it. What fails waits a moment and is offered
//! again, for as long as it takes; the spool's limit ends receiving, not copying.

use std::time::{Duration, Instant};

use crate::state::State;

/// Objects copied at once.
const AT_ONCE: usize = 4;
/// How long a bucket that takes nothing is left alone.
const AGAIN: Duration = Duration::from_secs(5);
/// How often the node is described, also where nothing comes.
const DESCRIBED_EVERY: Duration = Duration::from_secs(10);

/// Copies until the process stops.
pub async fn run(state: State) {
    let copiers = (0..AT_ONCE).map(|_| tokio::spawn(copy(state.clone())));
    let copiers: Vec<_> = copiers.collect();
    describe(&state).await;
    for copier in copiers {
        if copier.await.is_err() {
            tracing::error!("copying to the bucket ended early");
        }
    }
}

async fn copy(state: State) {
    let Some(spool) = state.objects.bucket_spool().cloned() else { return };
    loop {
        if *state.stop.borrow() {
            return;
        }
        let Some(key) = spool.take(1).pop() else {
            tokio::select! {
                () = spool.came(DESCRIBED_EVERY) => continue,
                () = state.stopped() => return,
            }
        };
        let (objects, begun) = (state.objects.clone(), Instant::now());
        // A copy that is broken off here is made again at the next start.
        let copied = tokio::select! {
            copied = objects.copy_to_bucket(&spool, &key) => copied,
            () = state.stopped() => return,
        };
        match copied {
            Ok(()) => metrics::histogram!("dokuei_spool_copy_seconds").record(begun.elapsed().as_secs_f64()),
            Err(error) => {
                metrics::counter!("dokuei_spool_copy_failures_total").increment(1);
                tracing::warn!(%error, "the bucket does not take an object of the spool");
                tokio::select! {
                    () = tokio::time::sleep(AGAIN) => {}
                    () = state.stopped() => return,
                }
            }
        }
    }
}

/// Writes down how much waits, for the page of peers and for other nodes.
async fn describe(state: &State) {
    let Some(spool) = state.objects.bucket_spool() else { return };
    loop {
        match spool.describe().await {
            Ok(node) => {
                #[expect(clippy::cast_precision_loss, reason = "gauges")]
                {
                    let oldest = node.oldest_at.map_or(0, |oldest| (node.seen_at - oldest).num_seconds().max(0));
                    metrics::gauge!("dokuei_spool_waiting").set(node.waiting as f64);
                    metrics::gauge!("dokuei_spool_waiting_bytes").set(node.waiting_bytes as f64);
                    metrics::gauge!("dokuei_spool_oldest_seconds").set(oldest as f64);
                }
            }
            Err(error) => tracing::warn!(%error, "the state of the spool was not written down"),
        }
        tokio::select! {
            () = tokio::time::sleep(DESCRIBED_EVERY) => {}
            () = state.stopped() => return,
        }
    }
}
