//! Tariffs and their lines. A tariff of a name is in force on a day; a newer one never changes an older one.

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{TariffId, TariffLineId};
use crate::schema::{billable_events, contracts, tariff_lines, tariffs};

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

/// One tariff.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none.
pub fn tariff_get(conn: &mut Connection, tariff: TariffId) -> Result<TariffRow, StoreError> {
    tariffs::table.find(tariff).select(TariffRow::as_select()).first(conn).or_not_found("the tariff")
}

/// Whether a contract names this tariff.
///
/// # Errors
/// What the database says.
pub fn tariff_is_agreed(conn: &mut Connection, name: &str) -> Result<bool, StoreError> {
    let agreed = contracts::table.filter(contracts::tariff_name.eq(name));
    Ok(diesel::select(diesel::dsl::exists(agreed)).get_result(conn)?)
}

/// Every tariff, by name, the newest of a name first.
///
/// # Errors
/// What the database says.
pub fn tariff_list(conn: &mut Connection) -> Result<Vec<TariffRow>, StoreError> {
    Ok(tariffs::table
        .order((tariffs::name, tariffs::from_day.desc(), tariffs::id.desc()))
        .select(TariffRow::as_select())
        .load(conn)?)
}

/// Whether a ledger line was priced by it.
///
/// # Errors
/// What the database says.
pub fn tariff_is_used(conn: &mut Connection, tariff: TariffId) -> Result<bool, StoreError> {
    let lines: Vec<Option<TariffLineId>> = tariff_lines::table
        .filter(tariff_lines::tariff_id.eq(tariff))
        .select(tariff_lines::id.nullable())
        .load(conn)?;
    let priced = billable_events::table.filter(billable_events::tariff_line_id.eq_any(lines));
    Ok(diesel::select(diesel::dsl::exists(priced)).get_result(conn)?)
}

/// Sets a tariff's last day; open with `None`.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn tariff_end_in_tx(conn: &mut Connection, tariff: TariffId, to_day: Option<NaiveDate>) -> Result<(), StoreError> {
    let changed = diesel::update(tariffs::table.find(tariff)).set(tariffs::to_day.eq(to_day)).execute(conn)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::NotFound("the tariff")) }
}

/// Removes a tariff's lines of one kind and place: what [`tariff_line_insert_in_tx`] would write beside. The caller has
/// looked whether the tariff is used.
///
/// # Errors
/// What the database says; a line that the ledger names stays.
pub fn tariff_line_remove_in_tx(conn: &mut Connection, line: &TariffLineRow) -> Result<usize, StoreError> {
    let ids: Vec<TariffLineId> = tariff_line_list(conn, line.tariff_id)?
        .into_iter()
        .filter(|one| one.kind == line.kind)
        .filter(|one| (&one.modality, &one.region, &one.priority) == (&line.modality, &line.region, &line.priority))
        .map(|one| one.id)
        .collect();
    Ok(diesel::delete(tariff_lines::table.filter(tariff_lines::id.eq_any(ids))).execute(conn)?)
}

/// Removes a tariff with its lines.
///
/// # Errors
/// [`StoreError::Conflict`] when the ledger was priced by it.
pub fn tariff_remove_in_tx(conn: &mut Connection, tariff: TariffId) -> Result<(), StoreError> {
    if tariff_is_used(conn, tariff)? {
        return Err(StoreError::Conflict { what: "removing the tariff", state: "used".to_owned() });
    }
    diesel::delete(tariff_lines::table.filter(tariff_lines::tariff_id.eq(tariff))).execute(conn)?;
    diesel::delete(tariffs::table.find(tariff)).execute(conn)?;
    Ok(())
}
