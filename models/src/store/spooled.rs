//! Objects that wait in a node's spool for the bucket: where the bytes are until they are there.
//!
//! A *node* is a process with a spool folder of its own. An object with a row here is on that node's disk, and perhaps in
//! the bucket already; one without is in the bucket. The row is committed before anything that names the object.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::Connection;
use crate::error::StoreError;
use crate::schema::{spool_nodes, spooled_objects};

/// A node, as it last described itself.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = spool_nodes, treat_none_as_null = true)]
pub struct SpoolNode {
    /// Its name: that of its spool folder.
    pub node: String,
    /// Where other processes ask it for objects; empty where they cannot.
    pub url: String,
    /// Objects that wait.
    pub waiting: i64,
    /// Their bytes.
    pub waiting_bytes: i64,
    /// Bytes that may wait.
    pub limit_bytes: i64,
    /// When the oldest of them came (UTC).
    pub oldest_at: Option<NaiveDateTime>,
    /// Since when the bucket takes nothing.
    pub failing_since: Option<NaiveDateTime>,
    /// Why, in the store's words; empty where it takes all.
    pub fault: String,
    /// Objects written down as here whose bytes are neither here nor in the bucket.
    pub lost: i64,
    /// When it said so.
    pub seen_at: NaiveDateTime,
}

/// Writes down how a node describes itself.
///
/// # Errors
/// What the database says.
pub fn spool_node_seen_in_tx(conn: &mut Connection, node: &SpoolNode) -> Result<(), StoreError> {
    let changed = diesel::update(spool_nodes::table.find(&node.node)).set(node).execute(conn)?;
    if changed == 0 {
        diesel::insert_into(spool_nodes::table).values(node).execute(conn).map_err(StoreError::of_insert)?;
    }
    Ok(())
}

/// Every node there ever was, by name.
///
/// # Errors
/// What the database says.
pub fn spool_node_list(conn: &mut Connection) -> Result<Vec<SpoolNode>, StoreError> {
    Ok(spool_nodes::table.order(spool_nodes::node).select(SpoolNode::as_select()).load(conn)?)
}

/// Notes that a node holds an object. Again is no fault.
///
/// # Errors
/// What the database says.
pub fn spooled_keep_in_tx(
    conn: &mut Connection,
    key: &str,
    node: &str,
    size: i64,
    at: NaiveDateTime,
) -> Result<(), StoreError> {
    diesel::sql_query(
        "INSERT INTO spooled_objects (object_key, node, size, spooled_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind::<diesel::sql_types::Text, _>(key)
    .bind::<diesel::sql_types::Text, _>(node)
    .bind::<diesel::sql_types::BigInt, _>(size)
    .bind::<diesel::sql_types::Timestamp, _>(at)
    .execute(conn)?;
    Ok(())
}

/// Notes that a node holds an object no more, because it is in the bucket.
///
/// # Errors
/// What the database says.
pub fn spooled_release_in_tx(conn: &mut Connection, key: &str, node: &str) -> Result<(), StoreError> {
    diesel::delete(spooled_objects::table.find((key, node))).execute(conn)?;
    Ok(())
}

/// The other nodes that hold an object and can be asked: their addresses.
///
/// # Errors
/// What the database says.
pub fn spooled_elsewhere(conn: &mut Connection, key: &str, node: &str) -> Result<Vec<String>, StoreError> {
    Ok(spooled_objects::table
        .inner_join(spool_nodes::table.on(spool_nodes::node.eq(spooled_objects::node)))
        .filter(spooled_objects::object_key.eq(key))
        .filter(spooled_objects::node.ne(node))
        .filter(spool_nodes::url.ne(""))
        .select(spool_nodes::url)
        .load(conn)?)
}

/// The keys that a node holds, by what is written down.
///
/// # Errors
/// What the database says.
pub fn spooled_list(conn: &mut Connection, node: &str) -> Result<Vec<String>, StoreError> {
    Ok(spooled_objects::table
        .filter(spooled_objects::node.eq(node))
        .order(spooled_objects::object_key)
        .select(spooled_objects::object_key)
        .load(conn)?)
}
