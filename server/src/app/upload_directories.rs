//! The DICOMDIR of a medium that a person uploads: what it names is held against what came.
//!
//! Files are taken whether a directory names them or not. What it names and did not come, or could not be read, is told
//! to the person at the end, study by study. A directory that cannot be read is said to be so, and nothing else changes.

use dokuei_dicom_gateway::fileset;
use dokuei_models::store::upload_directories::{self, MissingStudy, NamedStudy};
use dokuei_models::{ArrivalId, SiteId};
use dokuei_terms::Language;
use fluent_templates::fluent_bundle::FluentValue;

use crate::error::Result;
use crate::state::State;
use crate::words;

/// Keeps what a directory names. How many images those are; `None` if it cannot be read or kept.
pub(super) async fn keep(state: &State, upload: ArrivalId, bytes: Vec<u8>) -> Option<u64> {
    let read = tokio::task::spawn_blocking(move || fileset::named(&bytes)).await;
    let named = match read {
        Ok(Ok(named)) => named,
        Ok(Err(fault)) => {
            tracing::info!(%upload, %fault, "the directory of a medium cannot be read");
            return None;
        }
        Err(error) => {
            tracing::error!(%upload, %error, "the reading of a medium's directory ended early");
            return None;
        }
    };
    let studies: Vec<NamedStudy> = named
        .into_iter()
        .map(|study| NamedStudy {
            study_uid: study.study_uid,
            date: study.date,
            description: study.description,
            instances: study.instances,
        })
        .collect();
    let count = studies.iter().map(|study| study.instances.len() as u64).sum();
    let kept = state.db.tx(move |conn| upload_directories::directory_keep_in_tx(conn, upload, &studies)).await;
    match kept {
        Ok(()) => Some(count),
        Err(error) => {
            tracing::error!(%upload, %error, "what a medium's directory names was not kept");
            None
        }
    }
}

/// What an upload's directories name and did not come, a sentence for each study.
///
/// # Errors
/// What the database says.
pub async fn missing(state: &State, site: SiteId, upload: ArrivalId, language: Language) -> Result<Vec<String>> {
    let studies = state.db.read(move |conn| upload_directories::directory_missing(conn, site, upload)).await?;
    Ok(studies.iter().map(|study| sentence(study, language)).collect())
}

fn sentence(study: &MissingStudy, language: Language) -> String {
    let number = |number: usize| FluentValue::from(i64::try_from(number).unwrap_or(i64::MAX));
    let date = match (study.date.get(..4), study.date.get(4..6), study.date.get(6..8)) {
        (Some(year), Some(month), Some(day)) => format!("{year}-{month}-{day}"),
        _ => study.date.clone(),
    };
    let named = format!("{date} {}", study.description);
    let values = [
        ("study", FluentValue::from(named.trim().to_owned())),
        ("named", number(study.named)),
        ("missing", number(study.missing)),
    ];
    words::word_with(language, "upload-missing", &values)
}
