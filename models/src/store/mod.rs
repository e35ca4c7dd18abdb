//! One file per noun. `case_` finds every query on cases.
//!
//! Every function takes the connection of a transaction that the caller began
//! through [`crate::Db`]; names that end in `_in_tx` change something.

pub mod affiliations;
pub mod api_tokens;
pub mod artefacts;
pub mod audit;
pub mod billable_events;
pub mod board;
pub mod case_events;
pub mod case_notes;
pub mod cases;
pub mod closed_days;
pub mod commitments;
pub mod contracts;
pub mod deliveries;
pub mod endpoint_states;
pub mod endpoints;
pub mod evidence;
pub mod filings;
pub mod grants;
pub mod image_search;
pub mod images;
pub mod jobs;
pub mod leases;
pub mod login_attempts;
pub mod object_keys;
pub mod overrides;
pub mod patient_links;
pub mod patients;
pub mod peer_counts;
pub mod performed_steps;
pub mod plans;
pub mod pools;
pub mod prescreens;
pub mod priors;
pub mod privileges;
pub mod quarantine;
pub mod read_clocks;
pub mod read_history;
pub mod readers;
pub mod reads;
pub mod recipients;
pub mod reports;
pub mod requests;
pub mod sessions;
pub mod shifts;
pub mod signed_versions;
pub mod signing_keys;
pub mod sites;
pub mod studies;
pub mod submissions;
pub mod tariffs;
pub mod users;
pub mod withdrawals;
pub mod worklists;
