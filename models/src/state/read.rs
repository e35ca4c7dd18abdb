//! A read's states and events.

use chrono::NaiveDateTime;
use serde::Serialize;

use crate::codes::codes;
use crate::ids::{PlanId, ReaderId};

codes! {
    /// Where a read stands.
    ReadState {
        /// Waits for a reader.
        Open => "open",
        /// On a reader's list.
        Assigned => "assigned",
        /// Opened by its reader.
        InProgress => "in_progress",
        /// Signed.
        Signed => "signed",
        /// Not needed any more.
        Void => "void",
    }
}

/// Something that happens to a read.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum ReadEvent {
    /// The plan (or a dispatcher) gives it to a reader.
    Assign {
        /// The reader.
        reader: ReaderId,
        /// The plan it comes from.
        plan: Option<PlanId>,
    },
    /// Taken off a list.
    Unassign {
        /// Why: a better plan, reader left, override.
        reason: String,
    },
    /// Taken from a reader who was there and did not start it within its priority's limit.
    NotStarted {
        /// From whom.
        reader: ReaderId,
        /// How often that has happened to this read, this time included.
        missed: i32,
    },
    /// The reader it is assigned to opened it.
    Start {
        /// The reader.
        reader: ReaderId,
    },
    /// The reader gives it back without having read it.
    GiveBack {
        /// The reader.
        reader: ReaderId,
        /// Why.
        reason: String,
    },
    /// The reader gives it back for good.
    Decline {
        /// The reader.
        reader: ReaderId,
        /// Why.
        reason: String,
    },
    /// The reader signed its report.
    Sign {
        /// The reader.
        reader: ReaderId,
    },
    /// Not needed any more.
    Void {
        /// Why.
        reason: String,
    },
    /// No reader can take it: a stated reason and a time for a person to look.
    Wait {
        /// The reason, as a code.
        reason: String,
        /// When a person looks at the latest.
        until: NaiveDateTime,
    },
}

impl ReadEvent {
    /// The states it may happen in.
    pub const fn valid_from(&self) -> &'static [ReadState] {
        use ReadState::{Assigned, InProgress, Open};
        match self {
            Self::Assign { .. } => &[Open, Assigned],
            Self::Unassign { .. } | Self::NotStarted { .. } => &[Assigned],
            Self::Start { .. } => &[Assigned],
            Self::GiveBack { .. } | Self::Sign { .. } => &[InProgress],
            Self::Decline { .. } => &[Assigned, InProgress],
            Self::Void { .. } => &[Open, Assigned, InProgress],
            Self::Wait { .. } => &[Open],
        }
    }

    /// The state it leads to.
    pub const fn target(&self) -> ReadState {
        match self {
            Self::Assign { .. } => ReadState::Assigned,
            Self::Unassign { .. }
            | Self::NotStarted { .. }
            | Self::GiveBack { .. }
            | Self::Decline { .. }
            | Self::Wait { .. } => ReadState::Open,
            Self::Start { .. } => ReadState::InProgress,
            Self::Sign { .. } => ReadState::Signed,
            Self::Void { .. } => ReadState::Void,
        }
    }

    /// The reader who must hold the read for the event to be possible: it is his to make, or made of him.
    pub const fn holder(&self) -> Option<ReaderId> {
        match self {
            Self::Start { reader }
            | Self::NotStarted { reader, .. }
            | Self::GiveBack { reader, .. }
            | Self::Decline { reader, .. }
            | Self::Sign { reader } => Some(*reader),
            Self::Assign { .. } | Self::Unassign { .. } | Self::Void { .. } | Self::Wait { .. } => None,
        }
    }

    /// The stable name in event and audit rows.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Assign { .. } => "read_assign",
            Self::Unassign { .. } => "read_unassign",
            Self::NotStarted { .. } => "read_not_started",
            Self::Start { .. } => "read_start",
            Self::GiveBack { .. } => "read_give_back",
            Self::Decline { .. } => "read_decline",
            Self::Sign { .. } => "read_sign",
            Self::Void { .. } => "read_void",
            Self::Wait { .. } => "read_wait",
        }
    }
}
