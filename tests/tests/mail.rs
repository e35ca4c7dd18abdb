//! The notice by mail: it waits for a mail server that is down, is seen waiting, and goes by itself.

use anyhow::{Context, Result, ensure};
use dokuei_tests::client::Api;
use dokuei_tests::dcmtk::{Call, attribute};
use dokuei_tests::installation::{Installation, LONG};
use dokuei_tests::mail::MailServer;
use dokuei_tests::process::{eventually, free_address};
use dokuei_tests::{story, studies};
use serde_json::Value;

/// The mail delivery of a case, as the dispatcher's sheet has it.
async fn delivery(dispatcher: &Api, case: i64) -> Result<Value> {
    let sheet = dispatcher.get(&format!("/cases/{case}")).await?;
    let mut all = sheet["deliveries"].as_array().cloned().unwrap_or_default();
    all.retain(|one| one["kind"] == "mail");
    all.pop().with_context(|| format!("no mail is owed: {sheet}"))
}

#[tokio::test]
async fn a_mail_waits_in_sight_for_its_server_and_goes_when_it_is_there() -> Result<()> {
    let address = free_address()?;
    let house = Installation::together(&story::mail_settings(address)).await?;
    house.reads_old_studies().await?;
    let file = studies::sample("CT_small.dcm")?;
    let sent = Call::new("HOSPITAL_A", "DOKUEI", house.dicom()?).store(&[&file]).await?;
    ensure!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    let assigned = house.assigned(&attribute(&file, "StudyInstanceUID").await?).await?;
    let reader = house.program(&assigned.login).await?;
    story::sign(&house, &reader, &assigned, "特記すべき所見なし。").await?;

    let dispatcher = house.program("dispatch1").await?;
    let waiting = eventually("the mail was tried", LONG, async || {
        let mail = delivery(&dispatcher, assigned.case).await?;
        Ok(mail["last_error"].is_string().then_some(mail))
    })
    .await?;
    assert_eq!(waiting["state"], "pending", "{waiting}");
    let said = house.browser("dispatch1").await?.page(&format!("/cases/{}", assigned.case)).await?;
    assert!(said.contains("メールサーバーに接続できない"), "the sheet says what is wrong and that it is tried again");
    eventually("the case does not wait for a notice", LONG, async || {
        let sheet = dispatcher.get(&format!("/cases/{}", assigned.case)).await?;
        Ok((sheet["case"]["state"] == "returned").then_some(()))
    })
    .await?;

    let server = MailServer::start_at(address).await?;
    let mails = eventually("the mail is there", LONG, async || {
        let mails = server.mails().await?;
        Ok((!mails.is_empty()).then_some(mails))
    })
    .await?;
    eventually("it is known to be delivered", LONG, async || {
        Ok((delivery(&dispatcher, assigned.case).await?["state"] == "delivered").then_some(()))
    })
    .await?;
    assert_eq!(server.mails().await?.len(), 1, "once");
    assert_eq!((mails[0].from.as_str(), mails[0].to.as_str()), ("reports@dokuei.example", "hospital-a@example.jp"));
    mails[0].names_nobody(&["CompressedSamples", "1CT1", "CT_small"])
}
