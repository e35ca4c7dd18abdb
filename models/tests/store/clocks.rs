//! A hold stops clocks, whoever ends it.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;
use dokuei_models::schema::{cases as case_table, contracts, reads as read_table};
use dokuei_models::state::{CaseEvent, CaseState, HoldActor, ReadState, case_apply_in_tx};
use dokuei_models::store::{case_events, cases, read_clocks, reads};
use dokuei_models::{Actor, Connection, ContractId, SiteId, StoreError};

use super::databases::on_each;
use super::world::{self, World, noon};

fn at(minutes: i64) -> NaiveDateTime {
    noon() + TimeDelta::minutes(minutes)
}

fn contract(conn: &mut Connection, world: &World, hold_stops_clock: bool) -> Result<(), StoreError> {
    let site: SiteId = case_table::table.find(world.case).select(case_table::site_id).first(conn)?;
    let id: ContractId = diesel::insert_into(contracts::table)
        .values((
            contracts::site_id.eq(site),
            contracts::tariff_name.eq("t"),
            contracts::from_day.eq(noon().date()),
            contracts::due_stat_minutes.eq(60),
            contracts::due_urgent_minutes.eq(60),
            contracts::due_priority_minutes.eq(60),
            contracts::due_routine_minutes.eq(60),
            contracts::price_day.eq("signing"),
            contracts::hold_stops_clock.eq(hold_stops_clock),
            contracts::password_each_signature.eq(false),
        ))
        .returning(contracts::id)
        .get_result(conn)?;
    diesel::update(case_table::table.find(world.case))
        .set((case_table::contract_id.eq(Some(id)), case_table::state.eq(CaseState::Ready)))
        .execute(conn)?;
    Ok(())
}

/// Holds at noon and releases 25 minutes later, as the site's answer does.
fn held_for_25_minutes(conn: &mut Connection, world: &World) -> Result<CaseState, StoreError> {
    let hold = CaseEvent::Hold { reason: "question".into(), actor: HoldActor::Site, until: at(60) };
    case_apply_in_tx(conn, &Actor::system("test", noon()), world.case, &hold)?;
    case_apply_in_tx(
        conn,
        &Actor::system("test", at(25)),
        world.case,
        &CaseEvent::Release { reason: "answered".into() },
    )
}

#[test]
fn a_release_gives_the_held_time_back_where_the_contract_says_so() {
    on_each(|db| async move {
        for stops in [true, false] {
            let undone = StoreError::Rule("undone, for the next".into());
            let end = undone.clone();
            let outcome = db.tx(move |conn| {
                let world = world::make(conn)?;
                contract(conn, &world, stops)?;
                let due = cases::case_get(conn, world.case)?.due_at;
                assert_eq!(held_for_25_minutes(conn, &world)?, CaseState::Ready);
                let moved = cases::case_get(conn, world.case)?.due_at - due;
                assert_eq!(moved, if stops { TimeDelta::minutes(25) } else { TimeDelta::zero() });
                let told = case_events::case_event_list(conn, world.case)?;
                let told = told.iter().filter(|event| event.data.contains("hold_stopped_the_clock")).count();
                assert_eq!(told, usize::from(stops), "and the history says why");
                Err::<(), _>(end.clone())
            });
            assert_eq!(outcome.await, Err(undone));
        }
    });
}

#[test]
fn a_claim_and_a_wait_have_as_long_after_a_hold_as_they_had_before() {
    on_each(|db| async move {
        db.tx(|conn| {
            let world = world::make(conn)?;
            contract(conn, &world, false)?;
            diesel::update(read_table::table.find(world.read))
                .set((
                    read_table::state.eq(ReadState::InProgress),
                    read_table::reader_id.eq(Some(world.readers[0])),
                    read_table::heartbeat_at.eq(Some(at(-10))),
                    read_table::clock_from.eq(Some(at(-4))),
                ))
                .execute(conn)?;
            held_for_25_minutes(conn, &world)?;
            let read = reads::read_get(conn, world.read)?;
            assert_eq!((read.heartbeat_at, read.clock_from), (Some(at(15)), Some(at(21))));
            let silent = |conn: &mut Connection, now: i64| {
                read_clocks::read_list_stale(conn, at(now) - TimeDelta::minutes(15)).map(|stale| stale.len())
            };
            assert_eq!(silent(conn, 26)?, 0, "ten of fifteen minutes were used when it was held");
            assert_eq!(silent(conn, 31)?, 1);
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn a_page_that_was_heard_of_during_the_hold_counts_from_then() {
    on_each(|db| async move {
        db.tx(|conn| {
            let world = world::make(conn)?;
            diesel::update(read_table::table.find(world.read))
                .set((read_table::state.eq(ReadState::InProgress), read_table::heartbeat_at.eq(Some(at(20)))))
                .execute(conn)?;
            read_clocks::clocks_resume_in_tx(conn, world.case, noon(), at(25))?;
            assert_eq!(reads::read_get(conn, world.read)?.heartbeat_at, Some(at(20)));
            Ok(())
        })
        .await
        .unwrap();
    });
}
