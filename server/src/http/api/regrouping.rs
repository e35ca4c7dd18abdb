//! Which studies and parts belong to a case, and what found no partner: a dispatcher decides, until signing.

use actix_web::{HttpResponse, web};
use dokuei_models::identity::IdentityDoubt;
use dokuei_models::{CaseId, RequestId, StudyId};
use dokuei_terms::Part;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{Answer, Routes};
use super::{Reason, done};
use crate::app::form::{invalid, need_reason};
use crate::app::regrouping::{self, Regroup, Settle};
use crate::authority::Allowed;
use crate::authority::rights::Dispatch;
use crate::error::Result;
use crate::state::State;

/// Registers them.
pub(super) fn routes(routes: &mut Routes) {
    routes.post("/api/v1/cases/{case}/studies/{study}/attach", case_attach);
    routes.post("/api/v1/cases/{case}/studies/{study}/detach", case_detach);
    routes.post("/api/v1/cases/{case}/studies/{study}/split", case_split);
    routes.post("/api/v1/cases/{case}/merge", case_merge);
    routes.put("/api/v1/cases/{case}/parts", case_parts);
    routes.post("/api/v1/unmatched/join", unmatched_join);
    routes.post("/api/v1/unmatched/studies/{study}/open", unmatched_open);
    routes.post("/api/v1/unmatched/studies/{study}/keep", unmatched_keep);
    routes.post("/api/v1/unmatched/requests/{request}/withdraw", unmatched_withdraw);
}

/// Codes of what differs between images and request.
fn doubts(codes: &[String]) -> Result<Vec<IdentityDoubt>> {
    codes.iter().map(|code| code.parse().map_err(|_| invalid("seen"))).collect()
}

/// What the person takes upon himself.
#[derive(Deserialize, ToSchema)]
pub(super) struct SeenBody {
    /// What differs and was seen: `patient_id`, `name`, `birth_date`, `sex`.
    #[serde(default)]
    seen: Vec<String>,
}

async fn regroup(who: &Allowed<Dispatch>, state: &State, case: CaseId, what: Regroup, reason: String) -> Answer {
    regrouping::regroup(state, who.person(), who.reach(), case, what, reason).await?;
    done()
}

/// Puts a loose study of the patient into a case.
#[utoipa::path(post, path = "/api/v1/cases/{case}/studies/{study}/attach", tag = "dispatch", request_body = SeenBody,
    params(("case" = i64, Path), ("study" = i64, Path)), responses((status = 204, description = "Attached")))]
pub(super) async fn case_attach(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<(CaseId, StudyId)>,
    body: web::Json<SeenBody>,
) -> Answer {
    let (case, study) = path.into_inner();
    regroup(&who, &state, case, Regroup::Attach { study, seen: doubts(&body.seen)? }, String::new()).await
}

/// Takes a study out of a case; it waits as unmatched.
#[utoipa::path(post, path = "/api/v1/cases/{case}/studies/{study}/detach", tag = "dispatch",
    params(("case" = i64, Path), ("study" = i64, Path)), responses((status = 204, description = "Detached")))]
pub(super) async fn case_detach(who: Allowed<Dispatch>, state: State, path: web::Path<(CaseId, StudyId)>) -> Answer {
    let (case, study) = path.into_inner();
    regroup(&who, &state, case, Regroup::Detach(study), String::new()).await
}

/// Gives a study a case of its own, of the same request.
#[utoipa::path(post, path = "/api/v1/cases/{case}/studies/{study}/split", tag = "dispatch",
    params(("case" = i64, Path), ("study" = i64, Path)), responses((status = 204, description = "Split")))]
pub(super) async fn case_split(who: Allowed<Dispatch>, state: State, path: web::Path<(CaseId, StudyId)>) -> Answer {
    let (case, study) = path.into_inner();
    regroup(&who, &state, case, Regroup::Split(study), String::new()).await
}

/// Another case of the patient, which ends.
#[derive(Deserialize, ToSchema)]
pub(super) struct MergeBody {
    from: i64,
    #[serde(default)]
    reason: String,
}

/// Takes in everything of another case of the patient.
#[utoipa::path(post, path = "/api/v1/cases/{case}/merge", tag = "dispatch", request_body = MergeBody,
    params(("case" = i64, Path)), responses((status = 204, description = "Merged")))]
pub(super) async fn case_merge(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<CaseId>,
    body: web::Json<MergeBody>,
) -> Answer {
    let reason = need_reason("reason", &body.reason)?;
    regroup(&who, &state, *path, Regroup::Merge(CaseId(body.from)), reason).await
}

/// A part by its codes.
#[derive(Deserialize, ToSchema)]
struct PartBody {
    /// As on a case, e.g. `chest.lung`.
    region: String,
    /// e.g. `CT`.
    modality: String,
    /// `none`, `right`, `left` or `both`.
    #[serde(default)]
    laterality: Option<String>,
}

/// What is to be read, and why it is another than before.
#[derive(Deserialize, ToSchema)]
pub(super) struct PartsBody {
    parts: Vec<PartBody>,
    #[serde(default)]
    reason: String,
}

/// Says what is to be read.
#[utoipa::path(put, path = "/api/v1/cases/{case}/parts", tag = "dispatch", request_body = PartsBody,
    params(("case" = i64, Path)), responses((status = 204, description = "Corrected")))]
pub(super) async fn case_parts(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<CaseId>,
    body: web::Json<PartsBody>,
) -> Answer {
    let reason = need_reason("reason", &body.reason)?;
    let mut parts = Vec::new();
    for one in &body.parts {
        let part = Part {
            region: one.region.parse().map_err(|_| invalid("region"))?,
            modality: one.modality.parse().map_err(|_| invalid("modality"))?,
            laterality: one.laterality.as_deref().unwrap_or("none").parse().map_err(|_| invalid("laterality"))?,
        };
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    if parts.is_empty() || parts.len() > super::super::case_view::MOST_PARTS {
        return Err(invalid("parts"));
    }
    regroup(&who, &state, *path, Regroup::Correct(parts), reason).await
}

/// What came of it.
#[derive(Serialize, ToSchema)]
struct SettledShape {
    /// The case, where there is one now.
    case: Option<i64>,
}

async fn settle(who: &Allowed<Dispatch>, state: &State, what: Settle, reason: String) -> Answer {
    let case = regrouping::settle(state, who.person(), who.reach(), what, reason).await?;
    Ok(HttpResponse::Ok().json(SettledShape { case: case.map(|case| case.0) }))
}

/// A study and a request that belong together.
#[derive(Deserialize, ToSchema)]
pub(super) struct JoinBody {
    study: i64,
    request: i64,
    /// What differs and was seen; then a reason is needed.
    #[serde(default)]
    seen: Vec<String>,
    #[serde(default)]
    reason: String,
}

/// Says that images and a request belong together.
#[utoipa::path(post, path = "/api/v1/unmatched/join", tag = "dispatch", request_body = JoinBody,
    responses((status = 200, body = SettledShape)))]
pub(super) async fn unmatched_join(who: Allowed<Dispatch>, state: State, body: web::Json<JoinBody>) -> Answer {
    let seen = doubts(&body.seen)?;
    let reason = if seen.is_empty() { body.reason.clone() } else { need_reason("reason", &body.reason)? };
    let what = Settle::Join { request: RequestId(body.request), study: StudyId(body.study), seen };
    settle(&who, &state, what, reason).await
}

/// Has images read with the site's default request.
#[utoipa::path(post, path = "/api/v1/unmatched/studies/{study}/open", tag = "dispatch", request_body = Reason,
    params(("study" = i64, Path)), responses((status = 200, body = SettledShape)))]
pub(super) async fn unmatched_open(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<StudyId>,
    body: web::Json<Reason>,
) -> Answer {
    settle(&who, &state, Settle::OpenDefault(*path), need_reason("reason", &body.reason)?).await
}

/// Keeps images for comparison only.
#[utoipa::path(post, path = "/api/v1/unmatched/studies/{study}/keep", tag = "dispatch", request_body = Reason,
    params(("study" = i64, Path)), responses((status = 200, body = SettledShape)))]
pub(super) async fn unmatched_keep(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<StudyId>,
    body: web::Json<Reason>,
) -> Answer {
    settle(&who, &state, Settle::KeepForComparison(*path), need_reason("reason", &body.reason)?).await
}

/// Withdraws a request that has no images.
#[utoipa::path(post, path = "/api/v1/unmatched/requests/{request}/withdraw", tag = "dispatch", request_body = Reason,
    params(("request" = i64, Path)), responses((status = 200, body = SettledShape)))]
pub(super) async fn unmatched_withdraw(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<RequestId>,
    body: web::Json<Reason>,
) -> Answer {
    settle(&who, &state, Settle::Withdraw(*path), need_reason("reason", &body.reason)?).await
}
