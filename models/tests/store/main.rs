//! The store on both databases. PostgreSQL is used when `DOKUEI_TEST_POSTGRES_URL` names a server.

mod audit_trail;
mod databases;
mod group_commit;
mod immutability;
mod jobs_and_leases;
mod parity;
mod state_machines;
mod world;
