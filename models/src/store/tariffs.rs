//! Tariffs and their lines. A tariff of a name is in force on a day; a newer one never changes an older one.

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{TariffId, TariffLineId};
use crate::schema::{tariff_lines, tariffs};

/// A tariff.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = tariffs)]
pub struct TariffRow {
    /// The row's id.
    pub id: TariffId,
    /// Its name, which contracts refer to.
    pub name: String,
    /// Its first day.
    pub from_day: NaiveDate,
    /// Its last day.
    pub to_day: Option<NaiveDate>,
}

/// A line of a tariff. An empty modality, region or priority matches all; the most specific line counts.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = tariff_lines)]
pub struct TariffLineRow {
    /// The row's id.
    pub id: TariffLineId,
    /// The tariff.
    pub tariff_id: TariffId,
    /// `reading_first` (a case's first part), `reading_further`, `reader_fee` (what the reader gets) or `urgency`.
    pub kind: String,
    /// The modality's code.
    pub modality: Option<String>,
    /// The region's code; its children are meant too.
    pub region: Option<String>,
    /// The priority's code.
    pub priority: Option<String>,
    /// Yen without tax.
    pub amount_yen: i64,
}

/// Makes a tariff.
///
/// # Errors
/// What the database says.
pub fn tariff_insert_in_tx(
    conn: &mut Connection,
    name: &str,
    from_day: NaiveDate,
    to_day: Option<NaiveDate>,
) -> Result<TariffId, StoreError> {
    Ok(diesel::insert_into(tariffs::table)
        .values((tariffs::name.eq(name), tariffs::from_day.eq(from_day), tariffs::to_day.eq(to_day)))
        .returning(tariffs::id)
        .get_result(conn)?)
}

/// Adds a line; its id is not looked at.
///
/// # Errors
/// What the database says.
pub fn tariff_line_insert_in_tx(conn: &mut Connection, line: &TariffLineRow) -> Result<TariffLineId, StoreError> {
    Ok(diesel::insert_into(tariff_lines::table)
        .values((
            tariff_lines::tariff_id.eq(line.tariff_id),
            tariff_lines::kind.eq(&line.kind),
            tariff_lines::modality.eq(&line.modality),
            tariff_lines::region.eq(&line.region),
            tariff_lines::priority.eq(&line.priority),
            tariff_lines::amount_yen.eq(line.amount_yen),
        ))
        .returning(tariff_lines::id)
        .get_result(conn)?)
}

/// The tariff of a name that is in force on a day.
///
/// # Errors
/// What the database says.
pub fn tariff_on(conn: &mut Connection, name: &str, day: NaiveDate) -> Result<Option<TariffRow>, StoreError> {
    Ok(tariffs::table
        .filter(tariffs::name.eq(name))
        .filter(tariffs::from_day.le(day))
        .filter(tariffs::to_day.is_null().or(tariffs::to_day.ge(day).assume_not_null()))
        .order(tariffs::from_day.desc())
        .select(TariffRow::as_select())
        .first(conn)
        .optional()?)
}

/// The lines of a tariff.
///
/// # Errors
/// What the database says.
pub fn tariff_line_list(conn: &mut Connection, tariff: TariffId) -> Result<Vec<TariffLineRow>, StoreError> {
    Ok(tariff_lines::table
        .filter(tariff_lines::tariff_id.eq(tariff))
        .order(tariff_lines::id)
        .select(TariffLineRow::as_select())
        .load(conn)?)
}
