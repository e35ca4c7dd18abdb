//! Modality Performed Procedure Step (PS3.4 annex F.7) and Instance Availability Notification (PS3.4 annex R): what a
//! modality or PACS says of what it has made. Both are evidence of completeness; neither is passed on.

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dokuei_models::store::performed_steps::{Made, StepChange, StepStatus};
use sha2::{Digest, Sha256};

use super::association::Association;
use super::desk::Outcome;
use super::identifier::Unfit;
use super::library::Requester;
use crate::dataset::DataSet;
use crate::dimse::{Command, Kind, Status};
use crate::encapsulate;
use crate::uid::Uid;
use crate::wire::Link;

/// "Performed Procedure Step Object may no longer be updated" (PS3.4 table F.7.2-2).
const ENDED: u16 = 0xA710;

/// What an availability notification says of one study.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Availability {
    /// SOP Instance UID of the notification.
    pub notification: String,
    /// Study Instance UID.
    pub study_uid: String,
    /// The series with the instances that can be had.
    pub series: Vec<Made>,
    /// Instances that are named but not available.
    pub unavailable: usize,
}

impl<L: Link> Association<L> {
    pub(super) async fn performed_step(&mut self, context: u8, command: &Command) -> Result<(), Outcome> {
        let dataset = match self.identifier(context, command).await? {
            Ok(dataset) => dataset,
            Err(unfit) => return self.refuse(context, command, unfit).await,
        };
        let mut command = command.clone();
        if let Err(unfit) = named(&mut command, &self.requester()) {
            return self.refuse(context, &command, unfit).await;
        }
        let Some(library) = self.shared.library.clone() else {
            return self.answer(context, &command, Status::UNRECOGNIZED_OPERATION, None).await;
        };
        let (who, uid) = (self.requester(), command.sop_instance.clone().unwrap_or_default());
        let change = if command.kind == Kind::CreateRequest {
            match begun(&dataset) {
                Ok(studies) => library.step_created(&who, &uid, &studies).await,
                Err(unfit) => return self.refuse(context, &command, unfit).await,
            }
        } else {
            match changed(&dataset) {
                Ok((status, made)) => library.step_set(&who, &uid, status, made.as_deref()).await,
                Err(unfit) => return self.refuse(context, &command, unfit).await,
            }
        };
        let has_ended = change == Ok(StepChange::Ended);
        let (status, comment) = match change {
            Ok(StepChange::Done) => (Status::SUCCESS, None),
            Ok(StepChange::Known) => (Status::DUPLICATE_INSTANCE, Some("this step is here already")),
            Ok(StepChange::Unknown) => (Status::NO_SUCH_INSTANCE, Some("there is no such step")),
            Ok(StepChange::Ended) => (Status::PROCESSING_FAILURE, Some("the step has ended and can't be changed")),
            Err(error) => {
                tracing::warn!(calling = %self.calling, %error, "a performed procedure step was not kept");
                (Status::PROCESSING_FAILURE, Some("the index is unavailable, send again later"))
            }
        };
        let mut response = command.response(status, comment);
        response.error_id = has_ended.then_some(ENDED);
        Ok(self.wire.send_command(context, &response.write(), self.agreement.peer_max_pdu).await?)
    }

    pub(super) async fn availability(&mut self, context: u8, command: &Command) -> Result<(), Outcome> {
        let dataset = match self.identifier(context, command).await? {
            Ok(dataset) => dataset,
            Err(unfit) => return self.refuse(context, command, unfit).await,
        };
        let mut command = command.clone();
        let said = named(&mut command, &self.requester()).and_then(|()| available(&command, &dataset));
        let said = match said {
            Ok(said) => said,
            Err(unfit) => return self.refuse(context, &command, unfit).await,
        };
        let Some(library) = self.shared.library.clone() else {
            return self.answer(context, &command, Status::UNRECOGNIZED_OPERATION, None).await;
        };
        match library.available(&self.requester(), &said).await {
            Ok(()) => self.answer(context, &command, Status::SUCCESS, None).await,
            Err(error) => {
                tracing::warn!(calling = %self.calling, %error, "an availability notification was not kept");
                let comment = "the index is unavailable, send again later";
                self.answer(context, &command, Status::PROCESSING_FAILURE, Some(comment)).await
            }
        }
    }
}

/// An N-CREATE without SOP Instance UID gets one of ours (PS3.7 10.1.5.1.3); any other must have one.
fn named(command: &mut Command, who: &Requester) -> Result<(), Unfit> {
    match command.sop_instance.as_deref() {
        None | Some("") if command.kind == Kind::CreateRequest => {
            let seed = format!("{} {} {:?}", who.calling, who.from, std::time::SystemTime::now());
            let hash: [u8; 32] = Sha256::digest(seed).into();
            let mut random = [0; 16];
            random.copy_from_slice(&hash[..16]);
            command.sop_instance = Some(encapsulate::uid_from_random(random).to_string());
            Ok(())
        }
        Some(uid) if Uid::parse(uid.as_bytes()).is_ok() => Ok(()),
        _ => Err(Unfit { status: Status::INVALID_INSTANCE, comment: "the SOP Instance UID is none", offending: None }),
    }
}

fn invalid(comment: &'static str, tag: Tag) -> Unfit {
    Unfit { status: Status::INVALID_ATTRIBUTE, comment, offending: Some(tag) }
}

fn missing(comment: &'static str, tag: Tag) -> Unfit {
    Unfit { status: Status::MISSING_ATTRIBUTE, comment, offending: Some(tag) }
}

/// The studies of a step that begins.
fn begun(dataset: &DataSet) -> Result<Vec<String>, Unfit> {
    if dataset.text(tags::PERFORMED_PROCEDURE_STEP_STATUS) != StepStatus::InProgress.code() {
        return Err(invalid("a step begins IN PROGRESS", tags::PERFORMED_PROCEDURE_STEP_STATUS));
    }
    let scheduled = dataset.items(tags::SCHEDULED_STEP_ATTRIBUTES_SEQUENCE);
    let mut studies: Vec<String> = Vec::new();
    for item in scheduled {
        let uid = item.text(tags::STUDY_INSTANCE_UID);
        if !uid.is_empty() && !studies.iter().any(|known| known == uid) {
            studies.push(uid.to_owned());
        }
    }
    if studies.is_empty() {
        return Err(missing("it names no study", tags::SCHEDULED_STEP_ATTRIBUTES_SEQUENCE));
    }
    Ok(studies)
}

/// The status and what was made, where an N-SET says them.
fn changed(dataset: &DataSet) -> Result<(Option<StepStatus>, Option<Vec<Made>>), Unfit> {
    let status = match dataset.text(tags::PERFORMED_PROCEDURE_STEP_STATUS) {
        "" => None,
        text => Some(
            text.parse::<StepStatus>()
                .map_err(|_| invalid("this is no status of a step", tags::PERFORMED_PROCEDURE_STEP_STATUS))?,
        ),
    };
    let series = dataset.items(tags::PERFORMED_SERIES_SEQUENCE);
    if status == Some(StepStatus::Completed) && dataset.has(tags::PERFORMED_SERIES_SEQUENCE) && series.is_empty() {
        return Err(missing("a completed step has a series", tags::PERFORMED_SERIES_SEQUENCE));
    }
    let made = series.iter().map(|series| {
        let mut instances = references(series, tags::REFERENCED_IMAGE_SEQUENCE);
        instances.extend(references(series, tags::REFERENCED_NON_IMAGE_COMPOSITE_SOP_INSTANCE_SEQUENCE));
        (series.text(tags::SERIES_INSTANCE_UID).to_owned(), instances)
    });
    Ok((status, dataset.has(tags::PERFORMED_SERIES_SEQUENCE).then(|| made.collect())))
}

fn references(dataset: &DataSet, sequence: Tag) -> Vec<String> {
    let items = dataset.items(sequence).iter();
    let mut uids: Vec<String> = items.map(|item| item.text(tags::REFERENCED_SOP_INSTANCE_UID).to_owned()).collect();
    uids.retain(|uid| !uid.is_empty());
    uids.sort();
    uids.dedup();
    uids
}

fn available(command: &Command, dataset: &DataSet) -> Result<Availability, Unfit> {
    let study_uid = dataset.text(tags::STUDY_INSTANCE_UID);
    if study_uid.is_empty() {
        return Err(missing("it names no study", tags::STUDY_INSTANCE_UID));
    }
    let mut said = Availability {
        notification: command.sop_instance.clone().unwrap_or_default(),
        study_uid: study_uid.to_owned(),
        series: Vec::new(),
        unavailable: 0,
    };
    for series in dataset.items(tags::REFERENCED_SERIES_SEQUENCE) {
        let mut instances = Vec::new();
        for item in series.items(tags::REFERENCED_SOP_SEQUENCE) {
            match item.text(tags::INSTANCE_AVAILABILITY) {
                "UNAVAILABLE" => said.unavailable += 1,
                _ => instances.push(item.text(tags::REFERENCED_SOP_INSTANCE_UID).to_owned()),
            }
        }
        instances.sort();
        instances.dedup();
        said.series.push((series.text(tags::SERIES_INSTANCE_UID).to_owned(), instances));
    }
    if said.series.is_empty() {
        return Err(missing("it names no series", tags::REFERENCED_SERIES_SEQUENCE));
    }
    Ok(said)
}
