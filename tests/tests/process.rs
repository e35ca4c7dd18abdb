//! The process itself: starting, restarting, stopping, and what it says to whom.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use anyhow::Result;
use dokuei_tests::client::Browser;
use dokuei_tests::dokuei::{Dokuei, command, demo_logins};
use dokuei_tests::process::run;
use reqwest::Method;

#[tokio::test]
async fn a_first_start_makes_demo_people_and_a_restart_keeps_them() -> Result<()> {
    let data = tempfile::tempdir()?;
    let logins = data.path().join("demo-logins.txt");

    let dokuei = Dokuei::run(data.path(), &[]).await?;
    let first = std::fs::read_to_string(&logins)?;
    assert_eq!(std::fs::metadata(&logins)?.permissions().mode() & 0o777, 0o600);
    assert!(dokuei.stop().await?.success(), "Ctrl-C is a clean end");

    let dokuei = Dokuei::run(data.path(), &[]).await?;
    assert_eq!(std::fs::read_to_string(&logins)?, first);
    assert!(dokuei.stop().await?.success());
    Ok(())
}

#[tokio::test]
async fn every_wrong_setting_is_named_at_once() -> Result<()> {
    let data = tempfile::tempdir()?;
    let settings = [("DOKUEI_MAIL_PORT", "many".to_owned()), ("DOKUEI_TYPO", "1".to_owned())];
    let mut command = command(&["run", "--data"], &settings)?;
    let output = run(command.arg(data.path()).args(["--http", "nowhere"])).await?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for fault in ["mail.port", "DOKUEI_TYPO", "http.address"] {
        assert!(said.contains(fault), "{fault}: {said}");
    }
    Ok(())
}

#[tokio::test]
async fn a_role_of_its_own_refuses_an_embedded_database() -> Result<()> {
    let data = tempfile::tempdir()?;
    for role in ["web", "gateway", "worker"] {
        let output = run(command(&[role, "--data"], &[])?.arg(data.path())).await?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        assert!(said.contains("DATABASE_URL") && said.contains("REDIS_URL"), "{said}");
    }
    Ok(())
}

#[tokio::test]
async fn every_demo_person_gets_in_with_his_password_and_with_no_other() -> Result<()> {
    let data = tempfile::tempdir()?;
    let dokuei = Dokuei::run(data.path(), &[]).await?;
    let people = demo_logins(data.path())?;
    let mut roles = BTreeSet::new();
    for person in &people {
        Browser::open(dokuei.http()?)?.sign_in(&person.login, &person.password).await?;
        roles.insert(person.role.as_str());
    }
    let expected = [
        "administrator",
        "billing",
        "dispatcher",
        "reader",
        "reading_director",
        "security_officer",
        "site_doctor",
        "site_technologist",
    ];
    assert_eq!(roles, BTreeSet::from(expected));

    let stranger = Browser::open(dokuei.http()?)?;
    let answer = stranger.try_sign_in(&people[0].login, "not the password").await?;
    assert_eq!(answer.status().as_u16(), 401);
    assert!(!answer.headers().contains_key("set-cookie"));
    let worklist = stranger.get("/worklist").await?;
    assert!(worklist.status().is_redirection() || worklist.status().as_u16() == 401, "{}", worklist.status());
    Ok(())
}

#[tokio::test]
async fn a_change_without_the_csrf_token_is_refused() -> Result<()> {
    let data = tempfile::tempdir()?;
    let dokuei = Dokuei::run(data.path(), &[]).await?;
    let person = &demo_logins(data.path())?[0];
    let mut browser = Browser::open(dokuei.http()?)?;
    browser.sign_in(&person.login, &person.password).await?;

    let forged = browser.request(Method::POST, "/logout").send().await?;
    assert_eq!(forged.status().as_u16(), 403);
    browser.page("/worklist").await?;
    let foreign = browser.request(Method::POST, "/logout").header("sec-fetch-site", "cross-site");
    let foreign = foreign.header("x-csrf-token", browser.csrf().unwrap_or_default()).send().await?;
    assert_eq!(foreign.status().as_u16(), 403);

    assert_eq!(browser.post("/logout", &[]).await?.status().as_u16(), 303);
    let gone = browser.get("/worklist").await?;
    assert!(!gone.status().is_success(), "{}", gone.status());
    Ok(())
}

#[tokio::test]
async fn an_idle_process_over_an_existing_folder_stays_below_200_mb() -> Result<()> {
    let data = tempfile::tempdir()?;
    assert!(Dokuei::run(data.path(), &[]).await?.stop().await?.success());
    let dokuei = Dokuei::run(data.path(), &[]).await?;
    Browser::open(dokuei.http()?)?.page("/login").await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let resident = dokuei.resident_kib()?;
    println!("idle: {resident} KiB resident");
    assert!(resident < 200_000, "{resident} KiB resident");
    Ok(())
}

/// The optimum by hand: reader 0 has room for one of the two cases, the other costs 3 and five minutes at 0.1.
const INSTANCE: &str = r#"{
    "cases": 2, "readers": 2, "drop": [50, 60],
    "pairs": [
        {"case": 0, "reader": 0, "cost": 1, "minutes": 10}, {"case": 0, "reader": 1, "cost": 3, "minutes": 10},
        {"case": 1, "reader": 0, "cost": 1, "minutes": 10}],
    "load_segments": [[{"width": 10, "price": 0}], [{"width": 5, "price": 0}, {"width": 10, "price": 0.1}]]}"#;

#[tokio::test]
async fn an_instance_is_planned_from_the_command_line() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (instance, out) = (folder.path().join("instance.json"), folder.path().join("plan.json"));
    std::fs::write(&instance, INSTANCE)?;
    let plan = async |more: &[&str]| {
        let mut command = command(&["plan", "--instance"], &[])?;
        run(command.arg(&instance).arg("--out").arg(&out).args(more)).await
    };
    let output = plan(&[]).await?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let made: serde_json::Value = serde_json::from_slice(&std::fs::read(&out)?)?;
    assert_eq!(made["assignments"], serde_json::json!([{"case": 0, "reader": 1}, {"case": 1, "reader": 0}]));
    assert_eq!(made["status"], "optimal");
    assert!((made["objective"].as_f64().unwrap_or_default() - 4.5).abs() < 1e-9, "{made}");
    assert!(made["gap"].as_f64().is_some_and(|gap| gap < 1e-6) && made["seconds"].as_f64().is_some(), "{made}");

    // A refusal names the place and leaves the plan that was there.
    std::fs::write(&instance, INSTANCE.replace("\"reader\": 1, \"cost\": 3", "\"reader\": 7, \"cost\": 3"))?;
    let output = plan(&[]).await?;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("pair 1 names case 0 and reader 7"), "{output:?}");
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&std::fs::read(&out)?)?, made);
    std::fs::write(&instance, INSTANCE.replace("\"drop\"", "\"drops\""))?;
    let output = plan(&[]).await?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && said.contains("missing field `drop`"), "{said}");
    assert_eq!(plan(&["--seconds", "0"]).await?.status.code(), Some(1));
    Ok(())
}
