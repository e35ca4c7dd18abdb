//! An object that was kept apart: a dispatcher says where it belongs, reads it again, discards it and takes that back.

use actix_web::http::StatusCode;
use dokuei_demo::dicom::Instance;
use dokuei_dicom_gateway::intake::Kept;
use dokuei_models::state::{CaseState, RequestKind, Whose};
use dokuei_models::store::audit::{self, AuditQuery};
use dokuei_models::store::quarantine::{self, QuarantineOutcome};
use dokuei_models::store::{case_events, cases, studies};
use dokuei_models::{CaseId, StudyId};
use dokuei_server::authority::{Role, Scope};
use dokuei_server::clock::Clock as _;
use serde_json::{Value, json};

use super::api::{get, post, program, refusal, value};
use super::app::{Client, TestApp};
use super::reading::case_state;
use super::sending::Arrival;
use super::ward::Ward;

struct World<'a> {
    app: &'a TestApp,
    ward: Ward<'a>,
    desk: Client<'a>,
    case: CaseId,
    study: StudyId,
    file: Vec<u8>,
}

/// Where a string of eight header bytes begins: group, element and VR, with a two-byte length behind them.
fn value_at(file: &[u8], head: &[u8; 6]) -> usize {
    file.windows(6).position(|window| window == head).unwrap() + 8
}

impl<'a> World<'a> {
    async fn in_app(app: &'a TestApp) -> Self {
        let ward = Ward::in_app(app).await;
        let (_, id) = ward.reader("night").await;
        let start = app.clock.stamp();
        let (case, _, _) = ward.case_for(id, RequestKind::Reading).await;
        let exam = dokuei_demo::day(7, start, None).find(|exam| exam.study.series[0].modality == "CT").unwrap();
        let file = Instance::of_series(&exam.study, 0).nth(4).unwrap().part10().unwrap();
        let study = app.state.db.read(move |conn| Ok(cases::case_study_list(conn, case)?[0].0)).await.unwrap();
        let desk = app.with_user("desk", &[(Role::Dispatcher, Scope::Pool(ward.pool))]).await;
        Self { app, ward, desk, case, study, file }
    }

    async fn send(&self, file: &[u8]) -> Kept {
        Arrival::at(&self.ward, Whose::Ours).await.keep(file).await
    }

    /// A new image of the case's study under another patient's number: kept apart, and the case stops.
    async fn strangers(&self) -> i64 {
        let mut file = self.file.clone();
        let at = value_at(&file, &[0x10, 0x00, 0x20, 0x00, b'L', b'O']);
        file[at] = if file[at] == b'9' { b'8' } else { b'9' };
        assert!(matches!(self.send(&file).await, Kept::Conflict(_)));
        self.newest().await
    }

    async fn newest(&self) -> i64 {
        let site = self.ward.site;
        let open = self.app.state.db.read(move |conn| quarantine::quarantine_list_open(conn, &[site], 10)).await;
        open.unwrap().0[0].id
    }

    async fn row(&self, id: i64) -> quarantine::QuarantineRow {
        self.app.state.db.read(move |conn| quarantine::quarantine_get(conn, id)).await.unwrap()
    }

    async fn images(&self) -> usize {
        let study = self.study;
        self.app.state.db.read(move |conn| studies::instance_list(conn, study)).await.unwrap().len()
    }
}

#[actix_web::test]
async fn an_image_under_a_wrong_number_is_put_into_the_study_that_a_person_chooses_as_it_was_received() {
    let app = TestApp::init().await;
    let world = World::in_app(&app).await;
    let (case, study) = (world.case, world.study);
    let id = world.strangers().await;
    assert_eq!(case_state(&app, case).await, CaseState::OnHold);
    let path = format!("/dispatch/quarantine/{id}");
    let page = world.desk.get(&path).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert!(page.body.contains(&format!("value=\"study:{study}\"")), "the study it names is offered: {}", page.body);

    let assign = format!("{path}/assign");
    let target = format!("study:{study}");
    let clerk = app.with_user("clerk", &[(Role::SiteClerk, Scope::Site(world.ward.site))]).await;
    let chosen = [("target", target.as_str()), ("reason", "施設に電話で確認")];
    assert_eq!(clerk.form(&assign, &chosen).await.status, StatusCode::FORBIDDEN);
    let silent = world.desk.form(&assign, &[("target", &target)]).await;
    assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY, "with a reason: {}", silent.body);
    let nowhere = world.desk.form(&assign, &[("target", "study:99999"), ("reason", "x")]).await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND, "{}", nowhere.body);
    let before = world.images().await;
    let done = world.desk.form(&assign, &chosen).await;
    assert_eq!((done.status, done.header("location")), (StatusCode::SEE_OTHER, format!("/arrivals/{study}").as_str()));
    assert_eq!(world.images().await, before + 1);
    let row = world.row(id).await;
    assert_eq!((row.outcome, row.resolution.as_deref()), (Some(QuarantineOutcome::Assigned), Some("施設に電話で確認")));
    let kept = app.state.db.read(move |conn| studies::instance_list(conn, study)).await.unwrap();
    let instance = kept.iter().find(|one| one.sha256 == row.sha256).expect("the bytes are those that came");
    assert!(app.state.objects.get_checked(&instance.object_key, &instance.sha256).await.is_ok());
    assert_eq!(case_state(&app, case).await, CaseState::Ready, "nothing holds it any more");
    let events = app.state.db.read(move |conn| case_events::case_event_list(conn, case)).await.unwrap();
    assert!(events.iter().any(|event| event.kind == "image_assigned"));
    assert_eq!(world.desk.form(&assign, &chosen).await.status, StatusCode::CONFLICT, "once");
}

#[actix_web::test]
async fn another_patient_is_found_by_number_and_what_nobody_can_read_stays_with_the_reason() {
    let app = TestApp::init().await;
    let world = World::in_app(&app).await;
    let id = world.strangers().await;
    let path = format!("/dispatch/quarantine/{id}");
    let case = world.case;
    let patient = app.state.db.read(move |conn| Ok(cases::case_get(conn, case)?.patient_id)).await.unwrap();
    let number = app
        .state
        .db
        .read(move |conn| Ok(dokuei_models::store::patients::patient_get(conn, patient)?.patient_id))
        .await
        .unwrap();
    let site = world.ward.site.to_string();
    let found = world.desk.form(&format!("{path}/find"), &[("site", &site), ("patient", &number)]).await;
    assert_eq!(found.status, StatusCode::OK, "{}", found.body);
    assert!(found.body.contains(&format!("study:{}", world.study)), "{}", found.body);
    // The study that its header names is another's: only a study can be chosen.
    let taken = [("target", format!("patient:{patient}")), ("reason", "x".to_owned())];
    let taken: Vec<(&str, &str)> = taken.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let refused = world.desk.form(&format!("{path}/assign"), &taken).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);

    let cut = &world.file[..400];
    assert!(matches!(world.send(cut).await, Kept::Quarantined(_)));
    let id = world.newest().await;
    let page = world.desk.get(&format!("/dispatch/quarantine/{id}")).await;
    assert!(page.status == StatusCode::OK && page.body.contains("検査を指定できません"), "{}", page.body);
    let fields = [("target", format!("study:{}", world.study)), ("reason", "x".to_owned())];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let refused = world.desk.form(&format!("/dispatch/quarantine/{id}/assign"), &fields).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
    assert!(world.row(id).await.resolved_at.is_none(), "it stays");
}

#[actix_web::test]
async fn a_discarded_image_is_kept_and_hidden_and_can_be_taken_back() {
    let app = TestApp::init().await;
    let world = World::in_app(&app).await;
    let (case, id) = (world.case, world.strangers().await);
    let discard = format!("/dispatch/quarantine/{id}/resolve");
    assert_eq!(world.desk.form(&discard, &[]).await.status, StatusCode::UNPROCESSABLE_ENTITY, "with a reason");
    let done = world.desk.form(&discard, &[("reason", "誤送信")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    let row = world.row(id).await;
    assert_eq!(row.outcome, Some(QuarantineOutcome::Discarded));
    assert!(app.state.objects.get_checked(&row.object_key, &row.sha256).await.is_ok(), "its bytes are kept");
    assert_eq!(case_state(&app, case).await, CaseState::Ready, "and the case goes on without it");
    let trail = app.state.db.read(|conn| {
        audit::audit_search(
            conn,
            &AuditQuery { action: Some("quarantine.discarded".into()), limit: 9, ..AuditQuery::default() },
        )
    });
    let trail = trail.await.unwrap();
    let said = trail.first().expect("an audit row");
    assert!(said.detail.contains("誤送信"), "{}", said.detail);
    let trouble = world.desk.get("/dispatch/trouble").await.body;
    let listed = trouble.split("id=\"quarantine-done\"").nth(1).expect("what was decided is listed");
    assert!(listed.contains("誤送信") && listed.contains("破棄した"), "{listed}");

    let restore = format!("/dispatch/quarantine/{id}/restore");
    let back = world.desk.form(&restore, &[]).await;
    assert_eq!(back.status, StatusCode::SEE_OTHER, "{}", back.body);
    assert!(world.row(id).await.resolved_at.is_none());
    assert_eq!(case_state(&app, case).await, CaseState::OnHold, "it stops what it stopped before");
    assert_eq!(world.desk.form(&restore, &[]).await.status, StatusCode::CONFLICT);
}

#[actix_web::test]
async fn a_program_assigns_as_a_person_does() {
    let app = TestApp::init().await;
    let world = World::in_app(&app).await;
    let id = world.strangers().await;
    let desk = program(&app, world.desk.user.unwrap()).await;
    let sheet = value(&get(&desk, &format!("/quarantine/{id}")).await);
    let target = format!("study:{}", world.study);
    assert_eq!((&sheet["reason"], &sheet["assignable"]), (&json!("other_patient"), &json!(true)), "{sheet}");
    assert!(sheet["candidates"].as_array().unwrap().iter().any(|one| one["target"] == target.as_str()), "{sheet}");
    let still = post(&desk, &format!("/quarantine/{id}/retry"), Value::Null).await;
    assert_eq!(refusal(&still), "quarantine_still");
    assert_eq!(
        refusal(&post(&desk, &format!("/quarantine/{id}/restore"), Value::Null).await),
        "quarantine_not_discarded"
    );
    let body = json!({ "target": target, "reason": "施設に電話で確認" });
    let done = value(&post(&desk, &format!("/quarantine/{id}/assign"), body).await);
    assert_eq!(done, json!({ "study": world.study.0 }));
    assert_eq!(value(&get(&desk, &format!("/quarantine/{id}")).await)["outcome"], "assigned");
}
