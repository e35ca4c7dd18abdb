//! Which readers a read is considered with: those that are cheapest at given prices.

use super::bound;
use super::linear::Prices;
use super::model::Model;
use super::state::{Delta, State};

/// For each read the indices of its `most` cheapest pairs, with the present plan's marginal prices of minutes,
/// by index. The pair it has is always among them.
pub(super) fn nearest(state: &State<'_>, most: usize) -> Vec<Vec<usize>> {
    let model = state.model;
    (0..model.reads.len())
        .map(|read| {
            let choices = &model.reads[read];
            let here = state.pair_of(read).map(|pair| pair.reader);
            if choices.pairs.len() <= most {
                return (0..choices.pairs.len()).collect();
            }
            let mut priced: Vec<(Delta, usize)> = choices
                .pairs
                .iter()
                .enumerate()
                .map(|(at, pair)| match Some(pair.reader) == here {
                    true => (Delta([f64::NEG_INFINITY; 2]), at),
                    false => (state.come(read, Some(at)), at),
                })
                .collect();
            priced
                .sort_by(|(a, at), (b, bt)| a.0[0].total_cmp(&b.0[0]).then(a.0[1].total_cmp(&b.0[1])).then(at.cmp(bt)));
            let mut kept: Vec<usize> = priced[..most].iter().map(|(_, at)| *at).collect();
            kept.sort_unstable();
            kept
        })
        .collect()
}

/// For each read its pairs within `window` of the cheapest at prices, `most` of them, the cheapest first; at least
/// the two cheapest, if it has two.
pub(super) fn within(model: &Model, level: usize, prices: &Prices, window: f64, most: usize) -> Vec<Vec<usize>> {
    (0..model.reads.len())
        .map(|read| {
            let mut priced: Vec<(f64, usize)> = (0..model.reads[read].pairs.len())
                .map(|at| (bound::priced(model, level, prices, read, at), at))
                .collect();
            priced.sort_by(|(a, at), (b, bt)| a.total_cmp(b).then(at.cmp(bt)));
            let least = priced.first().map_or(0.0, |(price, _)| *price);
            let near = priced.iter().take_while(|(price, _)| price - least <= window).count();
            priced.iter().take(near.max(2).min(most)).map(|(_, at)| *at).collect()
        })
        .collect()
}

/// For each read whether leaving it out is within `window` of its cheapest pair at prices, or within a twentieth of what
/// leaving it out costs: such reads compete for the last room, minute for minute.
pub(super) fn spare(model: &Model, level: usize, prices: &Prices, window: f64) -> Vec<bool> {
    (0..model.reads.len())
        .map(|read| {
            let Some(drop) = model.reads[read].drop else { return false };
            let pays = bound::left_out(level, prices, drop);
            let pairs = 0..model.reads[read].pairs.len();
            let least = pairs.map(|at| bound::priced(model, level, prices, read, at)).fold(f64::INFINITY, f64::min);
            pays - least <= window.max(0.05 * pays)
        })
        .collect()
}
