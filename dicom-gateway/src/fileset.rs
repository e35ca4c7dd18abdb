//! The file-set of a medium (PS3.10 8): which files it has, and the DICOMDIR that
//! lists them, made and read.
//!
//! Made for the portable data of IHE PDI: file IDs of at most eight capital letters,
//! digits and underscores, objects in Explicit VR Little Endian (PS3.11 annex D,
//! STD-GEN-CD), a directory of patients, studies, series and instances (PS3.3 annex
//! F). Pure: it sees headers and gives names and bytes; who writes the files is the
//! caller.

mod directory;
mod named;
mod record;

use std::collections::BTreeMap;

use dicom_dictionary_std::tags;

use crate::dataset::DataSet;
use crate::uid::Uid;

pub use directory::DirectoryError;
pub use named::{NamedStudy, named};

/// Where a file of the set stands: `DICOM/ST000001/SE000001/IM000001`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileId([String; 4]);

impl FileId {
    /// The path within the medium, parted by `/`.
    pub fn path(&self) -> String {
        self.0.join("/")
    }

    fn components(&self) -> Vec<String> {
        self.0.to_vec()
    }
}

/// A file-set under construction.
#[derive(Debug)]
pub struct FileSet {
    label: String,
    instance: Uid,
    /// Date and time of making it (DA, TM), where a study has none of its own.
    made: (String, String),
    patients: Vec<Patient>,
    files: u32,
}

#[derive(Debug)]
struct Patient {
    record: DataSet,
    studies: Vec<Study>,
}

#[derive(Debug)]
struct Study {
    uid: String,
    record: DataSet,
    series: Vec<Series>,
}

#[derive(Debug)]
struct Series {
    uid: String,
    record: DataSet,
    instances: BTreeMap<u32, DataSet>,
}

impl FileSet {
    /// An empty set. `label` is the File-set ID (CS: 16 capital letters, digits, space, underscore at the most),
    /// `instance` a new UID for the directory, `made` the day and time of making it as DA and TM.
    pub fn new(label: &str, instance: Uid, made: (String, String)) -> Self {
        let label = label
            .to_ascii_uppercase()
            .chars()
            .filter(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || *c == '_')
            .take(16)
            .collect();
        Self { label, instance, made, patients: Vec::new(), files: 0 }
    }

    /// How many files it has.
    pub fn len(&self) -> u32 {
        self.files
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.files == 0
    }

    /// Adds an instance by its header, which is to be written in `transfer_syntax`, and says where its file goes. What
    /// a directory must have and the header lacks (Study ID, Series Number) is numbered here; the file itself stays as
    /// it is.
    pub fn add(&mut self, header: &DataSet, transfer_syntax: &str) -> FileId {
        let key = |set: &DataSet| (set.text(tags::PATIENT_ID).to_owned(), set.name(tags::PATIENT_NAME).cloned());
        let patient = record::patient(header);
        let at = self.patients.iter().position(|one| key(&one.record) == key(&patient));
        let patient = at.unwrap_or_else(|| {
            self.patients.push(Patient { record: patient, studies: Vec::new() });
            self.patients.len() - 1
        });
        let study_uid = header.text(tags::STUDY_INSTANCE_UID).to_owned();
        let before: usize = self.patients[..patient].iter().map(|one| one.studies.len()).sum();
        let studies = &mut self.patients[patient].studies;
        let study = studies.iter().position(|one| one.uid == study_uid).unwrap_or_else(|| {
            let record = record::study(header, before + studies.len() + 1, &self.made);
            studies.push(Study { uid: study_uid, record, series: Vec::new() });
            studies.len() - 1
        });
        let study_number = before + study + 1;
        let series_uid = header.text(tags::SERIES_INSTANCE_UID).to_owned();
        let all = &mut studies[study].series;
        let series = all.iter().position(|one| one.uid == series_uid).unwrap_or_else(|| {
            let record = record::series(header, all.len() + 1);
            all.push(Series { uid: series_uid, record, instances: BTreeMap::new() });
            all.len() - 1
        });
        let instances = &mut all[series].instances;
        let number = u32::try_from(instances.len() + 1).unwrap_or(u32::MAX);
        let file = FileId([
            "DICOM".to_owned(),
            format!("ST{study_number:06}"),
            format!("SE{:06}", series + 1),
            format!("IM{number:06}"),
        ]);
        instances.insert(number, record::instance(header, number, &file, transfer_syntax, &self.made));
        self.files += 1;
        file
    }

    /// The DICOMDIR, as the bytes of a Part 10 file.
    ///
    /// # Errors
    /// A directory above 4 GiB.
    pub fn directory(&self) -> Result<Vec<u8>, DirectoryError> {
        directory::write(self)
    }
}
