//! Moves and swaps: down to where none helps, and annealing in between.
//!
//! Moves look at every reader who may have a read. Swaps look at its [`NEAR`]
//! cheapest ones only: all of them would be reads x reads.

use super::model::{LEVELS, QUALITY, REACH};
use super::random::Random;
use super::state::{Delta, State};
use super::{EPSILON, candidates};

/// How many moves pass between two questions to the caller.
const MOVES_BETWEEN_STOPS: u64 = 4096;
/// How many readers a swap, or an annealing move, looks at for each read.
const NEAR: usize = 8;

/// Takes every improving move and swap until there is none; says whether it got there.
pub(super) fn descend(state: &mut State<'_>, stop: &dyn Fn() -> bool) -> bool {
    loop {
        if !settle(state, stop) {
            return false;
        }
        let mut improved = false;
        let near = candidates::nearest(state, NEAR);
        for (read, near) in near.iter().enumerate() {
            if read % 64 == 0 && stop() {
                state.refresh();
                return false;
            }
            while let Some((other, delta, there, here)) = first_swap(state, read, near) {
                put_swap(state, read, other, delta, there, here);
                improved = true;
            }
        }
        state.refresh();
        if !improved {
            return true;
        }
    }
}

/// Takes every improving move until there is none; says whether it got there.
pub(super) fn settle(state: &mut State<'_>, stop: &dyn Fn() -> bool) -> bool {
    loop {
        let mut improved = false;
        for read in 0..state.model.reads.len() {
            if read % 256 == 0 && stop() {
                state.refresh();
                return false;
            }
            while let Some((delta, to)) = best_shift(state, read) {
                state.put(read, to, delta);
                improved = true;
            }
        }
        state.refresh();
        if !improved {
            return true;
        }
    }
}

fn best_shift(state: &State<'_>, read: usize) -> Option<(Delta, Option<usize>)> {
    let choices = &state.model.reads[read];
    let here = state.pair_of(read).map(|pair| pair.reader);
    let mut best = None;
    let mut least = Delta::default();
    if choices.drop.is_some() && here.is_some() {
        let delta = state.shift(read, None);
        if delta.below(least) {
            (best, least) = (Some((delta, None)), delta);
        }
    }
    for (at, pair) in choices.pairs.iter().enumerate() {
        if Some(pair.reader) == here {
            continue;
        }
        let delta = state.shift(read, Some(at));
        if delta.below(least) && state.is_apart(read, pair.reader, None) {
            (best, least) = (Some((delta, Some(at))), delta);
        }
    }
    best
}

fn first_swap(state: &State<'_>, read: usize, near: &[usize]) -> Option<(usize, Delta, usize, usize)> {
    let here = state.pair_of(read)?;
    for pair in near.iter().map(|at| &state.model.reads[read].pairs[*at]) {
        if pair.reader == here.reader {
            continue;
        }
        for &other in state.list(pair.reader) {
            if let Some((delta, to_there, to_here)) = state.swap(read, other)
                && delta.improves()
            {
                return Some((other, delta, to_there, to_here));
            }
        }
    }
    None
}

fn put_swap(state: &mut State<'_>, one: usize, other: usize, delta: Delta, one_to: usize, other_to: usize) {
    state.put(one, Some(one_to), delta);
    state.put(other, Some(other_to), Delta::default());
}

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

/// Simulated annealing; ends on the best plan seen, the one it began with included.
pub(super) fn anneal(state: &mut State<'_>, aim: Aim, seed: u64, moves: u64, stop: &dyn Fn() -> bool) {
    let model = state.model;
    let movable: Vec<usize> = (0..model.reads.len()).filter(|&read| model.reads[read].pairs.len() > 1).collect();
    if movable.is_empty() || moves == 0 {
        return;
    }
    let near = candidates::nearest(state, NEAR);
    let mut random = Random::new(seed ^ 0x5eed);
    let start = warmth(state, aim, &movable, &near, &mut random);
    let cooling = (0.01f64).powf(1.0 / moves as f64);
    let mut warmth = start;
    let (mut best, mut best_chosen) = (state.value(), state.chosen().to_vec());
    for step in 0..moves {
        if step % MOVES_BETWEEN_STOPS == 0 {
            if stop() {
                break;
            }
            state.refresh();
        }
        warmth *= cooling;
        let read = movable[random.below(movable.len())];
        let to = near[read][random.below(near[read].len())];
        let there = model.reads[read].pairs[to].reader;
        if state.pair_of(read).is_some_and(|pair| pair.reader == there) {
            continue;
        }
        let reach = state.value()[REACH];
        let accept = |delta: Delta, random: &mut Random| {
            let energy = aim.energy(delta, reach);
            energy < 0.0 || random.unit() < (-energy / warmth).exp()
        };
        let list = state.list(there);
        if !list.is_empty() && random.unit() < 0.5 {
            let other = list[random.below(list.len())];
            if let Some((delta, to_there, to_here)) = state.swap(read, other)
                && accept(delta, &mut random)
            {
                put_swap(state, read, other, delta, to_there, to_here);
            }
        } else if state.is_apart(read, there, None) {
            let delta = state.shift(read, Some(to));
            if accept(delta, &mut random) {
                state.put(read, Some(to), delta);
            }
        }
        if step % 64 == 0 && aim.prefers(state.value(), best) {
            best = state.value();
            best_chosen.copy_from_slice(state.chosen());
        }
    }
    state.refresh();
    if aim.prefers(best, state.value()) {
        state.restore(&best_chosen);
    }
}

/// A start at which a typical worsening move is taken about once in twenty.
fn warmth(state: &State<'_>, aim: Aim, movable: &[usize], near: &[Vec<usize>], random: &mut Random) -> f64 {
    let mut worse: Vec<f64> = (0..500)
        .filter_map(|_| {
            let read = movable[random.below(movable.len())];
            let to = near[read][random.below(near[read].len())];
            let there = state.model.reads[read].pairs[to].reader;
            let stays = state.pair_of(read).is_some_and(|pair| pair.reader == there);
            let energy = (!stays).then(|| aim.energy(state.shift(read, Some(to)), state.value()[REACH]));
            energy.filter(|energy| *energy > EPSILON && energy.is_finite())
        })
        .collect();
    worse.sort_by(f64::total_cmp);
    worse.get(worse.len() / 4).map_or(EPSILON, |typical| typical / 3.0)
}
