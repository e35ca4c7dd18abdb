//! Readers' signing keys: the certificate in the open, the private key sealed.
//!
//! A reader has one key in force. The sealed bytes are of no use without the
//! master key, which is never in the database.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::ReaderId;
use crate::schema::signing_keys;

/// A reader's key. `Debug` hides the sealed part.
#[derive(Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = signing_keys)]
pub struct SigningKeyRow {
    /// The row's id.
    pub id: i64,
    /// The reader.
    pub reader_id: ReaderId,
    /// The chain as PEM, the reader's own certificate first.
    pub certificate_pem: String,
    /// The private key, sealed.
    pub sealed_key: Vec<u8>,
    /// When it was made.
    pub created_at: NaiveDateTime,
}

impl std::fmt::Debug for SigningKeyRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKeyRow").field("id", &self.id).field("reader", &self.reader_id).finish_non_exhaustive()
    }
}

/// The key a reader signs with.
///
/// # Errors
/// What the database says.
pub fn signing_key_of(conn: &mut Connection, reader: ReaderId) -> Result<Option<SigningKeyRow>, StoreError> {
    Ok(signing_keys::table
        .filter(signing_keys::reader_id.eq(reader))
        .filter(signing_keys::revoked_at.is_null())
        .order(signing_keys::id)
        .select(SigningKeyRow::as_select())
        .first(conn)
        .optional()?)
}

/// Keeps a reader's new key.
///
/// # Errors
/// What the database says.
pub fn signing_key_add_in_tx(
    conn: &mut Connection,
    reader: ReaderId,
    certificate_pem: &str,
    sealed_key: &[u8],
    at: NaiveDateTime,
) -> Result<i64, StoreError> {
    Ok(diesel::insert_into(signing_keys::table)
        .values((
            signing_keys::reader_id.eq(reader),
            signing_keys::certificate_pem.eq(certificate_pem),
            signing_keys::sealed_key.eq(sealed_key),
            signing_keys::created_at.eq(at),
        ))
        .returning(signing_keys::id)
        .get_result(conn)?)
}

/// Ends a key; reports signed with it stay valid.
///
/// # Errors
/// [`StoreError::Repeat`] when it was ended before.
pub fn signing_key_revoke_in_tx(conn: &mut Connection, key: i64, at: NaiveDateTime) -> Result<(), StoreError> {
    let changed = diesel::update(signing_keys::table.find(key).filter(signing_keys::revoked_at.is_null()))
        .set(signing_keys::revoked_at.eq(Some(at)))
        .execute(conn)?;
    if changed == 0 { Err(StoreError::Repeat("the key's end")) } else { Ok(()) }
}
