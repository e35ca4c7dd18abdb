//! The DICOM listener.
//!
//! | key | variable | default | meaning |
//! |---|---|---|---|
//! | `dicom.address` | `DOKUEI_DICOM_ADDRESS` | `127.0.0.1:11112` | where to listen; port 0 takes a free one |
//! | `dicom.ae_title` | `DOKUEI_DICOM_AE_TITLE` | `DOKUEI` | our AE title, 1 to 16 characters (PS3.5 6.2, VR AE) |
//! | `dicom.max_associations` | `DOKUEI_DICOM_MAX_ASSOCIATIONS` | `64` | associations at once; more are refused as "temporary congestion" |
//!
//! How long a study must be quiet to count as settled is each site's own (`sites.quiet_seconds`).

use std::net::SocketAddr;

use super::Source;

/// See the module's table.
#[derive(Debug, Clone)]
pub struct Dicom {
    pub address: SocketAddr,
    pub ae_title: String,
    pub max_associations: usize,
}

impl Dicom {
    pub(super) fn take(source: &mut Source) -> Self {
        let dicom = Self {
            address: source.value("dicom.address", SocketAddr::from(([127, 0, 0, 1], 11112))),
            ae_title: source.value("dicom.ae_title", "DOKUEI".to_owned()),
            max_associations: source.value("dicom.max_associations", 64),
        };
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
}
