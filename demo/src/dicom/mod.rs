//! Studies as a modality would write them: Part 10 files, Explicit VR Little Endian, with text in the site's own character set.

mod elements;
mod instance;
mod pixels;
mod text;
mod uid;

pub use instance::{Instance, InstanceError, TRANSFER_SYNTAX};
pub use text::Charset;
pub use uid::uid;

use chrono::{NaiveDate, NaiveDateTime};
use dokuei_terms::Laterality;

use crate::{
    names::Name,
    phantom::{Picture, bodies::Build},
};

/// A patient's sex as DICOM's PatientSex has it here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Sex {
    /// `F`
    Female,
    /// `M`
    Male,
}

impl Sex {
    /// The value of PatientSex (0010,0040).
    pub const fn code(self) -> &'static str {
        match self {
            Sex::Female => "F",
            Sex::Male => "M",
        }
    }
}

/// An invented patient.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Patient {
    /// PatientID as the images carry it.
    pub id: String,
    /// Name.
    pub name: Name,
    /// Date of birth.
    pub birth_date: NaiveDate,
    /// Sex.
    pub sex: Sex,
}

impl Patient {
    /// Whole years on a day; 0 before birth.
    pub fn age_on(&self, date: NaiveDate) -> u32 {
        date.years_since(self.birth_date).unwrap_or(0)
    }
}

/// How the modality made its pictures; only what its SOP class asks for is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Technique {
    /// Tube voltage, current-time product, convolution kernel, slice thickness in mm.
    Ct { kvp: u32, mas: u32, kernel: &'static str, thickness: f32, contrast: bool },
    /// Repetition, echo, inversion time in ms (0: none), slice thickness in mm.
    Mr { repetition: f32, echo: f32, inversion: f32, thickness: f32 },
    /// Tube voltage.
    Radiograph { kvp: u32 },
    /// Mammography: compressed thickness in mm.
    Mammography { thickness: u32 },
    /// Fluoroscopy.
    Fluoroscopy { kvp: u32 },
    /// Bone scan with Tc-99m HMDP.
    Nuclear,
}

/// One series.
#[derive(Debug, Clone)]
pub struct Series {
    /// SeriesInstanceUID.
    pub uid: String,
    /// FrameOfReferenceUID, shared by series of one body.
    pub frame_of_reference: String,
    /// SeriesNumber.
    pub number: u32,
    /// Modality (0008,0060), e.g. `CT`.
    pub modality: &'static str,
    /// SeriesDescription.
    pub description: String,
    /// ProtocolName.
    pub protocol: String,
    /// BodyPartExamined: what the device was set to, which need not be what was pictured.
    pub body_part: String,
    /// Laterality as the device was set to.
    pub laterality: Laterality,
    /// WindowCenter and WindowWidth.
    pub window: (f32, f32),
    /// Technique.
    pub technique: Technique,
    /// Whether pixel values run the other way (MONOCHROME1, some CR plates).
    pub monochrome1: bool,
    /// One per instance.
    pub pictures: Vec<Picture>,
}

/// One study of one patient at one site.
#[derive(Debug, Clone)]
pub struct Study {
    /// StudyInstanceUID.
    pub uid: String,
    /// StudyID.
    pub id: String,
    /// Beginning, Japan Standard Time.
    pub started: NaiveDateTime,
    /// AccessionNumber; empty when nobody ordered through the system.
    pub accession: String,
    /// StudyDescription, Japanese.
    pub description: String,
    /// ReferringPhysicianName.
    pub referring: Name,
    /// The patient.
    pub patient: Patient,
    /// Character set of the site's devices.
    pub charset: Charset,
    /// InstitutionName, Japanese.
    pub institution: String,
    /// StationName.
    pub station: String,
    /// What the phantom looks like.
    pub build: Build,
    /// The series, in order.
    pub series: Vec<Series>,
}
