//! Background work.
//!
//! | key | variable | default | meaning |
//! |---|---|---|---|
//! | `work.slots` | `DOKUEI_WORK_SLOTS` | `2` | jobs that one process does at once |
//! | `work.poll_seconds` | `DOKUEI_WORK_POLL_SECONDS` | `5` | how often to look without being woken |
//! | `work.lease_seconds` | `DOKUEI_WORK_LEASE_SECONDS` | `120` | how long a job is held before another worker may take it |
//! | `work.start_stat_minutes` | `DOKUEI_WORK_START_STAT_MINUTES` | `10` | a stat read that its reader, being there, has not started by then goes to another |
//! | `work.start_urgent_minutes` | `DOKUEI_WORK_START_URGENT_MINUTES` | `60` | the same for urgent |
//! | `work.start_priority_minutes` | `DOKUEI_WORK_START_PRIORITY_MINUTES` | `240` | the same for priority |
//! | `work.start_routine_minutes` | `DOKUEI_WORK_START_ROUTINE_MINUTES` | `720` | the same for routine |
//! | `work.sweep_orphans` | `DOKUEI_WORK_SWEEP_ORPHANS` | `true` | whether objects that no row names are deleted in the end; `false` only counts them |
//! | `work.echo_minutes` | `DOKUEI_WORK_ECHO_MINUTES` | `5` | how often a watched peer is called with a C-ECHO; 0 never |

use chrono::TimeDelta;
use dokuei_terms::Priority;

use super::Source;

/// See the module's table.
#[derive(Debug, Clone)]
pub struct Work {
    pub slots: usize,
    pub poll_seconds: u32,
    pub lease_seconds: u32,
    pub start_stat_minutes: u32,
    pub start_urgent_minutes: u32,
    pub start_priority_minutes: u32,
    pub start_routine_minutes: u32,
    pub sweep_orphans: bool,
    pub echo_minutes: u32,
}

impl Work {
    pub(super) fn take(source: &mut Source) -> Self {
        let work = Self {
            slots: source.value("work.slots", 2),
            poll_seconds: source.value("work.poll_seconds", 5),
            lease_seconds: source.value("work.lease_seconds", 120),
            start_stat_minutes: source.value("work.start_stat_minutes", 10),
            start_urgent_minutes: source.value("work.start_urgent_minutes", 60),
            start_priority_minutes: source.value("work.start_priority_minutes", 240),
            start_routine_minutes: source.value("work.start_routine_minutes", 720),
            sweep_orphans: source.value("work.sweep_orphans", true),
            echo_minutes: source.value("work.echo_minutes", 5),
        };
        if work.slots == 0 || work.poll_seconds == 0 || work.lease_seconds < 10 {
            source.fault("work", "slots and poll_seconds must be 1 or more, lease_seconds 10 or more");
        }
        if Priority::ALL.iter().any(|priority| work.start_within(*priority) < TimeDelta::minutes(1)) {
            source.fault("work", "start_stat_minutes, start_urgent_minutes and the like must be 1 or more");
        }
        work
    }

    /// How long a reader who is there may leave an assigned read unstarted.
    pub fn start_within(&self, priority: Priority) -> TimeDelta {
        TimeDelta::minutes(i64::from(match priority {
            Priority::Stat => self.start_stat_minutes,
            Priority::Urgent => self.start_urgent_minutes,
            Priority::Priority => self.start_priority_minutes,
            Priority::Routine => self.start_routine_minutes,
        }))
    }
}
