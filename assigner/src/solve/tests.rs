//! The solver against exhaustive search, and what it promises of every instance.

use proptest::prelude::*;

use super::model::{Choices, LEVELS, Meter, Model, Pair, QUALITY, REACH};
use super::state::{Delta, State};
use super::{Budget, Solved, solve};
use crate::StoppedBy;

fn never() -> f64 {
    0.0
}

/// The value of an assignment, counted afresh; `None` if it breaks a rule of the model.
fn value_of(model: &Model, chosen: &[Option<usize>]) -> Option<[f64; LEVELS]> {
    for (read, choice) in chosen.iter().enumerate() {
        if choice.is_none() && model.reads[read].drop.is_none() {
            return None;
        }
    }
    let reader = |read: usize| chosen[read].map(|at| model.reads[read].pairs[at].reader);
    for group in &model.apart {
        for (i, a) in group.iter().enumerate() {
            if group[i + 1..].iter().any(|b| reader(*a).is_some() && reader(*a) == reader(*b)) {
                return None;
            }
        }
    }
    let mut state = State::empty(model);
    for (read, choice) in chosen.iter().enumerate() {
        state.put(read, *choice, Delta::default());
    }
    state.refresh();
    Some(state.value())
}

/// The best value of any assignment, levels in order, by trying all.
fn exhaustive(model: &Model) -> [f64; LEVELS] {
    let mut best: Option<[f64; LEVELS]> = None;
    let mut chosen: Vec<Option<usize>> = vec![None; model.reads.len()];
    loop {
        if let Some(value) = value_of(model, &chosen)
            && best.is_none_or(|best| Delta(value).below(Delta(best)))
        {
            best = Some(value);
        }
        let mut at = 0;
        loop {
            let Some(choice) = chosen.get_mut(at) else { return best.expect("some assignment is feasible") };
            let next = choice.map_or(0, |choice| choice + 1);
            if next < model.reads[at].pairs.len() {
                *choice = Some(next);
                break;
            }
            *choice = None;
            at += 1;
        }
    }
}

prop_compose! {
    /// Instances with two meters per reader, costs on both levels, forbidden pairs and one group that goes apart.
    fn a_model(reads: std::ops::Range<usize>, readers: usize)(
        count in reads,
        seeds in prop::collection::vec((0u32..100, 1.0f64..20.0, 0u32..30, any::<bool>(), 0u32..8), 60 * 4..=60 * 4),
        apart in any::<bool>(),
    ) -> Model {
        let mut model = Model::default();
        for seed in seeds.iter().take(readers) {
            let first = model.meters.len();
            let base = f64::from(seed.0) / 5.0;
            model.meters.push(Meter::new(QUALITY, base, &[(10.0, 0.0), (15.0, 0.2)], 1.0));
            model.meters.push(Meter::new(REACH, 0.0, &[(18.0, 0.0)], 1.0 / 15.0));
            model.meters_of.push(first..first + 2);
        }
        for read in 0..count {
            let pairs: Vec<Pair> = (0..readers)
                .map(|reader| (reader, seeds[read * 4 + reader]))
                .filter(|(reader, seed)| seed.4 > 1 || *reader == read % readers)
                .map(|(reader, seed)| Pair {
                    reader: reader as u32,
                    mask: if seed.3 { 3 } else { 1 },
                    minutes: (seed.1 * 10.0).round() / 10.0,
                    cost: [if seed.4 == 7 { 1.0 } else { 0.0 }, f64::from(seed.2) / 3.0],
                })
                .collect();
            model.reads.push(Choices { pairs, drop: None, apart: None });
        }
        if apart && count > 1 {
            for read in [0, 1] {
                model.reads[read].apart = Some(0);
                model.reads[read].drop = Some([1e5, 0.0]);
            }
            model.apart.push(vec![0, 1]);
        }
        model
    }
}

fn check(model: &Model, solved: &Solved) -> Result<(), TestCaseError> {
    let value = value_of(model, &solved.chosen);
    prop_assert!(value.is_some(), "the plan is feasible");
    for (level, value) in value.unwrap_or_default().into_iter().enumerate() {
        prop_assert!((value - solved.value[level]).abs() < 1e-6, "the stated value is the plan's");
        prop_assert!(solved.bound[level] <= value + 1e-9);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn small_instances_are_solved_to_the_optimum(model in a_model(1..6, 4)) {
        let solved = solve(&model, 1, &Budget::default(), &never);
        check(&model, &solved)?;
        let best = exhaustive(&model);
        for level in [REACH, QUALITY] {
            prop_assert!((solved.value[level] - best[level]).abs() < 1e-5, "{:?} is not {best:?}", solved.value);
        }
    }

    #[test]
    fn no_bound_is_above_the_optimum(model in a_model(1..6, 4)) {
        let best = exhaustive(&model);
        // Without the whole integer program the bound is the relaxation's own, and the plan may be above the optimum.
        let budget = Budget { whole_mip_reads: 0, ..Budget::default() };
        for budget in [budget, Budget::greedy()] {
            let solved = solve(&model, 1, &budget, &never);
            check(&model, &solved)?;
            prop_assert!(solved.bound[REACH] <= best[REACH] + 1e-6);
            if solved.value[REACH] <= best[REACH] + 1e-9 {
                prop_assert!(solved.bound[QUALITY] <= best[QUALITY] + 1e-6);
            }
        }
    }

    #[test]
    fn larger_instances_are_feasible_equal_and_no_worse_than_greedy(model in a_model(20..60, 4), seed in 0u64..5) {
        let budget = Budget { search_moves: 5_000, ..Budget::default() };
        let solved = solve(&model, seed, &budget, &never);
        check(&model, &solved)?;
        let again = solve(&model, seed, &budget, &never);
        prop_assert_eq!(&solved.chosen, &again.chosen);
        prop_assert_eq!(solved.bound, again.bound);
        let greedy = solve(&model, seed, &Budget::greedy(), &never);
        prop_assert!(!Delta(greedy.value).below(Delta(solved.value)));
    }
}

#[test]
fn a_stop_before_the_first_move_still_gives_a_feasible_plan() {
    let pairs = |minutes| (0..2).map(|reader| Pair { reader, mask: 1, minutes, cost: [0.0, 1.0] }).collect();
    let model = Model {
        reads: vec![
            Choices { pairs: pairs(5.0), ..Choices::default() },
            Choices { pairs: pairs(7.0), ..Choices::default() },
        ],
        meters: vec![Meter::new(QUALITY, 0.0, &[], 1.0), Meter::new(QUALITY, 0.0, &[], 1.0)],
        meters_of: vec![0..1, 1..2],
        apart: vec![],
    };
    let solved = solve(&model, 0, &Budget::default(), &|| 1.0);
    assert_eq!(solved.stopped_by, StoppedBy::Stop);
    assert!(value_of(&model, &solved.chosen).is_some());
}
