//! The one function through which a read changes.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::read::{ReadEvent, ReadState};
use crate::actor::Actor;
use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{CaseId, PlanId, PoolId, ReadId, ReaderId, SiteId};
use crate::schema::{cases, declines, reads};
use crate::store::{audit, case_events, jobs};

/// What the planner writes beside the reader.
#[derive(Debug, Clone, PartialEq)]
pub struct AssignedRead {
    /// The read.
    pub read: ReadId,
    /// The version the planner saw; another one means that the item is stale.
    pub seen_version: i32,
    /// The reader.
    pub reader: ReaderId,
    /// The plan.
    pub plan: Option<PlanId>,
    /// The order in the reader's list, sparse, smallest first.
    pub place_in_list: i32,
    /// The explanation as JSON.
    pub explanation: String,
}

/// Applies one item of a plan.
///
/// A read that stays with its reader gets its place and explanation but no event row.
///
/// # Errors
/// [`StoreError::Stale`] when the read changed since the planner saw it, or is frozen.
pub fn read_assign_in_tx(conn: &mut Connection, actor: &Actor, item: &AssignedRead) -> Result<(), StoreError> {
    let before: (ReadState, Option<ReaderId>, Option<NaiveDateTime>) = reads::table
        .find(item.read)
        .select((reads::state, reads::reader_id, reads::assigned_at))
        .first(conn)
        .or_not_found("the read")?;
    let stays = before.0 == ReadState::Assigned && before.1 == Some(item.reader);
    let event = ReadEvent::Assign { reader: item.reader, plan: item.plan };
    let assigned_at = if stays { before.2 } else { Some(actor.at) };
    let changed = diesel::update(
        reads::table
            .filter(reads::id.eq(item.read))
            .filter(reads::state.eq_any(event.valid_from()))
            .filter(reads::version.eq(item.seen_version))
            .filter(reads::frozen.eq(false)),
    )
    .set((
        reads::state.eq(ReadState::Assigned),
        reads::reader_id.eq(Some(item.reader)),
        reads::plan_id.eq(item.plan),
        reads::place_in_list.eq(item.place_in_list),
        reads::explanation.eq(&item.explanation),
        reads::assigned_at.eq(assigned_at),
        reads::waiting_reason.eq(None::<String>),
        reads::waiting_until.eq(None::<NaiveDateTime>),
        reads::version.eq(reads::version + i32::from(!stays)),
    ))
    .execute(conn)?;
    if changed == 0 {
        return Err(StoreError::Stale("the read"));
    }
    if !stays {
        diesel::update(reads::table.find(item.read))
            .set((reads::seen_at.eq(None::<NaiveDateTime>), reads::clock_from.eq(Some(actor.at))))
            .execute(conn)?;
        let case = owner(conn, item.read)?;
        record(conn, actor, &case, item.read, &event)?;
    }
    Ok(())
}

/// Applies `event` to the read: new state, event row, audit row and the jobs that follow, all in the caller's transaction.
///
/// # Errors
/// [`StoreError::Repeat`] when it is there already, [`StoreError::Conflict`] when its state, its holder or a hold does
/// not allow the event, [`StoreError::NotFound`] when there is no such read.
pub fn read_apply_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    read: ReadId,
    event: &ReadEvent,
) -> Result<(), StoreError> {
    let (reader, frozen, version): (Option<ReaderId>, bool, i32) = reads::table
        .find(read)
        .select((reads::reader_id, reads::frozen, reads::version))
        .first(conn)
        .or_not_found("the read")?;
    let mine = event.holder().is_none_or(|holder| reader == Some(holder));
    let while_frozen = matches!(event, ReadEvent::Void { .. } | ReadEvent::Unassign { .. });
    if !mine || (frozen && !while_frozen) {
        return Err(refusal(conn, read, event)?);
    }
    // Whoever changes reader or freeze changes the version too, so that the checks above still hold here.
    let changed = diesel::update(
        reads::table
            .filter(reads::id.eq(read))
            .filter(reads::state.eq_any(event.valid_from()))
            .filter(reads::version.eq(version)),
    )
    .set((reads::state.eq(event.target()), reads::version.eq(reads::version + 1)))
    .execute(conn)?;
    if changed == 0 {
        return Err(refusal(conn, read, event)?);
    }
    set_facts(conn, actor, read, event)?;
    let case = owner(conn, read)?;
    record(conn, actor, &case, read, event)?;
    if !matches!(event, ReadEvent::Start { .. } | ReadEvent::Wait { .. }) {
        jobs::enqueue_plan_in_tx(conn, case.pool, actor.at)?;
    }
    Ok(())
}

struct Owner {
    case: CaseId,
    site: SiteId,
    pool: PoolId,
}

fn owner(conn: &mut Connection, read: ReadId) -> Result<Owner, StoreError> {
    let (case, site, pool) = reads::table
        .inner_join(cases::table.on(cases::id.eq(reads::case_id)))
        .filter(reads::id.eq(read))
        .select((cases::id, cases::site_id, cases::pool_id))
        .first(conn)
        .or_not_found("the read")?;
    Ok(Owner { case, site, pool })
}

fn record(
    conn: &mut Connection,
    actor: &Actor,
    owner: &Owner,
    read: ReadId,
    event: &ReadEvent,
) -> Result<(), StoreError> {
    case_events::append_in_tx(conn, actor, owner.case, Some(read), event.kind(), event)?;
    audit::append_in_tx(conn, actor, event.kind(), audit::Subject::read(read, owner.site), "done", "")
}

/// Tells *repeat* from *conflict* from *not found* after zero rows were updated.
fn refusal(conn: &mut Connection, read: ReadId, event: &ReadEvent) -> Result<StoreError, StoreError> {
    let (state, reader, frozen): (ReadState, Option<ReaderId>, bool) = reads::table
        .find(read)
        .select((reads::state, reads::reader_id, reads::frozen))
        .first(conn)
        .or_not_found("the read")?;
    let mine = event.holder().is_none_or(|holder| reader == Some(holder));
    Ok(if state == event.target() && mine && !frozen {
        StoreError::Repeat(event.kind())
    } else if !mine {
        StoreError::Conflict { what: event.kind(), state: "held_by_another".to_owned() }
    } else if frozen {
        StoreError::Conflict { what: event.kind(), state: "on_hold".to_owned() }
    } else {
        StoreError::Conflict { what: event.kind(), state: state.code().to_owned() }
    })
}

fn set_facts(conn: &mut Connection, actor: &Actor, read: ReadId, event: &ReadEvent) -> Result<(), StoreError> {
    let row = reads::table.find(read);
    let nobody = (
        reads::reader_id.eq(None::<ReaderId>),
        reads::assigned_at.eq(None::<NaiveDateTime>),
        reads::seen_at.eq(None::<NaiveDateTime>),
        reads::started_at.eq(None::<NaiveDateTime>),
        reads::heartbeat_at.eq(None::<NaiveDateTime>),
        reads::clock_from.eq(None::<NaiveDateTime>),
    );
    match event {
        ReadEvent::Assign { reader, plan } => {
            diesel::update(row)
                .set((
                    reads::reader_id.eq(Some(*reader)),
                    reads::plan_id.eq(*plan),
                    reads::assigned_at.eq(Some(actor.at)),
                    reads::clock_from.eq(Some(actor.at)),
                    reads::seen_at.eq(None::<NaiveDateTime>),
                    reads::waiting_reason.eq(None::<String>),
                    reads::waiting_until.eq(None::<NaiveDateTime>),
                ))
                .execute(conn)?;
        }
        ReadEvent::Unassign { .. } | ReadEvent::GiveBack { .. } => {
            diesel::update(row).set(nobody).execute(conn)?;
        }
        ReadEvent::NotStarted { reader, missed } => {
            diesel::update(row).set(nobody).execute(conn)?;
            diesel::update(row)
                .set((
                    reads::preferred_reader_id.eq(None::<ReaderId>),
                    reads::missed_starts.eq(*missed),
                    reads::missed_by.eq(Some(*reader)),
                    reads::missed_at.eq(Some(actor.at)),
                ))
                .execute(conn)?;
        }
        ReadEvent::Decline { reader, reason } => {
            diesel::update(row).set(nobody).execute(conn)?;
            diesel::insert_into(declines::table)
                .values((
                    declines::read_id.eq(read),
                    declines::reader_id.eq(*reader),
                    declines::reason.eq(reason),
                    declines::at.eq(actor.at),
                ))
                .execute(conn)?;
        }
        ReadEvent::Start { .. } => {
            diesel::update(row)
                .set((
                    reads::started_at.eq(Some(actor.at)),
                    reads::heartbeat_at.eq(Some(actor.at)),
                    reads::seen_at.eq(Some(actor.at)),
                    reads::clock_from.eq(None::<NaiveDateTime>),
                    // Whatever somebody was alarmed about is over.
                    reads::waiting_reason.eq(None::<String>),
                    reads::waiting_until.eq(None::<NaiveDateTime>),
                ))
                .execute(conn)?;
        }
        ReadEvent::Sign { .. } => {
            diesel::update(row).set(reads::signed_at.eq(Some(actor.at))).execute(conn)?;
        }
        ReadEvent::Wait { reason, until } => {
            diesel::update(row)
                .set((reads::waiting_reason.eq(Some(reason)), reads::waiting_until.eq(Some(*until))))
                .execute(conn)?;
        }
        ReadEvent::Void { .. } => {}
    }
    Ok(())
}
