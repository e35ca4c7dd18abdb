//! Pages over TLS by settings alone: the binary, certificates made by OpenSSL, and Python's TLS as the browser.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use dokuei_tests::dokuei::{Dokuei, demo_logins};
use dokuei_tests::process::{eventually, free_address, run_checked, script};
use serde_json::Value;
use tokio::process::Command;

/// A self-signed certificate for 127.0.0.1 with its key, written over what was there.
async fn certificate(folder: &Path) -> Result<(PathBuf, PathBuf)> {
    let (key, cert) = (folder.join("new.key"), folder.join("new.crt"));
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]);
    command.args(["-subj", "/CN=dokuei", "-addext", "subjectAltName=IP:127.0.0.1"]);
    run_checked(command.arg("-keyout").arg(&key).arg("-out").arg(&cert)).await?;
    let (to_key, to_cert) = (folder.join("https.key"), folder.join("https.crt"));
    std::fs::rename(&key, &to_key)?;
    std::fs::rename(&cert, &to_cert)?;
    Ok((to_key, to_cert))
}

/// What the server at this port shows to whoever believes in its certificate.
async fn look(port: u16, cert: &Path, more: &[&str]) -> Result<Value> {
    let mut peer = script("https_peer.py")?;
    let port = port.to_string();
    peer.args(["127.0.0.1", &port]).arg(cert).args(more);
    Ok(serde_json::from_str(&run_checked(&mut peer).await?)?)
}

#[tokio::test]
async fn pages_over_tls_are_served_with_modern_suites_secure_cookies_and_a_renewed_certificate() -> Result<()> {
    let (data, folder) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let (key, cert) = certificate(folder.path()).await?;
    let plain = free_address()?;
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let settings = [
        ("DOKUEI_HTTP_TLS_CERTIFICATE", text(&cert)),
        ("DOKUEI_HTTP_TLS_KEY", text(&key)),
        ("DOKUEI_HTTP_REDIRECT_ADDRESS", plain.to_string()),
    ];
    let dokuei = Dokuei::run(data.path(), &settings).await?;
    let port = dokuei.http()?.port();
    let seen = look(port, &cert, &[]).await?;
    assert_eq!(seen["status"], 200);
    assert!(seen["hsts"].as_str().is_some_and(|hsts| hsts.starts_with("max-age=31536000")), "{seen}");
    assert!(seen["tls13"].as_str().is_some_and(|suite| suite.starts_with("TLS_")), "{seen}");
    assert!(seen["tls12"].as_str().is_some_and(|suite| suite.starts_with("ECDHE-")), "{seen}");
    assert_eq!((&seen["cbc"], &seen["tls11"]), (&Value::Null, &Value::Null));
    assert_eq!(seen["alpn"], "h2");

    let person = demo_logins(data.path())?.into_iter().next().context("a demo person")?;
    let login = look(port, &cert, &["login", &person.login, &person.password]).await?;
    let cookies = login["cookies"].as_array().cloned().unwrap_or_default();
    let session = cookies.iter().filter_map(Value::as_str).find(|cookie| cookie.starts_with("dokuei_session="));
    let session = session.with_context(|| format!("no session: {login}"))?;
    assert!(session.contains("Secure") && session.contains("HttpOnly"), "{}", session.replace(char::is_numeric, "*"));

    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let sent_on = client.get(format!("http://{plain}/worklist?q=1")).send().await?;
    assert_eq!(sent_on.status(), 308);
    assert_eq!(sent_on.headers()["location"], format!("https://127.0.0.1:{port}/worklist?q=1").as_str());
    assert!(client.get(format!("http://127.0.0.1:{port}/login")).send().await.is_err(), "no page without TLS");

    // A key that does not fit stays unused; then both are new.
    std::fs::write(&key, "no key")?;
    hang_up(&dokuei).await?;
    eventually("the fault in the log", Duration::from_secs(20), async || {
        Ok(dokuei.log().contains("what was read before stays in use").then_some(()))
    })
    .await?;
    assert_eq!(look(port, &cert, &[]).await?["serial"], seen["serial"]);
    let (_, renewed) = certificate(folder.path()).await?;
    hang_up(&dokuei).await?;
    eventually("the new certificate", Duration::from_secs(20), async || {
        // Until it is read, its holder is not believed.
        Ok(look(port, &renewed, &[]).await.ok().filter(|now| now["serial"] != seen["serial"]))
    })
    .await?;
    assert!(dokuei.stop().await?.success());
    Ok(())
}

async fn hang_up(dokuei: &Dokuei) -> Result<()> {
    let id = dokuei.id().context("it runs")?.to_string();
    run_checked(Command::new("kill").args(["-HUP", &id])).await?;
    Ok(())
}

#[tokio::test]
async fn pages_without_tls_beyond_loopback_warn_at_the_start() -> Result<()> {
    // The demo organisation is made on loopback alone.
    let data = tempfile::tempdir()?;
    let closed = Dokuei::run(data.path(), &[]).await?;
    assert!(!closed.log().contains("pages are served without TLS"), "{}", closed.log());
    closed.stop().await?;
    let folder = data.path().to_string_lossy().into_owned();
    let arguments = ["run", "--data", &folder, "--http", "0.0.0.0:0", "--dicom", "127.0.0.1:0"];
    let open = Dokuei::start("open", dokuei_tests::dokuei::command(&arguments, &[])?, data.path()).await?;
    assert!(open.log().contains("pages are served without TLS"), "{}", open.log());
    open.stop().await?;
    Ok(())
}
