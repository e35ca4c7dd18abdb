//! Finding deliveries: of a case, dead, due.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::DeliveryRow;
use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{CaseId, DeliveryId, SiteId};
use crate::schema::{cases, deliveries};
use crate::state::DeliveryState;

/// The deliveries of a case, oldest first.
///
/// # Errors
/// What the database says.
pub fn delivery_list_of_case(conn: &mut Connection, case: CaseId) -> Result<Vec<DeliveryRow>, StoreError> {
    Ok(deliveries::table
        .filter(deliveries::case_id.eq(case))
        .order(deliveries::id)
        .select(DeliveryRow::as_select())
        .load(conn)?)
}

/// A dead delivery with the site it was for.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct DeadDelivery {
    /// The delivery.
    pub delivery: DeliveryRow,
    /// The referring site.
    pub site: SiteId,
}

/// The dead ones, newest first: a person decides.
///
/// # Errors
/// What the database says.
pub fn delivery_list_dead(conn: &mut Connection, limit: i64) -> Result<Vec<DeadDelivery>, StoreError> {
    Ok(deliveries::table
        .inner_join(cases::table.on(cases::id.eq(deliveries::case_id)))
        .filter(deliveries::state.eq(DeliveryState::Dead))
        .order(deliveries::id.desc())
        .limit(limit)
        .select((DeliveryRow::as_select(), cases::site_id))
        .load(conn)?)
}

/// Waiting ones whose time has come: ids, oldest first. The sweep queues their jobs anew.
///
/// # Errors
/// What the database says.
pub fn delivery_list_due(conn: &mut Connection, now: NaiveDateTime, limit: i64) -> Result<Vec<DeliveryId>, StoreError> {
    Ok(deliveries::table
        .filter(deliveries::state.eq(DeliveryState::Pending))
        .filter(deliveries::next_at.le(now))
        .order(deliveries::next_at)
        .limit(limit)
        .select(deliveries::id)
        .load(conn)?)
}
