//! Seals: the chain over what has been committed, and its check.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use sha2::{Digest, Sha256};

use super::{AuditRow, own_hash};
use crate::db::Connection;
use crate::error::StoreError;
use crate::schema::{audit, audit_sealed, audit_seals};

/// How far behind the newest sealed row an ordinary pass looks, in ids.
///
/// PostgreSQL gives a row its id when it is written and shows it when its transaction commits: one that takes long
/// shows an id below the newest sealed one. Whatever commits later than this many ids is found by [`Span::Whole`].
pub const LOOK_BACK: i64 = 10_000;

/// Which rows a pass looks through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// From [`LOOK_BACK`] ids behind the newest sealed row: costs the same however long the trail is.
    Recent,
    /// The whole trail: finds what any transaction committed, however late.
    Whole,
}

fn seal_hash(previous: &str, rows: &[(i64, String)]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(previous.as_bytes());
    hasher.update((rows.len() as u64).to_be_bytes());
    for (id, hash) in rows {
        hasher.update(id.to_be_bytes());
        hasher.update(hash.as_bytes());
    }
    hex::encode(hasher.finalize())
}

/// Seals what has been committed and is not sealed yet, `most` rows at the most. Returns how many it sealed.
///
/// A row is missed only until the next pass over [`Span::Whole`]: none is passed over for good.
///
/// Only the holder of the `audit-sealer` lease may call it: two sealers would fork the chain.
///
/// # Errors
/// What the database says.
pub fn audit_seal_in_tx(conn: &mut Connection, at: NaiveDateTime, most: i64, span: Span) -> Result<usize, StoreError> {
    let newest: Option<i64> = match span {
        Span::Recent => audit_sealed::table.select(diesel::dsl::max(audit_sealed::audit_id)).first(conn)?,
        Span::Whole => None,
    };
    let after = newest.map_or(0, |newest| newest - LOOK_BACK);
    let rows: Vec<(i64, String)> = audit::table
        .left_join(audit_sealed::table.on(audit_sealed::audit_id.eq(audit::id)))
        .filter(audit_sealed::seal_id.is_null())
        .filter(audit::id.gt(after))
        .order(audit::id)
        .limit(most)
        .select((audit::id, audit::own_hash))
        .load(conn)?;
    if rows.is_empty() {
        return Ok(0);
    }
    let previous: String = audit_seals::table
        .order(audit_seals::id.desc())
        .select(audit_seals::hash)
        .first(conn)
        .optional()?
        .unwrap_or_default();
    let seal: i64 = diesel::insert_into(audit_seals::table)
        .values((
            audit_seals::sealed_at.eq(at),
            audit_seals::rows_sealed.eq(i32::try_from(rows.len()).unwrap_or(i32::MAX)),
            audit_seals::previous_hash.eq(&previous),
            audit_seals::hash.eq(seal_hash(&previous, &rows)),
        ))
        .returning(audit_seals::id)
        .get_result(conn)?;
    for (id, _) in &rows {
        diesel::insert_into(audit_sealed::table)
            .values((audit_sealed::audit_id.eq(id), audit_sealed::seal_id.eq(seal)))
            .execute(conn)?;
    }
    Ok(rows.len())
}

/// The newest seal: (id, hash). Exported hourly, so that a cut tail shows.
///
/// # Errors
/// What the database says.
pub fn audit_head(conn: &mut Connection) -> Result<Option<(i64, String)>, StoreError> {
    Ok(audit_seals::table
        .order(audit_seals::id.desc())
        .select((audit_seals::id, audit_seals::hash))
        .first(conn)
        .optional()?)
}

/// How far the trail is sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealState {
    /// The newest seal: its id, hash, and when it was set (UTC).
    pub head: Option<(i64, String, NaiveDateTime)>,
    /// The newest sealed row.
    pub last_sealed: Option<i64>,
    /// Rows that wait for the sealer, as far as [`Span::Recent`] looks.
    pub unsealed: i64,
}

/// How far the trail is sealed, without checking it.
///
/// # Errors
/// What the database says.
pub fn audit_seal_state(conn: &mut Connection) -> Result<SealState, StoreError> {
    let head = audit_seals::table
        .order(audit_seals::id.desc())
        .select((audit_seals::id, audit_seals::hash, audit_seals::sealed_at))
        .first(conn)
        .optional()?;
    let last_sealed: Option<i64> = audit_sealed::table.select(diesel::dsl::max(audit_sealed::audit_id)).first(conn)?;
    let unsealed = audit::table
        .left_join(audit_sealed::table.on(audit_sealed::audit_id.eq(audit::id)))
        .filter(audit_sealed::seal_id.is_null())
        .filter(audit::id.gt(last_sealed.map_or(0, |newest| newest - LOOK_BACK)))
        .count()
        .get_result(conn)?;
    Ok(SealState { head, last_sealed, unsealed })
}

/// Something that does not agree in the trail.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum AuditFault {
    /// A row's columns do not give its hash.
    ChangedRow {
        /// The row.
        id: i64,
    },
    /// A sealed row is gone.
    MissingRow {
        /// The row.
        id: i64,
        /// The seal that names it.
        seal: i64,
    },
    /// A seal's hash does not follow from its rows and the seal before it.
    BrokenSeal {
        /// The seal.
        seal: i64,
    },
}

/// Checks every seal and every sealed row.
///
/// # Errors
/// What the database says; what does not agree is the answer, not an error.
pub fn audit_verify(conn: &mut Connection) -> Result<Vec<AuditFault>, StoreError> {
    let mut faults = Vec::new();
    let seals: Vec<(i64, i32, String, String)> = audit_seals::table
        .order(audit_seals::id)
        .select((audit_seals::id, audit_seals::rows_sealed, audit_seals::previous_hash, audit_seals::hash))
        .load(conn)?;
    let mut previous = String::new();
    for (seal, count, previous_hash, hash) in seals {
        let named: Vec<i64> = audit_sealed::table
            .filter(audit_sealed::seal_id.eq(seal))
            .order(audit_sealed::audit_id)
            .select(audit_sealed::audit_id)
            .load(conn)?;
        let rows: Vec<AuditRow> = audit::table
            .inner_join(audit_sealed::table.on(audit_sealed::audit_id.eq(audit::id)))
            .filter(audit_sealed::seal_id.eq(seal))
            .order(audit::id)
            .select(AuditRow::as_select())
            .load(conn)?;
        let present: std::collections::BTreeSet<i64> = rows.iter().map(|row| row.id).collect();
        faults
            .extend(named.iter().filter(|id| !present.contains(id)).map(|id| AuditFault::MissingRow { id: *id, seal }));
        faults.extend(
            rows.iter().filter(|row| own_hash(row) != row.own_hash).map(|row| AuditFault::ChangedRow { id: row.id }),
        );
        let hashes: Vec<(i64, String)> = rows.into_iter().map(|row| (row.id, row.own_hash)).collect();
        let whole = usize::try_from(count).is_ok_and(|count| count == hashes.len());
        if !whole || previous_hash != previous || seal_hash(&previous_hash, &hashes) != hash {
            faults.push(AuditFault::BrokenSeal { seal });
        }
        previous = hash;
    }
    Ok(faults)
}
