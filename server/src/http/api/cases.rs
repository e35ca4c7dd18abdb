//! A case for those who dispatch: the sheet, notes, deliveries.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use dokuei_models::{CaseId, DeliveryId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::case_view::why;
use super::super::{Answer, Page, Routes};
use super::shapes::{
    CaseShape, NoteShape, PartShape, PatientShape, ReadShape, RequestShape, SiteShape, StudyShape, json, utc,
};
use super::{Reason, done};
use crate::app::case_sheet::{self, Redeliver, Sheet};
use crate::app::form::need_reason;
use crate::authority::Allowed;
use crate::authority::rights::Dispatch;
use crate::state::State;

/// Registers them.
pub(super) fn routes(routes: &mut Routes) {
    routes.get("/api/v1/cases/{case}", case);
    routes.post("/api/v1/cases/{case}/plan", case_plan);
    routes.post("/api/v1/cases/{case}/notes", case_note);
    routes.post("/api/v1/cases/{case}/deliveries/{delivery}/again", case_deliver_again);
    routes.post("/api/v1/cases/{case}/deliveries/{delivery}/give-up", case_delivery_give_up);
}

/// A read with the plan's account of it in words.
#[derive(Serialize, ToSchema)]
struct ExplainedShape {
    read: ReadShape,
    /// Why this reader, or why nobody: sentences in the caller's language.
    why: Vec<String>,
}

/// A decision in force.
#[derive(Serialize, ToSchema)]
struct OverrideShape {
    id: i64,
    kind: &'static str,
    read: Option<i64>,
    reader: Option<i64>,
    value: String,
    reason: String,
    by_user: i64,
    at: DateTime<Utc>,
}

/// Something that happened.
#[derive(Serialize, ToSchema)]
struct EventShape {
    kind: String,
    read: Option<i64>,
    by: Option<String>,
    at: DateTime<Utc>,
    #[schema(value_type = Object)]
    data: serde_json::Value,
}

/// A delivery to the site.
#[derive(Serialize, ToSchema)]
struct DeliveryShape {
    id: i64,
    version: i64,
    kind: &'static str,
    destination: String,
    required: bool,
    state: &'static str,
    attempts: i32,
    delivered_at: Option<DateTime<Utc>>,
    last_error: Option<String>,
    given_up_reason: Option<String>,
}

/// What the prescreen said.
#[derive(Serialize, ToSchema)]
struct PrescreenShape {
    urgency: f64,
    model_version: String,
    at: DateTime<Utc>,
    #[schema(value_type = Vec<Object>)]
    reasons: serde_json::Value,
    #[schema(value_type = Object)]
    labels: serde_json::Value,
}

/// A reader who may be chosen.
#[derive(Serialize, ToSchema)]
struct ReaderShape {
    id: i64,
    name_ja: String,
    name_en: String,
}

/// Everything that a dispatcher sees of a case.
#[derive(Serialize, ToSchema)]
struct SheetShape {
    case: CaseShape,
    site: SiteShape,
    patient: PatientShape,
    request: RequestShape,
    studies: Vec<StudyShape>,
    parts: Vec<PartShape>,
    prescreen: Option<PrescreenShape>,
    reads: Vec<ExplainedShape>,
    overrides: Vec<OverrideShape>,
    /// Its history, oldest first.
    events: Vec<EventShape>,
    notes: Vec<NoteShape>,
    deliveries: Vec<DeliveryShape>,
    /// Other open cases of the patient.
    siblings: Vec<i64>,
    readers: Vec<ReaderShape>,
}

fn of_sheet(page: &Page, sheet: &Sheet) -> SheetShape {
    SheetShape {
        case: CaseShape::of(&sheet.case),
        site: SiteShape::of(&sheet.site),
        patient: PatientShape::of(&sheet.patient),
        request: RequestShape::of(&sheet.request),
        studies: sheet.studies.iter().map(|(study, role)| StudyShape::of(study, Some(*role))).collect(),
        parts: PartShape::list(&sheet.parts),
        prescreen: sheet.prescreen.as_ref().map(|row| PrescreenShape {
            urgency: row.urgency,
            model_version: row.model_version.clone(),
            at: row.at.and_utc(),
            reasons: json(&row.contributions),
            labels: json(&row.labels),
        }),
        reads: sheet
            .reads
            .iter()
            .map(|read| ExplainedShape { read: ReadShape::of(read), why: why(page, sheet, read) })
            .collect(),
        overrides: sheet
            .overrides
            .iter()
            .map(|one| OverrideShape {
                id: one.id.0,
                kind: one.kind.code(),
                read: one.read_id.map(|read| read.0),
                reader: one.reader_id.map(|reader| reader.0),
                value: one.value.clone(),
                reason: one.reason.clone(),
                by_user: one.by_user_id.0,
                at: one.at.and_utc(),
            })
            .collect(),
        events: sheet
            .events
            .iter()
            .map(|event| EventShape {
                kind: event.kind.clone(),
                read: event.read_id.map(|read| read.0),
                by: event.actor_name.clone(),
                at: event.at.and_utc(),
                data: json(&event.data),
            })
            .collect(),
        notes: NoteShape::list(&sheet.notes),
        deliveries: sheet
            .deliveries
            .iter()
            .map(|row| DeliveryShape {
                id: row.id.0,
                version: row.report_version_id.0,
                kind: row.kind.code(),
                destination: row.destination.clone(),
                required: row.required,
                state: row.state.code(),
                attempts: row.attempts,
                delivered_at: utc(row.delivered_at),
                last_error: row
                    .last_error
                    .as_deref()
                    .map(|error| crate::app::returns::error_sentence(page.language, error).to_owned()),
                given_up_reason: row.given_up_reason.clone(),
            })
            .collect(),
        siblings: sheet.siblings.iter().map(|other| other.id.0).collect(),
        readers: sheet
            .readers
            .iter()
            .map(|(reader, ja, en)| ReaderShape { id: reader.id.0, name_ja: ja.clone(), name_en: en.clone() })
            .collect(),
    }
}

/// Everything of one case, with the plan's account of each read.
#[utoipa::path(get, path = "/api/v1/cases/{case}", tag = "dispatch", params(("case" = i64, Path)),
    responses((status = 200, body = SheetShape)))]
pub(super) async fn case(who: Allowed<Dispatch>, state: State, page: Page, path: web::Path<CaseId>) -> Answer {
    let sheet = case_sheet::sheet(&state, who.person(), who.reach(), path.into_inner()).await?;
    Ok(HttpResponse::Ok().json(of_sheet(&page, &sheet)))
}

/// Has the case's pool planned anew, now.
#[utoipa::path(post, path = "/api/v1/cases/{case}/plan", tag = "dispatch", params(("case" = i64, Path)),
    responses((status = 202, description = "The plan is being made")))]
pub(super) async fn case_plan(who: Allowed<Dispatch>, state: State, path: web::Path<CaseId>) -> Answer {
    case_sheet::plan_again(&state, who.reach(), path.into_inner()).await?;
    Ok(HttpResponse::Accepted().finish())
}

/// A note or a telephone call.
#[derive(Deserialize, ToSchema)]
pub(super) struct NoteBody {
    /// `note` or `phone`.
    kind: String,
    /// Who was on the telephone.
    #[serde(default)]
    contact: String,
    #[serde(default)]
    body: String,
}

/// Adds a note or a telephone call.
#[utoipa::path(post, path = "/api/v1/cases/{case}/notes", tag = "dispatch", request_body = NoteBody,
    params(("case" = i64, Path)), responses((status = 204, description = "Noted")))]
pub(super) async fn case_note(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<CaseId>,
    body: web::Json<NoteBody>,
) -> Answer {
    case_sheet::note(&state, who.person(), who.reach(), *path, &body.kind, &body.contact, &body.body).await?;
    done()
}

/// Has a dead delivery tried again.
#[utoipa::path(post, path = "/api/v1/cases/{case}/deliveries/{delivery}/again", tag = "dispatch",
    params(("case" = i64, Path), ("delivery" = i64, Path)),
    responses((status = 202, description = "It is tried again")))]
pub(super) async fn case_deliver_again(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<(CaseId, DeliveryId)>,
) -> Answer {
    let (_, delivery) = path.into_inner();
    case_sheet::redeliver(&state, who.person(), who.reach(), delivery, Redeliver::Again).await?;
    Ok(HttpResponse::Accepted().finish())
}

/// Gives a dead delivery up, which may make its case returned.
#[utoipa::path(post, path = "/api/v1/cases/{case}/deliveries/{delivery}/give-up", tag = "dispatch",
    request_body = Reason, params(("case" = i64, Path), ("delivery" = i64, Path)),
    responses((status = 204, description = "Given up")))]
pub(super) async fn case_delivery_give_up(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<(CaseId, DeliveryId)>,
    body: web::Json<Reason>,
) -> Answer {
    let (_, delivery) = path.into_inner();
    let reason = need_reason("reason", &body.reason)?;
    case_sheet::redeliver(&state, who.person(), who.reach(), delivery, Redeliver::GiveUp(reason)).await?;
    done()
}
