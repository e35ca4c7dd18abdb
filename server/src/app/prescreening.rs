//! Prescreens a case: label checks and urgency, each run a new version.

use dokuei_models::state::{CaseStudyRole, Source as RequestSource};
use dokuei_models::store::{cases, patients, prescreens, requests};
use dokuei_models::{Actor, CaseId, Connection, StoreError};
use dokuei_prescreen::labels::LabelConflict;
use dokuei_prescreen::urgency::{CaseFacts, Source, urgency};

use super::{due, opening};

/// Writes a new prescreen version and what of it stands at the case.
///
/// # Errors
/// What the database says.
pub fn prescreen_case_in_tx(conn: &mut Connection, actor: &Actor, case: CaseId) -> Result<(), StoreError> {
    cases::case_lock_in_tx(conn, case)?;
    let row = cases::case_get(conn, case)?;
    let request = requests::request_get(conn, row.request_id)?;
    let patient = patients::patient_get(conn, row.patient_id)?;
    let current = opening::current_studies(conn, case)?;
    let (labels, mut parts) = opening::parts_of(conn, &request, &current)?;
    let stands = cases::case_part_list(conn, case)?;
    let by_person = stands.iter().any(|part| part.source == opening::BY_PERSON);
    if by_person {
        parts = stands;
    }
    let age = patient.age_on(due::day_in_japan(actor.at));
    let facts = CaseFacts {
        priority: row.priority,
        parts: parts.iter().map(|part| part.part).collect(),
        age_years: age.and_then(|years| u16::try_from(years).ok()),
        source: (!request.is_default).then_some(match request.source {
            RequestSource::Emergency => Source::Emergency,
            RequestSource::Ward => Source::Ward,
            RequestSource::Outpatient => Source::Outpatient,
            RequestSource::Checkup => Source::CheckUp,
        }),
        question: format!("{} {}", request.question, request.history).trim().to_owned(),
    };
    let found = urgency(&facts);
    let mut flags: Vec<String> = labels.conflicts.iter().map(|conflict| conflict_code(conflict).to_owned()).collect();
    if by_person {
        // A person has settled what order and headers disagreed about.
        flags.clear();
    }
    if request.is_default {
        flags.push("no_request".to_owned());
    }
    flags.extend(cases::STANDING_FLAGS.into_iter().filter(|flag| row.has_flag(flag)).map(str::to_owned));
    flags.dedup();
    let priors = cases::case_study_list(conn, case)?.iter().filter(|(_, role)| *role == CaseStudyRole::Prior).count();
    let ai_help = prescreens::finding_exists_to_show(conn, &current)?;
    let json = |value: serde_json::Result<String>| value.map_err(|error| StoreError::Damaged(error.to_string()));
    prescreens::prescreen_create_in_tx(
        conn,
        &prescreens::NewPrescreen {
            case,
            urgency: found.value,
            contributions: json(serde_json::to_string(&found.contributions))?,
            labels: json(serde_json::to_string(&labels))?,
            model_version: found.model_version.clone(),
            at: actor.at,
        },
    )?;
    cases::case_prescreened_in_tx(conn, case, found.value, &flags, i32::try_from(priors).unwrap_or(i32::MAX), ai_help)
}

/// The flag that a conflict puts on a case.
const fn conflict_code(conflict: &LabelConflict) -> &'static str {
    match conflict {
        LabelConflict::Region { .. } => "label_region",
        LabelConflict::Laterality { .. } => "label_laterality",
        LabelConflict::Modality { .. } => "label_modality",
    }
}
