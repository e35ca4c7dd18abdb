//! Calling over TLS: DCMTK's `storescp` as the hospital's PACS.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use dokuei_dicom_gateway::ae_title::AeTitle;
use dokuei_dicom_gateway::scu::{self, Destination, SendError, Timeouts};
use dokuei_dicom_gateway::tls::{TlsClient, TlsFault};

use crate::common::{ct_file, free_port, wait_for_port};
use crate::tls_world::{Papers, text};

/// A PACS that speaks TLS only.
struct Pacs {
    child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Pacs {
    async fn open(papers: &Papers, own: &str, authority: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let (key, cert, ca) = (papers.path(own, "key"), papers.path(own, "crt"), papers.path(authority, "crt"));
        let child = Command::new("storescp")
            .args(["-aet", "PACS", "+tls", text(&key), text(&cert), "+cf", text(&ca), "-od", text(folder.path())])
            .arg(port.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("dcmtk must be installed");
        wait_for_port(port).await;
        Self { child, port, folder }
    }

    fn to(&self, client: &Arc<TlsClient>, pinned: &str) -> Destination {
        Destination {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            called_ae: AeTitle::parse("PACS").unwrap(),
            calling_ae: AeTitle::parse("DOKUEI").unwrap(),
            timeouts: Timeouts { connect: Duration::from_secs(5), answer: Duration::from_secs(10) },
            tls: Some(client.peer(pinned)),
        }
    }
}

impl Drop for Pacs {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pacs_is_called_over_tls_and_keeps_what_it_is_sent() {
    let papers = Papers::make();
    let pacs = Pacs::open(&papers, "hospital", "ca").await;
    let client = Arc::new(TlsClient::load(papers.files("ours", Some("ca"))).unwrap());
    scu::echo(&pacs.to(&client, "")).await.unwrap();
    scu::echo(&pacs.to(&client, &papers.fingerprint("hospital"))).await.unwrap();
    let sent = scu::send(&pacs.to(&client, ""), &[ct_file("1.2.826.32", 1, 300_000).into()]).await.unwrap();
    assert!(sent[0].is_kept(), "{sent:?}");
    assert_eq!(std::fs::read_dir(pacs.folder.path()).unwrap().count(), 1);
    let pinned_other = scu::echo(&pacs.to(&client, &papers.fingerprint("stranger"))).await;
    assert_eq!(pinned_other, Err(SendError::Tls(TlsFault::NotPinned)));
    let probe = scu::probe(&pacs.to(&client, "")).await;
    let steps: Vec<&str> = probe.steps.iter().map(|tried| tried.step.code()).collect();
    assert_eq!(steps, ["name", "connection", "tls", "association", "echo"]);
    assert_eq!(probe.certificate.as_ref().unwrap().sha256, papers.fingerprint("hospital"));
    assert!(probe.failure().is_none() && probe.steps[0].found == "127.0.0.1", "{probe:?}");
    let wrong = scu::probe(&pacs.to(&client, &"0".repeat(64))).await;
    assert_eq!((wrong.steps.len(), wrong.failure()), (3, Some(&SendError::Tls(TlsFault::NotPinned))));
    let plain = Destination { tls: None, ..pacs.to(&client, "") };
    assert!(scu::echo(&plain).await.is_err(), "it speaks TLS only");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pacs_that_cannot_be_believed_is_not_spoken_to() {
    let papers = Papers::make();
    let client = Arc::new(TlsClient::load(papers.files("ours", Some("ca"))).unwrap());
    let stranger = Pacs::open(&papers, "stranger", "ca").await;
    assert_eq!(scu::echo(&stranger.to(&client, "")).await, Err(SendError::Tls(TlsFault::UnknownIssuer)));
    scu::echo(&stranger.to(&client, &papers.fingerprint("stranger"))).await.unwrap();
    let expired = Pacs::open(&papers, "expired", "ca").await;
    assert_eq!(scu::echo(&expired.to(&client, "")).await, Err(SendError::Tls(TlsFault::Expired)));
    let pinned = papers.fingerprint("expired");
    assert_eq!(scu::echo(&expired.to(&client, &pinned)).await, Err(SendError::Tls(TlsFault::Expired)));
    // It is called by a name that its certificate does not hold.
    let hospital = Pacs::open(&papers, "hospital", "ca").await;
    let renamed = Destination { host: "127.0.0.2".to_owned(), ..hospital.to(&client, "") };
    assert_eq!(scu::echo(&renamed).await, Err(SendError::Tls(TlsFault::OtherName)));
    // And one that does not believe us.
    let suspicious = Pacs::open(&papers, "hospital", "other-ca").await;
    assert_eq!(scu::echo(&suspicious.to(&client, "")).await, Err(SendError::Tls(TlsFault::OursRefused)));
}
