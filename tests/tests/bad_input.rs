//! Bad input from everywhere it can come: a clear word to who sent it, nothing lost, and a process that stays small.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use dokuei_tests::client::Browser;
use dokuei_tests::dcmtk::{Call, attribute};
use dokuei_tests::installation::{Installation, LONG};
use dokuei_tests::process::{eventually, run_checked, script};
use dokuei_tests::studies::sample;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// What the portal says of each file: its fate and its reason, by name.
type Said = BTreeMap<String, (String, String)>;

async fn bad_files(folder: &Path) -> Result<()> {
    run_checked(script("make_bad_files.py")?.arg(sample("CT_small.dcm")?).arg(folder)).await?;
    Ok(())
}

/// Sends files as the portal's page does: begin, each file by itself, end.
async fn upload(technologist: &Browser, site: &str, files: &[(&str, Vec<u8>)]) -> Result<Said> {
    let begun = technologist.post("/portal/uploads", &[("site", site)]).await?;
    ensure!(begun.status() == StatusCode::CREATED, "the upload was answered {}", begun.status());
    let upload = begun.json::<Value>().await?["id"].to_string();
    let mut said = Said::new();
    for (name, bytes) in files {
        let file = technologist.request(Method::POST, &format!("/portal/uploads/{upload}/files"));
        let file = file.header("x-csrf-token", technologist.csrf().unwrap_or_default()).header("x-file-name", *name);
        let lines = file.body(bytes.clone()).send().await?.error_for_status()?.text().await?;
        for line in lines.lines() {
            let line: Value = serde_json::from_str(line)?;
            let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
            said.insert(text("name"), (text("fate"), text("reason")));
        }
    }
    let end = technologist.post(&format!("/portal/uploads/{upload}/end"), &[]).await?;
    ensure!(end.status().is_success(), "the end was answered {}", end.status());
    Ok(said)
}

/// A person drops what he has: none of it may stop the rest, and each piece is named with what to do about it.
#[tokio::test]
async fn what_is_no_image_is_named_and_what_is_one_is_kept() -> Result<()> {
    let (house, files) = (Installation::together(&[]).await?, tempfile::tempdir()?);
    bad_files(files.path()).await?;
    let technologist = house.browser("tech_a").await?;
    let site = house.sql("SELECT site_id FROM site_endpoints WHERE ae_title = 'HOSPITAL_A'").await?;
    let before = house.web().resident_kib()?;

    let read = |name: &str| std::fs::read(files.path().join(name));
    let names = ["words.dcm", "cut_pixels.dcm", "cut_header.dcm", "charset.dcm", "bomb.zip"];
    let mut sent: Vec<(&str, Vec<u8>)> = Vec::new();
    for name in names {
        sent.push((name, read(name)?));
    }
    sent.push(("good.dcm", std::fs::read(sample("CT_small.dcm")?)?));
    let said = upload(&technologist, &site, &sent).await?;
    let expected = [
        ("words.dcm", "ignored", "画像ではないため"),
        ("cut_pixels.dcm", "refused", "途中で切れています"),
        ("cut_header.dcm", "refused", "途中で切れています"),
        ("charset.dcm", "apart", "担当者が確認します"),
        ("IM0001", "kept", ""),
        ("IM0002", "refused", "ZIP 爆弾"),
        ("good.dcm", "repeated", "すでに届いています"),
    ];
    for (name, fate, words) in expected {
        let (told, reason) = said.get(name).with_context(|| format!("nothing is said of {name}: {said:?}"))?;
        assert!(told == fate && reason.contains(words), "{name}: {told}, {reason}");
    }
    let (after, peak) = (house.web().resident_kib()?, house.web().peak_kib()?);
    println!("resident {before} KiB before, {after} KiB after, {peak} KiB at most");
    assert!(peak < before + 100_000, "a bomb of 1 GiB took the process from {before} to {peak} KiB");

    let dispatcher = house.browser("dispatch1").await?;
    let trouble = dispatcher.page("/dispatch/trouble").await?;
    assert!(trouble.contains("患者氏名の文字コードが不明"), "what was kept apart is shown with its reason");
    assert_eq!(house.sql("SELECT count(*) FROM instances").await?, "1", "one image, once");
    assert_eq!(house.sql("SELECT count(*) FROM quarantine").await?, "1");
    Ok(())
}

/// A modality cannot be told anything in words but a status: what it was told is kept must be, in the index or apart.
#[tokio::test]
async fn broken_objects_over_the_network_are_kept_apart_and_strangers_are_named() -> Result<()> {
    let (house, files) = (Installation::together(&[]).await?, tempfile::tempdir()?);
    bad_files(files.path()).await?;
    let address = house.dicom()?;
    for (calling, called) in [("STRANGER", "DOKUEI"), ("HOSPITAL_A", "SOMEONE")] {
        let call = Call::new(calling, called, address);
        assert!(!call.store(&[&sample("CT_small.dcm")?]).await?.status.success(), "{calling} -> {called}");
    }

    let mut send = script("send_as_is.py")?;
    send.args([&address.ip().to_string(), &address.port().to_string(), "HOSPITAL_A", "DOKUEI"]);
    for name in ["cut_pixels.dcm", "charset.dcm"] {
        send.arg(files.path().join(name));
    }
    let statuses: Vec<Option<String>> = serde_json::from_str(&run_checked(send.arg(sample("MR_small.dcm")?)).await?)?;
    assert_eq!(statuses, vec![Some("0000".to_owned()); 3], "kept, so that nobody has to send it again");
    assert_eq!(house.sql("SELECT count(*) FROM instances").await?, "1");
    let apart = house.sql("SELECT reason, object_key FROM quarantine ORDER BY id").await?;
    let reasons: Vec<&str> = apart.lines().filter_map(|line| line.split('|').next()).collect();
    assert_eq!(reasons, ["cut_off", "character_set"]);
    for key in apart.lines().filter_map(|line| line.split('|').nth(1)) {
        assert!(house.objects().join(key).is_file(), "{key} is kept");
    }

    let dispatcher = house.program("dispatch1").await?;
    let trouble = &dispatcher.get("/board").await?["trouble"];
    assert_eq!((trouble["quarantine"].as_i64(), trouble["refusals"].as_i64()), (Some(2), Some(2)), "{trouble}");
    let page = house.browser("dispatch1").await?.page("/dispatch/trouble").await?;
    for words in ["STRANGER", "SOMEONE", "発信AEが登録されていない", "宛先AEがこちらのものではない"]
    {
        assert!(page.contains(words), "{words} is not on the page");
    }
    Ok(())
}

/// A form that is wrong comes back as it was typed, with a word at each field; what no image answers waits in sight.
#[tokio::test]
async fn wrong_values_come_back_with_words_and_a_request_without_images_waits_in_sight() -> Result<()> {
    let house = Installation::together(&[]).await?;
    let technologist = house.browser("tech_a").await?;
    let site = house.sql("SELECT site_id FROM site_endpoints WHERE ae_title = 'HOSPITAL_A'").await?;
    let good = [
        ("site", site.as_str()),
        ("accession_number", "NOIMAGES1"),
        ("patient_id", "0000815"),
        ("name_kanji", "試験 三郎"),
        ("birth_date", "1948-09-10"),
        ("sex", "M"),
        ("ordering_doctor", "架空 診一"),
        ("phone", "000-1000-0001"),
        ("exam", "頭部CT"),
        ("question", "出血はありますか。"),
        ("kind", "reading"),
        ("source", "emergency"),
        ("priority", "stat"),
    ];
    let wrong = [
        ("phone", "", "電話番号が必要"),
        ("phone", "なし", "数字とハイフン"),
        ("birth_date", "2948-09-10", "日付を確かめて"),
        ("sex", "X", "入力してください"),
        ("accession_number", "", "受付番号を入力するか"),
        ("accession_number", "12345678901234567", "長すぎます"),
        ("patient_id", "1\\2", "この値は使えません"),
        ("name_kanji", "", "漢字・カナ・ローマ字のどれか"),
        ("kind", "magic", "入力してください"),
        ("priority", "now", "入力してください"),
        ("wanted_by", "2001-01-01T00:00", "希望日時が過ぎています"),
        ("expected_instances", "-3", "この値は使えません"),
        ("question", &"長".repeat(4001), "長すぎます"),
    ];
    for (field, value, words) in wrong {
        let mut form: Vec<(&str, &str)> = good.iter().copied().filter(|(name, _)| *name != field).collect();
        form.push((field, value));
        let answer = technologist.post("/portal/requests", &form).await?;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{field} = {value}");
        let page = answer.text().await?;
        assert!(page.contains(words), "{field} = {value}: {words} is not said");
        assert!(page.contains("出血はありますか。") || field == "question", "what was typed stays");
    }
    let torn = technologist.request(Method::POST, "/portal/requests");
    let torn = torn.header("x-csrf-token", technologist.csrf().unwrap_or_default());
    let torn = torn.header("content-type", "multipart/form-data; boundary=x").body("--x\r\nnothing").send().await?;
    assert_eq!(torn.status(), StatusCode::BAD_REQUEST);
    assert_eq!(house.sql("SELECT count(*) FROM requests").await?, "0", "nothing was written");

    let answer = technologist.post("/portal/requests", &good).await?;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let list = technologist.page("/portal").await?;
    assert!(list.contains("試験 三郎") && list.contains("画像"), "the site sees that it waits for images");
    let dispatcher = house.program("dispatch1").await?;
    let board = dispatcher.get("/board").await?;
    assert_eq!(board["unmatched_requests"], 1, "{board}");
    assert_eq!(board["requests"][0]["accession_number"], "NOIMAGES1");
    let request = board["requests"][0]["id"].as_i64().context("an id")?;
    let browser = house.browser("dispatch1").await?;
    assert!(browser.page("/dispatch").await?.contains(&format!("/dispatch/requests/{request}")), "the board shows it");
    assert!(browser.page(&format!("/dispatch/requests/{request}")).await?.contains("試験 三郎"));

    // Images of that number, but of another patient: held for a person, read by nobody.
    let file = sample("CT_small.dcm")?;
    let changed = house.folder().join("other.dcm");
    std::fs::copy(&file, &changed)?;
    let mut modify = tokio::process::Command::new("dcmodify");
    modify.args(["-nb", "-i", "AccessionNumber=NOIMAGES1", "-i", "StudyDate=20261101"]);
    run_checked(modify.arg(&changed)).await?;
    let sent = Call::new("HOSPITAL_A", "DOKUEI", house.dicom()?).store(&[&changed]).await?;
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    let study = attribute(&changed, "StudyInstanceUID").await?;
    let state = format!("SELECT match_state FROM studies WHERE study_uid = '{study}'");
    eventually("the doubt is seen", LONG, async || Ok((house.sql(&state).await? == "doubtful").then_some(()))).await?;
    assert_eq!(house.sql("SELECT count(*) FROM reads").await?, "0", "nobody reads one patient's images as another's");
    let answer = dispatcher.post("/cases/search", &json!({ "text": "0000815" })).await?;
    assert_eq!(answer["cases"], json!([]), "there is no case");
    let list = technologist.page("/portal?show=todo").await?;
    assert!(list.contains("一致しない"), "the site is told that the two do not agree");
    Ok(())
}
