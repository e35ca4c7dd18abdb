//! Another institution's patient: never found by his number, and only by a person's word somebody's.

use dokuei_models::objects::KeptObject;
use dokuei_models::state::{LinkState, MatchState, Whose};
use dokuei_models::store::images::{self, InstanceFacts, NewArrival};
use dokuei_models::store::patient_links::{self, NewLink};
use dokuei_models::store::patients::{self, Identity};
use dokuei_models::store::{cases, studies, submissions};
use dokuei_models::{ArrivalId, Connection, SiteId, StoreError, StudyId};

use super::databases::on_each;
use super::world;

fn medium(conn: &mut Connection, site: SiteId) -> Result<ArrivalId, StoreError> {
    let arrival = NewArrival {
        site,
        endpoint: None,
        user: None,
        via: "upload",
        whose: Whose::Elsewhere,
        calling_ae: String::new(),
        address: String::new(),
        at: world::noon(),
    };
    images::arrival_open_in_tx(conn, &arrival)
}

fn from_medium(conn: &mut Connection, site: SiteId, medium: ArrivalId, n: u32) -> Result<StudyId, StoreError> {
    let facts = InstanceFacts {
        identity: world::identity(),
        issuer: "架空第二病院".into(),
        study_uid: format!("1.9.{n}"),
        series_uid: format!("1.9.{n}.1"),
        sop_instance_uid: format!("1.9.{n}.1.1"),
        accession_number: "A1".into(),
        frames: 1,
        ..InstanceFacts::default()
    };
    let object = KeptObject { key: format!("k/{n}"), sha256: format!("{n:064}"), size: 10 };
    images::instance_keep_in_tx(conn, site, Some(medium), &facts, &object, world::noon())?;
    Ok(submissions::study_of_uid(conn, site, &facts.study_uid)?.unwrap())
}

#[test]
fn the_same_number_of_another_house_is_another_patient() {
    on_each(|db| async move {
        db.tx(|conn| {
            let (_, site) = world::site(conn)?;
            world::instance(conn, site, "1.2.3", "1.2.3.1.1", "a")?;
            let (one, two) = (medium(conn, site)?, medium(conn, site)?);
            let first = from_medium(conn, site, one, 1)?;
            let again = from_medium(conn, site, one, 2)?;
            let other = from_medium(conn, site, two, 3)?;
            let of = |conn: &mut Connection, study| Ok::<_, StoreError>(studies::study_get(conn, study)?.patient_id);
            let own = submissions::study_of_uid(conn, site, "1.2.3")?.unwrap();
            let own = of(conn, own)?;
            assert_ne!(of(conn, first)?, own, "the number is equal, the house is not");
            assert_eq!(of(conn, first)?, of(conn, again)?, "one medium, one issuer, one number");
            assert_ne!(of(conn, first)?, of(conn, other)?, "each medium is by itself until a person has spoken");
            let named = studies::study_list_waiting_for(conn, site, "A1", "1.9.1")?;
            assert!(named.is_empty(), "another house's accession number finds nothing: {named:?}");
            let seen = submissions::study_list_without_case(conn, &[site], world::noon(), 10)?;
            assert_eq!(seen.len(), 1, "only the site's own waits for a request");
            assert_eq!(seen[0].match_state, MatchState::Arriving);
            // Nor does a request of that number get him.
            let key = patients::patient_get(conn, own)?.patient_key;
            let identity = Identity { patient_id: key.clone(), ..world::identity() };
            assert_eq!(patients::patient_of_key_in_tx(conn, site, &key, &identity, world::noon())?.id, own);
            assert_eq!(patients::patient_by_key(conn, site, &key)?.unwrap().id, own);
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn a_link_is_in_force_until_it_is_undone_and_there_is_one_at_a_time() {
    on_each(|db| async move {
        db.tx(|conn| {
            let world = world::make(conn)?;
            let site = cases::case_get(conn, world.case)?.site_id;
            let own = patients::patient_by_key(conn, site, "12")?.unwrap().id;
            let cd = medium(conn, site)?;
            let study = from_medium(conn, site, cd, 1)?;
            let foreign = studies::study_get(conn, study)?.patient_id;
            assert!(patient_links::study_list_of_linked(conn, own)?.is_empty());
            let link =
                NewLink { site, foreign, own: Some(own), reason: String::new(), by: world.user, at: world::noon() };
            let id = patient_links::link_add_in_tx(conn, &link)?;
            assert!(matches!(patient_links::link_add_in_tx(conn, &link), Err(StoreError::Repeat(_))));
            let linked = patient_links::study_list_of_linked(conn, own)?;
            assert_eq!(linked.iter().map(|study| study.id).collect::<Vec<_>>(), [study]);
            patient_links::link_undo_in_tx(conn, id, world.user, "別人", world::noon())?;
            assert!(matches!(
                patient_links::link_undo_in_tx(conn, id, world.user, "別人", world::noon()),
                Err(StoreError::Repeat(_))
            ));
            assert!(patient_links::study_list_of_linked(conn, own)?.is_empty());
            let discard = NewLink { own: None, reason: "不要".into(), ..link };
            patient_links::link_add_in_tx(conn, &discard)?;
            let listed = patient_links::foreign_patient_list(conn, site, world::noon(), 10)?;
            let decided = listed[0].1.as_ref().unwrap();
            assert_eq!((decided.state, decided.own_id), (LinkState::Discarded, None));
            Ok(())
        })
        .await
        .unwrap();
    });
}
