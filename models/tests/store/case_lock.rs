//! Who holds a case decides alone: what another writes of it waits, and is then seen.

use std::time::Duration;

use diesel::prelude::*;
use dokuei_models::schema::cases as case_table;
use dokuei_models::store::cases;

use super::databases::on_each;
use super::world;

/// As when both readers of a double reading sign in the same instant: the second must see what the first wrote.
#[test]
fn what_the_first_holder_writes_is_seen_by_the_second() {
    on_each(|db| async move {
        let case = db.tx(|conn| Ok(world::make(conn)?.case)).await.unwrap();
        let (first, second) = (db.clone(), db.clone());
        let (held, wait) = std::sync::mpsc::channel();
        let first = tokio::spawn(async move {
            let wrote = first.tx(move |conn| {
                cases::case_lock_in_tx(conn, case)?;
                let _ = held.send(());
                std::thread::sleep(Duration::from_millis(300));
                diesel::update(case_table::table.find(case)).set(case_table::priors.eq(7)).execute(conn)?;
                Ok(())
            });
            wrote.await.unwrap();
        });
        tokio::task::spawn_blocking(move || wait.recv()).await.unwrap().unwrap();
        let seen = second.tx(move |conn| {
            cases::case_lock_in_tx(conn, case)?;
            Ok(cases::case_get(conn, case)?.priors)
        });
        assert_eq!(seen.await.unwrap(), 7);
        first.await.unwrap();
    });
}
