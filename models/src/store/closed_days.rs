//! Days on which a site is closed, with their names. Those without a site are the whole country's.

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::SiteId;
use crate::schema::site_calendars;

/// A closed day.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = site_calendars)]
pub struct ClosedDayRow {
    /// The row's id.
    pub id: i64,
    /// The site; the whole country without one.
    pub site_id: Option<SiteId>,
    /// The day in Japan.
    pub day: NaiveDate,
    /// What it is called.
    pub name: String,
}

/// The site's own closed days from a day on.
///
/// # Errors
/// What the database says.
pub fn closed_day_list(conn: &mut Connection, site: SiteId, from: NaiveDate) -> Result<Vec<ClosedDayRow>, StoreError> {
    Ok(site_calendars::table
        .filter(site_calendars::site_id.eq(site))
        .filter(site_calendars::day.ge(from))
        .order(site_calendars::day)
        .select(ClosedDayRow::as_select())
        .load(conn)?)
}

/// Whether any of the country's closed days is known.
///
/// # Errors
/// What the database says.
pub fn national_day_exists(conn: &mut Connection) -> Result<bool, StoreError> {
    let known = site_calendars::table.filter(site_calendars::site_id.is_null()).select(site_calendars::id);
    Ok(diesel::select(diesel::dsl::exists(known)).get_result(conn)?)
}

/// The whole country's closed days from a day on.
///
/// # Errors
/// What the database says.
pub fn national_day_list(conn: &mut Connection, from: NaiveDate) -> Result<Vec<ClosedDayRow>, StoreError> {
    Ok(site_calendars::table
        .filter(site_calendars::site_id.is_null())
        .filter(site_calendars::day.ge(from))
        .order(site_calendars::day)
        .select(ClosedDayRow::as_select())
        .load(conn)?)
}

/// Removes a day of the site's own.
///
/// # Errors
/// [`StoreError::NotFound`] when the site has no such day.
pub fn closed_day_remove_in_tx(conn: &mut Connection, site: SiteId, id: i64) -> Result<(), StoreError> {
    let gone = diesel::delete(site_calendars::table.find(id).filter(site_calendars::site_id.eq(site))).execute(conn)?;
    if gone == 1 { Ok(()) } else { Err(StoreError::NotFound("the closed day")) }
}
