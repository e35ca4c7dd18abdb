//! Background work.
//!
//! | key | variable | default | meaning |
//! |---|---|---|---|
//! | `work.slots` | `DOKUEI_WORK_SLOTS` | `2` | jobs that one process does at once |
//! | `work.poll_seconds` | `DOKUEI_WORK_POLL_SECONDS` | `5` | how often to look without being woken |
//! | `work.lease_seconds` | `DOKUEI_WORK_LEASE_SECONDS` | `120` | how long a job is held before another worker may take it |

use super::Source;

/// See the module's table.
#[derive(Debug, Clone)]
pub struct Work {
    pub slots: usize,
    pub poll_seconds: u32,
    pub lease_seconds: u32,
}

impl Work {
    pub(super) fn take(source: &mut Source) -> Self {
        let work = Self {
            slots: source.value("work.slots", 2),
            poll_seconds: source.value("work.poll_seconds", 5),
            lease_seconds: source.value("work.lease_seconds", 120),
        };
        if work.slots == 0 || work.poll_seconds == 0 || work.lease_seconds < 10 {
            source.fault("work", "slots and poll_seconds must be 1 or more, lease_seconds 10 or more");
        }
        work
    }
}
