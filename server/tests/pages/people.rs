//! The administrator's pages for users and readers, the skill table's cells, and the audit trail's page.

use actix_web::http::StatusCode;
use dokuei_models::store::{audit, grants, readers, sites};
use dokuei_server::authority::{Role, Scope};
use dokuei_server::error::codes::{admin as codes, common};

use super::admin::{SITE, actions, fragment, htmx, made, with};
use super::app::{Client, PASSWORD, TestApp};
use super::ward::Ward;

#[actix_web::test]
async fn a_user_gets_one_password_that_is_shown_once_and_roles_with_dates() {
    let app = TestApp::init().await;
    let chief = app.administrator("chief").await;
    let site = made(&chief.form("/admin/sites", &SITE).await);
    let wrong = chief.form("/admin/users", &[("login", "x y"), ("role", "site_doctor"), ("scope", "all")]).await;
    for fault in [codes::LOGIN_LETTERS.ja, common::FIELD_REQUIRED.ja, codes::SITE_OF_ROLE.ja] {
        assert!(wrong.status == StatusCode::UNPROCESSABLE_ENTITY && wrong.body.contains(fault), "{fault}");
    }
    let scope = format!("site:{site}");
    let fields = [("login", "Doctor1"), ("name_ja", "見本 医師"), ("role", "site_doctor"), ("scope", scope.as_str())];
    let shown = chief.form("/admin/users", &fields).await;
    assert_eq!((shown.status, shown.header("cache-control")), (StatusCode::OK, "no-store"));
    let password = shown.body.split("data-password>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let doctor = app.sign_in("doctor1", &password).await;
    assert_eq!(doctor.get("/portal").await.status, StatusCode::OK);
    assert!(chief.form("/admin/users", &fields).await.body.contains(codes::LOGIN_USED.ja));
    let list = chief.get("/admin/users?q=doctor").await;
    assert!(list.body.contains("doctor1") && list.body.contains("依頼医") && !list.body.contains(&password));

    let user = app.state.db.read(|c| dokuei_models::store::users::user_by_login(c, "doctor1")).await.unwrap().unwrap();
    let path = format!("/admin/users/{}", user.id);
    let later = [("role", "dispatcher"), ("scope", "all"), ("from_day", "2026-05-01"), ("to_day", "2026-05-31")];
    assert_eq!(chief.form(&format!("{path}/grants"), &later).await.status, StatusCode::SEE_OTHER);
    assert_eq!(doctor.get("/dispatch").await.status, StatusCode::FORBIDDEN, "not yet");
    let twice = htmx(&chief, &format!("{path}/grants"), &later).await;
    assert!(twice.body.contains(codes::ROLE_GIVEN.ja), "{}", twice.body);
    let given = app.state.db.read(move |conn| grants::grant_list(conn, user.id)).await.unwrap().remove(1);
    assert_eq!(given.to_at.unwrap().to_string(), "2026-05-31 15:00:00", "the whole last day in Japan");

    let silent = htmx(&chief, &format!("{path}/lock"), &[("reason", " ")]).await;
    assert!(silent.body.contains(common::FIELD_REASON_REQUIRED.ja), "{}", silent.body);
    chief.form(&format!("{path}/lock"), &[("reason", "退職")]).await;
    assert_eq!(doctor.get("/portal").await.status, StatusCode::SEE_OTHER, "signed out at once");
    assert!(actions(&app, "user.deactivate").await[0].detail.contains("退職"));
    chief.form(&format!("{path}/unlock"), &[]).await;
    let renewed = chief.form(&format!("{path}/password"), &[]).await;
    let new = renewed.body.split("data-password>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert_ne!(new, password);
    app.sign_in("doctor1", &new).await;
}

#[actix_web::test]
async fn nobody_takes_his_own_last_administrator_role_and_the_house_keeps_one() {
    let app = TestApp::init().await;
    let chief = app.administrator("chief").await;
    let deputy = app.administrator("deputy").await;
    let grant = |client: &Client<'_>| {
        let (user, db) = (client.user.unwrap(), app.state.db.clone());
        async move { (user, db.read(move |conn| grants::grant_list(conn, user)).await.unwrap()[0].id) }
    };
    let ((me, mine), (other, theirs)) = (grant(&chief).await, grant(&deputy).await);
    let refused = chief.form(&format!("/admin/users/{me}/grants/{mine}/end"), &[]).await;
    assert!(refused.status == StatusCode::CONFLICT && refused.body.contains(codes::OWN_ADMINISTRATION.ja));
    let refused = chief.form(&format!("/admin/users/{me}/lock"), &[("reason", "x")]).await;
    assert!(refused.status == StatusCode::CONFLICT && refused.body.contains(codes::OWN_ACCOUNT.ja));
    assert_eq!(
        chief.form(&format!("/admin/users/{other}/grants/{theirs}/end"), &[]).await.status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(deputy.get("/admin/users").await.status, StatusCode::FORBIDDEN);
    let elsewhere = chief.form(&format!("/admin/users/{other}/grants/{mine}/end"), &[]).await;
    assert_eq!(elsewhere.status, StatusCode::NOT_FOUND, "a grant is ended on its own user's page");
}

#[actix_web::test]
async fn a_cell_of_the_skill_table_is_saved_with_a_way_back() {
    let app = TestApp::init().await;
    let chief = app.administrator("chief").await;
    let ward = Ward::in_app(&app).await;
    let (_, reader) = ward.reader("night").await;
    let id = reader.to_string();
    let cell = [("reader", id.as_str()), ("region", "head"), ("modality", "CT"), ("value", "80")];
    let saved = htmx(&chief, "/skills/cells", &cell).await;
    assert_eq!(saved.status, StatusCode::OK, "{}", saved.body);
    assert!(saved.body.contains("hx-swap-oob") && saved.body.contains("→ 80"), "{}", saved.body);
    assert!(saved.body.contains("id=\"c-head.brain-CT\"") && saved.body.contains("placeholder=\"80\""));
    let own = |app: &TestApp| {
        let db = app.state.db.clone();
        async move { db.read(move |conn| readers::skill_list(conn, Some(reader))).await.unwrap() }
    };
    assert_eq!(own(&app).await.len(), 1);
    let refused = htmx(&chief, "/skills/cells", &with(&cell, &[("value", "101")])).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let undone = htmx(&chief, "/skills/cells", &with(&cell, &[("value", "")])).await;
    assert_eq!(undone.status, StatusCode::OK);
    assert!(own(&app).await.is_empty(), "an empty cell takes the region above");
    assert!(actions(&app, "skill.set").await[0].detail.contains("\"before\":80"));
    let page = chief.get(&format!("/skills?reader={reader}")).await;
    assert!(page.body.contains("試験 night") && page.body.contains("data-skill-grid"));
}

#[actix_web::test]
async fn a_reader_has_a_pool_sites_and_a_week() {
    let app = TestApp::init().await;
    let chief = app.administrator("chief").await;
    let site = made(&chief.form("/admin/sites", &SITE).await).to_string();
    let pool = app.state.db.read(sites::pool_list).await.unwrap()[0].0;
    let user = app.add_user("yomu", &[]).await;
    let (user, pool_text) = (user.to_string(), pool.to_string());
    let facts = [
        ("user", user.as_str()),
        ("pool", pool_text.as_str()),
        ("qualification", "放射線診断専門医"),
        ("pace", "1.0"),
        ("capacity_minutes", "480"),
        ("active", "true"),
    ];
    let wrong = chief.form("/admin/readers", &with(&facts, &[("pace", "0"), ("pool", "99")])).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let id = made(&chief.form("/admin/readers", &facts).await);
    assert!(chief.form("/admin/readers", &facts).await.body.contains(codes::ALREADY_READER.ja));
    let path = format!("/admin/readers/{id}");
    let yomu = app.sign_in("yomu", PASSWORD).await;
    assert_eq!(yomu.get("/worklist").await.status, StatusCode::OK, "the role came with it");

    // Noon of 1 April 2026 in Japan is a Wednesday.
    let week = [("wed", "true"), ("thu", "true"), ("start", "09:00"), ("end", "17:00"), ("place", "onsite")];
    assert_eq!(chief.form(&format!("{path}/shifts"), &week).await.status, StatusCode::SEE_OTHER);
    let none = htmx(&chief, &format!("{path}/shifts"), &[("start", "9"), ("end", "17:00"), ("place", "home")]).await;
    assert!(none.body.contains(codes::SHIFT_SPAN.ja) && none.body.contains(common::FIELD_REQUIRED.ja));
    let list = chief.get("/admin/readers").await;
    assert!(list.body.contains("17:00まで"), "{}", list.body);
    let terms = [("site", site.as_str()), ("from_day", "2026-04-01")];
    assert_eq!(chief.form(&format!("{path}/privileges"), &terms).await.status, StatusCode::SEE_OTHER);
    let twice = htmx(&chief, &format!("{path}/privileges"), &terms).await;
    assert!(twice.body.contains(codes::DAYS_OVERLAP.ja), "one that ends must not leave another: {}", twice.body);
    let overlap = [("thu", "true"), ("start", "16:00"), ("end", "20:00"), ("place", "home")];
    let overlap = htmx(&chief, &format!("{path}/shifts"), &overlap).await;
    assert!(overlap.body.contains(codes::SHIFT_OVERLAPS.ja), "{}", overlap.body);
    let place = [("weekly_days", "5"), ("weekly_hours", "32"), ("full_time", "true"), ("filed", "true")];
    let place: Vec<_> = terms.into_iter().chain(place).collect();
    assert_eq!(chief.form(&format!("{path}/affiliations"), &place).await.status, StatusCode::SEE_OTHER);
    let sheet = chief.get(&path).await;
    assert!(sheet.body.contains("09:00–17:00") && sheet.body.contains("専従の届出あり"), "{}", sheet.body);

    let patterns =
        app.state.db.read(|conn| dokuei_models::store::shifts::shift_pattern_list(conn, None)).await.unwrap();
    for pattern in &patterns {
        chief.form(&format!("{path}/shifts/{}/remove", pattern.id), &[]).await;
    }
    let now = app.state.now();
    let shifts = app.state.db.read(move |conn| readers::shift_list(conn, now, now + chrono::TimeDelta::days(4))).await;
    assert!(shifts.unwrap().is_empty(), "the running one ends, later ones go");
}

#[actix_web::test]
async fn the_security_officer_finds_who_did_what_and_sees_that_the_chain_holds() {
    let app = TestApp::init().await;
    let chief = app.administrator("chief").await;
    made(&chief.form("/admin/sites", &SITE).await);
    let officer = app.with_user("officer", &[(Role::SecurityOfficer, Scope::All)]).await;
    let at = app.state.now();
    app.state.db.tx(move |conn| audit::audit_seal_in_tx(conn, at, 1000, audit::Span::Whole)).await.unwrap();
    let found = officer.get("/audit?actor=chief&action=site.&outcome=done&from_day=2026-04-01&to_day=2026-04-01").await;
    assert!(found.body.contains("site.create") && !found.body.contains("session.begin"), "{}", found.body);
    assert!(found.body.contains("まで封印済み"));
    let none = officer.get("/audit?actor=chief&to_day=2026-03-31").await;
    assert!(none.body.contains("見つかりません"), "{}", none.body);
    let checked = fragment(&officer, "/audit/verify").await;
    assert!(checked.body.contains("改ざんなし"), "{}", checked.body);
    assert_eq!(chief.get("/audit").await.status, StatusCode::FORBIDDEN, "an administrator does not audit himself");
}
