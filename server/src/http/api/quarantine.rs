//! Objects that were kept apart: what can be read of each, and what a person does with it.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use dokuei_models::SiteId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{Answer, Routes};
use super::done;
use super::shapes::utc;
use crate::app::quarantine::{self, Candidate, Sheet, Target, Wanted};
use crate::authority::Allowed;
use crate::authority::rights::Dispatch;
use crate::state::State;

/// Registers them.
pub(super) fn routes(routes: &mut Routes) {
    routes.get("/api/v1/quarantine/{object}", quarantine_object);
    routes.get("/api/v1/quarantine/{object}/file", quarantine_file);
    routes.post("/api/v1/quarantine/{object}/find", quarantine_find);
    routes.post("/api/v1/quarantine/{object}/assign", quarantine_assign);
    routes.post("/api/v1/quarantine/{object}/retry", quarantine_retry);
    routes.post("/api/v1/quarantine/{object}/restore", quarantine_restore);
}

/// A header element.
#[derive(Serialize, ToSchema)]
struct LineShape {
    tag: String,
    keyword: String,
    value: String,
}

/// Where an object may belong.
#[derive(Serialize, ToSchema)]
struct CandidateShape {
    /// What an assignment names.
    target: String,
    site: i64,
    patient_id: String,
    patient_name: String,
    birth_date: Option<String>,
    /// None for the study that its own header names, which is not here.
    study: Option<i64>,
}

impl CandidateShape {
    fn of(one: &Candidate) -> Self {
        Self {
            target: one.target(),
            site: one.patient.site_id.0,
            patient_id: one.patient.patient_id.clone(),
            patient_name: one.patient.name().shown(),
            birth_date: one.patient.birth_date.map(|day| day.to_string()),
            study: one.study.as_ref().map(|study| study.id.0),
        }
    }
}

/// An object that was kept apart.
#[derive(Serialize, ToSchema)]
struct ObjectSheet {
    id: i64,
    site: i64,
    /// `unreadable`, `cut_off`, `character_set`, `other_patient` or `elsewhere_study`.
    reason: String,
    detail: String,
    sop_instance_uid: String,
    size: i64,
    received_at: DateTime<Utc>,
    /// What stopped the reading of its header.
    stopped: Option<String>,
    header: Vec<LineShape>,
    /// Whether enough of it can be read to say where it belongs.
    assignable: bool,
    candidates: Vec<CandidateShape>,
    resolved_at: Option<DateTime<Utc>>,
    /// `read_again`, `assigned` or `discarded`.
    outcome: Option<&'static str>,
    resolution: Option<String>,
}

impl ObjectSheet {
    fn of(sheet: &Sheet) -> Self {
        let row = &sheet.row;
        let line = |line: &dokuei_dicom_gateway::header::Line| LineShape {
            tag: line.tag.clone(),
            keyword: line.keyword.to_owned(),
            value: line.value.clone(),
        };
        Self {
            id: row.id,
            site: row.site_id.0,
            reason: row.reason.clone(),
            detail: row.detail.clone(),
            sop_instance_uid: row.sop_instance_uid.clone(),
            size: row.size,
            received_at: row.received_at.and_utc(),
            stopped: sheet.stopped.clone(),
            header: sheet.lines.iter().map(line).collect(),
            assignable: sheet.assignable,
            candidates: sheet.candidates.iter().map(CandidateShape::of).collect(),
            resolved_at: utc(row.resolved_at),
            outcome: row.outcome.map(|outcome| outcome.code()),
            resolution: row.resolution.clone(),
        }
    }
}

/// One object with its header as far as it can be read, and where it may belong.
#[utoipa::path(get, path = "/api/v1/quarantine/{object}", tag = "dispatch", params(("object" = i64, Path)),
    responses((status = 200, body = ObjectSheet)))]
pub(super) async fn quarantine_object(who: Allowed<Dispatch>, state: State, path: web::Path<i64>) -> Answer {
    let sheet = quarantine::sheet(&state, who.person(), who.reach(), *path, None).await?;
    Ok(HttpResponse::Ok().json(ObjectSheet::of(&sheet)))
}

/// Its bytes as they were received.
#[utoipa::path(get, path = "/api/v1/quarantine/{object}/file", tag = "dispatch", params(("object" = i64, Path)),
    responses((status = 200, content_type = "application/dicom", body = Vec<u8>)))]
pub(super) async fn quarantine_file(who: Allowed<Dispatch>, state: State, path: web::Path<i64>) -> Answer {
    let bytes = quarantine::file(&state, who.person(), who.reach(), *path).await?;
    Ok(HttpResponse::Ok().content_type("application/dicom").body(bytes))
}

/// A patient to be looked for.
#[derive(Deserialize, ToSchema)]
pub(super) struct FindBody {
    site: i64,
    /// His number at that site.
    #[serde(default)]
    patient_id: String,
}

/// The same, with the studies of a patient among the places where it may belong.
#[utoipa::path(post, path = "/api/v1/quarantine/{object}/find", tag = "dispatch", request_body = FindBody,
    params(("object" = i64, Path)), responses((status = 200, body = ObjectSheet)))]
pub(super) async fn quarantine_find(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<i64>,
    body: web::Json<FindBody>,
) -> Answer {
    let wanted = Wanted { site: SiteId(body.site), patient_id: body.patient_id.trim().to_owned() };
    let sheet = quarantine::sheet(&state, who.person(), who.reach(), *path, Some(wanted)).await?;
    Ok(HttpResponse::Ok().json(ObjectSheet::of(&sheet)))
}

/// Where an object belongs.
#[derive(Deserialize, ToSchema)]
pub(super) struct AssignBody {
    /// `study:` or `patient:` with an id, as a candidate has it.
    #[serde(default)]
    target: String,
    /// Why.
    #[serde(default)]
    reason: String,
}

/// A study.
#[derive(Serialize, ToSchema)]
struct AssignedShape {
    study: i64,
}

/// Puts it into the study where a person says that it belongs. Its bytes stay as they were received.
#[utoipa::path(post, path = "/api/v1/quarantine/{object}/assign", tag = "dispatch", request_body = AssignBody,
    params(("object" = i64, Path)), responses((status = 200, body = AssignedShape)))]
pub(super) async fn quarantine_assign(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<i64>,
    body: web::Json<AssignBody>,
) -> Answer {
    let target: Target = body.target.parse()?;
    let study = quarantine::assign(&state, who.person(), who.reach(), *path, target, &body.reason).await?;
    Ok(HttpResponse::Ok().json(AssignedShape { study: study.0 }))
}

/// Reads it once more, as after an upgrade.
#[utoipa::path(post, path = "/api/v1/quarantine/{object}/retry", tag = "dispatch", params(("object" = i64, Path)),
    responses((status = 204, description = "Understood, and in its place")))]
pub(super) async fn quarantine_retry(who: Allowed<Dispatch>, state: State, path: web::Path<i64>) -> Answer {
    quarantine::retry(&state, who.person(), who.reach(), *path).await?;
    done()
}

/// Takes back that it was discarded.
#[utoipa::path(post, path = "/api/v1/quarantine/{object}/restore", tag = "dispatch", params(("object" = i64, Path)),
    responses((status = 204, description = "It waits again")))]
pub(super) async fn quarantine_restore(who: Allowed<Dispatch>, state: State, path: web::Path<i64>) -> Answer {
    quarantine::restore(&state, who.person(), who.reach(), *path).await?;
    done()
}
