//! A case as portable data: what a person gets is a file-set that others read.

use std::io::{Cursor, Read as _};

use dokuei_models::SiteId;
use dokuei_models::state::RequestKind;
use dokuei_server::app::{medium, sessions};
use dokuei_server::authority::{Person, Role, Scope, rights};

use super::app::TestApp;
use super::ward::Ward;

async fn person(app: &TestApp, login: &str, site: SiteId) -> Person {
    let client = app.with_user(login, &[(Role::SiteDoctor, Scope::Site(site))]).await;
    let token = client.cookie.as_deref().unwrap().split_once('=').unwrap().1.to_owned();
    sessions::person_of_session(&app.state, &token, "").await.unwrap().unwrap()
}

#[actix_web::test]
async fn a_case_becomes_a_file_set_with_its_directory() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (_, id) = ward.reader("night").await;
    let (case, _, instances) = ward.case_for(id, RequestKind::Reading).await;
    let doctor = person(&app, "exporter", ward.site).await;
    let reach = doctor.reach::<rights::SeeReports>();
    let mut chunks = medium::of_case(&app.state, &doctor, reach, case, false).await.unwrap();
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.recv().await {
        bytes.extend_from_slice(&chunk.unwrap());
    }
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let names: Vec<String> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    assert_eq!(names.iter().filter(|name| name.starts_with("DICOM/")).count(), instances.len(), "{names:?}");
    for name in &names {
        let short = |part: &str| {
            let (stem, end) = part.split_once('.').unwrap_or((part, ""));
            stem.len() <= 8 && end.len() <= 3 && !part.chars().any(|c| c.is_ascii_lowercase())
        };
        assert!(name.split('/').all(short), "{name} is not of eight letters and three");
    }
    let mut text = |name: &str| {
        let mut bytes = Vec::new();
        zip.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
        bytes
    };
    let readme = text("README.TXT");
    assert!(readme.is_ascii() && readme.windows(2).any(|two| two == b"\r\n"));
    assert!(String::from_utf8(text("INDEX.HTM")).unwrap().contains("胸部CT"));
    let directory = text("DICOMDIR");
    assert_eq!(directory.windows(5).filter(|word| word == b"IMAGE").count(), instances.len());
    let stranger = doctor.clone();
    let none = dokuei_server::authority::Reach::default();
    let refused = medium::of_case(&app.state, &stranger, none, case, false).await.unwrap_err();
    assert_eq!(refused.code().status, 404);
}
