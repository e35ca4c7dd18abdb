//! A hospital's PACS sends, asks whether it is safe, deletes, finds and fetches again: Orthanc on the built binary.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use dokuei_tests::dokuei::Dokuei;
use dokuei_tests::orthanc::Orthanc;
use dokuei_tests::process::eventually;
use dokuei_tests::studies::make_study;
use serde_json::json;
use tokio::process::Command;

/// Registers HOSPITAL_A as a node that listens there and may query.
async fn register(data: &Path, address: SocketAddr) -> Result<()> {
    let change = format!(
        "UPDATE site_endpoints SET queries = 1, receives = 1, host = '127.0.0.1', port = {} WHERE ae_title = 'HOSPITAL_A'",
        address.port()
    );
    let ran = Command::new("sqlite3")
        .args(["-cmd", ".timeout 10000"])
        .arg(data.join("dokuei.sqlite3"))
        .arg(change)
        .output()
        .await?;
    ensure!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    Ok(())
}

#[tokio::test]
async fn orthanc_hears_that_its_study_is_safe_and_fetches_it_again() -> Result<()> {
    let (data, images) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let attributes = json!({
        "PatientID": "0004711",
        "PatientName": "MATSUMOTO^ICHIRO=松本^一郎=まつもと^いちろう",
        "PatientBirthDate": "19610203",
        "PatientSex": "M",
        "AccessionNumber": "E2E0007",
        "InstitutionName": "日本病院",
    });
    let study = make_study("CT_small.dcm", images.path(), 5, attributes).await?;
    let dokuei = Dokuei::run(data.path(), &[]).await?;
    let orthanc = Orthanc::start("HOSPITAL_A").await?;
    orthanc.know("dokuei", "DOKUEI", dokuei.dicom()?).await?;
    register(data.path(), orthanc.dicom).await?;

    for number in 1..=5 {
        orthanc.put(std::fs::read(images.path().join(format!("{number:05}.dcm")))?).await?;
    }
    let held = orthanc.find("Study", json!({ "StudyInstanceUID": study.study })).await?;
    orthanc.send("dokuei", &held).await?;

    // The answer comes from the worker, over an association of its own.
    let transaction = orthanc.commit("dokuei", &held).await?;
    let told = eventually("a commitment", Duration::from_secs(60), async || {
        let told = orthanc.commitment(&transaction).await?;
        Ok((told["Status"] != "Pending").then_some(told))
    })
    .await?;
    assert_eq!(told["Status"], "Success", "{told}");
    assert_eq!(told["Success"].as_array().context("a list")?.len(), 5, "{told}");

    orthanc.delete(&format!("studies/{}", held[0])).await?;
    let keys = json!({ "PatientName": "matsumoto*", "AccessionNumber": "", "StudyInstanceUID": "" });
    let (query, found) = orthanc.query("dokuei", "Study", keys).await?;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["StudyInstanceUID"], study.study.as_str());
    assert_eq!(found[0]["AccessionNumber"], "E2E0007");
    assert!(found[0]["PatientName"].as_str().is_some_and(|name| name.contains("松本^一郎")), "{found:?}");
    orthanc.retrieve(&query, "HOSPITAL_A").await?;
    let back = orthanc.find("Instance", json!({ "StudyInstanceUID": study.study })).await?;
    assert_eq!(back.len(), 5);
    assert!(orthanc.retrieve(&query, "HOSPITAL_B").await.is_err(), "another site's node is no destination");
    assert!(dokuei.stop().await?.success());
    Ok(())
}
