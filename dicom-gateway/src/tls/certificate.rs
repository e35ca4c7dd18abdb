//! A peer's certificate as a person knows it, and whether it may be believed.

use chrono::{DateTime, Utc};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use sha2::{Digest, Sha256};
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// A certificate that a peer has shown and whose key it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate {
    /// SHA-256 of its DER form, 64 small hexadecimal digits.
    pub sha256: String,
    /// Its subject (RFC 4514).
    pub subject: String,
    /// The last moment it is valid.
    pub not_after: DateTime<Utc>,
    /// Why it is not to be believed; nothing where the configured authority vouches for it.
    pub fault: Option<CertificateFault>,
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CertificateFault {
    /// Its time is over.
    Expired,
    /// Its time has not come: one of the two clocks is wrong, most likely.
    NotYetValid,
    /// No configured authority has issued it. One that is pinned may be believed all the same.
    UnknownIssuer,
}

impl PeerCertificate {
    /// Judges the certificates that a caller has shown, its own first. `None` when it cannot be read.
    pub(super) fn judge(
        chain: &[CertificateDer<'_>],
        authority: Option<&dyn ClientCertVerifier>,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let (own, others) = chain.split_first()?;
        let mut certificate = Self::read(own)?;
        let (not_before, not_after) = validity(own)?;
        let moment = u64::try_from(now.timestamp()).ok().map(std::time::Duration::from_secs)?;
        let vouched = || {
            authority.is_some_and(|authority| {
                authority.verify_client_cert(own, others, UnixTime::since_unix_epoch(moment)).is_ok()
            })
        };
        certificate.fault = if now > not_after {
            Some(CertificateFault::Expired)
        } else if now < not_before {
            Some(CertificateFault::NotYetValid)
        } else if vouched() {
            None
        } else {
            Some(CertificateFault::UnknownIssuer)
        };
        Some(certificate)
    }

    /// Reads a certificate without judging it.
    pub(super) fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let certificate = Certificate::from_der(der).ok()?;
        Some(Self {
            sha256: hex::encode(Sha256::digest(der)),
            subject: certificate.tbs_certificate().subject().to_string(),
            not_after: validity(der)?.1,
            fault: None,
        })
    }

    /// Whether it may be believed by itself or because it is the one that was pinned (64 small hexadecimal digits).
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, pinned: &str) -> Result<(), TrustError> {
        match self.fault {
            Some(CertificateFault::Expired) => Err(TrustError::Fault(CertificateFault::Expired)),
            Some(CertificateFault::NotYetValid) => Err(TrustError::Fault(CertificateFault::NotYetValid)),
            _ if !pinned.is_empty() && pinned != self.sha256 => Err(TrustError::NotPinned),
            Some(CertificateFault::UnknownIssuer) if pinned.is_empty() => {
                Err(TrustError::Fault(CertificateFault::UnknownIssuer))
            }
            _ => Ok(()),
        }
    }
}

/// Why a certificate is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustError {
    /// Something is wrong with the certificate itself.
    Fault(CertificateFault),
    /// Another one is pinned.
    NotPinned,
}

/// First and last moment.
pub(super) fn validity(der: &CertificateDer<'_>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let certificate = Certificate::from_der(der).ok()?;
    let validity = certificate.tbs_certificate().validity();
    Some((validity.not_before.to_system_time().into(), validity.not_after.to_system_time().into()))
}
