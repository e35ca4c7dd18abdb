//! What every plan of every pool promises.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{Dice, a_pool};
use dokuei_assigner::constraints::first_blocked;
use dokuei_assigner::{Budget, Exclude, ExclusionReason, Level, Plan, Problem, StoppedBy, WaitReason, plan};
use proptest::prelude::*;

/// A pool with everything that makes plans hard: pins, exclusions, double readings, an overload, nobody there.
fn awkward(reads: usize, readers: usize, seed: u64) -> Problem {
    let mut problem = a_pool(reads, readers, seed);
    let mut dice = Dice(seed ^ 0xabc);
    let ids: Vec<i64> = problem.readers.iter().map(|reader| reader.id).collect();
    for at in 0..problem.reads.len() {
        let someone = |dice: &mut Dice| ids[dice.below(ids.len() as u64) as usize];
        if dice.one_in(8) && at > 0 {
            problem.reads[at].case = problem.reads[at - 1].case;
            problem.reads[at].parts = problem.reads[at - 1].parts.clone();
        }
        if ids.is_empty() {
            continue;
        }
        if dice.one_in(10) {
            problem.reads[at].pin = Some(if dice.one_in(5) { 9999 } else { someone(&mut dice) });
        }
        if dice.one_in(6) {
            let reader = someone(&mut dice);
            problem.reads[at].excluded.push(Exclude { reader, reason: ExclusionReason::Declined });
        }
        if dice.one_in(10) {
            let reader = someone(&mut dice);
            problem.reads[at].not_reader_of.push(reader);
        }
        if dice.one_in(15) {
            problem.reads[at].waited_minutes += 2000.0;
            problem.reads[at].due_in_minutes -= 2000.0;
        }
    }
    problem
}

fn quick() -> Budget {
    Budget { search_moves: 4_000, ..Budget::default() }
}

fn made(problem: &Problem, seed: u64) -> Plan {
    plan(problem, seed, &quick(), &|| 0.0).expect("the pool has a meaning")
}

fn holds(problem: &Problem, plan: &Plan) -> Result<(), TestCaseError> {
    let mut seen: Vec<i64> = plan.items.iter().map(|item| item.read).collect();
    seen.extend(plan.waiting.iter().map(|waiting| waiting.read));
    seen.sort_unstable();
    let mut all: Vec<i64> = problem.reads.iter().map(|read| read.id).collect();
    all.sort_unstable();
    prop_assert_eq!(seen, all, "each read once, in a list or waiting");

    let mut of_case: BTreeSet<(i64, i64)> = BTreeSet::new();
    let mut ranks: BTreeMap<i64, Vec<u32>> = BTreeMap::new();
    for item in &plan.items {
        let read = problem.reads.iter().find(|read| read.id == item.read).expect("its read");
        let reader = problem.readers.iter().find(|reader| reader.id == item.reader).expect("its reader");
        prop_assert_eq!(first_blocked(read, reader, &problem.settings), None, "no hard rule is broken");
        prop_assert!(of_case.insert((read.case, reader.id)), "two reads of a case have two readers");
        prop_assert!(read.pin.is_none_or(|pin| pin == reader.id), "a pin is kept");
        prop_assert_eq!(item.explanation.winner.reader, item.reader);
        prop_assert_eq!(item.explanation.eligible + item.explanation.excluded.len(), problem.readers.len());
        ranks.entry(item.reader).or_default().push(item.rank);
    }
    for (_, ranks) in ranks {
        prop_assert_eq!(ranks.clone(), (1..=ranks.len() as u32).collect::<Vec<_>>());
    }
    for waiting in &plan.waiting {
        let read = problem.reads.iter().find(|read| read.id == waiting.read).expect("its read");
        if waiting.reason == WaitReason::NobodyEligible {
            prop_assert_eq!(waiting.excluded.len(), problem.readers.len(), "each reader has a rule against him");
        }
        prop_assert!(read.pin.is_some() || waiting.excluded.len() == problem.readers.len());
    }
    for certificate in &plan.certificates {
        prop_assert!(certificate.bound <= certificate.value + 1e-9 && certificate.gap >= 0.0);
    }
    Ok(())
}

fn json<T: serde::Serialize>(value: &T) -> serde_json::Value {
    serde_json::to_value(value).expect("json")
}

/// Equal but for the last bit of a number, which serde_json's reader may round (its `float_roundtrip` is off).
fn alike(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match (a, b) {
        (Number(a), Number(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-12 * a.abs().max(1.0),
            _ => a == b,
        },
        (Array(a), Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b)),
        (Object(a), Object(b)) => a.len() == b.len() && a.iter().all(|(k, a)| b.get(k).is_some_and(|b| alike(a, b))),
        _ => a == b,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn no_plan_breaks_a_hard_rule_or_loses_a_read(reads in 0usize..60, readers in 0usize..12, seed: u64) {
        let problem = awkward(reads, readers, seed);
        holds(&problem, &made(&problem, 1))?;
        let greedy = plan(&problem, 1, &Budget::greedy(), &|| 0.0).expect("a plan");
        holds(&problem, &greedy)?;
        let stopped = plan(&problem, 1, &quick(), &|| 1.0).expect("a plan");
        holds(&problem, &stopped)?;
        prop_assert_eq!(stopped.stopped_by, StoppedBy::Stop);
    }

    #[test]
    fn an_equal_problem_gives_an_equal_plan(reads in 0usize..60, readers in 1usize..10, seed: u64) {
        let problem = awkward(reads, readers, seed);
        prop_assert_eq!(made(&problem, seed), made(&problem, seed));
    }

    #[test]
    fn a_winner_is_never_dearer_than_the_runner_up(reads in 1usize..50, readers in 2usize..10, seed: u64) {
        let problem = a_pool(reads, readers, seed);
        let plan = made(&problem, 3);
        prop_assume!(plan.stopped_by == StoppedBy::Finished);
        for item in &plan.items {
            if let Some(more) = item.explanation.difference() {
                prop_assert!(
                    more.waiting_cap_steps > 1e-6 || (more.waiting_cap_steps > -1e-6 && more.points() > -1e-6),
                    "{:?}", item.explanation
                );
            }
        }
    }

    #[test]
    fn a_plan_survives_json(reads in 0usize..20, readers in 0usize..6, seed: u64) {
        let problem = awkward(reads, readers, seed);
        let again: Problem = serde_json::from_str(&json(&problem).to_string()).expect("a problem");
        prop_assert!(alike(&json(&problem), &json(&again)));
        let plan = made(&problem, 1);
        let again: Plan = serde_json::from_str(&json(&plan).to_string()).expect("a plan");
        prop_assert!(alike(&json(&plan), &json(&again)));
    }

    #[test]
    fn a_plan_kept_as_published_stays_as_it_is(reads in 1usize..40, readers in 1usize..8, seed: u64) {
        // Replanning with nothing new must not make lists jump under the readers' hands.
        let mut problem = a_pool(reads, readers, seed);
        for _ in 0..2 {
            let plan = made(&problem, 1);
            for item in &plan.items {
                let read = problem.reads.iter_mut().find(|read| read.id == item.read).expect("its read");
                read.current = Some(item.reader);
            }
        }
        let before = problem.clone();
        let moved = made(&before, 1).items.iter().filter(|item| item.moved_from.is_some()).count();
        prop_assert!(moved * 10 <= reads, "{moved} of {reads} moved though nothing had changed");
    }
}

#[test]
fn an_evening_is_planned_close_to_the_bound() {
    let problem = a_pool(150, 20, 4);
    let plan = made(&problem, 1);
    assert_eq!(plan.stopped_by, StoppedBy::Finished);
    let quality = plan.certificate(Level::Quality).expect("the level");
    assert!(quality.gap < 0.02, "{quality:?}");
    let greedy = dokuei_assigner::plan(&problem, 1, &Budget::greedy(), &|| 0.0).expect("a plan");
    assert!(quality.value <= greedy.certificate(Level::Quality).expect("the level").value);
}
