//! The roles apart, over PostgreSQL, Redis and a folder they share.

use anyhow::Result;
use dokuei_tests::dcmtk::Call;
use dokuei_tests::installation::Installation;
use dokuei_tests::mail::MailServer;
use dokuei_tests::postgres::Database;
use dokuei_tests::story;

/// A group that outgrows one machine changes nothing for its sites and readers: the same story, to its end.
#[tokio::test]
async fn the_whole_story_is_the_same_when_web_gateway_and_worker_are_apart() -> Result<()> {
    let mail = MailServer::start().await?;
    let house = Installation::apart(Database::create()?, &story::mail_settings(mail.address)).await?;
    let stranger = Call::new("STRANGER", "DOKUEI", house.dicom()?).echo().await?;
    assert!(!stranger.status.success(), "a stranger is refused by whichever gateway he meets");
    story::walk(&house, &mail).await
}
