//! A trained model: weights by name, and how they become a probability with reasons.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use dokuei_terms::{Language, Priority};
use serde::{Deserialize, Serialize};

use super::features::{self, Features, HASHED, PRIORITY_STEPS};
use super::lexicon::{LEXICON, Standing};
use super::{CaseFacts, Contribution, Label, Urgency};
use crate::words::stable_hash;

/// A linear model with Platt calibration: `log-odds = slope * (intercept + sum of weight * feature) + offset`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Fixed by the weights: two models with one version are one model.
    pub(crate) version: String,
    /// The lexicon it was trained with, hexadecimal.
    pub(crate) lexicon: String,
    pub(crate) intercept: f64,
    pub(crate) slope: f64,
    pub(crate) offset: f64,
    pub(crate) named: BTreeMap<String, f64>,
    pub(crate) hashed: Vec<f64>,
}

/// A model file that must not be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Not JSON of a model.
    #[error("the file is not an urgency model: {0}")]
    Json(#[from] serde_json::Error),
    /// Trained with another lexicon.
    #[error("the model was trained with another lexicon ({found}, now {expected}): train it again")]
    Lexicon {
        /// The model's.
        found: String,
        /// The program's.
        expected: String,
    },
    /// Weights that would break a promise of this crate.
    #[error("the model is not usable: {0}")]
    Unsound(&'static str),
}

static BUILT_IN: LazyLock<Model> = LazyLock::new(|| {
    Model::from_json(include_str!("../../data/urgency-model.json"))
        .expect("data/urgency-model.json is part of the program and is read by its tests")
});

/// The lexicon's fingerprint as models carry it.
pub(crate) fn lexicon_fingerprint() -> String {
    format!("{:016x}", LEXICON.fingerprint)
}

impl Model {
    /// The model that comes with the program.
    pub fn built_in() -> &'static Model {
        &BUILT_IN
    }

    /// Identifies the model; kept with each urgency it gives.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Reads a model and refuses one that is not sound.
    ///
    /// # Errors
    /// [`ModelError`]: not a model, another lexicon, weights not finite, a priority that would lower.
    pub fn from_json(json: &str) -> Result<Self, ModelError> {
        let model: Self = serde_json::from_str(json)?;
        if model.lexicon != lexicon_fingerprint() {
            return Err(ModelError::Lexicon { found: model.lexicon, expected: lexicon_fingerprint() });
        }
        model.check().map(|()| model)
    }

    /// Writes the model as [`Model::from_json`] reads it, one weight a line.
    ///
    /// # Errors
    /// Only where a weight is not finite, which training never gives.
    pub fn to_json(&self) -> Result<String, ModelError> {
        self.check()?;
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    fn check(&self) -> Result<(), ModelError> {
        let finite = |value: &f64| value.is_finite();
        if self.hashed.len() != HASHED {
            return Err(ModelError::Unsound("it has another number of hashed weights"));
        }
        if !self
            .hashed
            .iter()
            .chain(self.named.values())
            .chain([&self.intercept, &self.slope, &self.offset])
            .all(finite)
        {
            return Err(ModelError::Unsound("a weight is not finite"));
        }
        if self.slope <= 0.0 {
            return Err(ModelError::Unsound("its calibration turns the order round"));
        }
        if PRIORITY_STEPS.iter().any(|(name, _)| self.named.get(*name).is_some_and(|weight| *weight < 0.0)) {
            return Err(ModelError::Unsound("a higher declared priority would lower the urgency"));
        }
        Ok(())
    }

    /// Sets the version from the weights.
    pub(crate) fn seal(mut self) -> Self {
        let mut bytes = Vec::new();
        for value in self.named.values().chain(&self.hashed).chain([&self.intercept, &self.slope, &self.offset]) {
            bytes.extend_from_slice(&value.to_bits().to_le_bytes());
        }
        bytes.extend_from_slice(self.lexicon.as_bytes());
        self.version = format!("urgency-1-{:016x}", stable_hash(&bytes));
        self
    }

    fn weight(&self, name: &str) -> f64 {
        self.named.get(name).copied().unwrap_or(0.0)
    }

    /// The score before calibration.
    pub(crate) fn raw_score(&self, features: &Features) -> f64 {
        let named: f64 = features.named.iter().map(|(name, value)| self.weight(name) * value).sum();
        let hashed: f64 = features.hashed.iter().map(|one| self.hashed[one.index] * one.value).sum();
        self.intercept + named + hashed
    }

    /// The probability and its reasons. See the contract of [`super`].
    pub fn urgency(&self, facts: &CaseFacts) -> Urgency {
        let features = features::features(facts);
        let mut rest = self.reasons(facts, &features);
        rest.retain(|one| one.log_odds != 0.0);
        rest.sort_by(|a, b| b.log_odds.abs().total_cmp(&a.log_odds.abs()).then_with(|| a.code.cmp(&b.code)));

        // The priority is added last, so that rounding cannot undo its order.
        let priority_log_odds: f64 = PRIORITY_STEPS
            .iter()
            .filter(|(_, step)| facts.priority <= *step)
            .map(|(name, _)| self.slope * self.weight(name))
            .sum();
        let base = self.slope * self.intercept + self.offset;
        let log_odds = base + rest.iter().map(|one| one.log_odds).sum::<f64>() + priority_log_odds;

        let priority = reason("priority", priority_label(facts.priority), priority_log_odds, Vec::new());
        let total: f64 = rest.iter().chain([&priority]).map(|one| one.log_odds.abs()).sum();
        let mut contributions = vec![reason("base", label("基準", "Baseline"), base, Vec::new()), priority];
        contributions.extend(rest);
        for one in contributions.iter_mut().skip(1).filter(|_| total > 0.0) {
            one.share = one.log_odds.abs() / total;
        }
        Urgency { value: probability(log_odds), contributions, model_version: self.version.clone() }
    }

    /// Everything but base and priority.
    fn reasons(&self, facts: &CaseFacts, features: &Features) -> Vec<Contribution> {
        let mut reasons = Vec::new();
        for (name, value) in &features.named {
            let is_word = ["word.", "said.", "denied.", "past.", "priority."].iter().any(|kind| name.starts_with(kind));
            if !is_word {
                reasons.push(reason(name, fact_label(name, facts), self.slope * self.weight(name) * value, Vec::new()));
            }
        }
        reasons.extend(self.lexicon_words(features));
        reasons.extend(self.other_words(features));
        reasons
    }

    /// One reason for each concept of the lexicon, with its words.
    fn lexicon_words(&self, features: &Features) -> impl Iterator<Item = Contribution> {
        features.mentions.iter().map(|one| {
            let own = one.own_feature().map_or(0.0, |own| self.weight(&own) * one.strength);
            let weight = own + self.weight(&one.group) * one.of_group;
            let told = mention_label(&one.concept.ja, &one.concept.en, one.standing);
            reason(&one.code(), told, self.slope * weight, one.words.clone())
        })
    }

    /// What the text outside the lexicon adds, with the pieces that weigh most.
    fn other_words(&self, features: &Features) -> Option<Contribution> {
        let mut pieces: Vec<(f64, &str)> = features
            .hashed
            .iter()
            .map(|one| (self.slope * self.hashed[one.index] * one.value, one.text.as_str()))
            .filter(|(weight, _)| *weight != 0.0)
            .collect();
        if pieces.is_empty() {
            return None;
        }
        let log_odds = pieces.iter().map(|(weight, _)| weight).sum();
        pieces.sort_by(|a, b| b.0.abs().total_cmp(&a.0.abs()).then_with(|| a.1.cmp(b.1)));
        let words = pieces.iter().take(3).map(|(_, text)| (*text).to_owned()).collect();
        Some(reason("text", label("辞書にない語", "Words outside the lexicon"), log_odds, words))
    }
}

/// The logistic function.
pub(crate) fn probability(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

fn label(ja: &str, en: &str) -> Label {
    Label { ja: ja.to_owned(), en: en.to_owned() }
}

fn reason(code: &str, label: Label, log_odds: f64, words: Vec<String>) -> Contribution {
    Contribution { code: code.to_owned(), label, log_odds, share: 0.0, words }
}

fn priority_label(priority: Priority) -> Label {
    label(&format!("優先度: {}", priority.label(Language::Ja)), &format!("Priority: {}", priority.label(Language::En)))
}

fn mention_label(ja: &str, en: &str, standing: Standing) -> Label {
    match standing {
        Standing::Said => label(ja, en),
        Standing::Asked => label(&format!("{ja}（除外目的）"), &format!("{en} (to be excluded)")),
        Standing::Denied => label(&format!("{ja}（なし）"), &format!("{en} (denied)")),
        Standing::Past => label(&format!("{ja}（既往）"), &format!("{en} (past)")),
    }
}

/// The words for a named feature that is no word of the question.
fn fact_label(name: &str, facts: &CaseFacts) -> Label {
    let (kind, code) = name.split_once('.').unwrap_or((name, ""));
    match (kind, code) {
        ("source", "emergency") => label("救急", "Emergency"),
        ("source", "ward") => label("病棟", "Ward"),
        ("source", "outpatient") => label("外来", "Outpatient"),
        ("source", "checkup") => label("健診", "Check-up"),
        ("modality", _) => code.parse::<dokuei_terms::Modality>().map_or_else(
            |_| label(code, code),
            |modality| label(modality.label(Language::Ja), modality.label(Language::En)),
        ),
        ("region", _) => code
            .parse::<dokuei_terms::Region>()
            .map_or_else(|_| label(code, code), |region| label(region.label(Language::Ja), region.label(Language::En))),
        ("age", _) => match facts.age_years {
            Some(age) => label(&format!("{age}歳"), &format!("{age} years")),
            None => label("年齢不明", "Age unknown"),
        },
        ("question", _) => label("臨床情報なし", "No clinical question"),
        _ => label(name, name),
    }
}
