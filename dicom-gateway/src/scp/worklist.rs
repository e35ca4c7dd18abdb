//! Modality Worklist (PS3.4 annex K): what the peer's site has asked to be read and has not sent yet.
//!
//! A request knows no room and no machine: its one step is scheduled for today, for whoever asks, with the modality that
//! its exam names. A request without images stays on the list until it has some or is withdrawn.

use chrono::{NaiveDateTime, Utc};
use dicom_dictionary_std::tags;
use dokuei_models::japan;
use dokuei_models::names::PatientName;
use dokuei_models::store::requests::RequestRow;
use dokuei_terms::Priority;
use sha2::{Digest, Sha256};

use super::association::Association;
use super::desk::Outcome;
use super::find::Ending;
use super::identifier::{date, name};
use super::library::Usage;
use super::matching;
use crate::dataset::{DataSet, Value};
use crate::dimse::{Command, Status};
use crate::encapsulate;
use crate::wire::Link;

impl<L: Link> Association<L> {
    pub(super) async fn worklist(&mut self, context: u8, command: &Command) -> Result<(), Outcome> {
        let identifier = match self.identifier(context, command).await? {
            Ok(identifier) => identifier,
            Err(unfit) => return self.refuse(context, command, unfit).await,
        };
        let Some(library) = self.library() else {
            return self.answer(context, command, Status::UNRECOGNIZED_OPERATION, None).await;
        };
        let who = self.requester();
        let now = japan::local(Utc::now().naive_utc());
        let mut count = 0;
        let (status, comment): Ending = match library.waiting(&who).await {
            Err(error) => {
                tracing::warn!(calling = %self.calling, %error, "a worklist could not be answered");
                (Status::OUT_OF_RESOURCES, Some("the index is unavailable, ask again later"))
            }
            Ok(requests) => 'all: {
                let mut items = Vec::new();
                let mut given = Vec::new();
                for request in &requests {
                    let item = scheduled(request, &asked_station(&identifier, self.calling.as_str()), now);
                    match matching::matches(&identifier, &item) {
                        Ok(true) => {}
                        Ok(false) => continue,
                        Err(unfit) => return self.refuse(context, command, unfit).await,
                    }
                    if request.study_uid.is_empty() {
                        given.push((request.id, study_uid(request)));
                    }
                    items.push(item);
                }
                // Kept before it is given: the study that comes with it finds its request by it.
                if !given.is_empty()
                    && let Err(error) = library.study_uids_given(&who, &given).await
                {
                    tracing::warn!(calling = %self.calling, %error, "the UIDs of a worklist were not kept");
                    break 'all (Status::OUT_OF_RESOURCES, Some("the index is unavailable, ask again later"));
                }
                for item in items {
                    if self.is_cancelled(command).await? {
                        break 'all (Status::CANCELLED, None);
                    }
                    let (answer, unsupported) = matching::answer(&identifier, &item);
                    let status = if unsupported { Status::PENDING_WITHOUT_SOME_KEYS } else { Status::PENDING };
                    self.pending(context, command, status, &identifier, &answer).await?;
                    count += 1;
                }
                (Status::SUCCESS, None)
            }
        };
        let destination = String::new();
        let usage = Usage { service: "worklist", level: "", count, failed: 0, destination, status: status.0 };
        library.used(&who, usage).await;
        self.answer(context, command, status, comment).await
    }
}

/// The station that the peer asks for, else itself.
fn asked_station(identifier: &DataSet, calling: &str) -> String {
    let step = identifier.items(tags::SCHEDULED_PROCEDURE_STEP_SEQUENCE).first();
    let asked = step.map_or("", |step| step.text(tags::SCHEDULED_STATION_AE_TITLE));
    if asked.is_empty() || asked.contains(['*', '?']) { calling.to_owned() } else { asked.to_owned() }
}

/// A request as a worklist item. `now` is local time.
fn scheduled(request: &RequestRow, station: &str, now: NaiveDateTime) -> DataSet {
    let written = japan::local(request.created_at);
    let time = if written.date() == now.date() { written.format("%H%M%S").to_string() } else { "000000".to_owned() };
    let id = request.id.to_string();
    let mut step = DataSet::default();
    step.put(tags::SCHEDULED_STATION_AE_TITLE, station)
        .put(tags::SCHEDULED_PROCEDURE_STEP_START_DATE, date(Some(now.date())))
        .put(tags::SCHEDULED_PROCEDURE_STEP_START_TIME, time)
        .put(tags::MODALITY, modality(&request.exam))
        .put(tags::SCHEDULED_PROCEDURE_STEP_DESCRIPTION, &*request.exam)
        .put(tags::SCHEDULED_PROCEDURE_STEP_ID, &*id)
        .put(tags::SCHEDULED_PERFORMING_PHYSICIAN_NAME, "")
        .put(tags::SCHEDULED_STATION_NAME, "")
        .put(tags::SCHEDULED_PROCEDURE_STEP_LOCATION, "");
    let patient = PatientName {
        alphabetic: request.name_alphabetic.clone(),
        ideographic: request.name_ideographic.clone(),
        phonetic: request.name_phonetic.clone(),
    };
    let mut out = DataSet::default();
    out.put_items(tags::SCHEDULED_PROCEDURE_STEP_SEQUENCE, vec![step])
        .put(tags::STUDY_INSTANCE_UID, study_uid(request))
        .put(tags::ACCESSION_NUMBER, &*request.accession_number)
        .put(tags::REQUESTED_PROCEDURE_ID, id)
        .put(tags::REQUESTED_PROCEDURE_DESCRIPTION, &*request.exam)
        .put(tags::REQUESTED_PROCEDURE_PRIORITY, priority(request.priority))
        .put(tags::REASON_FOR_THE_REQUESTED_PROCEDURE, &*request.question)
        .put(tags::REQUESTING_SERVICE, &*request.department)
        .put(tags::REQUESTING_PHYSICIAN, &*request.ordering_doctor)
        .put(tags::REFERRING_PHYSICIAN_NAME, &*request.ordering_doctor)
        .put(tags::PATIENT_ID, &*request.patient_id)
        .put_name(tags::PATIENT_NAME, name(&patient))
        .put(tags::PATIENT_BIRTH_DATE, date(request.birth_date))
        .put(tags::PATIENT_SEX, &*request.sex);
    for tag in [tags::REFERENCED_STUDY_SEQUENCE, tags::REFERENCED_PATIENT_SEQUENCE] {
        out.insert(tag, dicom_core::VR::SQ, Value::Sequence(Vec::new()));
    }
    out
}

/// That of the request, else one that is always the same for it.
fn study_uid(request: &RequestRow) -> String {
    if !request.study_uid.is_empty() {
        return request.study_uid.clone();
    }
    let hash: [u8; 32] = Sha256::digest(format!("request {} {}", request.id, request.created_at)).into();
    let mut seed = [0; 16];
    seed.copy_from_slice(&hash[..16]);
    encapsulate::uid_from_random(seed).to_string()
}

/// Requested Procedure Priority (0040,1003).
fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::Stat => "STAT",
        Priority::Urgent => "HIGH",
        Priority::Priority => "MEDIUM",
        Priority::Routine => "ROUTINE",
    }
}

/// The modality that an exam's words name; OT where they name none.
fn modality(exam: &str) -> &'static str {
    const WORDS: [(&str, &str); 20] = [
        ("CT", "CT"),
        ("MRI", "MR"),
        ("MR", "MR"),
        ("MG", "MG"),
        ("マンモ", "MG"),
        ("US", "US"),
        ("超音波", "US"),
        ("エコー", "US"),
        ("PET", "PT"),
        ("PT", "PT"),
        ("NM", "NM"),
        ("シンチ", "NM"),
        ("XA", "XA"),
        ("血管造影", "XA"),
        ("RF", "RF"),
        ("透視", "RF"),
        ("DX", "DX"),
        ("CR", "CR"),
        ("単純", "CR"),
        ("X線", "CR"),
    ];
    let exam = exam.to_uppercase().replace('Ｘ', "X");
    let latin: Vec<&str> = exam.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let named = |word: &str| if word.is_ascii() { latin.contains(&word) } else { exam.contains(word) };
    WORDS.iter().find(|(word, _)| named(word)).map_or("OT", |(_, modality)| modality)
}

#[cfg(test)]
mod tests {
    use super::modality;

    #[test]
    fn an_exam_names_its_modality() {
        for (exam, wanted) in [
            ("CT 胸部", "CT"),
            ("胸部単純CT", "CT"),
            ("頭部MRI", "MR"),
            ("胸部X線 正面", "CR"),
            ("腹部エコー", "US"),
            ("ACTH負荷試験", "OT"),
            ("", "OT"),
        ] {
            assert_eq!(modality(exam), wanted, "{exam}");
        }
    }
}
