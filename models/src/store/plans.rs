//! Plans and their items: what was proposed, applied, and found stale.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{PlanId, PoolId, ReadId, ReaderId};
use crate::schema::{plan_items, plans};

/// A plan.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = plans)]
pub struct PlanRow {
    /// The pool.
    pub pool_id: PoolId,
    /// The last applied plan before it.
    pub parent_id: Option<PlanId>,
    /// The lease's number under which it was made.
    pub fencing: i64,
    /// The seed.
    pub seed: i64,
    /// Reads it thought of.
    pub reads: i32,
    /// Readers it thought of.
    pub readers: i32,
    /// Reads it gave to somebody.
    pub assigned: i32,
    /// Reads it left waiting.
    pub waiting: i32,
    /// Items that were applied.
    pub applied: i32,
    /// Items that were stale by then.
    pub stale: i32,
    /// The cost of the plan.
    pub objective: f64,
    /// No plan of the written model costs less.
    pub bound: f64,
    /// (objective - bound) / bound.
    pub gap: f64,
    /// What stopped the search.
    pub stopped_by: String,
    /// How long the solve took.
    pub solve_ms: i32,
    /// When it was made.
    pub at: NaiveDateTime,
}

/// Writes a plan.
///
/// # Errors
/// What the database says.
pub fn plan_create_in_tx(conn: &mut Connection, plan: &PlanRow) -> Result<PlanId, StoreError> {
    Ok(diesel::insert_into(plans::table).values(plan).returning(plans::id).get_result(conn)?)
}

/// Notes how many items were applied and how many were stale.
///
/// # Errors
/// What the database says.
pub fn plan_applied_in_tx(conn: &mut Connection, plan: PlanId, applied: i32, stale: i32) -> Result<(), StoreError> {
    diesel::update(plans::table.find(plan)).set((plans::applied.eq(applied), plans::stale.eq(stale))).execute(conn)?;
    Ok(())
}

/// The newest plan of a pool of which something was applied.
///
/// # Errors
/// What the database says.
pub fn plan_newest_applied(conn: &mut Connection, pool: PoolId) -> Result<Option<PlanId>, StoreError> {
    Ok(plans::table
        .filter(plans::pool_id.eq(pool))
        .filter(plans::applied.gt(0))
        .order(plans::id.desc())
        .select(plans::id)
        .first(conn)
        .optional()?)
}

/// Deletes plans made before a time of which nothing was applied, with their items; `most` at the most. Returns how
/// many. No read and no later plan names such a one.
///
/// # Errors
/// What the database says.
pub fn plan_sweep_in_tx(conn: &mut Connection, before: NaiveDateTime, most: i64) -> Result<usize, StoreError> {
    let old: Vec<PlanId> = plans::table
        .filter(plans::at.lt(before))
        .filter(plans::applied.eq(0))
        .order(plans::id)
        .limit(most)
        .select(plans::id)
        .load(conn)?;
    diesel::delete(plan_items::table.filter(plan_items::plan_id.eq_any(&old))).execute(conn)?;
    Ok(diesel::delete(plans::table.filter(plans::id.eq_any(&old))).execute(conn)?)
}

/// Writes one changed item of a plan.
///
/// # Errors
/// What the database says.
pub fn plan_item_add_in_tx(
    conn: &mut Connection,
    plan: PlanId,
    read: ReadId,
    reader: Option<ReaderId>,
    place_in_list: i32,
    explanation: &str,
    outcome: &str,
) -> Result<(), StoreError> {
    diesel::insert_into(plan_items::table)
        .values((
            plan_items::plan_id.eq(plan),
            plan_items::read_id.eq(read),
            plan_items::reader_id.eq(reader),
            plan_items::place_in_list.eq(place_in_list),
            plan_items::explanation.eq(explanation),
            plan_items::outcome.eq(outcome),
        ))
        .execute(conn)?;
    Ok(())
}
