//! A hospital whose scanner sends to us and whose PACS has earlier studies: Orthanc, or pynetdicom after a script.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use chrono::{TimeDelta, Utc};
use dokuei_demo::dicom::{Instance, Study};
use dokuei_dicom_gateway::ae_title::AeTitle;
use dokuei_dicom_gateway::scu::{self, Destination, Timeouts};
use dokuei_models::state::CaseStudyRole;
use dokuei_models::store::{case_events, cases, jobs, priors, studies};
use dokuei_models::{CaseId, SiteId};
use dokuei_server::clock::Clock as _;
use dokuei_server::work::{Worker, kinds};
use serde_json::{Value, json};

use crate::admin::{SITE, made, with};
use crate::app::{Client, PASSWORD, TestApp};
use crate::first_case::Gateway;

/// The hospital's PACS, which knows us and sends to us.
pub struct Orthanc {
    child: Child,
    pub port: u16,
    _folder: tempfile::TempDir,
}

impl Orthanc {
    /// One that knows us at `ours`; where that is nothing it cannot call us.
    pub async fn start(ours: Option<u16>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (http, port) = (free_port(), free_port());
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
            "DicomAlwaysAllowGet": true,
            "DicomModalities": ours.map_or(json!({}), |port| json!({ "dokuei": ["DOKUEI", "127.0.0.1", port] })),
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
        to(calling, "PACS_A", self.port)
    }

    pub async fn hold(&self, study: &Study) {
        self.hold_files(&files(study)).await;
    }

    pub async fn hold_files(&self, files: &[bytes::Bytes]) {
        let sent = scu::send(&self.called_by("MODALITY"), files).await.unwrap();
        assert!(sent.iter().all(scu::Sent::is_kept), "{sent:?}");
    }
}

impl Drop for Orthanc {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn to(calling: &str, called: &str, port: u16) -> Destination {
    Destination {
        host: "127.0.0.1".to_owned(),
        port,
        called_ae: AeTitle::parse(called).unwrap(),
        calling_ae: AeTitle::parse(calling).unwrap(),
        timeouts: Timeouts::default(),
        tls: None,
    }
}

pub fn files(study: &Study) -> Vec<bytes::Bytes> {
    some_files(study, 2)
}

pub fn some_files(study: &Study, count: usize) -> Vec<bytes::Bytes> {
    let study = Arc::new(study.clone());
    Instance::of_series(&study, 0).take(count).map(|one| one.part10().unwrap().into()).collect()
}

/// Another study of the same patient: so many days before, of this description.
pub fn earlier(of: &Study, number: u32, days: i64, description: &str) -> Study {
    let mut study = of.clone();
    study.uid = format!("{}.{number}", of.uid);
    study.accession = format!("P{number}");
    study.started = of.started - TimeDelta::days(days);
    study.description = description.to_owned();
    study.series.truncate(1);
    study.series[0].uid = format!("{}.{number}", of.series[0].uid);
    study
}

/// A house with a site of one hospital, whose scanner sends to us and whose PACS may be asked.
pub struct Hospital<'a> {
    app: &'a TestApp,
    pub chief: Client<'a>,
    pub site: String,
    pub gateway: Gateway,
}

/// The first case.
pub const CASE: CaseId = CaseId(1);

impl<'a> Hospital<'a> {
    pub async fn open(app: &'a TestApp) -> Self {
        // The receiver stamps what comes with the real time.
        app.clock.advance(Utc::now() - app.clock.now());
        let chief = app.administrator("chief").await;
        let site = made(&chief.form("/admin/sites", &SITE).await).to_string();
        let gateway = Gateway::start(app, "DOKUEI").await;
        let house = Self { app, chief, site, gateway };
        house.register(&[("name", "CT"), ("ae_title", "CT_A"), ("sends", "true"), ("addresses", "127.0.0.1")]).await;
        house
    }

    /// Registers an endpoint of the site. The first one, the scanner, is there from the beginning.
    pub async fn register(&self, facts: &[(&str, &str)]) {
        let common = [("site", self.site.as_str()), ("active", "true"), ("character_set", "ISO_IR 192")];
        let made = self.chief.form("/admin/endpoints", &[&common, facts].concat()).await;
        assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
    }

    /// The PACS at a port, with more facts, as endpoint 2.
    pub async fn pacs(&self, port: u16, more: &[(&str, &str)]) {
        let port = port.to_string();
        let facts = [("name", "院内PACS"), ("ae_title", "PACS_A"), ("host", "127.0.0.1"), ("port", port.as_str())];
        self.register(&[&facts, more].concat()).await;
    }

    pub async fn rule(&self, fields: &[(&str, &str)]) {
        let usual = [("most", "3"), ("within_days", "1095"), ("same_region", "true")];
        let kept = self.chief.form("/admin/peers/2/priors", &with(&usual, fields)).await;
        assert_eq!(kept.status, StatusCode::SEE_OTHER, "{}", kept.body);
    }

    /// Sends a study from the scanner and waits until its case is there.
    pub async fn receives(&self, study: &Study, rounds: usize) {
        let sent = scu::send(&to("CT_A", "DOKUEI", self.gateway.port), &files(study)).await.unwrap();
        assert!(sent.iter().all(scu::Sent::is_kept), "{sent:?}");
        pass(self.app, rounds).await;
    }

    /// The StudyInstanceUIDs of the case's priors, sorted.
    pub async fn priors(&self) -> Vec<String> {
        let of_case = self.app.state.db.read(|conn| {
            let mut uids = Vec::new();
            for (study, role) in cases::case_study_list(conn, CASE)? {
                if role == CaseStudyRole::Prior {
                    uids.push(studies::study_get(conn, study)?.study_uid);
                }
            }
            uids.sort_unstable();
            Ok(uids)
        });
        of_case.await.unwrap()
    }

    /// What the case's history says under a name.
    pub async fn told(&self, kind: &str) -> Vec<Value> {
        let events = self.app.state.db.read(|conn| case_events::case_event_list(conn, CASE)).await.unwrap();
        let of_kind = events.iter().filter(|event| event.kind == kind);
        of_kind.map(|event| serde_json::from_str(&event.data).unwrap()).collect()
    }

    /// What came from the PACS in a day: new ones, and those that were here.
    pub async fn received(&self) -> (i64, i64) {
        // A session does not outlive the hours that a test lets pass.
        let chief = self.app.sign_in("chief", PASSWORD).await;
        let peer: Value = serde_json::from_str(&chief.get("/api/v1/peers/2").await.body).unwrap();
        (peer["day"]["received"].as_i64().unwrap(), peer["day"]["repeated"].as_i64().unwrap())
    }

    /// How many images are here of a study.
    pub async fn images(&self, uid: &str) -> usize {
        let (site, uid) = (SiteId(self.site.parse().unwrap()), uid.to_owned());
        let here = self.app.state.db.read(move |conn| priors::prior_instance_uids(conn, site, &uid));
        here.await.unwrap().len()
    }

    /// The jobs that a person must look at.
    pub async fn dead(&self) -> Vec<String> {
        let dead = self.app.state.db.read(|conn| jobs::job_list_dead(conn, 10)).await.unwrap();
        dead.into_iter().map(|job| job.kind).collect()
    }
}

/// A CT of the head on an invented day.
pub fn head_ct(app: &TestApp) -> Study {
    let mut exams = dokuei_demo::day(7, app.clock.stamp(), None);
    let head =
        exams.find(|exam| exam.study.series[0].modality == "CT" && exam.study.description.contains("頭部")).unwrap();
    (*head.study).clone()
}

/// pynetdicom as PACS_A, which does with these files what its mode says.
pub struct Scripted {
    pub port: u16,
    child: Child,
    _files: tempfile::TempDir,
}

impl Scripted {
    pub fn start(mode: &str, port: Option<u16>, files: &[bytes::Bytes]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = port.unwrap_or_else(free_port);
        let mut command = Command::new(python());
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../dicom-gateway/tests/peers/pacs.py"));
        command.arg(port.to_string()).arg(mode);
        for (index, file) in files.iter().enumerate() {
            let path = folder.path().join(format!("{index:04}.dcm"));
            std::fs::write(&path, file).unwrap();
            command.arg(path);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().expect("pynetdicom is installed");
        let mut ready = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
        assert_eq!(ready, "[\"ready\"]\n");
        // What it says further goes nowhere, but must go.
        let mut rest = child.stdout.take().unwrap();
        std::thread::spawn(move || std::io::copy(&mut rest, &mut std::io::sink()));
        Self { port, child, _files: folder }
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// `DOKUEI_PYTHON`, else the Python of the build folder's virtual environment.
fn python() -> std::path::PathBuf {
    std::env::var_os("DOKUEI_PYTHON").map(Into::into).unwrap_or_else(|| {
        let built = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), Into::into);
        built.join("venv/bin/python")
    })
}

/// Lets time pass and everything that is due happen.
pub async fn pass(app: &TestApp, rounds: usize) {
    let worker = Worker::new(app.state.clone(), "test", kinds::all());
    for _ in 0..rounds {
        app.clock.advance(TimeDelta::seconds(30));
        while worker.work_once().await.unwrap() {}
    }
}
