//! STOW-RS: keeping what a client sends, through the same intake as C-STORE.
//!
//! One request is one arrival. Each object is complete in scratch before it is looked at, and kept durably before the
//! next is read from the connection: whoever sends faster than we keep waits. A bad object fails alone.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::sync::LazyLock;
use std::time::Duration;

use dokuei_dicom_gateway::intake::{Archive as _, IndexedArchive, KeepError, Kept, ReceivedObject};
use dokuei_dicom_gateway::media::{self, LONG, LongFile, Refusal};
use dokuei_models::state::Whose;
use dokuei_models::store::arrival_studies;
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::images::{ArrivalCounts, NewArrival};
use dokuei_models::{ArrivalId, SiteId};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::Root;
use crate::authority::Person;
use crate::error::codes::dicomweb as codes;
use crate::error::{Error, Result};
use crate::state::State;
use crate::wake::Topic;

/// Requests that store at once.
static STORING: Semaphore = Semaphore::const_new(4);
/// How long another one waits for its turn.
const PATIENCE: Duration = Duration::from_secs(30);
/// Largest object, in bytes.
static LARGEST: LazyLock<u64> = LazyLock::new(|| media::Limits::default().entry_bytes);

/// Why an object was not stored: Failure Reason (0008,1197), values of PS3.18 table I.2-2 and PS3.4 B.2.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No room, or the archive is down: the same may work later.
    OutOfResources,
    /// Larger than is taken.
    TooLarge,
    /// It belongs to another study than the address says.
    OtherStudy,
    /// It is no DICOM object, or its header cannot be read.
    NotUnderstood,
    /// Something failed here.
    Processing,
    /// A part is of another media type than `application/dicom`.
    MediaType,
}

impl Failure {
    /// The status code.
    pub const fn code(self) -> u16 {
        match self {
            Self::OutOfResources | Self::TooLarge => 0xA700,
            Self::OtherStudy => 0xA900,
            Self::NotUnderstood | Self::MediaType => 0xC000,
            Self::Processing => 0x0110,
        }
    }
}

/// What became of one part of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// SOP Class UID, where it is known.
    pub sop_class: String,
    /// SOP Instance UID, where it is known.
    pub sop_instance: String,
    /// Study and series, where it can be retrieved now.
    pub place: Option<(String, String)>,
    /// Why it was not stored.
    pub failure: Option<Failure>,
}

impl Stored {
    /// A part that was not stored and of which nothing is known.
    pub const fn failed(failure: Failure) -> Self {
        Self { sop_class: String::new(), sop_instance: String::new(), place: None, failure: Some(failure) }
    }
}

/// One request's storing.
pub struct Storing<'a> {
    state: &'a State,
    person: &'a Person,
    archive: IndexedArchive,
    site: SiteId,
    arrival: ArrivalId,
    counts: ArrivalCounts,
    /// How many instances of each study it brought, by its UID.
    studies: BTreeMap<String, i32>,
    _turn: SemaphorePermit<'static>,
}

impl<'a> Storing<'a> {
    /// Waits for a turn and opens the arrival.
    ///
    /// # Errors
    /// `dicomweb_busy` when none comes free in half a minute.
    pub async fn begin(state: &'a State, person: &'a Person, root: &Root) -> Result<Self> {
        let turn = tokio::time::timeout(PATIENCE, STORING.acquire()).await;
        // The semaphore is never closed.
        let Ok(Ok(turn)) = turn else { return Err(Error::new(&codes::BUSY).retry_after(10)) };
        let archive = IndexedArchive::new(state.db.clone(), state.objects.clone());
        let arrival = NewArrival {
            site: root.site,
            endpoint: None,
            user: Some(person.id),
            whose: Whose::Ours,
            via: "stow",
            calling_ae: String::new(),
            address: person.address.clone(),
            at: state.now(),
        };
        let arrival = archive.open(arrival).await.map_err(Error::internal)?;
        let (counts, studies) = (ArrivalCounts::default(), BTreeMap::new());
        Ok(Self { state, person, archive, site: root.site, arrival, counts, studies, _turn: turn })
    }

    /// Keeps one object, complete in a file. `study` is the one that the address names.
    pub async fn keep(&mut self, file: File, study: Option<&str>) -> Stored {
        let study = study.map(str::to_owned);
        let archive = self.archive.clone();
        let looked = tokio::task::spawn_blocking(move || look(file, study.as_deref(), &archive)).await;
        let stored = match looked {
            Ok(Ok((object, known))) => {
                self.counts.bytes += i64::try_from(object.size()).unwrap_or(i64::MAX);
                self.keep_object(object, known).await
            }
            Ok(Err(failed)) => failed,
            Err(_) => Stored::failed(Failure::Processing),
        };
        if stored.failure.is_some() {
            self.counts.failed += 1;
        }
        stored
    }

    /// A part that was not even looked at.
    pub fn refuse(&mut self, failure: Failure) -> Stored {
        self.counts.failed += 1;
        Stored::failed(failure)
    }

    async fn keep_object(&mut self, object: ReceivedObject, known: Stored) -> Stored {
        match self.archive.keep(self.site, self.arrival, object).await {
            Ok(kept) => {
                if let Kept::New(filed) | Kept::Repeat(filed) | Kept::Renewed(filed) = &kept {
                    *self.studies.entry(filed.study_uid.clone()).or_default() += 1;
                }
                match &kept {
                    Kept::New(_) => self.counts.kept += 1,
                    Kept::Repeat(_) => self.counts.repeated += 1,
                    _ => self.counts.quarantined += 1,
                }
                match kept {
                    // It is kept apart for a person; nobody can retrieve it, and the sender should know.
                    Kept::Quarantined(_) => Stored { failure: Some(Failure::NotUnderstood), place: None, ..known },
                    _ => known,
                }
            }
            Err(error @ (KeepError::Unavailable(_) | KeepError::Full)) => {
                tracing::error!(%error, "an object sent by STOW-RS was not kept");
                Stored { failure: Some(Failure::OutOfResources), place: None, ..known }
            }
            Err(error) => {
                tracing::error!(%error, "an object sent by STOW-RS was not kept");
                Stored { failure: Some(Failure::Processing), place: None, ..known }
            }
        }
    }

    /// Closes the arrival. `whole`: the body came to its end.
    ///
    /// # Errors
    /// What the database says. What was kept stays kept.
    pub async fn end(self, whole: bool) -> Result<()> {
        let outcome = if whole { "done" } else { "lost" };
        let (counts, site, arrival, studies) = (self.counts, self.site, self.arrival, self.studies);
        self.archive.close(arrival, counts, outcome).await.map_err(Error::internal)?;
        let actor = self.person.actor(self.state.now());
        let detail = serde_json::json!({
            "new": counts.kept, "repeated": counts.repeated, "apart": counts.quarantined,
            "refused": counts.failed, "bytes": counts.bytes, "via": "STOW-RS",
        });
        self.state
            .db
            .tx(move |conn| {
                let subject = Subject::row("arrival", arrival.0, Some(site));
                if whole {
                    for (uid, count) in &studies {
                        arrival_studies::arrival_study_count_in_tx(conn, arrival, uid, *count)?;
                    }
                    arrival_studies::arrival_whole_in_tx(conn, site, arrival, actor.at)?;
                }
                let said = if whole { "done" } else { "failed" };
                audit::append_in_tx(conn, &actor, "upload", subject, said, &detail.to_string())
            })
            .await?;
        self.state.wake.tell(Topic::Jobs);
        self.state.wake.tell(Topic::Portal(site.0));
        Ok(())
    }
}

/// Reads a file and says what it is. Blocks.
fn look(
    file: File,
    study: Option<&str>,
    archive: &IndexedArchive,
) -> std::result::Result<(ReceivedObject, Stored), Stored> {
    let io = |_| Stored::failed(Failure::Processing);
    let object = object(file, archive).map_err(Stored::failed)?;
    // What cannot be read goes to quarantine, by the intake.
    let mut known = Stored { sop_class: String::new(), sop_instance: String::new(), place: None, failure: None };
    if let Ok(header) = object.header().map_err(io)? {
        known.sop_class = header.sop_class.to_string();
        known.sop_instance = header.sop_instance.to_string();
        if study.is_some_and(|study| study != header.study_uid.as_str()) {
            return Err(Stored { failure: Some(Failure::OtherStudy), ..known });
        }
        known.place = Some((header.study_uid.to_string(), header.series_uid.to_string()));
    }
    Ok((object, known))
}

/// The object in a file, its header readable.
fn object(mut file: File, archive: &IndexedArchive) -> std::result::Result<ReceivedObject, Failure> {
    let io = |_| Failure::Processing;
    let size = file.seek(SeekFrom::End(0)).map_err(io)?;
    if size > *LARGEST {
        return Err(Failure::TooLarge);
    }
    if size > LONG {
        let long = LongFile::open(file).map_err(|refusal| match refusal {
            Refusal::Io => Failure::Processing,
            _ => Failure::NotUnderstood,
        })?;
        let spool = archive.spool().ok().flatten().ok_or(Failure::OutOfResources)?;
        return ReceivedObject::from_long(&long, spool).map_err(|error| {
            tracing::error!(%error, "an object sent by STOW-RS could not be spooled");
            Failure::OutOfResources
        });
    }
    file.rewind().map_err(io)?;
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    file.read_to_end(&mut bytes).map_err(io)?;
    let bytes = media::normalise(&bytes).map_err(|_| Failure::NotUnderstood)?;
    ReceivedObject::from_file(&bytes).map_err(|_| Failure::NotUnderstood)
}
