//! How good a model is, on examples it has not seen.

use serde::{Deserialize, Serialize};

/// Figures on one set of examples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Number of examples.
    pub examples: usize,
    /// How many were urgent.
    pub urgent: usize,
    /// Area under the ROC curve (probability that an urgent case scores above another, ties half); `None` with one class.
    pub auc: Option<f64>,
    /// Mean squared error of the probability.
    pub brier: f64,
    /// Expected calibration error over ten bins of equal count.
    pub ece: f64,
    /// The bins of the calibration error, from low to high.
    pub reliability: Vec<ReliabilityBin>,
    /// At 0.5.
    pub confusion: Confusion,
}

/// One bin of equal count.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Number of examples.
    pub examples: usize,
    /// Mean predicted probability.
    pub predicted: f64,
    /// Share that was urgent.
    pub observed: f64,
}

/// Counts at a working point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// Urgent and called so.
    pub true_positive: usize,
    /// Not urgent, called urgent.
    pub false_positive: usize,
    /// Urgent and missed.
    pub false_negative: usize,
    /// Not urgent, not called.
    pub true_negative: usize,
}

/// The report of a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Seed of the split.
    pub seed: u64,
    /// Examples used for weights.
    pub trained_on: usize,
    /// Examples used for the calibration.
    pub calibrated_on: usize,
    /// On the test set, after calibration.
    pub test: Measured,
    /// AUC on the test set of the declared priority alone: what the model must beat.
    pub priority_alone_auc: Option<f64>,
    /// Priority steps whose weight came out negative and was set to zero.
    pub priority_steps_set_to_zero: Vec<String>,
}

/// Measures predictions against what turned out. `predicted` are probabilities.
pub(crate) fn measure(predicted: &[f64], urgent: &[bool]) -> Measured {
    let examples = predicted.len();
    let outcome = |is: bool| if is { 1.0 } else { 0.0 };
    let brier =
        predicted.iter().zip(urgent).map(|(p, is)| (p - outcome(*is)).powi(2)).sum::<f64>() / examples.max(1) as f64;
    let mut order: Vec<usize> = (0..examples).collect();
    order.sort_by(|a, b| predicted[*a].total_cmp(&predicted[*b]));
    let reliability: Vec<ReliabilityBin> = (0..10)
        .map(|bin| &order[examples * bin / 10..examples * (bin + 1) / 10])
        .filter(|bin| !bin.is_empty())
        .map(|bin| ReliabilityBin {
            examples: bin.len(),
            predicted: bin.iter().map(|at| predicted[*at]).sum::<f64>() / bin.len() as f64,
            observed: bin.iter().map(|at| outcome(urgent[*at])).sum::<f64>() / bin.len() as f64,
        })
        .collect();
    let ece = reliability.iter().map(|bin| bin.examples as f64 * (bin.predicted - bin.observed).abs()).sum::<f64>()
        / examples.max(1) as f64;
    let count = |called: bool, is: bool| {
        predicted.iter().zip(urgent).filter(|(p, actual)| (**p >= 0.5) == called && **actual == is).count()
    };
    Measured {
        examples,
        urgent: urgent.iter().filter(|is| **is).count(),
        auc: auc(predicted, urgent),
        brier,
        ece,
        reliability,
        confusion: Confusion {
            true_positive: count(true, true),
            false_positive: count(true, false),
            false_negative: count(false, true),
            true_negative: count(false, false),
        },
    }
}

/// Area under the ROC curve by ranks (Mann-Whitney), ties counted half; `None` where a class is missing.
pub(crate) fn auc(scores: &[f64], urgent: &[bool]) -> Option<f64> {
    let positives = urgent.iter().filter(|is| **is).count();
    let negatives = urgent.len() - positives;
    if positives == 0 || negatives == 0 {
        return None;
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b]));
    let (mut rank_sum, mut at) = (0.0, 0);
    while at < order.len() {
        let end = at + order[at..].iter().take_while(|next| scores[**next] == scores[order[at]]).count();
        let mean_rank = (at + end + 1) as f64 / 2.0;
        rank_sum += mean_rank * order[at..end].iter().filter(|next| urgent[**next]).count() as f64;
        at = end;
    }
    let positives = positives as f64;
    Some((rank_sum - positives * (positives + 1.0) / 2.0) / (positives * negatives as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auc_is_the_share_of_pairs_in_order_with_ties_half() {
        assert_eq!(auc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true]), Some(0.75));
        assert_eq!(auc(&[0.5, 0.5], &[false, true]), Some(0.5));
        assert_eq!(auc(&[0.5, 0.6], &[true, true]), None);
    }

    #[test]
    fn a_forecast_that_is_always_wrong_by_a_fifth_has_that_calibration_error() {
        let predicted = [0.7; 10];
        let urgent = [true, true, true, true, true, false, false, false, false, false];
        let measured = measure(&predicted, &urgent);
        // Bins of one example each: the error is the mean of 0.3 and 0.7.
        assert!((measured.ece - 0.5).abs() < 1e-12);
        assert!((measured.brier - (5.0 * 0.09 + 5.0 * 0.49) / 10.0).abs() < 1e-12);
        let confusion = measured.confusion;
        assert_eq!((confusion.true_positive, confusion.false_positive), (5, 5));
    }
}
