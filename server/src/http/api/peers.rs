//! Peers as an administrator of a PACS watches them, and the rule by which priors are fetched from each. Settings and
//! echo are the endpoint's.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use dokuei_models::EndpointId;
use dokuei_models::store::peer_counts::PeerCount;
use dokuei_terms::Language;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::admin::doer;
use super::super::page::language_of;
use super::super::{Answer, Routes};
use super::done;
use super::shapes::utc;
use super::sites::EndpointShape;
use crate::app::peer_sheet::{self, PeerLine};
use crate::app::priors::rule::{self, RuleForm};
use crate::app::returns;
use crate::authority::Allowed;
use crate::authority::rights::Administer;
use crate::state::State;

/// Registers them.
pub(super) fn routes(routes: &mut Routes) {
    routes.get("/api/v1/peers", peer_list);
    routes.get("/api/v1/peers/{endpoint}", peer);
    routes.get("/api/v1/peers/{endpoint}/priors", prior_rule);
    routes.put("/api/v1/peers/{endpoint}/priors", prior_rule_change);
}

/// What came and went.
#[derive(Serialize, ToSchema)]
struct CountShape {
    associations: i64,
    received: i64,
    repeated: i64,
    quarantined: i64,
    failed: i64,
    sent: i64,
    undelivered: i64,
}

impl CountShape {
    fn of(count: PeerCount) -> Self {
        let PeerCount { associations, received, repeated, quarantined, failed, sent, undelivered } = count;
        Self { associations, received, repeated, quarantined, failed, sent, undelivered }
    }
}

/// Why it was turned away.
#[derive(Serialize, ToSchema)]
struct RefusedShape {
    reason: String,
    address: String,
    times: usize,
    last_at: DateTime<Utc>,
}

/// A storage commitment that it asked for.
#[derive(Serialize, ToSchema)]
struct CommitmentShape {
    transaction_uid: String,
    /// `asked`, `reported` or `expired`.
    state: &'static str,
    committed: i32,
    failed: i32,
    asked_at: DateTime<Utc>,
    reported_at: Option<DateTime<Utc>>,
}

/// One peer.
#[derive(Serialize, ToSchema)]
struct PeerShape {
    endpoint: EndpointShape,
    echo_at: Option<DateTime<Utc>>,
    echo_ms: Option<i32>,
    answered_at: Option<DateTime<Utc>>,
    failing_since: Option<DateTime<Utc>>,
    /// Why it does not answer, in the caller's language.
    failure: Option<String>,
    tls_version: Option<String>,
    certificate_subject: Option<String>,
    certificate_not_after: Option<DateTime<Utc>>,
    /// In the last 24 hours, and in the last 7 days.
    day: CountShape,
    week: CountShape,
    refused_day: usize,
    refusals: Vec<RefusedShape>,
    commitments: Vec<CommitmentShape>,
}

impl PeerShape {
    fn of(line: PeerLine, language: Language) -> Self {
        let state = line.state.as_ref();
        let failure = state.and_then(|state| state.failure.as_deref());
        let refusals = line.refusals.iter().map(|one| RefusedShape {
            reason: one.reason.clone(),
            address: one.address.clone(),
            times: one.times,
            last_at: one.last_at.and_utc(),
        });
        let commitments = line.commitments.iter().map(|row| CommitmentShape {
            transaction_uid: row.transaction_uid.clone(),
            state: row.state.code(),
            committed: row.committed,
            failed: row.failed,
            asked_at: row.asked_at.and_utc(),
            reported_at: utc(row.reported_at),
        });
        Self {
            echo_at: state.and_then(|state| utc(state.echo_at)),
            echo_ms: state.and_then(|state| state.echo_ms),
            answered_at: state.and_then(|state| utc(state.answered_at)),
            failing_since: utc(line.failing_since()),
            failure: failure.map(|text| returns::error_sentence(language, text).to_owned()),
            tls_version: state.and_then(|state| state.tls_version.clone()),
            certificate_subject: state.and_then(|state| state.certificate_subject.clone()),
            certificate_not_after: utc(line.certificate_not_after()),
            day: CountShape::of(line.day),
            week: CountShape::of(line.week),
            refused_day: line.refused_day,
            refusals: refusals.collect(),
            commitments: commitments.collect(),
            endpoint: EndpointShape::of(line.row, language),
        }
    }
}

/// Every peer, by site and name.
#[utoipa::path(get, path = "/api/v1/peers", tag = "administration", responses((status = 200, body = Vec<PeerShape>)))]
pub(super) async fn peer_list(who: Allowed<Administer>, state: State, request: HttpRequest) -> Answer {
    doer(&who, &state)?;
    let language = language_of(&request, Some(&who));
    let lines = peer_sheet::list(&state).await?.lines;
    Ok(HttpResponse::Ok().json(lines.into_iter().map(|line| PeerShape::of(line, language)).collect::<Vec<_>>()))
}

/// One peer.
#[utoipa::path(get, path = "/api/v1/peers/{endpoint}", tag = "administration", params(("endpoint" = i64, Path)),
    responses((status = 200, body = PeerShape)))]
pub(super) async fn peer(
    who: Allowed<Administer>,
    state: State,
    request: HttpRequest,
    path: web::Path<EndpointId>,
) -> Answer {
    doer(&who, &state)?;
    let language = language_of(&request, Some(&who));
    Ok(HttpResponse::Ok().json(PeerShape::of(peer_sheet::get(&state, *path).await?, language)))
}

/// A rule by which priors are fetched.
#[derive(Serialize, ToSchema)]
struct PriorRuleShape {
    active: bool,
    most: i32,
    within_days: i32,
    same_modality: bool,
    same_region: bool,
    /// How the images come: `move` (C-MOVE) or `get` (C-GET).
    way: &'static str,
    /// When it was last asked for priors.
    asked_at: Option<DateTime<Utc>>,
    /// Why they, or some of their images, could not be had then, in the caller's language.
    failure: Option<String>,
}

/// The rule by which priors are fetched from it; `null` where it has none.
#[utoipa::path(get, path = "/api/v1/peers/{endpoint}/priors", tag = "administration",
    params(("endpoint" = i64, Path)), responses((status = 200, body = Option<PriorRuleShape>)))]
pub(super) async fn prior_rule(
    who: Allowed<Administer>,
    state: State,
    request: HttpRequest,
    path: web::Path<EndpointId>,
) -> Answer {
    doer(&who, &state)?;
    let language = language_of(&request, Some(&who));
    peer_sheet::get(&state, *path).await?;
    let rule = rule::get(&state, *path).await?.map(|rule| PriorRuleShape {
        active: rule.active,
        most: rule.most,
        within_days: rule.within_days,
        same_modality: rule.same_modality,
        same_region: rule.same_region,
        way: rule.way.code(),
        asked_at: utc(rule.asked_at),
        failure: rule.failure.map(|text| returns::error_sentence(language, &text).to_owned()),
    });
    Ok(HttpResponse::Ok().json(rule))
}

/// Writes that rule.
#[utoipa::path(put, path = "/api/v1/peers/{endpoint}/priors", tag = "administration", request_body = RuleForm,
    params(("endpoint" = i64, Path)), responses((status = 204)))]
pub(super) async fn prior_rule_change(
    who: Allowed<Administer>,
    state: State,
    path: web::Path<EndpointId>,
    form: web::Json<RuleForm>,
) -> Answer {
    rule::set(&state, doer(&who, &state)?, *path, &form).await?;
    done()
}
