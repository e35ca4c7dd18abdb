//! Rules for priors, and what decides how they are fetched, on both databases.

use dokuei_models::EndpointId;
use dokuei_models::store::priors::{self, PriorRule, PriorWay};
use dokuei_models::store::sites::{self, EndpointRow};

use super::databases::on_each;
use super::world::{self, noon};

fn rule(endpoint: EndpointId, way: PriorWay) -> PriorRule {
    PriorRule {
        endpoint_id: endpoint,
        active: true,
        most: 3,
        within_days: 100,
        same_modality: false,
        same_region: true,
        way,
        asked_at: None,
        failure: None,
    }
}

#[test]
fn a_rule_remembers_what_became_of_it_until_it_is_changed() {
    on_each(|db| async move {
        let (_, site) = db.tx(world::site).await.unwrap();
        let row = EndpointRow { site_id: site, name: "pacs".into(), ae_title: "PACS".into(), ..EndpointRow::default() };
        let pacs = db.tx(move |conn| sites::endpoint_insert_in_tx(conn, &row)).await.unwrap();
        let get = move |conn: &mut dokuei_models::Connection| Ok(priors::prior_rule_get(conn, pacs)?.unwrap());
        db.tx(move |conn| priors::prior_rule_set_in_tx(conn, &rule(pacs, PriorWay::Move))).await.unwrap();
        db.tx(move |conn| priors::prior_rule_asked_in_tx(conn, pacs, noon(), Some("ja\nen"))).await.unwrap();
        let asked = db.read(get).await.unwrap();
        assert_eq!((asked.asked_at, asked.failure.as_deref()), (Some(noon()), Some("ja\nen")));
        db.tx(move |conn| priors::prior_rule_asked_in_tx(conn, pacs, noon(), None)).await.unwrap();
        assert_eq!(db.read(get).await.unwrap().failure, None);
        db.tx(move |conn| priors::prior_rule_set_in_tx(conn, &rule(pacs, PriorWay::Get))).await.unwrap();
        assert_eq!(db.read(get).await.unwrap(), rule(pacs, PriorWay::Get));
    });
}

#[test]
fn what_a_site_has_sent_of_a_study_and_in_which_classes_is_told() {
    on_each(|db| async move {
        let (_, site) = db.tx(world::site).await.unwrap();
        let none = db.read(move |conn| priors::sop_classes_sent(conn, site)).await.unwrap();
        assert!(none.is_empty());
        for (study, sop) in [("1.2.3", "1.2.3.1.1"), ("1.2.3", "1.2.3.1.2"), ("1.2.4", "1.2.4.1.1")] {
            db.tx(move |conn| world::instance(conn, site, study, sop, sop)).await.unwrap();
        }
        let classes = db.read(move |conn| priors::sop_classes_sent(conn, site)).await.unwrap();
        assert_eq!(classes, ["1.2.840.10008.5.1.4.1.1.2"]);
        let mut uids = db.read(move |conn| priors::prior_instance_uids(conn, site, "1.2.3")).await.unwrap();
        uids.sort();
        assert_eq!(uids, ["1.2.3.1.1", "1.2.3.1.2"]);
    });
}
