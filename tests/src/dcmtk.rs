//! DCMTK as the other side: `echoscu`, `storescu`, and `storescp` as a destination.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;
use tokio::process::Command;

use crate::process::{Running, free_address, run};
use crate::studies::Study;

/// Who calls whom, and where.
#[derive(Debug, Clone)]
pub struct Call {
    pub calling: String,
    pub called: String,
    pub address: SocketAddr,
}

impl Call {
    pub fn new(calling: &str, called: &str, address: SocketAddr) -> Self {
        Self { calling: calling.to_owned(), called: called.to_owned(), address }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        // Without TCP_NODELAY every message waits 40 ms for a delayed acknowledgement.
        command.env("TCP_NODELAY", "1").args(["-aet", &self.calling, "-aec", &self.called]);
        command
    }

    fn to(&self, mut command: Command) -> Command {
        command.arg(self.address.ip().to_string()).arg(self.address.port().to_string());
        command
    }

    /// `echoscu`; ask the output's status whether the peer answered.
    ///
    /// # Errors
    /// When the program is not there.
    pub async fn echo(&self) -> Result<Output> {
        run(&mut self.to(self.command("echoscu"))).await
    }

    /// `storescu` of uncompressed files and folders in one association, to its end; ask the output's status.
    ///
    /// # Errors
    /// When the program is not there.
    pub async fn store(&self, files: &[&Path]) -> Result<Output> {
        self.store_proposing(&[], files).await
    }

    /// The same with options that propose a compressed transfer syntax, such as `--propose-j2k-lossy`.
    ///
    /// # Errors
    /// When the program is not there.
    pub async fn store_proposing(&self, options: &[&str], files: &[&Path]) -> Result<Output> {
        let mut command = self.store_command();
        command.args(options);
        run(self.to(command).args(files)).await
    }

    /// `storescu` that goes on by itself, for tests that pull the rug.
    ///
    /// # Errors
    /// When the program is not there.
    pub fn start_storing(&self, files: &[&Path], log_folder: &Path) -> Result<Running> {
        let mut command = self.to(self.store_command());
        command.args(files);
        Running::start("storescu", command, log_folder)
    }

    /// `storescu` that goes on after a refusal, to its end: each answer is in its log.
    ///
    /// # Errors
    /// When the program is not there.
    pub async fn store_all(&self, files: &[&Path]) -> Result<Output> {
        let mut command = self.to(self.store_all_command());
        run(command.args(files)).await
    }

    /// The same, going on by itself.
    ///
    /// # Errors
    /// When the program is not there.
    pub fn start_storing_all(&self, files: &[&Path], log_folder: &Path) -> Result<Running> {
        let mut command = self.to(self.store_all_command());
        command.args(files);
        Running::start("storescu", command, log_folder)
    }

    fn store_all_command(&self) -> Command {
        let mut command = self.store_command();
        command.args(["--no-halt"]);
        command
    }

    fn store_command(&self) -> Command {
        let mut command = self.command("storescu");
        // -R: only what is needed is proposed; +r +sd: folders, recursively.
        command.args(["-v", "-R", "+sd", "+r"]);
        command
    }

    /// `dcmsend`, which proposes each file's own transfer syntax and never converts; to its end.
    ///
    /// # Errors
    /// When the program is not there.
    pub async fn send_as_is(&self, files: &[&Path]) -> Result<Output> {
        let mut command = self.to(self.command("dcmsend"));
        command.args(["-v", "--decompress-never", "--no-halt", "+sd", "+r"]);
        run(command.args(files)).await
    }
}

/// `storescp`: a destination that takes everything and keeps it as received.
#[derive(Debug)]
pub struct StoreScp {
    running: Running,
    pub ae_title: String,
    pub address: SocketAddr,
    folder: TempDir,
}

impl StoreScp {
    /// # Errors
    /// When the program is not there or does not listen.
    pub async fn start(ae_title: &str) -> Result<Self> {
        let (folder, address) = (tempfile::tempdir()?, free_address()?);
        fs::create_dir(folder.path().join("received"))?;
        let mut command = Command::new("storescp");
        command.env("TCP_NODELAY", "1").args(["-v", "+xa", "-aet", ae_title, "--output-directory"]);
        command.arg(folder.path().join("received")).arg(address.port().to_string());
        let mut running = Running::start("storescp", command, folder.path())?;
        running.wait_for_port(address).await?;
        Ok(Self { running, ae_title: ae_title.to_owned(), address, folder })
    }

    /// The files received so far, by name. One that is still being written may be among them.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn received(&self) -> Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(self.folder.path().join("received"))? {
            files.push(entry?.path());
        }
        files.sort();
        Ok(files)
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        self.running.stderr()
    }
}

/// The UIDs of a made study that `storescu -v` was told are safe: its lines name a file, then the answer.
pub fn acknowledged(log: &str, study: &Study) -> BTreeSet<String> {
    let mut file = None;
    let mut safe = BTreeSet::new();
    for line in log.lines() {
        if let Some((_, path)) = line.split_once("Sending file: ") {
            let stem = Path::new(path.trim()).file_stem().and_then(|stem| stem.to_str());
            file = stem.and_then(|stem| stem.parse::<usize>().ok());
        } else if line.contains("Received Store Response (Success)")
            && let Some(number) = file.take()
        {
            safe.insert(study.instances[number - 1].clone());
        }
    }
    safe
}

/// Every answer that `storescu -v` got, in its words, and how often. A status that it has no word for is "Unknown
/// Status"; 0xA700 is "Refused: OutOfResources".
pub fn answers(log: &str) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for line in log.lines() {
        let answer = line.split_once("Received Store Response (").and_then(|(_, rest)| rest.rsplit_once(')'));
        if let Some((words, _)) = answer {
            *counts.entry(words).or_default() += 1;
        }
    }
    counts
}

/// One attribute of a DICOM file as `dcmdump` shows it, brackets and padding removed; UIDs in digits.
///
/// # Errors
/// When it is no DICOM file or does not hold `keyword`.
pub async fn attribute(file: &Path, keyword: &str) -> Result<String> {
    let output = run(Command::new("dcmdump").args(["-Un", "-q", "+L", "+P", keyword]).arg(file)).await?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().with_context(|| format!("{} holds no {keyword}", file.display()))?;
    let Some((_, rest)) = line.split_once('[') else { bail!("{keyword} has no text value: {line}") };
    Ok(rest.rsplit_once("] ").map_or(rest, |(value, _)| value).trim_matches([' ', '\0']).to_owned())
}
