//! A file of an upload is unpacked: the job that goes on when nobody listens any more.
//!
//! A ZIP's entries are handed over one at a time, within limits, and each is kept before the next is read.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::sync::{Arc, LazyLock};

use dokuei_dicom_gateway::intake::IndexedArchive;
use dokuei_dicom_gateway::media::{self, Archive, Entry, Found, Kind, LONG, Limits, LongFile, Refusal};
use dokuei_models::store::images::ArrivalCounts;
use dokuei_models::store::{arrival_studies, submissions};
use dokuei_models::{ArrivalId, SiteId};
use tokio::sync::{Semaphore, mpsc};

use super::FileReport;
use super::keeping::{Studies, keep};
use crate::error::{Error, Result};
use crate::state::State;
use crate::wake::Topic;

/// How many files of a process are unpacked at once.
static UNPACKING: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(4)));
/// Enough of a file to tell what it is.
const HEAD: u64 = 1024;

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

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::super::keeping::{ignored_words, refusal_words};
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
}
