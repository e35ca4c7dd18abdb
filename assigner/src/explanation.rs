//! Why this reader: ids and numbers, no names. `words` turns it into sentences.

use serde::{Deserialize, Serialize};

use crate::constraints::Blocked;
use crate::{ReadId, ReaderId, Terms};

/// Why one read went to one reader. The same value is shown on the dashboard, kept in the audit row and tested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The read.
    pub read: ReadId,
    /// Who got it, and what that costs with the rest of the plan fixed.
    pub winner: Offer,
    /// The reader with the next lowest cost, if anyone else may read it.
    pub runner_up: Option<Offer>,
    /// A dispatcher pinned it, so prices did not decide.
    pub pinned: bool,
    /// Readers whom no hard rule keeps from it, the winner included.
    pub eligible: usize,
    /// Readers kept from it, each with the first rule that did so, by id.
    pub excluded: Vec<Excluded>,
}

impl Explanation {
    /// Runner-up minus winner, term by term. Negative points mean that the winner was not the cheapest
    /// for this read alone (a pin, another read of the case, or work that was stopped early).
    pub fn difference(&self) -> Option<Terms> {
        self.runner_up.as_ref().map(|other| other.terms.minus(&self.winner.terms))
    }
}

/// What one reader would cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// The reader.
    pub reader: ReaderId,
    /// His effective skill for this read, 0..=100.
    pub skill: f64,
    /// The cost.
    pub terms: Terms,
}

/// One reader kept from one read.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Excluded {
    /// The reader.
    pub reader: ReaderId,
    /// The first rule that keeps him from it.
    pub blocked: Blocked,
}
