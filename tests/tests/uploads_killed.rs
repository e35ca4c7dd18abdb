//! The server is killed while a browser or a program brings images over HTTP: what was said to be kept is there.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use dokuei_tests::client::Browser;
use dokuei_tests::dokuei::{Dokuei, command, demo_logins};
use dokuei_tests::installation::LONG;
use dokuei_tests::process::{eventually, run_checked};
use dokuei_tests::studies::{StoredInstance, Study, make_study, stored};
use dokuei_tests::web_sending::{Acknowledged, Sender, Way};
use serde_json::json;

const SENT: usize = 80;

async fn technologist(data: &Path, http: SocketAddr) -> Result<Sender> {
    let password = demo_logins(data)?.into_iter().find(|one| one.login == "tech_a").context("tech_a")?.password;
    let mut browser = Browser::open(http)?;
    browser.sign_in("tech_a", &password).await?;
    let folder = data.to_str().context("a plain name")?;
    let told = run_checked(&mut command(&["user", "token", "tech_a", "--name", "t", "--data", folder], &[])?).await?;
    let token = told.split_whitespace().max_by_key(|word| word.len()).context("a token")?.to_owned();
    Ok(Sender { http, browser, token, site: 1 })
}

async fn held(data: &Path, study: &Study) -> Result<BTreeSet<StoredInstance>> {
    let database = data.join("dokuei.sqlite3");
    Ok(stored(&database.to_string_lossy(), &data.join("objects"), &study.study).await?.into_iter().collect())
}

async fn killed_in_the_middle(way: Way) -> Result<()> {
    let rounds: &[usize] = match std::env::var_os("DOKUEI_TEST_LONG") {
        Some(_) => &[1, 2, 5, 11, 17, 23, 31, 37, 43, 50, 57, 64, 70, 74],
        None => &[9, 40],
    };
    let data = tempfile::tempdir()?;
    for &kill_after in rounds {
        let images = tempfile::tempdir()?;
        let who = json!({
            "PatientID": format!("{kill_after:07}"),
            "PatientName": "TESUTO^TARO=試験^太郎=テスト^タロウ",
            "AccessionNumber": format!("K{kill_after}"),
        });
        let study = make_study("CT_small.dcm", images.path(), SENT, who).await?;
        let dokuei = Dokuei::run(data.path(), &[]).await?;
        let sender = technologist(data.path(), dokuei.http()?).await?;
        let told = Acknowledged::default();
        let sending = {
            let (sender, folder, study, told) = (sender, images.path().to_owned(), study.clone(), told.clone());
            tokio::spawn(async move { sender.send(way, &folder, &study, &told).await })
        };
        eventually("some images are kept", LONG, async || Ok((told.so_far().len() >= kill_after).then_some(())))
            .await?;
        dokuei.kill().await?;
        sending.await??;
        let safe = told.so_far();
        ensure!(safe.len() < SENT, "it was killed too late to say anything");

        let dokuei = Dokuei::run(data.path(), &[]).await?;
        let there = held(data.path(), &study).await?;
        let whole: BTreeSet<String> = there.iter().filter(|row| row.intact).map(|row| row.uid.clone()).collect();
        let lost: Vec<&String> = safe.difference(&whole).collect();
        ensure!(lost.is_empty(), "killed after {kill_after} of {}: acknowledged and gone: {lost:?}", safe.len());
        ensure!(whole.len() == there.len(), "a row without its object: {there:?}");

        // Whoever saw it break off brings all of it again.
        let again = Acknowledged::default();
        let refused = technologist(data.path(), dokuei.http()?).await?.send(way, images.path(), &study, &again).await?;
        assert_eq!((again.so_far().len(), refused), (SENT, 0), "{}", dokuei.log());
        let all: BTreeSet<_> =
            study.instances.iter().map(|uid| StoredInstance { uid: uid.clone(), intact: true }).collect();
        assert_eq!(held(data.path(), &study).await?, all, "killed after {kill_after}");
        assert!(dokuei.stop().await?.success());
        assert!(left_over(data.path())?.is_empty(), "nothing half is left: {:?}", left_over(data.path())?);
    }
    Ok(())
}

/// Files in scratch.
fn left_over(data: &Path) -> Result<Vec<std::path::PathBuf>> {
    let scratch = data.join("scratch");
    if !scratch.is_dir() {
        return Ok(Vec::new());
    }
    std::fs::read_dir(scratch)?.map(|entry| Ok(entry?.path())).collect()
}

/// A technologist gives the CD back when the page says that its images are here.
#[tokio::test]
async fn what_a_browser_was_told_is_kept_survives_a_kill_in_the_middle_of_an_upload() -> Result<()> {
    killed_in_the_middle(Way::Upload).await
}

/// A program marks as sent what was answered with 200.
#[tokio::test]
async fn what_stow_answered_survives_a_kill_between_its_requests() -> Result<()> {
    killed_in_the_middle(Way::Stow).await
}
