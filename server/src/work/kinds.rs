//! Every kind of job with its handler. A new kind: a file in `work/` and a line in [`all`].

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use dokuei_dicom_gateway::scp::REPORT_COMMITMENT;

use super::Job;
use crate::app::claims::REFILE;
use crate::state::State;

/// What does one job.
pub type Handler = Arc<dyn Fn(State, Job) -> Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send>> + Send + Sync>;

/// A kind of job.
#[derive(Clone)]
pub struct Kind {
    /// What `jobs.kind` holds.
    pub name: &'static str,
    /// What does it.
    pub handler: Handler,
    /// Whether the worker queues it by itself every so many seconds (housekeeping); its key is then `every`.
    pub every_seconds: Option<u32>,
    /// How long one may take, where that is longer than `work.lease_seconds`.
    pub lease_seconds: u32,
}

impl Kind {
    /// A kind that others queue.
    pub fn new<F, Done>(name: &'static str, handler: F) -> Self
    where
        F: Fn(State, Job) -> Done + Send + Sync + 'static,
        Done: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        Self {
            name,
            handler: Arc::new(move |state, job| Box::pin(handler(state, job))),
            every_seconds: None,
            lease_seconds: 0,
        }
    }

    /// One that may take longer than others.
    #[must_use]
    pub fn lasting(mut self, seconds: u32) -> Self {
        self.lease_seconds = seconds;
        self
    }

    /// Housekeeping: queued every so many seconds, once over all workers.
    #[must_use]
    pub fn every(mut self, seconds: u32) -> Self {
        self.every_seconds = Some(seconds);
        self
    }
}

/// Every kind this worker does.
pub fn all() -> Vec<Kind> {
    vec![
        Kind::new("settle_study", super::settle_study::run),
        Kind::new("tell_study", super::tell_study::run),
        Kind::new(REFILE, super::refile_claimed::run).lasting(super::refile_claimed::LEASE_SECONDS),
        Kind::new("prescreen_case", super::prescreen_case::run),
        Kind::new("plan", super::plan::run),
        Kind::new("deliver", super::deliver::run),
        Kind::new(REPORT_COMMITMENT, super::report_commitment::run),
        Kind::new("deliveries", super::deliver::requeue).every(300),
        Kind::new("watch", super::watch::run).every(30),
        Kind::new("fetch_priors", super::fetch_priors::run).lasting(super::fetch_priors::LEASE_SECONDS),
        Kind::new("echo_peers", super::echo_peers::run).every(60),
        Kind::new("sweep", super::sweep::run).every(3600),
    ]
}
