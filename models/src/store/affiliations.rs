//! Where readers work, over time: ended and coming affiliations too.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::readers::AffiliationRow;
use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::ReaderId;
use crate::schema::affiliations;

/// Every affiliation of a reader, or of all, by first day.
///
/// # Errors
/// What the database says.
pub fn affiliation_list_all(
    conn: &mut Connection,
    reader: Option<ReaderId>,
) -> Result<Vec<AffiliationRow>, StoreError> {
    let mut rows = affiliations::table
        .order((affiliations::reader_id, affiliations::from_day))
        .select(AffiliationRow::as_select())
        .into_boxed();
    if let Some(reader) = reader {
        rows = rows.filter(affiliations::reader_id.eq(reader));
    }
    Ok(rows.load(conn)?)
}

/// Sets the last day of a reader's affiliation; open with `None`.
///
/// # Errors
/// [`StoreError::NotFound`] when the reader has no such affiliation.
pub fn affiliation_end_in_tx(
    conn: &mut Connection,
    reader: ReaderId,
    id: i64,
    to_day: Option<NaiveDate>,
) -> Result<(), StoreError> {
    let changed = diesel::update(affiliations::table.find(id).filter(affiliations::reader_id.eq(reader)))
        .set(affiliations::to_day.eq(to_day))
        .execute(conn)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::NotFound("the affiliation")) }
}

/// Removes an affiliation that was entered by mistake.
///
/// # Errors
/// [`StoreError::NotFound`] when the reader has no such affiliation.
pub fn affiliation_remove_in_tx(conn: &mut Connection, reader: ReaderId, id: i64) -> Result<(), StoreError> {
    let gone = diesel::delete(affiliations::table.find(id).filter(affiliations::reader_id.eq(reader))).execute(conn)?;
    if gone == 1 { Ok(()) } else { Err(StoreError::NotFound("the affiliation")) }
}
