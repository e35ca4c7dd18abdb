//! Our own certificate alone, for services whose callers need none.

use std::sync::{Arc, PoisonError, RwLock};

use chrono::{DateTime, Utc};
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::certificate::validity;
use super::files::{FilesError, TlsFiles};
use super::{VERSIONS, provider};

/// The certificate that its files held last, shown to whoever calls.
#[derive(Debug)]
pub struct OwnCertificate {
    files: TlsFiles,
    current: RwLock<Current>,
}

#[derive(Debug, Clone)]
struct Current {
    key: Arc<CertifiedKey>,
    not_after: Option<DateTime<Utc>>,
    digest: [u8; 32],
}

impl OwnCertificate {
    /// Reads the files; an authority in them is not looked at.
    ///
    /// # Errors
    /// [`FilesError`]
    pub fn load(files: TlsFiles) -> Result<Arc<Self>, FilesError> {
        let current = RwLock::new(read(&files)?);
        Ok(Arc::new(Self { files, current }))
    }

    /// Reads the files again; `true` when they had changed. New connections get what is new; those that are open stay.
    ///
    /// # Errors
    /// [`FilesError`]; what was read before stays in use.
    pub fn reload(&self) -> Result<bool, FilesError> {
        let fresh = read(&self.files)?;
        if fresh.digest == self.current().digest {
            return Ok(false);
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(true)
    }

    /// The last moment that it is valid.
    pub fn not_after(&self) -> Option<DateTime<Utc>> {
        self.current().not_after
    }

    /// How connections are accepted: the versions and suites of DICOM's, no certificate asked for.
    ///
    /// # Errors
    /// [`FilesError::Unusable`]
    pub fn server_config(self: &Arc<Self>) -> Result<ServerConfig, FilesError> {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(VERSIONS)
            .map_err(|error| FilesError::Unusable(error.to_string()))?;
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(self) as _;
        Ok(builder.with_no_client_auth().with_cert_resolver(resolver))
    }

    fn current(&self) -> Current {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesServerCert for OwnCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current().key)
    }
}

fn read(files: &TlsFiles) -> Result<Current, FilesError> {
    let loaded = files.load()?;
    let not_after = loaded.chain.first().and_then(validity).map(|(_, last)| last);
    let key = CertifiedKey::from_der(loaded.chain, loaded.key, &provider())
        .map_err(|error| FilesError::Unusable(error.to_string()))?;
    Ok(Current { key: Arc::new(key), not_after, digest: loaded.digest })
}
