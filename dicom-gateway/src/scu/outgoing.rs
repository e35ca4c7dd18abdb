//! An association over which objects go one by one, in parts, so that none is held as a whole.

use bytes::Bytes;

use super::requestor::{Proposal, Requestor};
use super::send::{Item, MAX_CONTEXTS, proposals};
use super::{Destination, SendError, Sent};
use crate::dimse::Command;

/// An open association to a destination.
pub struct Outgoing {
    requestor: Requestor,
    proposals: Vec<Proposal>,
}

/// A C-STORE whose data set is under way.
pub struct Storing {
    context: u8,
    request: Command,
}

impl Outgoing {
    /// Connects for objects of these SOP classes and transfer syntaxes: as many of them as one association holds.
    ///
    /// # Errors
    /// [`SendError`] when no association came about.
    pub async fn connect(to: &Destination, kinds: &[(String, String)]) -> Result<Self, SendError> {
        let mut all: Vec<Proposal> = Vec::new();
        for (class, syntax) in kinds {
            let new: Vec<Proposal> =
                proposals(class, syntax).into_iter().filter(|proposal| !all.contains(proposal)).collect();
            if all.len() + new.len() > MAX_CONTEXTS {
                break;
            }
            all.extend(new);
        }
        Ok(Self { requestor: Requestor::connect(to, &all).await?, proposals: all })
    }

    /// Whether this kind of object was asked about.
    pub fn proposed(&self, kind: &(String, String)) -> bool {
        self.proposals.contains(kind)
    }

    /// Whether the peer takes this kind of object as it is.
    pub fn takes(&self, kind: &(String, String)) -> bool {
        self.requestor.context(kind).is_some()
    }

    /// Begins to send an object that the peer [takes](Self::takes) as it is. `originator` is the AE title and message ID
    /// of the C-MOVE that wants it.
    ///
    /// # Errors
    /// The association broke, or the peer does not take it.
    pub async fn begin(
        &mut self,
        kind: &(String, String),
        instance: &str,
        originator: Option<(&str, u16)>,
    ) -> Result<Storing, SendError> {
        let refused = SendError::Protocol("it takes no such object");
        let context = self.requestor.context(kind).ok_or(refused)?;
        let mut request = Command::store_request(self.requestor.message_id(), &kind.0, instance);
        mark(&mut request, originator);
        self.requestor.begin(context, &request).await?;
        Ok(Storing { context, request })
    }

    /// Sends the next part of the data set.
    ///
    /// # Errors
    /// The association broke.
    pub async fn part(&mut self, storing: &Storing, part: &[u8], last: bool) -> Result<(), SendError> {
        self.requestor.part(storing.context, part, last).await
    }

    /// What the peer answers.
    ///
    /// # Errors
    /// The association broke.
    pub async fn outcome(&mut self, storing: &Storing) -> Result<Sent, SendError> {
        let answer = self.requestor.answer(&storing.request).await?;
        Sent::of(answer)
    }

    /// Sends a whole DICOM file, rewritten where the peer does not take it as it is.
    ///
    /// # Errors
    /// The association broke.
    pub async fn send_file(&mut self, file: &Bytes, originator: Option<(&str, u16)>) -> Result<Sent, SendError> {
        match Item::read(file) {
            Some(item) => item.send(&mut self.requestor, originator).await,
            None => Ok(Sent::Unreadable),
        }
    }

    /// Ends the association.
    pub async fn release(self) {
        self.requestor.release().await;
    }
}

/// Says for whom a C-STORE is (PS3.7 9.3.1).
pub(super) fn mark(request: &mut Command, originator: Option<(&str, u16)>) {
    if let Some((title, message)) = originator {
        request.originator = Some(title.to_owned());
        request.originator_message = Some(message);
    }
}

/// A file's data set in another transfer syntax; `None` if that cannot be made of it.
pub(crate) async fn rewritten(file: &Bytes, syntax: &str) -> Option<Vec<u8>> {
    let item = Item::read(file)?;
    if item.can_become(syntax) { item.converted(syntax).await.ok() } else { None }
}
