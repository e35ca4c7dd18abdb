//! An object's bytes in pieces, for what must not be held whole in memory.

use std::ops::Range;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, GetResult, ObjectStoreExt as _};

use super::{ObjectError, Objects};

/// Bytes of a piece from a folder.
const PIECE: u64 = 1 << 20;

/// Pieces of an object, in order.
pub struct ObjectStream {
    /// Bytes of the whole object, whatever part of it was asked for.
    pub size: u64,
    /// The pieces. One that fails is the last.
    pub pieces: BoxStream<'static, Result<Bytes, ObjectError>>,
}

impl std::fmt::Debug for ObjectStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectStream").field("size", &self.size).finish_non_exhaustive()
    }
}

impl ObjectStream {
    pub(super) fn of(got: GetResult) -> Self {
        let size = got.meta.size;
        Self { size, pieces: got.into_stream().map(|piece| piece.map_err(ObjectError::from)).boxed() }
    }
}

impl Objects {
    /// An object's length in bytes.
    ///
    /// # Errors
    /// [`ObjectError::Missing`] or [`ObjectError::Unavailable`].
    pub async fn size(&self, key: &str) -> Result<u64, ObjectError> {
        if let Some(record) = self.journal().and_then(|journal| journal.find(key)) {
            return Ok(record.len());
        }
        if self.folder.is_some() {
            return Ok(self.store.head(&Path::from(key)).await?.size);
        }
        Ok(self.open_anywhere(key, GetOptions { head: true, ..GetOptions::default() }).await?.meta.size)
    }

    /// The bytes of `range`, or all of them, in pieces. A range is cut at the object's end.
    ///
    /// # Errors
    /// [`ObjectError::Missing`] or [`ObjectError::Unavailable`].
    pub async fn get_stream(&self, key: &str, range: Option<Range<u64>>) -> Result<ObjectStream, ObjectError> {
        if self.folder.is_none() {
            let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
            return Ok(ObjectStream::of(self.open_anywhere(key, options).await?));
        }
        let size = self.size(key).await?;
        let range = range.map_or(0..size, |range| range.start.min(size)..range.end.min(size));
        let (objects, key) = (self.clone(), key.to_owned());
        let pieces = stream::unfold(Some(range.start), move |at| {
            let (objects, key) = (objects.clone(), key.clone());
            async move {
                let at = at.filter(|at| *at < range.end)?;
                let end = range.end.min(at + PIECE);
                let piece = objects.get_range(&key, at..end).await;
                let next = piece.is_ok().then_some(end);
                Some((piece, next))
            }
        });
        Ok(ObjectStream { size, pieces: pieces.boxed() })
    }
}
