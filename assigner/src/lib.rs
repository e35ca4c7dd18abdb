//! The optimiser: which reader reads which case, in which order, and why.
//!
//! **Contract.** [`plan`] takes a [`Problem`], a seed, a [`Budget`] of work
//! units and a `stop` callback owned by the caller, and returns a [`Plan`]. It
//! does no IO, reads no clock and knows no patient: ids are opaque numbers and
//! all times are minutes relative to the caller's "now" (`f64`, negative is the
//! past). Equal problem, seed and budget give an equal plan unless `stop`
//! answered `true`, which the plan says ([`StoppedBy::Stop`]).
//!
//! **Levels**, never one weighted number by accident: *hard* rules
//! ([`constraints`]), one function each; then *reach* (nobody waits beyond the
//! cap, nobody is left out); then *quality* (lateness, skill, load, churn,
//! continuity). A lower level never pays for a higher one.
//!
//! **Promises** of every plan, whatever stopped it: no hard rule is broken; a
//! read is in `items` or in `waiting`, exactly once; a read in `waiting` states
//! why; a pinned read goes to its reader or waits.
//!
//! What is *absent*: names, patients, databases, time zones, and what a human
//! decides (holds and cancellations are reads that the caller does not send).

pub mod constraints;
mod explain;
mod explanation;
mod instance;
mod model;
mod order;
mod plan;
mod planner;
mod price;
mod problem;
mod settings;
mod skill;
mod solve;
mod terms;
mod validate;
mod words;

pub use explanation::{Excluded, Explanation, Offer};
pub use instance::{Assignment, Instance, InstanceError, InstancePair, InstancePlan, Segment};
pub use plan::{Certificate, Item, Level, Plan, StoppedBy, WaitReason, Waiting, WaitingCapBreach};
pub use planner::plan;
pub use price::{Quote, QuoteError, price};
pub use problem::{
    CaseId, Exclude, ExclusionReason, PartWork, PatientKey, Privileges, Problem, Read, ReadId, Reader, ReaderId, SiteId,
};
pub use settings::{ByPriority, LoadStep, Settings};
pub use skill::SkillTable;
pub use solve::Budget;
pub use terms::Terms;
pub use validate::ProblemError;
pub use words::NameOf;
