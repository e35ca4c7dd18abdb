//! Objects without a row are deleted in the end; nothing that a row names ever is.

use bytes::Bytes;
use chrono::{NaiveDateTime, TimeDelta, Utc};
use dokuei_models::objects::{KeptObject, ObjectError};
use dokuei_models::store::{artefacts, requests};
use dokuei_server::work::orphans::{self, RESPITE, Swept};

use super::app::TestApp;
use super::ward::Ward;
use dokuei_models::state::RequestKind;

/// The store stamps objects with the machine's time, whatever the application's clock shows.
fn later(by: TimeDelta) -> NaiveDateTime {
    Utc::now().naive_utc() + by
}

async fn keep(app: &TestApp, text: &'static str) -> KeptObject {
    app.state.objects.keep("reports", Bytes::from_static(text.as_bytes())).await.unwrap()
}

async fn is_there(app: &TestApp, object: &KeptObject) -> bool {
    match app.state.objects.get_checked(&object.key, &object.sha256).await {
        Ok(_) => true,
        Err(ObjectError::Missing) => false,
        Err(error) => panic!("{error}"),
    }
}

#[actix_web::test]
async fn an_orphan_is_left_a_day_then_set_aside_and_a_day_later_deleted() {
    let app = TestApp::init().await;
    let orphan = keep(&app, "nobody's").await;
    assert_eq!(orphans::set_aside(&app.state, later(RESPITE - TimeDelta::hours(1))).await.unwrap(), 0);
    assert!(is_there(&app, &orphan).await, "it may belong to somebody who is still writing his row");
    let then = later(RESPITE + TimeDelta::hours(1));
    let found = orphans::count(&app.state, then).await.unwrap();
    assert_eq!((found.aside, found.aside_bytes), (1, 8));
    assert!(is_there(&app, &orphan).await, "counting moves nothing");
    assert_eq!(orphans::set_aside(&app.state, then).await.unwrap(), 1);
    let counted = orphans::settle_aside(&app.state, then + TimeDelta::hours(23)).await.unwrap();
    assert_eq!((counted.aside, counted.aside_bytes, counted.deleted), (1, 8, 0), "counted before it is deleted");
    let deleted = orphans::settle_aside(&app.state, then + RESPITE).await.unwrap();
    assert_eq!(deleted, Swept { deleted: 1, ..Swept::default() });
    assert_eq!(app.state.objects.aside().await.unwrap(), []);
}

#[actix_web::test]
async fn nothing_that_a_row_names_is_ever_moved() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (_, reader) = ward.reader("night").await;
    let (case, read, images) = ward.case_for(reader, RequestKind::Reading).await;
    let user = ward.doctor;
    let (form, report) = (keep(&app, "a scanned form").await, keep(&app, "a signed report").await);
    let (at, kept_form, kept_report) = (later(TimeDelta::zero()), form.clone(), report.clone());
    app.state
        .db
        .tx(move |conn| {
            let request = dokuei_models::store::cases::case_get(conn, case)?.request_id;
            requests::request_file_add_in_tx(conn, request, "form.pdf", "application/pdf", &kept_form, at)?;
            let draft = dokuei_models::store::reports::draft_open_in_tx(conn, read, reader, user, "", at)?;
            artefacts::artefact_add_in_tx(conn, draft.id, artefacts::PDF, &kept_report, at).map(drop)
        })
        .await
        .unwrap();
    let orphan = keep(&app, "nobody's").await;
    let then = later(TimeDelta::days(400));
    assert_eq!(orphans::set_aside(&app.state, then).await.unwrap(), 1, "the orphan and nothing else");
    orphans::settle_aside(&app.state, then + TimeDelta::days(400)).await.unwrap();
    assert!(!is_there(&app, &orphan).await);
    assert!(is_there(&app, &form).await && is_there(&app, &report).await);
    for image in images {
        let row =
            app.state.db.read(move |conn| dokuei_models::store::studies::instance_get(conn, image)).await.unwrap();
        app.state.objects.get_checked(&row.object_key, &row.sha256).await.expect("every image is where its row says");
    }
}

#[actix_web::test]
async fn bytes_whose_row_came_a_moment_too_late_are_brought_back() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (_, reader) = ward.reader("night").await;
    let (_, read, _) = ward.case_for(reader, RequestKind::Reading).await;
    let report = keep(&app, "stored before, named after").await;
    let then = later(TimeDelta::days(2));
    assert_eq!(orphans::set_aside(&app.state, then).await.unwrap(), 1);
    assert!(!is_there(&app, &report).await);
    let (user, kept) = (ward.doctor, report.clone());
    app.state
        .db
        .tx(move |conn| {
            let draft = dokuei_models::store::reports::draft_open_in_tx(conn, read, reader, user, "", then)?;
            artefacts::artefact_add_in_tx(conn, draft.id, artefacts::PDF, &kept, then).map(drop)
        })
        .await
        .unwrap();
    let swept = orphans::settle_aside(&app.state, then + TimeDelta::days(30)).await.unwrap();
    assert_eq!((swept.brought_back, swept.deleted), (1, 0), "however long it lay there");
    assert!(is_there(&app, &report).await);
}

#[actix_web::test]
async fn bytes_that_are_stored_again_while_they_lie_aside_are_there_at_once() {
    let app = TestApp::init().await;
    let first = keep(&app, "the same bytes").await;
    let then = later(TimeDelta::days(2));
    orphans::set_aside(&app.state, then).await.unwrap();
    let again = keep(&app, "the same bytes").await;
    assert_eq!(first.key, again.key);
    orphans::settle_aside(&app.state, then + RESPITE).await.unwrap();
    assert!(is_there(&app, &again).await, "only the one that lay aside was deleted");
}
