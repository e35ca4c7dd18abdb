//! Who sees what through DICOMweb, and that it is written down.

use actix_web::http::{Method, StatusCode};
use dokuei_models::state::RequestKind;
use dokuei_server::authority::{Role, Scope};

use super::made::{Made, Program, ROOT, audit, site};
use crate::accounts::add_site;
use crate::app::TestApp;
use crate::ward::Ward;

#[actix_web::test]
async fn another_sites_images_are_not_there() {
    let app = TestApp::init().await;
    let (one, program) = site(&app).await;
    let other = add_site(&app, "site_b").await;
    let stranger = Program::with(&app, "stranger", &[(Role::SiteDoctor, Scope::Site(other))]).await;
    // Both sites hold one study UID, of different patients.
    program.store(&format!("{ROOT}/studies"), &[Made::new("1.2.3", 1).part10()]).await;
    stranger.store("/dicomweb/sites/site_b/studies", &[Made::new("1.2.3", 7).part10()]).await;
    for path in ["studies", "studies/1.2.3/metadata", "studies/1.2.3", "studies/1.2.3/thumbnail"] {
        assert_eq!(stranger.get(&format!("{ROOT}/{path}"), "*/*").await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(
        stranger.store(&format!("{ROOT}/studies"), &[Made::new("1.2.9", 1).part10()]).await.status,
        StatusCode::NOT_FOUND
    );
    let own = stranger.get("/dicomweb/sites/site_b/studies/1.2.3/instances", "*/*").await.json();
    assert_eq!(own[0]["00080018"]["Value"][0], "1.2.3.1.7");
    let dispatcher = Program::with(&app, "haishin", &[(Role::Dispatcher, Scope::Site(one))]).await;
    assert_eq!(dispatcher.get(&format!("{ROOT}/studies"), "*/*").await.status, StatusCode::OK);
    assert_eq!(dispatcher.get("/dicomweb/sites/site_b/studies", "*/*").await.status, StatusCode::NOT_FOUND);
    let clerk = Program::with(&app, "jimu", &[(Role::SiteClerk, Scope::Site(one))]).await;
    assert_eq!(clerk.get(&format!("{ROOT}/studies"), "*/*").await.status, StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn a_reader_sees_his_case_and_nothing_else() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (yomu, reader) = ward.reader("yomu").await;
    let (other, _) = ward.reader("other").await;
    let (user, other_user) = (yomu.user.unwrap(), other.user.unwrap());
    let (case, ..) = ward.case_for(reader, RequestKind::Reading).await;
    let technologist = Program::with(&app, "gishi", &[(Role::SiteTechnologist, Scope::Site(ward.site))]).await;
    technologist.store("/dicomweb/sites/a/studies", &[Made::new("1.2.3", 1).part10()]).await;
    let mine = Program::of(&app, user).await;
    let root = format!("/dicomweb/cases/{case}");
    let found = mine.get(&format!("{root}/studies"), "*/*").await.json();
    assert_eq!(found.as_array().unwrap().len(), 1, "the case's, not the site's");
    let study = found[0]["0020000D"]["Value"][0].as_str().unwrap().to_owned();
    let before = audit(&app, "study.view").await.len();
    let metadata = mine.get(&format!("{root}/studies/{study}/metadata"), "*/*").await;
    assert_eq!(metadata.status, StatusCode::OK);
    assert_eq!(mine.get(&format!("{root}/studies/{study}"), "*/*").await.parts().len(), 3);
    assert_eq!(audit(&app, "study.view").await.len(), before + 1, "one row for many requests");
    assert_eq!(mine.get(&format!("{root}/studies/1.2.3"), "*/*").await.status, StatusCode::NOT_FOUND);
    assert_eq!(mine.get("/dicomweb/sites/a/studies", "*/*").await.status, StatusCode::FORBIDDEN);
    assert_eq!(
        Program::of(&app, other_user).await.get(&format!("{root}/studies"), "*/*").await.status,
        StatusCode::NOT_FOUND
    );
    app.clock.advance(chrono::TimeDelta::minutes(20));
    mine.get(&format!("{root}/studies/{study}/thumbnail"), "*/*").await;
    assert_eq!(audit(&app, "study.view").await.len(), before + 2, "looked at again");
}

#[actix_web::test]
async fn without_a_setting_no_other_origin_is_answered() {
    let app = TestApp::init().await;
    let (_, program) = site(&app).await;
    let headers = [("origin", "https://viewer.example"), ("access-control-request-method", "GET")];
    let asked = program.send(Method::OPTIONS, &format!("{ROOT}/studies"), &headers, Vec::new()).await;
    assert_ne!(asked.status, StatusCode::NO_CONTENT);
    assert!(asked.headers.get("access-control-allow-origin").is_none());
}
