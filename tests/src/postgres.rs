//! A PostgreSQL database that one test has for itself.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result, ensure};

use crate::process::from_ops_test;

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// An empty database on the server that `ops/test` started; dropped with this value, connected or not.
#[derive(Debug)]
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    /// # Errors
    /// When `ops/test` started no server or it refuses.
    pub fn create() -> Result<Self> {
        let server = from_ops_test("DOKUEI_TEST_POSTGRES_URL")?;
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

fn psql(url: &str, sql: &str) -> Result<String> {
    let output = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "--command", sql, url])
        .output()
        .context("psql does not start; ops/test installs it")?;
    ensure!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
