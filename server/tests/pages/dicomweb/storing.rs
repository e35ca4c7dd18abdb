//! STOW-RS.

use actix_web::http::{Method, StatusCode};

use super::made::{Made, Pixels, ROOT, audit, site};
use crate::app::TestApp;

#[actix_web::test]
async fn what_was_stored_is_found_and_fetched_by_the_next_request() {
    let app = TestApp::init().await;
    let (_, program) = site(&app).await;
    let (one, two) = (Made::new("1.2.3", 1), Made::new("1.2.3", 2));
    let stored = program.store(&format!("{ROOT}/studies"), &[one.part10(), two.part10()]).await;
    assert_eq!(stored.status, StatusCode::OK, "{stored:?}");
    let said = stored.json();
    assert_eq!(said["00081199"]["Value"].as_array().unwrap().len(), 2);
    let address = said["00081199"]["Value"][0]["00081190"]["Value"][0].as_str().unwrap();
    let path = address.split_once("localhost").map_or(address, |(_, rest)| rest);
    let path = &path[path.find("/dicomweb").unwrap()..];
    let got = program.get(path, "application/dicom").await;
    assert_eq!(got.status, StatusCode::OK, "{path}: {got:?}");
    assert!(got.bytes.ends_with(&one.dataset()), "byte for byte");
    let found = program.get(&format!("{ROOT}/studies?PatientID=0012"), "application/dicom+json").await.json();
    assert_eq!(found[0]["00201208"]["Value"][0], 2);
    // The same again changes nothing and is no failure.
    let again = program.store(&format!("{ROOT}/studies/1.2.3"), &[one.part10()]).await;
    assert_eq!(again.status, StatusCode::OK);
    let found = program.get(&format!("{ROOT}/studies/1.2.3/instances"), "*/*").await.json();
    assert_eq!(found.as_array().unwrap().len(), 2);
}

#[actix_web::test]
async fn one_object_may_come_alone() {
    let app = TestApp::init().await;
    let (_, program) = site(&app).await;
    let headers = [("content-type", "application/dicom")];
    let body = Made::new("1.2.3", 1).part10();
    let stored = program.send(Method::POST, &format!("{ROOT}/studies"), &headers, body).await;
    assert_eq!(stored.status, StatusCode::OK, "{stored:?}");
}

#[actix_web::test]
async fn a_bad_part_fails_alone_and_is_named() {
    let app = TestApp::init().await;
    let (_, program) = site(&app).await;
    let (good, other) = (Made::new("1.2.3", 1), Made::new("1.2.4", 1));
    let bodies = [good.part10(), other.part10(), b"no DICOM at all, but a text that is long enough".to_vec()];
    let stored = program.store(&format!("{ROOT}/studies/1.2.3"), &bodies).await;
    assert_eq!(stored.status, StatusCode::ACCEPTED, "{stored:?}");
    let said = stored.json();
    assert_eq!(said["00081199"]["Value"][0]["00081155"]["Value"][0], "1.2.3.1.1");
    assert_eq!(said["00081198"]["Value"][0]["00081155"]["Value"][0], "1.2.4.1.1");
    assert_eq!(said["00081198"]["Value"][0]["00081197"]["Value"][0], 0xA900);
    assert_eq!(said["0008119A"]["Value"].as_array().unwrap().len(), 1);
    let none = program.store(&format!("{ROOT}/studies"), &[b"nothing of DICOM here, only words".to_vec()]).await;
    assert_eq!(none.status, StatusCode::CONFLICT);
    // The study of the part that was refused is not there.
    assert_eq!(program.get(&format!("{ROOT}/studies/1.2.4/metadata"), "*/*").await.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn a_body_that_breaks_off_keeps_what_was_whole() {
    let app = TestApp::init().await;
    let (_, program) = site(&app).await;
    let mut body = Vec::new();
    for n in 1..=2 {
        body.extend_from_slice(b"--mark\r\nContent-Type: application/dicom\r\n\r\n");
        body.extend_from_slice(&Made::new("1.2.3", n).part10());
        body.extend_from_slice(b"\r\n");
    }
    body.truncate(body.len() - 40);
    let kind = [("content-type", "multipart/related; type=application/dicom; boundary=mark")];
    let stored = program.send(Method::POST, &format!("{ROOT}/studies"), &kind, body).await;
    assert_eq!(stored.status, StatusCode::ACCEPTED, "{stored:?}");
    let found = program.get(&format!("{ROOT}/studies/1.2.3/instances"), "*/*").await.json();
    assert_eq!(found.as_array().unwrap().len(), 1, "the one that came whole");
}

#[actix_web::test]
async fn what_is_no_body_of_ours_is_refused_with_a_reason() {
    let app = TestApp::init().await;
    let (_, program) = site(&app).await;
    let path = format!("{ROOT}/studies");
    for (kind, status) in [
        ("text/plain", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("multipart/related; type=\"application/dicom+xml\"; boundary=x", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("multipart/related; type=\"application/dicom\"", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("multipart/related; type=\"application/dicom\"; boundary=x", StatusCode::BAD_REQUEST),
    ] {
        let refused = program.send(Method::POST, &path, &[("content-type", kind)], b"words".to_vec()).await;
        assert_eq!(refused.status, status, "{kind}: {refused:?}");
        assert!(!refused.json()["detail"].as_str().unwrap().is_empty());
    }
}

#[actix_web::test]
async fn what_an_arrival_brought_is_in_the_trail() {
    let app = TestApp::init().await;
    let (_, program) = site(&app).await;
    let odd = Made { pixels: Pixels::None, modality: "SR", ..Made::new("1.2.3", 1) };
    let stored =
        program.store(&format!("{ROOT}/studies"), &[odd.part10(), b"words, words, words, words".to_vec()]).await;
    assert_eq!(stored.status, StatusCode::ACCEPTED);
    let rows = audit(&app, "upload").await;
    assert_eq!(rows.len(), 1);
    assert!(rows[0].contains("\"new\":1") && rows[0].contains("\"refused\":1"), "{rows:?}");
}
