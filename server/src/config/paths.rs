//! Folders.
//!
//! | key | variable | default | meaning |
//! |---|---|---|---|
//! | `paths.data` | `DOKUEI_PATHS_DATA` | `var` | DIR: the database file, `objects/`, `keys/`; `--data` wins |
//! | `paths.scratch` | `DOKUEI_PATHS_SCRATCH` | `DIR/scratch` | uploads before they are taken in; emptied at start |

use std::path::PathBuf;

use super::Source;

/// See the module's table.
#[derive(Debug, Clone)]
pub struct Paths {
    pub data: PathBuf,
    pub scratch: PathBuf,
}

impl Paths {
    pub(super) fn take(source: &mut Source) -> Self {
        let data = source.value("paths.data", PathBuf::from("var"));
        let scratch = source.value("paths.scratch", data.join("scratch"));
        Self { data, scratch }
    }

    /// Where this installation's keys and certificates are (created with mode 0700).
    pub fn keys(&self) -> PathBuf {
        self.data.join("keys")
    }
}
