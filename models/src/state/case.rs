//! A case's states and events.

use chrono::NaiveDateTime;
use dokuei_terms::Priority;
use serde::Serialize;

use crate::codes::codes;
use crate::ids::{ReadId, ReportVersionId, StudyId, UserId};

codes! {
    /// Where a case stands.
    CaseState {
        /// Instances are still coming.
        Receiving => "receiving",
        /// Images are here, the request is not.
        WaitingRequest => "waiting_request",
        /// May be planned.
        Ready => "ready",
        /// A reader has opened it.
        Reading => "reading",
        /// A signed version exists.
        Reported => "reported",
        /// Every required delivery arrived or was given up.
        Returned => "returned",
        /// The ordering doctor accepted it.
        Acknowledged => "acknowledged",
        /// Stopped, with a reason and somebody who must act.
        OnHold => "on_hold",
        /// Ended without a report.
        Cancelled => "cancelled",
    }
}

impl CaseState {
    /// Whether a reading is still owed.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Receiving | Self::WaitingRequest | Self::Ready | Self::Reading | Self::OnHold)
    }
}

codes! {
    /// Who must act before a held case goes on.
    HoldActor {
        /// The referring site.
        Site => "site",
        /// A dispatcher.
        Dispatcher => "dispatcher",
    }
}

/// Something that happens to a case. Serialised into its event row: no patient data.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum CaseEvent {
    /// The study settled without its request.
    AwaitRequest,
    /// Request and images are here.
    Ready,
    /// A reader opened it.
    StartReading {
        /// The read that was started.
        read: ReadId,
    },
    /// The read was given back before signing.
    StopReading {
        /// The read that was given back.
        read: ReadId,
    },
    /// A version was signed (or an AI-only result released).
    Report {
        /// The signed version; none for AI only.
        version: Option<ReportVersionId>,
    },
    /// The two reports of an independent double reading were laid beside each other.
    Compare {
        /// Whether they say the same; a third reading is made where they do not.
        agrees: bool,
        /// In what they differ.
        reason: String,
    },
    /// Every required delivery is done.
    Return,
    /// The ordering doctor accepted the report.
    Acknowledge {
        /// Who accepted it.
        by: UserId,
    },
    /// A new read is needed after signing.
    Reopen {
        /// Why: addendum, amendment, late images, question.
        reason: String,
    },
    /// Its reports are withdrawn: wrong patient or study. It is held until a dispatcher has it read anew or ends it.
    Withdraw {
        /// Why.
        reason: String,
        /// When somebody looks at it at the latest.
        until: NaiveDateTime,
    },
    /// Stopped.
    Hold {
        /// Why.
        reason: String,
        /// Who must act.
        actor: HoldActor,
        /// When somebody looks at it at the latest.
        until: NaiveDateTime,
    },
    /// Goes on where it was.
    Release {
        /// Why.
        reason: String,
    },
    /// Ended without a report.
    Cancel {
        /// Why.
        reason: String,
    },
    /// A dispatcher or the site changed the priority.
    Prioritise {
        /// The new priority.
        priority: Priority,
        /// The new time the report is owed.
        due_at: NaiveDateTime,
        /// Why.
        reason: String,
    },
    /// A study was attached.
    AttachStudy {
        /// The study.
        study: StudyId,
    },
    /// A study was detached.
    DetachStudy {
        /// The study.
        study: StudyId,
    },
    /// More instances came.
    ImagesArrived {
        /// The study.
        study: StudyId,
        /// How many it has now.
        instances: i32,
    },
}

impl CaseEvent {
    /// The states it may happen in.
    pub const fn valid_from(&self) -> &'static [CaseState] {
        use CaseState::{Acknowledged, OnHold, Reading, Ready, Receiving, Reported, Returned, WaitingRequest};
        match self {
            Self::AwaitRequest => &[Receiving],
            Self::Ready => &[Receiving, WaitingRequest],
            // From Receiving: a stat case, or by hand; "still arriving" is shown.
            Self::StartReading { .. } => &[Receiving, Ready],
            Self::StopReading { .. } | Self::Compare { .. } => &[Reading],
            // From Ready: AI only. From later states: the second reading of a case whose first was returned already.
            Self::Report { .. } => &[Ready, Reading, Reported, Returned, Acknowledged],
            Self::Return => &[Reported],
            Self::Acknowledge { .. } => &[Returned],
            Self::Reopen { .. } => &[Reported, Returned, Acknowledged],
            // From Reading: a preliminary version, or a signed one whose case was reopened.
            Self::Withdraw { .. } => &[Reading, OnHold, Reported, Returned, Acknowledged],
            Self::Hold { .. } => &[Receiving, WaitingRequest, Ready, Reading],
            Self::Release { .. } => &[OnHold],
            Self::Cancel { .. } => &[Receiving, WaitingRequest, Ready, Reading, OnHold],
            Self::Prioritise { .. } | Self::AttachStudy { .. } | Self::DetachStudy { .. } => {
                &[Receiving, WaitingRequest, Ready, Reading, OnHold]
            }
            Self::ImagesArrived { .. } => {
                &[Receiving, WaitingRequest, Ready, Reading, OnHold, Reported, Returned, Acknowledged]
            }
        }
    }

    /// The state it leads to; `None` when the state stays. `Release` leads back to the state before the hold.
    pub const fn target(&self) -> Option<CaseState> {
        match self {
            Self::AwaitRequest => Some(CaseState::WaitingRequest),
            Self::Ready | Self::StopReading { .. } => Some(CaseState::Ready),
            Self::StartReading { .. } | Self::Reopen { .. } => Some(CaseState::Reading),
            Self::Report { .. } => Some(CaseState::Reported),
            Self::Return => Some(CaseState::Returned),
            Self::Acknowledge { .. } => Some(CaseState::Acknowledged),
            Self::Withdraw { .. } | Self::Hold { .. } => Some(CaseState::OnHold),
            Self::Cancel { .. } => Some(CaseState::Cancelled),
            Self::Release { .. }
            | Self::Compare { .. }
            | Self::Prioritise { .. }
            | Self::AttachStudy { .. }
            | Self::DetachStudy { .. }
            | Self::ImagesArrived { .. } => None,
        }
    }

    /// The stable name in event and audit rows.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::AwaitRequest => "await_request",
            Self::Ready => "ready",
            Self::StartReading { .. } => "start_reading",
            Self::StopReading { .. } => "stop_reading",
            Self::Report { .. } => "report",
            Self::Compare { .. } => "compare",
            Self::Return => "return",
            Self::Acknowledge { .. } => "acknowledge",
            Self::Reopen { .. } => "reopen",
            Self::Withdraw { .. } => "withdraw",
            Self::Hold { .. } => "hold",
            Self::Release { .. } => "release",
            Self::Cancel { .. } => "cancel",
            Self::Prioritise { .. } => "prioritise",
            Self::AttachStudy { .. } => "attach_study",
            Self::DetachStudy { .. } => "detach_study",
            Self::ImagesArrived { .. } => "images_arrived",
        }
    }
}
