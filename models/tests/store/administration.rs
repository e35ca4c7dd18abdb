//! What an administrator keeps: optimistic locking, spans of days, and what stays because it was used.

use chrono::{NaiveDate, TimeDelta};
use dokuei_models::state::Place;
use dokuei_models::store::affiliations as jobs_of;
use dokuei_models::store::audit::{self, AuditQuery, Subject};
use dokuei_models::store::readers::{self, AffiliationRow, SkillCell};
use dokuei_models::store::sites::{self, ContractRow, EndpointRow, FilingRow};
use dokuei_models::store::tariffs::{self, TariffLineRow};
use dokuei_models::store::{closed_days, contracts, endpoints, filings, grants, pools, privileges, shifts};
use dokuei_models::{Connection, ContractId, SiteId, StoreError, TariffId, TariffLineId};
use dokuei_terms::{Modality, Region};

use super::databases::on_each;
use super::world;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn endpoint(site: SiteId) -> EndpointRow {
    EndpointRow {
        site_id: site,
        name: "PACS".into(),
        sends: true,
        receives: false,
        ae_title: "CLINIC_A".into(),
        host: String::new(),
        port: 0,
        addresses: "192.0.2.1".into(),
        ..EndpointRow::default()
    }
}

fn contract(site: SiteId, from: &str) -> ContractRow {
    ContractRow {
        id: ContractId(0),
        site_id: site,
        tariff_name: "standard".into(),
        from_day: day(from),
        to_day: None,
        due_stat_minutes: 60,
        due_urgent_minutes: 120,
        due_priority_minutes: 480,
        due_routine_minutes: 1440,
        price_day: "signing".into(),
        hold_stops_clock: false,
        password_each_signature: false,
    }
}

#[test]
fn a_row_that_somebody_changed_meanwhile_is_not_written_over() {
    on_each(|db| async move {
        let refused = db.tx(|conn| {
            let (_, site) = world::site(conn)?;
            let mut row = sites::site_get(conn, site)?;
            row.quiet_seconds = 7;
            sites::site_update_in_tx(conn, &row)?;
            assert_eq!(sites::site_get(conn, site)?.version, 2);
            let id = sites::endpoint_insert_in_tx(conn, &endpoint(site))?;
            let mut peer = endpoint(site);
            peer.id = id;
            peer.addresses = "192.0.2.2".into();
            endpoints::endpoint_update_in_tx(conn, &peer)?;
            endpoints::endpoint_contact_in_tx(conn, id, world::noon())?;
            let kept = sites::endpoint_list(conn, Some(site))?.remove(0);
            assert_eq!((kept.version, kept.last_contact_at), (2, Some(world::noon())), "a contact is no change");
            assert_eq!(endpoints::endpoint_update_in_tx(conn, &peer), Err(StoreError::Stale("the endpoint")));
            sites::site_update_in_tx(conn, &row)
        });
        assert_eq!(refused.await, Err(StoreError::Stale("the site")));
    });
}

#[test]
fn what_is_there_already_is_found_when_the_transaction_is_run_again() {
    on_each(|db| async move {
        db.tx(world::make).await.unwrap();
        let again = db.tx(|conn| pools::pool_insert_in_tx(conn, "pool", "群", "Pool")).await;
        assert_eq!(again, Err(StoreError::TryAgain));
        let site = db.tx(|conn| {
            let known = sites::site_by_code(conn, "a")?.unwrap();
            sites::site_insert_in_tx(conn, &known)
        });
        assert_eq!(site.await, Err(StoreError::TryAgain));
        db.tx(|conn| {
            let (pool, ..) = pools::pool_list(conn)?.remove(0);
            pools::pool_rename_in_tx(conn, pool, "新しい群", "New")
        })
        .await
        .unwrap();
        assert_eq!(db.read(pools::pool_list).await.unwrap()[0].2, "新しい群");
    });
}

#[test]
fn a_contract_that_a_case_names_stays() {
    on_each(|db| async move {
        let site = db.tx(|conn| world::make(conn).map(|_| sites::site_list(conn).map(|all| all[0].id))).await;
        let site = site.unwrap().unwrap();
        let (first, second) = db
            .tx(move |conn| {
                let first = sites::contract_insert_in_tx(conn, &contract(site, "2026-04-01"))?;
                let second = sites::contract_insert_in_tx(conn, &contract(site, "2026-10-01"))?;
                contracts::contract_end_in_tx(conn, first, Some(day("2026-09-30")))?;
                Ok((first, second))
            })
            .await
            .unwrap();
        let list = db.read(move |conn| contracts::contract_list(conn, site)).await.unwrap();
        let told: Vec<_> = list.iter().map(|(row, used)| (row.id, row.to_day, *used)).collect();
        assert_eq!(told, [(second, None, false), (first, Some(day("2026-09-30")), false)]);
        let on = db.read(move |conn| sites::contract_on(conn, site, day("2026-09-30"))).await.unwrap().unwrap();
        assert_eq!(on.id, first);
        db.tx(move |conn| contracts::contract_remove_in_tx(conn, second)).await.unwrap();
        let used = db.tx(move |conn| {
            use_contract(conn, first)?;
            assert!(contracts::contract_is_used(conn, first)?);
            contracts::contract_remove_in_tx(conn, first)
        });
        assert!(matches!(used.await, Err(StoreError::Conflict { .. })));
    });
}

/// A second case of the same request, under the contract.
fn use_contract(conn: &mut Connection, contract: ContractId) -> Result<(), StoreError> {
    use dokuei_models::store::{cases, patients, requests};
    let site = sites::contract_get(conn, contract)?.site_id;
    let pool = sites::site_get(conn, site)?.pool_id;
    let patient = patients::patient_of_key_in_tx(conn, site, "12", &world::identity(), world::noon())?;
    let request = requests::request_list_naming(conn, site, "A1", "1.2.3")?.remove(0);
    let new = cases::NewCase {
        site,
        pool,
        patient: patient.id,
        request: request.id,
        contract: Some(contract),
        priority: dokuei_terms::Priority::Routine,
        due_at: world::noon(),
        received_at: world::noon(),
        studies: Vec::new(),
        parts: Vec::new(),
        reads: Vec::new(),
    };
    cases::case_create_in_tx(conn, &world::actor(), &new).map(drop)
}

#[test]
fn a_tariff_is_rewritten_line_by_line_until_it_is_used() {
    on_each(|db| async move {
        let line = |tariff: TariffId, modality: Option<&str>, yen| TariffLineRow {
            id: TariffLineId(0),
            tariff_id: tariff,
            kind: "reading_first".into(),
            modality: modality.map(str::to_owned),
            region: None,
            priority: None,
            amount_yen: yen,
        };
        db.tx(move |conn| {
            let tariff = tariffs::tariff_insert_in_tx(conn, "standard", day("2026-04-01"), None)?;
            tariffs::tariff_line_insert_in_tx(conn, &line(tariff, None, 1000))?;
            tariffs::tariff_line_insert_in_tx(conn, &line(tariff, Some("CT"), 2500))?;
            assert_eq!(tariffs::tariff_line_remove_in_tx(conn, &line(tariff, Some("CT"), 0))?, 1);
            assert_eq!(tariffs::tariff_line_remove_in_tx(conn, &line(tariff, Some("CT"), 0))?, 0);
            let left = tariffs::tariff_line_list(conn, tariff)?;
            assert_eq!(left.iter().map(|one| one.amount_yen).collect::<Vec<_>>(), [1000]);
            assert!(!tariffs::tariff_is_used(conn, tariff)?);
            tariffs::tariff_end_in_tx(conn, tariff, Some(day("2026-09-30")))?;
            assert!(tariffs::tariff_on(conn, "standard", day("2026-10-01"))?.is_none());
            assert_eq!(tariffs::tariff_list(conn)?.len(), 1);
            tariffs::tariff_remove_in_tx(conn, tariff)?;
            assert!(tariffs::tariff_list(conn)?.is_empty());
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn what_has_ended_stands_in_the_list_and_counts_no_more() {
    on_each(|db| async move {
        db.tx(|conn| {
            let made = world::make(conn)?;
            let site = sites::site_list(conn)?[0].id;
            let [reader, other] = made.readers;
            let id = privileges::privilege_add_in_tx(conn, reader, site, day("2026-04-01"), None)?;
            assert_eq!(readers::privilege_list(conn, day("2026-05-01"))?, [(reader, site)]);
            privileges::privilege_end_in_tx(conn, reader, id, Some(day("2026-04-30")))?;
            assert!(readers::privilege_list(conn, day("2026-05-01"))?.is_empty());
            assert_eq!(privileges::privilege_list_all(conn, Some(reader))?.len(), 1);
            let strange = privileges::privilege_remove_in_tx(conn, other, id);
            assert_eq!(strange, Err(StoreError::NotFound("the privilege")), "another reader's");

            let row = AffiliationRow {
                id: 0,
                reader_id: reader,
                site_id: site,
                full_time: true,
                filed: true,
                weekly_days: 5,
                weekly_hours: 32,
                from_day: day("2026-04-01"),
                to_day: None,
            };
            let id = readers::affiliation_insert_in_tx(conn, &row)?;
            jobs_of::affiliation_end_in_tx(conn, reader, id, Some(day("2026-04-30")))?;
            assert!(readers::affiliation_list(conn, reader, day("2026-05-01"))?.is_empty());
            assert_eq!(jobs_of::affiliation_list_all(conn, None)?.len(), 1);
            jobs_of::affiliation_remove_in_tx(conn, reader, id)?;

            let (from_day, to_day) = (day("2026-04-01"), None);
            let filing =
                FilingRow { id: 0, site_id: site, kind: "addon2".into(), from_day, to_day, note: String::new() };
            let id = sites::filing_insert_in_tx(conn, &filing)?;
            filings::filing_end_in_tx(conn, site, id, Some(day("2026-04-30")))?;
            assert!(sites::filing_list_on(conn, site, day("2026-05-01"))?.is_empty());
            assert_eq!(filings::filing_list(conn, site)?.len(), 1);
            filings::filing_remove_in_tx(conn, site, id)?;

            sites::closed_day_insert_in_tx(conn, Some(site), day("2026-08-14"), "夏季休診")?;
            sites::closed_day_insert_in_tx(conn, None, day("2026-08-11"), "山の日")?;
            let own = closed_days::closed_day_list(conn, site, day("2026-01-01"))?.remove(0);
            assert_eq!(own.day, day("2026-08-14"));
            let national = closed_days::national_day_list(conn, day("2026-01-01"))?.remove(0);
            let refused = closed_days::closed_day_remove_in_tx(conn, site, national.id);
            assert_eq!(refused, Err(StoreError::NotFound("the closed day")), "the country's is nobody's to open");
            closed_days::closed_day_remove_in_tx(conn, site, own.id)
        })
        .await
        .unwrap();
    });
}

#[test]
fn a_weekly_span_that_goes_takes_its_later_shifts_along_and_ends_the_running_one() {
    on_each(|db| async move {
        db.tx(|conn| {
            let reader = world::make(conn)?.readers[0];
            let now = world::noon();
            // Noon of 1 October 2026 in Japan is a Thursday.
            for weekday in 0..7 {
                shifts::shift_pattern_add_in_tx(conn, reader, weekday, 540..1020, Place::OnSite)?;
            }
            shifts::shift_extend_in_tx(conn, now)?;
            let running = readers::shift_now(conn, reader, now)?.unwrap();
            for pattern in shifts::shift_pattern_list(conn, Some(reader))? {
                shifts::shift_pattern_remove_in_tx(conn, reader, pattern.id, now)?;
            }
            assert!(readers::shift_now(conn, reader, now)?.is_none());
            let left = readers::shift_list(conn, now - TimeDelta::days(3), now + TimeDelta::days(9))?;
            let today = left.iter().find(|shift| shift.id == running.id).unwrap();
            assert_eq!((today.ends_at, left.iter().all(|shift| shift.ends_at <= now)), (now, true));
            let gone = shifts::shift_pattern_remove_in_tx(conn, reader, 1, now);
            assert_eq!(gone, Err(StoreError::NotFound("the weekly span")));
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn a_cell_without_its_own_value_is_no_row() {
    on_each(|db| async move {
        db.tx(|conn| {
            let made = world::make(conn)?;
            let (reader, region) = (made.readers[0], "head".parse::<Region>()?);
            let cell = SkillCell { reader, region, modality: Modality::Ct, declared: 70 };
            readers::skill_set_in_tx(conn, &cell, Some(made.user), world::noon())?;
            assert_eq!(readers::skill_get(conn, reader, region, Modality::Ct)?, Some(70));
            assert_eq!(readers::skill_get(conn, reader, region, Modality::Mr)?, None);
            readers::skill_clear_in_tx(conn, reader, region, Modality::Ct)?;
            assert!(readers::skill_list(conn, Some(reader))?.is_empty());
            let mut row = readers::reader_get(conn, reader)?;
            row.pace = 1.2;
            readers::reader_update_in_tx(conn, &row)?;
            assert_eq!(readers::reader_update_in_tx(conn, &row), Err(StoreError::Stale("the reader")));
            assert_eq!(readers::reader_list_all(conn)?.len(), 2);
            assert!(grants::grant_list_all_in_force(conn, world::noon())?.is_empty());
            assert!(matches!(grants::grant_get(conn, 1), Err(StoreError::NotFound(_))));
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn the_trail_is_found_by_noun_and_outcome_and_says_how_far_it_is_sealed() {
    on_each(|db| async move {
        db.tx(|conn| {
            for (kind, outcome) in [("site", "done"), ("site", "refused"), ("endpoint", "failed")] {
                let subject = Subject::row(kind, 1, None);
                audit::append_in_tx(conn, &world::actor(), "x.y", subject, outcome, "")?;
            }
            audit::audit_seal_in_tx(conn, world::noon(), 2, audit::Span::Whole).map(drop)
        })
        .await
        .unwrap();
        let found = |kind: Option<&str>, outcome: Option<&str>| {
            let (subject_kind, outcome) = (kind.map(str::to_owned), outcome.map(str::to_owned));
            let query = AuditQuery { subject_kind, outcome, limit: 10, ..AuditQuery::default() };
            let db = db.clone();
            async move { db.read(move |conn| audit::audit_search(conn, &query)).await.unwrap().len() }
        };
        assert_eq!((found(Some("site"), None).await, found(Some("site"), Some("refused")).await), (2, 1));
        assert_eq!((found(None, Some("failed")).await, found(None, None).await), (1, 3));
        let state = db.read(audit::audit_seal_state).await.unwrap();
        assert_eq!((state.unsealed, state.head.map(|(_, _, at)| at)), (1, Some(world::noon())));
    });
}
