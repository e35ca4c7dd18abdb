//! What programs see and decide of images on their way in: arrivals, conflicts, what was kept apart, peers.

use actix_web::http::{Method, StatusCode};
use dokuei_server::authority::{Role, Scope};
use serde_json::{Value, json};

use super::api::{call, get, post, program, refusal, value};
use super::app::TestApp;
use super::asked::Signed;

#[actix_web::test]
async fn a_conflict_is_listed_looked_at_and_decided_and_a_report_in_doubt_is_named() {
    let app = TestApp::init().await;
    let of = Signed::in_app(&app).await;
    let desk = program(&app, of.desk.user.unwrap()).await;
    assert_eq!(value(&get(&desk, "/conflicts").await), json!([]));
    of.another_patients().await;
    let listed = value(&get(&desk, "/conflicts").await);
    assert_eq!((&listed[0]["study"], &listed[0]["headers"]), (&json!(of.study.0), &json!(3)), "{listed}");
    assert_eq!(listed[0]["identity"], json!(["patient"]));
    let path = format!("/conflicts/{}", of.study);
    let sheet = value(&get(&desk, &path).await);
    assert_eq!(sheet["withdrawal_asked"], json!([of.case.0]), "{sheet}");
    let tags: Vec<&str> = sheet["fields"].as_array().unwrap().iter().filter_map(|one| one["tag"].as_str()).collect();
    assert_eq!(tags, ["00100020"]);
    let versions: Vec<&Value> = sheet["waiting"].as_array().unwrap().iter().map(|pair| &pair["came"]["id"]).collect();
    let body = json!({ "versions": versions, "decision": "keep" });
    assert_eq!(post(&desk, &format!("{path}/decide"), body).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let body = json!({ "versions": versions, "decision": "keep", "reason": "施設に確認" });
    assert_eq!(post(&desk, &format!("{path}/decide"), body.clone()).await.status, StatusCode::NO_CONTENT);
    assert_eq!(refusal(&post(&desk, &format!("{path}/decide"), body).await), "already_done");
    assert_eq!(value(&get(&desk, "/conflicts").await), json!([]));
    // Taken back, the report is in doubt again, and a dispatcher says that it stands.
    let undo = post(&desk, &format!("{path}/undo"), json!({ "versions": versions })).await;
    assert_eq!(undo.status, StatusCode::NO_CONTENT, "{}", undo.body);
    let answer = format!("/cases/{}/withdrawal", of.case);
    let stand = post(&desk, &answer, json!({ "answer": "stand", "reason": "番号の訂正のみ" })).await;
    assert_eq!(stand.status, StatusCode::NO_CONTENT, "{}", stand.body);
    let again = json!({ "answer": "withdraw", "reason": "x", "confirm": true });
    assert_eq!(refusal(&post(&desk, &answer, again).await), "already_done");
}

#[actix_web::test]
async fn arrivals_are_seen_with_their_evidence_and_a_site_takes_images_back() {
    let app = TestApp::init().await;
    let of = Signed::in_app(&app).await;
    let desk = program(&app, of.desk.user.unwrap()).await;
    let list = value(&get(&desk, "/arrivals").await);
    assert_eq!((&list[0]["study"], &list[0]["completeness"]["received"]), (&json!(of.study.0), &json!(3)), "{list}");
    assert!(list[0]["patient_id"].is_string() && list[0]["completeness"]["evidence"][0]["kind"].is_string(), "{list}");
    let admin = app.administrator("chief").await;
    let admin = program(&app, admin.user.unwrap()).await;
    assert!(value(&get(&admin, "/arrivals").await)[0]["patient_id"].is_null(), "an administrator sees no patient");
    let clerk = app.with_user("clerk", &[(Role::SiteClerk, Scope::Site(of.ward.site))]).await;
    let clerk = program(&app, clerk.user.unwrap()).await;
    assert_eq!(refusal(&get(&clerk, "/arrivals").await), "not_allowed");
    let path = format!("/portal/arrivals/{}", of.study);
    let sheet = value(&get(&clerk, &path).await);
    let image = sheet["series"][0]["images"][0].clone();
    let none = json!({ "images": [], "reason": "x" });
    assert_eq!(refusal(&post(&clerk, &format!("{path}/withdraw"), none).await), "form_invalid");
    let body = json!({ "images": [image], "reason": "左右の誤り" });
    assert_eq!(post(&clerk, &format!("{path}/withdraw"), body).await.status, StatusCode::NO_CONTENT);
    let sheet = value(&get(&clerk, &path).await);
    assert_eq!(
        (&sheet["withdrawals"][0]["images"], sheet["withdrawals"][0]["undone"].as_bool()),
        (&json!(1), Some(false))
    );
    let undo = format!("/portal/withdrawals/{}/undo", sheet["withdrawals"][0]["id"]);
    assert_eq!(post(&clerk, &undo, Value::Null).await.status, StatusCode::NO_CONTENT);
    let whole = format!("/arrivals/{}/whole", of.study);
    assert_eq!(post(&desk, &whole, json!({ "reason": "施設に確認" })).await.status, StatusCode::NO_CONTENT);
}

#[actix_web::test]
async fn peers_are_watched_and_given_a_rule_for_priors() {
    let app = TestApp::init().await;
    let of = Signed::in_app(&app).await;
    let admin = app.administrator("chief").await;
    let admin = program(&app, admin.user.unwrap()).await;
    let peers = value(&get(&admin, "/peers").await);
    let id = peers[0]["endpoint"]["id"].as_i64().unwrap();
    assert_eq!(peers[0]["endpoint"]["ae_title"], "HOSPITAL_A");
    assert_eq!(value(&get(&admin, &format!("/peers/{id}")).await)["commitments"], json!([]));
    let path = format!("/peers/{id}/priors");
    assert_eq!(value(&get(&admin, &path).await), Value::Null, "it has none");
    let wrong = json!({ "active": true, "most": 99, "within_days": 365 });
    assert_eq!(refusal(&call(&admin, Method::PUT, &path, wrong).await), "form_invalid");
    let mut rule =
        json!({ "active": true, "most": 3, "within_days": 365, "same_modality": true, "same_region": false });
    for (given, kept) in [(Value::Null, "move"), (json!("get"), "get")] {
        if !given.is_null() {
            rule["way"] = given;
        }
        assert_eq!(call(&admin, Method::PUT, &path, rule.clone()).await.status, StatusCode::NO_CONTENT);
        let mut whole = rule.clone();
        (whole["way"], whole["asked_at"], whole["failure"]) = (json!(kept), Value::Null, Value::Null);
        assert_eq!(value(&get(&admin, &path).await), whole);
    }
    rule["way"] = json!("push");
    assert_eq!(refusal(&call(&admin, Method::PUT, &path, rule).await), "form_invalid");
    let desk = program(&app, of.desk.user.unwrap()).await;
    assert_eq!(refusal(&get(&desk, "/peers").await), "not_allowed");
}
