//! The domain and its persistence: types, state machines, tables, one store
//! file per noun, and object storage.
//!
//! Nothing outside this crate speaks SQL. A store function takes the open
//! connection of one transaction and never begins one; [`db::Db`] is the only
//! door to the database and owns every thread that blocks on it. Whatever
//! changes a case or a read goes through [`state::case_apply_in_tx`] or
//! [`state::read_apply_in_tx`].
//!
//! Absent here: HTTP, DICOM networking, solving, rendering, and the wall clock
//! (every function that needs the time takes it).

#![recursion_limit = "256"]

pub mod actor;
pub mod codes;
pub mod completeness;
pub mod db;
pub mod error;
pub mod identity;
pub mod ids;
pub mod japan;
pub mod names;
pub mod objects;
pub mod schema;
pub mod state;
pub mod store;

pub use actor::Actor;
pub use db::{Connection, Db};
pub use error::StoreError;
pub use ids::*;
