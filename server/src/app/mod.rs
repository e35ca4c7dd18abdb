//! What is decided: one file per noun. Functions take [`crate::state::State`] and typed values, never a request.

pub mod accounts;
pub mod addon;
pub mod admission;
pub mod due;
pub mod ledger;
pub mod matching;
pub mod opening;
pub mod passwords;
pub mod planning;
pub mod prescreening;
pub mod sessions;
pub mod throttle;
