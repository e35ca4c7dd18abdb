//! Hard rules: one function each, in a file of its own.
//!
//! A rule looks at one read and one reader and says whether, and by what, it
//! keeps them apart. Nothing soft overrules it: no price, no pin. The order of
//! [`RULES`] is the order in which a person wants to hear of them: what holds
//! for good first, what may pass within the hour last, so that a reader who is
//! only kept away by the last ones is a way out worth a telephone call.
//!
//! A new rule is a new file, a variant of [`Blocked`] and of [`Rule`], and a
//! line in [`RULES`].

mod exclusion;
mod presence;
mod privilege;
mod separation;
mod shift;
mod skill;
#[cfg(test)]
mod verify;

use dokuei_terms::Part;
use serde::{Deserialize, Serialize};

use crate::{ExclusionReason, Read, Reader, Settings, SiteId};

pub use exclusion::exclusion;
pub use presence::presence;
pub use privilege::privilege;
pub use separation::separation;
pub use shift::shift;
pub use skill::skill;

/// What a rule's function looks like.
pub type HardRule = fn(&Read, &Reader, &Settings) -> Option<Blocked>;

/// Every hard rule, in the order in which they are asked.
pub const RULES: &[HardRule] = &[privilege, skill, separation, exclusion, presence, shift];

/// The first rule that keeps a reader from a read; `None` if he may read it.
pub fn first_blocked(read: &Read, reader: &Reader, settings: &Settings) -> Option<Blocked> {
    RULES.iter().find_map(|rule| rule(read, reader, settings))
}

/// The name of a hard rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// He may not read for this site.
    Privilege,
    /// He does not read one of the parts.
    Skill,
    /// He read, or is reading, the other reading.
    Separation,
    /// He was kept from this read.
    Exclusion,
    /// He is not logged in, or paused.
    Presence,
    /// He is not on shift.
    Shift,
}

/// A rule that keeps a reader from a read, with the fact that decides it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "rule")]
pub enum Blocked {
    /// He has no privilege for this site.
    Privilege {
        /// The site.
        site: SiteId,
    },
    /// His skill for this part is 0.
    Skill {
        /// The part.
        part: Part,
    },
    /// He has another reading of the same case.
    Separation,
    /// He was kept from this read.
    Exclusion {
        /// Why.
        reason: ExclusionReason,
    },
    /// He is not logged in.
    LoggedOut,
    /// He paused.
    Paused,
    /// His shift has not begun.
    ShiftAhead {
        /// Minutes until it does.
        begins_in_minutes: f64,
    },
    /// His shift is over.
    ShiftOver,
}

impl Blocked {
    /// The rule.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Privilege { .. } => Rule::Privilege,
            Self::Skill { .. } => Rule::Skill,
            Self::Separation => Rule::Separation,
            Self::Exclusion { .. } => Rule::Exclusion,
            Self::LoggedOut | Self::Paused => Rule::Presence,
            Self::ShiftAhead { .. } | Self::ShiftOver => Rule::Shift,
        }
    }
}
