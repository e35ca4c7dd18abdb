//! After the signature the images turn out to be another's: the withdrawal of the report is asked for by itself, everybody
//! concerned is told, and it ends with a decision.

use actix_web::http::StatusCode;
use chrono::TimeDelta;
use dokuei_demo::dicom::Instance;
use dokuei_dicom_gateway::intake::Kept;
use dokuei_models::state::{CaseState, RequestKind, VersionState, Whose};
use dokuei_models::store::cases::{self, WITHDRAWAL_ASKED};
use dokuei_models::store::images;
use dokuei_models::store::{case_events, signed_versions};
use dokuei_models::{CaseId, ReadId, StudyId};
use dokuei_server::authority::{Role, Scope};
use dokuei_server::clock::Clock as _;

use super::app::{Client, PASSWORD, TestApp};
use super::reading::{case_state, draft, sign};
use super::sending::Arrival;
use super::ward::Ward;

pub struct Signed<'a> {
    app: &'a TestApp,
    pub ward: Ward<'a>,
    reader: Client<'a>,
    pub desk: Client<'a>,
    pub case: CaseId,
    read: ReadId,
    pub study: StudyId,
    /// The three images as they came first.
    files: Vec<Vec<u8>>,
}

impl<'a> Signed<'a> {
    pub async fn in_app(app: &'a TestApp) -> Self {
        let ward = Ward::in_app(app).await;
        let (reader, id) = ward.reader("night").await;
        let start = app.clock.stamp();
        let (case, read, _) = ward.case_for(id, RequestKind::Reading).await;
        let exam = dokuei_demo::day(7, start, None).find(|exam| exam.study.series[0].modality == "CT").unwrap();
        let files = Instance::of_series(&exam.study, 0).take(3).map(|one| one.part10().unwrap()).collect();
        reader.form(&format!("/reads/{read}/start"), &[]).await;
        draft(&reader, read, 0, "所見").await;
        assert_eq!(sign(&reader, read, 1, PASSWORD).await.status, StatusCode::OK);
        app.clock.advance(TimeDelta::minutes(5));
        let study = app.state.db.read(move |conn| Ok(cases::case_study_list(conn, case)?[0].0)).await.unwrap();
        let desk = app.with_user("desk", &[(Role::Dispatcher, Scope::Pool(ward.pool))]).await;
        Self { app, ward, reader, desk, case, read, study, files }
    }

    /// All images come again under another patient's number; the versions that wait.
    pub async fn another_patients(&self) -> String {
        let arrival = Arrival::at(&self.ward, Whose::Ours).await;
        let head = [0x10, 0x00, 0x20, 0x00, b'L', b'O'];
        for file in &self.files {
            let mut file = file.clone();
            let at = file.windows(head.len()).position(|window| window == head).unwrap() + 8;
            file[at] = if file[at] == b'9' { b'8' } else { b'9' };
            let kept = arrival.keep(&file).await;
            assert!(matches!(kept, Kept::Conflict(_)), "{kept:?}");
        }
        let study = self.study;
        let versions = self.app.state.db.read(move |conn| images::version_list_of_study(conn, study)).await.unwrap();
        let waiting = versions.iter().filter(|row| row.standing == images::Standing::Waiting);
        waiting.map(|row| row.id.to_string()).collect::<Vec<_>>().join(",")
    }

    async fn decide(&self, versions: &str, decision: &str) {
        let fields = [("versions", versions), ("decision", decision), ("reason", "施設に確認")];
        let path = format!("/dispatch/conflicts/{}/decide", self.study);
        let done = self.desk.form(&path, &fields).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        // What is decided is decided later than what was signed.
        self.app.clock.advance(TimeDelta::minutes(1));
    }

    async fn is_asked(&self) -> bool {
        let case = self.case;
        self.app.state.db.read(move |conn| cases::case_get(conn, case)).await.unwrap().has_flag(WITHDRAWAL_ASKED)
    }

    async fn events(&self) -> Vec<String> {
        let case = self.case;
        let rows = self.app.state.db.read(move |conn| case_events::case_event_list(conn, case)).await.unwrap();
        rows.into_iter().map(|row| row.kind).collect()
    }

    async fn answer(&self, answer: &str) -> StatusCode {
        let study = self.study.to_string();
        let fields = [("answer", answer), ("reason", "患者の取り違え"), ("confirm", "yes"), ("study", study.as_str())];
        let path = format!("/dispatch/cases/{}/withdrawal", self.case);
        let done = self.desk.form(&path, &fields).await;
        assert!(
            done.status != StatusCode::SEE_OTHER || done.header("location").ends_with(&study),
            "back to the conflict"
        );
        done.status
    }
}

#[actix_web::test]
async fn another_patients_header_after_the_signature_asks_for_the_withdrawal_and_everybody_is_told() {
    let app = TestApp::init().await;
    let of = Signed::in_app(&app).await;
    let (case, read, study) = (of.case, of.read, of.study);
    assert!(!of.is_asked().await);
    of.another_patients().await;
    assert!(of.is_asked().await);
    assert_eq!(case_state(&app, case).await, CaseState::Reported, "nothing signed changes by itself");
    assert_eq!(of.events().await.iter().filter(|kind| *kind == "withdrawal_asked").count(), 1, "asked once");

    let list = of.reader.get("/worklist").await.body;
    assert!(list.contains(&format!("症例 #{case}: 署名した報告の取消")), "its signer: {list}");
    let now = of.reader.get(&format!("/reads/{read}/state")).await.body;
    assert!(now.contains("\"asked\"") && now.contains("報告を取り消すか"), "on the report's page: {now}");
    let page = of.reader.get(&format!("/reads/{read}")).await.body;
    assert!(page.contains(&format!("/reads/{read}/report-stands")), "{page}");
    let director = app.with_user("director", &[(Role::ReadingDirector, Scope::Pool(of.ward.pool))]).await;
    for person in [&of.desk, &director] {
        let board = person.get("/dispatch").await.body;
        assert!(board.contains("/dispatch/trouble#asked"), "{board}");
        let trouble = person.get("/dispatch/trouble").await.body;
        assert!(trouble.split("id=\"asked\"").nth(1).unwrap().contains(&format!("/cases/{case}")), "{trouble}");
        let sheet = person.get(&format!("/cases/{case}")).await.body;
        assert!(sheet.contains(&format!("/dispatch/cases/{case}/withdrawal")), "{sheet}");
    }
    let conflict = of.desk.get(&format!("/dispatch/conflicts/{study}")).await.body;
    assert!(conflict.contains(&format!("/dispatch/cases/{case}/withdrawal")), "whoever decides it: {conflict}");
    let clerk = app.with_user("clerk", &[(Role::SiteClerk, Scope::Site(of.ward.site))]).await;
    let portal = clerk.get(&format!("/portal/cases/{case}")).await.body;
    assert!(portal.contains("この報告は確認中です。"), "its site: {portal}");
    assert!(clerk.get("/portal").await.body.contains("報告が有効かどうかを"), "and in its list");
}

#[actix_web::test]
async fn what_was_there_being_right_ends_it_and_what_came_being_right_leaves_it_to_a_person() {
    let app = TestApp::init().await;
    let of = Signed::in_app(&app).await;
    let versions = of.another_patients().await;
    of.decide(&versions, "keep").await;
    assert!(!of.is_asked().await, "the report is of the right patient");
    assert!(of.events().await.contains(&"withdrawal_not_needed".to_owned()));
    assert_eq!(of.answer("withdraw").await, StatusCode::CONFLICT, "nobody asks a dispatcher any more");

    for version in versions.split(',') {
        let undo = of.desk.form(&format!("/dispatch/conflicts/{}/undo", of.study), &[("versions", version)]).await;
        assert_eq!(undo.status, StatusCode::SEE_OTHER, "{}", undo.body);
    }
    assert!(of.is_asked().await, "the decision was taken back");
    of.decide(&versions, "take").await;
    assert!(of.is_asked().await, "the report is of another patient than its images");
    let clerk = app.with_user("clerk", &[(Role::SiteClerk, Scope::Site(of.ward.site))]).await;
    let path = format!("/dispatch/cases/{}/withdrawal", of.case);
    let fields = [("answer", "withdraw"), ("reason", "x"), ("confirm", "yes")];
    assert_eq!(clerk.form(&path, &fields).await.status, StatusCode::FORBIDDEN);
    let unsure = [("answer", "withdraw"), ("reason", "患者の取り違え")];
    assert_eq!(of.desk.form(&path, &unsure).await.status, StatusCode::UNPROCESSABLE_ENTITY, "it must be confirmed");
    assert_eq!(of.answer("withdraw").await, StatusCode::SEE_OTHER);
    let case = of.case;
    let versions = app.state.db.read(move |conn| signed_versions::signed_version_list(conn, &[case])).await.unwrap();
    assert_eq!(versions[0].state, VersionState::Withdrawn);
    assert!(!of.is_asked().await);
    assert_eq!(case_state(&app, case).await, CaseState::OnHold);
}

#[actix_web::test]
async fn its_signer_or_a_dispatcher_may_say_that_the_report_stands() {
    let app = TestApp::init().await;
    let of = Signed::in_app(&app).await;
    let versions = of.another_patients().await;
    let path = format!("/reads/{}/report-stands", of.read);
    assert_eq!(of.reader.form(&path, &[]).await.status, StatusCode::UNPROCESSABLE_ENTITY, "with a reason");
    let (other, _) = of.ward.reader("other").await;
    assert_eq!(other.form(&path, &[("reason", "x")]).await.status, StatusCode::NOT_FOUND, "another's report");
    let said = of.reader.form(&path, &[("reason", "番号の訂正のみ。画像は同じ患者")]).await;
    assert_eq!(said.status, StatusCode::SEE_OTHER, "{}", said.body);
    assert!(!of.is_asked().await && of.events().await.contains(&"reports_stand".to_owned()));
    assert_eq!(of.reader.form(&path, &[("reason", "x")]).await.status, StatusCode::CONFLICT, "said once");
    // Undone and decided again, it is asked for again, and answered by a dispatcher.
    of.decide(&versions, "take").await;
    assert!(!of.is_asked().await, "what was decided on stands");
    assert_eq!(of.answer("stand").await, StatusCode::CONFLICT);
}
