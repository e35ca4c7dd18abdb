//! One child process with its output in a file, killed when dropped.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tokio::process::{Child, Command};

/// How often something is looked at while waiting for it.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A running child. Its standard output and standard error go to two files in the folder given at start.
#[derive(Debug)]
pub struct Running {
    name: String,
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Running {
    /// Starts `command`. Output of an earlier process of that name in `folder` is kept and added to.
    ///
    /// # Errors
    /// When the program is not there; the message names `ops/test`, which installs it.
    pub fn start(name: &str, mut command: Command, folder: &Path) -> Result<Self> {
        let (stdout, stderr) = (folder.join(format!("{name}.out")), folder.join(format!("{name}.err")));
        let append = |path: &Path| File::options().create(true).append(true).open(path);
        let program = command.as_std().get_program().to_owned();
        let child = command
            .stdin(Stdio::null())
            .stdout(append(&stdout)?)
            .stderr(append(&stderr)?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{program:?} does not start; ops/test installs what the tests need"))?;
        Ok(Self { name: name.to_owned(), child, stdout, stderr })
    }

    /// Everything it has said on standard output so far, earlier processes of that name included.
    pub fn stdout(&self) -> String {
        fs::read_to_string(&self.stdout).unwrap_or_default()
    }

    /// Everything it has said on standard error so far, earlier processes of that name included.
    pub fn stderr(&self) -> String {
        fs::read_to_string(&self.stderr).unwrap_or_default()
    }

    /// The process id, for looking at `/proc`. None once it has been waited for.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Waits until `look` finds what it wants.
    ///
    /// # Errors
    /// When the process ends first or `within` passes; the message holds the last lines it said.
    pub async fn wait_until<T>(
        &mut self,
        what: &str,
        within: Duration,
        mut look: impl AsyncFnMut(&Self) -> Option<T>,
    ) -> Result<T> {
        let end = Instant::now() + within;
        loop {
            if let Some(found) = look(self).await {
                return Ok(found);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status} before {what}; it said:\n{}", self.name, self.last_words());
            }
            if Instant::now() >= end {
                bail!("{} did not reach {what} within {within:?}; it said:\n{}", self.name, self.last_words());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until something accepts connections at `address`.
    ///
    /// # Errors
    /// As [`Running::wait_until`].
    pub async fn wait_for_port(&mut self, address: SocketAddr) -> Result<()> {
        self.wait_until("listening", Duration::from_secs(30), async |_| {
            tokio::net::TcpStream::connect(address).await.ok().map(|_| ())
        })
        .await
    }

    /// Waits for its end, however it ends.
    ///
    /// # Errors
    /// When it has not ended after `within`.
    pub async fn ended(&mut self, within: Duration) -> Result<ExitStatus> {
        match tokio::time::timeout(within, self.child.wait()).await {
            Ok(status) => Ok(status?),
            Err(_) => bail!("{} still runs after {within:?}; it said:\n{}", self.name, self.last_words()),
        }
    }

    /// SIGKILL: it gets no chance to do anything more. Returns when it is gone.
    ///
    /// # Errors
    /// When it is gone already, which a test that kills must not overlook.
    pub async fn kill(mut self) -> Result<()> {
        let gone = self.child.try_wait()?;
        ensure!(gone.is_none(), "{} had ended by itself: {gone:?}\n{}", self.name, self.last_words());
        self.child.kill().await?;
        Ok(())
    }

    /// SIGINT, as Ctrl-C sends it, and how it ended.
    ///
    /// # Errors
    /// When it has not ended after `within`.
    pub async fn interrupt(mut self, within: Duration) -> Result<ExitStatus> {
        let id = self.child.id().context("it has ended already")?;
        run_checked(Command::new("sh").arg("-c").arg(format!("kill -INT {id}"))).await?;
        match tokio::time::timeout(within, self.child.wait()).await {
            Ok(status) => Ok(status?),
            Err(_) => bail!("{} still runs {within:?} after SIGINT; it said:\n{}", self.name, self.last_words()),
        }
    }

    fn last_words(&self) -> String {
        let all = format!("{}{}", self.stdout(), self.stderr());
        let lines: Vec<&str> = all.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- last words of {} ---\n{}", self.name, self.last_words());
        }
    }
}

/// Runs a program to its end, whatever its exit status.
///
/// # Errors
/// When it does not start or takes longer than two minutes.
pub async fn run(command: &mut Command) -> Result<Output> {
    let program = command.as_std().get_program().to_owned();
    let running = command.stdin(Stdio::null()).kill_on_drop(true).output();
    tokio::time::timeout(Duration::from_secs(120), running)
        .await
        .with_context(|| format!("{program:?} took longer than two minutes"))?
        .with_context(|| format!("{program:?} does not start; ops/test installs what the tests need"))
}

/// Runs a program that must succeed, and returns its standard output.
///
/// # Errors
/// When it fails, with what it said.
pub async fn run_checked(command: &mut Command) -> Result<String> {
    let program = command.as_std().get_program().to_owned();
    let output = run(command).await?;
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{program:?} ended with {}:\n{out}{err}", output.status);
    Ok(out.into_owned())
}

/// A variable that `ops/test` sets.
///
/// # Errors
/// When it is not set; the message says how to run the tests.
pub fn from_ops_test(variable: &str) -> Result<String> {
    std::env::var(variable).with_context(|| {
        format!(
            "{variable} is not set: run the tests with ops/test, or one crate's with ops/with-peers cargo test --workspace --test FILE"
        )
    })
}

/// The Python interpreter of the tests' own environment.
///
/// # Errors
/// As [`from_ops_test`].
pub fn python() -> Result<Command> {
    Ok(Command::new(from_ops_test("DOKUEI_PYTHON")?))
}

/// A script of `tests/python`, run with the tests' own interpreter.
///
/// # Errors
/// As [`from_ops_test`].
pub fn script(name: &str) -> Result<Command> {
    let mut command = python()?;
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(name));
    Ok(command)
}

/// A loopback address that nobody listens on, for peers that cannot choose one themselves.
///
/// # Errors
/// When the machine has no free port.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Looks again and again until `look` finds what it wants.
///
/// # Errors
/// When `within` passes first; the message names `what`.
pub async fn eventually<T>(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let end = Instant::now() + within;
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        ensure!(Instant::now() < end, "not within {within:?}: {what}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
