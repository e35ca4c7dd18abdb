//! The main job, end to end, in one process: from a hospital's PACS to the signed report back in it and the bill.

use anyhow::{Result, ensure};
use dokuei_tests::dcmtk::{Call, attribute};
use dokuei_tests::installation::Installation;
use dokuei_tests::mail::MailServer;
use dokuei_tests::story;
use dokuei_tests::studies::sample;
use reqwest::{Method, StatusCode};
use serde_json::Value;

/// Clinically this is the whole promise: what the hospital sent comes back read, signed, in the right study, once,
/// and what is charged is what was done.
#[tokio::test]
async fn real_studies_come_back_signed_and_stand_on_the_bill() -> Result<()> {
    let mail = MailServer::start().await?;
    let house = Installation::together(&story::mail_settings(mail.address)).await?;
    story::walk(&house, &mail).await
}

/// A picture that cannot be drawn must not look like an empty one: the reader is told what it is and why.
#[tokio::test]
async fn what_cannot_be_drawn_is_named() -> Result<()> {
    let house = Installation::together(&[]).await?;
    house.reads_old_studies().await?;
    let call = Call::new("HOSPITAL_A", "DOKUEI", house.dicom()?);
    // A radiograph's header without its pixels, and JPEG with 12 bits, for which no decoder is here.
    for (name, frames, why) in [("chrJapMulti.dcm", 0, "画素データがない"), ("JPEG-lossy.dcm", 1, "12-bit JPEG")]
    {
        let file = sample(name)?;
        let sent = call.send_as_is(&[&file]).await?;
        ensure!(sent.status.success(), "{name}: {}", String::from_utf8_lossy(&sent.stderr));
        let assigned = house.assigned(&attribute(&file, "StudyInstanceUID").await?).await?;
        let reader = house.browser(&assigned.login).await?;
        let listing: Value = serde_json::from_str(&reader.page(&format!("/reads/{}/images", assigned.read)).await?)?;
        let instance = &listing["studies"][0]["series"][0]["instances"][0];
        assert_eq!(instance["frames"], frames, "{name}");
        assert!(instance["class"].as_str().is_some_and(|class| class.starts_with("1.2.840.10008.5.1.4.1.1.")));
        for kind in ["raw", "png"] {
            let path = format!("/reads/{}/images/{}/frames/0/{kind}", assigned.read, instance["id"]);
            let answer = reader.request(Method::GET, &path).header("accept", "application/json").send().await?;
            assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{name} {kind}");
            let said: Value = answer.json().await?;
            let detail = said["detail"].as_str().unwrap_or_default();
            assert!(detail.contains("表示できません") && detail.contains(why), "{name} {kind}: {said}");
        }
    }
    Ok(())
}
