//! What the planner answers.

use serde::{Deserialize, Serialize};

use crate::constraints::{Blocked, Rule};
use crate::{Excluded, Explanation, ReadId, ReaderId};

/// A whole plan: who reads what in which order, what waits and why, and how good it provably is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Reads that have a reader, by reader id and rank.
    pub items: Vec<Item>,
    /// Reads without one, by id.
    pub waiting: Vec<Waiting>,
    /// Reads that will start beyond their waiting cap by this plan, worst first. Each is an alarm for a person.
    pub waiting_cap_breaches: Vec<WaitingCapBreach>,
    /// One certificate for each soft level, the higher level first.
    pub certificates: Vec<Certificate>,
    /// What ended the work.
    pub stopped_by: StoppedBy,
    /// The seed it was made with.
    pub seed: u64,
}

impl Plan {
    /// The certificate of one level.
    pub fn certificate(&self, level: Level) -> Option<&Certificate> {
        self.certificates.iter().find(|certificate| certificate.level == level)
    }

    /// The first level that is not proved best, else the last one: what a dashboard shows.
    pub fn headline(&self) -> Option<&Certificate> {
        self.certificates.iter().find(|certificate| !certificate.is_tight()).or(self.certificates.last())
    }
}

/// One read given to one reader.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The read.
    pub read: ReadId,
    /// Its reader.
    pub reader: ReaderId,
    /// Its place in his list, from 1.
    pub rank: u32,
    /// Minutes from now until he begins it, if he works down his list.
    pub starts_in_minutes: f64,
    /// Minutes from now until he ends it.
    pub ends_in_minutes: f64,
    /// The reader it was published to, if that was another one.
    pub moved_from: Option<ReaderId>,
    /// Why this reader.
    pub explanation: Explanation,
}

/// One read without a reader.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    /// The read.
    pub read: ReadId,
    /// Why it waits.
    pub reason: WaitReason,
    /// The readers kept from it, each with the first rule that did so.
    pub excluded: Vec<Excluded>,
    /// How many readers each rule kept from it, the most frequent first.
    pub counts: Vec<(Rule, usize)>,
}

/// Why a read waits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
pub enum WaitReason {
    /// The pool has no reader.
    NoReader,
    /// Every reader is kept from it by a hard rule.
    NobodyEligible,
    /// It is pinned to a reader whom a hard rule keeps from it.
    PinBlocked {
        /// The pin.
        reader: ReaderId,
        /// The rule.
        blocked: Blocked,
    },
    /// It is pinned to a reader who is not in the pool.
    PinUnknown {
        /// The pin.
        reader: ReaderId,
    },
    /// Whoever could read it has another read of the same case in this plan.
    OthersOfCase,
}

/// A read that starts later than its cap by this plan.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WaitingCapBreach {
    /// The read.
    pub read: ReadId,
    /// Its reader; `None` if it waits for one.
    pub reader: Option<ReaderId>,
    /// Minutes beyond the cap at its start (for one without a reader: now).
    pub minutes: f64,
}

/// A soft level. A lower one never pays for a higher one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Steps beyond the waiting cap, and reads that could have a reader and have none.
    Reach,
    /// Points: lateness, skill, load, churn, continuity.
    Quality,
}

/// How good a plan provably is on one level, for the written linear model.
///
/// The model leaves out the order inside a reader's list (horizons stand in for
/// it). The bound of the quality level holds among plans that are no worse on
/// the reach level than this one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// Which level.
    pub level: Level,
    /// The plan's value.
    pub value: f64,
    /// No plan has a lower value.
    pub bound: f64,
    /// `(value - bound) / |value|`, 0 if both are 0.
    pub gap: f64,
}

impl Certificate {
    /// Proved best, up to rounding.
    pub fn is_tight(&self) -> bool {
        self.gap < 1e-6
    }
}

/// What ended the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoppedBy {
    /// The work was done: proved best, or no single move helps, and no swap between near readers.
    Finished,
    /// The budget was used up before that.
    Budget,
    /// The caller's callback; another run may give another plan.
    Stop,
    /// The solver failed (out of memory, numerical trouble); the greedy plan, searched, stands.
    SolverFailed,
}
