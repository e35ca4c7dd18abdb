//! Measures a full pool: planning it and showing it, in one process, and prints a table.
//!
//! `cargo run --example busy_pool [-- CASES READERS]`: 1,000 open cases and 80 readers on shift over SQLite, with
//! invented patients. A plan is what the job `plan` does: loaded, solved, applied. A page is what the server needs
//! from the request's arrival to the last byte of its answer, signing in excluded; the network is not in it.

#[path = "../tests/pages/app.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "shared with the page tests")]
mod app;

use std::ops::Range;
use std::time::{Duration, Instant};

use actix_web::test;
use chrono::TimeDelta;
use dokuei_assigner::Budget;
use dokuei_models::names::PatientName;
use dokuei_models::state::{CaseEvent, OrphanRule, Place, ReadKind, RequestKind, Source, case_apply_in_tx};
use dokuei_models::store::cases::{self, CasePart, NewCase};
use dokuei_models::store::patients::{self, Identity};
use dokuei_models::store::readers::{self, ReaderRow, SkillCell};
use dokuei_models::store::requests::{self, NewRequest};
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_models::store::{leases, shifts};
use dokuei_models::{Actor, Connection, PoolId, ReaderId, SiteId, StoreError, UserId};
use dokuei_server::app::planning;
use dokuei_server::authority::{Role, Scope};
use dokuei_server::clock::Clock as _;
use dokuei_server::http;
use dokuei_terms::{Modality, Part, Priority};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use self::app::TestApp;

type Anyhow<T> = Result<T, Box<dyn std::error::Error>>;

/// What arrives at a reading centre: region, modality, minutes, weight.
const KINDS: &[(&str, Modality, f64, u32)] = &[
    ("chest", Modality::Radiograph, 3.0, 30),
    ("chest.lung", Modality::Ct, 12.0, 14),
    ("abdomen", Modality::Ct, 14.0, 14),
    ("head.brain", Modality::Ct, 8.0, 10),
    ("head.brain", Modality::Mr, 14.0, 12),
    ("spine.lumbar", Modality::Mr, 15.0, 8),
    ("lower.knee", Modality::Mr, 14.0, 6),
    ("abdomen", Modality::Ultrasound, 6.0, 4),
    ("chest.breast", Modality::Mammography, 4.0, 2),
];

#[actix_web::main]
async fn main() -> Anyhow<()> {
    let mut given = std::env::args().skip(1).map(|text| text.parse::<u64>());
    let cases = given.next().transpose()?.unwrap_or(1000);
    let readers = given.next().transpose()?.unwrap_or(80);
    let app = TestApp::init().await;
    let (pool, site) = app.state.db.tx(a_site).await?;
    let mut logins = Vec::new();
    for number in 0..readers {
        let login = format!("reader{number}");
        let user = app.add_user(&login, &[(Role::Reader, Scope::Pool(pool))]).await;
        app.state.db.tx(move |conn| a_reader(conn, pool, site, user)).await?;
        logins.push(login);
    }
    let now = app.clock.stamp();
    app.state.db.tx(move |conn| shifts::shift_extend_in_tx(conn, now)).await?;
    app.state.db.tx(move |conn| the_cases(conn, pool, site, 0..cases, &Actor::system("bench", now))).await?;

    println!("{cases} open cases x {readers} readers, SQLite, one process");
    println!("| what | load ms | solve ms | apply ms | whole ms | gap |\n|---|---|---|---|---|---|");
    plan(&app, pool, "first plan: every read is given out").await?;
    app.clock.advance(TimeDelta::seconds(30));
    plan(&app, pool, "plan again, half a minute later").await?;
    let now = app.clock.stamp();
    app.state.db.tx(move |conn| the_cases(conn, pool, site, cases..cases + 1, &Actor::system("bench", now))).await?;
    plan(&app, pool, "plan again, one case has come").await?;

    println!("\n| page | median ms | 95th percentile | worst | bytes |\n|---|---|---|---|---|");
    let service = test::init_service(http::application(app.state.clone())).await;
    let mut clients = Vec::new();
    for login in &logins {
        clients.push(app.sign_in(login, app::PASSWORD).await.cookie.unwrap_or_default());
    }
    let dispatcher = app.with_user("dispatcher", &[(Role::Dispatcher, Scope::Pool(pool))]).await;
    let board = vec![dispatcher.cookie.clone().unwrap_or_default()];
    // The first look at a list writes that it was seen; both are measured, apart.
    for (name, path, cookies, times) in [
        ("worklist, first look", "/worklist", &clients, 1),
        ("worklist", "/worklist", &clients, 5),
        ("board", "/dispatch", &board, 60),
    ] {
        let (mut took, mut bytes) = (Vec::new(), 0);
        for cookie in cookies.iter().cycle().take(cookies.len() * times) {
            let request = test::TestRequest::get()
                .uri(path)
                .insert_header(("accept", "text/html"))
                .insert_header(("cookie", cookie.as_str()))
                .peer_addr(([192, 0, 2, 7], 40_000).into())
                .to_request();
            let begun = Instant::now();
            let answer = test::call_service(&service, request).await;
            if !answer.status().is_success() {
                return Err(format!("{path}: {}", answer.status()).into());
            }
            bytes = bytes.max(test::read_body(answer).await.len());
            took.push(begun.elapsed());
        }
        took.sort_unstable();
        let at = |share: f64| ms(took[((took.len() - 1) as f64 * share) as usize]);
        println!("| {name} | {:.1} | {:.1} | {:.1} | {bytes} |", at(0.5), at(0.95), at(1.0));
    }
    Ok(())
}

fn ms(length: Duration) -> f64 {
    length.as_secs_f64() * 1e3
}

async fn plan(app: &TestApp, pool: PoolId, name: &str) -> Anyhow<()> {
    let now = app.clock.stamp();
    let whole = Instant::now();
    let lease = planning::lease_name(pool);
    let taken = app
        .state
        .db
        .tx(move |conn| leases::lease_take_in_tx(conn, &lease, name_of_holder(), now, TimeDelta::seconds(30)))
        .await?;
    let fencing = taken.ok_or("another holds the lease")?;
    let begun = Instant::now();
    let snapshot = app.state.db.read(move |conn| planning::snapshot(conn, pool, now)).await?;
    let load = begun.elapsed();
    let begun = Instant::now();
    let (snapshot, made) = tokio::task::spawn_blocking(move || {
        let made = dokuei_assigner::plan(&snapshot.problem, 1, &Budget::default(), &|| 0.0);
        (snapshot, made)
    })
    .await?;
    let (made, solve) = (made?, begun.elapsed());
    let gap = made.headline().map_or(0.0, |level| level.gap * 100.0);
    let begun = Instant::now();
    let actor = Actor::system("planner", now);
    app.state.db.tx(move |conn| planning::apply_in_tx(conn, &actor, &snapshot, &made, fencing, 0)).await?;
    let apply = begun.elapsed();
    let lease = planning::lease_name(pool);
    app.state.db.tx(move |conn| leases::lease_release_in_tx(conn, &lease, name_of_holder(), now)).await?;
    println!(
        "| {name} | {:.0} | {:.0} | {:.0} | {:.0} | {gap:.2} % |",
        ms(load),
        ms(solve),
        ms(apply),
        ms(whole.elapsed())
    );
    Ok(())
}

fn name_of_holder() -> &'static str {
    "bench"
}

fn a_site(conn: &mut Connection) -> Result<(PoolId, SiteId), StoreError> {
    let pool = sites::pool_insert_in_tx(conn, "bench", "群", "Pool")?;
    let row = SiteRow {
        id: SiteId(0),
        pool_id: pool,
        code: "a".into(),
        name_ja: "架空病院".into(),
        name_en: "Invented Hospital".into(),
        refers: true,
        reads: false,
        insured: true,
        institution_code: None,
        phone: String::new(),
        email: String::new(),
        patient_id_rule: "exact".into(),
        orphan_rule: OrphanRule::Wait,
        orphan_wait_minutes: 30,
        comparison_after_days: 3650,
        quiet_seconds: 5,
        unknown_classes: false,
        standing_notes: String::new(),
        demo: true,
        research: false,
        active: true,
        version: 1,
    };
    Ok((pool, sites::site_insert_in_tx(conn, &row)?))
}

/// A reader with three specialities and gaps elsewhere, on shift the whole week.
fn a_reader(conn: &mut Connection, pool: PoolId, site: SiteId, user: UserId) -> Result<(), StoreError> {
    let mut dice = StdRng::seed_from_u64(user.0.unsigned_abs());
    let row = ReaderRow {
        id: ReaderId(0),
        user_id: user,
        pool_id: pool,
        qualification: "放射線診断専門医".into(),
        pace: dice.random_range(0.8..1.3),
        capacity_minutes: 480,
        logged_in: true,
        paused: false,
        presence_at: None,
        active: true,
        version: 1,
    };
    let reader = readers::reader_insert_in_tx(conn, &row)?;
    let day = chrono::NaiveDate::from_ymd_opt(2026, 1, 1).ok_or(StoreError::NotFound("a day"))?;
    readers::privilege_insert_in_tx(conn, reader, site, day)?;
    for weekday in 0..7 {
        shifts::shift_pattern_add_in_tx(conn, reader, weekday, 0..1440, Place::OnSite)?;
    }
    for (at, (region, modality, ..)) in KINDS.iter().enumerate() {
        let best = dice.random_range(0..KINDS.len());
        let declared = if at % KINDS.len() == best || dice.random_bool(0.3) {
            [80, 90, 100][dice.random_range(0..3)]
        } else {
            [0, 10, 20, 50, 50, 60][dice.random_range(0..6)]
        };
        let region = region.parse().map_err(|_| StoreError::NotFound("a region"))?;
        readers::skill_set_in_tx(conn, &SkillCell { reader, region, modality: *modality, declared }, None, day.into())?;
    }
    Ok(())
}

/// Cases with one study each, due as their priority wants it, the oldest two hours here.
fn the_cases(
    conn: &mut Connection,
    pool: PoolId,
    site: SiteId,
    numbers: Range<u64>,
    actor: &Actor,
) -> Result<(), StoreError> {
    let mut dice = StdRng::seed_from_u64(numbers.start);
    for number in numbers {
        let weights: u32 = KINDS.iter().map(|kind| kind.3).sum();
        let mut at = dice.random_range(0..weights);
        let (region, modality, minutes, _) = *KINDS
            .iter()
            .find(|kind| {
                let here = at < kind.3;
                at = at.saturating_sub(kind.3);
                here
            })
            .unwrap_or(&KINDS[0]);
        let (priority, hours) = match dice.random_range(0..100) {
            0..2 => (Priority::Stat, 1),
            2..10 => (Priority::Urgent, 4),
            10..28 => (Priority::Priority, 10),
            _ => (Priority::Routine, 27),
        };
        let received_at = actor.at - TimeDelta::minutes(dice.random_range(0..120).min(hours * 30));
        let identity = Identity {
            patient_id: format!("P{:05}", number % 700),
            name: PatientName { ideographic: format!("架空^患者{}", number % 700), ..PatientName::default() },
            birth_date: chrono::NaiveDate::from_yo_opt(1940, 1 + u32::try_from(number % 365).unwrap_or(0)),
            sex: if number % 2 == 0 { "F" } else { "M" }.into(),
        };
        let patient = patients::patient_of_key_in_tx(conn, site, &identity.patient_id, &identity, received_at)?;
        let request = NewRequest {
            site,
            accession_number: format!("A{number}"),
            study_uid: String::new(),
            patient_key: identity.patient_id.clone(),
            identity,
            ordering_doctor: "見本 医師".into(),
            ordering_user: None,
            department: "内科".into(),
            phone: String::new(),
            exam: region.into(),
            question: "肺炎の有無と前回からの変化をお願いします".into(),
            history: String::new(),
            kind: RequestKind::Reading,
            source: Source::Outpatient,
            priority,
            wanted_by: None,
            expected_instances: None,
            is_default: false,
        };
        let request = requests::request_create_in_tx(conn, actor, &request)?;
        let region = region.parse().map_err(|_| StoreError::NotFound("a region"))?;
        let case = cases::case_create_in_tx(
            conn,
            actor,
            &NewCase {
                site,
                pool,
                patient: patient.id,
                request,
                contract: None,
                priority,
                due_at: received_at + TimeDelta::hours(hours),
                received_at,
                studies: vec![],
                parts: vec![CasePart {
                    part: Part::new(region, modality),
                    minutes,
                    confidence: 0.9,
                    source: "order_words".into(),
                }],
                reads: vec![ReadKind::Single],
            },
        )?;
        case_apply_in_tx(conn, actor, case, &CaseEvent::Ready)?;
    }
    Ok(())
}
