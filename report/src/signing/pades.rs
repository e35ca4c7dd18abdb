//! The CMS structure inside a PAdES-B-B signature (RFC 5652, RFC 5035, ETSI EN 319 122-1).

use cms::cert::{CertificateChoices, IssuerAndSerialNumber};
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{
    CertificateSet, EncapsulatedContentInfo, SignedData, SignerIdentifier, SignerInfo, SignerInfos,
};
use sha2::{Digest, Sha256};
use x509_cert::Certificate;
use x509_cert::attr::Attribute;
use x509_cert::der::asn1::{Any, Null, ObjectIdentifier, OctetString, SetOfVec};
use x509_cert::der::{Encode, Sequence};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::{SignDigest, SignError, SignatureAlgorithm};

const ID_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const ID_SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const ID_CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const ID_MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const ID_SIGNING_CERTIFICATE_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
const ID_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const ID_ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ID_RSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");

/// `SigningCertificateV2` (RFC 5035, 3); `policies` is never written.
#[derive(Sequence)]
struct SigningCertificateV2 {
    certs: Vec<EssCertIdV2>,
}

/// `ESSCertIDv2` (RFC 5035, 4); `hashAlgorithm` is left out because SHA-256 is its default.
#[derive(Sequence)]
struct EssCertIdV2 {
    cert_hash: OctetString,
    issuer_serial: IssuerSerial,
}

/// `IssuerSerial` (RFC 5035, 5).
#[derive(Sequence)]
struct IssuerSerial {
    issuer: Vec<GeneralName>,
    serial_number: SerialNumber,
}

/// Bytes to reserve: the certificates, and more than the rest ever takes (RSA-4096 included).
pub(super) fn room_for(certificates: &[Certificate]) -> Result<usize, SignError> {
    let mut room = 3072;
    for certificate in certificates {
        room += certificate.to_der()?.len();
    }
    if let Some(leaf) = certificates.first() {
        room += 2 * leaf.tbs_certificate().issuer().to_der()?.len();
    }
    Ok(room)
}

/// A detached signature over the SHA-256 `message_digest`, as DER `ContentInfo`.
pub(super) fn detached(message_digest: &[u8; 32], signer: &dyn SignDigest) -> Result<Vec<u8>, SignError> {
    let leaf = signer.certificates().first().ok_or_else(|| SignError::Structure("no certificate".to_owned()))?;
    let signed_attributes = signed_attributes(message_digest, leaf)?;
    // What is signed is the attributes' own SET OF encoding, not the [0] they travel under (RFC 5652, 5.4).
    let digest: [u8; 32] = Sha256::digest(signed_attributes.to_der()?).into();
    let signature = signer.sign_digest(&digest)?;

    let sha256 = AlgorithmIdentifierOwned { oid: ID_SHA256, parameters: None };
    let signature_algorithm = match signer.algorithm() {
        SignatureAlgorithm::EcdsaSha256 => AlgorithmIdentifierOwned { oid: ID_ECDSA_SHA256, parameters: None },
        SignatureAlgorithm::RsaPkcs1Sha256 => {
            AlgorithmIdentifierOwned { oid: ID_RSA_SHA256, parameters: Some(Any::encode_from(&Null)?) }
        }
    };
    let signer_info = SignerInfo {
        version: CmsVersion::V1,
        sid: SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
            issuer: leaf.tbs_certificate().issuer().clone(),
            serial_number: leaf.tbs_certificate().serial_number().clone(),
        }),
        digest_alg: sha256.clone(),
        signed_attrs: Some(signed_attributes),
        signature_algorithm,
        signature: OctetString::new(signature)?,
        unsigned_attrs: None,
    };
    let certificates: Vec<_> = signer.certificates().iter().cloned().map(CertificateChoices::Certificate).collect();
    let signed_data = SignedData {
        version: CmsVersion::V1,
        digest_algorithms: SetOfVec::try_from(vec![sha256])?,
        encap_content_info: EncapsulatedContentInfo { econtent_type: ID_DATA, econtent: None },
        certificates: Some(CertificateSet::try_from(certificates)?),
        crls: None,
        signer_infos: SignerInfos::try_from(vec![signer_info])?,
    };
    let content = ContentInfo { content_type: ID_SIGNED_DATA, content: Any::encode_from(&signed_data)? };
    Ok(content.to_der()?)
}

fn signed_attributes(message_digest: &[u8; 32], leaf: &Certificate) -> Result<SetOfVec<Attribute>, SignError> {
    let tbs = leaf.tbs_certificate();
    let signing_certificate = SigningCertificateV2 {
        certs: vec![EssCertIdV2 {
            cert_hash: OctetString::new(Sha256::digest(leaf.to_der()?).to_vec())?,
            issuer_serial: IssuerSerial {
                issuer: vec![GeneralName::DirectoryName(tbs.issuer().clone())],
                serial_number: tbs.serial_number().clone(),
            },
        }],
    };
    let attributes = vec![
        attribute(ID_CONTENT_TYPE, Any::encode_from(&ID_DATA)?)?,
        attribute(ID_MESSAGE_DIGEST, Any::encode_from(&OctetString::new(message_digest.to_vec())?)?)?,
        attribute(ID_SIGNING_CERTIFICATE_V2, Any::encode_from(&signing_certificate)?)?,
    ];
    Ok(SetOfVec::try_from(attributes)?)
}

fn attribute(oid: ObjectIdentifier, value: Any) -> Result<Attribute, SignError> {
    Ok(Attribute { oid, values: SetOfVec::try_from(vec![value])? })
}
