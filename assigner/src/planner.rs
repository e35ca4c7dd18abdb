//! From a problem to a plan: write the model, solve it, order the lists, explain.

use std::collections::BTreeMap;

use crate::constraints::Rule;
use crate::explain::Held;
use crate::model::Pool;
use crate::plan::{Certificate, Item, Level, Plan, WaitReason, Waiting, WaitingCapBreach};
use crate::solve::model::{QUALITY, REACH};
use crate::solve::{Budget, Solved, solve};
use crate::{Excluded, Problem, ProblemError, order, validate};

/// Plans a whole pool.
///
/// `spent` answers which share of the caller's time is spent, 0 if there is no limit. It is asked between pieces of
/// work, never inside a single call of the linear solver: the search cools by it, and from 1 on the best plan so far
/// is returned.
///
/// # Errors
/// A problem that has no meaning is refused before anything is computed.
pub fn plan(problem: &Problem, seed: u64, budget: &Budget, spent: &dyn Fn() -> f64) -> Result<Plan, ProblemError> {
    validate::check(problem)?;
    let pool = Pool::new(problem);
    let solved = solve(&pool.model, seed, budget, spent);
    let mut reader_of = vec![None; problem.reads.len()];
    let mut waits = pool.waiting.clone();
    for (i, chosen) in solved.chosen.iter().enumerate() {
        match chosen {
            Some(at) => reader_of[pool.planned[i]] = Some(pool.model.reads[i].pairs[*at].reader as usize),
            None => waits.push((pool.planned[i], WaitReason::OthersOfCase)),
        }
    }
    let held = Held::new(&pool, reader_of);
    let items = list_items(&pool, &held);
    let mut waiting: Vec<Waiting> = waits.into_iter().map(|(read, reason)| wait(&pool, &held, read, reason)).collect();
    waiting.sort_by_key(|waiting| waiting.read);
    Ok(Plan {
        waiting_cap_breaches: breaches(problem, &items, &waiting),
        items,
        waiting,
        certificates: certify(&solved),
        stopped_by: solved.stopped_by,
        seed,
    })
}

/// The lists of all readers, each in its order, with expected times.
fn list_items(pool: &Pool<'_>, held: &Held) -> Vec<Item> {
    let problem = pool.problem;
    let mut lists: BTreeMap<i64, (usize, Vec<usize>)> = BTreeMap::new();
    for (read, reader) in held.reader_of.iter().enumerate() {
        if let Some(reader) = *reader {
            lists.entry(problem.readers[reader].id).or_insert((reader, Vec::new())).1.push(read);
        }
    }
    let mut items = Vec::with_capacity(problem.reads.len());
    for (id, (reader, mut reads)) in lists {
        reads.sort_by(|a, b| order::more_pressing(&problem.reads[*a], &problem.reads[*b], &problem.settings));
        let who = &problem.readers[reader];
        let mut starts_in_minutes = who.free_in_minutes();
        for (rank, read) in (1u32..).zip(reads) {
            let Some(explanation) = held.explain(pool, read) else { continue };
            let ends_in_minutes = starts_in_minutes + who.minutes_for(&problem.reads[read]);
            let moved_from = problem.reads[read].current.filter(|current| *current != id);
            let read = problem.reads[read].id;
            items.push(Item { read, reader: id, rank, starts_in_minutes, ends_in_minutes, moved_from, explanation });
            starts_in_minutes = ends_in_minutes;
        }
    }
    items
}

fn wait(pool: &Pool<'_>, held: &Held, read: usize, reason: WaitReason) -> Waiting {
    let mut excluded = pool.excluded[read].clone();
    for pair in &pool.pairs[read] {
        let reader = pair.reader as usize;
        if held.has_other_of_case(pool, read, reader) {
            let blocked = crate::constraints::Blocked::Separation;
            excluded.push(Excluded { reader: pool.problem.readers[reader].id, blocked });
        }
    }
    excluded.sort_by_key(|excluded| excluded.reader);
    let mut counts: BTreeMap<Rule, usize> = BTreeMap::new();
    for excluded in &excluded {
        *counts.entry(excluded.blocked.rule()).or_default() += 1;
    }
    let mut counts: Vec<(Rule, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(rule, count)| (std::cmp::Reverse(*count), *rule));
    Waiting { read: pool.problem.reads[read].id, reason, excluded, counts }
}

/// Reads that begin beyond their cap by this plan, worst first.
fn breaches(problem: &Problem, items: &[Item], waiting: &[Waiting]) -> Vec<WaitingCapBreach> {
    let placed: BTreeMap<i64, (Option<i64>, f64)> = items
        .iter()
        .map(|item| (item.read, (Some(item.reader), item.starts_in_minutes)))
        .chain(waiting.iter().map(|waiting| (waiting.read, (None, 0.0))))
        .collect();
    let mut breaches: Vec<WaitingCapBreach> = problem
        .reads
        .iter()
        .filter_map(|read| {
            let (reader, starts_in) = placed.get(&read.id)?;
            let cap = problem.settings.waiting_cap_minutes.of(read.priority);
            let minutes = read.waited_minutes + starts_in - cap;
            (minutes > 0.0).then_some(WaitingCapBreach { read: read.id, reader: *reader, minutes })
        })
        .collect();
    breaches.sort_by(|a, b| b.minutes.total_cmp(&a.minutes).then(a.read.cmp(&b.read)));
    breaches
}

fn certify(solved: &Solved) -> Vec<Certificate> {
    [(Level::Reach, REACH), (Level::Quality, QUALITY)]
        .into_iter()
        .map(|(level, at)| {
            let (value, bound) = (solved.value[at], solved.bound[at]);
            let apart = value - bound;
            // Below a billionth of a point or a step there is nothing but rounding.
            let gap = if apart <= 1e-9 { 0.0 } else { apart / value.abs().max(1e-9) };
            Certificate { level, value, bound, gap }
        })
        .collect()
}
