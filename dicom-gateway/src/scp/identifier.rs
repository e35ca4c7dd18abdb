//! The identifier of a query or retrieval: which keys it has, and what an answer holds (PS3.4 C.4.1, C.6).

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dokuei_models::names::PatientName;
use dokuei_models::store::image_search::{
    DayRange, FoundPatient, FoundStudy, ImageKeys, NamePattern, TextPattern, TimeRange,
};
use dokuei_models::store::studies::SeriesRow;

use super::library::{Found, Level};
use crate::charset::PersonName;
use crate::dataset::{DataSet, Value};
use crate::dimse::Status;

/// Why an identifier cannot be acted on: what its sender hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unfit {
    pub status: Status,
    pub comment: &'static str,
    pub offending: Option<Tag>,
}

impl Unfit {
    pub fn new(comment: &'static str, offending: Tag) -> Self {
        Self { status: Status::IDENTIFIER_MISMATCH, comment, offending: Some(offending) }
    }
}

/// Attributes that say how to ask or where the images are, and match nothing.
const ABOUT_THE_QUERY: [Tag; 5] = [
    tags::SPECIFIC_CHARACTER_SET,
    tags::QUERY_RETRIEVE_LEVEL,
    tags::RETRIEVE_AE_TITLE,
    tags::INSTANCE_AVAILABILITY,
    tags::TIMEZONE_OFFSET_FROM_UTC,
];

/// The level that an identifier asks for; PATIENT only where the model's root is the patient.
pub(super) fn level(identifier: &DataSet, patient_root: bool) -> Result<Level, Unfit> {
    let level = Level::parse(identifier.text(tags::QUERY_RETRIEVE_LEVEL))
        .ok_or(Unfit::new("Query/Retrieve Level is absent or none", tags::QUERY_RETRIEVE_LEVEL))?;
    if level == Level::Patient && !patient_root {
        return Err(Unfit::new("this model has no PATIENT level", tags::QUERY_RETRIEVE_LEVEL));
    }
    Ok(level)
}

/// The matching keys of a query. Keys that are not supported are left out: the answer says so.
pub(super) fn matching(identifier: &DataSet) -> Result<ImageKeys, Unfit> {
    let mut keys = ImageKeys::default();
    for (tag, element) in identifier.iter() {
        if element.value.is_empty() {
            continue;
        }
        let text = || TextPattern::parse(identifier.text(tag));
        let list = || {
            let values = identifier.texts(tag).iter().map(|value| value.trim().to_owned());
            values.filter(|value| !value.is_empty() && !value.contains(['*', '?'])).collect::<Vec<_>>()
        };
        let days = || {
            DayRange::parse(identifier.text(tag)).map_err(|_| Unfit::new("a date is none, and no range of dates", tag))
        };
        match tag {
            tags::PATIENT_ID => keys.patient_id = text(),
            tags::PATIENT_NAME => {
                keys.patient_name = identifier.name(tag).and_then(|name| NamePattern::parse(&name.joined()));
            }
            tags::PATIENT_BIRTH_DATE => keys.birth_date = days()?,
            tags::PATIENT_SEX => keys.sex = text(),
            tags::STUDY_INSTANCE_UID => keys.study_uids = list(),
            tags::ACCESSION_NUMBER => keys.accession_number = text(),
            tags::STUDY_DATE => keys.study_date = days()?,
            tags::STUDY_TIME => {
                keys.study_time = TimeRange::parse(identifier.text(tag))
                    .map_err(|_| Unfit::new("a time is none, and no range of times", tag))?;
            }
            tags::STUDY_ID => keys.study_id = text(),
            tags::STUDY_DESCRIPTION => keys.study_description = text(),
            tags::REFERRING_PHYSICIAN_NAME => {
                keys.referring_physician = identifier.name(tag).and_then(|name| TextPattern::parse(&name.joined()));
            }
            tags::INSTITUTION_NAME => keys.institution = text(),
            tags::MODALITIES_IN_STUDY => keys.modalities_in_study = list(),
            tags::SERIES_INSTANCE_UID => keys.series_uids = list(),
            tags::MODALITY => keys.modalities = list(),
            tags::SERIES_NUMBER => keys.series_number = number(identifier, tag)?,
            tags::SERIES_DESCRIPTION => keys.series_description = text(),
            tags::PROTOCOL_NAME => keys.protocol = text(),
            tags::BODY_PART_EXAMINED => keys.body_part = text(),
            tags::LATERALITY => keys.laterality = text(),
            tags::SOP_INSTANCE_UID => keys.sop_instance_uids = list(),
            tags::SOP_CLASS_UID => keys.sop_class_uids = list(),
            tags::INSTANCE_NUMBER => keys.instance_number = number(identifier, tag)?,
            _ => {}
        }
    }
    Ok(keys)
}

/// The unique keys of a retrieval: that of its level must be there, and single values or lists of UIDs (PS3.4 C.4.2.2.1).
pub(super) fn unique(identifier: &DataSet, level: Level) -> Result<ImageKeys, Unfit> {
    let list = |tag| identifier.texts(tag).iter().filter(|uid| !uid.is_empty()).cloned().collect::<Vec<_>>();
    let keys = ImageKeys {
        patient_id: TextPattern::parse(identifier.text(tags::PATIENT_ID)),
        study_uids: list(tags::STUDY_INSTANCE_UID),
        series_uids: list(tags::SERIES_INSTANCE_UID),
        sop_instance_uids: list(tags::SOP_INSTANCE_UID),
        ..ImageKeys::default()
    };
    let tag = unique_key(level);
    let value = identifier.texts(tag).join("\\");
    if value.is_empty() {
        return Err(Unfit::new("the unique key of the level is absent", tag));
    }
    if identifier.text(tags::PATIENT_ID).contains(['*', '?']) || value.contains(['*', '?']) {
        return Err(Unfit::new("a retrieval takes no wildcards", tag));
    }
    Ok(keys)
}

fn number(identifier: &DataSet, tag: Tag) -> Result<Option<i32>, Unfit> {
    let text = identifier.text(tag);
    if text.chars().all(|c| c == '*') {
        return Ok(None);
    }
    text.trim().parse().map(Some).map_err(|_| Unfit::new("a number is none", tag))
}

const fn unique_key(level: Level) -> Tag {
    match level {
        Level::Patient => tags::PATIENT_ID,
        Level::Study => tags::STUDY_INSTANCE_UID,
        Level::Series => tags::SERIES_INSTANCE_UID,
        Level::Image => tags::SOP_INSTANCE_UID,
    }
}

/// An answer: every key of the identifier, with its value where there is one, and whether some key is not supported.
pub(super) fn answer(identifier: &DataSet, level: Level, found: &Found, ours: &str) -> (DataSet, bool) {
    let mut known = known(found);
    known.put(tags::QUERY_RETRIEVE_LEVEL, level.word());
    known.put(tags::RETRIEVE_AE_TITLE, ours);
    known.put(tags::INSTANCE_AVAILABILITY, "ONLINE");
    let mut out = DataSet::default();
    let mut unsupported = false;
    for (tag, element) in identifier.iter() {
        if tag == tags::SPECIFIC_CHARACTER_SET || tag.element() == 0 {
            continue;
        }
        match known.get(tag) {
            Some(known) => out.insert(tag, known.vr, known.value.clone()),
            None => {
                unsupported |= !ABOUT_THE_QUERY.contains(&tag);
                match element.value {
                    Value::Sequence(_) => out.put_items(tag, Vec::new()),
                    _ => out.put_empty(tag, element.vr),
                };
            }
        }
    }
    for tag in [tags::QUERY_RETRIEVE_LEVEL, tags::RETRIEVE_AE_TITLE, tags::INSTANCE_AVAILABILITY, unique_key(level)] {
        if let (false, Some(known)) = (out.has(tag), known.get(tag)) {
            out.insert(tag, known.vr, known.value.clone());
        }
    }
    (out, unsupported)
}

/// Everything the index knows of a match.
fn known(found: &Found) -> DataSet {
    let mut out = DataSet::default();
    match found {
        Found::Patient(patient) => of_patient(&mut out, patient),
        Found::Study(study) => of_study(&mut out, study),
        Found::Series(found) => {
            of_study(&mut out, &found.study);
            of_series(&mut out, &found.series);
        }
        Found::Instance(found) => {
            of_study(&mut out, &found.study);
            of_series(&mut out, &found.series);
            let instance = &found.instance;
            out.put(tags::SOP_INSTANCE_UID, &*instance.sop_instance_uid)
                .put(tags::SOP_CLASS_UID, &*instance.sop_class_uid)
                .put(tags::INSTANCE_NUMBER, optional(instance.number))
                .put(tags::AVAILABLE_TRANSFER_SYNTAX_UID, &*instance.transfer_syntax);
            let short = |number: Option<i32>| number.and_then(|number| u16::try_from(number).ok());
            for (tag, number) in [(tags::ROWS, instance.image_rows), (tags::COLUMNS, instance.image_columns)] {
                match short(number) {
                    Some(number) => out.put_u16(tag, number),
                    None => out.put_empty(tag, dicom_core::VR::US),
                };
            }
            out.put(tags::NUMBER_OF_FRAMES, optional((instance.frames > 0).then_some(instance.frames)));
        }
    }
    out
}

fn of_patient(out: &mut DataSet, patient: &FoundPatient) {
    out.put(tags::PATIENT_ID, &*patient.patient_id)
        .put_name(tags::PATIENT_NAME, name(&patient.name()))
        .put(tags::PATIENT_BIRTH_DATE, date(patient.birth_date))
        .put(tags::PATIENT_SEX, &*patient.sex);
}

fn of_study(out: &mut DataSet, study: &FoundStudy) {
    let modalities = study.modalities.split('\\').filter(|one| !one.is_empty()).map(str::to_owned).collect();
    out.put(tags::PATIENT_ID, &*study.header_patient_id)
        .put_name(tags::PATIENT_NAME, name(&study.name()))
        .put(tags::PATIENT_BIRTH_DATE, date(study.header_birth_date))
        .put(tags::PATIENT_SEX, &*study.header_sex)
        .put(tags::STUDY_INSTANCE_UID, &*study.study_uid)
        .put(tags::ACCESSION_NUMBER, &*study.accession_number)
        .put(tags::STUDY_DATE, date(study.study_date))
        .put(tags::STUDY_TIME, &*study.study_time)
        .put(tags::STUDY_ID, &*study.study_id_text)
        .put(tags::STUDY_DESCRIPTION, &*study.description)
        .put(tags::REFERRING_PHYSICIAN_NAME, &*study.referring_physician)
        .put(tags::INSTITUTION_NAME, &*study.institution)
        .put_all(tags::MODALITIES_IN_STUDY, modalities)
        .put(tags::NUMBER_OF_STUDY_RELATED_SERIES, study.series.to_string())
        .put(tags::NUMBER_OF_STUDY_RELATED_INSTANCES, study.instances.to_string());
}

fn of_series(out: &mut DataSet, series: &SeriesRow) {
    out.put(tags::SERIES_INSTANCE_UID, &*series.series_uid)
        .put(tags::MODALITY, &*series.modality)
        .put(tags::SERIES_NUMBER, optional(series.number))
        .put(tags::SERIES_DESCRIPTION, &*series.description)
        .put(tags::PROTOCOL_NAME, &*series.protocol)
        .put(tags::BODY_PART_EXAMINED, &*series.body_part)
        .put(tags::LATERALITY, &*series.laterality)
        .put(tags::NUMBER_OF_SERIES_RELATED_INSTANCES, series.instances.to_string());
}

fn optional(number: Option<i32>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

pub(super) fn date(date: Option<chrono::NaiveDate>) -> String {
    date.map(|date| date.format("%Y%m%d").to_string()).unwrap_or_default()
}

pub(super) fn name(name: &PatientName) -> PersonName {
    PersonName::of(&name.alphabetic, &name.ideographic, &name.phonetic)
}
