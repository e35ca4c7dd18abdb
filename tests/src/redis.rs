//! A Redis that one test has for itself, so that it may take it away.

use anyhow::Result;
use tempfile::TempDir;
use tokio::process::Command;

use crate::process::{Running, free_address};

/// A running redis-server that keeps nothing.
#[derive(Debug)]
pub struct Redis {
    running: Running,
    port: u16,
    _folder: TempDir,
}

impl Redis {
    /// # Errors
    /// When redis-server is not there or does not listen.
    pub async fn start() -> Result<Self> {
        let (folder, address) = (tempfile::tempdir()?, free_address()?);
        let mut command = Command::new("redis-server");
        command.args([
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--port",
            &address.port().to_string(),
        ]);
        command.arg("--dir").arg(folder.path());
        let mut running = Running::start("redis", command, folder.path())?;
        running.wait_for_port(address).await?;
        Ok(Self { running, port: address.port(), _folder: folder })
    }

    /// `redis://...`, as `REDIS_URL` takes it.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Takes it away without a goodbye.
    ///
    /// # Errors
    /// When it was gone already.
    pub async fn kill(self) -> Result<()> {
        self.running.kill().await
    }
}
