//! A gateway on a free port, an archive in memory, and DCMTK.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use dokuei_dicom_gateway::ae_title::AeTitle;
use dokuei_dicom_gateway::header;
use dokuei_dicom_gateway::intake::{Archive, Filed, KeepError, Kept, ReceivedObject};
use dokuei_dicom_gateway::part10;
use dokuei_dicom_gateway::scp::{
    AssociationSummary, Caller, Desk, Limits, Peer, Refusal, ScpConfig, SiteLimits, serve,
};
use dokuei_models::store::images::{ArrivalCounts, NewArrival};
use dokuei_models::{ArrivalId, EndpointId, SiteId};
use tempfile::TempPath;
use tokio::sync::{Notify, Semaphore, watch};

const PEER: Peer = Peer {
    site: SiteId(1),
    endpoint: EndpointId(1),
    private_classes: true,
    stores: true,
    queries: true,
    limits: SiteLimits::NONE,
};

/// Lets HOSPITAL_A and HOSPITAL_B of another site in and remembers who left.
#[derive(Default)]
pub struct FrontDesk {
    ended: Mutex<Vec<AssociationSummary>>,
    /// What HOSPITAL_A's site may take.
    pub limits: Mutex<Option<SiteLimits>>,
    /// Rings when someone is let in.
    pub admitted: Notify,
}

#[async_trait]
impl Desk for FrontDesk {
    async fn admit(&self, calling: &AeTitle, _called: &AeTitle, _caller: &Caller) -> Result<Peer, Refusal> {
        match calling.as_str() {
            "HOSPITAL_A" => {
                self.admitted.notify_one();
                let limits = self.limits.lock().unwrap().unwrap_or(SiteLimits::NONE);
                Ok(Peer { limits, ..PEER })
            }
            "HOSPITAL_B" => Ok(Peer { site: SiteId(2), endpoint: EndpointId(2), ..PEER }),
            "READS_ONLY" => Ok(Peer { stores: false, ..PEER }),
            _ => Err(Refusal::CallingUnknown),
        }
    }

    async fn ended(&self, summary: AssociationSummary) {
        self.ended.lock().unwrap().push(summary);
    }
}

/// Keeps objects in memory; can fail, and can be made to wait.
pub struct MemoryArchive {
    objects: Mutex<Vec<ReceivedObject>>,
    pub closed: Mutex<Vec<&'static str>>,
    pub failing: AtomicBool,
    /// Each keep takes a permit.
    pub gate: Arc<Semaphore>,
    pub entered: Notify,
}

impl Default for MemoryArchive {
    fn default() -> Self {
        Self {
            objects: Mutex::default(),
            closed: Mutex::default(),
            failing: AtomicBool::new(false),
            gate: Arc::new(Semaphore::new(100_000)),
            entered: Notify::new(),
        }
    }
}

impl MemoryArchive {
    pub fn objects(&self) -> Vec<ReceivedObject> {
        self.objects.lock().unwrap().clone()
    }
}

#[async_trait]
impl Archive for MemoryArchive {
    async fn open(&self, _arrival: NewArrival) -> Result<ArrivalId, KeepError> {
        Ok(ArrivalId(1))
    }

    async fn keep(&self, _site: SiteId, _arrival: ArrivalId, object: ReceivedObject) -> Result<Kept, KeepError> {
        self.entered.notify_one();
        self.gate.acquire().await.unwrap().forget();
        if self.failing.load(Ordering::SeqCst) {
            return Err(KeepError::Unavailable("no room".to_owned()));
        }
        let header = header::read_dataset(object.dataset().unwrap(), object.transfer_syntax()).unwrap();
        self.objects.lock().unwrap().push(object);
        Ok(Kept::New(Filed {
            study_uid: header.study_uid.to_string(),
            series_uid: header.series_uid.to_string(),
            sop_instance_uid: header.sop_instance.to_string(),
        }))
    }

    async fn close(&self, _: ArrivalId, _: ArrivalCounts, outcome: &'static str) -> Result<(), KeepError> {
        self.closed.lock().unwrap().push(outcome);
        Ok(())
    }
}

/// A running receiver.
pub struct Gateway<A> {
    pub port: u16,
    pub archive: Arc<A>,
    pub shutdown: watch::Sender<bool>,
    pub desk: Arc<FrontDesk>,
    task: tokio::task::JoinHandle<()>,
}

impl<A: Archive> Gateway<A> {
    pub async fn start(archive: A, limits: Limits) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (shutdown, stop) = watch::channel(false);
        let (archive, desk) = (Arc::new(archive), Arc::new(FrontDesk::default()));
        let config = ScpConfig { ae_title: AeTitle::parse("DOKUEI").unwrap(), limits };
        let task = tokio::spawn(serve(listener, config, desk.clone(), archive.clone(), stop));
        Self { port, archive, shutdown, desk, task }
    }

    /// Waits until this many associations have ended.
    pub async fn summaries(&self, count: usize) -> Vec<AssociationSummary> {
        for _ in 0..500 {
            let ended = self.desk.ended.lock().unwrap().clone();
            if ended.len() >= count {
                return ended;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{count} associations did not end in time");
    }

    /// Waits for the receiver itself to end.
    pub async fn finished(self) -> Vec<AssociationSummary> {
        tokio::time::timeout(Duration::from_secs(5), self.task).await.expect("the receiver must end").unwrap();
        self.desk.ended.lock().unwrap().clone()
    }
}

/// What a tool said.
pub struct Said {
    pub ok: bool,
    pub text: String,
}

/// Runs a DCMTK tool.
pub async fn dcmtk(tool: &'static str, arguments: &[&str]) -> Said {
    let output = tokio::process::Command::new(tool).args(arguments).output().await.expect("dcmtk must be installed");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Said { ok: output.status.success(), text }
}

/// A file that goes when it is dropped.
pub fn stored(file: &[u8]) -> TempPath {
    let path = tempfile::Builder::new().suffix(".dcm").tempfile().unwrap().into_temp_path();
    std::fs::write(&path, file).unwrap();
    path
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Waits until something listens.
pub async fn wait_for_port(port: u16) {
    for _ in 0..250 {
        if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nothing listens on port {port}");
}

/// A CT file in explicit little endian with a Japanese name and `pixels` bytes of
/// pixel data (made even).
pub fn ct_file(study: &str, number: usize, pixels: usize) -> Vec<u8> {
    const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
    let instance = format!("{study}.1.{number}");
    let mut file = part10::file_meta(CT, &instance, "1.2.840.10008.1.2.1");
    let columns = 512_u16;
    let rows = (pixels / 1024).max(1) as u16;
    let shown = number.to_string();
    let text: [(u16, u16, &[u8; 2], &[u8]); 18] = [
        (0x0008, 0x0005, b"CS", b"\\ISO 2022 IR 87"),
        (0x0008, 0x0016, b"UI", CT.as_bytes()),
        (0x0008, 0x0018, b"UI", instance.as_bytes()),
        (0x0008, 0x0020, b"DA", b"20261121"),
        (0x0008, 0x0050, b"SH", b"A0001"),
        (0x0008, 0x0060, b"CS", b"CT"),
        (0x0010, 0x0010, b"PN", b"Matsumoto^Ichiro=\x1b$B>>K\\\x1b(B^\x1b$B0lO:\x1b(B"),
        (0x0010, 0x0020, b"LO", b"00123"),
        (0x0020, 0x000D, b"UI", study.as_bytes()),
        (0x0020, 0x000E, b"UI", &[study.as_bytes(), b".1"].concat()),
        (0x0020, 0x0013, b"IS", shown.as_bytes()),
        (0x0028, 0x0002, b"US", &1_u16.to_le_bytes()),
        (0x0028, 0x0004, b"CS", b"MONOCHROME2"),
        (0x0028, 0x0010, b"US", &rows.to_le_bytes()),
        (0x0028, 0x0011, b"US", &columns.to_le_bytes()),
        (0x0028, 0x0100, b"US", &16_u16.to_le_bytes()),
        (0x0028, 0x0101, b"US", &16_u16.to_le_bytes()),
        (0x0028, 0x0103, b"US", &0_u16.to_le_bytes()),
    ];
    for (group, element, vr, value) in text {
        let padded = value.len() + value.len() % 2;
        file.extend(group.to_le_bytes());
        file.extend(element.to_le_bytes());
        file.extend(vr);
        file.extend((padded as u16).to_le_bytes());
        file.extend(value);
        if padded > value.len() {
            file.push(if vr == b"UI" { 0 } else { b' ' });
        }
    }
    let pixels = pixels + pixels % 2;
    file.extend([0xE0, 0x7F, 0x10, 0x00, b'O', b'W', 0, 0]);
    file.extend((pixels as u32).to_le_bytes());
    file.extend((0..pixels).map(|at| (at * 31 + number) as u8));
    file
}
