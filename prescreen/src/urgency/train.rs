//! Training: weights, calibration, and an honest test.

use std::collections::BTreeMap;

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};

use super::Example;
use super::evaluate::{self, Evaluation};
use super::features::{self, Features, HASHED, PRIORITY_STEPS};
use super::model::{Model, lexicon_fingerprint, probability};
use crate::words::stable_hash;

/// Fewer examples teach nothing that can be tested.
const MINIMUM_EXAMPLES: usize = 200;
/// L2 penalty of the weights; the calibration has next to none.
const WEIGHT_PENALTY: f64 = 1.0;
/// The fit stops at this gradient per example, or after [`MOST_ITERATIONS`]: far below what the calibration can see.
const GRADIENT_PER_EXAMPLE: f64 = 1e-5;
const MOST_ITERATIONS: u64 = 150;
/// Weights are kept to this many decimals: the model file stays readable and equal on every machine that rounds alike.
const DECIMALS: f64 = 1e6;

/// Why nothing was trained.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Too few.
    #[error("{have} examples are too few, at least {MINIMUM_EXAMPLES} are needed")]
    TooFew {
        /// How many there were.
        have: usize,
    },
    /// A share of the split has only urgent or only other cases.
    #[error("the {share} share of the examples is of one kind only: both urgent and other cases are needed")]
    OneKind {
        /// Which share.
        share: &'static str,
    },
    /// The scores do not rise with urgency.
    #[error("the examples hold no signal: higher scores are not more often urgent")]
    NoSignal,
    /// The solver failed.
    #[error("the fit failed: {0}")]
    Fit(#[from] linfa_logistic::error::Error),
}

/// Trains on 60 %, calibrates on 20 %, tests on 20 %. Equal examples and seed give an equal model.
///
/// Examples of one group fall into one share; those without a group fall by themselves. Weights of
/// the priority's steps are never negative.
///
/// # Errors
/// [`TrainError`]: too few examples, one kind only, no signal, or a solver that fails.
pub fn train(examples: &[Example], seed: u64) -> Result<(Model, Evaluation), TrainError> {
    if examples.len() < MINIMUM_EXAMPLES {
        return Err(TrainError::TooFew { have: examples.len() });
    }
    let mut shares: [Vec<(Features, bool)>; 3] = [Vec::new(), Vec::new(), Vec::new()];
    let mut priority_alone = (Vec::new(), Vec::new());
    for (at, example) in examples.iter().enumerate() {
        let share = share_of(example, at, seed);
        if share == 2 {
            priority_alone.0.push(-f64::from(example.facts.priority as u8));
            priority_alone.1.push(example.urgent);
        }
        shares[share].push((features::features(&example.facts), example.urgent));
    }
    for (share, name) in shares.iter().zip(["training", "calibration", "test"]) {
        if share.iter().all(|(_, urgent)| *urgent) || share.iter().all(|(_, urgent)| !*urgent) {
            return Err(TrainError::OneKind { share: name });
        }
    }
    let [training, calibration, test] = shares;
    let (mut model, set_to_zero) = fit_weights(&training)?;

    let scores: Vec<f64> = calibration.iter().map(|(features, _)| model.raw_score(features)).collect();
    let matrix = Array2::from_shape_fn((scores.len(), 1), |(row, _)| scores[row]);
    let (slope, offset) = fit_logistic(matrix, calibration.iter().map(|(_, urgent)| *urgent), 1e-6)?;
    if slope[0] <= 0.0 {
        return Err(TrainError::NoSignal);
    }
    (model.slope, model.offset) = (round(slope[0]).max(1.0 / DECIMALS), round(offset));
    let model = model.seal();

    let predicted: Vec<f64> =
        test.iter().map(|(features, _)| probability(model.slope * model.raw_score(features) + model.offset)).collect();
    let outcome: Vec<bool> = test.iter().map(|(_, urgent)| *urgent).collect();
    let evaluation = Evaluation {
        seed,
        trained_on: training.len(),
        calibrated_on: calibration.len(),
        test: evaluate::measure(&predicted, &outcome),
        priority_alone_auc: evaluate::auc(&priority_alone.0, &priority_alone.1),
        priority_steps_set_to_zero: set_to_zero,
    };
    Ok((model, evaluation))
}

/// 0 training, 1 calibration, 2 test: by a hash of the group (or the place in the list) and the seed.
fn share_of(example: &Example, at: usize, seed: u64) -> usize {
    let key = example.group.clone().unwrap_or_else(|| format!("#{at}"));
    let hash = stable_hash(format!("{seed}/{key}").as_bytes());
    // The low bits of FNV-1a are weak: mix before taking the remainder.
    let mixed = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
    match mixed % 10 {
        0..6 => 0,
        6..8 => 1,
        _ => 2,
    }
}

fn fit_weights(training: &[(Features, bool)]) -> Result<(Model, Vec<String>), TrainError> {
    let names = features::names();
    let column: BTreeMap<&str, usize> = names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let mut matrix = Array2::<f64>::zeros((training.len(), names.len() + HASHED));
    for (row, (features, _)) in training.iter().enumerate() {
        for (name, value) in &features.named {
            if let Some(at) = column.get(name.as_str()) {
                matrix[[row, *at]] = *value;
            }
        }
        for one in &features.hashed {
            matrix[[row, names.len() + one.index]] += one.value;
        }
    }
    let (weights, intercept) = fit_logistic(matrix, training.iter().map(|(_, urgent)| *urgent), WEIGHT_PENALTY)?;
    let mut named: BTreeMap<String, f64> =
        names.iter().zip(&weights).map(|(name, weight)| (name.clone(), round(*weight))).collect();
    let mut set_to_zero = Vec::new();
    for (step, _) in PRIORITY_STEPS {
        if let Some(weight) = named.get_mut(step).filter(|weight| **weight < 0.0) {
            *weight = 0.0;
            set_to_zero.push(step.to_owned());
        }
    }
    let model = Model {
        version: String::new(),
        lexicon: lexicon_fingerprint(),
        intercept: round(intercept),
        slope: 1.0,
        offset: 0.0,
        named,
        hashed: weights[names.len()..].iter().map(|weight| round(*weight)).collect(),
    };
    Ok((model, set_to_zero))
}

/// Weights and intercept for the probability of `true`.
fn fit_logistic(
    matrix: Array2<f64>,
    urgent: impl Iterator<Item = bool>,
    penalty: f64,
) -> Result<(Vec<f64>, f64), TrainError> {
    let targets: Array1<bool> = urgent.collect();
    // The loss is a sum over examples, so its gradient is measured by their number.
    let tolerance = GRADIENT_PER_EXAMPLE * targets.len() as f64;
    let fitted = LogisticRegression::default()
        .alpha(penalty)
        .max_iterations(MOST_ITERATIONS)
        .gradient_tolerance(tolerance)
        .fit(&DatasetBase::new(matrix, targets))?;
    // linfa models the more frequent class, which is mostly `false`.
    let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
    Ok((fitted.params().iter().map(|weight| sign * weight).collect(), sign * fitted.intercept()))
}

fn round(value: f64) -> f64 {
    let rounded = (value * DECIMALS).round() / DECIMALS;
    if rounded == 0.0 { 0.0 } else { rounded }
}
