//! A small certificate authority for demonstrations and closed test systems.
//!
//! It issues readers' certificates under its own root and nothing more: no
//! revocation, no policies, no hardware. A clinic that needs qualified signatures
//! brings certificates of its own (HPKI, JPKI, a trust service) behind
//! [`SignDigest`](super::SignDigest).

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use p256::ecdsa::{DerSignature, SigningKey};
use p256::elliptic_curve::Generate;
use p256::elliptic_curve::rand_core::CryptoRng;
use x509_cert::Certificate;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder, CertificateBuilder};
use x509_cert::certificate::TbsCertificate;
use x509_cert::der::asn1::{Any, ObjectIdentifier, PrintableStringRef, SetOfVec, Utf8StringRef};
use x509_cert::der::{DateTime as DerDateTime, Decode, Encode, EncodePem};
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, BasicConstraints, KeyUsage, KeyUsages, SubjectKeyIdentifier};
use x509_cert::ext::{Extension, ToExtension};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{SubjectPublicKeyInfo, SubjectPublicKeyInfoRef};
use x509_cert::time::{Time, Validity};

use super::SignError;
use super::identity::{self, SigningIdentity};

const COUNTRY: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.6");
const ORGANIZATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.10");
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const SERIAL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.5");

/// X.520's upper bound for names (ub-common-name, ub-organization-name: RFC 5280, appendix A.1).
const LONGEST_NAME: usize = 64;

/// Whom a certificate names. Country is JP.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The person, or the authority.
    pub name: String,
    /// The institution; may be empty.
    pub organization: String,
    /// What tells two persons of one name apart, e.g. the reader's id; may be empty.
    pub serial: String,
}

/// A root certificate with its key (ECDSA P-256).
pub struct Authority {
    certificate: Certificate,
    key: SigningKey,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("subject", &self.certificate.tbs_certificate().subject().to_string()).finish()
    }
}

impl Authority {
    /// A new root, valid from `from` to `until`; it may sign readers' certificates and nothing below them.
    pub fn create<R: CryptoRng + ?Sized>(
        subject: &Subject,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        rng: &mut R,
    ) -> Result<Self, SignError> {
        let key = SigningKey::generate_from_rng(rng);
        let profile = Profile { subject: subject.to_name()?, issuer: None };
        let certificate = build(profile, validity(from, until)?, &key, &key, rng)?;
        Ok(Self { certificate, key })
    }

    /// A new key and certificate for one reader: digital signature and non-repudiation only.
    pub fn issue<R: CryptoRng + ?Sized>(
        &self,
        subject: &Subject,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
        rng: &mut R,
    ) -> Result<SigningIdentity, SignError> {
        let key = SigningKey::generate_from_rng(rng);
        let issuer = self.certificate.tbs_certificate().subject().clone();
        let profile = Profile { subject: subject.to_name()?, issuer: Some(issuer) };
        let certificate = build(profile, validity(from, until)?, &key, &self.key, rng)?;
        SigningIdentity::new(vec![certificate, self.certificate.clone()], key)
    }

    /// From its PEM certificate and unencrypted PKCS#8 key.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, SignError> {
        // The pair is checked as an identity's would be.
        let checked = SigningIdentity::from_pem(certificate, key)?;
        let certificate = identity::chain_from_pem(&checked.chain_pem()?)?.remove(0);
        Ok(Self { certificate, key: identity::key_from_pem(key)? })
    }

    /// The root certificate as PEM: what a verifier imports.
    pub fn certificate_pem(&self) -> Result<String, SignError> {
        Ok(self.certificate.to_pem(p256::pkcs8::LineEnding::LF)?)
    }

    /// The private key as unencrypted PKCS#8 PEM. Whoever stores it must guard it.
    pub fn key_pem(&self) -> Result<String, SignError> {
        identity::key_to_pem(&self.key)
    }
}

impl Subject {
    /// Attributes are set as values, never parsed from text, so a comma or `CN=` in a name stays a name.
    fn to_name(&self) -> Result<Name, SignError> {
        let mut rdns = vec![rdn(COUNTRY, Any::encode_from(&PrintableStringRef::new("JP")?)?)?];
        for (oid, text) in
            [(ORGANIZATION, &self.organization), (SERIAL_NUMBER, &self.serial), (COMMON_NAME, &self.name)]
        {
            let text: String = text.trim().chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
            if text.is_empty() {
                continue;
            }
            let value = match (oid, PrintableStringRef::new(&text)) {
                (SERIAL_NUMBER, Ok(printable)) => Any::encode_from(&printable)?,
                (SERIAL_NUMBER, Err(error)) => return Err(error.into()),
                _ => Any::encode_from(&Utf8StringRef::new(&text)?)?,
            };
            rdns.push(rdn(oid, value)?);
        }
        Ok(Name::from_der(&rdns.to_der()?)?)
    }
}

fn rdn(oid: ObjectIdentifier, value: Any) -> Result<SetOfVec<AttributeTypeAndValue>, SignError> {
    Ok(SetOfVec::try_from(vec![AttributeTypeAndValue { oid, value }])?)
}

fn validity(from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Validity, SignError> {
    let time = |at: DateTime<Utc>| -> Result<Time, SignError> {
        let seconds =
            u64::try_from(at.timestamp()).map_err(|_| SignError::Structure("a date before 1970".to_owned()))?;
        Ok(Time::from(DerDateTime::from_unix_duration(Duration::from_secs(seconds))?))
    };
    Ok(Validity::new(time(from)?, time(until)?))
}

fn build<R: CryptoRng + ?Sized>(
    profile: Profile,
    validity: Validity,
    subject_key: &SigningKey,
    issuer_key: &SigningKey,
    rng: &mut R,
) -> Result<Certificate, SignError> {
    let built = || -> x509_cert::builder::Result<Certificate> {
        let public = SubjectPublicKeyInfo::from_key(subject_key.verifying_key())?;
        let serial = SerialNumber::generate(rng);
        CertificateBuilder::new(profile, serial, validity, public)?.build::<_, DerSignature>(issuer_key)
    };
    built().map_err(|error| SignError::Structure(error.to_string()))
}

/// The extensions of a root (no issuer) or of a reader's certificate (RFC 5280, 4.2.1).
struct Profile {
    subject: Name,
    issuer: Option<Name>,
}

impl BuilderProfile for Profile {
    fn get_issuer(&self, subject: &Name) -> Name {
        self.issuer.clone().unwrap_or_else(|| subject.clone())
    }

    fn get_subject(&self) -> Name {
        self.subject.clone()
    }

    fn build_extensions(
        &self,
        spk: SubjectPublicKeyInfoRef<'_>,
        issuer_spk: SubjectPublicKeyInfoRef<'_>,
        tbs: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        let mut extensions: Vec<Extension> = Vec::new();
        let subject = tbs.subject();
        extensions.push(SubjectKeyIdentifier::try_from(spk)?.to_extension(subject, &extensions)?);
        if self.issuer.is_some() {
            extensions.push(AuthorityKeyIdentifier::try_from(issuer_spk)?.to_extension(subject, &extensions)?);
            let usage = KeyUsage(KeyUsages::DigitalSignature | KeyUsages::NonRepudiation);
            extensions.push(usage.to_extension(subject, &extensions)?);
        } else {
            let root = BasicConstraints { ca: true, path_len_constraint: Some(0) };
            extensions.push(root.to_extension(subject, &extensions)?);
            extensions.push(KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign).to_extension(subject, &extensions)?);
        }
        Ok(extensions)
    }
}
