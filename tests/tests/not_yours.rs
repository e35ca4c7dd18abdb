//! What is another's: a read that somebody else took, a case of another site.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use dokuei_tests::dcmtk::{Call, attribute};
use dokuei_tests::installation::{Installation, LONG};
use dokuei_tests::process::eventually;
use dokuei_tests::story;
use dokuei_tests::studies::sample;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const EXAM: &str = "胸部X線";

/// A house with one CT of HOSPITAL_A on a list, and its written request.
async fn house_with_a_case() -> Result<(Installation, dokuei_tests::installation::Assigned)> {
    let house = Installation::together(&[]).await?;
    house.reads_old_studies().await?;
    let file = sample("RG1_J2KI.dcm")?;
    let technologist = house.program("tech_a").await?;
    let site = technologist.get("/portal/sites").await?[0]["id"].as_i64().context("a site")?;
    let request = json!({
        "accession_number": attribute(&file, "AccessionNumber").await?,
        "patient_id": attribute(&file, "PatientID").await?,
        "name_latin": "CompressedSamples RG1", "birth_date": "1940-03-05", "sex": "F",
        "ordering_doctor": "架空 診一", "phone": "000-1000-0001", "exam": EXAM, "question": "肺炎の有無",
        "kind": "reading", "source": "outpatient", "priority": "routine",
    });
    technologist.post(&format!("/portal/sites/{site}/requests"), &request).await?;
    let sent = Call::new("HOSPITAL_A", "DOKUEI", house.dicom()?).send_as_is(&[&file]).await?;
    ensure!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    let assigned = house.assigned(&attribute(&file, "StudyInstanceUID").await?).await?;
    Ok((house, assigned))
}

/// Two doctors must never report one reading: whoever lost it hears so in words, and his own words stay his.
#[tokio::test]
async fn a_reader_who_signs_what_another_took_gets_the_sentence_and_keeps_the_draft() -> Result<()> {
    let (house, first) = house_with_a_case().await?;
    let reader = house.program(&first.login).await?;
    let path = |tail: &str| format!("/reads/{}{tail}", first.read);
    reader.post(&path("/start"), &Value::Null).await?;
    let draft = json!({ "revision": 0, "findings": "右下肺野に浸潤影。", "impression": "肺炎疑い。" });
    reader.request(Method::PUT, &path("/draft")).json(&draft).send().await?.error_for_status()?;

    let dispatcher = house.program("dispatch1").await?;
    let sheet = dispatcher.get(&format!("/cases/{}", first.case)).await?;
    let first_id = &sheet["reads"][0]["read"]["reader"];
    let taken = json!({ "reason": "当直の交代" });
    dispatcher.post(&format!("/cases/{}{}", first.case, path("/unassign")), &taken).await?;
    let exclude = json!({ "reason": "当直の交代", "reader": first_id });
    dispatcher.post(&format!("/cases/{}/exclude", first.case), &exclude).await?;
    let mine = format!(
        "SELECT u.login FROM reads r JOIN readers d ON d.id = r.reader_id JOIN users u ON u.id = d.user_id \
         WHERE r.id = {} AND r.state = 'assigned' AND u.login <> '{}'",
        first.read, first.login
    );
    let other = eventually("another reader has it", LONG, async || {
        let login = house.sql(&mine).await?;
        Ok((!login.is_empty()).then_some(login))
    })
    .await?;
    let second = house.program(&other).await?;
    second.post(&path("/start"), &Value::Null).await?;

    let order = json!({ "revision": 1, "password": house.password(&first.login)? });
    for (language, sentence) in [("ja", "ほかの読影医が担当しています"), ("en", "Another reader holds this case")]
    {
        let sign = reader.request(Method::POST, &path("/sign")).header("accept-language", language);
        let answer = sign.json(&order).send().await?;
        assert_eq!(answer.status(), StatusCode::CONFLICT);
        let said: Value = answer.json().await?;
        assert_eq!(said["code"], "read_held_by_another", "{said}");
        assert!(said["detail"].as_str().is_some_and(|detail| detail.contains(sentence)), "{said}");
    }
    let room = second.get(&path("")).await?;
    assert_eq!(room["draft"]["findings"], "右下肺野に浸潤影。", "the next reader goes on from there");
    assert_eq!(house.sql("SELECT count(*) FROM billable_events").await?, "0", "nothing was signed");
    Ok(())
}

/// Another hospital's patient does not exist: neither the case nor its images, forms, report or PDF, to read or to
/// change; and a reader sees what is on his own list.
#[tokio::test]
async fn another_sites_people_get_not_found_for_everything_of_a_case() -> Result<()> {
    let (house, assigned) = house_with_a_case().await?;
    let (read, case) = (assigned.read, assigned.case);
    let reader = house.program(&assigned.login).await?;
    let (version, _) = story::sign(&house, &reader, &assigned, "浸潤影を認めない。").await?;
    let browser = house.browser(&assigned.login).await?;
    let listing: Value = serde_json::from_str(&browser.page(&format!("/reads/{read}/images")).await?)?;
    let instance = &listing["studies"][0]["series"][0]["instances"][0]["id"];
    let request = house.sql("SELECT id FROM requests").await?;
    let study = house.sql("SELECT id FROM studies").await?;
    let site = house.sql("SELECT site_id FROM cases").await?;
    house
        .sql(&format!(
            "INSERT INTO request_files (request_id, name, content_type, size, sha256, object_key, created_at) \
         VALUES ({request}, 'form.pdf', 'application/pdf', 1, '', 'none', '2026-11-01 00:00:00')"
        ))
        .await?;
    let form = house.sql("SELECT id FROM request_files").await?;

    let to_see = [
        format!("/portal/cases/{case}"),
        format!("/portal/cases/{case}/status"),
        format!("/portal/cases/{case}/events"),
        format!("/portal/requests/{request}"),
        format!("/portal/versions/{version}/report.pdf"),
        format!("/portal/forms/{form}"),
        format!("/portal?study={study}"),
        format!("/portal?site={site}"),
        format!("/portal/form?study={study}"),
        format!("/api/v1/portal/cases/{case}"),
        format!("/api/v1/portal/requests/{request}"),
        format!("/api/v1/portal/versions/{version}/report.pdf"),
    ];
    let to_change: [(String, &[(&str, &str)]); 5] = [
        (format!("/portal/cases/{case}/answer"), &[("answer", "x")]),
        (format!("/portal/requests/{request}/cancel"), &[("reason", "x")]),
        (format!("/portal/versions/{version}/accept"), &[]),
        (format!("/portal/versions/{version}/act"), &[("note", "x"), ("case", "")]),
        ("/portal/uploads".to_owned(), &[("site", "")]),
    ];
    let owner = house.browser("doctor_a").await?;
    for path in to_see.iter().filter(|path| !path.contains("/events") && !path.contains("/forms/")) {
        let path = path.replace("/api/v1", "");
        if path.contains("/portal/") && !path.ends_with("report.pdf") {
            assert!(owner.get(&path).await?.status().is_success(), "its own doctor sees {path}");
        }
    }
    for login in ["doctor_b", "tech_b", "doctor_c"] {
        let stranger = house.browser(login).await?;
        let program = house.program(login).await?;
        for path in &to_see {
            let answer = match path.strip_prefix("/api/v1") {
                Some(below) => program.request(Method::GET, below).send().await?,
                None => stranger.get(path).await?,
            };
            let status = answer.status();
            let said = answer.text().await?;
            assert_eq!(status, StatusCode::NOT_FOUND, "{login} {path}");
            assert!(!said.contains("CompressedSamples") && !said.contains("9RG1"), "{login} {path} names the patient");
        }
        for (path, fields) in &to_change {
            let its = |name: &str, value| match name {
                "site" => site.clone(),
                "case" => case.to_string(),
                _ => String::from(value),
            };
            let fields: Vec<(&str, String)> = fields.iter().map(|(name, value)| (*name, its(name, *value))).collect();
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let status = stranger.post(path, &fields).await?.status();
            // A technologist may accept nothing anywhere, which is said before anything is looked up.
            let may = login.starts_with("doctor") || !path.contains("/versions/");
            let expected = if may { StatusCode::NOT_FOUND } else { StatusCode::FORBIDDEN };
            assert_eq!(status, expected, "{login} {path}");
        }
        for list in ["/portal", "/portal/reports", "/portal?show=all"] {
            assert!(!stranger.page(list).await?.contains("CompressedSamples"), "{login} {list}");
        }
    }

    let readers: BTreeSet<String> = (1..=8).map(|number| format!("reader{number}")).collect();
    let another = readers.iter().find(|login| **login != assigned.login).context("eight readers")?;
    let another = house.browser(another).await?;
    for path in [
        format!("/reads/{read}"),
        format!("/reads/{read}/state"),
        format!("/reads/{read}/images"),
        format!("/reads/{read}/images/{instance}/frames/0/png"),
        format!("/reads/{read}/images/{instance}/frames/0/raw"),
        format!("/reads/{read}/versions/{version}/pdf"),
        format!("/reads/{read}/files/{form}"),
    ] {
        assert_eq!(another.get(&path).await?.status(), StatusCode::NOT_FOUND, "another reader: {path}");
    }
    Ok(())
}
