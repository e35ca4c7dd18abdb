//! A site sends, asks, answers and receives, as its people do in the browser.

use std::process::{Child, Command, Stdio};

use actix_web::http::{Method, StatusCode};
use bytes::Bytes;
use chrono::{TimeDelta, Utc};
use dokuei_models::state::{
    CaseEvent, CaseState, DeliveryContent, DeliveryKind, DeliveryState, HoldActor, NoteKind, OrphanRule, VersionState,
    case_apply_in_tx,
};
use dokuei_models::store::deliveries::{self, NewDelivery};
use dokuei_models::store::evidence::{EvidenceKind, evidence_list};
use dokuei_models::store::readers::{self, ReaderRow};
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_models::store::{artefacts, case_notes, cases, reads, reports, studies};
use dokuei_models::{Actor, CaseId, EndpointId, PoolId, ReaderId, ReportVersionId, SiteId, StudyId};
use dokuei_server::app::returns;
use dokuei_server::authority::{Role, Scope};
use dokuei_server::clock::Clock as _;
use dokuei_server::work::{Worker, kinds};

use super::app::{Answer, Client, TestApp};

const STUDY: &str = "1.2.826.0.1.3680043.10.1.1";

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

async fn house() -> (TestApp, PoolId, SiteId) {
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

fn site(code: &str, pool: PoolId) -> SiteRow {
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

async fn work(app: &TestApp) {
    let worker = Worker::new(app.state.clone(), "test", kinds::all());
    while worker.work_once().await.unwrap() {}
}

async fn post(who: &Client<'_>, path: &str, body: &str, name: &str) -> Answer {
    let headers = [
        ("accept", "application/json"),
        ("x-csrf-token", &who.csrf),
        ("x-file-name", name),
        ("content-type", "application/octet-stream"),
    ];
    who.send(Method::POST, path, &headers, body).await
}

/// Uploads files and returns the line of each.
async fn upload(who: &Client<'_>, site: SiteId, files: &[(&str, &str)]) -> Vec<serde_json::Value> {
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

fn request(site: SiteId) -> Vec<(&'static str, String)> {
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

async fn send_request(who: &Client<'_>, fields: &[(&'static str, String)]) -> Answer {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    who.form("/portal/requests", &fields).await
}

async fn case_of(app: &TestApp) -> CaseId {
    let all = app
        .state
        .db
        .read(|conn| cases::case_list(conn, &cases::CaseQuery { limit: 10, ..Default::default() }))
        .await
        .unwrap();
    all.into_iter().rfind(|case| case.state != CaseState::Cancelled).unwrap().id
}

/// Uploads two images, writes their request, and returns the case.
async fn submitted(app: &TestApp, who: &Client<'_>, site: SiteId) -> CaseId {
    upload(who, site, &[("a", &image(1)), ("b", &image(2))]).await;
    work(app).await;
    let sent = send_request(who, &request(site)).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    work(app).await;
    case_of(app).await
}

#[actix_web::test]
async fn images_come_first_and_their_request_finds_them() {
    let (app, pool, site_id) = house().await;
    let who = app.with_user("gishi", &[(Role::SiteTechnologist, Scope::Site(site_id))]).await;
    let empty = who.get("/portal").await;
    assert!(empty.body.contains("進行中のものはありません"), "an empty list says what to do");

    let lines = upload(
        &who,
        site_id,
        &[("CD%2FIM1", &image(1)), ("IM2", &image(2)), ("IM1", &image(1)), ("memo.txt", "hello")],
    )
    .await;
    let fates: Vec<&str> = lines.iter().map(|line| line["fate"].as_str().unwrap()).collect();
    assert_eq!(fates, ["kept", "kept", "repeated", "ignored"]);
    assert_eq!(lines[0]["name"], "CD/IM1");
    assert!(lines[3]["reason"].as_str().unwrap().contains("画像ではない"));
    let study = lines[0]["study"].as_i64().unwrap();
    let said = app.state.db.read(move |conn| {
        let row = studies::study_get(conn, StudyId(study))?;
        evidence_list(conn, row.site_id, &row.study_uid)
    });
    let ended: Vec<_> = said.await.unwrap().into_iter().filter(|one| one.kind == EvidenceKind::Release).collect();
    assert_eq!(ended.len(), 1, "the upload's end is evidence, as an association's release is");
    assert!(ended[0].detail.contains("\"instances\":3"), "known ones count: {}", ended[0].detail);

    work(&app).await;
    let page = who.get("/portal").await;
    assert!(page.body.contains("依頼票がありません") && page.body.contains("架空 花子") && page.body.contains("2 / 2"));
    let form = who.get(&format!("/portal/form?study={study}")).await;
    assert!(
        form.body.contains("value=\"0042\"")
            && form.body.contains("1960-04-01")
            && form.body.contains("value=\"A-100\"")
    );

    let mut wrong = request(site_id);
    wrong.retain(|(name, _)| *name != "exam");
    wrong.iter_mut().find(|(name, _)| *name == "priority").unwrap().1 = "stat".to_owned();
    let refused = send_request(&who, &wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused.body.contains("いま出られる電話番号が必要") && refused.body.contains("肺炎の有無"),
        "what was typed stays"
    );

    let sent = send_request(&who, &request(site_id)).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    let case = case_of(&app).await;
    assert_eq!(sent.header("location"), format!("/portal/cases/{case}"));
    let page = who.get(&format!("/portal/cases/{case}")).await;
    assert!(page.body.contains("肺炎の有無"), "{}", page.body);

    // Another site's person sees nothing of it.
    let other = app.state.db.tx(move |conn| sites::site_insert_in_tx(conn, &site("b", pool))).await.unwrap();
    let stranger = app.with_user("other", &[(Role::SiteDoctor, Scope::Site(other))]).await;
    for path in
        [format!("/portal/cases/{case}"), format!("/portal/form?study={study}"), "/portal/requests/1".to_owned()]
    {
        assert_eq!(stranger.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert!(!stranger.get("/portal").await.body.contains("架空 花子"));
    let theft = stranger.form("/portal/requests/1/cancel", &[("reason", "x")]).await;
    assert_eq!(theft.status, StatusCode::NOT_FOUND);
    assert_eq!(stranger.form("/portal/uploads", &[("site", &site_id.to_string())]).await.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn a_pair_that_names_two_patients_is_read_by_nobody_and_says_why() {
    let (app, _, site_id) = house().await;
    let who = app.with_user("jimu", &[(Role::SiteClerk, Scope::Site(site_id))]).await;
    upload(&who, site_id, &[("a", &image(1))]).await;
    work(&app).await;
    let mut twin = request(site_id);
    twin.iter_mut().find(|(name, _)| *name == "birth_date").unwrap().1 = "1961-04-01".to_owned();
    assert_eq!(send_request(&who, &twin).await.status, StatusCode::SEE_OTHER);
    let all = app
        .state
        .db
        .read(|conn| cases::case_list(conn, &cases::CaseQuery { limit: 10, ..Default::default() }))
        .await
        .unwrap();
    assert!(all.is_empty(), "no case is opened");
    let page = who.get("/portal?show=todo").await;
    assert!(page.body.contains("一致しない") && page.body.contains("生年月日"), "{}", page.body);
}

#[actix_web::test]
async fn a_written_request_takes_the_place_of_the_one_by_rule() {
    let (app, pool, _) = house().await;
    let row = SiteRow { orphan_rule: OrphanRule::DefaultRequest, ..site("c", pool) };
    let site_id = app.state.db.tx(move |conn| sites::site_insert_in_tx(conn, &row)).await.unwrap();
    let who = app.with_user("gishi", &[(Role::SiteTechnologist, Scope::Site(site_id))]).await;
    upload(&who, site_id, &[("a", &image(1))]).await;
    work(&app).await;
    let by_rule = case_of(&app).await;
    let mut double = request(site_id);
    double.iter_mut().find(|(name, _)| *name == "kind").unwrap().1 = "double".to_owned();
    assert_eq!(send_request(&who, &double).await.status, StatusCode::SEE_OTHER);
    let case = case_of(&app).await;
    assert_ne!(case, by_rule, "nobody read it yet, so it is opened anew");
    let (old, reads_of) = app
        .state
        .db
        .read(move |conn| Ok((cases::case_get(conn, by_rule)?.state, reads::read_list_of_case(conn, case)?.len())))
        .await
        .unwrap();
    assert_eq!((old, reads_of), (CaseState::Cancelled, 2));
    let again = send_request(&who, &double).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.body.contains("すでに依頼があります"));
}

#[actix_web::test]
async fn an_answer_lets_the_reading_go_on_and_a_cancelled_request_ends_it() {
    let (app, _, site_id) = house().await;
    let who = app.with_user("gishi", &[(Role::SiteTechnologist, Scope::Site(site_id))]).await;
    let case = submitted(&app, &who, site_id).await;
    let actor = Actor::system("test", app.clock.stamp());
    app.state
        .db
        .tx(move |conn| {
            case_notes::case_note_add_in_tx(conn, &actor, case, NoteKind::Question, "", "側面像はありますか。")?;
            let until = actor.at + TimeDelta::hours(24);
            let hold = CaseEvent::Hold { reason: "question".to_owned(), actor: HoldActor::Site, until };
            case_apply_in_tx(conn, &actor, case, &hold)
        })
        .await
        .unwrap();
    let page = who.get("/portal").await;
    assert!(page.body.contains("回答する"), "{}", page.body);
    assert!(who.get(&format!("/portal/cases/{case}")).await.body.contains("側面像はありますか。"));
    let path = format!("/portal/cases/{case}/answer");
    assert_eq!(who.form(&path, &[("answer", "  ")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(who.form(&path, &[("answer", "追加で送りました。")]).await.status, StatusCode::SEE_OTHER);
    let row = app.state.db.read(move |conn| cases::case_get(conn, case)).await.unwrap();
    assert_eq!(row.state, CaseState::Ready);

    let path = format!("/portal/requests/{}/cancel", row.request_id);
    assert_eq!(who.form(&path, &[("reason", "")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(who.form(&path, &[("reason", "患者の転院")]).await.status, StatusCode::SEE_OTHER);
    let row = app.state.db.read(move |conn| cases::case_get(conn, case)).await.unwrap();
    assert_eq!(row.state, CaseState::Cancelled);
    // The images are still here: a new request finds them.
    assert_eq!(send_request(&who, &request(site_id)).await.status, StatusCode::SEE_OTHER);
    assert_ne!(case_of(&app).await, case);
}

/// DCMTK's receiver on a free port, or nothing where it is not installed.
struct Storescp {
    child: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Storescp {
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let started = Command::new("storescp")
            .args(["--aetitle", "PACS_A", "--output-directory"])
            .arg(folder.path())
            .arg(port.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match started {
            Ok(child) => {
                for _ in 0..100 {
                    if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                        break;
                    }
                    std::thread::sleep(std::time::Duration::from_millis(50));
                }
                Some(Self { child, folder, port })
            }
            Err(error) if std::env::var("DOKUEI_TEST_PEERS").as_deref() == Ok("required") => {
                panic!("storescp: {error}")
            }
            Err(_) => {
                eprintln!("the return over C-STORE is NOT tested: storescp is not installed");
                None
            }
        }
    }

    fn files(&self) -> Vec<Vec<u8>> {
        std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
            .collect()
    }
}

impl Drop for Storescp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const PDF: &[u8] = b"%PDF-1.7 a signed report";

/// Signs a version of the case and owes it to the portal, by mail, and to a DICOM node.
async fn signed(app: &TestApp, case: CaseId, pool: PoolId, endpoint: Option<EndpointId>) -> ReportVersionId {
    let user = app.add_user("reader", &[(Role::Reader, Scope::All)]).await;
    let object = app.state.objects.keep("reports", Bytes::from_static(PDF)).await.unwrap();
    let at = app.clock.stamp();
    app.state
        .db
        .tx(move |conn| {
            let actor = Actor::system("test", at);
            let row = ReaderRow {
                id: ReaderId(0),
                user_id: user,
                pool_id: pool,
                qualification: String::new(),
                pace: 1.0,
                capacity_minutes: 480,
                logged_in: true,
                paused: false,
                presence_at: None,
                active: true,
                version: 1,
            };
            let reader = readers::reader_insert_in_tx(conn, &row)?;
            let read = reads::read_list_of_case(conn, case)?[0].id;
            case_apply_in_tx(conn, &actor, case, &CaseEvent::StartReading { read })?;
            let draft = reports::draft_open_in_tx(conn, read, reader, user, "", at)?;
            reports::version_sign_in_tx(conn, draft.id, 0, VersionState::Final, "", user, at)?;
            artefacts::artefact_add_in_tx(conn, draft.id, artefacts::PDF, &object, at)?;
            case_apply_in_tx(conn, &actor, case, &CaseEvent::Report { version: Some(draft.id) })?;
            let mut to = vec![
                (DeliveryKind::Portal, None, "portal", true),
                (DeliveryKind::Mail, None, "dept@hospital.example", false),
            ];
            to.extend(endpoint.map(|endpoint| (DeliveryKind::Dicom, Some(endpoint), "PACS_A", true)));
            for (kind, endpoint, destination, required) in to {
                let destination = destination.to_owned();
                let content = DeliveryContent::Report;
                let new = NewDelivery { case, version: draft.id, content, kind, endpoint, destination, required, at };
                deliveries::delivery_create_in_tx(conn, &new)?;
            }
            Ok(draft.id)
        })
        .await
        .unwrap()
}

async fn endpoint(app: &TestApp, site: SiteId, port: u16) -> EndpointId {
    app.state
        .db
        .tx(move |conn| {
            let row = sites::EndpointRow {
                site_id: site,
                name: "PACS".to_owned(),
                sends: false,
                receives: true,
                ae_title: "PACS_A".to_owned(),
                host: "127.0.0.1".to_owned(),
                port: i32::from(port),
                addresses: String::new(),
                ..sites::EndpointRow::default()
            };
            sites::endpoint_insert_in_tx(conn, &row)
        })
        .await
        .unwrap()
}

#[actix_web::test]
async fn a_signed_report_goes_back_and_only_a_doctor_accepts_it() {
    let (app, pool, site_id) = house().await;
    let gishi = app.with_user("gishi", &[(Role::SiteTechnologist, Scope::Site(site_id))]).await;
    let doctor = app.with_user("isha", &[(Role::SiteDoctor, Scope::Site(site_id))]).await;
    let case = submitted(&app, &gishi, site_id).await;
    let peer = Storescp::start();
    let node = match &peer {
        Some(peer) => Some(endpoint(&app, site_id, peer.port).await),
        None => None,
    };
    let version = signed(&app, case, pool, node).await;
    let early = doctor.form(&format!("/portal/versions/{version}/accept"), &[]).await;
    assert_eq!(early.status, StatusCode::CONFLICT, "not before the return");
    work(&app).await;
    let (row, owed) = app
        .state
        .db
        .read(move |conn| Ok((cases::case_get(conn, case)?, deliveries::delivery_list_of_case(conn, case)?)))
        .await
        .unwrap();
    assert_eq!(row.state, CaseState::Returned, "{owed:?}");
    let mail = owed.iter().find(|one| one.kind == DeliveryKind::Mail).unwrap();
    assert_eq!((mail.state, mail.attempts), (DeliveryState::Pending, 0), "it waits for a mail server");
    assert!(mail.last_error.as_deref().unwrap().contains("mail.host"));
    if let Some(peer) = &peer {
        let files = peer.files();
        assert_eq!(files.len(), 1);
        let header = dokuei_dicom_gateway::header::read_file(&files[0]).unwrap();
        assert_eq!(header.study_uid.as_str(), STUDY, "in the original study");
        assert_eq!(
            (header.patient.id.as_str(), header.patient.name.ideographic()),
            ("0042", "架空^花子"),
            "letter by letter"
        );
        assert!(files[0].windows(PDF.len()).any(|window| window == PDF), "the PDF's bytes are untouched");
    }

    let path = format!("/portal/versions/{version}/report.pdf");
    let pdf = gishi.get(&path).await;
    assert_eq!((pdf.status, pdf.header("content-type")), (StatusCode::OK, "application/pdf"));
    let facts = |app: &TestApp| {
        let db = app.state.db.clone();
        async move { db.read(move |conn| dokuei_models::store::recipients::recipient_list(conn, &[case])).await.unwrap() }
    };
    assert!(facts(&app).await.iter().all(|one| one.opened_at.is_none()), "the technologist is no recipient");
    doctor.get(&path).await;
    assert!(facts(&app).await[0].opened_at.is_some() && facts(&app).await[0].accepted_at.is_none());
    let refused = gishi.form(&format!("/portal/versions/{version}/accept"), &[]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let accepted = doctor.form(&format!("/portal/versions/{version}/accept"), &[]).await;
    assert_eq!(accepted.status, StatusCode::SEE_OTHER, "{}", accepted.body);
    let acted = doctor
        .form(&format!("/portal/versions/{version}/act"), &[("case", &case.to_string()), ("note", "再検査を手配")])
        .await;
    assert_eq!(acted.status, StatusCode::SEE_OTHER, "{}", acted.body);
    let row = app.state.db.read(move |conn| cases::case_get(conn, case)).await.unwrap();
    assert_eq!(row.state, CaseState::Acknowledged);
    let page = doctor.get(&format!("/portal/cases/{case}")).await;
    assert!(page.body.contains("再検査を手配") && page.body.contains("確認済みです"), "{}", page.body);
    assert!(doctor.get("/portal/reports").await.body.contains("架空 花子"));
    let late = gishi.form(&format!("/portal/requests/{}/cancel", row.request_id), &[("reason", "x")]).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "nothing signed is cancelled");
}

#[actix_web::test]
async fn a_peer_that_is_off_is_tried_again_and_a_person_can_give_it_up() {
    let (app, pool, site_id) = house().await;
    let who = app.with_user("gishi", &[(Role::SiteTechnologist, Scope::Site(site_id))]).await;
    let case = submitted(&app, &who, site_id).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let node = endpoint(&app, site_id, closed).await;
    signed(&app, case, pool, Some(node)).await;
    let of_case = |app: &TestApp| {
        let db = app.state.db.clone();
        async move {
            let all = db.read(move |conn| deliveries::delivery_list_of_case(conn, case)).await.unwrap();
            all.into_iter().find(|one| one.kind == DeliveryKind::Dicom).unwrap()
        }
    };
    work(&app).await;
    let first = of_case(&app).await;
    assert_eq!((first.state, first.attempts), (DeliveryState::Pending, 1));
    let error = first.last_error.clone().unwrap();
    assert!(error.contains(&format!("127.0.0.1:{closed}")), "{error}");
    for _ in 0..deliveries::DELIVERY_ATTEMPTS {
        app.clock.advance(TimeDelta::minutes(11));
        work(&app).await;
    }
    let dead = of_case(&app).await;
    assert_eq!(dead.state, DeliveryState::Dead);
    let actor = Actor::system("test", app.clock.stamp());
    assert!(returns::give_up(&app.state, actor.clone(), dead.id, " ").await.is_err(), "a reason is needed");
    returns::give_up(&app.state, actor, dead.id, "廃止").await.unwrap();
    let row = app.state.db.read(move |conn| cases::case_get(conn, case)).await.unwrap();
    assert_eq!(row.state, CaseState::Returned);
}

/// The DICOMDIR of a CD with so many of the images.
fn directory(images: std::ops::RangeInclusive<u32>) -> Vec<u8> {
    use dokuei_dicom_gateway::dataset::{self, Limits};
    use dokuei_dicom_gateway::fileset::FileSet;
    use dokuei_dicom_gateway::uid::Uid;
    let mut set = FileSet::new("CD", Uid::parse(b"2.25.7").unwrap(), ("20261001".into(), "090000".into()));
    for number in images {
        let header = dataset::read_file(image(number).as_bytes(), Limits::default()).unwrap();
        set.add(&header, "1.2.840.10008.1.2.1");
    }
    set.directory().unwrap()
}

/// A scratched CD: who does not hear that an image is missing takes the rest for the whole examination.
#[actix_web::test]
async fn what_a_cd_names_and_did_not_come_is_told_and_what_it_does_not_name_is_taken() {
    let (app, _, site_id) = house().await;
    let who = app.with_user("gishi", &[(Role::SiteTechnologist, Scope::Site(site_id))]).await;
    let begin = async || {
        let begun = who.form("/portal/uploads", &[("site", &site_id.to_string())]).await;
        serde_json::from_str::<serde_json::Value>(&begun.body).unwrap()["id"].as_i64().unwrap()
    };
    let bring = async |id: i64, name: &str, body: &[u8]| {
        let headers = [("x-csrf-token", who.csrf.as_str()), ("x-file-name", name)];
        let answer = who.send_bytes(Method::POST, &format!("/portal/uploads/{id}/files"), &headers, body).await;
        serde_json::from_str::<serde_json::Value>(answer.body.lines().next().unwrap()).unwrap()
    };
    let end = async |id: i64| {
        let ended = post(&who, &format!("/portal/uploads/{id}/end"), "", "").await;
        let ended: serde_json::Value = serde_json::from_str(&ended.body).unwrap();
        ended["missing"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let id = begin().await;
    let said = bring(id, "CD%2FDICOMDIR", &directory(1..=4)).await;
    assert_eq!(said["fate"], "ignored");
    assert!(said["reason"].as_str().unwrap().contains("4 枚"), "{said}");
    for number in [1, 2, 9] {
        assert_eq!(bring(id, "IM", image(number).as_bytes()).await["fate"], "kept", "named or not");
    }
    let cut = image(3);
    assert_ne!(bring(id, "IM3", &cut.as_bytes()[..cut.len() - 20]).await["fate"], "kept");
    let missing = end(id).await;
    assert_eq!(missing.len(), 1, "one study");
    assert!(missing[0].contains("4 枚のうち 2 枚") && missing[0].contains(&Utc::now().format("%Y-%m-%d").to_string()));

    // What came meanwhile is here, whichever upload brought it.
    let id = begin().await;
    bring(id, "DICOMDIR", &directory(1..=3)).await;
    bring(id, "IM3", image(3).as_bytes()).await;
    assert!(end(id).await.is_empty());
    let id = begin().await;
    let whole = directory(1..=3);
    let said = bring(id, "DICOMDIR", &whole[..whole.len() / 2]).await;
    assert!(said["reason"].as_str().unwrap().contains("読めません"), "{said}");
    assert_eq!(bring(id, "IM5", image(5).as_bytes()).await["fate"], "kept", "a broken directory stops nobody");
    assert!(end(id).await.is_empty());
}
