//! Images as a person's browser and a program bring them over HTTP, and what each was told of them.
//!
//! Sending ends where the connection breaks, as it does when the other side is killed: what counts is what was said
//! until then.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;

use crate::client::Browser;
use crate::process::{python, run_checked};
use crate::studies::Study;

/// SOP Instance UIDs that the other side has said to be kept; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Acknowledged(Arc<Mutex<BTreeSet<String>>>);

impl Acknowledged {
    /// Those until now.
    pub fn so_far(&self) -> BTreeSet<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, uid: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(uid.to_owned());
    }
}

/// How images come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A person drops a CD's ZIP on the portal's page. Each image is answered by a line, as it is kept.
    Upload,
    /// A program sends each image as a request of its own, four at once (STOW-RS).
    Stow,
}

/// Who sends for `hospital_a`.
#[derive(Debug, Clone)]
pub struct Sender {
    pub http: SocketAddr,
    /// The technologist's browser, signed in.
    pub browser: Browser,
    /// A token in his name.
    pub token: String,
    /// The row of his site.
    pub site: i64,
}

impl Sender {
    /// Sends the files `00001.dcm` and on of a study that `make_study` wrote, and says how often it was refused.
    ///
    /// # Errors
    /// When the files cannot be read, or an answer is not what it must be.
    pub async fn send(&self, way: Way, folder: &Path, study: &Study, told: &Acknowledged) -> Result<usize> {
        match way {
            Way::Upload => self.upload(folder, study, told).await,
            Way::Stow => self.stow(folder, study, told).await,
        }
    }

    async fn upload(&self, folder: &Path, study: &Study, told: &Acknowledged) -> Result<usize> {
        let zip = folder.join("cd.zip");
        let mut pack = python()?;
        pack.args(["-m", "zipfile", "-c"]).arg(&zip);
        pack.args((1..=study.instances.len()).map(|number| folder.join(format!("{number:05}.dcm"))));
        run_checked(&mut pack).await?;
        let bytes = std::fs::read(&zip)?;
        std::fs::remove_file(&zip)?;
        let Ok(begun) = self.browser.post("/portal/uploads", &[("site", &self.site.to_string())]).await else {
            return Ok(0);
        };
        ensure!(begun.status() == StatusCode::CREATED, "an upload was begun with {}", begun.status());
        let begun: Value = begun.json().await?;
        let file = self.browser.request(Method::POST, &format!("/portal/uploads/{}/files", begun["id"]));
        let file = file
            .header("x-csrf-token", self.browser.csrf().unwrap_or_default())
            .header("x-file-name", "cd.zip")
            .header("accept", "application/json");
        let Ok(mut answer) = file.body(bytes).send().await else { return Ok(0) };
        if answer.status() != StatusCode::OK {
            let status = answer.status();
            let said = answer.text().await?;
            ensure!(status == StatusCode::INSUFFICIENT_STORAGE && said.contains("もう一度"), "{status}: {said}");
            return Ok(study.instances.len());
        }
        let (mut text, mut refused) = (Vec::new(), 0);
        while let Ok(Some(piece)) = answer.chunk().await {
            text.extend_from_slice(&piece);
            while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
                let line: Value = serde_json::from_slice(&text.drain(..=end).collect::<Vec<u8>>())?;
                let name = line["name"].as_str().context("a line names its file")?;
                match line["fate"].as_str() {
                    Some("kept" | "repeated") => told.add(instance(study, name)?),
                    Some("failed") => {
                        ensure!(
                            line["reason"].as_str().is_some_and(|why| why.contains("もう一度")),
                            "what to do: {line}"
                        );
                        refused += 1;
                    }
                    other => anyhow::bail!("{name} came to {other:?}"),
                }
            }
        }
        Ok(refused)
    }

    async fn stow(&self, folder: &Path, study: &Study, told: &Acknowledged) -> Result<usize> {
        let client = Client::builder().no_proxy().build()?;
        let sending = (0..4).map(|first| {
            let (client, told) = (client.clone(), told.clone());
            let numbers: Vec<usize> = (1 + first..=study.instances.len()).step_by(4).collect();
            let (sender, folder, study) = (self.clone(), folder.to_owned(), study.clone());
            tokio::spawn(async move { sender.stow_each(&client, &folder, &study, &numbers, &told).await })
        });
        let mut refused = 0;
        for one in sending.collect::<Vec<_>>() {
            refused += one.await??;
        }
        Ok(refused)
    }

    async fn stow_each(
        &self,
        client: &Client,
        folder: &Path,
        study: &Study,
        numbers: &[usize],
        told: &Acknowledged,
    ) -> Result<usize> {
        let address = format!("http://{}/dicomweb/sites/hospital_a/studies", self.http);
        let mut refused = 0;
        for number in numbers {
            let file = std::fs::read(folder.join(format!("{number:05}.dcm")))?;
            let request = client.post(&address).bearer_auth(&self.token).header("content-type", "application/dicom");
            let Ok(answer) = request.header("accept", "application/dicom+json").body(file).send().await else { break };
            let status = answer.status();
            let said = answer.text().await.unwrap_or_default();
            if status == StatusCode::OK {
                let uid = &study.instances[number - 1];
                ensure!(said.contains(uid.as_str()), "the answer names another object: {said}");
                told.add(uid);
            } else {
                // 409 with Failure Reason A700, or no room even for the request.
                let says_why = status == StatusCode::CONFLICT && said.contains("42752") || status.is_server_error();
                ensure!(says_why, "{status}: {said}");
                refused += 1;
            }
        }
        Ok(refused)
    }
}

/// The instance of a file's name, with or without its folders.
fn instance<'a>(study: &'a Study, name: &str) -> Result<&'a str> {
    let stem = name.rsplit('/').next().and_then(|name| name.strip_suffix(".dcm")).context("no name of ours")?;
    let number: usize = stem.parse()?;
    study.instances.get(number.wrapping_sub(1)).map(String::as_str).context("no file of this study")
}
