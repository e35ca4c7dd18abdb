//! The administrator's pages for sites: what is entered there is what the house works by.

use actix_web::http::{Method, StatusCode};
use dokuei_models::store::audit::{self, AuditQuery};
use dokuei_models::store::sites::{EndpointRow, NameForm, PeerTls, SiteRow};
use dokuei_models::store::{sites, tariffs};
use dokuei_models::{Actor, SiteId};
use dokuei_server::app::accounts;
use dokuei_server::authority::{Role, Scope};
use dokuei_server::error::codes::{admin as codes, common};
use serde_json::{Value, json};

use super::app::{Answer, Client, TestApp};

/// The last number of where an answer leads: the row that was made.
pub fn made(answer: &Answer) -> i64 {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let path = answer.header("location").split('#').next().unwrap().to_owned();
    path.rsplit('/').next().unwrap().parse().unwrap()
}

pub const SITE: [(&str, &str); 12] = [
    ("code", "clinic_a"),
    ("name_ja", "架空クリニック"),
    ("refers", "true"),
    ("insured", "true"),
    ("institution_code", "1312345678"),
    ("patient_id_rule", "ignore_zeros"),
    ("orphan_rule", "default_request"),
    ("orphan_wait_minutes", "30"),
    ("comparison_after_days", "1095"),
    ("quiet_seconds", "5"),
    ("active", "true"),
    ("email", "clinic@example.invalid"),
];

pub fn with<'a>(fields: &[(&'a str, &'a str)], changed: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = fields.iter().filter(|(name, _)| !changed.iter().any(|(other, _)| other == name));
    kept.chain(changed).copied().collect()
}

async fn site_row(app: &TestApp, id: i64) -> SiteRow {
    app.state.db.read(move |conn| sites::site_get(conn, SiteId(id))).await.unwrap()
}

async fn endpoints(app: &TestApp) -> Vec<EndpointRow> {
    app.state.db.read(|conn| sites::endpoint_list(conn, None)).await.unwrap()
}

pub async fn actions(app: &TestApp, action: &'static str) -> Vec<audit::AuditRow> {
    let query = AuditQuery { action: Some(action.to_owned()), limit: 50, ..AuditQuery::default() };
    app.state.db.read(move |conn| audit::audit_search(conn, &query)).await.unwrap()
}

#[actix_web::test]
async fn a_wrong_site_is_shown_again_with_what_was_typed_and_every_fault() {
    let app = TestApp::init().await;
    let chief = app.administrator("chief").await;
    let empty = chief.get("/admin/sites").await;
    assert!(empty.body.contains("施設がまだありません"), "{}", empty.body);
    let wrong = [("institution_code", "131234567"), ("quiet_seconds", "soon"), ("code", "病院"), ("name_ja", "<b>")];
    let refused = chief.form("/admin/sites", &with(&SITE, &wrong)).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    for shown in [codes::INSTITUTION_CODE.ja, codes::CODE_LETTERS.ja, common::FIELD_INVALID.ja, "131234567", "soon"] {
        assert!(refused.body.contains(shown), "{shown} is not shown");
    }
    assert!(refused.body.contains("&lt;b&gt;") && !refused.body.contains("value=\"<b>"));
    assert!(app.state.db.read(sites::site_list).await.unwrap().is_empty());

    let id = made(&chief.form("/admin/sites", &SITE).await);
    let row = site_row(&app, id).await;
    assert_eq!((row.code.as_str(), row.quiet_seconds, row.reads, row.demo), ("clinic_a", 5, false, false));
    let again = chief.form("/admin/sites", &SITE).await;
    assert!(again.status == StatusCode::UNPROCESSABLE_ENTITY && again.body.contains("code"), "{}", again.body);
    let sheet = chief.get(&format!("/admin/sites/{id}")).await;
    assert!(sheet.body.contains("1312345678") && sheet.body.contains("DOKUEI"), "{}", sheet.body);
    assert!(chief.get("/admin/sites?q=CLINIC").await.body.contains("架空クリニック"));
    assert!(!chief.get("/admin/sites?q=nowhere").await.body.contains("架空クリニック"));
}

#[actix_web::test]
async fn whoever_changes_a_site_that_somebody_else_changed_is_told_and_the_trail_tells_what_changed() {
    let app = TestApp::init().await;
    let chief = app.administrator("chief").await;
    let id = made(&chief.form("/admin/sites", &SITE).await);
    let path = format!("/admin/sites/{id}");
    let pool = site_row(&app, id).await.pool_id.to_string();
    let seen = [("version", "1"), ("pool", pool.as_str())];
    let notes = ("standing_notes", "造影剤の既往を確認");
    let changed = chief.form(&path, &with(&SITE, &[seen[0], seen[1], ("quiet_seconds", "90"), notes])).await;
    assert_eq!(changed.status, StatusCode::SEE_OTHER, "{}", changed.body);
    let late = chief.form(&path, &with(&SITE, &[seen[0], seen[1], ("quiet_seconds", "7")])).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert_eq!(site_row(&app, id).await.quiet_seconds, 90);
    let told = actions(&app, "site.change").await.remove(0);
    assert!(told.detail.contains("\"quiet_seconds\":[\"5\",\"90\"]"), "{}", told.detail);
    assert!(told.detail.contains("standing_notes") && !told.detail.contains("造影剤"), "{}", told.detail);
    assert_eq!((told.subject_id, told.site_id), (Some(id), Some(SiteId(id))));
}

#[actix_web::test]
async fn only_an_administrator_of_the_whole_house_keeps_it() {
    let app = TestApp::init().await;
    let chief = app.administrator("chief").await;
    let id = made(&chief.form("/admin/sites", &SITE).await);
    let pool = site_row(&app, id).await.pool_id;
    let part = app.with_user("part", &[(Role::Administrator, Scope::Pool(pool))]).await;
    for path in ["/admin/sites".to_owned(), "/admin/users".to_owned(), format!("/admin/sites/{id}")] {
        assert_eq!(part.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(part.form("/admin/sites", &with(&SITE, &[("code", "other")])).await.status, StatusCode::NOT_FOUND);
    let clerk = app.with_user("clerk", &[(Role::Billing, Scope::All)]).await;
    assert_eq!(clerk.form("/admin/sites", &SITE).await.status, StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn an_endpoint_is_named_by_its_title_and_address_and_answers_an_echo_or_says_why_not() {
    let app = TestApp::init().await;
    let chief = app.administrator("chief").await;
    let site = made(&chief.form("/admin/sites", &SITE).await).to_string();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let peer = [
        ("site", site.as_str()),
        ("name", "PACS"),
        ("ae_title", "CLINIC_A"),
        ("sends", "true"),
        ("addresses", "127.0.0.1, 10.1.0.0/16"),
        ("receives", "true"),
        ("host", "127.0.0.1"),
        ("port", closed.as_str()),
        ("active", "true"),
    ];
    for (field, wrong, code) in [
        ("ae_title", "SEVENTEEN_LETTERS", &codes::AE_TITLE),
        ("ae_title", "読影", &codes::AE_TITLE),
        ("addresses", "hospital", &codes::ADDRESSES),
        ("addresses", "", &codes::ADDRESSES),
        ("port", "70000", &codes::PORT),
        ("host", "", &codes::HOST),
        ("certificate_sha256", "AB:CD", &codes::FINGERPRINT),
        ("tls", "perhaps", &common::FIELD_INVALID),
        ("character_set", "ISO 2022 IR 66", &common::FIELD_INVALID),
        ("name_form", "hangul", &common::FIELD_INVALID),
    ] {
        let refused = chief.form("/admin/endpoints", &with(&peer, &[(field, wrong)])).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{field} {wrong}");
        assert!(refused.body.contains(code.ja), "{field} {wrong}: {}", refused.body);
    }
    let digest = ["0A"; 32].join(":");
    let settings = [
        ("queries", "true"),
        ("tls", "required"),
        ("certificate_sha256", digest.as_str()),
        ("character_set", "\\ISO 2022 IR 87"),
        ("name_form", "kana"),
        ("watched", "true"),
    ];
    let viewer = with(&with(&peer, &settings), &[("ae_title", "VIEWER"), ("addresses", "10.9.0.1")]);
    assert_eq!(chief.form("/admin/endpoints", &viewer).await.status, StatusCode::SEE_OTHER);
    let row = endpoints(&app).await.remove(0);
    assert!(row.queries && row.watched);
    assert_eq!((row.tls, row.name_form), (PeerTls::Required, NameForm::Kana));
    assert_eq!((row.certificate_sha256, row.character_set.as_str()), ("0a".repeat(32), "\\ISO 2022 IR 87"));
    let shown = chief.get(&format!("/admin/endpoints/{}", row.id)).await.body;
    for chosen in ["<option value=\"required\" selected>", "<option value=\"kana\" selected>"] {
        assert!(shown.contains(chosen), "{shown}");
    }
    let kept = chief.form("/admin/endpoints", &peer).await;
    assert_eq!(kept.header("location"), format!("/admin/sites/{site}#endpoints"));
    let ambiguous = chief.form("/admin/endpoints", &with(&peer, &[("addresses", "10.1.2.3"), ("name", "CT")])).await;
    assert!(ambiguous.body.contains(codes::AE_TITLE_TAKEN.ja), "images would belong to either");
    let row = endpoints(&app).await.remove(1);
    assert_eq!((row.addresses.as_str(), row.ae_title.as_str()), ("127.0.0.1,10.1.0.0/16", "CLINIC_A"));

    let echo = format!("/admin/endpoints/{}/echo", row.id);
    let silent = fragment(&chief, &echo).await;
    assert!(silent.body.contains("応答なし") && silent.body.contains(&closed), "{}", silent.body);
    let row = endpoints(&app).await.remove(1);
    assert!(row.last_error.is_some() && row.last_contact_at.is_none());

    let gateway = super::first_case::Gateway::start(&app, "CLINIC_A").await;
    let port = gateway.port.to_string();
    let seen = row.version.to_string();
    let moved = with(&peer, &[("port", &port), ("version", &seen)]);
    let moved = chief.form(&format!("/admin/endpoints/{}", row.id), &moved).await;
    assert_eq!(moved.status, StatusCode::SEE_OTHER, "{}", moved.body);
    let stranger = fragment(&chief, &echo).await;
    assert!(stranger.body.contains("DOKUEI"), "the peer does not know us, which is said: {}", stranger.body);
    let own = [("site", site.as_str()), ("ae_title", "DOKUEI"), ("name", "self"), ("receives", "false"), ("host", "")];
    let own = with(&with(&peer, &own), &[("port", "")]);
    let own: Vec<_> = own.into_iter().filter(|(name, _)| *name != "receives").collect();
    assert_eq!(chief.form("/admin/endpoints", &own).await.status, StatusCode::SEE_OTHER);
    let answered = fragment(&chief, &echo).await;
    assert!(answered.body.contains("応答あり") && answered.body.contains(" ms"), "{}", answered.body);
    let row = endpoints(&app).await.remove(1);
    assert!(row.last_error.is_none() && row.last_contact_at.is_some());
    let outcomes: Vec<String> = actions(&app, "endpoint.echo").await.into_iter().map(|row| row.outcome).collect();
    assert_eq!(outcomes, ["done", "failed", "failed"]);
}

pub async fn fragment(client: &Client<'_>, path: &str) -> Answer {
    let headers = [("hx-request", "true"), ("x-csrf-token", client.csrf.as_str())];
    client.send(Method::POST, path, &headers, "").await
}

#[actix_web::test]
async fn a_contract_begins_on_a_day_and_ends_the_one_before_on_the_eve() {
    let app = TestApp::init().await;
    let chief = app.administrator("chief").await;
    let site = made(&chief.form("/admin/sites", &SITE).await);
    let path = format!("/admin/sites/{site}/contracts");
    let terms = [
        ("tariff_name", "標準"),
        ("from_day", "2026-04-01"),
        ("due_stat_minutes", "60"),
        ("due_urgent_minutes", "120"),
        ("due_priority_minutes", "480"),
        ("due_routine_minutes", "1440"),
        ("price_day", "receipt"),
    ];
    let unknown = htmx(&chief, &path, &terms).await;
    assert!(unknown.body.contains(codes::TARIFF_UNKNOWN.ja), "{}", unknown.body);
    let tariff = made(&chief.form("/admin/tariffs", &[("name", "標準"), ("from_day", "2026-04-01")]).await);
    assert_eq!(chief.form(&path, &terms).await.status, StatusCode::SEE_OTHER);
    let next = chief.form(&path, &with(&terms, &[("from_day", "2026-06-01"), ("due_stat_minutes", "30")])).await;
    assert_eq!(next.status, StatusCode::SEE_OTHER, "{}", next.body);
    let on = |day: &str| {
        let (day, db) = (day.parse().unwrap(), app.state.db.clone());
        async move { db.read(move |conn| sites::contract_on(conn, SiteId(site), day)).await.unwrap().unwrap() }
    };
    let (before, after) = (on("2026-05-31").await, on("2026-06-01").await);
    assert_eq!((before.due_stat_minutes, after.due_stat_minutes), (60, 30));
    assert_eq!(before.to_day, "2026-05-31".parse().ok());
    let day = [("to_day", "2026-07-31")];
    let into_the_next = htmx(&chief, &format!("/admin/contracts/{}/end", before.id), &day).await;
    assert!(into_the_next.body.contains(codes::DAYS_OVERLAP.ja), "{}", into_the_next.body);
    let reversed = htmx(&chief, &format!("/admin/contracts/{}/end", after.id), &[("to_day", "2026-05-01")]).await;
    assert!(reversed.body.contains(codes::DAYS_REVERSED.ja), "{}", reversed.body);
    let removed = chief.form(&format!("/admin/contracts/{}/remove", after.id), &[]).await;
    assert_eq!(removed.status, StatusCode::SEE_OTHER, "nobody used it");

    let price = [("modality", "CT"), ("first", "2500"), ("further", "1500"), ("reader", "1200")];
    assert_eq!(chief.form(&format!("/admin/tariffs/{tariff}/prices"), &price).await.status, StatusCode::SEE_OTHER);
    let wrong = htmx(&chief, &format!("/admin/tariffs/{tariff}/prices"), &[("first", "-1")]).await;
    assert!(wrong.body.contains(codes::AMOUNT.ja), "{}", wrong.body);
    let shown = chief.get(&format!("/admin/tariffs/{tariff}")).await;
    assert!(shown.body.contains("value=\"2500\"") && shown.body.contains("value=\"1200\""), "{}", shown.body);
    let second = made(&chief.form(&format!("/admin/tariffs/{tariff}/next"), &[("from_day", "2026-10-01")]).await);
    let lines = app.state.db.read(move |conn| tariffs::tariff_line_list(conn, dokuei_models::TariffId(second))).await;
    assert_eq!(lines.unwrap().len(), 3, "a new version begins with the lines of the one before");
}

/// A small form of a sheet, as htmx sends it.
pub async fn htmx(client: &Client<'_>, path: &str, fields: &[(&str, &str)]) -> Answer {
    let body: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={}", super::app::percent(value))).collect();
    let headers = [
        ("hx-request", "true"),
        ("x-csrf-token", client.csrf.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    client.send(Method::POST, path, &headers, &body.join("&")).await
}

#[actix_web::test]
async fn filings_and_closed_days_stand_on_the_sites_page_until_they_end() {
    let app = TestApp::init().await;
    let chief = app.administrator("chief").await;
    let site = made(&chief.form("/admin/sites", &SITE).await);
    let path = format!("/admin/sites/{site}");
    let filing = [("kind", "addon2"), ("from_day", "2026-04-01"), ("note", "受理 第1号")];
    assert_eq!(chief.form(&format!("{path}/filings"), &filing).await.status, StatusCode::SEE_OTHER);
    let twice = htmx(&chief, &format!("{path}/filings"), &filing).await;
    assert!(twice.body.contains(codes::DAYS_OVERLAP.ja), "{}", twice.body);
    let on = |day: &str| {
        let (day, db) = (day.parse().unwrap(), app.state.db.clone());
        async move { db.read(move |conn| sites::filing_list_on(conn, SiteId(site), day)).await.unwrap() }
    };
    let row = on("2026-09-01").await.remove(0);
    chief.form(&format!("{path}/filings/{}/end", row.id), &[("to_day", "2026-08-31")]).await;
    assert!(on("2026-09-01").await.is_empty() && on("2026-08-31").await.len() == 1);

    let closed = [("from_day", "2026-08-12"), ("to_day", "2026-08-15"), ("name", "夏季休診")];
    assert_eq!(chief.form(&format!("{path}/days"), &closed).await.status, StatusCode::SEE_OTHER);
    let from = "2026-08-01".parse().unwrap();
    let days = app.state.db.read(move |conn| sites::closed_days(conn, SiteId(site), from)).await.unwrap();
    assert!(days.contains(&"2026-08-14".parse().unwrap()), "its own");
    assert!(days.contains(&"2026-09-21".parse().unwrap()), "and the country's, which came with the first site");
    assert!(chief.get(&path).await.body.contains("夏季休診"));
}

/// A program of an administrator's, with its bearer token.
async fn program<'a>(app: &'a TestApp, chief: &Client<'_>) -> Client<'a> {
    let by = Actor::system("test", app.state.now());
    let mut client = app.anonymous();
    let token = accounts::create_token(&app.state, chief.user.unwrap(), "program", None, by).await.unwrap();
    client.bearer = Some(token);
    client
}

async fn call(client: &Client<'_>, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
    let headers = [("accept", "application/json"), ("content-type", "application/json")];
    let answer = client.send(method, &format!("/api/v1{path}"), &headers, &body.to_string()).await;
    (answer.status, serde_json::from_str(&answer.body).unwrap_or_default())
}

#[actix_web::test]
async fn a_program_sets_a_site_up_as_a_person_does() {
    let app = TestApp::init().await;
    let chief = app.administrator("chief").await;
    let program = program(&app, &chief).await;
    let site = json!({
        "code": "clinic_b", "name_ja": "架空第二", "refers": true, "active": true, "patient_id_rule": "pad",
        "pad_width": 8, "orphan_rule": "wait", "orphan_wait_minutes": 30, "comparison_after_days": 1095,
        "quiet_seconds": 60,
    });
    let mut wrong = site.clone();
    wrong["quiet_seconds"] = json!("soon");
    wrong["pad_width"] = json!(65);
    let (status, problem) = call(&program, Method::POST, "/sites", &wrong).await;
    let fields: Vec<&str> =
        problem["fields"].as_array().unwrap().iter().map(|one| one["field"].as_str().unwrap()).collect();
    assert_eq!((status, fields), (StatusCode::UNPROCESSABLE_ENTITY, vec!["pad_width", "quiet_seconds"]));
    let (status, made) = call(&program, Method::POST, "/sites", &site).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let path = format!("/sites/{}", made["id"]);
    let (_, read) = call(&program, Method::GET, &path, &Value::Null).await;
    assert_eq!((read["patient_id_rule"].as_str(), read["version"].as_i64()), (Some("pad:8"), Some(1)));
    let mut changed = site;
    changed["version"] = json!(1);
    changed["pool"] = read["pool"].clone();
    changed["quiet_seconds"] = json!(20);
    assert_eq!(call(&program, Method::PUT, &path, &changed).await.0, StatusCode::NO_CONTENT);
    assert_eq!(call(&program, Method::PUT, &path, &changed).await.0, StatusCode::CONFLICT, "the version was seen");

    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let peer = json!({
        "name": "PACS", "ae_title": "CLINIC_B", "sends": true, "addresses": "192.0.2.0/24", "receives": true,
        "host": "127.0.0.1", "port": closed, "active": true,
    });
    let (status, made) = call(&program, Method::POST, &format!("{path}/endpoints"), &peer).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let (status, echo) = call(&program, Method::POST, &format!("/endpoints/{}/echo", made["id"]), &Value::Null).await;
    assert_eq!((status, echo["answered"].as_bool()), (StatusCode::OK, Some(false)), "{echo}");
    let (_, peers) = call(&program, Method::GET, &format!("{path}/endpoints"), &Value::Null).await;
    assert!(peers[0]["last_error"].as_str().unwrap().contains(&closed.to_string()), "{peers}");

    let user = json!({ "login": "night2", "name_ja": "見本 夜", "role": "reader", "scope": "all" });
    let (status, user) = call(&program, Method::POST, "/users", &user).await;
    assert_eq!(status, StatusCode::CREATED, "{user}");
    app.sign_in("night2", user["password"].as_str().unwrap()).await;
    let (_, users) = call(&program, Method::GET, "/users", &Value::Null).await;
    assert!(users.as_array().unwrap().iter().any(|one| one["login"] == "night2" && one["roles"][0] == "reader"));
}
