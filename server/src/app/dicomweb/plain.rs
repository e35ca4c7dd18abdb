//! An instance without compression, for a client that takes nothing else.

use bytes::Bytes;
use dokuei_dicom_gateway::part10;
use dokuei_dicom_gateway::transcode::{self, MAX_BYTES, Target, TranscodeError};
use dokuei_models::store::studies::InstanceRow;
use tokio::sync::Semaphore;

use super::objects;
use crate::error::codes::dicomweb as codes;
use crate::error::{Error, Result};
use crate::state::State;

/// Objects and frames decoded at once: each is in memory, compressed and not.
pub(super) static TURNS: Semaphore = Semaphore::const_new(2);

/// Whether an object of this transfer syntax can be asked for in that one: as it is, or turned into it.
pub fn is_given_as(stored: &str, target: Target) -> bool {
    stored == target.uid() || Target::of(stored).contains(&target)
}

/// The file in that transfer syntax: the object itself if it is in it.
///
/// # Errors
/// `dicomweb_not_converted` where it cannot be decoded or is too large for that, `image_altered`, the store's.
pub async fn file(state: &State, row: &InstanceRow, target: Target) -> Result<Bytes> {
    turned(state, row, target).await?.map_err(refused)
}

/// The same, with the reason why it cannot be made as it is.
///
/// # Errors
/// `image_altered`, the store's.
pub async fn turned(state: &State, row: &InstanceRow, target: Target) -> Result<Result<Bytes, TranscodeError>> {
    if usize::try_from(row.size).map_or(true, |size| size > MAX_BYTES) {
        return Ok(Err(TranscodeError::TooLarge));
    }
    let _turn = TURNS.acquire().await.map_err(Error::internal)?;
    let stored = state.objects.get_checked(&row.object_key, &row.sha256).await.map_err(objects::not_given)?;
    if row.transfer_syntax == target.uid() {
        return Ok(Ok(stored));
    }
    let mut file = part10::file_meta(&row.sop_class_uid, &row.sop_instance_uid, target.uid());
    let turning = tokio::task::spawn_blocking(move || {
        transcode::dataset(&stored, target).map(|body| {
            file.extend_from_slice(&body);
            file.into()
        })
    });
    turning.await.map_err(Error::internal)
}

fn refused(error: TranscodeError) -> Error {
    Error::new(&codes::NOT_CONVERTED).with("reason", error)
}
