//! The bodies: one file per part, each a function from a [`Build`] to a [`Scene`](super::scene::Scene).
//!
//! Sizes are those of an adult man; `Build::scale` fits them to the patient.

pub mod abdomen;
pub mod chest;
pub mod head;
pub mod knee;
pub mod pelvis;
pub mod spine;

use crate::phantom::noise::mix;

/// What varies from patient to patient.
#[derive(Debug, Clone, Copy)]
pub struct Build {
    /// Outlines, texture, number and place of small things.
    pub seed: u64,
    /// Whether to show a woman's anatomy.
    pub female: bool,
    /// Age in years, for atrophy, dry discs and size.
    pub age: u32,
    /// Whether the picture shows what the question asks about.
    pub finding: bool,
}

impl Build {
    /// Size relative to an adult man.
    pub fn scale(&self) -> f32 {
        let grown = match self.age {
            0..=15 => 0.55 + 0.026 * self.age as f32,
            _ => 0.97,
        };
        let sex = if self.female && self.age > 12 { 0.93 } else { 1.0 };
        grown * sex * (1.0 + 0.05 * (self.chance(99) - 0.5))
    }

    /// A fixed value in 0..1 for this patient.
    pub fn chance(&self, salt: u64) -> f32 {
        (mix(self.seed ^ mix(salt)) & 0xFFFF) as f32 / 65536.0
    }

    /// A fixed value in -1..1 for this patient.
    pub fn swing(&self, salt: u64) -> f32 {
        self.chance(salt) * 2.0 - 1.0
    }

    /// 0 in the young, 1 in the very old.
    pub fn wear(&self) -> f32 {
        ((self.age as f32 - 45.0) / 45.0).clamp(0.0, 1.0)
    }
}
