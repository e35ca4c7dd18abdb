//! Orthanc in the part of a hospital's PACS: it holds images, sends them, and takes what comes back.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::process::{Running, free_address};

/// A running Orthanc, empty at start.
#[derive(Debug)]
pub struct Orthanc {
    _running: Running,
    pub ae_title: String,
    pub dicom: SocketAddr,
    http: SocketAddr,
    client: reqwest::Client,
    _folder: TempDir,
}

impl Orthanc {
    /// # Errors
    /// When the program is not there or does not answer.
    pub async fn start(ae_title: &str) -> Result<Self> {
        Self::start_with(ae_title, json!({})).await
    }

    /// One that also speaks DICOMweb, with an archive under the name `archive` whose services begin at `root`.
    ///
    /// # Errors
    /// As [`Orthanc::start`].
    pub async fn start_for_web(ae_title: &str, root: &str, token: &str) -> Result<Self> {
        let archive = json!({ "Url": root, "HttpHeaders": { "Authorization": format!("Bearer {token}") } });
        let more = json!({
            "Plugins": ["/usr/share/orthanc/plugins/libOrthancDicomWeb.so"],
            "DicomWeb": { "Enable": true, "Servers": { "archive": archive } },
        });
        Self::start_with(ae_title, more).await
    }

    async fn start_with(ae_title: &str, more: Value) -> Result<Self> {
        let (folder, http, dicom) = (tempfile::tempdir()?, free_address()?, free_address()?);
        let mut config = json!({
            "Name": "Hospital PACS",
            "StorageDirectory": folder.path().join("storage"),
            "IndexDirectory": folder.path().join("storage"),
            "Plugins": [],
            "HttpPort": http.port(),
            "DicomPort": dicom.port(),
            "DicomAet": ae_title,
            "DicomCheckCalledAet": true,
            "RemoteAccessAllowed": false,
            "AuthenticationEnabled": false,
            "StableAge": 1,
            // Else it drops the kanji of what it is answered.
            "DefaultEncoding": "Utf8",
            "DicomModalities": {},
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            config[key] = value.clone();
        }
        let file = folder.path().join("orthanc.json");
        fs::write(&file, config.to_string())?;
        let mut command = Command::new("/usr/sbin/Orthanc");
        command.arg(&file);
        let mut running = Running::start("orthanc", command, folder.path())?;
        let client = reqwest::Client::new();
        let system = format!("http://{http}/system");
        running
            .wait_until("answering", Duration::from_secs(60), async |_| {
                client.get(&system).send().await.ok().filter(|answer| answer.status().is_success()).map(|_| ())
            })
            .await?;
        running.wait_for_port(dicom).await?;
        Ok(Self { _running: running, ae_title: ae_title.to_owned(), dicom, http, client, _folder: folder })
    }

    /// Tells it of a peer it may send to under `name`.
    ///
    /// # Errors
    /// When Orthanc refuses.
    pub async fn know(&self, name: &str, ae_title: &str, address: SocketAddr) -> Result<()> {
        let peer = json!({ "AET": ae_title, "Host": address.ip().to_string(), "Port": address.port() });
        let answer = self.client.put(self.url(&format!("/modalities/{name}"))).json(&peer).send().await?;
        answer.error_for_status().context("Orthanc did not take the peer")?;
        Ok(())
    }

    /// C-ECHO to the peer `name`: true when it answers.
    ///
    /// # Errors
    /// When Orthanc itself does not answer.
    pub async fn echo(&self, name: &str) -> Result<bool> {
        let answer = self.client.post(self.url(&format!("/modalities/{name}/echo"))).json(&json!({})).send().await?;
        Ok(answer.status().is_success())
    }

    /// Puts one DICOM file into it; returns Orthanc's own id of the instance.
    ///
    /// # Errors
    /// When it is no DICOM file to Orthanc.
    pub async fn put(&self, file: Vec<u8>) -> Result<String> {
        let answer = self.client.post(self.url("/instances")).body(file).send().await?.error_for_status()?;
        let answer: Value = answer.json().await?;
        Ok(answer["ID"].as_str().context("Orthanc named no instance")?.to_owned())
    }

    /// Sends instances, series or studies by Orthanc's ids to the peer `name`, and waits for the end.
    ///
    /// # Errors
    /// When any instance was not taken.
    pub async fn send(&self, name: &str, ids: &[String]) -> Result<()> {
        let order = json!({ "Resources": ids, "Synchronous": true, "Permissive": false });
        let answer = self.client.post(self.url(&format!("/modalities/{name}/store"))).json(&order).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "Orthanc could not send: {status} {text}");
        let told: Value = serde_json::from_str(&text)?;
        ensure!(told["FailedInstancesCount"] == 0, "Orthanc could not send all: {text}");
        Ok(())
    }

    /// Orthanc's ids of what is at `level` ("Study", "Series", "Instance") and has these attributes.
    ///
    /// # Errors
    /// When Orthanc does not understand the question.
    pub async fn find(&self, level: &str, attributes: Value) -> Result<Vec<String>> {
        let question = json!({ "Level": level, "Query": attributes });
        let answer = self.client.post(self.url("/tools/find")).json(&question).send().await?.error_for_status()?;
        Ok(answer.json().await?)
    }

    /// The DICOM file of one instance, as it would go out.
    ///
    /// # Errors
    /// When there is no such instance.
    pub async fn file(&self, instance: &str) -> Result<Vec<u8>> {
        let answer = self.client.get(self.url(&format!("/instances/{instance}/file"))).send().await?;
        Ok(answer.error_for_status()?.bytes().await?.to_vec())
    }

    /// The PDF inside an Encapsulated PDF instance.
    ///
    /// # Errors
    /// When the instance holds none.
    pub async fn pdf(&self, instance: &str) -> Result<Vec<u8>> {
        let answer = self.client.get(self.url(&format!("/instances/{instance}/pdf"))).send().await?;
        Ok(answer.error_for_status()?.bytes().await?.to_vec())
    }

    /// The attributes of one instance by keyword.
    ///
    /// # Errors
    /// When there is no such instance.
    pub async fn tags(&self, instance: &str) -> Result<Value> {
        let answer = self.client.get(self.url(&format!("/instances/{instance}/simplified-tags"))).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// Asks the plugin to do something with the archive: `stow`, `qido`, `retrieve`; returns what it says.
    ///
    /// # Errors
    /// When it, or the archive, refuses.
    pub async fn web(&self, service: &str, order: Value) -> Result<Value> {
        let url = self.url(&format!("/dicom-web/servers/archive/{service}"));
        let answer = self.client.post(url).json(&order).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "Orthanc's {service} failed: {status} {text}");
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// C-FIND at the peer `name`: its answers by keyword, and Orthanc's id of the query.
    ///
    /// # Errors
    /// When the peer does not answer.
    pub async fn query(&self, name: &str, level: &str, keys: Value) -> Result<(String, Vec<Value>)> {
        let question = json!({ "Level": level, "Query": keys });
        let answer = self.client.post(self.url(&format!("/modalities/{name}/query"))).json(&question).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "Orthanc could not query: {status} {text}");
        let query: Value = serde_json::from_str(&text)?;
        let id = query["ID"].as_str().context("Orthanc named no query")?.to_owned();
        let answers = self.client.get(self.url(&format!("/queries/{id}/answers?expand&simplify"))).send().await?;
        Ok((id, answers.error_for_status()?.json().await?))
    }

    /// C-MOVE of everything that a query found to `ae_title`, to its end.
    ///
    /// # Errors
    /// When not all of it was moved.
    pub async fn retrieve(&self, query: &str, ae_title: &str) -> Result<()> {
        let order = json!({ "TargetAet": ae_title, "Synchronous": true });
        let answer = self.client.post(self.url(&format!("/queries/{query}/retrieve"))).json(&order).send().await?;
        answer.error_for_status().context("Orthanc could not retrieve")?;
        Ok(())
    }

    /// Asks the peer `name` for storage commitment of resources by Orthanc's ids; returns the transaction.
    ///
    /// # Errors
    /// When the peer does not take the question.
    pub async fn commit(&self, name: &str, ids: &[String]) -> Result<String> {
        let order = json!({ "Resources": ids });
        let path = self.url(&format!("/modalities/{name}/storage-commitment"));
        let answer = self.client.post(path).json(&order).send().await?.error_for_status()?;
        let asked: Value = answer.json().await?;
        Ok(asked["ID"].as_str().context("Orthanc named no transaction")?.to_owned())
    }

    /// What has been reported of a storage commitment.
    ///
    /// # Errors
    /// When Orthanc does not know the transaction.
    pub async fn commitment(&self, transaction: &str) -> Result<Value> {
        let answer = self.client.get(self.url(&format!("/storage-commitment/{transaction}"))).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    /// Forgets one resource, by its path (`studies/...`).
    ///
    /// # Errors
    /// When there is none.
    pub async fn delete(&self, path: &str) -> Result<()> {
        self.client.delete(self.url(&format!("/{path}"))).send().await?.error_for_status()?;
        Ok(())
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http)
    }
}
