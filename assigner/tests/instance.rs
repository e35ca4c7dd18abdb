//! Bare instances: the optimum of small ones by trying all, what every plan of a larger one promises, bad ones refused.

use dokuei_assigner::{Budget, Instance, InstanceError, InstancePair, InstancePlan, Segment};
use proptest::prelude::*;

fn segment(width: f64, price: f64) -> Segment {
    Segment { width, price }
}

/// What an assignment is worth, counted from the definition; `None` if a reader has more than his segments carry.
fn worth(instance: &Instance, reader_of: &[Option<usize>]) -> Option<f64> {
    let mut loads = vec![0.0; instance.readers];
    let mut value = 0.0;
    for (case, reader) in reader_of.iter().enumerate() {
        match reader {
            None => value += instance.drop[case],
            Some(reader) => {
                let pair = instance.pairs.iter().find(|pair| pair.case == case && pair.reader == *reader)?;
                value += pair.cost;
                loads[*reader] += pair.minutes;
            }
        }
    }
    for (mut load, segments) in loads.into_iter().zip(&instance.load_segments) {
        for segment in segments {
            let taken = load.min(segment.width);
            value += taken * segment.price;
            load -= taken;
        }
        if load > 1e-6 {
            return None;
        }
    }
    Some(value)
}

fn best(instance: &Instance) -> f64 {
    fn all(instance: &Instance, reader_of: &mut Vec<Option<usize>>, best: &mut f64) {
        if reader_of.len() == instance.cases {
            *best = worth(instance, reader_of).map_or(*best, |value| best.min(value));
            return;
        }
        let case = reader_of.len();
        let readers = instance.pairs.iter().filter(|pair| pair.case == case).map(|pair| Some(pair.reader));
        for reader in readers.chain([None]) {
            reader_of.push(reader);
            all(instance, reader_of, best);
            reader_of.pop();
        }
    }
    let mut least = f64::INFINITY;
    all(instance, &mut Vec::new(), &mut least);
    least
}

fn readers_of(instance: &Instance, plan: &InstancePlan) -> Vec<Option<usize>> {
    let mut reader_of = vec![None; instance.cases];
    for one in &plan.assignments {
        assert!(reader_of[one.case].replace(one.reader).is_none(), "case {} is given out twice", one.case);
    }
    reader_of
}

prop_compose! {
    fn an_instance(cases: std::ops::Range<usize>, readers: usize)(
        cases in cases,
        dice in prop::collection::vec((0u32..4, 0u32..60, 10u32..200), 40 * 6..=40 * 6),
        widths in prop::collection::vec((5u32..40, 5u32..20), 6..=6),
        drops in prop::collection::vec(20u32..200, 40..=40),
    ) -> Instance {
        let pairs = (0..cases)
            .flat_map(|case| (0..readers).map(move |reader| (case, reader)))
            .filter_map(|(case, reader)| {
                let (here, cost, minutes) = dice[case * 6 + reader];
                (here > 0).then(|| InstancePair {
                    case, reader, cost: f64::from(cost) / 10.0, minutes: f64::from(minutes) / 10.0,
                })
            })
            .collect();
        let load_segments = widths.iter().take(readers)
            .map(|&(wide, narrow)| vec![segment(f64::from(wide), 0.0), segment(f64::from(narrow), 0.3)])
            .collect();
        let drop = drops.iter().take(cases).map(|drop| f64::from(*drop)).collect();
        Instance { cases, readers, pairs, load_segments, drop }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn small_ones_are_solved_to_the_optimum(instance in an_instance(1..7, 3)) {
        let plan = instance.plan(1, &Budget::default(), &|| 0.0).expect("it has a meaning");
        let value = worth(&instance, &readers_of(&instance, &plan));
        prop_assert!((value.expect("no reader has too much") - plan.objective).abs() < 1e-6);
        prop_assert!((plan.objective - best(&instance)).abs() < 1e-5);
    }

    #[test]
    fn one_reader_more_is_never_worse_and_names_do_not_matter(instance in an_instance(1..7, 3)) {
        let value = |instance: &Instance| {
            instance.plan(1, &Budget::default(), &|| 0.0).expect("it has a meaning").objective
        };
        let mut fewer = instance.clone();
        fewer.readers -= 1;
        fewer.load_segments.truncate(fewer.readers);
        fewer.pairs.retain(|pair| pair.reader < fewer.readers);
        prop_assert!(value(&instance) <= value(&fewer) + 1e-5);

        let mut renamed = instance.clone();
        renamed.pairs.iter_mut().for_each(|pair| {
            pair.reader = instance.readers - 1 - pair.reader;
            pair.case = instance.cases - 1 - pair.case;
        });
        renamed.pairs.reverse();
        renamed.load_segments.reverse();
        renamed.drop.reverse();
        prop_assert!((value(&instance) - value(&renamed)).abs() < 1e-5);
    }

    #[test]
    fn a_bound_by_ascent_alone_is_below_the_optimum(instance in an_instance(1..7, 3)) {
        let budget = Budget { whole_mip_reads: 0, lp_iterations: 0, search_moves: 2_000, ..Budget::default() };
        let plan = instance.plan(1, &budget, &|| 0.0).expect("it has a meaning");
        prop_assert!(plan.bound <= best(&instance) + 1e-6);
    }

    #[test]
    fn larger_ones_keep_within_the_segments_and_are_the_same_again(instance in an_instance(25..40, 6), seed in 0u64..4) {
        let budget = Budget { search_moves: 20_000, ..Budget::default() };
        let plan = instance.plan(seed, &budget, &|| 0.0).expect("it has a meaning");
        let value = worth(&instance, &readers_of(&instance, &plan));
        prop_assert!((value.expect("no reader has too much") - plan.objective).abs() < 1e-6);
        prop_assert!(plan.bound <= plan.objective + 1e-9);
        prop_assert_eq!(&plan, &instance.plan(seed, &budget, &|| 0.0).expect("it has a meaning"));
        let greedy = instance.plan(seed, &Budget::greedy(), &|| 0.0).expect("it has a meaning");
        prop_assert!(greedy.greedy_only && plan.objective <= greedy.objective + 1e-9);
    }
}

fn two_by_two() -> Instance {
    let pair = |case, reader, cost| InstancePair { case, reader, cost, minutes: 10.0 };
    Instance {
        cases: 2,
        readers: 2,
        pairs: vec![pair(0, 0, 1.0), pair(0, 1, 3.0), pair(1, 0, 1.0)],
        load_segments: vec![vec![segment(10.0, 0.0)], vec![segment(5.0, 0.0), segment(10.0, 0.1)]],
        drop: vec![50.0, 60.0],
    }
}

#[test]
fn nobody_is_given_more_than_his_segments_carry() {
    let plan = two_by_two().plan(0, &Budget::default(), &|| 0.0).expect("it has a meaning");
    // Both would be cheapest with reader 0, who has room for one; the other costs 3 and five minutes at 0.1.
    assert_eq!(readers_of(&two_by_two(), &plan), [Some(1), Some(0)]);
    assert!((plan.objective - 4.5).abs() < 1e-9 && plan.gap() < 1e-6, "{plan:?}");
}

#[test]
fn a_case_without_a_place_is_left_out() {
    let mut instance = two_by_two();
    instance.load_segments[1].clear();
    let plan = instance.plan(0, &Budget::default(), &|| 0.0).expect("it has a meaning");
    assert_eq!(readers_of(&instance, &plan), [None, Some(0)]);
    assert!((plan.objective - 51.0).abs() < 1e-9);
}

#[test]
fn what_has_no_meaning_is_refused_with_its_place() {
    let refused = |spoil: &dyn Fn(&mut Instance)| {
        let mut instance = two_by_two();
        spoil(&mut instance);
        instance.plan(0, &Budget::default(), &|| 0.0).expect_err("it has no meaning")
    };
    assert!(matches!(refused(&|one| one.drop.truncate(1)), InstanceError::Length { list: "drop", found: 1, .. }));
    assert!(matches!(refused(&|one| one.pairs[1].reader = 2), InstanceError::Unknown { at: 1, reader: 2, .. }));
    assert!(matches!(refused(&|one| one.pairs[1].reader = 0), InstanceError::Twice { case: 0, reader: 0 }));
    assert!(matches!(
        refused(&|one| one.pairs[2].minutes = f64::NAN),
        InstanceError::Number { what: "the minutes", .. }
    ));
    assert!(matches!(refused(&|one| one.load_segments[1][1].price = -1.0), InstanceError::Number { .. }));
    let falling = refused(&|one| one.load_segments[1][0].price = 0.5);
    assert_eq!(
        falling.to_string(),
        "the prices of reader 1 fall from 0.5 to 0.1: they should rise from segment to segment"
    );
}
