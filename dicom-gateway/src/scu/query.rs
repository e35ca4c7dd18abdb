//! C-FIND and C-MOVE, study root (PS3.4 C.6.2): what another PACS has, and having it sent here.

use chrono::NaiveDate;
use dicom_dictionary_std::tags;

use super::get::Known;
use super::requestor::{Proposal, Requestor};
use super::{Destination, SendError};
use crate::ae_title::AeTitle;
use crate::charset::{NameForm, PersonName, Repertoire};
use crate::dataset::{self, DataSet, Limits, Syntax};
use crate::dimse::{Command, Kind, Status};

/// Study Root Query/Retrieve Information Model, FIND.
const STUDY_ROOT_FIND: &str = "1.2.840.10008.5.1.4.1.2.2.1";
/// Study Root Query/Retrieve Information Model, MOVE.
const STUDY_ROOT_MOVE: &str = "1.2.840.10008.5.1.4.1.2.2.2";
const SYNTAXES: [&str; 2] = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"];
/// Most bytes of one answer's identifier.
const MAX_IDENTIFIER: usize = 1 << 20;

/// What a peer found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The matches, decoded.
    pub matches: Vec<DataSet>,
    /// There were more than were asked for; the rest was cancelled.
    pub more: bool,
}

/// How a C-MOVE ended, in instances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Sent and kept at the destination.
    pub completed: u16,
    /// Not sent, or not kept.
    pub failed: u16,
    /// Kept with a warning.
    pub warning: u16,
    /// The final status.
    pub status: Option<Status>,
}

fn proposals(class: &str) -> Vec<Proposal> {
    SYNTAXES.iter().map(|syntax| (class.to_owned(), (*syntax).to_owned())).collect()
}

/// An association for one information model, its context and how identifiers are written on it.
struct Query {
    requestor: Requestor,
    context: u8,
    syntax: Syntax,
}

impl Query {
    async fn begin(to: &Destination, class: &str) -> Result<Self, SendError> {
        let proposals = proposals(class);
        let requestor = Requestor::connect(to, &proposals).await?;
        let accepted = proposals.iter().find_map(|one| Some((requestor.context(one)?, Syntax::of(&one.1)?)));
        match accepted {
            Some((context, syntax)) => Ok(Self { requestor, context, syntax }),
            None => {
                requestor.release().await;
                Err(SendError::Protocol("it offers no query and retrieve to us"))
            }
        }
    }

    async fn ask(&mut self, command: &Command, identifier: &DataSet, set: &Repertoire) -> Result<(), SendError> {
        let written = dataset::write(identifier, self.syntax, set, NameForm::All)
            .map_err(|_| SendError::Protocol("a query of ours could not be written"))?;
        self.requestor.request(self.context, command, Some(&written.bytes)).await
    }

    /// What matches, `most` at the most. A refused query leaves the association as it was.
    async fn matches(&mut self, identifier: &DataSet, set: &Repertoire, most: usize) -> Result<Found, SendError> {
        let command = Command::query_request(Kind::FindRequest, self.requestor.message_id(), STUDY_ROOT_FIND);
        self.ask(&command, identifier, set).await?;
        let mut found = Found::default();
        loop {
            let (answer, matched) = self.answer(&command).await?;
            let status = answer.status.ok_or(SendError::Protocol("its answer has no status"))?;
            match status.0 {
                // Pending; FF01 says that an optional key was not looked at.
                0xFF00 | 0xFF01 => {
                    if found.matches.len() < most {
                        found.matches.extend(matched);
                    } else if !found.more {
                        found.more = true;
                        self.requestor.request(self.context, &Command::cancel(command.message_id), None).await?;
                    }
                }
                0x0000 | 0xFE00 => return Ok(found),
                _ => {
                    let comment = answer.error_comment.unwrap_or_default();
                    return Err(SendError::QueryRefused { status, comment });
                }
            }
        }
    }

    /// Ends the association, where it has not ended by itself.
    async fn end<T>(self, outcome: Result<T, SendError>) -> Result<T, SendError> {
        if !matches!(outcome, Err(SendError::Lost | SendError::Aborted | SendError::TimedOut)) {
            self.requestor.release().await;
        }
        outcome
    }

    async fn answer(&mut self, to: &Command) -> Result<(Command, Option<DataSet>), SendError> {
        let (answer, identifier) = self.requestor.answer_with(to, MAX_IDENTIFIER).await?;
        let syntax = match self.syntax {
            Syntax::Explicit => SYNTAXES[0],
            Syntax::Implicit => SYNTAXES[1],
        };
        let read = |bytes: Vec<u8>| dataset::read(&bytes, syntax, Limits::default());
        let identifier = identifier.map(read).transpose();
        Ok((answer, identifier.map_err(|_| SendError::Protocol("its answer's identifier cannot be read"))?))
    }
}

/// Asks a peer what it has. `identifier` holds Query/Retrieve Level, the keys to match and those to be returned, written
/// in `set`, in which some peers also answer; at most `most` matches are taken.
///
/// # Errors
/// [`SendError`], a refused query among them.
pub async fn find(to: &Destination, identifier: &DataSet, set: &Repertoire, most: usize) -> Result<Found, SendError> {
    let mut query = Query::begin(to, STUDY_ROOT_FIND).await?;
    let found = query.matches(identifier, set, most).await;
    query.end(found).await
}

/// Has a peer send what `identifier` names to an AE title that it knows. Its objects come over associations of their
/// own; each answer may take as long as [`Timeouts::answer`](super::Timeouts).
///
/// # Errors
/// [`SendError`], a refused request among them. Instances that failed are in the result.
pub async fn retrieve(to: &Destination, identifier: &DataSet, destination: &AeTitle) -> Result<Moved, SendError> {
    let mut query = Query::begin(to, STUDY_ROOT_MOVE).await?;
    let mut command = Command::query_request(Kind::MoveRequest, query.requestor.message_id(), STUDY_ROOT_MOVE);
    command.move_destination = Some(destination.to_string());
    query.ask(&command, identifier, &Repertoire::kanji()).await?;
    let mut moved = Moved::default();
    loop {
        let (answer, _) = query.answer(&command).await?;
        let status = answer.status.ok_or(SendError::Protocol("its answer has no status"))?;
        if let Some(counts) = answer.sub_operations {
            (moved.completed, moved.failed, moved.warning) = (counts.completed, counts.failed, counts.warning);
        }
        match status.0 {
            0xFF00 => {}
            // Done, or done with instances that failed (PS3.4 C.4.2.1.5).
            0x0000 | 0xB000 => {
                moved.status = Some(status);
                break;
            }
            _ => {
                query.requestor.release().await;
                return Err(SendError::QueryRefused { status, comment: answer.error_comment.unwrap_or_default() });
            }
        }
    }
    query.requestor.release().await;
    Ok(moved)
}

/// A study that a peer has, as its answer says.
#[derive(Clone, PartialEq)]
pub struct StudyAnswer {
    /// Study Instance UID.
    pub study_uid: String,
    /// Patient ID.
    pub patient_id: String,
    /// Patient's Name.
    pub patient_name: PersonName,
    /// Patient's Birth Date.
    pub birth_date: Option<NaiveDate>,
    /// Patient's Sex.
    pub sex: String,
    /// Study Date.
    pub date: Option<NaiveDate>,
    /// Modalities in Study.
    pub modalities: Vec<String>,
    /// Study Description.
    pub description: String,
    /// Number of Study Related Instances, where the peer counts them.
    pub instances: Option<i64>,
}

/// The studies that a peer has of a Patient ID, `most` at the most, asked for in `set`.
///
/// # Errors
/// As [`find`].
pub async fn find_studies(
    to: &Destination,
    patient_id: &str,
    set: &Repertoire,
    most: usize,
) -> Result<Vec<StudyAnswer>, SendError> {
    let mut keys = DataSet::default();
    keys.put(tags::QUERY_RETRIEVE_LEVEL, "STUDY").put(tags::PATIENT_ID, patient_id);
    for wanted in [
        tags::STUDY_INSTANCE_UID,
        tags::STUDY_DATE,
        tags::STUDY_DESCRIPTION,
        tags::MODALITIES_IN_STUDY,
        tags::NUMBER_OF_STUDY_RELATED_INSTANCES,
        tags::PATIENT_NAME,
        tags::PATIENT_BIRTH_DATE,
        tags::PATIENT_SEX,
    ] {
        keys.put(wanted, "");
    }
    Ok(find(to, &keys, set, most).await?.matches.iter().filter_map(study_answer).collect())
}

fn study_answer(answer: &DataSet) -> Option<StudyAnswer> {
    let day = |tag| NaiveDate::parse_from_str(answer.text(tag), "%Y%m%d").ok();
    let study_uid = answer.text(tags::STUDY_INSTANCE_UID).to_owned();
    (!study_uid.is_empty()).then(|| StudyAnswer {
        study_uid,
        patient_id: answer.text(tags::PATIENT_ID).to_owned(),
        patient_name: answer.name(tags::PATIENT_NAME).cloned().unwrap_or_else(|| PersonName::of("", "", "")),
        birth_date: day(tags::PATIENT_BIRTH_DATE),
        sex: answer.text(tags::PATIENT_SEX).to_owned(),
        date: day(tags::STUDY_DATE),
        modalities: answer.texts(tags::MODALITIES_IN_STUDY).to_vec(),
        description: answer.text(tags::STUDY_DESCRIPTION).to_owned(),
        instances: answer.integer(tags::NUMBER_OF_STUDY_RELATED_INSTANCES),
    })
}

/// Has a peer send one study to an AE title that it knows.
///
/// # Errors
/// As [`retrieve`].
pub async fn retrieve_study(to: &Destination, study_uid: &str, destination: &AeTitle) -> Result<Moved, SendError> {
    let mut keys = DataSet::default();
    keys.put(tags::QUERY_RETRIEVE_LEVEL, "STUDY").put(tags::STUDY_INSTANCE_UID, study_uid);
    retrieve(to, &keys, destination).await
}

/// The most series and images of one study that are listed.
const MOST_SERIES: usize = 2_000;
const MOST_IMAGES: usize = 200_000;

/// What a peer says that a study holds, before it is fetched by C-GET.
///
/// # Errors
/// As [`find`]; a key that it does not know is no error.
pub async fn study_kinds(to: &Destination, study_uid: &str) -> Result<Known, SendError> {
    let mut keys = DataSet::default();
    keys.put(tags::QUERY_RETRIEVE_LEVEL, "STUDY").put(tags::STUDY_INSTANCE_UID, study_uid);
    keys.put(tags::SOP_CLASSES_IN_STUDY, "").put(tags::MODALITIES_IN_STUDY, "");
    let mut query = Query::begin(to, STUDY_ROOT_FIND).await?;
    let known = kinds(&mut query, &keys, study_uid).await;
    query.end(known).await
}

async fn kinds(query: &mut Query, keys: &DataSet, study_uid: &str) -> Result<Known, SendError> {
    let mut known = Known::default();
    let texts = |answer: &DataSet, tag| answer.texts(tag).iter().filter(|one| !one.is_empty()).cloned().collect();
    for answer in query.matches(keys, &Repertoire::default(), 1).await?.matches {
        known.classes = texts(&answer, tags::SOP_CLASSES_IN_STUDY);
        known.modalities = texts(&answer, tags::MODALITIES_IN_STUDY);
    }
    // Both keys are optional; that of a series is not (PS3.4 table C.6-3).
    if known.classes.is_empty() && known.modalities.is_empty() {
        for series in series_of(query, study_uid).await? {
            let modality = series.text(tags::MODALITY);
            if !modality.is_empty() && !known.modalities.iter().any(|one| one == modality) {
                known.modalities.push(modality.to_owned());
            }
        }
    }
    Ok(known)
}

async fn series_of(query: &mut Query, study_uid: &str) -> Result<Vec<DataSet>, SendError> {
    let mut keys = DataSet::default();
    keys.put(tags::QUERY_RETRIEVE_LEVEL, "SERIES").put(tags::STUDY_INSTANCE_UID, study_uid);
    keys.put(tags::SERIES_INSTANCE_UID, "").put(tags::MODALITY, "");
    Ok(query.matches(&keys, &Repertoire::default(), MOST_SERIES).await?.matches)
}

/// The SOP Instance UIDs that a peer has of a study, by series.
///
/// # Errors
/// As [`find`].
pub async fn study_images(to: &Destination, study_uid: &str) -> Result<Vec<(String, Vec<String>)>, SendError> {
    let mut query = Query::begin(to, STUDY_ROOT_FIND).await?;
    let images = images(&mut query, study_uid).await;
    query.end(images).await
}

async fn images(query: &mut Query, study_uid: &str) -> Result<Vec<(String, Vec<String>)>, SendError> {
    let mut all = Vec::new();
    for series in series_of(query, study_uid).await? {
        let series = series.text(tags::SERIES_INSTANCE_UID).to_owned();
        if series.is_empty() {
            continue;
        }
        let mut keys = DataSet::default();
        keys.put(tags::QUERY_RETRIEVE_LEVEL, "IMAGE").put(tags::STUDY_INSTANCE_UID, study_uid);
        keys.put(tags::SERIES_INSTANCE_UID, series.as_str()).put(tags::SOP_INSTANCE_UID, "");
        let found = query.matches(&keys, &Repertoire::default(), MOST_IMAGES).await?;
        let uids = found.matches.iter().map(|image| image.text(tags::SOP_INSTANCE_UID).to_owned());
        all.push((series, uids.filter(|uid| !uid.is_empty()).collect()));
    }
    Ok(all)
}
