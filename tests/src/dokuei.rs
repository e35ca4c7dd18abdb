//! The binary under test: everything in one process, or the roles apart.
//!
//! It always runs on loopback with port 0, and says on standard output where it
//! serves: `ready http=ADDR dicom=ADDR`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

use crate::process::Running;

/// From start to `ready`: migrations, demo organisation and its keys included.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// How long it may take to stop after Ctrl-C.
const STOP_WITHIN: Duration = Duration::from_secs(15);

/// The binary: `DOKUEI_TEST_BIN`, or what cargo built beside this test.
///
/// # Errors
/// When it was not built.
pub fn binary() -> Result<PathBuf> {
    let path = match std::env::var_os("DOKUEI_TEST_BIN") {
        Some(path) => PathBuf::from(path),
        None => {
            let test = std::env::current_exe()?;
            let profile = test.ancestors().nth(2).context("a test runs from target/PROFILE/deps")?;
            profile.join("dokuei")
        }
    };
    ensure!(path.is_file(), "{} is not there: cargo build --workspace --bin dokuei", path.display());
    Ok(path)
}

/// The binary with arguments and settings, and nothing of this process's own DOKUEI_ variables.
///
/// # Errors
/// As [`binary`].
pub fn command(arguments: &[&str], settings: &[(&str, String)]) -> Result<Command> {
    let mut command = Command::new(binary()?);
    command.args(arguments);
    for (name, _) in std::env::vars_os() {
        let ours = name.to_str().is_some_and(|name| name.starts_with("DOKUEI_") || name.ends_with("_URL"));
        if ours {
            command.env_remove(name);
        }
    }
    command.envs(settings.iter().map(|(name, value)| (name, value)));
    Ok(command)
}

/// One running process of Dokuei.
#[derive(Debug)]
pub struct Dokuei {
    running: Running,
    http: Option<SocketAddr>,
    dicom: Option<SocketAddr>,
}

impl Dokuei {
    /// `dokuei run`: everything in one process over `data`, which a first start fills with the demo
    /// organisation. Starting again over the same folder is how a restart is tested.
    ///
    /// # Errors
    /// When it ends or is silent instead of saying `ready`; the message holds its last words.
    pub async fn run(data: &Path, settings: &[(&str, String)]) -> Result<Self> {
        let folder = data.to_str().context("a temporary folder has a plain name")?;
        let arguments = ["run", "--data", folder, "--http", "127.0.0.1:0", "--dicom", "127.0.0.1:0"];
        Self::start("dokuei-run", command(&arguments, settings)?, data).await
    }

    /// Any other way to start it, such as one role of several. Its output goes to `log_folder`.
    ///
    /// # Errors
    /// As [`Dokuei::run`].
    pub async fn start(name: &str, command: Command, log_folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(log_folder)?;
        let earlier = std::fs::read_to_string(log_folder.join(format!("{name}.out"))).unwrap_or_default();
        let mut running = Running::start(name, command, log_folder)?;
        let ready = running
            .wait_until("ready", READY_WITHIN, async |running| {
                let said = running.stdout();
                said[earlier.len()..].lines().find(|line| line.starts_with("ready")).map(str::to_owned)
            })
            .await?;
        let address = |key: &str| -> Result<Option<SocketAddr>> {
            let Some(value) = ready.split_whitespace().find_map(|word| word.strip_prefix(key)) else { return Ok(None) };
            Ok(Some(value.parse().with_context(|| format!("an address in: {ready}"))?))
        };
        let (http, dicom) = (address("http=")?, address("dicom=")?);
        Ok(Self { running, http, dicom })
    }

    /// Where it serves HTTP.
    ///
    /// # Errors
    /// When this process serves none.
    pub fn http(&self) -> Result<SocketAddr> {
        self.http.context("this process named no HTTP address when it was ready")
    }

    /// Where it takes DICOM associations.
    ///
    /// # Errors
    /// When this process takes none.
    pub fn dicom(&self) -> Result<SocketAddr> {
        self.dicom.context("this process named no DICOM address when it was ready")
    }

    /// Everything it has said, both channels.
    pub fn log(&self) -> String {
        format!("{}{}", self.running.stdout(), self.running.stderr())
    }

    /// The process id. None once it has been waited for.
    pub fn id(&self) -> Option<u32> {
        self.running.id()
    }

    /// What the process holds in memory now, in KiB.
    ///
    /// # Errors
    /// When it has ended.
    pub fn resident_kib(&self) -> Result<u64> {
        self.status_kib("VmRSS:")
    }

    /// The most that the process ever held in memory, in KiB.
    ///
    /// # Errors
    /// When it has ended.
    pub fn peak_kib(&self) -> Result<u64> {
        self.status_kib("VmHWM:")
    }

    fn status_kib(&self, name: &str) -> Result<u64> {
        let id = self.running.id().context("it has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).with_context(|| name.to_owned())?;
        Ok(line.trim().trim_end_matches(" kB").parse()?)
    }

    /// SIGKILL.
    ///
    /// # Errors
    /// When it had ended by itself.
    pub async fn kill(self) -> Result<()> {
        self.running.kill().await
    }

    /// Ctrl-C, and how it ended.
    ///
    /// # Errors
    /// When it does not stop in time.
    pub async fn stop(self) -> Result<ExitStatus> {
        self.running.interrupt(STOP_WITHIN).await
    }
}

/// One of the demo people, as `demo-logins.txt` names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoLogin {
    pub login: String,
    pub password: String,
    pub role: String,
}

/// The demo people that a first start wrote into `data`: tab-separated lines, `#` begins a comment.
///
/// # Errors
/// When the file is missing or a line has not at least login, password and role.
pub fn demo_logins(data: &Path) -> Result<Vec<DemoLogin>> {
    let text = std::fs::read_to_string(data.join("demo-logins.txt"))?;
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let mut fields = line.split('\t').map(str::to_owned);
            let (Some(login), Some(password), Some(role)) = (fields.next(), fields.next(), fields.next()) else {
                anyhow::bail!("a line of demo-logins.txt has too few fields");
            };
            Ok(DemoLogin { login, password, role })
        })
        .collect()
}
