//! What must be true at each station of the story.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Case, EXAMS, Exam, IMPRESSION, People, finding};
use crate::client::Browser;
use crate::installation::{Installation, LONG};
use crate::mail::MailServer;
use crate::orthanc::Orthanc;
use crate::process::{eventually, run_checked, script};
use crate::{pdf, studies};

/// Encapsulated PDF Storage (PS3.4 B.5).
const ENCAPSULATED_PDF: &str = "1.2.840.10008.5.1.4.1.1.104.1";

/// Every image is shown, at its own size and with the samples that pydicom reads out of the file.
pub(super) async fn images(folder: &Path, browser: &Browser, read: i64, exam: &Exam, listing: &Value) -> Result<()> {
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
pub(super) async fn report(house: &Installation, root: &Path, case: &Case<'_>) -> Result<()> {
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
pub(super) async fn comes_back(people: &mut People<'_>, pacs: &Orthanc, case: &Case<'_>) -> Result<()> {
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
pub(super) async fn mails(mail: &MailServer, cases: &[Case<'_>]) -> Result<()> {
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
pub(super) async fn bill(people: &mut People<'_>, cases: &[Case<'_>]) -> Result<()> {
    let clerk = people.program("billing").await?;
    let house = people.house;
    let month = house.sql("SELECT DISTINCT month FROM billable_events").await?;
    ensure!(month.len() == 7, "one month holds all of it: {month}");
    let columns = "id, counts_on, month, case_id, quantity, amount_yen, reading_site_filing, place, addon, addon_tier, \
                   addon_group, addon_points, addon_sentence_ja";
    let ledger = house.sql(&format!("SELECT {columns} FROM billable_events ORDER BY id")).await?;
    let ledger: Vec<Vec<&str>> = ledger.lines().map(|line| line.split('|').collect()).collect();
    let headings = [
        "明細番号",
        "計上日",
        "月",
        "症例番号",
        "数量",
        "金額（税抜・円）",
        "読影機関の届出",
        "読影場所",
        "加算",
        "加算区分",
        "加算群",
        "加算点数",
        "判定の根拠",
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
    ensure!(told["charged_yen"] == charged.parse::<i64>()?, "{} and {charged}", told["charged_yen"]);
    ensure!(told["lines"].as_array().map(Vec::len) == Some(ledger.len()), "every line is told");
    Ok(())
}

/// What happened is in the trail, and the trail is sealed.
pub(super) async fn trail(people: &mut People<'_>) -> Result<()> {
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
