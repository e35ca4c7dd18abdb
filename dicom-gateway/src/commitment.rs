//! The truth of a storage commitment, and how it is told (PS3.4 annex J).
//!
//! An object is committed to if its index row is committed and its bytes are there to their end. Bytes are synced before
//! their row is written, so what is found here survives a power cut.

use dicom_dictionary_std::tags;
use dokuei_models::objects::{ObjectError, Objects};
use dokuei_models::store::commitments::{self, Reference};
use dokuei_models::{Db, SiteId};

use crate::dataset::DataSet;

/// Storage Commitment Push Model SOP Class.
pub const PUSH_MODEL: &str = "1.2.840.10008.1.20.1";
/// Its one well-known SOP instance.
pub const PUSH_MODEL_INSTANCE: &str = "1.2.840.10008.1.20.1.1";

/// The index or the object store can't be asked at the moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what is kept cannot be looked up: {0}")]
pub struct Unknown(String);

/// Which of the objects are safe here, and which are not, with the reason (Failure Reason (0008,1197)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Kept.
    pub committed: Vec<Reference>,
    /// Not kept: 0112H no such instance, 0119H of another SOP class, 0110H its bytes are damaged.
    pub failed: Vec<(Reference, u16)>,
}

/// Looks each object up, its bytes too.
///
/// # Errors
/// Nothing can be said at the moment. That is never told as a failure of the objects.
pub async fn verify(db: &Db, objects: &Objects, site: SiteId, items: &[Reference]) -> Result<Findings, Unknown> {
    let uids: Vec<String> = items.iter().map(|(_, instance)| instance.clone()).collect();
    let kept = db.read(move |conn| commitments::kept_of(conn, site, &uids)).await;
    let kept = kept.map_err(|error| Unknown(error.to_string()))?;
    let kept: std::collections::HashMap<&str, &commitments::Kept> =
        kept.iter().map(|kept| (kept.sop_instance_uid.as_str(), kept)).collect();
    let mut findings = Findings::default();
    for item in items {
        let reason = match kept.get(item.1.as_str()) {
            None => Some(0x0112),
            Some(kept) if kept.sop_class_uid != item.0 => Some(0x0119),
            Some(kept) => {
                let size = u64::try_from(kept.size).unwrap_or(0);
                match objects.get_range(&kept.object_key, size.saturating_sub(1)..size).await {
                    Ok(last) if last.len() == 1 => None,
                    Ok(_) | Err(ObjectError::Missing) => Some(0x0110),
                    Err(error) => return Err(Unknown(error.to_string())),
                }
            }
        };
        match reason {
            None => findings.committed.push(item.clone()),
            Some(reason) => findings.failed.push((item.clone(), reason)),
        }
    }
    Ok(findings)
}

impl Findings {
    /// Event Type ID: 1 all are safe, 2 some are not (PS3.4 table J.3-2).
    pub fn event_type(&self) -> u16 {
        if self.failed.is_empty() { 1 } else { 2 }
    }

    /// The event's information.
    pub fn report(&self, transaction_uid: &str, ours: &str) -> DataSet {
        let item = |(class, instance): &Reference| {
            let mut item = DataSet::default();
            item.put(tags::REFERENCED_SOP_CLASS_UID, &**class).put(tags::REFERENCED_SOP_INSTANCE_UID, &**instance);
            item
        };
        let mut out = DataSet::default();
        out.put(tags::TRANSACTION_UID, transaction_uid).put(tags::RETRIEVE_AE_TITLE, ours);
        if !self.committed.is_empty() {
            out.put_items(tags::REFERENCED_SOP_SEQUENCE, self.committed.iter().map(item).collect());
        }
        if !self.failed.is_empty() {
            let failed = self.failed.iter().map(|(reference, reason)| {
                let mut item = item(reference);
                item.put_u16(tags::FAILURE_REASON, *reason);
                item
            });
            out.put_items(tags::FAILED_SOP_SEQUENCE, failed.collect());
        }
        out
    }
}
