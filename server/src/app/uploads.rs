//! Images that a person uploads: files, a folder's files, or the ZIP of a CD.
//!
//! An *upload* is one arrival. Each file of it is streamed to scratch, unpacked
//! entry by entry within limits, and kept as an object that came over C-STORE is
//! kept: durably, before anybody is told that it is here. Of every file it is
//! said what became of it. What was kept stays, whatever happens to the rest; the
//! same files again change nothing, so an upload that broke off is simply
//! repeated.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::{Arc, LazyLock};

use dokuei_dicom_gateway::intake::{Archive as _, IndexedArchive, KeepError, Kept, ReceivedObject};
use dokuei_dicom_gateway::media::{self, Archive, Entry, Found, Kind, LONG, Limits, LongFile, Refusal};
use dokuei_models::state::Whose;
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::images::{self, ArrivalCounts, NewArrival};
use dokuei_models::store::{arrival_studies, submissions};
use dokuei_models::{ArrivalId, SiteId, StoreError, StudyId};
use tokio::sync::{Semaphore, mpsc};

use super::upload_directories;
use crate::authority::Person;
use crate::authority::rights::Submit;
use crate::error::codes::portal as codes;
use crate::error::{Error, Result};
use crate::state::State;
use crate::wake::Topic;

/// How many files of a process are unpacked at once.
static UNPACKING: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(4)));
/// Enough of a file to tell what it is.
const HEAD: u64 = 1024;

/// How many instances of each study a file brought, by its UID.
type Studies = BTreeMap<String, i32>;

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is new and here.
    Kept,
    /// It was here already.
    Repeated,
    /// It is kept apart until a person has looked.
    Apart,
    /// It is no image and was left out.
    Ignored,
    /// It was not taken.
    Refused,
    /// It could not be kept now; the same may work later.
    Failed,
}

impl Fate {
    /// The stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Repeated => "repeated",
            Self::Apart => "apart",
            Self::Ignored => "ignored",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// What is said of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileReport {
    /// Its name, as the sender has it; within a ZIP with its path.
    pub name: String,
    /// What became of it.
    pub fate: Fate,
    /// The key of the sentence that says why; empty where there is nothing to say.
    pub words: &'static str,
    /// The number in the sentence, if it has one.
    pub number: Option<u64>,
    /// The study it belongs to.
    pub study: Option<StudyId>,
}

/// Begins an upload for a site: of its own patients' images, or of another institution's.
///
/// # Errors
/// `not_found` for a site that is not the person's.
pub async fn begin(state: &State, person: &Person, site: SiteId, whose: Whose) -> Result<ArrivalId> {
    person.reach::<Submit>().need_site(site)?;
    let actor = person.actor(state.now());
    let arrival = NewArrival {
        site,
        endpoint: None,
        user: Some(person.id),
        via: "upload",
        whose,
        calling_ae: String::new(),
        address: person.address.clone(),
        at: actor.at,
    };
    let id = state
        .db
        .tx(move |conn| {
            let id = images::arrival_open_in_tx(conn, &arrival)?;
            audit::append_in_tx(
                conn,
                &actor,
                "upload.begin",
                Subject::row("arrival", id.0, Some(site)),
                "done",
                whose.code(),
            )?;
            Ok(id)
        })
        .await?;
    Ok(id)
}

/// The site of a running upload of this person.
///
/// # Errors
/// `not_found` for somebody else's upload, `upload_over` for one that has ended.
pub async fn site_of(state: &State, person: &Person, upload: ArrivalId) -> Result<SiteId> {
    let row = state.db.read(move |conn| submissions::upload_get(conn, upload)).await?;
    if row.user_id != Some(person.id) || !person.reach::<Submit>().covers_site(row.site_id) {
        return Err(Error::not_found());
    }
    if row.ended_at.is_some() {
        return Err(Error::new(&codes::UPLOAD_OVER));
    }
    Ok(row.site_id)
}

/// Ends an upload. Returns what it brought; a second end is no fault.
///
/// # Errors
/// As [`site_of`].
pub async fn end(state: &State, person: &Person, upload: ArrivalId) -> Result<ArrivalCounts> {
    let site = site_of(state, person, upload).await?;
    let actor = person.actor(state.now());
    let counts = state
        .db
        .tx(move |conn| {
            let counts = submissions::upload_end_in_tx(conn, upload, actor.at)?;
            let detail = serde_json::json!({
                "new": counts.kept, "repeated": counts.repeated, "apart": counts.quarantined,
                "refused": counts.failed, "bytes": counts.bytes,
            });
            let subject = Subject::row("arrival", upload.0, Some(site));
            audit::append_in_tx(conn, &actor, "upload", subject, "done", &detail.to_string())?;
            Ok(counts)
        })
        .await?;
    tell(state, site);
    Ok(counts)
}

fn tell(state: &State, site: SiteId) {
    state.wake.tell(Topic::Jobs);
    state.wake.tell(Topic::Portal(site.0));
}

/// A file in the scratch folder that has no name any more: it is gone when it is closed, also by a crash.
///
/// # Errors
/// `internal` when the folder cannot be written.
pub fn scratch(folder: &Path, token: &str) -> Result<File> {
    nameless(folder, token).map_err(Error::internal)
}

fn nameless(folder: &Path, token: &str) -> std::io::Result<File> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(format!("upload-{token}"));
    let file = File::options().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// Takes one complete file of an upload: unpacks and keeps it. The reports come as the files are done; the work goes
/// on when nobody listens any more.
pub fn take(
    state: &State,
    site: SiteId,
    upload: ArrivalId,
    name: String,
    file: File,
) -> mpsc::UnboundedReceiver<FileReport> {
    let (report, reports) = mpsc::unbounded_channel();
    let state = state.clone();
    tokio::spawn(async move {
        // The semaphore is never closed.
        let Ok(_turn) = UNPACKING.clone().acquire_owned().await else { return };
        let (entries, mut found) = mpsc::channel(1);
        let (chance, folder) = (state.chance.clone(), state.config.paths.scratch.clone());
        let make = move || nameless(&folder, &chance.token());
        let unpacking = tokio::task::spawn_blocking(move || unpack(file, name, Limits::default(), make, &entries));
        let wake = state.wake.clone();
        let archive = IndexedArchive::new(state.db.clone(), state.objects.clone())
            .telling(move || wake.tell(crate::wake::Topic::Jobs));
        let mut counts = ArrivalCounts::default();
        let mut studies = Studies::new();
        while let Some(entry) = found.recv().await {
            let said = keep(&state, &archive, (site, upload), entry, &mut counts, &mut studies).await;
            // Nobody listens when the browser has gone; the rest is kept all the same.
            let _ = report.send(said);
        }
        if unpacking.await.is_err() {
            tracing::error!("an upload's unpacking ended early");
        }
        let count = move |conn: &mut _| {
            submissions::upload_count_in_tx(conn, upload, counts)?;
            for (uid, count) in &studies {
                arrival_studies::arrival_study_count_in_tx(conn, upload, uid, *count)?;
            }
            Ok(())
        };
        if let Err(error) = state.db.tx(count).await {
            tracing::error!(%error, "an upload was not counted");
        }
        state.wake.tell(Topic::Jobs);
    });
    reports
}

/// Goes through a file and hands over what is in it, one at a time. Blocks.
fn unpack(
    file: File,
    name: String,
    limits: Limits,
    scratch: impl Fn() -> std::io::Result<File> + Send,
    entries: &mpsc::Sender<Entry>,
) {
    match look(file, &name, limits) {
        Ok(Looked::Found(found)) => {
            // The receiver is gone only when the process stops.
            let _ = entries.blocking_send(Entry { name, found });
        }
        Ok(Looked::Zip(file)) => match Archive::open(file, limits, scratch) {
            Ok(archive) => {
                for entry in archive {
                    if entries.blocking_send(entry).is_err() {
                        return;
                    }
                }
            }
            Err(refusal) => {
                let _ = entries.blocking_send(Entry { name, found: Found::Refused(refusal) });
            }
        },
        Err(refusal) => {
            let _ = entries.blocking_send(Entry { name, found: Found::Refused(refusal) });
        }
    }
}

/// What a file is.
enum Looked {
    Found(Found),
    Zip(File),
}

fn look(mut file: File, name: &str, limits: Limits) -> Result<Looked, Refusal> {
    let io = |_| Refusal::Io;
    let size = file.seek(SeekFrom::End(0)).map_err(io)?;
    file.rewind().map_err(io)?;
    let mut bytes = Vec::new();
    file.by_ref().take(HEAD).read_to_end(&mut bytes).map_err(io)?;
    Ok(Looked::Found(match media::classify(name, &bytes) {
        Kind::Zip => {
            file.rewind().map_err(io)?;
            return Ok(Looked::Zip(file));
        }
        Kind::Dicom | Kind::BareDicom if size > limits.entry_bytes => {
            return Err(Refusal::EntryTooLarge(limits.entry_bytes));
        }
        Kind::Dicom | Kind::BareDicom if size > LONG => Found::Long(LongFile::open(file)?),
        Kind::Dicom | Kind::BareDicom => {
            file.read_to_end(&mut bytes).map_err(io)?;
            Found::Dicom(media::normalise(&bytes)?.into_owned())
        }
        Kind::DicomDir if size <= media::MAX_DIRECTORY => {
            file.read_to_end(&mut bytes).map_err(io)?;
            Found::Directory(bytes)
        }
        kind => Found::Ignored(kind),
    }))
}

async fn keep(
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

fn ignored_words(kind: Kind) -> &'static str {
    match kind {
        // One that is too large to be read.
        Kind::DicomDir => "upload-dicomdir-broken",
        Kind::Pdf | Kind::Jpeg | Kind::Png => "upload-is-form",
        _ => "upload-is-other",
    }
}

fn refusal_words(refusal: Refusal) -> (&'static str, Option<u64>) {
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
    use std::io::Write as _;

    use super::*;

    fn file_with(bytes: &[u8]) -> File {
        let folder = tempfile::tempdir().unwrap();
        let mut file = scratch(folder.path(), "test").unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a crash leaves nothing behind");
        file.write_all(bytes).unwrap();
        file
    }

    fn unpacked(name: &str, bytes: &[u8], limits: Limits) -> Vec<Entry> {
        let (sender, mut receiver) = mpsc::channel(64);
        unpack(file_with(bytes), name.to_owned(), limits, tempfile::tempfile, &sender);
        drop(sender);
        std::iter::from_fn(|| receiver.try_recv().ok()).collect()
    }

    fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, bytes) in files {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn every_file_that_is_no_image_is_named_with_its_reason() {
        let zip = zip_of(&[("AUTORUN.INF", b"[autorun]"), ("order.pdf", b"%PDF-1.7 scanned")]);
        let found = unpacked("cd.zip", &zip, Limits::default());
        let words: Vec<&str> = found
            .iter()
            .map(|entry| match &entry.found {
                Found::Ignored(kind) => ignored_words(*kind),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(words, ["upload-is-other", "upload-is-form"]);
        assert_eq!(found[0].name, "AUTORUN.INF");
    }

    #[test]
    fn a_zip_bomb_is_refused() {
        let zeros = vec![0u8; 4 << 20];
        let mut image = vec![0u8; 128];
        image.extend_from_slice(b"DICM");
        image.extend_from_slice(&zeros);
        let limits = Limits { ratio_from: 1 << 16, ..Limits::default() };
        let found = unpacked("bomb.zip", &zip_of(&[("a", &image)]), limits);
        let Some(Entry { found: Found::Refused(refusal), .. }) = found.last() else { panic!("{found:?}") };
        assert_eq!(refusal_words(*refusal).0, "upload-bomb");
    }

    #[test]
    fn a_cut_off_image_is_refused_and_says_so() {
        let mut cut = vec![0u8; 128];
        cut.extend_from_slice(b"DICM\x02\x00\x00\x00UL\x04\x00\x10\x00\x00\x00");
        let found = unpacked("cut.dcm", &cut, Limits::default());
        assert!(matches!(found[0].found, Found::Refused(_)), "{found:?}");
    }

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
