//! What stands behind the roles goes away and comes back: nothing that was acknowledged is lost, and nobody restarts
//! anything.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use dokuei_tests::dcmtk::{Call, acknowledged, answers};
use dokuei_tests::installation::{Installation, LONG};
use dokuei_tests::postgres::Server;
use dokuei_tests::process::eventually;
use dokuei_tests::story;
use dokuei_tests::studies::{StoredInstance, Study, make_study, stored};
use reqwest::Method;
use serde_json::json;

const SENT: usize = 200;

async fn knee_mr(folder: &Path, instances: usize, patient: &str) -> Result<Study> {
    let attributes = json!({
        "PatientID": patient,
        "PatientName": "TESUTO^HANAKO=試験^花子=テスト^ハナコ",
        "PatientBirthDate": "19710405",
        "PatientSex": "F",
        "AccessionNumber": format!("E2E{patient}"),
        "StudyDate": "20261101",
        "StudyDescription": "KNEE MRI",
        "BodyPartExamined": "KNEE",
    });
    make_study("MR_small.dcm", folder, instances, attributes).await
}

async fn held(house: &Installation, study: &Study) -> Result<BTreeSet<StoredInstance>> {
    Ok(stored(&house.database(), &house.objects(), &study.study).await?.into_iter().collect())
}

/// A hospital sends while the database crashes and while the signals are lost. Its PACS hears of every refusal, so it
/// can send again; what it was told is safe must be.
#[tokio::test]
async fn a_database_that_crashes_under_load_costs_refusals_and_a_lost_redis_costs_seconds() -> Result<()> {
    let server = Server::start()?;
    let mut house = Installation::apart(server.database()?, &[]).await?;
    house.reads_old_studies().await?;
    let (images, logs) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let study = knee_mr(images.path(), SENT, "0000077").await?;
    let call = Call::new("HOSPITAL_A", "DOKUEI", house.dicom()?);

    let mut storing = call.start_storing_all(&[images.path()], logs.path())?;
    let log = |running: &dokuei_tests::process::Running| format!("{}{}", running.stdout(), running.stderr());
    storing
        .wait_until("some instances sent", LONG, async |storing| {
            (acknowledged(&log(storing), &study).len() >= 40).then_some(())
        })
        .await?;
    server.stop()?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let during = acknowledged(&log(&storing), &study);
    ensure!(during.len() < SENT, "the database was stopped too late to matter");
    let down = reqwest::get(format!("http://{}/readyz", house.http()?)).await?;
    assert_eq!(down.status().as_u16(), 503, "a load balancer must see that this one cannot serve");
    let living = reqwest::get(format!("http://{}/healthz", house.http()?)).await?;
    assert!(living.status().is_success(), "but nobody may kill it for that");
    server.start_again()?;
    storing.ended(LONG).await?;
    let safe = acknowledged(&log(&storing), &study);
    println!("{} acknowledged before the stop was noticed, {} in all", during.len(), safe.len());
    assert!(safe.len() < SENT, "some must have been refused");
    let said = log(&storing);
    let heard: Vec<&str> = answers(&said).into_keys().collect();
    assert_eq!(heard, ["Refused: OutOfResources", "Success"], "0xA700 asks for another try, anything else does not");
    let survived: BTreeSet<String> = held(&house, &study).await?.into_iter().map(|row| row.uid).collect();
    let lost: Vec<&String> = safe.difference(&survived).collect();
    assert!(lost.is_empty(), "acknowledged and gone: {lost:?}");

    let again = call.store(&[images.path()]).await?;
    ensure!(again.status.success(), "sent again: {}{}", String::from_utf8_lossy(&again.stderr), house.log());
    let expected = study.instances.iter().map(|uid| StoredInstance { uid: uid.clone(), intact: true }).collect();
    assert_eq!(held(&house, &study).await?, expected, "every instance once, and whole");
    let assigned = house.assigned(&study.study).await?;

    house.kill_redis().await?;
    let reader = house.program(&assigned.login).await?;
    story::sign(&house, &reader, &assigned, "半月板損傷を認めない。").await?;
    let doctor = house.program("doctor_a").await?;
    eventually("the report is returned without Redis", LONG, async || {
        let dossier = doctor.get(&format!("/portal/cases/{}", assigned.case)).await?;
        Ok((dossier["case"]["state"] == "returned").then_some(()))
    })
    .await?;
    let (images, begun) = (tempfile::tempdir()?, Instant::now());
    let second = knee_mr(images.path(), 3, "0000078").await?;
    let sent = call.store(&[images.path()]).await?;
    ensure!(sent.status.success(), "sent without Redis: {}", String::from_utf8_lossy(&sent.stderr));
    let assigned = house.assigned(&second.study).await?;
    println!("without Redis a study was on a list after {:?}", begun.elapsed());
    let answer = house.program(&assigned.login).await?.request(Method::GET, "/worklist").send().await?;
    assert!(answer.text().await?.contains(&format!("\"id\":{}", assigned.read)), "and its reader sees it");
    Ok(())
}
