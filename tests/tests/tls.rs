//! DICOM over TLS by settings alone: the binary, DCMTK, and certificates made by OpenSSL.

use std::path::{Path, PathBuf};

use anyhow::Result;
use dokuei_tests::installation::Installation;
use dokuei_tests::process::{free_address, run_checked};
use tokio::process::Command;

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A self-signed certificate with its key.
async fn certificate(folder: &Path, name: &str) -> Result<(PathBuf, PathBuf)> {
    let (key, cert) = (folder.join(format!("{name}.key")), folder.join(format!("{name}.crt")));
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]);
    command.args(["-subj", &format!("/CN={name}"), "-addext", "subjectAltName=IP:127.0.0.1"]);
    run_checked(command.arg("-keyout").arg(&key).arg("-out").arg(&cert)).await?;
    Ok((key, cert))
}

/// SHA-256 of a certificate, as an administrator copies it from OpenSSL.
async fn fingerprint(cert: &Path) -> Result<String> {
    let mut openssl = Command::new("openssl");
    let said = run_checked(openssl.args(["x509", "-noout", "-fingerprint", "-sha256", "-in"]).arg(cert)).await?;
    let digits = said.rsplit('=').next().unwrap_or_default();
    Ok(digits.trim().replace(':', "").to_lowercase())
}

#[tokio::test]
async fn a_hospital_that_must_speak_tls_is_heard_over_tls_alone() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (our_key, our_cert) = certificate(folder.path(), "dokuei").await?;
    let (key, cert) = certificate(folder.path(), "hospital").await?;
    let address = free_address()?;
    let settings = [
        ("DOKUEI_DICOM_TLS_ADDRESS", address.to_string()),
        ("DOKUEI_DICOM_TLS_CERTIFICATE", text(&our_cert)),
        ("DOKUEI_DICOM_TLS_KEY", text(&our_key)),
    ];
    let house = Installation::together(&settings).await?;
    let pinned = fingerprint(&cert).await?;
    let set = format!("tls = 'required', certificate_sha256 = '{pinned}'");
    house.sql(&format!("UPDATE site_endpoints SET {set} WHERE ae_title = 'HOSPITAL_A'")).await?;
    let plain_port = house.dicom()?.port().to_string();
    let titles = ["-aet", "HOSPITAL_A", "-aec", "DOKUEI", "127.0.0.1"];
    let plain = Command::new("echoscu").args(titles).arg(&plain_port).output().await?;
    assert!(!plain.status.success(), "it was heard without TLS");
    let (key, cert, ours) = (text(&key), text(&cert), text(&our_cert));
    let tls = ["+tls", &key, &cert, "+cf", &ours];
    let port = address.port().to_string();
    run_checked(Command::new("echoscu").args(tls).args(titles).arg(port)).await?;
    let refused = "SELECT reason FROM refusals WHERE calling_ae = 'HOSPITAL_A'";
    assert_eq!(house.sql(refused).await?, "tls_required");
    let seen = "SELECT certificate_subject FROM endpoint_states WHERE tls_at IS NOT NULL";
    assert_eq!(house.sql(seen).await?, "CN=hospital");
    Ok(())
}
