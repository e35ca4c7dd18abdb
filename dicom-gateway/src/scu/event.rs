//! N-EVENT-REPORT over an association of its own, as the SCP of the service (PS3.4 J.3.3, PS3.7 10.1.1).

use dicom_ul::pdu::{RequestorRoles, UserVariableItem};

use super::requestor::{Proposal, Requestor};
use super::{Destination, SendError};
use crate::charset::{NameForm, Repertoire};
use crate::dataset::{self, DataSet, Syntax};
use crate::dimse::{Command, Status};

const SYNTAXES: [(&str, Syntax); 2] =
    [("1.2.840.10008.1.2.1", Syntax::Explicit), ("1.2.840.10008.1.2", Syntax::Implicit)];

/// An event of a SOP instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// SOP class.
    pub class: &'static str,
    /// SOP instance.
    pub instance: &'static str,
    /// Event Type ID.
    pub kind: u16,
    /// Event Information; written in the default character repertoire.
    pub information: DataSet,
}

/// Tells a peer of an event; returns when it has answered success.
///
/// # Errors
/// [`SendError`], also when the peer takes no such events.
pub async fn report(to: &Destination, event: &Event) -> Result<(), SendError> {
    let proposals: Vec<Proposal> =
        SYNTAXES.iter().map(|(uid, _)| (event.class.to_owned(), (*uid).to_owned())).collect();
    let roles = RequestorRoles { scu: false, scp: true };
    let role = UserVariableItem::ScuScpRoleSelectionSubItem(event.class.to_owned(), roles);
    let mut requestor = Requestor::connect_with(to, &proposals, vec![role]).await?;
    let answer = tell(&mut requestor, &proposals, event).await;
    requestor.release().await;
    answer
}

async fn tell(requestor: &mut Requestor, proposals: &[Proposal], event: &Event) -> Result<(), SendError> {
    let accepted =
        proposals.iter().zip(SYNTAXES).find_map(|(one, (_, syntax))| Some((requestor.context(one)?, syntax)));
    let (context, syntax) = accepted.ok_or(SendError::Protocol("it takes no such events"))?;
    let written = dataset::write(&event.information, syntax, &Repertoire::default(), NameForm::All)
        .map_err(|_| SendError::Protocol("a message of ours could not be written"))?;
    let command = Command::event_report(requestor.message_id(), event.class, event.instance, event.kind);
    match requestor.ask(context, &command, Some(&written.bytes)).await?.status {
        Some(Status::SUCCESS) => Ok(()),
        Some(_) => Err(SendError::Protocol("it did not take the event")),
        None => Err(SendError::Protocol("its answer has no status")),
    }
}
