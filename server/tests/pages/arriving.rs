//! Studies that are not all here: what the reader sees, signing all the same, what comes after the signature; images
//! that a site withdraws; images that come again.

use actix_web::http::StatusCode;
use chrono::TimeDelta;
use dokuei_demo::dicom::Instance;
use dokuei_dicom_gateway::intake::Kept as Filed;
use dokuei_models::objects::KeptObject;
use dokuei_models::state::{CaseState, ReadKind, ReadState, RequestKind, Whose};
use dokuei_models::store::cases::{self, IDENTITY_CHANGED, IMAGE_CONFLICT, IMAGES_WITHDRAWN, INCOMPLETE, LATE_IMAGES};
use dokuei_models::store::evidence::{EvidenceKind, NewEvidence, evidence_record_in_tx};
use dokuei_models::store::images::{self, InstanceFacts};
use dokuei_models::store::{artefacts, reads, sites, studies};
use dokuei_models::{CaseId, StudyId};
use dokuei_server::authority::{Role, Scope};
use dokuei_server::clock::Clock as _;
use dokuei_server::work::{Worker, arriving, kinds};

use super::app::{PASSWORD, TestApp};
use super::reading::{case_state, draft, sign};
use super::sending::Arrival;
use super::ward::Ward;

async fn study_of(app: &TestApp, case: CaseId) -> StudyId {
    app.state.db.read(move |conn| Ok(cases::case_study_list(conn, case)?[0].0)).await.unwrap()
}

/// A performed procedure step that made this many instances.
async fn step_made(app: &TestApp, study: StudyId, count: i32) {
    let at = app.clock.stamp();
    app.state
        .db
        .tx(move |conn| {
            let row = studies::study_get(conn, study)?;
            let said = NewEvidence {
                site: row.site_id,
                study_uid: row.study_uid,
                kind: EvidenceKind::Mpps,
                source: "1.2.9".into(),
                expected_instances: Some(count),
                detail: serde_json::json!({ "step": "COMPLETED" }),
                at,
            };
            evidence_record_in_tx(conn, &said)
        })
        .await
        .unwrap();
}

async fn more_come(app: &TestApp, study: StudyId, count: i32) {
    let at = app.clock.stamp();
    app.state
        .db
        .tx(move |conn| {
            let row = studies::study_get(conn, study)?;
            for number in 1..=count {
                let facts = InstanceFacts {
                    identity: row.identity(),
                    study_uid: row.study_uid.clone(),
                    series_uid: format!("{}.78", row.study_uid),
                    sop_instance_uid: format!("{}.78.{number}", row.study_uid),
                    modality: "CT".into(),
                    frames: 1,
                    ..InstanceFacts::default()
                };
                let object = KeptObject { key: format!("k/{number}"), sha256: format!("{number:064}"), size: 10 };
                images::instance_keep_in_tx(conn, row.site_id, None, &facts, &object, at)?;
            }
            Ok(())
        })
        .await
        .unwrap();
}

async fn work(app: &TestApp) {
    app.clock.advance(TimeDelta::seconds(30));
    // Without the planner, which may give the read to another who is on shift.
    let settling = kinds::all().into_iter().filter(|kind| matches!(kind.name, "settle_study" | "tell_study"));
    let worker = Worker::new(app.state.clone(), "test", settling.collect());
    while worker.work_once().await.unwrap() {}
}

/// The words of a PDF without the spaces between them.
fn text_of(pdf: &[u8]) -> String {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, pdf).unwrap();
    let done = std::process::Command::new("pdftotext").args(["-layout"]).arg(file.path()).arg("-").output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().split_whitespace().collect()
}

async fn has_flag(app: &TestApp, case: CaseId, flag: &'static str) -> bool {
    app.state.db.read(move |conn| cases::case_get(conn, case)).await.unwrap().has_flag(flag)
}

#[actix_web::test]
async fn a_study_known_to_be_incomplete_is_signed_only_on_purpose_and_opens_again_when_the_rest_comes() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (reader, id) = ward.reader("night").await;
    ward.shift(id, 8).await;
    let (case, read, _) = ward.case_for(id, RequestKind::Reading).await;
    let study = study_of(&app, case).await;
    step_made(&app, study, 5).await;
    reader.form(&format!("/reads/{read}/start"), &[]).await;
    let now = reader.get(&format!("/reads/{read}/state")).await.body;
    assert!(now.contains("3 / 5"), "the reader sees how much is here: {now}");
    draft(&reader, read, 0, "所見").await;
    let asked = sign(&reader, read, 1, PASSWORD).await;
    assert_eq!(asked.status, StatusCode::CONFLICT, "{}", asked.body);
    assert!(reader.get(&format!("/reads/{read}/sign")).await.body.contains("although_coming"));
    let all_the_same = [("revision", "1"), ("password", PASSWORD), ("although_coming", "yes")];
    let signed = reader.form(&format!("/reads/{read}/sign"), &all_the_same).await;
    assert_eq!(signed.status, StatusCode::OK, "{}", signed.body);
    assert!(has_flag(&app, case, INCOMPLETE).await, "no report is silently incomplete");
    assert_eq!(case_state(&app, case).await, CaseState::Reported);
    let clerk = app.with_user("clerk", &[(Role::SiteClerk, Scope::Site(ward.site))]).await;
    let portal = clerk.get(&format!("/portal/cases/{case}")).await.body;
    assert!(portal.contains("画像が届ききる前に署名された報告です。受信 3 / 5"), "its site reads it: {portal}");
    let version = super::reading::versions(&app, case).await[0].id;
    let artefact = app.state.db.read(move |conn| artefacts::artefact_of_kind(conn, version, artefacts::PDF));
    let artefact = artefact.await.unwrap().unwrap();
    let pdf = app.state.objects.get_checked(&artefact.object_key, &artefact.sha256).await.unwrap();
    let said = text_of(&pdf);
    for sentence in
        ["画像が届ききる前に署名されました（2026年4月1日12:00JST、予定5枚のうち3枚を受信）", "3of5expectedimages"]
    {
        assert!(said.contains(sentence), "{said}");
    }

    app.clock.advance(TimeDelta::minutes(10));
    more_come(&app, study, 2).await;
    work(&app).await;
    assert_eq!(case_state(&app, case).await, CaseState::Reading, "the rest opens the case again");
    assert!(!has_flag(&app, case, INCOMPLETE).await && has_flag(&app, case, LATE_IMAGES).await);
    let all = app.state.db.read(move |conn| reads::read_list_of_case(conn, case)).await.unwrap();
    let again = all.iter().find(|one| one.kind == ReadKind::Reopened).unwrap();
    assert_eq!((again.state, again.reader_id), (ReadState::Assigned, Some(id)), "its signer gets it");
    let again = again.id;
    let now = reader.get(&format!("/reads/{again}/state")).await.body;
    assert!(now.contains("late-unseen") && now.contains('2'), "{now}");
    assert_eq!(reader.form(&format!("/reads/{again}/start"), &[]).await.status, StatusCode::SEE_OTHER);
    draft(&reader, again, 0, "追加の画像でも同様").await;
    let fields = [("revision", "1"), ("becomes", "addendum"), ("reason", "画像追加"), ("password", PASSWORD)];
    let signed = reader.form(&format!("/reads/{again}/sign"), &fields).await;
    assert_eq!(signed.status, StatusCode::OK, "{}", signed.body);
    // The same once more changes nothing.
    work(&app).await;
    let all = app.state.db.read(move |conn| reads::read_list_of_case(conn, case)).await.unwrap();
    assert_eq!(all.len(), 2);
}

#[actix_web::test]
async fn images_that_come_while_a_case_is_read_are_shown_at_once_and_on_the_arrivals_page() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (reader, id) = ward.reader("night").await;
    let (case, read, _) = ward.case_for(id, RequestKind::Reading).await;
    let study = study_of(&app, case).await;
    arriving::look(&app.state).await.unwrap();
    reader.form(&format!("/reads/{read}/start"), &[]).await;
    app.clock.advance(TimeDelta::minutes(1));
    more_come(&app, study, 2).await;
    arriving::look(&app.state).await.unwrap();
    assert!(has_flag(&app, case, LATE_IMAGES).await, "before any quiet time has passed");
    let now = reader.get(&format!("/reads/{read}/state")).await.body;
    assert!(now.contains("2 枚が届き"), "{now}");
    let desk = app.with_user("desk", &[(Role::Dispatcher, Scope::Pool(ward.pool))]).await;
    step_made(&app, study, 9).await;
    for path in ["/arrivals".to_owned(), format!("/arrivals/{study}"), "/arrivals/list".to_owned()] {
        let page = desk.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.body);
        assert!(page.body.contains("5 / 9") && page.body.contains("MPPS"), "{path}: {}", page.body);
    }
    let whole = desk.form(&format!("/arrivals/{study}/whole"), &[("reason", "施設に確認した")]).await;
    assert_eq!(whole.status, StatusCode::SEE_OTHER, "{}", whole.body);
    assert!(!reader.get(&format!("/reads/{read}/state")).await.body.contains("5 / 9"));
    let admin = app.administrator("chief").await;
    let shown = admin.get(&format!("/arrivals/{study}")).await;
    let name = app.state.db.read(move |conn| studies::study_get(conn, study)).await.unwrap().identity().name.shown();
    assert!(shown.status == StatusCode::OK && !shown.body.contains(&name), "an administrator sees no patient");
    assert!(desk.get(&format!("/arrivals/{study}")).await.body.contains(&name));
}

#[actix_web::test]
async fn a_site_withdraws_its_own_images_and_takes_it_back_and_a_signed_case_is_shown_to_the_dispatcher() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (reader, id) = ward.reader("night").await;
    let (case, read, instances) = ward.case_for(id, RequestKind::Reading).await;
    let study = study_of(&app, case).await;
    let clerk = app.with_user("clerk", &[(Role::SiteClerk, Scope::Site(ward.site))]).await;
    let page = clerk.get(&format!("/portal/arrivals/{study}")).await;
    assert!(page.status == StatusCode::OK && page.body.contains("withdraw"), "{}", page.body);
    let withdraw = format!("/portal/arrivals/{study}/withdraw");
    let one = instances[0].to_string();
    let none = clerk.form(&withdraw, &[("what", "chosen"), ("reason", "左右の誤り")]).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", none.body);
    let done = clerk.form(&withdraw, &[("what", "chosen"), ("images", &one), ("reason", "左右の誤り")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    assert_eq!(case_state(&app, case).await, CaseState::OnHold);
    let listed = reader.get(&format!("/reads/{read}/images")).await.body;
    assert!(!listed.contains(&format!("\"id\":{one},\"number\":1,\"frames\"")), "hidden at once: {listed}");
    let frame = reader.get(&format!("/reads/{read}/images/{one}/frames/0/png")).await;
    assert_eq!(frame.status, StatusCode::NOT_FOUND);
    let page = clerk.get(&format!("/portal/arrivals/{study}")).await.body;
    let start = page.find("/portal/withdrawals/").unwrap();
    let undo = &page[start..start + page[start..].find('"').unwrap()];
    let site = ward.site;
    let elsewhere = app
        .state
        .db
        .tx(move |conn| {
            let mut row = sites::site_get(conn, site)?;
            row.code = "elsewhere".into();
            sites::site_insert_in_tx(conn, &row)
        })
        .await
        .unwrap();
    let other = app.with_user("other", &[(Role::SiteClerk, Scope::Site(elsewhere))]).await;
    assert_eq!(other.form(undo, &[]).await.status, StatusCode::NOT_FOUND, "another site's");
    assert_eq!(other.form(&withdraw, &[("what", "all"), ("reason", "x")]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(clerk.form(undo, &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(case_state(&app, case).await, CaseState::Ready);

    reader.form(&format!("/reads/{read}/start"), &[]).await;
    draft(&reader, read, 0, "所見").await;
    assert_eq!(sign(&reader, read, 1, PASSWORD).await.status, StatusCode::OK);
    clerk.form(&withdraw, &[("what", "all"), ("reason", "患者の取り違え")]).await;
    assert!(has_flag(&app, case, IMAGES_WITHDRAWN).await);
    let desk = app.with_user("desk", &[(Role::Dispatcher, Scope::Pool(ward.pool))]).await;
    let trouble = desk.get("/dispatch/trouble").await.body;
    assert!(trouble.contains(&format!("/dispatch/cases/{case}/withdrawn-settled")), "{trouble}");
    let settled =
        desk.form(&format!("/dispatch/cases/{case}/withdrawn-settled"), &[("reason", "報告を取消した")]).await;
    assert_eq!(settled.status, StatusCode::SEE_OTHER, "{}", settled.body);
    assert!(!has_flag(&app, case, IMAGES_WITHDRAWN).await);
}

#[actix_web::test]
async fn images_that_come_again_and_contradict_are_compared_side_by_side_and_decided_on() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (_, id) = ward.reader("night").await;
    let start = app.clock.stamp();
    let (case, _, instances) = ward.case_for(id, RequestKind::Reading).await;
    let study = study_of(&app, case).await;
    let exam = dokuei_demo::day(7, start, None).find(|exam| exam.study.series[0].modality == "CT").unwrap();
    let file = Instance::of_series(&exam.study, 0).next().unwrap().part10().unwrap();
    let arrival = Arrival::at(&ward, Whose::Ours).await;
    let keep = async |bytes: &[u8]| arrival.keep(bytes).await;
    let mut other = file.clone();
    *other.last_mut().unwrap() ^= 0x10;
    assert!(matches!(keep(&other).await, Filed::Conflict(_)));
    assert!(has_flag(&app, case, IMAGE_CONFLICT).await);
    assert_eq!(case_state(&app, case).await, CaseState::Ready, "other pixels alone stop nobody");
    let desk = app.with_user("desk", &[(Role::Dispatcher, Scope::Pool(ward.pool))]).await;
    assert!(desk.get("/dispatch/trouble").await.body.contains(&format!("/dispatch/conflicts/{study}")));
    let sheet = desk.get(&format!("/dispatch/conflicts/{study}")).await.body;
    let pictures: Vec<&str> = sheet.split("src=\"").skip(1).filter_map(|part| part.split('"').next()).collect();
    let pictures: Vec<&str> = pictures.into_iter().filter(|src| src.starts_with("/dispatch/versions/")).collect();
    assert_eq!(pictures.len(), 2, "{sheet}");
    for picture in &pictures {
        assert_eq!(desk.get(picture).await.header("content-type"), "image/png");
    }
    let version = pictures[1].trim_start_matches("/dispatch/versions/").trim_end_matches("/png").to_owned();
    let decide = format!("/dispatch/conflicts/{study}/decide");
    let take = [("versions", version.as_str()), ("decision", "take"), ("reason", "再撮影")];
    let done = desk.form(&decide, &take).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    assert!(!has_flag(&app, case, IMAGE_CONFLICT).await);
    let one = instances[0];
    let size = app.state.db.read(move |conn| studies::instance_get(conn, one)).await.unwrap().size;
    assert!(size > 0);
    assert_eq!(desk.form(&decide, &take).await.status, StatusCode::CONFLICT, "decided once");
    let undo = desk.form(&format!("/dispatch/conflicts/{study}/undo"), &[("versions", &version)]).await;
    assert_eq!(undo.status, StatusCode::SEE_OTHER, "{}", undo.body);
    assert!(has_flag(&app, case, IMAGE_CONFLICT).await, "it waits again");

    // The same pixels under another patient's number.
    let head = [0x10, 0x00, 0x20, 0x00, b'L', b'O'];
    let at = file.windows(head.len()).position(|window| window == head).unwrap() + 8;
    let mut stranger = file.clone();
    stranger[at] = if stranger[at] == b'9' { b'8' } else { b'9' };
    assert!(matches!(keep(&stranger).await, Filed::Conflict(_)));
    assert_eq!(case_state(&app, case).await, CaseState::OnHold);
    assert!(has_flag(&app, case, IDENTITY_CHANGED).await);
    let sheet = desk.get(&format!("/dispatch/conflicts/{study}")).await.body;
    assert!(sheet.contains("00100020") && sheet.contains("PatientID"), "{sheet}");
    let clerk = app.with_user("clerk", &[(Role::SiteClerk, Scope::Site(ward.site))]).await;
    assert_eq!(clerk.get(&format!("/dispatch/conflicts/{study}")).await.status, StatusCode::FORBIDDEN);
}
