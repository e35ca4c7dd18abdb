//! What the planner sees of the past, and what it leaves behind.

use chrono::{NaiveDateTime, TimeDelta};
use dokuei_models::state::{AssignedRead, CaseEvent, ReadEvent, case_apply_in_tx, read_apply_in_tx, read_assign_in_tx};
use dokuei_models::store::{board, cases, leases, reads};
use dokuei_models::{Actor, Connection, ReadId, ReaderId, StoreError};
use dokuei_server::app::planning::{self, Applied};

use super::pool::{World, case, noon, on_each, world};

fn signed(conn: &mut Connection, read: ReadId, reader: ReaderId, at: NaiveDateTime) -> Result<(), StoreError> {
    let actor = Actor::system("test", at);
    let seen_version = reads::read_get(conn, read)?.version;
    let item = AssignedRead { read, seen_version, reader, plan: None, place_in_list: 10, explanation: "{}".into() };
    read_assign_in_tx(conn, &actor, &item)?;
    read_apply_in_tx(conn, &actor, read, &ReadEvent::Start { reader })?;
    let case = reads::read_get(conn, read)?.case_id;
    case_apply_in_tx(conn, &actor, case, &CaseEvent::StartReading { read })?;
    read_apply_in_tx(conn, &actor, read, &ReadEvent::Sign { reader })?;
    case_apply_in_tx(conn, &actor, case, &CaseEvent::Report { version: None }).map(drop)
}

#[test]
fn minutes_signed_in_the_shift_count_and_those_of_an_earlier_one_do_not() {
    on_each(|db| async move {
        db.tx(|conn| {
            let world = world(conn)?;
            let (_, first) = case(conn, &world, "A1", &["1.2.3"])?;
            let (_, second) = case(conn, &world, "A2", &["1.2.4"])?;
            signed(conn, first, world.good, noon() - TimeDelta::days(1))?;
            signed(conn, second, world.good, noon() - TimeDelta::hours(1))?;
            let expected = reads::read_get(conn, second)?.expected_minutes;
            let problem = planning::snapshot(conn, world.pool, noon())?.problem;
            let done = |reader: ReaderId| problem.readers.iter().find(|one| one.id == reader.0).unwrap().done_minutes;
            assert!(expected > 0.0 && (done(world.good) - expected).abs() < 1e-9, "{}", done(world.good));
            assert!(done(world.fair).abs() < 1e-9);
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn whoever_has_signed_a_read_of_a_patient_knows_him() {
    on_each(|db| async move {
        db.tx(|conn| {
            let world = world(conn)?;
            let (_, first) = case(conn, &world, "A1", &["1.2.3"])?;
            signed(conn, first, world.fair, noon() - TimeDelta::days(40))?;
            let (again, _) = case(conn, &world, "A2", &["1.2.4"])?;
            let patient = cases::case_get(conn, again)?.patient_id;
            let problem = planning::snapshot(conn, world.pool, noon())?.problem;
            let knows = |reader: ReaderId| {
                problem.readers.iter().find(|one| one.id == reader.0).unwrap().knows_patients.contains(&patient.0)
            };
            assert!(knows(world.fair) && !knows(world.good));
            Ok(())
        })
        .await
        .unwrap();
    });
}

fn plan_and_apply(conn: &mut Connection, world: &World, at: NaiveDateTime) -> Result<Applied, StoreError> {
    let snapshot = planning::snapshot(conn, world.pool, at)?;
    let plan = dokuei_assigner::plan(&snapshot.problem, 1, &dokuei_assigner::Budget::default(), &|| false).unwrap();
    let name = planning::lease_name(world.pool);
    let fencing = leases::lease_take_in_tx(conn, &name, "test", at, TimeDelta::seconds(30))?.unwrap();
    planning::apply_in_tx(conn, &Actor::system("planner", at), &snapshot, &plan, fencing, 1)
}

#[test]
fn a_plan_that_changes_nothing_leaves_no_row() {
    on_each(|db| async move {
        db.tx(|conn| {
            let world = world(conn)?;
            let rows = |conn: &mut Connection| {
                board::board_plan_gaps(conn, &[world.pool], noon() - TimeDelta::days(1)).map(|rows| rows.len())
            };
            assert_eq!(plan_and_apply(conn, &world, noon())?.plan, None, "nothing to plan");
            case(conn, &world, "A1", &["1.2.3"])?;
            let first = plan_and_apply(conn, &world, noon())?;
            assert_eq!((first.applied, first.plan.is_some(), rows(conn)?), (1, true, 1));
            for second in [30, 60] {
                let next = plan_and_apply(conn, &world, noon() + TimeDelta::seconds(second))?;
                assert_eq!((next.applied, next.plan, rows(conn)?), (0, None, 1));
            }
            Ok(())
        })
        .await
        .unwrap();
    });
}
