//! A case as portable data (IHE PDI): a ZIP that is written to a CD or a stick as it is, or handed on.
//!
//! `DICOMDIR` and `DICOM/` hold the images, `REPORTS/` the reports in force as PDF, `INDEX.HTM` and `README.TXT` say
//! what is there, in names of eight and three letters. It is packed while it is sent: one image is in memory at a time.
//! A medium that cannot be completed breaks off, so that nobody takes a part for the whole.

mod pack;
mod pages;

use std::sync::Arc;

use bytes::Bytes;
use dicom_dictionary_std::tags;
use dokuei_dicom_gateway::dataset::{self, DataSet, Limits};
use dokuei_dicom_gateway::encapsulate::uid_from_random;
use dokuei_dicom_gateway::fileset::FileSet;
use dokuei_dicom_gateway::transcode::{self, Target};
use dokuei_dicom_gateway::{header, part10};
use dokuei_models::state::{CaseStudyRole, VersionState};
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::cases::{self, CaseRow};
use dokuei_models::store::patients::{self, PatientRow};
use dokuei_models::store::signed_versions::{self, SignedVersion};
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_models::store::studies::{self, InstanceRow, StudyRow};
use dokuei_models::{CaseId, Connection, StoreError, japan};
use tokio::sync::mpsc;

use self::pack::{Part, pack};
use crate::authority::{Person, Reach};
use crate::error::codes::common;
use crate::error::{Error, Result};
use crate::state::State;

/// Chunks on their way to whoever takes the medium.
const AHEAD: usize = 8;

/// What goes onto a medium.
struct Content {
    case: CaseRow,
    site: SiteRow,
    patient: PatientRow,
    studies: Vec<(StudyRow, Vec<InstanceRow>)>,
    reports: Vec<SignedVersion>,
}

/// A file that could not be made what a medium wants, as `INDEX.HTM` says it.
struct AsReceived {
    file: String,
    transfer_syntax: String,
}

/// Packs a case: the studies that are read, with `priors` those for comparison too, and the reports in force once they
/// are returned. The chunks of a ZIP come as they are made; an error among them ends it.
///
/// # Errors
/// `not_found` outside reach, `nothing_to_export` for a case without images.
pub async fn of_case(
    state: &State,
    person: &Person,
    reach: Reach,
    case: CaseId,
    priors: bool,
) -> Result<mpsc::Receiver<std::io::Result<Bytes>>> {
    let content = state
        .db
        .read(move |conn| {
            let row = cases::case_get(conn, case)?;
            if reach.covers(row.site_id, row.pool_id) {
                content(conn, row, priors)
            } else {
                Err(StoreError::NotFound("the case"))
            }
        })
        .await?;
    let images: usize = content.studies.iter().map(|(_, instances)| instances.len()).sum();
    if images == 0 {
        return Err(Error::new(&common::NOTHING_TO_EXPORT));
    }
    let actor = person.actor(state.now());
    let detail = serde_json::json!({ "images": images, "priors": priors, "reports": content.reports.len() });
    let subject = Subject::case(case, content.site.id);
    let write = move |conn: &mut Connection| {
        audit::append_in_tx(conn, &actor, "case.export", subject, "done", &detail.to_string())
    };
    state.db.tx(write).await?;
    let (chunks, body) = mpsc::channel(AHEAD);
    let (parts, inbox) = mpsc::channel(1);
    tokio::task::spawn_blocking(move || pack(inbox, &chunks));
    let state = state.clone();
    tokio::spawn(async move {
        if let Err(error) = fill(&state, Arc::new(content), &parts).await {
            tracing::error!(%case, %error, "a medium was not completed");
        }
    });
    Ok(body)
}

fn content(conn: &mut Connection, case: CaseRow, priors: bool) -> Result<Content, StoreError> {
    let mut of_case = Vec::new();
    for (study, role) in cases::case_study_list(conn, case.id)? {
        if role == CaseStudyRole::Current || priors {
            of_case.push((studies::study_get(conn, study)?, studies::instance_list(conn, study)?));
        }
    }
    let mut reports = Vec::new();
    if case.returned_at.is_some() {
        reports = signed_versions::signed_version_list(conn, &[case.id])?;
        reports.retain(|version| version.state != VersionState::Withdrawn);
    }
    let site = sites::site_get(conn, case.site_id)?;
    let patient = patients::patient_get(conn, case.patient_id)?;
    Ok(Content { case, site, patient, studies: of_case, reports })
}

/// Hands over file by file, and that it is complete.
async fn fill(state: &State, content: Arc<Content>, parts: &mpsc::Sender<Part>) -> anyhow::Result<()> {
    let made = japan::local(state.now());
    let made = (made.format("%Y%m%d").to_string(), made.format("%H%M%S").to_string());
    let mut random = [0; 16];
    state.chance.fill(&mut random);
    let mut set = FileSet::new(&format!("DOKUEI_{}", content.case.id), uid_from_random(random), made);
    let mut as_received = Vec::new();
    for instance in content.studies.iter().flat_map(|(_, instances)| instances) {
        let bytes = state.objects.get_checked(&instance.object_key, &instance.sha256).await?;
        let (set_back, file) = tokio::task::spawn_blocking(move || portable(set, bytes)).await?;
        set = set_back;
        let file = file?;
        if !file.is_plain {
            as_received.push(AsReceived { file: file.path.clone(), transfer_syntax: instance.transfer_syntax.clone() });
        }
        hand_over(parts, file.path, file.bytes).await?;
    }
    hand_over(parts, "DICOMDIR".to_owned(), set.directory()?.into()).await?;
    for (number, report) in content.reports.iter().enumerate() {
        let bytes = state.objects.get_checked(&report.object_key, &report.sha256).await?;
        hand_over(parts, format!("REPORTS/RP{:06}.PDF", number + 1), bytes).await?;
    }
    hand_over(parts, "INDEX.HTM".to_owned(), pages::index(&content, &as_received, state.now())?.into()).await?;
    hand_over(parts, "README.TXT".to_owned(), pages::readme(&content, state.now())?.into()).await?;
    parts.send(Part::End).await.map_err(|_| anyhow::anyhow!("nobody takes it any more"))
}

async fn hand_over(parts: &mpsc::Sender<Part>, path: String, bytes: Bytes) -> anyhow::Result<()> {
    let file = Part::File { path, bytes };
    parts.send(file).await.map_err(|_| anyhow::anyhow!("nobody takes it any more"))
}

struct Portable {
    path: String,
    bytes: Bytes,
    /// Explicit VR little endian, as STD-GEN-CD wants it.
    is_plain: bool,
}

/// The object as a medium wants it, entered into the directory. Decodes, so it blocks.
fn portable(mut set: FileSet, bytes: Bytes) -> (FileSet, anyhow::Result<Portable>) {
    let made = match plain(&bytes) {
        Ok((header, syntax, bytes)) => {
            let path = set.add(&header, &syntax).path();
            Ok(Portable { path, bytes, is_plain: syntax == EXPLICIT_LITTLE })
        }
        Err(error) => Err(error),
    };
    (set, made)
}

const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";

/// The header, the transfer syntax and the file: explicit little endian and uncompressed, as the general purpose profiles
/// want it (PS3.11), where that can be done; else as it was received.
fn plain(bytes: &Bytes) -> anyhow::Result<(DataSet, String, Bytes)> {
    let header = dataset::read_file(bytes, Limits::default())?;
    let syntax = header::split_file(bytes)?.transfer_syntax;
    if syntax != EXPLICIT_LITTLE {
        match transcode::dataset(bytes, Target::Explicit) {
            Ok(body) => {
                let (class, instance) = (header.text(tags::SOP_CLASS_UID), header.text(tags::SOP_INSTANCE_UID));
                let mut file = part10::file_meta(class, instance, EXPLICIT_LITTLE);
                file.extend_from_slice(&body);
                return Ok((header, EXPLICIT_LITTLE.to_owned(), file.into()));
            }
            Err(error) => tracing::info!(%error, "an image goes onto a medium as it was received"),
        }
    }
    Ok((header, syntax, bytes.clone()))
}
