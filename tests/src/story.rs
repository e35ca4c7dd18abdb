//! The main job, once through, on real files: sent by a hospital, read, signed, returned into its PACS, billed.
//!
//! [`walk`] is the same for every layout of the processes. What must be true at
//! each station is asserted where it happens; a failure names the file.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use crate::client::{Api, Browser};
use crate::dcmtk::{Call, attribute};
use crate::installation::{Assigned, Installation, LONG};
use crate::mail::MailServer;
use crate::orthanc::Orthanc;
use crate::process::{eventually, run_checked, script};
use crate::{pdf, studies};

/// Encapsulated PDF Storage (PS3.4 B.5).
const ENCAPSULATED_PDF: &str = "1.2.840.10008.5.1.4.1.1.104.1";

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
    Exam { file: "MR2_J2KI.dcm", way: Way::StoreScu(&["--propose-j2k-lossy"]), name: "CompressedSamples MR2", rounding: 1 },
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
        check_report(house, &root, &case).await.with_context(|| exam.file)?;
        cases.push(case);
    }
    for case in &cases {
        check_return(&mut people, &pacs, case).await.with_context(|| case.exam.file)?;
    }
    check_mails(mail, &cases).await?;
    check_bill(&mut people, &cases).await?;
    check_trail(&mut people).await
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
    check_images(people.house.folder(), &browser, read, exam, &serde_json::from_str(&images)?).await?;

    let (version, report) = sign(people.house, &reader, &assigned, &finding(exam)).await?;
    Ok(Case { exam, study, assigned, version, report })
}

/// Opens the read if it is not, writes findings and an impression, settles disagreements of labels for what the system
/// trusts, and signs. Returns the version and its PDF.
///
/// # Errors
/// When any of it is refused.
pub async fn sign(
    house: &Installation,
    reader: &Api,
    assigned: &Assigned,
    findings: &str,
) -> Result<(i64, Vec<u8>)> {
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

/// Every image is shown, at its own size and with the samples that pydicom reads out of the file.
async fn check_images(folder: &Path, browser: &Browser, read: i64, exam: &Exam, listing: &Value) -> Result<()> {
    let file = studies::sample(exam.file)?;
    let current = listing["studies"].as_array().into_iter().flatten().filter(|study| study["prior"] == false);
    let mut shown = 0;
    for instance in current.flat_map(|study| study["series"].as_array().into_iter().flatten()) {
        for instance in instance["instances"].as_array().into_iter().flatten() {
            let frame = format!("/reads/{read}/images/{}/frames/0", instance["id"]);
            let (raw, png) = (folder.join("frame.raw"), folder.join("frame.png"));
            for (kind, to) in [("raw", &raw), ("png", &png)] {
                let answer = browser.get(&format!("{frame}/{kind}")).await?;
                let status = answer.status();
                let bytes = answer.bytes().await?;
                ensure!(status.is_success(), "{kind} was answered {status}: {}", String::from_utf8_lossy(&bytes));
                std::fs::write(to, bytes)?;
            }
            let mut check = script("check_frame.py")?;
            let told: Value = serde_json::from_str(&run_checked(check.arg(&file).arg(&raw).arg(&png)).await?)?;
            let size = (attribute_number(&file, "Rows").await?, attribute_number(&file, "Columns").await?);
            ensure!((told["rows"].as_i64(), told["columns"].as_i64()) == (Some(size.0), Some(size.1)), "size: {told}");
            ensure!(told["shades"].as_i64() > Some(1), "one flat colour: {told}");
            ensure!(told["difference"].as_i64() <= Some(exam.rounding), "other pixels than stored: {told}");
            shown += 1;
        }
    }
    ensure!(shown == 1, "{shown} images instead of one");
    Ok(())
}

async fn attribute_number(file: &Path, keyword: &str) -> Result<i64> {
    let line = run_checked(tokio::process::Command::new("dcmdump").args(["-q", "+L", "+P", keyword]).arg(file)).await?;
    let number = line.split_whitespace().nth(2).with_context(|| format!("{keyword}: {line}"))?;
    Ok(number.parse()?)
}

/// The report is signed, whole, trusted by the demo CA alone, and says what was written about whom.
async fn check_report(house: &Installation, root: &Path, case: &Case<'_>) -> Result<()> {
    let file = house.folder().join(format!("{}.pdf", case.exam.file));
    std::fs::write(&file, &case.report)?;
    let said = pdf::pdfsig(&file, root).await?;
    ensure!(said.contains("Signature is Valid") && said.contains("Certificate is Trusted"), "{said}");
    let judged = pdf::signatures(&file, root).await?;
    ensure!(judged.len() == 1, "{judged:?}");
    let whole = |one: &pdf::Signature| one.coverage == "ENTIRE_FILE" && one.later_change.as_deref() == Some("NONE");
    ensure!(judged.iter().all(|one| one.intact && one.valid && one.trusted && whole(one)), "{judged:?}");
    let text = pdf::text(&file).await?;
    for words in [case.exam.name, &finding(case.exam), IMPRESSION] {
        ensure!(squeezed(&text).contains(&squeezed(words)), "{words} is not in the report:\n{text}");
    }
    Ok(())
}

/// Without spaces: a typeset line may break or be spaced anywhere.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The signed file is in the original study of the hospital's PACS, and the site's doctor has it in the portal.
async fn check_return(people: &mut People<'_>, pacs: &Orthanc, case: &Case<'_>) -> Result<()> {
    let study = json!({ "StudyInstanceUID": case.study });
    let (original, returned) = eventually("the report is in the hospital's PACS", LONG, async || {
        let (mut original, mut returned) = (None, None);
        for instance in pacs.find("Instance", study.clone()).await? {
            let tags = pacs.tags(&instance).await?;
            let is_report = tags["SOPClassUID"] == ENCAPSULATED_PDF;
            *(if is_report { &mut returned } else { &mut original }) = Some((instance, tags));
        }
        Ok(original.zip(returned))
    })
    .await?;
    for keyword in ["StudyInstanceUID", "PatientID", "PatientName", "AccessionNumber"] {
        let (before, after) = (original.1[keyword].as_str(), returned.1[keyword].as_str());
        ensure!(before.unwrap_or_default() == after.unwrap_or_default(), "{keyword}: {before:?}, then {after:?}");
    }
    ensure!(pacs.find("Study", study).await?.len() == 1, "the report made no study of its own");
    ensure!(pacs.pdf(&returned.0).await? == case.report, "the very file that was signed");

    let (doctor, id) = (people.program("doctor_a").await?, case.assigned.case);
    eventually("the case is returned", LONG, async || {
        let dossier = doctor.get(&format!("/portal/cases/{id}")).await?;
        Ok((dossier["case"]["state"] == "returned").then_some(()))
    })
    .await?;
    let path = format!("/portal/versions/{}/report.pdf", case.version);
    let there = doctor.request(Method::GET, &path).send().await?.error_for_status()?.bytes().await?;
    ensure!(there == case.report, "the portal gives the same file");
    let page = people.browser("tech_a").await?.page(&format!("/portal/cases/{id}")).await?;
    ensure!(page.contains(case.exam.name), "the portal shows the name");
    doctor.post(&format!("/portal/versions/{}/accept", case.version), &Value::Null).await?;
    let dossier = doctor.get(&format!("/portal/cases/{id}")).await?;
    ensure!(dossier["case"]["state"] == "acknowledged", "{}", dossier["case"]);
    Ok(())
}

/// One notice a report, in both languages, that says nothing of anybody.
async fn check_mails(mail: &MailServer, cases: &[Case<'_>]) -> Result<()> {
    let mails = eventually("a mail for each report", LONG, async || {
        let mails = mail.mails().await?;
        Ok((mails.len() >= cases.len()).then_some(mails))
    })
    .await?;
    ensure!(mails.len() == cases.len(), "{} mails for {} reports", mails.len(), cases.len());
    for one in &mails {
        one.names_nobody(&["CompressedSamples", "山田", "Yamada", "H31EXAMPLE", "1CT1", "9RG1", "exam Number"])?;
    }
    Ok(())
}

/// The ledger, the clerk's JSON and both CSV files say the same of every line.
async fn check_bill(people: &mut People<'_>, cases: &[Case<'_>]) -> Result<()> {
    let clerk = people.program("billing").await?;
    let house = people.house;
    let month = house.sql("SELECT DISTINCT month FROM billable_events").await?;
    ensure!(month.len() == 7, "one month holds all of it: {month}");
    let columns = "id, counts_on, month, case_id, quantity, amount_yen, reading_site_filing, place, addon, addon_tier, \
                   addon_group, addon_points, addon_sentence_ja";
    let ledger = house.sql(&format!("SELECT {columns} FROM billable_events ORDER BY id")).await?;
    let ledger: Vec<Vec<&str>> = ledger.lines().map(|line| line.split('|').collect()).collect();
    let headings = [
        "明細番号", "計上日", "月", "症例番号", "数量", "金額（税抜・円）", "読影機関の届出", "読影場所", "加算", "加算区分",
        "加算群", "加算点数", "判定の根拠",
    ];
    for (encoding, python) in [("utf8", "utf-8-sig"), ("cp932", "cp932")] {
        let path = format!("/billing/{month}/export.csv?encoding={encoding}");
        let export = clerk.request(Method::GET, &path).send().await?.error_for_status()?.bytes().await?;
        let file = house.folder().join(format!("{encoding}.csv"));
        std::fs::write(&file, export)?;
        let rows: Vec<Value> =
            serde_json::from_str(&run_checked(script("read_csv.py")?.arg(&file).arg(python)).await?)?;
        let mut lines: Vec<Vec<&str>> = Vec::new();
        for row in &rows {
            let cells = headings.iter().map(|heading| row[heading].as_str());
            lines.push(cells.collect::<Option<_>>().with_context(|| format!("a heading is missing: {row}"))?);
        }
        lines.sort_by_key(|line| line[0].parse::<i64>().unwrap_or_default());
        ensure!(lines == ledger, "{encoding}: the CSV says\n{lines:?}\nand the ledger\n{ledger:?}");
    }
    for case in cases {
        let id = case.assigned.case.to_string();
        let of_case = format!("SELECT sum(amount_yen) FROM billable_events WHERE kind = 'reading' AND case_id = {id}");
        ensure!(house.sql(&of_case).await?.parse::<i64>()? > 0, "{} is charged", case.exam.file);
    }
    let told = clerk.get(&format!("/billing/{month}")).await?;
    let charged = house.sql("SELECT sum(amount_yen) FROM billable_events WHERE kind IN ('reading', 'urgency')").await?;
    ensure!(told["charged_yen"].to_string() == charged, "{} and {charged}", told["charged_yen"]);
    ensure!(told["lines"].as_array().map(Vec::len) == Some(ledger.len()), "every line is told");
    Ok(())
}

/// What happened is in the trail, and the trail is sealed.
async fn check_trail(people: &mut People<'_>) -> Result<()> {
    let officer = people.program("security").await?;
    let signed = officer.get("/audit?action=report.sign&limit=100").await?;
    ensure!(signed.as_array().map(Vec::len) == Some(EXAMS.len()), "one row a signature: {signed}");
    eventually("the trail is sealed and whole", LONG, async || {
        let seals = officer.get("/audit/seals").await?;
        ensure!(seals["faults"].as_array().is_none_or(Vec::is_empty), "{seals}");
        Ok((!seals["head"].is_null()).then_some(()))
    })
    .await
}
