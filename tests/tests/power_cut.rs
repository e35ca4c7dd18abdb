//! What "success" promises when the power goes: every write that was not synced is dropped, and the server is started on
//! what is left.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use dokuei_tests::dcmtk::{Call, acknowledged};
use dokuei_tests::dokuei::Dokuei;
use dokuei_tests::power_cut::Shadow;
use dokuei_tests::studies::{Study, make_study, stored};
use serde_json::json;

const SENT: usize = 60;
/// Bytes of pixels that make an object too long for memory.
const LONG: usize = 6 << 20;

async fn study(folder: &Path, accession: &str, count: usize, frames: usize) -> Result<Study> {
    let mut attributes = json!({
        "PatientID": "0004711",
        "PatientName": "TESUTO^TARO=試験^太郎=テスト^タロウ",
        "PatientBirthDate": "19610203",
        "PatientSex": "M",
        "AccessionNumber": accession,
        "StudyDescription": "CHEST",
    });
    if frames > 1 {
        attributes["NumberOfFrames"] = json!(frames);
    }
    make_study("CT_small.dcm", folder, count, attributes).await
}

/// Which of the acknowledged instances are not there byte for byte after the power cut.
///
/// `kill_after`: acknowledged instances; `rest`: how long it may move things about before the cut; `forget`: the syncs
/// that are left out.
async fn lost(kill_after: usize, rest: Duration, forget: &str) -> Result<(usize, BTreeSet<String>)> {
    let (data, images, logs) = (tempfile::tempdir()?, tempfile::tempdir()?, tempfile::tempdir()?);
    // The first start makes the organisation: what it writes is not what is asked here.
    ensure!(Dokuei::run(data.path(), &[]).await?.stop().await?.success());
    let shadow = Shadow::of(data.path()).await?;
    let dokuei = Dokuei::run(data.path(), &shadow.settings(forget)).await?;
    let call = Call::new("HOSPITAL_A", "DOKUEI", dokuei.dicom()?);

    let sent = study(images.path(), "E2EPOWER", SENT, 1).await?;
    let mut storing = call.start_storing(&[images.path()], logs.path())?;
    let said = |storing: &dokuei_tests::process::Running| format!("{}{}", storing.stdout(), storing.stderr());
    storing
        .wait_until("some instances sent", Duration::from_secs(60), async |storing| {
            (acknowledged(&said(storing), &sent).len() >= kill_after).then_some(())
        })
        .await?;
    tokio::time::sleep(rest).await;
    dokuei.kill().await?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let safe = acknowledged(&said(&storing), &sent);
    shadow.ensure_saw(3)?;

    let after = tempfile::tempdir()?;
    shadow.restore(after.path())?;
    let dokuei = Dokuei::run(after.path(), &[]).await?;
    let database = after.path().join("dokuei.sqlite3");
    let rows = stored(&database.to_string_lossy(), &after.path().join("objects"), &sent.study).await?;
    ensure!(!forget.is_empty() || rows.iter().all(|row| row.intact), "a row has no object: {rows:?}");
    let there: BTreeSet<String> = rows.into_iter().filter(|row| row.intact).map(|row| row.uid).collect();
    // And it goes on: what was lost is sent again.
    let call = Call::new("HOSPITAL_A", "DOKUEI", dokuei.dicom()?);
    ensure!(call.store(&[images.path()]).await?.status.success(), "{}", dokuei.log());
    ensure!(dokuei.stop().await?.success());
    Ok((safe.len(), safe.difference(&there).cloned().collect()))
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_every_unsynced_write_is() -> Result<()> {
    let long = std::env::var_os("DOKUEI_TEST_LONG").is_some();
    let rounds: &[(usize, u64)] = if long {
        &[(1, 0), (10, 0), (25, 300), (40, 0), (55, 0), (60, 0), (60, 3000)]
    } else {
        &[(25, 0), (60, 3000)]
    };
    for &(kill_after, rest) in rounds {
        let (safe, lost) = lost(kill_after, Duration::from_millis(rest), "").await?;
        assert!(safe >= kill_after && lost.is_empty(), "killed after {kill_after}: acknowledged and gone: {lost:?}");
    }
    Ok(())
}

/// The test above could not fail if its power cut dropped nothing.
#[tokio::test]
async fn without_the_journals_sync_what_was_acknowledged_would_be_lost() -> Result<()> {
    let (safe, lost) = lost(25, Duration::ZERO, "/journal/segment-").await?;
    ensure!(!lost.is_empty(), "all {safe} survived without a sync: the power cut of this test drops nothing");
    Ok(())
}

/// A long object goes another way: a file, its sync, its name's sync, the row.
async fn long_object_survives(forget: &str) -> Result<bool> {
    let (data, images) = (tempfile::tempdir()?, tempfile::tempdir()?);
    ensure!(Dokuei::run(data.path(), &[]).await?.stop().await?.success());
    let shadow = Shadow::of(data.path()).await?;
    let dokuei = Dokuei::run(data.path(), &shadow.settings(forget)).await?;
    // CT_small has 128 x 128 pixels of 2 bytes.
    let sent = study(images.path(), "E2ELONG", 1, LONG / (128 * 128 * 2)).await?;
    let call = Call::new("HOSPITAL_A", "DOKUEI", dokuei.dicom()?);
    ensure!(call.store(&[images.path()]).await?.status.success(), "{}", dokuei.log());
    dokuei.kill().await?;
    let after = tempfile::tempdir()?;
    shadow.restore(after.path())?;
    let dokuei = Dokuei::run(after.path(), &[]).await?;
    let database = after.path().join("dokuei.sqlite3");
    let rows = stored(&database.to_string_lossy(), &after.path().join("objects"), &sent.study).await?;
    ensure!(dokuei.stop().await?.success());
    Ok(rows.len() == 1 && rows[0].intact)
}

#[tokio::test]
async fn a_long_object_survives_a_power_cut_and_would_not_without_either_sync() -> Result<()> {
    assert!(long_object_survives("").await?);
    assert!(!long_object_survives("/spool/").await?, "its content is synced under its temporary name");
    assert!(!long_object_survives("/instances").await?, "and the folder that names it");
    Ok(())
}
