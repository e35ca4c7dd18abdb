//! The record of each association, upload and import.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{ArrivalId, EndpointId, SiteId, UserId};
use crate::schema::arrivals;
use crate::state::Whose;

/// Opens the record of an association, an upload or an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewArrival {
    /// The site.
    pub site: SiteId,
    /// The endpoint, if it came over DICOM.
    pub endpoint: Option<EndpointId>,
    /// The person, if one uploaded it.
    pub user: Option<UserId>,
    /// `dicom`, `upload`, `stow` or `import`.
    pub via: &'static str,
    /// Whose patients it brings.
    pub whose: Whose,
    /// The calling AE title, or empty.
    pub calling_ae: String,
    /// The address it came from.
    pub address: String,
    /// When it began.
    pub at: NaiveDateTime,
}

/// Writes the arrival's row.
///
/// # Errors
/// What the database says.
pub fn arrival_open_in_tx(conn: &mut Connection, arrival: &NewArrival) -> Result<ArrivalId, StoreError> {
    if let Some(endpoint) = arrival.endpoint {
        use crate::schema::site_endpoints;
        diesel::update(site_endpoints::table.find(endpoint))
            .set((site_endpoints::last_contact_at.eq(Some(arrival.at)), site_endpoints::last_error.eq(None::<String>)))
            .execute(conn)?;
    }
    Ok(diesel::insert_into(arrivals::table)
        .values((
            arrivals::site_id.eq(arrival.site),
            arrivals::endpoint_id.eq(arrival.endpoint),
            arrivals::user_id.eq(arrival.user),
            arrivals::via.eq(arrival.via),
            arrivals::whose.eq(arrival.whose),
            arrivals::calling_ae.eq(&arrival.calling_ae),
            arrivals::address.eq(&arrival.address),
            arrivals::started_at.eq(arrival.at),
            arrivals::kept.eq(0),
            arrivals::repeated.eq(0),
            arrivals::quarantined.eq(0),
            arrivals::failed.eq(0),
            arrivals::bytes.eq(0_i64),
            arrivals::outcome.eq("open"),
        ))
        .returning(arrivals::id)
        .get_result(conn)?)
}

/// What an arrival brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ArrivalCounts {
    /// New instances.
    pub kept: i32,
    /// Instances that were here.
    pub repeated: i32,
    /// Kept apart for a person.
    pub quarantined: i32,
    /// Refused.
    pub failed: i32,
    /// Bytes received.
    pub bytes: i64,
}

/// Closes the arrival's row. `outcome` is `released`, `aborted`, `lost`, `timeout` or `done`.
///
/// # Errors
/// What the database says.
pub fn arrival_close_in_tx(
    conn: &mut Connection,
    arrival: ArrivalId,
    counts: ArrivalCounts,
    outcome: &str,
    at: NaiveDateTime,
) -> Result<(), StoreError> {
    diesel::update(arrivals::table.find(arrival))
        .set((
            arrivals::ended_at.eq(Some(at)),
            arrivals::kept.eq(counts.kept),
            arrivals::repeated.eq(counts.repeated),
            arrivals::quarantined.eq(counts.quarantined),
            arrivals::failed.eq(counts.failed),
            arrivals::bytes.eq(counts.bytes),
            arrivals::outcome.eq(outcome),
        ))
        .execute(conn)?;
    Ok(())
}

/// The arrival, if it brings another institution's patients.
pub(super) fn from_elsewhere(
    conn: &mut Connection,
    arrival: Option<ArrivalId>,
) -> Result<Option<ArrivalId>, StoreError> {
    let Some(arrival) = arrival else { return Ok(None) };
    let whose: Whose = arrivals::table.find(arrival).select(arrivals::whose).first(conn)?;
    Ok((whose == Whose::Elsewhere).then_some(arrival))
}
