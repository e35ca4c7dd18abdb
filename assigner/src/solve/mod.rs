//! Solves the written model: greedy first, then linear relaxation, a small
//! integer program for what it leaves in fractions, and a search.
//!
//! Nothing here knows a read, a reader or a clock; it sees [`Model`] only.
//! Whatever stops it, the best plan so far is returned, and it is feasible.

mod anneal;
mod ascent;
mod bound;
mod candidates;
mod descend;
mod greedy;
mod linear;
pub(crate) mod model;
mod prices;
mod random;
mod relax;
pub(crate) mod state;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::StoppedBy;
use anneal::{Aim, Cooling};
use model::{LEVELS, Model, QUALITY, REACH};
use state::State;

/// Work units a plan may use. None of them is a time, so equal budgets give equal plans.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// Readers kept as candidates for each read in the linear model; pricing adds others that would pay.
    pub candidates: usize,
    /// Steps of one ascent of prices, which gives a bound however large the model is.
    pub ascent_steps: u32,
    /// Simplex iterations of one linear relaxation; 0 leaves the relaxation out.
    pub lp_iterations: u32,
    /// The most pairs for which the relaxation is written: its bound is the better one, its time grows faster.
    pub lp_pairs: usize,
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
    /// About 0.6 s for 1,000 reads and 80 readers.
    fn default() -> Self {
        Self {
            candidates: 10,
            ascent_steps: 1600,
            lp_iterations: 100_000,
            lp_pairs: 12_000,
            pricing_rounds: 2,
            mip_nodes: 20,
            mip_reads: 24,
            whole_mip_reads: 12,
            search_moves: 2_000_000,
        }
    }
}

impl Budget {
    /// Prices only, no linear model: milliseconds. The bound is then weak.
    pub fn greedy() -> Self {
        Self {
            ascent_steps: 0,
            lp_iterations: 0,
            pricing_rounds: 0,
            mip_nodes: 0,
            whole_mip_reads: 0,
            search_moves: 0,
            ..Self::default()
        }
    }

    fn is_greedy(&self) -> bool {
        self.ascent_steps == 0 && self.lp_iterations == 0 && self.whole_mip_reads == 0 && self.search_moves == 0
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
    /// It ended before anything but the greedy plan was made.
    pub(crate) greedy_only: bool,
}

/// Below this, a difference in cost is rounding.
pub(crate) const EPSILON: f64 = 1e-7;

/// Solves the model level by level. `spent` is the share of the caller's time that is spent: from 1 on the best plan so
/// far is given back.
pub(crate) fn solve(model: &Model, seed: u64, budget: &Budget, spent: &dyn Fn() -> f64) -> Solved {
    let mut state = greedy::greedy(model);
    descend::settle(&mut state, spent);
    let mut bound = [bound::trivial(model, REACH), bound::trivial(model, QUALITY)];
    let greedy_only = spent() >= 1.0 || budget.is_greedy();
    let stopped_by = improve(&mut state, &mut bound, seed, budget, spent);
    state.refresh();
    let value = state.value();
    // A bound is never reported above the value it bounds: both carry rounding.
    let bound = std::array::from_fn(|level| bound[level].min(value[level]));
    Solved { chosen: state.chosen(), bound, value, stopped_by, greedy_only }
}

/// A relaxation is not begun after this share of the caller's time: nothing can stop it.
const RELAXED_BEFORE: f64 = 0.3;
/// The share of the caller's time at which each level's search is cold; what is left is for the last descent.
const COLD_AT: [f64; LEVELS] = [0.4, 0.97];

fn improve(
    state: &mut State<'_>,
    bound: &mut [f64; LEVELS],
    seed: u64,
    budget: &Budget,
    spent: &dyn Fn() -> f64,
) -> StoppedBy {
    if spent() >= 1.0 {
        return StoppedBy::Stop;
    }
    if budget.is_greedy() {
        return StoppedBy::Budget;
    }
    let mut ended = StoppedBy::Finished;
    for level in [REACH, QUALITY] {
        if state.value()[level] <= bound[level] + EPSILON {
            continue;
        }
        match better(state, level, bound, seed, budget, spent) {
            Ok(()) => {}
            Err(StoppedBy::Stop) if spent() >= 1.0 => return StoppedBy::Stop,
            Err(why) => ended = why,
        }
    }
    let settled = descend::descend(state, spent);
    match (spent() >= 1.0, settled) {
        (true, _) => StoppedBy::Stop,
        (false, true) => ended,
        (false, false) => StoppedBy::Budget,
    }
}

/// Brings one level down and its bound up.
fn better(
    state: &mut State<'_>,
    level: usize,
    bound: &mut [f64; LEVELS],
    seed: u64,
    budget: &Budget,
    spent: &dyn Fn() -> f64,
) -> Result<(), StoppedBy> {
    let model = state.model;
    // The reach level is not bought back once it is reached: the quality level works below this.
    let limit = relax::slack(state.value()[REACH]);
    let reach_limit = (level == QUALITY && model.has_level(REACH)).then_some(limit);
    let mut ended = Ok(());
    if model.reads.len() <= budget.whole_mip_reads {
        match relax::exact(state, level, reach_limit, seed, spent) {
            Ok(Some(proved)) => bound[level] = bound[level].max(proved),
            Ok(None) => ended = Err(StoppedBy::Budget),
            Err(why) => ended = Err(why),
        }
        if state.value()[level] <= bound[level] + 2.0 * EPSILON {
            return ended;
        }
    }
    let columns: usize = model.reads.iter().map(|read| read.pairs.len().min(budget.candidates.max(1))).sum();
    let relaxed = budget.lp_iterations > 0 && columns <= budget.lp_pairs;
    // Before a relaxation the ascent only says which pairs are worth writing.
    let steps = if relaxed { budget.ascent_steps / 4 } else { budget.ascent_steps };
    let mut known = prices::ascend(state, level, reach_limit, &Budget { ascent_steps: steps, ..budget.clone() }, spent);
    if relaxed && spent() >= RELAXED_BEFORE {
        ended = Err(StoppedBy::Stop);
    } else if relaxed {
        ended = ended.and(relax::relax(state, level, reach_limit, &mut known, seed, budget, spent));
    }
    bound[level] = bound[level].max(known.bound);
    if spent() >= 1.0 {
        return Err(StoppedBy::Stop);
    }
    if state.value()[level] > bound[level] + EPSILON {
        let aim = if level == REACH { Aim::Reach } else { Aim::Quality { reach_limit: limit } };
        let window = WINDOW * prices::typical_cost(state, level);
        let near = candidates::within(model, level, &known.prices, window, NEAR_MOST);
        let spare = candidates::spare(model, level, &known.prices, window);
        let cooling =
            Cooling { near: &near, spare: &spare, seed, moves: budget.search_moves, spent, cold_at: COLD_AT[level] };
        if anneal::anneal(state, aim, &cooling) {
            ended = ended.and(Err(StoppedBy::Stop));
        }
    }
    ended
}

/// The search moves a read to readers who are dearer by no more than this share of what a read costs.
const WINDOW: f64 = 0.15;
/// And to no more than so many.
const NEAR_MOST: usize = 16;
