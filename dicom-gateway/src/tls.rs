//! DICOM over TLS (PS3.15 annex B, the BCP 195 profiles): who is at the other end, and what is wrong with its
//! certificate, in words.
//!
//! TLS 1.3, and TLS 1.2 with ECDHE and AES-GCM or ChaCha20 only; no renegotiation, no compression, no downgrade. The
//! handshake proves that the caller holds its certificate's key; whether that certificate is good enough is decided at
//! admission, together with AE title and address, so that a refusal can say why. Certificates are read again when their
//! files change. Absent: revocation lists and OCSP; a certificate that was lost is unpinned or its issuer removed.

mod certificate;
mod client;
mod fault;
mod files;
mod own;
mod server;

use std::sync::Arc;

use rustls::SupportedProtocolVersion;
use rustls::crypto::CryptoProvider;

pub use certificate::{CertificateFault, PeerCertificate, TrustError};
pub use client::{TlsClient, TlsPeer};
pub use fault::TlsFault;
pub use files::{FilesError, TlsFiles};
pub use own::OwnCertificate;
pub use server::{TlsCaller, TlsServer};

/// Newest first.
const VERSIONS: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

/// The suites of TLS 1.3, and of TLS 1.2 those of BCP 195: forward secret and authenticated, nothing else is built in.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
