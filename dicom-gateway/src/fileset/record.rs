//! Directory records (PS3.3 F.5): what each says of its patient, study, series or
//! instance.

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::FileId;
use crate::dataset::DataSet;

/// Copies what the header has; an element without value stands for one that is absent, where `always`.
fn copy(from: &DataSet, to: &mut DataSet, wanted: &[Tag], always: bool) {
    for tag in wanted {
        match from.get(*tag) {
            Some(element) => to.insert(*tag, element.vr, element.value.clone()),
            None if always => {
                to.put_empty(*tag, crate::dataset::dictionary_vr(*tag));
            }
            None => {}
        }
    }
}

/// Sets a text where there is none.
fn fill(record: &mut DataSet, tag: Tag, text: impl Into<String>) {
    if record.text(tag).is_empty() {
        record.put(tag, text);
    }
}

/// PATIENT (F.5.1): ID required, name may be empty.
pub(super) fn patient(header: &DataSet) -> DataSet {
    let mut record = DataSet::default();
    record.put(tags::DIRECTORY_RECORD_TYPE, "PATIENT");
    copy(header, &mut record, &[tags::PATIENT_NAME, tags::PATIENT_ID], true);
    copy(header, &mut record, &[tags::PATIENT_BIRTH_DATE, tags::PATIENT_SEX], false);
    fill(&mut record, tags::PATIENT_ID, "UNKNOWN");
    record
}

/// STUDY (F.5.2): date, time, ID and UID required.
pub(super) fn study(header: &DataSet, number: usize, made: &(String, String)) -> DataSet {
    let mut record = DataSet::default();
    record.put(tags::DIRECTORY_RECORD_TYPE, "STUDY");
    let wanted = [tags::STUDY_DATE, tags::STUDY_TIME, tags::ACCESSION_NUMBER, tags::STUDY_DESCRIPTION, tags::STUDY_ID];
    copy(header, &mut record, &wanted, true);
    record.put(tags::STUDY_INSTANCE_UID, header.text(tags::STUDY_INSTANCE_UID));
    let day = [tags::SERIES_DATE, tags::ACQUISITION_DATE, tags::CONTENT_DATE];
    let day = day.iter().map(|tag| header.text(*tag)).find(|day| !day.is_empty()).unwrap_or(&made.0);
    fill(&mut record, tags::STUDY_DATE, day);
    fill(&mut record, tags::STUDY_TIME, "000000");
    fill(&mut record, tags::STUDY_ID, number.to_string());
    record
}

/// SERIES (F.5.3): modality, UID and number required.
pub(super) fn series(header: &DataSet, number: usize) -> DataSet {
    let mut record = DataSet::default();
    record.put(tags::DIRECTORY_RECORD_TYPE, "SERIES");
    copy(header, &mut record, &[tags::MODALITY, tags::SERIES_NUMBER], true);
    copy(header, &mut record, &[tags::SERIES_DESCRIPTION, tags::INSTITUTION_NAME], false);
    record.put(tags::SERIES_INSTANCE_UID, header.text(tags::SERIES_INSTANCE_UID));
    fill(&mut record, tags::MODALITY, "OT");
    fill(&mut record, tags::SERIES_NUMBER, number.to_string());
    record
}

/// The record of an instance (F.5.4 and following), by its SOP class.
pub(super) fn instance(
    header: &DataSet,
    number: u32,
    file: &FileId,
    transfer_syntax: &str,
    made: &(String, String),
) -> DataSet {
    let class = header.text(tags::SOP_CLASS_UID);
    let kind = kind_of(class);
    let mut record = DataSet::default();
    record.put(tags::DIRECTORY_RECORD_TYPE, kind);
    record.put_all(tags::REFERENCED_FILE_ID, file.components());
    record.put(tags::REFERENCED_SOP_CLASS_UID_IN_FILE, class);
    record.put(tags::REFERENCED_SOP_INSTANCE_UID_IN_FILE, header.text(tags::SOP_INSTANCE_UID));
    record.put(tags::REFERENCED_TRANSFER_SYNTAX_UID_IN_FILE, transfer_syntax);
    copy(header, &mut record, &[tags::INSTANCE_NUMBER], true);
    fill(&mut record, tags::INSTANCE_NUMBER, number.to_string());
    let content = [tags::CONTENT_DATE, tags::CONTENT_TIME];
    match kind {
        "IMAGE" => {
            copy(header, &mut record, &[tags::IMAGE_TYPE, tags::ROWS, tags::COLUMNS, tags::NUMBER_OF_FRAMES], false);
        }
        "SR DOCUMENT" => {
            let flags = [tags::COMPLETION_FLAG, tags::VERIFICATION_FLAG, tags::CONCEPT_NAME_CODE_SEQUENCE];
            copy(header, &mut record, &content, true);
            copy(header, &mut record, &flags, false);
            copy(header, &mut record, &[tags::VERIFICATION_DATE_TIME], false);
        }
        "KEY OBJECT DOC" => {
            copy(header, &mut record, &content, true);
            copy(header, &mut record, &[tags::CONCEPT_NAME_CODE_SEQUENCE], false);
        }
        "PRESENTATION" => {
            let wanted = [tags::PRESENTATION_CREATION_DATE, tags::PRESENTATION_CREATION_TIME, tags::CONTENT_LABEL];
            copy(header, &mut record, &wanted, true);
            copy(header, &mut record, &[tags::CONTENT_DESCRIPTION, tags::CONTENT_CREATOR_NAME], true);
            copy(header, &mut record, &[tags::REFERENCED_SERIES_SEQUENCE], false);
            fill(&mut record, tags::PRESENTATION_CREATION_DATE, made.0.as_str());
            fill(&mut record, tags::PRESENTATION_CREATION_TIME, made.1.as_str());
            fill(&mut record, tags::CONTENT_LABEL, "UNNAMED");
        }
        "ENCAP DOC" => {
            copy(header, &mut record, &content, true);
            copy(header, &mut record, &[tags::DOCUMENT_TITLE, tags::CONCEPT_NAME_CODE_SEQUENCE], true);
            copy(header, &mut record, &[tags::MIME_TYPE_OF_ENCAPSULATED_DOCUMENT], false);
        }
        _ => copy(header, &mut record, &content, true),
    }
    if kind != "IMAGE" && kind != "PRESENTATION" {
        fill(&mut record, tags::CONTENT_DATE, made.0.as_str());
        fill(&mut record, tags::CONTENT_TIME, made.1.as_str());
    }
    record
}

/// The record type of a SOP class (PS3.3 table F.4-1).
fn kind_of(class: &str) -> &'static str {
    let Some(storage) = class.strip_prefix("1.2.840.10008.5.1.4.1.1.") else { return "IMAGE" };
    match storage {
        "88.59" => "KEY OBJECT DOC",
        "104.1" | "104.2" => "ENCAP DOC",
        "66" => "RAW DATA",
        "66.1" | "66.3" => "REGISTRATION",
        "66.2" => "FIDUCIAL",
        "67" => "VALUE MAP",
        "4.2" => "SPECTROSCOPY",
        "481.2" => "RT DOSE",
        "481.3" => "RT STRUCTURE SET",
        "481.5" => "RT PLAN",
        "481.4" | "481.6" | "481.7" | "481.9" => "RT TREAT RECORD",
        _ if storage.starts_with("88.") => "SR DOCUMENT",
        _ if storage.starts_with("11.") => "PRESENTATION",
        _ if storage.starts_with("9.") => "WAVEFORM",
        _ => "IMAGE",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sop_class_has_its_kind_of_record() {
        for (class, kind) in [
            ("1.2.840.10008.5.1.4.1.1.2", "IMAGE"),
            ("1.2.840.10008.5.1.4.1.1.88.33", "SR DOCUMENT"),
            ("1.2.840.10008.5.1.4.1.1.88.59", "KEY OBJECT DOC"),
            ("1.2.840.10008.5.1.4.1.1.104.1", "ENCAP DOC"),
            ("1.2.840.10008.5.1.4.1.1.11.1", "PRESENTATION"),
            ("1.2.840.10008.5.1.4.1.1.9.1.1", "WAVEFORM"),
            ("1.2.840.10008.5.1.4.1.1.66.4", "IMAGE"),
            ("1.2.392.200036.9", "IMAGE"),
        ] {
            assert_eq!(kind_of(class), kind, "{class}");
        }
    }

    #[test]
    fn what_a_directory_must_have_is_made_up_where_the_header_lacks_it() {
        let made = ("20261001".to_owned(), "120000".to_owned());
        let mut header = DataSet::default();
        header.put(tags::STUDY_INSTANCE_UID, "1.2.3").put(tags::ACQUISITION_DATE, "20260930");
        let study = study(&header, 7, &made);
        assert_eq!(study.text(tags::STUDY_DATE), "20260930", "a day from the images before that of the export");
        assert_eq!((study.text(tags::STUDY_TIME), study.text(tags::STUDY_ID)), ("000000", "7"));
        assert!(study.has(tags::ACCESSION_NUMBER), "there, if empty");
        assert_eq!(series(&header, 2).text(tags::SERIES_NUMBER), "2");
        assert_eq!(patient(&header).text(tags::PATIENT_ID), "UNKNOWN");
    }
}
