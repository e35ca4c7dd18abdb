//! DICOMweb with programs that others wrote: dicomweb-client, Orthanc's plugin, and the requests of a viewer.

use anyhow::{Context, Result, ensure};
use dokuei_tests::installation::Installation;
use dokuei_tests::orthanc::Orthanc;
use dokuei_tests::process::{run_checked, script};
use dokuei_tests::studies::{make_study, sample};
use serde_json::{Value, json};

/// Native, compressed in several ways, several frames, kanji in every group, private elements.
const FILES: [&str; 8] = [
    "CT_small.dcm",
    "MR_small.dcm",
    "chrH31.dcm",
    "chrH32.dcm",
    "emri_small_jpeg_2k_lossless.dcm",
    "SC_rgb_rle_2frame.dcm",
    "JPEG-LL.dcm",
    "rtplan.dcm",
];

#[tokio::test]
async fn dicomweb_client_gets_back_what_it_stored() -> Result<()> {
    let house = Installation::together(&[]).await?;
    let token = house.token("tech_a").await?;
    let root = format!("http://{}/dicomweb/sites/hospital_a", house.http()?);
    let mut command = script("dicomweb_peer.py")?;
    command.arg(&root).arg(&token);
    for file in FILES {
        command.arg(sample(file)?);
    }
    let told: Value = serde_json::from_str(&run_checked(&mut command).await?)?;
    assert_eq!(told["stored"], FILES.len(), "{told}");
    let turned =
        told["instances"].as_array().map_or(0, |all| all.iter().filter(|one| one["uncompressed"] == true).count());
    assert_eq!(turned, 3, "each compressed one, whole and by frame: {told}");
    Ok(())
}

#[tokio::test]
async fn orthanc_stores_here_over_http_and_fetches_it_back() -> Result<()> {
    let house = Installation::together(&[]).await?;
    let token = house.token("tech_a").await?;
    let root = format!("http://{}/dicomweb/sites/hospital_a/", house.http()?);
    let orthanc = Orthanc::start_for_web("PACS", &root, &token).await?;
    let images = tempfile::tempdir()?;
    let attributes = json!({ "PatientID": "0004711", "PatientName": "TESUTO^TARO=試験^太郎=テスト^タロウ" });
    let study = make_study("CT_small.dcm", images.path(), 12, attributes).await?;
    let mut ids = Vec::new();
    for number in 1..=12 {
        ids.push(orthanc.put(std::fs::read(images.path().join(format!("{number:05}.dcm")))?).await?);
    }
    orthanc.web("stow", json!({ "Resources": ids, "Synchronous": true })).await?;
    let found = orthanc.web("qido", json!({ "Uri": "/studies", "Arguments": { "PatientID": "0004711" } })).await?;
    ensure!(found.to_string().contains(&study.study), "{found}");

    let before = orthanc.file(&ids[0]).await?;
    let [id] =
        orthanc.find("Study", json!({ "StudyInstanceUID": study.study })).await?.try_into().ok().context("one")?;
    orthanc.delete(&format!("studies/{id}")).await?;
    ensure!(orthanc.find("Instance", json!({ "StudyInstanceUID": study.study })).await?.is_empty());
    orthanc.web("retrieve", json!({ "Resources": [{ "Study": study.study }], "Synchronous": true })).await?;
    let back = orthanc.find("Instance", json!({ "StudyInstanceUID": study.study })).await?;
    assert_eq!(back.len(), 12);
    ensure!(back.contains(&ids[0]), "the same instance");
    let after = orthanc.file(&ids[0]).await?;
    // Behind the file meta information, which is each archive's own.
    let dataset = |file: &[u8]| file[file.len() - 30_000..].to_vec();
    assert_eq!(dataset(&before), dataset(&after));
    Ok(())
}
