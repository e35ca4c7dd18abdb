//! Images that contradict what is known are answered, and the power goes before their rows are written: after the
//! restart the contradiction is there, nothing of either version is lost, and the case waits for a person.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use dokuei_tests::dcmtk::Call;
use dokuei_tests::dokuei::Dokuei;
use dokuei_tests::installation::LONG;
use dokuei_tests::process::{eventually, run_checked, script};
use dokuei_tests::studies::{make_study, stored};
use serde_json::{Value, json};
use tokio::process::Command;

async fn altered(from: &Path, to: &Path, attributes: Value) -> Result<()> {
    run_checked(script("alter.py")?.arg(from).arg(to).arg(attributes.to_string())).await?;
    Ok(())
}

struct Rows<'a>(&'a Path);

impl Rows<'_> {
    async fn ask(&self, statement: &str) -> Result<String> {
        let mut command = Command::new("sqlite3");
        command.args(["-cmd", ".timeout 10000"]).arg(self.0).arg(statement);
        Ok(run_checked(&mut command).await?.trim().to_owned())
    }
}

#[tokio::test]
async fn a_contradiction_answered_before_its_row_was_written_is_there_after_a_kill() -> Result<()> {
    let (data, images, came) = (tempfile::tempdir()?, tempfile::tempdir()?, tempfile::tempdir()?);
    let database = data.path().join("dokuei.sqlite3");
    let rows = Rows(&database);
    let dokuei = Dokuei::run(data.path(), &[]).await?;
    rows.ask("UPDATE sites SET comparison_after_days = 100000").await?;
    let attributes = json!({
        "PatientID": "0004711",
        "PatientName": "TESUTO^TARO=試験^太郎=テスト^タロウ",
        "PatientBirthDate": "19610203",
        "PatientSex": "M",
        "AccessionNumber": "E2EKILLED",
        "StudyDescription": "CHEST",
    });
    let study = make_study("CT_small.dcm", images.path(), 3, attributes).await?;
    let file = |number: usize| images.path().join(format!("{number:05}.dcm"));
    // The third comes with what is killed: only the journal knows it when it comes again.
    let third = came.path().join("third.dcm");
    std::fs::rename(file(3), &third)?;
    let call = Call::new("HOSPITAL_A", "DOKUEI", dokuei.dicom()?);
    ensure!(call.store(&[images.path()]).await?.status.success(), "{}", dokuei.log());
    let case = format!(
        "SELECT c.id, c.state, c.hold_reason, c.flags FROM cases c JOIN case_studies cs ON cs.case_id = c.id \
         JOIN studies s ON s.id = cs.study_id WHERE s.study_uid = '{}'",
        study.study
    );
    eventually("the study has its case", LONG, async || {
        let row = rows.ask(&case).await?;
        Ok(row.contains("|ready|").then_some(()))
    })
    .await?;

    let (pixels, patient) = (came.path().join("pixels.dcm"), came.path().join("patient.dcm"));
    let third_again = came.path().join("third-again.dcm");
    altered(&file(1), &pixels, json!({ "pixels": 1 })).await?;
    altered(&file(2), &patient, json!({ "PatientID": "0009999", "PatientName": "TESUTO^HANAKO" })).await?;
    altered(&third, &third_again, json!({ "pixels": 2 })).await?;
    let address = dokuei.dicom()?;
    let process = dokuei.id().context("it runs")?.to_string();
    let mut sending = script("send_and_kill.py")?;
    sending.arg(address.ip().to_string()).arg(address.port().to_string()).args(["HOSPITAL_A", "DOKUEI"]);
    sending.arg(&database).arg(process).arg(file(1)).args([&pixels, &patient, &third, &third_again]);
    let statuses: Vec<Option<String>> = serde_json::from_str(&run_checked(&mut sending).await?)?;
    assert_eq!(statuses, vec![Some("0000".to_owned()); 4], "each was answered as safe: {}", dokuei.log());
    assert_eq!(rows.ask("SELECT count(*) FROM instance_versions").await?, "0", "killed before any row was written");
    drop(dokuei);

    let dokuei = Dokuei::run(data.path(), &[]).await?;
    let objects = data.path().join("objects");
    let held = stored(&database.to_string_lossy(), &objects, &study.study).await?;
    let uids: BTreeSet<&str> = held.iter().map(|row| row.uid.as_str()).collect();
    assert_eq!(uids, study.instances.iter().map(String::as_str).collect(), "the third too");
    assert!(held.iter().all(|row| row.intact), "what was there is shown on: {held:?}");
    let waiting = "SELECT i.number, v.difference, v.identity_changes FROM instance_versions v \
                   JOIN instances i ON i.id = v.instance_id WHERE v.standing = 'waiting' ORDER BY i.number";
    assert_eq!(rows.ask(waiting).await?, "1|pixels|[]\n2|header|[\"patient\"]\n3|pixels|[]");
    let row = rows.ask(&case).await?;
    assert!(row.contains("|on_hold|identity_changed|"), "a person must look first: {row}");
    assert!(row.contains("image_conflict"), "{row}");

    // Both versions of each are there byte for byte: what waits is what came, what is shown is what was there.
    let kept = rows.ask("SELECT object_key, sha256 FROM instance_versions ORDER BY id").await?;
    assert_eq!(kept.lines().count(), 6, "{kept}");
    eventually("the journal has been moved into the folder", LONG, async || {
        let there = |line: &str| line.split('|').next().is_some_and(|key| objects.join(key).is_file());
        Ok(kept.lines().all(there).then_some(()))
    })
    .await?;
    for line in kept.lines() {
        let (key, sha256) = line.split_once('|').context("two columns")?;
        let told = run_checked(Command::new("sha256sum").arg(objects.join(key))).await?;
        assert!(told.starts_with(sha256), "{key} is not what its row says");
    }

    // Sent again by a hospital that heard nothing, it changes nothing.
    let address = dokuei.dicom()?;
    let mut again = script("send_as_is.py")?;
    again.arg(address.ip().to_string()).arg(address.port().to_string()).args(["HOSPITAL_A", "DOKUEI"]);
    again.args([&pixels, &patient, &third, &third_again]);
    let statuses: Vec<Option<String>> = serde_json::from_str(&run_checked(&mut again).await?)?;
    assert_eq!(statuses, vec![Some("0000".to_owned()); 4], "{}", dokuei.log());
    assert_eq!(rows.ask("SELECT count(*) FROM instance_versions").await?, "6");
    ensure!(dokuei.stop().await?.success());
    Ok(())
}
