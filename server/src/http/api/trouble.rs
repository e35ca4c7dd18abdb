//! What needs a person: dead deliveries and jobs, images kept apart, strangers, silent peers.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use dokuei_models::JobId;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::{Answer, Routes};
use super::shapes::utc;
use super::{Reason, done};
use crate::app::form::need_reason;
use crate::app::trouble;
use crate::authority::Allowed;
use crate::authority::rights::Dispatch;
use crate::state::State;

/// Registers them.
pub(super) fn routes(routes: &mut Routes) {
    routes.get("/api/v1/trouble", trouble_list);
    routes.post("/api/v1/jobs/{job}/again", job_again);
    routes.post("/api/v1/quarantine/{object}/resolve", quarantine_resolve);
}

/// A delivery that was tried in vain; `/cases/{case}/deliveries/{id}/again` tries it anew.
#[derive(Serialize, ToSchema)]
struct DeadDeliveryShape {
    id: i64,
    case: i64,
    site: i64,
    destination: String,
    attempts: i32,
}

/// Work that was tried in vain.
#[derive(Serialize, ToSchema)]
struct DeadJobShape {
    id: i64,
    kind: String,
    key: String,
    attempts: i32,
    last_error: Option<String>,
}

/// Bytes that nobody could file.
#[derive(Serialize, ToSchema)]
struct QuarantineShape {
    id: i64,
    site: i64,
    /// `differs`, `unreadable`, `cut_off` or `character_set`.
    reason: String,
    detail: String,
    sop_instance_uid: String,
    size: i64,
    received_at: DateTime<Utc>,
}

/// Somebody who was turned away within the last 24 hours.
#[derive(Serialize, ToSchema)]
struct RefusalShape {
    at: DateTime<Utc>,
    calling_ae: String,
    called_ae: String,
    address: String,
    /// e.g. `calling_unknown`.
    reason: String,
}

/// A peer of whom nothing was heard for a day, or whose last contact failed.
#[derive(Serialize, ToSchema)]
struct SilentShape {
    endpoint: i64,
    site: i64,
    ae_title: String,
    last_contact_at: Option<DateTime<Utc>>,
    last_error: Option<String>,
}

/// All of it within one's reach.
#[derive(Serialize, ToSchema)]
struct TroubleShape {
    deliveries: Vec<DeadDeliveryShape>,
    jobs: Vec<DeadJobShape>,
    quarantine: Vec<QuarantineShape>,
    refusals: Vec<RefusalShape>,
    silent: Vec<SilentShape>,
}

/// What needs a person.
#[utoipa::path(get, path = "/api/v1/trouble", tag = "dispatch", responses((status = 200, body = TroubleShape)))]
pub(super) async fn trouble_list(who: Allowed<Dispatch>, state: State) -> Answer {
    let lists = trouble::lists(&state, who.reach()).await?;
    Ok(HttpResponse::Ok().json(TroubleShape {
        deliveries: lists
            .deliveries
            .into_iter()
            .map(|one| DeadDeliveryShape {
                id: one.delivery.id.0,
                case: one.delivery.case_id.0,
                site: one.site.0,
                destination: one.delivery.destination,
                attempts: one.delivery.attempts,
            })
            .collect(),
        jobs: lists
            .jobs
            .into_iter()
            .map(|job| DeadJobShape {
                id: job.id.0,
                kind: job.kind,
                key: job.key,
                attempts: job.attempts,
                last_error: job.last_error,
            })
            .collect(),
        quarantine: lists
            .quarantine
            .into_iter()
            .map(|one| QuarantineShape {
                id: one.id,
                site: one.site_id.0,
                reason: one.reason,
                detail: one.detail,
                sop_instance_uid: one.sop_instance_uid,
                size: one.size,
                received_at: one.received_at.and_utc(),
            })
            .collect(),
        refusals: lists
            .refusals
            .into_iter()
            .map(|one| RefusalShape {
                at: one.at.and_utc(),
                calling_ae: one.calling_ae,
                called_ae: one.called_ae,
                address: one.address,
                reason: one.reason,
            })
            .collect(),
        silent: lists
            .silent
            .into_iter()
            .map(|one| SilentShape {
                endpoint: one.id.0,
                site: one.site_id.0,
                ae_title: one.ae_title,
                last_contact_at: utc(one.last_contact_at),
                last_error: one.last_error,
            })
            .collect(),
    }))
}

/// Has dead work done once more, from the first try.
#[utoipa::path(post, path = "/api/v1/jobs/{job}/again", tag = "dispatch", params(("job" = i64, Path)),
    responses((status = 202, description = "It is tried again")))]
pub(super) async fn job_again(who: Allowed<Dispatch>, state: State, path: web::Path<JobId>) -> Answer {
    trouble::revive(&state, who.person(), path.into_inner()).await?;
    Ok(HttpResponse::Accepted().finish())
}

/// Says what became of bytes that were kept apart; they stay where they are.
#[utoipa::path(post, path = "/api/v1/quarantine/{object}/resolve", tag = "dispatch", request_body = Reason,
    params(("object" = i64, Path)), responses((status = 204, description = "Resolved")))]
pub(super) async fn quarantine_resolve(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<i64>,
    body: web::Json<Reason>,
) -> Answer {
    let reason = need_reason("reason", &body.reason)?;
    trouble::discard(&state, who.person(), who.reach(), path.into_inner(), reason).await?;
    done()
}
