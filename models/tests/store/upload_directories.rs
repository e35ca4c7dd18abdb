//! What the directory of a medium names and did not come, on both databases.

use dokuei_models::state::Whose;
use dokuei_models::store::images::{self, NewArrival};
use dokuei_models::store::upload_directories::{self, NamedStudy};

use super::databases::on_each;
use super::world::{self, noon};

#[test]
fn what_two_directories_of_an_upload_name_of_a_study_is_one_list() {
    on_each(|db| async move {
        let (_, site) = db.tx(world::site).await.unwrap();
        let open = move |conn: &mut dokuei_models::Connection| {
            let new = NewArrival {
                site,
                endpoint: None,
                user: None,
                via: "upload",
                whose: Whose::Ours,
                calling_ae: String::new(),
                address: "192.0.2.1".into(),
                at: noon(),
            };
            images::arrival_open_in_tx(conn, &new)
        };
        let (upload, other) = (db.tx(open).await.unwrap(), db.tx(open).await.unwrap());
        let study = |uid: &str, instances: &[&str]| NamedStudy {
            study_uid: uid.into(),
            date: "20261001".into(),
            description: "CHEST".into(),
            instances: instances.iter().map(|one| (*one).to_owned()).collect(),
        };
        let directories = [
            vec![study("1.2", &["1.2.1", "1.2.2"]), study("1.3", &["1.3.1"])],
            vec![study("1.2", &["1.2.2", "1.2.3"])],
        ];
        for named in directories {
            db.tx(move |conn| upload_directories::directory_keep_in_tx(conn, upload, &named)).await.unwrap();
        }
        let missing = db.read(move |conn| upload_directories::directory_missing(conn, site, upload)).await.unwrap();
        let counts: Vec<_> = missing.iter().map(|study| (study.named, study.missing)).collect();
        assert_eq!(counts, [(3, 3), (1, 1)]);
        let none = db.read(move |conn| upload_directories::directory_missing(conn, site, other)).await.unwrap();
        assert!(none.is_empty());
    });
}
