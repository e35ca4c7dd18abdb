//! One SOP instance: patient, study, series, equipment, image and pixel modules.

use std::sync::Arc;

use chrono::Duration;
use dicom_core::{PrimitiveValue, VR, dicom_value};
use dicom_dictionary_std::tags;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use dokuei_terms::Laterality;

use super::{
    Series, Study, Technique,
    elements::{Set, coded, number, put, sequence},
    pixels, uid,
};
use crate::phantom::{Picture, flat::MammoView, noise::mix, render::Grid};

/// Explicit VR Little Endian.
pub const TRANSFER_SYNTAX: &str = "1.2.840.10008.1.2.1";

/// Values of BodyPartExamined that are paired and that the day uses for both sides at once (PS3.16 Annex L).
const PAIRED: &[&str] = &["IAC", "ORBIT", "PARANASALSINUS"];

/// Why an instance could not be written. Neither happens with what this crate makes.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// The file meta information is not whole.
    #[error("the file meta information could not be made")]
    Meta(#[source] Box<dicom_object::meta::Error>),
    /// The data set could not be written.
    #[error("the data set could not be written")]
    Write(#[source] Box<dicom_object::WriteError>),
}

/// One image of a study. Its bytes are made when asked for, each time the same.
#[derive(Debug, Clone)]
pub struct Instance {
    study: Arc<Study>,
    series: usize,
    picture: usize,
}

impl Instance {
    /// All instances of one series of a study; none if there is no such series.
    pub fn of_series(study: &Arc<Study>, series: usize) -> impl Iterator<Item = Instance> + use<> {
        let study = Arc::clone(study);
        let count = study.series.get(series).map_or(0, |found| found.pictures.len());
        (0..count).map(move |picture| Instance { study: Arc::clone(&study), series, picture })
    }

    fn series(&self) -> &Series {
        &self.study.series[self.series]
    }

    fn picture(&self) -> &Picture {
        &self.series().pictures[self.picture]
    }

    fn noise_seed(&self) -> u64 {
        mix(self.study.build.seed ^ mix((self.series as u64) << 32 | self.picture as u64))
    }

    /// SOPClassUID.
    pub fn sop_class_uid(&self) -> &'static str {
        match self.series().technique {
            Technique::Ct { .. } => "1.2.840.10008.5.1.4.1.1.2",
            Technique::Mr { .. } => "1.2.840.10008.5.1.4.1.1.4",
            Technique::Radiograph { .. } => "1.2.840.10008.5.1.4.1.1.1",
            Technique::Mammography { .. } => "1.2.840.10008.5.1.4.1.1.1.2",
            Technique::Fluoroscopy { .. } => "1.2.840.10008.5.1.4.1.1.12.2",
            Technique::Nuclear => "1.2.840.10008.5.1.4.1.1.20",
        }
    }

    /// SOPInstanceUID.
    pub fn sop_instance_uid(&self) -> String {
        let text = self.series().uid.bytes().fold(0_u64, |hash, byte| mix(hash ^ u64::from(byte)));
        uid(&[text, self.picture as u64])
    }

    /// SeriesInstanceUID.
    pub fn series_instance_uid(&self) -> &str {
        &self.series().uid
    }

    /// InstanceNumber, from 1.
    pub fn number(&self) -> usize {
        self.picture + 1
    }

    /// The Part 10 file.
    ///
    /// # Errors
    /// [`InstanceError`] if the writer refuses, which it has no reason to.
    pub fn part10(&self) -> Result<Vec<u8>, InstanceError> {
        let meta = FileMetaTableBuilder::new()
            .media_storage_sop_class_uid(self.sop_class_uid())
            .media_storage_sop_instance_uid(self.sop_instance_uid())
            .transfer_syntax(TRANSFER_SYNTAX)
            .implementation_class_uid("2.25.250347731283407283482917493820012748851")
            .implementation_version_name("DOKUEI_DEMO")
            .build()
            .map_err(|error| InstanceError::Meta(Box::new(error)))?;
        let mut bytes = Vec::new();
        self.data_set()
            .with_exact_meta(meta)
            .write_all(&mut bytes)
            .map_err(|error| InstanceError::Write(Box::new(error)))?;
        Ok(bytes)
    }

    /// The data set, text already in the site's character set.
    pub fn data_set(&self) -> InMemDicomObject {
        let mut set = Set { object: InMemDicomObject::new_empty(), study: &self.study };
        self.patient_and_study(&mut set);
        self.series_and_equipment(&mut set);
        self.image(&mut set);
        self.pixel_data(&mut set);
        set.object
    }

    fn patient_and_study(&self, set: &mut Set) {
        let study = &self.study;
        let patient = &study.patient;
        set.plain(tags::SPECIFIC_CHARACTER_SET, VR::CS, study.charset.specific_character_set());
        set.plain(tags::SOP_CLASS_UID, VR::UI, self.sop_class_uid());
        set.plain(tags::SOP_INSTANCE_UID, VR::UI, &self.sop_instance_uid());
        set.name(tags::PATIENT_NAME, &patient.name.dicom());
        set.plain(tags::PATIENT_ID, VR::LO, &patient.id);
        set.plain(tags::PATIENT_BIRTH_DATE, VR::DA, &patient.birth_date.format("%Y%m%d").to_string());
        set.plain(tags::PATIENT_SEX, VR::CS, patient.sex.code());
        set.plain(tags::PATIENT_AGE, VR::AS, &format!("{:03}Y", patient.age_on(study.started.date())));
        set.plain(tags::STUDY_INSTANCE_UID, VR::UI, &study.uid);
        set.plain(tags::STUDY_ID, VR::SH, &study.id);
        set.plain(tags::STUDY_DATE, VR::DA, &study.started.format("%Y%m%d").to_string());
        set.plain(tags::STUDY_TIME, VR::TM, &study.started.format("%H%M%S").to_string());
        set.plain(tags::ACCESSION_NUMBER, VR::SH, &study.accession);
        set.text(tags::STUDY_DESCRIPTION, VR::LO, &study.description);
        set.name(tags::REFERRING_PHYSICIAN_NAME, &study.referring.dicom());
        set.text(tags::INSTITUTION_NAME, VR::LO, &study.institution);
    }

    fn series_and_equipment(&self, set: &mut Set) {
        let (study, series) = (&self.study, self.series());
        let begun = study.started + Duration::seconds(60 * self.series as i64);
        let taken = begun + Duration::seconds(self.picture as i64);
        set.plain(tags::MODALITY, VR::CS, series.modality);
        set.plain(tags::SERIES_INSTANCE_UID, VR::UI, &series.uid);
        set.plain(tags::SERIES_NUMBER, VR::IS, &series.number.to_string());
        set.plain(tags::SERIES_DATE, VR::DA, &begun.format("%Y%m%d").to_string());
        set.plain(tags::SERIES_TIME, VR::TM, &begun.format("%H%M%S").to_string());
        for tag in [tags::CONTENT_DATE, tags::ACQUISITION_DATE, tags::INSTANCE_CREATION_DATE] {
            set.plain(tag, VR::DA, &taken.format("%Y%m%d").to_string());
        }
        for tag in [tags::CONTENT_TIME, tags::ACQUISITION_TIME, tags::INSTANCE_CREATION_TIME] {
            set.plain(tag, VR::TM, &taken.format("%H%M%S").to_string());
        }
        set.text(tags::SERIES_DESCRIPTION, VR::LO, &series.description);
        set.text(tags::PROTOCOL_NAME, VR::LO, &series.protocol);
        set.plain(tags::BODY_PART_EXAMINED, VR::CS, &series.body_part);
        // Laterality is 2C, for paired parts only; empty says "not one side". Mammograms say it per image instead.
        let side = match series.laterality {
            Laterality::Left => "L",
            Laterality::Right => "R",
            Laterality::None | Laterality::Both => "",
        };
        let paired = !side.is_empty() || PAIRED.contains(&series.body_part.as_str());
        if paired && !matches!(series.technique, Technique::Mammography { .. }) {
            set.plain(tags::LATERALITY, VR::CS, side);
        }
        set.plain(tags::MANUFACTURER, VR::LO, "DOKUEI DEMO");
        set.plain(tags::MANUFACTURER_MODEL_NAME, VR::LO, "PHANTOM");
        set.plain(tags::DEVICE_SERIAL_NUMBER, VR::LO, "0");
        set.plain(tags::SOFTWARE_VERSIONS, VR::LO, env!("CARGO_PKG_VERSION"));
        set.plain(tags::STATION_NAME, VR::SH, &study.station);
        set.plain(tags::INSTANCE_NUMBER, VR::IS, &self.number().to_string());
        set.plain(tags::ACQUISITION_NUMBER, VR::IS, "1");
        set.text(tags::IMAGE_COMMENTS, VR::LT, "DEMO: 架空の画像（診断には使えません）");
    }

    fn image(&self, set: &mut Set) {
        set.plain(tags::BURNED_IN_ANNOTATION, VR::CS, "YES");
        match self.series().technique {
            Technique::Ct { kvp, mas, kernel, thickness, contrast } => {
                set.plain(tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY\\AXIAL");
                set.plain(tags::KVP, VR::DS, &kvp.to_string());
                set.plain(tags::EXPOSURE, VR::IS, &mas.to_string());
                set.plain(tags::CONVOLUTION_KERNEL, VR::SH, kernel);
                set.plain(tags::PATIENT_POSITION, VR::CS, "HFS");
                set.plain(tags::RESCALE_INTERCEPT, VR::DS, "-1024");
                set.plain(tags::RESCALE_SLOPE, VR::DS, "1");
                set.plain(tags::RESCALE_TYPE, VR::LO, "HU");
                if contrast {
                    set.plain(tags::CONTRAST_BOLUS_AGENT, VR::LO, "IODINE 300 100ML");
                }
                self.plane(set, thickness);
            }
            Technique::Mr { repetition, echo, inversion, thickness } => {
                set.plain(tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY\\OTHER");
                set.plain(tags::SCANNING_SEQUENCE, VR::CS, if inversion > 0.0 { "SE\\IR" } else { "SE" });
                set.plain(tags::SEQUENCE_VARIANT, VR::CS, "SK");
                set.plain(tags::SCAN_OPTIONS, VR::CS, "");
                set.plain(tags::MR_ACQUISITION_TYPE, VR::CS, "2D");
                set.plain(tags::REPETITION_TIME, VR::DS, &number(repetition));
                set.plain(tags::ECHO_TIME, VR::DS, &number(echo));
                if inversion > 0.0 {
                    set.plain(tags::INVERSION_TIME, VR::DS, &number(inversion));
                }
                set.plain(tags::ECHO_TRAIN_LENGTH, VR::IS, "12");
                set.plain(tags::MAGNETIC_FIELD_STRENGTH, VR::DS, "1.5");
                set.plain(tags::PATIENT_POSITION, VR::CS, "HFS");
                self.plane(set, thickness);
            }
            Technique::Radiograph { kvp } => {
                set.plain(tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY");
                set.plain(tags::KVP, VR::DS, &kvp.to_string());
                set.plain(tags::PLATE_ID, VR::LO, "");
                if let Picture::Radiograph { grid, view, .. } = self.picture() {
                    set.plain(tags::VIEW_POSITION, VR::CS, view);
                    set.plain(tags::PATIENT_ORIENTATION, VR::CS, if *view == "LL" { "A\\F" } else { "L\\F" });
                    set.spacing(tags::IMAGER_PIXEL_SPACING, grid.spacing);
                }
                set.plain(tags::RESCALE_INTERCEPT, VR::DS, "0");
                set.plain(tags::RESCALE_SLOPE, VR::DS, "1");
                set.plain(tags::RESCALE_TYPE, VR::LO, "US");
            }
            Technique::Fluoroscopy { kvp } => {
                set.plain(tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY\\SINGLE PLANE");
                set.plain(tags::KVP, VR::DS, &kvp.to_string());
                set.plain(tags::EXPOSURE, VR::IS, "8");
                set.plain(tags::RADIATION_SETTING, VR::CS, "GR");
                set.plain(tags::RESCALE_INTERCEPT, VR::DS, "0");
                set.plain(tags::RESCALE_SLOPE, VR::DS, "1");
                set.plain(tags::RESCALE_TYPE, VR::LO, "US");
                set.plain(tags::PIXEL_INTENSITY_RELATIONSHIP, VR::CS, "LOG");
                set.plain(tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "00");
                set.plain(tags::PATIENT_ORIENTATION, VR::CS, "L\\F");
                set.plain(tags::CONTRAST_BOLUS_AGENT, VR::LO, "BARIUM SULFATE");
                if let Picture::Stomach { grid, .. } = self.picture() {
                    set.spacing(tags::IMAGER_PIXEL_SPACING, grid.spacing);
                }
            }
            Technique::Mammography { thickness } => self.mammogram(set, thickness),
            Technique::Nuclear => bone_scan(set, self.picture()),
        }
    }

    /// Frame of reference and image plane.
    fn plane(&self, set: &mut Set, thickness: f32) {
        let grid: &Grid = match self.picture() {
            Picture::Ct { grid, .. } | Picture::Mr { grid, .. } => grid,
            _ => return,
        };
        let join = |values: &[f32]| values.iter().map(|v| number(*v)).collect::<Vec<_>>().join("\\");
        set.plain(tags::FRAME_OF_REFERENCE_UID, VR::UI, &self.series().frame_of_reference);
        set.plain(tags::POSITION_REFERENCE_INDICATOR, VR::LO, "");
        set.plain(tags::IMAGE_POSITION_PATIENT, VR::DS, &join(&grid.origin));
        set.plain(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, &join(&[grid.row, grid.column].concat()));
        set.spacing(tags::PIXEL_SPACING, grid.spacing);
        set.plain(tags::SLICE_THICKNESS, VR::DS, &number(thickness));
        let [r, c] = [grid.row, grid.column];
        let normal = [r[1] * c[2] - r[2] * c[1], r[2] * c[0] - r[0] * c[2], r[0] * c[1] - r[1] * c[0]];
        let place: f32 = (0..3).map(|k| normal[k] * grid.origin[k]).sum();
        set.plain(tags::SLICE_LOCATION, VR::DS, &number(place));
    }

    fn mammogram(&self, set: &mut Set, thickness: u32) {
        let Picture::Mammogram { left, view, spacing, .. } = *self.picture() else { return };
        let (code, meaning) = match view {
            MammoView::Cc => ("399162004", "cranio-caudal"),
            MammoView::Mlo => ("399368009", "medio-lateral oblique"),
        };
        let down = if view == MammoView::Cc { if left { "R" } else { "L" } } else { "F" };
        set.plain(tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY");
        set.plain(tags::PRESENTATION_INTENT_TYPE, VR::CS, "FOR PRESENTATION");
        // What the device was set to; a wrong label is wrong here too.
        let side = match self.series().laterality {
            Laterality::Left => "L",
            Laterality::Right => "R",
            _ if left => "L",
            _ => "R",
        };
        set.plain(tags::IMAGE_LATERALITY, VR::CS, side);
        set.plain(tags::VIEW_POSITION, VR::CS, if view == MammoView::Cc { "CC" } else { "MLO" });
        set.plain(tags::PATIENT_ORIENTATION, VR::CS, &format!("{}\\{down}", if left { "A" } else { "P" }));
        set.spacing(tags::IMAGER_PIXEL_SPACING, spacing);
        set.plain(tags::KVP, VR::DS, "28");
        set.plain(tags::BODY_PART_THICKNESS, VR::DS, &thickness.to_string());
        set.plain(tags::COMPRESSION_FORCE, VR::DS, "110");
        set.plain(tags::POSITIONER_TYPE, VR::CS, "MAMMOGRAPHIC");
        set.plain(tags::POSITIONER_PRIMARY_ANGLE, VR::DS, if view == MammoView::Cc { "0" } else { "45" });
        set.plain(tags::ORGAN_EXPOSED, VR::CS, "BREAST");
        set.plain(tags::BREAST_IMPLANT_PRESENT, VR::CS, "NO");
        set.plain(tags::DETECTOR_TYPE, VR::CS, "DIRECT");
        set.plain(tags::PIXEL_INTENSITY_RELATIONSHIP, VR::CS, "LOG");
        set.short(tags::PIXEL_INTENSITY_RELATIONSHIP_SIGN, VR::SS, dicom_value!(I16, [-1]));
        set.plain(tags::RESCALE_INTERCEPT, VR::DS, "0");
        set.plain(tags::RESCALE_SLOPE, VR::DS, "1");
        set.plain(tags::RESCALE_TYPE, VR::LO, "US");
        set.plain(tags::PRESENTATION_LUT_SHAPE, VR::CS, "IDENTITY");
        set.plain(tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "00");
        set.sequence(tags::ACQUISITION_CONTEXT_SEQUENCE, vec![]);
        set.sequence(tags::ANATOMIC_REGION_SEQUENCE, vec![coded("76752008", "SCT", "Breast")]);
        let mut view = coded(code, "SCT", meaning);
        sequence(&mut view, tags::VIEW_MODIFIER_CODE_SEQUENCE, vec![]);
        set.sequence(tags::VIEW_CODE_SEQUENCE, vec![view]);
    }

    fn pixel_data(&self, set: &mut Set) {
        let series = self.series();
        let raster = self.picture().draw(&self.study.build, self.noise_seed());
        let stored = pixels::store(&raster, series);
        let whole = |value: u16| PrimitiveValue::from(value);
        set.short(tags::SAMPLES_PER_PIXEL, VR::US, whole(1));
        let kind = if series.monochrome1 { "MONOCHROME1" } else { "MONOCHROME2" };
        set.plain(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, kind);
        set.short(tags::ROWS, VR::US, whole(stored.rows));
        set.short(tags::COLUMNS, VR::US, whole(stored.columns));
        set.short(tags::BITS_ALLOCATED, VR::US, whole(16));
        set.short(tags::BITS_STORED, VR::US, whole(stored.bits_stored));
        set.short(tags::HIGH_BIT, VR::US, whole(stored.bits_stored - 1));
        set.short(tags::PIXEL_REPRESENTATION, VR::US, whole(0));
        if stored.frames > 1 {
            set.plain(tags::NUMBER_OF_FRAMES, VR::IS, &stored.frames.to_string());
        }
        let (centre, width) = series.window;
        let centre = if series.monochrome1 { 4095.0 - centre } else { centre };
        set.plain(tags::WINDOW_CENTER, VR::DS, &number(centre));
        set.plain(tags::WINDOW_WIDTH, VR::DS, &number(width));
        set.short(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(stored.values.into()));
    }
}

/// NM image, multi-frame, detector and isotope modules of a planar whole-body scan (PS3.3 A.5).
fn bone_scan(set: &mut Set, picture: &Picture) {
    let Picture::BoneScan { columns, .. } = *picture else { return };
    set.plain(tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY\\WHOLE BODY\\EMISSION");
    set.plain(tags::PATIENT_ORIENTATION, VR::CS, "L\\F");
    set.spacing(tags::PIXEL_SPACING, 512.0 / columns as f32);
    set.plain(tags::COUNTS_ACCUMULATED, VR::IS, "1800000");
    set.plain(tags::ACTUAL_FRAME_DURATION, VR::IS, "900000");
    set.plain(tags::SCAN_VELOCITY, VR::DS, "2.2");
    set.plain(tags::SCAN_LENGTH, VR::IS, "1980");
    set.plain(tags::WHOLE_BODY_TECHNIQUE, VR::CS, "1PS");
    let pointers = PrimitiveValue::Tags(vec![tags::ENERGY_WINDOW_VECTOR, tags::DETECTOR_VECTOR].into());
    set.short(tags::FRAME_INCREMENT_POINTER, VR::AT, pointers);
    set.short(tags::ENERGY_WINDOW_VECTOR, VR::US, dicom_value!(U16, [1, 1]));
    set.short(tags::NUMBER_OF_ENERGY_WINDOWS, VR::US, dicom_value!(U16, [1]));
    set.short(tags::DETECTOR_VECTOR, VR::US, dicom_value!(U16, [1, 2]));
    set.short(tags::NUMBER_OF_DETECTORS, VR::US, dicom_value!(U16, [2]));
    let mut range = InMemDicomObject::new_empty();
    put(&mut range, tags::ENERGY_WINDOW_LOWER_LIMIT, VR::DS, "126");
    put(&mut range, tags::ENERGY_WINDOW_UPPER_LIMIT, VR::DS, "154");
    let mut energy = InMemDicomObject::new_empty();
    put(&mut energy, tags::ENERGY_WINDOW_NAME, VR::SH, "Tc99m");
    sequence(&mut energy, tags::ENERGY_WINDOW_RANGE_SEQUENCE, vec![range]);
    set.sequence(tags::ENERGY_WINDOW_INFORMATION_SEQUENCE, vec![energy]);
    let mut drug = InMemDicomObject::new_empty();
    put(&mut drug, tags::RADIOPHARMACEUTICAL, VR::LO, "Tc99m HMDP");
    sequence(&mut drug, tags::RADIONUCLIDE_CODE_SEQUENCE, vec![coded("72454003", "SCT", "^99m^Technetium")]);
    set.sequence(tags::RADIOPHARMACEUTICAL_INFORMATION_SEQUENCE, vec![drug]);
    let detector = |code: &str, meaning: &str| {
        let mut item = InMemDicomObject::new_empty();
        put(&mut item, tags::COLLIMATOR_TYPE, VR::CS, "PARA");
        put(&mut item, tags::IMAGE_POSITION_PATIENT, VR::DS, "");
        put(&mut item, tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "");
        sequence(&mut item, tags::VIEW_CODE_SEQUENCE, vec![coded(code, "SCT", meaning)]);
        item
    };
    let detectors = vec![detector("399348003", "antero-posterior"), detector("272479007", "postero-anterior")];
    set.sequence(tags::DETECTOR_INFORMATION_SEQUENCE, detectors);
    set.sequence(tags::PATIENT_ORIENTATION_CODE_SEQUENCE, vec![coded("102538003", "SCT", "recumbent")]);
    set.sequence(tags::PATIENT_GANTRY_RELATIONSHIP_CODE_SEQUENCE, vec![coded("102540008", "SCT", "headfirst")]);
    set.plain(tags::LOSSY_IMAGE_COMPRESSION, VR::CS, "00");
}
