//! For which sites readers may read, over time: ended and coming privileges too.

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{ReaderId, SiteId};
use crate::schema::privileges;

/// A reader may read for a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = privileges)]
pub struct PrivilegeRow {
    /// The row's id.
    pub id: i64,
    /// The reader.
    pub reader_id: ReaderId,
    /// The referring site.
    pub site_id: SiteId,
    /// Its first day.
    pub from_day: NaiveDate,
    /// Its last day.
    pub to_day: Option<NaiveDate>,
}

/// Every privilege of a reader, or of all, by first day.
///
/// # Errors
/// What the database says.
pub fn privilege_list_all(conn: &mut Connection, reader: Option<ReaderId>) -> Result<Vec<PrivilegeRow>, StoreError> {
    let mut rows = privileges::table
        .order((privileges::reader_id, privileges::from_day, privileges::id))
        .select(PrivilegeRow::as_select())
        .into_boxed();
    if let Some(reader) = reader {
        rows = rows.filter(privileges::reader_id.eq(reader));
    }
    Ok(rows.load(conn)?)
}

/// Lets a reader read for a site between two days.
///
/// # Errors
/// [`StoreError::Rule`] when one of them does not exist.
pub fn privilege_add_in_tx(
    conn: &mut Connection,
    reader: ReaderId,
    site: SiteId,
    from_day: NaiveDate,
    to_day: Option<NaiveDate>,
) -> Result<i64, StoreError> {
    Ok(diesel::insert_into(privileges::table)
        .values((
            privileges::reader_id.eq(reader),
            privileges::site_id.eq(site),
            privileges::from_day.eq(from_day),
            privileges::to_day.eq(to_day),
        ))
        .returning(privileges::id)
        .get_result(conn)?)
}

/// Sets the last day of a reader's privilege; open with `None`.
///
/// # Errors
/// [`StoreError::NotFound`] when the reader has no such privilege.
pub fn privilege_end_in_tx(
    conn: &mut Connection,
    reader: ReaderId,
    id: i64,
    to_day: Option<NaiveDate>,
) -> Result<(), StoreError> {
    let changed = diesel::update(privileges::table.find(id).filter(privileges::reader_id.eq(reader)))
        .set(privileges::to_day.eq(to_day))
        .execute(conn)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::NotFound("the privilege")) }
}

/// Removes a privilege that was entered by mistake.
///
/// # Errors
/// [`StoreError::NotFound`] when the reader has no such privilege.
pub fn privilege_remove_in_tx(conn: &mut Connection, reader: ReaderId, id: i64) -> Result<(), StoreError> {
    let gone = diesel::delete(privileges::table.find(id).filter(privileges::reader_id.eq(reader))).execute(conn)?;
    if gone == 1 { Ok(()) } else { Err(StoreError::NotFound("the privilege")) }
}
