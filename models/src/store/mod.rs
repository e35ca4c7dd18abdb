//! One file per noun. `case_` finds every query on cases.
//!
//! Every function takes the connection of a transaction that the caller began
//! through [`crate::Db`]; names that end in `_in_tx` change something.

pub mod api_tokens;
pub mod audit;
pub mod case_events;
pub mod case_notes;
pub mod cases;
pub mod grants;
pub mod images;
pub mod jobs;
pub mod leases;
pub mod login_attempts;
pub mod overrides;
pub mod patients;
pub mod plans;
pub mod prescreens;
pub mod readers;
pub mod reads;
pub mod requests;
pub mod sessions;
pub mod sites;
pub mod studies;
pub mod users;
