//! Our end of a TLS connection that we open.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::certificate::{PeerCertificate, validity};
use super::fault::TlsFault;
use super::files::{FilesError, Loaded, TlsFiles};
use super::{VERSIONS, provider};

/// Opens TLS connections with the certificates that its files held last.
pub struct TlsClient {
    files: TlsFiles,
    loaded: RwLock<Arc<Loaded>>,
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsClient").field("files", &self.files).finish_non_exhaustive()
    }
}

/// A peer to be called with TLS.
#[derive(Clone, Debug)]
pub struct TlsPeer {
    client: Arc<TlsClient>,
    /// SHA-256 of the one certificate it may show, 64 small hexadecimal digits; empty where the authority decides.
    pinned: String,
}

impl PartialEq for TlsPeer {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.client, &other.client) && self.pinned == other.pinned
    }
}

impl Eq for TlsPeer {}

impl TlsClient {
    /// Reads the files; the certificate is the one we show to peers that ask.
    ///
    /// # Errors
    /// [`FilesError`]
    pub fn load(files: TlsFiles) -> Result<Self, FilesError> {
        let loaded = RwLock::new(Arc::new(files.load()?));
        Ok(Self { files, loaded })
    }

    /// Reads the files again; `true` when they had changed.
    ///
    /// # Errors
    /// [`FilesError`]; what was read before stays in use.
    pub fn reload(&self) -> Result<bool, FilesError> {
        let fresh = self.files.load()?;
        let changed = fresh.digest != self.loaded().digest;
        if changed {
            *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        }
        Ok(changed)
    }

    /// The last moment that our own certificate is valid.
    pub fn not_after(&self) -> Option<DateTime<Utc>> {
        self.loaded().chain.first().and_then(validity).map(|(_, last)| last)
    }

    fn loaded(&self) -> Arc<Loaded> {
        Arc::clone(&self.loaded.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A peer that shows the pinned certificate, or with `""` one of the configured authority for its host name.
    pub fn peer(self: &Arc<Self>, pinned: &str) -> TlsPeer {
        TlsPeer { client: Arc::clone(self), pinned: pinned.to_owned() }
    }
}

impl TlsPeer {
    /// Shakes hands with `host`. The caller sets the deadline.
    ///
    /// # Errors
    /// Why not; `None` when the connection just ended.
    pub(crate) async fn connect(
        &self,
        host: &str,
        stream: TcpStream,
    ) -> Result<(TlsStream<TcpStream>, Option<PeerCertificate>), Option<TlsFault>> {
        let loaded = self.client.loaded();
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Some(TlsFault::OtherName))?;
        let config = configure(&loaded, &self.pinned).map_err(|_| Some(TlsFault::NotConfigured))?;
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
            .map_err(|error| TlsFault::behind(&error))?;
        let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first).and_then(PeerCertificate::read);
        Ok((stream, shown))
    }
}

fn configure(loaded: &Loaded, pinned: &str) -> Result<ClientConfig, FilesError> {
    let unusable = |error: &dyn fmt::Display| FilesError::Unusable(error.to_string());
    let provider = provider();
    let authority = match &loaded.roots {
        Some(roots) => {
            let built = WebPkiServerVerifier::builder_with_provider(Arc::clone(roots), Arc::clone(&provider)).build();
            Some(built.map_err(|error| unusable(&error))?)
        }
        None => None,
    };
    let algorithms = provider.signature_verification_algorithms;
    let trusted = Trusted { algorithms, authority, pinned: pinned.to_owned() };
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(VERSIONS)
        .map_err(|error| unusable(&error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(trusted))
        .with_client_auth_cert(loaded.chain.clone(), loaded.key.clone_key())
        .map_err(|error| unusable(&error))
}

/// Believes the pinned certificate while it is valid and no other, or those of the authority.
#[derive(Debug)]
struct Trusted {
    algorithms: WebPkiSupportedAlgorithms,
    authority: Option<Arc<WebPkiServerVerifier>>,
    pinned: String,
}

impl ServerCertVerifier for Trusted {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.pinned.is_empty() {
            let unknown = Error::InvalidCertificate(CertificateError::UnknownIssuer);
            return self.authority.as_ref().ok_or(unknown)?.verify_server_cert(own, others, name, ocsp, now);
        }
        if hex::encode(Sha256::digest(own)) != self.pinned {
            return Err(CertificateError::ApplicationVerificationFailure.into());
        }
        let (first, last) = validity(own).ok_or(CertificateError::BadEncoding)?;
        let now = Utc::now();
        if now > last {
            return Err(CertificateError::Expired.into());
        }
        if now < first {
            return Err(CertificateError::NotValidYet.into());
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
