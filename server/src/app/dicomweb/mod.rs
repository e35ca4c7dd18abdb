//! DICOMweb (PS3.18) as far as something is decided: who may look where, what is there, and that it is recorded.
//!
//! A *root* is where a client begins: a site, for its own people and for those who dispatch within their scope, or a
//! case, for its reader. Nothing outside a root exists under it; that two sites hold one UID is no question then.

pub mod objects;
pub mod plain;
pub mod root;
pub mod search;
pub mod store;
pub mod viewed;

pub use root::{Root, RootRight};

use std::sync::Mutex;

/// What a process remembers between requests, bounded: heads of objects, and whose looking is written down already.
#[derive(Debug, Default)]
pub struct Memory {
    heads: Mutex<objects::Heads>,
    viewed: Mutex<viewed::Viewed>,
}
