//! From the worklist to the signed report, through the pages.

use actix_web::http::{Method, StatusCode};
use dokuei_models::state::{CaseState, DeliveryKind, ReadKind, ReadState, RequestKind, VersionState};
use dokuei_models::store::{artefacts, cases, deliveries, reads, recipients, reports, sites};
use dokuei_models::{CaseId, ReadId};
use dokuei_server::authority::{Role, Scope};
use dokuei_server::clock::Clock as _;

use super::app::{Answer, Client, PASSWORD, TestApp};
use super::ward::Ward;

pub async fn draft(client: &Client<'_>, read: ReadId, revision: i32, findings: &str) -> Answer {
    let revision = revision.to_string();
    let fields = [("revision", revision.as_str()), ("findings", findings), ("impression", "肺炎の疑い")];
    client.form(&format!("/reads/{read}/draft"), &fields).await
}

pub async fn sign(client: &Client<'_>, read: ReadId, revision: i32, password: &str) -> Answer {
    let revision = revision.to_string();
    client.form(&format!("/reads/{read}/sign"), &[("revision", revision.as_str()), ("password", password)]).await
}

pub async fn versions(app: &TestApp, case: CaseId) -> Vec<reports::VersionRow> {
    let rows = app.state.db.read(move |conn| reports::version_list_of_case(conn, case)).await.unwrap();
    rows.into_iter().map(|(_, version)| version).collect()
}

pub async fn case_state(app: &TestApp, case: CaseId) -> CaseState {
    app.state.db.read(move |conn| cases::case_get(conn, case)).await.unwrap().state
}

#[actix_web::test]
async fn a_reader_takes_a_case_from_the_worklist_to_a_signed_report() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (reader, id) = ward.reader("night").await;
    let (case, read, images) = ward.case_for(id, RequestKind::Reading).await;

    let list = reader.get("/worklist").await;
    assert_eq!(list.status, StatusCode::OK, "{}", list.body);
    for shown in ["肺炎の有無をお願いします", "架空病院", "得意度 80", "priority-urgent"] {
        assert!(list.body.contains(shown), "{shown} is not on the worklist");
    }
    let started = reader.form(&format!("/reads/{read}/start"), &[]).await;
    assert_eq!((started.status, started.header("location")), (StatusCode::SEE_OTHER, &*format!("/reads/{read}")));
    assert_eq!(case_state(&app, case).await, CaseState::Reading);
    let room = reader.get(&format!("/reads/{read}")).await;
    assert_eq!(room.status, StatusCode::OK, "{}", room.body);
    assert!(room.body.contains("造影剤アレルギーの有無を確認"), "the site's standing notes");

    let listing = reader.get(&format!("/reads/{read}/images")).await;
    assert!(listing.body.contains("\"received\":3"), "{}", listing.body);
    let frame = reader.get(&format!("/reads/{read}/images/{}/frames/0/raw", images[1])).await;
    assert_eq!(frame.status, StatusCode::OK);
    assert!(frame.body.contains("\"grey\":true") && frame.body.contains("\"unit\":\"HU\""));
    let png = reader.get(&format!("/reads/{read}/images/{}/frames/0/png", images[1])).await;
    assert_eq!(png.header("content-type"), "image/png");
    assert_eq!(
        reader.get(&format!("/reads/{read}/images/{}/frames/9/raw", images[1])).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let seen = reader.form(&format!("/reads/{read}/views"), &[("seen", &format!("{},99999", images[1]))]).await;
    assert_eq!(seen.status, StatusCode::NO_CONTENT, "{}", seen.body);

    assert_eq!(draft(&reader, read, 0, "右下葉に浸潤影").await.status, StatusCode::OK);
    let other_window = draft(&reader, read, 0, "別の文面").await;
    assert_eq!(other_window.status, StatusCode::CONFLICT);
    assert!(other_window.body.contains("右下葉に浸潤影"), "the other window's text is shown, not overwritten");

    let sheet = reader.get(&format!("/reads/{read}/sign")).await;
    assert!(
        sheet.body.contains("まだ開いていない画像 2 枚") && sheet.body.contains("type=\"password\""),
        "{}",
        sheet.body
    );
    for (password, code) in [("", "signing_password_needed"), ("wrong password", "password_wrong")] {
        let refused = sign(&reader, read, 1, password).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
        let json = json_sign(&reader, read, 1, password).await;
        assert!(json.body.contains(code), "{}", json.body);
    }
    assert!(json_sign(&reader, read, 0, PASSWORD).await.body.contains("draft_stale"));
    assert_eq!(versions(&app, case).await[0].state, VersionState::Draft, "what was refused changed nothing");

    let signed = sign(&reader, read, 1, PASSWORD).await;
    assert_eq!(signed.status, StatusCode::OK, "{}", signed.body);
    let version = versions(&app, case).await.remove(0);
    assert_eq!((version.state, version.signed_by), (VersionState::Final, reader.user));
    assert_eq!(case_state(&app, case).await, CaseState::Reported);
    let row = app.state.db.read(move |conn| reads::read_get(conn, read)).await.unwrap();
    assert_eq!(row.state, ReadState::Signed);
    let pdf = app
        .state
        .db
        .read(move |conn| artefacts::artefact_of_kind(conn, version.id, artefacts::PDF))
        .await
        .unwrap()
        .unwrap();
    let bytes = app.state.objects.get_checked(&pdf.object_key, &pdf.sha256).await.unwrap();
    assert!(bytes.starts_with(b"%PDF-") && bytes.windows(13).any(|part| part == b"ETSI.CAdES.de"));
    let owed = app.state.db.read(move |conn| deliveries::delivery_list_of_case(conn, case)).await.unwrap();
    let mut kinds: Vec<DeliveryKind> = owed.iter().map(|one| one.kind).collect();
    kinds.sort();
    assert_eq!(kinds, [DeliveryKind::Dicom, DeliveryKind::Mail, DeliveryKind::Portal]);
    let named = app.state.db.read(move |conn| recipients::recipient_list(conn, &[case])).await.unwrap();
    assert_eq!(named.iter().map(|one| one.user_id).collect::<Vec<_>>(), [ward.doctor]);

    assert_eq!(sign(&reader, read, 1, PASSWORD).await.status, StatusCode::CONFLICT, "a signature is given once");
    assert_eq!(draft(&reader, read, 1, "後から").await.status, StatusCode::CONFLICT);
    let file = reader.get(&format!("/reads/{read}/versions/{}/pdf", version.id)).await;
    assert_eq!((file.status, file.header("content-type")), (StatusCode::OK, "application/pdf"));
    let ca = app.anonymous().get("/ca/root.pem").await;
    assert!(ca.body.starts_with("-----BEGIN CERTIFICATE-----") && !ca.body.contains("PRIVATE"));
}

async fn json_sign(client: &Client<'_>, read: ReadId, revision: i32, password: &str) -> Answer {
    let body = format!("revision={revision}&password={}&csrf={}", super::app::percent(password), client.csrf);
    let headers = [("accept", "application/json"), ("content-type", "application/x-www-form-urlencoded")];
    client.send(Method::POST, &format!("/reads/{read}/sign"), &headers, &body).await
}

#[actix_web::test]
async fn an_opened_signing_session_asks_no_password_again_until_it_was_idle() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (reader, id) = ward.reader("night").await;
    for (nth, wait) in [(0, 0), (1, 29), (2, 31)] {
        app.clock.advance(chrono::TimeDelta::minutes(wait));
        let (_, read, _) = ward.case_for(id, RequestKind::Reading).await;
        reader.form(&format!("/reads/{read}/start"), &[]).await;
        draft(&reader, read, 0, "所見").await;
        let asks = reader.get(&format!("/reads/{read}/sign")).await.body.contains("type=\"password\"");
        assert_eq!(asks, nth != 1, "signature {nth}");
        let signed = sign(&reader, read, 1, if asks { PASSWORD } else { "" }).await;
        assert_eq!(signed.status, StatusCode::OK, "{}", signed.body);
    }
}

#[actix_web::test]
async fn another_readers_case_is_refused_and_its_room_does_not_exist() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (night, id) = ward.reader("night").await;
    let (day, _) = ward.reader("day").await;
    let (_, read, images) = ward.case_for(id, RequestKind::Reading).await;
    night.form(&format!("/reads/{read}/start"), &[]).await;

    let late = day.form(&format!("/reads/{read}/start"), &[]).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.body.contains("ほかの読影医が担当しています"), "{}", late.body);
    for path in ["", "/images", "/state", "/events"] {
        assert_eq!(day.get(&format!("/reads/{read}{path}")).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let frame = format!("/reads/{read}/images/{}/frames/0/raw", images[0]);
    assert_eq!(day.get(&frame).await.status, StatusCode::NOT_FOUND);
    assert_eq!(draft(&day, read, 0, "x").await.status, StatusCode::CONFLICT);
    assert_eq!(sign(&day, read, 0, PASSWORD).await.status, StatusCode::CONFLICT);

    let dispatcher = app.with_user("chief", &[(Role::Dispatcher, Scope::Pool(ward.pool))]).await;
    let looked = dispatcher.get(&format!("/reads/{read}")).await;
    assert_eq!(looked.status, StatusCode::OK);
    assert!(looked.body.contains("閲覧のみ") && !looked.body.contains("data-editor"));
    assert_eq!(draft(&dispatcher, read, 0, "x").await.status, StatusCode::FORBIDDEN);
    let add_pool = |conn: &mut dokuei_models::Connection| sites::pool_insert_in_tx(conn, "far", "遠", "Far");
    let far = app.state.db.tx(add_pool).await.unwrap();
    let elsewhere = app.with_user("other", &[(Role::Dispatcher, Scope::Pool(far))]).await;
    assert_eq!(elsewhere.get(&format!("/reads/{read}")).await.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn asking_the_site_holds_the_case_keeps_the_draft_and_remembers_the_reader() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (reader, id) = ward.reader("night").await;
    let (case, read, _) = ward.case_for(id, RequestKind::Reading).await;
    reader.form(&format!("/reads/{read}/start"), &[]).await;
    draft(&reader, read, 0, "途中").await;
    let asked = reader.form(&format!("/reads/{read}/ask"), &[("question", "造影の遅延相はありますか")]).await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER, "{}", asked.body);
    assert_eq!(case_state(&app, case).await, CaseState::OnHold);
    let row = app.state.db.read(move |conn| reads::read_get(conn, read)).await.unwrap();
    assert_eq!((row.state, row.frozen, row.preferred_reader_id), (ReadState::Open, true, Some(id)));
    assert!(app.state.db.read(move |conn| reports::draft_exists(conn, read)).await.unwrap());
    assert!(reader.get("/worklist").await.body.contains("保留（施設の回答待ち）"));
}

#[actix_web::test]
async fn a_declined_read_leaves_the_list_and_needs_a_reason() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (reader, id) = ward.reader("night").await;
    let (case, read, _) = ward.case_for(id, RequestKind::Reading).await;
    let refused = reader.form(&format!("/reads/{read}/decline"), &[("reason", " ")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    reader.form(&format!("/reads/{read}/decline"), &[("reason", "専門外です")]).await;
    assert!(reader.get("/worklist").await.body.contains("いま担当の症例はありません"));
    assert_eq!(case_state(&app, case).await, CaseState::Ready);
    let declined = app.state.db.read(move |conn| reads::decline_list(conn, &[read])).await.unwrap();
    assert_eq!(declined, [(read, id, "専門外です".to_owned())]);
}

#[actix_web::test]
async fn a_checked_reading_is_final_only_after_the_second_reader() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (first, id) = ward.reader("first").await;
    let (second, other) = ward.reader("second").await;
    let (case, read, _) = ward.case_for(id, RequestKind::Checked).await;
    first.form(&format!("/reads/{read}/start"), &[]).await;
    draft(&first, read, 0, "一次の所見").await;
    let signed = sign(&first, read, 1, PASSWORD).await;
    assert_eq!(signed.status, StatusCode::OK, "{}", signed.body);
    assert_eq!(versions(&app, case).await[0].state, VersionState::Preliminary);
    assert_eq!(case_state(&app, case).await, CaseState::Reading);
    assert!(app.state.db.read(move |conn| deliveries::delivery_list_of_case(conn, case)).await.unwrap().is_empty());

    let all = app.state.db.read(move |conn| reads::read_list_of_case(conn, case)).await.unwrap();
    let check = all.iter().find(|read| read.kind == ReadKind::Check).unwrap().id;
    ward.give(check, other).await;
    second.form(&format!("/reads/{check}/start"), &[]).await;
    assert!(
        second.get(&format!("/reads/{check}")).await.body.contains("一次の所見"),
        "the second edits the first's words"
    );
    draft(&second, check, 1, "一次の所見に追加").await;
    assert_eq!(sign(&second, check, 2, PASSWORD).await.status, StatusCode::OK);
    assert_eq!(case_state(&app, case).await, CaseState::Reported);
    let owed = app.state.db.read(move |conn| deliveries::delivery_list_of_case(conn, case)).await.unwrap();
    let last = versions(&app, case).await.pop().unwrap();
    assert!(
        !owed.is_empty() && owed.iter().all(|one| one.report_version_id == last.id),
        "only the final one is returned"
    );
}

#[actix_web::test]
async fn an_addendum_is_the_next_version_and_leaves_the_first_as_it_was() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (reader, id) = ward.reader("night").await;
    let (case, read, _) = ward.case_for(id, RequestKind::Reading).await;
    reader.form(&format!("/reads/{read}/start"), &[]).await;
    draft(&reader, read, 0, "最初の所見").await;
    sign(&reader, read, 1, PASSWORD).await;
    let reopened = reader.form(&format!("/reads/{read}/addendum"), &[("reason", "画像が追加されたため")]).await;
    assert_eq!(reopened.status, StatusCode::SEE_OTHER, "{}", reopened.body);
    let again: ReadId = reopened.header("location").rsplit('/').next().unwrap().parse().unwrap();
    assert_eq!(case_state(&app, case).await, CaseState::Reading);
    draft(&reader, again, 0, "追加画像でも同様").await;
    assert_eq!(
        sign(&reader, again, 1, PASSWORD).await.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "addendum or amendment?"
    );
    let fields = [("revision", "1"), ("becomes", "addendum"), ("reason", "画像が追加されたため")];
    let signed = reader.form(&format!("/reads/{again}/sign"), &fields).await;
    assert_eq!(signed.status, StatusCode::OK, "{}", signed.body);
    let all = versions(&app, case).await;
    assert_eq!(
        all.iter().map(|one| (one.number, one.state)).collect::<Vec<_>>(),
        [(1, VersionState::Final), (2, VersionState::Addendum)]
    );
    assert_eq!(all[0].findings, "最初の所見");
    assert_eq!(case_state(&app, case).await, CaseState::Reported);
}

#[actix_web::test]
async fn a_reader_outside_his_shifts_offers_hours_and_is_planned_for_them() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (client, reader) = ward.reader("dr").await;
    let page = client.get("/worklist").await;
    assert!(page.body.contains("勤務予定がありません") && page.body.contains("name=\"hours\""), "{}", page.body);
    let answer = client.form("/worklist/presence", &[("presence", "on")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "he must say for how long");
    let answer = client.form("/worklist/presence", &[("presence", "on"), ("hours", "13")]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
    let answer = client.form("/worklist/presence", &[("presence", "on"), ("hours", "4")]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert!(client.get("/worklist").await.body.contains("12:00 – 16:00"));
    // Four hours later it is over; what begins next cuts the next offer short.
    app.clock.advance(chrono::TimeDelta::hours(5));
    let now = app.clock.stamp();
    let next = now + chrono::TimeDelta::hours(1)..now + chrono::TimeDelta::hours(9);
    let place = dokuei_models::state::Place::OnSite;
    let added = move |conn: &mut dokuei_models::Connection| {
        dokuei_models::store::shifts::shift_add_in_tx(conn, reader, next.clone(), place)
    };
    app.state.db.tx(added).await.unwrap();
    let client = app.sign_in("dr", PASSWORD).await;
    let page = client.get("/worklist").await;
    assert!(page.body.contains("次の勤務は 18:00 から"), "{}", page.body);
    client.form("/worklist/presence", &[("presence", "on"), ("hours", "8")]).await;
    assert!(client.get("/worklist").await.body.contains("17:00 – 18:00"));
}
