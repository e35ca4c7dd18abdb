//! A file-set as others read it: pydicom goes through the directory and opens each file, DCMTK dumps it, dicom3tools
//! finds no error in it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod samples;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use dokuei_dicom_gateway::charset::{NameForm, Repertoire};
use dokuei_dicom_gateway::dataset::{self, DataSet, Syntax};
use dokuei_dicom_gateway::fileset::{self, FileSet};
use dokuei_dicom_gateway::part10;
use dokuei_dicom_gateway::uid::Uid;
use samples::Samples;

const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const SC: &str = "1.2.840.10008.5.1.4.1.1.7";

fn header(class: &str, patient: (&str, &str), study: u32, series: u32, image: u32) -> DataSet {
    use dicom_core::Tag;
    let mut set = DataSet::default();
    set.put(Tag(0x0008, 0x0016), class)
        .put(Tag(0x0008, 0x0018), format!("1.2.392.9.{study}.{series}.{image}"))
        .put(Tag(0x0008, 0x0020), "20261001")
        .put(Tag(0x0008, 0x0030), "101500")
        .put(Tag(0x0008, 0x0050), format!("A{study}"))
        .put(Tag(0x0008, 0x0060), if class == CT { "CT" } else { "OT" })
        .put(Tag(0x0008, 0x1030), "胸部CT")
        .put(Tag(0x0010, 0x0010), patient.1)
        .put(Tag(0x0010, 0x0020), patient.0)
        .put(Tag(0x0020, 0x000D), format!("1.2.392.9.{study}"))
        .put(Tag(0x0020, 0x000E), format!("1.2.392.9.{study}.{series}"))
        .put(Tag(0x0020, 0x0013), image.to_string());
    set
}

/// Two patients, three studies, four series, six files; on the disk.
fn medium(folder: &Path, taro: (&str, &str)) -> usize {
    let instance = Uid::parse(b"2.25.12345678901234567890").unwrap();
    let mut set = FileSet::new("dokuei 12", instance, ("20261002".into(), "090000".into()));
    // A letter that ISO 2022 IR 87 lacks.
    let ding = ("0013", "CHO^ICHIRO=丂^一郎=ちょう^いちろう");
    let all = [
        (CT, taro, 1, 1, 1),
        (CT, taro, 1, 1, 2),
        (CT, taro, 1, 2, 1),
        (SC, taro, 2, 1, 1),
        (CT, ding, 3, 1, 7),
        (CT, ding, 3, 1, 8),
    ];
    for (class, patient, study, series, image) in all {
        let header = header(class, patient, study, series, image);
        let file = set.add(&header, EXPLICIT);
        let written = dataset::write(&header, Syntax::Explicit, &Repertoire::utf8(), NameForm::All).unwrap();
        let uid = format!("1.2.392.9.{study}.{series}.{image}");
        let mut bytes = part10::file_meta(class, &uid, EXPLICIT);
        bytes.extend_from_slice(&written.bytes);
        let path = folder.join(file.path());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    std::fs::write(folder.join("DICOMDIR"), set.directory().unwrap()).unwrap();
    assert_eq!(set.len() as usize, all.len());
    all.len()
}

#[test]
fn pydicom_finds_every_file_with_its_patient_study_and_series() {
    let Some(samples) = Samples::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let count = medium(folder.path(), ("0012", "MATSUMOTO^TARO=松本^太郎=まつもと^たろう"));
    let script = "
import sys
from pydicom.fileset import FileSet
files = FileSet(sys.argv[1])
for one in sorted(files, key=lambda one: one.SOPInstanceUID):
    whole = one.load()
    assert whole.SOPInstanceUID == one.SOPInstanceUID, one
    print(one.SOPInstanceUID, one.StudyInstanceUID, one.StudyID, one.SeriesNumber, one.PatientID, one.PatientName, one.path.split('/DICOM/')[1])
";
    let directory = folder.path().join("DICOMDIR");
    let done = Command::new(samples.python()).args(["-c", script]).arg(&directory).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let said = String::from_utf8(done.stdout).unwrap();
    assert_eq!(said.lines().count(), count, "{said}");
    for line in [
        "1.2.392.9.1.1.1 1.2.392.9.1 1 1 0012 MATSUMOTO^TARO=松本^太郎=まつもと^たろう ST000001/SE000001/IM000001",
        "1.2.392.9.1.2.1 1.2.392.9.1 1 2 0012 MATSUMOTO^TARO=松本^太郎=まつもと^たろう ST000001/SE000002/IM000001",
        "1.2.392.9.3.1.8 1.2.392.9.3 3 1 0013 CHO^ICHIRO=丂^一郎=ちょう^いちろう ST000003/SE000001/IM000002",
    ] {
        assert!(said.contains(line), "no {line} in\n{said}");
    }
}

#[test]
fn dcmtk_and_dicom3tools_find_no_error_in_the_directory() {
    let folder = tempfile::tempdir().unwrap();
    // dicom3tools parts values at the byte 5C, which is half of 本: what it is shown has no such letter.
    medium(folder.path(), ("0012", "YAMADA^TARO=山田^太郎=やまだ^たろう"));
    let directory = folder.path().join("DICOMDIR");
    for (program, args) in [("dcmdump", &["+L"][..]), ("dciodvfy", &[][..])] {
        let done = match Command::new(program).args(args).arg(&directory).output() {
            Ok(done) => done,
            Err(error) => {
                let required = std::env::var("DOKUEI_TEST_PEERS").is_ok_and(|value| value == "required");
                assert!(!required, "{program}: {error}");
                eprintln!("SKIPPED: {program} is not installed");
                continue;
            }
        };
        let said = [done.stdout, done.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(done.status.success(), "{program}: {said}");
        assert!(!said.contains("Error") && !said.contains("E:") && !said.contains("W:"), "{program}: {said}");
        if program == "dcmdump" {
            assert_eq!(said.matches("DirectoryRecordType").count(), 2 + 3 + 4 + 6, "{said}");
        }
    }
}

/// SOP Instance UIDs by Study Instance UID, as we read a directory.
fn named(path: &Path) -> BTreeMap<String, Vec<String>> {
    let read = fileset::named(&std::fs::read(path).unwrap()).unwrap();
    let sorted = read.into_iter().map(|mut study| {
        study.instances.sort();
        (study.study_uid, study.instances)
    });
    sorted.collect()
}

/// The same as pydicom reads it.
fn named_by_pydicom(samples: &Samples, path: &Path) -> BTreeMap<String, Vec<String>> {
    let script = "
import json, sys
from pydicom.fileset import FileSet
found = {}
for one in FileSet(sys.argv[1]):
    found.setdefault(one.StudyInstanceUID, []).append(one.SOPInstanceUID)
print(json.dumps({study: sorted(uids) for study, uids in found.items()}))
";
    let done = Command::new(samples.python()).args(["-c", script]).arg(path).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

#[test]
fn what_other_programs_list_is_read_as_they_mean_it() {
    let Some(samples) = Samples::find() else { return };
    let plain = samples.path("DICOMDIR");
    let wanted = named_by_pydicom(&samples, &plain);
    assert!(wanted.len() > 3 && wanted.values().map(Vec::len).sum::<usize>() > 20, "{wanted:?}");
    // The same medium in another encoding, without offsets, and with its records in another order.
    for name in ["DICOMDIR", "DICOMDIR-implicit", "DICOMDIR-bigEnd", "DICOMDIR-reordered"] {
        assert_eq!(named(&samples.path(name)), wanted, "{name}");
    }
    // One record of this one claims more bytes than there are and is stepped over; each other is of its study.
    let mut without = wanted.clone();
    for images in without.values_mut() {
        images.retain(|uid| uid != "1.3.6.1.4.1.5962.1.1.0.0.0.1196533885.18148.0.124");
    }
    assert_eq!(named(&samples.path("DICOMDIR-nooffset")), without);
    let empty = std::fs::read(samples.path("DICOMDIR-empty.dcm")).unwrap();
    assert!(fileset::named(&empty).is_err(), "a directory that names nothing cannot be gone by");
    assert!(fileset::named(&empty[..200]).is_err());

    let folder = tempfile::tempdir().unwrap();
    medium(folder.path(), ("0012", "YAMADA^TARO=山田^太郎=やまだ^たろう"));
    let ours = named(&folder.path().join("DICOMDIR"));
    let arguments = ["+r", "+I", "-Nxc", "+D", "MADE", "+id", ".", "DICOM"];
    let made = Command::new("dcmmkdir").args(arguments).current_dir(folder.path()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert_eq!(named(&folder.path().join("MADE")), ours);
    assert_eq!(ours.values().map(Vec::len).collect::<Vec<_>>(), [3, 1, 2]);
}
