//! One examination as it leaves its site.

use std::sync::Arc;

use dokuei_terms::{Part, Priority};
use serde::{Deserialize, Serialize};

use super::SurveyClass;
use crate::{
    dicom::{Instance, Patient, Study},
    names::Name,
};

/// What is out of the ordinary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Twist {
    /// Nothing.
    None,
    /// There is an older study of the same part, to be sent before.
    EarlierStudy,
    /// A series comes later than the rest.
    LateImages,
    /// BodyPartExamined or Laterality contradicts the order; the pictures are right.
    WrongLabel,
    /// Nobody wrote a request; half of these studies have no accession number either.
    NoRequest,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    /// One reading.
    Reading,
    /// 独立二重読影.
    IndependentDouble,
}

/// Where the patient comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestSource {
    /// 救急.
    Emergency,
    /// 病棟.
    Ward,
    /// 外来.
    Outpatient,
    /// 健診.
    CheckUp,
}

/// A request as the site's system sends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestForm {
    /// Accession number, unique within the site.
    pub accession: String,
    /// The study it asks about.
    pub study_uid: String,
    /// Patient ID as ordered: HOSPITAL_B's orders sometimes lack the leading zeros that its images have.
    pub patient_id: String,
    /// Login of the site's demo doctor if the order is his or hers.
    pub ordering_login: Option<String>,
    /// Ordering doctor.
    pub ordering_doctor: Name,
    /// Department.
    pub department: String,
    /// A telephone that answers now.
    pub phone: String,
    /// Name of the examination, Japanese.
    pub examination: String,
    /// What is to be read.
    pub parts: Vec<Part>,
    /// Clinical question, Japanese.
    pub question: String,
    /// History, Japanese; may be empty.
    pub history: String,
    /// Kind.
    pub kind: RequestKind,
    /// Priority.
    pub priority: Priority,
    /// Source.
    pub source: RequestSource,
}

/// Series that come later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late {
    /// Seconds after the other images.
    pub after_seconds: u64,
    /// Places in [`Study::series`].
    pub series: Vec<usize>,
}

/// One examination.
#[derive(Debug, Clone)]
pub struct Exam {
    /// Number within the day, from 0.
    pub index: u64,
    /// Seconds after the day's beginning at which the images leave the site.
    pub offset_seconds: u64,
    /// Calling AE title of the site.
    pub site: &'static str,
    /// Line of the survey that the exam counts in.
    pub survey_class: SurveyClass,
    /// The patient, as the images carry him or her.
    pub patient: Patient,
    /// The request, unless it was forgotten.
    pub request: Option<RequestForm>,
    /// The study.
    pub study: Arc<Study>,
    /// What of it comes late.
    pub late: Option<Late>,
    /// An older study, to be sent before this one.
    pub earlier: Option<Arc<Study>>,
    /// What is out of the ordinary.
    pub twist: Twist,
}

impl Exam {
    /// The images that are sent at `offset_seconds`.
    pub fn instances(&self) -> impl Iterator<Item = Instance> + use<'_> {
        let late = |series: &usize| self.late.as_ref().is_some_and(|late| late.series.contains(series));
        (0..self.study.series.len())
            .filter(move |series| !late(series))
            .flat_map(|at| Instance::of_series(&self.study, at))
    }

    /// The images that are sent `late.after_seconds` later.
    pub fn late_instances(&self) -> impl Iterator<Item = Instance> + use<'_> {
        self.late.iter().flat_map(|late| late.series.iter()).flat_map(|&at| Instance::of_series(&self.study, at))
    }

    /// The images of the older study.
    pub fn earlier_instances(&self) -> impl Iterator<Item = Instance> + use<'_> {
        self.earlier.iter().flat_map(|study| (0..study.series.len()).flat_map(|at| Instance::of_series(study, at)))
    }
}

/// Makes the last series late; nothing if there is only one.
pub(super) fn late(study: &mut Study, after_seconds: u64) -> Late {
    let count = study.series.len();
    Late { after_seconds, series: if count > 1 { vec![count - 1] } else { Vec::new() } }
}
