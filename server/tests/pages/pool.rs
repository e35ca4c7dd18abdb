//! A pool on both databases, as the store sees it: a site, a dispatcher, two readers, requests and studies.

use std::future::Future;
use std::process::Command;

use chrono::{NaiveDate, NaiveDateTime};
use dokuei_models::db::DatabaseUrl;
use dokuei_models::names::PatientName;
use dokuei_models::objects::KeptObject;
use dokuei_models::state::{OrphanRule, Place, RequestKind, Source};
use dokuei_models::store::images::{self, InstanceFacts};
use dokuei_models::store::patients::Identity;
use dokuei_models::store::readers::{self, ReaderRow, SkillCell};
use dokuei_models::store::requests::{self, NewRequest};
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_models::store::users::{self, NewUser};
use dokuei_models::store::{reads, shifts, studies};
use dokuei_models::{
    Actor, CaseId, Connection, Db, PoolId, ReadId, ReaderId, RequestId, SiteId, StoreError, StudyId, UserId,
};
use dokuei_server::app::{matching, planning, regrouping};
use dokuei_terms::{Modality, Priority, Region};

/// Noon of 1 April 2026, Japan.
pub fn noon() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 4, 1).unwrap().and_hms_opt(3, 0, 0).unwrap()
}

/// SQLite always, PostgreSQL too where a server is named.
pub fn on_each<F, Fut>(body: F)
where
    F: Fn(Db) -> Fut,
    Fut: Future<Output = ()>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    runtime.block_on(body(Db::open(&DatabaseUrl::Sqlite(folder.path().join("test.sqlite3"))).unwrap()));
    let Ok(server) = std::env::var("DOKUEI_TEST_POSTGRES_URL") else {
        assert_ne!(
            std::env::var("DOKUEI_TEST_PEERS").as_deref(),
            Ok("required"),
            "DOKUEI_TEST_POSTGRES_URL is not set"
        );
        eprintln!("PostgreSQL is NOT tested: DOKUEI_TEST_POSTGRES_URL is not set");
        return;
    };
    static COUNTER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = COUNTER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let name = format!("dispatch_{}_{number}", std::process::id());
    let made = Command::new("psql").args([&server, "-qc", &format!("CREATE DATABASE {name}")]).status().unwrap();
    assert!(made.success(), "psql makes a database");
    let (base, query) = server.split_once('?').map_or((server.as_str(), String::new()), |(b, q)| (b, format!("?{q}")));
    let base = base.rsplit_once('/').map_or(base, |(base, _)| base);
    let url: DatabaseUrl = format!("{base}/{name}{query}").parse().unwrap();
    runtime.block_on(body(Db::open(&url).unwrap()));
    let drop = format!("DROP DATABASE {name} WITH (FORCE)");
    assert!(Command::new("psql").args([&server, "-qc", &drop]).status().unwrap().success());
}

#[derive(Debug, Clone, Copy)]
pub struct World {
    pub pool: PoolId,
    pub site: SiteId,
    pub user: UserId,
    pub good: ReaderId,
    pub fair: ReaderId,
}

impl World {
    pub fn actor(&self) -> Actor {
        Actor::person(self.user, "chief", "", noon())
    }
}

pub fn user(conn: &mut Connection, login: &str) -> Result<UserId, StoreError> {
    let new = NewUser {
        login: login.into(),
        name_ja: format!("架空 {login}"),
        name_kana: String::new(),
        name_en: String::new(),
        email: String::new(),
        password_hash: "x".into(),
        language: "ja".into(),
        theme: "auto".into(),
        active: true,
        created_at: noon(),
        version: 1,
    };
    users::user_insert_in_tx(conn, &new)
}

/// A site, a dispatcher, and two readers on shift: one good at chests, one fair.
pub fn world(conn: &mut Connection) -> Result<World, StoreError> {
    let pool = sites::pool_insert_in_tx(conn, "pool", "群", "Pool")?;
    let site = sites::site_insert_in_tx(
        conn,
        &SiteRow {
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
            patient_id_rule: "ignore_zeros".into(),
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
        },
    )?;
    let chief = user(conn, "chief")?;
    let mut people = Vec::new();
    for (login, skill) in [("good", 90), ("fair", 50)] {
        let user_id = user(conn, login)?;
        let reader = readers::reader_insert_in_tx(
            conn,
            &ReaderRow {
                id: ReaderId(0),
                user_id,
                pool_id: pool,
                qualification: String::new(),
                pace: 1.0,
                capacity_minutes: 480,
                logged_in: true,
                paused: false,
                presence_at: None,
                active: true,
                version: 1,
            },
        )?;
        readers::privilege_insert_in_tx(conn, reader, site, NaiveDate::from_ymd_opt(2026, 1, 1).unwrap())?;
        for region in Region::all() {
            let cell = SkillCell { reader, region, modality: Modality::Ct, declared: skill };
            readers::skill_set_in_tx(conn, &cell, None, noon())?;
        }
        for weekday in 0..7 {
            shifts::shift_pattern_add_in_tx(conn, reader, weekday, 0..1440, Place::OnSite)?;
        }
        people.push(reader);
    }
    shifts::shift_extend_in_tx(conn, noon())?;
    Ok(World { pool, site, user: chief, good: people[0], fair: people[1] })
}

pub fn identity(number: &str) -> Identity {
    Identity {
        patient_id: number.into(),
        name: PatientName {
            alphabetic: "HOSHIZORA^HANAKO".into(),
            ideographic: "星空^花子".into(),
            phonetic: "ほしぞら^はなこ".into(),
        },
        birth_date: NaiveDate::from_ymd_opt(1960, 4, 1),
        sex: "F".into(),
    }
}

pub fn request(
    conn: &mut Connection,
    world: &World,
    accession_number: &str,
    who: Identity,
) -> Result<RequestId, StoreError> {
    let new = NewRequest {
        site: world.site,
        accession_number: accession_number.into(),
        study_uid: String::new(),
        patient_key: who.patient_id.trim_start_matches('0').into(),
        identity: who,
        ordering_doctor: "見本 医師".into(),
        ordering_user: None,
        department: String::new(),
        phone: String::new(),
        exam: "胸部CT".into(),
        question: String::new(),
        history: String::new(),
        kind: RequestKind::Reading,
        source: Source::Outpatient,
        priority: Priority::Routine,
        wanted_by: None,
        expected_instances: None,
        is_default: false,
    };
    requests::request_create_in_tx(conn, &world.actor(), &new)
}

/// One CT study of one image that has settled and looked for its request.
pub fn study(
    conn: &mut Connection,
    world: &World,
    uid: &str,
    accession_number: &str,
    who: Identity,
) -> Result<StudyId, StoreError> {
    let facts = InstanceFacts {
        identity: who,
        study_uid: uid.into(),
        series_uid: format!("{uid}.1"),
        sop_instance_uid: format!("{uid}.1.1"),
        sop_class_uid: "1.2.840.10008.5.1.4.1.1.2".into(),
        transfer_syntax: "1.2.840.10008.1.2.1".into(),
        accession_number: accession_number.into(),
        study_date: NaiveDate::from_ymd_opt(2026, 4, 1),
        modality: "CT".into(),
        body_part: "CHEST".into(),
        frames: 1,
        ..InstanceFacts::default()
    };
    let object = KeptObject { key: format!("k/{uid}"), sha256: format!("{uid:0>64}"), size: 10 };
    let kept = images::instance_keep_in_tx(conn, world.site, None, &facts, &object, noon())?;
    let images::Kept::New(instance) = kept else { panic!("a new image") };
    let study = studies::instance_get(conn, instance)?.study_id;
    studies::study_settle_in_tx(conn, study, noon())?;
    matching::match_study_in_tx(conn, &world.actor(), study)?;
    Ok(study)
}

/// A case with `uids` as its studies.
pub fn case(conn: &mut Connection, world: &World, number: &str, uids: &[&str]) -> Result<(CaseId, ReadId), StoreError> {
    request(conn, world, number, identity("0012"))?;
    let mut studies_of = Vec::new();
    for uid in uids {
        studies_of.push(study(conn, world, uid, number, identity("12"))?);
    }
    let case = regrouping::open_case_of(conn, studies_of[0])?.expect("the request and the images agree");
    Ok((case, reads::read_list_of_case(conn, case)?[0].id))
}

/// Plans the pool as the worker does.
pub fn plan(conn: &mut Connection, world: &World) -> Result<dokuei_assigner::Plan, StoreError> {
    let problem = planning::snapshot(conn, world.pool, noon())?.problem;
    Ok(dokuei_assigner::plan(&problem, 1, &dokuei_assigner::Budget::default(), &|| 0.0).unwrap())
}

pub fn reader_in(plan: &dokuei_assigner::Plan, read: ReadId) -> Option<ReaderId> {
    plan.items.iter().find(|item| item.read == read.0).map(|item| ReaderId(item.reader))
}
