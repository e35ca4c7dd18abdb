//! Solves the written model: greedy first, then linear relaxation, a small
//! integer program for what it leaves in fractions, and a search.
//!
//! Nothing here knows a read, a reader or a clock; it sees [`Model`] only.
//! Whatever stops it, the best plan so far is returned, and it is feasible.

mod bound;
mod candidates;
mod greedy;
mod linear;
pub(crate) mod model;
mod random;
mod relax;
mod search;
pub(crate) mod state;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::StoppedBy;
use model::{LEVELS, Model, QUALITY, REACH};
use search::Aim;
use state::State;

/// Work units a plan may use. None of them is a time, so equal budgets give equal plans.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// Readers kept as candidates for each read in the linear model; pricing adds others that would pay.
    pub candidates: usize,
    /// Simplex iterations of one linear relaxation; 0 leaves the relaxation out.
    pub lp_iterations: u32,
    /// How often the relaxation is solved again with readers that were left out and would pay.
    pub pricing_rounds: u32,
    /// Branch-and-bound nodes of the integer program over reads that the relaxation leaves in fractions.
    pub mip_nodes: u32,
    /// The most reads for which that program is written. Measured: beyond some twenty it costs more than
    /// the relaxation, and placing them by price and searching ends as low.
    pub mip_reads: usize,
    /// Up to this many reads the integer program holds all reads and all readers, without a node limit.
    pub whole_mip_reads: usize,
    /// Moves tried by the search.
    pub search_moves: u64,
}

impl Default for Budget {
    /// About half a second for 1,000 reads and 80 readers.
    fn default() -> Self {
        Self {
            candidates: 10,
            lp_iterations: 100_000,
            pricing_rounds: 2,
            mip_nodes: 20,
            mip_reads: 24,
            whole_mip_reads: 12,
            search_moves: 400_000,
        }
    }
}

impl Budget {
    /// Prices only, no linear model: milliseconds. The bound is then weak.
    pub fn greedy() -> Self {
        Self {
            lp_iterations: 0,
            pricing_rounds: 0,
            mip_nodes: 0,
            whole_mip_reads: 0,
            search_moves: 0,
            ..Self::default()
        }
    }
}

/// What a solve gives back.
#[derive(Debug)]
pub(crate) struct Solved {
    /// For each read the index of the chosen pair.
    pub(crate) chosen: Vec<Option<usize>>,
    /// A bound below each level's value.
    pub(crate) bound: [f64; LEVELS],
    /// The value of each level.
    pub(crate) value: [f64; LEVELS],
    /// What ended it.
    pub(crate) stopped_by: StoppedBy,
}

/// Below this, a difference in cost is rounding.
pub(crate) const EPSILON: f64 = 1e-7;

/// Solves the model level by level.
pub(crate) fn solve(model: &Model, seed: u64, budget: &Budget, stop: &dyn Fn() -> bool) -> Solved {
    let mut state = greedy::greedy(model);
    search::settle(&mut state, stop);
    let mut bound = [bound::trivial(model, REACH), bound::trivial(model, QUALITY)];
    let stopped_by = improve(&mut state, &mut bound, seed, budget, stop);
    state.refresh();
    let value = state.value();
    // A bound is never reported above the value it bounds: both carry rounding.
    let bound = std::array::from_fn(|level| bound[level].min(value[level]));
    Solved { chosen: state.chosen().to_vec(), bound, value, stopped_by }
}

fn improve(
    state: &mut State<'_>,
    bound: &mut [f64; LEVELS],
    seed: u64,
    budget: &Budget,
    stop: &dyn Fn() -> bool,
) -> StoppedBy {
    if stop() {
        return StoppedBy::Stop;
    }
    if budget.lp_iterations == 0 {
        return StoppedBy::Budget;
    }
    let mut ended = StoppedBy::Finished;
    for level in [REACH, QUALITY] {
        if state.value()[level] <= bound[level] + EPSILON {
            continue;
        }
        // The reach level is not bought back once it is reached: the quality level works below this.
        let reach_limit = relax::slack(state.value()[REACH]);
        match relax::relax(state, level, reach_limit, seed, budget, stop) {
            Ok(found) => bound[level] = bound[level].max(found.bound),
            Err(why) => ended = why,
        }
        if stop() {
            return StoppedBy::Stop;
        }
        if state.value()[level] > bound[level] + EPSILON {
            let aim = if level == REACH { Aim::Reach } else { Aim::Quality { reach_limit } };
            search::anneal(state, aim, seed, budget.search_moves, stop);
        }
    }
    let settled = search::descend(state, stop);
    match (stop(), settled) {
        (true, _) => StoppedBy::Stop,
        (false, true) => ended,
        (false, false) => StoppedBy::Budget,
    }
}
