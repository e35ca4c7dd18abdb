//! DICOM in and out: everything that speaks to a modality, a PACS or a medium.
//!
//! Received bytes are the record: they are kept as they came, and read by parsers
//! that cannot be made to overflow or to allocate what a length field claims.
//! No framework of the web and no database is known here; what is kept goes
//! through [`dokuei_models`].

pub mod ae_title;
pub mod charset;
pub mod commitment;
pub mod compare;
pub mod dataset;
pub mod dimse;
pub mod encapsulate;
pub mod fileset;
pub mod header;
pub mod intake;
pub mod media;
pub mod part10;
pub mod ranged;
pub mod render;
pub mod scp;
pub mod scu;
pub mod tls;
pub mod transcode;
pub mod uid;
pub mod wire;
