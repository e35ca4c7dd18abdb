//! A case as portable data (IHE PDI): a ZIP that is written to a CD or a stick as it is, or handed on.
//!
//! `DICOMDIR` and `DICOM/` hold the images, `REPORTS/` the reports in force as PDF, `INDEX.HTM` and `README.TXT` say
//! what is there, in names of eight and three letters. It is packed while it is sent, in pieces; only an image that is
//! decompressed for it is in memory as a whole ([`images`]).
//! A medium that cannot be completed breaks off, so that nobody takes a part for the whole.

mod images;
mod pack;
mod pages;

use std::sync::Arc;

use bytes::Bytes;
use dokuei_dicom_gateway::encapsulate::uid_from_random;
use dokuei_dicom_gateway::fileset::FileSet;
use dokuei_models::state::{CaseStudyRole, VersionState};
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::cases::{self, CaseRow};
use dokuei_models::store::patients::{self, PatientRow};
use dokuei_models::store::signed_versions::{self, SignedVersion};
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_models::store::studies::{self, InstanceRow, StudyRow};
use dokuei_models::{CaseId, Connection, StoreError, japan};
use tokio::sync::mpsc;

use self::images::AsReceived;
use self::pack::{Outbox, pack};
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
    let (outbox, inbox) = Outbox::new();
    tokio::task::spawn_blocking(move || pack(inbox, &chunks));
    let state = state.clone();
    tokio::spawn(async move {
        if let Err(error) = fill(&state, Arc::new(content), &outbox).await {
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
async fn fill(state: &State, content: Arc<Content>, outbox: &Outbox) -> anyhow::Result<()> {
    let made = japan::local(state.now());
    let made = (made.format("%Y%m%d").to_string(), made.format("%H%M%S").to_string());
    let mut random = [0; 16];
    state.chance.fill(&mut random);
    let mut set = FileSet::new(&format!("DOKUEI_{}", content.case.id), uid_from_random(random), made);
    let mut as_received: Vec<AsReceived> = Vec::new();
    for instance in content.studies.iter().flat_map(|(_, instances)| instances) {
        as_received.extend(images::hand_over(state, instance, &mut set, outbox).await?);
    }
    outbox.file("DICOMDIR", set.directory()?.into()).await?;
    for (number, report) in content.reports.iter().enumerate() {
        let bytes = state.objects.get_checked(&report.object_key, &report.sha256).await?;
        outbox.file(&format!("REPORTS/RP{:06}.PDF", number + 1), bytes).await?;
    }
    outbox.file("INDEX.HTM", pages::index(&content, &as_received, state.now())?.into()).await?;
    outbox.file("README.TXT", pages::readme(&content, &as_received, state.now())?.into()).await?;
    outbox.end().await
}
