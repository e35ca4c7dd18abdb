//! Where images and artefacts are kept.
//!
//! | key | variable | default | meaning |
//! |---|---|---|---|
//! | `objects.url` | `OBJECTS_URL` | `file://DIR/objects` | `file:///FOLDER` or `s3://BUCKET/PREFIX` |
//! | `objects.journal_mib` | `DOKUEI_OBJECTS_JOURNAL_MIB` | `1024` | disk for the journal that received images are written to first, where `dokuei run` keeps them in a folder beside SQLite; 0 for none |
//! | `objects.spool` | `DOKUEI_OBJECTS_SPOOL` | none | a folder on this machine's disk, in front of a bucket: what is safe there is answered, and copied after. One process's own. Without it the bucket has an object before it is answered |
//! | `objects.spool_mib` | `DOKUEI_OBJECTS_SPOOL_MIB` | `51200` | what may wait there; then nothing more is taken |
//! | `objects.spool_not_for` | `DOKUEI_OBJECTS_SPOOL_NOT_FOR` | none | codes of sites whose images are answered only when the bucket has them |
//! | `objects.node_url` | `DOKUEI_OBJECTS_NODE_URL` | `http://` and where HTTP listens | where other processes of the installation reach this one, for what waits in its spool |
//! | `objects.node_token` | `DOKUEI_OBJECTS_NODE_TOKEN` | none | what the processes of an installation know each other by, the same for all, 32 characters or more; roles apart need it where one has a spool |
//!
//! An S3 store's region, endpoint and keys come from the customary `AWS_*` variables
//! (`AWS_REGION`, `AWS_ENDPOINT`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`).

use std::path::PathBuf;

use dokuei_models::objects::SpoolSettings;

use super::{Paths, Secret, Source};

/// See the module's table.
#[derive(Debug, Clone)]
pub struct Objects {
    pub url: String,
    /// Whether somebody set the address, or it is the embedded default.
    pub is_set: bool,
    pub journal_mib: u32,
    pub spool: Option<PathBuf>,
    pub spool_mib: u64,
    pub spool_not_for: Vec<String>,
    pub node_url: Option<String>,
    pub node_token: Option<Secret>,
}

impl Objects {
    /// The journal's length at most.
    pub fn journal_bytes(&self) -> u64 {
        u64::from(self.journal_mib) << 20
    }

    /// The spool in front of the bucket.
    pub fn spool_settings(&self) -> Option<SpoolSettings> {
        self.spool.clone().map(|folder| SpoolSettings {
            folder,
            capacity: self.spool_mib.saturating_mul(1 << 20),
            without: self.spool_not_for.clone(),
        })
    }

    pub(super) fn take(source: &mut Source, paths: &Paths) -> Self {
        let set: Option<String> = source.optional_named("objects.url", "OBJECTS_URL");
        let is_set = set.is_some();
        let url = set.unwrap_or_else(|| format!("file://{}", paths.data.join("objects").display()));
        if !url.starts_with("file://") && !url.starts_with("s3://") {
            source.fault("objects.url", "must begin with file:// or s3://");
        }
        let objects = Self {
            url,
            is_set,
            journal_mib: source.value("objects.journal_mib", 1024),
            spool: source.optional("objects.spool"),
            spool_mib: source.value("objects.spool_mib", 51_200),
            spool_not_for: source.value("objects.spool_not_for", Vec::new()),
            node_url: source.optional("objects.node_url"),
            node_token: source.optional("objects.node_token"),
        };
        if objects.spool.is_some() && !objects.url.starts_with("s3://") && is_set {
            source.fault("objects.spool", "is for a bucket: objects.url must begin with s3://");
        }
        if objects.node_token.as_ref().is_some_and(|token| token.expose().len() < 32) {
            source.fault("objects.node_token", "must have 32 characters or more");
        }
        if objects.node_url.as_deref().is_some_and(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
            source.fault("objects.node_url", "must begin with http:// or https://");
        }
        objects
    }
}
