//! An SMTP server that takes every mail and keeps it.

use std::net::SocketAddr;

use anyhow::Result;
use serde::Deserialize;
use tempfile::TempDir;

use crate::process::{Running, free_address, python, run_checked, script};

/// One mail as its reader sees it, transfer encodings undone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Mail {
    pub from: String,
    pub to: String,
    pub subject: String,
    /// All text parts, one after the other.
    pub text: String,
    /// Every header and part as it came over the wire, for looking for what must not be there.
    pub raw: String,
}

/// aiosmtpd with its Maildir handler.
#[derive(Debug)]
pub struct MailServer {
    _running: Running,
    pub address: SocketAddr,
    folder: TempDir,
}

impl MailServer {
    /// # Errors
    /// When aiosmtpd is not there or does not listen.
    pub async fn start() -> Result<Self> {
        let (folder, address) = (tempfile::tempdir()?, free_address()?);
        let mut command = python()?;
        command.args(["-m", "aiosmtpd", "--nosetuid", "--listen", &address.to_string()]);
        command.args(["--class", "aiosmtpd.handlers.Mailbox"]).arg(folder.path().join("mails"));
        let mut running = Running::start("mail", command, folder.path())?;
        running.wait_for_port(address).await?;
        Ok(Self { _running: running, address, folder })
    }

    /// The mails so far, oldest first.
    ///
    /// # Errors
    /// When one cannot be read.
    pub async fn mails(&self) -> Result<Vec<Mail>> {
        let text = run_checked(script("read_mails.py")?.arg(self.folder.path().join("mails"))).await?;
        Ok(serde_json::from_str(&text)?)
    }
}
