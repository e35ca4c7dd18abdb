//! Writes a problem as the model that `solve` solves: who may read what, and what that costs.
//!
//! Formulae are in the README of this room, under "The model".

use std::collections::{BTreeMap, HashMap};

use crate::constraints::first_blocked;
use crate::solve::model::{Choices, LEVELS, Meter, Model, Pair, QUALITY, REACH};
use crate::{CaseId, Excluded, Problem, Read, Reader, ReaderId, Settings, Terms, WaitReason, order};

/// Steps beyond the cap that leaving a read out counts for, times its importance: more than any queue.
const LEFT_OUT_STEPS: f64 = 1e5;
/// The bit of a reader's load meter, which he always has.
const LOAD: u16 = 1;

/// A problem with its model. Reads and readers are meant by their index in the problem.
pub(crate) struct Pool<'p> {
    pub(crate) problem: &'p Problem,
    pub(crate) model: Model,
    /// For each read of the model its index in the problem.
    pub(crate) planned: Vec<usize>,
    /// Reads that nobody can have, and why.
    pub(crate) waiting: Vec<(usize, WaitReason)>,
    /// For each read of the problem everyone who may read it, pins apart.
    pub(crate) pairs: Vec<Vec<Pair>>,
    /// For each read of the problem everyone who may not.
    pub(crate) excluded: Vec<Vec<Excluded>>,
    reader_at: HashMap<ReaderId, usize>,
    of_case: HashMap<CaseId, Vec<usize>>,
}

impl<'p> Pool<'p> {
    /// Writes a problem that was checked.
    pub(crate) fn new(problem: &'p Problem) -> Self {
        let reader_at = problem.readers.iter().enumerate().map(|(at, reader)| (reader.id, at)).collect();
        let mut pool = Self {
            problem,
            model: Model::default(),
            planned: Vec::new(),
            waiting: Vec::new(),
            pairs: Vec::new(),
            excluded: Vec::new(),
            reader_at,
            of_case: HashMap::new(),
        };
        for (at, read) in problem.reads.iter().enumerate() {
            pool.of_case.entry(read.case).or_default().push(at);
            let (pairs, excluded) = pool.eligible(read);
            pool.pairs.push(pairs);
            pool.excluded.push(excluded);
        }
        pool.write_meters();
        pool.write_reads();
        pool
    }

    /// The index of a reader.
    pub(crate) fn reader_at(&self, id: ReaderId) -> Option<usize> {
        self.reader_at.get(&id).copied()
    }

    /// The reads of one case.
    pub(crate) fn reads_of_case(&self, case: CaseId) -> impl Iterator<Item = usize> + '_ {
        self.of_case.get(&case).into_iter().flatten().copied()
    }

    fn eligible(&self, read: &Read) -> (Vec<Pair>, Vec<Excluded>) {
        let settings = &self.problem.settings;
        let (mut pairs, mut excluded) = (Vec::new(), Vec::new());
        for (at, reader) in (0u32..).zip(&self.problem.readers) {
            match first_blocked(read, reader, settings) {
                Some(blocked) => excluded.push(Excluded { reader: reader.id, blocked }),
                None => {
                    let minutes = reader.minutes_for(read);
                    pairs.push(Pair { reader: at, mask: LOAD, minutes, cost: [0.0; LEVELS] });
                }
            }
        }
        excluded.sort_by_key(|excluded| excluded.reader);
        let bonds = self.bonds(read, &pairs);
        for pair in &mut pairs {
            let terms = self.own_terms(read, pair.reader as usize, bonds);
            pair.cost[REACH] = terms.waiting_cap_steps;
            pair.cost[QUALITY] = terms.points();
        }
        (pairs, excluded)
    }

    /// Whether someone who may read it has it now, or knows the patient.
    pub(crate) fn bonds(&self, read: &Read, pairs: &[Pair]) -> Bonds {
        let mut may_read = pairs.iter().map(|pair| &self.problem.readers[pair.reader as usize]);
        Bonds {
            published: read.current.is_some_and(|current| may_read.clone().any(|reader| reader.id == current)),
            known: read.patient.is_some_and(|patient| may_read.any(|reader| reader.knows_patients.contains(&patient))),
        }
    }

    /// The terms that do not depend on what else a reader has.
    pub(crate) fn own_terms(&self, read: &Read, reader_at: usize, bonds: Bonds) -> Terms {
        let settings = &self.problem.settings;
        let reader = &self.problem.readers[reader_at];
        let importance = importance(read, settings);
        let beyond_cap = reader.free_in_minutes() - cap_left(read, settings);
        let late = reader.free_in_minutes() + reader.minutes_for(read) - read.due_in_minutes.max(0.0);
        let moves = bonds.published && read.current != Some(reader.id);
        let stranger = bonds.known && read.patient.is_some_and(|patient| !reader.knows_patients.contains(&patient));
        Terms {
            waiting_cap_steps: (beyond_cap.max(0.0) / settings.waiting_cap_step_minutes).floor(),
            lateness: settings.late_price_per_minute * importance * late.max(0.0),
            skill: settings.skill_price * importance * (100.0 - reader.skills.effective(read)) / 10.0,
            load: 0.0,
            churn: if moves { settings.churn_price } else { 0.0 },
            continuity: if stranger { settings.continuity_price } else { 0.0 },
        }
    }

    /// One meter of all work for each reader; and, where work before a horizon may not fit, one for each
    /// horizon and level. Sets the pairs' masks.
    fn write_meters(&mut self) {
        let settings = &self.problem.settings;
        let horizons = [
            (QUALITY, settings.overdue_work_price_per_minute, Read::due_from_now as fn(&Read, &Settings) -> f64),
            (REACH, 1.0 / settings.waiting_cap_step_minutes, cap_left),
        ]
        .into_iter()
        .flat_map(|kind| settings.horizons_minutes.iter().map(move |edge| (kind, *edge)));
        let horizons: Vec<_> = horizons.collect();
        let mut most = vec![vec![0.0; horizons.len()]; self.problem.readers.len()];
        let counts = |read: &Read| -> Vec<bool> {
            horizons.iter().map(|((_, _, until), edge)| until(read, settings) <= *edge).collect()
        };
        for (read, pairs) in self.problem.reads.iter().zip(&self.pairs) {
            let counts = counts(read);
            for pair in pairs {
                for (most, _) in most[pair.reader as usize].iter_mut().zip(&counts).filter(|(_, counts)| **counts) {
                    *most += pair.minutes;
                }
            }
        }
        let mut bits = vec![vec![None; horizons.len()]; self.problem.readers.len()];
        for (at, reader) in self.problem.readers.iter().enumerate() {
            let first = self.model.meters.len();
            self.model.meters.push(load_meter(reader, settings));
            for (i, ((level, price, _), edge)) in horizons.iter().enumerate() {
                let room = (edge - reader.free_in_minutes()).max(0.0);
                if most[at][i] > room && *price > 0.0 {
                    bits[at][i] = Some(self.model.meters.len() - first);
                    self.model.meters.push(Meter::new(*level, 0.0, &[(room, 0.0)], *price));
                }
            }
            self.model.meters_of.push(first..self.model.meters.len());
        }
        for (read, pairs) in self.problem.reads.iter().zip(&mut self.pairs) {
            let counts = counts(read);
            for pair in pairs {
                for (bit, _) in bits[pair.reader as usize].iter().zip(&counts).filter(|(_, counts)| **counts) {
                    pair.mask |= bit.map_or(0, |bit| 1 << bit);
                }
            }
        }
    }

    /// The reads that someone can have, the most pressing first, and the groups that go apart.
    fn write_reads(&mut self) {
        let reads = &self.problem.reads;
        let mut order: Vec<usize> = (0..reads.len()).collect();
        order.sort_by(|a, b| order::more_pressing(&reads[*a], &reads[*b], &self.problem.settings));
        let mut by_case: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for at in order {
            match self.takers(at) {
                Ok(pairs) => {
                    by_case.entry(reads[at].case).or_default().push(self.planned.len());
                    self.planned.push(at);
                    self.model.reads.push(Choices { pairs, drop: None, apart: None });
                }
                Err(reason) => self.waiting.push((at, reason)),
            }
        }
        for group in by_case.into_values().filter(|group| group.len() > 1) {
            for &i in &group {
                let importance = importance(&reads[self.planned[i]], &self.problem.settings);
                self.model.reads[i].apart = Some(self.model.apart.len());
                self.model.reads[i].drop = Some([LEFT_OUT_STEPS * (1.0 + importance), 0.0]);
            }
            self.model.apart.push(group);
        }
    }

    /// The pairs among which a plan may choose: all, or the pin's.
    fn takers(&self, at: usize) -> Result<Vec<Pair>, WaitReason> {
        let read = &self.problem.reads[at];
        let Some(pin) = read.pin else {
            return match (self.problem.readers.is_empty(), self.pairs[at].is_empty()) {
                (true, _) => Err(WaitReason::NoReader),
                (_, true) => Err(WaitReason::NobodyEligible),
                _ => Ok(self.pairs[at].clone()),
            };
        };
        let index = self.reader_at(pin).ok_or(WaitReason::PinUnknown { reader: pin })?;
        if let Some(excluded) = self.excluded[at].iter().find(|excluded| excluded.reader == pin) {
            return Err(WaitReason::PinBlocked { reader: pin, blocked: excluded.blocked });
        }
        Ok(self.pairs[at].iter().filter(|pair| pair.reader as usize == index).copied().collect())
    }
}

/// What ties a read to readers who may read it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bonds {
    /// The reader it is published to may still read it.
    published: bool,
    /// Someone who knows the patient may read it.
    known: bool,
}

impl Read {
    fn due_from_now(&self, _: &Settings) -> f64 {
        self.due_in_minutes.max(0.0)
    }
}

/// What a read weighs in lateness and skill.
fn importance(read: &Read, settings: &Settings) -> f64 {
    settings.weight.of(read.priority) * (1.0 + settings.urgency_weight * read.urgency)
}

/// Minutes until a read must be begun to stay within its waiting cap, 0 if that is past.
fn cap_left(read: &Read, settings: &Settings) -> f64 {
    (settings.waiting_cap_minutes.of(read.priority) - read.waited_minutes).max(0.0)
}

fn load_meter(reader: &Reader, settings: &Settings) -> Meter {
    let steps: Vec<(f64, f64)> =
        settings.load_steps.iter().map(|step| (step.share * reader.capacity_minutes, step.price)).collect();
    Meter::new(QUALITY, reader.done_minutes + reader.busy_minutes, &steps, settings.overload_price_per_minute)
}
