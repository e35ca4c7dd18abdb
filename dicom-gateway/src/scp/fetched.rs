//! What comes over an association that we opened for C-GET ([`crate::scu::get`]): C-STOREs between the request and its
//! answers, taken in like all others.
//!
//! The site's place, memory, volume and pace hold here as for who calls us. Between messages a peer may be silent for as
//! long as it may take to fetch a study from its own archive; within one it may not.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use dicom_ul::pdu::{AbortRQServiceProviderReason as AbortReason, Pdu};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::association::Association;
use super::desk::{Admission, AssociationSummary, Cut, Outcome, Peer, Tally};
use super::doors::SitePlace;
use super::library::Rights;
use super::negotiate::{Agreement, Context};
use super::server::Receiver;
use crate::ae_title::AeTitle;
use crate::dimse::{Command, Kind};
use crate::wire::{Incoming, Link, Wire};

/// How long a peer may take to hear of a C-CANCEL, or of the end. A process that stops waits no longer.
const FAREWELL: Duration = Duration::from_secs(3);

/// SOP class and transfer syntax of each context over which objects may come.
pub(crate) type Storage = HashMap<u8, (String, String)>;

/// An association that was negotiated.
pub(crate) struct Opened {
    pub wire: Wire<Box<dyn Link>>,
    pub storage: Storage,
    pub peer_max_pdu: u32,
    /// Where it was called.
    pub from: IpAddr,
    pub theirs: AeTitle,
    pub ours: AeTitle,
    /// The longest silence between messages.
    pub patience: Duration,
}

/// Objects being fetched over an association of ours.
pub(crate) struct Fetching {
    association: Association<Box<dyn Link>>,
    ours: AeTitle,
    patience: Duration,
    idle: Duration,
    started_at: DateTime<Utc>,
    /// No request waits for its final answer.
    answered: bool,
}

impl Receiver {
    /// A place among the associations of a site, which its limits are counted at.
    pub(crate) fn place(&self, peer: &Peer) -> Result<SitePlace, super::Refusal> {
        self.shared.places.doors.enter_site(peer)
    }
}

impl Fetching {
    /// Ready for requests. What is not of `study_uid` will be refused.
    pub fn begin(receiver: &Receiver, opened: Opened, (peer, place): (Peer, SitePlace), study_uid: &str) -> Self {
        let shared = Arc::clone(&receiver.shared);
        let limits = &shared.config.limits;
        let mut wire = opened.wire;
        wire.set_pace(limits.pace);
        let context =
            |(abstract_syntax, transfer_syntax)| Context { abstract_syntax, transfer_syntax, peer_receives: false };
        let contexts = opened.storage.into_iter().map(|(id, agreed)| (id, context(agreed))).collect();
        let association = Association {
            wire,
            agreement: Agreement { contexts, peer_max_pdu: opened.peer_max_pdu },
            // It is asked, so it may send, whatever it may do of its own accord.
            admission: Admission { peer: Peer { stores: true, ..peer }, arrival: None },
            rights: Rights::default(),
            calling: opened.theirs,
            from: opened.from,
            place,
            account: shared.places.accounts.of(peer.site),
            tally: Tally::default(),
            untold: VecDeque::new(),
            objects: 0,
            last_len: 0,
            only: Some(study_uid.to_owned()),
            shared: Arc::clone(&shared),
        };
        Self {
            association,
            ours: opened.ours,
            patience: opened.patience,
            idle: peer.limits.idle.unwrap_or(limits.idle),
            started_at: Utc::now(),
            answered: true,
        }
    }

    /// Sends a C-GET request and serves what comes until its final answer. `stop` cancels it.
    ///
    /// # Errors
    /// How the association ended instead.
    pub async fn request(
        &mut self,
        context: u8,
        command: &Command,
        identifier: &[u8],
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Command, Outcome> {
        let peer = &self.association.admission.peer;
        let longest = peer.limits.association.unwrap_or(self.association.shared.config.limits.association);
        let left = longest.saturating_sub((Utc::now() - self.started_at).to_std().unwrap_or_default());
        let mut stopped = stop.clone();
        let served = timeout(left, self.serve(context, command, identifier, stop));
        tokio::select! {
            biased;
            served = served => served.unwrap_or(Err(Outcome::Cut(Cut::Time))),
            () = async { drop(stopped.wait_for(|stop| *stop).await); sleep(FAREWELL).await } => Err(Outcome::ShutDown),
        }
    }

    async fn serve(
        &mut self,
        context: u8,
        command: &Command,
        identifier: &[u8],
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Command, Outcome> {
        let association = &mut self.association;
        let max_pdu = association.agreement.peer_max_pdu;
        if *stop.borrow() {
            return Err(Outcome::ShutDown);
        }
        self.answered = false;
        association.wire.send_message(context, &command.write(), identifier, max_pdu).await?;
        let mut cancelled = false;
        loop {
            association.wire.set_idle(self.patience);
            tokio::select! {
                biased;
                () = async { drop(stop.wait_for(|stop| *stop).await) }, if !cancelled => {
                    cancelled = true;
                    let cancel = Command::cancel(command.message_id).write();
                    association.wire.send_command(context, &cancel, max_pdu).await?;
                    continue;
                }
                ready = association.wire.ready() => ready?,
            }
            association.wire.set_idle(self.idle);
            let head = match association.wire.next().await? {
                Incoming::Value(head) => head,
                Incoming::Pdu(Pdu::AbortRQ { .. }) => return Err(Outcome::Aborted),
                Incoming::Pdu(_) => return Err(Outcome::ProtocolError),
            };
            let came = association.command(head).await?;
            match came.kind {
                Kind::StoreRequest => association.store(head.context, &came).await?,
                Kind::GetResponse if came.message_id == command.message_id && head.context == context => {
                    // The list of what failed; its number is in the command.
                    association.skip_dataset(&came, context).await?;
                    let pending = matches!(came.status.map(|status| status.0), Some(0xFF00 | 0xFF01));
                    if !pending {
                        self.answered = true;
                        return if cancelled { Err(Outcome::ShutDown) } else { Ok(came) };
                    }
                }
                _ => return Err(Outcome::ProtocolError),
            }
        }
    }

    /// Ends the association as it has come to an end, and tells the desk and the archive. What it brought is counted.
    pub async fn end(mut self, outcome: Option<Outcome>) -> Tally {
        let association = &mut self.association;
        let outcome = outcome.unwrap_or(Outcome::Released);
        association.wire.set_idle(FAREWELL);
        match outcome {
            Outcome::Released | Outcome::ShutDown if self.answered => {
                association.hear_all().await;
                let released = async {
                    association.wire.send(&Pdu::ReleaseRQ).await?;
                    association.wire.next().await
                };
                if let Err(error) = released.await {
                    tracing::debug!(%error, "the association was not released in order");
                }
            }
            Outcome::ProtocolError => association.wire.abort(AbortReason::UnexpectedPdu).await,
            Outcome::Cut(_) | Outcome::ShutDown | Outcome::Released => {
                association.wire.abort(AbortReason::ReasonNotSpecified).await
            }
            Outcome::Aborted | Outcome::Lost | Outcome::Refused(_) => {}
        }
        association.wire.shutdown().await;
        association.tally.bytes = association.wire.received();
        association.close(outcome).await;
        let summary = AssociationSummary {
            calling: association.calling.to_string(),
            called: self.ours.to_string(),
            from: association.from,
            tls: None,
            admission: Some(association.admission.clone()),
            started_at: self.started_at,
            ended_at: Utc::now(),
            outcome,
            fetched: true,
            tally: association.tally.clone(),
        };
        association.shared.desk.ended(summary).await;
        self.association.tally
    }
}
