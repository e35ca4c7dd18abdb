//! An SMTP server that takes every mail and keeps it.

use std::net::SocketAddr;

use anyhow::{Result, ensure};
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

impl Mail {
    /// Whether it says in both languages that there is a report, and neither whose nor which: none of the words given
    /// and no number that could be an id, anywhere from the first header on.
    ///
    /// # Errors
    /// Names what is there and must not be, or is not there and must.
    pub fn names_nobody(&self, words: &[&str]) -> Result<()> {
        ensure!(self.text.contains("読影報告") && self.text.contains("report"), "both languages: {}", self.text);
        let all = format!("{}\n{}\n{}", self.subject, self.text, self.raw);
        for word in words {
            ensure!(!all.contains(word), "{word} is in a mail:\n{all}");
        }
        for said in [&self.subject, &self.text] {
            ensure!(!said.contains(|c: char| c.is_numeric()), "a number is in a mail:\n{said}");
        }
        Ok(())
    }
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
        Self::start_at(free_address()?).await
    }

    /// One at an address that was chosen before, where nobody has listened so far.
    ///
    /// # Errors
    /// As [`MailServer::start`].
    pub async fn start_at(address: SocketAddr) -> Result<Self> {
        let folder = tempfile::tempdir()?;
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
