//! The clocks of reads: how long a claim may be silent, how long an assigned read may wait for its start.
//!
//! A hold stops both. What is left of each when the case is held is left when it goes on.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;
use dokuei_terms::Priority;

use crate::codes::Code;
use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{CaseId, ReadId};
use crate::schema::{cases, readers, reads, shifts};
use crate::state::{CaseState, ReadState};
use crate::store::reads::ReadRow;

/// Reads in progress whose reader was not heard of since `before`.
///
/// # Errors
/// What the database says.
pub fn read_list_stale(conn: &mut Connection, before: NaiveDateTime) -> Result<Vec<ReadRow>, StoreError> {
    Ok(reads::table
        .filter(reads::state.eq(ReadState::InProgress))
        .filter(reads::frozen.eq(false))
        .filter(reads::heartbeat_at.lt(before).assume_not_null())
        .order(reads::id)
        .select(ReadRow::as_select())
        .load(conn)?)
}

/// Pushes the clocks of a case's reads on by the time it was held, from `held_at` to `now`.
///
/// What happened during the hold (a page that stayed open was heard of) counts from where it happened.
///
/// # Errors
/// What the database says.
pub fn clocks_resume_in_tx(
    conn: &mut Connection,
    case: CaseId,
    held_at: NaiveDateTime,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let held = (now - held_at).max(TimeDelta::zero());
    let resumed = |clock: Option<NaiveDateTime>| clock.map(|at| if at < held_at { at + held } else { at });
    let rows: Vec<(ReadId, Option<NaiveDateTime>, Option<NaiveDateTime>)> = reads::table
        .filter(reads::case_id.eq(case))
        .filter(reads::state.eq_any([ReadState::Assigned, ReadState::InProgress]))
        .select((reads::id, reads::heartbeat_at, reads::clock_from))
        .load(conn)?;
    for (read, heartbeat, clock) in rows {
        diesel::update(reads::table.find(read))
            .set((reads::heartbeat_at.eq(resumed(heartbeat)), reads::clock_from.eq(resumed(clock))))
            .execute(conn)?;
    }
    Ok(())
}

/// An assigned read of a reader who is there, and since when he could have started it.
#[derive(Debug, Clone, PartialEq)]
pub struct Unstarted {
    /// The read.
    pub read: ReadRow,
    /// What its case was asked for as.
    pub priority: Priority,
    /// Since when it waits for its reader: on his list, his shift begun, he there, the case not held.
    pub since: NaiveDateTime,
}

/// The assigned reads whose reader is on shift, has not left it and has not paused.
///
/// # Errors
/// What the database says.
pub fn read_list_unstarted(conn: &mut Connection, now: NaiveDateTime) -> Result<Vec<Unstarted>, StoreError> {
    type Row = (ReadRow, Code<Priority>, NaiveDateTime, bool, Option<NaiveDateTime>);
    let rows: Vec<Row> = reads::table
        .inner_join(cases::table.on(cases::id.eq(reads::case_id)))
        .inner_join(readers::table.on(reads::reader_id.eq(readers::id.nullable())))
        .inner_join(shifts::table.on(shifts::reader_id.eq(readers::id)))
        .filter(reads::state.eq(ReadState::Assigned))
        .filter(reads::frozen.eq(false))
        .filter(cases::state.eq_any([CaseState::Ready, CaseState::Reading]))
        .filter(readers::paused.eq(false))
        .filter(shifts::starts_at.le(now))
        .filter(shifts::ends_at.gt(now))
        .order((reads::id, shifts::starts_at))
        .select((ReadRow::as_select(), cases::priority, shifts::starts_at, readers::logged_in, readers::presence_at))
        .load(conn)?;
    let mut unstarted: Vec<Unstarted> = Vec::new();
    for (read, priority, shift_begun, logged_in, presence_at) in rows {
        // Whoever said in this shift that he goes has gone; whoever said nothing in it is expected.
        let there = logged_in || presence_at.is_none_or(|at| at < shift_begun);
        let on_list = read.clock_from.or(read.assigned_at);
        let (Some(on_list), true) = (on_list, there) else { continue };
        if unstarted.last().is_some_and(|last| last.read.id == read.id) {
            continue;
        }
        let since = on_list.max(shift_begun).max(presence_at.unwrap_or(shift_begun));
        unstarted.push(Unstarted { read, priority: priority.0, since });
    }
    Ok(unstarted)
}
