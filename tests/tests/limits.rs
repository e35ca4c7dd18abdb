//! One site at its limit, on both databases, with stock senders: the other site does not feel it.

use anyhow::Result;
use dokuei_tests::dcmtk::Call;
use dokuei_tests::installation::Installation;
use dokuei_tests::postgres::Database;
use dokuei_tests::studies::make_study;
use serde_json::json;

/// A runaway export of one hospital while another one sends its stat case.
#[tokio::test]
async fn a_site_that_may_send_no_more_leaves_the_other_one_unharmed() -> Result<()> {
    for house in [Installation::together(&[]).await?, Installation::apart(Database::create()?, &[]).await?] {
        let other = house
            .sql("SELECT ae_title FROM site_endpoints WHERE sends AND ae_title <> 'HOSPITAL_A' ORDER BY id LIMIT 1")
            .await?;
        let site = "(SELECT site_id FROM site_endpoints WHERE ae_title = 'HOSPITAL_A')";
        house
            .sql(&format!(
                "INSERT INTO site_limits (site_id, association_objects, hour_megabytes) VALUES ({site}, 3, 1)"
            ))
            .await?;
        let images = tempfile::tempdir()?;
        let who = json!({ "PatientID": "0004712", "PatientName": "TESUTO^JIRO", "AccessionNumber": "E2E0002" });
        make_study("CT_small.dcm", images.path(), 30, who).await?;
        let greedy = Call::new("HOSPITAL_A", "DOKUEI", house.dicom()?);
        let stored = greedy.store(&[images.path()]).await?;
        assert!(!stored.status.success(), "the fourth image is refused");
        let kept = format!("SELECT count(*) FROM instances WHERE site_id = {site}");
        assert_eq!(house.sql(&kept).await?, "3");
        // What was refused is counted too: after a megabyte the hour is used up.
        let mut turned_away = false;
        for _ in 0..30 {
            greedy.store_all(&[images.path()]).await?;
            if !greedy.echo().await?.status.success() {
                turned_away = true;
                break;
            }
        }
        assert!(turned_away, "the hour was never used up");
        let why =
            house.sql("SELECT DISTINCT reason FROM refusals WHERE calling_ae = 'HOSPITAL_A' ORDER BY reason").await?;
        for reason in ["site_hour", "site_objects"] {
            assert!(why.lines().any(|line| line == reason), "no {reason} in {why}");
        }
        let theirs = tempfile::tempdir()?;
        let who = json!({ "PatientID": "0000815", "PatientName": "TESUTO^SABURO", "AccessionNumber": "E2E0003" });
        let study = make_study("CT_small.dcm", theirs.path(), 5, who).await?;
        let sent = Call::new(other.trim(), "DOKUEI", house.dicom()?).store(&[theirs.path()]).await?;
        assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
        let rows = format!("SELECT instances FROM studies WHERE study_uid = '{}'", study.study);
        assert_eq!(house.sql(&rows).await?, "5");
        assert!(!house.log().contains("TESUTO"), "a name stands in the log");
    }
    Ok(())
}
