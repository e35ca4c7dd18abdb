//! Objects that are too long for memory go through a file.

use crate::archive::{House, files_below};
use crate::common::{Gateway, ct_file, dcmtk};
use dokuei_dicom_gateway::header;
use dokuei_dicom_gateway::scp::Limits;

const LONG: usize = 24 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_object_is_kept_byte_for_byte_and_is_a_repeat_the_second_time() {
    let house = House::with_journal(64 << 20);
    // Less memory for objects on their way than one of them has bytes.
    let limits = Limits { in_flight: 8 << 20, ..Limits::default() };
    let gateway = Gateway::start(house.archive.clone(), limits).await;
    let folder = tempfile::tempdir().unwrap();
    let (file, path) = (ct_file("1.2.826.70", 1, LONG), folder.path().join("long.dcm"));
    std::fs::write(&path, &file).unwrap();
    let (port, path) = (gateway.port.to_string(), path.to_str().unwrap().to_owned());
    for _ in 0..2 {
        let args = ["-aet", "HOSPITAL_A", "-aec", "DOKUEI", "127.0.0.1", &port, &path];
        let store = dcmtk("storescu", &args).await;
        assert!(store.ok, "{}", store.text);
    }
    let ended = gateway.summaries(2).await;
    assert_eq!((ended[0].tally.new, ended[1].tally.repeated), (1, 1));
    let row = house.sql("SELECT object_key, sha256, size, image_rows FROM instances");
    let (key, rest) = row.split_once('|').unwrap();
    let kept = house.objects.get_checked(key, rest.split('|').next().unwrap()).await.unwrap();
    let (ours, theirs) = (header::split_file(&kept).unwrap(), header::split_file(&file).unwrap());
    assert!(kept[ours.dataset_at..] == file[theirs.dataset_at..], "the data set must be kept as sent");
    assert_eq!(files_below(&house.folder.path().join("objects/spool")), 0, "nothing is left behind");
    assert_eq!(files_below(&house.folder.path().join("objects/instances")), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_object_that_is_broken_off_leaves_nothing_behind() {
    let house = House::new();
    let limits = Limits { object: 10 << 20, ..Limits::default() };
    let gateway = Gateway::start(house.archive.clone(), limits).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.dcm");
    std::fs::write(&path, ct_file("1.2.826.71", 1, LONG)).unwrap();
    let (port, path) = (gateway.port.to_string(), path.to_str().unwrap().to_owned());
    let store = dcmtk("storescu", &["-aet", "HOSPITAL_A", "-aec", "DOKUEI", "127.0.0.1", &port, &path]).await;
    assert!(!store.ok || store.text.contains("A700"), "{}", store.text);
    let ended = gateway.summaries(1).await;
    assert_eq!((ended[0].tally.new, ended[0].tally.failed), (0, 1));
    assert_eq!(files_below(&house.folder.path().join("objects")), 0);
}
