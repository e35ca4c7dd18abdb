//! Late images: flagged until a version is signed by somebody who opened them.

use actix_web::http::StatusCode;
use chrono::TimeDelta;
use dokuei_models::objects::KeptObject;
use dokuei_models::state::RequestKind;
use dokuei_models::store::cases::{self, LATE_IMAGES};
use dokuei_models::store::images::{self, InstanceFacts, Kept};
use dokuei_models::store::patients::Identity;
use dokuei_models::store::studies;
use dokuei_models::{CaseId, InstanceId};
use dokuei_server::clock::Clock as _;

use super::app::{PASSWORD, TestApp};
use super::reading::{draft, sign};
use super::ward::Ward;

/// One more image of the case's study, an hour later, noted as the settling study notes it.
async fn one_more_image(app: &TestApp, ward: &Ward<'_>, case: CaseId) -> InstanceId {
    app.clock.advance(TimeDelta::hours(1));
    let (site, at) = (ward.site, app.clock.stamp());
    app.state
        .db
        .tx(move |conn| {
            let (study, _) = cases::case_study_list(conn, case)?[0];
            let row = studies::study_get(conn, study)?;
            let facts = InstanceFacts {
                identity: Identity { patient_id: row.header_patient_id.clone(), ..row.identity() },
                study_uid: row.study_uid.clone(),
                series_uid: format!("{}.77", row.study_uid),
                sop_instance_uid: format!("{}.77.1", row.study_uid),
                sop_class_uid: "1.2.840.10008.5.1.4.1.1.2".into(),
                transfer_syntax: "1.2.840.10008.1.2.1".into(),
                modality: "CT".into(),
                frames: 1,
                ..InstanceFacts::default()
            };
            let object = KeptObject { key: "k/late".into(), sha256: "7".repeat(64), size: 10 };
            let kept = images::instance_keep_in_tx(conn, site, None, &facts, &object, at)?;
            cases::case_flag_in_tx(conn, case, LATE_IMAGES, true)?;
            match kept {
                Kept::New(instance) => Ok(instance),
                other => panic!("{other:?}"),
            }
        })
        .await
        .unwrap()
}

async fn is_flagged(app: &TestApp, case: CaseId) -> bool {
    app.state.db.read(move |conn| cases::case_get(conn, case)).await.unwrap().has_flag(LATE_IMAGES)
}

#[actix_web::test]
async fn late_images_stay_flagged_until_somebody_signs_who_has_opened_them() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (reader, id) = ward.reader("night").await;
    let (case, read, _) = ward.case_for(id, RequestKind::Reading).await;
    reader.form(&format!("/reads/{read}/start"), &[]).await;
    let late = one_more_image(&app, &ward, case).await;
    draft(&reader, read, 0, "最初の所見").await;
    assert_eq!(sign(&reader, read, 1, PASSWORD).await.status, StatusCode::OK);
    assert!(is_flagged(&app, case).await, "it was signed without them");

    let reopened = reader.form(&format!("/reads/{read}/addendum"), &[("reason", "画像が追加されたため")]).await;
    let again: i64 = reopened.header("location").rsplit('/').next().unwrap().parse().unwrap();
    let seen = reader.form(&format!("/reads/{again}/views"), &[("seen", &late.to_string())]).await;
    assert_eq!(seen.status, StatusCode::NO_CONTENT, "{}", seen.body);
    draft(&reader, dokuei_models::ReadId(again), 0, "追加画像でも同様").await;
    let fields =
        [("revision", "1"), ("becomes", "addendum"), ("reason", "画像が追加されたため"), ("password", PASSWORD)];
    let signed = reader.form(&format!("/reads/{again}/sign"), &fields).await;
    assert_eq!(signed.status, StatusCode::OK, "{}", signed.body);
    assert!(!is_flagged(&app, case).await);
}

#[actix_web::test]
async fn a_new_prescreen_leaves_the_flag_as_it_is() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (_, id) = ward.reader("night").await;
    let (case, _, _) = ward.case_for(id, RequestKind::Reading).await;
    one_more_image(&app, &ward, case).await;
    let actor = dokuei_models::Actor::system("prescreen", app.clock.stamp());
    let again = move |conn: &mut dokuei_models::Connection| {
        dokuei_server::app::prescreening::prescreen_case_in_tx(conn, &actor, case)
    };
    app.state.db.tx(again).await.unwrap();
    assert!(is_flagged(&app, case).await);
}
