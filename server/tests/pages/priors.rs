//! Priors from a site's PACS: Orthanc, asked by rule when a case opens, and pynetdicom for what a PACS should not do.

use std::time::Duration;

use actix_web::http::StatusCode;
use chrono::TimeDelta;
use dokuei_models::CaseId;
use dokuei_models::store::{cases, priors, reads};
use dokuei_server::authority::{Role, Scope};
use dokuei_server::clock::Clock as _;
use serde_json::{Value, json};

use self::hospital::{CASE, Hospital, Orthanc, Scripted, earlier, files, free_port, head_ct, pass, some_files};
use super::admin::actions;
use super::app::TestApp;

mod hospital;

#[actix_web::test]
async fn earlier_studies_of_the_same_person_come_from_the_sites_pacs_and_are_not_read_anew() {
    let app = TestApp::init().await;
    let house = Hospital::open(&app).await;
    let pacs = Orthanc::start(Some(house.gateway.port)).await;
    house.pacs(pacs.port, &[("sends", "true"), ("addresses", "127.0.0.1")]).await;
    let wrong = house.chief.form("/admin/peers/2/priors", &[("most", "0"), ("within_days", "30")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    house.rule(&[("active", "true")]).await;

    let now = head_ct(&app);
    let before = earlier(&now, 1, 400, "頭部CT");
    let unsaid = earlier(&now, 2, 30, "CT");
    let old = earlier(&now, 3, 4_000, "頭部CT");
    let knee = earlier(&now, 4, 60, "膝関節CT");
    let mut stranger = earlier(&now, 5, 90, "頭部CT");
    let mut other = dokuei_demo::day(8, app.clock.stamp(), None);
    let other = other.find(|exam| exam.patient.name != now.patient.name).unwrap();
    stranger.patient.name = other.patient.name.clone();
    for study in [&before, &unsaid, &old, &knee, &stranger] {
        pacs.hold(study).await;
    }
    house.receives(&now, 6).await;

    let told = house.told("priors_fetched").await;
    assert_eq!(house.priors().await, [before.uid.as_str(), unsaid.uid.as_str()], "{told:?} {:?}", house.dead().await);
    let told = &told[0];
    assert_eq!(
        (told["found"].as_u64(), told["wanted"].as_u64(), told["fetched"].as_u64()),
        (Some(5), Some(2), Some(2))
    );
    assert_eq!(told["others"].as_u64(), Some(1), "the number alone makes nobody the same person");
    let all = app.state.db.read(|conn| reads::read_list_of_case(conn, CASE)).await.unwrap();
    assert_eq!(all.len(), 1);
    let second = app.state.db.read(|conn| cases::case_get(conn, CaseId(2))).await;
    assert!(second.is_err(), "what was fetched opens no case");

    let dispatcher = app.with_user("dispatcher", &[(Role::Dispatcher, Scope::All)]).await;
    let sheet = dispatcher.get("/cases/1").await.body;
    assert!(sheet.contains("過去画像を取得") && sheet.contains("2 / 2"), "{sheet}");
    // Asked again, nothing is fetched twice.
    assert_eq!(dispatcher.form("/cases/1/priors", &[]).await.status, StatusCode::SEE_OTHER);
    pass(&app, 2).await;
    let again = house.told("priors_fetched").await;
    assert_eq!(again.len(), 2);
    assert_eq!((again[1]["fetched"].as_u64(), again[1]["here"].as_u64()), (Some(0), Some(2)));
    assert_eq!(app.state.db.read(|conn| priors::prior_study_list(conn, CASE)).await.unwrap().len(), 2);
}

#[actix_web::test]
async fn a_pacs_that_is_down_is_tried_again_and_then_said_to_be() {
    let app = TestApp::init().await;
    let house = Hospital::open(&app).await;
    let closed = free_port();
    house.pacs(closed, &[]).await;
    let dispatcher = app.with_user("dispatcher", &[(Role::Dispatcher, Scope::All)]).await;
    house.receives(&head_ct(&app), 3).await;
    let unset = dispatcher.form("/cases/1/priors", &[]).await;
    assert_eq!(unset.status, StatusCode::CONFLICT, "no PACS is set up for it");
    house.rule(&[]).await;
    assert_eq!(dispatcher.form("/cases/1/priors", &[]).await.status, StatusCode::SEE_OTHER);
    for _ in 0..12 {
        app.clock.advance(TimeDelta::hours(2));
        pass(&app, 1).await;
    }
    assert_eq!(house.dead().await, ["fetch_priors"]);
    let dispatcher = app.sign_in("dispatcher", super::app::PASSWORD).await;
    let sheet = dispatcher.get("/cases/1").await.body;
    assert!(sheet.contains("過去画像を取得できない") && sheet.contains(&closed.to_string()), "{sheet}");
    assert!(dispatcher.get("/dispatch/trouble").await.body.contains("fetch_priors 1"));
    let chief = app.sign_in("chief", super::app::PASSWORD).await;
    let peer = chief.get("/admin/peers/2").await.body;
    assert!(peer.contains("最後の問い合わせ") && peer.contains(&format!("127.0.0.1:{closed}")), "{peer}");
}

#[actix_web::test]
async fn from_a_pacs_that_cannot_call_us_they_come_by_c_get_and_only_what_is_not_here() {
    let app = TestApp::init().await;
    let house = Hospital::open(&app).await;
    let pacs = Orthanc::start(None).await;
    // It may neither send nor query: it is only called.
    house.pacs(pacs.port, &[]).await;
    house.rule(&[("active", "true"), ("way", "get")]).await;
    let now = head_ct(&app);
    let (before, knee) = (earlier(&now, 1, 400, "頭部CT"), earlier(&now, 2, 60, "膝関節CT"));
    pacs.hold(&before).await;
    pacs.hold(&knee).await;
    house.receives(&now, 6).await;

    let told = house.told("priors_fetched").await;
    assert_eq!(house.priors().await, [before.uid.as_str()], "{told:?}");
    assert_eq!((told[0]["found"].as_u64(), told[0]["fetched"].as_u64()), (Some(2), Some(1)));
    assert_eq!((house.images(&before.uid).await, house.images(&knee.uid).await), (2, 0));
    assert_eq!(house.received().await, (2, 0), "it is counted where what a peer sends is counted");
    let rule: Value = serde_json::from_str(&house.chief.get("/api/v1/peers/2/priors").await.body).unwrap();
    assert_eq!((&rule["way"], &rule["failure"]), (&json!("get"), &Value::Null), "{rule}");
    assert!(rule["asked_at"].is_string());
    let page = house.chief.get("/admin/peers/2").await.body;
    assert!(page.contains("value=\"get\" selected") && page.contains("最後の問い合わせ"), "{page}");
    let trail = actions(&app, "association").await;
    assert!(trail.iter().any(|row| row.detail.contains("\"fetched\":true")), "{trail:?}");

    // The PACS gets one more image of it: that one alone is fetched.
    pacs.hold_files(&some_files(&before, 3)).await;
    let dispatcher = app.with_user("dispatcher", &[(Role::Dispatcher, Scope::All)]).await;
    assert_eq!(dispatcher.form("/cases/1/priors", &[]).await.status, StatusCode::SEE_OTHER);
    pass(&app, 2).await;
    assert_eq!(house.images(&before.uid).await, 3);
    assert_eq!(house.received().await, (3, 0));
}

#[actix_web::test]
async fn a_pacs_without_c_get_is_said_at_once_to_need_c_move() {
    let app = TestApp::init().await;
    let house = Hospital::open(&app).await;
    let now = head_ct(&app);
    let pacs = Scripted::start("no-roles", None, &files(&earlier(&now, 1, 400, "頭部CT")));
    house.pacs(pacs.port, &[]).await;
    house.rule(&[("active", "true"), ("way", "get")]).await;
    house.receives(&now, 6).await;
    let failed = house.told("priors_failed").await;
    assert_eq!(failed.len(), 1, "nothing but a person can help, so it is not tried again");
    let page = house.chief.get("/admin/peers/2").await.body;
    assert!(page.contains("「C-MOVE」を選んでください"), "{page}");
    drop(pacs);
    let deaf = Scripted::start("no-get", None, &files(&earlier(&now, 1, 400, "頭部CT")));
    let port = deaf.port.to_string();
    let moved = [
        ("version", "1"),
        ("site", house.site.as_str()),
        ("name", "院内PACS"),
        ("ae_title", "PACS_A"),
        ("host", "127.0.0.1"),
        ("port", port.as_str()),
        ("active", "true"),
    ];
    let moved = house.chief.form("/admin/endpoints/2", &moved).await;
    assert_eq!(moved.status, StatusCode::SEE_OTHER, "{}", moved.body);
    let dispatcher = app.with_user("dispatcher", &[(Role::Dispatcher, Scope::All)]).await;
    assert_eq!(dispatcher.form("/cases/1/priors", &[]).await.status, StatusCode::SEE_OTHER);
    pass(&app, 2).await;
    let rule: Value = serde_json::from_str(&house.chief.get("/api/v1/peers/2/priors").await.body).unwrap();
    assert!(rule["failure"].as_str().unwrap().contains("C-GETに応じません"), "{rule}");
    // As soon as the rule changes, what became of the older one is gone.
    house.rule(&[("active", "true"), ("way", "move")]).await;
    let page = house.chief.get("/admin/peers/2").await.body;
    assert!(!page.contains("最後の問い合わせ"), "{page}");
}

#[actix_web::test]
async fn a_pacs_that_dies_on_the_way_is_asked_again_for_the_rest() {
    let app = TestApp::init().await;
    let house = Hospital::open(&app).await;
    let now = head_ct(&app);
    let before = earlier(&now, 1, 400, "頭部CT");
    let all = some_files(&before, 4);
    let dying = Scripted::start("dies", None, &all);
    house.pacs(dying.port, &[]).await;
    house.rule(&[("active", "true"), ("way", "get")]).await;
    house.receives(&now, 4).await;
    assert_eq!(house.images(&before.uid).await, 3, "what was answered is here");
    let living = Scripted::start("sends", Some(dying.port), &all);
    for _ in 0..4 {
        app.clock.advance(TimeDelta::minutes(30));
        pass(&app, 2).await;
    }
    assert_eq!((house.images(&before.uid).await, house.received().await), (4, (4, 0)), "nothing came twice");
    assert_eq!(house.priors().await, [before.uid.as_str()]);
    drop(living);
}

#[actix_web::test]
async fn what_is_fetched_for_a_case_that_ends_is_cancelled() {
    let app = TestApp::init().await;
    let house = Hospital::open(&app).await;
    let now = head_ct(&app);
    let before = earlier(&now, 1, 400, "頭部CT");
    let many = some_files(&before, 60);
    let count = many.len();
    assert!(count >= 20, "they take ten seconds, and it is looked every three whether they are wanted");
    let pacs = Scripted::start("pauses", None, &many);
    house.pacs(pacs.port, &[]).await;
    house.receives(&now, 4).await;
    house.rule(&[("active", "true"), ("way", "get")]).await;
    let dispatcher = app.with_user("dispatcher", &[(Role::Dispatcher, Scope::All)]).await;
    assert_eq!(dispatcher.form("/cases/1/priors", &[]).await.status, StatusCode::SEE_OTHER);
    let ending = async {
        while house.images(&before.uid).await == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        dispatcher.form("/cases/1/cancel", &[("reason", "依頼の取り消し")]).await
    };
    let ((), ended) = tokio::join!(pass(&app, 1), ending);
    assert_eq!(ended.status, StatusCode::SEE_OTHER, "{}", ended.body);
    let came = house.images(&before.uid).await;
    assert!(came < count, "{came} of {count} came");
    assert!(house.dead().await.is_empty());
}
