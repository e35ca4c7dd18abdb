//! Brings one signed version to one destination: C-STORE, mail, or the portal.
//!
//! The delivery's row says where it stands; the job only moves it. What may work
//! later is tried again with the job's growing pause; what nobody but a person
//! can mend, and what failed too often, is *dead* and shows on the dispatch page.
//! A DICOM object keeps its UIDs over all tries, so that a PACS that got it
//! before the answer was lost knows it again.

use bytes::Bytes;
use chrono::TimeDelta;
use dokuei_dicom_gateway::encapsulate::{self, EncapsulatedPdfMeta, StudyOfReport};
use dokuei_dicom_gateway::header::{self, InstanceHeader};
use dokuei_dicom_gateway::scu::{self, SendError, Sent, Timeouts};
use dokuei_models::japan;
use dokuei_models::objects::ObjectError;
use dokuei_models::state::{DeliveryContent, DeliveryKind};
use dokuei_models::store::deliveries::{self, AfterFailure, DELIVERY_ATTEMPTS, DeliveryRow};
use dokuei_models::store::signed_versions::{self, SignedVersion};
use dokuei_models::store::sites::EndpointRow;
use dokuei_models::store::studies::{self, InstanceRow};
use dokuei_models::store::{artefacts, cases, submissions};
use dokuei_models::{Actor, DeliveryId, StoreError};
use sha2::{Digest as _, Sha256};

use super::{Job, mail};
use crate::app::peers::{self, Sentence};
use crate::app::{opening, returns};
use crate::state::State;
use crate::wake::Topic;

/// How long something that waits for a setting is left alone.
const WAIT: TimeDelta = TimeDelta::minutes(10);
/// Enough of most objects to hold everything up to the pixels.
const HEAD: u64 = 256 << 10;
/// Reports stand behind the images.
const SERIES_NUMBER: u32 = 9_900;

/// Why it did not arrive: a sentence in both languages, and what that means for the next try. No patient data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    ja: String,
    en: String,
    then: Then,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Again,
    Wait,
    Dead,
}

impl Failure {
    /// It may work later.
    pub fn passing(ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self { ja: ja.into(), en: en.into(), then: Then::Again }
    }

    /// It works when somebody changes a setting; that costs no try.
    pub fn waits(ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self { ja: ja.into(), en: en.into(), then: Then::Wait }
    }

    /// It will not work until a person changes something.
    pub fn lasting(ja: impl Into<String>, en: impl Into<String>) -> Self {
        Self { ja: ja.into(), en: en.into(), then: Then::Dead }
    }

    fn ours(error: impl std::fmt::Display) -> Self {
        tracing::warn!(%error, "a delivery could not be prepared");
        Self::passing(
            "こちら側の問題で送れませんでした。自動で再送します。",
            "It could not be sent because of a problem on our side. It is tried again.",
        )
    }

    fn kept(&self) -> String {
        format!("{}\n{}", self.ja, self.en)
    }
}

/// Moves the delivery that the job's key names.
///
/// # Errors
/// It did not arrive and is tried again; or the database failed.
pub async fn run(state: State, job: Job) -> anyhow::Result<()> {
    let delivery: DeliveryId = job.id_of_key()?;
    let now = state.now();
    let Some(row) = state.db.tx(move |conn| deliveries::delivery_begin_in_tx(conn, delivery, now)).await? else {
        return Ok(());
    };
    let outcome = match row.kind {
        DeliveryKind::Portal => Ok(()),
        DeliveryKind::Mail => {
            let url = state.config.http.public_url.as_deref();
            mail::send_notice(&state.config.mail, url, &row).await
        }
        DeliveryKind::Dicom => store(&state, &row).await,
    };
    let actor = Actor::system("deliver", state.now());
    let (case_id, result) = match outcome {
        Ok(()) => (done(&state, actor, &row).await?, Ok(())),
        Err(failure) => failed(&state, actor, &row, &job, failure).await?,
    };
    let case = state.db.read(move |conn| cases::case_get(conn, case_id)).await?;
    returns::tell(&state, case.id, case.site_id, case.pool_id);
    result
}

async fn done(state: &State, actor: Actor, row: &DeliveryRow) -> Result<dokuei_models::CaseId, StoreError> {
    metrics::counter!("dokuei_deliveries_total", "kind" => row.kind.code(), "outcome" => "delivered").increment(1);
    let row = row.clone();
    state
        .db
        .tx(move |conn| {
            deliveries::delivery_done_in_tx(conn, &actor, row.id)?;
            if row.kind == DeliveryKind::Portal && row.content == DeliveryContent::Report {
                returns::name_recipients_in_tx(conn, &actor, row.case_id, row.report_version_id)?;
            }
            returns::settle_case_in_tx(conn, &actor, row.case_id)?;
            Ok(row.case_id)
        })
        .await
}

async fn failed(
    state: &State,
    actor: Actor,
    row: &DeliveryRow,
    job: &Job,
    failure: Failure,
) -> Result<(dokuei_models::CaseId, anyhow::Result<()>), StoreError> {
    let worn_out = row.attempts >= DELIVERY_ATTEMPTS || job.last_chance;
    let after = match failure.then {
        Then::Wait => AfterFailure::Wait(actor.at + WAIT),
        Then::Again if !worn_out => AfterFailure::Again(actor.at),
        Then::Again | Then::Dead => AfterFailure::Dead,
    };
    let outcome = if after == AfterFailure::Dead { "dead" } else { "failed" };
    metrics::counter!("dokuei_deliveries_total", "kind" => row.kind.code(), "outcome" => outcome).increment(1);
    let (id, kept) = (row.id, failure.kept());
    state.db.tx(move |conn| deliveries::delivery_failed_in_tx(conn, &actor, id, &kept, after)).await?;
    // The job's own pause is the back-off; a dead delivery and one that waits for a setting have no job.
    let again = failure.then == Then::Again && after != AfterFailure::Dead;
    let result = if again { Err(anyhow::anyhow!("{}", failure.en)) } else { Ok(()) };
    Ok((row.case_id, result))
}

/// Queues what waits and has no job: what waited for a setting, and what a stopped worker left behind.
///
/// # Errors
/// The database failed.
pub async fn requeue(state: State, _: Job) -> anyhow::Result<()> {
    let now = state.now();
    let queued = state
        .db
        .tx(move |conn| {
            // One that its job holds back is left to it: the job's pause is shorter than this.
            let due = deliveries::delivery_list_due(conn, now - WAIT, 200)?;
            for delivery in &due {
                deliveries::delivery_queue_in_tx(conn, *delivery, now)?;
            }
            Ok(due.len())
        })
        .await?;
    if queued > 0 {
        state.wake.tell(Topic::Jobs);
    }
    Ok(())
}

/// What a return by C-STORE is made of.
struct Material {
    endpoint: EndpointRow,
    version: SignedVersion,
    content: DeliveryContent,
    /// One instance of each study that was read: the report joins every one of them.
    sources: Vec<InstanceRow>,
}

async fn store(state: &State, row: &DeliveryRow) -> Result<(), Failure> {
    let Some(endpoint) = row.endpoint_id else {
        return Err(Failure::lasting(
            "返却先のDICOM接続先が登録されていません。",
            "No DICOM node is set for this return.",
        ));
    };
    let (case, version, content) = (row.case_id, row.report_version_id, row.content);
    let material = state
        .db
        .read(move |conn| {
            let mut sources = Vec::new();
            for study in opening::current_studies(conn, case)? {
                sources.extend(studies::instance_list(conn, study)?.into_iter().next());
            }
            let endpoint = submissions::endpoint_get(conn, endpoint)?;
            let mut version = signed_versions::signed_version_get(conn, version)?;
            if content == DeliveryContent::Withdrawal {
                let notice = artefacts::artefact_of_kind(conn, version.id, artefacts::WITHDRAWAL)?
                    .ok_or(StoreError::NotFound("the notice"))?;
                // It stands behind the version that it withdraws.
                version.number += 1;
                version.signed_at = Some(notice.created_at);
                (version.object_key, version.sha256) = (notice.object_key, notice.sha256);
            }
            Ok(Material { endpoint, version, content, sources })
        })
        .await
        .map_err(Failure::ours)?;
    let to = peers::destination(state, &material.endpoint, Timeouts::default())
        .map_err(|Sentence { ja, en }| Failure::lasting(ja, en))?;
    if material.sources.is_empty() {
        return Err(Failure::lasting(
            "返却先の検査が見つかりません。",
            "The study to return the report to is not here.",
        ));
    }
    let pdf = object(state.objects.get_checked(&material.version.object_key, &material.version.sha256).await)?;
    let mut files = Vec::new();
    for source in &material.sources {
        let header = header_of(state, source).await?;
        let file = encapsulate::encapsulated_pdf(&pdf, &meta(&material.version, material.content, &header)).map_err(
            |error| {
                Failure::lasting(
                    format!("報告をDICOMにできませんでした（{error}）。"),
                    format!("The report cannot be made a DICOM object: {error}."),
                )
            },
        )?;
        files.push(Bytes::from(file));
    }
    let sent = scu::send(&to, &files).await.map_err(|error| of_send_error(&error))?;
    match sent.iter().find(|sent| !sent.is_kept()) {
        None => Ok(()),
        Some(sent) => Err(of_sent(sent)),
    }
}

fn object(got: Result<Bytes, ObjectError>) -> Result<Bytes, Failure> {
    got.map_err(|error| match error {
        ObjectError::Missing | ObjectError::Altered => Failure::lasting(
            "保管中の報告が失われたか、変わっています。管理者に連絡してください。",
            "The stored report is missing or altered. Tell an administrator.",
        ),
        ObjectError::Unavailable(_) | ObjectError::Full => Failure::ours(error),
    })
}

/// The header of a stored instance: from its beginning where that is enough.
async fn header_of(state: &State, instance: &InstanceRow) -> Result<InstanceHeader, Failure> {
    let size = u64::try_from(instance.size).unwrap_or(0);
    let head = state.objects.get_range(&instance.object_key, 0..size.min(HEAD)).await.map_err(Failure::ours)?;
    if let Ok(header) = header::read_file(&head) {
        return Ok(header);
    }
    let most = size.min(header::MAX_HEADER as u64);
    let more = state.objects.get_range(&instance.object_key, 0..most).await.map_err(Failure::ours)?;
    header::read_file(&more)
        .map_err(|_| Failure::lasting("検査の画像を読み取れません。", "The study's image cannot be read."))
}

/// 16 bytes that are the same at every try.
fn fixed(words: &[&str]) -> [u8; 16] {
    let mut hasher = Sha256::new();
    for word in words {
        hasher.update((word.len() as u64).to_be_bytes());
        hasher.update(word.as_bytes());
    }
    let digest = hasher.finalize();
    std::array::from_fn(|at| digest[at])
}

fn meta(version: &SignedVersion, content: DeliveryContent, header: &InstanceHeader) -> EncapsulatedPdfMeta {
    let day = |day: Option<chrono::NaiveDate>| day.map(|day| day.format("%Y%m%d").to_string()).unwrap_or_default();
    let study_uid = header.study_uid.clone();
    let case = version.case_id.to_string();
    EncapsulatedPdfMeta {
        study: StudyOfReport {
            patient_name: header.patient.name.joined(),
            patient_id: header.patient.id.clone(),
            issuer_of_patient_id: header.patient.issuer.clone(),
            birth_date: day(header.patient.birth_date),
            sex: header.patient.sex.clone(),
            study_date: day(header.study.date),
            study_time: header.study.time.map(|time| time.format("%H%M%S%.f").to_string()).unwrap_or_default(),
            study_id: header.study.id.clone(),
            accession_number: header.study.accession_number.clone(),
            study_description: header.study.description.clone(),
            referring_physician: header.study.referring_physician.joined(),
        },
        series_uid: encapsulate::uid_from_random(fixed(&["dokuei report series", &case, study_uid.as_str()])),
        sop_uid: encapsulate::uid_from_random(fixed(&["dokuei report", &version.sha256, study_uid.as_str()])),
        study_uid,
        series_number: SERIES_NUMBER,
        instance_number: u32::try_from(version.number).unwrap_or(1).max(1),
        title: match content {
            DeliveryContent::Report => "読影報告書 / Radiology report",
            DeliveryContent::Withdrawal => "読影報告書の取消 / Radiology report withdrawn",
        }
        .to_owned(),
        signed_at: japan::local(version.signed_at.unwrap_or_default()),
        offset: japan::offset(),
        institution: String::new(),
        software_version: env!("CARGO_PKG_VERSION").to_owned(),
        source: Some((header.sop_class.clone(), header.sop_instance.clone())),
    }
}

fn of_sent(sent: &Sent) -> Failure {
    let ja = match sent {
        Sent::NotSent(error) => return of_send_error(error),
        Sent::Refused { status, .. } => format!("相手が保存しませんでした（{status}）。"),
        Sent::NotAccepted => {
            "相手がPDFを含むDICOM（Encapsulated PDF）を受け付けません。接続先の設定を確かめてください。".to_owned()
        }
        Sent::NotConvertible(error) => format!("相手が受け付ける形式に変換できません（{error}）。"),
        Sent::TooLong => "報告が大きすぎて、DICOMとして送れません（64 MiBまで）。".to_owned(),
        Sent::Unreadable | Sent::Kept(_) => "報告をDICOMとして送れませんでした。".to_owned(),
    };
    let then = if sent.is_transient() { Then::Again } else { Then::Dead };
    Failure { ja, en: sent.to_string(), then }
}

fn of_send_error(error: &SendError) -> Failure {
    let Sentence { ja, en } = peers::sentence(error);
    let then = if error.is_transient() { Then::Again } else { Then::Dead };
    Failure { ja, en, then }
}

#[cfg(test)]
mod tests {
    use dokuei_dicom_gateway::ae_title::AeTitle;

    use super::*;

    #[test]
    fn a_report_keeps_its_uids_over_all_tries_and_changes_them_with_its_bytes() {
        assert_eq!(fixed(&["a", "b"]), fixed(&["a", "b"]));
        assert_ne!(fixed(&["a", "b"]), fixed(&["ab", ""]), "where one word ends is part of it");
    }

    #[test]
    fn what_only_a_person_can_mend_is_not_tried_again() {
        let stranger = SendError::CallingNotRecognized(AeTitle::parse("DOKUEI").unwrap());
        assert_eq!(of_send_error(&stranger).then, Then::Dead);
        assert!(of_send_error(&stranger).ja.contains("DOKUEI"));
        assert_eq!(of_send_error(&SendError::Busy).then, Then::Again);
        assert_eq!(of_sent(&Sent::NotAccepted).then, Then::Dead);
        let kept = of_send_error(&SendError::Lost).kept();
        assert_eq!(returns::error_sentence(dokuei_terms::Language::En, &kept), "The connection to the peer was lost.");
        assert!(!returns::error_sentence(dokuei_terms::Language::Ja, &kept).contains('\n'));
    }
}
