//! A dispatcher's decisions about a case and its reads, with their price.

use actix_web::{HttpResponse, web};
use dokuei_assigner::NameOf;
use dokuei_models::{CaseId, OverrideId, ReadId, ReaderId};
use dokuei_terms::Priority;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{Answer, Page, Routes};
use super::{Reason, done};
use crate::app::board::Names;
use crate::app::form::{invalid, need_hold, need_reason};
use crate::app::overriding::{self, Decision, Price};
use crate::authority::Allowed;
use crate::authority::rights::Dispatch;
use crate::state::State;

/// Registers them.
pub(super) fn routes(routes: &mut Routes) {
    routes.post("/api/v1/cases/{case}/hold", case_hold);
    routes.post("/api/v1/cases/{case}/release", case_release);
    routes.post("/api/v1/cases/{case}/priority", case_priority);
    routes.post("/api/v1/cases/{case}/exclude", case_exclude);
    routes.post("/api/v1/cases/{case}/cancel", case_cancel);
    routes.get("/api/v1/cases/{case}/reads/{read}/price/{reader}", case_price);
    routes.post("/api/v1/cases/{case}/reads/{read}/pin", case_pin);
    routes.post("/api/v1/cases/{case}/reads/{read}/unassign", case_unassign);
    routes.post("/api/v1/cases/{case}/overrides/{which}/undo", case_override_undo);
}

async fn decide(who: &Allowed<Dispatch>, state: &State, case: CaseId, decision: Decision, reason: &str) -> Answer {
    let reason = need_reason("reason", reason)?;
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
    let (actor, length) = need_hold(&body.actor, &body.minutes.to_string())?;
    let decision = Decision::Hold { actor, until: state.now() + length };
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
