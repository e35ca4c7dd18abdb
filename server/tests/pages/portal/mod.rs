//! A site sends, asks, answers and receives, as its people do in the browser.

mod asking;
mod media;
mod returning;

use actix_web::http::{Method, StatusCode};
use chrono::{TimeDelta, Utc};
use dokuei_models::state::{CaseState, OrphanRule};
use dokuei_models::store::cases;
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_models::{CaseId, PoolId, SiteId};
use dokuei_server::clock::Clock as _;
use dokuei_server::work::{Worker, kinds};

use super::app::{Answer, Client, TestApp};

pub const STUDY: &str = "1.2.826.0.1.3680043.10.1.1";

/// A chest radiograph's header in explicit VR little endian and UTF-8, without pixels: ASCII and UTF-8 only, so that it
/// is text too.
pub fn image(number: u32) -> String {
    let element = |group: u16, element: u16, vr: &str, value: &str| {
        let padded = if value.len() % 2 == 1 {
            format!("{value}{}", if vr == "UI" { '\0' } else { ' ' })
        } else {
            value.to_owned()
        };
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&group.to_le_bytes());
        bytes.extend_from_slice(&element.to_le_bytes());
        bytes.extend_from_slice(vr.as_bytes());
        bytes.extend_from_slice(&u16::try_from(padded.len()).unwrap().to_le_bytes());
        bytes.extend_from_slice(padded.as_bytes());
        String::from_utf8(bytes).unwrap()
    };
    [
        element(0x08, 0x05, "CS", "ISO_IR 192"),
        element(0x08, 0x16, "UI", "1.2.840.10008.5.1.4.1.1.1"),
        element(0x08, 0x18, "UI", &format!("{STUDY}.1.{number}")),
        element(0x08, 0x20, "DA", &Utc::now().format("%Y%m%d").to_string()),
        element(0x08, 0x50, "SH", "A-100"),
        element(0x08, 0x60, "CS", "CR"),
        element(0x10, 0x10, "PN", "KAKUU^HANAKO=架空^花子"),
        element(0x10, 0x20, "LO", "0042"),
        element(0x10, 0x30, "DA", "19600401"),
        element(0x10, 0x40, "CS", "F"),
        element(0x18, 0x15, "CS", "CHEST"),
        element(0x20, 0x0D, "UI", STUDY),
        element(0x20, 0x0E, "UI", &format!("{STUDY}.1")),
        element(0x20, 0x13, "IS", &number.to_string()),
    ]
    .concat()
}

pub async fn house() -> (TestApp, PoolId, SiteId) {
    let app = TestApp::init().await;
    // Images are filed at the machine's time.
    app.clock.advance(Utc::now() - app.clock.now() + TimeDelta::seconds(60));
    let (pool, site) = app
        .state
        .db
        .tx(|conn| {
            let pool = sites::pool_insert_in_tx(conn, "p", "群", "Pool")?;
            Ok((pool, sites::site_insert_in_tx(conn, &site("a", pool))?))
        })
        .await
        .unwrap();
    (app, pool, site)
}

pub fn site(code: &str, pool: PoolId) -> SiteRow {
    SiteRow {
        id: SiteId(0),
        pool_id: pool,
        code: code.to_owned(),
        name_ja: format!("架空病院{code}"),
        name_en: String::new(),
        refers: true,
        reads: false,
        insured: true,
        institution_code: None,
        phone: "03-0000-0000".to_owned(),
        email: String::new(),
        patient_id_rule: "ignore_zeros".to_owned(),
        orphan_rule: OrphanRule::Wait,
        orphan_wait_minutes: 30,
        comparison_after_days: 3650,
        quiet_seconds: 5,
        unknown_classes: false,
        standing_notes: String::new(),
        demo: true,
        research: false,
        active: true,
        version: 1,
    }
}

pub async fn work(app: &TestApp) {
    let worker = Worker::new(app.state.clone(), "test", kinds::all());
    while worker.work_once().await.unwrap() {}
}

pub async fn post(who: &Client<'_>, path: &str, body: &str, name: &str) -> Answer {
    let headers = [
        ("accept", "application/json"),
        ("x-csrf-token", &who.csrf),
        ("x-file-name", name),
        ("content-type", "application/octet-stream"),
    ];
    who.send(Method::POST, path, &headers, body).await
}

/// Uploads files and returns the line of each.
pub async fn upload(who: &Client<'_>, site: SiteId, files: &[(&str, &str)]) -> Vec<serde_json::Value> {
    let begun = who.form("/portal/uploads", &[("site", &site.to_string())]).await;
    assert_eq!(begun.status, StatusCode::CREATED, "{}", begun.body);
    let id = serde_json::from_str::<serde_json::Value>(&begun.body).unwrap()["id"].as_i64().unwrap();
    let mut lines = Vec::new();
    for (name, body) in files {
        let answer = post(who, &format!("/portal/uploads/{id}/files"), body, name).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        lines.extend(answer.body.lines().map(|line| serde_json::from_str(line).unwrap()));
    }
    let ended = post(who, &format!("/portal/uploads/{id}/end"), "", "").await;
    assert_eq!(ended.status, StatusCode::OK, "{}", ended.body);
    let late = post(who, &format!("/portal/uploads/{id}/files"), "x", "late").await;
    assert_eq!(late.status, StatusCode::CONFLICT, "an upload that is over takes nothing");
    lines
}

pub fn request(site: SiteId) -> Vec<(&'static str, String)> {
    [
        ("accession_number", "A-100"),
        ("patient_id", "42"),
        ("name_kanji", "架空 花子"),
        ("birth_date", "1960-04-01"),
        ("sex", "F"),
        ("ordering_doctor", "見本 医師"),
        ("exam", "胸部 単純"),
        ("question", "肺炎の有無"),
        ("kind", "reading"),
        ("source", "outpatient"),
        ("priority", "routine"),
    ]
    .into_iter()
    .map(|(name, value)| (name, value.to_owned()))
    .chain([("site", site.to_string())])
    .collect()
}

pub async fn send_request(who: &Client<'_>, fields: &[(&'static str, String)]) -> Answer {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    who.form("/portal/requests", &fields).await
}

pub async fn case_of(app: &TestApp) -> CaseId {
    let all = app
        .state
        .db
        .read(|conn| cases::case_list(conn, &cases::CaseQuery { limit: 10, ..Default::default() }))
        .await
        .unwrap();
    all.into_iter().rfind(|case| case.state != CaseState::Cancelled).unwrap().id
}

/// Uploads two images, writes their request, and returns the case.
pub async fn submitted(app: &TestApp, who: &Client<'_>, site: SiteId) -> CaseId {
    upload(who, site, &[("a", &image(1)), ("b", &image(2))]).await;
    work(app).await;
    let sent = send_request(who, &request(site)).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    work(app).await;
    case_of(app).await
}
