//! QIDO-RS.

use actix_web::http::StatusCode;

use super::made::{Made, ROOT, audit, site};
use crate::app::TestApp;

#[actix_web::test]
async fn a_study_list_has_what_a_viewer_needs() {
    let app = TestApp::init().await;
    let (_, program) = site(&app).await;
    program.store(&format!("{ROOT}/studies"), &[Made::new("1.2.3", 1).part10(), Made::new("1.2.3", 2).part10()]).await;
    // What OHIF sends, letter by letter.
    let path = format!(
        "{ROOT}/studies?limit=101&offset=0&fuzzymatching=false&includefield=00081030,00080060,00080090,00100030\
         &PatientName=*%E6%9D%BE%E6%9C%AC*&00100020=*01*&AccessionNumber=ACC*&StudyDate=20260401-20260401\
         &ModalitiesInStudy=CT%5CMR"
    );
    let got = program.get(&path, "application/dicom+json").await;
    assert_eq!(got.status, StatusCode::OK, "{got:?}");
    assert_eq!(got.header("content-type"), "application/dicom+json");
    let one = &got.json()[0];
    for (tag, value) in [
        ("0020000D", "1.2.3"),
        ("00080020", "20260401"),
        ("00080030", "093000"),
        ("00080050", "ACC1"),
        ("00080056", "ONLINE"),
        ("00080060", "CT"),
        ("00080061", "CT"),
        ("00081030", "Chest CT"),
        ("00100020", "0012"),
        ("00100030", "19600401"),
        ("00100040", "F"),
    ] {
        assert_eq!(one[tag]["Value"][0], value, "{tag}");
    }
    assert_eq!(one["00080090"]["Value"][0]["Alphabetic"], "IRAI^ISHI");
    assert_eq!(one["00100010"]["Value"][0]["Ideographic"], "松本^花子");
    assert_eq!((&one["00201206"]["Value"][0], &one["00201208"]["Value"][0]), (&1.into(), &2.into()));
    assert!(one["00081190"]["Value"][0].as_str().unwrap().ends_with("/dicomweb/sites/site_a/studies/1.2.3"));
    let rows = audit(&app, "images.search").await;
    assert_eq!(rows, ["DICOMweb /dicomweb/sites/site_a: 1 found"], "how many, never what for");
}

#[actix_web::test]
async fn every_level_is_searched_and_includes_what_the_header_has() {
    let app = TestApp::init().await;
    let (_, program) = site(&app).await;
    program.store(&format!("{ROOT}/studies"), &[Made::new("1.2.3", 1).part10(), Made::new("1.2.3", 2).part10()]).await;
    program.store(&format!("{ROOT}/studies"), &[Made::new("1.2.4", 1).part10()]).await;
    let get = |path: &str| {
        let (program, path) = (&program, format!("{ROOT}/{path}"));
        async move { program.get(&path, "application/dicom+json").await }
    };
    let series = get("studies/1.2.3/series?includefield=0008103E,00080021").await.json();
    assert_eq!(series.as_array().unwrap().len(), 1);
    assert_eq!(series[0]["00080021"]["Value"][0], "20260402", "from the object's own header");
    assert_eq!(series[0]["00201209"]["Value"][0], 2);
    assert!(series[0].get("00100010").is_none(), "the address names the study");
    assert_eq!(get("series?Modality=CT").await.json()[0]["00100010"]["Value"][0]["Phonetic"], "まつもと^はなこ");
    let instances = get("studies/1.2.3/series/1.2.3.1/instances?includefield=all").await.json();
    assert_eq!(instances.as_array().unwrap().len(), 2);
    assert_eq!(instances[1]["00200013"]["Value"][0], 2);
    assert_eq!((&instances[0]["00280010"]["Value"][0], &instances[0]["00280100"]["Value"][0]), (&2.into(), &16.into()));
    assert_eq!(instances[0]["00083002"]["Value"][0], "1.2.840.10008.1.2.1");
    assert_eq!(get("studies/1.2.3/instances").await.json().as_array().unwrap().len(), 2);
    assert_eq!(get("instances?SOPInstanceUID=1.2.4.1.1").await.json()[0]["0020000D"]["Value"][0], "1.2.4");
    // The address holds whatever the query says.
    assert_eq!(get("studies/1.2.3/instances?StudyInstanceUID=1.2.4").await.json(), serde_json::json!([]));
}

#[actix_web::test]
async fn a_page_says_that_there_is_more_and_a_query_what_was_not_understood() {
    let app = TestApp::init().await;
    let (_, program) = site(&app).await;
    for study in ["1.2.3", "1.2.4", "1.2.5"] {
        program.store(&format!("{ROOT}/studies"), &[Made::new(study, 1).part10()]).await;
    }
    let page = |query: &str| {
        let (program, path) = (&program, format!("{ROOT}/studies?{query}"));
        async move { program.get(&path, "*/*").await }
    };
    let (first, second) = (page("limit=2").await, page("limit=2&offset=2").await);
    assert!(first.header("warning").contains("additional results"), "{first:?}");
    assert_eq!((first.json().as_array().unwrap().len(), second.json().as_array().unwrap().len()), (2, 1));
    assert!(second.headers.get("warning").is_none());
    assert_ne!(first.json()[0]["0020000D"], second.json()[0]["0020000D"]);
    let odd = page("PatientComments=x").await;
    assert!(odd.header("warning").contains("PatientComments"), "{odd:?}");
    let bad = page("StudyDate=yesterday").await;
    assert_eq!(bad.status, StatusCode::BAD_REQUEST);
    assert!(bad.json()["detail"].as_str().unwrap().contains("StudyDate"));
    let none = page("PatientName=NOBODY").await;
    assert_eq!((none.status, none.bytes.as_ref()), (StatusCode::OK, b"[]".as_slice()));
    let fuzzy = page("PatientName=%E8%8A%B1%E5%AD%90%20matsumoto&fuzzymatching=true").await;
    assert_eq!(fuzzy.json().as_array().unwrap().len(), 3);
    assert_eq!(
        program.get(&format!("{ROOT}/studies"), "application/dicom+xml").await.status,
        StatusCode::NOT_ACCEPTABLE
    );
}
