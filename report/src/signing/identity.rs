//! A reader's certificate chain with the private key in memory.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{Signature, SigningKey};
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use x509_cert::Certificate;
use x509_cert::der::{DecodePem, Encode, EncodePem};

use super::{SignDigest, SignError, SignatureAlgorithm};

/// A certificate chain (the signer's own first) and its ECDSA P-256 key.
#[derive(Clone)]
pub struct SigningIdentity {
    certificates: Vec<Certificate>,
    key: SigningKey,
}

impl fmt::Debug for SigningIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningIdentity").field("certificates", &self.certificates.len()).field("key", &"***").finish()
    }
}

impl SigningIdentity {
    /// Refuses a key that is not the first certificate's.
    pub(super) fn new(certificates: Vec<Certificate>, key: SigningKey) -> Result<Self, SignError> {
        let leaf =
            certificates.first().ok_or(SignError::Pem { what: "certificate", why: "there is none".to_owned() })?;
        let own = key.verifying_key().to_public_key_der().map_err(|error| SignError::Structure(error.to_string()))?;
        if leaf.tbs_certificate().subject_public_key_info().to_der()? != own.as_bytes() {
            return Err(SignError::KeyMismatch);
        }
        Ok(Self { certificates, key })
    }

    /// From a PEM certificate chain, the signer's own first, and an unencrypted PKCS#8 key (P-256).
    pub fn from_pem(chain: &str, key: &str) -> Result<Self, SignError> {
        Self::new(chain_from_pem(chain)?, key_from_pem(key)?)
    }

    /// The chain as PEM, the signer's own certificate first.
    pub fn chain_pem(&self) -> Result<String, SignError> {
        let mut pem = String::new();
        for certificate in &self.certificates {
            pem.push_str(&certificate.to_pem(LineEnding::LF)?);
        }
        Ok(pem)
    }

    /// The private key as unencrypted PKCS#8 PEM. Whoever stores it must guard it (mode 0600, or encrypted).
    pub fn key_pem(&self) -> Result<String, SignError> {
        key_to_pem(&self.key)
    }

    /// Until when the signer's certificate is valid.
    pub fn valid_until(&self) -> DateTime<Utc> {
        self.certificates.first().map_or(DateTime::UNIX_EPOCH, |leaf| validity(leaf).1)
    }

    /// The signer's certificate as DER.
    pub fn certificate_der(&self) -> Result<Vec<u8>, SignError> {
        let leaf = self.certificates.first().ok_or_else(|| SignError::Structure("no certificate".to_owned()))?;
        Ok(leaf.to_der()?)
    }
}

impl SignDigest for SigningIdentity {
    fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::EcdsaSha256
    }

    /// Deterministic (RFC 6979).
    fn sign_digest(&self, sha256: &[u8; 32]) -> Result<Vec<u8>, SignError> {
        let signature: Signature = self.key.sign_prehash(sha256).map_err(|error| SignError::Key(error.to_string()))?;
        Ok(signature.to_der().as_bytes().to_vec())
    }
}

pub(super) fn chain_from_pem(pem: &str) -> Result<Vec<Certificate>, SignError> {
    const END: &str = "-----END CERTIFICATE-----";
    let mut certificates = Vec::new();
    let mut rest = pem;
    while let Some(start) = rest.find("-----BEGIN CERTIFICATE-----") {
        let end = rest[start..]
            .find(END)
            .ok_or(SignError::Pem { what: "certificate", why: "a block has no end".to_owned() })?;
        let block = &rest[start..start + end + END.len()];
        let certificate = Certificate::from_pem(block.as_bytes())
            .map_err(|error| SignError::Pem { what: "certificate", why: error.to_string() })?;
        certificates.push(certificate);
        rest = &rest[start + end + END.len()..];
    }
    if certificates.is_empty() {
        return Err(SignError::Pem { what: "certificate", why: "there is none".to_owned() });
    }
    Ok(certificates)
}

pub(super) fn key_from_pem(pem: &str) -> Result<SigningKey, SignError> {
    SigningKey::from_pkcs8_pem(pem.trim())
        .map_err(|error| SignError::Pem { what: "private key", why: error.to_string() })
}

pub(super) fn key_to_pem(key: &SigningKey) -> Result<String, SignError> {
    let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|error| SignError::Structure(error.to_string()))?;
    Ok(pem.as_str().to_owned())
}

pub(super) fn check_validity(certificate: &Certificate, at: DateTime<Utc>) -> Result<(), SignError> {
    let (from, until) = validity(certificate);
    if at < from || at > until {
        return Err(SignError::OutsideValidity { from, until, at });
    }
    Ok(())
}

fn validity(certificate: &Certificate) -> (DateTime<Utc>, DateTime<Utc>) {
    let instant = |since_epoch: Duration| {
        DateTime::from_timestamp(since_epoch.as_secs() as i64, 0).unwrap_or(DateTime::<Utc>::MAX_UTC)
    };
    let validity = certificate.tbs_certificate().validity();
    (instant(validity.not_before.to_unix_duration()), instant(validity.not_after.to_unix_duration()))
}
