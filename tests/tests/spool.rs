//! A bucket that is slow, down or far: what a node's spool holds is safe, shown everywhere, and copied in the end.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use dokuei_tests::bucket::Bucket;
use dokuei_tests::dcmtk::{Call, acknowledged};
use dokuei_tests::dokuei::{Dokuei, command};
use dokuei_tests::installation::{Installation, LONG};
use dokuei_tests::postgres::Database;
use dokuei_tests::process::{eventually, run_checked};
use dokuei_tests::studies::{Study, make_study};
use serde_json::json;

const SENT: usize = 60;

async fn chest_ct(folder: &Path, instances: usize, patient: &str) -> Result<Study> {
    let attributes = json!({
        "PatientID": patient,
        "PatientName": "TESUTO^TARO=試験^太郎=テスト^タロウ",
        "PatientBirthDate": "19610203",
        "PatientSex": "M",
        "AccessionNumber": format!("SP{patient}"),
    });
    make_study("CT_small.dcm", folder, instances, attributes).await
}

/// `{role}` becomes each process's own.
fn spool(folder: &Path, mib: u32) -> Vec<(&'static str, String)> {
    vec![
        ("DOKUEI_OBJECTS_SPOOL", format!("{}/{{role}}", folder.display())),
        ("DOKUEI_OBJECTS_SPOOL_MIB", mib.to_string()),
        ("DOKUEI_OBJECTS_NODE_TOKEN", "0123456789abcdef0123456789abcdef".to_owned()),
    ]
}

/// Objects in a spool.
fn waiting(folder: &Path) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        count += match path.is_dir() {
            true => waiting(&path),
            // Beside them lie the lock and the node's name.
            false => usize::from(path.file_name().is_some_and(|name| name.len() == 64)),
        };
    }
    count
}

/// How many of a study's instances come back whole; each is held against its hash before its last byte is given.
async fn readable(http: std::net::SocketAddr, token: &str, study: &Study) -> Result<usize> {
    let root = format!("http://{http}/dicomweb/sites/hospital_a/studies/{}", study.study);
    let client = reqwest::Client::new();
    let ask = |url: String, accept: &'static str| client.get(url).bearer_auth(token).header("accept", accept).send();
    let listed = ask(format!("{root}/instances"), "application/dicom+json").await?;
    if listed.status().as_u16() == 204 {
        return Ok(0);
    }
    let listed: serde_json::Value = listed.error_for_status()?.json().await?;
    let mut whole = 0;
    for row in listed.as_array().context("a list")? {
        let value = |tag: &str| row[tag]["Value"][0].as_str().map(str::to_owned).context("a UID");
        let (series, instance) = (value("0020000E")?, value("00080018")?);
        let url = format!("{root}/series/{series}/instances/{instance}");
        let got = ask(url, "application/dicom; transfer-syntax=*").await?.error_for_status()?;
        whole += usize::from(got.bytes().await.is_ok_and(|bytes| bytes.len() > 30_000));
    }
    Ok(whole)
}

/// The link to the cloud is cut for an evening: images are taken and read as ever, whichever process is asked.
#[tokio::test]
async fn while_the_bucket_is_down_images_are_taken_and_read_from_the_node_that_has_them() -> Result<()> {
    let (mut bucket, spools, images) = (Bucket::down()?, tempfile::tempdir()?, tempfile::tempdir()?);
    let mut settings = [bucket.settings(), spool(spools.path(), 100)].concat();
    settings.push(("DOKUEI_OBJECTS_SPOOL_NOT_FOR", "hospital_b".to_owned()));
    let house = Installation::apart(Database::create()?, &settings).await?;
    let token = house.token("tech_a").await?;
    let study = chest_ct(images.path(), 12, "0004711").await?;
    let call = Call::new("HOSPITAL_A", "DOKUEI", house.dicom()?);
    let sent = call.store(&[images.path()]).await?;
    ensure!(sent.status.success(), "{}{}", String::from_utf8_lossy(&sent.stderr), house.log());

    assert_eq!(waiting(&spools.path().join("gateway")), 12);
    assert_eq!(house.sql("SELECT count(*) FROM spooled_objects").await?, "12", "each row says where the bytes are");
    assert_eq!(
        readable(house.http()?, &token, &study).await?,
        12,
        "web has no such file and no bucket: {}",
        house.log()
    );
    let ready = reqwest::get(format!("http://{}/readyz", house.gateway().http()?)).await?;
    assert!(ready.status().is_success(), "the gateway can still take images");
    let gateway = house.gateway().http()?;
    let key = house.sql("SELECT object_key FROM spooled_objects LIMIT 1").await?;
    let stranger = reqwest::get(format!("http://{gateway}/internal/objects/{key}")).await?;
    assert_eq!(stranger.status().as_u16(), 404, "but not to whoever asks");
    eventually("an administrator sees it", LONG, async || {
        let page = house.browser("admin").await?.page("/admin/peers").await?;
        Ok((page.contains("id=\"spools\"") && page.contains("12")).then_some(()))
    })
    .await?;

    let cautious = Call::new("HOSPITAL_B", "DOKUEI", house.dicom()?).store(&[&images.path().join("00001.dcm")]).await?;
    ensure!(!cautious.status.success(), "a site that wants the bucket first hears that it is away");

    bucket.up().await?;
    eventually("the spool is empty", LONG, async || {
        Ok((house.sql("SELECT count(*) FROM spooled_objects").await? == "0").then_some(()))
    })
    .await?;
    eventually("and so is its folder", LONG, async || Ok((waiting(&spools.path().join("gateway")) == 0).then_some(())))
        .await?;
    let keys = bucket.keys().await?;
    assert_eq!(keys.iter().filter(|key| key.starts_with("instances/")).count(), 12, "{keys:?}");
    assert_eq!(readable(house.http()?, &token, &study).await?, 12, "from the bucket now");
    Ok(())
}

/// Killed at any moment between the sender and the bucket: what was acknowledged is there, and nothing is left lying.
#[tokio::test]
async fn killed_while_it_receives_and_copies_it_loses_nothing_and_leaves_nothing() -> Result<()> {
    let rounds: &[usize] =
        if std::env::var_os("DOKUEI_TEST_LONG").is_some() { &[1, 7, 15, 25, 33, 41, 50, 58] } else { &[5, 40] };
    let (bucket, data, spools) = (Bucket::start().await?, tempfile::tempdir()?, tempfile::tempdir()?);
    let own = |(name, value): (&'static str, String)| (name, value.replace("{role}", "one"));
    let settings: Vec<_> = [bucket.settings(), spool(spools.path(), 100)].concat().into_iter().map(own).collect();
    let mut sent = Vec::new();
    for &kill_after in rounds {
        let (images, logs) = (tempfile::tempdir()?, tempfile::tempdir()?);
        let study = chest_ct(images.path(), SENT, &format!("{kill_after:07}")).await?;
        let dokuei = Dokuei::run(data.path(), &settings).await?;
        let call = Call::new("HOSPITAL_A", "DOKUEI", dokuei.dicom()?);
        let mut storing = call.start_storing(&[images.path()], logs.path())?;
        storing
            .wait_until("some instances sent", LONG, async |storing| {
                let log = format!("{}{}", storing.stdout(), storing.stderr());
                (acknowledged(&log, &study).len() >= kill_after).then_some(())
            })
            .await?;
        dokuei.kill().await?;
        tokio::time::sleep(Duration::from_millis(300)).await;
        let safe = acknowledged(&format!("{}{}", storing.stdout(), storing.stderr()), &study).len();
        sent.push((study, safe));
    }
    // What a process left that died while a long object came.
    std::fs::write(spools.path().join("one/spool/half"), b"half an object")?;
    let dokuei = Dokuei::run(data.path(), &settings).await?;
    eventually("the spool is empty", LONG, async || Ok((waiting(&spools.path().join("one")) == 0).then_some(())))
        .await?;
    assert_eq!(std::fs::read_dir(spools.path().join("one/spool"))?.count(), 0, "nothing half is left");
    let folder = data.path().to_str().context("a plain name")?;
    let told =
        run_checked(&mut command(&["user", "token", "tech_a", "--name", "t", "--data", folder], &settings)?).await?;
    let token = told.split_whitespace().max_by_key(|word| word.len()).context("a token")?;
    for (study, safe) in &sent {
        let there = readable(dokuei.http()?, token, study).await?;
        ensure!(there >= *safe, "{safe} were acknowledged, {there} are there");
    }
    let mut rows = tokio::process::Command::new("sqlite3");
    rows.arg(data.path().join("dokuei.sqlite3")).arg("SELECT count(*) FROM spooled_objects");
    assert_eq!(run_checked(&mut rows).await?.trim(), "0", "and no row says that anything waits");
    Ok(())
}

/// Hours without the bucket: the limit is kept, the sender hears why and sends again.
#[tokio::test]
async fn a_full_spool_refuses_with_the_reason_and_takes_again_when_the_bucket_does() -> Result<()> {
    let (mut bucket, data, spools) = (Bucket::down()?, tempfile::tempdir()?, tempfile::tempdir()?);
    let own = |(name, value): (&'static str, String)| (name, value.replace("{role}", "one"));
    let settings: Vec<_> = [bucket.settings(), spool(spools.path(), 1)].concat().into_iter().map(own).collect();
    let images = tempfile::tempdir()?;
    let study = chest_ct(images.path(), 40, "0000040").await?;
    let dokuei = Dokuei::run(data.path(), &settings).await?;
    let call = Call::new("HOSPITAL_A", "DOKUEI", dokuei.dicom()?);
    let first = call.store_all(&[images.path()]).await?;
    let log = format!("{}{}", String::from_utf8_lossy(&first.stdout), String::from_utf8_lossy(&first.stderr));
    let taken = acknowledged(&log, &study).len();
    ensure!((10..40).contains(&taken), "{taken} of 40 fit into 1 MiB: {log}");
    assert!(log.contains("OutOfResources"), "the others are to be sent again: {log}");
    bucket.up().await?;
    eventually("all of it is taken", LONG, async || {
        let again = call.store_all(&[images.path()]).await?;
        let log = format!("{}{}", String::from_utf8_lossy(&again.stdout), String::from_utf8_lossy(&again.stderr));
        Ok((acknowledged(&log, &study).len() == 40).then_some(()))
    })
    .await?;
    Ok(())
}
