//! What no well-behaved peer sends, and what large ones do.

use std::time::Duration;

use bytes::BytesMut;
use dicom_ul::pdu::{
    AssociationRQ, PDataValue, PDataValueType, Pdu, PresentationContextProposed, PresentationContextResultReason,
    UserVariableItem, read_pdu, write_pdu,
};
use dokuei_dicom_gateway::dimse::{Command, Kind, Status, VERIFICATION};
use dokuei_dicom_gateway::header;
use dokuei_dicom_gateway::scp::{Limits, Outcome};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::archive::House;
use crate::common::{Gateway, MemoryArchive, ct_file};

pub const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";

/// A peer that sends exactly the PDUs it is told to.
pub struct RawPeer {
    stream: TcpStream,
    buffer: BytesMut,
}

impl RawPeer {
    pub async fn connect(
        port: u16,
        contexts: Vec<PresentationContextProposed>,
        more: Vec<UserVariableItem>,
    ) -> (Self, Pdu) {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let mut peer = Self { stream, buffer: BytesMut::new() };
        let request = AssociationRQ {
            protocol_version: 1,
            calling_ae_title: "HOSPITAL_A".to_owned(),
            called_ae_title: "DOKUEI".to_owned(),
            application_context_name: "1.2.840.10008.3.1.1.1".to_owned(),
            presentation_contexts: contexts,
            user_variables: [vec![UserVariableItem::MaxLength(16_384)], more].concat(),
        };
        peer.send(&request.into()).await;
        let answer = peer.receive().await;
        (peer, answer)
    }

    /// Context 1 for CT, context 3 for echoes.
    pub async fn with_ct(port: u16) -> Self {
        Self::connect(port, vec![context(1, CT, &[EXPLICIT]), context(3, VERIFICATION, &["1.2.840.10008.1.2"])], vec![])
            .await
            .0
    }

    pub async fn send(&mut self, pdu: &Pdu) {
        let mut bytes = Vec::new();
        write_pdu(&mut bytes, pdu).unwrap();
        self.stream.write_all(&bytes).await.unwrap();
    }

    pub async fn receive(&mut self) -> Pdu {
        loop {
            if let Some(pdu) = read_pdu(&self.buffer[..], 1 << 20, true).unwrap() {
                let length = u32::from_be_bytes(self.buffer[2..6].try_into().unwrap()) as usize;
                let _ = self.buffer.split_to(6 + length);
                return pdu;
            }
            let read = tokio::time::timeout(Duration::from_secs(5), self.stream.read_buf(&mut self.buffer)).await;
            assert_ne!(read.expect("an answer must come").unwrap(), 0, "the connection was closed");
        }
    }

    pub async fn command(&mut self, context: u8, command: &Command) {
        self.send(&Pdu::PData { data: vec![value(context, PDataValueType::Command, true, command.write())] }).await;
    }

    pub async fn dataset(&mut self, context: u8, dataset: &[u8]) {
        self.send(&Pdu::PData { data: vec![value(context, PDataValueType::Data, true, dataset.to_vec())] }).await;
    }

    pub async fn answer(&mut self) -> Command {
        match self.receive().await {
            Pdu::PData { data } => Command::read(&data[0].data).unwrap(),
            other => panic!("not an answer: {other:?}"),
        }
    }

    pub async fn echo_works(&mut self) {
        self.command(3, &Command::echo_request(99)).await;
        assert_eq!(self.answer().await.status, Some(Status::SUCCESS));
    }
}

pub fn context(id: u8, class: &str, syntaxes: &[&str]) -> PresentationContextProposed {
    PresentationContextProposed {
        id,
        abstract_syntax: class.to_owned(),
        transfer_syntaxes: syntaxes.iter().map(|&one| one.to_owned()).collect(),
    }
}

pub fn value(context: u8, value_type: PDataValueType, is_last: bool, data: Vec<u8>) -> PDataValue {
    PDataValue { presentation_context_id: context, value_type, is_last, data }
}

fn dataset(number: usize) -> Vec<u8> {
    let file = ct_file("1.2.826.60", number, 2_000);
    file[header::split_file(&file).unwrap().dataset_at..].to_vec()
}

#[tokio::test]
async fn a_message_in_the_smallest_fragments_is_put_together() {
    let gateway = Gateway::start(MemoryArchive::default(), Limits::default()).await;
    let mut peer = RawPeer::with_ct(gateway.port).await;
    let command = Command::store_request(5, CT, "1.2.826.60.1.1").write();
    for (at, byte) in command.iter().enumerate() {
        let last = at + 1 == command.len();
        peer.send(&Pdu::PData { data: vec![value(1, PDataValueType::Command, last, vec![*byte])] }).await;
    }
    // Several fragments in one PDU, an empty one among them.
    let dataset = dataset(1);
    let parts = dataset.chunks(100).map(|part| value(1, PDataValueType::Data, false, part.to_vec()));
    let mut data: Vec<PDataValue> = parts.collect();
    data.push(value(1, PDataValueType::Data, true, Vec::new()));
    peer.send(&Pdu::PData { data }).await;
    let answer = peer.answer().await;
    assert_eq!((answer.kind, answer.message_id, answer.status), (Kind::StoreResponse, 5, Some(Status::SUCCESS)));
    assert_eq!(gateway.archive.objects()[0].dataset().unwrap(), dataset);
}

#[tokio::test]
async fn uids_that_are_none_are_answered_and_the_association_goes_on() {
    let gateway = Gateway::start(MemoryArchive::default(), Limits::default()).await;
    let mut peer = RawPeer::with_ct(gateway.port).await;
    for (class, instance, status) in [
        (CT, "not a uid", Status::INVALID_INSTANCE),
        (CT, "", Status::INVALID_INSTANCE),
        (CT, "1.2..3", Status::INVALID_INSTANCE),
        ("1.2.840.10008.5.1.4.1.1.4", "1.2.3", Status::CLASS_NOT_SUPPORTED),
    ] {
        peer.command(1, &Command::store_request(1, class, instance)).await;
        peer.dataset(1, &dataset(1)).await;
        let answer = peer.answer().await;
        assert_eq!(answer.status, Some(status), "{instance}");
        assert!(answer.error_comment.is_some_and(|comment| !comment.is_empty()));
    }
    peer.echo_works().await;
    assert_eq!(gateway.archive.objects().len(), 0);
}

#[tokio::test]
async fn a_store_without_data_set_and_an_unknown_service_are_answered() {
    let gateway = Gateway::start(MemoryArchive::default(), Limits::default()).await;
    let mut peer = RawPeer::with_ct(gateway.port).await;
    let mut bare = Command::store_request(1, CT, "1.2.3");
    bare.has_dataset = false;
    peer.command(1, &bare).await;
    assert_eq!(peer.answer().await.status, Some(Status::CANNOT_UNDERSTAND));
    let mut find = Command::echo_request(2);
    find.kind = Kind::FindRequest;
    peer.command(3, &find).await;
    let answer = peer.answer().await;
    assert_eq!((answer.kind, answer.status), (Kind::FindResponse, Some(Status::UNRECOGNIZED_OPERATION)));
    peer.echo_works().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_set_that_is_another_instance_than_announced_is_a_mismatch() {
    let house = House::new();
    let gateway = Gateway::start(house.archive.clone(), Limits::default()).await;
    let mut peer = RawPeer::with_ct(gateway.port).await;
    peer.command(1, &Command::store_request(1, CT, "1.2.826.60.1.999")).await;
    peer.dataset(1, &dataset(1)).await;
    assert_eq!(peer.answer().await.status, Some(Status::MISMATCH));
    assert_eq!(house.sql("SELECT (SELECT count(*) FROM instances) + (SELECT count(*) FROM quarantine)"), "0");
}

#[tokio::test]
async fn an_object_above_the_size_limit_is_read_over_and_refused() {
    let limits = Limits { object: 10_000, ..Limits::default() };
    let gateway = Gateway::start(MemoryArchive::default(), limits).await;
    let mut peer = RawPeer::with_ct(gateway.port).await;
    peer.command(1, &Command::store_request(1, CT, "1.2.826.60.1.1")).await;
    for _ in 0..20 {
        peer.send(&Pdu::PData { data: vec![value(1, PDataValueType::Data, false, vec![0; 4_000])] }).await;
    }
    peer.dataset(1, &[0; 10]).await;
    assert_eq!(peer.answer().await.status, Some(Status::OUT_OF_RESOURCES));
    peer.echo_works().await;
}

#[tokio::test]
async fn a_request_with_every_context_and_16_syntaxes_each_is_accepted() {
    let gateway = Gateway::start(MemoryArchive::default(), Limits::default()).await;
    let syntaxes: Vec<String> = (50..66).map(|number| format!("1.2.840.10008.1.2.4.{number}")).collect();
    let syntaxes: Vec<&str> = syntaxes.iter().map(String::as_str).collect();
    let contexts = (0..128_u8).map(|index| context(index * 2 + 1, CT, &syntaxes)).collect();
    let asynchronous = UserVariableItem::Unknown(0x53, vec![0, 9, 0, 9]);
    let (_peer, answer) = RawPeer::connect(gateway.port, contexts, vec![asynchronous]).await;
    let Pdu::AssociationAC(accept) = answer else { panic!("not accepted: {answer:?}") };
    assert_eq!(accept.presentation_contexts.len(), 128);
    for result in &accept.presentation_contexts {
        assert_eq!(result.reason, PresentationContextResultReason::Acceptance);
        assert_eq!(result.transfer_syntax, "1.2.840.10008.1.2.4.50");
    }
    assert!(
        accept.user_variables.contains(&UserVariableItem::Unknown(0x53, vec![0, 1, 0, 1])),
        "one operation at a time"
    );
}

#[tokio::test]
async fn a_data_set_where_a_command_must_be_ends_the_association() {
    let gateway = Gateway::start(MemoryArchive::default(), Limits::default()).await;
    let mut peer = RawPeer::with_ct(gateway.port).await;
    peer.dataset(1, b"out of turn").await;
    assert!(matches!(peer.receive().await, Pdu::AbortRQ { .. }));
    assert_eq!(gateway.summaries(1).await[0].outcome, Outcome::ProtocolError);
}
