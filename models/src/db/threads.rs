//! The threads that block on the database, and the work handed to them.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::db::Connection;
use crate::error::StoreError;

/// A piece of work whose answer is given only when its transaction is durable.
pub(super) trait Job: Send {
    /// Runs the closure once more, keeping its outcome. `Ok` means "commit me".
    fn run(&mut self, connection: &mut Connection) -> Result<(), StoreError>;
    /// Hands the kept outcome to the caller, or `error` in its place.
    fn finish(self: Box<Self>, error: Option<StoreError>);
    /// Whether somebody waits for it, so that it is to be committed at once.
    fn is_waited_for(&self) -> bool {
        true
    }
}

/// Changes nothing: what was queued before it is committed at once.
pub(super) struct Hurry;

impl Job for Hurry {
    fn run(&mut self, _: &mut Connection) -> Result<(), StoreError> {
        Ok(())
    }

    fn finish(self: Box<Self>, _: Option<StoreError>) {}
}

pub(super) struct Work<T, F> {
    pub run: F,
    pub answer: Option<oneshot::Sender<Result<T, StoreError>>>,
    pub outcome: Option<Result<T, StoreError>>,
}

impl<T, F> Job for Work<T, F>
where
    T: Send + 'static,
    F: Fn(&mut Connection) -> Result<T, StoreError> + Send + 'static,
{
    fn run(&mut self, connection: &mut Connection) -> Result<(), StoreError> {
        let outcome = (self.run)(connection);
        let verdict = outcome.as_ref().map(|_| ()).map_err(Clone::clone);
        self.outcome = Some(outcome);
        verdict
    }

    fn finish(mut self: Box<Self>, error: Option<StoreError>) {
        let outcome = match error {
            Some(error) => Err(error),
            None => self.outcome.take().unwrap_or_else(|| Err(StoreError::Unavailable("not run".to_owned()))),
        };
        if let Some(answer) = self.answer.take() {
            // A caller who went away does not want the answer; the transaction stands all the same.
            drop(answer.send(outcome));
        }
    }
}

/// A queue that one or more threads serve.
#[derive(Clone)]
pub(super) struct Lane {
    sender: mpsc::Sender<Box<dyn Job>>,
}

/// The threads' side of a [`Lane`].
pub(super) type Queue = Arc<Mutex<mpsc::Receiver<Box<dyn Job>>>>;

impl Lane {
    pub(super) fn new() -> (Self, Queue) {
        let (sender, receiver) = mpsc::channel();
        (Self { sender }, Arc::new(Mutex::new(receiver)))
    }

    pub(super) fn submit(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        self.sender.send(job).map_err(|_| StoreError::Unavailable("the database threads have stopped".to_owned()))
    }
}

/// Takes the next job; `None` when every [`Lane`] is gone.
pub(super) fn next(queue: &Queue) -> Option<Box<dyn Job>> {
    queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv().ok()
}

/// Takes a job that waits already.
pub(super) fn next_waiting(queue: &Queue) -> Option<Box<dyn Job>> {
    queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).try_recv().ok()
}

/// Takes a job that waits already or comes within so long.
pub(super) fn next_within(queue: &Queue, most: Duration) -> Option<Box<dyn Job>> {
    queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner).recv_timeout(most).ok()
}

/// Starts a named thread.
pub(super) fn start(name: &str, body: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map(drop)
        .map_err(|error| StoreError::Unavailable(format!("no thread for the database: {error}")))
}
