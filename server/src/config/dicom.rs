//! The DICOM listener.
//!
//! | key | variable | default | meaning |
//! |---|---|---|---|
//! | `dicom.address` | `DOKUEI_DICOM_ADDRESS` | `127.0.0.1:11112` | where to listen; port 0 takes a free one |
//! | `dicom.ae_title` | `DOKUEI_DICOM_AE_TITLE` | `DOKUEI` | our AE title, 1 to 16 characters (PS3.5 6.2, VR AE) |
//! | `dicom.max_associations` | `DOKUEI_DICOM_MAX_ASSOCIATIONS` | `64` | associations at once; more are refused as "temporary congestion" |
//! | `dicom.tls_address` | `DOKUEI_DICOM_TLS_ADDRESS` | none | where to listen for DICOM over TLS (the standard's port is 2762) |
//! | `dicom.tls_certificate` | `DOKUEI_DICOM_TLS_CERTIFICATE` | none | our certificate and those between it and its authority, a PEM file; shown to those who call and to those whom we call |
//! | `dicom.tls_key` | `DOKUEI_DICOM_TLS_KEY` | none | its private key, a PEM file |
//! | `dicom.tls_authority` | `DOKUEI_DICOM_TLS_AUTHORITY` | none | the authorities whose certificates peers may show, a PEM file; without it only certificates that are registered with their endpoint are believed |
//! | `dicom.tls_certificate_required` | `DOKUEI_DICOM_TLS_CERTIFICATE_REQUIRED` | `true` | whether who shows no certificate gets no TLS connection; with `false` each endpoint decides |
//!
//! The files are read again when they change, or at SIGHUP. How long a study must be quiet to count as settled is each site's own (`sites.quiet_seconds`).

use std::net::SocketAddr;
use std::path::PathBuf;

use dokuei_dicom_gateway::tls::TlsFiles;

use super::Source;

/// See the module's table.
#[derive(Debug, Clone)]
pub struct Dicom {
    pub address: SocketAddr,
    pub ae_title: String,
    pub max_associations: usize,
    pub tls_address: Option<SocketAddr>,
    pub tls_certificate: Option<PathBuf>,
    pub tls_key: Option<PathBuf>,
    pub tls_authority: Option<PathBuf>,
    pub tls_certificate_required: bool,
}

impl Dicom {
    pub(super) fn take(source: &mut Source) -> Self {
        let dicom = Self {
            address: source.value("dicom.address", SocketAddr::from(([127, 0, 0, 1], 11112))),
            ae_title: source.value("dicom.ae_title", "DOKUEI".to_owned()),
            max_associations: source.value("dicom.max_associations", 64),
            tls_address: source.optional("dicom.tls_address"),
            tls_certificate: source.optional("dicom.tls_certificate"),
            tls_key: source.optional("dicom.tls_key"),
            tls_authority: source.optional("dicom.tls_authority"),
            tls_certificate_required: source.value("dicom.tls_certificate_required", true),
        };
        let given = [&dicom.tls_certificate, &dicom.tls_key].into_iter().flatten().count();
        if given == 1 || given == 0 && (dicom.tls_address.is_some() || dicom.tls_authority.is_some()) {
            source.fault("dicom.tls_certificate", "TLS needs both tls_certificate and tls_key");
        }
        let legal =
            dicom.ae_title.len() <= 16 && dicom.ae_title.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'\\');
        if !legal {
            source.fault("dicom.ae_title", "an AE title has 1 to 16 ASCII characters and no backslash");
        }
        if dicom.max_associations == 0 {
            source.fault("dicom.max_associations", "must be 1 or more");
        }
        dicom
    }

    /// The files of TLS, where it is set up.
    pub fn tls_files(&self) -> Option<TlsFiles> {
        Some(TlsFiles {
            certificate: self.tls_certificate.clone()?,
            key: self.tls_key.clone()?,
            authority: self.tls_authority.clone(),
        })
    }
}
