//! What a peer may find here and have: lookups and bytes, behind a trait, because the gateway knows no site.

use std::net::IpAddr;
use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use dokuei_models::RequestId;
use dokuei_models::store::commitments::Reference;
use dokuei_models::store::image_search::{FoundInstance, FoundPatient, FoundSeries, FoundStudy, ImageKeys, Page};
use dokuei_models::store::performed_steps::{Made, StepChange, StepStatus};
use dokuei_models::store::requests::RequestRow;
use dokuei_models::store::studies::InstanceRow;

use super::commitment::Asked;
use super::desk::Peer;
use super::performed_step::Availability;
use crate::ae_title::AeTitle;
use crate::charset::{NameForm, Repertoire};
use crate::commitment::Findings;
use crate::scu::Destination;

/// Answers for one peer at a time. A peer sees what its own site sent, and nothing that is hidden.
#[async_trait]
pub trait Library: Send + Sync + 'static {
    /// What this peer may do, asked once for each association.
    async fn rights(&self, who: &Requester) -> Result<Rights, LibraryError>;

    /// One page of what matches at a level, in a stable order.
    async fn find(
        &self,
        who: &Requester,
        level: Level,
        keys: &ImageKeys,
        page: Page,
    ) -> Result<Vec<Found>, LibraryError>;

    /// Part of an instance's DICOM file, in bytes.
    async fn read(&self, instance: &InstanceRow, range: Range<u64>) -> Result<Bytes, LibraryError>;

    /// Where a receiving endpoint of the peer's own site listens, by its AE title.
    async fn destination(&self, who: &Requester, ae_title: &AeTitle) -> Result<Option<Destination>, LibraryError>;

    /// The requests of the peer's site that wait for images, oldest first.
    async fn waiting(&self, who: &Requester) -> Result<Vec<RequestRow>, LibraryError>;

    /// Keeps the Study Instance UIDs that a worklist is about to give for requests that have none, durably.
    async fn study_uids_given(&self, who: &Requester, given: &[(RequestId, String)]) -> Result<(), LibraryError>;

    /// A query or retrieval has ended. For the audit trail.
    async fn used(&self, who: &Requester, usage: Usage);

    /// Keeps the question for a storage commitment, durably.
    async fn commitment_asked(
        &self,
        who: &Requester,
        transaction_uid: &str,
        items: &[Reference],
    ) -> Result<Asked, LibraryError>;

    /// Which of the objects are safe here.
    async fn verify(&self, who: &Requester, items: &[Reference]) -> Result<Findings, LibraryError>;

    /// The peer has heard the answer.
    async fn commitment_reported(&self, asked: Asked, findings: &Findings);

    /// Keeps a performed procedure step that has begun, of these studies.
    async fn step_created(&self, who: &Requester, uid: &str, studies: &[String]) -> Result<StepChange, LibraryError>;

    /// Keeps what is said of a step later; `None` leaves what was said before.
    async fn step_set(
        &self,
        who: &Requester,
        uid: &str,
        status: Option<StepStatus>,
        made: Option<&[Made]>,
    ) -> Result<StepChange, LibraryError>;

    /// Keeps what is said of a study's availability elsewhere.
    async fn available(&self, who: &Requester, said: &Availability) -> Result<(), LibraryError>;
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requester {
    /// As admitted.
    pub peer: Peer,
    /// Its AE title.
    pub calling: AeTitle,
    /// Its address.
    pub from: IpAddr,
}

/// What a peer may do, and which text it reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// It may query and retrieve.
    pub queries: bool,
    /// The character sets it is registered with; without, those of its request.
    pub repertoire: Option<Repertoire>,
    /// Which groups of a name it can show.
    pub names: NameForm,
}

/// The level of a query (PS3.4 C.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// PATIENT
    Patient,
    /// STUDY
    Study,
    /// SERIES
    Series,
    /// IMAGE
    Image,
}

impl Level {
    /// Reads Query/Retrieve Level (0008,0052).
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Patient, Self::Study, Self::Series, Self::Image].into_iter().find(|level| level.word() == text)
    }

    /// As in Query/Retrieve Level (0008,0052).
    pub const fn word(self) -> &'static str {
        match self {
            Self::Patient => "PATIENT",
            Self::Study => "STUDY",
            Self::Series => "SERIES",
            Self::Image => "IMAGE",
        }
    }
}

/// A match.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// At PATIENT level.
    Patient(FoundPatient),
    /// At STUDY level.
    Study(FoundStudy),
    /// At SERIES level.
    Series(FoundSeries),
    /// At IMAGE level.
    Instance(Box<FoundInstance>),
}

/// Nothing can be looked up. No patient data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the library is unavailable: {0}")]
pub struct LibraryError(pub String);

/// A query or retrieval that has ended, without what was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// `find`, `move`, `get` or `worklist`.
    pub service: &'static str,
    /// The level, or empty.
    pub level: &'static str,
    /// Matches answered, or instances that arrived.
    pub count: u32,
    /// Instances that did not arrive.
    pub failed: u32,
    /// The AE title they went to (C-MOVE), else empty.
    pub destination: String,
    /// The final status.
    pub status: u16,
}
