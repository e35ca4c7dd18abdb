//! DICOM peers: who is let in by certificate, who is watched, and what an administrator sees of it.

use std::net::{IpAddr, TcpListener};

use actix_web::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use dokuei_dicom_gateway::ae_title::AeTitle;
use dokuei_dicom_gateway::scp::{Caller, Desk as _, Refusal};
use dokuei_dicom_gateway::tls::{CertificateFault, PeerCertificate, TlsCaller};
use dokuei_models::store::sites::{self, EndpointRow, PeerTls};
use dokuei_models::store::{endpoint_states, images, quarantine};
use dokuei_models::{EndpointId, JobId, SiteId};
use dokuei_server::app::admission::FrontDesk;
use dokuei_server::work::{Job, echo_peers};

use super::admin::{SITE, fragment, made};
use super::app::{Client, TestApp};

async fn add(app: &TestApp, row: EndpointRow) -> EndpointId {
    app.state.db.tx(move |conn| sites::endpoint_insert_in_tx(conn, &row)).await.unwrap()
}

async fn site(chief: &Client<'_>) -> SiteId {
    SiteId(made(&chief.form("/admin/sites", &SITE).await))
}

fn caller(certificate: Option<PeerCertificate>) -> Caller {
    let tls = TlsCaller { version: "TLSv1_3".into(), suite: "TLS13_AES_256_GCM_SHA384".into(), certificate };
    Caller { from: IpAddr::from([192, 0, 2, 1]), tls: Some(tls) }
}

#[actix_web::test]
async fn title_address_and_certificate_decide_together_who_comes_in() {
    let app = TestApp::init().await;
    let chief = app.administrator("chief").await;
    let site = site(&chief).await;
    let pinned = "ab".repeat(32);
    let row = EndpointRow {
        site_id: site,
        name: "PACS".into(),
        sends: true,
        ae_title: "CLINIC_A".into(),
        addresses: "192.0.2.0/24".into(),
        tls: PeerTls::Required,
        ..EndpointRow::default()
    };
    let by_authority = add(&app, row.clone()).await;
    let by_pin = EndpointRow { ae_title: "PINNED".into(), certificate_sha256: pinned.clone(), ..row.clone() };
    let by_pin = add(&app, by_pin).await;
    let ours = AeTitle::parse("DOKUEI").unwrap();
    let desk = FrontDesk::new(app.state.clone(), ours.clone());
    let admit = |title: &str, caller: Caller| {
        let (desk, ours, title) = (desk.clone(), ours.clone(), AeTitle::parse(title).unwrap());
        async move { desk.admit(&title, &ours, &caller).await.map(|peer| peer.endpoint) }
    };
    let not_after: DateTime<Utc> = Utc::now() + TimeDelta::days(10);
    let good = PeerCertificate { sha256: "cd".repeat(32), subject: "CN=a".into(), not_after, fault: None };
    let unknown = PeerCertificate { fault: Some(CertificateFault::UnknownIssuer), ..good.clone() };
    let over = PeerCertificate { fault: Some(CertificateFault::Expired), ..good.clone() };
    assert_eq!(admit("CLINIC_A", caller(Some(good.clone()))).await, Ok(by_authority));
    assert_eq!(admit("CLINIC_A", caller(None)).await, Err(Refusal::CertificateMissing));
    assert_eq!(admit("CLINIC_A", caller(Some(unknown.clone()))).await, Err(Refusal::CertificateUntrusted));
    assert_eq!(admit("CLINIC_A", caller(Some(over))).await, Err(Refusal::CertificateExpired));
    let plain = Caller { tls: None, ..caller(None) };
    assert_eq!(admit("CLINIC_A", plain).await, Err(Refusal::TlsRequired));
    let elsewhere = Caller { from: IpAddr::from([198, 51, 100, 1]), ..caller(Some(good.clone())) };
    assert_eq!(admit("CLINIC_A", elsewhere).await, Err(Refusal::AddressNotAllowed), "a certificate is no address");
    assert_eq!(admit("PINNED", caller(Some(good))).await, Err(Refusal::CertificateOther));
    let own = PeerCertificate { sha256: pinned, ..unknown };
    assert_eq!(admit("PINNED", caller(Some(own))).await, Ok(by_pin), "whoever issued it");
}

#[actix_web::test]
async fn a_watched_peer_that_is_down_shows_after_the_second_echo_and_delays_nobody() {
    let app = TestApp::init().await;
    let chief = app.administrator("chief").await;
    let site = site(&chief).await;
    let gateway = super::first_case::Gateway::start(&app, "DOKUEI").await;
    // One that takes the connection and never says a word, one that is there, one that is not.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let row = EndpointRow {
        site_id: site,
        host: "127.0.0.1".into(),
        addresses: "127.0.0.1".into(),
        watched: true,
        ..EndpointRow::default()
    };
    let named = |name: &str, title: &str, port: u16| EndpointRow {
        name: name.into(),
        ae_title: title.into(),
        port: i32::from(port),
        ..row.clone()
    };
    add(&app, named("mute", "MUTE", mute.local_addr().unwrap().port())).await;
    let down = add(&app, named("down", "DOWN", closed)).await;
    let there = EndpointRow { sends: true, ..named("there", "DOKUEI", gateway.port) };
    let there = add(&app, there).await;
    let unwatched = add(&app, EndpointRow { watched: false, ..named("other", "OTHER", closed) }).await;
    let job = || Job { id: JobId(1), key: "every".into(), payload: String::new(), attempt: 1, last_chance: false };
    let begun = std::time::Instant::now();
    echo_peers::run(app.state.clone(), job()).await.unwrap();
    assert!(begun.elapsed() < std::time::Duration::from_secs(14), "the mute one costs its own patience");
    let states = || app.state.db.read(endpoint_states::endpoint_state_list);
    let of = |states: &[endpoint_states::EndpointStateRow], id: EndpointId| {
        states.iter().find(|state| state.endpoint_id == id).cloned()
    };
    let first = states().await.unwrap();
    assert!(of(&first, there).unwrap().answered_at.is_some());
    assert_eq!(of(&first, down).unwrap().failures, 1);
    assert!(of(&first, unwatched).is_none());
    let endpoint = |id| app.state.db.read(move |conn| dokuei_models::store::submissions::endpoint_get(conn, id));
    assert!(endpoint(down).await.unwrap().last_error.is_none(), "one missed echo alarms nobody");
    echo_peers::run(app.state.clone(), job()).await.unwrap();
    assert_eq!(of(&states().await.unwrap(), down).unwrap().failures, 1, "it is not due yet");
    drop(mute);
    app.clock.advance(TimeDelta::minutes(6));
    echo_peers::run(app.state.clone(), job()).await.unwrap();
    let second = of(&states().await.unwrap(), down).unwrap();
    assert_eq!((second.failures, second.failing_since), (2, of(&first, down).unwrap().echo_at));
    assert!(endpoint(down).await.unwrap().last_error.unwrap().contains(&closed.to_string()));
    let dispatcher = app
        .with_user("dispatcher", &[(dokuei_server::authority::Role::Dispatcher, dokuei_server::authority::Scope::All)])
        .await;
    let trouble = dispatcher.get("/dispatch/trouble").await.body;
    assert!(trouble.contains("DOWN") && trouble.contains("連続2回"), "{trouble}");
    let page = chief.get("/admin/peers").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("応答なし") && page.body.contains("応答あり") && page.body.contains("見守りなし"));
}

#[actix_web::test]
async fn an_administrator_sees_what_came_why_it_was_refused_and_what_to_do() {
    let app = TestApp::init().await;
    let chief = app.administrator("chief").await;
    assert!(chief.get("/admin/peers").await.body.contains("接続先がありません"));
    let site = site(&chief).await;
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let row = EndpointRow {
        site_id: site,
        name: "PACS".into(),
        sends: true,
        ae_title: "CLINIC_A".into(),
        host: "127.0.0.1".into(),
        port: i32::from(closed),
        addresses: "192.0.2.1".into(),
        tls: PeerTls::None,
        ..EndpointRow::default()
    };
    let id = add(&app, row).await;
    let now = app.state.now();
    app.state
        .db
        .tx(move |conn| {
            let counts = [(TimeDelta::hours(1), 3), (TimeDelta::days(3), 40), (TimeDelta::days(9), 500)];
            for (ago, kept) in counts {
                let new = images::NewArrival {
                    site,
                    endpoint: Some(id),
                    user: None,
                    via: "dicom",
                    whose: dokuei_models::state::Whose::Ours,
                    calling_ae: "CLINIC_A".into(),
                    address: "192.0.2.1".into(),
                    at: now - ago,
                };
                let arrival = images::arrival_open_in_tx(conn, &new)?;
                let counts = images::ArrivalCounts { kept, repeated: 1, quarantined: 0, failed: 0, bytes: 1 };
                images::arrival_close_in_tx(conn, arrival, counts, "released", now - ago)?;
            }
            quarantine::refusal_record_in_tx(conn, "CLINIC_A", "DOKUEI", "192.0.2.1", "certificate_expired", now)?;
            quarantine::refusal_record_in_tx(conn, "", "", "192.0.2.77", "tls_not_tls", now)?;
            let shown = endpoint_states::ShownTls {
                version: "TLSv1_3".into(),
                certificate: Some(("ab".repeat(32), "CN=pacs.example".into(), now + TimeDelta::days(5))),
            };
            endpoint_states::endpoint_tls_in_tx(conn, id, now, &shown)
        })
        .await
        .unwrap();
    let list = chief.get("/admin/peers").await.body;
    assert!(list.contains("3 / 43") && list.contains("TLSあり") && list.contains("192.0.2.77"), "{list}");
    assert!(list.contains("badge-warning") && list.contains("まで"), "the certificate ends soon: {list}");
    let sheet = chief.get(&format!("/admin/peers/{id}")).await.body;
    for shown in ["CN=pacs.example", "証明書の期限外", "相手の証明書を更新し", "TLSv1_3", "0, 0, 0, 40, 0, 0, 3"]
    {
        assert!(sheet.contains(shown), "{shown}: {sheet}");
    }
    let tried = fragment(&chief, &format!("/admin/endpoints/{id}/echo")).await.body;
    assert!(
        tried.contains("名前の解決") && tried.contains("TCP接続") && !tried.contains("アソシエーション"),
        "{tried}"
    );
    assert_eq!(chief.get("/admin/peers/999").await.status, StatusCode::NOT_FOUND);
    let reader = app
        .with_user("reader", &[(dokuei_server::authority::Role::Reader, dokuei_server::authority::Scope::All)])
        .await;
    assert_eq!(reader.get("/admin/peers").await.status, StatusCode::FORBIDDEN);
}

/// One hospital's runaway export must not keep another one's stat head CT waiting.
#[actix_web::test]
async fn a_site_at_its_limit_is_turned_away_with_words_and_the_other_site_sends_on() {
    use dokuei_dicom_gateway::scu::{self, Destination, SendError, Timeouts};
    use dokuei_server::clock::Clock as _;
    let app = TestApp::init().await;
    app.clock.advance(Utc::now() - app.clock.now());
    let chief = app.administrator("chief").await;
    let one = site(&chief).await;
    let fields = super::admin::with(&SITE, &[("code", "other_clinic"), ("pool", "1")]);
    let other = SiteId(made(&chief.form("/admin/sites", &fields).await));
    let row = |site, title: &str| EndpointRow {
        site_id: site,
        name: title.into(),
        sends: true,
        ae_title: title.into(),
        addresses: "127.0.0.1".into(),
        ..EndpointRow::default()
    };
    let id = add(&app, row(one, "CLINIC_A")).await;
    add(&app, row(other, "CLINIC_B")).await;
    let gateway = super::first_case::Gateway::start(&app, "DOKUEI").await;
    let to = |calling: &str| Destination {
        host: "127.0.0.1".into(),
        port: gateway.port,
        called_ae: AeTitle::parse("DOKUEI").unwrap(),
        calling_ae: AeTitle::parse(calling).unwrap(),
        timeouts: Timeouts::default(),
        tls: None,
    };
    let image = |number: u32| {
        let bare = super::portal::image(number);
        let file = dokuei_dicom_gateway::media::normalise(bare.as_bytes()).unwrap();
        actix_web::web::Bytes::from(file.into_owned())
    };
    let page = format!("/admin/peers/{id}/limits");
    let wrong = chief.form(&page, &[("associations", "none"), ("association_objects", "2")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("value=\"none\""), "what was typed stands there still");
    let set = chief.form(&page, &[("association_objects", "2"), ("hour_megabytes", "1")]).await;
    assert_eq!(set.status, StatusCode::SEE_OTHER);

    let sent = scu::send(&to("CLINIC_A"), &[image(1), image(2), image(3)]).await.unwrap();
    assert_eq!(sent.iter().filter(|one| one.is_kept()).count(), 2);
    assert!(sent[2].is_transient(), "the third may come over another association");
    // As if it had sent a megabyte a few minutes ago.
    let now = app.state.now();
    app.state
        .db
        .tx(move |conn| {
            let new = images::NewArrival {
                site: one,
                endpoint: Some(id),
                user: None,
                via: "dicom",
                whose: dokuei_models::state::Whose::Ours,
                calling_ae: "CLINIC_A".into(),
                address: "127.0.0.1".into(),
                at: now - TimeDelta::minutes(10),
            };
            let arrival = images::arrival_open_in_tx(conn, &new)?;
            let counts = images::ArrivalCounts { kept: 1, repeated: 0, quarantined: 0, failed: 0, bytes: 1_000_000 };
            images::arrival_close_in_tx(conn, arrival, counts, "released", now - TimeDelta::minutes(5))
        })
        .await
        .unwrap();
    assert_eq!(scu::echo(&to("CLINIC_A")).await, Err(SendError::Busy));
    assert!(scu::send(&to("CLINIC_B"), &[image(4)]).await.unwrap()[0].is_kept(), "the other site is not hurt");

    let sheet = chief.get(&format!("/admin/peers/{id}")).await.body;
    for shown in [
        "1時間あたりの受信量に達した",
        "残りは後で送ってもらってください",
        "1回の接続の枚数が上限に達し",
        "value=\"2\"",
    ] {
        assert!(sheet.contains(shown), "{shown}: {sheet}");
    }
    app.clock.advance(TimeDelta::hours(2));
    scu::echo(&to("CLINIC_A")).await.unwrap();
}
