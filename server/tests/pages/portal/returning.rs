//! A signed report goes back to its site, by C-STORE to DCMTK's receiver too.

use std::process::{Child, Command, Stdio};

use actix_web::http::StatusCode;
use bytes::Bytes;
use chrono::TimeDelta;
use dokuei_models::state::{
    CaseEvent, CaseState, DeliveryContent, DeliveryKind, DeliveryState, VersionState, case_apply_in_tx,
};
use dokuei_models::store::deliveries::{self, NewDelivery};
use dokuei_models::store::readers::{self, ReaderRow};
use dokuei_models::store::sites;
use dokuei_models::store::{artefacts, cases, reads, reports};
use dokuei_models::{Actor, CaseId, EndpointId, PoolId, ReaderId, ReportVersionId, SiteId};
use dokuei_server::app::returns;
use dokuei_server::authority::{Role, Scope};
use dokuei_server::clock::Clock as _;

use super::super::app::TestApp;
use super::{STUDY, house, submitted, work};

/// DCMTK's receiver on a free port, or nothing where it is not installed.
struct Storescp {
    child: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Storescp {
    fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let started = Command::new("storescp")
            .args(["--aetitle", "PACS_A", "--output-directory"])
            .arg(folder.path())
            .arg(port.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match started {
            Ok(child) => {
                for _ in 0..100 {
                    if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                        break;
                    }
                    std::thread::sleep(std::time::Duration::from_millis(50));
                }
                Some(Self { child, folder, port })
            }
            Err(error) if std::env::var("DOKUEI_TEST_PEERS").as_deref() == Ok("required") => {
                panic!("storescp: {error}")
            }
            Err(_) => {
                eprintln!("the return over C-STORE is NOT tested: storescp is not installed");
                None
            }
        }
    }

    fn files(&self) -> Vec<Vec<u8>> {
        std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| std::fs::read(entry.unwrap().path()).unwrap())
            .collect()
    }
}

impl Drop for Storescp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const PDF: &[u8] = b"%PDF-1.7 a signed report";

/// Signs a version of the case and owes it to the portal, by mail, and to a DICOM node.
async fn signed(app: &TestApp, case: CaseId, pool: PoolId, endpoint: Option<EndpointId>) -> ReportVersionId {
    let user = app.add_user("reader", &[(Role::Reader, Scope::All)]).await;
    let object = app.state.objects.keep("reports", Bytes::from_static(PDF)).await.unwrap();
    let at = app.clock.stamp();
    app.state
        .db
        .tx(move |conn| {
            let actor = Actor::system("test", at);
            let row = ReaderRow {
                id: ReaderId(0),
                user_id: user,
                pool_id: pool,
                qualification: String::new(),
                pace: 1.0,
                capacity_minutes: 480,
                logged_in: true,
                paused: false,
                presence_at: None,
                active: true,
                version: 1,
            };
            let reader = readers::reader_insert_in_tx(conn, &row)?;
            let read = reads::read_list_of_case(conn, case)?[0].id;
            case_apply_in_tx(conn, &actor, case, &CaseEvent::StartReading { read })?;
            let draft = reports::draft_open_in_tx(conn, read, reader, user, "", at)?;
            reports::version_sign_in_tx(conn, draft.id, 0, VersionState::Final, "", user, at)?;
            artefacts::artefact_add_in_tx(conn, draft.id, artefacts::PDF, &object, at)?;
            case_apply_in_tx(conn, &actor, case, &CaseEvent::Report { version: Some(draft.id) })?;
            let mut to = vec![
                (DeliveryKind::Portal, None, "portal", true),
                (DeliveryKind::Mail, None, "dept@hospital.example", false),
            ];
            to.extend(endpoint.map(|endpoint| (DeliveryKind::Dicom, Some(endpoint), "PACS_A", true)));
            for (kind, endpoint, destination, required) in to {
                let destination = destination.to_owned();
                let content = DeliveryContent::Report;
                let new = NewDelivery { case, version: draft.id, content, kind, endpoint, destination, required, at };
                deliveries::delivery_create_in_tx(conn, &new)?;
            }
            Ok(draft.id)
        })
        .await
        .unwrap()
}

async fn endpoint(app: &TestApp, site: SiteId, port: u16) -> EndpointId {
    app.state
        .db
        .tx(move |conn| {
            let row = sites::EndpointRow {
                site_id: site,
                name: "PACS".to_owned(),
                sends: false,
                receives: true,
                ae_title: "PACS_A".to_owned(),
                host: "127.0.0.1".to_owned(),
                port: i32::from(port),
                addresses: String::new(),
                ..sites::EndpointRow::default()
            };
            sites::endpoint_insert_in_tx(conn, &row)
        })
        .await
        .unwrap()
}

#[actix_web::test]
async fn a_signed_report_goes_back_and_only_a_doctor_accepts_it() {
    let (app, pool, site_id) = house().await;
    let gishi = app.with_user("gishi", &[(Role::SiteTechnologist, Scope::Site(site_id))]).await;
    let doctor = app.with_user("isha", &[(Role::SiteDoctor, Scope::Site(site_id))]).await;
    let case = submitted(&app, &gishi, site_id).await;
    let peer = Storescp::start();
    let node = match &peer {
        Some(peer) => Some(endpoint(&app, site_id, peer.port).await),
        None => None,
    };
    let version = signed(&app, case, pool, node).await;
    let early = doctor.form(&format!("/portal/versions/{version}/accept"), &[]).await;
    assert_eq!(early.status, StatusCode::CONFLICT, "not before the return");
    work(&app).await;
    let (row, owed) = app
        .state
        .db
        .read(move |conn| Ok((cases::case_get(conn, case)?, deliveries::delivery_list_of_case(conn, case)?)))
        .await
        .unwrap();
    assert_eq!(row.state, CaseState::Returned, "{owed:?}");
    let mail = owed.iter().find(|one| one.kind == DeliveryKind::Mail).unwrap();
    assert_eq!((mail.state, mail.attempts), (DeliveryState::Pending, 0), "it waits for a mail server");
    assert!(mail.last_error.as_deref().unwrap().contains("mail.host"));
    if let Some(peer) = &peer {
        let files = peer.files();
        assert_eq!(files.len(), 1);
        let header = dokuei_dicom_gateway::header::read_file(&files[0]).unwrap();
        assert_eq!(header.study_uid.as_str(), STUDY, "in the original study");
        assert_eq!(
            (header.patient.id.as_str(), header.patient.name.ideographic()),
            ("0042", "架空^花子"),
            "letter by letter"
        );
        assert!(files[0].windows(PDF.len()).any(|window| window == PDF), "the PDF's bytes are untouched");
    }

    let path = format!("/portal/versions/{version}/report.pdf");
    let pdf = gishi.get(&path).await;
    assert_eq!((pdf.status, pdf.header("content-type")), (StatusCode::OK, "application/pdf"));
    let facts = |app: &TestApp| {
        let db = app.state.db.clone();
        async move { db.read(move |conn| dokuei_models::store::recipients::recipient_list(conn, &[case])).await.unwrap() }
    };
    assert!(facts(&app).await.iter().all(|one| one.opened_at.is_none()), "the technologist is no recipient");
    doctor.get(&path).await;
    assert!(facts(&app).await[0].opened_at.is_some() && facts(&app).await[0].accepted_at.is_none());
    let refused = gishi.form(&format!("/portal/versions/{version}/accept"), &[]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let accepted = doctor.form(&format!("/portal/versions/{version}/accept"), &[]).await;
    assert_eq!(accepted.status, StatusCode::SEE_OTHER, "{}", accepted.body);
    let acted = doctor
        .form(&format!("/portal/versions/{version}/act"), &[("case", &case.to_string()), ("note", "再検査を手配")])
        .await;
    assert_eq!(acted.status, StatusCode::SEE_OTHER, "{}", acted.body);
    let row = app.state.db.read(move |conn| cases::case_get(conn, case)).await.unwrap();
    assert_eq!(row.state, CaseState::Acknowledged);
    let page = doctor.get(&format!("/portal/cases/{case}")).await;
    assert!(page.body.contains("再検査を手配") && page.body.contains("確認済みです"), "{}", page.body);
    assert!(doctor.get("/portal/reports").await.body.contains("架空 花子"));
    let late = gishi.form(&format!("/portal/requests/{}/cancel", row.request_id), &[("reason", "x")]).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "nothing signed is cancelled");
}

#[actix_web::test]
async fn a_peer_that_is_off_is_tried_again_and_a_person_can_give_it_up() {
    let (app, pool, site_id) = house().await;
    let who = app.with_user("gishi", &[(Role::SiteTechnologist, Scope::Site(site_id))]).await;
    let case = submitted(&app, &who, site_id).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let node = endpoint(&app, site_id, closed).await;
    signed(&app, case, pool, Some(node)).await;
    let of_case = |app: &TestApp| {
        let db = app.state.db.clone();
        async move {
            let all = db.read(move |conn| deliveries::delivery_list_of_case(conn, case)).await.unwrap();
            all.into_iter().find(|one| one.kind == DeliveryKind::Dicom).unwrap()
        }
    };
    work(&app).await;
    let first = of_case(&app).await;
    assert_eq!((first.state, first.attempts), (DeliveryState::Pending, 1));
    let error = first.last_error.clone().unwrap();
    assert!(error.contains(&format!("127.0.0.1:{closed}")), "{error}");
    for _ in 0..deliveries::DELIVERY_ATTEMPTS {
        app.clock.advance(TimeDelta::minutes(11));
        work(&app).await;
    }
    let dead = of_case(&app).await;
    assert_eq!(dead.state, DeliveryState::Dead);
    let actor = Actor::system("test", app.clock.stamp());
    assert!(returns::give_up(&app.state, actor.clone(), dead.id, " ").await.is_err(), "a reason is needed");
    returns::give_up(&app.state, actor, dead.id, "廃止").await.unwrap();
    let row = app.state.db.read(move |conn| cases::case_get(conn, case)).await.unwrap();
    assert_eq!(row.state, CaseState::Returned);
}
