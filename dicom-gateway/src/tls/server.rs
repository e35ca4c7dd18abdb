//! Our end of a caller's TLS connection.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::certificate::{PeerCertificate, validity};
use super::fault::TlsFault;
use super::files::{FilesError, Loaded, TlsFiles};
use super::{VERSIONS, provider};

/// Accepts TLS connections with the certificates that its files held last.
pub struct TlsServer {
    files: TlsFiles,
    certificate_required: bool,
    current: RwLock<Arc<Current>>,
}

struct Current {
    config: Arc<ServerConfig>,
    authority: Option<Arc<dyn ClientCertVerifier>>,
    not_after: Option<DateTime<Utc>>,
    digest: [u8; 32],
}

/// What is known of a caller by its TLS connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsCaller {
    /// `TLSv1_3` or `TLSv1_2`.
    pub version: String,
    /// The cipher suite's name (RFC 8446, RFC 5289).
    pub suite: String,
    /// The certificate that it has shown, if it has.
    pub certificate: Option<PeerCertificate>,
}

impl TlsServer {
    /// Reads the files. With `certificate_required`, whoever shows no certificate gets no connection; without, it is
    /// asked for, and each endpoint decides.
    ///
    /// # Errors
    /// [`FilesError`]
    pub fn load(files: TlsFiles, certificate_required: bool) -> Result<Self, FilesError> {
        let current = Arc::new(configure(files.load()?, certificate_required)?);
        Ok(Self { files, certificate_required, current: RwLock::new(current) })
    }

    /// Reads the files again; `true` when they had changed. New connections get what is new; those that are open stay.
    ///
    /// # Errors
    /// [`FilesError`]; what was read before stays in use.
    pub fn reload(&self) -> Result<bool, FilesError> {
        let loaded = self.files.load()?;
        if loaded.digest == self.current().digest {
            return Ok(false);
        }
        let fresh = Arc::new(configure(loaded, self.certificate_required)?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(true)
    }

    /// The last moment that our own certificate is valid.
    pub fn not_after(&self) -> Option<DateTime<Utc>> {
        self.current().not_after
    }

    fn current(&self) -> Arc<Current> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Shakes hands. The caller sets the deadline.
    ///
    /// # Errors
    /// Why not; `None` when the connection just ended, as a port scan's does.
    pub async fn accept(&self, stream: TcpStream) -> Result<(TlsStream<TcpStream>, TlsCaller), Option<TlsFault>> {
        let current = self.current();
        let stream = TlsAcceptor::from(Arc::clone(&current.config))
            .accept(stream)
            .await
            .map_err(|error| TlsFault::behind(&error))?;
        let (_, session) = stream.get_ref();
        let chain = session.peer_certificates().unwrap_or_default();
        let certificate = match chain {
            [] => None,
            // The handshake could read it, so this only fails for one that is odd beyond use.
            chain => Some(
                PeerCertificate::judge(chain, current.authority.as_deref(), Utc::now())
                    .ok_or(Some(TlsFault::UnknownIssuer))?,
            ),
        };
        let name = |text: Option<String>| text.unwrap_or_default();
        let caller = TlsCaller {
            version: name(session.protocol_version().map(|version| format!("{version:?}"))),
            suite: name(session.negotiated_cipher_suite().map(|suite| format!("{:?}", suite.suite()))),
            certificate,
        };
        Ok((stream, caller))
    }
}

fn configure(loaded: Loaded, certificate_required: bool) -> Result<Current, FilesError> {
    let unusable = |error: &dyn std::fmt::Display| FilesError::Unusable(error.to_string());
    let provider = provider();
    let authority: Option<Arc<dyn ClientCertVerifier>> = match loaded.roots {
        Some(roots) => {
            let built = WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider)).build();
            Some(built.map_err(|error| unusable(&error))?)
        }
        None => None,
    };
    let holders = Holders { algorithms: provider.signature_verification_algorithms, required: certificate_required };
    let not_after = loaded.chain.first().and_then(validity).map(|(_, last)| last);
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(VERSIONS)
        .map_err(|error| unusable(&error))?
        .with_client_cert_verifier(Arc::new(holders))
        .with_single_cert(loaded.chain, loaded.key)
        .map_err(|error| unusable(&error))?;
    Ok(Current { config: Arc::new(config), authority, not_after, digest: loaded.digest })
}

/// Lets in whoever holds the key of the certificate he shows; who that is, admission judges.
#[derive(Debug)]
struct Holders {
    algorithms: WebPkiSupportedAlgorithms,
    required: bool,
}

impl ClientCertVerifier for Holders {
    fn client_auth_mandatory(&self) -> bool {
        self.required
    }

    /// No hints: a client with a pinned certificate of its own must not be made to think that none of its own fits.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
