//! Prices of minutes for one level, by ascent over the cheapest pairs, with others taken in where they would pay.

use super::ascent::{Ascent, Flat, climb};
use super::linear::Prices;
use super::model::{Model, QUALITY};
use super::state::State;
use super::{Budget, EPSILON, bound, candidates};

/// Prices, and the bound that they prove over all pairs.
pub(super) struct Known {
    pub(super) prices: Prices,
    /// No plan (on the quality level: none that is as good on the reach level) costs less.
    pub(super) bound: f64,
}

/// What a reach step costs on the quality level where the reach level allows none: more than any quality.
const NO_STEP: f64 = 1e3;
/// What a reach step is tried at where some are allowed, times what a read costs.
const TRIED_STEPS: [f64; 3] = [1.0, 10.0, 100.0];
/// A pair left out that pays less than this share of what a read costs changes nothing worth another ascent.
const PAYS: f64 = 0.02;

/// Ascends one level (on the quality level: with the reach level within its limit).
pub(super) fn ascend(
    state: &State<'_>,
    level: usize,
    reach_limit: Option<f64>,
    budget: &Budget,
    spent: &dyn Fn() -> f64,
) -> Known {
    let model = state.model;
    let typical = typical_cost(state, level);
    let mut active = candidates::nearest(state, budget.candidates.max(1) * 2);
    let tried: Vec<f64> = match reach_limit {
        Some(limit) if limit <= 10.0 * EPSILON => vec![NO_STEP],
        Some(_) => TRIED_STEPS.map(|times| times * typical).to_vec(),
        None => vec![0.0],
    };
    let mut known: Option<Known> = None;
    for reach in tried {
        let mut from: Option<Vec<f64>> = known.as_ref().map(|known| known.prices.minute.clone());
        for round in 0..=budget.pricing_rounds {
            let flat = Flat::new(model, &active, level, reach);
            let steps = if from.is_none() { budget.ascent_steps } else { budget.ascent_steps / 2 };
            let ascent = Ascent { from: from.as_deref(), typical, steps, spent };
            let prices = Prices { minute: climb(&flat, model.meters.len(), &ascent), reach, apart: Vec::new() };
            let bound = bound::lagrange(model, level, &prices, reach_limit);
            let paying = add_paying_pairs(model, level, &prices, typical * PAYS, &mut active);
            from = Some(prices.minute.clone());
            if known.as_ref().is_none_or(|known| known.bound < bound) {
                known = Some(Known { prices, bound });
            }
            if paying == 0 || round == budget.pricing_rounds || spent() >= 1.0 {
                break;
            }
        }
    }
    known.unwrap_or_else(|| Known { prices: Prices::default(), bound: f64::NEG_INFINITY })
}

/// What a read costs on a level in the present plan.
pub(super) fn typical_cost(state: &State<'_>, level: usize) -> f64 {
    let each = state.value()[level] / state.model.reads.len().max(1) as f64;
    // On the reach level a read that must be left out would drown the others.
    if level == QUALITY { each } else { each.min(1.0) }
}

/// At most this many pairs come to a read at once.
const NEW_PAIRS: usize = 3;

/// Adds the pairs that would pay more than `least` at prices; how many.
pub(super) fn add_paying_pairs(
    model: &Model,
    level: usize,
    prices: &Prices,
    pays: f64,
    active: &mut [Vec<usize>],
) -> usize {
    let mut added = 0;
    for (read, active) in active.iter_mut().enumerate() {
        if active.len() == model.reads[read].pairs.len() {
            continue;
        }
        let price = |at: usize| bound::priced(model, level, prices, read, at);
        let least = active.iter().map(|at| price(*at)).fold(f64::INFINITY, f64::min);
        let mut paying: Vec<(f64, usize)> = (0..model.reads[read].pairs.len())
            .filter(|at| active.binary_search(at).is_err())
            .map(|at| (price(at), at))
            .filter(|(price, _)| *price < least - pays.max(EPSILON))
            .collect();
        paying.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        active.extend(paying.iter().take(NEW_PAIRS).map(|(_, at)| *at));
        active.sort_unstable();
        added += paying.len().min(NEW_PAIRS);
    }
    added
}
