//! Receives: C-ECHO and C-STORE from the modalities and PACS of the sites.
//!
//! A peer is admitted by the [`Desk`] (calling AE title and address decide the
//! site); a stranger is told "calling AE title not recognized". Objects are kept
//! byte for byte in the transfer syntax they come in, and "success" is answered
//! only after [`Archive::keep`](crate::intake::Archive::keep) has returned.
//!
//! One hostile or slow peer cannot hurt the others: see [`Limits`]. Whatever is
//! answered other than success carries an error comment, without patient data.
//!
//! Not here: TLS, query and retrieve, storage commitment.

mod association;
mod desk;
mod limits;
mod negotiate;
mod server;
mod store;

pub use desk::{Admission, AssociationSummary, Desk, Outcome, Peer, Refusal, Tally};
pub use limits::Limits;
pub(crate) use negotiate::APPLICATION_CONTEXT;
pub use server::{ScpConfig, serve};
