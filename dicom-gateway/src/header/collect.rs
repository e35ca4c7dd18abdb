//! Fills an [`InstanceHeader`] while a data set is walked over.

use std::io::Read;

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::element::Encoding;
use super::instance::{
    ImageHeader, InstanceHeader, Oddity, PatientHeader, PixelDataAt, RequestHeader, SeriesHeader, StudyHeader,
};
use super::value::{ascii, codes, date, decimals, exactly, integer, time};
use super::walk::{self, Element, Step, Visit};
use super::{HeaderError, MAX_INFLATED_HEADER};
use crate::charset::CharacterSets;
use crate::uid::Uid;

/// Deflated Explicit VR Little Endian. (JPIP's deflated syntax has no pixels to keep.)
pub(super) const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

/// Reads the header of a data set in this transfer syntax.
pub(super) fn read(dataset: &[u8], transfer_syntax: &str) -> Result<InstanceHeader, HeaderError> {
    if transfer_syntax != DEFLATED {
        return read_plain(dataset, transfer_syntax);
    }
    read_deflated(dataset, transfer_syntax)
}

/// The same of a deflated one, which is inflated as far as its header may reach.
pub(super) fn read_deflated(dataset: impl Read, transfer_syntax: &str) -> Result<InstanceHeader, HeaderError> {
    let mut inflated = Vec::new();
    let mut source = flate2::read::DeflateDecoder::new(dataset).take(MAX_INFLATED_HEADER);
    let ended = source.read_to_end(&mut inflated);
    let whole = (inflated.len() as u64) < MAX_INFLATED_HEADER;
    let mut header = match read_plain(&inflated, transfer_syntax) {
        Err(HeaderError::Truncated { .. }) if ended.is_err() => return Err(HeaderError::Deflate),
        Err(HeaderError::Truncated { .. }) if !whole => return Err(HeaderError::HeaderTooLarge),
        other => other?,
    };
    if whole && ended.is_err() {
        header.oddities.push(Oddity::PixelDataTruncated);
    } else if !whole {
        header.oddities.retain(|oddity| *oddity != Oddity::PixelDataTruncated);
    }
    Ok(header)
}

fn read_plain(dataset: &[u8], transfer_syntax: &str) -> Result<InstanceHeader, HeaderError> {
    let encoding = Encoding::of(transfer_syntax, dataset);
    if Encoding::seen(dataset).is_none() && dataset.len() >= 8 {
        return Err(HeaderError::NotDicom);
    }
    let mut collect = Collect { image: ImageHeader { frames: 1, ..Default::default() }, ..Default::default() };
    if encoding != Encoding::declared(transfer_syntax) {
        collect.oddities.push(Oddity::EncodingMismatch);
    }
    let walked = walk::walk(dataset, encoding, &mut collect)?;
    if walked.pixels_truncated {
        collect.oddities.push(Oddity::PixelDataTruncated);
    }
    let pixels = walked.pixels.map(|pixels| PixelDataAt {
        tag: pixels.tag,
        vr: pixels.vr,
        value_at: pixels.value_at,
        length: pixels.length,
    });
    collect.finish(transfer_syntax, pixels)
}

#[derive(Default)]
struct Collect {
    sets: CharacterSets,
    character_set: String,
    sop_class: Vec<u8>,
    sop_instance: Vec<u8>,
    study_uid: Vec<u8>,
    series_uid: Vec<u8>,
    patient: PatientHeader,
    study: StudyHeader,
    request: RequestHeader,
    series: SeriesHeader,
    image: ImageHeader,
    /// Values that stand in where the first choice is absent.
    imager_spacing: Option<[f64; 2]>,
    series_laterality: String,
    view_code: String,
    oddities: Vec<Oddity>,
}

impl Visit for Collect {
    fn element(&mut self, path: &[Step], element: Element<'_>) {
        match path {
            [] => {
                self.identity(&element);
                self.patient_and_study(&element);
                self.series(&element);
                self.image(&element);
                self.pixel_format(&element);
            }
            [step] if step.item == 0 => self.first_item(step.sequence, &element),
            [group, inner] if group.item == 0 && inner.item == 0 => {
                let shared = group.sequence == tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE;
                let per_frame = group.sequence == tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE;
                if shared || per_frame {
                    self.functional_group(inner.sequence, &element);
                }
            }
            _ => {}
        }
    }

    fn skipped(&mut self, sequence: Tag) {
        self.oddities.push(Oddity::BrokenSequence(sequence));
    }
}

impl Collect {
    fn identity(&mut self, element: &Element<'_>) {
        match element.tag {
            tags::SPECIFIC_CHARACTER_SET => {
                self.sets = CharacterSets::parse(element.value);
                self.character_set = ascii(element);
                if self.sets.has_unknown_term() {
                    self.oddities.push(Oddity::UnknownCharacterSet);
                }
            }
            tags::SOP_CLASS_UID => self.sop_class = element.value.to_vec(),
            tags::SOP_INSTANCE_UID => self.sop_instance = element.value.to_vec(),
            tags::STUDY_INSTANCE_UID => self.study_uid = element.value.to_vec(),
            tags::SERIES_INSTANCE_UID => self.series_uid = element.value.to_vec(),
            _ => {}
        }
    }

    fn patient_and_study(&mut self, element: &Element<'_>) {
        let text = || self.sets.first(element.value);
        match element.tag {
            tags::PATIENT_ID => self.patient.id = text(),
            tags::ISSUER_OF_PATIENT_ID => self.patient.issuer = text(),
            tags::PATIENT_NAME => self.patient.name = self.sets.person_name(element.value),
            tags::PATIENT_BIRTH_DATE => self.patient.birth_date = date(element),
            tags::PATIENT_SEX => self.patient.sex = ascii(element),
            tags::PATIENT_AGE => self.patient.age = ascii(element),
            tags::STUDY_DATE => self.study.date = date(element),
            tags::STUDY_TIME => self.study.time = time(element),
            tags::STUDY_ID => self.study.id = text(),
            tags::ACCESSION_NUMBER => self.study.accession_number = text(),
            tags::STUDY_DESCRIPTION => self.study.description = text(),
            tags::REFERRING_PHYSICIAN_NAME => {
                self.study.referring_physician = self.sets.person_name(element.value);
            }
            tags::REQUESTED_PROCEDURE_ID => self.request.procedure_id = text(),
            tags::REQUESTED_PROCEDURE_DESCRIPTION => self.request.procedure_description = text(),
            _ => {}
        }
    }

    fn series(&mut self, element: &Element<'_>) {
        let text = || self.sets.first(element.value);
        match element.tag {
            tags::SERIES_NUMBER => self.series.number = integer(element),
            tags::SERIES_DESCRIPTION => self.series.description = text(),
            tags::PROTOCOL_NAME => self.series.protocol_name = text(),
            tags::MODALITY => self.series.modality = ascii(element),
            tags::BODY_PART_EXAMINED => self.series.body_part = ascii(element),
            tags::LATERALITY => self.series_laterality = ascii(element),
            tags::IMAGE_LATERALITY => self.series.laterality = ascii(element),
            tags::VIEW_POSITION => self.series.view_position = ascii(element),
            tags::MANUFACTURER => self.series.manufacturer = text(),
            tags::MANUFACTURER_MODEL_NAME => self.series.model = text(),
            tags::INSTITUTION_NAME => self.series.institution = text(),
            tags::STATION_NAME => self.series.station = text(),
            tags::IMAGES_IN_ACQUISITION => self.series.images_in_acquisition = integer(element),
            _ => {}
        }
    }

    fn image(&mut self, element: &Element<'_>) {
        let image = &mut self.image;
        match element.tag {
            tags::INSTANCE_NUMBER => image.number = integer(element),
            tags::IMAGE_TYPE => image.image_type = codes(element),
            tags::PATIENT_ORIENTATION => image.patient_orientation = codes(element),
            tags::IMAGE_POSITION_PATIENT => image.position = exactly(element),
            tags::IMAGE_ORIENTATION_PATIENT => image.orientation = exactly(element),
            tags::PIXEL_SPACING => image.spacing = exactly(element),
            tags::IMAGER_PIXEL_SPACING => self.imager_spacing = exactly(element),
            tags::SLICE_THICKNESS => image.slice_thickness = decimals(element).first().copied(),
            tags::SLICE_LOCATION => image.slice_location = decimals(element).first().copied(),
            tags::CONTRAST_BOLUS_AGENT => image.contrast = !ascii(element).is_empty(),
            tags::ACQUISITION_DATE => image.acquired_on = date(element).or(image.acquired_on),
            tags::CONTENT_DATE => image.acquired_on = image.acquired_on.or(date(element)),
            tags::ACQUISITION_TIME => image.acquired_at = time(element).or(image.acquired_at),
            tags::CONTENT_TIME => image.acquired_at = image.acquired_at.or(time(element)),
            tags::BURNED_IN_ANNOTATION => {
                image.burned_in_annotation = match ascii(element).as_str() {
                    "YES" => Some(true),
                    "NO" => Some(false),
                    _ => None,
                }
            }
            _ => {}
        }
    }

    fn pixel_format(&mut self, element: &Element<'_>) {
        let image = &mut self.image;
        let short = || integer(element).and_then(|number| u16::try_from(number).ok());
        match element.tag {
            tags::ROWS => image.rows = short(),
            tags::COLUMNS => image.columns = short(),
            tags::SAMPLES_PER_PIXEL => image.samples_per_pixel = short(),
            tags::BITS_ALLOCATED => image.bits_allocated = short(),
            tags::BITS_STORED => image.bits_stored = short(),
            tags::PIXEL_REPRESENTATION => image.signed = short() == Some(1),
            tags::PHOTOMETRIC_INTERPRETATION => image.photometric = ascii(element),
            tags::NUMBER_OF_FRAMES => {
                image.frames = integer(element).and_then(|number| u32::try_from(number).ok()).unwrap_or(1).max(1);
            }
            tags::WINDOW_CENTER => image.window_center = decimals(element),
            tags::WINDOW_WIDTH => image.window_width = decimals(element),
            tags::RESCALE_INTERCEPT => image.rescale_intercept = decimals(element).first().copied(),
            tags::RESCALE_SLOPE => image.rescale_slope = decimals(element).first().copied(),
            _ => {}
        }
    }

    /// Elements of the first item of a top-level sequence.
    fn first_item(&mut self, sequence: Tag, element: &Element<'_>) {
        let text = || self.sets.first(element.value);
        match (sequence, element.tag) {
            (tags::REQUEST_ATTRIBUTES_SEQUENCE, tags::REQUESTED_PROCEDURE_ID) => self.request.procedure_id = text(),
            (tags::REQUEST_ATTRIBUTES_SEQUENCE, tags::REQUESTED_PROCEDURE_DESCRIPTION) => {
                self.request.procedure_description = text();
            }
            (tags::REQUEST_ATTRIBUTES_SEQUENCE, tags::SCHEDULED_PROCEDURE_STEP_ID) => self.request.step_id = text(),
            (tags::REQUEST_ATTRIBUTES_SEQUENCE, tags::ACCESSION_NUMBER) if self.study.accession_number.is_empty() => {
                self.study.accession_number = text();
            }
            (tags::ANATOMIC_REGION_SEQUENCE, tags::CODE_MEANING) => self.series.anatomic_region = text(),
            (tags::VIEW_CODE_SEQUENCE, tags::CODE_MEANING) => self.view_code = text(),
            _ => {}
        }
    }

    /// Enhanced multi-frame objects keep geometry and window in functional groups
    /// (PS3.3 C.7.6.16); frame 1 stands for the instance.
    fn functional_group(&mut self, macro_sequence: Tag, element: &Element<'_>) {
        let image = &mut self.image;
        match (macro_sequence, element.tag) {
            (tags::PIXEL_MEASURES_SEQUENCE, tags::PIXEL_SPACING) => image.spacing = exactly(element),
            (tags::PIXEL_MEASURES_SEQUENCE, tags::SLICE_THICKNESS) => {
                image.slice_thickness = decimals(element).first().copied();
            }
            (tags::PLANE_POSITION_SEQUENCE, tags::IMAGE_POSITION_PATIENT) => image.position = exactly(element),
            (tags::PLANE_ORIENTATION_SEQUENCE, tags::IMAGE_ORIENTATION_PATIENT) => {
                image.orientation = exactly(element);
            }
            (tags::FRAME_VOILUT_SEQUENCE, tags::WINDOW_CENTER) => image.window_center = decimals(element),
            (tags::FRAME_VOILUT_SEQUENCE, tags::WINDOW_WIDTH) => image.window_width = decimals(element),
            (tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE, tags::RESCALE_INTERCEPT) => {
                image.rescale_intercept = decimals(element).first().copied();
            }
            (tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE, tags::RESCALE_SLOPE) => {
                image.rescale_slope = decimals(element).first().copied();
            }
            (tags::FRAME_ANATOMY_SEQUENCE, tags::FRAME_LATERALITY) => self.series.laterality = ascii(element),
            _ => {}
        }
    }

    fn finish(mut self, transfer_syntax: &str, pixels: Option<PixelDataAt>) -> Result<InstanceHeader, HeaderError> {
        if self.series.laterality.is_empty() {
            self.series.laterality = self.series_laterality;
        }
        if self.series.view_position.is_empty() {
            self.series.view_position = self.view_code;
        }
        self.image.spacing = self.image.spacing.or(self.imager_spacing);
        Ok(InstanceHeader {
            sop_class: uid(&self.sop_class, "SOP Class UID")?,
            sop_instance: uid(&self.sop_instance, "SOP Instance UID")?,
            study_uid: uid(&self.study_uid, "Study Instance UID")?,
            series_uid: uid(&self.series_uid, "Series Instance UID")?,
            transfer_syntax: transfer_syntax.to_owned(),
            character_set: self.character_set,
            patient: self.patient,
            study: self.study,
            request: self.request,
            series: self.series,
            image: self.image,
            pixels,
            oddities: self.oddities,
        })
    }
}

fn uid(raw: &[u8], name: &'static str) -> Result<Uid, HeaderError> {
    if raw.iter().all(|byte| matches!(byte, 0 | b' ')) {
        return Err(HeaderError::Missing(name));
    }
    Uid::parse(raw).map_err(|_| HeaderError::InvalidUid(name))
}
