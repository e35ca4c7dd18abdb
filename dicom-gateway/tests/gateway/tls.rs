//! Being called over TLS: by DCMTK, and by OpenSSL where a version or a suite is meant.

use std::process::Stdio;
use std::time::Duration;

use dokuei_dicom_gateway::scp::{Limits, Outcome, Refusal};
use dokuei_dicom_gateway::tls::{CertificateFault, TlsFault};
use tokio::io::AsyncWriteExt;

use crate::common::{Said, ct_file, dcmtk, stored};
use crate::tls_world::{House, Papers, text};

async fn call(tool: &'static str, papers: &Papers, who: &str, port: u16, more: &[&str]) -> Said {
    let (key, cert, ca) = (papers.path(who, "key"), papers.path(who, "crt"), papers.path("ca", "crt"));
    let port = port.to_string();
    let mut arguments = vec!["+tls", text(&key), text(&cert), "+cf", text(&ca), "-aet", "HOSPITAL_A", "-aec", "DOKUEI"];
    arguments.extend(["127.0.0.1", &port]);
    arguments.extend(more);
    dcmtk(tool, &arguments).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_come_over_tls_byte_for_byte_and_the_certificate_is_known() {
    let papers = Papers::make();
    let house = House::open(&papers, false, Limits::default()).await;
    let bytes = ct_file("1.2.826.31", 1, 700_000);
    let file = stored(&bytes);
    let sent = call("storescu", &papers, "hospital", house.tls, &[text(&file)]).await;
    assert!(sent.ok, "{}", sent.text);
    let end = house.ends(1).await.remove(0);
    assert_eq!((end.outcome, end.tally.new), (Outcome::Released, 1));
    let tls = end.tls.unwrap();
    assert!(tls.version.starts_with("TLSv1_"), "{tls:?}");
    let certificate = tls.certificate.unwrap();
    assert_eq!(certificate.sha256, papers.fingerprint("hospital"));
    assert!(certificate.subject.contains("CN=hospital") && certificate.fault.is_none(), "{certificate:?}");
    let days = (certificate.not_after - chrono::Utc::now()).num_days();
    assert!((28..=30).contains(&days), "{days}");
    let objects = house.archive.objects();
    assert!(bytes.ends_with(&objects[0].dataset().unwrap()[200..]), "the data set is as it was sent");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_prove_himself_is_refused_with_the_reason() {
    let papers = Papers::make();
    let house = House::open(&papers, false, Limits::default()).await;
    for (who, refusal) in [("stranger", Refusal::CertificateUntrusted), ("expired", Refusal::CertificateExpired)] {
        let said = call("echoscu", &papers, who, house.tls, &[]).await;
        assert!(!said.ok, "{who}: {}", said.text);
        assert_eq!(house.outcome().await, Outcome::Refused(refusal), "{who}");
    }
    let (ca, port) = (papers.path("ca", "crt"), house.tls.to_string());
    let nameless = ["+tla", "+cf", text(&ca), "-aet", "HOSPITAL_A", "-aec", "DOKUEI", "127.0.0.1", &port];
    let said = dcmtk("echoscu", &nameless).await;
    assert!(!said.ok, "{}", said.text);
    assert_eq!(house.outcome().await, Outcome::Refused(Refusal::CertificateMissing));
    let plain = house.plain.to_string();
    let said = dcmtk("echoscu", &["-aet", "HOSPITAL_A", "-aec", "DOKUEI", "127.0.0.1", &plain]).await;
    assert!(!said.ok, "{}", said.text);
    assert_eq!(house.outcome().await, Outcome::Refused(Refusal::TlsRequired));
    let said = dcmtk("echoscu", &["-aet", "PLAIN", "-aec", "DOKUEI", "127.0.0.1", &plain]).await;
    assert!(said.ok, "who need not speak TLS does not: {}", said.text);
    assert_eq!(house.outcome().await, Outcome::Released);
    let said = dcmtk("echoscu", &["-aet", "HOSPITAL_A", "-aec", "DOKUEI", "127.0.0.1", &port]).await;
    assert!(!said.ok, "{}", said.text);
    assert_eq!(house.outcome().await, Outcome::Refused(Refusal::TlsFailed(TlsFault::NotTls)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pinned_certificate_is_believed_whoever_issued_it_and_no_other_is() {
    let papers = Papers::make();
    let house = House::open(&papers, false, Limits::default()).await;
    *house.guard.pinned.lock().unwrap() = papers.fingerprint("stranger");
    let said = call("echoscu", &papers, "stranger", house.tls, &[]).await;
    assert!(said.ok, "{}", said.text);
    let end = house.ends(1).await.remove(0);
    let fault = end.tls.unwrap().certificate.unwrap().fault;
    assert_eq!((end.outcome, fault), (Outcome::Released, Some(CertificateFault::UnknownIssuer)));
    let said = call("echoscu", &papers, "hospital", house.tls, &[]).await;
    assert!(!said.ok, "{}", said.text);
    assert_eq!(house.outcome().await, Outcome::Refused(Refusal::CertificateOther));
    *house.guard.pinned.lock().unwrap() = papers.fingerprint("expired");
    assert!(!call("echoscu", &papers, "expired", house.tls, &[]).await.ok);
    assert_eq!(house.outcome().await, Outcome::Refused(Refusal::CertificateExpired), "pinned, and over all the same");
}

/// What `openssl s_client` agrees on, or nothing.
async fn agreed(papers: &Papers, port: u16, arguments: &[&str]) -> Option<String> {
    let ca = papers.path("ca", "crt");
    let to = format!("127.0.0.1:{port}");
    let output = tokio::process::Command::new("openssl")
        .args(["s_client", "-connect", &to, "-CAfile", text(&ca), "-verify_return_error", "-brief"])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("openssl must be installed");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    said.contains("CONNECTION ESTABLISHED").then_some(said)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_versions_and_suites_of_bcp_195_are_spoken() {
    let papers = Papers::make();
    let house = House::open(&papers, false, Limits::default()).await;
    for (arguments, protocol) in [
        (&["-tls1_3"][..], "TLSv1.3"),
        (&["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"], "TLSv1.2"),
        (&["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"], "TLSv1.2"),
    ] {
        let said = agreed(&papers, house.tls, arguments).await;
        assert!(said.as_ref().is_some_and(|said| said.contains(protocol)), "{arguments:?}: {said:?}");
    }
    for weak in [
        &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"][..],
        &["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "AES128-SHA:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"],
        &["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-SHA384:@SECLEVEL=0"],
    ] {
        assert_eq!(agreed(&papers, house.tls, weak).await, None, "{weak:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_handshake_ends_and_gives_its_place_back() {
    let papers = Papers::make();
    let limits = Limits { request: Duration::from_millis(400), per_address: 1, ..Limits::default() };
    let house = House::open(&papers, false, limits).await;
    let mut silent = tokio::net::TcpStream::connect(("127.0.0.1", house.tls)).await.unwrap();
    silent.write_all(&[0x16, 3, 1]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let said = call("echoscu", &papers, "hospital", house.tls, &[]).await;
    assert!(!said.ok, "the only place of the address is taken, by a handshake: {}", said.text);
    tokio::time::sleep(Duration::from_millis(500)).await;
    let said = call("echoscu", &papers, "hospital", house.tls, &[]).await;
    assert!(said.ok, "{}", said.text);
    drop(silent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_certificates_are_used_without_a_restart_and_broken_ones_are_not() {
    let papers = Papers::make();
    let house = House::open(&papers, false, Limits::default()).await;
    assert!(!house.server.reload().unwrap(), "nothing has changed");
    papers.issue("ours", "other-ca", "30");
    assert!(house.server.reload().unwrap());
    assert_eq!(agreed(&papers, house.tls, &["-tls1_3"]).await, None, "it is now of another authority");
    std::fs::write(papers.path("ours", "crt"), "no certificate").unwrap();
    let error = house.server.reload().unwrap_err().to_string();
    assert!(error.contains("ours.crt") && error.contains("no certificate"), "{error}");
    papers.issue("ours", "ca", "30");
    assert!(house.server.reload().unwrap());
    assert!(agreed(&papers, house.tls, &["-tls1_3"]).await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_certificates_are_required_nobody_without_one_is_heard() {
    let papers = Papers::make();
    let house = House::open(&papers, true, Limits::default()).await;
    let (ca, port) = (papers.path("ca", "crt"), house.tls.to_string());
    let said =
        dcmtk("echoscu", &["+tla", "+cf", text(&ca), "-aet", "PLAIN", "-aec", "DOKUEI", "127.0.0.1", &port]).await;
    assert!(!said.ok, "{}", said.text);
    assert_eq!(house.outcome().await, Outcome::Refused(Refusal::TlsFailed(TlsFault::OursRefused)));
    let said = call("echoscu", &papers, "hospital", house.tls, &[]).await;
    assert!(said.ok, "{}", said.text);
}
