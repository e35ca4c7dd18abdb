//! Read by read, each to whoever costs least now: what a rule engine would do. Always ready, always feasible.

use super::model::Model;
use super::state::{Delta, State};

/// A feasible assignment by least cost, in the model's order of reads.
pub(super) fn greedy(model: &Model) -> State<'_> {
    let mut state = State::empty(model);
    for read in 0..model.reads.len() {
        place(&mut state, read);
    }
    state.refresh();
    state
}

/// Gives one read that nobody has to whoever costs least; ties go to the first reader.
pub(super) fn place(state: &mut State<'_>, read: usize) {
    let choices = &state.model.reads[read];
    let mut best: Option<(Delta, Option<usize>)> = choices.drop.map(|_| (Delta::default(), None));
    for at in 0..choices.pairs.len() {
        if !state.is_apart(read, choices.pairs[at].reader, None) {
            continue;
        }
        let delta = state.shift(read, Some(at));
        if best.as_ref().is_none_or(|(least, _)| delta.below(*least)) {
            best = Some((delta, Some(at)));
        }
    }
    if let Some((delta, to @ Some(_))) = best {
        state.put(read, to, delta);
    }
}
