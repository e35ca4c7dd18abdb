//! Pools: sites and readers that are planned together.

use diesel::prelude::*;

use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::PoolId;
use crate::schema::pools;

/// Every pool: id, code, name in Japanese, name in English.
///
/// # Errors
/// What the database says.
pub fn pool_list(conn: &mut Connection) -> Result<Vec<(PoolId, String, String, String)>, StoreError> {
    Ok(pools::table.order(pools::id).load(conn)?)
}

/// Makes a pool; its id is the database's.
///
/// # Errors
/// [`StoreError::TryAgain`] when the code is taken (look before).
pub fn pool_insert_in_tx(
    conn: &mut Connection,
    code: &str,
    name_ja: &str,
    name_en: &str,
) -> Result<PoolId, StoreError> {
    diesel::insert_into(pools::table)
        .values((pools::code.eq(code), pools::name_ja.eq(name_ja), pools::name_en.eq(name_en)))
        .returning(pools::id)
        .get_result(conn)
        .map_err(StoreError::of_insert)
}

/// Gives a pool other names; its code stays.
///
/// # Errors
/// [`StoreError::NotFound`].
pub fn pool_rename_in_tx(conn: &mut Connection, pool: PoolId, name_ja: &str, name_en: &str) -> Result<(), StoreError> {
    let changed = diesel::update(pools::table.find(pool))
        .set((pools::name_ja.eq(name_ja), pools::name_en.eq(name_en)))
        .execute(conn)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::NotFound("the pool")) }
}
