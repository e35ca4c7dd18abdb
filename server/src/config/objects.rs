//! Where images and artefacts are kept.
//!
//! | key | variable | default | meaning |
//! |---|---|---|---|
//! | `objects.url` | `OBJECTS_URL` | `file://DIR/objects` | `file:///FOLDER` or `s3://BUCKET/PREFIX` |
//! | `objects.journal_mib` | `DOKUEI_OBJECTS_JOURNAL_MIB` | `1024` | disk for the journal that received images are written to first, where `dokuei run` keeps them in a folder beside SQLite; 0 for none |
//!
//! An S3 store's region, endpoint and keys come from the customary `AWS_*` variables
//! (`AWS_REGION`, `AWS_ENDPOINT`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`).

use super::{Paths, Source};

/// See the module's table.
#[derive(Debug, Clone)]
pub struct Objects {
    pub url: String,
    /// Whether somebody set the address, or it is the embedded default.
    pub is_set: bool,
    pub journal_mib: u32,
}

impl Objects {
    /// The journal's length at most.
    pub fn journal_bytes(&self) -> u64 {
        u64::from(self.journal_mib) << 20
    }

    pub(super) fn take(source: &mut Source, paths: &Paths) -> Self {
        let set: Option<String> = source.optional_named("objects.url", "OBJECTS_URL");
        let is_set = set.is_some();
        let url = set.unwrap_or_else(|| format!("file://{}", paths.data.join("objects").display()));
        if !url.starts_with("file://") && !url.starts_with("s3://") {
            source.fault("objects.url", "must begin with file:// or s3://");
        }
        Self { url, is_set, journal_mib: source.value("objects.journal_mib", 1024) }
    }
}
