//! Opens a case from a request and its study: parts, due time, reads, first prescreen.

use dokuei_models::names::PatientIdRule;
use dokuei_models::state::{CaseEvent, CaseStudyRole, HoldActor, ReadKind, RequestKind, case_apply_in_tx};
use dokuei_models::store::cases::{self, CasePart, NewCase};
use dokuei_models::store::requests::{self, RequestRow};
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_models::store::studies::{self, StudyRow};
use dokuei_models::store::{patient_links, patients};
use dokuei_models::{Actor, CaseId, Connection, StoreError, StudyId};
use dokuei_prescreen::labels::{self, Labels, Order, SeriesHeader, StudyHeader};
use dokuei_prescreen::minutes::reading_minutes;

use super::{due, prescreening, priors};

/// The source of a part that a person named.
pub const BY_PERSON: &str = "person";

/// Makes the case, prescreens it and makes it ready to be planned.
///
/// # Errors
/// What the database says.
pub fn open_case_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    site: &SiteRow,
    request: &RequestRow,
    study: &StudyRow,
) -> Result<CaseId, StoreError> {
    let rule: PatientIdRule = site.patient_id_rule.parse()?;
    let key = rule.key(&request.patient_id);
    let patient = patients::patient_of_key_in_tx(conn, site.id, &key, &request.identity(), actor.at)?;
    let contract = sites::contract_on(conn, site.id, due::day_in_japan(actor.at))?;
    // The clock runs from the later of request and images; an early stat image must not cost the site its time.
    let received_at = request.created_at.max(study.first_received_at);
    let due_at = due::due_at(conn, site, contract.as_ref(), request.priority, request.wanted_by, received_at)?;
    let (_, parts) = parts_of(conn, request, &[study.id])?;
    let new = NewCase {
        site: site.id,
        pool: site.pool_id,
        patient: patient.id,
        request: request.id,
        contract: contract.map(|contract| contract.id),
        priority: request.priority,
        due_at,
        received_at,
        studies: vec![study.id],
        parts,
        reads: reads_of(request.kind),
    };
    let case = cases::case_create_in_tx(conn, actor, &new)?;
    attach_priors_in_tx(conn, case, study)?;
    prescreening::prescreen_case_in_tx(conn, actor, case)?;
    case_apply_in_tx(conn, actor, case, &CaseEvent::Ready)?;
    priors::follow_rules_in_tx(conn, actor, site, case)?;
    if request.kind == RequestKind::AiOnly {
        // No engine with approval for this use answers here: a person must tell the site, or have it read.
        let hold = CaseEvent::Hold { reason: "no_engine".to_owned(), actor: HoldActor::Dispatcher, until: due_at };
        case_apply_in_tx(conn, actor, case, &hold)?;
    }
    Ok(case)
}

/// The reads that a case begins with.
pub fn reads_of(kind: RequestKind) -> Vec<ReadKind> {
    match kind {
        RequestKind::Reading => vec![ReadKind::Single],
        RequestKind::Double => vec![ReadKind::Independent, ReadKind::Independent],
        // The checking read is made when the first is signed.
        RequestKind::Checked => vec![ReadKind::First],
        RequestKind::AiOnly => Vec::new(),
    }
}

/// Reads the parts again after studies came or went. Parts that a person has named stay as they are.
///
/// # Errors
/// What the database says.
pub fn understand_parts_in_tx(conn: &mut Connection, case: CaseId) -> Result<(), StoreError> {
    if cases::case_part_list(conn, case)?.iter().any(|part| part.source == BY_PERSON) {
        return Ok(());
    }
    let row = cases::case_get(conn, case)?;
    let request = requests::request_get(conn, row.request_id)?;
    let current = current_studies(conn, case)?;
    let (_, parts) = parts_of(conn, &request, &current)?;
    cases::case_parts_replace_in_tx(conn, case, &parts)
}

/// The studies of a case that are to be read.
///
/// # Errors
/// What the database says.
pub fn current_studies(conn: &mut Connection, case: CaseId) -> Result<Vec<StudyId>, StoreError> {
    let all = cases::case_study_list(conn, case)?;
    Ok(all.into_iter().filter(|(_, role)| *role == CaseStudyRole::Current).map(|(study, _)| study).collect())
}

/// What order and headers say the studies show, and the parts with their minutes.
///
/// # Errors
/// What the database says.
pub fn parts_of(
    conn: &mut Connection,
    request: &RequestRow,
    of: &[StudyId],
) -> Result<(Labels, Vec<CasePart>), StoreError> {
    let mut header = StudyHeader::default();
    for study in of {
        let row = studies::study_get(conn, *study)?;
        if header.study_description.is_empty() {
            header.study_description = row.description;
        }
        header.series.extend(studies::series_list(conn, *study)?.into_iter().map(|series| SeriesHeader {
            modality: series.modality,
            body_part_examined: series.body_part,
            laterality: series.laterality,
            protocol_name: series.protocol,
            series_description: series.description,
        }));
    }
    let order = Order {
        modality: None,
        codes: Vec::new(),
        // A default request's exam is the header's own description: it is no second witness.
        words: if request.is_default { String::new() } else { request.exam.clone() },
        question: request.question.clone(),
    };
    let labels = labels::check(&header, &order);
    let parts = labels
        .parts
        .iter()
        .map(|labelled| CasePart {
            part: labelled.part,
            minutes: reading_minutes(&labelled.part),
            confidence: labelled.confidence,
            source: labelled.sources.first().map(source_code).unwrap_or_default(),
        })
        .collect();
    Ok((labels, parts))
}

/// The source's stable name, as it is in JSON.
fn source_code(source: &labels::LabelSource) -> String {
    match serde_json::to_value(source) {
        Ok(serde_json::Value::String(code)) => code,
        _ => String::new(),
    }
}

/// Adds the patient's earlier studies of this site, for comparison.
///
/// # Errors
/// What the database says.
fn attach_priors_in_tx(conn: &mut Connection, case: CaseId, study: &StudyRow) -> Result<(), StoreError> {
    let others = studies::study_list_of_patient(conn, study.patient_id)?;
    for prior in &others {
        if is_prior_of(prior, study) {
            cases::case_study_add_in_tx(conn, case, prior.id, CaseStudyRole::Prior)?;
        }
    }
    // Whose they are a person has said: how another house writes the name is no question any more.
    for prior in patient_links::study_list_of_linked(conn, study.patient_id)? {
        cases::case_study_add_in_tx(conn, case, prior.id, CaseStudyRole::Prior)?;
    }
    Ok(())
}

/// Whether a study may lie beside another of its site for comparison: an earlier one of the same person. Headers of one
/// PatientID that name two people are never laid side by side.
pub fn is_prior_of(prior: &StudyRow, study: &StudyRow) -> bool {
    let named = prior.identity().name.agreement(&study.identity().name);
    prior.id != study.id
        && prior.site_id == study.site_id
        && prior.patient_id == study.patient_id
        && named != dokuei_models::names::NameAgreement::Different
        && prior.header_birth_date == study.header_birth_date
        && prior.study_date <= study.study_date
}
