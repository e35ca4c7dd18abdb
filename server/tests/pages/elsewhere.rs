//! Images from elsewhere: for comparison only, and only after a person has said whose they are.

use actix_web::http::StatusCode;
use dokuei_models::names::PatientName;
use dokuei_models::objects::KeptObject;
use dokuei_models::state::{CaseStudyRole, MatchState, RequestKind, Whose};
use dokuei_models::store::cases::{self, PRIOR_REMOVED};
use dokuei_models::store::images::{self, InstanceFacts, NewArrival};
use dokuei_models::store::patients::{self, Identity, PatientRow};
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_models::store::{case_events, patient_links, studies, submissions};
use dokuei_models::{Actor, CaseId, StudyId};
use dokuei_server::app::matching;
use dokuei_server::authority::{Role, Scope};
use dokuei_server::clock::Clock as _;

use super::app::TestApp;
use super::ward::Ward;

/// A CD of the case's patient, written by another house under its own number; settled.
async fn a_medium(app: &TestApp, ward: &Ward<'_>, case: CaseId, change: fn(&mut Identity)) -> (PatientRow, StudyId) {
    let (site, at) = (ward.site, app.clock.stamp());
    app.state
        .db
        .tx(move |conn| {
            let own = cases::case_get(conn, case)?.patient_id;
            let own = patients::patient_get(conn, own)?;
            let mut identity = Identity { patient_id: own.patient_id.clone(), ..own.identity() };
            change(&mut identity);
            let arrival = NewArrival {
                site,
                endpoint: None,
                user: None,
                via: "upload",
                whose: Whose::Elsewhere,
                calling_ae: String::new(),
                address: String::new(),
                at,
            };
            let arrival = images::arrival_open_in_tx(conn, &arrival)?;
            let facts = InstanceFacts {
                identity,
                issuer: "架空第二病院".into(),
                study_uid: "1.9.1".into(),
                series_uid: "1.9.1.1".into(),
                sop_instance_uid: "1.9.1.1.1".into(),
                // The case's own number: it must not be found by it.
                accession_number: "A1".into(),
                modality: "CT".into(),
                study_description: "頭部CT".into(),
                frames: 1,
                ..InstanceFacts::default()
            };
            let object = KeptObject { key: "k/cd".into(), sha256: "c".repeat(64), size: 10 };
            images::instance_keep_in_tx(conn, site, Some(arrival), &facts, &object, at)?;
            let study = submissions::study_of_uid(conn, site, "1.9.1")?.unwrap();
            studies::study_settle_in_tx(conn, study, at)?;
            matching::match_study_in_tx(conn, &Actor::system("matcher", at), study)?;
            let foreign = studies::study_get(conn, study)?.patient_id;
            Ok((patients::patient_get(conn, foreign)?, study))
        })
        .await
        .unwrap()
}

async fn priors(app: &TestApp, case: CaseId) -> Vec<StudyId> {
    let all = app.state.db.read(move |conn| cases::case_study_list(conn, case)).await.unwrap();
    all.into_iter().filter(|(_, role)| *role == CaseStudyRole::Prior).map(|(study, _)| study).collect()
}

#[actix_web::test]
async fn they_stand_beside_a_case_only_while_a_person_says_so() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (reader, id) = ward.reader("night").await;
    let (case, read, _) = ward.case_for(id, RequestKind::Reading).await;
    let (foreign, study) = a_medium(&app, &ward, case, |_| {}).await;
    let row = app.state.db.read(move |conn| studies::study_get(conn, study)).await.unwrap();
    assert_eq!((row.match_state, row.match_reason.as_deref()), (MatchState::Comparison, Some("elsewhere")));
    assert_eq!(priors(&app, case).await, [], "an equal number, name and birth date say nothing by themselves");

    let clerk = app.with_user("clerk", &[(Role::SiteClerk, Scope::Site(ward.site))]).await;
    let shown = clerk.get("/portal/elsewhere").await;
    assert_eq!(shown.status, StatusCode::OK);
    assert!(shown.body.contains("架空第二病院") && shown.body.contains("頭部CT"), "{}", shown.body);
    let own = app.state.db.read(move |conn| cases::case_get(conn, case)).await.unwrap().patient_id;
    assert!(shown.body.contains(&format!("name=\"own\" value=\"{own}\" checked")), "the one who agrees is proposed");

    let (site, own) = (ward.site.to_string(), own.to_string());
    let link = format!("/portal/elsewhere/{}/link", foreign.id);
    let said = clerk.form(&link, &[("site", &site), ("own", &own)]).await;
    assert_eq!(said.status, StatusCode::SEE_OTHER, "{}", said.body);
    assert_eq!(priors(&app, case).await, [study]);
    let again = clerk.form(&link, &[("site", &site), ("own", &own)]).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "two people do not decide one thing twice");
    let listing = reader.get(&format!("/api/v1/reads/{read}/images")).await;
    assert!(listing.body.contains("\"issuer\":\"架空第二病院\""), "the viewer names the other house: {}", listing.body);

    let in_force = foreign.id;
    let in_force = app.state.db.read(move |conn| patient_links::link_in_force(conn, in_force)).await.unwrap().unwrap();
    let undo = format!("/portal/elsewhere/links/{}/undo?site={site}", in_force.id);
    assert_eq!(clerk.form(&undo, &[("reason", "")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(clerk.form(&undo, &[("reason", "別の患者だった")]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(priors(&app, case).await, []);
    let (row, events) = app
        .state
        .db
        .read(move |conn| Ok((cases::case_get(conn, case)?, case_events::case_event_list(conn, case)?)))
        .await
        .unwrap();
    assert!(row.has_flag(PRIOR_REMOVED), "who reads it is told");
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert!(kinds.contains(&"prior_from_elsewhere") && kinds.contains(&"prior_removed"), "{kinds:?}");
}

#[actix_web::test]
async fn what_differs_is_looked_at_first() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (_, id) = ward.reader("night").await;
    let (case, _, _) = ward.case_for(id, RequestKind::Reading).await;
    let (foreign, study) = a_medium(&app, &ward, case, |identity| {
        identity.name = PatientName { alphabetic: "KAKUU^HANAKO".into(), ..PatientName::default() };
        identity.sex = "M".into();
    })
    .await;
    let clerk = app.with_user("clerk", &[(Role::SiteClerk, Scope::Site(ward.site))]).await;
    let own = app
        .state
        .db
        .read(move |conn| {
            let own = cases::case_get(conn, case)?.patient_id;
            patients::patient_get(conn, own)
        })
        .await
        .unwrap();
    let link = format!("/portal/elsewhere/{}/link", foreign.id);
    let site = ward.site.to_string();
    let fields = [("site", site.as_str()), ("own", "number"), ("patient_id", own.patient_id.as_str())];
    let said = clerk.form(&link, &fields).await;
    assert_eq!(said.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(said.body.contains("value=\"name_incomparable+sex\""), "{}", said.body);
    assert_eq!(priors(&app, case).await, [], "nothing was written");
    let row = own.id.to_string();
    let seen = [("site", site.as_str()), ("own", &row), ("seen", "name_incomparable+sex"), ("reason", "")];
    assert_eq!(clerk.form(&link, &seen).await.status, StatusCode::UNPROCESSABLE_ENTITY, "a difference needs a reason");
    let seen = [("site", site.as_str()), ("own", &row), ("seen", "name_incomparable+sex"), ("reason", "本人に確認")];
    assert_eq!(clerk.form(&link, &seen).await.status, StatusCode::SEE_OTHER);
    assert_eq!(priors(&app, case).await, [study]);
}

#[actix_web::test]
async fn another_sites_people_find_nothing_and_what_is_not_wanted_is_hidden() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let (_, id) = ward.reader("night").await;
    let (case, _, _) = ward.case_for(id, RequestKind::Reading).await;
    let (foreign, study) = a_medium(&app, &ward, case, |_| {}).await;
    let here = ward.site;
    let other = move |conn: &mut dokuei_models::Connection| {
        let row = sites::site_get(conn, here)?;
        sites::site_insert_in_tx(conn, &SiteRow { code: "b".into(), ..row })
    };
    let other = app.state.db.tx(other).await.unwrap();
    let stranger = app.with_user("stranger", &[(Role::SiteClerk, Scope::Site(other))]).await;
    let discard = format!("/portal/elsewhere/{}/discard?site={}", foreign.id, ward.site);
    assert_eq!(stranger.form(&discard, &[("reason", "x")]).await.status, StatusCode::NOT_FOUND);
    let clerk = app.with_user("clerk", &[(Role::SiteClerk, Scope::Site(ward.site))]).await;
    assert_eq!(clerk.form(&discard, &[("reason", "患者の希望")]).await.status, StatusCode::SEE_OTHER);
    let left = move |conn: &mut dokuei_models::Connection| studies::instance_list(conn, study);
    assert!(app.state.db.read(left).await.unwrap().is_empty());
    let of_him = foreign.id;
    let link = app.state.db.read(move |conn| patient_links::link_in_force(conn, of_him)).await.unwrap().unwrap();
    let undo = format!("/portal/elsewhere/links/{}/undo?site={}", link.id, ward.site);
    assert_eq!(clerk.form(&undo, &[("reason", "やはり必要")]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(app.state.db.read(left).await.unwrap().len(), 1);
    // The site's own patients are not decided on here.
    let own = app.state.db.read(move |conn| cases::case_get(conn, case)).await.unwrap().patient_id;
    let wrong = format!("/portal/elsewhere/{own}/discard?site={}", ward.site);
    assert_eq!(clerk.form(&wrong, &[("reason", "x")]).await.status, StatusCode::NOT_FOUND);
}
