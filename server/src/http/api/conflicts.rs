//! Images that contradict what is shown, studies that two houses claim, and what becomes of what was signed on them.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use dokuei_models::store::images::{Decision, VersionRow};
use dokuei_models::{CaseId, ReadId, StudyId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{Answer, Routes};
use super::shapes::utc;
use super::{Reason, done};
use crate::app::conflicts::{self, Order};
use crate::app::form::need_reason;
use crate::app::signing::asked::stand;
use crate::app::signing::withdraw::{By, withdraw};
use crate::app::{claims, trouble};
use crate::authority::Allowed;
use crate::authority::rights::{Dispatch, Read};
use crate::error::{Error, codes};
use crate::state::State;

/// Registers them.
pub(super) fn routes(routes: &mut Routes) {
    routes.get("/api/v1/conflicts", conflict_list);
    routes.get("/api/v1/conflicts/{study}", conflict);
    routes.post("/api/v1/conflicts/{study}/decide", conflict_decide);
    routes.post("/api/v1/conflicts/{study}/undo", conflict_undo);
    routes.get("/api/v1/claims", claim_list);
    routes.post("/api/v1/claims/{study}/decide", claim_decide);
    routes.post("/api/v1/cases/{case}/withdrawal", case_withdrawal);
    routes.post("/api/v1/reads/{read}/report-stands", read_report_stands);
}

/// A study of which versions wait.
#[derive(Serialize, ToSchema)]
struct ConflictLine {
    study: i64,
    site: i64,
    cases: Vec<i64>,
    /// What the new headers change: `patient`, `laterality`, `study`.
    identity: Vec<String>,
    /// Versions that wait because of their header, and because of their pixels.
    headers: usize,
    pixels: usize,
    since: DateTime<Utc>,
}

/// The studies within one's reach of which images contradict what is shown, the longest waiting first.
#[utoipa::path(get, path = "/api/v1/conflicts", tag = "dispatch", responses((status = 200, body = Vec<ConflictLine>)))]
pub(super) async fn conflict_list(who: Allowed<Dispatch>, state: State) -> Answer {
    let waiting = trouble::lists(&state, who.reach()).await?.conflicts;
    let lines = waiting.into_iter().map(|one| ConflictLine {
        study: one.study.id.0,
        site: one.study.site_id.0,
        cases: one.cases.iter().map(|case| case.0).collect(),
        identity: one.identity,
        headers: one.headers,
        pixels: one.pixels,
        since: one.since.and_utc(),
    });
    Ok(HttpResponse::Ok().json(lines.collect::<Vec<_>>()))
}

/// A version of an image.
#[derive(Serialize, ToSchema)]
struct ImageVersionShape {
    id: i64,
    instance: i64,
    /// `first`, `header` or `pixels`.
    difference: &'static str,
    /// `current`, `superseded`, `waiting` or `refused`.
    standing: &'static str,
    /// Tags that differ.
    changed: Vec<String>,
    identity: Vec<String>,
    sha256: String,
    received_at: DateTime<Utc>,
    decided_at: Option<DateTime<Utc>>,
    reason: Option<String>,
}

impl ImageVersionShape {
    fn of(row: &VersionRow) -> Self {
        Self {
            id: row.id,
            instance: row.instance_id.0,
            difference: row.difference.code(),
            standing: row.standing.code(),
            changed: row.changed_tags(),
            identity: row.identity_change_codes(),
            sha256: row.sha256.clone(),
            received_at: row.received_at.and_utc(),
            decided_at: utc(row.decided_at),
            reason: row.reason.clone(),
        }
    }
}

/// Two versions of one image.
#[derive(Serialize, ToSchema)]
struct PairShape {
    shown: ImageVersionShape,
    came: ImageVersionShape,
}

/// A header field of which two versions say different things.
#[derive(Serialize, ToSchema)]
struct FieldShape {
    tag: String,
    keyword: String,
    shown: String,
    came: String,
}

/// A study's conflict.
#[derive(Serialize, ToSchema)]
struct ConflictSheet {
    study: i64,
    cases: Vec<i64>,
    waiting: Vec<PairShape>,
    /// The differing fields of the first pair that has any.
    fields: Vec<FieldShape>,
    /// Decisions that can be taken back, newest first.
    decided: Vec<ImageVersionShape>,
    /// Cases whose signed reports' withdrawal is asked for.
    withdrawal_asked: Vec<i64>,
}

/// What waits of a study beside what is shown.
#[utoipa::path(get, path = "/api/v1/conflicts/{study}", tag = "dispatch", params(("study" = i64, Path)),
    responses((status = 200, body = ConflictSheet)))]
pub(super) async fn conflict(who: Allowed<Dispatch>, state: State, path: web::Path<StudyId>) -> Answer {
    let sheet = conflicts::sheet(&state, who.person(), who.reach(), *path).await?;
    let waiting = sheet
        .pairs
        .iter()
        .map(|pair| PairShape { shown: ImageVersionShape::of(&pair.shown), came: ImageVersionShape::of(&pair.new) });
    let fields = sheet.fields.into_iter().map(|field| FieldShape {
        tag: field.tag,
        keyword: field.keyword,
        shown: field.before,
        came: field.after,
    });
    Ok(HttpResponse::Ok().json(ConflictSheet {
        study: sheet.study.id.0,
        cases: sheet.cases.iter().map(|(case, _)| case.0).collect(),
        waiting: waiting.collect(),
        fields: fields.collect(),
        decided: sheet.decided.iter().map(ImageVersionShape::of).collect(),
        withdrawal_asked: sheet.asked.iter().map(|case| case.0).collect(),
    }))
}

/// What a person says of versions that wait.
#[derive(Deserialize, ToSchema)]
pub(super) struct ConflictBody {
    /// The versions that were looked at, by the ids of what came.
    #[serde(default)]
    versions: Vec<i64>,
    /// `keep` what is shown, or `take` what came.
    #[serde(default)]
    decision: String,
    /// Why.
    #[serde(default)]
    reason: String,
}

/// Decides which versions are shown.
#[utoipa::path(post, path = "/api/v1/conflicts/{study}/decide", tag = "dispatch", request_body = ConflictBody,
    params(("study" = i64, Path)), responses((status = 204, description = "Decided")))]
pub(super) async fn conflict_decide(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<StudyId>,
    body: web::Json<ConflictBody>,
) -> Answer {
    let body = body.into_inner();
    let decision = match body.decision.as_str() {
        "keep" => Decision::Keep,
        "take" => Decision::Take,
        _ => return Err(Error::new(&codes::common::BAD_REQUEST).with("reason", "decision")),
    };
    let order = Order { versions: body.versions, decision, reason: need_reason("reason", &body.reason)? };
    conflicts::decide(&state, who.person(), who.reach(), *path, order).await?;
    done()
}

/// Versions.
#[derive(Deserialize, ToSchema)]
pub(super) struct VersionsBody {
    #[serde(default)]
    versions: Vec<i64>,
}

/// Takes decisions back.
#[utoipa::path(post, path = "/api/v1/conflicts/{study}/undo", tag = "dispatch", request_body = VersionsBody,
    params(("study" = i64, Path)), responses((status = 204, description = "They wait again")))]
pub(super) async fn conflict_undo(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<StudyId>,
    body: web::Json<VersionsBody>,
) -> Answer {
    conflicts::undo(&state, who.person(), who.reach(), *path, body.into_inner().versions).await?;
    done()
}

/// A study from elsewhere that its site itself sends.
#[derive(Serialize, ToSchema)]
struct ClaimShape {
    study: i64,
    study_uid: String,
    site: i64,
    /// The patient's number by the medium, and by the site.
    foreign_patient_id: String,
    site_patient_id: String,
    /// Images that are kept apart until it is answered.
    waiting: i64,
    since: DateTime<Utc>,
}

/// The studies from elsewhere within one's reach that their site sends too.
#[utoipa::path(get, path = "/api/v1/claims", tag = "dispatch", responses((status = 200, body = Vec<ClaimShape>)))]
pub(super) async fn claim_list(who: Allowed<Dispatch>, state: State) -> Answer {
    let waiting = trouble::lists(&state, who.reach()).await?.claims;
    let lines = waiting.into_iter().map(|one| ClaimShape {
        study: one.study.id.0,
        study_uid: one.study.study_uid,
        site: one.row.site_id.0,
        foreign_patient_id: one.foreign.patient_id,
        site_patient_id: one.said.identity.patient_id,
        waiting: one.waiting,
        since: one.row.claimed_at.and_utc(),
    });
    Ok(HttpResponse::Ok().json(lines.collect::<Vec<_>>()))
}

/// Whose a study is.
#[derive(Deserialize, ToSchema)]
pub(super) struct ClaimBody {
    /// `ours` (the site's) or `elsewhere`.
    #[serde(default)]
    decision: String,
    /// Why.
    #[serde(default)]
    reason: String,
}

/// Says whose a study is.
#[utoipa::path(post, path = "/api/v1/claims/{study}/decide", tag = "dispatch", request_body = ClaimBody,
    params(("study" = i64, Path)), responses((status = 204, description = "What was kept apart goes there")))]
pub(super) async fn claim_decide(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<StudyId>,
    body: web::Json<ClaimBody>,
) -> Answer {
    let decision = body.decision.parse();
    let decision = decision.map_err(|_| Error::new(&codes::common::BAD_REQUEST).with("reason", "decision"))?;
    claims::decide(&state, who.person(), who.reach(), *path, decision, &body.reason).await?;
    done()
}

/// What becomes of signed reports whose withdrawal is asked for.
#[derive(Deserialize, ToSchema)]
pub(super) struct AskedBody {
    /// `withdraw` them, or they `stand`.
    #[serde(default)]
    answer: String,
    /// Why; the site sees it. No patient's name.
    #[serde(default)]
    reason: String,
    /// Must be true to withdraw: it cannot be undone.
    #[serde(default)]
    confirm: bool,
}

/// Answers where the withdrawal of a case's signed reports is asked for.
#[utoipa::path(post, path = "/api/v1/cases/{case}/withdrawal", tag = "dispatch", request_body = AskedBody,
    params(("case" = i64, Path)), responses((status = 204, description = "Withdrawn, or noted that they stand")))]
pub(super) async fn case_withdrawal(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<CaseId>,
    body: web::Json<AskedBody>,
) -> Answer {
    let by = By::Asked(who.reach(), path.into_inner());
    match body.answer.as_str() {
        "withdraw" => withdraw(&state, who.person(), by, &body.reason, body.confirm).await?,
        "stand" => stand(&state, who.person(), by, &body.reason).await?,
        _ => return Err(Error::new(&codes::common::BAD_REQUEST).with("reason", "answer")),
    };
    done()
}

/// Says that the report that one has signed stands although its withdrawal is asked for.
#[utoipa::path(post, path = "/api/v1/reads/{read}/report-stands", tag = "reading", request_body = Reason,
    params(("read" = i64, Path)), responses((status = 204, description = "Noted")))]
pub(super) async fn read_report_stands(
    who: Allowed<Read>,
    state: State,
    path: web::Path<ReadId>,
    body: web::Json<Reason>,
) -> Answer {
    stand(&state, &who, By::Signer(path.into_inner()), &body.reason).await?;
    done()
}
