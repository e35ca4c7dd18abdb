//! Encapsulated PDF objects, read by other people's tools.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;

use chrono::{FixedOffset, NaiveDate};
use dokuei_dicom_gateway::encapsulate::{
    EncapsulateError, EncapsulatedPdfMeta, StudyOfReport, encapsulated_pdf, uid_from_random,
};
use dokuei_dicom_gateway::uid::Uid;
use dokuei_dicom_gateway::{header, render};

/// A PDF of odd length, so that it must be padded.
const PDF: &[u8] = b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";

fn meta() -> EncapsulatedPdfMeta {
    EncapsulatedPdfMeta {
        study: StudyOfReport {
            patient_name: "Demo^Hanako=試験^花子=しけん^はなこ".into(),
            patient_id: "0001234".into(),
            birth_date: "19500203".into(),
            sex: "F".into(),
            study_date: "20260401".into(),
            study_time: "101500".into(),
            study_id: "S1".into(),
            accession_number: "A0001".into(),
            study_description: "胸部CT".into(),
            referring_physician: "Irai^Taro=依頼^太郎".into(),
            ..StudyOfReport::default()
        },
        study_uid: Uid::parse(b"1.2.392.1.1").unwrap(),
        series_uid: uid_from_random([7; 16]),
        sop_uid: uid_from_random([0xFF; 16]),
        series_number: 9001,
        instance_number: 1,
        title: "読影報告書 松本".into(),
        signed_at: NaiveDate::from_ymd_opt(2026, 4, 1).unwrap().and_hms_opt(12, 30, 5).unwrap(),
        offset: FixedOffset::east_opt(9 * 3600).unwrap(),
        institution: "読影センター".into(),
        software_version: "0.1.0".into(),
        source: Some((Uid::parse(b"1.2.840.10008.5.1.4.1.1.2").unwrap(), Uid::parse(b"1.2.3.4").unwrap())),
    }
}

fn run(program: &str, arguments: &[&str], file: &Path) -> Option<String> {
    let done = Command::new(program).args(arguments).arg(file).output();
    let Ok(done) = done else {
        let required = std::env::var("DOKUEI_TEST_PEERS").is_ok_and(|value| value == "required");
        assert!(!required, "{program} is not installed");
        eprintln!("SKIPPED: {program} is not installed");
        return None;
    };
    Some(String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
}

#[test]
fn our_own_reader_finds_patient_and_study_as_they_were_given() {
    assert_eq!(PDF.len() % 2, 1);
    let file = encapsulated_pdf(PDF, &meta()).unwrap();
    let header = header::read_file(&file).unwrap();
    assert_eq!(header.sop_class.as_str(), "1.2.840.10008.5.1.4.1.1.104.1");
    assert_eq!(header.study_uid.as_str(), "1.2.392.1.1");
    assert_eq!(header.patient.id, "0001234");
    assert_eq!(header.patient.name.ideographic(), "試験^花子");
    assert_eq!(header.study.accession_number, "A0001");
    assert_eq!(header.series.modality, "DOC");
    assert!(header.oddities.is_empty());
    assert_eq!(render::describe(&file).unwrap().displayable, Err(render::RenderError::NoPixels));
}

#[test]
fn dcmtk_reads_every_value_and_gives_the_pdf_back_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.dcm");
    std::fs::write(&path, encapsulated_pdf(PDF, &meta()).unwrap()).unwrap();
    let Some(dump) = run("dcmdump", &["+L"], &path) else { return };
    for expected in [
        "[ISO_IR 192]",
        "[Demo^Hanako=試験^花子=しけん^はなこ]",
        "[0001234]",
        "[DOC]",
        "[YES]",
        "[application/pdf]",
        "[読影報告書 松本]",
        "[+0900]",
        "=LittleEndianExplicit",
    ] {
        assert!(dump.contains(expected), "no {expected} in\n{dump}");
    }
    assert!(!dump.contains("W:") && !dump.contains("E:"), "{dump}");
    let pdf = folder.path().join("out.pdf");
    let done = Command::new("dcm2pdf").arg(&path).arg(&pdf).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    // The padding byte may come back behind it, not within.
    let back = std::fs::read(pdf).unwrap();
    assert_eq!(&back[..PDF.len()], PDF);
    assert!(back.len() <= PDF.len() + 1);
}

#[test]
fn dciodvfy_finds_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.dcm");
    std::fs::write(&path, encapsulated_pdf(PDF, &meta()).unwrap()).unwrap();
    let Some(said) = run("dciodvfy", &[], &path) else { return };
    assert!(said.contains("EncapsulatedPDF"), "{said}");
    assert!(!said.contains("Error"), "{said}");
}

#[test]
fn values_that_an_attribute_cannot_carry_are_refused_by_name() {
    let mut wrong = meta();
    wrong.study.patient_id = "1\\2".into();
    assert_eq!(encapsulated_pdf(PDF, &wrong), Err(EncapsulateError::Value("Patient ID")));
    let mut wrong = meta();
    wrong.title = "a\u{1b}$B".into();
    assert_eq!(encapsulated_pdf(PDF, &wrong), Err(EncapsulateError::Value("Document Title")));
    assert_eq!(encapsulated_pdf(b"PK", &meta()), Err(EncapsulateError::NotPdf));
    assert_eq!(format!("{:?}", meta().study), "StudyOfReport(***)");
}

#[test]
fn random_uids_are_version_4_uuids_in_decimal() {
    assert_eq!(uid_from_random([0; 16]).as_str(), "2.25.302240678275694148452352");
    let largest = uid_from_random([0xFF; 16]);
    let number: u128 = largest.as_str().strip_prefix("2.25.").unwrap().parse().unwrap();
    assert_eq!(number >> 76 & 0xF, 4);
    assert_eq!(number >> 62 & 0b11, 0b10);
}
