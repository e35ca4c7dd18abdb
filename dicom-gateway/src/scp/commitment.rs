//! Storage Commitment Push Model (PS3.4 annex J): the question, and the answer where it must come back on the same
//! association because the peer listens nowhere.

use dicom_dictionary_std::tags;
use dicom_ul::pdu::Pdu;
use dokuei_models::store::commitments::Reference;

use super::association::Association;
use super::desk::Outcome;
use super::identifier::Unfit;
use crate::commitment::{PUSH_MODEL, PUSH_MODEL_INSTANCE};
use crate::dataset::DataSet;
use crate::dimse::{Command, Kind, Status};
use crate::uid::Uid;
use crate::wire::{Incoming, Link};

/// Request Storage Commitment.
const REQUEST: u16 = 1;

/// A question that was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its row.
    pub commitment: i64,
    /// A job brings the answer over an association of its own.
    pub by_job: bool,
}

impl<L: Link> Association<L> {
    pub(super) async fn commitment(&mut self, context: u8, command: &Command) -> Result<(), Outcome> {
        let dataset = match self.identifier(context, command).await? {
            Ok(dataset) => dataset,
            Err(unfit) => return self.refuse(context, command, unfit).await,
        };
        let (transaction, items) = match question(command, &dataset) {
            Ok(question) => question,
            Err(unfit) => return self.refuse(context, command, unfit).await,
        };
        let who = self.requester();
        let Some(library) = self.shared.library.clone() else {
            return self.answer(context, command, Status::UNRECOGNIZED_OPERATION, None).await;
        };
        let asked = match library.commitment_asked(&who, &transaction, &items).await {
            Ok(asked) => asked,
            Err(error) => {
                tracing::warn!(calling = %self.calling, %error, "a storage commitment was not taken");
                let comment = "the index is unavailable, ask again later";
                return self.answer(context, command, Status::PROCESSING_FAILURE, Some(comment)).await;
            }
        };
        self.answer(context, command, Status::SUCCESS, None).await?;
        if asked.by_job {
            return Ok(());
        }
        let findings = match library.verify(&who, &items).await {
            Ok(findings) => findings,
            // It asks again when it hears nothing.
            Err(error) => {
                tracing::warn!(calling = %self.calling, %error, "a storage commitment could not be answered");
                return Ok(());
            }
        };
        let ours = self.shared.config.ae_title.to_string();
        let report = self.encode(context, &dataset, &findings.report(&transaction, &ours));
        let event = Command::event_report(1, PUSH_MODEL, PUSH_MODEL_INSTANCE, findings.event_type());
        self.wire.send_message(context, &event.write(), &report, self.agreement.peer_max_pdu).await?;
        match self.wire.next().await? {
            Incoming::Value(head) => {
                let came = self.command(head).await?;
                self.skip_dataset(&came, head.context).await?;
                if came.kind != Kind::EventReportResponse {
                    return Err(Outcome::ProtocolError);
                }
                if came.status == Some(Status::SUCCESS) {
                    library.commitment_reported(asked, &findings).await;
                }
                Ok(())
            }
            // It was gone already, without having heard.
            Incoming::Pdu(Pdu::ReleaseRQ) => {
                self.wire.send(&Pdu::ReleaseRP).await?;
                Err(Outcome::Released)
            }
            Incoming::Pdu(_) => Err(Outcome::Aborted),
        }
    }
}

/// The transaction and what it is about.
fn question(command: &Command, dataset: &DataSet) -> Result<(String, Vec<Reference>), Unfit> {
    let unfit = |status, comment, tag| Unfit { status, comment, offending: tag };
    if command.sop_instance.as_deref() != Some(PUSH_MODEL_INSTANCE) {
        return Err(unfit(Status::NO_SUCH_INSTANCE, "not the push model's SOP instance", None));
    }
    if command.action_type != Some(REQUEST) {
        return Err(unfit(Status::NO_SUCH_ACTION, "the push model has action 1 alone", None));
    }
    let transaction = Uid::parse(dataset.text(tags::TRANSACTION_UID).as_bytes()).map_err(|_| {
        unfit(Status::INVALID_ARGUMENT, "the transaction UID is absent or none", Some(tags::TRANSACTION_UID))
    })?;
    let references = dataset.items(tags::REFERENCED_SOP_SEQUENCE).iter();
    let items: Vec<Reference> = references
        .map(|item| {
            let uid = |tag| item.text(tag).to_owned();
            (uid(tags::REFERENCED_SOP_CLASS_UID), uid(tags::REFERENCED_SOP_INSTANCE_UID))
        })
        .collect();
    if items.is_empty() || items.iter().any(|(class, instance)| class.is_empty() || instance.is_empty()) {
        let tag = Some(tags::REFERENCED_SOP_SEQUENCE);
        return Err(unfit(Status::INVALID_ARGUMENT, "it does not say which objects", tag));
    }
    Ok((transaction.to_string(), items))
}
