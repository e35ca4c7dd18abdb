//! Background work: rows of `jobs`, claimed by a lease, done by one handler file per kind.
//!
//! A handler is an `async fn(State, Job) -> anyhow::Result<()>` that may be run
//! twice (a worker may die after the work and before the note), so it is written
//! to find its work done already. One that fails is tried again with a growing
//! pause; one that failed too often is *dead* and shows on the dispatch page.
//! [`kinds`] is the list: a new kind is a file and a line there.

pub mod arriving;
pub mod copy_spool;
pub mod deliver;
pub mod echo_peers;
pub mod fetch_priors;
pub mod kinds;
pub mod mail;
pub mod orphans;
pub mod plan;
pub mod prescreen_case;
pub mod refile_claimed;
pub mod report_commitment;
pub mod sealer;
pub mod settle_study;
pub mod sweep;
pub mod tell_study;
pub mod watch;
mod worker;

pub use kinds::{Handler, Kind};
pub use worker::{Worker, run};

use dokuei_models::JobId;
use dokuei_models::store::jobs::JobRow;

/// The job in a handler's hands.
#[derive(Debug, Clone)]
pub struct Job {
    /// The row.
    pub id: JobId,
    /// What it is done to: a case's, study's or pool's id, as the kind says.
    pub key: String,
    /// More that the handler needs, as JSON; often empty.
    pub payload: String,
    /// Which attempt this is, from 1.
    pub attempt: i32,
    /// Whether another failure buries it.
    pub last_chance: bool,
}

impl Job {
    /// The key as an id.
    ///
    /// # Errors
    /// The key is no number: the job was queued wrongly.
    pub fn id_of_key<Id: std::str::FromStr>(&self) -> anyhow::Result<Id> {
        self.key.parse().map_err(|_| anyhow::anyhow!("the job's key is not an id"))
    }
}

impl From<&JobRow> for Job {
    fn from(row: &JobRow) -> Self {
        Self {
            id: row.id,
            key: row.key.clone(),
            payload: row.payload.clone(),
            attempt: row.attempts,
            last_chance: row.attempts >= row.max_attempts,
        }
    }
}
