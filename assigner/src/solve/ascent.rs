//! Prices of minutes by ascent of the Lagrangian dual: a bound without a linear solver, for models too large for one.
//!
//! The dual of a level is a sum of each read's cheapest pair at the prices (concave, with corners) less what each
//! meter earns at them (separable). The corners are rounded by a soft minimum of width `tau` (Nesterov, *Smooth
//! minimization of non-smooth functions*, Math. Program. 103, 2005), the meters' part is exact through its proximal
//! map, and the sum is climbed by accelerated proximal steps with restarts (Beck and Teboulle, *FISTA*, SIAM J.
//! Imaging Sci. 2, 2009; O'Donoghue and Candès, *Adaptive restart*, 2015), each price in its own measure. `tau` is
//! halved from stage to stage. Any prices give a bound, so nothing here needs to be exact.

use super::model::{Model, QUALITY, REACH};

/// Stages, each at half the width of the one before.
const STAGES: u32 = 8;
/// The width of the first stage, as a share of what a read costs.
const FIRST_WIDTH: f64 = 0.7;
/// Beyond this many widths a pair has no share.
const NO_SHARE: f64 = 20.0;
/// Steps between two looks at the true dual.
const STEPS_BETWEEN_LOOKS: u32 = 5;
/// Steps between two measurements of the curvature.
const STEPS_BETWEEN_MEASURES: u32 = 10;

/// One level of a model over some of its pairs, costs and minutes side by side.
pub(super) struct Flat {
    /// By read: where its pairs begin; one more at the end.
    reads: Vec<u32>,
    /// By read: what leaving it out costs; infinite if it must not be.
    leave: Vec<f64>,
    cost: Vec<f64>,
    minutes: Vec<f64>,
    /// By pair: where its meters begin in `on`; one more at the end.
    pairs: Vec<u32>,
    /// Indices into `meters`.
    on: Vec<u32>,
    meters: Vec<Tap>,
}

/// A meter that can cost something.
struct Tap {
    /// Its index in the model.
    meter: usize,
    /// `(width, price)`, prices rising; the last width may be infinite.
    steps: Vec<(f64, f64)>,
}

impl Flat {
    /// The level's costs, or with `reach` the quality level's with the reach level's at that price.
    pub(super) fn new(model: &Model, active: &[Vec<usize>], level: usize, reach: f64) -> Self {
        let weight = |of: usize| match (of == level, of) {
            (true, _) => 1.0,
            (false, REACH) if level == QUALITY => reach,
            _ => 0.0,
        };
        let pays = |cost: [f64; 2]| weight(REACH) * cost[REACH] + weight(QUALITY) * cost[QUALITY];
        let mut most = vec![0.0; model.meters.len()];
        for (read, active) in active.iter().enumerate() {
            for pair in active.iter().map(|&at| &model.reads[read].pairs[at]) {
                model.loaded_by(pair).for_each(|meter| most[meter] += pair.minutes);
            }
        }
        let mut tap_of = vec![u32::MAX; model.meters.len()];
        let mut meters: Vec<Tap> = Vec::new();
        for (at, meter) in model.meters.iter().enumerate() {
            let weight = weight(meter.level);
            let forbids = meter.knots.last().is_some_and(|knot| knot.price.is_infinite());
            if (weight > 0.0 && !meter.is_idle(most[at])) || forbids {
                tap_of[at] = meters.len() as u32;
                let steps = meter.steps_from(0.0).map(|(width, price)| (width, weight * price)).collect();
                meters.push(Tap { meter: at, steps });
            }
        }
        let mut flat = Self {
            reads: vec![0],
            leave: Vec::with_capacity(model.reads.len()),
            cost: Vec::new(),
            minutes: Vec::new(),
            pairs: vec![0],
            on: Vec::new(),
            meters,
        };
        for (read, active) in active.iter().enumerate() {
            let choices = &model.reads[read];
            for pair in active.iter().map(|&at| &choices.pairs[at]) {
                flat.cost.push(pays(pair.cost));
                flat.minutes.push(pair.minutes);
                flat.on.extend(model.loaded_by(pair).map(|meter| tap_of[meter]).filter(|tap| *tap != u32::MAX));
                flat.pairs.push(flat.on.len() as u32);
            }
            flat.reads.push(flat.cost.len() as u32);
            flat.leave.push(choices.drop.map_or(f64::INFINITY, pays));
        }
        flat
    }

    fn priced(&self, pair: usize, prices: &[f64]) -> f64 {
        let on = &self.on[self.pairs[pair] as usize..self.pairs[pair + 1] as usize];
        self.cost[pair] + self.minutes[pair] * on.iter().map(|&tap| prices[tap as usize]).sum::<f64>()
    }

    /// What the meters earn at prices.
    fn earned(&self, prices: &[f64]) -> f64 {
        let earned = |(tap, price): (&Tap, &f64)| -> f64 {
            tap.steps
                .iter()
                .map(|(width, from)| if price > from && width.is_finite() { (price - from) * width } else { 0.0 })
                .sum()
        };
        self.meters.iter().zip(prices).map(earned).sum()
    }

    /// The dual over these pairs.
    fn dual(&self, prices: &[f64]) -> f64 {
        let mut dual = -self.earned(prices);
        for read in 0..self.leave.len() {
            let pairs = self.reads[read] as usize..self.reads[read + 1] as usize;
            let least = pairs.map(|pair| self.priced(pair, prices)).fold(self.leave[read], f64::min);
            if least.is_finite() {
                dual += least;
            }
        }
        dual
    }

    /// The reads' part of the dual with its corners rounded; its slope and curvature by price go into `slope`, `bend`.
    fn rounded(&self, prices: &[f64], width: f64, scratch: &mut Vec<f64>, slope: &mut [f64], bend: &mut [f64]) -> f64 {
        slope.fill(0.0);
        bend.fill(0.0);
        let mut value = 0.0;
        for read in 0..self.leave.len() {
            let first = self.reads[read] as usize;
            let end = self.reads[read + 1] as usize;
            scratch.clear();
            scratch.extend((first..end).map(|pair| self.priced(pair, prices)));
            let least = scratch.iter().copied().fold(self.leave[read], f64::min);
            if !least.is_finite() {
                continue;
            }
            let share = |over: f64| if over < NO_SHARE * width { (-over / width).exp() } else { 0.0 };
            let mut whole = share(self.leave[read] - least);
            for one in scratch.iter_mut() {
                *one = share(*one - least);
                whole += *one;
            }
            value += least - width * whole.ln();
            for (pair, share) in (first..end).zip(scratch.iter()) {
                if *share > 0.0 {
                    let share = share / whole;
                    let minutes = self.minutes[pair];
                    for &tap in &self.on[self.pairs[pair] as usize..self.pairs[pair + 1] as usize] {
                        slope[tap as usize] += share * minutes;
                        bend[tap as usize] += share * (1.0 - share) * minutes * minutes / width;
                    }
                }
            }
        }
        value
    }
}

impl Tap {
    /// The proximal map of what the meter earns: the price that `price` falls back to over a step of length `length`.
    fn settle(&self, price: f64, length: f64) -> f64 {
        let (mut carried, mut at) = (0.0, price);
        for &(width, from) in &self.steps {
            if price - length * carried <= from {
                break;
            }
            if width.is_infinite() {
                // The open end carries whatever comes at this price, so no price is above it.
                at = from;
                break;
            }
            carried += width;
            at = (price - length * carried).max(from);
            if at <= from {
                break;
            }
        }
        at.max(0.0)
    }
}

/// How an ascent goes.
pub(super) struct Ascent<'a> {
    /// Prices to begin with, by meter of the model.
    pub(super) from: Option<&'a [f64]>,
    /// What a read costs, about: the measure of the widths.
    pub(super) typical: f64,
    /// At most so many steps.
    pub(super) steps: u32,
    /// The share of the caller's time that is spent.
    pub(super) spent: &'a dyn Fn() -> f64,
}

/// Climbs the dual; prices of minutes by meter of the model (of which there are `meters`), 0 or more.
pub(super) fn climb(flat: &Flat, meters: usize, ascent: &Ascent<'_>) -> Vec<f64> {
    let Ascent { from, typical, steps, spent } = *ascent;
    let count = flat.meters.len();
    let mut prices: Vec<f64> = flat.meters.iter().map(|tap| from.map_or(0.0, |from| from[tap.meter])).collect();
    let mut best = prices.clone();
    let mut best_dual = flat.dual(&prices);
    let (mut slope, mut bend, mut measure) = (vec![0.0; count], vec![0.0; count], vec![0.0; count]);
    let (mut ahead, mut next) = (prices.clone(), prices.clone());
    let mut scratch = Vec::new();
    // Known prices are not thrown away by a wide first stage.
    let mut width = if from.is_some() { FIRST_WIDTH / 16.0 } else { FIRST_WIDTH } * typical.max(1e-6);
    'stages: for _ in 0..STAGES {
        let (mut pace, mut length, mut last) = (1.0f64, 1.0f64, f64::NEG_INFINITY);
        ahead.copy_from_slice(&prices);
        for step in 0..steps / STAGES {
            let value = flat.rounded(&ahead, width, &mut scratch, &mut slope, &mut bend) - flat.earned(&ahead);
            if step % STEPS_BETWEEN_MEASURES == 0 {
                measure_anew(&mut measure, &bend, step == 0);
                if spent() >= 1.0 {
                    break 'stages;
                }
            }
            if value < last - 1e-9 * last.abs() {
                (pace, length, last) = (1.0, (length * 0.7).max(0.02), f64::NEG_INFINITY);
                ahead.copy_from_slice(&prices);
                continue;
            }
            last = value;
            length = (length * 1.02).min(2.0);
            for (at, tap) in flat.meters.iter().enumerate() {
                let length = length / measure[at];
                next[at] = tap.settle(ahead[at] + length * slope[at], length);
            }
            let faster = f64::midpoint(1.0, (1.0 + 4.0 * pace * pace).sqrt());
            let swing = (pace - 1.0) / faster;
            pace = faster;
            for at in 0..count {
                ahead[at] = (next[at] + swing * (next[at] - prices[at])).max(0.0);
            }
            std::mem::swap(&mut prices, &mut next);
            if step % STEPS_BETWEEN_LOOKS == 0 {
                let dual = flat.dual(&prices);
                if dual > best_dual {
                    best_dual = dual;
                    best.copy_from_slice(&prices);
                }
            }
        }
        width /= 2.0;
    }
    let mut minute = vec![0.0; meters];
    for (tap, price) in flat.meters.iter().zip(best) {
        minute[tap.meter] = price;
    }
    minute
}

/// The measure of each price: its curvature, falling slowly, and never far below the mean.
fn measure_anew(measure: &mut [f64], bend: &[f64], first: bool) {
    for (measure, bend) in measure.iter_mut().zip(bend) {
        *measure = if first { *bend } else { measure.max(*bend) * 0.9 + 0.1 * bend };
    }
    let mean = measure.iter().sum::<f64>() / measure.len().max(1) as f64;
    let least = (0.1 * mean).max(1e-9);
    measure.iter_mut().for_each(|measure| *measure = measure.max(least));
}
