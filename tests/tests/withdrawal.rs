//! A report of the wrong patient: everybody who has it is told, and nobody pays for it.

use anyhow::{Context, Result, ensure};
use dokuei_tests::dcmtk::{Call, StoreScp, attribute};
use dokuei_tests::installation::{Installation, LONG};
use dokuei_tests::mail::MailServer;
use dokuei_tests::process::{eventually, run_checked};
use dokuei_tests::{pdf, story, studies};
use serde_json::{Value, json};
use tokio::process::Command;

#[tokio::test]
async fn a_withdrawn_report_is_followed_by_a_notice_wherever_it_went_and_by_a_reversed_bill() -> Result<()> {
    let mail = MailServer::start().await?;
    let pacs = StoreScp::start("HOSPITAL_A").await?;
    let house = Installation::together(&story::mail_settings(mail.address)).await?;
    house.reads_old_studies().await?;
    house.returns_to("HOSPITAL_A", pacs.address).await?;
    let file = studies::sample("CT_small.dcm")?;
    let study = attribute(&file, "StudyInstanceUID").await?;
    let sent = Call::new("HOSPITAL_A", "DOKUEI", house.dicom()?).store(&[&file]).await?;
    ensure!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    let assigned = house.assigned(&study).await?;
    let reader = house.program(&assigned.login).await?;
    story::sign(&house, &reader, &assigned, "特記すべき所見なし。").await?;
    let doctor = house.program("doctor_a").await?;
    let case = format!("/portal/cases/{}", assigned.case);
    eventually("the report is with the hospital, by C-STORE and by mail", LONG, async || {
        let returned = doctor.get(&case).await?["case"]["state"] == "returned";
        Ok((returned && pacs.received()?.len() == 1 && mail.mails().await?.len() == 1).then_some(()))
    })
    .await?;
    let first = pacs.received()?.pop().context("a report")?;

    let director = house.program("director").await?;
    let path = format!("/cases/{}/withdraw", assigned.case);
    let unsure = json!({ "reason": "別の患者の画像でした" });
    ensure!(director.post(&path, &unsure).await.is_err(), "it must be confirmed");
    director.post(&path, &json!({ "reason": "別の患者の画像でした", "confirm": true })).await?;

    let notice = eventually("the notice is with the hospital", LONG, async || {
        let files = pacs.received()?;
        // One that is still being written has no readable end yet.
        let notice = files.into_iter().find(|file| *file != first);
        let Some(notice) = notice else { return Ok(None) };
        let whole = house.sql(
            "SELECT count(*) FROM deliveries WHERE content = 'withdrawal' AND kind = 'dicom' AND state = 'delivered'",
        );
        Ok((whole.await? == "1").then_some(notice))
    })
    .await?;
    for keyword in ["StudyInstanceUID", "PatientID"] {
        ensure!(attribute(&notice, keyword).await? == attribute(&first, keyword).await?, "{keyword}");
    }
    ensure!(
        attribute(&notice, "SOPInstanceUID").await? != attribute(&first, "SOPInstanceUID").await?,
        "an object of its own"
    );
    let sheet = house.folder().join("notice.pdf");
    run_checked(Command::new("dcm2pdf").arg(&notice).arg(&sheet)).await?;
    ensure!(pdf::text(&sheet).await?.contains("取消"), "the notice says what it is");
    let mails = eventually("the mail about it", LONG, async || {
        let mails = mail.mails().await?;
        Ok((mails.len() == 2).then_some(mails))
    })
    .await?;
    let told = mails.iter().find(|one| one.subject.contains("取消") && one.subject.contains("withdrawn"));
    told.context("a mail says that it was withdrawn")?.names_nobody(&["CompressedSamples", "1CT1", "別の患者"])?;

    let dossier = doctor.get(&case).await?;
    ensure!(dossier.to_string().contains("別の患者の画像でした"), "the site sees why: {dossier}");
    let month = house.sql("SELECT DISTINCT month FROM billable_events").await?;
    let bill = house.program("billing").await?.get(&format!("/billing/{month}")).await?;
    let lines = bill["lines"].as_array().context("lines")?;
    let sum: i64 = lines.iter().filter_map(|line| line["amount_yen"].as_i64()).sum();
    ensure!(lines.len() > 1 && sum == 0, "each line has its reversal: {}", Value::from(lines.clone()));
    Ok(())
}
