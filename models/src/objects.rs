//! The bytes: instances, request forms, signed reports. A local folder or an S3 bucket.
//!
//! An object's key holds its content's hash, so that equal bytes are one object
//! and a half-written one can never stand for a whole one. [`Objects::keep`]
//! returns only when the bytes survive a power cut: a local folder syncs the
//! file and the folder it is renamed into. In front of a bucket there may be a
//! [spool](BucketSpool) on this machine's disk, which is enough; then bytes are
//! sought there, at the other nodes' spools and in the bucket, in this order.

mod aside;
mod bucket_spool;
mod folder;
mod journal;
mod spool;
mod stream;

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, RetryConfig};
use sha2::{Digest, Sha256};

use crate::db::Db;

pub use self::aside::{Aside, StoredObject};
use self::bucket_spool::Nodes;
pub use self::bucket_spool::{BucketSpool, SpoolSettings};
use self::folder::Folder;
pub use self::journal::{Journal, Record};
pub use self::spool::Spool;
pub use self::stream::ObjectStream;

/// Where the objects are.
#[derive(Clone, PartialEq, Eq)]
pub enum ObjectsUrl {
    /// A folder.
    Folder(PathBuf),
    /// `s3://bucket/prefix`, the prefix may be empty; key, secret, region and endpoint come from the `AWS_*`
    /// environment.
    S3 {
        /// The bucket.
        bucket: String,
        /// What every key begins with.
        prefix: String,
    },
}

impl std::fmt::Debug for ObjectsUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Folder(path) => f.debug_tuple("Folder").field(path).finish(),
            Self::S3 { bucket, prefix } => f.debug_tuple("S3").field(bucket).field(prefix).finish(),
        }
    }
}

/// An address that is neither `file:///...` nor `s3://...`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("an address of objects is file:///FOLDER or s3://BUCKET/PREFIX")]
pub struct UnknownObjects;

impl FromStr for ObjectsUrl {
    type Err = UnknownObjects;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("file://") {
            Ok(Self::Folder(PathBuf::from(path)))
        } else if let Some(place) =
            text.strip_prefix("s3://").filter(|place| !place.starts_with('/') && !place.is_empty())
        {
            let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
            Ok(Self::S3 { bucket: bucket.to_owned(), prefix: prefix.trim_matches('/').to_owned() })
        } else {
            Err(UnknownObjects)
        }
    }
}

/// How long a bucket that fails is asked again: a sender who hears that it is down tries again himself.
const PATIENCE: Duration = Duration::from_secs(15);

/// A failed object call.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ObjectError {
    /// No such object.
    #[error("the object is missing")]
    Missing,
    /// The stored bytes are not the ones that were stored.
    #[error("the object's bytes have changed since they were stored")]
    Altered,
    /// The store cannot be reached or has no room.
    #[error("the object store is unavailable: {0}")]
    Unavailable(String),
    /// So much waits for the bucket that nothing more is taken.
    #[error("the spool is full: the bucket has to take what waits first")]
    Full,
}

impl From<object_store::Error> for ObjectError {
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::Missing,
            other => Self::Unavailable(other.to_string()),
        }
    }
}

/// What was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptObject {
    /// Where it is.
    pub key: String,
    /// SHA-256 in lower-case hexadecimal.
    pub sha256: String,
    /// Bytes.
    pub size: i64,
}

/// A handle to the objects.
#[derive(Clone)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    /// Where they are, if that is a folder.
    folder: Option<Folder>,
    journal: Option<Journal>,
    spool: Option<BucketSpool>,
    nodes: Option<Nodes>,
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Objects")
    }
}

impl Objects {
    /// Opens the store; a folder is made if it is missing.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`] when it cannot be opened.
    pub fn open(url: &ObjectsUrl) -> Result<Self, ObjectError> {
        let (store, folder): (Arc<dyn ObjectStore>, _) = match url {
            ObjectsUrl::Folder(path) => {
                std::fs::create_dir_all(path)
                    .map_err(|error| ObjectError::Unavailable(format!("{}: {error}", path.display())))?;
                let store = LocalFileSystem::new_with_prefix(path)?.with_fsync(true);
                (Arc::new(store), Some(Folder::new(path.clone())))
            }
            ObjectsUrl::S3 { bucket, prefix } => {
                let retry = RetryConfig { retry_timeout: PATIENCE, ..RetryConfig::default() };
                let whole = AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(retry).build()?;
                let store: Arc<dyn ObjectStore> = if prefix.is_empty() {
                    Arc::new(whole)
                } else {
                    Arc::new(PrefixStore::new(whole, prefix.as_str()))
                };
                (store, None)
            }
        };
        Ok(Self { store, folder, journal: None, spool: None, nodes: None })
    }

    /// The same with a [`Journal`] of about `capacity` bytes in front, where the objects are in a folder that no other
    /// process reads. What a crash left in the journal comes with it and is to be filed before anybody asks.
    ///
    /// # Errors
    /// As [`Objects::open`].
    pub fn open_journaled(url: &ObjectsUrl, capacity: u64) -> Result<(Self, Vec<Arc<Record>>), ObjectError> {
        let mut objects = Self::open(url)?;
        let Some(folder) = objects.folder.clone().filter(|_| capacity > 0) else { return Ok((objects, Vec::new())) };
        let place = folder.root().join("journal");
        let (journal, left) = Journal::open(&place, folder, capacity)?;
        objects.journal = Some(journal);
        Ok((objects, left))
    }

    /// The same with a spool in front of its bucket, and with a `token` for asking other nodes for what waits in theirs.
    /// Over a folder it is the same as without.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`], also where another process has the spool open.
    pub fn through_spool(
        mut self,
        settings: Option<SpoolSettings>,
        token: Option<String>,
        db: &Db,
    ) -> Result<Self, ObjectError> {
        if self.folder.is_none() {
            self.spool = settings.map(|settings| BucketSpool::open(settings, db.clone())).transpose()?;
            self.nodes = token.map(|token| Nodes::new(db.clone(), token));
        }
        Ok(self)
    }

    /// The spool in front of the bucket, where there is one.
    pub fn bucket_spool(&self) -> Option<&BucketSpool> {
        self.spool.as_ref()
    }

    /// The journal, where there is one.
    pub fn journal(&self) -> Option<&Journal> {
        self.journal.as_ref()
    }

    /// The key of an object with this content.
    pub fn key(folder: &str, sha256: &str) -> String {
        format!("{folder}/{}/{sha256}", sha256.get(..2).unwrap_or("00"))
    }

    /// Keeps bytes durably under `FOLDER/ab/SHA256`. The same bytes twice are one object.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`]; then nothing may be acknowledged.
    pub async fn keep(&self, folder: &str, bytes: Bytes) -> Result<KeptObject, ObjectError> {
        let sha256 = hex::encode(Sha256::digest(&bytes));
        self.keep_hashed(folder, sha256, bytes).await
    }

    /// The same, with a hash that the caller has computed while receiving.
    ///
    /// # Errors
    /// As [`Objects::keep`].
    pub async fn keep_hashed(&self, folder: &str, sha256: String, bytes: Bytes) -> Result<KeptObject, ObjectError> {
        let key = Self::key(folder, &sha256);
        let size = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let kept = KeptObject { key, sha256, size };
        match &self.spool {
            Some(spool) if spool.takes(folder).await? => spool.keep(&kept, bytes).await?,
            _ => drop(self.store.put(&Path::from(kept.key.as_str()), bytes.into()).await?),
        }
        Ok(kept)
    }

    /// Gets an object's bytes.
    ///
    /// # Errors
    /// [`ObjectError::Missing`] or [`ObjectError::Unavailable`].
    pub async fn get(&self, key: &str) -> Result<Bytes, ObjectError> {
        if let Some(bytes) = self.journaled(key, 0..u64::MAX).await {
            return bytes;
        }
        Ok(self.open_anywhere(key, GetOptions::default()).await?.bytes().await?)
    }

    /// Gets an object's bytes and holds them against their hash.
    ///
    /// # Errors
    /// As [`Objects::get`], and [`ObjectError::Altered`].
    pub async fn get_checked(&self, key: &str, sha256: &str) -> Result<Bytes, ObjectError> {
        let bytes = self.get(key).await?;
        if hex::encode(Sha256::digest(&bytes)) == sha256 { Ok(bytes) } else { Err(ObjectError::Altered) }
    }

    /// Gets a range of an object's bytes.
    ///
    /// # Errors
    /// [`ObjectError::Missing`] or [`ObjectError::Unavailable`].
    pub async fn get_range(&self, key: &str, range: std::ops::Range<u64>) -> Result<Bytes, ObjectError> {
        if let Some(bytes) = self.journaled(key, range.clone()).await {
            return bytes;
        }
        if self.folder.is_some() {
            return Ok(self.store.get_range(&Path::from(key), range).await?);
        }
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        Ok(self.open_anywhere(key, options).await?.bytes().await?)
    }

    /// Its bytes, if it is in the journal. What is not there is in the folder already.
    async fn journaled(&self, key: &str, range: std::ops::Range<u64>) -> Option<Result<Bytes, ObjectError>> {
        let record = self.journal.as_ref()?.find(key)?;
        let read = tokio::task::spawn_blocking(move || record.read(range)).await;
        Some(read.unwrap_or_else(|error| Err(ObjectError::Unavailable(error.to_string()))))
    }

    /// Writes and reads a small object, for the readiness check; with a spool, there.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`].
    pub async fn probe(&self) -> Result<(), ObjectError> {
        if let Some(spool) = &self.spool {
            return spool.probe().await;
        }
        let path = Path::from("probe/readiness");
        self.store.put(&path, Bytes::from_static(b"ready").into()).await?;
        self.store.get(&path).await?.bytes().await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_folder_or_a_bucket_with_or_without_a_prefix() {
        let s3 = |bucket: &str, prefix: &str| ObjectsUrl::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() };
        for (text, meant) in [
            ("file:///srv/objects", ObjectsUrl::Folder(PathBuf::from("/srv/objects"))),
            ("s3://data", s3("data", "")),
            ("s3://data/", s3("data", "")),
            ("s3://data/dokuei/a/", s3("data", "dokuei/a")),
        ] {
            assert_eq!(text.parse(), Ok(meant), "{text}");
        }
        for text in ["s3://", "s3:///dokuei", "/srv/objects", "http://data"] {
            assert_eq!(text.parse::<ObjectsUrl>(), Err(UnknownObjects), "{text}");
        }
    }
}
