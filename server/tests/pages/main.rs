//! The application as its callers see it: every request goes through the whole stack, over a real SQLite file.
//!
//! One binary for all areas (linking is slow): a new area is a file and a line here.

// A helper's unwrap is a failed test.
#![allow(clippy::unwrap_used)]

mod accounts;
mod admin;
mod api;
mod api_arrivals;
mod api_regrouping;
mod app;
mod arriving;
mod asked;
mod claims;
mod clocks;
mod dicomweb;
mod dispatch;
mod door;
mod double;
mod elsewhere;
mod first_case;
mod late;
mod live;
mod matrix;
mod medium;
mod merging;
mod orphans;
mod peers;
mod people;
mod planning;
mod pool;
mod portal;
mod priors;
mod quarantine;
mod reading;
mod sending;
mod store_away;
mod terms;
mod wake;
mod ward;
mod withdrawing;
mod work;
mod worklist_uids;
