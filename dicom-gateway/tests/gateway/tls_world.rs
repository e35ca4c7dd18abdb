//! Certificates made by OpenSSL, and a receiver that wants them.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use dokuei_dicom_gateway::ae_title::AeTitle;
use dokuei_dicom_gateway::scp::{
    AssociationSummary, Caller, Desk, Limits, Outcome, Peer, Receiver, Refusal, ScpConfig, SiteLimits,
};
use dokuei_dicom_gateway::tls::{TlsFiles, TlsServer};
use dokuei_models::{EndpointId, SiteId};
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::common::MemoryArchive;

/// Certificates of one invented region: an authority, ours, a hospital's and some that are wrong.
pub struct Papers {
    folder: tempfile::TempDir,
}

impl Papers {
    pub fn make() -> Self {
        let papers = Self { folder: tempfile::tempdir().unwrap() };
        papers.authority("ca");
        papers.authority("other-ca");
        papers.issue("ours", "ca", "30");
        papers.issue("hospital", "ca", "30");
        papers.issue("stranger", "other-ca", "30");
        papers.issue("expired", "ca", "-1");
        papers
    }

    fn authority(&self, name: &str) {
        let subject = format!("/CN={name}");
        let (key, cert) = (self.path(name, "key"), self.path(name, "crt"));
        openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "30",
            "-subj",
            &subject,
            "-keyout",
            text(&key),
            "-out",
            text(&cert),
        ]);
    }

    /// A certificate for 127.0.0.1 and localhost; one of `-1` days is over since yesterday.
    pub fn issue(&self, name: &str, authority: &str, days: &str) {
        let (key, request, cert) = (self.path(name, "key"), self.path(name, "csr"), self.path(name, "crt"));
        let (ca, ca_key) = (self.path(authority, "crt"), self.path(authority, "key"));
        let extensions = self.path(name, "ext");
        std::fs::write(&extensions, "subjectAltName=IP:127.0.0.1,DNS:localhost\n").unwrap();
        let subject = format!("/O=Example/CN={name}");
        openssl(&[
            "req",
            "-new",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            &subject,
            "-keyout",
            text(&key),
            "-out",
            text(&request),
        ]);
        openssl(&[
            "x509",
            "-req",
            "-in",
            text(&request),
            "-CA",
            text(&ca),
            "-CAkey",
            text(&ca_key),
            "-CAcreateserial",
            "-days",
            days,
            "-extfile",
            text(&extensions),
            "-out",
            text(&cert),
        ]);
    }

    pub fn path(&self, name: &str, kind: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.{kind}"))
    }

    /// SHA-256 of a certificate's DER form, as OpenSSL makes it.
    pub fn fingerprint(&self, name: &str) -> String {
        let der = Command::new("openssl")
            .args(["x509", "-outform", "der", "-in", text(&self.path(name, "crt"))])
            .output()
            .expect("openssl must be installed");
        hex::encode(Sha256::digest(der.stdout))
    }

    pub fn files(&self, own: &str, authority: Option<&str>) -> TlsFiles {
        TlsFiles {
            certificate: self.path(own, "crt"),
            key: self.path(own, "key"),
            authority: authority.map(|name| self.path(name, "crt")),
        }
    }
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn openssl(arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).output().expect("openssl must be installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Who is at the desk: HOSPITAL_A, who must speak TLS, with a pinned certificate or not; PLAIN, who need not.
#[derive(Default)]
pub struct Guard {
    pub pinned: Mutex<String>,
    ended: Mutex<Vec<AssociationSummary>>,
}

#[async_trait]
impl Desk for Guard {
    async fn admit(&self, calling: &AeTitle, _: &AeTitle, caller: &Caller) -> Result<Peer, Refusal> {
        assert_eq!(caller.from, IpAddr::from([127, 0, 0, 1]));
        let pinned = self.pinned.lock().unwrap().clone();
        match calling.as_str() {
            "HOSPITAL_A" => caller.prove(true, &pinned)?,
            "PLAIN" => caller.prove(false, "")?,
            _ => return Err(Refusal::CallingUnknown),
        }
        Ok(Peer {
            site: SiteId(1),
            endpoint: EndpointId(1),
            private_classes: true,
            stores: true,
            queries: false,
            limits: SiteLimits::NONE,
        })
    }

    async fn ended(&self, summary: AssociationSummary) {
        self.ended.lock().unwrap().push(summary);
    }
}

/// A receiver with a plain door and one of TLS.
pub struct House {
    pub plain: u16,
    pub tls: u16,
    pub server: Arc<TlsServer>,
    pub guard: Arc<Guard>,
    pub archive: Arc<MemoryArchive>,
    _stop: watch::Sender<bool>,
}

impl House {
    pub async fn open(papers: &Papers, certificate_required: bool, limits: Limits) -> Self {
        let server = TlsServer::load(papers.files("ours", Some("ca")), certificate_required).unwrap();
        let (server, guard, archive) =
            (Arc::new(server), Arc::new(Guard::default()), Arc::new(MemoryArchive::default()));
        let config = ScpConfig { ae_title: AeTitle::parse("DOKUEI").unwrap(), limits };
        let receiver = Receiver::new(config, guard.clone(), archive.clone(), None);
        let (stop, stopped) = watch::channel(false);
        let mut ports = Vec::new();
        for tls in [None, Some(server.clone())] {
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            ports.push(listener.local_addr().unwrap().port());
            tokio::spawn(receiver.clone().serve(listener, tls, stopped.clone()));
        }
        Self { plain: ports[0], tls: ports[1], server, guard, archive, _stop: stop }
    }

    /// The ends of the next associations, which are waited for and forgotten.
    pub async fn ends(&self, count: usize) -> Vec<AssociationSummary> {
        for _ in 0..500 {
            {
                let mut ended = self.guard.ended.lock().unwrap();
                if ended.len() >= count {
                    return std::mem::take(&mut *ended);
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{count} associations did not end in time");
    }

    pub async fn outcome(&self) -> Outcome {
        self.ends(1).await.remove(0).outcome
    }
}
