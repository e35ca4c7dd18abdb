//! The gateway against DCMTK's tools, over real connections on free ports.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::common::{Gateway, MemoryArchive, ct_file, dcmtk, stored};
use dokuei_dicom_gateway::ae_title::AeTitle;
use dokuei_dicom_gateway::dimse::Status;
use dokuei_dicom_gateway::header;
use dokuei_dicom_gateway::scp::{Limits, Outcome, Refusal};
use dokuei_dicom_gateway::scu::{self, Destination, SendError, Sent, Timeouts};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn to(port: u16, called: &str, calling: &str) -> Destination {
    Destination {
        host: "127.0.0.1".to_owned(),
        port,
        called_ae: AeTitle::parse(called).unwrap(),
        calling_ae: AeTitle::parse(calling).unwrap(),
        timeouts: Timeouts { connect: Duration::from_secs(5), answer: Duration::from_secs(20) },
        tls: None,
    }
}

/// A viewer's AE title: it may be here and query, and what it sends is refused with the reason.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_only_query_cannot_send() {
    let gateway = Gateway::start(MemoryArchive::default(), Limits::default()).await;
    let file = ct_file("1.2.826.77", 1, 1_000).into();
    let sent = scu::send(&to(gateway.port, "DOKUEI", "READS_ONLY"), &[file]).await.unwrap();
    let Sent::Refused { status, comment } = &sent[0] else { panic!("{sent:?}") };
    assert_eq!((*status, comment.as_str()), (Status::NOT_AUTHORIZED, "this AE title may query here, not send"));
    assert!(gateway.archive.objects().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_echo_is_answered_and_a_stranger_is_refused_with_the_reason() {
    let gateway = Gateway::start(MemoryArchive::default(), Limits::default()).await;
    let port = gateway.port.to_string();
    let echo = dcmtk("echoscu", &["-aet", "HOSPITAL_A", "-aec", "DOKUEI", "127.0.0.1", &port]).await;
    assert!(echo.ok, "{}", echo.text);
    let stranger = dcmtk("echoscu", &["-aet", "STRANGER", "-aec", "DOKUEI", "127.0.0.1", &port]).await;
    assert!(!stranger.ok && stranger.text.contains("Calling AE Title Not Recognized"), "{}", stranger.text);
    let wrong = dcmtk("echoscu", &["-aet", "HOSPITAL_A", "-aec", "ORTHANC", "127.0.0.1", &port]).await;
    assert!(!wrong.ok && wrong.text.contains("Called AE Title Not Recognized"), "{}", wrong.text);
    let ended = gateway.summaries(3).await;
    assert_eq!((ended[0].outcome, ended[0].tally.echoes), (Outcome::Released, 1));
    assert_eq!(ended[1].outcome, Outcome::Refused(Refusal::CallingUnknown));
    assert_eq!(ended[2].outcome, Outcome::Refused(Refusal::CalledUnknown));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_storescu_sends_is_kept_byte_for_byte_and_counted() {
    let gateway = Gateway::start(MemoryArchive::default(), Limits::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let mut sent = Vec::new();
    for number in 1..=5 {
        let file = ct_file("1.2.826.77", number, 300_001);
        let path = folder.path().join(format!("{number}.dcm"));
        std::fs::write(&path, &file).unwrap();
        sent.push(file);
    }
    let store = dcmtk(
        "storescu",
        &[
            "-aet",
            "HOSPITAL_A",
            "-aec",
            "DOKUEI",
            "+sd",
            "127.0.0.1",
            &gateway.port.to_string(),
            folder.path().to_str().unwrap(),
        ],
    )
    .await;
    assert!(store.ok, "{}", store.text);
    let kept = gateway.archive.objects();
    assert_eq!(kept.len(), 5);
    for file in &sent {
        let dataset = &file[header::split_file(file).unwrap().dataset_at..];
        assert!(kept.iter().any(|object| object.dataset().unwrap() == dataset), "the data set must be kept as sent");
    }
    let summary = &gateway.summaries(1).await[0];
    assert_eq!(summary.outcome, Outcome::Released);
    assert_eq!((summary.tally.new, summary.tally.failed), (5, 0));
    assert_eq!(summary.tally.studies.values().sum::<u32>(), 5);
    assert!(summary.tally.bytes > 1_500_000);
    assert_eq!(gateway.archive.closed.lock().unwrap().as_slice(), ["released"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_archive_is_heard_by_the_sender() {
    let archive = MemoryArchive::default();
    archive.failing.store(true, Ordering::SeqCst);
    let gateway = Gateway::start(archive, Limits::default()).await;
    let file = ct_file("1.2.826.78", 1, 2_000);
    let path = stored(&file);
    let port = gateway.port.to_string();
    let store =
        dcmtk("storescu", &["-v", "-aet", "HOSPITAL_A", "-aec", "DOKUEI", "127.0.0.1", &port, path.to_str().unwrap()])
            .await;
    assert!(store.text.contains("Refused: OutOfResources"), "{}", store.text);
    let sent = scu::send(&to(gateway.port, "DOKUEI", "HOSPITAL_A"), &[file.into()]).await.unwrap();
    assert!(
        matches!(&sent[0], Sent::Refused { status: Status::OUT_OF_RESOURCES, comment } if comment.contains("unavailable")),
        "{sent:?}"
    );
    assert!(sent[0].is_transient());
    assert_eq!(gateway.archive.objects().len(), 0);
    assert_eq!(gateway.summaries(2).await[1].tally.failed, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn success_is_answered_only_after_the_archive_has_returned() {
    let archive = MemoryArchive::default();
    let gate = archive.gate.clone();
    gate.forget_permits(gate.available_permits());
    let gateway = Gateway::start(archive, Limits::default()).await;
    let destination = to(gateway.port, "DOKUEI", "HOSPITAL_A");
    let file = ct_file("1.2.826.79", 1, 2_000);
    let mut sending = tokio::spawn(async move { scu::send(&destination, &[file.into()]).await });
    let early = tokio::time::timeout(Duration::from_millis(500), &mut sending).await;
    assert!(early.is_err(), "nothing may be answered while the archive is at work: {early:?}");
    gate.add_permits(1);
    let sent = sending.await.unwrap().unwrap();
    assert_eq!(sent, [Sent::Kept(Status::SUCCESS)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_killed_in_the_middle_leaves_nothing_half() {
    let gateway = Gateway::start(MemoryArchive::default(), Limits::default()).await;
    let path = stored(&ct_file("1.2.826.80", 1, 60_000_000));
    let mut child = std::process::Command::new("storescu")
        .args(["-aet", "HOSPITAL_A", "-aec", "DOKUEI", "-pdu", "4096", "127.0.0.1", &gateway.port.to_string()])
        .arg(&path)
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    gateway.desk.admitted.notified().await;
    tokio::time::sleep(Duration::from_millis(15)).await;
    child.kill().unwrap();
    child.wait().unwrap();
    let summary = &gateway.summaries(1).await[0];
    assert_eq!((summary.outcome, summary.tally.new), (Outcome::Lost, 0));
    assert!(summary.tally.bytes < 60_000_000, "the kill came too late to mean anything");
    assert_eq!(gateway.archive.objects().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn storescp_gets_what_we_send_and_every_refusal_has_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let port = crate::common::free_port();
    let mut peer = std::process::Command::new("storescp")
        .args(["-aet", "PACS", "-od", folder.path().to_str().unwrap(), &port.to_string()])
        .spawn()
        .unwrap();
    crate::common::wait_for_port(port).await;
    let destination = to(port, "PACS", "DOKUEI");
    scu::echo(&destination).await.unwrap();
    let files: Vec<bytes::Bytes> = (1..=3).map(|number| ct_file("1.2.826.81", number, 5_000).into()).collect();
    let mut mixed = files.clone();
    mixed.insert(1, bytes::Bytes::from_static(b"this is no DICOM object"));
    mixed.push(ct_file("1.2.826.81", 4, scu::MAX_WHOLE).into());
    let sent = scu::send(&destination, &mixed).await.unwrap();
    peer.kill().unwrap();
    peer.wait().unwrap();
    assert_eq!((&sent[1], &sent[4]), (&Sent::Unreadable, &Sent::TooLong));
    assert_eq!(sent.iter().filter(|one| one.is_kept()).count(), 3, "{sent:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
    let gone = scu::echo(&destination).await.unwrap_err();
    assert!(matches!(gone, SendError::Unreachable { .. }) && gone.to_string().contains("cannot be reached"), "{gone}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_takes_only_implicit_gets_implicit() {
    let folder = tempfile::tempdir().unwrap();
    let port = crate::common::free_port();
    let mut peer = std::process::Command::new("storescp")
        .args(["+xi", "-aet", "PACS", "-od", folder.path().to_str().unwrap(), &port.to_string()])
        .spawn()
        .unwrap();
    crate::common::wait_for_port(port).await;
    let sent = scu::send(&to(port, "PACS", "DOKUEI"), &[ct_file("1.2.826.82", 1, 5_000).into()]).await.unwrap();
    peer.kill().unwrap();
    peer.wait().unwrap();
    assert_eq!(sent, [Sent::Kept(Status::SUCCESS)]);
    let file = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let read = header::read_file(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(read.transfer_syntax, "1.2.840.10008.1.2");
    assert_eq!(read.patient.name.ideographic(), "松本^一郎");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn we_are_refused_by_ourselves_with_words_for_a_dispatcher() {
    let gateway = Gateway::start(MemoryArchive::default(), Limits::default()).await;
    let calling = scu::echo(&to(gateway.port, "DOKUEI", "STRANGER")).await.unwrap_err();
    assert_eq!(calling.to_string(), "The peer does not know us as STRANGER: our AE title must be registered there.");
    let called = scu::echo(&to(gateway.port, "OTHER", "HOSPITAL_A")).await.unwrap_err();
    assert!(matches!(called, SendError::CalledNotRecognized(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_peer_and_a_huge_pdu_are_sent_away_and_others_still_served() {
    let limits = Limits {
        request: Duration::from_millis(300),
        idle: Duration::from_millis(400),
        per_address: 2,
        ..Limits::default()
    };
    let gateway = Gateway::start(MemoryArchive::default(), limits).await;
    let address = ("127.0.0.1", gateway.port);
    let mut silent = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut huge = tokio::net::TcpStream::connect(address).await.unwrap();
    huge.write_all(&[1, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 1]).await.unwrap();
    for stream in [&mut silent, &mut huge] {
        let mut answer = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(3), stream.read_to_end(&mut answer)).await;
        assert!(closed.is_ok(), "the connection must be closed");
    }
    scu::echo(&to(gateway.port, "DOKUEI", "HOSPITAL_A")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shutdown_ends_waiting_associations_at_once() {
    let gateway = Gateway::start(MemoryArchive::default(), Limits::default()).await;
    let archive_gate = gateway.archive.gate.clone();
    archive_gate.forget_permits(archive_gate.available_permits());
    let destination = to(gateway.port, "DOKUEI", "HOSPITAL_A");
    let file = ct_file("1.2.826.83", 1, 2_000);
    let sending = tokio::spawn(async move { scu::send(&destination, &[file.into()]).await });
    gateway.archive.entered.notified().await;
    gateway.shutdown.send(true).unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    archive_gate.add_permits(1);
    let sent = sending.await.unwrap().unwrap();
    assert_eq!(sent, [Sent::Kept(Status::SUCCESS)], "an object under way is finished and answered");
    let ended = gateway.finished().await;
    assert!(matches!(ended[0].outcome, Outcome::ShutDown | Outcome::Released), "{:?}", ended[0].outcome);
}
