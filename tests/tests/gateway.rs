//! Images arrive over the network: who may send, what "success" promises, what a crash may take.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use dokuei_tests::dcmtk::{Call, acknowledged};
use dokuei_tests::dokuei::Dokuei;
use dokuei_tests::orthanc::Orthanc;
use dokuei_tests::studies::{StoredInstance, Study, make_study, sample, stored};
use serde_json::json;

const SENT: usize = 200;

/// A chest CT of an invented patient, ready to be sent.
async fn chest_ct(folder: &Path, instances: usize) -> Result<Study> {
    let attributes = json!({
        "PatientID": "0004711",
        "PatientName": "TESUTO^TARO=試験^太郎=テスト^タロウ",
        "PatientBirthDate": "19610203",
        "PatientSex": "M",
        "AccessionNumber": "E2E0001",
        "StudyDescription": "CHEST",
    });
    make_study("CT_small.dcm", folder, instances, attributes).await
}

async fn held(data: &Path, study: &Study) -> Result<Vec<StoredInstance>> {
    let database = data.join("dokuei.sqlite3");
    stored(&database.to_string_lossy(), &data.join("objects"), &study.study).await
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_it_is_killed_in_the_middle_of_a_study() -> Result<()> {
    // Why it matters: a technologist deletes from the modality what the archive said it had.
    let rounds: &[usize] =
        if std::env::var_os("DOKUEI_TEST_LONG").is_some() { &[1, 20, 60, 100, 140, 180, 198] } else { &[60] };
    for &kill_after in rounds {
        let (data, images, logs) = (tempfile::tempdir()?, tempfile::tempdir()?, tempfile::tempdir()?);
        let study = chest_ct(images.path(), SENT).await?;
        let dokuei = Dokuei::run(data.path(), &[]).await?;
        let call = Call::new("HOSPITAL_A", "DOKUEI", dokuei.dicom()?);

        let mut storing = call.start_storing(&[images.path()], logs.path())?;
        storing
            .wait_until("some instances sent", Duration::from_secs(60), async |storing| {
                let log = format!("{}{}", storing.stdout(), storing.stderr());
                (acknowledged(&log, &study).len() >= kill_after).then_some(())
            })
            .await?;
        dokuei.kill().await?;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let safe = acknowledged(&format!("{}{}", storing.stdout(), storing.stderr()), &study);
        ensure!(safe.len() < SENT, "it was killed too late to say anything");

        let dokuei = Dokuei::run(data.path(), &[]).await?;
        let survived: BTreeSet<String> = held(data.path(), &study).await?.into_iter().map(|row| row.uid).collect();
        let lost: Vec<&String> = safe.difference(&survived).collect();
        assert!(lost.is_empty(), "killed after {kill_after}: acknowledged and gone: {lost:?}");

        let call = Call::new("HOSPITAL_A", "DOKUEI", dokuei.dicom()?);
        let files: Vec<_> = (1..=SENT).map(|number| images.path().join(format!("{number:05}.dcm"))).collect();
        let again = call.store(&files.iter().map(std::path::PathBuf::as_path).collect::<Vec<_>>()).await?;
        assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));

        let mut rows = held(data.path(), &study).await?;
        rows.sort();
        let mut expected: Vec<StoredInstance> =
            study.instances.iter().map(|uid| StoredInstance { uid: uid.clone(), intact: true }).collect();
        expected.sort();
        assert_eq!(rows, expected, "killed after {kill_after}");
        assert!(dokuei.stop().await?.success());
    }
    Ok(())
}

#[tokio::test]
async fn a_stranger_is_refused_and_leaves_nothing() -> Result<()> {
    let (data, images) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let study = chest_ct(images.path(), 1).await?;
    let dokuei = Dokuei::run(data.path(), &[]).await?;
    let address = dokuei.dicom()?;

    assert!(Call::new("HOSPITAL_A", "DOKUEI", address).echo().await?.status.success());
    for (calling, called) in [("STRANGER", "DOKUEI"), ("HOSPITAL_A", "SOMEONE")] {
        let call = Call::new(calling, called, address);
        assert!(!call.echo().await?.status.success(), "{calling} -> {called}");
        assert!(!call.store(&[images.path()]).await?.status.success(), "{calling} -> {called}");
    }
    assert_eq!(held(data.path(), &study).await?, []);
    Ok(())
}

#[tokio::test]
async fn real_files_of_many_kinds_are_kept_as_they_came() -> Result<()> {
    let data = tempfile::tempdir()?;
    let dokuei = Dokuei::run(data.path(), &[]).await?;
    let call = Call::new("HOSPITAL_B", "DOKUEI", dokuei.dicom()?);
    // CT, MR, CR chest in JPEG 2000, US, JPEG 2000 lossless, JPEG lossless, RLE, big endian, Japanese names, a dose report.
    let names = [
        "CT_small.dcm",
        "MR_small.dcm",
        "RG1_J2KI.dcm",
        "US1_UNCI.dcm",
        "emri_small_jpeg_2k_lossless.dcm",
        "JPEG-LL.dcm",
        "MR_small_RLE.dcm",
        "ExplVR_BigEnd.dcm",
        "chrH31.dcm",
        "test-SR.dcm",
    ];
    for name in names {
        let file = sample(name)?;
        let sent = call.send_as_is(&[&file]).await?;
        assert!(sent.status.success(), "{name}: {}", String::from_utf8_lossy(&sent.stderr));
        let study = dokuei_tests::dcmtk::attribute(&file, "StudyInstanceUID").await?;
        let uid = dokuei_tests::dcmtk::attribute(&file, "SOPInstanceUID").await?;
        let rows =
            stored(&data.path().join("dokuei.sqlite3").to_string_lossy(), &data.path().join("objects"), &study).await?;
        assert!(rows.contains(&StoredInstance { uid, intact: true }), "{name}: {rows:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_orthanc_in_a_hospital_sends_a_study_once_however_often_it_tries() -> Result<()> {
    let (data, images) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let study = chest_ct(images.path(), 12).await?;
    let dokuei = Dokuei::run(data.path(), &[]).await?;
    let orthanc = Orthanc::start("CLINIC_C").await?;
    orthanc.know("dokuei", "DOKUEI", dokuei.dicom()?).await?;
    assert!(orthanc.echo("dokuei").await?);
    for number in 1..=12 {
        orthanc.put(std::fs::read(images.path().join(format!("{number:05}.dcm")))?).await?;
    }
    let found = orthanc.find("Study", json!({ "StudyInstanceUID": study.study })).await?;
    for _ in 0..3 {
        orthanc.send("dokuei", &found).await?;
    }
    let rows = held(data.path(), &study).await?;
    assert_eq!(rows.len(), 12);
    assert!(rows.iter().all(|row| row.intact), "{rows:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_no_dicom_is_refused_and_the_next_sender_is_served() -> Result<()> {
    let data = tempfile::tempdir()?;
    let dokuei = Dokuei::run(data.path(), &[]).await?;
    let address = dokuei.dicom()?;
    for noise in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 4096], b"\x01\x00\xff\xff\xff\xff"] {
        use tokio::io::AsyncWriteExt as _;
        let mut stream = tokio::net::TcpStream::connect(address).await?;
        stream.write_all(noise).await?;
        drop(stream);
        assert!(Call::new("HOSPITAL_A", "DOKUEI", address).echo().await?.status.success());
    }
    Ok(())
}
