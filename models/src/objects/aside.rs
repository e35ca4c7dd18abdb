//! Objects that nothing names: listed, set aside, brought back, deleted.
//!
//! Nothing is deleted where it lies. What is set aside keeps its bytes under
//! another key; whoever stores the same bytes meanwhile makes the object anew,
//! and who has stored them a moment before gets them brought back.

use chrono::{DateTime, NaiveDateTime};
use futures_util::stream::{Stream, StreamExt as _};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore as _, ObjectStoreExt as _};

use super::{ObjectError, Objects};

/// Where objects lie that were set aside: `aside/SECONDS/KEY`.
const ASIDE: &str = "aside";

/// An object as the store lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// Where it is.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// When it was stored last (UTC).
    pub stored_at: NaiveDateTime,
}

/// An object that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aside {
    /// Where it was, and where it is brought back to.
    pub key: String,
    /// Since when (UTC, whole seconds).
    pub since: NaiveDateTime,
    /// Bytes.
    pub size: u64,
}

impl Aside {
    fn path(&self) -> Path {
        Path::from(format!("{ASIDE}/{}/{}", self.since.and_utc().timestamp(), self.key))
    }

    fn of(meta: &ObjectMeta) -> Option<Self> {
        let (since, key) = meta.location.as_ref().strip_prefix(ASIDE)?.strip_prefix('/')?.split_once('/')?;
        let since = DateTime::from_timestamp(since.parse().ok()?, 0)?.naive_utc();
        Some(Self { key: key.to_owned(), since, size: meta.size })
    }
}

/// Whether [`Objects::keep`] makes such a key: `FOLDER/ab/SHA256`.
pub(super) fn is_ours(key: &str) -> bool {
    let mut steps = key.rsplit('/');
    let (Some(hash), Some(shelf), Some(_)) = (steps.next(), steps.next(), steps.next()) else { return false };
    let hexadecimal = hash.len() == 64 && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    hexadecimal && hash.starts_with(shelf) && shelf.len() == 2 && !key.starts_with(&format!("{ASIDE}/"))
}

impl Objects {
    /// Everything that [`Objects::keep`] kept, in no order; what was set aside is left out, and so is whatever else lies
    /// in the same bucket or folder.
    pub fn list(&self) -> impl Stream<Item = Result<StoredObject, ObjectError>> + Send + use<> {
        self.store.list(None).filter_map(move |found| async move {
            match found {
                Ok(meta) if !is_ours(meta.location.as_ref()) => None,
                Ok(meta) => Some(Ok(StoredObject {
                    key: meta.location.to_string(),
                    size: meta.size,
                    stored_at: meta.last_modified.naive_utc(),
                })),
                // Gone since the folder was read.
                Err(object_store::Error::NotFound { .. }) => None,
                Err(error) => Some(Err(error.into())),
            }
        })
    }

    /// What was set aside.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`].
    pub async fn aside(&self) -> Result<Vec<Aside>, ObjectError> {
        let mut found = Vec::new();
        let mut listed = self.store.list(Some(&Path::from(ASIDE)));
        while let Some(meta) = listed.next().await {
            match meta {
                Ok(meta) => found.extend(Aside::of(&meta)),
                Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(found)
    }

    /// Moves an object out of the way. `None` when it is not there.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`].
    pub async fn set_aside(&self, object: &StoredObject, at: NaiveDateTime) -> Result<Option<Aside>, ObjectError> {
        let since = DateTime::from_timestamp(at.and_utc().timestamp(), 0).map_or(at, |time| time.naive_utc());
        let aside = Aside { key: object.key.clone(), since, size: object.size };
        match self.store.rename(&Path::from(object.key.as_str()), &aside.path()).await {
            Ok(()) => Ok(Some(aside)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Moves an object back to where it was: equal key, equal bytes, so that one made anew meanwhile is the same.
    ///
    /// # Errors
    /// [`ObjectError::Missing`] when somebody else was first, [`ObjectError::Unavailable`].
    pub async fn bring_back(&self, aside: &Aside) -> Result<(), ObjectError> {
        Ok(self.store.rename(&aside.path(), &Path::from(aside.key.as_str())).await?)
    }

    /// Deletes an object that was set aside.
    ///
    /// # Errors
    /// [`ObjectError::Unavailable`].
    pub async fn delete_aside(&self, aside: &Aside) -> Result<(), ObjectError> {
        match self.store.delete(&aside.path()).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn only_what_was_kept_here_is_looked_after() {
        let hash = "ab".repeat(32);
        for key in [format!("instances/7/ab/{hash}"), format!("reports/ab/{hash}")] {
            assert!(is_ours(&key), "{key}");
        }
        for key in [
            format!("aside/1790000000/reports/ab/{hash}"),
            format!("ab/{hash}"),
            format!("reports/cd/{hash}"),
            "backup/dokuei.dump".to_owned(),
            "probe/readiness".to_owned(),
            String::new(),
        ] {
            assert!(!is_ours(&key), "{key}");
        }
    }
}
