//! One association from its request to its end.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use dicom_ul::pdu::{AbortRQServiceProviderReason as AbortReason, AssociationRQ, Pdu};
use dokuei_models::store::images::ArrivalCounts;
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use super::account::Account;
use super::desk::{Admission, AssociationSummary, Caller, Cut, Desk, Outcome, Peer, Refusal, Tally};
use super::doors::SitePlace;
use super::library::{Library, Requester, Rights};
use super::negotiate::{self, Agreement, Offer, Service};
use super::server::{Places, ScpConfig};
use crate::ae_title::AeTitle;
use crate::dimse::{Command, Kind, MAX_COMMAND, Status};
use crate::intake::{Archive, Kept};
use crate::wire::{Incoming, Link, ValueHead, Wire, WireError};

/// How long an association that is over waits for the rows of its last objects.
const HEAR: Duration = Duration::from_secs(30);

/// What all associations use.
pub(super) struct Shared {
    pub config: ScpConfig,
    pub desk: Arc<dyn Desk>,
    pub archive: Arc<dyn Archive>,
    /// Without one nothing is answered but C-ECHO and C-STORE.
    pub library: Option<Arc<dyn Library>>,
    pub places: Places,
}

/// An association that was accepted.
pub(super) struct Association<L> {
    pub wire: Wire<L>,
    pub shared: Arc<Shared>,
    pub agreement: Agreement,
    pub admission: Admission,
    /// What the peer may do beyond sending.
    pub rights: Rights,
    pub calling: AeTitle,
    pub from: IpAddr,
    /// Its place among those of its site.
    pub place: SitePlace,
    /// The memory of its site.
    pub account: Account,
    pub tally: Tally,
    /// What became of objects that were answered already.
    pub untold: VecDeque<oneshot::Receiver<Kept>>,
    /// Objects whose data set came.
    pub objects: u32,
    /// Length of the last object: the next one of a series is about as long.
    pub last_len: usize,
    /// The study whose objects alone are taken.
    pub only: Option<String>,
}

impl From<WireError> for Outcome {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Lost(_) => Self::Lost,
            WireError::Silent(_) => Self::Cut(Cut::Idle),
            WireError::Slow => Self::Cut(Cut::Slow),
            WireError::Protocol(_) | WireError::Encode => Self::ProtocolError,
        }
    }
}

/// Serves one connection and reports it to the desk.
pub(super) async fn run<L: Link>(link: L, caller: Caller, shared: Arc<Shared>, shutdown: watch::Receiver<bool>) {
    let from = caller.from;
    let started_at = Utc::now();
    let limits = &shared.config.limits;
    let mut wire = Wire::new(link, limits.max_pdu, limits.request);
    let request = match timeout(limits.request, wire.next()).await {
        Ok(Ok(Incoming::Pdu(Pdu::AssociationRQ(request)))) => request,
        // A port scan, a health check or noise: nobody asked for anything.
        Ok(Ok(_)) | Ok(Err(WireError::Protocol(_))) => {
            wire.abort(AbortReason::UnexpectedPdu).await;
            return wire.shutdown().await;
        }
        Ok(Err(_)) | Err(_) => return,
    };
    let mut summary = AssociationSummary {
        calling: request.calling_ae_title.trim_matches(['\0', ' ']).to_owned(),
        called: request.called_ae_title.trim_matches(['\0', ' ']).to_owned(),
        from,
        tls: caller.tls.clone(),
        admission: None,
        started_at,
        ended_at: started_at,
        outcome: Outcome::Released,
        fetched: false,
        tally: Tally::default(),
    };
    match admit(&request, &caller, &shared).await {
        Err(refusal) => {
            tracing::info!(%from, reason = %refusal, "an association was refused");
            summary.outcome = Outcome::Refused(refusal);
            if let Err(error) = wire.send(&negotiate::reject(refusal)).await {
                tracing::debug!(%error, "a rejection could not be sent");
            }
            wire.shutdown().await;
        }
        Ok((calling, peer, place)) => {
            wire.set_idle(peer.limits.idle.unwrap_or(limits.idle));
            wire.set_pace(limits.pace);
            let rights = rights(&shared, peer, &calling, from).await;
            let offer = Offer {
                private_classes: peer.private_classes,
                queries: rights.queries,
                records: shared.library.is_some() && peer.stores,
            };
            let (agreement, accept) = negotiate::agree(&request, limits.max_pdu, offer);
            let admission = Admission { peer, arrival: None };
            let tally = Tally::default();
            let mut association = Association {
                wire,
                shared: Arc::clone(&shared),
                agreement,
                admission,
                rights,
                calling,
                from,
                place,
                account: shared.places.accounts.of(peer.site),
                tally,
                untold: VecDeque::new(),
                objects: 0,
                last_len: 0,
                only: None,
            };
            summary.outcome = association.serve(&accept, shutdown).await;
            if let Outcome::Cut(cut) = summary.outcome {
                tracing::warn!(calling = %association.calling, %from, reason = %cut, "an association was cut off");
            }
            association.tally.bytes = association.wire.received();
            association.close(summary.outcome).await;
            summary.admission = Some(association.admission);
            summary.tally = association.tally;
        }
    }
    summary.ended_at = Utc::now();
    shared.desk.ended(summary).await;
}

async fn admit(
    request: &AssociationRQ,
    caller: &Caller,
    shared: &Shared,
) -> Result<(AeTitle, Peer, SitePlace), Refusal> {
    negotiate::check(request)?;
    let called = AeTitle::parse(&request.called_ae_title).map_err(|_| Refusal::CalledUnknown)?;
    if called != shared.config.ae_title {
        return Err(Refusal::CalledUnknown);
    }
    let calling = AeTitle::parse(&request.calling_ae_title).map_err(|_| Refusal::CallingUnknown)?;
    let peer = shared.desk.admit(&calling, &called, caller).await?;
    let place = shared.places.doors.enter_site(&peer)?;
    Ok((calling, peer, place))
}

/// What a peer may do beyond sending; nothing if that cannot be looked up.
async fn rights(shared: &Shared, peer: Peer, calling: &AeTitle, from: IpAddr) -> Rights {
    let Some(library) = &shared.library else { return Rights::default() };
    let who = Requester { peer, calling: calling.clone(), from };
    library.rights(&who).await.unwrap_or_else(|error| {
        tracing::warn!(%calling, %error, "what a peer may do could not be looked up");
        Rights::default()
    })
}

impl<L: Link> Association<L> {
    /// Accepts, answers messages, and says how it ended; the peer has been told.
    async fn serve(&mut self, accept: &Pdu, shutdown: watch::Receiver<bool>) -> Outcome {
        let longest = self.admission.peer.limits.association.unwrap_or(self.shared.config.limits.association);
        let outcome = match timeout(longest, self.messages(accept, shutdown)).await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::Cut(Cut::Time),
        };
        match outcome {
            Outcome::ProtocolError => self.wire.abort(AbortReason::UnexpectedPdu).await,
            Outcome::Cut(_) | Outcome::ShutDown => self.wire.abort(AbortReason::ReasonNotSpecified).await,
            Outcome::Released | Outcome::Aborted | Outcome::Lost | Outcome::Refused(_) => {}
        }
        self.wire.shutdown().await;
        outcome
    }

    async fn messages(&mut self, accept: &Pdu, mut shutdown: watch::Receiver<bool>) -> Outcome {
        if let Err(error) = self.wire.send(accept).await {
            return error.into();
        }
        loop {
            let ready = tokio::select! {
                biased;
                _ = shutdown.wait_for(|stop| *stop) => return Outcome::ShutDown,
                ready = self.wire.ready() => ready,
            };
            let step = match ready {
                Ok(()) => self.message().await,
                Err(error) => Err(error.into()),
            };
            if let Err(outcome) = step {
                return outcome;
            }
        }
    }

    /// Reads one message, or the association's end, and answers it.
    async fn message(&mut self) -> Result<(), Outcome> {
        let head = match self.wire.next().await? {
            Incoming::Value(head) => head,
            Incoming::Pdu(Pdu::ReleaseRQ) => {
                self.hear_all().await;
                self.wire.send(&Pdu::ReleaseRP).await?;
                return Err(Outcome::Released);
            }
            Incoming::Pdu(Pdu::AbortRQ { .. }) => return Err(Outcome::Aborted),
            Incoming::Pdu(_) => return Err(Outcome::ProtocolError),
        };
        let command = self.command(head).await?;
        // One SOP class for each service: the context says which it is.
        match (negotiate::service(self.class_of(head.context)), command.kind) {
            (Some(Service::Find), Kind::FindRequest) => return self.find(head.context, &command).await,
            (Some(Service::Worklist), Kind::FindRequest) => return self.worklist(head.context, &command).await,
            (Some(Service::Move), Kind::MoveRequest) => return self.move_to(head.context, &command).await,
            (Some(Service::Get), Kind::GetRequest) => return self.get(head.context, &command).await,
            (Some(Service::Commitment), Kind::ActionRequest) => return self.commitment(head.context, &command).await,
            (Some(Service::PerformedStep), Kind::CreateRequest | Kind::SetRequest) => {
                return self.performed_step(head.context, &command).await;
            }
            (Some(Service::Availability), Kind::CreateRequest) => {
                return self.availability(head.context, &command).await;
            }
            _ => {}
        }
        match command.kind {
            Kind::EchoRequest => {
                self.skip_dataset(&command, head.context).await?;
                self.tally.echoes += 1;
                self.answer(head.context, &command, Status::SUCCESS, None).await
            }
            Kind::StoreRequest => self.store(head.context, &command).await,
            // Nothing that can be cancelled is under way.
            Kind::Cancel => Ok(()),
            kind if kind.is_request() => {
                self.skip_dataset(&command, head.context).await?;
                self.answer(head.context, &command, Status::UNRECOGNIZED_OPERATION, Some("no such service here")).await
            }
            _ => Err(Outcome::ProtocolError),
        }
    }

    /// The SOP class that a context was accepted for, or "".
    pub fn class_of(&self, context: u8) -> &str {
        self.agreement.contexts.get(&context).map_or("", |agreed| agreed.abstract_syntax.as_str())
    }

    /// The library, if the peer may ask it.
    pub fn library(&self) -> Option<Arc<dyn Library>> {
        self.shared.library.clone().filter(|_| self.rights.queries)
    }

    /// Who asks.
    pub fn requester(&self) -> Requester {
        Requester { peer: self.admission.peer, calling: self.calling.clone(), from: self.from }
    }

    /// Gathers a command set from its fragments, of which there may be several.
    pub async fn command(&mut self, first: ValueHead) -> Result<Command, Outcome> {
        self.wire.message_begins();
        let mut bytes = Vec::with_capacity(256);
        let mut head = first;
        loop {
            if !head.is_command || head.context != first.context || bytes.len() + head.len > MAX_COMMAND {
                return Err(Outcome::ProtocolError);
            }
            self.wire.value_into(head, &mut bytes).await?;
            if head.is_last {
                return Command::read(&bytes).map_err(|_| Outcome::ProtocolError);
            }
            head = self.next_value().await?;
        }
    }

    /// The next fragment's head, where only a fragment may come.
    async fn next_value(&mut self) -> Result<ValueHead, Outcome> {
        if let Some(cut) = self.place.brought(self.wire.received()) {
            return Err(Outcome::Cut(cut));
        }
        match self.wire.next().await? {
            Incoming::Value(head) => Ok(head),
            Incoming::Pdu(Pdu::AbortRQ { .. }) => Err(Outcome::Aborted),
            Incoming::Pdu(_) => Err(Outcome::ProtocolError),
        }
    }

    /// The next fragment of a data set.
    pub async fn next_data(&mut self, context: u8) -> Result<ValueHead, Outcome> {
        let head = self.next_value().await?;
        if head.is_command || head.context != context { Err(Outcome::ProtocolError) } else { Ok(head) }
    }

    /// Reads over the data set that a command announces, so that the command can
    /// be answered.
    pub async fn skip_dataset(&mut self, command: &Command, context: u8) -> Result<(), Outcome> {
        let mut left = command.has_dataset;
        while left {
            let head = self.next_data(context).await?;
            self.wire.skip_value(head).await?;
            left = !head.is_last;
        }
        Ok(())
    }

    /// Answers in one write.
    pub async fn answer(
        &mut self,
        context: u8,
        command: &Command,
        status: Status,
        comment: Option<&str>,
    ) -> Result<(), Outcome> {
        let response = command.response(status, comment).write();
        Ok(self.wire.send_command(context, &response, self.agreement.peer_max_pdu).await?)
    }

    /// Waits for the rows of what was answered: whoever is released finds them all, even past this process.
    pub async fn hear_all(&mut self) {
        if timeout(HEAR, self.hear(0)).await.is_err() {
            tracing::warn!(untold = self.untold.len(), "an association ends before its last rows are written");
        }
    }

    pub async fn close(&mut self, outcome: Outcome) {
        let Some(arrival) = self.admission.arrival else { return };
        self.hear_all().await;
        let number = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
        let counts = ArrivalCounts {
            kept: number(self.tally.new),
            repeated: number(self.tally.repeated),
            quarantined: number(self.tally.quarantined + self.tally.conflicting),
            failed: number(self.tally.failed),
            bytes: i64::try_from(self.tally.bytes).unwrap_or(i64::MAX),
        };
        if let Err(error) = self.shared.archive.close(arrival, counts, outcome.word()).await {
            tracing::warn!(%error, %arrival, "an arrival could not be closed");
        }
    }
}
