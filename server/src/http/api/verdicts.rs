//! What a person says of signed reports: that two agree or differ, that they are withdrawn.

use actix_web::web;
use dokuei_models::{CaseId, ReadId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::{Answer, Routes};
use super::done;
use crate::app::comparing::{self, Comparison};
use crate::app::signing::withdraw::{By, withdraw};
use crate::authority::Allowed;
use crate::authority::rights::{Direct, Dispatch, Read};
use crate::state::State;

/// Registers them.
pub(super) fn routes(routes: &mut Routes) {
    routes.post("/api/v1/reads/{read}/compare", read_compare);
    routes.post("/api/v1/cases/{case}/compare", case_compare);
    routes.post("/api/v1/reads/{read}/withdraw", read_withdraw);
    routes.post("/api/v1/cases/{case}/withdraw", case_withdraw);
}

/// What two independent reports are to each other.
#[derive(Deserialize, ToSchema)]
pub(super) struct ComparisonBody {
    /// `agree` or `differ`.
    #[serde(default)]
    outcome: String,
    /// In what they differ; needed where they do.
    #[serde(default)]
    reason: String,
}

/// A withdrawal.
#[derive(Deserialize, ToSchema)]
pub(super) struct WithdrawalBody {
    /// Why; the site sees it. No patient's name.
    #[serde(default)]
    reason: String,
    /// Must be true: it cannot be undone.
    #[serde(default)]
    confirm: bool,
}

/// Compares one's own independent report with the other's, when both are signed and one was last.
#[utoipa::path(post, path = "/api/v1/reads/{read}/compare", tag = "reading", request_body = ComparisonBody,
    params(("read" = i64, Path)), responses((status = 204, description = "Reported, or a third read is made")))]
pub(super) async fn read_compare(
    who: Allowed<Read>,
    state: State,
    path: web::Path<ReadId>,
    body: web::Json<ComparisonBody>,
) -> Answer {
    let outcome = Comparison::of(&body.outcome, &body.reason)?;
    comparing::compare(&state, &who, path.into_inner(), outcome).await?;
    done()
}

/// Writes down how two independent reports compare, where the second reader does not.
#[utoipa::path(post, path = "/api/v1/cases/{case}/compare", tag = "dispatch", request_body = ComparisonBody,
    params(("case" = i64, Path)), responses((status = 204, description = "Reported, or a third read is made")))]
pub(super) async fn case_compare(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<CaseId>,
    body: web::Json<ComparisonBody>,
) -> Answer {
    let outcome = Comparison::of(&body.outcome, &body.reason)?;
    comparing::compare_as_dispatcher(&state, who.person(), who.reach(), path.into_inner(), outcome).await?;
    done()
}

/// Withdraws the reports of the case that one has signed this read of.
#[utoipa::path(post, path = "/api/v1/reads/{read}/withdraw", tag = "reading", request_body = WithdrawalBody,
    params(("read" = i64, Path)), responses((status = 204, description = "Withdrawn; the case is held")))]
pub(super) async fn read_withdraw(
    who: Allowed<Read>,
    state: State,
    path: web::Path<ReadId>,
    body: web::Json<WithdrawalBody>,
) -> Answer {
    withdraw(&state, &who, By::Signer(path.into_inner()), &body.reason, body.confirm).await?;
    done()
}

/// Withdraws every report of a case that is in force.
#[utoipa::path(post, path = "/api/v1/cases/{case}/withdraw", tag = "dispatch", request_body = WithdrawalBody,
    params(("case" = i64, Path)), responses((status = 204, description = "Withdrawn; the case is held")))]
pub(super) async fn case_withdraw(
    who: Allowed<Direct>,
    state: State,
    path: web::Path<CaseId>,
    body: web::Json<WithdrawalBody>,
) -> Answer {
    let by = By::Director(who.reach(), path.into_inner());
    withdraw(&state, who.person(), by, &body.reason, body.confirm).await?;
    done()
}
