//! Named leases with fencing numbers: who may plan a pool, who may seal.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;
use diesel::sql_types::{Text, Timestamp};

use crate::db::Connection;
use crate::error::StoreError;
use crate::schema::leases;

/// Takes or prolongs a lease. Returns its fencing number, or `None` while another holds it.
///
/// The number grows whenever the holder changes: what was begun under an old number is refused afterwards.
///
/// # Errors
/// What the database says.
pub fn lease_take_in_tx(
    conn: &mut Connection,
    name: &str,
    holder: &str,
    now: NaiveDateTime,
    length: TimeDelta,
) -> Result<Option<i64>, StoreError> {
    diesel::sql_query(
        "INSERT INTO leases (name, holder, fencing, until) VALUES ($1, '', 0, $2) ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(name)
    .bind::<Timestamp, _>(now - TimeDelta::seconds(1))
    .execute(conn)?;
    diesel::update(leases::table.filter(leases::name.eq(name)).filter(leases::holder.eq(holder)))
        .set(leases::until.eq(now + length))
        .execute(conn)?;
    diesel::update(
        leases::table.filter(leases::name.eq(name)).filter(leases::holder.ne(holder)).filter(leases::until.lt(now)),
    )
    .set((leases::holder.eq(holder), leases::fencing.eq(leases::fencing + 1), leases::until.eq(now + length)))
    .execute(conn)?;
    Ok(leases::table
        .filter(leases::name.eq(name))
        .filter(leases::holder.eq(holder))
        .select(leases::fencing)
        .first(conn)
        .optional()?)
}

/// Whether `fencing` is still the lease's number.
///
/// # Errors
/// What the database says.
pub fn lease_holds(conn: &mut Connection, name: &str, fencing: i64) -> Result<bool, StoreError> {
    let current: Option<i64> =
        leases::table.filter(leases::name.eq(name)).select(leases::fencing).first(conn).optional()?;
    Ok(current == Some(fencing))
}

/// Lets a lease go at a clean stop.
///
/// # Errors
/// What the database says.
pub fn lease_release_in_tx(
    conn: &mut Connection,
    name: &str,
    holder: &str,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    diesel::update(leases::table.filter(leases::name.eq(name)).filter(leases::holder.eq(holder)))
        .set(leases::until.eq(now - TimeDelta::seconds(1)))
        .execute(conn)?;
    Ok(())
}
