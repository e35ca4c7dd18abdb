//! The API where a person decides what belongs together, and where scanned forms come and go.

use actix_web::http::{Method, StatusCode};
use dokuei_models::CaseId;
use dokuei_models::store::quarantine;
use dokuei_server::authority::{Role, Scope};
use dokuei_server::clock::Clock as _;
use serde_json::{Value, json};

use super::api::{call, get, post, program, refusal, value};
use super::app::{Client, TestApp};
use super::pool::{World, case, identity, request, study, world};
use super::ward::Ward;

async fn house() -> (TestApp, World, CaseId) {
    let app = TestApp::init().await;
    let (world, case) = app
        .state
        .db
        .tx(|conn| {
            let world = world(conn)?;
            let (case, _) = case(conn, &world, "ACC-77", &["1.2.3", "1.2.4"])?;
            Ok((world, case))
        })
        .await
        .unwrap();
    (app, world, case)
}

async fn dispatcher<'a>(app: &'a TestApp, scope: Scope) -> Client<'a> {
    let user = app.add_user("haishin", &[(Role::Dispatcher, scope)]).await;
    program(app, user).await
}

async fn studies_of(client: &Client<'_>, case: CaseId) -> Vec<i64> {
    let sheet = value(&get(client, &format!("/cases/{case}")).await);
    let mut ids: Vec<i64> =
        sheet["studies"].as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect();
    ids.sort_unstable();
    ids
}

#[actix_web::test]
async fn a_program_moves_studies_between_cases_and_corrects_parts() {
    let (app, world, case) = house().await;
    let client = dispatcher(&app, Scope::Pool(world.pool)).await;
    let both = studies_of(&client, case).await;
    assert_eq!(both.len(), 2);
    let path = |study: i64, act: &str| format!("/cases/{case}/studies/{study}/{act}");
    assert_eq!(post(&client, &path(both[1], "detach"), Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(studies_of(&client, case).await, both[..1]);
    assert_eq!(refusal(&post(&client, &path(both[0], "detach"), Value::Null).await), "last_study");
    let odd = post(&client, &path(both[1], "attach"), json!({ "seen": ["hat"] })).await;
    assert_eq!(refusal(&odd), "form_invalid");
    assert_eq!(post(&client, &path(both[1], "attach"), json!({})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(studies_of(&client, case).await, both);

    assert_eq!(post(&client, &path(both[1], "split"), Value::Null).await.status, StatusCode::NO_CONTENT);
    let other = value(&get(&client, &format!("/cases/{case}")).await)["siblings"][0].as_i64().unwrap();
    let merge = format!("/cases/{case}/merge");
    assert_eq!(refusal(&post(&client, &merge, json!({ "from": other })).await), "form_invalid", "a reason is needed");
    let merged = post(&client, &merge, json!({ "from": other, "reason": "同じ依頼" })).await;
    assert_eq!(merged.status, StatusCode::NO_CONTENT, "{}", merged.body);
    assert_eq!(studies_of(&client, case).await, both);

    let parts = format!("/cases/{case}/parts");
    let body = |region: &str| json!({ "parts": [{ "region": region, "modality": "CT" }], "reason": "確認済み" });
    assert_eq!(refusal(&call(&client, Method::PUT, &parts, body("tail")).await), "form_invalid");
    assert_eq!(call(&client, Method::PUT, &parts, body("abdomen")).await.status, StatusCode::NO_CONTENT);
    let sheet = value(&get(&client, &format!("/cases/{case}")).await);
    assert_eq!((sheet["parts"].as_array().unwrap().len(), &sheet["parts"][0]["region"]), (1, &json!("abdomen")));
}

#[actix_web::test]
async fn a_program_settles_what_found_no_partner_and_another_pools_finds_nothing() {
    let (app, world, _) = house().await;
    let (loose, asked, unwanted) = app
        .state
        .db
        .tx(move |conn| {
            let asked = request(conn, &world, "ACC-90", identity("0012"))?;
            let loose = study(conn, &world, "1.2.9", "", identity("12"))?;
            let unwanted = request(conn, &world, "ACC-91", identity("0012"))?;
            Ok((loose, asked, unwanted))
        })
        .await
        .unwrap();
    let joint = json!({ "study": loose, "request": asked });
    let stranger = {
        let pool = app.state.db.tx(|conn| dokuei_models::store::sites::pool_insert_in_tx(conn, "b", "乙", "B")).await;
        let user = app.add_user("tonari", &[(Role::Dispatcher, Scope::Pool(pool.unwrap()))]).await;
        program(&app, user).await
    };
    assert_eq!(post(&stranger, "/unmatched/join", joint.clone()).await.status, StatusCode::NOT_FOUND);
    let client = dispatcher(&app, Scope::Pool(world.pool)).await;
    let opened = value(&post(&client, "/unmatched/join", joint).await)["case"].as_i64().unwrap();
    assert!(studies_of(&client, CaseId(opened)).await.contains(&loose.0));
    let withdraw = format!("/unmatched/requests/{unwanted}/withdraw");
    assert_eq!(refusal(&post(&client, &withdraw, json!({})).await), "form_invalid");
    let gone = value(&post(&client, &withdraw, json!({ "reason": "検査中止" })).await);
    assert_eq!(gone["case"], Value::Null);
    let keep = format!("/unmatched/studies/{loose}/keep");
    let late = post(&client, &keep, json!({ "reason": "比較用" })).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "it has its case: {}", late.body);
}

#[actix_web::test]
async fn a_program_sees_what_needs_a_person_and_resolves_what_was_kept_apart() {
    let (app, world, _) = house().await;
    let at = app.clock.stamp();
    let kept = app
        .state
        .db
        .tx(move |conn| {
            quarantine::refusal_record_in_tx(conn, "STRANGER", "DOKUEI", "192.0.2.9", "calling_unknown", at)?;
            let object = dokuei_models::objects::KeptObject { key: "k".into(), sha256: "0".repeat(64), size: 7 };
            quarantine::quarantine_keep_in_tx(conn, world.site, None, "unreadable", "", "", &object, at)?;
            Ok(quarantine::quarantine_list_open(conn, &[world.site], 1)?.0.remove(0).id)
        })
        .await
        .unwrap();
    let client = dispatcher(&app, Scope::Pool(world.pool)).await;
    let trouble = value(&get(&client, "/trouble").await);
    assert_eq!(trouble["refusals"][0]["calling_ae"], "STRANGER");
    assert_eq!(
        (trouble["quarantine"][0]["id"].as_i64(), &trouble["quarantine"][0]["reason"]),
        (Some(kept), &json!("unreadable"))
    );
    let resolve = format!("/quarantine/{kept}/resolve");
    assert_eq!(refusal(&post(&client, &resolve, json!({})).await), "form_invalid");
    assert_eq!(post(&client, &resolve, json!({ "reason": "再送を依頼" })).await.status, StatusCode::NO_CONTENT);
    assert_eq!(value(&get(&client, "/trouble").await)["quarantine"], json!([]));
}

#[actix_web::test]
async fn a_scanned_form_comes_after_its_request_and_only_its_site_has_it() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let doctor = program(&app, ward.doctor).await;
    let request = json!({
        "patient_id": "0012", "name_kanji": "架空 花子", "birth_date": "1960-04-01", "sex": "F",
        "accession_number": "A-77", "ordering_user": ward.doctor, "exam": "胸部 CT", "question": "肺塞栓の有無",
        "kind": "reading", "source": "ward", "priority": "routine",
    });
    let made = value(&post(&doctor, &format!("/portal/sites/{}/requests", ward.site), request).await);
    let path = format!("/api/v1/portal/requests/{}/forms", made["request"]);
    let headers = [("content-type", "application/octet-stream"), ("x-file-name", "%E4%BE%9D%E9%A0%BC%E7%A5%A8.pdf")];
    let words = doctor.send(Method::POST, &path, &headers, "only words").await;
    assert_eq!(refusal(&words), "form_invalid");
    let scan = "%PDF-1.7\n% invented\n%%EOF\n";
    let kept = value(&doctor.send(Method::POST, &path, &headers, scan).await)["id"].as_i64().unwrap();
    let dossier = value(&get(&doctor, &format!("/portal/requests/{}", made["request"])).await);
    assert!(dossier.to_string().contains("依頼票.pdf"), "{dossier}");
    let back = get(&doctor, &format!("/portal/forms/{kept}")).await;
    assert_eq!(
        (back.status, back.body.as_str(), back.header("content-type")),
        (StatusCode::OK, scan, "application/pdf")
    );
    for _ in 0..4 {
        assert_eq!(doctor.send(Method::POST, &path, &headers, scan).await.status, StatusCode::CREATED);
    }
    assert_eq!(refusal(&doctor.send(Method::POST, &path, &headers, scan).await), "form_invalid", "five at the most");

    let elsewhere = super::accounts::add_site(&app, "施設B").await;
    let user = app.add_user("tanin", &[(Role::SiteDoctor, Scope::Site(elsewhere))]).await;
    let stranger = program(&app, user).await;
    assert_eq!(get(&stranger, &format!("/portal/forms/{kept}")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(stranger.send(Method::POST, &path, &headers, scan).await.status, StatusCode::NOT_FOUND);
}
