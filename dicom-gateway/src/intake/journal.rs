//! Receiving through the journal: one sync per object, and the row behind it.
//!
//! An object and what its row needs (site, arrival, time; the rest is in its header) are appended to the journal of
//! [`Objects`] and synced: from then on nothing can lose it, and "success" may be answered. Its row is queued at that
//! moment ([`Db::tx_behind`](dokuei_models::Db::tx_behind)): whoever asks the database later waits until it is committed.
//! Its bytes are given from the journal until they are moved. [`replay`] does at start what a crash left undone.
//!
//! A row that the database does not take (no room) is tried again until it does; meanwhile nothing else is taken.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Utc};
use dokuei_models::objects::{KeptObject, ObjectError, Objects, Record};
use dokuei_models::store::images::{self, InstanceFacts};
use dokuei_models::{ArrivalId, SiteId};
use tokio::sync::oneshot;

use super::again::Came;
use super::index::{Apart, instances_of, of_object, understand};
use super::object::Content;
use super::{IndexedArchive, KeepError, Kept, ReceivedObject};

/// How long a row that was not taken waits to be tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// What the row needs besides the header.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Note {
    site: SiteId,
    arrival: ArrivalId,
    at: NaiveDateTime,
    dataset_at: usize,
    transfer_syntax: String,
}

impl Note {
    /// One value a line, the version of this format first.
    fn write(&self) -> Vec<u8> {
        let micros = self.at.and_utc().timestamp_micros();
        let Self { site, arrival, dataset_at, transfer_syntax, .. } = self;
        format!("1\n{}\n{}\n{micros}\n{dataset_at}\n{transfer_syntax}", site.0, arrival.0).into_bytes()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(bytes).ok()?.split('\n');
        if lines.next()? != "1" {
            return None;
        }
        let mut next = || lines.next();
        Some(Self {
            site: SiteId(next()?.parse().ok()?),
            arrival: ArrivalId(next()?.parse().ok()?),
            at: DateTime::from_timestamp_micros(next()?.parse().ok()?)?.naive_utc(),
            dataset_at: next()?.parse().ok()?,
            transfer_syntax: next()?.to_owned(),
        })
    }
}

/// A row to be written.
#[derive(Clone)]
struct Row {
    came: Arc<Came>,
    at: NaiveDateTime,
}

impl Row {
    fn write(&self, conn: &mut dokuei_models::Connection) -> Result<images::Kept, dokuei_models::StoreError> {
        let Came { site, arrival, facts, object, .. } = &*self.came;
        images::instance_keep_in_tx(conn, *site, Some(*arrival), facts, object, self.at)
    }
}

impl IndexedArchive {
    /// Whether this object goes through the journal.
    pub(super) fn is_journaled(&self, object: &ReceivedObject) -> bool {
        let Content::Memory(file) = &object.content else { return false };
        self.objects.journal().is_some_and(|journal| file.len() as u64 <= journal.longest())
    }

    /// Appends the object and queues its row. It is safe on return. `None` when the journal does not take it: the
    /// object may go into the folder by itself.
    pub(super) async fn journal(
        &self,
        site: SiteId,
        arrival: ArrivalId,
        object: &ReceivedObject,
        facts: InstanceFacts,
    ) -> Result<Option<oneshot::Receiver<Kept>>, KeepError> {
        let (Some(journal), Content::Memory(file)) = (self.objects.journal(), &object.content) else { return Ok(None) };
        if self.stuck.load(Ordering::Acquire) > 0 {
            return Err(KeepError::Unavailable("the index does not take what was received before".to_owned()));
        }
        let at = Utc::now().naive_utc();
        let transfer_syntax = object.transfer_syntax.clone();
        let note = Note { site, arrival, at, dataset_at: object.dataset_at, transfer_syntax };
        let key = Objects::key(&instances_of(site), &object.sha256);
        let size = i64::try_from(file.len()).unwrap_or(i64::MAX);
        let kept = KeptObject { key: key.clone(), sha256: object.sha256.clone(), size };
        let record = match journal.append(key, note.write(), file.clone()).await {
            Ok(record) => record,
            Err(error) => {
                tracing::warn!(%error, "an object goes around the journal");
                return Ok(None);
            }
        };
        let came = Came { site, arrival, facts, object: kept, file: Some(file.clone()) };
        let row = Row { came: Arc::new(came), at };
        // Queued before this returns: whoever hears of "success" asks behind it.
        let change = row.clone();
        let underway = self.db.tx_behind(move |conn| change.write(conn));
        let (tell, told) = oneshot::channel();
        let archive = self.clone();
        let written = async move {
            let first = match underway {
                Some(Ok(underway)) => underway.await.ok().and_then(Result::ok),
                Some(Err(_)) | None => None,
            };
            let kept = settle_until_taken(&archive, &row, first).await;
            record.filed();
            drop(tell.send(kept));
        };
        if self.db.flavour() == dokuei_models::db::Flavour::Sqlite {
            tokio::spawn(written);
        } else {
            // Other processes ask too, and cannot know what to wait for.
            written.await;
        }
        Ok(Some(told))
    }
}

/// Writes the row, if that has not come about yet, and settles what it is to what was here; until it is taken.
async fn settle_until_taken(archive: &IndexedArchive, row: &Row, written: Option<images::Kept>) -> Kept {
    let mut written = written;
    let mut stuck = false;
    loop {
        if written.is_none() && !stuck {
            archive.stuck.fetch_add(1, Ordering::AcqRel);
            stuck = true;
        }
        match settle(archive, row, written.take()).await {
            Ok(kept) => {
                if stuck {
                    archive.stuck.fetch_sub(1, Ordering::AcqRel);
                }
                return kept;
            }
            Err(error) => {
                tracing::error!(%error, "a received object waits in the journal for its row");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

async fn settle(archive: &IndexedArchive, row: &Row, written: Option<images::Kept>) -> Result<Kept, KeepError> {
    let outcome = match written {
        Some(outcome) => outcome,
        None => {
            let change = row.clone();
            archive.db.tx(move |conn| change.write(conn)).await?
        }
    };
    archive.settled(&row.came, outcome).await
}

/// Writes the rows of what a crash left in the journal, before anybody asks. An object that had its row is a repeat and
/// changes nothing. Returns how many there were.
///
/// # Errors
/// The database's or the disk's: then nothing may be received or shown, because "success" was answered for these.
pub async fn replay(archive: &IndexedArchive, records: Vec<Arc<Record>>) -> Result<usize, KeepError> {
    let count = records.len();
    for record in records {
        let reading = Arc::clone(&record);
        let file = tokio::task::spawn_blocking(move || reading.read(0..reading.len()))
            .await
            .map_err(|error| ObjectError::Unavailable(error.to_string()))??;
        let kept = KeptObject {
            key: record.key().to_owned(),
            sha256: record.key().rsplit('/').next().unwrap_or_default().to_owned(),
            size: i64::try_from(file.len()).unwrap_or(i64::MAX),
        };
        let damaged = || KeepError::Failed("a journal record has a note that is not ours".to_owned());
        let note = Note::read(record.note()).filter(|note| note.dataset_at <= file.len()).ok_or_else(damaged)?;
        let object = ReceivedObject {
            content: Content::Memory(file.clone()),
            dataset_at: note.dataset_at,
            transfer_syntax: note.transfer_syntax,
            sha256: kept.sha256.clone(),
            announced: None,
        };
        let header = understand(&object)?
            .map_err(|Apart { reason, .. }| KeepError::Failed(format!("a journal record is {reason}")))?;
        let facts = of_object(&object, &header);
        let came = Came { site: note.site, arrival: note.arrival, facts, object: kept, file: Some(file) };
        settle(archive, &Row { came: Arc::new(came), at: note.at }, None).await?;
        record.filed();
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let note = Note {
            site: SiteId(7),
            arrival: ArrivalId(9),
            at: DateTime::from_timestamp_micros(1_790_000_000_123_456).unwrap().naive_utc(),
            dataset_at: 312,
            transfer_syntax: "1.2.840.10008.1.2.1".to_owned(),
        };
        assert_eq!(Note::read(&note.write()), Some(note));
        assert_eq!(Note::read(b"2\n7\n9"), None);
        assert_eq!(Note::read(b""), None);
    }
}
