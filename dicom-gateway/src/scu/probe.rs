//! A peer called step by step, so that an administrator sees where it fails.

use std::time::Instant;

use super::requestor::{self, Requestor};
use super::send::{self, verification};
use super::{Destination, SendError};
use crate::tls::PeerCertificate;

/// What is tried, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// The host's name has an address.
    Name,
    /// The port takes a connection.
    Connection,
    /// TLS, where the peer is called with it.
    Tls,
    /// The peer accepts an association from us, and knows the verification service.
    Association,
    /// It answers the echo.
    Echo,
}

impl Step {
    /// The stable name, under which it is put into words.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Connection => "connection",
            Self::Tls => "tls",
            Self::Association => "association",
            Self::Echo => "echo",
        }
    }
}

/// One step that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// Which.
    pub step: Step,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// What was found: addresses. Nothing of a patient.
    pub found: String,
    /// Why it failed; then nothing further was tried.
    pub failure: Option<SendError>,
}

/// What became of a probe.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Probe {
    /// The steps, as far as they went.
    pub steps: Vec<Tried>,
    /// The certificate that the peer has shown.
    pub certificate: Option<PeerCertificate>,
}

impl Probe {
    /// Why the peer did not answer; nothing where it did.
    pub fn failure(&self) -> Option<&SendError> {
        self.steps.last().and_then(|tried| tried.failure.as_ref())
    }

    fn note<T>(&mut self, step: Step, begun: Instant, found: String, outcome: Result<T, SendError>) -> Option<T> {
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (outcome, failure) = match outcome {
            Ok(outcome) => (Some(outcome), None),
            Err(error) => (None, Some(error)),
        };
        self.steps.push(Tried { step, ms, found, failure });
        outcome
    }
}

/// Calls the peer with a C-ECHO, step by step.
pub async fn probe(to: &Destination) -> Probe {
    let mut probe = Probe::default();
    follow(to, &mut probe).await;
    probe
}

/// As far as it goes; `None` where it ends early.
async fn follow(to: &Destination, probe: &mut Probe) -> Option<()> {
    let begun = Instant::now();
    let addresses = requestor::resolve(to).await;
    let mut shown: Vec<String> = addresses.iter().flatten().map(|address| address.ip().to_string()).collect();
    shown.dedup();
    let addresses = probe.note(Step::Name, begun, shown.join(", "), addresses)?;
    let begun = Instant::now();
    let stream = requestor::reach(to, &addresses).await;
    let stream = probe.note(Step::Connection, begun, String::new(), stream)?;
    let begun = Instant::now();
    let shaken = requestor::shake(to, stream).await;
    let link = match &to.tls {
        None => shaken.ok()?.0,
        Some(_) => {
            let (link, certificate) = probe.note(Step::Tls, begun, String::new(), shaken)?;
            probe.certificate = certificate;
            link
        }
    };
    let begun = Instant::now();
    let negotiated = Requestor::negotiate(link, to, &[verification()], Vec::new()).await;
    let mut requestor = probe.note(Step::Association, begun, String::new(), negotiated)?;
    let begun = Instant::now();
    let answered = send::ask_echo(&mut requestor).await;
    requestor.release().await;
    probe.note(Step::Echo, begun, String::new(), answered)
}
