//! A case as portable data: what a person gets is a file-set that others read.

use std::io::{Cursor, Read as _};

use dokuei_models::state::{CaseStudyRole, RequestKind};
use dokuei_models::store::{cases, studies};
use dokuei_models::{CaseId, SiteId};
use dokuei_server::app::{medium, sessions};
use dokuei_server::authority::{Person, Role, Scope, rights};

use zip::ZipArchive;

use super::app::TestApp;
use super::dicomweb::made::{JPEG, Made, Pixels, Program};
use super::ward::Ward;

async fn person(app: &TestApp, login: &str, site: SiteId) -> Person {
    let client = app.with_user(login, &[(Role::SiteDoctor, Scope::Site(site))]).await;
    let token = client.cookie.as_deref().unwrap().split_once('=').unwrap().1.to_owned();
    sessions::person_of_session(&app.state, &token, "").await.unwrap().unwrap()
}

/// What a person gets.
async fn taken(app: &TestApp, who: &Person, case: CaseId, priors: bool) -> ZipArchive<Cursor<Vec<u8>>> {
    let reach = who.reach::<rights::SeeReports>();
    let mut chunks = medium::of_case(&app.state, who, reach, case, priors).await.unwrap();
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.recv().await {
        bytes.extend_from_slice(&chunk.unwrap());
    }
    ZipArchive::new(Cursor::new(bytes)).unwrap()
}

fn file(zip: &mut ZipArchive<Cursor<Vec<u8>>>, name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    zip.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

#[actix_web::test]
async fn a_case_becomes_a_file_set_with_its_directory() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (_, id) = ward.reader("night").await;
    let (case, _, instances) = ward.case_for(id, RequestKind::Reading).await;
    let doctor = person(&app, "exporter", ward.site).await;
    let mut zip = taken(&app, &doctor, case, false).await;
    let names: Vec<String> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    assert_eq!(names.iter().filter(|name| name.starts_with("DICOM/")).count(), instances.len(), "{names:?}");
    for name in &names {
        let short = |part: &str| {
            let (stem, end) = part.split_once('.').unwrap_or((part, ""));
            stem.len() <= 8 && end.len() <= 3 && !part.chars().any(|c| c.is_ascii_lowercase())
        };
        assert!(name.split('/').all(short), "{name} is not of eight letters and three");
    }
    let mut text = |name: &str| file(&mut zip, name);
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

/// What cannot be decoded is not left out: it goes as it came, and the medium says which file it is and what to open it
/// with.
#[actix_web::test]
async fn what_cannot_be_decompressed_is_on_the_medium_as_it_came() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (_, id) = ward.reader("night").await;
    let (case, _, instances) = ward.case_for(id, RequestKind::Reading).await;
    let sender = Program::with(&app, "gishi", &[(Role::SiteTechnologist, Scope::Site(ward.site))]).await;
    let mut made = Made::new("1.2.826.77", 9);
    made.pixels = Pixels::Encapsulated(vec![vec![b"this is no JPEG".to_vec()]], true);
    let stored = sender.store("/dicomweb/sites/a/studies", &[made.part10()]).await;
    assert_eq!(stored.status, 200, "{stored:?}");
    let site = ward.site;
    let joined = move |conn: &mut dokuei_models::Connection| {
        let study = studies::study_list_newest(conn, &[site], &[], 1)?.remove(0);
        cases::case_study_add_in_tx(conn, case, study.id, CaseStudyRole::Prior)
    };
    app.state.db.tx(joined).await.unwrap();
    let doctor = person(&app, "exporter", ward.site).await;
    let mut zip = taken(&app, &doctor, case, true).await;
    let files: Vec<String> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    assert_eq!(files.iter().filter(|name| name.starts_with("DICOM/")).count(), instances.len() + 1);
    let stored = file(&mut zip, "DICOM/ST000002/SE000001/IM000001");
    assert!(stored.ends_with(&made.dataset()), "byte for byte behind file meta information of our own");
    for page in ["README.TXT", "INDEX.HTM"] {
        let text = String::from_utf8(file(&mut zip, page)).unwrap();
        let line = text.lines().find(|line| line.contains(JPEG)).unwrap_or_else(|| panic!("{page}: {text}"));
        assert!(line.contains("DICOM/ST000002/SE000001/IM000001"), "{line}");
        assert!(!line.contains("too large"), "{line}");
    }
    let without = file(&mut taken(&app, &doctor, case, false).await, "README.TXT");
    assert!(!String::from_utf8(without).unwrap().contains("AS RECEIVED"));
}
