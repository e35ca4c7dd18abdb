//! A disk without room: the sender is told so, nothing is half kept, and with room again everything goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use dokuei_tests::client::Browser;
use dokuei_tests::dcmtk::{Call, acknowledged, answers};
use dokuei_tests::dokuei::{Dokuei, command, demo_logins};
use dokuei_tests::installation::LONG;
use dokuei_tests::process::{eventually, run_checked, script};
use dokuei_tests::studies::{StoredInstance, Study, make_study};
use dokuei_tests::web_sending::{Acknowledged, Sender, Way};
use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

const SENT: usize = 60;
/// 0xA700, which asks for another try later (PS3.4 B.2.3).
const NO_ROOM: &str = "Refused: OutOfResources";

/// A disk of its own that only the process under test sees: a tmpfs in that process's mount namespace, reached from
/// here through `/proc`.
struct SmallDisk {
    dokuei: Dokuei,
    /// The disk as seen from here.
    root: PathBuf,
    folder: TempDir,
}

impl SmallDisk {
    /// Starts Dokuei with a disk of `mebibytes` mounted at `place` below its data folder.
    async fn start(place: &str, mebibytes: u32) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        let at = data.join(place);
        fs::create_dir_all(&at)?;
        let data = data.to_str().context("a temporary folder has a plain name")?;
        let arguments = ["run", "--data", data, "--http", "127.0.0.1:0", "--dicom", "127.0.0.1:0"];
        let inner = command(&arguments, &[])?;
        let mut outer = Command::new("unshare");
        if !is_root() {
            outer.args(["--user", "--map-root-user"]);
        }
        let mount = format!("mount -t tmpfs -o size={mebibytes}m,mode=700 tmpfs \"$0\" && exec \"$@\"");
        outer.args(["--mount", "sh", "-c", &mount]).arg(&at);
        outer.arg(inner.as_std().get_program()).args(inner.as_std().get_args());
        with_environment_of(&inner, &mut outer);
        let dokuei = Dokuei::start("dokuei-run", outer, folder.path()).await?;
        let seen = PathBuf::from(format!("/proc/{}/root", dokuei.id().context("it runs")?));
        let root = seen.join(at.strip_prefix("/")?);
        Ok(Self { dokuei, root, folder })
    }

    /// The data folder as seen from here, disk included.
    fn data(&self) -> Result<PathBuf> {
        let own = self.folder.path().join("data");
        Ok(PathBuf::from(format!("/proc/{}/root", self.dokuei.id().context("it runs")?)).join(own.strip_prefix("/")?))
    }

    /// A command that sees the disk as the process does.
    fn inside(&self, command: &Command) -> Result<Command> {
        let mut outer = Command::new("nsenter");
        outer.args(["--mount", "--target", &self.dokuei.id().context("it runs")?.to_string()]);
        if !is_root() {
            outer.args(["--user", "--preserve-credentials"]);
        }
        outer.arg(command.as_std().get_program()).args(command.as_std().get_args());
        with_environment_of(command, &mut outer);
        Ok(outer)
    }

    /// What the index holds of a study, and whether each object is whole.
    async fn stored(&self, study: &Study) -> Result<BTreeSet<StoredInstance>> {
        let data = self.folder.path().join("data");
        let mut look = script("stored_instances.py")?;
        look.arg(data.join("dokuei.sqlite3")).arg(data.join("objects")).arg(&study.study);
        let rows: Vec<StoredInstance> = serde_json::from_str(&run_checked(&mut self.inside(&look)?).await?)?;
        Ok(rows.into_iter().collect())
    }

    /// The technologist of `hospital_a`, in his browser and with a token.
    async fn technologist(&self) -> Result<Sender> {
        let (data, http) = (self.data()?, self.dokuei.http()?);
        let password = demo_logins(&data)?.into_iter().find(|one| one.login == "tech_a").context("tech_a")?.password;
        let mut browser = Browser::open(http)?;
        browser.sign_in("tech_a", &password).await?;
        let own = self.folder.path().join("data");
        let own = own.to_str().context("a temporary folder has a plain name")?;
        let made = command(&["user", "token", "tech_a", "--name", "t", "--data", own], &[])?;
        let told = run_checked(&mut self.inside(&made)?).await?;
        let token = told.split_whitespace().max_by_key(|word| word.len()).context("a token")?.to_owned();
        Ok(Sender { http, browser, token, site: 1 })
    }

    async fn sql(&self, statement: &str) -> Result<String> {
        let mut query = Command::new("sqlite3");
        query.args(["-cmd", ".timeout 10000"]).arg(self.folder.path().join("data/dokuei.sqlite3")).arg(statement);
        Ok(run_checked(&mut self.inside(&query)?).await?.trim().to_owned())
    }

    /// Fills it until nothing more goes in, then gives `free` bytes back.
    fn fill(&self, free: u64) -> Result<()> {
        let mut ballast = fs::File::create(self.root.join("ballast"))?;
        let block = [0u8; 4096];
        while ballast.write_all(&block).is_ok() {}
        let size = ballast.metadata()?.len();
        ballast.set_len(size.saturating_sub(free))?;
        Ok(())
    }

    fn make_room(&self) -> Result<()> {
        Ok(fs::remove_file(self.root.join("ballast"))?)
    }
}

fn with_environment_of(command: &Command, outer: &mut Command) {
    for (name, value) in command.as_std().get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

async fn head_ct(folder: &Path) -> Result<Study> {
    let attributes = json!({
        "PatientID": "0000404",
        "PatientName": "TESUTO^JIRO=試験^次郎=テスト^ジロウ",
        "PatientBirthDate": "19510607",
        "PatientSex": "M",
        "AccessionNumber": "E2EFULL",
        "StudyDate": "20261101",
        "StudyDescription": "HEAD",
        "BodyPartExamined": "HEAD",
    });
    make_study("CT_small.dcm", folder, SENT, attributes).await
}

/// Files that a write left behind half done. An object's name is its hash, 64 digits.
fn half_done(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            if path.is_dir() {
                // The journal's segments are made whole and have names of their own.
                if name != "journal" {
                    folders.push(path);
                }
            } else if !["ballast", "readiness"].contains(&name.as_str()) && name.len() != 64 {
                found.push(path);
            }
        }
    }
    Ok(found)
}

async fn fills_up_and_goes_on(place: &str, mebibytes: u32) -> Result<()> {
    let disk = SmallDisk::start(place, mebibytes).await?;
    let images = tempfile::tempdir()?;
    let study = head_ct(images.path()).await?;
    let objects = disk.data()?.join("objects");
    disk.fill(1 << 20)?;

    let call = Call::new("HOSPITAL_A", "DOKUEI", disk.dokuei.dicom()?);
    let sent = call.store_all(&[images.path()]).await?;
    let log = format!("{}{}", String::from_utf8_lossy(&sent.stdout), String::from_utf8_lossy(&sent.stderr));
    let safe = acknowledged(&log, &study);
    assert!(!safe.is_empty() && safe.len() < SENT, "{} of {SENT} fitted in", safe.len());
    let refused = SENT - safe.len();
    assert_eq!(answers(&log), BTreeMap::from([("Success", safe.len()), (NO_ROOM, refused)]), "every one is answered");
    let expected: BTreeSet<_> = safe.iter().map(|uid| StoredInstance { uid: uid.clone(), intact: true }).collect();
    assert_eq!(disk.stored(&study).await?, expected, "what was acknowledged is there, and nothing else");
    assert_eq!(half_done(&objects)?, Vec::<PathBuf>::new());

    disk.make_room()?;
    let again = call.store(&[images.path()]).await?;
    ensure!(again.status.success(), "{}\n{}", String::from_utf8_lossy(&again.stderr), disk.dokuei.log());
    let all = study.instances.iter().map(|uid| StoredInstance { uid: uid.clone(), intact: true }).collect();
    assert_eq!(disk.stored(&study).await?, all, "every instance once");
    let planned = eventually("the case is on a list", LONG, async || {
        Ok((disk.sql("SELECT state FROM reads").await? == "assigned").then_some(()))
    });
    planned.await.with_context(|| disk.dokuei.log())?;
    assert!(disk.dokuei.stop().await?.success());
    Ok(())
}

/// The archive's disk is the one that fills up: images come by the gigabyte.
#[tokio::test]
async fn a_full_disk_of_objects_refuses_and_goes_on_when_there_is_room() -> Result<()> {
    fills_up_and_goes_on("objects", 8).await
}

/// On a small machine the index is on the same disk, so that rows do not fit in any more either.
#[tokio::test]
async fn a_full_disk_of_everything_refuses_and_goes_on_when_there_is_room() -> Result<()> {
    fills_up_and_goes_on("", 48).await
}

/// What comes over HTTP, on a disk that fills up while it comes: once in the objects' folder, once everywhere.
async fn fills_up_over_http(place: &str, mebibytes: u32, way: Way) -> Result<()> {
    let rounds: &[u64] = match std::env::var_os("DOKUEI_TEST_LONG") {
        Some(_) => &[40 << 10, 300 << 10, 700 << 10, 1 << 20, 1500 << 10, 1900 << 10],
        None => &[1 << 20],
    };
    let disk = SmallDisk::start(place, mebibytes).await?;
    let sender = disk.technologist().await?;
    let objects = disk.data()?.join("objects");
    for &free in rounds {
        let images = tempfile::tempdir()?;
        let study = head_ct(images.path()).await?;
        disk.fill(free)?;
        let told = Acknowledged::default();
        let first = sender.send(way, images.path(), &study, &told).await;
        let safe = told.so_far();
        if place == "objects" {
            assert_eq!(first? + safe.len(), SENT, "every one is answered");
            assert_eq!(half_done(&objects)?, Vec::<PathBuf>::new());
        } else if let Err(error) = first {
            // Where nothing can be written, an upload cannot even be begun, and its page says so.
            ensure!(error.to_string().contains("50"), "{error}");
        }
        ensure!(safe.len() < SENT, "{free} bytes were enough");
        let there = disk.stored(&study).await?;
        let whole: BTreeSet<String> = there.iter().filter(|row| row.intact).map(|row| row.uid.clone()).collect();
        ensure!(safe.is_subset(&whole), "acknowledged and gone: {:?}", safe.difference(&whole));
        ensure!(whole.len() == there.len(), "a row without its object: {there:?}");

        disk.make_room()?;
        let again = Acknowledged::default();
        let refused = sender.send(way, images.path(), &study, &again).await?;
        assert_eq!((again.so_far().len(), refused), (SENT, 0), "{}", disk.dokuei.log());
        let all = study.instances.iter().map(|uid| StoredInstance { uid: uid.clone(), intact: true }).collect();
        assert_eq!(disk.stored(&study).await?, all, "every instance once");
    }
    assert!(disk.dokuei.stop().await?.success());
    Ok(())
}

#[tokio::test]
async fn a_full_disk_of_objects_refuses_an_upload_image_by_image() -> Result<()> {
    fills_up_over_http("objects", 24, Way::Upload).await
}

#[tokio::test]
async fn a_full_disk_of_objects_refuses_stow_image_by_image() -> Result<()> {
    fills_up_over_http("objects", 24, Way::Stow).await
}

#[tokio::test]
async fn a_full_disk_of_everything_loses_nothing_of_an_upload() -> Result<()> {
    fills_up_over_http("", 96, Way::Upload).await
}

#[tokio::test]
async fn a_full_disk_of_everything_loses_nothing_of_stow() -> Result<()> {
    fills_up_over_http("", 96, Way::Stow).await
}
