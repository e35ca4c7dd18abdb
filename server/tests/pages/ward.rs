//! A ward for tests: a site, readers, and a case with real images on somebody's list.

use dokuei_demo::dicom::Instance;
use dokuei_models::names::PatientName;
use dokuei_models::state::{
    AssignedRead, CaseEvent, OrphanRule, ReadKind, RequestKind, Source, case_apply_in_tx, read_assign_in_tx,
};
use dokuei_models::store::cases::{self, CasePart, NewCase};
use dokuei_models::store::images::{self, InstanceFacts};
use dokuei_models::store::patients::{self, Identity};
use dokuei_models::store::readers::{self, ReaderRow};
use dokuei_models::store::requests::{self, NewRequest};
use dokuei_models::store::sites::{self, EndpointRow, SiteRow};
use dokuei_models::store::studies;
use dokuei_models::{Actor, CaseId, InstanceId, PoolId, ReadId, ReaderId, SiteId, UserId};
use dokuei_server::authority::{Role, Scope};
use dokuei_server::clock::Clock as _;
use dokuei_terms::{Modality, Part, Priority};

use super::app::{Client, TestApp};

pub struct Ward<'a> {
    pub app: &'a TestApp,
    pub pool: PoolId,
    pub site: SiteId,
    pub doctor: UserId,
}

impl<'a> Ward<'a> {
    pub async fn in_app(app: &'a TestApp) -> Self {
        let (pool, site) = app
            .state
            .db
            .tx(|conn| {
                let pool = sites::pool_insert_in_tx(conn, "ward", "群", "Pool")?;
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
                    email: "ward@example.invalid".into(),
                    patient_id_rule: "exact".into(),
                    orphan_rule: OrphanRule::Wait,
                    orphan_wait_minutes: 30,
                    comparison_after_days: 3650,
                    quiet_seconds: 5,
                    unknown_classes: false,
                    standing_notes: "造影剤アレルギーの有無を確認".into(),
                    demo: true,
                    research: false,
                    active: true,
                    version: 1,
                };
                let site = sites::site_insert_in_tx(conn, &row)?;
                let endpoint = EndpointRow {
                    site_id: site,
                    name: "PACS".into(),
                    sends: true,
                    receives: true,
                    ae_title: "HOSPITAL_A".into(),
                    host: "127.0.0.1".into(),
                    port: 11113,
                    addresses: String::new(),
                    ..EndpointRow::default()
                };
                sites::endpoint_insert_in_tx(conn, &endpoint)?;
                Ok((pool, site))
            })
            .await
            .unwrap();
        let doctor = app.add_user("doctor", &[(Role::SiteDoctor, Scope::Site(site))]).await;
        Self { app, pool, site, doctor }
    }

    /// A reader who is there, signed in.
    pub async fn reader(&self, login: &str) -> (Client<'a>, ReaderId) {
        let client = self.app.with_user(login, &[(Role::Reader, Scope::Pool(self.pool))]).await;
        let (user, pool) = (client.user.unwrap(), self.pool);
        let row = ReaderRow {
            id: ReaderId(0),
            user_id: user,
            pool_id: pool,
            qualification: "放射線診断専門医".into(),
            pace: 1.0,
            capacity_minutes: 480,
            logged_in: true,
            paused: false,
            presence_at: None,
            active: true,
            version: 1,
        };
        let reader = self.app.state.db.tx(move |conn| readers::reader_insert_in_tx(conn, &row)).await.unwrap();
        (client, reader)
    }

    /// The reader is on shift from now on, for some hours.
    pub async fn shift(&self, reader: ReaderId, hours: i64) {
        let now = self.app.clock.stamp();
        let span = now..now + chrono::TimeDelta::hours(hours);
        let place = dokuei_models::state::Place::OnSite;
        let added = move |conn: &mut dokuei_models::Connection| {
            dokuei_models::store::shifts::shift_add_in_tx(conn, reader, span.clone(), place)
        };
        self.app.state.db.tx(added).await.unwrap();
    }

    /// A ready case with three CT images of a phantom; its first read is on the reader's list.
    pub async fn case_for(&self, reader: ReaderId, kind: RequestKind) -> (CaseId, ReadId, Vec<InstanceId>) {
        let start = self.app.clock.stamp();
        let exam = dokuei_demo::day(7, start, None).find(|exam| exam.study.series[0].modality == "CT").unwrap();
        let patient = &exam.study.patient;
        let identity = Identity {
            patient_id: patient.id.clone(),
            name: PatientName { ideographic: patient.name.display().replace(' ', "^"), ..PatientName::default() },
            birth_date: Some(patient.birth_date),
            sex: if patient.sex == dokuei_demo::dicom::Sex::Female { "F" } else { "M" }.into(),
        };
        let mut kept = Vec::new();
        for instance in Instance::of_series(&exam.study, 0).take(3) {
            let bytes = instance.part10().unwrap();
            let object = self.app.state.objects.keep("instances", bytes.into()).await.unwrap();
            let facts = InstanceFacts {
                identity: identity.clone(),
                study_uid: exam.study.uid.clone(),
                series_uid: instance.series_instance_uid().to_owned(),
                sop_instance_uid: instance.sop_instance_uid(),
                sop_class_uid: instance.sop_class_uid().to_owned(),
                transfer_syntax: "1.2.840.10008.1.2.1".into(),
                study_date: Some(start.date()),
                study_time: "143000".into(),
                study_description: "胸部CT".into(),
                modality: "CT".into(),
                series_number: Some(2),
                series_description: "Chest".into(),
                instance_number: Some(i32::try_from(instance.number()).unwrap()),
                frames: 1,
                ..InstanceFacts::default()
            };
            kept.push((facts, object));
        }
        let (site, pool, doctor) = (self.site, self.pool, self.doctor);
        let actor = Actor::system("test", start);
        let made: (CaseId, ReadId, Vec<InstanceId>) = self
            .app
            .state
            .db
            .tx(move |conn| {
                for (facts, object) in &kept {
                    images::instance_keep_in_tx(conn, site, None, facts, object, actor.at)?;
                }
                let key = identity.patient_id.clone();
                let patient = patients::patient_of_key_in_tx(conn, site, &key, &identity, actor.at)?;
                let study = studies::study_list_of_patient(conn, patient.id)?.remove(0);
                let request = NewRequest {
                    site,
                    accession_number: "A1".into(),
                    study_uid: study.study_uid.clone(),
                    patient_key: key.clone(),
                    identity: identity.clone(),
                    ordering_doctor: "見本 医師".into(),
                    ordering_user: Some(doctor),
                    department: "内科".into(),
                    phone: "000".into(),
                    exam: "胸部CT".into(),
                    question: "肺炎の有無をお願いします".into(),
                    history: "3日前から発熱".into(),
                    kind,
                    source: Source::Outpatient,
                    priority: Priority::Urgent,
                    wanted_by: None,
                    expected_instances: Some(3),
                    is_default: false,
                };
                let request = requests::request_create_in_tx(conn, &actor, &request)?;
                let chest = "chest".parse().unwrap_or(dokuei_terms::Region::WHOLE_BODY);
                let reads = match kind {
                    RequestKind::Double => vec![ReadKind::Independent; 2],
                    RequestKind::Checked => vec![ReadKind::First],
                    _ => vec![ReadKind::Single],
                };
                let new = NewCase {
                    site,
                    pool,
                    patient: patient.id,
                    request,
                    contract: None,
                    priority: Priority::Urgent,
                    due_at: actor.at + chrono::TimeDelta::hours(2),
                    received_at: actor.at,
                    studies: vec![study.id],
                    parts: vec![CasePart {
                        part: Part::new(chest, Modality::Ct),
                        minutes: 10.0,
                        confidence: 0.9,
                        source: "order_words".into(),
                    }],
                    reads,
                };
                let case = cases::case_create_in_tx(conn, &actor, &new)?;
                case_apply_in_tx(conn, &actor, case, &CaseEvent::Ready)?;
                let read = dokuei_models::store::reads::read_list_of_case(conn, case)?[0].id;
                let instances = studies::instance_list(conn, study.id)?.iter().map(|one| one.id).collect();
                Ok((case, read, instances))
            })
            .await
            .unwrap();
        self.give(made.1, reader).await;
        made
    }

    /// Puts a read on a reader's list.
    pub async fn give(&self, read: ReadId, reader: ReaderId) {
        let actor = Actor::system("test", self.app.clock.stamp());
        self.app
            .state
            .db
            .tx(move |conn| {
                let seen_version = dokuei_models::store::reads::read_get(conn, read)?.version;
                let explanation = r#"{"pinned":false,"winner":{"skill":80.0}}"#.to_owned();
                let item = AssignedRead { read, seen_version, reader, plan: None, place_in_list: 10, explanation };
                read_assign_in_tx(conn, &actor, &item)
            })
            .await
            .unwrap();
    }
}
