//! A PACS asks whether its images are safe, and everything stops before it is told: the answer comes after the restart.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use dokuei_tests::dcmtk::Call;
use dokuei_tests::dokuei::Dokuei;
use dokuei_tests::process::{Running, eventually, free_address, run_checked, script};
use dokuei_tests::studies::make_study;
use serde_json::{Value, json};
use tokio::process::Command;

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";

async fn sql(database: &Path, statement: &str) -> Result<String> {
    let mut command = Command::new("sqlite3");
    command.args(["-cmd", ".timeout 10000"]).arg(database).arg(statement);
    Ok(run_checked(&mut command).await?.trim().to_owned())
}

#[tokio::test]
async fn a_question_that_was_answered_yes_we_heard_you_is_answered_after_a_restart() -> Result<()> {
    let (data, images, logs) = (tempfile::tempdir()?, tempfile::tempdir()?, tempfile::tempdir()?);
    let database = data.path().join("dokuei.sqlite3");
    let listens = free_address()?;
    let dokuei = Dokuei::run(data.path(), &[]).await?;
    let set = format!("host = '127.0.0.1', port = {}", listens.port());
    sql(&database, &format!("UPDATE site_endpoints SET {set} WHERE ae_title = 'HOSPITAL_A'")).await?;
    let study = make_study("CT_small.dcm", images.path(), 2, json!({ "PatientID": "0004711" })).await?;
    let call = Call::new("HOSPITAL_A", "DOKUEI", dokuei.dicom()?);
    ensure!(call.store(&[images.path()]).await?.status.success(), "{}", dokuei.log());

    // Nobody listens there yet: it is asked, and cannot be told.
    let (address, transaction) = (dokuei.dicom()?, "1.2.826.0.1.3680043.2.1.77");
    let mut asking = script("commitment.py")?;
    asking.args(["ask", "127.0.0.1", &address.port().to_string(), "HOSPITAL_A", "DOKUEI", transaction]);
    asking.args(study.instances.iter().map(|uid| format!("{CT}@{uid}"))).arg(format!("{CT}@1.2.3.4"));
    assert_eq!(run_checked(&mut asking).await?.trim(), "0000");
    dokuei.kill().await?;
    assert_eq!(sql(&database, "SELECT state FROM commitments").await?, "asked");

    let mut hearing = script("commitment.py")?;
    hearing.args(["hear", &listens.port().to_string(), "HOSPITAL_A"]);
    let mut hearing = Running::start("hearing", hearing, logs.path())?;
    hearing.wait_for_port(listens).await?;
    let dokuei = Dokuei::run(data.path(), &[]).await?;
    let told = hearing
        .wait_until("a report", Duration::from_secs(100), async |hearing| {
            hearing.stdout().lines().find(|line| line.starts_with('[')).map(str::to_owned)
        })
        .await
        .with_context(|| dokuei.log())?;
    let told: Value = serde_json::from_str(&told)?;
    assert_eq!((&told[0], &told[1]), (&json!(2), &json!(transaction)), "one of three is not here");
    assert_eq!((told[2].as_array().map(Vec::len), &told[3]), (Some(2), &json!(["1.2.3.4"])));
    eventually("the answer is noted as heard", Duration::from_secs(30), async || {
        Ok((sql(&database, "SELECT state, committed, failed FROM commitments").await? == "reported|2|1").then_some(()))
    })
    .await?;
    ensure!(dokuei.stop().await?.success());
    Ok(())
}
