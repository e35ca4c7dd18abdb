//! The peers that judge the files, and invented reports for them.
#![allow(dead_code, unused_imports)]

mod samples;

use std::path::{Path, PathBuf};
use std::process::Command;

pub use samples::*;

/// What a peer printed, with white space as it came.
pub fn output(command: &mut Command) -> String {
    let out = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

/// Whether a peer is there. A missing one fails the test when peers are required, and is said aloud otherwise.
pub fn peer_is_there(name: &str, there: bool) -> bool {
    if !there {
        let required = std::env::var("DOKUEI_TEST_PEERS").is_ok_and(|value| value == "required");
        assert!(!required, "{name} is required for this test and is not there");
        eprintln!("SKIPPED: {name} is not there; set DOKUEI_TEST_PEERS=required to make this a failure");
    }
    there
}

pub fn program_is_there(name: &str) -> bool {
    let found = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()));
    peer_is_there(name, found)
}

/// A Python that has pyHanko: DOKUEI_PYTHON, or the virtual environment in the target folder.
pub fn python_with_pyhanko() -> Option<PathBuf> {
    let python = std::env::var_os("DOKUEI_PYTHON").map(PathBuf::from).or_else(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?;
        Some(target.join("venv/bin/python"))
    })?;
    let there = Command::new(&python).args(["-c", "import pyhanko"]).output().is_ok_and(|out| out.status.success());
    peer_is_there("a Python with pyHanko (DOKUEI_PYTHON)", there).then_some(python)
}

/// The text of a PDF as pdftotext sees it.
pub fn text_of(pdf: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("report.pdf");
    std::fs::write(&file, pdf).expect("a file");
    output(Command::new("pdftotext").arg("-layout").arg(&file).arg("-"))
}

/// `text` without any white space.
pub fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}
