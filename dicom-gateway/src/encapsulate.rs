//! Wraps a signed report as Encapsulated PDF, to go back to the hospital.
//!
//! Encapsulated PDF Storage (PS3.3 A.45.1) in explicit VR little endian, UTF-8
//! (ISO_IR 192). The object joins the study it reports on, in a series of its own:
//! the patient and study attributes are those that came with the images, letter
//! by letter, because a PACS that finds a difference files it under a second
//! patient. The PDF's bytes are not touched, so its signature stays valid; the
//! byte that makes an odd length even lies behind the stated length (0042,0015).

use chrono::{FixedOffset, NaiveDateTime};

use crate::part10;
use crate::uid::Uid;

/// Encapsulated PDF Storage.
pub const ENCAPSULATED_PDF: &str = "1.2.840.10008.5.1.4.1.1.104.1";
const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";

/// Patient and study as received, decoded to UTF-8 but otherwise unchanged. Empty
/// where nothing was received.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct StudyOfReport {
    /// All components, `alphabetic=ideographic=phonetic`.
    pub patient_name: String,
    /// Patient ID with its leading zeros.
    pub patient_id: String,
    /// Issuer of Patient ID; left out if empty.
    pub issuer_of_patient_id: String,
    /// DA as received.
    pub birth_date: String,
    /// M, F, O or empty.
    pub sex: String,
    /// DA as received.
    pub study_date: String,
    /// TM as received.
    pub study_time: String,
    /// SH.
    pub study_id: String,
    /// SH.
    pub accession_number: String,
    /// LO; left out if empty.
    pub study_description: String,
    /// PN.
    pub referring_physician: String,
}

/// What the report is, and what it is about.
#[derive(Clone, PartialEq, Eq)]
pub struct EncapsulatedPdfMeta {
    /// Patient and study attributes.
    pub study: StudyOfReport,
    /// The study reported on.
    pub study_uid: Uid,
    /// A series for reports in that study, not one of its image series.
    pub series_uid: Uid,
    /// A new one for each version of a report.
    pub sop_uid: Uid,
    /// Series Number; reports are sorted behind images by a high one.
    pub series_number: u32,
    /// Counts the versions of this report from 1.
    pub instance_number: u32,
    /// Document Title, at most 1,024 characters.
    pub title: String,
    /// When the report was signed, on the clock of `offset`.
    pub signed_at: NaiveDateTime,
    /// Offset from UTC of all times here.
    pub offset: FixedOffset,
    /// Institution that made the report; left out if empty.
    pub institution: String,
    /// Version of this software.
    pub software_version: String,
    /// One instance that was read (SOP class, SOP instance), if it is to be named.
    pub source: Option<(Uid, Uid)>,
}

impl std::fmt::Debug for StudyOfReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StudyOfReport(***)")
    }
}

impl std::fmt::Debug for EncapsulatedPdfMeta {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EncapsulatedPdfMeta({})", self.sop_uid)
    }
}

/// Why no object was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncapsulateError {
    /// The bytes do not begin with `%PDF-`.
    #[error("the document is not a PDF")]
    NotPdf,
    /// Beyond what a DICOM length can say.
    #[error("the document is larger than 4 GiB")]
    TooLarge,
    /// A control character or a backslash, which would make two values of one, or
    /// more bytes than the attribute can hold.
    #[error("{0} has a character or a length that its attribute cannot carry")]
    Value(&'static str),
}

/// A UID of the form `2.25.<decimal>` (PS3.5 B.2) from 16 random bytes, which
/// become a version 4 UUID.
pub fn uid_from_random(mut random: [u8; 16]) -> Uid {
    random[6] = (random[6] & 0x0F) | 0x40;
    random[8] = (random[8] & 0x3F) | 0x80;
    let text = format!("2.25.{}", u128::from_be_bytes(random));
    Uid::parse(text.as_bytes()).expect("2.25. and at most 39 digits are a UID")
}

/// The object, as the bytes of a Part 10 file.
pub fn encapsulated_pdf(pdf: &[u8], meta: &EncapsulatedPdfMeta) -> Result<Vec<u8>, EncapsulateError> {
    if !pdf.starts_with(b"%PDF-") {
        return Err(EncapsulateError::NotPdf);
    }
    let length = u32::try_from(pdf.len()).ok().filter(|&length| length < u32::MAX - 1);
    let length = length.ok_or(EncapsulateError::TooLarge)?;
    let study = &meta.study;
    let (date, time) = (meta.signed_at.format("%Y%m%d").to_string(), meta.signed_at.format("%H%M%S%.6f").to_string());
    let both = format!("{date}{time}");
    let offset = meta.offset.to_string().replace(':', "");

    // In ascending order of tags (PS3.5 7.1).
    let mut out = DataSet(part10::file_meta(ENCAPSULATED_PDF, meta.sop_uid.as_str(), EXPLICIT_LITTLE));
    out.text(0x0008_0005, b"CS", "ISO_IR 192", "Specific Character Set")?;
    out.text(0x0008_0012, b"DA", &date, "Instance Creation Date")?;
    out.text(0x0008_0013, b"TM", &time, "Instance Creation Time")?;
    out.text(0x0008_0016, b"UI", ENCAPSULATED_PDF, "SOP Class UID")?;
    out.text(0x0008_0018, b"UI", meta.sop_uid.as_str(), "SOP Instance UID")?;
    out.text(0x0008_0020, b"DA", &study.study_date, "Study Date")?;
    out.text(0x0008_0021, b"DA", &date, "Series Date")?;
    out.text(0x0008_0023, b"DA", &date, "Content Date")?;
    out.text(0x0008_002A, b"DT", &both, "Acquisition DateTime")?;
    out.text(0x0008_0030, b"TM", &study.study_time, "Study Time")?;
    out.text(0x0008_0031, b"TM", &time, "Series Time")?;
    out.text(0x0008_0033, b"TM", &time, "Content Time")?;
    out.text(0x0008_0050, b"SH", &study.accession_number, "Accession Number")?;
    out.text(0x0008_0060, b"CS", "DOC", "Modality")?;
    // Digitised by a workstation (PS3.3 C.8.6.1).
    out.text(0x0008_0064, b"CS", "WSD", "Conversion Type")?;
    out.text(0x0008_0070, b"LO", "Dokuei", "Manufacturer")?;
    out.optional(0x0008_0080, b"LO", &meta.institution, "Institution Name")?;
    out.text(0x0008_0090, b"PN", &study.referring_physician, "Referring Physician's Name")?;
    out.text(0x0008_0201, b"SH", &offset, "Timezone Offset From UTC")?;
    out.optional(0x0008_1030, b"LO", &study.study_description, "Study Description")?;
    out.text(0x0008_103E, b"LO", "Radiology report", "Series Description")?;
    out.text(0x0008_1090, b"LO", "Dokuei", "Manufacturer's Model Name")?;
    out.text(0x0010_0010, b"PN", &study.patient_name, "Patient's Name")?;
    out.text(0x0010_0020, b"LO", &study.patient_id, "Patient ID")?;
    out.optional(0x0010_0021, b"LO", &study.issuer_of_patient_id, "Issuer of Patient ID")?;
    out.text(0x0010_0030, b"DA", &study.birth_date, "Patient's Birth Date")?;
    out.text(0x0010_0040, b"CS", &study.sex, "Patient's Sex")?;
    out.text(0x0018_1020, b"LO", &meta.software_version, "Software Versions")?;
    out.text(0x0020_000D, b"UI", meta.study_uid.as_str(), "Study Instance UID")?;
    out.text(0x0020_000E, b"UI", meta.series_uid.as_str(), "Series Instance UID")?;
    out.text(0x0020_0010, b"SH", &study.study_id, "Study ID")?;
    out.text(0x0020_0011, b"IS", &meta.series_number.to_string(), "Series Number")?;
    out.text(0x0020_0013, b"IS", &meta.instance_number.to_string(), "Instance Number")?;
    // The report shows the patient's name.
    out.text(0x0028_0301, b"CS", "YES", "Burned In Annotation")?;
    out.item(0x0040_A043, &concept_name()?);
    out.text(0x0040_A493, b"CS", "VERIFIED", "Verification Flag")?;
    out.text(0x0042_0010, b"ST", &meta.title, "Document Title")?;
    out.bytes(0x0042_0011, b"OB", pdf);
    out.text(0x0042_0012, b"LO", "application/pdf", "MIME Type of Encapsulated Document")?;
    if let Some((class, instance)) = &meta.source {
        out.item(0x0042_0013, &source(class, instance)?);
    }
    out.bytes(0x0042_0015, b"UL", &length.to_le_bytes());
    Ok(out.0)
}

/// LOINC's diagnostic imaging report, as in CID 7020.
fn concept_name() -> Result<DataSet, EncapsulateError> {
    let mut code = DataSet(Vec::new());
    code.text(0x0008_0100, b"SH", "18748-4", "Code Value")?;
    code.text(0x0008_0102, b"SH", "LN", "Coding Scheme Designator")?;
    code.text(0x0008_0104, b"LO", "Diagnostic Imaging Report", "Code Meaning")?;
    Ok(code)
}

fn source(class: &Uid, instance: &Uid) -> Result<DataSet, EncapsulateError> {
    let mut item = DataSet(Vec::new());
    item.text(0x0008_1150, b"UI", class.as_str(), "Referenced SOP Class UID")?;
    item.text(0x0008_1155, b"UI", instance.as_str(), "Referenced SOP Instance UID")?;
    Ok(item)
}

/// Elements in explicit VR little endian.
struct DataSet(Vec<u8>);

impl DataSet {
    /// An element with one value, also if that is empty (type 2).
    fn text(&mut self, tag: u32, vr: &[u8; 2], value: &str, name: &'static str) -> Result<(), EncapsulateError> {
        // ST may have line ends; a backslash is only a letter in it (PS3.5 6.2).
        let wrong = |c: char| match vr {
            b"ST" => c.is_control() && !matches!(c, '\r' | '\n' | '\t'),
            _ => c.is_control() || c == '\\',
        };
        if value.contains(wrong) || value.len() > usize::from(u16::MAX) - 1 {
            return Err(EncapsulateError::Value(name));
        }
        self.bytes(tag, vr, value.as_bytes());
        Ok(())
    }

    fn optional(&mut self, tag: u32, vr: &[u8; 2], value: &str, name: &'static str) -> Result<(), EncapsulateError> {
        if value.is_empty() { Ok(()) } else { self.text(tag, vr, value, name) }
    }

    fn bytes(&mut self, tag: u32, vr: &[u8; 2], value: &[u8]) {
        let odd = value.len() % 2;
        self.head(tag, vr, value.len() + odd);
        self.0.extend_from_slice(value);
        if odd == 1 {
            self.0.push(if matches!(vr, b"UI" | b"OB") { 0 } else { b' ' });
        }
    }

    /// A sequence of one item, with stated lengths.
    fn item(&mut self, tag: u32, item: &Self) {
        self.head(tag, b"SQ", item.0.len() + 8);
        self.0.extend_from_slice(&[0xFE, 0xFF, 0x00, 0xE0]);
        self.0.extend_from_slice(&(item.0.len() as u32).to_le_bytes());
        self.0.extend_from_slice(&item.0);
    }

    /// The callers have checked that `length` fits.
    fn head(&mut self, tag: u32, vr: &[u8; 2], length: usize) {
        self.0.extend_from_slice(&((tag >> 16) as u16).to_le_bytes());
        self.0.extend_from_slice(&(tag as u16).to_le_bytes());
        self.0.extend_from_slice(vr);
        if matches!(vr, b"OB" | b"SQ") {
            self.0.extend_from_slice(&[0, 0]);
            self.0.extend_from_slice(&(length as u32).to_le_bytes());
        } else {
            self.0.extend_from_slice(&(length as u16).to_le_bytes());
        }
    }
}
