//! Why TLS did not come about, as one of a few reasons that somebody can act on.

use std::io;

use rustls::{AlertDescription as Alert, CertificateError, Error};

/// Why TLS did not come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TlsFault {
    /// The peer's certificate is over.
    #[error("its certificate has expired")]
    Expired,
    /// The peer's certificate is not valid yet.
    #[error("its certificate is not valid yet (is a clock wrong?)")]
    NotYetValid,
    /// Nobody we know issued it.
    #[error("its certificate was not issued by a known authority")]
    UnknownIssuer,
    /// It was issued for another host.
    #[error("its certificate is for another host name")]
    OtherName,
    /// Another certificate is pinned.
    #[error("its certificate is not the one registered here")]
    NotPinned,
    /// It refuses our certificate, or wants one.
    #[error("it does not accept our certificate")]
    OursRefused,
    /// No common version or suite: it is too old, or allows too little.
    #[error("no TLS version or cipher suite in common")]
    NothingInCommon,
    /// It speaks something else.
    #[error("it does not speak TLS on this port")]
    NotTls,
    /// We have no certificate or authority configured.
    #[error("TLS is not configured here")]
    NotConfigured,
    /// Anything else.
    #[error("the TLS handshake failed")]
    Other,
}

impl TlsFault {
    /// The stable name, under which it is put into words.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::UnknownIssuer => "unknown_issuer",
            Self::OtherName => "other_name",
            Self::NotPinned => "not_pinned",
            Self::OursRefused => "ours_refused",
            Self::NothingInCommon => "nothing_in_common",
            Self::NotTls => "not_tls",
            Self::NotConfigured => "not_configured",
            Self::Other => "other",
        }
    }

    /// The fault behind an error of a TLS stream; `None` when the connection itself broke.
    pub fn behind(error: &io::Error) -> Option<Self> {
        let inner = error.get_ref()?.downcast_ref::<Error>()?;
        Some(match inner {
            Error::InvalidCertificate(fault) => Self::of_certificate(fault),
            Error::AlertReceived(
                Alert::CertificateRequired
                | Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::UnknownCA
                | Alert::AccessDenied,
            )
            | Error::NoCertificatesPresented => Self::OursRefused,
            Error::AlertReceived(Alert::ProtocolVersion | Alert::HandshakeFailure | Alert::InsufficientSecurity)
            | Error::PeerIncompatible(_) => Self::NothingInCommon,
            Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => Self::NotTls,
            _ => Self::Other,
        })
    }

    fn of_certificate(fault: &CertificateError) -> Self {
        match fault {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Self::OtherName,
            CertificateError::ApplicationVerificationFailure => Self::NotPinned,
            _ => Self::UnknownIssuer,
        }
    }
}
