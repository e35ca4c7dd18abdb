//! What one site may send: over one association, at once, in an hour and in a day.
//!
//! A number that is not there is without limit, or as the gateway has it for everybody.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};

use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::SiteId;
use crate::schema::{arrivals, site_endpoints, site_limits};

/// The limits of a site. A megabyte is a million bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = site_limits)]
pub struct SiteLimitsRow {
    /// Associations at once.
    pub associations: Option<i32>,
    /// Megabytes over one association.
    pub association_megabytes: Option<i32>,
    /// Objects over one association.
    pub association_objects: Option<i32>,
    /// Longest association, in minutes.
    pub association_minutes: Option<i32>,
    /// Longest silence within an association, in seconds.
    pub idle_seconds: Option<i32>,
    /// Megabytes in an hour.
    pub hour_megabytes: Option<i32>,
    /// Megabytes in a day.
    pub day_megabytes: Option<i32>,
}

/// The limits of a site; of one that has none, none.
///
/// # Errors
/// What the database says.
pub fn site_limits_get(conn: &mut Connection, site: SiteId) -> Result<SiteLimitsRow, StoreError> {
    let row = site_limits::table.find(site).select(SiteLimitsRow::as_select()).first(conn).optional()?;
    Ok(row.unwrap_or_default())
}

/// Writes the limits of a site.
///
/// # Errors
/// What the database says.
pub fn site_limits_set_in_tx(conn: &mut Connection, site: SiteId, limits: &SiteLimitsRow) -> Result<(), StoreError> {
    diesel::sql_query("INSERT INTO site_limits (site_id) VALUES ($1) ON CONFLICT DO NOTHING")
        .bind::<BigInt, _>(site)
        .execute(conn)?;
    diesel::update(site_limits::table.find(site))
        .set((
            site_limits::associations.eq(limits.associations),
            site_limits::association_megabytes.eq(limits.association_megabytes),
            site_limits::association_objects.eq(limits.association_objects),
            site_limits::association_minutes.eq(limits.association_minutes),
            site_limits::idle_seconds.eq(limits.idle_seconds),
            site_limits::hour_megabytes.eq(limits.hour_megabytes),
            site_limits::day_megabytes.eq(limits.day_megabytes),
        ))
        .execute(conn)?;
    Ok(())
}

/// Bytes that a site has sent over associations that ended since a moment.
///
/// # Errors
/// What the database says.
pub fn site_volume_since(conn: &mut Connection, site: SiteId, since: NaiveDateTime) -> Result<u64, StoreError> {
    let own = site_endpoints::table.filter(site_endpoints::site_id.eq(site)).select(site_endpoints::id.nullable());
    // By the index: an association lasts no longer than a day.
    let bytes: Option<i64> = arrivals::table
        .filter(arrivals::endpoint_id.eq_any(own))
        .filter(arrivals::started_at.ge(since - TimeDelta::days(1)))
        .filter(arrivals::ended_at.ge(since))
        .select(sql::<Nullable<BigInt>>("CAST(SUM(bytes) AS BIGINT)"))
        .first(conn)?;
    Ok(bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default())
}
