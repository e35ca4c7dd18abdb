//! A study that came from elsewhere is sent by the site itself: nobody guesses whose it is; a dispatcher says so.

use actix_web::http::StatusCode;
use chrono::TimeDelta;
use dokuei_demo::dicom::Instance;
use dokuei_dicom_gateway::intake::Kept;
use dokuei_models::StudyId;
use dokuei_models::state::{MatchState, Whose};
use dokuei_models::store::images::{self, Standing};
use dokuei_models::store::{patients, quarantine, studies, study_claims, submissions};
use dokuei_server::authority::{Role, Scope};
use dokuei_server::clock::Clock as _;
use dokuei_server::work::{Worker, kinds};

use super::app::{Client, TestApp};
use super::sending::Arrival;
use super::ward::Ward;

struct World<'a> {
    app: &'a TestApp,
    ward: Ward<'a>,
    desk: Client<'a>,
    /// Images of one study as a medium has them.
    files: Vec<Vec<u8>>,
    study_uid: String,
}

impl<'a> World<'a> {
    async fn in_app(app: &'a TestApp) -> Self {
        let ward = Ward::in_app(app).await;
        let start = app.clock.stamp();
        let exam = dokuei_demo::day(7, start, None).find(|exam| exam.study.series[0].modality == "CT").unwrap();
        let files = Instance::of_series(&exam.study, 0).take(4).map(|one| one.part10().unwrap()).collect();
        let desk = app.with_user("desk", &[(Role::Dispatcher, Scope::Pool(ward.pool))]).await;
        Self { app, ward, desk, files, study_uid: exam.study.uid.clone() }
    }

    /// Two images came on a medium; the site sends the second, and two more, under its own number of the patient.
    async fn both(&self) -> StudyId {
        let medium = Arrival::at(&self.ward, Whose::Elsewhere).await;
        for file in &self.files[..2] {
            assert!(matches!(medium.keep(file).await, Kept::New(_)));
        }
        self.app.clock.advance(TimeDelta::minutes(5));
        let site = Arrival::at(&self.ward, Whose::Ours).await;
        for file in &self.files[1..] {
            let kept = site.keep(&self.renumbered(file)).await;
            assert!(matches!(kept, Kept::Conflict(_)), "never silently: {kept:?}");
        }
        self.study().await
    }

    fn renumbered(&self, file: &[u8]) -> Vec<u8> {
        let mut file = file.to_vec();
        let head = [0x10, 0x00, 0x20, 0x00, b'L', b'O'];
        let at = file.windows(6).position(|window| window == head).unwrap() + 8;
        file[at] = if file[at] == b'9' { b'8' } else { b'9' };
        file
    }

    async fn study(&self) -> StudyId {
        let (site, uid) = (self.ward.site, self.study_uid.clone());
        self.app.state.db.read(move |conn| submissions::study_of_uid(conn, site, &uid)).await.unwrap().unwrap()
    }

    async fn decide(&self, study: StudyId, decision: &str) {
        let path = format!("/dispatch/claims/{study}/decide");
        let silent = self.desk.form(&path, &[("decision", decision)]).await;
        assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY, "with a reason: {}", silent.body);
        let done = self.desk.form(&path, &[("decision", decision), ("reason", "施設に確認")]).await;
        assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
        let again = self.desk.form(&path, &[("decision", decision), ("reason", "x")]).await;
        assert_eq!(again.status, StatusCode::CONFLICT, "decided once");
        // Images are received by the real clock: the quiet time is over by it.
        self.app.clock.advance(chrono::Utc::now().naive_utc() - self.app.clock.stamp() + TimeDelta::minutes(1));
        let of = kinds::all().into_iter().filter(|kind| matches!(kind.name, "refile_claimed" | "settle_study"));
        let worker = Worker::new(self.app.state.clone(), "test", of.collect());
        while worker.work_once().await.unwrap() {}
    }

    async fn waiting(&self, study: StudyId) -> i64 {
        let site = self.ward.site;
        self.app.state.db.read(move |conn| quarantine::quarantine_count_claimed(conn, site, study)).await.unwrap()
    }
}

#[actix_web::test]
async fn what_the_site_sends_of_a_study_from_elsewhere_waits_for_an_answer_and_the_study_stays_as_it_was() {
    let app = TestApp::init().await;
    let world = World::in_app(&app).await;
    let study = world.both().await;
    let row = app.state.db.read(move |conn| studies::study_get(conn, study)).await.unwrap();
    assert!(row.elsewhere && row.instances == 2, "{row:?}");
    assert_eq!(world.waiting(study).await, 3);
    let trouble = world.desk.get("/dispatch/trouble").await.body;
    let asked = trouble.split("id=\"claims\"").nth(1).unwrap();
    assert!(asked.contains(&format!("/dispatch/claims/{study}/decide")), "{asked}");
    assert!(world.desk.get("/dispatch").await.body.contains("/dispatch/trouble#claims"));
    let (open, count) = {
        let site = world.ward.site;
        app.state.db.read(move |conn| quarantine::quarantine_list_open(conn, &[site], 10)).await.unwrap()
    };
    assert!(open.is_empty() && count == 0, "one question, not one for each image");
    let clerk = app.with_user("clerk", &[(Role::SiteClerk, Scope::Site(world.ward.site))]).await;
    let path = format!("/dispatch/claims/{study}/decide");
    assert_eq!(clerk.form(&path, &[("decision", "ours"), ("reason", "x")]).await.status, StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn said_to_be_the_sites_own_it_is_its_patients_and_looks_for_its_request() {
    let app = TestApp::init().await;
    let world = World::in_app(&app).await;
    let study = world.both().await;
    world.decide(study, "ours").await;
    let (row, patient) = app
        .state
        .db
        .read(move |conn| {
            let row = studies::study_get(conn, study)?;
            let patient = patients::patient_get(conn, row.patient_id)?;
            Ok((row, patient))
        })
        .await
        .unwrap();
    assert!(!row.elsewhere && patient.medium_id.is_none(), "{row:?}");
    assert_eq!(row.instances, 4, "what waited is here");
    assert_eq!(row.match_state, MatchState::Unmatched, "it was looked for a request");
    assert_eq!(world.waiting(study).await, 0);
}

#[actix_web::test]
async fn said_to_be_from_elsewhere_still_it_stays_for_comparison_and_nobody_is_asked_again() {
    let app = TestApp::init().await;
    let world = World::in_app(&app).await;
    let study = world.both().await;
    world.decide(study, "elsewhere").await;
    let row = app.state.db.read(move |conn| studies::study_get(conn, study)).await.unwrap();
    assert!(row.elsewhere && row.instances == 4, "{row:?}");
    assert_eq!((row.match_state, world.waiting(study).await), (MatchState::Comparison, 0));
    let versions = app.state.db.read(move |conn| images::version_list_of_study(conn, study)).await.unwrap();
    let asked = versions.iter().any(|one| one.standing == Standing::Waiting);
    assert!(versions.len() == 2 && !asked, "both headers are kept, and nobody is asked a second time: {versions:?}");
    // The very images of the medium, sent by the site: known, and no new question.
    let site = Arrival::at(&world.ward, Whose::Ours).await;
    assert!(matches!(site.keep(&world.files[0]).await, Kept::Repeat(_)));
    let ids = [world.ward.site];
    let open = app.state.db.read(move |conn| study_claims::claim_list_waiting(conn, &ids, 10)).await.unwrap();
    assert!(open.is_empty());
}

/// The site's PACS may send byte for byte what the medium has: nothing is new, and still it may want it read.
#[actix_web::test]
async fn the_same_bytes_from_the_site_are_a_question_too() {
    let app = TestApp::init().await;
    let world = World::in_app(&app).await;
    let medium = Arrival::at(&world.ward, Whose::Elsewhere).await;
    medium.keep(&world.files[0]).await;
    let site = Arrival::at(&world.ward, Whose::Ours).await;
    assert!(matches!(site.keep(&world.files[0]).await, Kept::Repeat(_)));
    let study = world.study().await;
    assert!(world.desk.get("/dispatch/trouble").await.body.contains(&format!("/dispatch/claims/{study}/decide")));
    world.decide(study, "ours").await;
    let row = app.state.db.read(move |conn| studies::study_get(conn, study)).await.unwrap();
    assert!(!row.elsewhere && row.match_state == MatchState::Unmatched, "{row:?}");
}
