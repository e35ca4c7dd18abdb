//! Calls other application entities: C-ECHO and C-STORE; C-FIND, and C-MOVE or C-GET for what they have.
//!
//! Used to return reports, to watch peers, to fetch priors and to play a hospital. Errors are
//! sentences that a dispatcher can act on; an object's outcome is its own, and an
//! association that breaks leaves the rest *not sent*, never in doubt.

mod event;
mod get;
mod outgoing;
mod probe;
mod query;
mod requestor;
mod send;

use std::time::Duration;

use crate::ae_title::AeTitle;
use crate::dimse::{Command, Status};
use crate::scp::{Cut, Refusal};
use crate::tls::{TlsFault, TlsPeer};
use crate::transcode::TranscodeError;

pub use event::{Event, report};
pub use get::{Got, Known, Wanted, get};
pub(crate) use outgoing::rewritten;
pub use outgoing::{Outgoing, Storing};
pub use probe::{Probe, Step, Tried, probe};
pub use query::{Found, Moved, StudyAnswer, find, find_studies, retrieve, retrieve_study, study_images, study_kinds};
pub use send::{MAX_WHOLE, echo, send};

/// Where to, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The peer's AE title.
    pub called_ae: AeTitle,
    /// Ours, as the peer knows it.
    pub calling_ae: AeTitle,
    /// How long to wait for it.
    pub timeouts: Timeouts,
    /// How it is called with TLS; without, plainly.
    pub tls: Option<TlsPeer>,
}

/// How long to wait for a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the connection.
    pub connect: Duration,
    /// For each answer.
    pub answer: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), answer: Duration::from_secs(60) }
    }
}

/// What became of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The peer has answered success, or a warning with the object kept.
    Kept(Status),
    /// The peer has answered that it did not keep it.
    Refused {
        /// Its status.
        status: Status,
        /// Its own words, if it gave any.
        comment: String,
    },
    /// The peer takes no such object, in this transfer syntax or uncompressed.
    NotAccepted,
    /// The peer takes it only uncompressed, and that cannot be made of it.
    NotConvertible(TranscodeError),
    /// It cannot be sent because it is not a DICOM object.
    Unreadable,
    /// It has more than [`MAX_WHOLE`] bytes, which are not held in memory to be sent.
    TooLong,
    /// The association was over before its turn or its answer.
    NotSent(SendError),
}

impl Sent {
    /// What a C-STORE response says.
    fn of(answer: Command) -> Result<Self, SendError> {
        match answer.status {
            Some(status) if status.is_kept() => Ok(Self::Kept(status)),
            Some(status) => Ok(Self::Refused { status, comment: answer.error_comment.unwrap_or_default() }),
            None => Err(SendError::Protocol("its answer has no status")),
        }
    }

    /// Whether the peer has it.
    pub fn is_kept(&self) -> bool {
        matches!(self, Self::Kept(_))
    }

    /// Whether trying again later may help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused { status, .. } => status.is_transient(),
            Self::NotSent(error) => error.is_transient(),
            Self::Kept(_) | Self::NotAccepted | Self::NotConvertible(_) | Self::Unreadable | Self::TooLong => false,
        }
    }
}

impl std::fmt::Display for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Kept(status) => write!(f, "The peer has it: {status}."),
            Self::Refused { status, .. } => write!(f, "The peer did not keep it: {status}."),
            Self::NotAccepted => f.write_str("The peer does not take this kind of object."),
            Self::NotConvertible(error) => write!(f, "The peer takes it only uncompressed, which cannot be: {error}."),
            Self::Unreadable => f.write_str("It is not a DICOM object, so it cannot be sent."),
            Self::TooLong => write!(f, "It has more than {} MiB and cannot be sent as a document.", MAX_WHOLE >> 20),
            Self::NotSent(error) => error.fmt(f),
        }
    }
}

/// Why there was no association, or why it ended early.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The host name is unknown or the host refuses.
    #[error("{host}:{port} cannot be reached: is it switched on, and are host and port right?")]
    Unreachable {
        /// Host asked for.
        host: String,
        /// Port asked for.
        port: u16,
    },
    /// The host does not answer.
    #[error("The peer did not answer in time.")]
    TimedOut,
    /// Our AE title is not registered there.
    #[error("The peer does not know us as {0}: our AE title must be registered there.")]
    CallingNotRecognized(AeTitle),
    /// The peer has another AE title.
    #[error("The peer is not called {0}: its AE title is registered wrongly here.")]
    CalledNotRecognized(AeTitle),
    /// It is busy.
    #[error("The peer is busy at the moment.")]
    Busy,
    /// It rejects the association for another reason.
    #[error("The peer rejected the association: {0}.")]
    Rejected(String),
    /// It aborted.
    #[error("The peer aborted the association.")]
    Aborted,
    /// The connection broke.
    #[error("The connection to the peer was lost.")]
    Lost,
    /// It answered something that is not DICOM.
    #[error("The peer does not speak DICOM correctly: {0}.")]
    Protocol(&'static str),
    /// TLS did not come about.
    #[error("TLS with the peer failed: {0}.")]
    Tls(TlsFault),
    /// A C-FIND or C-MOVE was answered with a failure.
    #[error("The peer refused the query: {status} {comment}")]
    QueryRefused {
        /// Its status.
        status: Status,
        /// Its own words, if it gave any.
        comment: String,
    },
    /// It accepts no C-GET.
    #[error(
        "The peer offers us no C-GET. Have it allowed there for our AE title, or choose C-MOVE in the rule for priors."
    )]
    NoGet,
    /// It accepts C-GET, but no class of images that it would send over our connection.
    #[error(
        "The peer would send no images over our connection (role selection). Choose C-MOVE in the rule for priors."
    )]
    NoStorage,
    /// A limit of its site is used up before it was called.
    #[error("It was not called: {0}. Wait, or raise the limit on the peer's page.")]
    NoPlace(Refusal),
    /// What it sends has passed a limit of its site.
    #[error("The transfer was cut off: {0}. What came is kept; wait, or raise the limit on the peer's page.")]
    Cut(Cut),
    /// We did not want it any more.
    #[error("The transfer was stopped here.")]
    Stopped,
    /// A C-ECHO was answered with a failure.
    #[error("The peer answered the echo with {0}.")]
    EchoFailed(Status),
}

impl SendError {
    /// Whether trying again later may help without anyone changing anything.
    pub fn is_transient(&self) -> bool {
        !matches!(
            self,
            Self::CallingNotRecognized(_)
                | Self::CalledNotRecognized(_)
                | Self::Protocol(_)
                | Self::Tls(_)
                | Self::NoGet
                | Self::NoStorage
        )
    }
}
