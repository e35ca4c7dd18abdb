//! One image's way onto a medium.
//!
//! The general purpose profiles want explicit little endian without compression (PS3.11 annex D). An object that is so
//! already goes from the store to the packer in pieces. Another one is decompressed in memory, in turn with whoever else
//! decodes whole objects, if it can be and has no more bytes than [`MAX_BYTES`]; else it goes as it was received, in
//! pieces, and the medium says so.

use std::pin::pin;

use bytes::Bytes;
use dokuei_dicom_gateway::dataset::{self, DataSet, Limits};
use dokuei_dicom_gateway::fileset::FileSet;
use dokuei_dicom_gateway::ranged;
use dokuei_dicom_gateway::transcode::{MAX_BYTES, Target, TranscodeError};
use dokuei_models::store::studies::InstanceRow;
use futures_util::TryStreamExt as _;

use super::pack::Outbox;
use crate::app::dicomweb::{objects, plain};
use crate::state::State;

/// A file that could not be made what a medium wants.
#[derive(Debug)]
pub(super) struct AsReceived {
    /// Its path on the medium.
    pub file: String,
    /// What it is in.
    pub transfer_syntax: String,
    /// Why.
    pub reason: Reason,
}

/// Why a file is as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Decompressed it has more bytes than are held in memory.
    TooLarge,
    /// Its pixels cannot be decoded.
    NotDecoded,
}

/// How an object goes onto a medium.
#[derive(Debug, PartialEq, Eq)]
enum Way {
    /// As it is, because that is what a medium wants.
    AsItIs,
    /// Decompressed.
    Decompressed,
    /// As it was received.
    AsReceived(Reason),
}

impl Way {
    fn of(transfer_syntax: &str, size: i64) -> Self {
        if transfer_syntax == Target::Explicit.uid() {
            Self::AsItIs
        } else if usize::try_from(size).is_ok_and(|size| size <= MAX_BYTES) {
            Self::Decompressed
        } else {
            Self::AsReceived(Reason::TooLarge)
        }
    }
}

impl From<TranscodeError> for Reason {
    fn from(error: TranscodeError) -> Self {
        match error {
            TranscodeError::TooLarge => Self::TooLarge,
            TranscodeError::Unreadable(_) | TranscodeError::Pixels(_) => Self::NotDecoded,
        }
    }
}

/// Enters an object into the directory and hands it over. `Some` if it is not what a medium wants.
pub(super) async fn hand_over(
    state: &State,
    row: &InstanceRow,
    set: &mut FileSet,
    outbox: &Outbox,
) -> anyhow::Result<Option<AsReceived>> {
    let reason = match Way::of(&row.transfer_syntax, row.size) {
        Way::AsItIs => None,
        Way::AsReceived(reason) => Some(reason),
        Way::Decompressed => match plain::turned(state, row, Target::Explicit).await? {
            Ok(file) => {
                let (header, file) = read(file).await?;
                let path = set.add(&header, Target::Explicit.uid()).path();
                outbox.file(&path, file).await?;
                return Ok(None);
            }
            Err(error) => {
                tracing::info!(instance = %row.id, %error, "an image goes onto a medium as it was received");
                Some(error.into())
            }
        },
    };
    let (header, transfer_syntax) = ranged::leading(&objects::source(state, row), Limits::default()).await?;
    let path = set.add(&header, &transfer_syntax).path();
    outbox.begin(&path, row.size).await?;
    let mut pieces = pin!(objects::whole(state, row));
    while let Some(piece) = pieces.try_next().await? {
        outbox.piece(piece).await?;
    }
    Ok(reason.map(|reason| AsReceived { file: path, transfer_syntax, reason }))
}

/// The header of a file that is in memory.
async fn read(file: Bytes) -> anyhow::Result<(DataSet, Bytes)> {
    let reading =
        tokio::task::spawn_blocking(move || dataset::read_file(&file, Limits::default()).map(|set| (set, file)));
    Ok(reading.await??)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half a GiB in memory is what decoding may cost; a long angiography does not take the process down.
    #[test]
    fn what_is_too_large_to_be_decompressed_goes_as_it_was_received() {
        let (jpeg, explicit) = ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.1");
        let most = i64::try_from(MAX_BYTES).unwrap();
        assert_eq!(Way::of(explicit, 3 * most), Way::AsItIs);
        assert_eq!(Way::of(jpeg, most), Way::Decompressed);
        assert_eq!(Way::of(jpeg, most + 1), Way::AsReceived(Reason::TooLarge));
        assert_eq!(Reason::from(TranscodeError::TooLarge), Reason::TooLarge, "it was small, but would not stay so");
    }
}
