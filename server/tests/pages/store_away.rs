//! The object store is away when a person has something to be kept: nothing is half done, and he hears what to do.

use std::path::PathBuf;

use actix_web::http::StatusCode;
use dokuei_models::objects::ObjectsUrl;
use dokuei_models::state::{CaseState, RequestKind, VersionState};
use dokuei_server::authority::{Role, Scope};

use super::app::{PASSWORD, TestApp};
use super::reading::{case_state, draft, sign, versions};
use super::ward::Ward;

/// The store of reports takes nothing while this is there: a file lies where their folder should be.
struct Away(PathBuf);

impl Away {
    fn begin(app: &TestApp) -> Self {
        let Ok(ObjectsUrl::Folder(folder)) = app.state.config.objects.url.parse() else { panic!("a folder") };
        let reports = folder.join("reports");
        if reports.is_dir() {
            std::fs::rename(&reports, folder.join("reports-before")).unwrap();
        }
        std::fs::write(&reports, b"in the way").unwrap();
        Self(reports)
    }

    fn end(self) {
        std::fs::remove_file(&self.0).unwrap();
        let before = self.0.with_file_name("reports-before");
        if before.is_dir() {
            std::fs::rename(before, self.0).unwrap();
        }
    }
}

/// Why it matters: who takes a report for signed that is not goes home.
#[actix_web::test]
async fn a_report_that_cannot_be_kept_is_not_signed_and_its_reader_hears_what_to_do() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (reader, id) = ward.reader("night").await;
    let (case, read, _) = ward.case_for(id, RequestKind::Reading).await;
    reader.form(&format!("/reads/{read}/start"), &[]).await;
    draft(&reader, read, 0, "右下葉に浸潤影").await;
    let away = Away::begin(&app);
    let refused = sign(&reader, read, 1, PASSWORD).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{}", refused.body);
    assert!(
        refused.body.contains("署名していません") && refused.body.contains("下書きは残っています"),
        "{}",
        refused.body
    );
    assert_eq!(refused.header("retry-after"), "60");
    assert_eq!(case_state(&app, case).await, CaseState::Reading);
    assert_eq!(versions(&app, case).await[0].state, VersionState::Draft);
    assert!(reader.get(&format!("/reads/{read}")).await.body.contains("右下葉に浸潤影"));
    away.end();
    assert_eq!(sign(&reader, read, 1, PASSWORD).await.status, StatusCode::OK, "a few minutes later");

    let director = app.with_user("director", &[(Role::ReadingDirector, Scope::Pool(ward.pool))]).await;
    let fields = [("reason", "患者の取り違え"), ("confirm", "yes")];
    let away = Away::begin(&app);
    let refused = director.form(&format!("/cases/{case}/withdraw"), &fields).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{}", refused.body);
    assert!(refused.body.contains("取り消していません") && refused.body.contains("電話"), "{}", refused.body);
    assert_eq!(case_state(&app, case).await, CaseState::Reported, "the report is in force as before");
    away.end();
    let withdrawn = director.form(&format!("/cases/{case}/withdraw"), &fields).await;
    assert_eq!(withdrawn.status, StatusCode::SEE_OTHER, "{}", withdrawn.body);
}
