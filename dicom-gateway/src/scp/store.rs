//! C-STORE: one object from its command to its answer.

use std::sync::Arc;

use chrono::Utc;
use dokuei_models::ArrivalId;
use dokuei_models::state::Whose;
use dokuei_models::store::images::NewArrival;
use tokio::sync::oneshot;

use super::account::Taken;
use super::association::Association;
use super::desk::{Cut, Outcome};
use crate::dimse::{Command, Status};
use crate::intake::{KeepError, Kept, Received, ReceivedObject, Receiving};
use crate::uid::Uid;
use crate::wire::Link;

/// Most that is reserved for an object because the last one was as long.
const RESERVE: usize = 16 << 20;

/// Objects of an association that may be answered before it is told what became of them.
const UNTOLD: usize = 256;

/// At most 64 characters (PS3.7 C.4.2).
const FULL: &str = "no room: too much waits for the object store; send again later";

type Refused = (Status, &'static str);

const TOO_LARGE: Refused = (Status::OUT_OF_RESOURCES, "the object exceeds the size limit");
const NO_MEMORY: Refused = (Status::OUT_OF_RESOURCES, "too much is being received at once, send again later");
const TOO_MANY: Refused = (Status::OUT_OF_RESOURCES, "this association has brought all it may, open another");
const UNASKED: Refused = (Status::NOT_AUTHORIZED, "the object is of another study than was asked for");

impl<L: Link> Association<L> {
    /// Receives the data set, keeps the object and answers. Whatever is wrong with
    /// the message is answered after its data set, never by silence.
    pub(super) async fn store(&mut self, context: u8, command: &Command) -> Result<(), Outcome> {
        // Who was told and goes on all the same is sent away.
        if self.tally.limited.contains_key("site_objects") {
            return Err(Outcome::Cut(Cut::Objects));
        }
        let received = match self.begin(context, command) {
            Ok(receiving) => self.receive(context, receiving).await?,
            Err(refused) => {
                self.skip_dataset(command, context).await?;
                Err(refused)
            }
        };
        let received = match received {
            Ok((object, _)) if !self.is_asked_for(&object).await => Err(UNASKED),
            received => received,
        };
        let (status, comment) = match received {
            Ok((object, _taken)) => self.keep(object).await,
            Err(refused) => {
                let (status, comment) = refused;
                tracing::warn!(calling = %self.calling, %status, reason = comment, "an object was refused");
                self.tally.unasked += u32::from(refused == UNASKED);
                if let Some(limit) = limit(refused) {
                    *self.tally.limited.entry(limit).or_default() += 1;
                }
                (status, Some(comment.to_owned()))
            }
        };
        if status != Status::SUCCESS {
            self.tally.failed += 1;
        }
        self.answer(context, command, status, comment.as_deref()).await
    }

    /// Checks the command against what was agreed on.
    fn begin(&self, context: u8, command: &Command) -> Result<Receiving, Refused> {
        if !self.admission.peer.stores {
            return Err((Status::NOT_AUTHORIZED, "this AE title may query here, not send"));
        }
        let agreed = self.agreement.contexts.get(&context);
        let agreed = agreed.ok_or((Status::CLASS_NOT_SUPPORTED, "this presentation context was not accepted"))?;
        let class = command.sop_class.as_deref().unwrap_or_default();
        let class = Uid::parse(class.as_bytes())
            .map_err(|_| (Status::CLASS_NOT_SUPPORTED, "the Affected SOP Class UID is not a UID"))?;
        if class.as_str() != agreed.abstract_syntax {
            return Err((Status::CLASS_NOT_SUPPORTED, "the SOP class is not that of the presentation context"));
        }
        let instance = command.sop_instance.as_deref().unwrap_or_default();
        let instance = Uid::parse(instance.as_bytes())
            .map_err(|_| (Status::INVALID_INSTANCE, "the Affected SOP Instance UID is not a UID"))?;
        if !command.has_dataset {
            return Err((Status::CANNOT_UNDERSTAND, "the message has no data set"));
        }
        if self.admission.peer.limits.objects.is_some_and(|most| self.objects >= most) {
            return Err(TOO_MANY);
        }
        Ok(Receiving::new(class, instance, &agreed.transfer_syntax, self.last_len.min(RESERVE)))
    }

    /// Takes the data set in. What exceeds a limit is read over and refused.
    async fn receive(
        &mut self,
        context: u8,
        receiving: Receiving,
    ) -> Result<Result<(ReceivedObject, Taken), Refused>, Outcome> {
        self.objects += 1;
        let mut taken = Taken::default();
        let mut state = Ok(receiving);
        loop {
            let head = self.next_data(context).await?;
            if let Ok(receiving) = &state {
                if receiving.len() + head.len > self.shared.config.limits.object {
                    state = Err(TOO_LARGE);
                } else if !self.account.raise(&mut taken, receiving.in_memory() + head.len).await {
                    state = Err(NO_MEMORY);
                }
            }
            match &mut state {
                Ok(receiving) => {
                    self.wire.value_into(head, receiving.target()).await?;
                    receiving.hash();
                }
                Err(_) => self.wire.skip_value(head).await?,
            }
            if let Ok(receiving) = state.as_ref()
                && receiving.is_long()
            {
                state = self.spill(state).await;
            }
            if head.is_last {
                break;
            }
        }
        let received = match state {
            Ok(receiving) => {
                self.last_len = receiving.len();
                if receiving.is_spooled() {
                    spawn(move || receiving.finish()).await
                } else {
                    finished(receiving.finish())
                }
            }
            Err(refused) => Err(refused),
        };
        Ok(received.map(|object| (object, taken)))
    }

    /// Moves what was received into the archive's spool.
    async fn spill(&self, state: Result<Receiving, Refused>) -> Result<Receiving, Refused> {
        let (mut receiving, archive) = (state?, Arc::clone(&self.shared.archive));
        spawn(move || receiving.spill(|| archive.spool()).map(|()| receiving)).await
    }

    /// Whether an object may come: all may, but where one study alone was asked for. What cannot be read is kept apart by
    /// the archive, as ever.
    async fn is_asked_for(&self, object: &ReceivedObject) -> bool {
        let Some(only) = self.only.clone() else { return true };
        let object = object.clone();
        let asked = tokio::task::spawn_blocking(move || match object.header() {
            Ok(Ok(header)) => header.study_uid.as_str() == only,
            Ok(Err(_)) | Err(_) => true,
        });
        asked.await.unwrap_or(false)
    }

    /// Keeps the object; the status is what the peer hears.
    async fn keep(&mut self, object: ReceivedObject) -> (Status, Option<String>) {
        let received = match self.arrival().await {
            Ok(arrival) => self.shared.archive.receive(self.admission.peer.site, arrival, object).await,
            Err(error) => Err(error),
        };
        match received {
            Ok(Received::Kept(kept)) => self.count(kept),
            Ok(Received::Safe(told)) => {
                self.untold.push_back(told);
                self.hear(UNTOLD).await;
            }
            Err(error) => {
                tracing::warn!(calling = %self.calling, %error, "an object was not kept");
                return match error {
                    KeepError::Unavailable(_) => {
                        (Status::OUT_OF_RESOURCES, Some("the archive is unavailable, send again later".to_owned()))
                    }
                    KeepError::Full => (Status::OUT_OF_RESOURCES, Some(FULL.to_owned())),
                    KeepError::Mismatch(_) => (Status::MISMATCH, Some(error.to_string())),
                    KeepError::Failed(_) => (Status::PROCESSING_FAILURE, Some("the archive failed".to_owned())),
                };
            }
        }
        (Status::SUCCESS, None)
    }

    /// Hears what became of objects that were answered; waits while it is untold of more than `most`.
    pub(super) async fn hear(&mut self, most: usize) {
        loop {
            let waits = self.untold.len() > most;
            if waits {
                self.shared.archive.hurry();
            }
            let Some(told) = self.untold.front_mut() else { return };
            let kept = if waits {
                told.await.ok()
            } else {
                match told.try_recv() {
                    Ok(kept) => Some(kept),
                    Err(oneshot::error::TryRecvError::Empty) => return,
                    Err(oneshot::error::TryRecvError::Closed) => None,
                }
            };
            self.untold.pop_front();
            match kept {
                Some(kept) => self.count(kept),
                None => tracing::warn!(calling = %self.calling, "what became of an object was not told"),
            }
        }
    }

    fn count(&mut self, kept: Kept) {
        match kept {
            Kept::New(filed) => {
                self.tally.new += 1;
                *self.tally.studies.entry(filed.study_uid).or_default() += 1;
            }
            Kept::Repeat(_) => self.tally.repeated += 1,
            Kept::Renewed(_) => self.tally.renewed += 1,
            Kept::Conflict(filed) => {
                self.tally.conflicting += 1;
                tracing::warn!(instance = %filed.sop_instance_uid, "an instance contradicts what is here and was kept apart");
            }
            Kept::Quarantined(reason) => {
                self.tally.quarantined += 1;
                tracing::warn!(calling = %self.calling, %reason, "an object was quarantined");
            }
        }
    }

    /// The arrival's row, made when the first object comes: an echo is no arrival.
    async fn arrival(&mut self) -> Result<ArrivalId, KeepError> {
        if let Some(arrival) = self.admission.arrival {
            return Ok(arrival);
        }
        let arrival = NewArrival {
            site: self.admission.peer.site,
            endpoint: Some(self.admission.peer.endpoint),
            user: None,
            via: if self.only.is_some() { "get" } else { "dicom" },
            whose: Whose::Ours,
            calling_ae: self.calling.to_string(),
            address: self.from.to_string(),
            at: Utc::now().naive_utc(),
        };
        let arrival = self.shared.archive.open(arrival).await?;
        self.admission.arrival = Some(arrival);
        Ok(arrival)
    }
}

/// The stable name of the limit that an object passed.
fn limit(refused: Refused) -> Option<&'static str> {
    [(TOO_LARGE, "object_too_large"), (NO_MEMORY, "memory_full"), (TOO_MANY, "site_objects")]
        .into_iter()
        .find(|(one, _)| *one == refused)
        .map(|(_, name)| name)
}

/// Runs what blocks on the disk.
async fn spawn<T: Send + 'static>(work: impl FnOnce() -> Result<T, KeepError> + Send + 'static) -> Result<T, Refused> {
    let done = tokio::task::spawn_blocking(work).await;
    finished(done.unwrap_or_else(|error| Err(KeepError::Failed(error.to_string()))))
}

fn finished<T>(done: Result<T, KeepError>) -> Result<T, Refused> {
    done.map_err(|error| {
        tracing::warn!(%error, "an object could not be spooled");
        (Status::OUT_OF_RESOURCES, "the archive is unavailable, send again later")
    })
}
