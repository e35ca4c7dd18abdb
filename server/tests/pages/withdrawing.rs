//! A withdrawn report: nothing signed changes, everybody is told, the bill is reversed, the case is read anew.

use actix_web::http::StatusCode;
use dokuei_models::state::{
    CaseState, DeliveryContent, DeliveryKind, DeliveryState, HoldActor, ReadKind, ReadState, RequestKind, VersionState,
};
use dokuei_models::store::audit::{self, AuditQuery};
use dokuei_models::store::billable_events::{self, BillableEventRow};
use dokuei_models::store::deliveries::{self, DeliveryRow};
use dokuei_models::store::{artefacts, case_events, cases, reads, signed_versions};
use dokuei_models::{CaseId, ReadId, ReaderId};
use dokuei_server::app::overriding::{self, Decision};
use dokuei_server::authority::{Role, Scope};
use dokuei_server::clock::Clock as _;
use dokuei_server::work::{Worker, kinds};

use super::app::{Client, PASSWORD, TestApp};
use super::reading::{case_state, draft, sign, versions};
use super::ward::Ward;

struct Signed<'a> {
    reader: Client<'a>,
    id: ReaderId,
    director: Client<'a>,
    case: CaseId,
    read: ReadId,
}

async fn signed<'a>(app: &'a TestApp, ward: &Ward<'a>) -> Signed<'a> {
    let (reader, id) = ward.reader("night").await;
    let (case, read, _) = ward.case_for(id, RequestKind::Reading).await;
    reader.form(&format!("/reads/{read}/start"), &[]).await;
    draft(&reader, read, 0, "別の患者の所見").await;
    assert_eq!(sign(&reader, read, 1, PASSWORD).await.status, StatusCode::OK);
    let director = app.with_user("director", &[(Role::ReadingDirector, Scope::Pool(ward.pool))]).await;
    Signed { reader, id, director, case, read }
}

async fn owed(app: &TestApp, case: CaseId) -> Vec<DeliveryRow> {
    app.state.db.read(move |conn| deliveries::delivery_list_of_case(conn, case)).await.unwrap()
}

async fn ledger(app: &TestApp, case: CaseId) -> Vec<BillableEventRow> {
    app.state.db.read(move |conn| billable_events::billable_event_list_of_case(conn, case)).await.unwrap()
}

const CONFIRMED: [(&str, &str); 2] = [("reason", "患者の取り違え"), ("confirm", "yes")];

#[actix_web::test]
async fn a_withdrawal_needs_a_reason_a_confirmation_and_the_right_person() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let of = signed(&app, &ward).await;
    let path = format!("/cases/{}/withdraw", of.case);
    let sheet = of.director.get(&format!("/cases/{}", of.case)).await.body;
    assert!(sheet.contains(&path));
    // Whoever withdraws has read it.
    let report = sheet.split("href=\"").find(|link| link.contains("/versions/")).expect("the report is a click away");
    let report = of.director.get(report.split('"').next().unwrap()).await;
    assert_eq!((report.status, report.header("content-type")), (StatusCode::OK, "application/pdf"));
    for missing in [[("reason", " "), ("confirm", "yes")], [("reason", "取り違え"), ("confirm", "")]] {
        assert_eq!(of.director.form(&path, &missing).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let dispatcher = app.with_user("chief", &[(Role::Dispatcher, Scope::Pool(ward.pool))]).await;
    assert!(!dispatcher.get(&format!("/cases/{}", of.case)).await.body.contains(&path));
    assert_eq!(dispatcher.form(&path, &CONFIRMED).await.status, StatusCode::FORBIDDEN);
    let (other, _) = ward.reader("other").await;
    let not_his = other.form(&format!("/reads/{}/withdraw", of.read), &CONFIRMED).await;
    assert_eq!(not_his.status, StatusCode::NOT_FOUND);
    assert_eq!(case_state(&app, of.case).await, CaseState::Reported, "nothing happened");
    let signer = of.reader.form(&format!("/reads/{}/withdraw", of.read), &CONFIRMED).await;
    assert_eq!(signer.status, StatusCode::SEE_OTHER, "the signer may: {}", signer.body);
    assert_eq!(case_state(&app, of.case).await, CaseState::OnHold);
    let again = of.director.form(&path, &CONFIRMED).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "there is nothing in force any more");
}

#[actix_web::test]
async fn nothing_signed_changes_and_the_bill_is_reversed_line_by_line() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let of = signed(&app, &ward).await;
    let case = of.case;
    let before = ledger(&app, case).await;
    assert!(!before.is_empty());
    let withdrawn = of.director.form(&format!("/cases/{case}/withdraw"), &CONFIRMED).await;
    assert_eq!(withdrawn.status, StatusCode::SEE_OTHER, "{}", withdrawn.body);

    let all = versions(&app, case).await;
    assert_eq!((all.len(), all[0].state, all[0].findings.as_str()), (1, VersionState::Final, "別の患者の所見"));
    let shown = app.state.db.read(move |conn| signed_versions::signed_version_list(conn, &[case])).await.unwrap();
    assert_eq!(shown[0].state, VersionState::Withdrawn);
    assert_eq!(shown[0].withdrawn.as_ref().unwrap().0, "患者の取り違え");
    let row = app.state.db.read(move |conn| cases::case_get(conn, case)).await.unwrap();
    assert_eq!((row.state, row.hold_actor, row.reported_at), (CaseState::OnHold, Some(HoldActor::Dispatcher), None));

    let after = ledger(&app, case).await;
    assert_eq!(after.len(), 2 * before.len());
    for line in &before {
        let reversed = after.iter().find(|one| one.corrects_id == Some(line.id)).expect("each line has its reversal");
        assert_eq!(
            (reversed.quantity, reversed.amount_yen, reversed.addon_points),
            (-line.quantity, -line.amount_yen, -line.addon_points)
        );
        assert!(after.contains(line), "and stands as it was");
    }
    let trail = app
        .state
        .db
        .read(|conn| {
            audit::audit_search(
                conn,
                &AuditQuery { action: Some("report.withdraw".into()), limit: 9, ..AuditQuery::default() },
            )
        })
        .await
        .unwrap();
    assert_eq!(trail.len(), 1);
    let events = app.state.db.read(move |conn| case_events::case_event_list(conn, case)).await.unwrap();
    assert!(events.iter().any(|event| event.kind == "withdraw" && event.data.contains("患者の取り違え")));
}

#[actix_web::test]
async fn what_was_not_delivered_stays_here_and_every_destination_gets_a_notice() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let of = signed(&app, &ward).await;
    let case = of.case;
    // The portal's is brought at once; the PACS and the mail server of this test are not there.
    let worker = Worker::new(app.state.clone(), "w", kinds::all());
    for _ in 0..20 {
        if !worker.work_once().await.unwrap() {
            break;
        }
    }
    let brought = owed(&app, case).await;
    assert!(brought.iter().any(|one| one.state == DeliveryState::Delivered));
    let waiting = brought.iter().filter(|one| one.state == DeliveryState::Pending).count();
    assert!(waiting > 0);
    of.director.form(&format!("/cases/{case}/withdraw"), &CONFIRMED).await;
    let all = owed(&app, case).await;
    let of_content = |content| all.iter().filter(move |one| one.content == content);
    assert!(of_content(DeliveryContent::Report).all(|one| one.state != DeliveryState::Pending));
    let kinds: Vec<DeliveryKind> = of_content(DeliveryContent::Withdrawal).map(|one| one.kind).collect();
    assert_eq!(kinds, [DeliveryKind::Portal, DeliveryKind::Dicom, DeliveryKind::Mail], "one to each destination");
    assert!(of_content(DeliveryContent::Withdrawal).all(|one| one.state == DeliveryState::Pending));
    let version = of_content(DeliveryContent::Withdrawal).next().unwrap().report_version_id;
    let notice = app
        .state
        .db
        .read(move |conn| artefacts::artefact_of_kind(conn, version, artefacts::WITHDRAWAL))
        .await
        .unwrap()
        .expect("a page for the PACS");
    let pdf = app.state.objects.get_checked(&notice.object_key, &notice.sha256).await.unwrap();
    assert!(pdf.starts_with(b"%PDF-"));

    let doctor = app.sign_in("doctor", PASSWORD).await;
    let page = doctor.get(&format!("/portal/cases/{case}")).await.body;
    assert!(page.contains("この報告は取り消されました") && page.contains("患者の取り違え"), "{page}");
    assert!(page.contains("class=\"withdrawn\"") && !page.contains("<iframe"), "struck, and not offered as in force");
    let accepted = doctor.form(&format!("/portal/versions/{version}/accept"), &[]).await;
    assert_eq!(accepted.status, StatusCode::CONFLICT, "{}", accepted.body);
}

#[actix_web::test]
async fn a_release_has_the_case_read_anew_by_whoever_can_and_its_report_is_in_force() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let of = signed(&app, &ward).await;
    let case = of.case;
    of.director.form(&format!("/cases/{case}/withdraw"), &CONFIRMED).await;
    let all = app.state.db.read(move |conn| reads::read_list_of_case(conn, case)).await.unwrap();
    let again = all.last().unwrap().clone();
    assert_eq!((all.len(), again.kind, again.state, again.frozen), (2, ReadKind::Single, ReadState::Open, true));
    app.clock.advance(chrono::TimeDelta::minutes(3));
    let released = of.director.form(&format!("/cases/{case}/release"), &[("reason", "検査を入れ替えた")]).await;
    assert_eq!(released.status, StatusCode::SEE_OTHER, "{}", released.body);
    let (pool, now) = (ward.pool, app.clock.stamp());
    let problem = app.state.db.read(move |conn| dokuei_server::app::planning::snapshot(conn, pool, now)).await.unwrap();
    let planned = problem.problem.reads.iter().find(|one| one.id == again.id.0).expect("it is planned");
    assert!(planned.not_reader_of.is_empty(), "whoever signed what was withdrawn may read it again");

    ward.give(again.id, of.id).await;
    of.reader.form(&format!("/reads/{}/start", again.id), &[]).await;
    draft(&of.reader, again.id, 0, "正しい患者の所見").await;
    assert_eq!(sign(&of.reader, again.id, 1, PASSWORD).await.status, StatusCode::OK);
    assert_eq!(case_state(&app, case).await, CaseState::Reported);
    let newest = versions(&app, case).await.pop().unwrap();
    let reports: Vec<_> = owed(&app, case)
        .await
        .into_iter()
        .filter(|one| one.content == DeliveryContent::Report && one.state == DeliveryState::Pending)
        .collect();
    assert!(!reports.is_empty() && reports.iter().all(|one| one.report_version_id == newest.id));
    let doctor = app.sign_in("doctor", PASSWORD).await;
    let page = doctor.get(&format!("/portal/cases/{case}")).await.body;
    assert!(page.contains(&format!("<iframe src=\"/portal/versions/{}/report.pdf\"", newest.id)), "{page}");
    assert!(page.contains("class=\"withdrawn\""), "the old one stands struck beside it");
    let old = of.reader.form(&format!("/reads/{}/addendum", of.read), &[("reason", "x")]).await;
    assert_eq!(old.status, StatusCode::CONFLICT, "nothing is added to a withdrawn report");
}

#[actix_web::test]
async fn a_withdrawn_case_can_be_cancelled_and_a_signed_one_cannot() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let of = signed(&app, &ward).await;
    let case = of.case;
    let actor = dokuei_models::Actor::person(ward.doctor, "chief", "", app.clock.stamp());
    let cancel = move |conn: &mut dokuei_models::Connection| {
        let row = cases::case_get(conn, case)?;
        overriding::decide_in_tx(conn, &actor, &row, Decision::Cancel, "患者の取り違え")
    };
    app.state.db.tx(cancel.clone()).await.expect_err("a signed report is in force");
    of.director.form(&format!("/cases/{case}/withdraw"), &CONFIRMED).await;
    app.state.db.tx(cancel).await.unwrap();
    assert_eq!(case_state(&app, case).await, CaseState::Cancelled);
}
