//! The receiver and the sender over real connections: DCMTK as peer, a raw socket
//! for what no well-behaved peer sends, and the real archive behind.

#![expect(clippy::unwrap_used, reason = "what fails in a test should end it")]

mod archive;
mod associations;
mod common;
mod converting;
mod journal;
mod limits;
mod long_objects;
#[path = "../samples/mod.rs"]
mod samples;
mod tls;
mod tls_sending;
mod tls_world;
mod wire_level;
