//! What one signed version of a report says, as data.
//!
//! A [`ReportDocument`] is complete: nothing is looked up while typesetting, and
//! equal documents give equal bytes. Its texts are what people typed; they are
//! shown as they are and never read as markup. `Debug` prints no patient.

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use dokuei_terms::{Language, Modality, Part};

/// What a signed version is (the words of 仮報告, 確定, 追記, 訂正, 取消).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReportStatus {
    /// 仮報告: may still change before it is final.
    Preliminary,
    /// 確定.
    Final,
    /// 追記: adds to an earlier version, which stays valid.
    Addendum,
    /// 訂正: replaces an earlier version.
    Amended,
    /// 取消: an earlier version must not be used.
    Withdrawn,
}

/// The sex a hospital states (DICOM PatientSex, PS3.3 C.7.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sex {
    /// 男.
    Male,
    /// 女.
    Female,
    /// その他.
    Other,
}

/// One signed version of a report, with everything its pages show.
#[derive(Clone)]
pub struct ReportDocument {
    /// The language of titles, labels and dates. Texts stay as they were written.
    pub language: Language,
    /// What this version is.
    pub status: ReportStatus,
    /// The report's own number; the same for every version.
    pub report_id: String,
    /// The version's number within the report, from 1.
    pub version: u32,
    /// The site that asked (依頼施設).
    pub site: String,
    /// Whom it is about.
    pub patient: PatientBlock,
    /// What was read.
    pub study: StudyBlock,
    /// What was asked.
    pub request: RequestBlock,
    /// Findings (所見); lines are kept. For an addendum, what is added.
    pub findings: String,
    /// Impression (診断); lines are kept.
    pub impression: String,
    /// Engines whose results the reader was shown; empty when there were none.
    pub ai_support: Vec<AiSupport>,
    /// Who signs.
    pub reader: ReaderBlock,
    /// Who read first, in a checked reading (一次読影).
    pub first_reader: Option<ReaderBlock>,
    /// The institution the reading was done for (読影施設).
    pub reading_institution: String,
    /// When it is signed; shown in Japan Standard Time.
    pub signed_at: DateTime<Utc>,
    /// Why this version exists: the reason of an addendum, amendment or withdrawal.
    pub reason: Option<String>,
    /// The signed versions before this one, oldest first.
    pub earlier: Vec<EarlierVersion>,
    /// How much was here, where it is signed while images are known to be missing; said in Japanese and English.
    pub incomplete: Option<Incomplete>,
    /// A line shown on every page, e.g. that the report is a demonstration.
    pub notice: Option<String>,
}

impl fmt::Debug for ReportDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReportDocument")
            .field("report_id", &self.report_id)
            .field("version", &self.version)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// How many of the images were here when it was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incomplete {
    /// Images that had arrived.
    pub received: u32,
    /// Images that there should be, where somebody had counted.
    pub expected: Option<u32>,
}

/// The patient as the request and the images agree on.
#[derive(Clone)]
pub struct PatientBlock {
    /// PatientID at the site.
    pub id: String,
    /// The name in ideographs, or in letters where there are none.
    pub name: String,
    /// The name in kana; may be empty.
    pub kana: String,
    /// Birth date, if known.
    pub birth_date: Option<NaiveDate>,
    /// Sex, if known.
    pub sex: Option<Sex>,
}

impl fmt::Debug for PatientBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PatientBlock(***)")
    }
}

/// The study that was read.
#[derive(Clone)]
pub struct StudyBlock {
    /// When the images were made, in the site's local time.
    pub performed_at: Option<NaiveDateTime>,
    /// The modality classes, in the order they are shown.
    pub modalities: Vec<Modality>,
    /// The parts that were read.
    pub parts: Vec<Part>,
    /// The accession number at the site; may be empty.
    pub accession_number: String,
    /// The study's description; may be empty.
    pub description: String,
}

/// What the site asked for.
#[derive(Clone)]
pub struct RequestBlock {
    /// The ordering doctor; may be empty.
    pub ordering_doctor: String,
    /// The department; may be empty.
    pub department: String,
    /// The clinical question (検査目的); may be empty.
    pub question: String,
    /// Clinical history (臨床経過); may be empty.
    pub history: String,
}

impl fmt::Debug for RequestBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestBlock(***)")
    }
}

/// An engine whose results were shown to the reader.
#[derive(Clone, Debug)]
pub struct AiSupport {
    /// The engine's name.
    pub engine: String,
    /// The engine's version.
    pub version: String,
    /// Approved for this use; otherwise it is labelled research use.
    pub approved: bool,
}

/// A reader as the report names them.
#[derive(Clone, Debug)]
pub struct ReaderBlock {
    /// The reader's name.
    pub name: String,
    /// Qualification, e.g. 放射線診断専門医; may be empty.
    pub qualification: String,
}

/// A signed version before this one.
#[derive(Clone)]
pub struct EarlierVersion {
    /// Its number.
    pub version: u32,
    /// What it was.
    pub status: ReportStatus,
    /// When it was signed.
    pub signed_at: DateTime<Utc>,
    /// Who signed it.
    pub reader_name: String,
    /// Its findings and impression, to be printed again below this version's; `None` only refers to it.
    pub text: Option<(String, String)>,
}
