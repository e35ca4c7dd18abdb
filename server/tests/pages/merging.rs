//! What comes after a person's hand has moved things: images of a merged case, requests for old studies.

use actix_web::http::StatusCode;
use chrono::NaiveDate;
use dokuei_models::objects::KeptObject;
use dokuei_models::state::{MatchState, RequestState};
use dokuei_models::store::images::{self, InstanceFacts};
use dokuei_models::store::{cases, requests, studies};
use dokuei_models::{CaseId, Connection, StoreError, StudyId};
use dokuei_server::app::matching::{self, OLDER_THAN_LIMIT};
use dokuei_server::app::regrouping::{self, Settle};
use dokuei_server::authority::{Role, Scope};

use super::app::TestApp;
use super::pool::{World, case, identity, on_each, request, study, world};

fn current(conn: &mut Connection, case: CaseId) -> Result<Vec<StudyId>, StoreError> {
    Ok(cases::case_study_list(conn, case)?.into_iter().map(|(study, _)| study).collect())
}

#[test]
fn a_study_of_a_merged_cases_request_joins_the_case_it_was_merged_into() {
    on_each(|db| async move {
        db.tx(|conn| {
            let world = world(conn)?;
            let (first, _) = case(conn, &world, "A1", &["1.2.3"])?;
            let (second, _) = case(conn, &world, "A2", &["1.2.4"])?;
            let (third, _) = case(conn, &world, "A3", &["1.2.5"])?;
            let actor = world.actor();
            for (into, from) in [(second, first), (third, second)] {
                let into = cases::case_get(conn, into)?;
                regrouping::merge_in_tx(conn, &actor, &into, from, "同じ検査")?;
            }
            let late = study(conn, &world, "1.2.6", "A1", identity("12"))?;
            assert_eq!(regrouping::open_case_of(conn, late)?, Some(third), "two merges on");
            assert_eq!(current(conn, third)?.len(), 4);
            assert_eq!(cases::case_get(conn, first)?.merged_into_id, Some(second));
            Ok(())
        })
        .await
        .unwrap();
    });
}

/// A CT of ten years and some days before, settled.
fn old_study(conn: &mut Connection, world: &World, number: &str) -> Result<StudyId, StoreError> {
    let facts = InstanceFacts {
        identity: identity("12"),
        study_uid: "1.2.9".into(),
        series_uid: "1.2.9.1".into(),
        sop_instance_uid: "1.2.9.1.1".into(),
        sop_class_uid: "1.2.840.10008.5.1.4.1.1.2".into(),
        transfer_syntax: "1.2.840.10008.1.2.1".into(),
        accession_number: number.into(),
        study_date: NaiveDate::from_ymd_opt(2016, 3, 1),
        modality: "CT".into(),
        frames: 1,
        ..InstanceFacts::default()
    };
    let object = KeptObject { key: "k/old".into(), sha256: "0".repeat(64), size: 10 };
    let at = world.actor().at;
    let kept = images::instance_keep_in_tx(conn, world.site, None, &facts, &object, at)?;
    let images::Kept::New(instance) = kept else { panic!("a new image") };
    let study = studies::instance_get(conn, instance)?.study_id;
    studies::study_settle_in_tx(conn, study, at)?;
    Ok(study)
}

#[test]
fn a_request_for_a_study_that_is_too_old_says_so_and_is_joined_by_hand() {
    on_each(|db| async move {
        for request_first in [true, false] {
            let undone = StoreError::Rule("undone, for the next".into());
            let end = undone.clone();
            let outcome = db.tx(move |conn| {
                let world = world(conn)?;
                let actor = world.actor();
                let (asked, old) = if request_first {
                    let asked = request(conn, &world, "A9", identity("0012"))?;
                    let old = old_study(conn, &world, "A9")?;
                    assert!(matching::match_study_in_tx(conn, &actor, old)?.for_a_person);
                    (asked, old)
                } else {
                    let old = old_study(conn, &world, "A9")?;
                    assert!(!matching::match_study_in_tx(conn, &actor, old)?.for_a_person, "nobody asks for it");
                    let asked = request(conn, &world, "A9", identity("0012"))?;
                    assert!(matching::match_request_in_tx(conn, &actor, asked)?.for_a_person);
                    (asked, old)
                };
                let row = requests::request_get(conn, asked)?;
                assert_eq!((row.state, row.state_reason.as_deref()), (RequestState::Waiting, Some(OLDER_THAN_LIMIT)));
                assert_eq!(studies::study_get(conn, old)?.match_state, MatchState::Comparison);
                let join = Settle::Join { request: asked, study: old, seen: Vec::new() };
                let case = regrouping::settle_in_tx(conn, &actor, &join, "再読影")?.expect("a case");
                assert_eq!(current(conn, case)?, [old]);
                assert_eq!(requests::request_get(conn, asked)?.state_reason, None);
                Err::<(), _>(end.clone())
            });
            assert_eq!(outcome.await, Err(undone), "{request_first}");
        }
    });
}

#[actix_web::test]
async fn the_board_names_an_old_study_and_the_requests_page_offers_it() {
    let app = TestApp::init().await;
    let (world, asked) = app
        .state
        .db
        .tx(|conn| {
            let world = world(conn)?;
            let asked = request(conn, &world, "A9", identity("0012"))?;
            let old = old_study(conn, &world, "A9")?;
            matching::match_study_in_tx(conn, &world.actor(), old)?;
            Ok((world, asked))
        })
        .await
        .unwrap();
    let client = app.with_user("boss", &[(Role::Dispatcher, Scope::Pool(world.pool))]).await;
    assert!(client.get("/dispatch").await.body.contains("検査が古く比較用"));
    let page = client.get(&format!("/dispatch/requests/{asked}")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("施設の取り決めより古い") && page.body.contains("/dispatch/join"), "{}", page.body);
}
