//! The main job, once through, on real files: sent by a hospital, read, signed, returned into its PACS, billed.
//!
//! [`walk`] is the same for every layout of the processes. What must be true at
//! each station is asserted where it happens; a failure names the file.

mod stations;

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Api, Browser};
use crate::dcmtk::{Call, attribute};
use crate::installation::{Assigned, Installation};
use crate::mail::MailServer;
use crate::orthanc::Orthanc;
use crate::studies;

/// What every report in a test concludes.
const IMPRESSION: &str = "明らかな異常を指摘できない。";

/// How a file leaves the hospital.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The PACS sends it.
    Pacs,
    /// A modality's `storescu`, with options.
    StoreScu(&'static [&'static str]),
}

/// A real file, and what is known of it.
struct Exam {
    file: &'static str,
    way: Way,
    /// What people must find of its name: as a page and as a report write it.
    name: &'static str,
    /// Largest difference of a decoded sample from pydicom's: decoders of lossy JPEG 2000 may round.
    rounding: i64,
}

/// CT and its PACS, MR, CR of a chest, ultrasound in colour, JPEG 2000, ISO 2022 Japanese: all of pydicom and
/// pydicom-data, which hold them themselves (nothing is downloaded).
const EXAMS: [Exam; 6] = [
    Exam { file: "CT_small.dcm", way: Way::Pacs, name: "CompressedSamples CT1", rounding: 0 },
    Exam { file: "MR_small.dcm", way: Way::StoreScu(&[]), name: "CompressedSamples MR1", rounding: 0 },
    Exam { file: "RG1_UNCR.dcm", way: Way::StoreScu(&[]), name: "CompressedSamples RG1", rounding: 0 },
    Exam { file: "US1_UNCI.dcm", way: Way::StoreScu(&[]), name: "CompressedSamples US1", rounding: 0 },
    Exam {
        file: "MR2_J2KI.dcm",
        way: Way::StoreScu(&["--propose-j2k-lossy"]),
        name: "CompressedSamples MR2",
        rounding: 1,
    },
    Exam { file: "chrH31.dcm", way: Way::StoreScu(&[]), name: "山田 太郎", rounding: 0 },
];
/// The one with everything a request must agree with; its request is written before its images come.
const REQUESTED: &str = "RG1_UNCR.dcm";

/// One exam on its way.
struct Case<'a> {
    exam: &'a Exam,
    study: String,
    assigned: Assigned,
    version: i64,
    report: Vec<u8>,
}

/// The programs and browsers of people, each made once.
struct People<'a> {
    house: &'a Installation,
    programs: BTreeMap<String, Api>,
    browsers: BTreeMap<String, Browser>,
}

impl People<'_> {
    async fn program(&mut self, login: &str) -> Result<Api> {
        if let Some(known) = self.programs.get(login) {
            return Ok(known.clone());
        }
        let made = self.house.program(login).await?;
        self.programs.insert(login.to_owned(), made.clone());
        Ok(made)
    }

    async fn browser(&mut self, login: &str) -> Result<Browser> {
        if let Some(known) = self.browsers.get(login) {
            return Ok(known.clone());
        }
        let made = self.house.browser(login).await?;
        self.browsers.insert(login.to_owned(), made.clone());
        Ok(made)
    }
}

/// Settings under which an installation sends its mail to `server`.
pub fn mail_settings(server: std::net::SocketAddr) -> Vec<(&'static str, String)> {
    vec![
        ("DOKUEI_MAIL_HOST", server.ip().to_string()),
        ("DOKUEI_MAIL_PORT", server.port().to_string()),
        ("DOKUEI_MAIL_TLS", "none".to_owned()),
        ("DOKUEI_MAIL_FROM", "reports@dokuei.example".to_owned()),
    ]
}

/// Walks the whole story in an installation that mails to `mail`.
///
/// # Errors
/// At the first station where something is not as it must be.
pub async fn walk(house: &Installation, mail: &MailServer) -> Result<()> {
    let pacs = Orthanc::start("HOSPITAL_A").await?;
    pacs.know("dokuei", "DOKUEI", house.dicom()?).await?;
    house.returns_to("HOSPITAL_A", pacs.dicom).await?;
    house.reads_old_studies().await?;
    let mut people = People { house, programs: BTreeMap::new(), browsers: BTreeMap::new() };
    let root = house.root_pem().await?;

    write_request(&mut people).await?;
    for exam in &EXAMS {
        send(house, &pacs, exam).await.with_context(|| exam.file)?;
    }
    let mut cases = Vec::new();
    for exam in &EXAMS {
        let read = read_and_sign(&mut people, exam).await;
        let case = read.with_context(|| format!("{}; it said:\n{}", exam.file, house.log()))?;
        stations::report(house, &root, &case).await.with_context(|| exam.file)?;
        cases.push(case);
    }
    for case in &cases {
        stations::comes_back(&mut people, &pacs, case).await.with_context(|| case.exam.file)?;
    }
    stations::mails(mail, &cases).await?;
    stations::bill(&mut people, &cases).await?;
    stations::trail(&mut people).await
}

async fn write_request(people: &mut People<'_>) -> Result<()> {
    let technologist = people.program("tech_a").await?;
    let file = studies::sample(REQUESTED)?;
    let site = technologist.get("/portal/sites").await?[0]["id"].as_i64().context("a site of one's own")?;
    let request = json!({
        "accession_number": attribute(&file, "AccessionNumber").await?,
        "patient_id": attribute(&file, "PatientID").await?,
        "name_latin": "CompressedSamples RG1",
        "birth_date": "1940-03-05",
        "sex": "F",
        "ordering_doctor": "架空 診一",
        "department": "内科",
        "phone": "000-1000-0001",
        "exam": "胸部X線",
        "question": "咳嗽が続く。肺炎はありますか。",
        "kind": "reading",
        "source": "outpatient",
        "priority": "urgent",
    });
    let made = technologist.post(&format!("/portal/sites/{site}/requests"), &request).await?;
    ensure!(made["for_a_person"] == false, "request and images agree: {made}");
    Ok(())
}

/// The PACS holds everything; what it does not send itself comes from the modality.
async fn send(house: &Installation, pacs: &Orthanc, exam: &Exam) -> Result<()> {
    let file = studies::sample(exam.file)?;
    let kept = pacs.put(std::fs::read(&file)?).await?;
    match exam.way {
        Way::Pacs => pacs.send("dokuei", &[kept]).await,
        Way::StoreScu(options) => {
            let call = Call::new("HOSPITAL_A", "DOKUEI", house.dicom()?);
            let sent = call.store_proposing(options, &[&file]).await?;
            ensure!(sent.status.success(), "storescu: {}", String::from_utf8_lossy(&sent.stderr));
            Ok(())
        }
    }
}

async fn read_and_sign<'a>(people: &mut People<'_>, exam: &'a Exam) -> Result<Case<'a>> {
    let study = attribute(&studies::sample(exam.file)?, "StudyInstanceUID").await?;
    let (assigned, reader) = start(people, &study).await?;
    let read = assigned.read;

    let room = reader.get(&format!("/reads/{read}")).await?;
    let name = room["patient"]["name"].as_str().unwrap_or_default();
    ensure!(name.contains(exam.name), "the reading room says {name}");
    let browser = people.browser(&assigned.login).await?;
    ensure!(browser.page(&format!("/reads/{read}")).await?.contains(exam.name), "the room's page shows the name");
    if exam.file == REQUESTED {
        ensure!(room["request"]["is_default"] == false, "the written request came with its images");
        ensure!(room["request"]["question"].as_str().is_some_and(|text| text.contains("咳嗽")), "the question");
    }
    let images = browser.page(&format!("/reads/{read}/images")).await?;
    stations::images(people.house.folder(), &browser, read, exam, &serde_json::from_str(&images)?).await?;

    let (version, report) = sign(people.house, &reader, &assigned, &finding(exam)).await?;
    Ok(Case { exam, study, assigned, version, report })
}

/// Opens the read if it is not, writes findings and an impression, settles disagreements of labels for what the system
/// trusts, and signs. Returns the version and its PDF.
///
/// # Errors
/// When any of it is refused.
pub async fn sign(house: &Installation, reader: &Api, assigned: &Assigned, findings: &str) -> Result<(i64, Vec<u8>)> {
    let read = assigned.read;
    reader.post(&format!("/reads/{read}/start"), &Value::Null).await?;
    let draft = json!({ "revision": 0, "findings": findings, "impression": IMPRESSION });
    let saved = reader.request(Method::PUT, &format!("/reads/{read}/draft")).json(&draft).send().await?;
    ensure!(saved.status().is_success(), "the draft was answered {}", saved.status());
    let sheet = reader.get(&format!("/reads/{read}/sign")).await?;
    let conflicts = sheet["conflicts"].as_array().map_or(0, Vec::len);
    let order = json!({
        "revision": sheet["revision"],
        "password": house.password(&assigned.login)?,
        "choices": vec!["trusted"; conflicts],
    });
    let version = reader.post(&format!("/reads/{read}/sign"), &order).await?["id"].as_i64().context("a version")?;
    let path = format!("/reads/{read}/versions/{version}/report.pdf");
    let report = reader.request(Method::GET, &path).send().await?.error_for_status()?.bytes().await?;
    Ok((version, report.to_vec()))
}

/// Opens the read from whosoever's list it is on. A plan may move it to another list between look and grasp.
async fn start(people: &mut People<'_>, study: &str) -> Result<(Assigned, Api)> {
    for _ in 0..5 {
        let assigned = people.house.assigned(study).await?;
        let reader = people.program(&assigned.login).await?;
        let answer = reader.request(Method::POST, &format!("/reads/{}/start", assigned.read)).send().await?;
        if answer.status().is_success() {
            return Ok((assigned, reader));
        }
    }
    anyhow::bail!("the read of {study} was never the reader's whose list it was on")
}

fn finding(exam: &Exam) -> String {
    format!("試料 {} を読影した。粗大な病変を認めない。", exam.file)
}
