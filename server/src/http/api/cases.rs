//! A case for those who dispatch: the sheet, decisions with their price, notes, deliveries.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use dokuei_assigner::NameOf;
use dokuei_models::state::{HoldActor, NoteKind};
use dokuei_models::{CaseId, DeliveryId, OverrideId, ReadId, ReaderId};
use dokuei_terms::Priority;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::case_view::why;
use super::super::cases::need_reason;
use super::super::{Answer, Page, Routes};
use super::shapes::{
    CaseShape, NoteShape, PartShape, PatientShape, ReadShape, RequestShape, SiteShape, StudyShape, json, utc,
};
use super::{Reason, done};
use crate::app::board::Names;
use crate::app::case_sheet::{self, Redeliver, Sheet};
use crate::app::overriding::{self, Decision, Price};
use crate::authority::Allowed;
use crate::authority::rights::Dispatch;
use crate::error::{Error, codes};
use crate::state::State;

/// Registers them.
pub(super) fn routes(routes: &mut Routes) {
    routes.get("/api/v1/cases/{case}", case);
    routes.post("/api/v1/cases/{case}/hold", case_hold);
    routes.post("/api/v1/cases/{case}/release", case_release);
    routes.post("/api/v1/cases/{case}/priority", case_priority);
    routes.post("/api/v1/cases/{case}/exclude", case_exclude);
    routes.post("/api/v1/cases/{case}/cancel", case_cancel);
    routes.post("/api/v1/cases/{case}/plan", case_plan);
    routes.post("/api/v1/cases/{case}/notes", case_note);
    routes.get("/api/v1/cases/{case}/reads/{read}/price/{reader}", case_price);
    routes.post("/api/v1/cases/{case}/reads/{read}/pin", case_pin);
    routes.post("/api/v1/cases/{case}/reads/{read}/unassign", case_unassign);
    routes.post("/api/v1/cases/{case}/overrides/{which}/undo", case_override_undo);
    routes.post("/api/v1/cases/{case}/deliveries/{delivery}/again", case_deliver_again);
    routes.post("/api/v1/cases/{case}/deliveries/{delivery}/give-up", case_delivery_give_up);
}

fn invalid(field: &str) -> Error {
    Error::new(&codes::common::FORM_INVALID).field(field, &codes::common::FIELD_INVALID)
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

async fn decide(who: &Allowed<Dispatch>, state: &State, case: CaseId, decision: Decision, reason: &str) -> Answer {
    let reason = need_reason(reason)?;
    overriding::decide(state, who.person(), who.reach(), case, decision, reason).await?;
    done()
}

/// A hold.
#[derive(Deserialize, ToSchema)]
pub(super) struct HoldBody {
    #[serde(default)]
    reason: String,
    /// Who must act, e.g. `site`.
    actor: String,
    /// For how long at the most: 1 to 44640.
    minutes: i64,
}

/// Stops a case until it is released.
#[utoipa::path(post, path = "/api/v1/cases/{case}/hold", tag = "dispatch", request_body = HoldBody,
    params(("case" = i64, Path)), responses((status = 204, description = "Held")))]
pub(super) async fn case_hold(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<CaseId>,
    body: web::Json<HoldBody>,
) -> Answer {
    let actor: HoldActor = body.actor.parse().map_err(|_| invalid("actor"))?;
    if !(1..=60 * 24 * 31).contains(&body.minutes) {
        return Err(invalid("minutes"));
    }
    let decision = Decision::Hold { actor, until: state.now() + TimeDelta::minutes(body.minutes) };
    decide(&who, &state, path.into_inner(), decision, &body.reason).await
}

/// Lets a held case go on.
#[utoipa::path(post, path = "/api/v1/cases/{case}/release", tag = "dispatch", request_body = Reason,
    params(("case" = i64, Path)), responses((status = 204, description = "Released")))]
pub(super) async fn case_release(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<CaseId>,
    body: web::Json<Reason>,
) -> Answer {
    decide(&who, &state, path.into_inner(), Decision::Release, &body.reason).await
}

/// Another priority.
#[derive(Deserialize, ToSchema)]
pub(super) struct PriorityBody {
    #[serde(default)]
    reason: String,
    /// `routine`, `priority`, `urgent` or `stat`.
    priority: String,
}

/// Gives a case another priority; the due time follows the contract.
#[utoipa::path(post, path = "/api/v1/cases/{case}/priority", tag = "dispatch", request_body = PriorityBody,
    params(("case" = i64, Path)), responses((status = 204, description = "Changed")))]
pub(super) async fn case_priority(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<CaseId>,
    body: web::Json<PriorityBody>,
) -> Answer {
    let priority: Priority = body.priority.parse().map_err(|_| invalid("priority"))?;
    decide(&who, &state, path.into_inner(), Decision::Prioritise(priority), &body.reason).await
}

/// A reader and why.
#[derive(Deserialize, ToSchema)]
pub(super) struct ReaderBody {
    #[serde(default)]
    reason: String,
    reader: i64,
}

/// Keeps a reader away from every read of the case.
#[utoipa::path(post, path = "/api/v1/cases/{case}/exclude", tag = "dispatch", request_body = ReaderBody,
    params(("case" = i64, Path)), responses((status = 204, description = "Excluded")))]
pub(super) async fn case_exclude(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<CaseId>,
    body: web::Json<ReaderBody>,
) -> Answer {
    let decision = Decision::Exclude { reader: ReaderId(body.reader) };
    decide(&who, &state, path.into_inner(), decision, &body.reason).await
}

/// Ends a case without a report.
#[utoipa::path(post, path = "/api/v1/cases/{case}/cancel", tag = "dispatch", request_body = Reason,
    params(("case" = i64, Path)), responses((status = 204, description = "Cancelled")))]
pub(super) async fn case_cancel(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<CaseId>,
    body: web::Json<Reason>,
) -> Answer {
    decide(&who, &state, path.into_inner(), Decision::Cancel, &body.reason).await
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
    let kind = match body.kind.as_str() {
        "phone" => NoteKind::Phone,
        "note" => NoteKind::Note,
        _ => return Err(invalid("kind")),
    };
    let (contact, text) = (body.contact.trim().to_owned(), body.body.trim().to_owned());
    let wrong = |field, fault| Err(Error::new(&codes::common::FORM_INVALID).field(field, fault));
    match text.chars().count() {
        0 => return wrong("body", &codes::common::FIELD_REQUIRED),
        1..=4000 => {}
        _ => return wrong("body", &codes::common::FIELD_TOO_LONG),
    }
    if contact.chars().count() > 200 {
        return wrong("contact", &codes::common::FIELD_TOO_LONG);
    }
    case_sheet::note(&state, who.person(), who.reach(), path.into_inner(), kind, contact, text).await?;
    done()
}

/// A case that a pin makes late, or later.
#[derive(Serialize, ToSchema)]
struct DelayedShape {
    case: i64,
    /// Minutes beyond its due time without the pin.
    before_minutes: f64,
    /// And with it.
    after_minutes: f64,
}

/// What a pin would cost.
#[derive(Serialize, ToSchema)]
struct PriceShape {
    /// `possible`, `forbidden` (a hard rule) or `not_open` (in progress, held or done).
    verdict: &'static str,
    /// Which rule forbids it, in words.
    forbidden: Option<String>,
    skill: Option<f64>,
    /// Minutes from now until he would end it.
    ends_in_minutes: Option<f64>,
    due_in_minutes: Option<f64>,
    /// Who has it now, or would get it.
    instead_of: Option<i64>,
    /// How many points worse than that.
    more_points: Option<f64>,
    delayed: Vec<DelayedShape>,
}

/// Prices a pin before it is made. Changes nothing.
#[utoipa::path(get, path = "/api/v1/cases/{case}/reads/{read}/price/{reader}", tag = "dispatch",
    params(("case" = i64, Path), ("read" = i64, Path), ("reader" = i64, Path)),
    responses((status = 200, body = PriceShape)))]
pub(super) async fn case_price(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    path: web::Path<(CaseId, ReadId, ReaderId)>,
) -> Answer {
    let (case, read, reader) = path.into_inner();
    let price = overriding::price(&state, who.reach(), case, read, reader).await?;
    let mut shape = PriceShape {
        verdict: "not_open",
        forbidden: None,
        skill: None,
        ends_in_minutes: None,
        due_in_minutes: None,
        instead_of: None,
        more_points: None,
        delayed: Vec::new(),
    };
    match price {
        Price::NotOpen => {}
        Price::Forbidden(blocked) => {
            let names = state.db.read(Names::load).await?;
            let name = |which: NameOf| names.of(page.language, which);
            shape.verdict = "forbidden";
            shape.forbidden = Some(blocked.words(page.language, &name));
        }
        Price::Costs { quote, ends_in_minutes, due_in_minutes, delayed } => {
            shape.verdict = "possible";
            shape.skill = Some(quote.offer.skill);
            shape.ends_in_minutes = ends_in_minutes;
            shape.due_in_minutes = Some(due_in_minutes);
            shape.more_points = quote.more_points();
            shape.instead_of = quote.instead_of.map(|offer| offer.reader);
            shape.delayed = delayed
                .iter()
                .map(|one| DelayedShape {
                    case: one.case.0,
                    before_minutes: one.before_minutes,
                    after_minutes: one.after_minutes,
                })
                .collect();
        }
    }
    Ok(HttpResponse::Ok().json(shape))
}

/// Gives a read to this reader and no other.
#[utoipa::path(post, path = "/api/v1/cases/{case}/reads/{read}/pin", tag = "dispatch", request_body = ReaderBody,
    params(("case" = i64, Path), ("read" = i64, Path)), responses((status = 204, description = "Pinned")))]
pub(super) async fn case_pin(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<(CaseId, ReadId)>,
    body: web::Json<ReaderBody>,
) -> Answer {
    let (case, read) = path.into_inner();
    decide(&who, &state, case, Decision::Pin { read, reader: ReaderId(body.reader) }, &body.reason).await
}

/// Takes a read off its reader's list and back to the plan. The draft is kept.
#[utoipa::path(post, path = "/api/v1/cases/{case}/reads/{read}/unassign", tag = "dispatch", request_body = Reason,
    params(("case" = i64, Path), ("read" = i64, Path)), responses((status = 204, description = "Unassigned")))]
pub(super) async fn case_unassign(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<(CaseId, ReadId)>,
    body: web::Json<Reason>,
) -> Answer {
    let (case, read) = path.into_inner();
    decide(&who, &state, case, Decision::Unassign(read), &body.reason).await
}

/// Takes a decision back.
#[utoipa::path(post, path = "/api/v1/cases/{case}/overrides/{which}/undo", tag = "dispatch",
    params(("case" = i64, Path), ("which" = i64, Path)), responses((status = 204, description = "Taken back")))]
pub(super) async fn case_override_undo(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<(CaseId, OverrideId)>,
) -> Answer {
    let (case, which) = path.into_inner();
    overriding::take_back(&state, who.person(), who.reach(), case, which).await?;
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
    let reason = need_reason(&body.reason)?;
    case_sheet::redeliver(&state, who.person(), who.reach(), delivery, Redeliver::GiveUp(reason)).await?;
    done()
}
