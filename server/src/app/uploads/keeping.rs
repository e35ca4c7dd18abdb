//! What became of each image of an upload, and the sentence that says why.

use std::collections::BTreeMap;

use dokuei_dicom_gateway::intake::{Archive as _, IndexedArchive, KeepError, Kept, ReceivedObject};
use dokuei_dicom_gateway::media::{Entry, Found, Kind, Refusal};
use dokuei_models::store::images::ArrivalCounts;
use dokuei_models::store::submissions;
use dokuei_models::{ArrivalId, SiteId, StoreError, StudyId};

use super::super::upload_directories;
use super::{Fate, FileReport};
use crate::state::State;

/// How many instances of each study a file brought, by its UID.
pub(super) type Studies = BTreeMap<String, i32>;

/// Keeps what was found and says what became of it.
pub(super) async fn keep(
    state: &State,
    archive: &IndexedArchive,
    (site, upload): (SiteId, ArrivalId),
    entry: Entry,
    counts: &mut ArrivalCounts,
    studies: &mut Studies,
) -> FileReport {
    let said = |fate, words, number, study| FileReport { name: entry.name.clone(), fate, words, number, study };
    let object = match entry.found {
        Found::Dicom(bytes) => Ok(ReceivedObject::from_file(&bytes)),
        Found::Long(long) => archive.take_long(long).await.map(Ok),
        Found::Directory(bytes) => {
            let named = upload_directories::keep(state, upload, bytes).await;
            let words = if named.is_some() { "upload-is-dicomdir" } else { "upload-dicomdir-broken" };
            return said(Fate::Ignored, words, named, None);
        }
        Found::Ignored(kind) => return said(Fate::Ignored, ignored_words(kind), None, None),
        Found::Refused(refusal) => {
            counts.failed += 1;
            let (words, number) = refusal_words(refusal);
            return said(Fate::Refused, words, number, None);
        }
    };
    let kept = match object {
        Ok(Ok(object)) => {
            counts.bytes += i64::try_from(object.size()).unwrap_or(i64::MAX);
            archive.keep(site, upload, object).await
        }
        Ok(Err(_)) => {
            counts.failed += 1;
            return said(Fate::Refused, "upload-not-dicom", None, None);
        }
        Err(error) => Err(error),
    };
    if let Ok(Kept::New(filed) | Kept::Repeat(filed) | Kept::Renewed(filed)) = &kept {
        *studies.entry(filed.study_uid.clone()).or_default() += 1;
    }
    match kept {
        Ok(Kept::New(filed)) => {
            counts.kept += 1;
            said(Fate::Kept, "", None, study(state, site, &filed.study_uid).await)
        }
        Ok(Kept::Repeat(filed)) => {
            counts.repeated += 1;
            said(Fate::Repeated, "upload-repeated", None, study(state, site, &filed.study_uid).await)
        }
        Ok(Kept::Renewed(filed)) => {
            counts.repeated += 1;
            said(Fate::Repeated, "upload-renewed", None, study(state, site, &filed.study_uid).await)
        }
        Ok(Kept::Conflict(filed)) => {
            counts.quarantined += 1;
            said(Fate::Apart, "upload-differs", None, study(state, site, &filed.study_uid).await)
        }
        Ok(Kept::Quarantined(_)) => {
            counts.quarantined += 1;
            said(Fate::Apart, "upload-unreadable", None, None)
        }
        Err(error) => {
            counts.failed += 1;
            tracing::error!(%error, "an uploaded object was not kept");
            let words = if matches!(error, KeepError::Unavailable(_) | KeepError::Full) {
                "upload-unavailable"
            } else {
                "upload-failed"
            };
            said(Fate::Failed, words, None, None)
        }
    }
}

async fn study(state: &State, site: SiteId, uid: &str) -> Option<StudyId> {
    let uid = uid.to_owned();
    match state.db.read(move |conn| submissions::study_of_uid(conn, site, &uid)).await {
        Ok(study) => study,
        Err(error @ StoreError::Unavailable(_)) => {
            tracing::warn!(%error, "an uploaded study was not looked up");
            None
        }
        Err(error) => {
            tracing::error!(%error, "an uploaded study was not looked up");
            None
        }
    }
}

pub(super) fn ignored_words(kind: Kind) -> &'static str {
    match kind {
        // One that is too large to be read.
        Kind::DicomDir => "upload-dicomdir-broken",
        Kind::Pdf | Kind::Jpeg | Kind::Png => "upload-is-form",
        _ => "upload-is-other",
    }
}

pub(super) fn refusal_words(refusal: Refusal) -> (&'static str, Option<u64>) {
    match refusal {
        Refusal::NotDicom => ("upload-not-dicom", None),
        Refusal::Truncated => ("upload-truncated", None),
        Refusal::TooDeep => ("upload-too-deep", None),
        Refusal::BrokenArchive => ("upload-broken-zip", None),
        Refusal::DuplicateNames => ("upload-duplicate-names", None),
        Refusal::Encrypted => ("upload-encrypted", None),
        Refusal::Method => ("upload-method", None),
        Refusal::Checksum => ("upload-checksum", None),
        Refusal::EntryTooLarge(bytes) => ("upload-entry-large", Some(bytes >> 20)),
        Refusal::TotalTooLarge(bytes) => ("upload-total-large", Some(bytes >> 30)),
        Refusal::TooManyEntries(entries) => ("upload-many", Some(entries)),
        Refusal::Ratio(ratio) => ("upload-bomb", Some(ratio)),
        Refusal::Nesting => ("upload-nesting", None),
        Refusal::Io => ("upload-unavailable", None),
        // Damaged, and what a later gateway may add: both ask for a new export.
        _ => ("upload-damaged", None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_words_in_both_languages() {
        use dokuei_terms::Language;
        let refusals = [
            Refusal::NotDicom,
            Refusal::Truncated,
            Refusal::Damaged("x"),
            Refusal::TooDeep,
            Refusal::BrokenArchive,
            Refusal::DuplicateNames,
            Refusal::Encrypted,
            Refusal::Method,
            Refusal::Checksum,
            Refusal::EntryTooLarge(1 << 30),
            Refusal::TotalTooLarge(1 << 34),
            Refusal::TooManyEntries(5),
            Refusal::Ratio(200),
            Refusal::Nesting,
            Refusal::Io,
        ];
        let kinds = [Kind::DicomDir, Kind::Pdf, Kind::Other];
        let more = ["upload-repeated", "upload-differs", "upload-unreadable", "upload-failed", "upload-unavailable"];
        let keys =
            refusals.map(|refusal| refusal_words(refusal).0).into_iter().chain(kinds.map(ignored_words)).chain(more);
        for key in keys {
            for language in [Language::Ja, Language::En] {
                assert_ne!(crate::words::word_with(language, key, &[("n", 1.into())]), key);
            }
        }
    }
}
