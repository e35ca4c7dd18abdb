//! Data sets against pydicom and DCMTK: what we read of real files, and what they read of ours.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod samples;

use std::path::Path;
use std::process::Command;

use dicom_dictionary_std::tags;
use dokuei_dicom_gateway::charset::{NameForm, Repertoire};
use dokuei_dicom_gateway::dataset::{self, DataSet, Limits, Syntax};
use dokuei_dicom_gateway::part10;
use samples::Samples;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/dataset.py");
const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const IMPLICIT: &str = "1.2.840.10008.1.2";

fn python(samples: &Samples, arguments: &[String]) -> String {
    let ran = Command::new(samples.python()).arg(SCRIPT).args(arguments).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn the_json_of_real_files_is_what_pydicom_makes_of_them() {
    let Some(samples) = Samples::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut pairs = vec!["json".to_owned()];
    for (index, path) in samples.files().iter().enumerate() {
        let bytes = std::fs::read(path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if PYDICOM_READS_IT_OTHERWISE.contains(&name.as_str()) {
            continue;
        }
        let Ok(read) = dataset::read_file(&bytes, Limits::default()) else { continue };
        let json = dataset::to_json(&read, &mut |_| Some("x".to_owned()));
        let ours = folder.path().join(format!("{index}.json"));
        std::fs::write(&ours, serde_json::to_vec(&json).unwrap()).unwrap();
        pairs.extend([path.display().to_string(), ours.display().to_string()]);
    }
    assert!(pairs.len() > 2 * 150, "only {} files were read", pairs.len() / 2);
    let differences = python(&samples, &pairs);
    assert!(differences.is_empty(), "{differences}");
}

/// Files of which pydicom gives up on an element, or on all, that can be read.
const PYDICOM_READS_IT_OTHERWISE: &[&str] = &[
    "bad_sequence.dcm",
    "badVR.dcm",
    // An element of one record claims more bytes than there are: that record is stepped over here.
    "DICOMDIR-nooffset",
    "emri_small_jpeg_2k_lossless_too_short.dcm",
    "rtdose.dcm",
    "rtdose_1frame.dcm",
    "rtdose_expb.dcm",
    "rtdose_expb_1frame.dcm",
    "rtdose_rle.dcm",
    "rtdose_rle_1frame.dcm",
];

fn answer() -> DataSet {
    let mut step = DataSet::default();
    step.put(tags::SCHEDULED_PROCEDURE_STEP_DESCRIPTION, "胸部 単純");
    let mut out = DataSet::default();
    out.put(tags::SOP_CLASS_UID, "1.2.840.10008.5.1.4.1.1.7")
        .put(tags::SOP_INSTANCE_UID, "1.2.3.4")
        .put(tags::PATIENT_NAME, "Matsumoto^Ichirou=松本^宮崎=まつもと^いちろう")
        .put(tags::INSTITUTION_NAME, "日本病院")
        .put_items(tags::SCHEDULED_PROCEDURE_STEP_SEQUENCE, vec![step]);
    out
}

fn file(folder: &Path, answer: &DataSet, syntax: Syntax, declared: &str) -> String {
    let written = dataset::write(answer, syntax, &Repertoire::parse(declared).unwrap(), NameForm::All).unwrap();
    assert!(!written.lossy, "{declared}");
    let uid = if syntax == Syntax::Explicit { EXPLICIT } else { IMPLICIT };
    let mut bytes = part10::file_meta("1.2.840.10008.5.1.4.1.1.7", "1.2.3.4", uid);
    bytes.extend_from_slice(&written.bytes);
    let path = folder.join("written.dcm");
    std::fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

#[test]
fn pydicom_and_dcmtk_read_the_japanese_that_we_write() {
    let Some(samples) = Samples::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut supplementary = answer();
    supplementary.put(tags::PATIENT_NAME, "Kou^Ji=丂^二=こう^じ");
    let cases = [
        (answer(), "\\ISO 2022 IR 87"),
        (answer(), "ISO 2022 IR 13\\ISO 2022 IR 87"),
        (answer(), "ISO 2022 IR 6\\ISO 2022 IR 87\\ISO 2022 IR 159"),
        (supplementary.clone(), "\\ISO 2022 IR 87\\ISO 2022 IR 159"),
        (supplementary, "ISO_IR 192"),
        (answer(), "ISO_IR 192"),
    ];
    for (answer, declared) in cases {
        for syntax in [Syntax::Explicit, Syntax::Implicit] {
            let path = file(folder.path(), &answer, syntax, declared);
            let name = answer.name(tags::PATIENT_NAME).unwrap();
            let groups = [name.alphabetic(), name.ideographic(), name.phonetic()];
            let wanted = serde_json::json!([groups, "日本病院", "胸部 単純"]);
            let read: serde_json::Value =
                serde_json::from_str(&python(&samples, &["names".into(), path.clone()])).unwrap();
            assert_eq!(read, wanted, "{declared}");
            // It shows the bytes as they are: Debian's has no table for the Japanese sets.
            let dumped = Command::new("dcmdump").args(["-q", "+L", &path]).output().unwrap();
            assert!(dumped.status.success(), "{declared}: {}", String::from_utf8_lossy(&dumped.stderr));
            let shown = |text: &[u8]| dumped.stdout.windows(text.len()).any(|window| window == text);
            let repertoire = Repertoire::parse(declared).unwrap();
            assert!(shown(&repertoire.names(std::slice::from_ref(name), NameForm::All).bytes), "{declared}");
            assert!(shown(&repertoire.values(&["日本病院"]).bytes), "{declared}");
        }
    }
}
