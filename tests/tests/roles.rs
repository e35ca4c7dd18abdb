//! The roles apart, over PostgreSQL, Redis and an S3 bucket they share.

use anyhow::{Result, ensure};
use dokuei_tests::bucket::Bucket;
use dokuei_tests::dcmtk::Call;
use dokuei_tests::installation::Installation;
use dokuei_tests::mail::MailServer;
use dokuei_tests::postgres::Database;
use dokuei_tests::story;

/// A group that outgrows one machine changes nothing for its sites and readers: the same story, to its end.
#[tokio::test]
async fn the_whole_story_is_the_same_when_web_gateway_and_worker_are_apart() -> Result<()> {
    let mail = MailServer::start().await?;
    let bucket = Bucket::start().await?;
    let settings = [story::mail_settings(mail.address), bucket.settings()].concat();
    let house = Installation::apart(Database::create()?, &settings).await?;
    let stranger = Call::new("STRANGER", "DOKUEI", house.dicom()?).echo().await?;
    assert!(!stranger.status.success(), "a stranger is refused by whichever gateway he meets");
    story::walk(&house, &mail).await?;
    let keys = bucket.keys().await?;
    for folder in ["instances/", "reports/"] {
        ensure!(keys.iter().any(|key| key.starts_with(folder)), "nothing of {folder} is in the bucket: {keys:?}");
    }
    ensure!(!house.objects().exists(), "and nothing is kept beside it");
    Ok(())
}
