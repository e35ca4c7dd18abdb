//! An S3 bucket: moto's server, which keeps objects in memory and answers as Amazon's does.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::process::{Running, free_address, python, run_checked, script};

const NAME: &str = "dokuei-test";
const PREFIX: &str = "reading";

/// A server with one bucket, empty when it starts.
#[derive(Debug)]
pub struct Bucket {
    running: Option<Running>,
    address: SocketAddr,
    folder: TempDir,
}

impl Bucket {
    /// # Errors
    /// When moto is not there or does not listen.
    pub async fn start() -> Result<Self> {
        let mut bucket = Self::down()?;
        bucket.up().await?;
        Ok(bucket)
    }

    /// One whose server does not run yet: nothing answers at its address.
    ///
    /// # Errors
    /// When no address is free.
    pub fn down() -> Result<Self> {
        Ok(Self { running: None, address: free_address()?, folder: tempfile::tempdir()? })
    }

    /// Starts the server.
    ///
    /// # Errors
    /// As [`Bucket::start`].
    pub async fn up(&mut self) -> Result<()> {
        let mut command = python()?;
        command.args(["-m", "moto.server", "--host", "127.0.0.1", "--port", &self.address.port().to_string()]);
        let mut running = Running::start("bucket", command, self.folder.path())?;
        running.wait_for_port(self.address).await?;
        self.running = Some(running);
        self.ask("make").await?;
        Ok(())
    }

    /// What an installation must be told to keep its objects here.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("OBJECTS_URL", format!("s3://{NAME}/{PREFIX}")),
            ("AWS_ENDPOINT", format!("http://{}", self.address)),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "ap-northeast-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ]
    }

    /// The keys of the objects, without what the settings put in front of each.
    ///
    /// # Errors
    /// When the bucket cannot be read, or an object lies outside.
    pub async fn keys(&self) -> Result<Vec<String>> {
        let inside = |key: &str| key.strip_prefix(PREFIX)?.strip_prefix('/').map(str::to_owned);
        let found = self.ask("list").await?;
        found.lines().map(|key| inside(key).with_context(|| format!("{key} lies outside {PREFIX}/"))).collect()
    }

    async fn ask(&self, what: &str) -> Result<String> {
        run_checked(script("bucket.py")?.args([what, &format!("http://{}", self.address), NAME])).await
    }
}
