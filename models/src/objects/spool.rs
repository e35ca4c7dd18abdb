//! An object that is too long for memory, on its way into the store.
//!
//! It is written into a temporary file and hashed as it comes. In a folder, and in a spool before a bucket, that file
//! becomes the object, by a rename; to a bucket it is sent in parts. Dropping it removes it; what a crash leaves is
//! removed by [`Objects::sweep_temporary`].

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, WriteMultipart};
use sha2::{Digest, Sha256};

use super::folder::Folder;
use super::{KeptObject, ObjectError, Objects};

/// Bytes read or sent at once.
const PART: usize = 8 << 20;
/// Parts under way at once.
const PARTS: usize = 2;

/// The temporary file.
pub struct Spool {
    file: File,
    /// `None` when there is nothing to remove any more.
    pub(super) path: Option<PathBuf>,
    hash: Sha256,
    len: u64,
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spool").field("len", &self.len).finish_non_exhaustive()
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if let Some(path) = self.path.take()
            && let Err(error) = std::fs::remove_file(path)
        {
            tracing::warn!(%error, "a spool file could not be removed");
        }
    }
}

impl Spool {
    /// Appends bytes. Blocks on the disk.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`]: no room, most likely.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), ObjectError> {
        self.file.write_all(bytes).map_err(unavailable)?;
        self.hash.update(bytes);
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Bytes so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Fills `bytes` from `at`. Blocks on the disk.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`], also when there are not so many bytes.
    pub fn read_exact_at(&self, bytes: &mut [u8], at: u64) -> Result<(), ObjectError> {
        self.file.read_exact_at(bytes, at).map_err(unavailable)
    }

    /// SHA-256 of what was written, in lower-case hexadecimal.
    pub fn sha256(&self) -> String {
        hex::encode(self.hash.clone().finalize())
    }
}

impl Objects {
    /// Begins an object that is too long for memory. Blocks on the disk.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`].
    pub fn spool(&self) -> Result<Spool, ObjectError> {
        let (file, path) = match &self.spool {
            Some(spool) => spool.temporary(),
            None => self.temporary_folder().temporary(),
        }
        .map_err(unavailable)?;
        Ok(Spool { file, path: Some(path), hash: Sha256::new(), len: 0 })
    }

    /// Where long objects are written while they come, without a spool in front of a bucket.
    fn temporary_folder(&self) -> Folder {
        self.folder.clone().unwrap_or_else(|| Folder::new(std::env::temp_dir().join("dokuei-spool")))
    }

    /// Removes half-received objects that a crash left: all of them where nobody else can be writing (a journal or a
    /// spool is one process's), else those that nobody has written to for `idle`. Returns how many. Blocks on the disk.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`].
    pub fn sweep_temporary(&self, idle: Duration) -> Result<usize, ObjectError> {
        let idle = if self.journal.is_some() { None } else { Some(idle) };
        self.temporary_folder().sweep_temporary(idle).map_err(unavailable)
    }

    /// Keeps a spooled object durably under `FOLDER/ab/SHA256`, as [`Objects::keep`] does.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`]; then nothing may be acknowledged.
    pub async fn keep_spool(&self, folder: &str, mut spool: Spool) -> Result<KeptObject, ObjectError> {
        let sha256 = spool.sha256();
        let key = Self::key(folder, &sha256);
        let size = i64::try_from(spool.len).unwrap_or(i64::MAX);
        let kept = KeptObject { key: key.clone(), sha256, size };
        if let Some(waiting) = &self.spool
            && waiting.takes(folder).await?
        {
            waiting.keep_spool(&kept, spool).await?;
        } else if let Some(place) = self.folder.clone() {
            let moved = tokio::task::spawn_blocking(move || {
                let Some(path) = spool.path.take() else { return Ok(()) };
                let mut placing = place.placing();
                placing.rename(path, &key);
                placing.finish()
            });
            moved.await.map_err(|error| ObjectError::Unavailable(error.to_string()))?.map_err(unavailable)?;
        } else {
            send_parts(&*self.store, &key, spool.file.try_clone().map_err(unavailable)?).await?;
        }
        Ok(kept)
    }
}

/// Sends a file to a bucket in parts.
pub(super) async fn send_parts(store: &dyn ObjectStore, key: &str, mut file: File) -> Result<(), ObjectError> {
    let mut upload = WriteMultipart::new_with_chunk_size(store.put_multipart(&Path::from(key)).await?, PART);
    file.rewind().map_err(unavailable)?;
    loop {
        let read = tokio::task::spawn_blocking(move || {
            let mut part = Vec::new();
            (&mut file).take(PART as u64).read_to_end(&mut part).map(|_| (file, part))
        });
        let (back, part) =
            read.await.map_err(|error| ObjectError::Unavailable(error.to_string()))?.map_err(unavailable)?;
        file = back;
        if part.is_empty() {
            upload.finish().await?;
            return Ok(());
        }
        upload.wait_for_capacity(PARTS).await?;
        upload.put(Bytes::from(part));
    }
}

fn unavailable(error: std::io::Error) -> ObjectError {
    ObjectError::Unavailable(format!("the spool: {error}"))
}
