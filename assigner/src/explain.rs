//! Prices every offer for a read, the rest of a plan fixed.

use crate::constraints::Blocked;
use crate::model::{Bonds, Pool};
use crate::solve::model::{Pair, QUALITY, REACH};
use crate::{Excluded, Explanation, Offer, Terms};

/// Who holds which read, by index in the problem, and the loads that follow.
pub(crate) struct Held {
    /// For each read of the problem the reader's index.
    pub(crate) reader_of: Vec<Option<usize>>,
    loads: Vec<f64>,
}

impl Held {
    /// Counts the loads of an assignment. A reader who may not read what he holds does not carry it.
    pub(crate) fn new(pool: &Pool<'_>, reader_of: Vec<Option<usize>>) -> Self {
        let mut loads = vec![0.0; pool.model.meters.len()];
        for (pairs, reader) in pool.pairs.iter().zip(&reader_of) {
            if let Some(pair) = reader.and_then(|reader| pair_with(pairs, reader)) {
                for meter in pool.model.loaded_by(pair) {
                    loads[meter] += pair.minutes;
                }
            }
        }
        Self { reader_of, loads }
    }

    /// The terms of one read with one reader; `None` if a hard rule keeps them apart.
    fn terms(&self, pool: &Pool<'_>, read: usize, reader: usize, bonds: Bonds) -> Option<Terms> {
        let pair = pair_with(&pool.pairs[read], reader)?;
        let mut terms = pool.own_terms(&pool.problem.reads[read], reader, bonds);
        let here = self.reader_of[read] == Some(reader);
        let first = pool.model.meters_of[reader].start;
        for at in pool.model.loaded_by(pair) {
            let meter = &pool.model.meters[at];
            let without = if here { (self.loads[at] - pair.minutes).max(0.0) } else { self.loads[at] };
            let change = meter.cost(without + pair.minutes) - meter.cost(without);
            match (meter.level, at == first) {
                (REACH, _) => terms.waiting_cap_steps += change,
                (QUALITY, true) => terms.load += change,
                _ => terms.lateness += change,
            }
        }
        Some(terms)
    }

    /// One reader's offer for one read; `None` if a hard rule keeps them apart.
    pub(crate) fn offer(&self, pool: &Pool<'_>, read: usize, reader: usize) -> Option<Offer> {
        self.offer_given(pool, read, reader, pool.bonds(&pool.problem.reads[read], &pool.pairs[read]))
    }

    fn offer_given(&self, pool: &Pool<'_>, read: usize, reader: usize, bonds: Bonds) -> Option<Offer> {
        let who = &pool.problem.readers[reader];
        let skill = who.skills.effective(&pool.problem.reads[read]);
        Some(Offer { reader: who.id, skill, terms: self.terms(pool, read, reader, bonds)? })
    }

    /// Another read of the same case is with this reader.
    pub(crate) fn has_other_of_case(&self, pool: &Pool<'_>, read: usize, reader: usize) -> bool {
        let case = pool.problem.reads[read].case;
        pool.reads_of_case(case).any(|other| other != read && self.reader_of[other] == Some(reader))
    }

    /// Why a read is with its reader; `None` if it is with nobody who may read it.
    pub(crate) fn explain(&self, pool: &Pool<'_>, read: usize) -> Option<Explanation> {
        let winner = self.reader_of[read]?;
        let bonds = pool.bonds(&pool.problem.reads[read], &pool.pairs[read]);
        let mut excluded = pool.excluded[read].clone();
        let mut eligible = 0;
        let mut runner_up: Option<Offer> = None;
        for pair in &pool.pairs[read] {
            let reader = pair.reader as usize;
            if self.has_other_of_case(pool, read, reader) {
                excluded.push(Excluded { reader: pool.problem.readers[reader].id, blocked: Blocked::Separation });
                continue;
            }
            eligible += 1;
            if reader == winner {
                continue;
            }
            let Some(offer) = self.offer_given(pool, read, reader, bonds) else { continue };
            if runner_up.as_ref().is_none_or(|best| is_cheaper(&offer.terms, &best.terms)) {
                runner_up = Some(offer);
            }
        }
        excluded.sort_by_key(|excluded| excluded.reader);
        Some(Explanation {
            read: pool.problem.reads[read].id,
            winner: self.offer_given(pool, read, winner, bonds)?,
            runner_up,
            pinned: pool.problem.reads[read].pin.is_some(),
            eligible,
            excluded,
        })
    }
}

/// One cost is lower than another, the waiting cap first.
pub(crate) fn is_cheaper(a: &Terms, b: &Terms) -> bool {
    let by_cap = a.waiting_cap_steps - b.waiting_cap_steps;
    by_cap < -1e-9 || (by_cap <= 1e-9 && a.points() < b.points())
}

fn pair_with(pairs: &[Pair], reader: usize) -> Option<&Pair> {
    pairs.binary_search_by_key(&reader, |pair| pair.reader as usize).ok().map(|at| &pairs[at])
}
