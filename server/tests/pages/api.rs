//! The API as a program sees it: the document is what is routed, and a token reaches as far as its user.

use std::collections::BTreeSet;

use actix_web::http::{Method, StatusCode};
use chrono::TimeDelta;
use dokuei_models::state::{CaseState, RequestKind};
use dokuei_models::store::{audit, cases, sites};
use dokuei_models::{Actor, UserId};
use dokuei_server::app::accounts;
use dokuei_server::authority::{Role, Scope};
use dokuei_server::clock::Clock as _;
use dokuei_server::http::{self, api};
use serde_json::{Value, json};

use super::app::{Answer, Client, PASSWORD, TestApp};
use super::ward::Ward;

/// A program that holds a token of this user, and nothing else.
pub async fn program<'a>(app: &'a TestApp, user: UserId) -> Client<'a> {
    let by = Actor::system("test", app.clock.stamp());
    let mut client = app.anonymous();
    client.bearer = Some(accounts::create_token(&app.state, user, "program", None, by).await.unwrap());
    client
}

pub async fn call(client: &Client<'_>, method: Method, path: &str, body: Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let headers = [("accept", "application/json"), ("content-type", "application/json")];
    client.send(method, &format!("/api/v1{path}"), &headers, &body).await
}

pub async fn get(client: &Client<'_>, path: &str) -> Answer {
    call(client, Method::GET, path, Value::Null).await
}

pub async fn post(client: &Client<'_>, path: &str, body: Value) -> Answer {
    call(client, Method::POST, path, body).await
}

pub fn value(answer: &Answer) -> Value {
    assert!(answer.status.is_success(), "{}: {}", answer.status, answer.body);
    serde_json::from_str(&answer.body).unwrap()
}

/// The code of a refusal, which is a problem document.
pub fn refusal(answer: &Answer) -> String {
    assert_eq!(answer.header("content-type"), "application/problem+json", "{}: {}", answer.status, answer.body);
    let problem: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(problem["status"].as_u64(), Some(u64::from(answer.status.as_u16())));
    problem["code"].as_str().unwrap().to_owned()
}

#[test]
fn the_document_names_every_api_route_and_no_other() {
    let document = serde_json::to_value(api::document()).unwrap();
    let mut described = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            described.insert((path.clone(), method.to_uppercase()));
            let holes: BTreeSet<&str> =
                path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
            let none = Vec::new();
            let named: BTreeSet<&str> = operation["parameters"]
                .as_array()
                .unwrap_or(&none)
                .iter()
                .filter(|one| one["in"] == "path")
                .map(|one| one["name"].as_str().unwrap())
                .collect();
            assert_eq!(named, holes, "{method} {path}: the path's parameters");
            assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{method} {path}");
        }
    }
    let routed: BTreeSet<(String, String)> = http::all_routes()
        .table()
        .into_iter()
        .filter(|line| line.path.starts_with("/api/"))
        .map(|line| (line.path, line.method.to_string()))
        .collect();
    assert!(routed.len() > 40, "the API is there");
    assert_eq!(described, routed);
}

#[test]
fn every_operation_has_its_own_name_and_every_shape_that_is_named_exists() {
    let document = serde_json::to_value(api::document()).unwrap();
    let mut ids = BTreeSet::new();
    for operations in document["paths"].as_object().unwrap().values() {
        for operation in operations.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} is there twice");
            assert!(operation["responses"]["default"]["content"]["application/problem+json"].is_object(), "{id}");
        }
    }
    let text = document.to_string();
    for part in text.split("\"$ref\":\"#").skip(1) {
        let pointer = part.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer} is missing");
    }
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    assert_eq!(document["security"], json!([{ "bearer": [] }]));
}

#[actix_web::test]
async fn the_document_is_served_to_whoever_asks_and_the_rest_is_not() {
    let app = TestApp::init().await;
    let nobody = app.anonymous();
    let document = value(&get(&nobody, "/openapi.json").await);
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    let refused = get(&nobody, "/me").await;
    assert_eq!((refused.status, refusal(&refused).as_str()), (StatusCode::UNAUTHORIZED, "sign_in_first"));
    let mut forged = app.anonymous();
    forged.bearer = Some("dokuei_of-nobody".to_owned());
    assert_eq!(get(&forged, "/me").await.status, StatusCode::UNAUTHORIZED);
}

#[actix_web::test]
async fn a_token_of_a_reader_cannot_read_billing() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (reader, _) = ward.reader("night").await;
    let reader = program(&app, reader.user.unwrap()).await;
    let me = value(&get(&reader, "/me").await);
    assert_eq!((me["login"].as_str(), &me["rights"]), (Some("night"), &json!(["read", "see_reads"])));
    for path in ["/billing/2026-04", "/billing/2026-04/export.csv", "/audit", "/board"] {
        let refused = get(&reader, path).await;
        assert_eq!((refused.status, refusal(&refused).as_str()), (StatusCode::FORBIDDEN, "not_allowed"), "{path}");
    }
    let clerk = app.add_user("clerk", &[(Role::Billing, Scope::All)]).await;
    let clerk = program(&app, clerk).await;
    assert_eq!(value(&get(&clerk, "/billing/2026-04").await)["month"], "2026-04");
    assert_eq!(refusal(&get(&clerk, "/billing/April").await), "bad_request");
}

#[actix_web::test]
async fn a_sites_token_gets_404_for_another_sites_case() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (_, id) = ward.reader("night").await;
    let (case, ..) = ward.case_for(id, RequestKind::Reading).await;
    let other = super::accounts::add_site(&app, "施設B").await;
    let stranger = app.add_user("stranger", &[(Role::SiteDoctor, Scope::Site(other))]).await;
    let (own, stranger) = (program(&app, ward.doctor).await, program(&app, stranger).await);

    let path = format!("/portal/cases/{case}");
    let dossier = value(&get(&own, &path).await);
    assert_eq!(
        (dossier["case"]["id"].as_i64(), dossier["progress"]["steps"].as_array().unwrap().len()),
        (Some(case.0), 5)
    );
    let refused = get(&stranger, &path).await;
    assert_eq!((refused.status, refusal(&refused).as_str()), (StatusCode::NOT_FOUND, "not_found"));
    assert!(!refused.body.contains("肺炎"), "nothing of the case is told");
    let asked = post(&stranger, &format!("{path}/answer"), json!({ "answer": "いいえ" })).await;
    assert_eq!(asked.status, StatusCode::NOT_FOUND);
    let request = dossier["request"]["id"].as_i64().unwrap();
    assert_eq!(get(&stranger, &format!("/portal/requests/{request}")).await.status, StatusCode::NOT_FOUND);
    let foreign = post(&stranger, &format!("/portal/sites/{}/requests", ward.site), json!({})).await;
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    let shown = value(&get(&own, "/portal/requests").await);
    assert_eq!(shown.as_array().unwrap().iter().filter(|line| line["case"] == case.0).count(), 1);
}

#[actix_web::test]
async fn a_program_sends_a_request_and_hears_which_fields_are_wrong() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let doctor = program(&app, ward.doctor).await;
    let path = format!("/portal/sites/{}/requests", ward.site);
    let refused = post(&doctor, &path, json!({ "patient_id": "0012" })).await;
    assert_eq!((refused.status, refusal(&refused).as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "form_invalid"));
    assert!(refused.body.contains("\"field\":\"question\""), "{}", refused.body);
    let request = json!({
        "patient_id": "0012", "name_kanji": "架空 花子", "birth_date": "1960-04-01", "sex": "F",
        "accession_number": "A-77", "ordering_user": ward.doctor, "exam": "胸部 CT", "question": "肺塞栓の有無",
        "kind": "reading", "source": "ward", "priority": "routine",
    });
    let made = post(&doctor, &path, request).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let id = value(&made)["request"].as_i64().unwrap();
    let dossier = value(&get(&doctor, &format!("/portal/requests/{id}")).await);
    assert_eq!(
        (dossier["request"]["accession_number"].as_str(), dossier["may_cancel"].as_bool(), &dossier["case"]),
        (Some("A-77"), Some(true), &Value::Null)
    );
    let cancel = format!("/portal/requests/{id}/cancel");
    assert_eq!(refusal(&post(&doctor, &cancel, json!({})).await), "form_invalid");
    assert_eq!(post(&doctor, &cancel, json!({ "reason": "重複" })).await.status, StatusCode::NO_CONTENT);
    assert_eq!(value(&get(&doctor, &format!("/portal/requests/{id}")).await)["request"]["state"], "cancelled");
}

#[actix_web::test]
async fn a_program_takes_a_case_from_the_worklist_to_a_signed_report_that_the_site_fetches() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (reader, id) = ward.reader("night").await;
    let (case, read, images) = ward.case_for(id, RequestKind::Reading).await;
    let reader = program(&app, reader.user.unwrap()).await;
    let listing = value(&get(&reader, &format!("/reads/{read}/images")).await);
    assert!(listing.to_string().contains(&format!("\"id\":{}", images[1])), "{listing}");
    let frame =
        |frame: u32| format!("/reads/{read}/images/{}/frames/{frame}/png?center=40&width=400&max=64", images[1]);
    let png = get(&reader, &frame(0)).await;
    assert_eq!((png.status, png.header("content-type")), (StatusCode::OK, "image/png"), "{}", png.body);
    assert_eq!(get(&reader, &frame(9)).await.status, StatusCode::UNPROCESSABLE_ENTITY);

    let list = value(&get(&reader, "/worklist").await);
    assert_eq!(list["reads"][0]["read"]["id"], read.0);
    assert_eq!(list["reads"][0]["read"]["explanation"]["winner"]["skill"], 80.0);
    let draft = |revision: i32, findings: &str| {
        let body = json!({ "revision": revision, "findings": findings, "impression": "肺炎の疑い" });
        let (reader, path) = (reader.clone(), format!("/reads/{read}/draft"));
        async move { call(&reader, Method::PUT, &path, body).await }
    };
    assert_eq!(draft(0, "早すぎ").await.status, StatusCode::CONFLICT, "the read is not started");
    assert_eq!(post(&reader, &format!("/reads/{read}/start"), Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(value(&draft(0, "右下葉に浸潤影").await)["revision"], 1);
    let late = draft(0, "別の文面").await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.body.contains("右下葉に浸潤影"), "what the other window wrote: {}", late.body);

    let room = value(&get(&reader, &format!("/reads/{read}")).await);
    assert_eq!((room["editable"].as_bool(), room["draft"]["revision"].as_i64()), (Some(true), Some(1)));
    let sheet = value(&get(&reader, &format!("/reads/{read}/sign")).await);
    assert_eq!((sheet["needs_password"].as_bool(), sheet["empty"].as_bool()), (Some(true), Some(false)));
    let sign = format!("/reads/{read}/sign");
    for (body, code) in [
        (json!({ "revision": 1 }), "signing_password_needed"),
        (json!({ "revision": 1, "password": "wrong password" }), "password_wrong"),
        (json!({ "revision": 0, "password": PASSWORD }), "draft_stale"),
        (json!({ "revision": 1, "password": PASSWORD, "choices": ["both"] }), "form_invalid"),
    ] {
        assert_eq!(refusal(&post(&reader, &sign, body).await), code);
    }
    let signed = post(&reader, &sign, json!({ "revision": 1, "password": PASSWORD })).await;
    assert_eq!(signed.status, StatusCode::CREATED, "{}", signed.body);
    let version = value(&signed)["id"].as_i64().unwrap();
    let state = app.state.db.read(move |conn| cases::case_get(conn, case)).await.unwrap().state;
    assert_eq!(state, CaseState::Reported);

    let doctor = program(&app, ward.doctor).await;
    let reports = value(&get(&doctor, "/portal/reports").await);
    assert_eq!(reports[0]["version"]["id"], version);
    for (who, path) in [
        (&doctor, format!("/portal/versions/{version}/report.pdf")),
        (&reader, format!("/reads/{read}/versions/{version}/report.pdf")),
    ] {
        let file = get(who, &path).await;
        assert_eq!((file.status, file.header("content-type")), (StatusCode::OK, "application/pdf"));
        assert!(file.body.starts_with("%PDF-"));
    }
    let dossier = value(&get(&doctor, &format!("/portal/cases/{case}")).await);
    assert!(dossier["versions"][0]["recipients"][0]["opened_at"].is_string(), "opening is a fact: {dossier}");
    let early = post(&doctor, &format!("/portal/versions/{version}/accept"), Value::Null).await;
    assert_eq!(refusal(&early), "report_not_returned");
}

#[actix_web::test]
async fn a_dispatchers_program_finds_a_case_decides_on_it_and_takes_it_back() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (_, id) = ward.reader("night").await;
    let (case, read, _) = ward.case_for(id, RequestKind::Reading).await;
    let user = app.add_user("dispatcher", &[(Role::Dispatcher, Scope::Pool(ward.pool))]).await;
    let dispatcher = program(&app, user).await;

    let found = value(&post(&dispatcher, "/cases/search", json!({ "text": "A1" })).await);
    assert_eq!(found["cases"][0]["case"]["id"], case.0);
    let board = value(&get(&dispatcher, "/board").await);
    assert_eq!((board["lanes"][1]["lane"].as_str(), board["lanes"][1]["count"].as_i64()), (Some("ready"), Some(1)));

    let pin = format!("/cases/{case}/reads/{read}/pin");
    let refused = post(&dispatcher, &pin, json!({ "reader": id })).await;
    assert_eq!(refusal(&refused), "form_invalid", "a decision has a reason");
    let pinned = post(&dispatcher, &pin, json!({ "reader": id, "reason": "前回も担当" })).await;
    assert_eq!(pinned.status, StatusCode::NO_CONTENT, "{}", pinned.body);
    let sheet = value(&get(&dispatcher, &format!("/cases/{case}")).await);
    let one = &sheet["overrides"][0];
    assert_eq!((one["kind"].as_str(), one["reason"].as_str()), (Some("pin"), Some("前回も担当")));
    assert!(sheet["reads"][0]["read"]["explanation"].is_object(), "{sheet}");
    let undo = format!("/cases/{case}/overrides/{}/undo", one["id"]);
    assert_eq!(post(&dispatcher, &undo, Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(refusal(&post(&dispatcher, &undo, Value::Null).await), "already_done");

    let hold = json!({ "reason": "画像待ち", "actor": "site", "minutes": 30 });
    assert_eq!(post(&dispatcher, &format!("/cases/{case}/hold"), hold).await.status, StatusCode::NO_CONTENT);
    assert_eq!(value(&get(&dispatcher, &format!("/cases/{case}")).await)["case"]["state"], "on_hold");
    let pool = app.state.db.tx(|conn| sites::pool_insert_in_tx(conn, "other", "別の群", "Other")).await.unwrap();
    let elsewhere = app.add_user("elsewhere", &[(Role::Dispatcher, Scope::Pool(pool))]).await;
    let elsewhere = program(&app, elsewhere).await;
    assert_eq!(get(&elsewhere, &format!("/cases/{case}")).await.status, StatusCode::NOT_FOUND);
    let release = post(&elsewhere, &format!("/cases/{case}/release"), json!({ "reason": "x" })).await;
    assert_eq!(release.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn a_security_officers_program_searches_the_trail_and_sees_that_its_seals_hold() {
    let app = TestApp::init().await;
    let user = app.add_user("officer", &[(Role::SecurityOfficer, Scope::All)]).await;
    let officer = program(&app, user).await;
    let at = app.clock.stamp();
    app.state.db.tx(move |conn| audit::audit_seal_in_tx(conn, at, 1000, audit::Span::Recent)).await.unwrap();
    app.clock.advance(TimeDelta::minutes(1));
    let rows = value(&get(&officer, "/audit?action=api_token").await);
    assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
    assert_eq!(rows[0]["action"], "api_token.create");
    let seals = value(&get(&officer, "/audit/seals").await);
    assert_eq!((seals["intact"].as_bool(), seals["head"]["seal"].as_i64()), (Some(true), Some(1)));
    let looked = value(&get(&officer, "/audit?action=audit.").await);
    let actions: Vec<&str> = looked.as_array().unwrap().iter().map(|row| row["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["audit.verify", "audit.search"], "looking leaves rows as well");
}
