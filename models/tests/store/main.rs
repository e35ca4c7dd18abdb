//! The store on both databases. PostgreSQL is used when `DOKUEI_TEST_POSTGRES_URL` names a server.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod administration;
mod again;
mod audit_trail;
mod billing;
mod board;
mod bucket_spool;
mod case_lock;
mod clocks;
mod commitments_and_steps;
mod completeness;
mod databases;
mod deliveries;
mod evidence;
mod group_commit;
mod hidden;
mod image_search;
mod immutability;
mod jobs_and_leases;
mod journal;
mod parity;
mod patient_links;
mod plans;
mod priors;
mod reports;
mod site_limits;
mod state_machines;
mod together;
mod upload_directories;
mod withdrawn;
mod worklists;
mod world;
