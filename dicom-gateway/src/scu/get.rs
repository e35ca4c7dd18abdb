//! C-GET (PS3.4 C.4.3): has a peer send what is asked for over the connection that we opened, for those that cannot call
//! us back.
//!
//! One association carries the request and, interleaved, the C-STOREs that answer it; for those we are the SCP, which is
//! negotiated by role selection (PS3.7 D.3.3.4). What comes goes the way of every object that is received: the same
//! checks and limits of the peer's site, the same archive, "success" when nothing can lose it any more
//! ([`crate::scp`]). Only objects of the study that was asked for are taken; others are refused as *not authorised*.
//!
//! A request is ended by C-CANCEL when it is not wanted any more. An association that breaks loses nothing that was
//! answered; who asks again leaves out what is here ([`Wanted::Images`]).

mod classes;
mod contexts;

use dicom_dictionary_std::tags;
use dicom_ul::pdu::{RequestorRoles, UserVariableItem};
use tokio::sync::watch;

use super::requestor::{self, Agreed, Context};
use super::{Destination, SendError};
use crate::charset::{NameForm, Repertoire};
use crate::dataset::{self, DataSet, Syntax};
use crate::dimse::{Command, Kind, Status};
use crate::scp::{Cut, Fetching, Opened, Outcome, Peer, Receiver, Storage, Tally, is_storage};

pub use classes::Known;

/// Study Root Query/Retrieve Information Model, GET.
const STUDY_ROOT_GET: &str = "1.2.840.10008.5.1.4.1.2.2.3";
const SYNTAXES: [&str; 2] = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"];
/// It is proposed first.
const GET_CONTEXT: u8 = 1;
/// UIDs in one identifier: of 64 characters each they stay below what a value of 64 KiB holds.
const MOST_UIDS: usize = 500;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The whole study.
    Study,
    /// These instances, by series.
    Images(Vec<(String, Vec<String>)>),
}

/// How a C-GET ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Got {
    /// Instances that the peer could not send, or that were not kept, as it counts them.
    pub failed: u32,
    /// What came, as the archive knows it.
    pub tally: Tally,
    /// The last status that was neither success nor that of single failures, and the peer's words.
    pub refused: Option<(Status, String)>,
}

impl Got {
    /// Objects that were answered with success: all of them are here, or kept apart.
    pub fn kept(&self) -> u32 {
        let Tally { new, repeated, renewed, conflicting, quarantined, .. } = &self.tally;
        new + repeated + renewed + conflicting + quarantined
    }
}

/// Fetches a study, or some of its images, from a peer. `receiver` and `peer` are who takes it in and whose it is;
/// `known` decides what is proposed; the request is cancelled when `stop` becomes true.
///
/// # Errors
/// [`SendError`]: no association, none with C-GET or with storage, limits of the site that are used up, or an end before
/// the end. What was answered until then is kept.
pub async fn get(
    to: &Destination,
    (receiver, peer): (&Receiver, Peer),
    study_uid: &str,
    wanted: &Wanted,
    known: &Known,
    stop: watch::Receiver<bool>,
) -> Result<Got, SendError> {
    // Before anybody is called.
    let place = receiver.place(&peer).map_err(SendError::NoPlace)?;
    let classes = classes::classes(known, |class| is_storage(class, peer.private_classes));
    let mut proposed = vec![Context {
        class: STUDY_ROOT_GET.to_owned(),
        syntaxes: SYNTAXES.iter().map(|&syntax| syntax.to_owned()).collect(),
    }];
    proposed.extend(contexts::contexts(&classes));
    let stream = requestor::reach(to, &requestor::resolve(to).await?).await?;
    let from = stream.peer_addr().map_err(|_| SendError::Lost)?.ip();
    let (link, _) = requestor::shake(to, stream).await?;
    let mut agreed = requestor::negotiate(link, to, &proposed, roles(&proposed)).await?;
    let (syntax, storage) = match usable(&agreed, &proposed) {
        Ok(usable) => usable,
        Err(error) => {
            requestor::release(&mut agreed.wire).await;
            return Err(error);
        }
    };
    let requests = identifiers(study_uid, wanted, syntax)?;
    let opened = Opened {
        wire: agreed.wire,
        storage,
        peer_max_pdu: agreed.peer_max_pdu,
        from,
        theirs: to.called_ae.clone(),
        ours: to.calling_ae.clone(),
        patience: to.timeouts.answer,
    };
    let mut fetching = Fetching::begin(receiver, opened, (peer, place), study_uid);
    let mut got = Got::default();
    let ended = ask_all(&mut fetching, &requests, stop, &mut got).await;
    got.tally = fetching.end(ended.as_ref().err().copied()).await;
    ended.map_err(|outcome| why(outcome, &got.tally))?;
    Ok(got)
}

/// One request after the other, until one ends the association. What the peer refuses does not keep the next from being
/// asked for.
async fn ask_all(
    fetching: &mut Fetching,
    requests: &[Vec<u8>],
    mut stop: watch::Receiver<bool>,
    got: &mut Got,
) -> Result<(), Outcome> {
    for (identifier, id) in requests.iter().zip(1_u16..) {
        let command = Command::query_request(Kind::GetRequest, id, STUDY_ROOT_GET);
        let answer = fetching.request(GET_CONTEXT, &command, identifier, &mut stop).await?;
        got.failed += answer.sub_operations.map_or(0, |counts| u32::from(counts.failed));
        match answer.status {
            Some(Status::SUCCESS | Status::SOME_FAILED) => {}
            status => {
                let status = status.unwrap_or(Status::CANNOT_UNDERSTAND);
                got.refused = Some((status, answer.error_comment.unwrap_or_default()));
            }
        }
    }
    Ok(())
}

/// How an end before the end is told.
fn why(outcome: Outcome, tally: &Tally) -> SendError {
    match outcome {
        Outcome::Lost => SendError::Lost,
        Outcome::Aborted => SendError::Aborted,
        Outcome::Cut(Cut::Idle | Cut::Slow) => SendError::TimedOut,
        Outcome::Cut(cut) => SendError::Cut(cut),
        Outcome::ShutDown => SendError::Stopped,
        Outcome::Refused(refusal) => SendError::NoPlace(refusal),
        Outcome::Released | Outcome::ProtocolError if tally.unasked > 0 => {
            SendError::Protocol("it sent what was not asked for")
        }
        Outcome::Released | Outcome::ProtocolError => SendError::Protocol("it broke the order of a C-GET"),
    }
}

/// How identifiers are written, and the contexts over which objects may come.
fn usable(agreed: &Agreed, proposed: &[Context]) -> Result<(Syntax, Storage), SendError> {
    let get = agreed.contexts.iter().find(|(id, _)| *id == GET_CONTEXT).ok_or(SendError::NoGet)?;
    let syntax = Syntax::of(&get.1).ok_or(SendError::Protocol("it chose a transfer syntax that was not proposed"))?;
    let mut storage = Storage::new();
    for (id, syntax) in agreed.contexts.iter().filter(|(id, _)| *id != GET_CONTEXT) {
        let Some(context) = proposed.get(usize::from(*id) / 2) else { continue };
        // Who says nothing of a role sends all the same, often enough; who refuses it does not.
        let refused = agreed.roles.get(&context.class).is_some_and(|roles| !roles.scp);
        if !refused && context.syntaxes.contains(syntax) {
            storage.insert(*id, (context.class.clone(), syntax.clone()));
        }
    }
    if storage.is_empty() { Err(SendError::NoStorage) } else { Ok((syntax, storage)) }
}

/// What the requests say: one for a study, one for each five hundred instances of a series.
fn identifiers(study_uid: &str, wanted: &Wanted, syntax: Syntax) -> Result<Vec<Vec<u8>>, SendError> {
    let mut requests = Vec::new();
    let mut add = |keys: &DataSet| {
        let written = dataset::write(keys, syntax, &Repertoire::default(), NameForm::All)
            .map_err(|_| SendError::Protocol("a query of ours could not be written"))?;
        requests.push(written.bytes);
        Ok::<(), SendError>(())
    };
    let keys = |level: &str| {
        let mut keys = DataSet::default();
        keys.put(tags::QUERY_RETRIEVE_LEVEL, level).put(tags::STUDY_INSTANCE_UID, study_uid);
        keys
    };
    match wanted {
        Wanted::Study => add(&keys("STUDY"))?,
        Wanted::Images(all) => {
            for (series, images) in all {
                for some in images.chunks(MOST_UIDS) {
                    let mut keys = keys("IMAGE");
                    keys.put(tags::SERIES_INSTANCE_UID, series.as_str());
                    keys.put_all(tags::SOP_INSTANCE_UID, some.to_vec());
                    add(&keys)?;
                }
            }
        }
    }
    Ok(requests)
}

/// We receive: the SCP role for each class of storage, and no other.
fn roles(proposed: &[Context]) -> Vec<UserVariableItem> {
    let mut named: Vec<&str> = Vec::new();
    for context in &proposed[1..] {
        if !named.contains(&context.class.as_str()) {
            named.push(&context.class);
        }
    }
    let roles = RequestorRoles { scu: false, scp: true };
    named.into_iter().map(|class| UserVariableItem::ScuScpRoleSelectionSubItem(class.to_owned(), roles)).collect()
}
