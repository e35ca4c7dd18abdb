//! What others say of a signed report: poppler's `pdfsig` and `pdftotext`, and pyHanko.

use std::fs;
use std::path::Path;

use anyhow::Result;
use serde::Deserialize;
use tokio::process::Command;

use crate::process::{run_checked, script};

/// pyHanko's judgement on one signature.
#[derive(Debug, Clone, Deserialize)]
pub struct Signature {
    /// The signed bytes are as they were.
    pub intact: bool,
    /// The signature fits the certificate.
    pub valid: bool,
    /// The certificate leads to the given root.
    pub trusted: bool,
    /// `ENTIRE_FILE` when nothing was appended after signing.
    pub coverage: String,
    /// `NONE` when nothing was changed after signing.
    pub later_change: Option<String>,
    pub signer: String,
    pub subfilter: Option<String>,
}

/// pyHanko's judgement on every signature in `file`, trusting only the certificate in `root_pem`.
///
/// # Errors
/// When pyHanko cannot read the file.
pub async fn signatures(file: &Path, root_pem: &Path) -> Result<Vec<Signature>> {
    Ok(serde_json::from_str(&run_checked(script("check_pdf.py")?.arg(file).arg(root_pem)).await?)?)
}

/// What `pdfsig` says, trusting only the certificate in `root_pem` (through an NSS database made for it).
///
/// # Errors
/// When the file has no signature or a tool is missing.
pub async fn pdfsig(file: &Path, root_pem: &Path) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let nss = folder.path().join("nss");
    fs::create_dir(&nss)?;
    let database = format!("sql:{}", nss.display());
    run_checked(Command::new("certutil").args(["-N", "--empty-password", "-d", &database])).await?;
    let mut import = Command::new("certutil");
    import.args(["-A", "-n", "dokuei demo CA", "-t", "C,C,C", "-d", &database, "-i"]).arg(root_pem);
    run_checked(&mut import).await?;
    run_checked(Command::new("pdfsig").arg("-nssdir").arg(&nss).arg(file)).await
}

/// The words of a PDF in reading order.
///
/// # Errors
/// When it is no PDF.
pub async fn text(file: &Path) -> Result<String> {
    run_checked(Command::new("pdftotext").args(["-layout", "-enc", "UTF-8"]).arg(file).arg("-")).await
}
