//! Receiving through the journal: what is answered can be read at once, and survives whatever comes then.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::archive::{House, files_below};
use crate::common::{Gateway, ct_file, dcmtk};
use dokuei_dicom_gateway::ae_title::AeTitle;
use dokuei_dicom_gateway::intake::{IndexedArchive, replay};
use dokuei_dicom_gateway::scp::Limits;
use dokuei_dicom_gateway::scu::{self, Destination, Timeouts};
use dokuei_models::Db;
use dokuei_models::db::DatabaseUrl;
use dokuei_models::objects::{Objects, ObjectsUrl};
use dokuei_models::store::studies;

const JOURNAL: u64 = 64 << 20;

fn to(port: u16) -> Destination {
    Destination {
        host: "127.0.0.1".to_owned(),
        port,
        called_ae: AeTitle::parse("DOKUEI").unwrap(),
        calling_ae: AeTitle::parse("HOSPITAL_A").unwrap(),
        timeouts: Timeouts::default(),
        tls: None,
    }
}

async fn keys(db: &Db) -> Vec<(String, String)> {
    let mut keys = Vec::new();
    for study in 1..=3 {
        let rows = db.read(move |conn| studies::instance_list(conn, dokuei_models::StudyId(study))).await.unwrap();
        keys.extend(rows.into_iter().map(|row| (row.object_key, row.sha256)));
    }
    keys
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_request_reads_what_was_answered() {
    let house = House::with_journal(JOURNAL);
    let gateway = Gateway::start(house.archive.clone(), Limits::default()).await;
    for number in 1..=40 {
        let file = ct_file("1.2.826.60", number, 20_000);
        let sent = scu::send(&to(gateway.port), &[file.into()]).await.unwrap();
        assert!(sent[0].is_kept());
        let rows = keys(&house.db).await;
        assert_eq!(rows.len(), number, "the row is seen by whoever asks next");
        let (key, sha256) = rows.last().unwrap();
        house.objects.get_checked(key, sha256).await.expect("and so are its bytes");
    }
    gateway.summaries(40).await;
    assert_eq!(house.sql("SELECT sum(kept), sum(repeated) FROM arrivals"), "40|0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_is_filed_after_a_crash_that_took_its_rows() {
    let house = House::with_journal(JOURNAL);
    let gateway = Gateway::start(house.archive.clone(), Limits::default()).await;
    let sent = tempfile::tempdir().unwrap();
    for number in 1..=6 {
        std::fs::write(sent.path().join(format!("{number}.dcm")), ct_file("1.2.826.61", number, 30_000)).unwrap();
    }
    let (port, path) = (gateway.port.to_string(), sent.path().to_str().unwrap().to_owned());
    let args = ["-aet", "HOSPITAL_A", "-aec", "DOKUEI", "+sd", "127.0.0.1", &port, &path];
    let store = dcmtk("storescu", &args).await;
    assert!(store.ok, "{}", store.text);
    gateway.summaries(1).await;
    // What the disk holds at this moment, less the rows: as if the power went before they were written.
    let after = tempfile::tempdir().unwrap();
    copy(house.folder.path(), after.path());
    let lost = "PRAGMA foreign_keys = OFF; DELETE FROM jobs; DELETE FROM instances; DELETE FROM series; DELETE FROM \
                studies; DELETE FROM patients;";
    let database = after.path().join("dokuei.sqlite");
    assert!(Command::new("sqlite3").arg(&database).arg(lost).status().unwrap().success());
    let db = Db::open(&DatabaseUrl::Sqlite(database)).unwrap();
    assert!(keys(&db).await.is_empty());
    let url = ObjectsUrl::Folder(after.path().join("objects"));
    let (objects, left) = Objects::open_journaled(&url, JOURNAL).unwrap();
    assert_eq!(replay(&IndexedArchive::new(db.clone(), objects.clone()), left).await.unwrap(), 6);
    let rows = keys(&db).await;
    assert_eq!(rows.len(), 6);
    for (key, sha256) in &rows {
        objects.get_checked(key, sha256).await.unwrap();
    }
    // Moved into files of their own, they leave nothing for the next start.
    for _ in 0..400 {
        if objects.journal().unwrap().used() == 0 && files_below(&after.path().join("objects/instances")) == 6 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(1200)).await;
    let again = tempfile::tempdir().unwrap();
    copy(after.path(), again.path());
    let (objects, left) = Objects::open_journaled(&ObjectsUrl::Folder(again.path().join("objects")), JOURNAL).unwrap();
    assert!(left.is_empty(), "{} records would be filed again", left.len());
    for (key, sha256) in &rows {
        objects.get_checked(key, sha256).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_journal_holds_twice_is_a_repeat_and_other_bytes_are_kept_apart() {
    let house = House::with_journal(JOURNAL);
    let gateway = Gateway::start(house.archive.clone(), Limits::default()).await;
    let file = ct_file("1.2.826.62", 1, 3_000);
    let mut other = file.clone();
    *other.last_mut().unwrap() ^= 1;
    let sent = scu::send(&to(gateway.port), &[file.clone().into(), file.into(), other.into()]).await.unwrap();
    assert!(sent.iter().all(scu::Sent::is_kept));
    let ended = gateway.summaries(1).await;
    let tally = &ended[0].tally;
    assert_eq!((tally.new, tally.repeated, tally.conflicting), (1, 1, 1));
    assert_eq!(house.sql("SELECT count(*) FROM instances"), "1");
    let apart = house.sql("SELECT difference FROM instance_versions WHERE standing <> 'current'");
    assert_eq!(apart, "pixels", "a person decides");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}
