//! What an administrator may not pull away under open work, and what holds on both databases.

use dokuei_models::StoreError;
use dokuei_models::store::{cases, sites, tariffs};
use dokuei_server::app::closed_days;

use super::pool::{case, on_each, world};

#[test]
fn the_countrys_closed_days_are_taken_in_once() {
    on_each(|db| async move {
        db.tx(|conn| {
            let world = world(conn)?;
            let first = closed_days::national_in_tx(conn, &world.actor())?;
            assert!(first > 20, "{first}");
            assert_eq!(closed_days::national_in_tx(conn, &world.actor())?, 0);
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn open_cases_and_agreed_tariffs_are_known() {
    on_each(|db| async move {
        db.tx(|conn| {
            let world = world(conn)?;
            assert!(!sites::site_has_open_cases(conn, world.site)?);
            let (case, _) = case(conn, &world, "A1", &["1.2.3"])?;
            assert!(sites::site_has_open_cases(conn, world.site)?);
            let before = cases::case_get(conn, case)?;
            cases::case_lock_in_tx(conn, case)?;
            assert_eq!(cases::case_get(conn, case)?, before, "a lock changes nothing");
            let none = cases::case_lock_in_tx(conn, dokuei_models::CaseId(i64::MAX)).unwrap_err();
            assert!(matches!(none, StoreError::NotFound(_)));
            assert!(!tariffs::tariff_is_agreed(conn, "no such tariff")?);
            Ok(())
        })
        .await
        .unwrap();
    });
}
