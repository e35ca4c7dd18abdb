//! The smallest world in which a case can exist.

use chrono::{NaiveDate, NaiveDateTime};
use dokuei_models::names::PatientName;
use dokuei_models::objects::KeptObject;
use dokuei_models::state::{OrphanRule, ReadKind, RequestKind, Source};
use dokuei_models::store::cases::{self, CasePart, NewCase};
use dokuei_models::store::images::{self, InstanceFacts, Kept};
use dokuei_models::store::patients::{self, Identity};
use dokuei_models::store::readers::{self, ReaderRow};
use dokuei_models::store::requests::{self, NewRequest};
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_models::store::users::{self, NewUser};
use dokuei_models::{Actor, CaseId, Connection, PoolId, ReadId, ReaderId, SiteId, StoreError, UserId};
use dokuei_terms::{Modality, Part, Priority, Region};

/// Ids of a small world.
#[derive(Debug, Clone, Copy)]
pub struct World {
    pub case: CaseId,
    pub read: ReadId,
    pub readers: [ReaderId; 2],
    pub user: UserId,
}

pub fn noon() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 10, 1).unwrap().and_hms_opt(3, 0, 0).unwrap()
}

pub fn actor() -> Actor {
    Actor::system("test", noon())
}

pub fn identity() -> Identity {
    Identity {
        patient_id: "0012".into(),
        name: PatientName {
            alphabetic: "KAKUU^TAROU".into(),
            ideographic: "架空^太郎".into(),
            phonetic: "かくう^たろう".into(),
        },
        birth_date: NaiveDate::from_ymd_opt(1960, 4, 1),
        sex: "M".into(),
    }
}

pub fn site(conn: &mut Connection) -> Result<(PoolId, SiteId), StoreError> {
    let pool = sites::pool_insert_in_tx(conn, "pool", "群", "Pool")?;
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
        phone: "000".into(),
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
    };
    Ok((pool, sites::site_insert_in_tx(conn, &row)?))
}

pub fn instance(conn: &mut Connection, site: SiteId, study: &str, sop: &str, sha256: &str) -> Result<Kept, StoreError> {
    let facts = InstanceFacts {
        identity: identity(),
        study_uid: study.into(),
        series_uid: format!("{study}.1"),
        sop_instance_uid: sop.into(),
        sop_class_uid: "1.2.840.10008.5.1.4.1.1.2".into(),
        transfer_syntax: "1.2.840.10008.1.2.1".into(),
        modality: "CT".into(),
        frames: 1,
        ..InstanceFacts::default()
    };
    let object = KeptObject { key: format!("k/{sha256}"), sha256: sha256.into(), size: 10 };
    images::instance_keep_in_tx(conn, site, None, &facts, &object, noon())
}

/// A case with one open read, two readers, and a person.
pub fn make(conn: &mut Connection) -> Result<World, StoreError> {
    let (pool, site) = site(conn)?;
    let mut people = Vec::new();
    for login in ["one", "two"] {
        let user = users::user_insert_in_tx(
            conn,
            &NewUser {
                login: login.into(),
                name_ja: login.into(),
                name_kana: String::new(),
                name_en: String::new(),
                email: String::new(),
                password_hash: "x".into(),
                language: "ja".into(),
                theme: "auto".into(),
                active: true,
                created_at: noon(),
                version: 1,
            },
        )?;
        let reader = readers::reader_insert_in_tx(
            conn,
            &ReaderRow {
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
            },
        )?;
        people.push((user, reader));
    }
    let request = requests::request_create_in_tx(
        conn,
        &actor(),
        &NewRequest {
            site,
            accession_number: "A1".into(),
            study_uid: "1.2.3".into(),
            patient_key: "12".into(),
            identity: identity(),
            ordering_doctor: "見本 医師".into(),
            ordering_user: None,
            department: String::new(),
            phone: String::new(),
            exam: "頭部CT".into(),
            question: String::new(),
            history: String::new(),
            kind: RequestKind::Reading,
            source: Source::Outpatient,
            priority: Priority::Routine,
            wanted_by: None,
            expected_instances: None,
            is_default: false,
        },
    )?;
    let patient = patients::patient_of_key_in_tx(conn, site, "12", &identity(), noon())?;
    let brain: Region = "head.brain".parse()?;
    let case = cases::case_create_in_tx(
        conn,
        &actor(),
        &NewCase {
            site,
            pool,
            patient: patient.id,
            request,
            contract: None,
            priority: Priority::Routine,
            due_at: noon(),
            received_at: noon(),
            studies: Vec::new(),
            parts: vec![CasePart {
                part: Part::new(brain, Modality::Ct),
                minutes: 8.0,
                confidence: 0.9,
                source: "order_words".into(),
            }],
            reads: vec![ReadKind::Single],
        },
    )?;
    let read = dokuei_models::store::reads::read_list_of_case(conn, case)?[0].id;
    Ok(World { case, read, readers: [people[0].1, people[1].1], user: people[0].0 })
}
