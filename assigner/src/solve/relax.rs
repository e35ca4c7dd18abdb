//! One level: relaxation with pricing, its bound, and a plan rounded from it.

use super::linear::{Kind, Prices, Scope, Written};
use super::model::{Model, QUALITY, REACH};
use super::search::Aim;
use super::state::State;
use super::{Budget, EPSILON, bound, candidates, greedy, linear, search};
use crate::StoppedBy;

/// What a level's relaxation gave.
pub(super) struct Found {
    /// No plan (on the quality level: none that is as good on the reach level) costs less.
    pub(super) bound: f64,
}

/// A pair this share or more of a read is taken as decided.
const DECIDED: f64 = 1.0 - 1e-6;
/// A relaxation within this share of its bound over all pairs is not priced again.
const PRICED_ENOUGH: f64 = 5e-4;
/// At most this many pairs come to a read in one pricing round.
const NEW_PAIRS: usize = 3;

/// Relaxes one level (on the quality level: with the reach level within its limit), rounds, and keeps the rounded
/// plan where it is better.
pub(super) fn relax(
    state: &mut State<'_>,
    level: usize,
    reach_limit: f64,
    seed: u64,
    budget: &Budget,
    stop: &dyn Fn() -> bool,
) -> Result<Found, StoppedBy> {
    let model = state.model;
    let whole = model.reads.len() <= budget.whole_mip_reads;
    let all: Vec<usize> = (0..model.reads.len()).collect();
    let nothing = vec![0.0; model.meters.len()];
    let aim = if level == REACH { Aim::Reach } else { Aim::Quality { reach_limit } };
    let reach_limit = (level == QUALITY && model.has_level(REACH)).then_some(reach_limit);
    let most = if whole { usize::MAX } else { budget.candidates.max(1) };
    let mut active = candidates::nearest(state, most);
    let mut found = Found { bound: f64::NEG_INFINITY };
    let mut round = 0;
    let written = loop {
        let scope = Scope { model, free: &all, active: &active, loads: &nothing, level, reach_limit };
        let written = linear::solve(&scope, Kind::Relaxed { iterations: budget.lp_iterations }, seed)?;
        if !written.complete {
            return Err(StoppedBy::Budget);
        }
        found.bound = found.bound.max(bound::lagrange(model, level, &written.prices, reach_limit));
        let enough = written.objective - found.bound <= PRICED_ENOUGH * written.objective.abs() + EPSILON;
        if round == budget.pricing_rounds || enough || stop() {
            break written;
        }
        round += 1;
        add_paying_pairs(model, level, &written.prices, &mut active);
    };
    if whole {
        let scope = Scope { model, free: &all, active: &active, loads: &nothing, level, reach_limit };
        let exact = linear::solve(&scope, Kind::Whole { nodes: None, gap: 0.0 }, seed)?;
        if exact.complete {
            found.bound = found.bound.max(exact.objective - EPSILON);
        }
        let (mut plan, open) = rounded(state, &exact, &active);
        for read in open {
            greedy::place(&mut plan, read);
        }
        keep_better(state, plan, aim, stop);
        return Ok(found);
    }
    let (mut plan, open) = rounded(state, &written, &active);
    decide_open(&mut plan, &open, &active, level, reach_limit, seed, budget);
    keep_better(state, plan, aim, stop);
    Ok(found)
}

/// A limit with room for rounding.
pub(super) fn slack(value: f64) -> f64 {
    value * (1.0 + 1e-9) + EPSILON
}

fn keep_better<'m>(state: &mut State<'m>, mut plan: State<'m>, aim: Aim, stop: &dyn Fn() -> bool) {
    plan.refresh();
    search::settle(&mut plan, stop);
    if aim.prefers(plan.value(), state.value()) {
        *state = plan;
    }
}

/// The reads that a solution decides, placed; and those it leaves in fractions. A read that may
/// be left out and has no share anywhere is decided: it is left out.
fn rounded<'m>(state: &State<'m>, written: &Written, active: &[Vec<usize>]) -> (State<'m>, Vec<usize>) {
    let mut plan = State::empty(state.model);
    let mut open = Vec::new();
    for (read, shares) in written.shares.iter().enumerate() {
        match shares.iter().position(|share| *share >= DECIDED) {
            Some(i) if plan.is_apart(read, state.model.reads[read].pairs[active[read][i]].reader, None) => {
                let to = Some(active[read][i]);
                let delta = plan.shift(read, to);
                plan.put(read, to, delta);
            }
            None if shares.iter().sum::<f64>() <= 1.0 - DECIDED => {}
            _ => open.push(read),
        }
    }
    plan.refresh();
    (plan, open)
}

/// Decides the reads left in fractions by a small integer program; by price, one by one, if they are too many
/// for it or it has no answer within its nodes.
fn decide_open(
    plan: &mut State<'_>,
    open: &[usize],
    active: &[Vec<usize>],
    level: usize,
    reach_limit: Option<f64>,
    seed: u64,
    budget: &Budget,
) {
    let model = plan.model;
    if open.is_empty() {
        return;
    }
    let allowed: Vec<Vec<usize>> = open
        .iter()
        .map(|&read| {
            let fits = |at: &usize| plan.is_apart(read, model.reads[read].pairs[*at].reader, None);
            active[read].iter().copied().filter(fits).collect()
        })
        .collect();
    // The plan's value counts the reads that are open as left out: they are not spent yet.
    let unspent: f64 = open.iter().map(|&read| model.reads[read].drop.unwrap_or_default()[REACH]).sum();
    let reach_left = reach_limit.map(|limit| (limit - plan.value()[REACH] + unspent).max(0.0) + EPSILON);
    let scope = Scope { model, free: open, active: &allowed, loads: plan.loads(), level, reach_limit: reach_left };
    let decided = (budget.mip_nodes > 0 && open.len() <= budget.mip_reads)
        .then(|| linear::solve(&scope, Kind::Whole { nodes: Some(budget.mip_nodes), gap: 2e-3 }, seed).ok())
        .flatten();
    for (i, &read) in open.iter().enumerate() {
        let to = decided.as_ref().and_then(|written| {
            let at = written.shares[i].iter().position(|share| *share > 0.5)?;
            Some(allowed[i][at])
        });
        match to {
            Some(at) => {
                let delta = plan.shift(read, Some(at));
                plan.put(read, Some(at), delta);
            }
            None => greedy::place(plan, read),
        }
    }
}

fn add_paying_pairs(model: &Model, level: usize, prices: &Prices, active: &mut [Vec<usize>]) {
    for (read, active) in active.iter_mut().enumerate() {
        let price = |at: usize| bound::priced(model, level, prices, read, at);
        let least = active.iter().map(|at| price(*at)).fold(f64::INFINITY, f64::min);
        let mut paying: Vec<(f64, usize)> = (0..model.reads[read].pairs.len())
            .filter(|at| active.binary_search(at).is_err())
            .map(|at| (price(at), at))
            .filter(|(price, _)| *price < least - EPSILON)
            .collect();
        paying.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        active.extend(paying.iter().take(NEW_PAIRS).map(|(_, at)| *at));
        active.sort_unstable();
    }
}
