//! Plays a hospital day: requests as the sites' systems write them, images over real C-STORE.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use dokuei_demo::day::{Exam, RequestForm, RequestKind, RequestSource};
use dokuei_demo::dicom::Instance;
use dokuei_dicom_gateway::ae_title::AeTitle;
use dokuei_dicom_gateway::scu::{self, Destination, Timeouts};
use dokuei_models::japan;
use dokuei_models::names::{PatientIdRule, PatientName};
use dokuei_models::state::{RequestKind as Kind, Source};
use dokuei_models::store::patients::Identity;
use dokuei_models::store::requests::{self, NewRequest};
use dokuei_models::store::{sites, users};
use dokuei_models::{Actor, StoreError};

use crate::app::matching;
use crate::state::State;
use crate::wake::Topic;

/// Plays until the process stops. `speed` is how many seconds of the day pass in one.
pub async fn play(state: State, dicom: SocketAddr, speed: f64) -> anyhow::Result<()> {
    let begin = state.now();
    let seed = u64::try_from(begin.and_utc().timestamp()).unwrap_or(1);
    let clock = tokio::time::Instant::now();
    let mut late = tokio::task::JoinSet::new();
    let mut day = dokuei_demo::day(seed, japan::local(begin), None);
    loop {
        // Drawing bodies takes the processor: away from the threads that answer.
        let (exam, rest) = tokio::task::spawn_blocking(move || (day.next(), day)).await?;
        day = rest;
        let Some(exam) = exam else { return Ok(()) };
        let exam = Arc::new(exam);
        #[expect(clippy::cast_precision_loss, reason = "seconds of a day")]
        let due = clock + Duration::from_secs_f64(exam.offset_seconds as f64 / speed);
        tokio::select! {
            () = tokio::time::sleep_until(due) => {}
            () = state.stopped() => return Ok(()),
        }
        if let Err(error) = one(&state, dicom, &exam).await {
            tracing::warn!("the demo's exam {} was not sent: {error:#}", exam.index);
        }
        if let Some(after) = exam.late.as_ref().map(|late| late.after_seconds) {
            let (state, exam) = (state.clone(), exam.clone());
            #[expect(clippy::cast_precision_loss, reason = "seconds of a day")]
            // Later than the quiet time, whatever the speed: otherwise it would not be late.
            let wait = Duration::from_secs_f64((after as f64 / speed).max(20.0));
            late.spawn(async move {
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    () = state.stopped() => return,
                }
                let instances: Vec<Instance> = exam.late_instances().collect();
                if let Err(error) = send(dicom, exam.site, instances).await {
                    tracing::warn!("the demo's late images of exam {} were not sent: {error:#}", exam.index);
                }
            });
        }
    }
}

async fn one(state: &State, dicom: SocketAddr, exam: &Exam) -> anyhow::Result<()> {
    let earlier: Vec<Instance> = exam.earlier_instances().collect();
    if !earlier.is_empty() {
        send(dicom, exam.site, earlier).await?;
    }
    // Every other request is written only when the images are there, as it happens in hospitals.
    let request_first = exam.index.is_multiple_of(2);
    if request_first {
        write_request(state, exam).await?;
    }
    send(dicom, exam.site, exam.instances().collect()).await?;
    if !request_first {
        write_request(state, exam).await?;
    }
    Ok(())
}

async fn send(dicom: SocketAddr, from: &str, instances: Vec<Instance>) -> anyhow::Result<()> {
    let files = tokio::task::spawn_blocking(move || {
        instances.iter().map(|instance| instance.part10().map(Bytes::from)).collect::<Result<Vec<_>, _>>()
    })
    .await??;
    let destination = Destination {
        host: dicom.ip().to_string(),
        port: dicom.port(),
        called_ae: AeTitle::parse("DOKUEI")?,
        calling_ae: AeTitle::parse(from)?,
        timeouts: Timeouts::default(),
        tls: None,
    };
    let sent = scu::send(&destination, &files).await?;
    match sent.iter().find(|one| !one.is_kept()) {
        Some(failed) => anyhow::bail!("{failed}"),
        None => Ok(()),
    }
}

async fn write_request(state: &State, exam: &Exam) -> anyhow::Result<()> {
    let Some(form) = exam.request.clone() else { return Ok(()) };
    let (patient, ae_title) = (exam.patient.clone(), exam.site);
    let actor = Actor::system("demo", state.now());
    state
        .db
        .tx(move |conn| {
            let endpoint = sites::endpoint_list_by_ae(conn, ae_title)?.into_iter().next();
            let endpoint = endpoint.ok_or(StoreError::NotFound("the demo's site"))?;
            let site = sites::site_get(conn, endpoint.site_id)?;
            let doctor = match &form.ordering_login {
                Some(login) => users::user_by_login(conn, login)?,
                None => None,
            };
            let rule: PatientIdRule = site.patient_id_rule.parse()?;
            let identity = Identity {
                patient_id: form.patient_id.clone(),
                name: PatientName {
                    alphabetic: patient.name.romaji.join("^"),
                    ideographic: patient.name.kanji.join("^"),
                    phonetic: patient.name.kana.join("^"),
                },
                birth_date: Some(patient.birth_date),
                sex: patient.sex.code().to_owned(),
            };
            let new = new_request(site.id, &rule, identity, &form, doctor.map(|doctor| doctor.id));
            let request = requests::request_create_in_tx(conn, &actor, &new)?;
            matching::match_request_in_tx(conn, &actor, request)?;
            Ok(())
        })
        .await?;
    state.wake.tell(Topic::Jobs);
    Ok(())
}

fn new_request(
    site: dokuei_models::SiteId,
    rule: &PatientIdRule,
    identity: Identity,
    form: &RequestForm,
    doctor: Option<dokuei_models::UserId>,
) -> NewRequest {
    NewRequest {
        site,
        accession_number: form.accession.clone(),
        study_uid: form.study_uid.clone(),
        patient_key: rule.key(&identity.patient_id),
        identity,
        ordering_doctor: form.ordering_doctor.display(),
        ordering_user: doctor,
        department: form.department.clone(),
        phone: form.phone.clone(),
        exam: form.examination.clone(),
        question: form.question.clone(),
        history: form.history.clone(),
        kind: match form.kind {
            RequestKind::Reading => Kind::Reading,
            RequestKind::IndependentDouble => Kind::Double,
        },
        source: match form.source {
            RequestSource::Emergency => Source::Emergency,
            RequestSource::Ward => Source::Ward,
            RequestSource::Outpatient => Source::Outpatient,
            RequestSource::CheckUp => Source::Checkup,
        },
        priority: form.priority,
        wanted_by: None,
        expected_instances: None,
        is_default: false,
    }
}
