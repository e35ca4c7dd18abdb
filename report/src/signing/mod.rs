//! Signs a PDF as PAdES-B-B.
//!
//! The signature is an incremental update: the bytes handed in stay as they are,
//! in front. The private key is behind [`SignDigest`], which is given 32 bytes and
//! gives back a signature value, so a key in a card, an HSM or a remote service
//! fits as well as [`SigningIdentity`], which keeps it in memory.

mod authority;
mod identity;
mod pades;
mod pdf;
mod update;

use chrono::{DateTime, Utc};
use x509_cert::Certificate;

pub use authority::{Authority, Subject};
pub use identity::SigningIdentity;

/// Why something could not be signed, issued or loaded. Messages hold no key and no text of the report.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The bytes are not a PDF this can sign.
    #[error("not a PDF that can be signed: {0}")]
    Pdf(String),
    /// A certificate or signature structure could not be read or made.
    #[error("certificate or signature structure: {0}")]
    Structure(String),
    /// PEM text holds no usable certificate chain or key.
    #[error("no usable {what} in the PEM text: {why}")]
    Pem {
        /// `certificate` or `private key`.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The private key does not belong to the first certificate.
    #[error("the private key does not belong to the first certificate")]
    KeyMismatch,
    /// The certificate is not valid at the signing time.
    #[error("the certificate is valid from {from} to {until}, not at the signing time {at}")]
    OutsideValidity {
        /// Its first instant.
        from: DateTime<Utc>,
        /// Its last instant.
        until: DateTime<Utc>,
        /// The signing time asked for.
        at: DateTime<Utc>,
    },
    /// The key could not sign (a card was pulled, a service did not answer, ...).
    #[error("the key did not sign: {0}")]
    Key(String),
    /// The signature is longer than the space left for it in the file.
    #[error("the signature has {needed} bytes, the file has room for {room}")]
    TooLarge {
        /// Bytes of the signature.
        needed: usize,
        /// Bytes reserved.
        room: usize,
    },
}

impl From<x509_cert::der::Error> for SignError {
    fn from(error: x509_cert::der::Error) -> Self {
        Self::Structure(error.to_string())
    }
}

/// How a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    /// ECDSA over a SHA-256 digest (RFC 5758); the value is a DER `ECDSA-Sig-Value`.
    EcdsaSha256,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 4055).
    RsaPkcs1Sha256,
}

/// A key that signs digests, wherever it lives.
pub trait SignDigest {
    /// The signer's certificate first, then its issuers; the root may be left out.
    fn certificates(&self) -> &[Certificate];

    /// How [`sign_digest`](Self::sign_digest) signs.
    fn algorithm(&self) -> SignatureAlgorithm;

    /// The signature value over a SHA-256 digest (32 bytes), encoded as the algorithm says.
    ///
    /// PKCS#11: `CKM_ECDSA` on the digest, r and s wrapped as DER; or `CKM_RSA_PKCS` on its `DigestInfo`.
    fn sign_digest(&self, sha256: &[u8; 32]) -> Result<Vec<u8>, SignError>;
}

/// What the signature dictionary says.
#[derive(Debug, Clone)]
pub struct SignatureDetails {
    /// Who signs.
    pub name: String,
    /// Why; may be empty.
    pub reason: String,
    /// Where; may be empty.
    pub location: String,
    /// The claimed time (`/M`). PAdES allows no signing-time attribute beside it.
    pub time: DateTime<Utc>,
}

/// Signs `pdf` and returns it with the signature appended.
///
/// PAdES baseline B-B (ETSI EN 319 142-1, 6.3): SubFilter `ETSI.CAdES.detached`;
/// signed attributes content-type, message-digest and signing-certificate-v2.
/// The field is invisible, on the first page; the file keeps what PDF/A-2 asks of
/// annotations, forms and signatures (ISO 19005-2, 6.3, 6.4). Classic
/// cross-reference tables only, as [`typeset`](crate::typeset) writes them.
/// A file that is signed already gets one more signature.
///
/// Equal input gives equal bytes when the key signs deterministically, as [`SigningIdentity`] does.
pub fn sign(pdf: &[u8], signer: &dyn SignDigest, details: &SignatureDetails) -> Result<Vec<u8>, SignError> {
    let certificate = signer.certificates().first().ok_or_else(|| SignError::Structure("no certificate".to_owned()))?;
    identity::check_validity(certificate, details.time)?;
    let room = pades::room_for(signer.certificates())?;
    let mut prepared = pdf::prepare(pdf, details, room)?;
    let digest = prepared.digest();
    let signature = pades::detached(&digest, signer)?;
    prepared.insert(&signature)?;
    Ok(prepared.bytes)
}
