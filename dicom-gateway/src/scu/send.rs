//! C-ECHO and C-STORE over associations of as many contexts as fit.
//!
//! [`send`] is for what we made ourselves and have in memory, such as a report. What is stored goes through
//! [`Outgoing`](super::Outgoing), in parts.

use bytes::Bytes;

use super::outgoing::mark;
use super::requestor::{Proposal, Requestor};
use super::{Destination, SendError, Sent};
use crate::dimse::{Command, Status, VERIFICATION};
use crate::header;
use crate::render::RenderError;
use crate::transcode::{self, Target, TranscodeError};

const IMPLICIT_LITTLE: &str = "1.2.840.10008.1.2";
/// Presentation contexts of one association (PS3.8 9.3.2.2: odd IDs up to 255).
pub(super) const MAX_CONTEXTS: usize = 128;

/// Longest file that is sent from memory, in bytes. A report has some hundred kB.
pub const MAX_WHOLE: usize = 64 << 20;

/// What C-ECHO is proposed as.
pub(super) fn verification() -> Proposal {
    (VERIFICATION.to_owned(), IMPLICIT_LITTLE.to_owned())
}

/// Asks whether the peer is there and knows us.
pub async fn echo(to: &Destination) -> Result<(), SendError> {
    let mut requestor = Requestor::connect(to, &[verification()]).await?;
    let answer = ask_echo(&mut requestor).await;
    requestor.release().await;
    answer
}

/// A C-ECHO on an association that was asked for it.
pub(super) async fn ask_echo(requestor: &mut Requestor) -> Result<(), SendError> {
    let refused = SendError::Protocol("it does not accept the verification service");
    let context = requestor.context(&verification()).ok_or(refused)?;
    let request = Command::echo_request(requestor.message_id());
    match requestor.ask(context, &request, None).await?.status {
        Some(Status::SUCCESS) => Ok(()),
        Some(status) => Err(SendError::EchoFailed(status)),
        None => Err(SendError::Protocol("its answer has no status")),
    }
}

/// Sends DICOM files in order and says of each what became of it. Each goes as it
/// is where the peer takes that; else uncompressed, explicit or implicit. What has more than
/// [`MAX_WHOLE`] bytes is [`Sent::TooLong`].
///
/// # Errors
/// [`SendError`] when no association came about; later breaks are in the list.
pub async fn send(to: &Destination, files: &[Bytes]) -> Result<Vec<Sent>, SendError> {
    let items: Vec<Result<Item<'_>, Sent>> = files.iter().map(readable).collect();
    let mut sent = Vec::with_capacity(items.len());
    while sent.len() < items.len() {
        let batch = batch(&items[sent.len()..]);
        let done = sent.len() + batch.items;
        if batch.proposals.is_empty() {
            sent.extend(items[sent.len()..done].iter().filter_map(|item| item.as_ref().err().cloned()));
            continue;
        }
        let mut requestor = match Requestor::connect(to, &batch.proposals).await {
            Ok(requestor) => requestor,
            Err(error) if sent.is_empty() => return Err(error),
            Err(error) => {
                sent.resize(items.len(), Sent::NotSent(error));
                return Ok(sent);
            }
        };
        for item in &items[sent.len()..done] {
            let outcome = match item {
                Ok(item) => item.send(&mut requestor, None).await,
                Err(outcome) => Ok(outcome.clone()),
            };
            match outcome {
                Ok(outcome) => sent.push(outcome),
                Err(error) => {
                    sent.resize(items.len(), Sent::NotSent(error));
                    return Ok(sent);
                }
            }
        }
        requestor.release().await;
    }
    Ok(sent)
}

fn readable(file: &Bytes) -> Result<Item<'_>, Sent> {
    if file.len() > MAX_WHOLE { Err(Sent::TooLong) } else { Item::read(file).ok_or(Sent::Unreadable) }
}

/// What is proposed for an object: as it is, and what can be made of it.
pub(super) fn proposals(class: &str, syntax: &str) -> Vec<Proposal> {
    let made = Target::of(syntax).iter().map(|target| target.uid());
    std::iter::once(syntax).chain(made).map(|syntax| (class.to_owned(), syntax.to_owned())).collect()
}

struct Batch {
    items: usize,
    proposals: Vec<Proposal>,
}

/// As many items as one association has contexts for.
fn batch(items: &[Result<Item<'_>, Sent>]) -> Batch {
    let mut batch = Batch { items: 0, proposals: Vec::new() };
    for item in items {
        let wanted = item.as_ref().map(Item::proposals).unwrap_or_default();
        let new: Vec<Proposal> = wanted.into_iter().filter(|one| !batch.proposals.contains(one)).collect();
        if batch.proposals.len() + new.len() > MAX_CONTEXTS {
            break;
        }
        batch.proposals.extend(new);
        batch.items += 1;
    }
    batch
}

pub(super) struct Item<'a> {
    file: &'a Bytes,
    class: String,
    instance: String,
    transfer_syntax: String,
    dataset: &'a [u8],
}

impl<'a> Item<'a> {
    pub fn read(file: &'a Bytes) -> Option<Self> {
        let parts = header::split_file(file).ok()?;
        let dataset = file.get(parts.dataset_at..)?;
        let header = header::read_dataset(dataset, &parts.transfer_syntax).ok()?;
        Some(Self {
            file,
            class: header.sop_class.to_string(),
            instance: header.sop_instance.to_string(),
            transfer_syntax: parts.transfer_syntax,
            dataset,
        })
    }

    fn proposals(&self) -> Vec<Proposal> {
        proposals(&self.class, &self.transfer_syntax)
    }

    pub async fn send(&self, requestor: &mut Requestor, originator: Option<(&str, u16)>) -> Result<Sent, SendError> {
        let accepted =
            self.proposals().into_iter().find_map(|one| requestor.context(&one).map(|context| (context, one.1)));
        let Some((context, syntax)) = accepted else { return Ok(Sent::NotAccepted) };
        let mut request = Command::store_request(requestor.message_id(), &self.class, &self.instance);
        mark(&mut request, originator);
        let answer = if syntax == self.transfer_syntax {
            requestor.ask(context, &request, Some(self.dataset)).await?
        } else {
            match self.converted(&syntax).await {
                Ok(dataset) => requestor.ask(context, &request, Some(&dataset)).await?,
                Err(error) => return Ok(Sent::NotConvertible(error)),
            }
        };
        Sent::of(answer)
    }

    /// Whether this can be made of it, if its pixels can be decoded.
    pub fn can_become(&self, syntax: &str) -> bool {
        Target::of(&self.transfer_syntax).iter().any(|target| target.uid() == syntax)
    }

    /// The data set in a transfer syntax that it was not received in. Decoding takes a thread of its own.
    pub async fn converted(&self, syntax: &str) -> Result<Vec<u8>, TranscodeError> {
        let target = if syntax == Target::Explicit.uid() { Target::Explicit } else { Target::Implicit };
        let file = self.file.clone();
        tokio::task::spawn_blocking(move || transcode::dataset(&file, target))
            .await
            .unwrap_or(Err(TranscodeError::Pixels(RenderError::Damaged)))
    }
}
