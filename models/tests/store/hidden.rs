//! A hidden image is in no list and no count, and comes back as it was.

use dokuei_models::state::MatchState;
use dokuei_models::store::images::{self, Kept};
use dokuei_models::store::studies;
use dokuei_models::{InstanceId, StoreError};

use super::databases::on_each;
use super::world::{self, noon};

fn new_one(kept: Kept) -> InstanceId {
    match kept {
        Kept::New(id) => id,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_hidden_is_nowhere_until_it_is_shown_again() {
    on_each(|db| async move {
        let (_, site) = db.tx(world::site).await.unwrap();
        let ids: Vec<InstanceId> = db
            .tx(move |conn| {
                (0..3)
                    .map(|n| {
                        world::instance(conn, site, "1.2.3", &format!("1.2.3.{n}"), &format!("{n:064}")).map(new_one)
                    })
                    .collect()
            })
            .await
            .unwrap();
        let one = ids[0];
        let study = db.read(move |conn| studies::instance_get(conn, one)).await.unwrap().study_id;
        let look = || {
            db.read(move |conn| {
                let row = studies::study_get(conn, study)?;
                let listed = studies::instance_list(conn, study)?.len();
                let series = studies::series_list(conn, study)?.len();
                let of_patient = studies::study_list_of_patient(conn, row.patient_id)?.len();
                let waiting = studies::study_list_in(conn, MatchState::Arriving, None, 9)?.len();
                Ok((row.instances, row.series, row.modalities, listed, series, of_patient, waiting))
            })
        };
        let before = look().await.unwrap();
        assert_eq!(before, (3, 1, "CT".to_owned(), 3, 1, 1, 1));
        let hide = |of: Vec<InstanceId>| db.tx(move |conn| images::instances_hide_in_tx(conn, &of, noon()));
        assert_eq!(hide(vec![one]).await.unwrap(), [study]);
        assert_eq!(hide(vec![one]).await.unwrap(), [], "hidden once");
        assert_eq!(look().await.unwrap(), (2, 1, "CT".to_owned(), 2, 1, 1, 1));
        let gone = db.read(move |conn| studies::instance_get(conn, one)).await;
        assert!(matches!(gone, Err(StoreError::NotFound(_))));
        let again =
            db.tx(move |conn| world::instance(conn, site, "1.2.3", "1.2.3.0", &format!("{:064}", 0))).await.unwrap();
        assert_eq!(again, Kept::Repeat(one), "sent again, it stays hidden");
        hide(ids.clone()).await.unwrap();
        assert_eq!(look().await.unwrap(), (0, 0, String::new(), 0, 0, 0, 0));
        db.tx(move |conn| world::instance(conn, site, "1.2.3", "1.2.3.9", &format!("{:064}", 9))).await.unwrap();
        assert_eq!(look().await.unwrap(), (1, 1, "CT".to_owned(), 1, 1, 1, 1));
        let all = ids.clone();
        db.tx(move |conn| images::instances_show_in_tx(conn, &all)).await.unwrap();
        assert_eq!(look().await.unwrap(), (4, 1, "CT".to_owned(), 4, 1, 1, 1));
    });
}
