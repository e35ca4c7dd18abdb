//! A newcomer's first hour: an empty installation, set up only through the pages, until the first image that comes by
//! C-STORE is on a reader's worklist, signed, and on the bill.

use std::sync::Arc;

use actix_web::http::StatusCode;
use chrono::{TimeDelta, Utc};
use dokuei_demo::dicom::Instance;
use dokuei_dicom_gateway::ae_title::AeTitle;
use dokuei_dicom_gateway::intake::IndexedArchive;
use dokuei_dicom_gateway::scp::{self, Limits, ScpConfig};
use dokuei_dicom_gateway::scu::{self, Destination, SendError, Timeouts};
use dokuei_models::japan;
use dokuei_models::store::{billable_events, readers};
use dokuei_server::app::admission::FrontDesk;
use dokuei_server::authority::{Role, Scope};
use dokuei_server::clock::Clock as _;
use dokuei_server::work::{Worker, kinds};

use super::admin::{SITE, htmx, made, with};
use super::app::{Client, TestApp};

/// The house's own receiver, under an AE title, on a free port.
pub struct Gateway {
    pub port: u16,
    task: tokio::task::JoinHandle<()>,
}

impl Gateway {
    pub async fn start(app: &TestApp, title: &str) -> Self {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let ae_title = AeTitle::parse(title).unwrap();
        let config = ScpConfig { ae_title: ae_title.clone(), limits: Limits::default() };
        let desk = FrontDesk::new(app.state.clone(), ae_title);
        let archive = Arc::new(IndexedArchive::new(app.state.db.clone(), app.state.objects.clone()));
        let task = tokio::spawn(scp::serve(listener, config, desk, archive, app.state.stop.clone()));
        Self { port, task }
    }

    /// A hospital that calls itself `calling`.
    fn called_by(&self, calling: &str) -> Destination {
        Destination {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            called_ae: AeTitle::parse("DOKUEI").unwrap(),
            calling_ae: AeTitle::parse(calling).unwrap(),
            timeouts: Timeouts::default(),
            tls: None,
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn work(app: &TestApp) {
    let worker = Worker::new(app.state.clone(), "test", kinds::all());
    while worker.work_once().await.unwrap() {}
}

/// How many of the first steps are ticked.
async fn ticks(chief: &Client<'_>) -> usize {
    let home = chief.get("/").await;
    if home.status == StatusCode::SEE_OTHER {
        return 8;
    }
    home.body.matches("<li class=\"done\">").count()
}

#[actix_web::test]
async fn a_newcomer_clicks_an_empty_house_together_until_the_first_case_is_read_and_billed() {
    let app = TestApp::init().await;
    // Images carry the wall clock's time of arrival.
    app.clock.advance(Utc::now() - app.clock.now());
    let chief = app.administrator("chief").await;
    assert_eq!(ticks(&chief).await, 0);
    let gateway = Gateway::start(&app, "DOKUEI").await;

    // The hospital is impatient: it calls before anybody has heard of it.
    let hospital = gateway.called_by("CLINIC_A");
    assert_eq!(scu::echo(&hospital).await, Err(SendError::CallingNotRecognized(hospital.calling_ae.clone())));
    let site = made(&chief.form("/admin/sites", &SITE).await).to_string();
    assert_eq!(ticks(&chief).await, 1);
    let strangers = chief.get("/admin/sites").await;
    assert!(strangers.body.contains("name=\"ae\" value=\"CLINIC_A\""), "{}", strangers.body);
    let form = chief.get("/admin/endpoints/new?ae=CLINIC_A&address=127.0.0.1").await;
    assert!(form.body.contains("value=\"CLINIC_A\"") && form.body.contains("value=\"127.0.0.1\""));
    let peer = [
        ("site", site.as_str()),
        ("name", "PACS"),
        ("ae_title", "CLINIC_A"),
        ("sends", "true"),
        ("addresses", "127.0.0.1"),
        ("active", "true"),
    ];
    assert_eq!(chief.form("/admin/endpoints", &peer).await.status, StatusCode::SEE_OTHER);
    assert_eq!(scu::echo(&hospital).await, Ok(()));
    let settled = chief.get("/admin/sites").await;
    assert!(!settled.body.contains("name=\"ae\""), "whoever may call now is no stranger");

    let today = (app.clock.now() + TimeDelta::hours(9)).date_naive().to_string();
    let first_day = ("from_day", today.as_str());
    let tariff = made(&chief.form("/admin/tariffs", &[("name", "標準"), first_day]).await);
    let price = [("first", "3000"), ("further", "1500"), ("reader", "1800")];
    chief.form(&format!("/admin/tariffs/{tariff}/prices"), &price).await;
    let terms = [
        ("tariff_name", "標準"),
        first_day,
        ("due_stat_minutes", "60"),
        ("due_urgent_minutes", "120"),
        ("due_priority_minutes", "480"),
        ("due_routine_minutes", "1440"),
        ("price_day", "signing"),
    ];
    assert_eq!(chief.form(&format!("/admin/sites/{site}/contracts"), &terms).await.status, StatusCode::SEE_OTHER);
    assert_eq!(ticks(&chief).await, 4);
    let bare = chief.form(&format!("/admin/tariffs/{tariff}/remove"), &[]).await;
    assert_eq!(bare.status, StatusCode::CONFLICT, "without it the contract would price everything at nothing");

    let shown = chief.form("/admin/users", &[("login", "yomu"), ("name_ja", "見本 読影"), ("role", "reader")]).await;
    let password = shown.body.split("data-password>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let user = shown.body.split("/admin/readers/new?user=").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let form = chief.get(&format!("/admin/readers/new?user={user}")).await;
    let pool = form.body.split("name=\"pool\"").nth(1).unwrap().split("value=\"").nth(1).unwrap();
    let pool = pool.split('"').next().unwrap().to_owned();
    let facts =
        [("user", user.as_str()), ("pool", &pool), ("pace", "1"), ("capacity_minutes", "480"), ("active", "true")];
    let reader = made(&chief.form("/admin/readers", &facts).await).to_string();
    chief.form(&format!("/admin/readers/{reader}/privileges"), &[("site", &site), first_day]).await;
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(|day| (day, "true"));
    let week = with(&days, &[("start", "00:00"), ("end", "00:00"), ("place", "onsite")]);
    assert_eq!(chief.form(&format!("/admin/readers/{reader}/shifts"), &week).await.status, StatusCode::SEE_OTHER);
    assert_eq!(ticks(&chief).await, 7);
    for region in dokuei_terms::Region::all().filter(|region| region.parent().is_none()) {
        let cell = [("reader", reader.as_str()), ("region", region.code()), ("modality", "CT"), ("value", "70")];
        let saved = htmx(&chief, "/skills/cells", &cell).await;
        assert_eq!(saved.status, StatusCode::OK, "{}", saved.body);
    }
    assert_eq!(chief.get("/").await.header("location"), "/admin/sites", "nothing is left to set up");

    let start = app.clock.stamp();
    let exam = dokuei_demo::day(7, start, None).find(|exam| exam.study.series[0].modality == "CT").unwrap();
    let files: Vec<bytes::Bytes> =
        Instance::of_series(&exam.study, 0).take(3).map(|one| one.part10().unwrap().into()).collect();
    let sent = scu::send(&hospital, &files).await.unwrap();
    assert!(sent.iter().all(scu::Sent::is_kept), "{sent:?}");
    let sheet = chief.get(&format!("/admin/sites/{site}")).await;
    assert!(sheet.body.contains(&japan::day(start).to_string()));
    app.clock.advance(TimeDelta::seconds(30));
    work(&app).await;

    let yomu = app.sign_in("yomu", &password).await;
    let list = yomu.get("/worklist").await;
    assert_eq!(list.status, StatusCode::OK);
    assert!(list.body.contains("架空クリニック"), "the case is on the list: {}", list.body);
    let read = list.body.split("/reads/").nth(1).unwrap().split(['/', '"']).next().unwrap().to_owned();
    let started = yomu.form(&format!("/reads/{read}/start"), &[]).await;
    assert_eq!(started.status, StatusCode::SEE_OTHER, "{}", started.body);
    let text = [("revision", "0"), ("findings", "異常所見なし"), ("impression", "異常なし")];
    assert_eq!(yomu.form(&format!("/reads/{read}/draft"), &text).await.status, StatusCode::OK);
    let signed = yomu.form(&format!("/reads/{read}/sign"), &[("revision", "1"), ("password", &password)]).await;
    assert_eq!(signed.status, StatusCode::OK, "{}", signed.body);

    let month = today[..7].to_owned();
    let lines =
        app.state.db.read(move |conn| billable_events::billable_event_list_named(conn, &month, None)).await.unwrap();
    let lines: Vec<_> = lines.into_iter().map(|line| line.row).collect();
    let yen =
        |kind: &str| lines.iter().filter(|line| line.kind == kind).map(|line| line.amount_yen).collect::<Vec<_>>();
    assert_eq!(yen("reading").first(), Some(&3000));
    assert!(yen("reader_fee").iter().all(|fee| *fee == 1800));

    // What a bill was made with stays as it is.
    let changed = chief.form(&format!("/admin/tariffs/{tariff}/prices"), &[("first", "1")]).await;
    assert_eq!(changed.status, StatusCode::CONFLICT);
    assert!(chief.get(&format!("/admin/tariffs/{tariff}")).await.body.contains("この版で請求明細が作られた"));
    let sooner = htmx(&chief, &format!("/admin/tariffs/{tariff}/next"), &[first_day]).await;
    assert_eq!(sooner.status, StatusCode::UNPROCESSABLE_ENTITY);
    let later = (app.clock.now() + TimeDelta::days(30)).date_naive().to_string();
    let next = made(&chief.form(&format!("/admin/tariffs/{tariff}/next"), &[("from_day", &later)]).await);
    let fields = [("first", "3300"), ("further", "1500"), ("reader", "1800")];
    assert_eq!(chief.form(&format!("/admin/tariffs/{next}/prices"), &fields).await.status, StatusCode::SEE_OTHER);
    assert_eq!(chief.form(&format!("/admin/tariffs/{tariff}/remove"), &[]).await.status, StatusCode::CONFLICT);
    let clerk = app.with_user("clerk", &[(Role::Billing, Scope::All)]).await;
    assert!(clerk.get("/billing").await.body.contains("¥3,000"));
    // Who has left is still owed his fee.
    app.state
        .db
        .tx(|conn| {
            let mut row = readers::reader_list_all(conn)?.remove(0).0;
            row.active = false;
            readers::reader_update_in_tx(conn, &row)
        })
        .await
        .unwrap();
    assert!(clerk.get("/billing").await.body.contains("見本 読影"));
}
