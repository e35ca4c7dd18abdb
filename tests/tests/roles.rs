//! The roles apart, over PostgreSQL, Redis and a folder they share.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use dokuei_tests::dcmtk::Call;
use dokuei_tests::dokuei::{Dokuei, command};
use dokuei_tests::postgres::Database;
use dokuei_tests::process::{eventually, run_checked};
use dokuei_tests::redis::Redis;
use dokuei_tests::studies;

/// A site and its PACS, as an administrator would enter them.
const SITE: &str = "INSERT INTO pools (code, name_ja, name_en) VALUES ('p', '群', 'Pool'); \
    INSERT INTO sites (pool_id, code, name_ja, name_en, refers, reads, insured, phone, email, patient_id_rule, orphan_rule, \
    orphan_wait_minutes, comparison_after_days, quiet_seconds, unknown_classes, standing_notes, demo, research, active, version) \
    VALUES (1, 'a', '架空病院', 'Invented', true, false, true, '', '', 'exact', 'default_request', 30, 100000, 2, false, '', \
    true, false, true, 1); \
    INSERT INTO site_endpoints (site_id, name, kind, sends, receives, ae_title, host, port, addresses, active, version) \
    VALUES (1, 'PACS', 'site', true, false, 'HOSP', '', 0, '127.0.0.1', true, 1)";

/// A site that outgrows one machine changes nothing for its senders: the same study takes the same way,
/// and a stranger is refused by whichever gateway he meets.
#[tokio::test]
async fn a_study_takes_its_way_through_gateway_worker_and_database() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (database, redis) = (Database::create()?, Redis::start().await?);
    let settings = [
        ("DATABASE_URL", database.url()),
        ("REDIS_URL", redis.url()),
        ("OBJECTS_URL", format!("file://{}", folder.path().join("objects").display())),
        ("DOKUEI_MASTER_KEY", "11".repeat(32)),
    ];
    let place = |name: &str| -> Result<String> {
        let own = folder.path().join(name);
        std::fs::create_dir_all(&own)?;
        Ok(own.to_str().context("a temporary folder has a plain name")?.to_owned())
    };
    run_checked(&mut command(&["init", "--data", &place("init")?], &settings)?).await?;
    database.query(SITE)?;
    let (web, gateway, worker) = (place("web")?, place("gateway")?, place("worker")?);
    let http = ["--http", "127.0.0.1:0"];
    let web_role = command(&[&["web", "--data", &web][..], &http].concat(), &settings)?;
    let _web = Dokuei::start("web", web_role, Path::new(&web)).await?;
    let arguments = [&["gateway", "--data", &gateway, "--dicom", "127.0.0.1:0"][..], &http].concat();
    let gateway = Dokuei::start("gateway", command(&arguments, &settings)?, Path::new(&gateway)).await?;
    let worker_role = command(&["worker", "--data", &worker], &settings)?;
    let _worker = Dokuei::start("worker", worker_role, Path::new(&worker)).await?;

    let stranger = Call::new("STRANGER", "DOKUEI", gateway.dicom()?).echo().await?;
    assert!(!stranger.status.success(), "a stranger is refused");
    let sent = Call::new("HOSP", "DOKUEI", gateway.dicom()?).store(&[&studies::sample("CT_small.dcm")?]).await?;
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    let planned = "SELECT c.state || ' ' || r.state || ' ' || coalesce(r.waiting_reason, '') FROM cases c \
                   JOIN reads r ON r.case_id = c.id WHERE r.waiting_reason IS NOT NULL";
    let told = eventually("the case is planned", Duration::from_secs(60), async || {
        let row = database.query(planned)?;
        Ok((!row.trim().is_empty()).then(|| row.trim().to_owned()))
    })
    .await?;
    assert_eq!(told, "ready open no_reader", "nobody reads in this pool, and the case says so");
    eventually("the trail is sealed", Duration::from_secs(30), async || {
        Ok((database.query("SELECT count(*) FROM audit_seals")?.trim() != "0").then_some(()))
    })
    .await?;
    Ok(())
}
