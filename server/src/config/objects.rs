//! Where images and artefacts are kept.
//!
//! | key | variable | default | meaning |
//! |---|---|---|---|
//! | `objects.url` | `OBJECTS_URL` | `file://DIR/objects` | `file:///FOLDER` or `s3://BUCKET/PREFIX` |
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
}

impl Objects {
    pub(super) fn take(source: &mut Source, paths: &Paths) -> Self {
        let set: Option<String> = source.optional_named("objects.url", "OBJECTS_URL");
        let is_set = set.is_some();
        let url = set.unwrap_or_else(|| format!("file://{}", paths.data.join("objects").display()));
        if !url.starts_with("file://") && !url.starts_with("s3://") {
            source.fault("objects.url", "must begin with file:// or s3://");
        }
        Self { url, is_set }
    }
}
