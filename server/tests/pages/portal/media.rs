//! A CD's directory is held against what came.

use actix_web::http::Method;
use chrono::Utc;
use dokuei_server::authority::{Role, Scope};

use super::{house, image, post};

/// The DICOMDIR of a CD with so many of the images.
fn directory(images: std::ops::RangeInclusive<u32>) -> Vec<u8> {
    use dokuei_dicom_gateway::dataset::{self, Limits};
    use dokuei_dicom_gateway::fileset::FileSet;
    use dokuei_dicom_gateway::uid::Uid;
    let mut set = FileSet::new("CD", Uid::parse(b"2.25.7").unwrap(), ("20261001".into(), "090000".into()));
    for number in images {
        let header = dataset::read_file(image(number).as_bytes(), Limits::default()).unwrap();
        set.add(&header, "1.2.840.10008.1.2.1");
    }
    set.directory().unwrap()
}

/// A scratched CD: who does not hear that an image is missing takes the rest for the whole examination.
#[actix_web::test]
async fn what_a_cd_names_and_did_not_come_is_told_and_what_it_does_not_name_is_taken() {
    let (app, _, site_id) = house().await;
    let who = app.with_user("gishi", &[(Role::SiteTechnologist, Scope::Site(site_id))]).await;
    let begin = async || {
        let begun = who.form("/portal/uploads", &[("site", &site_id.to_string())]).await;
        serde_json::from_str::<serde_json::Value>(&begun.body).unwrap()["id"].as_i64().unwrap()
    };
    let bring = async |id: i64, name: &str, body: &[u8]| {
        let headers = [("x-csrf-token", who.csrf.as_str()), ("x-file-name", name)];
        let answer = who.send_bytes(Method::POST, &format!("/portal/uploads/{id}/files"), &headers, body).await;
        serde_json::from_str::<serde_json::Value>(answer.body.lines().next().unwrap()).unwrap()
    };
    let end = async |id: i64| {
        let ended = post(&who, &format!("/portal/uploads/{id}/end"), "", "").await;
        let ended: serde_json::Value = serde_json::from_str(&ended.body).unwrap();
        ended["missing"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let id = begin().await;
    let said = bring(id, "CD%2FDICOMDIR", &directory(1..=4)).await;
    assert_eq!(said["fate"], "ignored");
    assert!(said["reason"].as_str().unwrap().contains("4 枚"), "{said}");
    for number in [1, 2, 9] {
        assert_eq!(bring(id, "IM", image(number).as_bytes()).await["fate"], "kept", "named or not");
    }
    let cut = image(3);
    assert_ne!(bring(id, "IM3", &cut.as_bytes()[..cut.len() - 20]).await["fate"], "kept");
    let missing = end(id).await;
    assert_eq!(missing.len(), 1, "one study");
    assert!(missing[0].contains("4 枚のうち 2 枚") && missing[0].contains(&Utc::now().format("%Y-%m-%d").to_string()));

    // What came meanwhile is here, whichever upload brought it.
    let id = begin().await;
    bring(id, "DICOMDIR", &directory(1..=3)).await;
    bring(id, "IM3", image(3).as_bytes()).await;
    assert!(end(id).await.is_empty());
    let id = begin().await;
    let whole = directory(1..=3);
    let said = bring(id, "DICOMDIR", &whole[..whole.len() / 2]).await;
    assert!(said["reason"].as_str().unwrap().contains("読めません"), "{said}");
    assert_eq!(bring(id, "IM5", image(5).as_bytes()).await["fate"], "kept", "a broken directory stops nobody");
    assert!(end(id).await.is_empty());
}
