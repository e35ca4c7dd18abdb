//! Clocks that people wait by: when a report is owed, when a read must be started, and what a hold does to both.

use chrono::{NaiveDate, TimeDelta};
use dokuei_models::state::{AssignedRead, HoldActor, ReadState, read_assign_in_tx};
use dokuei_models::store::readers;
use dokuei_models::store::sites::{self, ContractRow};
use dokuei_models::store::{case_events, cases, reads};
use dokuei_models::{Actor, CaseId, Connection, ContractId, ReadId, ReaderId, StoreError};
use dokuei_server::app::overriding::{self, Decision};
use dokuei_server::app::planning;
use dokuei_server::config::Work;
use dokuei_server::work::watch;
use dokuei_terms::Priority;

use super::pool::{World, case, noon, on_each, world};

fn limits() -> Work {
    Work {
        slots: 1,
        poll_seconds: 1,
        lease_seconds: 60,
        start_stat_minutes: 10,
        start_urgent_minutes: 60,
        start_priority_minutes: 240,
        start_routine_minutes: 720,
        sweep_orphans: true,
        echo_minutes: 5,
    }
}

fn minutes(many: i64) -> chrono::NaiveDateTime {
    noon() + TimeDelta::minutes(many)
}

fn assign(conn: &mut Connection, read: ReadId, reader: ReaderId) -> Result<(), StoreError> {
    let seen_version = reads::read_get(conn, read)?.version;
    let item = AssignedRead { read, seen_version, reader, plan: None, place_in_list: 10, explanation: "{}".into() };
    read_assign_in_tx(conn, &Actor::system("test", noon()), &item)
}

/// What the watch does `many` minutes after noon; the read's state then.
fn watched(conn: &mut Connection, read: ReadId, many: i64) -> Result<ReadState, StoreError> {
    watch::round_in_tx(conn, &Actor::system("watch", minutes(many)), &limits())?;
    Ok(reads::read_get(conn, read)?.state)
}

/// Whom the next plan gives the read to, `many` minutes after noon.
fn planned(conn: &mut Connection, world: &World, read: ReadId, many: i64) -> Result<Option<ReaderId>, StoreError> {
    let problem = planning::snapshot(conn, world.pool, minutes(many))?.problem;
    let plan = dokuei_assigner::plan(&problem, 1, &dokuei_assigner::Budget::default(), &|| 0.0).unwrap();
    Ok(plan.items.iter().find(|item| item.read == read.0).map(|item| ReaderId(item.reader)))
}

/// A stat case on the good reader's list since noon.
fn stat(conn: &mut Connection) -> Result<(World, CaseId, ReadId), StoreError> {
    let world = world(conn)?;
    let (case, read) = case(conn, &world, "A1", &["1.2.3"])?;
    let row = cases::case_get(conn, case)?;
    overriding::decide_in_tx(conn, &world.actor(), &row, Decision::Prioritise(Priority::Stat), "電話で依頼")?;
    assign(conn, read, world.good)?;
    Ok((world, case, read))
}

#[test]
fn a_read_not_started_in_time_goes_to_another_and_comes_back_only_later() {
    on_each(|db| async move {
        db.tx(|conn| {
            let (world, case, read) = stat(conn)?;
            assert_eq!(watched(conn, read, 9)?, ReadState::Assigned);
            assert_eq!(watched(conn, read, 10)?, ReadState::Open);
            let row = reads::read_get(conn, read)?;
            assert_eq!((row.reader_id, row.missed_starts, row.missed_by), (None, 1, Some(world.good)));
            assert_eq!(planned(conn, &world, read, 11)?, Some(world.fair), "the better reader has just left it");
            assert_eq!(planned(conn, &world, read, 75)?, Some(world.good));
            let events = case_events::case_event_list(conn, case)?;
            let told = events.iter().find(|event| event.kind == "read_not_started").expect("the history tells it");
            assert!(told.data.contains(&format!("\"reader\":{}", world.good)), "{}", told.data);
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn a_routine_read_has_longer_than_a_stat_one() {
    on_each(|db| async move {
        db.tx(|conn| {
            let world = world(conn)?;
            let (_, read) = case(conn, &world, "A1", &["1.2.3"])?;
            assign(conn, read, world.good)?;
            assert_eq!(watched(conn, read, 600)?, ReadState::Assigned);
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn the_only_reader_who_can_gets_it_again() {
    on_each(|db| async move {
        db.tx(|conn| {
            let (world, _, read) = stat(conn)?;
            readers::reader_presence_in_tx(conn, world.fair, false, false, noon())?;
            assert_eq!(watched(conn, read, 10)?, ReadState::Open);
            assert_eq!(planned(conn, &world, read, 11)?, Some(world.good));
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn a_pinned_read_that_is_not_started_stays_and_alarms() {
    on_each(|db| async move {
        db.tx(|conn| {
            let (world, case, read) = stat(conn)?;
            let row = cases::case_get(conn, case)?;
            let pin = Decision::Pin { read, reader: world.good };
            overriding::decide_in_tx(conn, &world.actor(), &row, pin, "指名")?;
            assert_eq!(watched(conn, read, 30)?, ReadState::Assigned);
            assert_eq!(reads::read_get(conn, read)?.waiting_reason.as_deref(), Some("not_started"));
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn the_time_to_start_stands_still_while_the_case_is_held() {
    on_each(|db| async move {
        db.tx(|conn| {
            let (world, case, read) = stat(conn)?;
            let by = |at| Actor::person(world.user, "chief", "", at);
            let hold = Decision::Hold { actor: HoldActor::Dispatcher, until: minutes(120) };
            let row = cases::case_get(conn, case)?;
            overriding::decide_in_tx(conn, &by(minutes(5)), &row, hold, "確認中")?;
            assert_eq!(watched(conn, read, 60)?, ReadState::Assigned, "a held read is left alone");
            let row = cases::case_get(conn, case)?;
            overriding::decide_in_tx(conn, &by(minutes(60)), &row, Decision::Release, "確認済み")?;
            assert_eq!(watched(conn, read, 64)?, ReadState::Assigned, "five minutes were left");
            assert_eq!(watched(conn, read, 65)?, ReadState::Open);
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn the_time_to_start_runs_only_while_the_reader_is_there() {
    on_each(|db| async move {
        db.tx(|conn| {
            let (world, _, read) = stat(conn)?;
            readers::reader_presence_in_tx(conn, world.good, false, false, minutes(5))?;
            assert_eq!(watched(conn, read, 40)?, ReadState::Assigned, "whoever is away misses nothing");
            readers::reader_presence_in_tx(conn, world.good, true, false, minutes(50))?;
            assert_eq!(watched(conn, read, 59)?, ReadState::Assigned);
            assert_eq!(watched(conn, read, 60)?, ReadState::Open);
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn a_hold_moves_the_due_time_once_and_only_where_the_contract_says_so() {
    on_each(|db| async move {
        db.tx(|conn| {
            let world = world(conn)?;
            for (number, stops) in [("A1", true), ("A2", false)] {
                let contract = ContractRow {
                    id: ContractId(0),
                    site_id: world.site,
                    tariff_name: "standard".into(),
                    from_day: NaiveDate::from_ymd_opt(2026, 3, if stops { 1 } else { 2 }).unwrap(),
                    to_day: None,
                    due_stat_minutes: 60,
                    due_urgent_minutes: 120,
                    due_priority_minutes: 480,
                    due_routine_minutes: 1440,
                    price_day: "signing".into(),
                    hold_stops_clock: stops,
                    password_each_signature: false,
                };
                sites::contract_insert_in_tx(conn, &contract)?;
                let (case, _) = case(conn, &world, number, &[if stops { "1.2.3" } else { "1.2.4" }])?;
                let before = cases::case_get(conn, case)?;
                let hold = Decision::Hold { actor: HoldActor::Site, until: minutes(60) };
                overriding::decide_in_tx(conn, &world.actor(), &before, hold, "確認中")?;
                let held = cases::case_get(conn, case)?;
                let later = Actor::person(world.user, "chief", "", minutes(25));
                overriding::decide_in_tx(conn, &later, &held, Decision::Release, "確認済み")?;
                let after = cases::case_get(conn, case)?;
                let moved = if stops { TimeDelta::minutes(25) } else { TimeDelta::zero() };
                assert_eq!(after.due_at - before.due_at, moved, "{number}");
            }
            Ok(())
        })
        .await
        .unwrap();
    });
}
