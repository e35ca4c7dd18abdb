//! Certificates and keys in PEM files, read anew when they change.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};

/// Where certificates are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// Our certificate and those between it and its authority, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM (PKCS #8, PKCS #1 or SEC 1), readable by us alone.
    pub key: PathBuf,
    /// The authorities whose certificates peers may show, PEM. Without it only pinned ones are believed.
    pub authority: Option<PathBuf>,
}

/// Why the files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A file is not there, or holds nothing of what it should.
    #[error("{path}: {what}")]
    Unreadable {
        /// The file.
        path: String,
        /// What is wrong with it.
        what: String,
    },
    /// Certificate and key do not fit, or TLS cannot use them.
    #[error("the TLS certificate cannot be used: {0}")]
    Unusable(String),
}

/// What the files held when they were read.
pub(super) struct Loaded {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
    pub roots: Option<Arc<RootCertStore>>,
    /// SHA-256 over all of it: whether something changed.
    pub digest: [u8; 32],
}

impl TlsFiles {
    pub(super) fn load(&self) -> Result<Loaded, FilesError> {
        let (chain_pem, key_pem) = (read(&self.certificate)?, read(&self.key)?);
        let authority_pem = self.authority.as_deref().map(read).transpose()?;
        let mut digest = Sha256::new();
        for part in [Some(&chain_pem), Some(&key_pem), authority_pem.as_ref()].into_iter().flatten() {
            digest.update(Sha256::digest(part));
        }
        let chain = certificates(&self.certificate, &chain_pem)?;
        let key = PrivateKeyDer::from_pem_slice(&key_pem).map_err(|_| fault(&self.key, "it holds no private key"))?;
        let roots = match (&self.authority, authority_pem) {
            (Some(path), Some(pem)) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(path, &pem)? {
                    roots.add(certificate).map_err(|_| fault(path, "a certificate in it cannot be an authority"))?;
                }
                Some(Arc::new(roots))
            }
            _ => None,
        };
        Ok(Loaded { chain, key, roots, digest: digest.finalize().into() })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, FilesError> {
    std::fs::read(path).map_err(|error| fault(path, &format!("cannot be read ({})", error.kind())))
}

fn certificates(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, FilesError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(fault(path, "it holds no certificate")),
    }
}

fn fault(path: &Path, what: &str) -> FilesError {
    FilesError::Unreadable { path: path.display().to_string(), what: what.to_owned() }
}
