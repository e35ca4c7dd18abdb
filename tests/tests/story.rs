//! The main job, end to end, in one process: from a hospital's PACS to the signed report back in it and the bill.

use anyhow::Result;
use dokuei_tests::installation::Installation;
use dokuei_tests::mail::MailServer;
use dokuei_tests::story;

/// Clinically this is the whole promise: what the hospital sent comes back read, signed, in the right study, once,
/// and what is charged is what was done.
#[tokio::test]
async fn real_studies_come_back_signed_and_stand_on_the_bill() -> Result<()> {
    let mail = MailServer::start().await?;
    let house = Installation::together(&story::mail_settings(mail.address)).await?;
    story::walk(&house, &mail).await
}
