//! What a search returns of a study, a series and an instance (PS3.18 10.6.3.3), in the DICOM JSON model.

use dicom_core::VR;
use dicom_dictionary_std::tags;
use dokuei_dicom_gateway::charset::PersonName;
use dokuei_dicom_gateway::dataset::{DataSet, Value, to_json};
use dokuei_models::names::PatientName;
use dokuei_models::store::image_search::{FoundInstance, FoundSeries, FoundStudy};
use dokuei_models::store::studies::{InstanceRow, SeriesRow};

use super::query::Include;

/// The study's attributes. `root` is the absolute address of the root.
pub fn study(out: &mut DataSet, study: &FoundStudy, root: &str) {
    out.put(tags::SPECIFIC_CHARACTER_SET, "ISO_IR 192");
    out.put(tags::STUDY_DATE, study.study_date.map(|day| day.format("%Y%m%d").to_string()).unwrap_or_default());
    out.put(tags::STUDY_TIME, study.study_time.as_str());
    out.put(tags::ACCESSION_NUMBER, study.accession_number.as_str());
    out.put(tags::INSTANCE_AVAILABILITY, "ONLINE");
    out.put_all(tags::MODALITIES_IN_STUDY, study.modalities.split('\\').map(str::to_owned).collect());
    out.put(tags::REFERRING_PHYSICIAN_NAME, study.referring_physician.as_str());
    out.put(tags::STUDY_DESCRIPTION, study.description.as_str());
    out.put(tags::RETRIEVE_URL, format!("{root}/studies/{}", study.study_uid));
    out.put_name(tags::PATIENT_NAME, name(&study.name()));
    out.put(tags::PATIENT_ID, study.header_patient_id.as_str());
    let birth = study.header_birth_date.map(|day| day.format("%Y%m%d").to_string());
    out.put(tags::PATIENT_BIRTH_DATE, birth.unwrap_or_default());
    out.put(tags::PATIENT_SEX, study.header_sex.as_str());
    out.put(tags::STUDY_INSTANCE_UID, study.study_uid.as_str());
    out.put(tags::STUDY_ID, study.study_id_text.as_str());
    out.put(tags::NUMBER_OF_STUDY_RELATED_SERIES, study.series.to_string());
    out.put(tags::NUMBER_OF_STUDY_RELATED_INSTANCES, study.instances.to_string());
}

/// The series' attributes.
pub fn series(out: &mut DataSet, study: &FoundStudy, series: &SeriesRow, root: &str) {
    out.put(tags::SPECIFIC_CHARACTER_SET, "ISO_IR 192");
    out.put(tags::INSTANCE_AVAILABILITY, "ONLINE");
    out.put(tags::MODALITY, series.modality.as_str());
    out.put(tags::SERIES_DESCRIPTION, series.description.as_str());
    out.put(tags::RETRIEVE_URL, format!("{root}/studies/{}/series/{}", study.study_uid, series.series_uid));
    for (tag, text) in [
        (tags::BODY_PART_EXAMINED, &series.body_part),
        (tags::PROTOCOL_NAME, &series.protocol),
        (tags::LATERALITY, &series.laterality),
    ] {
        if !text.is_empty() {
            out.put(tag, text.as_str());
        }
    }
    out.put(tags::STUDY_INSTANCE_UID, study.study_uid.as_str());
    out.put(tags::SERIES_INSTANCE_UID, series.series_uid.as_str());
    out.put(tags::SERIES_NUMBER, series.number.map(|number| number.to_string()).unwrap_or_default());
    out.put(tags::NUMBER_OF_SERIES_RELATED_INSTANCES, series.instances.to_string());
}

/// The instance's attributes.
pub fn instance(out: &mut DataSet, found: &FoundInstance, root: &str) {
    let InstanceRow { sop_instance_uid, sop_class_uid, number, image_rows, image_columns, frames, .. } =
        &found.instance;
    let (study, series) = (&found.study.study_uid, &found.series.series_uid);
    out.put(tags::SPECIFIC_CHARACTER_SET, "ISO_IR 192");
    out.put(tags::SOP_CLASS_UID, sop_class_uid.as_str());
    out.put(tags::SOP_INSTANCE_UID, sop_instance_uid.as_str());
    out.put(tags::INSTANCE_AVAILABILITY, "ONLINE");
    let address = format!("{root}/studies/{study}/series/{series}/instances/{sop_instance_uid}");
    out.put(tags::RETRIEVE_URL, address);
    out.put(tags::AVAILABLE_TRANSFER_SYNTAX_UID, found.instance.transfer_syntax.as_str());
    out.put(tags::STUDY_INSTANCE_UID, study.as_str());
    out.put(tags::SERIES_INSTANCE_UID, series.as_str());
    out.put(tags::INSTANCE_NUMBER, number.map(|number| number.to_string()).unwrap_or_default());
    for (tag, size) in [(tags::ROWS, image_rows), (tags::COLUMNS, image_columns)] {
        if let Some(size) = size.and_then(|size| u16::try_from(size).ok()) {
            out.put_u16(tag, size);
        }
    }
    if *frames > 0 {
        out.put(tags::NUMBER_OF_FRAMES, frames.to_string());
    }
}

/// A series with its study, where the address names none.
pub fn series_with_study(out: &mut DataSet, found: &FoundSeries, root: &str) {
    study(out, &found.study, root);
    series(out, &found.study, &found.series, root);
}

/// Adds what `include` names from the object's own header; what the index says stays.
pub fn included(out: &mut DataSet, header: &DataSet, include: &Include) {
    for (tag, element) in header.iter() {
        let wanted = include.tags.contains(&tag) || (include.all && tag.group() % 2 == 0);
        let is_bulk = matches!(element.value, Value::Elsewhere { .. });
        if wanted && !is_bulk && !out.has(tag) && tag.group() > 2 {
            out.insert(tag, element.vr, element.value.clone());
        }
    }
}

/// What is named and nowhere to be found is there without a value.
pub fn named_at_least(out: &mut DataSet, include: &Include) {
    for tag in &include.tags {
        let vr = dokuei_dicom_gateway::dataset::dictionary_vr(*tag);
        if !out.has(*tag) && vr != VR::UN && tag.group() > 2 {
            out.put_empty(*tag, vr);
        }
    }
}

/// As JSON; binary values are left out.
pub fn json(dataset: &DataSet) -> serde_json::Value {
    let mut object = to_json(dataset, &mut |_| None);
    object.retain(|_, entry| entry.get("InlineBinary").is_none());
    serde_json::Value::Object(object)
}

fn name(name: &PatientName) -> PersonName {
    PersonName::parse(&[&*name.alphabetic, &name.ideographic, &name.phonetic].join("="))
}
