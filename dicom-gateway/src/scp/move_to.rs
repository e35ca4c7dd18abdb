//! C-MOVE (PS3.4 C.4.2): sends to a registered endpoint of the peer's own site, object by object.

use std::collections::HashSet;

use dokuei_models::store::studies::InstanceRow;

use super::association::Association;
use super::desk::Outcome;
use super::find::PATIENT_ROOT;
use super::identifier::{self, Unfit};
use super::library::{Library, Usage};
use super::retrieve::{self, Parts, Progress};
use crate::ae_title::AeTitle;
use crate::dimse::{Command, Status};
use crate::scu::{Destination, Outgoing, SendError, Sent};
use crate::transcode::TranscodeError;
use crate::wire::Link;

impl<L: Link> Association<L> {
    pub(super) async fn move_to(&mut self, context: u8, command: &Command) -> Result<(), Outcome> {
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
        let unavailable = Unfit {
            status: Status::OUT_OF_RESOURCES,
            comment: "the index is unavailable, ask again later",
            offending: None,
        };
        let wanted = command.move_destination.clone().unwrap_or_default();
        let to = match AeTitle::parse(&wanted) {
            Ok(title) => library.destination(&who, &title).await,
            Err(_) => Ok(None),
        };
        let to = match to {
            Ok(Some(to)) => to,
            Ok(None) => {
                let usage = Usage {
                    service: "move",
                    level: level.word(),
                    count: 0,
                    failed: 0,
                    destination: wanted,
                    status: Status::MOVE_DESTINATION_UNKNOWN.0,
                };
                library.used(&who, usage).await;
                let comment = "the destination is no receiving endpoint of this site";
                return self.answer(context, command, Status::MOVE_DESTINATION_UNKNOWN, Some(comment)).await;
            }
            Err(_) => return self.refuse(context, command, unavailable).await,
        };
        let Ok(rows) = retrieve::instances(&*library, &who, &keys).await else {
            return self.refuse(context, command, unavailable).await;
        };
        let mut progress = Progress { total: rows.len(), ..Progress::default() };
        let ending = self.send_all(context, command, (&*library, &to), &rows, &mut progress).await?;
        let ending = ending.unwrap_or((progress.status(), None));
        let usage = Usage {
            service: "move",
            level: level.word(),
            count: progress.completed + progress.warning,
            failed: progress.failed.len() as u32,
            destination: wanted,
            status: ending.0.0,
        };
        library.used(&who, usage).await;
        self.ended(context, command, &progress, ending).await
    }

    /// Sends what is wanted over as few associations as the destination needs. `Some` ending if it was cancelled or
    /// the destination was not reached.
    async fn send_all(
        &mut self,
        context: u8,
        command: &Command,
        (library, to): (&dyn Library, &Destination),
        rows: &[InstanceRow],
        progress: &mut Progress,
    ) -> Result<Option<super::find::Ending>, Outcome> {
        let mut outgoing: Option<Outgoing> = None;
        for (index, row) in rows.iter().enumerate() {
            if self.is_cancelled(command).await? {
                if let Some(outgoing) = outgoing {
                    outgoing.release().await;
                }
                return Ok(Some((Status::CANCELLED, None)));
            }
            let kind = (row.sop_class_uid.clone(), row.transfer_syntax.clone());
            if outgoing.as_ref().is_none_or(|outgoing| !outgoing.proposed(&kind)) {
                if let Some(done) = outgoing.take() {
                    done.release().await;
                }
                let mut seen = HashSet::new();
                let kinds = rows[index..].iter().map(|row| (row.sop_class_uid.clone(), row.transfer_syntax.clone()));
                let kinds: Vec<_> = kinds.filter(|kind| seen.insert(kind.clone())).collect();
                match Outgoing::connect(to, &kinds).await {
                    Ok(connected) => outgoing = Some(connected),
                    Err(error) => {
                        tracing::info!(destination = %to.called_ae, %error, "a move destination was not reached");
                        progress.failed.extend(rows[index..].iter().map(|row| row.sop_instance_uid.clone()));
                        return Ok(Some((progress.status(), Some("the destination cannot be reached"))));
                    }
                }
            }
            let Some(sender) = outgoing.as_mut() else { continue };
            match send_one(sender, library, row, &self.calling, command.message_id).await {
                Ok(Sent::Kept(Status::SUCCESS)) => progress.completed += 1,
                Ok(Sent::Kept(_)) => progress.warning += 1,
                Ok(other) => {
                    tracing::info!(destination = %to.called_ae, outcome = %other, "an object was not moved");
                    progress.failed.push(row.sop_instance_uid.clone());
                }
                Err(error) => {
                    tracing::info!(destination = %to.called_ae, %error, "an association for a move broke");
                    progress.failed.push(row.sop_instance_uid.clone());
                    // The next object has a new one.
                    outgoing = None;
                }
            }
            self.progress(context, command, progress).await?;
        }
        if let Some(outgoing) = outgoing {
            outgoing.release().await;
        }
        Ok(None)
    }
}

/// Sends one object: as it is in parts, or rewritten as a whole where the destination takes only that.
async fn send_one(
    outgoing: &mut Outgoing,
    library: &dyn Library,
    row: &InstanceRow,
    originator: &AeTitle,
    message: u16,
) -> Result<Sent, SendError> {
    let kind = (row.sop_class_uid.clone(), row.transfer_syntax.clone());
    let unreadable = |error| {
        tracing::warn!(%error, instance = %row.sop_instance_uid, "a stored object could not be read");
        Sent::Unreadable
    };
    let originator = Some((originator.as_str(), message));
    if !outgoing.takes(&kind) {
        let size = u64::try_from(row.size).unwrap_or(u64::MAX);
        if size > retrieve::MAX_REWRITTEN {
            return Ok(Sent::NotConvertible(TranscodeError::TooLarge));
        }
        return match library.read(row, 0..size).await {
            Ok(file) => outgoing.send_file(&file, originator).await,
            Err(error) => Ok(unreadable(error)),
        };
    }
    let mut parts = match Parts::open(library, row).await {
        Ok(parts) => parts,
        Err(error) => return Ok(unreadable(error)),
    };
    let request = outgoing.begin(&kind, &row.sop_instance_uid, originator).await?;
    loop {
        match parts.next().await {
            Ok((part, last)) => {
                outgoing.part(&request, &part, last).await?;
                if last {
                    return outgoing.outcome(&request).await;
                }
            }
            Err(error) => {
                unreadable(error);
                // Half a data set cannot be taken back: the association is given up.
                return Err(SendError::Lost);
            }
        }
    }
}
