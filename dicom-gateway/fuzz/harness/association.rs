//! Speaks with the receiver as a peer would, with the bytes that are given.
//!
//! The first byte says how the rest is understood: its low two bits as everything the peer sends (0), as what comes
//! behind an association request for every service (1, 2), or as messages whose bytes are put into PDUs here (3), so
//! that lengths need not be guessed; its high bits say how few bytes arrive at a time. The peer is a site's own and may
//! do everything. Nothing may panic, and whatever is answered must be PDUs and command sets itself.
//!
//! The same file is compiled into the fuzz target and into the test that replays its corpus.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use dokuei_dicom_gateway::ae_title::AeTitle;
use dokuei_dicom_gateway::dimse::{Command, VERIFICATION};
use dokuei_dicom_gateway::header;
use dokuei_dicom_gateway::intake::{Archive, Filed, KeepError, Kept, ReceivedObject};
use dokuei_dicom_gateway::scp::{AssociationSummary, Caller, Desk, Limits, Peer, Receiver, Refusal, ScpConfig};
use dokuei_dicom_gateway::wire::{Incoming, Link, Wire};
use dokuei_models::store::images::{ArrivalCounts, NewArrival};
use dokuei_models::{ArrivalId, SiteId};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::Runtime;
use tokio::sync::watch;

#[path = "shelf.rs"]
mod shelf;

use shelf::{CT, Shelf};

/// One conversation.
pub fn speak(bytes: &[u8]) {
    let Some((&how, rest)) = bytes.split_first() else { return };
    let sent = match how & 3 {
        0 => rest.to_vec(),
        1 | 2 => [request(), rest].concat(),
        _ => [request(), &messages(rest)].concat(),
    };
    let said = Arc::new(Mutex::new(Vec::new()));
    let at_once = if how >> 2 == 0 { usize::MAX } else { usize::from(how >> 2) };
    let peer = PeerLink { sent, at: 0, at_once, said: Arc::clone(&said) };
    let caller = Caller { from: IpAddr::V4(Ipv4Addr::LOCALHOST), tls: None };
    let (_stop, shutdown) = watch::channel(false);
    runtime().block_on(receiver().speak(peer, caller, shutdown));
    let said = std::mem::take(&mut *said.lock().expect("no thread has panicked with it"));
    runtime().block_on(understood(said));
}

fn runtime() -> &'static Runtime {
    static ONE: OnceLock<Runtime> = OnceLock::new();
    ONE.get_or_init(|| tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime"))
}

fn receiver() -> &'static Receiver {
    static ONE: OnceLock<Receiver> = OnceLock::new();
    ONE.get_or_init(|| {
        let limits = Limits { object: 1 << 20, in_flight: 4 << 20, ..Limits::default() };
        let config = ScpConfig { ae_title: AeTitle::parse("DOKUEI").expect("a title"), limits };
        Receiver::new(config, Arc::new(OpenDoor), Arc::new(Nowhere), Some(Arc::new(Shelf)))
    })
}

/// Everything that is written by the receiver must be readable by a peer.
async fn understood(said: Vec<u8>) {
    let all = said.len() as u64;
    let answers = PeerLink { sent: said, at: 0, at_once: usize::MAX, said: Arc::default() };
    let mut wire = Wire::new(answers, 1 << 20, Duration::from_secs(60));
    let mut command = Vec::new();
    loop {
        match wire.next().await {
            Ok(Incoming::Pdu(_)) => {}
            Ok(Incoming::Value(head)) if head.is_command => {
                wire.value_into(head, &mut command).await.expect("a whole fragment");
                if head.is_last {
                    Command::read(&command).expect("a command set of ours");
                    command.clear();
                }
            }
            Ok(Incoming::Value(head)) => wire.skip_value(head).await.expect("a whole fragment"),
            Err(_) => break,
        }
    }
    assert_eq!(wire.received(), all);
    assert!(command.is_empty(), "a command set of ours is cut off");
    assert!(wire.is_between_pdus(), "a PDU of ours is cut off");
}

/// An association request for every service, each at a context ID of its own.
fn request() -> &'static [u8] {
    static ONE: OnceLock<Vec<u8>> = OnceLock::new();
    ONE.get_or_init(|| {
        let classes = [
            VERIFICATION,
            CT,
            "1.2.840.10008.5.1.4.1.2.1.1",
            "1.2.840.10008.5.1.4.1.2.1.2",
            "1.2.840.10008.5.1.4.1.2.1.3",
            "1.2.840.10008.5.1.4.1.2.2.1",
            "1.2.840.10008.5.1.4.31",
            "1.2.840.10008.1.20.1",
            "1.2.840.10008.3.1.2.3.3",
            "1.2.840.10008.5.1.4.33",
            "1.2.392.1",
        ];
        let mut items = item(0x10, b"1.2.840.10008.3.1.1.1");
        for (index, class) in classes.iter().enumerate() {
            let id = index as u8 * 2 + 1;
            let syntax = if index % 2 == 0 { "1.2.840.10008.1.2" } else { "1.2.840.10008.1.2.1" };
            let inner = [item(0x30, class.as_bytes()), item(0x40, syntax.as_bytes())].concat();
            items.extend(item(0x20, &[&[id, 0, 0, 0][..], &inner].concat()));
        }
        let roles = [&(CT.len() as u16).to_be_bytes()[..], CT.as_bytes(), &[1, 1]].concat();
        let user = [item(0x51, &16_384_u32.to_be_bytes()), item(0x52, b"1.2.3"), item(0x54, &roles)].concat();
        items.extend(item(0x50, &user));
        let titles = b"DOKUEI          HOSPITAL_A      ";
        let body = [&[0, 1, 0, 0][..], titles, &[0; 32], &items].concat();
        [&[1, 0][..], &(body.len() as u32).to_be_bytes(), &body].concat()
    })
}

fn item(kind: u8, value: &[u8]) -> Vec<u8> {
    [&[kind, 0][..], &(value.len() as u16).to_be_bytes(), value].concat()
}

/// Fragments from records of context, control, length (2 bytes) and as many bytes; a release behind them.
fn messages(mut bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let [context, control, high, low, rest @ ..] = bytes {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(rest.len());
        let value = &rest[..length];
        bytes = &rest[length..];
        out.extend_from_slice(&[4, 0]);
        out.extend_from_slice(&(length as u32 + 6).to_be_bytes());
        out.extend_from_slice(&(length as u32 + 2).to_be_bytes());
        out.extend_from_slice(&[*context, *control]);
        out.extend_from_slice(value);
    }
    out.extend_from_slice(&[5, 0, 0, 0, 0, 4, 0, 0, 0, 0]);
    out
}

/// Lets everybody in.
struct OpenDoor;

#[async_trait]
impl Desk for OpenDoor {
    async fn admit(&self, _calling: &AeTitle, _called: &AeTitle, _caller: &Caller) -> Result<Peer, Refusal> {
        Ok(shelf::PEER)
    }

    async fn ended(&self, _summary: AssociationSummary) {}
}

/// Reads what it is given as an index would, and forgets it.
struct Nowhere;

#[async_trait]
impl Archive for Nowhere {
    async fn open(&self, _arrival: NewArrival) -> Result<ArrivalId, KeepError> {
        Ok(ArrivalId(1))
    }

    async fn keep(&self, _site: SiteId, _arrival: ArrivalId, object: ReceivedObject) -> Result<Kept, KeepError> {
        let read = object.header().map_err(|error| KeepError::Failed(error.to_string()))?;
        let dataset = object.dataset().expect("in memory");
        match read {
            Ok(found) => {
                let _ = header::rejection(dataset, object.transfer_syntax(), found.sop_class.as_str());
                Ok(Kept::New(Filed {
                    study_uid: found.study_uid.to_string(),
                    series_uid: found.series_uid.to_string(),
                    sop_instance_uid: found.sop_instance.to_string(),
                }))
            }
            Err(error) => Ok(Kept::Quarantined(error.to_string())),
        }
    }

    async fn close(&self, _: ArrivalId, _: ArrivalCounts, _: &'static str) -> Result<(), KeepError> {
        Ok(())
    }
}

/// The stream between the two: what the peer sends is there already.
struct PeerLink {
    sent: Vec<u8>,
    at: usize,
    at_once: usize,
    said: Arc<Mutex<Vec<u8>>>,
}

impl Link for PeerLink {
    fn hurry(&self) {}
}

impl AsyncRead for PeerLink {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, target: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let part = (self.sent.len() - self.at).min(target.remaining()).min(self.at_once);
        target.put_slice(&self.sent[self.at..self.at + part]);
        self.at += part;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for PeerLink {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.said.lock().expect("no thread has panicked with it").extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
