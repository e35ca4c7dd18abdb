//! How probably a case needs attention before its turn, and why.
//!
//! [`urgency`] gives one probability with its contributions: the declared priority,
//! source, age, modality, region, the words of the lexicon (with what the sentence says
//! of them) and what the remaining text adds. The contributions are log-odds and add up
//! to the value, so a reader or dispatcher can check the sum.
//!
//! The declared priority only ever raises: for the same facts, stat is never below
//! urgent, urgent never below priority, priority never below routine.
//!
//! The built-in model (`data/urgency-model.json`) is trained on invented questions. It
//! orders a worklist on the first day and says nothing about real sensitivity; see
//! `data/urgency-model.md`, and train your own with [`train`].

mod evaluate;
mod examples;
mod features;
mod invent;
mod lexicon;
mod model;
mod train;

use dokuei_terms::{Part, Priority};
use serde::{Deserialize, Serialize};

pub use evaluate::{Confusion, Evaluation, Measured, ReliabilityBin};
pub use examples::{Example, ExampleError, read_examples, write_examples};
pub use invent::invent_examples;
pub use lexicon::{Standing, Tier};
pub use model::{Model, ModelError};
pub use train::{TrainError, train};

/// Where a patient comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Source {
    /// 救急.
    #[serde(rename = "emergency")]
    Emergency,
    /// 病棟.
    #[serde(rename = "ward")]
    Ward,
    /// 外来.
    #[serde(rename = "outpatient")]
    Outpatient,
    /// 健診.
    #[serde(rename = "checkup", alias = "check-up", alias = "check_up")]
    CheckUp,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 4] = [Self::Emergency, Self::Ward, Self::Outpatient, Self::CheckUp];

    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Emergency => "emergency",
            Self::Ward => "ward",
            Self::Outpatient => "outpatient",
            Self::CheckUp => "checkup",
        }
    }
}

/// What urgency is computed from. Unknown is `None` or empty; nothing is guessed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CaseFacts {
    /// What the site declared.
    pub priority: Priority,
    /// The case's parts.
    pub parts: Vec<Part>,
    /// The patient's age in full years.
    pub age_years: Option<u16>,
    /// Where the patient comes from.
    pub source: Option<Source>,
    /// Clinical question and history, as written.
    pub question: String,
}

/// A label in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Japanese.
    pub ja: String,
    /// English.
    pub en: String,
}

/// One reason for the value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contribution {
    /// Stable code, e.g. `word.stroke`, `priority`, `base`.
    pub code: String,
    /// What people read; for lexicon words it names the concept and what is said of it.
    pub label: Label,
    /// What it adds to the log-odds; negative speaks against urgency.
    pub log_odds: f64,
    /// Its size among all contributions but the base, 0..1.
    pub share: f64,
    /// The words of the question it rests on (NFKC, lower case): patient data, for the case's own pages only.
    pub words: Vec<String>,
}

/// A probability with its reasons. Stored as JSON beside the case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Urgency {
    /// Probability that the case needs attention before its turn, 0..1.
    pub value: f64,
    /// `base` and `priority` first, then by size. Their log-odds sum to the log-odds of `value`.
    pub contributions: Vec<Contribution>,
    /// The model that said so.
    pub model_version: String,
}

/// Urgency by the built-in model.
pub fn urgency(facts: &CaseFacts) -> Urgency {
    Model::built_in().urgency(facts)
}
