//! The order of reads: inside a reader's list, and in which greedy takes them.
//!
//! Stat first; then reads that reached the waiting cap, whatever AI said of
//! them (a queue ordered by AI alone starves what AI missed); then urgent ones,
//! declared or by prescreen; then by declared priority. Within a class: what
//! must be begun first to be on time; then who waited longest; then by id.

use std::cmp::Ordering;

use dokuei_terms::Priority;

use crate::{Read, Settings};

/// The class of a read, the most pressing one lowest.
fn class(read: &Read, settings: &Settings) -> u8 {
    match read.priority {
        Priority::Stat => 0,
        _ if read.waited_minutes >= settings.waiting_cap_minutes.of(read.priority) => 1,
        Priority::Urgent => 2,
        _ if read.urgency >= settings.urgent_from => 2,
        Priority::Priority => 3,
        Priority::Routine => 4,
    }
}

/// Which of two reads comes first.
pub(crate) fn more_pressing(a: &Read, b: &Read, settings: &Settings) -> Ordering {
    let latest_start = |read: &Read| read.due_in_minutes - read.minutes();
    class(a, settings)
        .cmp(&class(b, settings))
        .then(latest_start(a).total_cmp(&latest_start(b)))
        .then(b.waited_minutes.total_cmp(&a.waited_minutes))
        .then(a.id.cmp(&b.id))
}
