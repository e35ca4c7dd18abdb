//! The requestor's side of an association.

use std::collections::HashMap;
use std::net::SocketAddr;

use dicom_ul::pdu::{
    AssociationRJResult, AssociationRJServiceUserReason as UserReason, AssociationRJSource, AssociationRQ, Pdu,
    PresentationContextProposed, PresentationContextResultReason as Reason, RequestorRoles, UserVariableItem,
};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::{Destination, SendError};
use crate::dimse::{Command, MAX_COMMAND};
use crate::part10::{IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION};
use crate::scp::APPLICATION_CONTEXT;
use crate::tls::{PeerCertificate, TlsFault};
use crate::wire::{Incoming, Link, Wire, WireError};

/// Announced to the acceptor; its answers are small.
const MAX_PDU: u32 = 262_138;

/// A proposed pair of SOP class and transfer syntax.
pub(super) type Proposal = (String, String);

/// A presentation context as it is proposed: of its syntaxes the peer takes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Context {
    pub class: String,
    pub syntaxes: Vec<String>,
}

/// What a peer has agreed to.
pub(super) struct Agreed {
    pub wire: Wire<Box<dyn Link>>,
    /// The IDs of accepted contexts, in the order of the proposals (1, 3, 5 …), and the syntax of each.
    pub contexts: Vec<(u8, String)>,
    /// What it said of roles, by SOP class.
    pub roles: HashMap<String, RequestorRoles>,
    /// The longest PDU it takes; 0 for any.
    pub peer_max_pdu: u32,
}

/// Negotiates over an open connection: the first 128 contexts at the most.
pub(super) async fn negotiate(
    link: Box<dyn Link>,
    to: &Destination,
    contexts: &[Context],
    more: Vec<UserVariableItem>,
) -> Result<Agreed, SendError> {
    let mut wire = Wire::new(link, MAX_PDU, to.timeouts.answer);
    let proposed = (1_u8..=255).step_by(2).zip(contexts).map(|(id, context)| PresentationContextProposed {
        id,
        abstract_syntax: context.class.clone(),
        transfer_syntaxes: context.syntaxes.clone(),
    });
    let request = AssociationRQ {
        protocol_version: 1,
        calling_ae_title: to.calling_ae.to_string(),
        called_ae_title: to.called_ae.to_string(),
        application_context_name: APPLICATION_CONTEXT.to_owned(),
        presentation_contexts: proposed.collect(),
        user_variables: [
            UserVariableItem::MaxLength(MAX_PDU),
            UserVariableItem::ImplementationClassUID(IMPLEMENTATION_CLASS_UID.to_owned()),
            UserVariableItem::ImplementationVersionName(IMPLEMENTATION_VERSION.to_owned()),
        ]
        .into_iter()
        .chain(more)
        .collect(),
    };
    wire.send(&request.into()).await?;
    let accept = match wire.next().await? {
        Incoming::Pdu(Pdu::AssociationAC(accept)) => accept,
        Incoming::Pdu(Pdu::AssociationRJ(reject)) => return Err(rejection(to, &reject.result, &reject.source)),
        Incoming::Pdu(Pdu::AbortRQ { .. }) => return Err(SendError::Aborted),
        Incoming::Pdu(_) | Incoming::Value(_) => {
            return Err(SendError::Protocol("its answer to the association request is not one"));
        }
    };
    let plain = |uid: &str| uid.trim_matches(['\0', ' ']).to_owned();
    let results = accept.presentation_contexts.iter();
    let accepted = results
        .filter(|result| result.reason == Reason::Acceptance)
        .filter(|result| result.id % 2 == 1 && usize::from(result.id) / 2 < contexts.len())
        .map(|result| (result.id, plain(&result.transfer_syntax)));
    let roles = accept.user_variables.iter().filter_map(|item| match item {
        UserVariableItem::ScuScpRoleSelectionSubItem(class, roles) => Some((plain(class), *roles)),
        _ => None,
    });
    let peer_max_pdu = accept.user_variables.iter().find_map(|item| match item {
        UserVariableItem::MaxLength(length) => Some(*length),
        _ => None,
    });
    Ok(Agreed {
        contexts: accepted.collect(),
        roles: roles.collect(),
        wire,
        peer_max_pdu: peer_max_pdu.unwrap_or(16_384),
    })
}

/// Ends an association from our side. What was answered stays answered, so errors no longer matter.
pub(super) async fn release(wire: &mut Wire<Box<dyn Link>>) {
    let released = async {
        wire.send(&Pdu::ReleaseRQ).await?;
        wire.next().await
    };
    if let Err(error) = released.await {
        tracing::debug!(%error, "the association was not released in order");
    }
    wire.shutdown().await;
}

/// An accepted association.
pub(super) struct Requestor {
    wire: Wire<Box<dyn Link>>,
    accepted: HashMap<Proposal, u8>,
    peer_max_pdu: u32,
    next_message: u16,
}

impl From<WireError> for SendError {
    fn from(error: WireError) -> Self {
        match error {
            // In TLS 1.3 a peer says only after the handshake that it does not want our certificate.
            WireError::Lost(error) => TlsFault::behind(&error).map_or(Self::Lost, Self::Tls),
            WireError::Silent(_) | WireError::Slow => Self::TimedOut,
            WireError::Protocol(what) => Self::Protocol(what),
            WireError::Encode => Self::Protocol("a message of ours could not be written"),
        }
    }
}

impl Requestor {
    /// Connects and negotiates, one context per proposal (128 at most).
    pub async fn connect(to: &Destination, proposals: &[Proposal]) -> Result<Self, SendError> {
        Self::connect_with(to, proposals, Vec::new()).await
    }

    /// The same, with more to negotiate.
    pub async fn connect_with(
        to: &Destination,
        proposals: &[Proposal],
        more: Vec<UserVariableItem>,
    ) -> Result<Self, SendError> {
        let addresses = resolve(to).await?;
        let stream = reach(to, &addresses).await?;
        let (link, _) = shake(to, stream).await?;
        Self::negotiate(link, to, proposals, more).await
    }

    /// Negotiates over an open connection.
    pub async fn negotiate(
        link: Box<dyn Link>,
        to: &Destination,
        proposals: &[Proposal],
        more: Vec<UserVariableItem>,
    ) -> Result<Self, SendError> {
        let contexts: Vec<Context> = proposals
            .iter()
            .map(|(class, syntax)| Context { class: class.clone(), syntaxes: vec![syntax.clone()] })
            .collect();
        let agreed = negotiate(link, to, &contexts, more).await?;
        let accepted = agreed
            .contexts
            .iter()
            .filter_map(|(id, _)| proposals.get(usize::from(*id) / 2).map(|proposal| (proposal.clone(), *id)));
        Ok(Self { accepted: accepted.collect(), wire: agreed.wire, peer_max_pdu: agreed.peer_max_pdu, next_message: 1 })
    }

    /// The context that was accepted for a proposal.
    pub fn context(&self, proposal: &Proposal) -> Option<u8> {
        self.accepted.get(proposal).copied()
    }

    /// A message ID not used by the message before.
    pub fn message_id(&mut self) -> u16 {
        let id = self.next_message;
        self.next_message = id.checked_add(1).unwrap_or(1);
        id
    }

    /// Sends a message and waits for its answer.
    pub async fn ask(&mut self, context: u8, command: &Command, dataset: Option<&[u8]>) -> Result<Command, SendError> {
        let bytes = command.write();
        match dataset {
            Some(dataset) => self.wire.send_message(context, &bytes, dataset, self.peer_max_pdu).await?,
            None => self.wire.send_command(context, &bytes, self.peer_max_pdu).await?,
        }
        self.answer(command).await
    }

    /// Sends a command whose data set follows in parts.
    pub async fn begin(&mut self, context: u8, command: &Command) -> Result<(), SendError> {
        Ok(self.wire.send_command(context, &command.write(), self.peer_max_pdu).await?)
    }

    /// Sends the next part of a data set.
    pub async fn part(&mut self, context: u8, part: &[u8], last: bool) -> Result<(), SendError> {
        Ok(self.wire.send_part(context, part, last, self.peer_max_pdu).await?)
    }

    /// Waits for the answer to a command.
    pub async fn answer(&mut self, command: &Command) -> Result<Command, SendError> {
        Ok(self.answer_with(command, 0).await?.0)
    }

    /// Sends a message whose answers are waited for one by one.
    pub async fn request(&mut self, context: u8, command: &Command, dataset: Option<&[u8]>) -> Result<(), SendError> {
        let bytes = command.write();
        match dataset {
            Some(dataset) => self.wire.send_message(context, &bytes, dataset, self.peer_max_pdu).await?,
            None => self.wire.send_command(context, &bytes, self.peer_max_pdu).await?,
        }
        Ok(())
    }

    /// One answer to a command, and its data set of at most `most` bytes if it has one.
    pub async fn answer_with(
        &mut self,
        command: &Command,
        most: usize,
    ) -> Result<(Command, Option<Vec<u8>>), SendError> {
        let answer = self.value(true, MAX_COMMAND).await?;
        let answer = Command::read(&answer).map_err(|_| SendError::Protocol("its answer cannot be read"))?;
        if answer.message_id != command.message_id || answer.kind.is_request() {
            return Err(SendError::Protocol("it answered another message"));
        }
        let dataset = if answer.has_dataset { Some(self.value(false, most).await?) } else { None };
        Ok((answer, dataset))
    }

    /// A whole command set or data set from its fragments.
    async fn value(&mut self, is_command: bool, most: usize) -> Result<Vec<u8>, SendError> {
        let mut value = Vec::new();
        loop {
            let head = match self.wire.next().await? {
                Incoming::Value(head) => head,
                Incoming::Pdu(Pdu::AbortRQ { .. }) => return Err(SendError::Aborted),
                Incoming::Pdu(_) => return Err(SendError::Protocol("it answered with another PDU")),
            };
            if head.is_command != is_command || value.len() + head.len > most {
                return Err(SendError::Protocol("its answer is not what it should be"));
            }
            self.wire.value_into(head, &mut value).await?;
            if head.is_last {
                return Ok(value);
            }
        }
    }

    /// Ends the association.
    pub async fn release(mut self) {
        release(&mut self.wire).await;
    }
}

/// The addresses behind the host's name.
pub(super) async fn resolve(to: &Destination) -> Result<Vec<SocketAddr>, SendError> {
    let found = timeout(to.timeouts.connect, lookup_host((to.host.as_str(), to.port)))
        .await
        .map_err(|_| SendError::TimedOut)?
        .map_err(|_| unreachable(to))?;
    Ok(found.collect())
}

/// A connection to the first address that answers.
pub(super) async fn reach(to: &Destination, addresses: &[SocketAddr]) -> Result<TcpStream, SendError> {
    let stream = timeout(to.timeouts.connect, TcpStream::connect(addresses))
        .await
        .map_err(|_| SendError::TimedOut)?
        .map_err(|_| unreachable(to))?;
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was refused");
    }
    Ok(stream)
}

/// The connection as DICOM is spoken over it, and the certificate that was shown.
pub(super) async fn shake(
    to: &Destination,
    stream: TcpStream,
) -> Result<(Box<dyn Link>, Option<PeerCertificate>), SendError> {
    let Some(tls) = &to.tls else { return Ok((Box::new(stream), None)) };
    let (stream, certificate) = timeout(to.timeouts.connect, tls.connect(&to.host, stream))
        .await
        .map_err(|_| SendError::TimedOut)?
        .map_err(|fault| fault.map_or(SendError::Lost, SendError::Tls))?;
    Ok((Box::new(stream), certificate))
}

fn unreachable(to: &Destination) -> SendError {
    SendError::Unreachable { host: to.host.clone(), port: to.port }
}

fn rejection(to: &Destination, result: &AssociationRJResult, source: &AssociationRJSource) -> SendError {
    match source {
        AssociationRJSource::ServiceUser(UserReason::CallingAETitleNotRecognized) => {
            SendError::CallingNotRecognized(to.calling_ae.clone())
        }
        AssociationRJSource::ServiceUser(UserReason::CalledAETitleNotRecognized) => {
            SendError::CalledNotRecognized(to.called_ae.clone())
        }
        AssociationRJSource::ServiceProviderPresentation(_) => SendError::Busy,
        _ if *result == AssociationRJResult::Transient => SendError::Busy,
        other => SendError::Rejected(other.to_string()),
    }
}
