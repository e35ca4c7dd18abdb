//! Moves and swaps, down to where none helps.
//!
//! Moves look at every reader who may have a read. Swaps look at its [`NEAR`]
//! cheapest ones only: all of them would be reads x reads.

use super::candidates;
use super::state::{Delta, State};

/// How many readers a swap looks at for each read.
const NEAR: usize = 8;

/// Takes every improving move and swap until there is none; says whether it got there.
pub(super) fn descend(state: &mut State<'_>, spent: &dyn Fn() -> f64) -> bool {
    loop {
        if !settle(state, spent) {
            return false;
        }
        let mut improved = false;
        let near = candidates::nearest(state, NEAR);
        for (read, near) in near.iter().enumerate() {
            if read % 64 == 0 && spent() >= 1.0 {
                state.refresh();
                return false;
            }
            while let Some((other, delta, there, here)) = first_swap(state, read, near) {
                state.put(read, Some(there), delta);
                state.put(other, Some(here), Delta::default());
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
pub(super) fn settle(state: &mut State<'_>, spent: &dyn Fn() -> f64) -> bool {
    loop {
        let mut improved = false;
        for read in 0..state.model.reads.len() {
            if read % 256 == 0 && spent() >= 1.0 {
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
        for other in state.list(pair.reader).iter().map(|&other| other as usize) {
            if let Some(to_here) = state.pair_with(other, here.reader)
                && let Some((delta, to_there)) = state.displace(read, other, Some(to_here))
                && delta.improves()
            {
                return Some((other, delta, to_there, to_here));
            }
        }
    }
    None
}
