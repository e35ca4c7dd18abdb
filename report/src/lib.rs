//! Typesets a report as PDF/A and signs it.
//!
//! Data in, bytes out: no database, no network, no clock. The one thing read from
//! outside is the folder of fonts handed in, when a report is set. [`typeset`]
//! makes an A4 PDF/A-2u file from a [`ReportDocument`]; [`sign`] appends a
//! PAdES-B-B signature made by whatever key is behind [`SignDigest`].
//!
//! What is not done: timestamps of an authority (PAdES-B-T), revocation data
//! (B-LT), certificates that a court or an insurer accepts. [`Authority`] is for
//! demonstrations.

mod document;
mod fonts;
mod legible;
mod sheet;
mod signing;
mod typeset;
mod words;

pub use document::{
    AiSupport, EarlierVersion, Incomplete, PatientBlock, ReaderBlock, ReportDocument, ReportStatus, RequestBlock, Sex,
    StudyBlock,
};
pub use fonts::{Fonts, FontsError};
pub use signing::{
    Authority, SignDigest, SignError, SignatureAlgorithm, SignatureDetails, SigningIdentity, Subject, sign,
};
pub use typeset::{LONGEST_TEXT, TypesetError, typeset};
/// The certificate type of [`SignDigest::certificates`].
pub use x509_cert::Certificate;
