//! Two sites on a real archive, each with endpoints that may query, one that may not, and DCMTK.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dokuei_dicom_gateway::ae_title::AeTitle;
use dokuei_dicom_gateway::intake::{Archive, IndexedArchive, ReceivedObject};
use dokuei_dicom_gateway::scp::{
    AssociationSummary, Caller, Desk, IndexedLibrary, Limits, Peer, Receiver, Refusal, ScpConfig, SiteLimits,
};
use dokuei_dicom_gateway::scu::{Destination, Timeouts};
use dokuei_models::db::DatabaseUrl;
use dokuei_models::objects::{Objects, ObjectsUrl};
use dokuei_models::store::images::NewArrival;
use dokuei_models::{Db, EndpointId, SiteId};
use tokio::sync::watch;

/// AE titles with their site, endpoint and whether they may query.
const PEERS: [(&str, i64, i64, bool); 4] =
    [("HOSPITAL_A", 1, 1, false), ("VIEWER_A", 1, 2, true), ("SILENT_A", 1, 3, false), ("VIEWER_B", 2, 4, true)];

struct FrontDesk;

#[async_trait]
impl Desk for FrontDesk {
    async fn admit(&self, calling: &AeTitle, _called: &AeTitle, _caller: &Caller) -> Result<Peer, Refusal> {
        let known = PEERS.iter().find(|(title, ..)| *title == calling.as_str()).ok_or(Refusal::CallingUnknown)?;
        Ok(Peer {
            site: SiteId(known.1),
            endpoint: EndpointId(known.2),
            private_classes: false,
            queries: known.3,
            stores: true,
            limits: SiteLimits::NONE,
        })
    }

    async fn ended(&self, _summary: AssociationSummary) {}
}

/// A running gateway with an archive of its own.
pub struct House {
    pub folder: tempfile::TempDir,
    pub receiver: Receiver,
    pub port: u16,
    pub archive: IndexedArchive,
    pub db: Db,
    pub objects: Objects,
    _shutdown: watch::Sender<bool>,
}

impl House {
    /// `viewer_port` is where VIEWER_A listens.
    pub async fn new(viewer_port: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&DatabaseUrl::Sqlite(folder.path().join("dokuei.sqlite"))).unwrap();
        let objects = Objects::open(&ObjectsUrl::Folder(folder.path().join("objects"))).unwrap();
        let archive = IndexedArchive::new(db.clone(), objects.clone());
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (shutdown, stop) = watch::channel(false);
        let calling = |row: &dokuei_models::store::endpoints::EndpointRow| {
            Some(destination(&row.ae_title, u16::try_from(row.port).ok()?))
        };
        let library = Arc::new(IndexedLibrary::new(db.clone(), objects.clone(), Arc::new(calling)));
        let config = ScpConfig { ae_title: AeTitle::parse("DOKUEI").unwrap(), limits: Limits::default() };
        let desk = Arc::new(FrontDesk);
        let receiver = Receiver::new(config, desk, Arc::new(archive.clone()), Some(library));
        tokio::spawn(receiver.clone().serve(listener, None, stop));
        let house = Self { folder, receiver, port, archive, db, objects, _shutdown: shutdown };
        house.sql(&format!(
            "INSERT INTO pools VALUES (1,'p','p','p');
             INSERT INTO sites VALUES (1,1,'a','a','a',1,0,1,NULL,'','','exact','wait',60,365,5,1,'',1,0,1,1);
             INSERT INTO sites VALUES (2,1,'b','b','b',1,0,1,NULL,'','','exact','wait',60,365,5,1,'',1,0,1,1);
             INSERT INTO site_endpoints (id,site_id,name,kind,sends,receives,ae_title,host,port,addresses,active,version,queries)
             VALUES (1,1,'ct','site',1,0,'HOSPITAL_A','',0,'',1,1,0),
                    (2,1,'viewer','viewer',0,1,'VIEWER_A','127.0.0.1',{viewer_port},'',1,1,1),
                    (3,1,'silent','viewer',0,0,'SILENT_A','127.0.0.1',1,'',1,1,0),
                    (4,2,'viewer','viewer',0,1,'VIEWER_B','127.0.0.1',{viewer_port},'',1,1,1);"
        ));
        house
    }

    pub fn sql(&self, statement: &str) -> String {
        let database = self.folder.path().join("dokuei.sqlite");
        let output = Command::new("sqlite3").arg(database).arg(statement).output().expect("sqlite3 must be installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Keeps files as if a site had sent them.
    pub async fn keep(&self, site: i64, files: &[Vec<u8>]) {
        let arrival = NewArrival {
            site: SiteId(site),
            endpoint: None,
            user: None,
            via: "upload",
            whose: dokuei_models::state::Whose::Ours,
            calling_ae: String::new(),
            address: "127.0.0.1".to_owned(),
            at: chrono::Utc::now().naive_utc(),
        };
        let arrival = self.archive.open(arrival).await.unwrap();
        for file in files {
            self.archive.keep(SiteId(site), arrival, ReceivedObject::from_file(file).unwrap()).await.unwrap();
        }
    }

    /// Runs a DCMTK tool against the gateway as `title` and returns what it said.
    pub async fn ask(&self, tool: &str, title: &str, arguments: &[&str]) -> String {
        let port = self.port.to_string();
        let output = tokio::process::Command::new(tool)
            .args(["-d", "-aet", title, "-aec", "DOKUEI"])
            .args(arguments)
            .args(["127.0.0.1", &port])
            .output()
            .await
            .expect("dcmtk must be installed");
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    }

    /// Runs findscu and returns the files with its answers.
    pub async fn find(&self, title: &str, model: &str, keys: &[&str]) -> (String, Vec<PathBuf>) {
        let out = tempfile::tempdir_in(self.folder.path()).unwrap().keep();
        let mut arguments = vec![model, "-X", "-od", out.to_str().unwrap()];
        keys.iter().for_each(|key| arguments.extend(["-k", *key]));
        let said = self.ask("findscu", title, &arguments).await;
        (said, files(&out))
    }
}

/// How a peer on this machine is called.
pub fn destination(title: &str, port: u16) -> Destination {
    Destination {
        host: "127.0.0.1".to_owned(),
        port,
        called_ae: AeTitle::parse(title).unwrap(),
        calling_ae: AeTitle::parse("DOKUEI").unwrap(),
        timeouts: Timeouts { connect: Duration::from_secs(2), answer: Duration::from_secs(10) },
        tls: None,
    }
}

/// The files of a folder, sorted.
pub fn files(folder: &std::path::Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// DCMTK's receiver under an AE title, until it is dropped.
pub struct StoreScp {
    pub folder: tempfile::TempDir,
    process: std::process::Child,
}

impl StoreScp {
    pub async fn start(title: &str, port: u16, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let process = Command::new("storescp")
            .args(["-q", "-aet", title, "+B", "-od", folder.path().to_str().unwrap()])
            .args(options)
            .arg(port.to_string())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("dcmtk must be installed");
        for _ in 0..250 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Self { folder, process }
    }
}

impl Drop for StoreScp {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
