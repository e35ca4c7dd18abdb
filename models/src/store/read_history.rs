//! What readers have read, as the next plan needs it.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{PatientId, ReaderId};
use crate::schema::{cases, reads};
use crate::state::ReadState;

/// A read that somebody signed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignedRead {
    /// Who.
    pub reader: ReaderId,
    /// When.
    pub at: NaiveDateTime,
    /// Its expected minutes.
    pub minutes: f64,
}

/// What these readers have signed since a time.
///
/// # Errors
/// What the database says.
pub fn read_list_signed_since(
    conn: &mut Connection,
    readers: &[ReaderId],
    since: NaiveDateTime,
) -> Result<Vec<SignedRead>, StoreError> {
    let rows: Vec<(Option<ReaderId>, Option<NaiveDateTime>, f64)> = reads::table
        .filter(reads::reader_id.eq_any(readers).assume_not_null())
        .filter(reads::state.eq(ReadState::Signed))
        .filter(reads::signed_at.ge(since).assume_not_null())
        .select((reads::reader_id, reads::signed_at, reads::expected_minutes))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(reader, at, minutes)| Some(SignedRead { reader: reader?, at: at?, minutes }))
        .collect())
}

/// Which of these readers have signed a read of which of these patients, whenever; each pair once.
///
/// # Errors
/// What the database says.
pub fn patient_list_known(
    conn: &mut Connection,
    readers: &[ReaderId],
    patients: &[PatientId],
) -> Result<Vec<(ReaderId, PatientId)>, StoreError> {
    let rows: Vec<(Option<ReaderId>, PatientId)> = reads::table
        .inner_join(cases::table.on(cases::id.eq(reads::case_id)))
        .filter(cases::patient_id.eq_any(patients))
        .filter(reads::reader_id.eq_any(readers).assume_not_null())
        .filter(reads::state.eq(ReadState::Signed))
        .select((reads::reader_id, cases::patient_id))
        .distinct()
        .load(conn)?;
    Ok(rows.into_iter().filter_map(|(reader, patient)| Some((reader?, patient))).collect())
}
