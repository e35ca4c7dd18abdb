//! The bytes of an instance: whole and held against their hash, or in parts by offset.

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use dokuei_dicom_gateway::dataset::Limits;
use dokuei_dicom_gateway::ranged::{self, Frames, Head, Piece, Ranged, RangedError, Stored};
use dokuei_models::objects::ObjectError;
use dokuei_models::store::studies::InstanceRow;
use futures_util::Stream;
use futures_util::stream;
use sha2::{Digest as _, Sha256};

use crate::error::codes::{dicomweb as codes, reading};
use crate::error::{Error, Result};
use crate::state::State;

/// Read at once of a whole object, in bytes. Two of these are held while it is given out.
const PIECE: u64 = 2 << 20;
/// What is kept of heads between requests, as many bytes as were read for them.
const KEPT_BYTES: u64 = 32 << 20;
/// A value above this stays in the object and is fetched as bulk data.
pub const INLINE: usize = 64 << 10;

/// Heads of objects that were looked at last, by content hash.
#[derive(Debug, Default)]
pub struct Heads {
    kept: VecDeque<(String, Arc<Opened>)>,
    bytes: u64,
}

/// An object whose head was read.
#[derive(Debug)]
pub struct Opened {
    /// The data set before the pixels.
    pub head: Head,
    frames: tokio::sync::OnceCell<Frames>,
}

impl Opened {
    /// Where its frames are; found once.
    ///
    /// # Errors
    /// That it has none, or why they cannot be told apart.
    pub async fn frames(&self, source: &dyn Ranged) -> Result<&Frames> {
        self.frames.get_or_try_init(|| Frames::find(source, &self.head)).await.map_err(not_read)
    }
}

/// An object from which parts are given.
#[derive(Clone)]
pub struct Source {
    bytes: Arc<dyn Ranged>,
    opened: Arc<Opened>,
}

impl Source {
    /// The instance's object as it is stored.
    ///
    /// # Errors
    /// Why its head cannot be read.
    pub async fn stored(state: &State, row: &InstanceRow) -> Result<Self> {
        Ok(Self { opened: open(state, row).await?, bytes: Arc::new(source(state, row)) })
    }

    /// Its head.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Where its frames are.
    ///
    /// # Errors
    /// As [`Opened::frames`].
    pub async fn frames(&self) -> Result<&Frames> {
        self.opened.frames(&*self.bytes).await
    }

    /// The pieces of a frame, from 1, and their length together.
    ///
    /// # Errors
    /// `dicomweb_no_such_frame`.
    pub async fn pieces(&self, frame: u32) -> Result<(Vec<Piece>, u64)> {
        self.frames().await?.pieces(&*self.bytes, &self.opened.head, frame).await.map_err(not_read)
    }

    /// A piece's bytes.
    ///
    /// # Errors
    /// The store's.
    pub async fn read(&self, piece: &Piece) -> Result<Bytes> {
        piece.read(&*self.bytes, &self.opened.head).await.map_err(not_read)
    }

    /// The samples of a frame, from 1, without compression.
    ///
    /// # Errors
    /// `dicomweb_no_such_frame`, `dicomweb_not_converted`.
    pub async fn decoded(&self, frame: u32) -> Result<Bytes> {
        let _turn = super::plain::TURNS.acquire().await.map_err(Error::internal)?;
        ranged::decoded(&*self.bytes, &self.opened.head, self.frames().await?, frame).await.map_err(not_read)
    }

    /// Bytes of the data set.
    ///
    /// # Errors
    /// The store's.
    pub async fn bytes(&self, at: u64, length: u64) -> Result<Bytes> {
        self.opened.head.bytes(&*self.bytes, at, length).await.map_err(not_read)
    }
}

/// The object of an instance, to be read in part.
pub fn source(state: &State, row: &InstanceRow) -> Stored {
    Stored::new(state.objects.clone(), &row.object_key, u64::try_from(row.size).unwrap_or(0))
}

/// The head of an instance's object.
///
/// # Errors
/// Why it cannot be read.
pub async fn open(state: &State, row: &InstanceRow) -> Result<Arc<Opened>> {
    {
        let heads = state.images().heads.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, opened)) = heads.kept.iter().find(|(sha256, _)| *sha256 == row.sha256) {
            return Ok(Arc::clone(opened));
        }
    }
    let limits = Limits { inline: INLINE, ..Limits::default() };
    let head = ranged::head(&source(state, row), limits).await.map_err(not_read)?;
    let opened = Arc::new(Opened { head, frames: tokio::sync::OnceCell::new() });
    state.images().heads.lock().unwrap_or_else(PoisonError::into_inner).keep(&row.sha256, &opened);
    Ok(opened)
}

impl Heads {
    /// Keeps what fits; the oldest goes first.
    fn keep(&mut self, sha256: &str, opened: &Arc<Opened>) {
        let cost = opened.head.cost;
        if cost > KEPT_BYTES / 4 || self.kept.iter().any(|(known, _)| known == sha256) {
            return;
        }
        self.bytes += cost;
        self.kept.push_back((sha256.to_owned(), Arc::clone(opened)));
        while self.bytes > KEPT_BYTES {
            let Some((_, oldest)) = self.kept.pop_front() else { break };
            self.bytes -= oldest.head.cost;
        }
    }
}

/// The bytes of a whole object, as stored. The last of them come only when all agree with the hash that was written
/// down when it was received: an altered object is never given out as a complete one.
pub fn whole(state: &State, row: &InstanceRow) -> impl Stream<Item = Result<Bytes>> + use<> {
    struct Reading {
        objects: dokuei_models::objects::Objects,
        key: String,
        sha256: String,
        size: u64,
        at: u64,
        hash: Sha256,
    }
    let reading = Reading {
        objects: state.objects.clone(),
        key: row.object_key.clone(),
        sha256: row.sha256.clone(),
        size: u64::try_from(row.size).unwrap_or(0),
        at: 0,
        hash: Sha256::new(),
    };
    stream::try_unfold(reading, |mut reading| async move {
        if reading.at >= reading.size {
            return Ok(None);
        }
        let end = (reading.at + PIECE).min(reading.size);
        let bytes = reading.objects.get_range(&reading.key, reading.at..end).await.map_err(not_given)?;
        reading.hash.update(&bytes);
        reading.at = end;
        if end == reading.size && hex::encode(reading.hash.finalize_reset()) != reading.sha256 {
            return Err(Error::new(&reading::IMAGE_ALTERED));
        }
        Ok(Some((bytes, reading)))
    })
}

/// Why the store did not give bytes.
pub fn not_given(error: ObjectError) -> Error {
    match error {
        ObjectError::Altered => Error::new(&reading::IMAGE_ALTERED),
        other => Error::internal(other),
    }
}

/// Why a part of an object cannot be given.
pub fn not_read(error: RangedError) -> Error {
    match error {
        RangedError::Object(error) => not_given(error),
        RangedError::NoSuchFrame { frame, frames } => {
            Error::new(&codes::NO_SUCH_FRAME).with("frame", frame).with("frames", frames)
        }
        RangedError::NoFrames => Error::new(&codes::NO_FRAMES),
        RangedError::Pixels(error) => Error::new(&codes::NOT_CONVERTED).with("reason", error),
        other => Error::new(&codes::NOT_READABLE).with("reason", other),
    }
}
