//! Finds the public sample files of pydicom and pydicom-data.

use std::path::{Path, PathBuf};

/// A folder tree with the samples.
pub struct Samples {
    root: PathBuf,
    files: Vec<PathBuf>,
}

impl Samples {
    /// The folder that `DOKUEI_DICOM_SAMPLES` names if it is a site-packages, else the one of the
    /// virtual environment `venv` in the build folder. Without samples a test is
    /// skipped loudly, or fails if `DOKUEI_TEST_PEERS=required`.
    pub fn find() -> Option<Self> {
        let named = std::env::var_os("DOKUEI_DICOM_SAMPLES").map(PathBuf::from);
        // A flat folder of chosen files is not the whole tree that these tests go through.
        let root = named.filter(|root| root.join("pydicom/data").is_dir()).or_else(site_packages);
        let found = root.map(|root| {
            let mut files = Vec::new();
            list(&root.join("pydicom/data"), &mut files);
            list(&root.join("data_store"), &mut files);
            Self { root, files }
        });
        if let Some(samples) = found.filter(|samples| !samples.files.is_empty()) {
            return Some(samples);
        }
        let required = std::env::var("DOKUEI_TEST_PEERS").is_ok_and(|value| value == "required");
        assert!(!required, "the sample files of pydicom and pydicom-data are missing: set DOKUEI_DICOM_SAMPLES");
        eprintln!("SKIPPED: no sample files of pydicom and pydicom-data (DOKUEI_DICOM_SAMPLES)");
        None
    }

    /// The sample of this name, which must be there.
    #[allow(dead_code, reason = "each test file is a crate of its own")]
    pub fn path(&self, name: &str) -> PathBuf {
        let found = self.files.iter().find(|path| path.file_name().is_some_and(|file| file == name));
        found.unwrap_or_else(|| panic!("{name} is not among the samples")).clone()
    }

    /// All samples.
    #[allow(dead_code, reason = "each test file is a crate of its own")]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The Python that has pydicom: `DOKUEI_PYTHON`, else that of the samples.
    #[allow(dead_code, reason = "each test file is a crate of its own")]
    pub fn python(&self) -> PathBuf {
        if let Some(python) = std::env::var_os("DOKUEI_PYTHON") {
            return python.into();
        }
        let own = self.root.ancestors().nth(3).map(|venv| venv.join("bin/python")).filter(|path| path.exists());
        own.unwrap_or_else(|| "python3".into())
    }
}

fn site_packages() -> Option<PathBuf> {
    let built = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), PathBuf::from);
    let lib = std::fs::read_dir(built.join("venv/lib")).ok()?;
    lib.flatten().map(|entry| entry.path().join("site-packages")).find(|path| path.is_dir())
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { list(&path, files) } else { files.push(path) }
    }
    files.sort();
}
