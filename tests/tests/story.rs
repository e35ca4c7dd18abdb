//! The main job, end to end: a hospital's PACS sends, a reader signs, the report is back in that PACS and on the bill.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use dokuei_tests::client::Api;
use dokuei_tests::dokuei::{Dokuei, command, demo_logins};
use dokuei_tests::orthanc::Orthanc;
use dokuei_tests::process::{eventually, run_checked};
use dokuei_tests::{pdf, studies};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::Command;

const LONG: Duration = Duration::from_secs(90);
/// Encapsulated PDF Storage (PS3.4 B.5).
const ENCAPSULATED_PDF: &str = "1.2.840.10008.5.1.4.1.1.104.1";

/// Asks or changes the database by hand, as an administrator would whose page is not built yet.
async fn sql(data: &Path, statement: &str) -> Result<String> {
    let database = data.join("dokuei.sqlite3");
    let mut command = Command::new("sqlite3");
    command.args(["-cmd", ".timeout 10000"]).arg(database).arg(statement);
    Ok(run_checked(&mut command).await?.trim().to_owned())
}

/// A program with a token in the name of a demo person.
async fn program(data: &Path, dokuei: &Dokuei, login: &str) -> Result<Api> {
    let folder = data.to_str().context("a temporary folder has a plain name")?;
    let told = run_checked(&mut command(&["user", "token", login, "--name", "test", "--data", folder], &[])?).await?;
    let token = told.split_whitespace().max_by_key(|word| word.len()).context("no token was printed")?;
    Api::new(dokuei.http()?, token)
}

/// Clinically this is the whole promise: what the hospital sent comes back read, signed, in the right study, once,
/// and what is charged is what was done.
#[tokio::test]
async fn a_study_from_a_pacs_comes_back_signed_and_stands_on_the_bill() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path();
    let pacs = Orthanc::start("HOSPITAL_A").await?;
    let dokuei = Dokuei::run(data, &[]).await?;
    pacs.know("dokuei", "DOKUEI", dokuei.dicom()?).await?;
    // The sample is from 2004: without this it would be kept for comparison only.
    sql(data, "UPDATE sites SET comparison_after_days = 100000").await?;
    let address = (pacs.dicom.ip(), pacs.dicom.port());
    let returns_to = format!("host = '{}', port = {}, receives = 1", address.0, address.1);
    sql(data, &format!("UPDATE site_endpoints SET {returns_to} WHERE ae_title = 'HOSPITAL_A'")).await?;

    let sent = pacs.put(std::fs::read(studies::sample("CT_small.dcm")?)?).await?;
    pacs.send("dokuei", std::slice::from_ref(&sent)).await?;
    let assigned = "SELECT u.login || ' ' || r.id FROM reads r JOIN readers d ON d.id = r.reader_id \
                    JOIN users u ON u.id = d.user_id WHERE r.state = 'assigned'";
    let found = eventually("the read is on a reader's list", LONG, async || {
        let row = sql(data, assigned).await?;
        Ok((!row.is_empty()).then_some(row))
    })
    .await?;
    let (login, read) = found.split_once(' ').context("login and read")?;

    let reader = program(data, &dokuei, login).await?;
    let password = demo_logins(data)?.into_iter().find(|one| one.login == login).context("a demo reader")?.password;
    reader.post(&format!("/reads/{read}/start"), &Value::Null).await?;
    let draft = json!({ "revision": 0, "findings": "肺野に結節を認めません。", "impression": "異常なし。" });
    let saved = reader.request(Method::PUT, &format!("/reads/{read}/draft")).json(&draft).send().await?;
    ensure!(saved.status().is_success(), "the draft was answered {}", saved.status());
    let sign = json!({ "revision": 1, "password": password });
    let version = reader.post(&format!("/reads/{read}/sign"), &sign).await?["id"].as_i64().context("a version")?;

    let path = format!("/reads/{read}/versions/{version}/report.pdf");
    let report = reader.request(Method::GET, &path).send().await?.error_for_status()?.bytes().await?;
    let file = data.join("report.pdf");
    std::fs::write(&file, &report)?;
    let root = data.join("ca/root.pem");
    let said = pdf::pdfsig(&file, &root).await?;
    assert!(said.contains("Signature is Valid") && said.contains("Certificate is Trusted"), "{said}");
    let judged = pdf::signatures(&file, &root).await?;
    assert!(judged.iter().all(|one| one.intact && one.valid && one.trusted), "{judged:?}");
    assert!(pdf::text(&file).await?.contains("結節"), "the words can be copied out");

    let returned = eventually("the report is in the hospital's PACS", LONG, async || {
        for instance in pacs.find("Instance", json!({})).await? {
            if pacs.tags(&instance).await?["SOPClassUID"] == ENCAPSULATED_PDF {
                return Ok(Some(instance));
            }
        }
        Ok(None)
    })
    .await?;
    let (before, after) = (pacs.tags(&sent).await?, pacs.tags(&returned).await?);
    for keyword in ["StudyInstanceUID", "PatientID", "PatientName"] {
        assert_eq!(before[keyword], after[keyword], "{keyword} leads back to the same patient and study");
    }
    assert_eq!(pacs.pdf(&returned).await?, report.to_vec(), "the very file that was signed");
    eventually("the case is returned", LONG, async || {
        Ok((sql(data, "SELECT state FROM cases").await? == "returned").then_some(()))
    })
    .await?;

    let clerk = program(data, &dokuei, "billing").await?;
    let row =
        sql(data, "SELECT month || ' ' || amount_yen || ' ' || id FROM billable_events WHERE kind = 'reading'").await?;
    let mut cells = row.split(' ');
    let (month, yen, id) = (cells.next().context("month")?, cells.next().context("yen")?, cells.next().context("id")?);
    let export =
        clerk.request(Method::GET, &format!("/billing/{month}/export.csv")).send().await?.error_for_status()?;
    let csv = export.text().await?;
    let line =
        csv.lines().find(|line| line.starts_with(&format!("\"{id}\","))).context("the ledger line is in the CSV")?;
    assert!(line.contains(&format!("\"{yen}\"")), "{line}");
    assert_ne!(yen, "0", "the tariff has a price for a CT");
    Ok(())
}
