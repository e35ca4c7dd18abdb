//! Signing in and out, throttling, passwords, tokens, scopes.

use actix_web::http::{Method, StatusCode};
use chrono::TimeDelta;
use dokuei_models::state::OrphanRule;
use dokuei_models::store::{audit, sites};
use dokuei_models::{Actor, SiteId};
use dokuei_server::app::{accounts, sessions};
use dokuei_server::authority::{Role, Scope, rights};
use dokuei_server::clock::Clock as _;
use dokuei_server::error::codes;

use super::app::{PASSWORD, TestApp};

/// A site of its own pool.
pub async fn add_site(app: &TestApp, name: &str) -> SiteId {
    let name = name.to_owned();
    app.state
        .db
        .tx(move |connection| {
            let pool_id = sites::pool_insert_in_tx(connection, &format!("pool-{name}"), &name, &name)?;
            let site = sites::SiteRow {
                id: SiteId(0),
                pool_id,
                code: name.clone(),
                name_ja: name.clone(),
                name_en: name.clone(),
                refers: true,
                reads: false,
                insured: true,
                institution_code: None,
                phone: String::new(),
                email: String::new(),
                patient_id_rule: "exact".to_owned(),
                orphan_rule: OrphanRule::ALL[0],
                orphan_wait_minutes: 60,
                comparison_after_days: 365,
                quiet_seconds: 5,
                unknown_classes: false,
                standing_notes: String::new(),
                demo: true,
                research: false,
                active: true,
                version: 1,
            };
            sites::site_insert_in_tx(connection, &site)
        })
        .await
        .unwrap()
}

#[actix_web::test]
async fn signing_in_gives_a_cookie_that_scripts_and_other_sites_cannot_use() {
    let app = TestApp::init().await;
    app.add_user("reader1", &[(Role::Reader, Scope::All)]).await;
    let answer =
        app.anonymous().form("/login", &[("login", "Reader1"), ("password", PASSWORD), ("to", "/account")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header("location"), "/account");
    let cookie = answer.header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let token = cookie.split(['=', ';']).nth(1).unwrap().to_owned();
    let hash = sessions::token_hash(&token);
    assert_ne!(hash, token, "the row holds a hash");
    assert!(sessions::person_of_session(&app.state, &token, "").await.unwrap().is_some());
    assert!(sessions::person_of_session(&app.state, &hash, "").await.unwrap().is_none(), "the hash opens nothing");
}

#[actix_web::test]
async fn a_page_that_needs_an_account_leads_to_the_login_page_and_back() {
    let app = TestApp::init().await;
    let answer = app.anonymous().get("/account").await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(answer.header("location"), "/login?to=/account");
}

#[actix_web::test]
async fn a_wrong_name_and_a_wrong_password_look_the_same() {
    let app = TestApp::init().await;
    app.add_user("known", &[]).await;
    let wrong_password = app.anonymous().form("/login", &[("login", "known"), ("password", "x")]).await;
    let wrong_name = app.anonymous().form("/login", &[("login", "unknown"), ("password", "x")]).await;
    assert_eq!(wrong_password.status, StatusCode::UNAUTHORIZED);
    assert_eq!(wrong_password.status, wrong_name.status);
    let sentence = codes::accounts::LOGIN_REFUSED.ja;
    assert!(wrong_password.body.contains(sentence) && wrong_name.body.contains(sentence));
}

#[actix_web::test]
async fn guessing_at_one_name_must_wait_longer_each_time_and_the_right_password_too() {
    let app = TestApp::init().await;
    app.add_user("victim", &[]).await;
    let client = app.anonymous();
    for _ in 0..5 {
        assert_eq!(
            client.form("/login", &[("login", "victim"), ("password", "x")]).await.status,
            StatusCode::UNAUTHORIZED
        );
    }
    let held = client.form("/login", &[("login", "victim"), ("password", PASSWORD)]).await;
    assert_eq!(held.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(held.header("retry-after"), "1");
    app.clock.advance(TimeDelta::seconds(1));
    assert_eq!(client.form("/login", &[("login", "victim"), ("password", "x")]).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(client.form("/login", &[("login", "victim"), ("password", "x")]).await.header("retry-after"), "2");
    app.clock.advance(TimeDelta::seconds(2));
    let welcome = client.form("/login", &[("login", "victim"), ("password", PASSWORD)]).await;
    assert_eq!(welcome.status, StatusCode::SEE_OTHER, "waiting is enough, nobody is locked out for good");
}

#[actix_web::test]
async fn guessing_at_many_names_from_one_address_must_wait_too() {
    let app = TestApp::init().await;
    let mut client = app.anonymous();
    for at in 0..50 {
        let login = format!("name{at}");
        assert_eq!(
            client.form("/login", &[("login", &login), ("password", "x")]).await.status,
            StatusCode::UNAUTHORIZED
        );
    }
    assert_eq!(
        client.form("/login", &[("login", "another"), ("password", "x")]).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    client.address = std::net::SocketAddr::from(([192, 0, 2, 8], 1));
    assert_eq!(
        client.form("/login", &[("login", "another"), ("password", "x")]).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[actix_web::test]
async fn a_session_ends_when_it_is_idle_when_it_is_old_and_when_one_signs_out() {
    let app = TestApp::init().await;
    let idle = app.with_user("idle", &[]).await;
    app.clock.advance(TimeDelta::minutes(119));
    assert_eq!(idle.get("/account").await.status, StatusCode::OK);
    app.clock.advance(TimeDelta::minutes(119));
    assert_eq!(idle.get("/account").await.status, StatusCode::OK, "being used keeps it");
    app.clock.advance(TimeDelta::minutes(121));
    assert_eq!(idle.get("/account").await.status, StatusCode::SEE_OTHER);

    let old = app.with_user("old", &[]).await;
    for _ in 0..12 {
        assert_eq!(old.get("/account").await.status, StatusCode::OK);
        app.clock.advance(TimeDelta::minutes(60));
    }
    assert_eq!(old.get("/account").await.status, StatusCode::SEE_OTHER);

    let left = app.with_user("left", &[]).await;
    assert_eq!(left.form("/logout", &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(left.get("/account").await.status, StatusCode::SEE_OTHER);
}

#[actix_web::test]
async fn a_new_password_ends_the_other_sessions_and_keeps_this_one() {
    let app = TestApp::init().await;
    let here = app.with_user("walker", &[]).await;
    let elsewhere = app.sign_in("walker", PASSWORD).await;
    let wrong = here
        .form("/account/password", &[("current", "x"), ("new", "a-new-password"), ("again", "a-new-password")])
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains(codes::accounts::PASSWORD_WRONG.ja));
    let short = here.form("/account/password", &[("current", PASSWORD), ("new", "short"), ("again", "short")]).await;
    assert!(short.body.contains(codes::accounts::PASSWORD_TOO_SHORT.ja));
    let differ =
        here.form("/account/password", &[("current", PASSWORD), ("new", "a-new-password"), ("again", "b")]).await;
    assert!(differ.body.contains(codes::accounts::PASSWORDS_DIFFER.ja));
    let done = here
        .form("/account/password", &[("current", PASSWORD), ("new", "a-new-password"), ("again", "a-new-password")])
        .await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    assert_eq!(here.get("/account").await.status, StatusCode::OK);
    assert_eq!(elsewhere.get("/account").await.status, StatusCode::SEE_OTHER);
    app.sign_in("walker", "a-new-password").await;
}

#[actix_web::test]
async fn who_is_locked_out_is_out_at_once() {
    let app = TestApp::init().await;
    let client = app.with_user("gone", &[]).await;
    let by = Actor::system("test", app.clock.stamp());
    accounts::set_active(&app.state, "gone", false, by).await.unwrap();
    assert_eq!(client.get("/account").await.status, StatusCode::SEE_OTHER);
    let again = app.anonymous().form("/login", &[("login", "gone"), ("password", PASSWORD)]).await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED);
}

#[actix_web::test]
async fn the_last_administrator_cannot_be_locked_out() {
    let app = TestApp::init().await;
    app.add_user("chief", &[(Role::Administrator, Scope::All)]).await;
    let by = Actor::system("test", app.clock.stamp());
    let error = accounts::set_active(&app.state, "chief", false, by.clone()).await.unwrap_err();
    assert_eq!(error.code(), &codes::accounts::LAST_ADMINISTRATOR);
    app.add_user("second", &[(Role::Administrator, Scope::All)]).await;
    accounts::set_active(&app.state, "chief", false, by).await.unwrap();
}

#[actix_web::test]
async fn a_bearer_token_works_without_cookie_and_csrf_until_it_is_revoked() {
    let app = TestApp::init().await;
    let user = app.add_user("program", &[(Role::Administrator, Scope::All)]).await;
    let by = Actor::system("test", app.clock.stamp());
    let token = accounts::create_token(&app.state, user, "PACS", None, by).await.unwrap();
    let mut client = app.anonymous();
    client.bearer = Some(token.clone());
    assert_eq!(client.get("/styleguide").await.status, StatusCode::OK);
    let posted = client.send(Method::POST, "/styleguide/refusal", &[("accept", "application/json")], "").await;
    assert_eq!(posted.status, StatusCode::UNPROCESSABLE_ENTITY, "the handler was reached: {}", posted.body);
    app.state
        .db
        .tx(move |connection| {
            let tokens = dokuei_models::store::api_tokens::api_token_list(connection, user)?;
            dokuei_models::store::api_tokens::api_token_revoke_in_tx(
                connection,
                user,
                tokens[0].id,
                tokens[0].created_at,
            )
        })
        .await
        .unwrap();
    let answer = client.get("/styleguide").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert!(!answer.body.contains(&token));
}

#[actix_web::test]
async fn a_grant_reaches_its_site_between_its_dates_and_nothing_else() {
    let app = TestApp::init().await;
    let (a, b) = (add_site(&app, "A").await, add_site(&app, "B").await);
    let client = app.with_user("doctor", &[(Role::SiteDoctor, Scope::Site(a)), (Role::Billing, Scope::All)]).await;
    let token = client.cookie.as_deref().unwrap().split_once('=').unwrap().1.to_owned();
    let person = sessions::person_of_session(&app.state, &token, "").await.unwrap().unwrap();
    let reach = person.reach::<rights::ActOnReports>();
    assert!(reach.covers_site(a) && !reach.covers_site(b));
    assert_eq!(reach.need_site(b).unwrap_err().code().status, 404);
    assert!(person.reach::<rights::Bill>().everything);
    assert!(!person.has::<rights::Read>() && !person.reach::<rights::Read>().covers_site(a));

    let user = client.user.unwrap();
    let now = app.clock.stamp();
    app.state
        .db
        .tx(move |connection| {
            let grants = dokuei_models::store::grants::grant_list(connection, user)?;
            dokuei_models::store::grants::grant_end_in_tx(connection, grants[0].id, now)
        })
        .await
        .unwrap();
    let person = sessions::person_of_session(&app.state, &token, "").await.unwrap().unwrap();
    assert!(!person.has::<rights::ActOnReports>(), "an ended grant gives nothing from that moment on");
}

#[actix_web::test]
async fn a_sites_role_without_its_site_gives_nothing() {
    let app = TestApp::init().await;
    let by = Actor::system("test", app.clock.stamp());
    let user = app.add_user("nowhere", &[]).await;
    app.state
        .db
        .tx(move |connection| accounts::give_in_tx(connection, user, Role::SiteDoctor, Scope::All, &by))
        .await
        .unwrap();
    let client = app.sign_in("nowhere", PASSWORD).await;
    let token = client.cookie.as_deref().unwrap().split_once('=').unwrap().1.to_owned();
    let person = sessions::person_of_session(&app.state, &token, "").await.unwrap().unwrap();
    assert!(!person.has::<rights::ActOnReports>());
}

#[actix_web::test]
async fn every_coming_and_going_is_in_the_trail_and_no_password_is() {
    let app = TestApp::init().await;
    let client = app.with_user("traced", &[]).await;
    app.anonymous().form("/login", &[("login", "hunter2"), ("password", "hunter2")]).await;
    client.form("/logout", &[]).await;
    let rows = app
        .state
        .db
        .read(|connection| audit::audit_search(connection, &audit::AuditQuery { limit: 100, ..Default::default() }))
        .await
        .unwrap();
    let told: Vec<(&str, &str)> = rows.iter().map(|row| (row.action.as_str(), row.outcome.as_str())).collect();
    for wanted in
        [("user.create", "done"), ("session.begin", "done"), ("session.begin", "refused"), ("session.end", "done")]
    {
        assert!(told.contains(&wanted), "{wanted:?} in {told:?}");
    }
    assert!(!format!("{rows:?}").contains("hunter2"), "what was typed as a name may be a password");
}

#[actix_web::test]
async fn a_hundred_guesses_sent_at_once_are_a_hundred_attempts() {
    let app = TestApp::init().await;
    app.add_user("victim", &[]).await;
    let guesses = (0..100).map(|_| sessions::sign_in(&app.state, "victim", "x".to_owned(), "192.0.2.9"));
    let answers = futures_util::future::join_all(guesses).await;
    let looked_at = answers
        .iter()
        .filter(|answer| answer.as_ref().is_err_and(|e| e.code() == &codes::accounts::LOGIN_REFUSED))
        .count();
    assert_eq!(looked_at, 5, "the free ones; the others had to wait");
}
