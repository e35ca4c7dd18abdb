//! What a dispatcher would expect of a plan, one small pool at a time.

mod common;

use common::region;
use dokuei_assigner::constraints::{Blocked, Rule};
use dokuei_assigner::{
    Budget, Exclude, ExclusionReason, Level, NameOf, PartWork, Plan, Privileges, Problem, ProblemError, QuoteError,
    Read, Reader, Settings, StoppedBy, WaitReason, plan, price,
};
use dokuei_terms::{Language, Modality, Part, Priority};

fn reader(id: i64, skills: &[(&str, Modality, f64)]) -> Reader {
    Reader {
        id,
        skills: skills.iter().map(|(code, modality, value)| ((region(code), *modality), *value)).collect(),
        privileges: Privileges::All,
        available_from_minutes: -30.0,
        available_until_minutes: 420.0,
        logged_in: true,
        paused: false,
        busy_minutes: 0.0,
        capacity_minutes: 400.0,
        done_minutes: 0.0,
        pace: 1.0,
        knows_patients: [].into(),
    }
}

fn read(id: i64, code: &str, modality: Modality, minutes: f64) -> Read {
    Read {
        id,
        case: id,
        site: 1,
        patient: None,
        parts: vec![PartWork { part: Part::new(region(code), modality), minutes }],
        priority: Priority::Routine,
        urgency: 0.0,
        due_in_minutes: 1200.0,
        waited_minutes: 0.0,
        current: None,
        pin: None,
        excluded: vec![],
        not_reader_of: vec![],
    }
}

fn head_ct(id: i64) -> Read {
    read(id, "head.brain", Modality::Ct, 10.0)
}

fn pool(readers: Vec<Reader>, reads: Vec<Read>) -> Problem {
    Problem { readers, reads, settings: Settings::default() }
}

fn made(problem: &Problem) -> Plan {
    plan(problem, 1, &Budget::default(), &|| 0.0).expect("the pool has a meaning")
}

fn reader_of(plan: &Plan, read: i64) -> Option<i64> {
    plan.items.iter().find(|item| item.read == read).map(|item| item.reader)
}

const HEAD: &str = "head";

#[test]
fn the_better_reader_gets_it_when_both_are_free() {
    let readers = vec![reader(1, &[(HEAD, Modality::Ct, 50.0)]), reader(2, &[(HEAD, Modality::Ct, 90.0)])];
    let plan = made(&pool(readers, vec![head_ct(1)]));
    assert_eq!(reader_of(&plan, 1), Some(2));
    let explanation = &plan.items[0].explanation;
    assert_eq!(explanation.runner_up.map(|offer| offer.reader), Some(1));
    assert_eq!(explanation.difference().map(|more| more.skill), Some(4.0), "40 points of skill at weight 1");
    assert_eq!(plan.headline().map(|certificate| certificate.gap), Some(0.0));
}

#[test]
fn equal_readers_share_the_work_to_within_a_load_step() {
    let readers = vec![reader(1, &[(HEAD, Modality::Ct, 80.0)]), reader(2, &[(HEAD, Modality::Ct, 80.0)])];
    let plan = made(&pool(readers, (1..=20).map(head_ct).collect()));
    let first = plan.items.iter().filter(|item| item.reader == 1).count();
    // Within one load step (a tenth of the capacity, 4 reads here) minutes have one price.
    assert!((8..=12).contains(&first), "{first} of 20 went to one of two equal readers");
}

#[test]
fn who_did_more_already_gets_less() {
    let rested = reader(1, &[(HEAD, Modality::Ct, 80.0)]);
    let tired = Reader { id: 2, done_minutes: 200.0, ..rested.clone() };
    let plan = made(&pool(vec![rested, tired], (1..=10).map(head_ct).collect()));
    assert!(plan.items.iter().all(|item| item.reader == 1));
}

#[test]
fn stat_stands_first_then_the_waiting_cap_then_urgent() {
    let mut reads: Vec<Read> = (1..=5).map(head_ct).collect();
    reads[1].priority = Priority::Urgent;
    reads[2].waited_minutes = 1500.0;
    reads[3].priority = Priority::Stat;
    reads[4].urgency = 0.95;
    reads[4].due_in_minutes = 30.0;
    let plan = made(&pool(vec![reader(1, &[(HEAD, Modality::Ct, 80.0)])], reads));
    let list: Vec<i64> = plan.items.iter().map(|item| item.read).collect();
    assert_eq!(list, [4, 3, 5, 2, 1], "stat, over the cap, urgent by prescreen and due sooner, urgent, routine");
    assert_eq!(plan.items[2].starts_in_minutes, 20.0);
    assert_eq!(plan.waiting_cap_breaches.len(), 1);
    assert_eq!((plan.waiting_cap_breaches[0].read, plan.waiting_cap_breaches[0].minutes), (3, 70.0));
}

#[test]
fn a_read_over_the_waiting_cap_goes_to_who_is_free_first_whatever_skill_says() {
    let expert = Reader { busy_minutes: 50.0, ..reader(1, &[(HEAD, Modality::Ct, 100.0)]) };
    let other = reader(2, &[(HEAD, Modality::Ct, 20.0)]);
    let mut late = head_ct(1);
    assert_eq!(reader_of(&made(&pool(vec![expert.clone(), other.clone()], vec![late.clone()])), 1), Some(1));
    late.waited_minutes = 1440.0;
    assert_eq!(reader_of(&made(&pool(vec![expert, other], vec![late])), 1), Some(2));
}

#[test]
fn due_work_that_does_not_fit_before_its_hour_is_spread() {
    let expert = reader(1, &[(HEAD, Modality::Ct, 90.0)]);
    let other = reader(2, &[(HEAD, Modality::Ct, 60.0)]);
    let due = |minutes| (1..=6).map(|id| Read { due_in_minutes: minutes, ..head_ct(id) }).collect::<Vec<_>>();
    let in_time = made(&pool(vec![expert.clone(), other.clone()], due(1200.0)));
    assert!(in_time.items.iter().all(|item| item.reader == 1), "there is time, the better reader takes all");
    let pressing = made(&pool(vec![expert, other], due(30.0)));
    assert!(pressing.items.iter().filter(|item| item.reader == 2).count() >= 2, "half an hour holds three reads");
}

#[test]
fn a_published_assignment_stays_unless_it_pays() {
    let readers = vec![reader(1, &[(HEAD, Modality::Ct, 80.0)]), reader(2, &[(HEAD, Modality::Ct, 95.0)])];
    let mut one = head_ct(1);
    one.current = Some(1);
    let plan = made(&pool(readers.clone(), vec![one.clone()]));
    assert_eq!(reader_of(&plan, 1), Some(1), "1.5 points do not pay the churn price of 2");
    let mut readers = readers;
    readers[0].paused = true;
    let plan = made(&pool(readers, vec![one]));
    assert_eq!(reader_of(&plan, 1), Some(2));
    assert_eq!(plan.items[0].moved_from, Some(1));
    assert_eq!(plan.items[0].explanation.winner.terms.churn, 0.0, "nobody can be asked to stay");
}

#[test]
fn who_knows_the_patient_reads_him_again() {
    let one = reader(1, &[(HEAD, Modality::Ct, 80.0)]);
    let two = Reader { id: 2, knows_patients: [77].into(), ..one.clone() };
    let plan = made(&pool(vec![one, two], vec![Read { patient: Some(77), ..head_ct(1) }]));
    assert_eq!(reader_of(&plan, 1), Some(2));
}

#[test]
fn a_pin_overrules_prices_but_no_hard_rule() {
    let readers = vec![reader(1, &[(HEAD, Modality::Ct, 10.0)]), reader(2, &[(HEAD, Modality::Ct, 100.0)])];
    let pinned = Read { pin: Some(1), ..head_ct(1) };
    let plan = made(&pool(readers.clone(), vec![pinned.clone()]));
    assert_eq!(reader_of(&plan, 1), Some(1));
    let explanation = &plan.items[0].explanation;
    assert!(explanation.pinned && explanation.difference().is_some_and(|more| more.points() < 0.0));

    let reason = ExclusionReason::ConflictOfInterest;
    let barred = Read { excluded: vec![Exclude { reader: 1, reason }], ..pinned.clone() };
    let plan = made(&pool(readers.clone(), vec![barred]));
    assert_eq!(
        plan.waiting[0].reason,
        WaitReason::PinBlocked { reader: 1, blocked: Blocked::Exclusion { reason } },
        "it waits for a person rather than going to someone else behind his back"
    );
    let plan = made(&pool(readers, vec![Read { pin: Some(9), ..pinned }]));
    assert_eq!(plan.waiting[0].reason, WaitReason::PinUnknown { reader: 9 });
}

#[test]
fn a_double_reading_goes_to_two_readers_or_waits() {
    let two = vec![reader(1, &[(HEAD, Modality::Ct, 90.0)]), reader(2, &[(HEAD, Modality::Ct, 10.0)])];
    let reads = vec![head_ct(1), Read { case: 1, ..head_ct(2) }];
    let plan = made(&pool(two.clone(), reads.clone()));
    assert_eq!(plan.items.len(), 2);
    assert_ne!(reader_of(&plan, 1), reader_of(&plan, 2));

    let plan = made(&pool(two[..1].to_vec(), reads.clone()));
    assert_eq!((plan.items.len(), plan.waiting.len()), (1, 1));
    assert_eq!(plan.waiting[0].reason, WaitReason::OthersOfCase);
    assert_eq!(plan.waiting[0].counts, [(Rule::Separation, 1)]);

    let second = Read { not_reader_of: vec![1], ..head_ct(2) };
    assert_eq!(reader_of(&made(&pool(two, vec![second])), 2), Some(2), "the first reading was signed by reader 1");
}

#[test]
fn the_more_pressing_of_two_readings_is_the_one_that_is_read() {
    let only = vec![reader(1, &[(HEAD, Modality::Ct, 90.0)])];
    let reads = vec![head_ct(1), Read { case: 1, priority: Priority::Stat, ..head_ct(2) }];
    let plan = made(&pool(only, reads));
    assert_eq!((plan.items[0].read, plan.waiting[0].read), (2, 1));
}

#[test]
fn a_read_that_nobody_may_have_says_which_rules_are_against_it() {
    let mut readers: Vec<Reader> = (1..=4).map(|id| reader(id, &[(HEAD, Modality::Ct, 80.0)])).collect();
    readers[0].privileges = Privileges::Sites([2].into());
    readers[1].paused = true;
    readers[2].logged_in = false;
    readers[3].available_until_minutes = -5.0;
    let plan = made(&pool(readers, vec![head_ct(1)]));
    assert_eq!(plan.waiting[0].reason, WaitReason::NobodyEligible);
    assert_eq!(plan.waiting[0].counts, [(Rule::Presence, 2), (Rule::Privilege, 1), (Rule::Shift, 1)]);
    assert_eq!(made(&pool(vec![], vec![head_ct(1)])).waiting[0].reason, WaitReason::NoReader);
}

#[test]
fn an_override_is_priced_before_it_is_made() {
    let readers = vec![
        reader(1, &[(HEAD, Modality::Ct, 90.0)]),
        reader(2, &[(HEAD, Modality::Ct, 60.0)]),
        Reader { paused: true, ..reader(3, &[(HEAD, Modality::Ct, 60.0)]) },
    ];
    let problem = pool(readers, vec![Read { current: Some(1), ..head_ct(1) }]);
    let quote = price(&problem, 1, 2).expect("a price");
    assert_eq!(quote.instead_of.map(|offer| offer.reader), Some(1));
    assert_eq!(quote.more_points(), Some(5.0), "3 for skill, 2 for the change of reader");
    let explanation = made(&problem).items[0].explanation.clone();
    assert_eq!(explanation.difference().map(|more| more.points()), quote.more_points(), "both say the same");
    assert_eq!(price(&problem, 1, 3), Err(QuoteError::Excluded(Blocked::Paused)));
    assert_eq!(price(&problem, 1, 4), Err(QuoteError::UnknownReader(4)));
    assert_eq!(price(&problem, 8, 1), Err(QuoteError::UnknownRead(8)));
}

#[test]
fn a_problem_without_meaning_is_refused() {
    let good = pool(vec![reader(1, &[(HEAD, Modality::Ct, 80.0)])], vec![head_ct(1)]);
    let refused = |change: &dyn Fn(&mut Problem)| {
        let mut problem = good.clone();
        change(&mut problem);
        plan(&problem, 1, &Budget::default(), &|| 0.0).expect_err("it has no meaning").to_string()
    };
    assert_eq!(refused(&|problem| problem.reads.push(head_ct(1))), "read 1 is given twice");
    assert_eq!(refused(&|problem| problem.reads[0].parts.clear()), "read 1 has no part");
    assert_eq!(refused(&|problem| problem.reads[0].urgency = 1.5), "urgency of read 1 is 1.5, and must be 0 to 1");
    assert_eq!(
        refused(&|problem| problem.readers[0].busy_minutes = f64::NAN),
        "busy_minutes of reader 1 is NaN, and must be 0 or more"
    );
    assert_eq!(
        refused(&|problem| problem.settings.load_steps.reverse()),
        "setting load_steps: prices that rise: the load must be convex"
    );
    let twice = |problem: &mut Problem| problem.readers.push(problem.readers[0].clone());
    assert!(matches!(
        plan(
            &{
                let mut p = good.clone();
                twice(&mut p);
                p
            },
            1,
            &Budget::default(),
            &|| 0.0
        ),
        Err(ProblemError::DuplicateReader(1))
    ));
}

/// Four readers, an evening: what the board would show.
fn an_evening() -> Problem {
    let readers = vec![
        reader(1, &[(HEAD, Modality::Ct, 90.0), (HEAD, Modality::Mr, 100.0), ("chest", Modality::Radiograph, 30.0)]),
        Reader {
            busy_minutes: 8.0,
            ..reader(
                2,
                &[("chest", Modality::Ct, 95.0), ("chest", Modality::Radiograph, 90.0), (HEAD, Modality::Ct, 40.0)],
            )
        },
        reader(3, &[("chest", Modality::Ct, 50.0), (HEAD, Modality::Ct, 60.0), ("lower", Modality::Mr, 80.0)]),
        Reader { paused: true, ..reader(4, &[("lower", Modality::Mr, 100.0), (HEAD, Modality::Mr, 80.0)]) },
    ];
    let mut reads = vec![
        read(101, "head.brain", Modality::Ct, 8.0),
        read(102, "chest.lung", Modality::Ct, 12.0),
        read(103, "lower.knee", Modality::Mr, 14.0),
        read(104, "chest", Modality::Radiograph, 3.0),
        read(105, "head.brain", Modality::Mr, 14.0),
        read(106, "abdomen", Modality::Ct, 14.0),
    ];
    reads[0] = Read { priority: Priority::Stat, urgency: 0.9, due_in_minutes: 40.0, ..reads[0].clone() };
    reads[1].excluded = vec![Exclude { reader: 2, reason: ExclusionReason::Declined }];
    reads[3] = Read { priority: Priority::Urgent, due_in_minutes: 90.0, ..reads[3].clone() };
    pool(readers, reads)
}

fn printed(plan: &Plan, language: Language) -> String {
    let name = |who: NameOf| match who {
        NameOf::Reader(id) => format!("R{id}"),
        NameOf::Site(id) => format!("S{id}"),
    };
    let mut text = String::new();
    for item in &plan.items {
        let (from, until) = (item.starts_in_minutes, item.ends_in_minutes);
        text += &format!("R{} #{} read {} {from:.0}-{until:.0} min\n", item.reader, item.rank, item.read);
        text += &indented(&item.explanation.words(language, &name));
    }
    for waiting in &plan.waiting {
        text += &format!("waiting: read {}\n", waiting.read);
        text += &indented(&waiting.words(language, &name));
    }
    for level in [Level::Reach, Level::Quality] {
        let at = plan.certificate(level).expect("both levels");
        text += &format!("{level:?}: {:.3}, bound {:.3}\n", at.value, at.bound);
    }
    text
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

#[test]
fn an_evening_in_english() {
    let plan = made(&an_evening());
    assert_eq!(plan.stopped_by, StoppedBy::Finished);
    insta::assert_snapshot!(printed(&plan, Language::En));
}

#[test]
fn an_evening_in_japanese() {
    insta::assert_snapshot!(printed(&made(&an_evening()), Language::Ja));
}
