//! The state machines: typed events, the pairs that are legal, and the one
//! function each through which a case or a read changes.
//!
//! A change is one `UPDATE ... WHERE state IN (legal states)` in the caller's
//! transaction, which also writes the event row, the audit row and the jobs
//! that follow. Zero rows updated is told apart as *repeat* (already there),
//! *conflict* (not from this state) or *not found*.

mod case;
mod case_apply;
mod hold;
mod read;
mod read_apply;
mod words;

pub use case::{CaseEvent, CaseState, HoldActor};
pub use case_apply::case_apply_in_tx;
pub use read::{ReadEvent, ReadState};
pub use read_apply::{AssignedRead, read_apply_in_tx, read_assign_in_tx};
pub use words::{
    CaseStudyRole, DeliveryContent, DeliveryKind, DeliveryState, LinkState, MatchState, NoteKind, OrphanRule,
    OverrideKind, Place, ReadKind, RequestKind, RequestState, Source, VersionState, Whose,
};
