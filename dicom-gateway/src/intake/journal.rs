//! Receiving through the journal: one sync per object, and the row behind it.
//!
//! An object and what its row needs (site, arrival, time; the rest is in its header) are appended to the journal of
//! [`Objects`] and synced: from then on nothing can lose it, and "success" may be answered. Its row is queued at that
//! moment ([`rows`](super::rows)): whoever asks the database later waits until it is committed. Its bytes are given from
//! the journal until they are moved. [`replay`] does at start what a crash left undone.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use chrono::{DateTime, NaiveDateTime, Utc};
use dokuei_models::db::Flavour;
use dokuei_models::objects::{KeptObject, ObjectError, Objects, Record};
use dokuei_models::store::images::InstanceFacts;
use dokuei_models::{ArrivalId, SiteId};

use super::again::Came;
use super::index::{Apart, instances_of, of_object, understand};
use super::object::Content;
use super::rows::Row;
use super::{IndexedArchive, KeepError, Received, ReceivedObject};

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

impl IndexedArchive {
    /// Whether this object goes through the journal.
    pub(super) fn is_journaled(&self, object: &ReceivedObject) -> bool {
        let Content::Memory(file) = &object.content else { return false };
        self.objects.journal().is_some_and(|journal| file.len() as u64 <= journal.longest())
    }

    /// Appends the object and queues its row. It is safe on return. `None` where the journal does not take it: the
    /// object may go into the folder by itself.
    pub(super) async fn journal(
        &self,
        site: SiteId,
        arrival: ArrivalId,
        object: &ReceivedObject,
        facts: InstanceFacts,
    ) -> Result<Option<Received>, KeepError> {
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
        let came = Came { site, arrival, facts, object: kept, file: None };
        let row = Row { came, at, record };
        if self.db.flavour() == Flavour::Sqlite {
            // Queued before this returns: whoever hears of "success" asks behind it.
            return Ok(Some(Received::Safe(self.gather(row))));
        }
        // Other processes ask too, and cannot know what to wait for.
        let written = self.write(&row.came, at).await.ok();
        let kept = self.settle_until_taken(&row, written).await;
        row.record.filed();
        Ok(Some(Received::Kept(kept)))
    }
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
        let came = Came { site: note.site, arrival: note.arrival, facts, object: kept, file: None };
        let row = Row { came, at: note.at, record };
        archive.settle(&row, None).await?;
        row.record.filed();
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
