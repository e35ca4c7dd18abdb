//! C-GET as its requestor: DCMTK's archive, and pynetdicom as a PACS that dies, hangs, or sends what it should not.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use dokuei_dicom_gateway::scp::{Peer, SiteLimits, Volume};
use dokuei_dicom_gateway::scu::{self, Got, Known, SendError, Wanted};
use dokuei_models::{EndpointId, SiteId};
use serde_json::{Value, json};
use tempfile::TempPath;
use tokio::sync::watch;

use super::common::{ct_file, stored, wait_for_port};
use super::house::{House, destination, free_port};
use super::{STUDY, python};

/// The PACS of the first site: it may not send of its own accord.
const PACS: Peer = Peer {
    site: SiteId(1),
    endpoint: EndpointId(3),
    private_classes: false,
    stores: false,
    queries: false,
    limits: SiteLimits::NONE,
};

/// A process that ends with the test.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// pynetdicom as PACS_A.
struct Pacs {
    port: u16,
    said: mpsc::Receiver<Value>,
    _files: Vec<TempPath>,
    _process: Served,
}

impl Pacs {
    async fn start(mode: &str, files: &[Vec<u8>]) -> Self {
        let port = free_port();
        let files: Vec<TempPath> = files.iter().map(|file| stored(file)).collect();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/pacs.py");
        let mut process = Command::new(python())
            .args([script, &port.to_string(), mode])
            .args(&files)
            .stdout(Stdio::piped())
            .spawn()
            .expect("pynetdicom is installed");
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let (tell, said) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = tell.send(serde_json::from_str(&line).unwrap());
            }
        });
        let ready = tokio::task::spawn_blocking(move || (said.recv_timeout(Duration::from_secs(30)), said));
        let (ready, said) = ready.await.unwrap();
        assert_eq!(ready.expect("it did not begin"), json!(["ready"]));
        Self { port, said, _files: files, _process: Served(process) }
    }

    /// The next thing it says.
    async fn says(&mut self) -> Value {
        for _ in 0..250 {
            if let Ok(said) = self.said.try_recv() {
                return said;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it said nothing");
    }
}

fn images(count: usize) -> Vec<Vec<u8>> {
    (1..=count).map(|number| ct_file(STUDY, number, 40_000)).collect()
}

fn running() -> watch::Receiver<bool> {
    let (sender, stop) = watch::channel(false);
    std::mem::forget(sender);
    stop
}

async fn get_with(house: &House, port: u16, wanted: &Wanted, peer: Peer) -> Result<Got, SendError> {
    let to = destination("PACS_A", port);
    let known = Known { modalities: vec!["CT".to_owned()], ..Known::default() };
    scu::get(&to, (&house.receiver, peer), STUDY, wanted, &known, running()).await
}

async fn get(house: &House, port: u16) -> Result<Got, SendError> {
    get_with(house, port, &Wanted::Study, PACS).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_study_is_fetched_from_dcmtks_archive_as_it_is_there() {
    let house = House::new(1).await;
    let port = free_port();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("dcmqrscp.cfg");
    let storage = folder.path().join("PACS_A");
    std::fs::create_dir(&storage).unwrap();
    let table = format!("PACS_A {} RW (200, 1024mb) ANY", storage.display());
    let text = format!(
        "NetworkTCPPort = {port}\nMaxPDUSize = 16384\nMaxAssociations = 16\nHostTable BEGIN\nHostTable END\n\
         VendorTable BEGIN\nVendorTable END\nAETable BEGIN\n{table}\nAETable END\n"
    );
    std::fs::write(&config, text).unwrap();
    let process = Command::new("dcmqrscp").args(["-q", "-c"]).arg(&config).spawn().expect("dcmtk must be installed");
    let _served = Served(process);
    wait_for_port(port).await;
    let to = destination("PACS_A", port);
    let files: Vec<bytes::Bytes> = images(5).into_iter().map(Into::into).collect();
    assert!(scu::send(&to, &files).await.unwrap().iter().all(scu::Sent::is_kept));

    let known = scu::study_kinds(&to, STUDY).await.unwrap();
    assert_eq!(known.modalities, ["CT"], "of its series, since it does not say it of a study");
    let listed = scu::study_images(&to, STUDY).await.unwrap();
    assert_eq!((listed.len(), listed[0].1.len()), (1, 5));
    let got = scu::get(&to, (&house.receiver, PACS), STUDY, &Wanted::Study, &known, running()).await.unwrap();
    assert_eq!((got.kept(), got.tally.new, got.failed, got.refused.clone()), (5, 5, 0, None), "{got:?}");
    for file in &files {
        let name = dokuei_dicom_gateway::intake::ReceivedObject::from_file(file).unwrap();
        let header = name.header().unwrap().unwrap().sop_instance.to_string();
        let key = house.sql(&format!("SELECT object_key FROM instances WHERE sop_instance_uid = '{header}'"));
        let kept = std::fs::read(house.folder.path().join("objects").join(key)).unwrap();
        assert!(kept.ends_with(&file[400..]), "a data set was altered");
    }
    let arrival = "SELECT via, endpoint_id, calling_ae, kept, outcome FROM arrivals";
    assert_eq!(house.sql(arrival), "get|3|PACS_A|5|released");

    let some = Wanted::Images(vec![(listed[0].0.clone(), listed[0].1[1..3].to_vec())]);
    let again = scu::get(&to, (&house.receiver, PACS), STUDY, &some, &known, running()).await.unwrap();
    assert_eq!((again.tally.new, again.tally.repeated), (0, 2), "two by name, which are here already");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_dies_in_the_middle_of_an_image_loses_nothing_that_was_answered() {
    let house = House::new(1).await;
    let mut dying = Pacs::start("dies", &images(4)).await;
    assert_eq!(get(&house, dying.port).await, Err(SendError::Lost));
    assert_eq!(dying.says().await[0], "asked");
    for _ in 0..3 {
        assert_eq!(dying.says().await, json!(["answered", "0x0"]));
    }
    assert_eq!(house.sql("SELECT count(*) FROM instances"), "3", "what was answered is here, the half of one is not");
    assert_eq!(house.sql("SELECT kept, failed, outcome FROM arrivals"), "3|0|lost");
    let left = walk(house.folder.path());
    assert!(!left.iter().any(|path| path.contains("tmp") || path.contains("part")), "{left:?}");

    let mut living = Pacs::start("sends", &images(4)).await;
    let rest = Wanted::Images(vec![(format!("{STUDY}.1"), vec![format!("{STUDY}.1.4")])]);
    let got = get_with(&house, living.port, &rest, PACS).await.unwrap();
    assert_eq!((got.tally.new, got.tally.repeated), (1, 0), "the rest alone is asked for");
    let asked = living.says().await;
    assert_eq!((&asked[1], &asked[2]), (&json!("IMAGE"), &json!(1)));
    assert_eq!(house.sql("SELECT count(*) FROM instances"), "4");
}

/// Every file below a folder.
fn walk(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path.display().to_string()) }
    }
    found.retain(|path| !path.contains("sqlite"));
    found.iter().map(|path| path.replace(&folder.display().to_string(), "")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_asked_for_is_refused_and_the_rest_is_taken() {
    let house = House::new(1).await;
    let mut files = images(2);
    files.insert(1, ct_file("1.2.826.555", 1, 2_000));
    let mut pacs = Pacs::start("sends", &files).await;
    let got = get(&house, pacs.port).await.unwrap();
    assert_eq!((got.tally.new, got.tally.unasked, got.failed), (2, 1, 1), "{got:?}");
    pacs.says().await;
    let answers = [pacs.says().await, pacs.says().await, pacs.says().await];
    assert_eq!(answers, [json!(["answered", "0x0"]), json!(["answered", "0x124"]), json!(["answered", "0x0"])]);
    assert_eq!(house.sql("SELECT DISTINCT study_uid FROM studies"), STUDY, "no study appears that nobody asked for");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_under_another_class_than_agreed_on_is_refused() {
    let house = House::new(1).await;
    let mut pacs = Pacs::start("claims", &images(1)).await;
    let got = get(&house, pacs.port).await.unwrap();
    assert_eq!(pacs.says().await[0], "asked");
    assert_eq!(pacs.says().await, json!(["answered", "0x122"]));
    assert_eq!((got.kept(), got.refused.map(|(status, _)| status.0)), (0, Some(0xA702)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_without_the_service_or_the_roles_is_said_to_be_so() {
    let house = House::new(1).await;
    let deaf = Pacs::start("no-get", &images(1)).await;
    assert_eq!(get(&house, deaf.port).await, Err(SendError::NoGet));
    let mute = Pacs::start("no-roles", &images(1)).await;
    let error = get(&house, mute.port).await.unwrap_err();
    assert_eq!(error, SendError::NoStorage);
    assert!(error.to_string().contains("Choose C-MOVE") && !error.is_transient());
    let empty = Pacs::start("nothing", &images(1)).await;
    let got = get(&house, empty.port).await.unwrap();
    assert_eq!((got.kept(), got.refused), (0, None), "a success with nothing in it is seen for what it is");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_falls_silent_is_left_and_what_came_is_kept() {
    let house = House::new(1).await;
    let pacs = Pacs::start("hangs", &images(3)).await;
    let mut to = destination("PACS_A", pacs.port);
    to.timeouts.answer = Duration::from_secs(1);
    let known = Known::default();
    let begun = Instant::now();
    let ended = scu::get(&to, (&house.receiver, PACS), STUDY, &Wanted::Study, &known, running()).await;
    assert_eq!(ended, Err(SendError::TimedOut));
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert_eq!(house.sql("SELECT count(*) FROM instances"), "1");
    assert_eq!(house.sql("SELECT outcome FROM arrivals"), "timeout");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fetch_that_is_not_wanted_any_more_is_cancelled() {
    let house = House::new(1).await;
    let mut pacs = Pacs::start("pauses", &images(40)).await;
    let (cancel, stop) = watch::channel(false);
    let to = destination("PACS_A", pacs.port);
    let known = Known { classes: vec!["1.2.840.10008.5.1.4.1.1.2".to_owned()], ..Known::default() };
    let wanted = Wanted::Study;
    let getting = scu::get(&to, (&house.receiver, PACS), STUDY, &wanted, &known, stop);
    let stopping = async {
        while house.sql("SELECT count(*) FROM instances") == "0" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        cancel.send(true).unwrap();
    };
    let (ended, ()) = tokio::join!(getting, stopping);
    assert_eq!(ended, Err(SendError::Stopped));
    let asked = pacs.says().await;
    assert_eq!(asked[3], 4, "C-GET, and of the one class that is known native, deflated and big endian: {asked}");
    loop {
        let said = pacs.says().await;
        if said[0] == "cancelled" {
            assert!(said[1].as_u64().unwrap() < 39, "{said}");
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_limits_of_the_site_hold_for_what_is_fetched() {
    let house = House::new(1).await;
    let pacs = Pacs::start("sends", &images(4)).await;
    let limits = SiteLimits { objects: Some(2), ..SiteLimits::NONE };
    let ended = get_with(&house, pacs.port, &Wanted::Study, Peer { limits, ..PACS }).await;
    assert!(matches!(ended, Err(SendError::Cut(_))), "{ended:?}");
    assert_eq!(house.sql("SELECT count(*) FROM instances"), "2");
    let full = Volume { most: 10, came: 10 };
    let limits = SiteLimits { day: Some(full), ..SiteLimits::NONE };
    let ended = get_with(&house, pacs.port, &Wanted::Study, Peer { limits, ..PACS }).await;
    assert!(matches!(ended, Err(SendError::NoPlace(_))), "{ended:?}");
}
