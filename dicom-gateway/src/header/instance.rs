//! The header of one instance, as Dokuei uses it.

use std::fmt;

use chrono::{NaiveDate, NaiveTime};
use dicom_core::{Tag, VR};

use crate::charset::PersonName;
use crate::uid::Uid;

/// What an instance says of itself. `Debug` shows only its identifiers.
#[derive(Clone, PartialEq)]
pub struct InstanceHeader {
    /// SOP Class UID (0008,0016).
    pub sop_class: Uid,
    /// SOP Instance UID (0008,0018).
    pub sop_instance: Uid,
    /// Study Instance UID (0020,000D).
    pub study_uid: Uid,
    /// Series Instance UID (0020,000E).
    pub series_uid: Uid,
    /// As declared by the file or the presentation context.
    pub transfer_syntax: String,
    /// Specific Character Set (0008,0005) as received.
    pub character_set: String,
    /// Whose images these are.
    pub patient: PatientHeader,
    /// The study.
    pub study: StudyHeader,
    /// The request it was made for.
    pub request: RequestHeader,
    /// The series and the device.
    pub series: SeriesHeader,
    /// The image itself.
    pub image: ImageHeader,
    /// Where the pixels are, if there are any.
    pub pixels: Option<PixelDataAt>,
    /// What was wrong, but not so wrong that the object cannot be used.
    pub oddities: Vec<Oddity>,
}

/// Patient module. Texts are UTF-8; dates that are no dates are `None`.
#[derive(Clone, Default, PartialEq)]
pub struct PatientHeader {
    /// Patient ID (0010,0020), trimmed.
    pub id: String,
    /// Issuer of Patient ID (0010,0021).
    pub issuer: String,
    /// Patient's Name (0010,0010).
    pub name: PersonName,
    /// Patient's Birth Date (0010,0030).
    pub birth_date: Option<NaiveDate>,
    /// Patient's Sex (0010,0040): `M`, `F`, `O` or what was written.
    pub sex: String,
    /// Patient's Age (0010,1010), as written: `045Y`.
    pub age: String,
}

/// Study module.
#[derive(Clone, Default, PartialEq)]
pub struct StudyHeader {
    /// Study Date (0008,0020).
    pub date: Option<NaiveDate>,
    /// Study Time (0008,0030), the device's local time.
    pub time: Option<NaiveTime>,
    /// Study ID (0020,0010).
    pub id: String,
    /// Accession Number (0008,0050), else the request attributes'.
    pub accession_number: String,
    /// Study Description (0008,1030).
    pub description: String,
    /// Referring Physician's Name (0008,0090).
    pub referring_physician: PersonName,
}

/// The first item of Request Attributes Sequence (0040,0275), or its top-level twins.
#[derive(Clone, Default, PartialEq)]
pub struct RequestHeader {
    /// Requested Procedure ID (0040,1001).
    pub procedure_id: String,
    /// Requested Procedure Description (0032,1060).
    pub procedure_description: String,
    /// Scheduled Procedure Step ID (0040,0009).
    pub step_id: String,
}

/// Series and equipment modules.
#[derive(Clone, Default, PartialEq)]
pub struct SeriesHeader {
    /// Series Number (0020,0011).
    pub number: Option<i64>,
    /// Series Description (0008,103E).
    pub description: String,
    /// Protocol Name (0018,1030).
    pub protocol_name: String,
    /// Modality (0008,0060).
    pub modality: String,
    /// Body Part Examined (0018,0015).
    pub body_part: String,
    /// Code meaning of Anatomic Region Sequence (0008,2218).
    pub anatomic_region: String,
    /// Image Laterality (0020,0062), else Laterality (0020,0060).
    pub laterality: String,
    /// View Position (0018,5101), else the code meaning of View Code Sequence.
    pub view_position: String,
    /// Manufacturer (0008,0070).
    pub manufacturer: String,
    /// Manufacturer's Model Name (0008,1090).
    pub model: String,
    /// Institution Name (0008,0080).
    pub institution: String,
    /// Station Name (0008,1010).
    pub station: String,
    /// Images in Acquisition (0020,1002), evidence of completeness.
    pub images_in_acquisition: Option<i64>,
}

/// Image, plane and pixel modules. Lengths in mm, LPS patient coordinates.
#[derive(Clone, Default, PartialEq)]
pub struct ImageHeader {
    /// Instance Number (0020,0013).
    pub number: Option<i64>,
    /// Image Type (0008,0008).
    pub image_type: Vec<String>,
    /// Rows (0028,0010).
    pub rows: Option<u16>,
    /// Columns (0028,0011).
    pub columns: Option<u16>,
    /// Number of Frames (0028,0008); 1 if absent.
    pub frames: u32,
    /// Samples per Pixel (0028,0002).
    pub samples_per_pixel: Option<u16>,
    /// Photometric Interpretation (0028,0004).
    pub photometric: String,
    /// Bits Allocated (0028,0100).
    pub bits_allocated: Option<u16>,
    /// Bits Stored (0028,0101).
    pub bits_stored: Option<u16>,
    /// Pixel Representation (0028,0103) is 1.
    pub signed: bool,
    /// Patient Orientation (0020,0020): row and column direction.
    pub patient_orientation: Vec<String>,
    /// Image Position (Patient) (0020,0032); for enhanced objects of frame 1.
    pub position: Option<[f64; 3]>,
    /// Image Orientation (Patient) (0020,0037); for enhanced objects of frame 1.
    pub orientation: Option<[f64; 6]>,
    /// Pixel Spacing (0028,0030), else Imager Pixel Spacing (0018,1164): rows, columns.
    pub spacing: Option<[f64; 2]>,
    /// Slice Thickness (0018,0050).
    pub slice_thickness: Option<f64>,
    /// Slice Location (0020,1041).
    pub slice_location: Option<f64>,
    /// Window Center (0028,1050).
    pub window_center: Vec<f64>,
    /// Window Width (0028,1051).
    pub window_width: Vec<f64>,
    /// Rescale Intercept (0028,1052).
    pub rescale_intercept: Option<f64>,
    /// Rescale Slope (0028,1053).
    pub rescale_slope: Option<f64>,
    /// Burned In Annotation (0028,0301): `Some(true)` for YES.
    pub burned_in_annotation: Option<bool>,
    /// Contrast/Bolus Agent (0018,0010) names one.
    pub contrast: bool,
    /// Acquisition Date (0008,0022), else Content Date.
    pub acquired_on: Option<NaiveDate>,
    /// Acquisition Time (0008,0032), else Content Time.
    pub acquired_at: Option<NaiveTime>,
}

/// Where the pixels are. Offsets are of the data set as received, so they mean
/// nothing for a deflated one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelDataAt {
    /// Pixel Data, Float Pixel Data or Double Float Pixel Data.
    pub tag: Tag,
    /// As written, or by the dictionary if implicit.
    pub vr: VR,
    /// Offset of the value in the data set, in bytes.
    pub value_at: usize,
    /// Stated length in bytes; `None` if encapsulated.
    pub length: Option<u32>,
}

/// Something wrong that does not stop the object from being filed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oddity {
    /// Specific Character Set has a term that is not known.
    UnknownCharacterSet,
    /// A sequence was broken inside and was stepped over.
    BrokenSequence(Tag),
    /// The pixel data is shorter than it says.
    PixelDataTruncated,
    /// The bytes are written otherwise than the transfer syntax says.
    EncodingMismatch,
}

impl fmt::Debug for InstanceHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstanceHeader")
            .field("sop_class", &self.sop_class)
            .field("sop_instance", &self.sop_instance)
            .field("modality", &self.series.modality)
            .field("oddities", &self.oddities)
            .finish_non_exhaustive()
    }
}
