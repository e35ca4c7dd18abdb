//! Writers that wait together are committed together, and one that fails takes nobody with it.

use diesel::prelude::*;
use dokuei_models::schema::instances;
use dokuei_models::store::images::Kept;
use dokuei_models::{Db, StoreError};

use super::databases::on_each;
use super::world;

#[test]
fn a_failed_writer_undoes_itself_alone() {
    on_each(|db| async move {
        let (_, site) = db.tx(world::site).await.unwrap();
        let write = |db: Db, at: usize| async move {
            db.tx(move |conn| {
                world::instance(conn, site, "1.2.3", &format!("1.2.3.{at}"), &format!("{at:064}"))?;
                if at.is_multiple_of(3) { Err(StoreError::NotFound("anything")) } else { Ok(()) }
            })
            .await
        };
        let mut writers = tokio::task::JoinSet::new();
        for at in 0..30 {
            writers.spawn(write(db.clone(), at));
        }
        let mut failed = 0;
        while let Some(outcome) = writers.join_next().await {
            failed += usize::from(outcome.unwrap().is_err());
        }
        assert_eq!(failed, 10);
        let kept: i64 = db.read(|conn| Ok(instances::table.count().get_result(conn)?)).await.unwrap();
        assert_eq!(kept, 20);
    });
}

#[test]
fn many_associations_bring_one_study_and_every_instance_is_there_once() {
    on_each(|db| async move {
        let (_, site) = db.tx(world::site).await.unwrap();
        let mut writers = tokio::task::JoinSet::new();
        for at in 0..40 {
            let db = db.clone();
            // Each instance comes twice, over different associations.
            let which = at / 2;
            writers.spawn(async move {
                db.tx(move |conn| {
                    world::instance(conn, site, "1.2.3", &format!("1.2.3.{which}"), &format!("{which:064}"))
                })
                .await
            });
        }
        let (mut new, mut repeat) = (0, 0);
        while let Some(outcome) = writers.join_next().await {
            match outcome.unwrap() {
                Ok(Kept::New(_)) => new += 1,
                Ok(Kept::Repeat(_)) => repeat += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((new, repeat), (20, 20));
        let (study, series): (i32, i32) = db
            .read(|conn| {
                use dokuei_models::schema::{series, studies};
                Ok((
                    studies::table.select(studies::instances).first(conn)?,
                    series::table.select(series::instances).first(conn)?,
                ))
            })
            .await
            .unwrap();
        assert_eq!((study, series), (20, 20));
    });
}
