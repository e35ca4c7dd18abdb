//! Storage commitments that peers have asked for (PS3.4 annex J), until they are answered.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamp};

use crate::codes::codes;
use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{EndpointId, SiteId};
use crate::schema::{commitments, instances};
use crate::store::jobs::{self, NewJob};

codes! {
    /// Where a commitment stands.
    CommitmentState {
        /// The peer waits for its answer.
        Asked => "asked",
        /// The peer has confirmed that it heard the answer.
        Reported => "reported",
        /// It could not be told for so long that nobody tries any more; it may ask again.
        Expired => "expired",
    }
}

/// An object that a peer asks about: SOP class and instance UID.
pub type Reference = (String, String);

/// A commitment.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = commitments)]
pub struct CommitmentRow {
    /// The row's id.
    pub id: i64,
    /// The site.
    pub site_id: SiteId,
    /// Who asked.
    pub endpoint_id: EndpointId,
    /// Transaction UID (0008,1195).
    pub transaction_uid: String,
    /// What was asked about, as a JSON array of [`Reference`].
    pub items: String,
    /// Where it stands.
    pub state: CommitmentState,
    /// How many are safe here, once reported.
    pub committed: i32,
    /// How many are not, once reported.
    pub failed: i32,
    /// When it was asked for.
    pub asked_at: NaiveDateTime,
    /// When the peer heard the answer.
    pub reported_at: Option<NaiveDateTime>,
}

impl CommitmentRow {
    /// What was asked about.
    ///
    /// # Errors
    /// The row was not written by [`commitment_ask_in_tx`].
    pub fn references(&self) -> Result<Vec<Reference>, StoreError> {
        serde_json::from_str(&self.items)
            .map_err(|_| StoreError::Damaged("a commitment's items are no list".to_owned()))
    }
}

/// Keeps the question. The same transaction of the same endpoint is one question. With `job` the answer is brought by
/// that job, whose key is the row's id.
///
/// # Errors
/// What the database says.
pub fn commitment_ask_in_tx(
    conn: &mut Connection,
    site: SiteId,
    endpoint: EndpointId,
    transaction_uid: &str,
    items: &[Reference],
    job: Option<&'static str>,
    at: NaiveDateTime,
) -> Result<i64, StoreError> {
    diesel::sql_query(
        "INSERT INTO commitments (site_id, endpoint_id, transaction_uid, items, state, committed, failed, asked_at) \
         VALUES ($1, $2, $3, $4, 'asked', 0, 0, $5) ON CONFLICT DO NOTHING",
    )
    .bind::<BigInt, _>(site.0)
    .bind::<BigInt, _>(endpoint.0)
    .bind::<Text, _>(transaction_uid)
    .bind::<Text, _>(serde_json::json!(items).to_string())
    .bind::<Timestamp, _>(at)
    .execute(conn)?;
    let id: i64 = commitments::table
        .filter(commitments::endpoint_id.eq(endpoint))
        .filter(commitments::transaction_uid.eq(transaction_uid))
        .select(commitments::id)
        .first(conn)?;
    // Asked again after nobody tried any more, it is a question again.
    diesel::update(commitments::table.find(id).filter(commitments::state.eq(CommitmentState::Expired)))
        .set((commitments::state.eq(CommitmentState::Asked), commitments::asked_at.eq(at)))
        .execute(conn)?;
    if let Some(kind) = job {
        jobs::enqueue_in_tx(conn, &NewJob::now(kind, id.to_string(), at))?;
    }
    Ok(id)
}

/// Ends what was asked before a time and could not be told. Gives how many there were.
///
/// # Errors
/// What the database says.
pub fn commitment_expire_in_tx(conn: &mut Connection, asked_before: NaiveDateTime) -> Result<usize, StoreError> {
    let old = commitments::table
        .filter(commitments::state.eq(CommitmentState::Asked))
        .filter(commitments::asked_at.lt(asked_before));
    Ok(diesel::update(old).set(commitments::state.eq(CommitmentState::Expired)).execute(conn)?)
}

/// What a peer asked last, the newest first.
///
/// # Errors
/// What the database says.
pub fn commitment_list(
    conn: &mut Connection,
    endpoint: EndpointId,
    limit: i64,
) -> Result<Vec<CommitmentRow>, StoreError> {
    Ok(commitments::table
        .filter(commitments::endpoint_id.eq(endpoint))
        .order(commitments::id.desc())
        .limit(limit)
        .select(CommitmentRow::as_select())
        .load(conn)?)
}

/// One commitment.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none.
pub fn commitment_get(conn: &mut Connection, commitment: i64) -> Result<CommitmentRow, StoreError> {
    commitments::table.find(commitment).select(CommitmentRow::as_select()).first(conn).or_not_found("the commitment")
}

/// The peer has heard the answer.
///
/// # Errors
/// What the database says.
pub fn commitment_reported_in_tx(
    conn: &mut Connection,
    commitment: i64,
    committed: i32,
    failed: i32,
    at: NaiveDateTime,
) -> Result<(), StoreError> {
    diesel::update(commitments::table.find(commitment))
        .set((
            commitments::state.eq(CommitmentState::Reported),
            commitments::committed.eq(committed),
            commitments::failed.eq(failed),
            commitments::reported_at.eq(Some(at)),
        ))
        .execute(conn)?;
    Ok(())
}

/// Where a kept instance's bytes should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// SOPInstanceUID.
    pub sop_instance_uid: String,
    /// SOPClassUID.
    pub sop_class_uid: String,
    /// The object.
    pub object_key: String,
    /// Bytes.
    pub size: i64,
}

/// Those of a site's instances that are kept and not hidden, in no order.
///
/// # Errors
/// What the database says.
pub fn kept_of(conn: &mut Connection, site: SiteId, uids: &[String]) -> Result<Vec<Kept>, StoreError> {
    let mut kept = Vec::new();
    // SQLite bounds the values of one statement.
    for some in uids.chunks(500) {
        let rows: Vec<(String, String, String, i64)> = instances::table
            .filter(instances::site_id.eq(site))
            .filter(instances::sop_instance_uid.eq_any(some))
            .filter(instances::hidden_at.is_null())
            .select((instances::sop_instance_uid, instances::sop_class_uid, instances::object_key, instances::size))
            .load(conn)?;
        kept.extend(rows.into_iter().map(|(sop_instance_uid, sop_class_uid, object_key, size)| Kept {
            sop_instance_uid,
            sop_class_uid,
            object_key,
            size,
        }));
    }
    Ok(kept)
}
