//! What the planner sees of the past, and what it leaves behind.

use chrono::{NaiveDateTime, TimeDelta};
use dokuei_models::objects::KeptObject;
use dokuei_models::state::{
    AssignedRead, CaseEvent, ReadEvent, ReadKind, ReadState, case_apply_in_tx, read_apply_in_tx, read_assign_in_tx,
};
use dokuei_models::store::images::{self, InstanceFacts};
use dokuei_models::store::{board, case_events, cases, leases, readers, reads, studies};
use dokuei_models::{Actor, CaseId, Connection, ReadId, ReaderId, StoreError, StudyId};
use dokuei_server::app::planning::{self, Applied};
use dokuei_server::app::signing::reopen_late_in_tx;

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
    let plan = dokuei_assigner::plan(&snapshot.problem, 1, &dokuei_assigner::Budget::default(), &|| 0.0).unwrap();
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

/// A second image of a case's study, an hour after it was signed.
fn late_image(conn: &mut Connection, world: &World, of: CaseId, at: NaiveDateTime) -> Result<StudyId, StoreError> {
    let study = cases::case_study_list(conn, of)?[0].0;
    let row = studies::study_get(conn, study)?;
    let facts = InstanceFacts {
        identity: row.identity(),
        study_uid: row.study_uid.clone(),
        series_uid: format!("{}.9", row.study_uid),
        sop_instance_uid: format!("{}.9.1", row.study_uid),
        modality: "CT".into(),
        frames: 1,
        ..InstanceFacts::default()
    };
    let object = KeptObject { key: format!("late/{of}"), sha256: format!("{of:0>64}"), size: 10 };
    images::instance_keep_in_tx(conn, world.site, None, &facts, &object, at)?;
    Ok(study)
}

/// He knows the case: nobody else begins anew while he is there. While he is away it does not wait for him.
#[test]
fn a_case_that_late_images_reopen_goes_to_its_signer_while_he_is_there_and_else_to_another() {
    on_each(|db| async move {
        db.tx(|conn| {
            let world = world(conn)?;
            let later = noon() + TimeDelta::hours(1);
            let actor = Actor::system("matcher", later);
            // The fair one signed both: by skill alone the planner would choose the other.
            let (here, first) = case(conn, &world, "A1", &["1.2.3"])?;
            let (away, second) = case(conn, &world, "A2", &["1.2.4"])?;
            signed(conn, first, world.fair, noon())?;
            signed(conn, second, world.fair, noon())?;

            let study = late_image(conn, &world, here, later)?;
            assert_eq!(reopen_late_in_tx(conn, &actor, here, study)?, Some(world.fair));
            let again = reads::read_list_of_case(conn, here)?.pop().unwrap();
            assert_eq!((again.kind, again.reader_id), (ReadKind::Reopened, Some(world.fair)));
            let seen = planning::snapshot(conn, world.pool, later)?.problem;
            let planned = seen.reads.iter().find(|read| read.id == again.id.0).unwrap();
            assert_eq!((planned.pin, planned.not_reader_of.len()), (Some(world.fair.0), 0), "the planner leaves it");

            readers::reader_presence_in_tx(conn, world.fair, false, false, later)?;
            let study = late_image(conn, &world, away, later)?;
            assert_eq!(reopen_late_in_tx(conn, &actor, away, study)?, None, "he has gone");
            let again = reads::read_list_of_case(conn, away)?.pop().unwrap();
            assert_eq!((again.kind, again.state), (ReadKind::Reopened, ReadState::Open));
            let events = case_events::case_event_list(conn, away)?;
            assert!(events.iter().any(|event| event.kind == "signer_away"), "and the history says so");
            let seen = planning::snapshot(conn, world.pool, later)?;
            let plan = dokuei_assigner::plan(&seen.problem, 1, &dokuei_assigner::Budget::default(), &|| 0.0).unwrap();
            let item = plan.items.iter().find(|item| item.read == again.id.0).expect("another reads it");
            assert_eq!(item.reader, world.good.0);
            Ok(())
        })
        .await
        .unwrap();
    });
}
