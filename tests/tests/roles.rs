//! The roles apart, over PostgreSQL, Redis and an S3 bucket they share.

use anyhow::{Result, ensure};
use dokuei_tests::bucket::Bucket;
use dokuei_tests::dcmtk::Call;
use dokuei_tests::installation::{Installation, LONG};
use dokuei_tests::mail::MailServer;
use dokuei_tests::postgres::Database;
use dokuei_tests::process::eventually;
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

/// The bucket is away for the whole of a working day: what the gateway holds is matched, drawn, read, signed, returned and
/// billed by processes that have to ask it for each byte, and is read from the bucket once that is back.
#[tokio::test]
async fn the_whole_story_is_the_same_while_the_bucket_is_away_and_each_role_has_a_spool() -> Result<()> {
    let mail = MailServer::start().await?;
    let (mut bucket, spools) = (Bucket::down()?, tempfile::tempdir()?);
    let spool = vec![
        ("DOKUEI_OBJECTS_SPOOL", format!("{}/{{role}}", spools.path().display())),
        ("DOKUEI_OBJECTS_NODE_TOKEN", "0123456789abcdef0123456789abcdef".to_owned()),
    ];
    let settings = [story::mail_settings(mail.address), bucket.settings(), spool].concat();
    let house = Installation::apart(Database::create()?, &settings).await?;
    story::walk(&house, &mail).await?;
    let waiting = async |folder: &str| {
        house.sql(&format!("SELECT count(*) FROM spooled_objects WHERE object_key LIKE '{folder}/%'")).await
    };
    for folder in ["instances", "reports"] {
        ensure!(waiting(folder).await? != "0", "nothing of {folder} waits for the bucket");
    }

    bucket.up().await?;
    eventually("the spools are empty", LONG, async || {
        Ok((house.sql("SELECT count(*) FROM spooled_objects").await? == "0").then_some(()))
    })
    .await?;
    let keys = bucket.keys().await?;
    for folder in ["instances/", "reports/"] {
        ensure!(keys.iter().any(|key| key.starts_with(folder)), "nothing of {folder} is in the bucket: {keys:?}");
    }
    // Images and reports come from the bucket now, over the same pages.
    let held = house.sql("SELECT object_key FROM instances UNION SELECT object_key FROM artefacts").await?;
    for key in held.lines() {
        ensure!(keys.iter().any(|there| there == key), "{key} is nowhere");
    }
    let portal = house.program("tech_a").await?;
    let mut zips = 0;
    for case in house.sql("SELECT id FROM cases WHERE state IN ('returned', 'acknowledged')").await?.lines() {
        let medium = portal.request(reqwest::Method::GET, &format!("/portal/cases/{case}/medium.zip")).send().await?;
        if medium.status().is_success() {
            ensure!(medium.bytes().await?.ends_with(&[0, 0]), "the medium of case {case} broke off");
            zips += 1;
        }
    }
    ensure!(zips > 0, "no medium was made of what the bucket holds");
    Ok(())
}
