//! A PostgreSQL database that one test has for itself, and a server that a test may stop.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::process::{free_address, from_ops_test};

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// An empty database; dropped with this value, connected or not.
#[derive(Debug)]
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    /// One on the server that `ops/test` started.
    ///
    /// # Errors
    /// When `ops/test` started no server or it refuses.
    pub fn create() -> Result<Self> {
        Self::create_on(from_ops_test("DOKUEI_TEST_POSTGRES_URL")?)
    }

    fn create_on(server: String) -> Result<Self> {
        let name = format!("e2e_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        psql(&server, &format!("CREATE DATABASE {name}"))?;
        Ok(Self { server, name })
    }

    /// `postgres://...`, as `DATABASE_URL` takes it.
    pub fn url(&self) -> String {
        let base = self.server.rsplit_once('/').map_or(self.server.as_str(), |(base, _)| base);
        format!("{base}/{}", self.name)
    }

    /// The answer to one SQL statement: a line per row, columns separated by `|`.
    ///
    /// # Errors
    /// What PostgreSQL says against it.
    pub fn query(&self, sql: &str) -> Result<String> {
        psql(&self.url(), sql)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Err(error) = psql(&self.server, &format!("DROP DATABASE {} WITH (FORCE)", self.name)) {
            eprintln!("{} stays behind: {error:#}", self.name);
        }
    }
}

/// A PostgreSQL server of a test's own, which it may stop and start. Unlike the shared one it syncs to the disk.
#[derive(Debug)]
pub struct Server {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
}

impl Server {
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711))?;
        let data = folder.path().join("postgres");
        fs::create_dir(&data)?;
        if is_root() {
            checked(Command::new("chown").arg("postgres:").arg(&data))?;
        }
        let server = Self { folder, programs: programs()?, port: free_address()?.port() };
        let cluster = server.cluster();
        let made = ["--username=dokuei", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"];
        checked(server.command("initdb").args(made).arg("--pgdata").arg(cluster))?;
        server.start_again()?;
        Ok(server)
    }

    /// An empty database on it.
    ///
    /// # Errors
    /// When it is stopped.
    pub fn database(&self) -> Result<Database> {
        Database::create_on(format!("postgres://dokuei@127.0.0.1:{}/postgres", self.port))
    }

    /// Stops it at once: connections break, nothing is written any more, as in a crash.
    ///
    /// # Errors
    /// When it did not run.
    pub fn stop(&self) -> Result<()> {
        checked(self.command("pg_ctl").args(["stop", "--silent", "--mode=immediate", "--pgdata"]).arg(self.cluster()))
    }

    /// Starts it over what it held, at the same address.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start_again(&self) -> Result<()> {
        let sockets = self.folder.path().join("postgres");
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c max_connections=100",
            self.port,
            sockets.display()
        );
        let log = sockets.join("log");
        let mut start = self.command("pg_ctl");
        start.args(["start", "--wait", "--silent", "--options", &options, "--log"]).arg(log).arg("--pgdata");
        checked(start.arg(self.cluster()))
    }

    fn cluster(&self) -> PathBuf {
        self.folder.path().join("postgres/cluster")
    }

    /// A program of PostgreSQL, which refuses to run as root: root becomes the package's own user.
    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir("/");
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            eprintln!("the test's PostgreSQL was not stopped: {error:#}");
        }
    }
}

/// The newest version's folder of programs, which Debian keeps out of the PATH.
fn programs() -> Result<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").context("PostgreSQL is not here; ops/test installs it")?;
    let number = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.flatten().map(|entry| entry.path()).max_by_key(|path| number(path));
    Ok(newest.context("PostgreSQL is not here; ops/test installs it")?.join("bin"))
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

fn checked(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("{:?} does not start", command.get_program()))?;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{command:?}: {said}");
    Ok(())
}

fn psql(url: &str, sql: &str) -> Result<String> {
    let output = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "--command", sql, url])
        .output()
        .context("psql does not start; ops/test installs it")?;
    ensure!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
