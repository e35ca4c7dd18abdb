//! Real DICOM files, and studies made out of them.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::process::{from_ops_test, run_checked, script};

/// A file of pydicom or pydicom-data by its name, such as `CT_small.dcm`.
///
/// # Errors
/// When there is none of that name.
pub fn sample(name: &str) -> Result<PathBuf> {
    let path = Path::new(&from_ops_test("DOKUEI_DICOM_SAMPLES")?).join(name);
    ensure!(path.is_file(), "no sample is called {name}: {} is not there", path.display());
    Ok(path)
}

/// The UIDs of a study that was made.
#[derive(Debug, Clone, Deserialize)]
pub struct Study {
    pub study: String,
    pub series: String,
    pub instances: Vec<String>,
}

/// Writes a study of `count` instances into `folder`: pixels and modality of the sample `template`,
/// new UIDs, ascending instance numbers and positions, and `attributes` (DICOM keyword to value) over it.
///
/// # Errors
/// When there is no such sample or an attribute does not exist.
pub async fn make_study(template: &str, folder: &Path, count: usize, attributes: Value) -> Result<Study> {
    let mut command = script("make_study.py")?;
    command.arg(sample(template)?).arg(folder).arg(count.to_string()).arg(attributes.to_string());
    Ok(serde_json::from_str(&run_checked(&mut command).await?)?)
}

/// One row of the index, and whether the file it points to is whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct StoredInstance {
    pub uid: String,
    /// The file is there, its hash is the row's, and pydicom reads this UID out of it.
    pub intact: bool,
}

/// What an installation holds of a study, read past Dokuei from its database (a SQLite file or
/// `postgres://...`) and its folder of objects; in the order of arrival.
///
/// # Errors
/// When either cannot be read.
pub async fn stored(database: &str, objects: &Path, study: &str) -> Result<Vec<StoredInstance>> {
    let mut command = script("stored_instances.py")?;
    command.arg(database).arg(objects).arg(study);
    Ok(serde_json::from_str(&run_checked(&mut command).await?)?)
}
