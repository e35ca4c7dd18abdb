//! One level: relaxation with pricing, its bound, and a plan rounded from it.

use super::anneal::Aim;
use super::linear::{Kind, Scope, Written};
use super::model::REACH;
use super::prices::{Known, add_paying_pairs};
use super::state::State;
use super::{Budget, EPSILON, bound, candidates, descend, greedy, linear};
use crate::StoppedBy;

/// A pair this share or more of a read is taken as decided.
const DECIDED: f64 = 1.0 - 1e-6;
/// A relaxation within this share of its bound over all pairs is not priced again.
const PRICED_ENOUGH: f64 = 5e-4;

/// Relaxes one level (on the quality level: with the reach level within its limit), rounds, and keeps the rounded
/// plan where it is better. Betters what is known of the level's prices and bound.
pub(super) fn relax(
    state: &mut State<'_>,
    level: usize,
    reach_limit: Option<f64>,
    known: &mut Known,
    seed: u64,
    budget: &Budget,
    spent: &dyn Fn() -> f64,
) -> Result<(), StoppedBy> {
    let model = state.model;
    let all: Vec<usize> = (0..model.reads.len()).collect();
    let nothing = vec![0.0; model.meters.len()];
    let mut active = candidates::within(model, level, &known.prices, f64::INFINITY, budget.candidates.max(1));
    active.iter_mut().for_each(|active| active.sort_unstable());
    let mut round = 0;
    let written = loop {
        let scope = Scope { model, free: &all, active: &active, loads: &nothing, level, reach_limit };
        let written = linear::solve(&scope, Kind::Relaxed { iterations: budget.lp_iterations }, seed)?;
        if !written.complete {
            return Err(StoppedBy::Budget);
        }
        let bound = bound::lagrange(model, level, &written.prices, reach_limit);
        if bound > known.bound {
            *known = Known { bound, prices: written.prices.clone() };
        }
        let enough = written.objective - known.bound <= PRICED_ENOUGH * written.objective.abs() + EPSILON;
        if round == budget.pricing_rounds || enough || spent() >= 1.0 {
            break written;
        }
        round += 1;
        add_paying_pairs(model, level, &written.prices, EPSILON, &mut active);
    };
    let (mut plan, open) = rounded(state, &written, &active);
    decide_open(&mut plan, &open, &active, level, reach_limit, seed, budget);
    keep_better(state, plan, aim_of(level, reach_limit), spent);
    Ok(())
}

/// The whole model of one level as an integer program; keeps its plan where it is better. The bound, if it is proved.
pub(super) fn exact(
    state: &mut State<'_>,
    level: usize,
    reach_limit: Option<f64>,
    seed: u64,
    spent: &dyn Fn() -> f64,
) -> Result<Option<f64>, StoppedBy> {
    let model = state.model;
    let all: Vec<usize> = (0..model.reads.len()).collect();
    let active: Vec<Vec<usize>> = model.reads.iter().map(|read| (0..read.pairs.len()).collect()).collect();
    let nothing = vec![0.0; model.meters.len()];
    let scope = Scope { model, free: &all, active: &active, loads: &nothing, level, reach_limit };
    let written = linear::solve(&scope, Kind::Whole { nodes: None, gap: 0.0 }, seed)?;
    let (mut plan, open) = rounded(state, &written, &active);
    for read in open {
        greedy::place(&mut plan, read);
    }
    keep_better(state, plan, aim_of(level, reach_limit), spent);
    Ok(written.complete.then_some(written.objective - EPSILON))
}

fn aim_of(level: usize, reach_limit: Option<f64>) -> Aim {
    if level == REACH { Aim::Reach } else { Aim::Quality { reach_limit: reach_limit.unwrap_or_default() } }
}

/// A limit with room for rounding.
pub(super) fn slack(value: f64) -> f64 {
    value * (1.0 + 1e-9) + EPSILON
}

fn keep_better<'m>(state: &mut State<'m>, mut plan: State<'m>, aim: Aim, spent: &dyn Fn() -> f64) {
    plan.refresh();
    descend::settle(&mut plan, spent);
    if aim.prefers(plan.value(), state.value()) {
        *state = plan;
    }
}

/// The reads that a solution decides, placed; and those it leaves in fractions. A read that may
/// be left out and has no share anywhere is decided: it is left out.
fn rounded<'m>(state: &State<'m>, written: &Written, active: &[Vec<usize>]) -> (State<'m>, Vec<usize>) {
    let mut plan = state.emptied();
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
