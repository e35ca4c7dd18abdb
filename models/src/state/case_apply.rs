//! The one function through which a case changes.

use diesel::prelude::*;

use super::case::{CaseEvent, CaseState};
use super::hold::{self, Held};
use crate::actor::Actor;
use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{CaseId, PoolId, SiteId};
use crate::schema::cases;
use crate::store::{audit, case_events, jobs, reads};

/// Applies `event` to the case: new state, event row, audit row and the jobs that follow, all in the caller's transaction.
///
/// Returns the state the case is in afterwards.
///
/// # Errors
/// [`StoreError::Repeat`] when the case is there already, [`StoreError::Conflict`] when its state does not allow
/// the event, [`StoreError::NotFound`] when there is no such case.
pub fn case_apply_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    case: CaseId,
    event: &CaseEvent,
) -> Result<CaseState, StoreError> {
    let (state, held, site, pool): (CaseState, Held, SiteId, PoolId) = cases::table
        .find(case)
        .select((cases::state, Held::as_select(), cases::site_id, cases::pool_id))
        .first(conn)
        .or_not_found("the case")?;
    let next = match event {
        CaseEvent::Release { .. } => held.state.unwrap_or(CaseState::Ready),
        _ => event.target().unwrap_or(state),
    };
    let changed = diesel::update(
        cases::table
            .filter(cases::id.eq(case))
            .filter(cases::state.eq_any(event.valid_from()))
            .filter(cases::state.eq(state)),
    )
    .set((cases::state.eq(next), cases::version.eq(cases::version + 1)))
    .execute(conn)?;
    if changed == 0 {
        return Err(refusal(conn, case, event)?);
    }
    set_facts(conn, actor, case, event, state)?;
    follow_up(conn, actor, case, pool, event)?;
    case_events::append_in_tx(conn, actor, case, None, event.kind(), event)?;
    audit::append_in_tx(conn, actor, &format!("case.{}", event.kind()), audit::Subject::case(case, site), "done", "")?;
    if matches!(event, CaseEvent::Release { .. }) {
        hold::resume_clocks_in_tx(conn, actor, case, &held)?;
    }
    Ok(next)
}

/// Tells *repeat* from *conflict* from *not found* after zero rows were updated.
fn refusal(conn: &mut Connection, case: CaseId, event: &CaseEvent) -> Result<StoreError, StoreError> {
    let state: CaseState = cases::table.find(case).select(cases::state).first(conn).or_not_found("the case")?;
    Ok(if event.target() == Some(state) {
        StoreError::Repeat(event.kind())
    } else {
        StoreError::Conflict { what: event.kind(), state: state.code().to_owned() }
    })
}

/// Sets the columns that tell when and why.
fn set_facts(
    conn: &mut Connection,
    actor: &Actor,
    case: CaseId,
    event: &CaseEvent,
    before: CaseState,
) -> Result<(), StoreError> {
    let row = cases::table.find(case);
    match event {
        CaseEvent::Ready => {
            diesel::update(row).set(cases::ready_at.eq(Some(actor.at))).execute(conn)?;
        }
        CaseEvent::Report { .. } => {
            diesel::update(row).set(cases::reported_at.eq(Some(actor.at))).execute(conn)?;
        }
        CaseEvent::Return => {
            diesel::update(row).set(cases::returned_at.eq(Some(actor.at))).execute(conn)?;
        }
        CaseEvent::Acknowledge { .. } => {
            diesel::update(row).set(cases::acknowledged_at.eq(Some(actor.at))).execute(conn)?;
        }
        CaseEvent::Withdraw { until, .. } => {
            let never: Option<chrono::NaiveDateTime> = None;
            diesel::update(row)
                .set((
                    cases::withdrawn_at.eq(Some(actor.at)),
                    cases::reported_at.eq(never),
                    cases::returned_at.eq(never),
                    cases::acknowledged_at.eq(never),
                    cases::held_state.eq(Some(CaseState::Ready)),
                    cases::hold_reason.eq(Some("report_withdrawn")),
                    cases::hold_actor.eq(Some(super::HoldActor::Dispatcher)),
                    cases::hold_until.eq(Some(*until)),
                    cases::held_at.eq(Some(actor.at)),
                ))
                .execute(conn)?;
        }
        CaseEvent::Hold { reason, actor: who, until } => {
            diesel::update(row)
                .set((
                    cases::held_state.eq(Some(before)),
                    cases::hold_reason.eq(Some(reason)),
                    cases::hold_actor.eq(Some(*who)),
                    cases::hold_until.eq(Some(*until)),
                    cases::held_at.eq(Some(actor.at)),
                ))
                .execute(conn)?;
        }
        CaseEvent::Release { .. } => {
            let clear: Option<String> = None;
            diesel::update(row)
                .set((
                    cases::held_state.eq(None::<CaseState>),
                    cases::hold_reason.eq(clear),
                    cases::hold_actor.eq(None::<super::HoldActor>),
                    cases::hold_until.eq(None::<chrono::NaiveDateTime>),
                    cases::held_at.eq(None::<chrono::NaiveDateTime>),
                ))
                .execute(conn)?;
        }
        CaseEvent::Prioritise { priority, due_at, .. } => {
            diesel::update(row).set((cases::priority.eq(priority.code()), cases::due_at.eq(*due_at))).execute(conn)?;
        }
        _ => {}
    }
    Ok(())
}

/// Freezes, thaws or voids the reads, and queues what must happen next.
fn follow_up(
    conn: &mut Connection,
    actor: &Actor,
    case: CaseId,
    pool: PoolId,
    event: &CaseEvent,
) -> Result<(), StoreError> {
    match event {
        CaseEvent::Hold { .. } | CaseEvent::Withdraw { .. } => reads::freeze_in_tx(conn, case, true)?,
        CaseEvent::Release { .. } => reads::freeze_in_tx(conn, case, false)?,
        CaseEvent::Cancel { reason } => reads::void_all_in_tx(conn, actor, case, reason)?,
        _ => {}
    }
    let replan = matches!(
        event,
        CaseEvent::Ready
            | CaseEvent::StopReading { .. }
            | CaseEvent::Reopen { .. }
            | CaseEvent::Hold { .. }
            | CaseEvent::Withdraw { .. }
            | CaseEvent::Release { .. }
            | CaseEvent::Cancel { .. }
            | CaseEvent::Prioritise { .. }
    );
    if replan {
        jobs::enqueue_plan_in_tx(conn, pool, actor.at)?;
    }
    if matches!(event, CaseEvent::AttachStudy { .. } | CaseEvent::DetachStudy { .. } | CaseEvent::ImagesArrived { .. })
    {
        jobs::enqueue_in_tx(conn, &jobs::NewJob::now("prescreen_case", case.to_string(), actor.at))?;
    }
    Ok(())
}
