//! The peers themselves: before anything is said about Dokuei, they must do what the tests take for granted.

use std::fs;
use std::time::Duration;

use anyhow::Result;
use dokuei_tests::dcmtk::{Call, StoreScp, attribute};
use dokuei_tests::mail::MailServer;
use dokuei_tests::orthanc::Orthanc;
use dokuei_tests::pdf;
use dokuei_tests::postgres::Database;
use dokuei_tests::process::{eventually, python, run_checked, script};
use dokuei_tests::redis::Redis;
use dokuei_tests::studies::{make_study, sample};
use serde_json::json;
use tokio::process::Command;

#[tokio::test]
async fn two_databases_know_nothing_of_each_other() -> Result<()> {
    let (one, other) = (Database::create()?, Database::create()?);
    one.query("CREATE TABLE only_here (id int); INSERT INTO only_here VALUES (7)")?;
    assert_eq!(one.query("SELECT id FROM only_here")?, "7");
    assert!(other.query("SELECT id FROM only_here").is_err());
    Ok(())
}

#[tokio::test]
async fn a_killed_redis_answers_no_more() -> Result<()> {
    let redis = Redis::start().await?;
    let url = redis.url();
    let ping = || {
        let mut command = Command::new("redis-cli");
        command.args(["-u", &url, "ping"]);
        command
    };
    assert_eq!(run_checked(&mut ping()).await?.trim(), "PONG");
    redis.kill().await?;
    assert!(run_checked(&mut ping()).await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_made_study_arrives_at_storescp_as_it_was_made() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let who = json!({ "PatientID": "0000123", "PatientName": "Demo^Taro=松本^太郎", "AccessionNumber": "A1" });
    let made = make_study("CT_small.dcm", folder.path(), 5, who).await?;
    let destination = StoreScp::start("SINK").await?;

    let call = Call::new("HOSPITAL_A", "SINK", destination.address);
    let stored = call.store(&[folder.path()]).await?;

    assert!(stored.status.success(), "{}", String::from_utf8_lossy(&stored.stderr));
    let mut arrived = Vec::new();
    for file in destination.received()? {
        assert_eq!(attribute(&file, "StudyInstanceUID").await?, made.study);
        assert_eq!(attribute(&file, "PatientID").await?, "0000123");
        arrived.push(attribute(&file, "SOPInstanceUID").await?);
    }
    arrived.sort();
    let mut expected = made.instances.clone();
    expected.sort();
    assert_eq!(arrived, expected);
    Ok(())
}

#[tokio::test]
async fn a_compressed_file_keeps_its_transfer_syntax_on_the_way() -> Result<()> {
    let destination = StoreScp::start("SINK").await?;
    let sent = sample("JPEG2000.dcm")?;
    let call = Call::new("HOSPITAL_A", "SINK", destination.address);
    let stored = call.send_as_is(&[&sent]).await?;
    assert!(stored.status.success(), "{}", String::from_utf8_lossy(&stored.stderr));
    let arrived = destination.received()?.pop().expect("one file");
    let syntax = |output: std::process::Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let meta = syntax(
        dokuei_tests::process::run(Command::new("dcmdump").args(["-Un", "+P", "0002,0010"]).arg(&arrived)).await?,
    );
    assert!(meta.contains("1.2.840.10008.1.2.4.9"), "{meta}");
    Ok(())
}

#[tokio::test]
async fn an_orthanc_hands_on_what_was_put_into_it() -> Result<()> {
    let orthanc = Orthanc::start("HOSPITAL_A").await?;
    let destination = StoreScp::start("SINK").await?;
    orthanc.know("sink", "SINK", destination.address).await?;
    assert!(orthanc.echo("sink").await?);

    let id = orthanc.put(fs::read(sample("MR_small.dcm")?)?).await?;
    orthanc.send("sink", &[id]).await?;

    assert_eq!(destination.received()?.len(), 1);
    let found = orthanc.find("Instance", json!({ "Modality": "MR" })).await?;
    assert_eq!(found.len(), 1);
    assert_eq!(orthanc.tags(&found[0]).await?["Modality"], "MR");
    Ok(())
}

#[tokio::test]
async fn an_orthanc_refuses_a_wrong_called_title() -> Result<()> {
    let orthanc = Orthanc::start("HOSPITAL_A").await?;
    assert!(Call::new("DOKUEI", "HOSPITAL_A", orthanc.dicom).echo().await?.status.success());
    assert!(!Call::new("DOKUEI", "HOSPITAL_B", orthanc.dicom).echo().await?.status.success());
    Ok(())
}

#[tokio::test]
async fn a_mail_is_kept_with_its_japanese_words() -> Result<()> {
    let server = MailServer::start().await?;
    let send = format!(
        "import smtplib, email.message\n\
         m = email.message.EmailMessage()\n\
         m['From'], m['To'], m['Subject'] = 'a@example.jp', 'b@example.jp', '報告書があります'\n\
         m.set_content('ポータルでご覧ください。')\n\
         smtplib.SMTP('{}', {}).send_message(m)\n",
        server.address.ip(),
        server.address.port()
    );
    run_checked(python()?.args(["-c", &send])).await?;
    let mails = eventually("one mail", Duration::from_secs(5), async || {
        let mails = server.mails().await?;
        Ok((!mails.is_empty()).then_some(mails))
    })
    .await?;
    assert_eq!(mails[0].subject, "報告書があります");
    assert!(mails[0].text.contains("ポータルでご覧ください。"), "{:?}", mails[0]);
    assert!(mails[0].raw.contains("From:"));
    Ok(())
}

#[tokio::test]
async fn a_good_signature_is_told_from_a_touched_one() -> Result<()> {
    let folder = tempfile::tempdir()?;
    run_checked(script("make_signed_pdf.py")?.arg(folder.path())).await?;
    let (signed, root) = (folder.path().join("signed.pdf"), folder.path().join("ca.pem"));

    let [good] = <[pdf::Signature; 1]>::try_from(pdf::signatures(&signed, &root).await?).expect("one signature");
    assert!(good.intact && good.valid && good.trusted, "{good:?}");
    assert_eq!((good.coverage.as_str(), good.later_change.as_deref()), ("ENTIRE_FILE", Some("NONE")));
    let said = pdf::pdfsig(&signed, &root).await?;
    assert!(said.contains("Signature is Valid") && said.contains("Certificate is Trusted"), "{said}");

    let other = folder.path().join("other");
    fs::create_dir(&other)?;
    run_checked(script("make_signed_pdf.py")?.arg(&other)).await?;
    let [stranger] =
        <[pdf::Signature; 1]>::try_from(pdf::signatures(&signed, &other.join("ca.pem")).await?).expect("one");
    assert!(stranger.intact && !stranger.trusted, "{stranger:?}");
    let said = pdf::pdfsig(&signed, &other.join("ca.pem")).await?;
    assert!(!said.contains("Certificate is Trusted"), "{said}");

    let mut bytes = fs::read(&signed)?;
    let height = bytes.windows(3).position(|window| window == b"842").expect("the page's height");
    bytes[height] = b'9';
    fs::write(&signed, bytes)?;
    let [touched] = <[pdf::Signature; 1]>::try_from(pdf::signatures(&signed, &root).await?).expect("one signature");
    assert!(!touched.intact, "{touched:?}");
    let said = pdf::pdfsig(&signed, &root).await?;
    assert!(!said.contains("Signature is Valid"), "{said}");
    Ok(())
}
