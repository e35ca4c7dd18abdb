//! The loop that claims jobs and runs their handlers.
//!
//! A few slots work at once; each claims the most overdue job, runs it under
//! the lease, and looks for the next. With nothing to do it sleeps until a
//! signal, the next job's time, or the poll interval. At a stop no job is begun;
//! one that runs has a moment to end, then its lease runs out and another
//! worker takes it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use dokuei_models::StoreError;
use dokuei_models::store::jobs::{self, JobRow, JobState, NewJob};
use tracing::Instrument as _;

use super::{Job, Kind};
use crate::state::State;
use crate::wake::Topic;

/// A worker: a name for its leases and the kinds it does.
pub struct Worker {
    state: State,
    name: String,
    kinds: Arc<[Kind]>,
}

/// Works in all slots until the process stops.
pub async fn run(state: State, kinds: Vec<Kind>) {
    let name = format!("worker-{}", &state.chance.token()[..12]);
    let kinds: Arc<[Kind]> = kinds.into();
    let slots = state.config.work.slots;
    let mut tasks = tokio::task::JoinSet::new();
    for slot in 0..slots {
        let worker = Worker { state: state.clone(), name: format!("{name}-{slot}"), kinds: kinds.clone() };
        tasks.spawn(async move { worker.work().await });
    }
    let keeper = Worker { state, name, kinds };
    tasks.spawn(async move { keeper.keep_house().await });
    while tasks.join_next().await.is_some() {}
}

impl Worker {
    /// A worker that is driven by hand (tests).
    pub fn new(state: State, name: &str, kinds: Vec<Kind>) -> Self {
        Self { state, name: name.to_owned(), kinds: kinds.into() }
    }

    async fn work(&self) {
        let mut ear = self.state.wake.listen();
        loop {
            if *self.state.stop.borrow() {
                return;
            }
            match self.work_once().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "jobs cannot be claimed"),
            }
            tokio::select! {
                _ = ear.next_of(&[Topic::Jobs]) => {}
                () = tokio::time::sleep(self.until_next().await) => {}
                () = self.state.stopped() => return,
            }
        }
    }

    /// Claims and runs one job. False when none is due.
    ///
    /// # Errors
    /// The database cannot be asked. A handler's failure is no error here: it is noted at the job.
    pub async fn work_once(&self) -> Result<bool, StoreError> {
        let names: Vec<&'static str> = self.kinds.iter().map(|kind| kind.name).collect();
        let (worker, now) = (self.name.clone(), self.state.now());
        let lease = TimeDelta::seconds(i64::from(self.state.config.work.lease_seconds));
        let longer: Vec<(&'static str, TimeDelta)> =
            self.kinds.iter().map(|kind| (kind.name, TimeDelta::seconds(i64::from(kind.lease_seconds)))).collect();
        let take = move |connection: &mut dokuei_models::Connection| {
            let row = jobs::lease_in_tx(connection, &names, &worker, now, lease)?;
            if let Some(row) = &row
                && let Some((_, longer)) = longer.iter().find(|(name, longer)| *name == row.kind && *longer > lease)
            {
                jobs::lease_extend_in_tx(connection, row.id, &worker, now + *longer)?;
            }
            Ok(row)
        };
        let row = self.state.db.tx(take).await?;
        let Some(row) = row else { return Ok(false) };
        let span = tracing::info_span!("job", kind = %row.kind, id = %row.id, attempt = row.attempts);
        self.do_one(row).instrument(span).await;
        Ok(true)
    }

    async fn do_one(&self, row: JobRow) {
        let begun = Instant::now();
        let Some(kind) = self.kinds.iter().find(|kind| kind.name == row.kind) else { return };
        let handler = kind.handler.clone();
        let work = tokio::spawn(handler(self.state.clone(), Job::from(&row)).in_current_span());
        let limit = Duration::from_secs(u64::from(kind.lease_seconds.max(self.state.config.work.lease_seconds)));
        let abort = work.abort_handle();
        let outcome = match tokio::time::timeout(limit, work).await {
            Ok(Ok(outcome)) => outcome,
            // A panic is a failure of this job, not of the worker.
            Ok(Err(_)) => Err(anyhow::anyhow!("the handler panicked")),
            Err(_) => {
                abort.abort();
                Err(anyhow::anyhow!("took longer than its lease"))
            }
        };
        let result = if outcome.is_ok() { "done" } else { "failed" };
        metrics::histogram!("dokuei_job_seconds", "kind" => kind.name, "outcome" => result)
            .record(begun.elapsed().as_secs_f64());
        let noted = match outcome {
            Ok(()) => self.note_done(&row).await,
            Err(error) => self.note_failure(row, &error).await,
        };
        match noted {
            Ok(()) => {}
            Err(StoreError::Stale(_)) => tracing::warn!("the lease was lost; another worker has the job"),
            Err(error) => tracing::error!(%error, "the job's end was not noted; its lease will run out"),
        }
    }

    async fn note_done(&self, row: &JobRow) -> Result<(), StoreError> {
        let (id, worker, now) = (row.id, self.name.clone(), self.state.now());
        self.state.db.tx(move |connection| jobs::finish_in_tx(connection, id, &worker, now)).await
    }

    async fn note_failure(&self, row: JobRow, error: &anyhow::Error) -> Result<(), StoreError> {
        // Handlers' errors hold no patient data; what libraries say is cut to a line.
        let text: String = format!("{error:#}").chars().take(300).collect();
        let (worker, now) = (self.name.clone(), self.state.now());
        let (kind, kept) = (row.kind.clone(), text.clone());
        let state = self.state.db.tx(move |connection| jobs::fail_in_tx(connection, &row, &worker, &kept, now)).await?;
        if state == JobState::Dead {
            tracing::error!(error = %text, "the job is dead; a person must look");
            metrics::counter!("dokuei_jobs_dead_total", "kind" => kind).increment(1);
            self.state.wake.tell(Topic::Deliveries);
        } else {
            tracing::warn!(error = %text, "the job failed and will be tried again");
        }
        Ok(())
    }

    /// How long to sleep when nobody wakes us: until the next job is due, at most the poll interval.
    async fn until_next(&self) -> Duration {
        let poll = Duration::from_secs(u64::from(self.state.config.work.poll_seconds));
        let names: Vec<&'static str> = self.kinds.iter().map(|kind| kind.name).collect();
        let due = self.state.db.read(move |connection| jobs::job_next_due(connection, &names)).await;
        match due {
            Ok(Some(due)) => (due - self.state.now())
                .to_std()
                .unwrap_or(Duration::from_millis(5))
                .clamp(Duration::from_millis(5), poll),
            _ => poll,
        }
    }

    /// Queues housekeeping when it is time. The same kind queued by two workers is one job.
    async fn keep_house(&self) {
        let regular: Vec<(&'static str, u32)> =
            self.kinds.iter().filter_map(|kind| Some((kind.name, kind.every_seconds?))).collect();
        let Some(shortest) = regular.iter().map(|(_, seconds)| *seconds).min() else { return };
        let mut last: Vec<Option<Instant>> = vec![None; regular.len()];
        loop {
            for (at, (name, seconds)) in regular.iter().copied().enumerate() {
                if last[at].is_some_and(|last| last.elapsed() < Duration::from_secs(u64::from(seconds))) {
                    continue;
                }
                last[at] = Some(Instant::now());
                let now = self.state.now();
                let queued = self
                    .state
                    .db
                    .tx(move |connection| jobs::enqueue_in_tx(connection, &NewJob::now(name, "every".to_owned(), now)))
                    .await;
                if let Err(error) = queued {
                    tracing::warn!(%error, kind = name, "housekeeping was not queued");
                }
            }
            self.state.wake.tell(Topic::Jobs);
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(u64::from(shortest))) => {}
                () = self.state.stopped() => return,
            }
        }
    }
}
