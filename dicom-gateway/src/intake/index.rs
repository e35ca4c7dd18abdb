//! The archive over the object store and the index.
//!
//! Bytes first: [`Objects::keep_hashed`] returns when they are synced. Then the
//! index row: [`Db::tx`] returns when it is committed, and commits those that
//! wait together under one sync. A crash in between leaves an object that no row
//! names, never a row without its object.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use async_trait::async_trait;
use chrono::{NaiveDateTime, Utc};
use dokuei_models::names::PatientName;
use dokuei_models::objects::{KeptObject, ObjectError, Objects, Spool};
use dokuei_models::store::images::{self, ArrivalCounts, InstanceFacts, NewArrival};
use dokuei_models::store::patients::Identity;
use dokuei_models::store::quarantine;
use dokuei_models::{ArrivalId, Db, SiteId, StoreError};

use super::object::Content;
use super::rows::Gathered;
use super::{Archive, Filed, KeepError, Kept, Received, ReceivedObject, again};
use crate::header::{self, InstanceHeader, Oddity};
use crate::media::LongFile;

/// How often a transaction that lost a race is run again.
const ATTEMPTS: usize = 5;

/// Keeps objects in [`Objects`] and rows in [`Db`].
#[derive(Clone)]
pub struct IndexedArchive {
    pub(super) db: Db,
    pub(super) objects: Objects,
    /// Journalled objects whose rows the database does not take.
    pub(super) stuck: Arc<AtomicUsize>,
    /// Rows of journalled objects that are about to be written.
    pub(super) gathered: Gathered,
    told: Option<Arc<dyn Fn() + Send + Sync>>,
}

impl IndexedArchive {
    /// Clones share the threads and connections of what they are given.
    pub fn new(db: Db, objects: Objects) -> Self {
        Self { db, objects, stuck: Arc::default(), gathered: Gathered::default(), told: None }
    }

    /// The same, and `told` is called when something came that people must hear of at once; a job says what.
    #[must_use]
    pub fn telling(mut self, told: impl Fn() + Send + Sync + 'static) -> Self {
        self.told = Some(Arc::new(told));
        self
    }

    pub(super) fn changed(&self) {
        if let Some(told) = &self.told {
            told();
        }
    }
}

#[async_trait]
impl Archive for IndexedArchive {
    async fn open(&self, arrival: NewArrival) -> Result<ArrivalId, KeepError> {
        Ok(self.db.tx(move |conn| images::arrival_open_in_tx(conn, &arrival)).await?)
    }

    async fn keep(&self, site: SiteId, arrival: ArrivalId, object: ReceivedObject) -> Result<Kept, KeepError> {
        let understood = understand(&object)?;
        self.keep_understood(site, arrival, object, understood).await
    }

    async fn receive(&self, site: SiteId, arrival: ArrivalId, object: ReceivedObject) -> Result<Received, KeepError> {
        let understood = understand(&object)?;
        if let Ok(header) = &understood
            && self.is_journaled(&object)
            && let Some(received) = self.journal(site, arrival, &object, of_object(&object, header)).await?
        {
            return Ok(received);
        }
        self.keep_understood(site, arrival, object, understood).await.map(Received::Kept)
    }

    fn hurry(&self) {
        self.db.hurry();
    }

    fn spool(&self) -> Result<Option<Spool>, KeepError> {
        Ok(Some(self.objects.spool()?))
    }

    async fn close(&self, arrival: ArrivalId, counts: ArrivalCounts, outcome: &'static str) -> Result<(), KeepError> {
        let close =
            move |conn: &mut _| images::arrival_close_in_tx(conn, arrival, counts, outcome, Utc::now().naive_utc());
        Ok(self.tx(close).await?)
    }
}

impl IndexedArchive {
    /// Takes a file that is too long for memory into the spool, to be [kept](Archive::keep).
    ///
    /// # Errors
    /// The disk's.
    pub async fn take_long(&self, long: LongFile) -> Result<ReceivedObject, KeepError> {
        let objects = self.objects.clone();
        let taking = tokio::task::spawn_blocking(move || ReceivedObject::from_long(&long, objects.spool()?));
        taking.await.map_err(|error| KeepError::Failed(error.to_string()))?
    }

    /// Bytes first, then the row.
    async fn keep_understood(
        &self,
        site: SiteId,
        arrival: ArrivalId,
        object: ReceivedObject,
        understood: Result<InstanceHeader, Apart>,
    ) -> Result<Kept, KeepError> {
        let folder = match understood {
            Ok(_) => instances_of(site),
            Err(_) => format!("quarantine/{site}"),
        };
        let facts = understood.as_ref().ok().map(|header| of_object(&object, header));
        let announced = object.announced;
        let file = match &object.content {
            Content::Memory(file) => Some(file.clone()),
            Content::Spool(_) => None,
        };
        let kept = match object.content {
            Content::Memory(file) => self.objects.keep_hashed(&folder, object.sha256, file).await?,
            Content::Spool(spool) => {
                let spool =
                    Arc::into_inner(spool).ok_or_else(|| KeepError::Failed("the spool is shared".to_owned()))?;
                self.objects.keep_spool(&folder, spool).await?
            }
        };
        let facts = match (facts, understood) {
            (Some(facts), _) => facts,
            (None, Ok(header)) => self::facts(&header),
            (None, Err(apart)) => {
                let uid = announced.map(|(_, instance)| instance).unwrap_or_default();
                let Apart { reason, detail } = apart.clone();
                self.tx(move |conn| {
                    let at = Utc::now().naive_utc();
                    quarantine::quarantine_keep_in_tx(conn, site, Some(arrival), reason, &detail, &uid, &kept, at)
                })
                .await?;
                return Ok(Kept::Quarantined(apart.detail));
            }
        };
        let came = again::Came { site, arrival, facts, object: kept, file };
        let outcome = self.write(&came, Utc::now().naive_utc()).await?;
        self.settled(&came, outcome).await
    }

    /// Files bytes that are durable already under what a person said of them: `facts` are the header's, but for whose they
    /// are and to which study they belong. What is known under their UID is compared as with any object.
    ///
    /// # Errors
    /// What the store or the database says; nothing is filed then.
    pub async fn file_as(
        &self,
        site: SiteId,
        arrival: ArrivalId,
        facts: InstanceFacts,
        object: KeptObject,
        file: bytes::Bytes,
    ) -> Result<Kept, KeepError> {
        let came = again::Came { site, arrival, facts, object, file: Some(file) };
        let outcome = self.write(&came, Utc::now().naive_utc()).await?;
        self.settled(&came, outcome).await
    }

    /// Writes the row of an object whose bytes are durable.
    pub(super) async fn write(&self, came: &again::Came, at: NaiveDateTime) -> Result<images::Kept, StoreError> {
        let (site, arrival) = (came.site, Some(came.arrival));
        let (facts, object) = (came.facts.clone(), came.object.clone());
        self.tx(move |conn| images::instance_keep_in_tx(conn, site, arrival, &facts, &object, at)).await
    }

    /// What became of an object, from what became of its row: a known instance with other bytes is compared first.
    pub(super) async fn settled(&self, came: &again::Came, outcome: images::Kept) -> Result<Kept, KeepError> {
        let filed = Filed::of(&came.facts);
        Ok(match outcome {
            images::Kept::New(_) => {
                if came.facts.rejection.is_some() {
                    self.changed();
                }
                Kept::New(filed)
            }
            images::Kept::Repeat(_) => Kept::Repeat(filed),
            images::Kept::OtherPatient | images::Kept::Claimed => {
                self.changed();
                Kept::Conflict(filed)
            }
            images::Kept::Known(known) => again::keep(self, came, known, filed).await?,
        })
    }

    pub(super) async fn tx<T, F>(&self, change: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut dokuei_models::Connection) -> Result<T, StoreError> + Clone + Send + 'static,
    {
        let mut attempt = 1;
        loop {
            match self.db.tx(change.clone()).await {
                Err(error) if error.is_transient() && attempt < ATTEMPTS => attempt += 1,
                outcome => return outcome,
            }
        }
    }
}

/// The folder of a site's images in the object store.
pub(super) fn instances_of(site: SiteId) -> String {
    format!("instances/{site}")
}

impl Filed {
    pub(super) fn of(facts: &InstanceFacts) -> Self {
        Self {
            study_uid: facts.study_uid.clone(),
            series_uid: facts.series_uid.clone(),
            sop_instance_uid: facts.sop_instance_uid.clone(),
        }
    }
}

/// Why an object must be looked at by a person: a stable code and more in words. No patient data.
#[derive(Clone)]
pub(super) struct Apart {
    pub(super) reason: &'static str,
    pub(super) detail: String,
}

/// Reads the header and holds it against the message: the header, or why the
/// object is kept apart.
pub(super) fn understand(object: &ReceivedObject) -> Result<Result<InstanceHeader, Apart>, KeepError> {
    let apart = |reason, detail: &str| Ok(Err(Apart { reason, detail: detail.to_owned() }));
    let read = object.header().map_err(|error| KeepError::Unavailable(error.to_string()))?;
    let header = match read {
        Ok(header) => header,
        Err(error) => return apart("unreadable", &error.to_string()),
    };
    if let Some((class, instance)) = &object.announced {
        if header.sop_class.as_str() != class {
            return Err(KeepError::Mismatch("SOP classes"));
        }
        if header.sop_instance.as_str() != instance {
            return Err(KeepError::Mismatch("SOP instances"));
        }
    }
    if header.oddities.contains(&Oddity::PixelDataTruncated) {
        return apart("cut_off", "the pixel data is cut off");
    }
    if header.oddities.contains(&Oddity::UnknownCharacterSet) && !is_plain(&header) {
        // Whose images these are would be a guess.
        return apart("character_set", "the patient's name is written in a character set that is not known");
    }
    Ok(Ok(header))
}

/// Whether name and ID read the same in every character set: ASCII without escape sequences.
fn is_plain(header: &InstanceHeader) -> bool {
    let plain = |bytes: &[u8]| bytes.iter().all(|byte| byte.is_ascii() && *byte != 0x1b);
    plain(header.patient.name.raw()) && plain(header.patient.id.as_bytes())
}

/// What the index keeps of an object: its header, and the instances that it rejects.
pub(super) fn of_object(object: &ReceivedObject, header: &InstanceHeader) -> InstanceFacts {
    let class = header.sop_class.as_str();
    // A note of rejection is short: what is too long for memory is none.
    let rejection = object.dataset().and_then(|dataset| header::rejection(dataset, object.transfer_syntax(), class));
    InstanceFacts { rejection, ..facts(header) }
}

/// What the index keeps of a header.
pub fn facts(header: &InstanceHeader) -> InstanceFacts {
    let number = |value: Option<i64>| value.and_then(|number| i32::try_from(number).ok());
    let name = &header.patient.name;
    InstanceFacts {
        identity: Identity {
            patient_id: header.patient.id.clone(),
            name: PatientName {
                alphabetic: name.alphabetic().to_owned(),
                ideographic: name.ideographic().to_owned(),
                phonetic: name.phonetic().to_owned(),
            },
            birth_date: header.patient.birth_date,
            sex: header.patient.sex.clone(),
        },
        issuer: if header.patient.issuer.is_empty() {
            header.series.institution.clone()
        } else {
            header.patient.issuer.clone()
        },
        study_uid: header.study_uid.to_string(),
        series_uid: header.series_uid.to_string(),
        sop_instance_uid: header.sop_instance.to_string(),
        sop_class_uid: header.sop_class.to_string(),
        transfer_syntax: header.transfer_syntax.clone(),
        accession_number: header.study.accession_number.clone(),
        study_date: header.study.date,
        study_time: header.study.time.map(|time| time.format("%H%M%S").to_string()).unwrap_or_default(),
        study_id: header.study.id.clone(),
        study_description: header.study.description.clone(),
        institution: header.series.institution.clone(),
        referring_physician: header.study.referring_physician.joined(),
        modality: header.series.modality.clone(),
        series_number: number(header.series.number),
        series_description: header.series.description.clone(),
        protocol: header.series.protocol_name.clone(),
        body_part: header.series.body_part.clone(),
        laterality: header.series.laterality.clone(),
        view_position: header.series.view_position.clone(),
        instance_number: number(header.image.number),
        rows: header.image.rows.map(i32::from),
        columns: header.image.columns.map(i32::from),
        frames: if header.pixels.is_some() { i32::try_from(header.image.frames).unwrap_or(i32::MAX) } else { 0 },
        images_in_acquisition: number(header.series.images_in_acquisition),
        rejection: None,
        position_along_normal: position_along_normal(header),
    }
}

/// The image's distance from the origin along the normal of its plane, in mm
/// (PS3.3 C.7.6.2.1.1: row cosines x column cosines).
fn position_along_normal(header: &InstanceHeader) -> Option<f64> {
    let ([x, y, z], [a, b, c, d, e, f]) = (header.image.position?, header.image.orientation?);
    Some(x * (b * f - c * e) + y * (c * d - a * f) + z * (a * e - b * d))
}

impl From<StoreError> for KeepError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::TryAgain | StoreError::Unavailable(_) => Self::Unavailable(error.to_string()),
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<std::io::Error> for KeepError {
    fn from(error: std::io::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<ObjectError> for KeepError {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::Full => Self::Full,
            other => Self::Unavailable(other.to_string()),
        }
    }
}
