//! Lower bounds that hold whatever a solver's tolerance: Lagrange's, over *all* pairs, for given prices.
//!
//! For prices 0 or more, each read pays its cheapest pair at those prices, each
//! meter earns what it can sell minutes for, and no plan is cheaper. With the
//! relaxation's own prices, and no pair left out that would pay, this is the
//! relaxation's value.

use super::linear::Prices;
use super::model::{Model, QUALITY, REACH};

/// The bound with all prices 0.
pub(super) fn trivial(model: &Model, level: usize) -> f64 {
    lagrange(model, level, &Prices { minute: vec![0.0; model.meters.len()], ..Prices::default() }, None)
}

/// The bound on a level with given prices; `reach_limit` is the reach level's limit when that level is not bounded itself.
pub(super) fn lagrange(model: &Model, level: usize, prices: &Prices, reach_limit: Option<f64>) -> f64 {
    let reach = if level == QUALITY && reach_limit.is_some() { prices.reach } else { 0.0 };
    let minute = sellable(model, level, prices, reach);
    let mut bound = -reach * reach_limit.unwrap_or_default();
    bound -= prices.apart.iter().map(|(_, _, price)| price).sum::<f64>();
    for (at, meter) in model.meters.iter().enumerate() {
        let weight = weight_of(meter.level, level, reach);
        for (width, price) in meter.steps_from(0.0) {
            let gain = weight * price - minute[at];
            if gain < 0.0 {
                bound += gain * width;
            }
        }
    }
    let apart = ApartPrices::new(model, prices);
    for choices in &model.reads {
        let pays = |cost: [f64; 2]| if level == REACH { cost[REACH] } else { cost[QUALITY] + reach * cost[REACH] };
        let mut least = choices.drop.map_or(f64::INFINITY, pays);
        for pair in &choices.pairs {
            let minutes: f64 = model.loaded_by(pair).map(|meter| minute[meter]).sum::<f64>() * pair.minutes;
            let apart = choices.apart.map_or(0.0, |group| apart.of(group, pair.reader));
            least = least.min(pays(pair.cost) + minutes + apart);
        }
        if least.is_finite() {
            bound += least;
        }
    }
    bound
}

/// What one pair costs at given prices, for choosing pairs that would pay.
pub(super) fn priced(model: &Model, level: usize, prices: &Prices, read: usize, at: usize) -> f64 {
    let choices = &model.reads[read];
    let pair = &choices.pairs[at];
    let own = if level == REACH { pair.cost[REACH] } else { pair.cost[QUALITY] + prices.reach * pair.cost[REACH] };
    own + model.loaded_by(pair).map(|meter| prices.minute[meter]).sum::<f64>() * pair.minutes
}

/// What leaving a read out costs at given prices.
pub(super) fn left_out(level: usize, prices: &Prices, drop: [f64; 2]) -> f64 {
    if level == REACH { drop[REACH] } else { drop[QUALITY] + prices.reach * drop[REACH] }
}

fn weight_of(meter_level: usize, level: usize, reach: f64) -> f64 {
    match (meter_level == level, meter_level) {
        (true, _) => 1.0,
        (false, REACH) => reach,
        (false, _) => 0.0,
    }
}

/// Prices of minutes, cut to what the open end of a meter can carry: above it the bound would be minus infinity.
fn sellable(model: &Model, level: usize, prices: &Prices, reach: f64) -> Vec<f64> {
    model
        .meters
        .iter()
        .zip(&prices.minute)
        .map(|(meter, price)| match meter.knots.last() {
            Some(last) if last.price.is_finite() => price.min(weight_of(meter.level, level, reach) * last.price),
            _ => *price,
        })
        .collect()
}

struct ApartPrices(Vec<Vec<(u32, f64)>>);

impl ApartPrices {
    fn new(model: &Model, prices: &Prices) -> Self {
        let mut by_group = vec![Vec::new(); model.apart.len()];
        for (group, reader, price) in &prices.apart {
            by_group[*group].push((*reader, *price));
        }
        Self(by_group)
    }

    fn of(&self, group: usize, reader: u32) -> f64 {
        self.0[group].iter().filter(|(at, _)| *at == reader).map(|(_, price)| price).sum()
    }
}
