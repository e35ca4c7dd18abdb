//! A feasible assignment with its loads and values, kept up to date move by move.

use super::EPSILON;
use super::model::{LEVELS, Model, Pair, QUALITY, REACH};

/// A difference on both levels; the reach level decides first.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Delta(pub(crate) [f64; LEVELS]);

impl Delta {
    /// It makes a plan better.
    #[inline]
    pub(crate) fn improves(self) -> bool {
        self.0[REACH] < -EPSILON || (self.0[REACH] <= EPSILON && self.0[QUALITY] < -EPSILON)
    }

    /// It is lower than another, levels in order.
    #[inline]
    pub(crate) fn below(self, other: Self) -> bool {
        Self([self.0[0] - other.0[0], self.0[1] - other.0[1]]).improves()
    }

    fn add(&mut self, cost: [f64; LEVELS], sign: f64) {
        self.0[REACH] += sign * cost[REACH];
        self.0[QUALITY] += sign * cost[QUALITY];
    }
}

/// An assignment of every read of a model to a pair or to nobody.
#[derive(Debug, Clone)]
pub(crate) struct State<'m> {
    pub(crate) model: &'m Model,
    chosen: Vec<Option<usize>>,
    loads: Vec<f64>,
    lists: Vec<Vec<usize>>,
    place: Vec<usize>,
    value: [f64; LEVELS],
}

impl<'m> State<'m> {
    /// Nobody has anything. Not feasible yet for reads that must not be left out.
    pub(crate) fn empty(model: &'m Model) -> Self {
        let mut state = Self {
            model,
            chosen: vec![None; model.reads.len()],
            loads: vec![0.0; model.meters.len()],
            lists: vec![Vec::new(); model.meters_of.len()],
            place: vec![0; model.reads.len()],
            value: [0.0; LEVELS],
        };
        state.refresh();
        state
    }

    /// For each read the index of its pair.
    pub(crate) fn chosen(&self) -> &[Option<usize>] {
        &self.chosen
    }

    /// Takes up a whole assignment that was feasible before.
    pub(crate) fn restore(&mut self, chosen: &[Option<usize>]) {
        self.chosen.copy_from_slice(chosen);
        self.lists.iter_mut().for_each(Vec::clear);
        for read in 0..chosen.len() {
            if let Some(pair) = self.pair_of(read) {
                let list = &mut self.lists[pair.reader as usize];
                self.place[read] = list.len();
                list.push(read);
            }
        }
        self.refresh();
    }

    pub(crate) fn pair_of(&self, read: usize) -> Option<&'m Pair> {
        self.chosen[read].map(|at| &self.model.reads[read].pairs[at])
    }

    pub(crate) fn loads(&self) -> &[f64] {
        &self.loads
    }

    pub(crate) fn list(&self, reader: u32) -> &[usize] {
        &self.lists[reader as usize]
    }

    /// The value of each level.
    pub(crate) fn value(&self) -> [f64; LEVELS] {
        self.value
    }

    /// Counts loads and values afresh, so that rounding does not add up.
    pub(crate) fn refresh(&mut self) {
        self.loads.fill(0.0);
        let mut value = Delta::default();
        for (read, choices) in self.model.reads.iter().enumerate() {
            match self.pair_of(read) {
                Some(pair) => {
                    for meter in self.model.loaded_by(pair) {
                        self.loads[meter] += pair.minutes;
                    }
                    value.add(pair.cost, 1.0);
                }
                None => value.add(choices.drop.unwrap_or_default(), 1.0),
            }
        }
        for (meter, load) in self.model.meters.iter().zip(&self.loads) {
            value.0[meter.level] += meter.cost(*load);
        }
        self.value = value.0;
    }

    /// No other read of its group is with this reader, `besides` apart.
    pub(crate) fn is_apart(&self, read: usize, reader: u32, besides: Option<usize>) -> bool {
        let Some(group) = self.model.reads[read].apart else { return true };
        self.model.apart[group].iter().all(|&other| {
            other == read || Some(other) == besides || self.pair_of(other).is_none_or(|pair| pair.reader != reader)
        })
    }

    /// What the meters of one reader change by when `out` leaves and `come` arrives.
    #[inline]
    fn meters_change(&self, reader: u32, out: Option<&Pair>, come: Option<&Pair>, delta: &mut Delta) {
        let mut mask = out.map_or(0, |pair| pair.mask) | come.map_or(0, |pair| pair.mask);
        let first = self.model.meters_of[reader as usize].start;
        while mask != 0 {
            let bit = mask.trailing_zeros();
            mask &= mask - 1;
            let at = first + bit as usize;
            let on =
                |pair: Option<&Pair>| pair.filter(|pair| pair.mask >> bit & 1 == 1).map_or(0.0, |pair| pair.minutes);
            let meter = &self.model.meters[at];
            let (before, after) = (self.loads[at], (self.loads[at] - on(out) + on(come)).max(0.0));
            delta.0[meter.level] += meter.cost(after) - meter.cost(before);
        }
    }

    fn leave(&self, read: usize) -> Delta {
        let mut delta = Delta::default();
        match self.pair_of(read) {
            Some(pair) => {
                delta.add(pair.cost, -1.0);
                self.meters_change(pair.reader, Some(pair), None, &mut delta);
            }
            None => delta.add(self.model.reads[read].drop.unwrap_or_default(), -1.0),
        }
        delta
    }

    /// What a read costs if it comes to a pair of another reader than its present one, others as they are.
    pub(crate) fn come(&self, read: usize, to: Option<usize>) -> Delta {
        let choices = &self.model.reads[read];
        let mut delta = Delta::default();
        match to {
            Some(at) => {
                let pair = &choices.pairs[at];
                delta.add(pair.cost, 1.0);
                self.meters_change(pair.reader, None, Some(pair), &mut delta);
            }
            None => delta.add(choices.drop.unwrap_or_default(), 1.0),
        }
        delta
    }

    /// The change of value if a read moves; `to` is of another reader, or `None` for nobody.
    pub(crate) fn shift(&self, read: usize, to: Option<usize>) -> Delta {
        let (leave, mut delta) = (self.leave(read), self.come(read, to));
        delta.add(leave.0, 1.0);
        delta
    }

    /// The change of value if two reads of different readers change places, and the pairs they would take.
    pub(crate) fn swap(&self, one: usize, other: usize) -> Option<(Delta, usize, usize)> {
        let (a, b) = (self.pair_of(one)?, self.pair_of(other)?);
        let to_b = self.model.reads[one].pair_with(b.reader)?;
        let to_a = self.model.reads[other].pair_with(a.reader)?;
        if !self.is_apart(one, b.reader, Some(other)) || !self.is_apart(other, a.reader, Some(one)) {
            return None;
        }
        let (one_at_b, other_at_a) = (&self.model.reads[one].pairs[to_b], &self.model.reads[other].pairs[to_a]);
        let mut delta = Delta::default();
        delta.add(a.cost, -1.0);
        delta.add(b.cost, -1.0);
        delta.add(one_at_b.cost, 1.0);
        delta.add(other_at_a.cost, 1.0);
        self.meters_change(a.reader, Some(a), Some(other_at_a), &mut delta);
        self.meters_change(b.reader, Some(b), Some(one_at_b), &mut delta);
        Some((delta, to_b, to_a))
    }

    /// Moves a read and keeps loads and values up to date, given the change that `shift` or `swap` named.
    pub(crate) fn put(&mut self, read: usize, to: Option<usize>, delta: Delta) {
        if let Some(pair) = self.pair_of(read) {
            for meter in self.model.loaded_by(pair) {
                self.loads[meter] -= pair.minutes;
            }
            let list = &mut self.lists[pair.reader as usize];
            list.swap_remove(self.place[read]);
            if let Some(&moved) = list.get(self.place[read]) {
                self.place[moved] = self.place[read];
            }
        }
        self.chosen[read] = to;
        if let Some(pair) = self.pair_of(read) {
            for meter in self.model.loaded_by(pair) {
                self.loads[meter] += pair.minutes;
            }
            let list = &mut self.lists[pair.reader as usize];
            self.place[read] = list.len();
            list.push(read);
        }
        self.value[REACH] += delta.0[REACH];
        self.value[QUALITY] += delta.0[QUALITY];
    }
}
