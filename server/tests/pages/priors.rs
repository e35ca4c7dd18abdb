//! Priors from a site's PACS: Orthanc, asked by rule when a case opens.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use chrono::{TimeDelta, Utc};
use dokuei_demo::dicom::{Instance, Study};
use dokuei_dicom_gateway::ae_title::AeTitle;
use dokuei_dicom_gateway::scu::{self, Destination, Timeouts};
use dokuei_models::CaseId;
use dokuei_models::state::CaseStudyRole;
use dokuei_models::store::{case_events, cases, jobs, priors, reads, studies};
use dokuei_server::authority::{Role, Scope};
use dokuei_server::clock::Clock as _;
use dokuei_server::work::{Worker, kinds};
use serde_json::json;

use super::admin::{SITE, made, with};
use super::app::TestApp;
use super::first_case::Gateway;

/// The hospital's PACS, which knows us and sends to us.
struct Orthanc {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Orthanc {
    async fn start(ours: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let free = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (http, port) = (free(), free());
        let config = json!({
            "StorageDirectory": folder.path().join("storage"),
            "IndexDirectory": folder.path().join("storage"),
            "Plugins": [],
            "HttpPort": http,
            "DicomPort": port,
            "DicomAet": "PACS_A",
            // Without it Orthanc answers in Latin-1 and leaves kanji out.
            "DefaultEncoding": "Utf8",
            "RemoteAccessAllowed": false,
            "AuthenticationEnabled": false,
            "DicomAlwaysAllowStore": true,
            "DicomAlwaysAllowFind": true,
            "DicomAlwaysAllowMove": true,
            "DicomModalities": { "dokuei": ["DOKUEI", "127.0.0.1", ours] },
        });
        let file = folder.path().join("orthanc.json");
        std::fs::write(&file, config.to_string()).unwrap();
        let mut command = Command::new("/usr/sbin/Orthanc");
        let child =
            command.arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("Orthanc is installed");
        let orthanc = Self { child, port, _folder: folder };
        for _ in 0..300 {
            if scu::echo(&orthanc.called_by("MODALITY")).await.is_ok() {
                return orthanc;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("Orthanc did not begin to answer");
    }

    fn called_by(&self, calling: &str) -> Destination {
        Destination {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            called_ae: AeTitle::parse("PACS_A").unwrap(),
            calling_ae: AeTitle::parse(calling).unwrap(),
            timeouts: Timeouts::default(),
            tls: None,
        }
    }

    async fn hold(&self, study: &Study) {
        let sent = scu::send(&self.called_by("MODALITY"), &files(study)).await.unwrap();
        assert!(sent.iter().all(scu::Sent::is_kept), "{sent:?}");
    }
}

impl Drop for Orthanc {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn files(study: &Study) -> Vec<bytes::Bytes> {
    let study = Arc::new(study.clone());
    Instance::of_series(&study, 0).take(2).map(|one| one.part10().unwrap().into()).collect()
}

/// Another study of the same patient: so many days before, of this description.
fn earlier(of: &Study, number: u32, days: i64, description: &str) -> Study {
    let mut study = of.clone();
    study.uid = format!("{}.{number}", of.uid);
    study.accession = format!("P{number}");
    study.started = of.started - TimeDelta::days(days);
    study.description = description.to_owned();
    study.series.truncate(1);
    study.series[0].uid = format!("{}.{number}", of.series[0].uid);
    study
}

/// Lets time pass and everything that is due happen.
async fn pass(app: &TestApp, rounds: usize) {
    let worker = Worker::new(app.state.clone(), "test", kinds::all());
    for _ in 0..rounds {
        app.clock.advance(TimeDelta::seconds(30));
        while worker.work_once().await.unwrap() {}
    }
}

#[actix_web::test]
async fn earlier_studies_of_the_same_person_come_from_the_sites_pacs_and_are_not_read_anew() {
    let app = TestApp::init().await;
    // The receiver stamps what comes with the real time.
    app.clock.advance(Utc::now() - app.clock.now());
    let chief = app.administrator("chief").await;
    let site = made(&chief.form("/admin/sites", &SITE).await).to_string();
    let gateway = Gateway::start(&app, "DOKUEI").await;
    let pacs = Orthanc::start(gateway.port).await;
    let port = pacs.port.to_string();
    let peer = [
        ("site", site.as_str()),
        ("name", "院内PACS"),
        ("ae_title", "PACS_A"),
        ("sends", "true"),
        ("addresses", "127.0.0.1"),
        ("host", "127.0.0.1"),
        ("port", port.as_str()),
        ("active", "true"),
        ("character_set", "ISO_IR 192"),
    ];
    assert_eq!(chief.form("/admin/endpoints", &peer).await.status, StatusCode::SEE_OTHER);
    let rule = [("active", "true"), ("most", "3"), ("within_days", "1095"), ("same_region", "true")];
    let wrong = chief.form("/admin/peers/1/priors", &with(&rule, &[("most", "0")])).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let kept = chief.form("/admin/peers/1/priors", &rule).await;
    assert_eq!(kept.status, StatusCode::SEE_OTHER, "{}", kept.body);

    let exams = dokuei_demo::day(7, app.clock.stamp(), None);
    let now =
        exams.into_iter().find(|exam| exam.study.series[0].modality == "CT" && exam.study.description.contains("頭部"));
    let now = (*now.expect("a head CT on an invented day").study).clone();
    let before = earlier(&now, 1, 400, "頭部CT");
    let unsaid = earlier(&now, 2, 30, "CT");
    let old = earlier(&now, 3, 4_000, "頭部CT");
    let knee = earlier(&now, 4, 60, "膝関節CT");
    let mut stranger = earlier(&now, 5, 90, "頭部CT");
    let other = dokuei_demo::day(8, app.clock.stamp(), None);
    let other = other.into_iter().find(|exam| exam.patient.name != now.patient.name).unwrap();
    stranger.patient.name = other.patient.name.clone();
    for study in [&before, &unsaid, &old, &knee, &stranger] {
        pacs.hold(study).await;
    }

    let hospital =
        Destination { port: gateway.port, called_ae: AeTitle::parse("DOKUEI").unwrap(), ..pacs.called_by("PACS_A") };
    let sent = scu::send(&hospital, &files(&now)).await.unwrap();
    assert!(sent.iter().all(scu::Sent::is_kept), "{sent:?}");
    pass(&app, 6).await;

    let (case, with_uid) = app
        .state
        .db
        .read(|conn| {
            let case = CaseId(1);
            let mut with_uid = Vec::new();
            for (study, role) in cases::case_study_list(conn, case)? {
                with_uid.push((studies::study_get(conn, study)?.study_uid, role));
            }
            Ok((case, with_uid))
        })
        .await
        .unwrap();
    let mut prior: Vec<&str> =
        with_uid.iter().filter(|(_, role)| *role == CaseStudyRole::Prior).map(|(uid, _)| uid.as_str()).collect();
    prior.sort_unstable();
    let events = app.state.db.read(move |conn| case_events::case_event_list(conn, case)).await.unwrap();
    let told = events.iter().find(|event| event.kind == "priors_fetched").map(|event| event.data.clone());
    let dead = app.state.db.read(|conn| jobs::job_list_dead(conn, 10)).await.unwrap();
    assert_eq!(prior, [before.uid.as_str(), unsaid.uid.as_str()], "{told:?} {dead:?}");
    let told: serde_json::Value = serde_json::from_str(&told.unwrap()).unwrap();
    assert_eq!(
        (told["found"].as_u64(), told["wanted"].as_u64(), told["fetched"].as_u64()),
        (Some(5), Some(2), Some(2))
    );
    assert_eq!(told["others"].as_u64(), Some(1), "the number alone makes nobody the same person");
    let all = app.state.db.read(move |conn| reads::read_list_of_case(conn, case)).await.unwrap();
    assert_eq!(all.len(), 1);
    let second = app.state.db.read(|conn| cases::case_get(conn, CaseId(2))).await;
    assert!(second.is_err(), "what was fetched opens no case");

    let dispatcher = app.with_user("dispatcher", &[(Role::Dispatcher, Scope::All)]).await;
    let sheet = dispatcher.get("/cases/1").await.body;
    assert!(sheet.contains("過去画像を取得") && sheet.contains("2 / 2"), "{sheet}");
    // Asked again, nothing is fetched twice.
    assert_eq!(dispatcher.form("/cases/1/priors", &[]).await.status, StatusCode::SEE_OTHER);
    pass(&app, 2).await;
    let events = app.state.db.read(move |conn| case_events::case_event_list(conn, case)).await.unwrap();
    let again: Vec<_> = events.iter().filter(|event| event.kind == "priors_fetched").collect();
    assert_eq!(again.len(), 2);
    let again: serde_json::Value = serde_json::from_str(&again[1].data).unwrap();
    assert_eq!((again["fetched"].as_u64(), again["here"].as_u64()), (Some(0), Some(2)));
    assert_eq!(app.state.db.read(move |conn| priors::prior_study_list(conn, case)).await.unwrap().len(), 2);
}

#[actix_web::test]
async fn a_pacs_that_is_down_is_tried_again_and_then_said_to_be() {
    let app = TestApp::init().await;
    // The receiver stamps what comes with the real time.
    app.clock.advance(Utc::now() - app.clock.now());
    let chief = app.administrator("chief").await;
    let site = made(&chief.form("/admin/sites", &SITE).await).to_string();
    let gateway = Gateway::start(&app, "DOKUEI").await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    let peer = [
        ("site", site.as_str()),
        ("name", "院内PACS"),
        ("ae_title", "PACS_A"),
        ("sends", "true"),
        ("addresses", "127.0.0.1"),
        ("host", "127.0.0.1"),
        ("port", closed.as_str()),
        ("active", "true"),
    ];
    assert_eq!(chief.form("/admin/endpoints", &peer).await.status, StatusCode::SEE_OTHER);
    let dispatcher = app.with_user("dispatcher", &[(Role::Dispatcher, Scope::All)]).await;
    let exam = dokuei_demo::day(7, app.clock.stamp(), None).find(|exam| exam.study.series[0].modality == "CT").unwrap();
    let hospital = Destination {
        host: "127.0.0.1".to_owned(),
        port: gateway.port,
        called_ae: AeTitle::parse("DOKUEI").unwrap(),
        calling_ae: AeTitle::parse("PACS_A").unwrap(),
        timeouts: Timeouts::default(),
        tls: None,
    };
    assert!(scu::send(&hospital, &files(&exam.study)).await.unwrap().iter().all(scu::Sent::is_kept));
    pass(&app, 3).await;
    let unset = dispatcher.form("/cases/1/priors", &[]).await;
    assert_eq!(unset.status, StatusCode::CONFLICT, "no PACS is set up for it");
    let rule = [("most", "3"), ("within_days", "1095")];
    assert_eq!(chief.form("/admin/peers/1/priors", &rule).await.status, StatusCode::SEE_OTHER);
    assert_eq!(dispatcher.form("/cases/1/priors", &[]).await.status, StatusCode::SEE_OTHER);
    for _ in 0..12 {
        app.clock.advance(TimeDelta::hours(2));
        pass(&app, 1).await;
    }
    let dead = app.state.db.read(|conn| jobs::job_list_dead(conn, 10)).await.unwrap();
    assert_eq!(dead.iter().map(|job| job.kind.as_str()).collect::<Vec<_>>(), ["fetch_priors"]);
    let dispatcher = app.sign_in("dispatcher", super::app::PASSWORD).await;
    let sheet = dispatcher.get("/cases/1").await.body;
    assert!(sheet.contains("過去画像を取得できない") && sheet.contains(&closed), "{sheet}");
    assert!(dispatcher.get("/dispatch/trouble").await.body.contains("fetch_priors 1"));
}
