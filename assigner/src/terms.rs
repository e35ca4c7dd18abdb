//! The terms of the cost of giving one read to one reader, the rest of the plan fixed.

use serde::{Deserialize, Serialize};

/// Cost terms. `waiting_cap_steps` is the reach level; all others are points of the quality level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// Begun steps beyond the waiting cap, here and for the work it delays. Compared before everything else.
    pub waiting_cap_steps: f64,
    /// Lateness of the read, and of the due work it pushes back.
    pub lateness: f64,
    /// Skill missing to 100.
    pub skill: f64,
    /// What his minutes cost at his present load.
    pub load: f64,
    /// The price of moving a published assignment.
    pub churn: f64,
    /// The price of a reader who does not know the patient.
    pub continuity: f64,
}

impl Terms {
    /// Points of the quality level.
    pub fn points(&self) -> f64 {
        self.lateness + self.skill + self.load + self.churn + self.continuity
    }

    /// The terms of the quality level by name, in the order in which people read them.
    pub fn named(&self) -> [(&'static str, f64); 5] {
        [
            ("skill", self.skill),
            ("lateness", self.lateness),
            ("load", self.load),
            ("churn", self.churn),
            ("continuity", self.continuity),
        ]
    }

    /// `self - other`, term by term.
    pub fn minus(&self, other: &Self) -> Self {
        Self {
            waiting_cap_steps: self.waiting_cap_steps - other.waiting_cap_steps,
            lateness: self.lateness - other.lateness,
            skill: self.skill - other.skill,
            load: self.load - other.load,
            churn: self.churn - other.churn,
            continuity: self.continuity - other.continuity,
        }
    }
}
