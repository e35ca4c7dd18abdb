//! A feasible assignment with its loads and values, kept up to date move by move.

use std::sync::Arc;

use super::EPSILON;
#[cfg(test)]
use super::model::Meter;
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

/// The pair of a read that nobody has.
const NOBODY: u32 = u32::MAX;
/// Up to this many reads x readers the pair of a read with a reader stands in a table; above, it is searched for.
const TABLE_MOST: usize = 1 << 26;

/// An assignment of every read of a model to a pair or to nobody.
#[derive(Debug, Clone)]
pub(crate) struct State<'m> {
    pub(crate) model: &'m Model,
    tariff: Arc<Tariff>,
    seats: Arc<Seats>,
    chosen: Vec<u32>,
    loads: Vec<f64>,
    lists: Vec<Vec<u32>>,
    place: Vec<u32>,
    value: [f64; LEVELS],
}

impl<'m> State<'m> {
    /// Nobody has anything. Not feasible yet for reads that must not be left out.
    pub(crate) fn empty(model: &'m Model) -> Self {
        let tariff = Arc::new(Tariff::new(model));
        let seats = Arc::new(Seats::new(model));
        Self::with(model, tariff, seats)
    }

    /// Another empty assignment of the same model.
    pub(crate) fn emptied(&self) -> Self {
        Self::with(self.model, self.tariff.clone(), self.seats.clone())
    }

    fn with(model: &'m Model, tariff: Arc<Tariff>, seats: Arc<Seats>) -> Self {
        let mut state = Self {
            model,
            tariff,
            seats,
            chosen: vec![NOBODY; model.reads.len()],
            loads: vec![0.0; model.meters.len()],
            lists: vec![Vec::new(); model.meters_of.len()],
            place: vec![0; model.reads.len()],
            value: [0.0; LEVELS],
        };
        state.refresh();
        state
    }

    /// For each read the index of its pair.
    pub(crate) fn chosen(&self) -> Vec<Option<usize>> {
        self.chosen.iter().map(|&at| (at != NOBODY).then_some(at as usize)).collect()
    }

    /// Remembers the assignment in `kept`, without making room anew.
    pub(crate) fn keep(&self, kept: &mut Vec<u32>) {
        kept.clone_from(&self.chosen);
    }

    /// Takes up a whole assignment that was kept.
    pub(crate) fn restore(&mut self, kept: &[u32]) {
        self.chosen.copy_from_slice(kept);
        self.lists.iter_mut().for_each(Vec::clear);
        for read in 0..kept.len() {
            if let Some(pair) = self.pair_of(read) {
                let list = &mut self.lists[pair.reader as usize];
                self.place[read] = list.len() as u32;
                list.push(read as u32);
            }
        }
        self.refresh();
    }

    #[inline]
    pub(crate) fn pair_of(&self, read: usize) -> Option<&'m Pair> {
        self.model.reads[read].pairs.get(self.chosen[read] as usize)
    }

    pub(crate) fn loads(&self) -> &[f64] {
        &self.loads
    }

    #[inline]
    pub(crate) fn list(&self, reader: u32) -> &[u32] {
        &self.lists[reader as usize]
    }

    /// The value of each level.
    #[inline]
    pub(crate) fn value(&self) -> [f64; LEVELS] {
        self.value
    }

    /// The index of the pair of a read with a reader.
    #[inline]
    pub(crate) fn pair_with(&self, read: usize, reader: u32) -> Option<usize> {
        self.seats.of(self.model, read, reader)
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
    #[inline]
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
            let (before, after) = (self.loads[at], (self.loads[at] - on(out) + on(come)).max(0.0));
            delta.0[self.tariff.level(at)] += self.tariff.cost(at, after) - self.tariff.cost(at, before);
        }
    }

    #[inline]
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
    #[inline]
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
    #[inline]
    pub(crate) fn shift(&self, read: usize, to: Option<usize>) -> Delta {
        let (leave, mut delta) = (self.leave(read), self.come(read, to));
        delta.add(leave.0, 1.0);
        delta
    }

    /// The change of value if `one` takes the place of `other`, which goes to its pair `to`, of whichever
    /// reader but its present one, or is left out: a swap if that is the reader of `one`, else a chain. With it the
    /// pair of `one`. `None` if that may not be.
    #[inline]
    pub(crate) fn displace(&self, one: usize, other: usize, to: Option<usize>) -> Option<(Delta, usize)> {
        let (here, there) = (self.pair_of(one), self.pair_of(other)?);
        let onward = to.map(|to| &self.model.reads[other].pairs[to]);
        let at = self.pair_with(one, there.reader)?;
        let may_go = |pair: &Pair| pair.reader != there.reader && self.is_apart(other, pair.reader, Some(one));
        if !onward.is_none_or(may_go) || !self.is_apart(one, there.reader, Some(other)) {
            return None;
        }
        let arrives = &self.model.reads[one].pairs[at];
        let mut delta = Delta::default();
        delta.add(there.cost, -1.0);
        delta.add(arrives.cost, 1.0);
        match onward {
            Some(pair) => delta.add(pair.cost, 1.0),
            None => delta.add(self.model.reads[other].drop?, 1.0),
        }
        match here {
            Some(pair) => delta.add(pair.cost, -1.0),
            None => delta.add(self.model.reads[one].drop.unwrap_or_default(), -1.0),
        }
        self.meters_change(there.reader, Some(there), Some(arrives), &mut delta);
        match (here, onward) {
            (Some(pair), Some(onward)) if pair.reader == onward.reader => {
                self.meters_change(pair.reader, Some(pair), Some(onward), &mut delta);
            }
            _ => {
                if let Some(pair) = here {
                    self.meters_change(pair.reader, Some(pair), None, &mut delta);
                }
                if let Some(onward) = onward {
                    self.meters_change(onward.reader, None, Some(onward), &mut delta);
                }
            }
        }
        Some((delta, at))
    }

    /// Moves a read and keeps loads and values up to date, given the change that `shift` or `displace` named.
    #[inline]
    pub(crate) fn put(&mut self, read: usize, to: Option<usize>, delta: Delta) {
        if let Some(pair) = self.pair_of(read) {
            for meter in self.model.loaded_by(pair) {
                self.loads[meter] -= pair.minutes;
            }
            let list = &mut self.lists[pair.reader as usize];
            let place = self.place[read];
            list.swap_remove(place as usize);
            if let Some(&moved) = list.get(place as usize) {
                self.place[moved as usize] = place;
            }
        }
        self.chosen[read] = to.map_or(NOBODY, |at| at as u32);
        if let Some(pair) = self.pair_of(read) {
            for meter in self.model.loaded_by(pair) {
                self.loads[meter] += pair.minutes;
            }
            let list = &mut self.lists[pair.reader as usize];
            self.place[read] = list.len() as u32;
            list.push(read as u32);
        }
        self.value[REACH] += delta.0[REACH];
        self.value[QUALITY] += delta.0[QUALITY];
    }
}

/// The meters' prices side by side in memory: a convex price is the highest of its steps' lines.
#[derive(Debug)]
struct Tariff {
    lines: Vec<(f64, f64)>,
    meters: Vec<Row>,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    first: u32,
    end: u32,
    level: u32,
    /// No more than this may come on it.
    most: f64,
}

impl Tariff {
    fn new(model: &Model) -> Self {
        let mut tariff = Self { lines: Vec::new(), meters: Vec::with_capacity(model.meters.len()) };
        for meter in &model.meters {
            let first = tariff.lines.len() as u32;
            let mut most = f64::INFINITY;
            for knot in &meter.knots {
                match knot.price.is_finite() {
                    true => tariff.lines.push((knot.cost - knot.price * knot.start, knot.price)),
                    false => most = knot.start + EPSILON,
                }
            }
            let end = tariff.lines.len() as u32;
            tariff.meters.push(Row { first, end, level: meter.level as u32, most });
        }
        tariff
    }

    #[inline]
    fn level(&self, meter: usize) -> usize {
        self.meters[meter].level as usize
    }

    #[inline]
    fn cost(&self, meter: usize, load: f64) -> f64 {
        let row = &self.meters[meter];
        if load > row.most {
            return f64::INFINITY;
        }
        let mut cost = 0.0f64;
        for (at_nothing, price) in &self.lines[row.first as usize..row.end as usize] {
            cost = cost.max(at_nothing + price * load);
        }
        cost
    }
}

/// Which pair a read has with a reader.
#[derive(Debug)]
struct Seats {
    /// By read, then reader: the pair's index and one, 0 for none. Empty if it would be too large.
    table: Vec<u8>,
    readers: usize,
}

impl Seats {
    fn new(model: &Model) -> Self {
        let readers = model.meters_of.len();
        let fits = model.reads.len() * readers <= TABLE_MOST && model.reads.iter().all(|read| read.pairs.len() < 255);
        let mut table = vec![0; if fits { model.reads.len() * readers } else { 0 }];
        if fits {
            for (read, choices) in model.reads.iter().enumerate() {
                for (at, pair) in choices.pairs.iter().enumerate() {
                    table[read * readers + pair.reader as usize] = at as u8 + 1;
                }
            }
        }
        Self { table, readers }
    }

    #[inline]
    fn of(&self, model: &Model, read: usize, reader: u32) -> Option<usize> {
        match self.table.get(read * self.readers + reader as usize) {
            Some(0) => None,
            Some(at) => Some(usize::from(*at) - 1),
            None => model.reads[read].pair_with(reader),
        }
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn the_highest_line_is_the_meters_price() {
        let mut model = Model::default();
        model.meters.push(Meter::new(QUALITY, 3.0, &[(10.0, 0.0), (10.0, 0.5)], 2.0));
        model.meters.push(Meter::new(REACH, 0.0, &[(4.0, 1.0)], f64::INFINITY));
        let tariff = Tariff::new(&model);
        for tenth in 0..400 {
            let load = f64::from(tenth) / 10.0;
            for (at, meter) in model.meters.iter().enumerate() {
                let (one, other) = (tariff.cost(at, load), meter.cost(load));
                assert!((one - other).abs() < 1e-9 || one == other, "meter {at}, load {load}: {one} and {other}");
            }
        }
    }
}
