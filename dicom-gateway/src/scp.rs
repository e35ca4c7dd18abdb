//! Receives and answers the modalities, PACS and workstations of the sites: C-ECHO, C-STORE, C-FIND, C-MOVE, C-GET,
//! modality worklist, storage commitment, performed procedure steps, availability notifications.
//!
//! A peer is admitted by the [`Desk`] (calling AE title, address and certificate decide
//! the site); a stranger is told "calling AE title not recognized". Objects are kept
//! byte for byte in the transfer syntax they come in, and "success" is answered
//! only after [`Archive::keep`](crate::intake::Archive::keep) has returned.
//!
//! One hostile or slow peer cannot hurt the others: see [`Limits`]. Whatever is
//! answered other than success carries an error comment, without patient data.
//!
//! A peer finds and retrieves what its own site sent ([`Library`]), if its endpoint may.
//!
//! What is fetched from a peer over an association of ours ([`scu::get`](crate::scu::get)) is taken in here as well, by
//! the same rules.
//!
//! TLS is in [`tls`](crate::tls).

mod account;
mod association;
mod commitment;
mod desk;
mod doors;
mod fetched;
mod find;
mod get;
mod identifier;
mod indexed_library;
mod library;
mod limits;
mod matching;
mod move_to;
mod negotiate;
mod performed_step;
mod retrieve;
mod server;
mod store;
mod worklist;

pub use commitment::Asked;
pub use desk::{Admission, AssociationSummary, Caller, Cut, Desk, Outcome, Peer, Refusal, Tally};
pub(crate) use fetched::{Fetching, Opened, Storage};
pub use indexed_library::{Calling, IndexedLibrary, REPORT_COMMITMENT};
pub use library::{Found, Level, Library, LibraryError, Requester, Rights, Usage};
pub use limits::{Limits, SiteLimits, Volume};
pub(crate) use negotiate::{APPLICATION_CONTEXT, is_storage};
pub use performed_step::Availability;
pub use server::{Places, Receiver, ScpConfig, serve, serve_with};
