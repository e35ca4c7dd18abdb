//! Simulated annealing over moves, swaps and chains (a read takes the place of another, which goes on to a third reader).

use super::EPSILON;
use super::model::{LEVELS, QUALITY, REACH};
use super::random::Random;
use super::state::{Delta, State};

/// Of the moves of a read that may be left out, one in so many tries that.
const ONE_IN: usize = 4;
/// How many moves pass between two looks at the clock.
const MOVES_BETWEEN_LOOKS: u64 = 1024;
/// How many moves pass between two comparisons with the best plan so far.
const MOVES_BETWEEN_BEST: u64 = 64;
/// The clock cools the search only where the moves lag so far behind it: a plan that has time enough is the same always.
const LAG: f64 = 0.02;
/// The warmth of the start, as a share of what a read costs.
const WARM: f64 = 0.8;
/// The warmth of the end, as a share of the start's.
const COLD: f64 = 1.0 / 60.0;

/// What annealing lowers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Aim {
    /// The reach level; quality is a tie-break.
    Reach,
    /// The quality level, while the reach level stays within this limit.
    Quality { reach_limit: f64 },
}

/// What a point of quality weighs against a step while reach is the aim: enough to decide between equals.
const TIE_BREAK: f64 = 1e-3;

impl Aim {
    /// What the aim makes of a change, at the present value of the reach level; infinite if it forbids it.
    fn energy(self, delta: Delta, reach: f64) -> f64 {
        match self {
            Self::Reach => delta.0[REACH] + TIE_BREAK * delta.0[QUALITY],
            Self::Quality { reach_limit } if delta.0[REACH] > EPSILON && reach + delta.0[REACH] > reach_limit => {
                f64::INFINITY
            }
            Self::Quality { .. } => delta.0[QUALITY],
        }
    }

    /// One value of the levels is better than another.
    pub(super) fn prefers(self, one: [f64; LEVELS], other: [f64; LEVELS]) -> bool {
        match self {
            Self::Quality { reach_limit } if one[REACH].max(other[REACH]) <= reach_limit => {
                one[QUALITY] < other[QUALITY] - EPSILON
            }
            _ => Delta(one).below(Delta(other)),
        }
    }
}

/// How far annealing goes.
pub(super) struct Cooling<'a> {
    /// For each read the pairs that it may move to.
    pub(super) near: &'a [Vec<usize>],
    /// For each read whether it may be left out for another.
    pub(super) spare: &'a [bool],
    /// What it draws from.
    pub(super) seed: u64,
    /// So many moves at most.
    pub(super) moves: u64,
    /// The share of the caller's time that is spent.
    pub(super) spent: &'a dyn Fn() -> f64,
    /// At this share it is cold, however many moves were made.
    pub(super) cold_at: f64,
}

/// Anneals; ends on the best plan seen, the one it began with included. Says whether the clock hurried it, so that
/// another run may end elsewhere.
pub(super) fn anneal(state: &mut State<'_>, aim: Aim, cooling: &Cooling<'_>) -> bool {
    let model = state.model;
    let near = cooling.near;
    let movable: Vec<usize> =
        (0..model.reads.len()).filter(|&read| near[read].len() > 1 || state.pair_of(read).is_none()).collect();
    let movable: Vec<usize> = movable.into_iter().filter(|&read| !near[read].is_empty()).collect();
    let begun = (cooling.spent)();
    if movable.is_empty() || cooling.moves == 0 || begun >= cooling.cold_at {
        return begun >= cooling.cold_at;
    }
    let mut random = Random::new(cooling.seed ^ 0x5eed);
    let start = warmth(state, aim);
    let mut warmth = start;
    let mut hurried = false;
    let (mut best, mut kept) = (state.value(), Vec::new());
    state.keep(&mut kept);
    for step in 0..cooling.moves {
        if step % MOVES_BETWEEN_LOOKS == 0 {
            let by_moves = step as f64 / cooling.moves as f64;
            let by_clock = ((cooling.spent)() - begun) / (cooling.cold_at - begun);
            if by_clock >= 1.0 {
                hurried = true;
                break;
            }
            let by_clock = if by_clock > by_moves + LAG { by_clock } else { 0.0 };
            hurried |= by_clock > 0.0;
            warmth = start * COLD.powf(by_moves.max(by_clock));
            state.refresh();
        }
        let read = movable[random.below(movable.len())];
        let to = near[read][random.below(near[read].len())];
        let there = model.reads[read].pairs[to].reader;
        if state.pair_of(read).is_some_and(|pair| pair.reader == there) {
            continue;
        }
        let most = -warmth * (1.0 - random.unit()).ln();
        let reach = state.value()[REACH];
        let list = state.list(there);
        if random.below(4) != 0 && !list.is_empty() {
            let other = list[random.below(list.len())] as usize;
            let back = if random.below(2) == 0 { swap_target(state, read, other) } else { None };
            let onward = match back {
                _ if cooling.spare[other] && random.below(ONE_IN) == 0 => None,
                Some(at) => Some(at),
                None if near[other].is_empty() => continue,
                None => Some(near[other][random.below(near[other].len())]),
            };
            if let Some((delta, at)) = state.displace(read, other, onward)
                && aim.energy(delta, reach) <= most
            {
                state.put(other, onward, delta);
                state.put(read, Some(at), Delta::default());
            }
        } else if state.is_apart(read, there, None) {
            let delta = state.shift(read, Some(to));
            if aim.energy(delta, reach) <= most {
                state.put(read, Some(to), delta);
            }
        }
        if step % MOVES_BETWEEN_BEST == 0 && aim.prefers(state.value(), best) {
            best = state.value();
            state.keep(&mut kept);
        }
    }
    state.refresh();
    if aim.prefers(best, state.value()) {
        state.restore(&kept);
    }
    hurried
}

/// The pair that `other` would have with the reader of `read`.
fn swap_target(state: &State<'_>, read: usize, other: usize) -> Option<usize> {
    state.pair_with(other, state.pair_of(read)?.reader)
}

/// The warmth to begin with.
fn warmth(state: &State<'_>, aim: Aim) -> f64 {
    let at = if let Aim::Reach = aim { REACH } else { QUALITY };
    (WARM * state.value()[at] / state.model.reads.len().max(1) as f64).max(EPSILON)
}
