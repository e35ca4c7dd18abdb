//! Which SOP classes a study may hold, by what is known of it before its images come.
//!
//! A requestor of C-GET must name each class before it has seen an object (PS3.4 C.4.3). Best known is what the peer
//! itself says (SOP Classes in Study); else the modalities tell which classes are likely, and what the site has sent
//! before and what is common everywhere are proposed behind them.

use dicom_dictionary_std::uids::*;

/// Retired, and still in archives.
const US_RETIRED: &str = "1.2.840.10008.5.1.4.1.1.6";
const US_MULTI_FRAME_RETIRED: &str = "1.2.840.10008.5.1.4.1.1.3";
const NM_RETIRED: &str = "1.2.840.10008.5.1.4.1.1.5";

/// What is known of a study's objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// SOP Classes in Study, where the peer tells them: then nothing else is proposed.
    pub classes: Vec<String>,
    /// Modalities in Study, or of its series.
    pub modalities: Vec<String>,
    /// SOP classes that the peer's site has sent before.
    pub sent_before: Vec<String>,
}

/// Classes to propose, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Classes {
    pub likely: Vec<String>,
    pub others: Vec<String>,
}

/// What is proposed of what is known; `is_storage` tells what may be received at all.
pub(super) fn classes(known: &Known, is_storage: impl Fn(&str) -> bool) -> Classes {
    let mut classes = Classes::default();
    let told = known.classes.iter().map(String::as_str);
    add(&mut classes.likely, &[], told.filter(|class| is_storage(class)));
    if !classes.likely.is_empty() {
        return classes;
    }
    for modality in &known.modalities {
        add(&mut classes.likely, &[], of_modality(modality).iter().copied());
    }
    let before = known.sent_before.iter().map(String::as_str).filter(|class| is_storage(class));
    add(&mut classes.others, &classes.likely, before);
    add(&mut classes.others, &classes.likely, COMMON.iter().copied());
    classes
}

fn add<'a>(to: &mut Vec<String>, known: &[String], more: impl Iterator<Item = &'a str>) {
    for class in more {
        if !to.iter().chain(known).any(|one| one == class) {
            to.push(class.to_owned());
        }
    }
}

/// What is common, the most common first: proposed behind what is likely.
const COMMON: [&str; 32] = [
    CT_IMAGE_STORAGE,
    MR_IMAGE_STORAGE,
    COMPUTED_RADIOGRAPHY_IMAGE_STORAGE,
    DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION,
    SECONDARY_CAPTURE_IMAGE_STORAGE,
    KEY_OBJECT_SELECTION_DOCUMENT_STORAGE,
    GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE,
    X_RAY_RADIATION_DOSE_SR_STORAGE,
    ENCAPSULATED_PDF_STORAGE,
    ULTRASOUND_IMAGE_STORAGE,
    ULTRASOUND_MULTI_FRAME_IMAGE_STORAGE,
    DIGITAL_MAMMOGRAPHY_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION,
    BREAST_TOMOSYNTHESIS_IMAGE_STORAGE,
    MULTI_FRAME_TRUE_COLOR_SECONDARY_CAPTURE_IMAGE_STORAGE,
    MULTI_FRAME_GRAYSCALE_BYTE_SECONDARY_CAPTURE_IMAGE_STORAGE,
    MULTI_FRAME_GRAYSCALE_WORD_SECONDARY_CAPTURE_IMAGE_STORAGE,
    X_RAY_ANGIOGRAPHIC_IMAGE_STORAGE,
    X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE,
    POSITRON_EMISSION_TOMOGRAPHY_IMAGE_STORAGE,
    NUCLEAR_MEDICINE_IMAGE_STORAGE,
    ENHANCED_CT_IMAGE_STORAGE,
    ENHANCED_MR_IMAGE_STORAGE,
    BASIC_TEXT_SR_STORAGE,
    ENHANCED_SR_STORAGE,
    COMPREHENSIVE_SR_STORAGE,
    COLOR_SOFTCOPY_PRESENTATION_STATE_STORAGE,
    SEGMENTATION_STORAGE,
    VL_ENDOSCOPIC_IMAGE_STORAGE,
    VL_PHOTOGRAPHIC_IMAGE_STORAGE,
    RAW_DATA_STORAGE,
    TWELVE_LEAD_ECG_WAVEFORM_STORAGE,
    RT_STRUCTURE_SET_STORAGE,
];

/// The classes that devices of a modality (PS3.3 C.7.3.1.1.1) write.
fn of_modality(modality: &str) -> &'static [&'static str] {
    match modality {
        "CT" => &[
            CT_IMAGE_STORAGE,
            SECONDARY_CAPTURE_IMAGE_STORAGE,
            X_RAY_RADIATION_DOSE_SR_STORAGE,
            ENHANCED_CT_IMAGE_STORAGE,
            LEGACY_CONVERTED_ENHANCED_CT_IMAGE_STORAGE,
        ],
        "MR" => &[
            MR_IMAGE_STORAGE,
            ENHANCED_MR_IMAGE_STORAGE,
            SECONDARY_CAPTURE_IMAGE_STORAGE,
            ENHANCED_MR_COLOR_IMAGE_STORAGE,
            LEGACY_CONVERTED_ENHANCED_MR_IMAGE_STORAGE,
            MR_SPECTROSCOPY_STORAGE,
        ],
        "CR" | "DX" | "DR" | "PX" | "IO" | "RG" => &[
            COMPUTED_RADIOGRAPHY_IMAGE_STORAGE,
            DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION,
            DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PROCESSING,
            DIGITAL_INTRA_ORAL_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION,
            SECONDARY_CAPTURE_IMAGE_STORAGE,
        ],
        "MG" => &[
            DIGITAL_MAMMOGRAPHY_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION,
            BREAST_TOMOSYNTHESIS_IMAGE_STORAGE,
            DIGITAL_MAMMOGRAPHY_X_RAY_IMAGE_STORAGE_FOR_PROCESSING,
            COMPUTED_RADIOGRAPHY_IMAGE_STORAGE,
            MAMMOGRAPHY_CADSR_STORAGE,
            SECONDARY_CAPTURE_IMAGE_STORAGE,
        ],
        "US" | "IVUS" | "EC" => &[
            ULTRASOUND_IMAGE_STORAGE,
            ULTRASOUND_MULTI_FRAME_IMAGE_STORAGE,
            US_RETIRED,
            US_MULTI_FRAME_RETIRED,
            ENHANCED_US_VOLUME_STORAGE,
            SECONDARY_CAPTURE_IMAGE_STORAGE,
        ],
        "XA" | "RF" => &[
            X_RAY_ANGIOGRAPHIC_IMAGE_STORAGE,
            X_RAY_RADIOFLUOROSCOPIC_IMAGE_STORAGE,
            ENHANCED_XA_IMAGE_STORAGE,
            ENHANCED_XRF_IMAGE_STORAGE,
            X_RAY3_D_ANGIOGRAPHIC_IMAGE_STORAGE,
            X_RAY_RADIATION_DOSE_SR_STORAGE,
            SECONDARY_CAPTURE_IMAGE_STORAGE,
        ],
        "NM" => &[NUCLEAR_MEDICINE_IMAGE_STORAGE, NM_RETIRED, SECONDARY_CAPTURE_IMAGE_STORAGE],
        "PT" => &[
            POSITRON_EMISSION_TOMOGRAPHY_IMAGE_STORAGE,
            ENHANCED_PET_IMAGE_STORAGE,
            LEGACY_CONVERTED_ENHANCED_PET_IMAGE_STORAGE,
        ],
        "SC" | "OT" | "DOC" => &[
            SECONDARY_CAPTURE_IMAGE_STORAGE,
            MULTI_FRAME_TRUE_COLOR_SECONDARY_CAPTURE_IMAGE_STORAGE,
            MULTI_FRAME_GRAYSCALE_BYTE_SECONDARY_CAPTURE_IMAGE_STORAGE,
            MULTI_FRAME_GRAYSCALE_WORD_SECONDARY_CAPTURE_IMAGE_STORAGE,
            MULTI_FRAME_SINGLE_BIT_SECONDARY_CAPTURE_IMAGE_STORAGE,
            ENCAPSULATED_PDF_STORAGE,
            ENCAPSULATED_CDA_STORAGE,
        ],
        "ES" => &[VL_ENDOSCOPIC_IMAGE_STORAGE, VIDEO_ENDOSCOPIC_IMAGE_STORAGE],
        "GM" | "SM" => &[
            VL_MICROSCOPIC_IMAGE_STORAGE,
            VL_SLIDE_COORDINATES_MICROSCOPIC_IMAGE_STORAGE,
            VL_WHOLE_SLIDE_MICROSCOPY_IMAGE_STORAGE,
            VIDEO_MICROSCOPIC_IMAGE_STORAGE,
        ],
        "XC" => {
            &[VL_PHOTOGRAPHIC_IMAGE_STORAGE, VIDEO_PHOTOGRAPHIC_IMAGE_STORAGE, DERMOSCOPIC_PHOTOGRAPHY_IMAGE_STORAGE]
        }
        "OP" | "OPT" => &[
            OPHTHALMIC_PHOTOGRAPHY8_BIT_IMAGE_STORAGE,
            OPHTHALMIC_PHOTOGRAPHY16_BIT_IMAGE_STORAGE,
            OPHTHALMIC_TOMOGRAPHY_IMAGE_STORAGE,
        ],
        "ECG" | "EPS" | "HD" => &[
            TWELVE_LEAD_ECG_WAVEFORM_STORAGE,
            GENERAL_ECG_WAVEFORM_STORAGE,
            AMBULATORY_ECG_WAVEFORM_STORAGE,
            HEMODYNAMIC_WAVEFORM_STORAGE,
            CARDIAC_ELECTROPHYSIOLOGY_WAVEFORM_STORAGE,
        ],
        "SR" => &[
            X_RAY_RADIATION_DOSE_SR_STORAGE,
            BASIC_TEXT_SR_STORAGE,
            ENHANCED_SR_STORAGE,
            COMPREHENSIVE_SR_STORAGE,
            COMPREHENSIVE3_DSR_STORAGE,
            RADIOPHARMACEUTICAL_RADIATION_DOSE_SR_STORAGE,
            PROCEDURE_LOG_STORAGE,
        ],
        "PR" => &[
            GRAYSCALE_SOFTCOPY_PRESENTATION_STATE_STORAGE,
            COLOR_SOFTCOPY_PRESENTATION_STATE_STORAGE,
            PSEUDO_COLOR_SOFTCOPY_PRESENTATION_STATE_STORAGE,
            BLENDING_SOFTCOPY_PRESENTATION_STATE_STORAGE,
        ],
        "KO" => &[KEY_OBJECT_SELECTION_DOCUMENT_STORAGE],
        "SEG" => &[SEGMENTATION_STORAGE, SURFACE_SEGMENTATION_STORAGE],
        "REG" => &[SPATIAL_REGISTRATION_STORAGE, DEFORMABLE_SPATIAL_REGISTRATION_STORAGE],
        "RTIMAGE" | "RTDOSE" | "RTSTRUCT" | "RTPLAN" | "RTRECORD" => &[
            RT_IMAGE_STORAGE,
            RT_DOSE_STORAGE,
            RT_STRUCTURE_SET_STORAGE,
            RT_PLAN_STORAGE,
            RT_ION_PLAN_STORAGE,
            RT_BEAMS_TREATMENT_RECORD_STORAGE,
        ],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(classes: &[&str], modalities: &[&str], before: &[&str]) -> Known {
        let owned = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect();
        Known { classes: owned(classes), modalities: owned(modalities), sent_before: owned(before) }
    }

    #[test]
    fn what_the_peer_says_is_in_a_study_is_all_that_is_proposed() {
        let told = known(&[MR_IMAGE_STORAGE, "1.2.840.10008.1.1"], &["CT"], &[CT_IMAGE_STORAGE]);
        let classes = classes(&told, |class| class != "1.2.840.10008.1.1");
        assert_eq!(classes, Classes { likely: vec![MR_IMAGE_STORAGE.to_owned()], others: Vec::new() });
    }

    #[test]
    fn else_the_modalities_lead_then_what_the_site_sent_then_what_is_common_each_once() {
        let private = "1.2.392.200036.9116.7.8.1.1.1";
        let classes = classes(&known(&[], &["CT", "SR"], &[private, CT_IMAGE_STORAGE]), |_| true);
        assert_eq!(classes.likely[0], CT_IMAGE_STORAGE);
        assert!(classes.likely.contains(&BASIC_TEXT_SR_STORAGE.to_owned()));
        assert_eq!(classes.others[..2], [private.to_owned(), MR_IMAGE_STORAGE.to_owned()]);
        let mut all = [classes.likely, classes.others].concat();
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn of_an_unknown_modality_the_common_classes_are_left() {
        assert_eq!(classes(&known(&[], &["ZZ"], &[]), |_| true).others.len(), COMMON.len());
    }
}
