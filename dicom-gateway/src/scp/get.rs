//! C-GET (PS3.4 C.4.3): the objects come back over the same association, on which the peer has offered to receive.

use dokuei_models::store::studies::InstanceRow;

use super::association::Association;
use super::desk::Outcome;
use super::find::{Ending, PATIENT_ROOT};
use super::identifier::{self, Unfit};
use super::library::{Library, Usage};
use super::retrieve::{self, MAX_REWRITTEN, Parts, Progress};
use crate::dimse::{Command, Kind, Status};
use crate::scu;
use crate::transcode::TranscodeError;
use crate::wire::{Incoming, Link};

/// What became of one object.
enum Given {
    Answered(Status),
    /// The peer takes no such object, or it cannot be read here.
    Not,
}

impl<L: Link> Association<L> {
    pub(super) async fn get(&mut self, context: u8, command: &Command) -> Result<(), Outcome> {
        let identifier = match self.identifier(context, command).await? {
            Ok(identifier) => identifier,
            Err(unfit) => return self.refuse(context, command, unfit).await,
        };
        let asked = identifier::level(&identifier, self.class_of(context).starts_with(PATIENT_ROOT))
            .and_then(|level| identifier::unique(&identifier, level).map(|keys| (level, keys)));
        let (level, keys) = match asked {
            Ok(asked) => asked,
            Err(unfit) => return self.refuse(context, command, unfit).await,
        };
        let Some(library) = self.library() else {
            return self.answer(context, command, Status::UNRECOGNIZED_OPERATION, None).await;
        };
        let who = self.requester();
        let Ok(rows) = retrieve::instances(&*library, &who, &keys).await else {
            let comment = "the index is unavailable, ask again later";
            let unfit = Unfit { status: Status::OUT_OF_RESOURCES, comment, offending: None };
            return self.refuse(context, command, unfit).await;
        };
        let mut progress = Progress { total: rows.len(), ..Progress::default() };
        let mut ending: Option<Ending> = None;
        let mut cancelled = false;
        for (index, row) in rows.iter().enumerate() {
            if cancelled || self.is_cancelled(command).await? {
                ending = Some((Status::CANCELLED, None));
                break;
            }
            // Message IDs of ours need only be unlike each other.
            let id = (index % 0xFFFF) as u16 + 1;
            match self.give(&*library, row, id, command, &mut cancelled).await? {
                Given::Answered(Status::SUCCESS) => progress.completed += 1,
                Given::Answered(status) if status.is_kept() => progress.warning += 1,
                Given::Answered(_) | Given::Not => progress.failed.push(row.sop_instance_uid.clone()),
            }
            self.progress(context, command, &progress).await?;
        }
        let ending = ending.unwrap_or((progress.status(), None));
        let usage = Usage {
            service: "get",
            level: level.word(),
            count: progress.completed + progress.warning,
            failed: progress.failed.len() as u32,
            destination: String::new(),
            status: ending.0.0,
        };
        library.used(&who, usage).await;
        self.ended(context, command, &progress, ending).await
    }

    /// Gives one object to the peer and waits for its answer.
    async fn give(
        &mut self,
        library: &dyn Library,
        row: &InstanceRow,
        id: u16,
        get: &Command,
        cancelled: &mut bool,
    ) -> Result<Given, Outcome> {
        let contexts = self.agreement.contexts.iter();
        let receiving: Vec<(u8, String)> = contexts
            .filter(|(_, agreed)| agreed.peer_receives && agreed.abstract_syntax == row.sop_class_uid)
            .map(|(id, agreed)| (*id, agreed.transfer_syntax.clone()))
            .collect();
        let request = Command::store_request(id, &row.sop_class_uid, &row.sop_instance_uid).write();
        let max = self.agreement.peer_max_pdu;
        let as_stored = receiving.iter().find(|(_, syntax)| *syntax == row.transfer_syntax);
        let size = u64::try_from(row.size).unwrap_or(u64::MAX);
        if let Some((context, _)) = as_stored {
            let Ok(mut parts) = Parts::open(library, row).await else { return Ok(Given::Not) };
            self.wire.send_command(*context, &request, max).await?;
            loop {
                let Ok((part, last)) = parts.next().await else {
                    tracing::warn!(instance = %row.sop_instance_uid, "a stored object could not be read to its end");
                    return Err(Outcome::Lost);
                };
                self.wire.send_part(*context, &part, last, max).await?;
                if last {
                    break;
                }
            }
        } else if !receiving.is_empty() && size <= MAX_REWRITTEN {
            let Ok(file) = library.read(row, 0..size).await else { return Ok(Given::Not) };
            let mut rewritten = None;
            for (id, syntax) in &receiving {
                if let Some(dataset) = scu::rewritten(&file, syntax).await {
                    rewritten = Some((*id, dataset));
                    break;
                }
            }
            let Some((context, dataset)) = rewritten else { return Ok(Given::Not) };
            self.wire.send_message(context, &request, &dataset, max).await?;
        } else {
            if !receiving.is_empty() {
                let error = TranscodeError::TooLarge;
                tracing::info!(instance = %row.sop_instance_uid, %error, "an object was not given");
            }
            return Ok(Given::Not);
        }
        loop {
            let head = match self.wire.next().await? {
                Incoming::Value(head) => head,
                Incoming::Pdu(_) => return Err(Outcome::Aborted),
            };
            let came = self.command(head).await?;
            match came.kind {
                Kind::StoreResponse if came.message_id == id => {
                    return Ok(came.status.map_or(Given::Not, Given::Answered));
                }
                Kind::Cancel => *cancelled |= came.message_id == get.message_id,
                _ => return Err(Outcome::ProtocolError),
            }
        }
    }
}
