//! The written model: reads choose among pairs, pairs load meters.
//!
//! ```text
//! minimise, level by level,
//!     sum cost[level] * x  +  sum drop[level] * u  +  sum over meters of the level of price(load)
//! subject to
//!     sum over the pairs of a read x + u = 1            each read once (u only where leaving out is allowed)
//!     load of a meter = sum of minutes * x              over the pairs whose mask names the meter
//!     sum over a group, for one reader, x <= 1          reads of one case go apart
//!     x, u binary
//! ```
//! A *meter* counts minutes of one reader (all his work, or his work due before
//! a horizon) and prices them by a convex piecewise-linear function, so the
//! relaxation stays linear. Work fixed beforehand stands in the meter's first knot.

use std::ops::Range;

/// How many soft levels there are.
pub(crate) const LEVELS: usize = 2;
/// The index of the reach level.
pub(crate) const REACH: usize = 0;
/// The index of the quality level.
pub(crate) const QUALITY: usize = 1;

/// The whole model.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    /// Reads in the order in which greedy takes them.
    pub(crate) reads: Vec<Choices>,
    /// All meters, those of one reader side by side.
    pub(crate) meters: Vec<Meter>,
    /// The meters of each reader, at most 16.
    pub(crate) meters_of: Vec<Range<usize>>,
    /// Groups of reads that need different readers.
    pub(crate) apart: Vec<Vec<usize>>,
}

/// What one read may choose.
#[derive(Debug, Clone, Default)]
pub(crate) struct Choices {
    /// Eligible readers, by reader.
    pub(crate) pairs: Vec<Pair>,
    /// What leaving it out costs; `None` where that is not allowed.
    pub(crate) drop: Option<[f64; LEVELS]>,
    /// Its group in `Model::apart`.
    pub(crate) apart: Option<usize>,
}

/// One read with one eligible reader.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pair {
    /// Index of the reader.
    pub(crate) reader: u32,
    /// Bit k: the minutes count on the reader's k-th meter.
    pub(crate) mask: u16,
    /// Minutes that this reader needs.
    pub(crate) minutes: f64,
    /// Cost on each level, meters apart.
    pub(crate) cost: [f64; LEVELS],
}

/// A convex price of one reader's minutes on one level.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    /// Which level pays.
    pub(crate) level: usize,
    /// The knots, from load 0; the last one is open-ended, at an infinite price if no more is allowed.
    pub(crate) knots: Vec<Knot>,
}

/// From `start` minutes on, a minute costs `price`; up to there `cost` was paid.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Knot {
    pub(crate) start: f64,
    pub(crate) price: f64,
    pub(crate) cost: f64,
}

impl Meter {
    /// A meter with steps `(width, price)`, then `beyond` (infinite: forbidden), on which `base` minutes lie already.
    pub(crate) fn new(level: usize, base: f64, steps: &[(f64, f64)], beyond: f64) -> Self {
        let mut knots: Vec<Knot> = Vec::with_capacity(steps.len() + 1);
        let (mut start, mut cost, mut base) = (0.0, 0.0, base);
        for &(width, price) in steps {
            let left = (width - base).max(0.0);
            base = (base - width).max(0.0);
            if left > 0.0 {
                knots.push(Knot { start, price, cost });
                start += left;
                cost += left * price;
            }
        }
        knots.push(Knot { start, price: beyond, cost });
        Self { level, knots }
    }

    /// The price of a load, 0 for load 0.
    #[inline]
    pub(crate) fn cost(&self, load: f64) -> f64 {
        let mut knot = &self.knots[0];
        for next in &self.knots[1..] {
            if load <= next.start {
                break;
            }
            knot = next;
        }
        let over = load - knot.start;
        // An infinite price forbids more than rounding beyond its knot.
        if over <= super::EPSILON && knot.price.is_infinite() { knot.cost } else { knot.cost + knot.price * over }
    }

    /// The steps from a given load on, as `(width, price)`; the last width is infinite unless forbidden.
    pub(crate) fn steps_from(&self, load: f64) -> impl Iterator<Item = (f64, f64)> + '_ {
        let ends = self.knots.iter().skip(1).map(|knot| knot.start).chain(std::iter::once(f64::INFINITY));
        self.knots.iter().zip(ends).filter_map(move |(knot, end)| {
            let width = end - knot.start.max(load);
            (width > 0.0 && knot.price.is_finite()).then_some((width, knot.price))
        })
    }

    /// It can never cost anything, whatever comes on it up to `most` minutes.
    pub(crate) fn is_idle(&self, most: f64) -> bool {
        self.cost(most) <= 0.0
    }
}

impl Choices {
    /// The index of the pair with a reader.
    pub(crate) fn pair_with(&self, reader: u32) -> Option<usize> {
        self.pairs.binary_search_by_key(&reader, |pair| pair.reader).ok()
    }
}

impl Model {
    /// The meters a pair loads.
    #[inline]
    pub(crate) fn loaded_by(&self, pair: &Pair) -> impl Iterator<Item = usize> + use<> {
        let first = self.meters_of[pair.reader as usize].start;
        let mut mask = pair.mask;
        std::iter::from_fn(move || {
            (mask != 0).then(|| {
                let bit = mask.trailing_zeros() as usize;
                mask &= mask - 1;
                first + bit
            })
        })
    }

    /// Something can cost on this level.
    pub(crate) fn has_level(&self, level: usize) -> bool {
        self.meters.iter().any(|meter| meter.level == level)
            || self.reads.iter().any(|read| {
                read.drop.is_some_and(|drop| drop[level] != 0.0)
                    || read.pairs.iter().any(|pair| pair.cost[level] != 0.0)
            })
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_meter_prices_minutes_on_top_of_what_lies_there() {
        let meter = Meter::new(QUALITY, 15.0, &[(10.0, 0.0), (10.0, 1.0)], 3.0);
        assert_eq!(meter.cost(0.0), 0.0);
        assert_eq!(meter.cost(5.0), 5.0);
        assert_eq!(meter.cost(7.0), 11.0);
        assert_eq!(meter.steps_from(2.0).collect::<Vec<_>>(), [(3.0, 1.0), (f64::INFINITY, 3.0)]);
    }

    #[test]
    fn an_infinite_price_forbids_more() {
        let meter = Meter::new(QUALITY, 0.0, &[(10.0, 1.0)], f64::INFINITY);
        assert_eq!(meter.cost(10.0), 10.0);
        assert_eq!(meter.cost(10.1), f64::INFINITY);
        assert_eq!(meter.steps_from(4.0).collect::<Vec<_>>(), [(6.0, 1.0)]);
    }
}
