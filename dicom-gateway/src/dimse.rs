//! DIMSE messages: command sets and their statuses (PS3.7 6.3, 9.3 and annex E).
//!
//! A command set is always implicit little endian, group 0000. It is read
//! tolerantly (any order, group length not believed) and written exactly.

mod command;
mod status;

pub use command::{Command, CommandError, Kind, SubOperations};
pub use status::Status;

/// Verification SOP Class.
pub const VERIFICATION: &str = "1.2.840.10008.1.1";

/// Most bytes a command set may have. Real ones stay below 1 KiB.
pub const MAX_COMMAND: usize = 64 * 1024;
