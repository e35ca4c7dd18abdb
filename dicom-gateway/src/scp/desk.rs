//! Who may come in, and who is told when they have left.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use dokuei_models::{ArrivalId, EndpointId, SiteId};

use super::limits::SiteLimits;
use crate::ae_title::AeTitle;
use crate::tls::{CertificateFault, TlsCaller, TlsFault, TrustError};

/// Decides on admission and hears of every association's end. Lookups happen
/// here; the gateway itself knows no site.
#[async_trait]
pub trait Desk: Send + Sync + 'static {
    /// Which site's endpoint calls, or why it may not: AE title, address and certificate together decide.
    async fn admit(&self, calling: &AeTitle, called: &AeTitle, caller: &Caller) -> Result<Peer, Refusal>;

    /// An association has ended, or was never begun. For audit and the peer's page.
    async fn ended(&self, summary: AssociationSummary);
}

/// How somebody calls, before he has said who he is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The address he calls from.
    pub from: IpAddr,
    /// What TLS tells of him; nothing on the plain port.
    pub tls: Option<TlsCaller>,
}

/// A peer that was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its site.
    pub site: SiteId,
    /// Its endpoint.
    pub endpoint: EndpointId,
    /// Whether its site takes SOP classes that the standard does not list.
    pub private_classes: bool,
    /// Whether it may send objects (C-STORE).
    pub stores: bool,
    /// Whether it may query and retrieve (C-FIND, C-GET, C-MOVE).
    pub queries: bool,
    /// What its site may take.
    pub limits: SiteLimits,
}

/// Why a peer was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// It asked for another application entity.
    CalledUnknown,
    /// No endpoint has this AE title, or it isn't one.
    CallingUnknown,
    /// The AE title is known, but not at this address.
    AddressNotAllowed,
    /// The endpoint is switched off or may not send.
    NotAllowed,
    /// Too many associations at once.
    Busy,
    /// Too many associations at once from one address.
    AddressBusy,
    /// Too many associations of its site at once.
    SiteBusy,
    /// Its site has sent what it may send in an hour.
    SiteHour,
    /// Its site has sent what it may send in a day.
    SiteDay,
    /// The desk cannot look anything up at the moment.
    Unavailable,
    /// It speaks another protocol or application context.
    Protocol,
    /// The endpoint must speak TLS, and called without.
    TlsRequired,
    /// TLS did not come about; nobody was named yet.
    TlsFailed(TlsFault),
    /// It must show a certificate, and has shown none.
    CertificateMissing,
    /// Its certificate is over, or not yet valid.
    CertificateExpired,
    /// Its certificate is neither pinned nor issued by a known authority.
    CertificateUntrusted,
    /// Its certificate is another than the one that is pinned.
    CertificateOther,
}

impl Caller {
    /// Why a caller is not who an endpoint's certificate says, if he is not: with `tls_required` he must speak TLS and
    /// show a certificate that is believed; with `pinned` (64 small hexadecimal digits, or "") no other than that one.
    ///
    /// # Errors
    /// The refusal that he is told.
    pub fn prove(&self, tls_required: bool, pinned: &str) -> Result<(), Refusal> {
        let certificate = match &self.tls {
            None if tls_required => return Err(Refusal::TlsRequired),
            None => return Ok(()),
            Some(tls) => &tls.certificate,
        };
        match certificate {
            None if tls_required || !pinned.is_empty() => Err(Refusal::CertificateMissing),
            Some(certificate) if tls_required || !pinned.is_empty() => {
                certificate.check(pinned).map_err(|error| match error {
                    TrustError::NotPinned => Refusal::CertificateOther,
                    TrustError::Fault(CertificateFault::UnknownIssuer) => Refusal::CertificateUntrusted,
                    TrustError::Fault(_) => Refusal::CertificateExpired,
                })
            }
            _ => Ok(()),
        }
    }
}

impl Refusal {
    /// The stable name, under which it is kept and put into words.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CalledUnknown => "called_unknown",
            Self::CallingUnknown => "calling_unknown",
            Self::AddressNotAllowed => "address_not_allowed",
            Self::NotAllowed => "not_allowed",
            Self::Busy => "busy",
            Self::AddressBusy => "address_busy",
            Self::SiteBusy => "site_busy",
            Self::SiteHour => "site_hour",
            Self::SiteDay => "site_day",
            Self::Unavailable => "unavailable",
            Self::Protocol => "protocol",
            Self::TlsRequired => "tls_required",
            Self::TlsFailed(TlsFault::OursRefused) => "tls_ours_refused",
            Self::TlsFailed(TlsFault::NothingInCommon) => "tls_nothing_in_common",
            Self::TlsFailed(TlsFault::NotTls) => "tls_not_tls",
            Self::TlsFailed(_) => "tls_failed",
            Self::CertificateMissing => "certificate_missing",
            Self::CertificateExpired => "certificate_expired",
            Self::CertificateUntrusted => "certificate_untrusted",
            Self::CertificateOther => "certificate_other",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CalledUnknown => "the called AE title is not ours",
            Self::CallingUnknown => "the calling AE title is not registered",
            Self::AddressNotAllowed => "the calling AE title is not registered at this address",
            Self::NotAllowed => "the endpoint may not send",
            Self::Busy => "too many associations at once",
            Self::AddressBusy => "too many associations at once from this address",
            Self::SiteBusy => "too many associations of this site at once",
            Self::SiteHour => "the site has sent what it may send in an hour",
            Self::SiteDay => "the site has sent what it may send in a day",
            Self::Unavailable => "admission could not be decided",
            Self::Protocol => "the association request is not one of DICOM",
            Self::TlsRequired => "the endpoint must speak TLS",
            Self::TlsFailed(fault) => return write!(f, "TLS failed: {fault}"),
            Self::CertificateMissing => "the endpoint has shown no certificate",
            Self::CertificateExpired => "the endpoint's certificate is not valid at this time",
            Self::CertificateUntrusted => "the endpoint's certificate is of no known authority",
            Self::CertificateOther => "the endpoint's certificate is not the one registered",
        })
    }
}

/// How an association ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// By A-RELEASE.
    Released,
    /// The peer sent A-ABORT.
    Aborted,
    /// The connection broke.
    Lost,
    /// It passed a limit and was sent away.
    Cut(Cut),
    /// The peer broke the protocol and was sent away.
    ProtocolError,
    /// We are shutting down.
    ShutDown,
    /// It was never begun.
    Refused(Refusal),
}

impl Outcome {
    /// The word that the arrival's row holds.
    pub fn word(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Aborted | Self::ProtocolError | Self::ShutDown | Self::Refused(_) => "aborted",
            Self::Lost => "lost",
            Self::Cut(Cut::Idle | Cut::Slow | Cut::Time) => "timeout",
            Self::Cut(_) => "aborted",
        }
    }
}

/// The limit that an association passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cut {
    /// The peer was silent for too long.
    Idle,
    /// A message came too slowly.
    Slow,
    /// The association lasted too long.
    Time,
    /// It brought too many bytes.
    Bytes,
    /// It brought too many objects.
    Objects,
    /// The site's hour is used up.
    Hour,
    /// The site's day is used up.
    Day,
}

impl Cut {
    /// The stable name, under which it is kept and put into words.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Idle => "cut_idle",
            Self::Slow => "cut_slow",
            Self::Time => "cut_time",
            Self::Bytes => "cut_bytes",
            Self::Objects => "cut_objects",
            Self::Hour => "cut_hour",
            Self::Day => "cut_day",
        }
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Idle => "the peer was silent for too long",
            Self::Slow => "a message came too slowly",
            Self::Time => "the association lasted too long",
            Self::Bytes => "the association brought more bytes than the site may send over one",
            Self::Objects => "the association brought more objects than the site may send over one",
            Self::Hour => "the site has sent what it may send in an hour",
            Self::Day => "the site has sent what it may send in a day",
        })
    }
}

/// What an association brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// New instances.
    pub new: u32,
    /// Instances that were here already.
    pub repeated: u32,
    /// Known instances with another header, which is shown now.
    pub renewed: u32,
    /// Instances that contradict what is here, kept apart.
    pub conflicting: u32,
    /// Objects that could not be understood, kept apart.
    pub quarantined: u32,
    /// Objects that were not kept; the sender was told.
    pub failed: u32,
    /// Objects among them that passed a limit, by its stable name: `object_too_large`, `memory_full`, `site_objects`.
    pub limited: BTreeMap<&'static str, u32>,
    /// Objects among them that are of another study than was asked for.
    pub unasked: u32,
    /// C-ECHO requests answered.
    pub echoes: u32,
    /// Bytes received.
    pub bytes: u64,
    /// New instances per Study Instance UID.
    pub studies: BTreeMap<String, u32>,
}

/// The association as admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// Who called.
    pub peer: Peer,
    /// The arrival's row, if an object came.
    pub arrival: Option<ArrivalId>,
}

/// One association, once it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssociationSummary {
    /// As sent; empty if no request was understood.
    pub calling: String,
    /// As sent; empty if no request was understood.
    pub called: String,
    /// The address it came from.
    pub from: IpAddr,
    /// What TLS told of it; nothing on the plain port.
    pub tls: Option<TlsCaller>,
    /// `None` if it was refused.
    pub admission: Option<Admission>,
    /// When the connection came.
    pub started_at: DateTime<Utc>,
    /// When it was over.
    pub ended_at: DateTime<Utc>,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether we opened it, to have what we asked for sent over it; else the peer did.
    pub fetched: bool,
    /// What it brought.
    pub tally: Tally,
}
