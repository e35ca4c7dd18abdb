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
