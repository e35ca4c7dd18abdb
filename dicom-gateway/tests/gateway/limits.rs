//! What one peer or one site takes, and that the others do not feel it.

use std::time::{Duration, Instant};

use dicom_ul::pdu::{PDataValueType, Pdu};
use dokuei_dicom_gateway::ae_title::AeTitle;
use dokuei_dicom_gateway::dimse::{Command, Status};
use dokuei_dicom_gateway::header;
use dokuei_dicom_gateway::scp::{Cut, Limits, Outcome, Refusal, SiteLimits};
use dokuei_dicom_gateway::scu::{self, Destination, SendError, Sent, Timeouts};
use dokuei_dicom_gateway::wire::Pace;

use crate::archive::House;
use crate::common::{Gateway, MemoryArchive, ct_file};
use crate::wire_level::{CT, RawPeer, value};

fn to(port: u16, calling: &str) -> Destination {
    Destination {
        host: "127.0.0.1".to_owned(),
        port,
        called_ae: AeTitle::parse("DOKUEI").unwrap(),
        calling_ae: AeTitle::parse(calling).unwrap(),
        timeouts: Timeouts { connect: Duration::from_secs(5), answer: Duration::from_secs(20) },
        tls: None,
    }
}

fn dataset(number: usize) -> Vec<u8> {
    let file = ct_file("1.2.826.60", number, 2_000);
    file[header::split_file(&file).unwrap().dataset_at..].to_vec()
}

/// The other site sends as if nothing were the matter.
async fn other_site_sends(port: u16, number: usize) {
    let begun = Instant::now();
    let sent = scu::send(&to(port, "HOSPITAL_B"), &[ct_file("1.2.826.61", number, 2_000).into()]).await.unwrap();
    assert_eq!(sent, [Sent::Kept(Status::SUCCESS)]);
    assert!(begun.elapsed() < Duration::from_secs(2), "the other site waited {:?}", begun.elapsed());
}

/// A sender that is never silent for long and never ends would hold its place and its memory for hours.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_that_drips_is_cut_off_and_the_other_site_is_served() {
    let pace = Pace { window: Duration::from_millis(300), bytes: 1_000 };
    let gateway = Gateway::start(MemoryArchive::default(), Limits { pace, ..Limits::default() }).await;
    let mut peer = RawPeer::with_ct(gateway.port).await;
    peer.command(1, &Command::store_request(1, CT, "1.2.826.60.1.1")).await;
    let begun = Instant::now();
    let drip = async {
        loop {
            peer.send(&Pdu::PData { data: vec![value(1, PDataValueType::Data, false, vec![0; 2])] }).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    // It stops to send, one way or the other, when it is cut off.
    let ended = async {
        other_site_sends(gateway.port, 1).await;
        gateway.summaries(2).await
    };
    let ended = tokio::select! {
        () = drip => unreachable!("it drips for ever"),
        ended = ended => ended,
    };
    assert!(begun.elapsed() < Duration::from_secs(5));
    let slow: Vec<_> = ended.iter().filter(|end| end.calling == "HOSPITAL_A").collect();
    assert_eq!(slow[0].outcome, Outcome::Cut(Cut::Slow));
    assert_eq!(slow[0].tally.new, 0);
    other_site_sends(gateway.port, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_line_that_keeps_the_pace_and_a_quiet_association_are_left_alone() {
    let pace = Pace { window: Duration::from_millis(200), bytes: 500 };
    let gateway = Gateway::start(MemoryArchive::default(), Limits { pace, ..Limits::default() }).await;
    let mut peer = RawPeer::with_ct(gateway.port).await;
    let dataset = dataset(1);
    peer.command(1, &Command::store_request(1, CT, "1.2.826.60.1.1")).await;
    let parts: Vec<&[u8]> = dataset.chunks(100).collect();
    for (at, part) in parts.iter().enumerate() {
        let last = at + 1 == parts.len();
        peer.send(&Pdu::PData { data: vec![value(1, PDataValueType::Data, last, part.to_vec())] }).await;
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(peer.answer().await.status, Some(Status::SUCCESS));
    tokio::time::sleep(Duration::from_millis(700)).await;
    peer.echo_works().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_with_all_its_places_taken_is_told_so_and_the_other_site_comes_in() {
    let gateway = Gateway::start(MemoryArchive::default(), Limits { per_site: 2, ..Limits::default() }).await;
    let (_one, mut two) = (RawPeer::with_ct(gateway.port).await, RawPeer::with_ct(gateway.port).await);
    let refused = scu::echo(&to(gateway.port, "HOSPITAL_A")).await.unwrap_err();
    assert_eq!(refused, SendError::Busy);
    assert_eq!(gateway.summaries(1).await[0].outcome, Outcome::Refused(Refusal::SiteBusy));
    other_site_sends(gateway.port, 1).await;
    two.echo_works().await;
    drop(two);
    gateway.summaries(3).await;
    scu::echo(&to(gateway.port, "HOSPITAL_A")).await.unwrap();
}

#[tokio::test]
async fn an_object_too_many_is_refused_with_the_reason_and_who_goes_on_is_cut_off() {
    let gateway = Gateway::start(MemoryArchive::default(), Limits::default()).await;
    *gateway.desk.limits.lock().unwrap() = Some(SiteLimits { objects: Some(2), ..SiteLimits::NONE });
    let mut peer = RawPeer::with_ct(gateway.port).await;
    for number in 1..=3 {
        peer.command(1, &Command::store_request(number, CT, &format!("1.2.826.60.1.{number}"))).await;
        peer.dataset(1, &dataset(usize::from(number))).await;
        let answer = peer.answer().await;
        let wanted = if number < 3 { Status::SUCCESS } else { Status::OUT_OF_RESOURCES };
        assert_eq!(answer.status, Some(wanted));
        assert_eq!(answer.error_comment.is_some(), number == 3);
    }
    peer.echo_works().await;
    peer.command(1, &Command::store_request(4, CT, "1.2.826.60.1.4")).await;
    assert!(matches!(peer.receive().await, Pdu::AbortRQ { .. }));
    let end = &gateway.summaries(1).await[0];
    assert_eq!((end.outcome, end.tally.new, end.tally.failed), (Outcome::Cut(Cut::Objects), 2, 1));
    assert_eq!(end.tally.limited.get("site_objects"), Some(&1));
}

#[tokio::test]
async fn bytes_beyond_what_a_site_may_send_end_the_association_in_the_middle_of_an_object() {
    let gateway = Gateway::start(MemoryArchive::default(), Limits::default()).await;
    *gateway.desk.limits.lock().unwrap() = Some(SiteLimits { bytes: Some(50_000), ..SiteLimits::NONE });
    let mut peer = RawPeer::with_ct(gateway.port).await;
    peer.command(1, &Command::store_request(1, CT, "1.2.826.60.1.1")).await;
    for _ in 0..20 {
        peer.send(&Pdu::PData { data: vec![value(1, PDataValueType::Data, false, vec![0; 4_000])] }).await;
    }
    assert!(matches!(peer.receive().await, Pdu::AbortRQ { .. }));
    let end = &gateway.summaries(1).await[0];
    assert_eq!(end.outcome, Outcome::Cut(Cut::Bytes));
    assert!(end.tally.bytes < 150_000, "{} bytes were read", end.tally.bytes);
    assert_eq!(gateway.archive.objects().len(), 0);
}

#[tokio::test]
async fn an_association_of_a_site_lasts_and_is_silent_as_long_as_that_site_may() {
    let gateway = Gateway::start(MemoryArchive::default(), Limits::default()).await;
    let idle = SiteLimits { idle: Some(Duration::from_millis(200)), ..SiteLimits::NONE };
    *gateway.desk.limits.lock().unwrap() = Some(idle);
    let mut silent = RawPeer::with_ct(gateway.port).await;
    assert!(matches!(silent.receive().await, Pdu::AbortRQ { .. }));
    assert_eq!(gateway.summaries(1).await[0].outcome, Outcome::Cut(Cut::Idle));
    let short = SiteLimits { association: Some(Duration::from_millis(300)), ..SiteLimits::NONE };
    *gateway.desk.limits.lock().unwrap() = Some(short);
    let mut peer = RawPeer::with_ct(gateway.port).await;
    peer.echo_works().await;
    assert!(matches!(peer.receive().await, Pdu::AbortRQ { .. }));
    assert_eq!(gateway.summaries(2).await[1].outcome, Outcome::Cut(Cut::Time));
}

/// A recursive reader dies of it with everything in the process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_depth_bomb_is_kept_apart_and_nobody_feels_it() {
    let house = House::new();
    let gateway = Gateway::start(house.archive.clone(), Limits::default()).await;
    let plain = dataset(1);
    // Up to Series Instance UID, then a sequence in a sequence, 60,000 times over.
    let pixels = plain.windows(4).position(|tag| tag == [0x28, 0, 2, 0]).unwrap();
    let mut bomb = plain[..pixels].to_vec();
    for _ in 0..60_000 {
        bomb.extend([0x40, 0, 0x75, 0x02, b'S', b'Q', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
        bomb.extend([0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF]);
    }
    let mut peer = RawPeer::with_ct(gateway.port).await;
    peer.command(1, &Command::store_request(1, CT, "1.2.826.60.1.1")).await;
    for part in bomb.chunks(100_000) {
        peer.send(&Pdu::PData { data: vec![value(1, PDataValueType::Data, false, part.to_vec())] }).await;
    }
    peer.dataset(1, &[]).await;
    assert_eq!(peer.answer().await.status, Some(Status::SUCCESS), "kept, for a person to look at");
    peer.echo_works().await;
    assert_eq!(house.sql("SELECT count(*) FROM quarantine"), "1");
    assert_eq!(house.sql("SELECT count(*) FROM instances"), "0");
    drop(peer);
    assert_eq!(gateway.summaries(1).await[0].tally.quarantined, 1);
}
