//! A site's contracts over time. One that a case names is never rewritten: it ends, and another begins.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::sites::ContractRow;
use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{ContractId, SiteId};
use crate::schema::{cases, contracts};

/// A site's contracts, the newest first, each with whether a case names it.
///
/// # Errors
/// What the database says.
pub fn contract_list(conn: &mut Connection, site: SiteId) -> Result<Vec<(ContractRow, bool)>, StoreError> {
    let rows: Vec<ContractRow> = contracts::table
        .filter(contracts::site_id.eq(site))
        .order((contracts::from_day.desc(), contracts::id.desc()))
        .select(ContractRow::as_select())
        .load(conn)?;
    let mut list = Vec::with_capacity(rows.len());
    for row in rows {
        let used = contract_is_used(conn, row.id)?;
        list.push((row, used));
    }
    Ok(list)
}

/// Whether a case names the contract.
///
/// # Errors
/// What the database says.
pub fn contract_is_used(conn: &mut Connection, contract: ContractId) -> Result<bool, StoreError> {
    Ok(diesel::select(diesel::dsl::exists(cases::table.filter(cases::contract_id.eq(contract)))).get_result(conn)?)
}

/// Sets a contract's last day; open with `None`.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn contract_end_in_tx(
    conn: &mut Connection,
    contract: ContractId,
    to_day: Option<NaiveDate>,
) -> Result<(), StoreError> {
    let changed = diesel::update(contracts::table.find(contract)).set(contracts::to_day.eq(to_day)).execute(conn)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::NotFound("the contract")) }
}

/// Removes a contract that no case names.
///
/// # Errors
/// [`StoreError::Conflict`] when one does.
pub fn contract_remove_in_tx(conn: &mut Connection, contract: ContractId) -> Result<(), StoreError> {
    if contract_is_used(conn, contract)? {
        return Err(StoreError::Conflict { what: "removing the contract", state: "used".to_owned() });
    }
    diesel::delete(contracts::table.find(contract)).execute(conn)?;
    Ok(())
}
