//! A site's filings (施設基準の届出) over time. What was decided by one is kept in the ledger's own lines.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::sites::FilingRow;
use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::SiteId;
use crate::schema::filings;

/// A site's filings, ended and coming ones too, by kind and first day.
///
/// # Errors
/// What the database says.
pub fn filing_list(conn: &mut Connection, site: SiteId) -> Result<Vec<FilingRow>, StoreError> {
    Ok(filings::table
        .filter(filings::site_id.eq(site))
        .order((filings::kind, filings::from_day))
        .select(FilingRow::as_select())
        .load(conn)?)
}

/// Sets the last day of a site's filing; open with `None`.
///
/// # Errors
/// [`StoreError::NotFound`] when the site has no such filing.
pub fn filing_end_in_tx(
    conn: &mut Connection,
    site: SiteId,
    filing: i64,
    to_day: Option<NaiveDate>,
) -> Result<(), StoreError> {
    let changed = diesel::update(filings::table.find(filing).filter(filings::site_id.eq(site)))
        .set(filings::to_day.eq(to_day))
        .execute(conn)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::NotFound("the filing")) }
}

/// Removes a filing that was entered by mistake.
///
/// # Errors
/// [`StoreError::NotFound`] when the site has no such filing.
pub fn filing_remove_in_tx(conn: &mut Connection, site: SiteId, filing: i64) -> Result<(), StoreError> {
    let gone = diesel::delete(filings::table.find(filing).filter(filings::site_id.eq(site))).execute(conn)?;
    if gone == 1 { Ok(()) } else { Err(StoreError::NotFound("the filing")) }
}
