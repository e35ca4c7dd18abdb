//! The audit trail: searching it, and checking its seals.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use dokuei_models::store::audit::{AuditQuery, AuditRow};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{Answer, Routes};
use super::shapes::json;
use crate::app::trail;
use crate::authority::Allowed;
use crate::authority::rights::Audit;
use crate::state::State;

/// Registers them.
pub(super) fn routes(routes: &mut Routes) {
    routes.get("/api/v1/audit", audit_rows);
    routes.get("/api/v1/audit/seals", audit_seals);
}

/// A row of the trail.
#[derive(Serialize, ToSchema)]
struct AuditShape {
    id: i64,
    at: DateTime<Utc>,
    user: Option<i64>,
    actor: String,
    action: String,
    subject_kind: String,
    subject: Option<i64>,
    site: Option<i64>,
    outcome: String,
    #[schema(value_type = Object)]
    detail: serde_json::Value,
    address: String,
    hash: String,
}

impl AuditShape {
    fn of(row: AuditRow) -> Self {
        Self {
            id: row.id,
            at: row.at.and_utc(),
            user: row.actor_id.map(|id| id.0),
            actor: row.actor,
            action: row.action,
            subject_kind: row.subject_kind,
            subject: row.subject_id,
            site: row.site_id.map(|id| id.0),
            outcome: row.outcome,
            detail: json(&row.detail),
            address: row.address,
            hash: row.own_hash,
        }
    }
}

/// Ids, codes and login names: nothing here can name a patient.
#[derive(Deserialize)]
pub(super) struct Wanted {
    actor: Option<String>,
    action: Option<String>,
    subject_kind: Option<String>,
    subject: Option<i64>,
    outcome: Option<String>,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    before: Option<i64>,
    limit: Option<i64>,
}

impl Wanted {
    fn query(self) -> AuditQuery {
        AuditQuery {
            actor: self.actor.filter(|text| !text.is_empty()),
            action: self.action.filter(|text| !text.is_empty()),
            subject_kind: self.subject_kind.filter(|text| !text.is_empty()),
            subject_id: self.subject,
            outcome: self.outcome.filter(|text| !text.is_empty()),
            from: self.from.map(|at| at.naive_utc()),
            to: self.to.map(|at| at.naive_utc()),
            before_id: self.before,
            limit: self.limit.unwrap_or(100),
        }
    }
}

/// Rows of the trail, the newest first. Page backwards with the last row's id as `before`.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit",
    params(
        ("actor" = Option<String>, Query, description = "Part of the login name"),
        ("action" = Option<String>, Query, description = "The action's beginning, e.g. case."),
        ("subject_kind" = Option<String>, Query, description = "The noun, e.g. case"),
        ("subject" = Option<i64>, Query, description = "The noun's row"),
        ("outcome" = Option<String>, Query, description = "done, refused or failed"),
        ("from" = Option<DateTime<Utc>>, Query),
        ("to" = Option<DateTime<Utc>>, Query),
        ("before" = Option<i64>, Query),
        ("limit" = Option<i64>, Query, description = "1 to 1000, else 100"),
    ),
    responses((status = 200, body = Vec<AuditShape>)))]
pub(super) async fn audit_rows(who: Allowed<Audit>, state: State, wanted: web::Query<Wanted>) -> Answer {
    let rows = trail::search(&state, &who, wanted.into_inner().query()).await?;
    Ok(HttpResponse::Ok().json(rows.into_iter().map(AuditShape::of).collect::<Vec<_>>()))
}

/// The newest seal.
#[derive(Serialize, ToSchema)]
struct HeadShape {
    seal: i64,
    hash: String,
}

/// Whether the trail is what was written.
#[derive(Serialize, ToSchema)]
struct SealsShape {
    intact: bool,
    head: Option<HeadShape>,
    /// What does not agree: `changed_row`, `missing_row` or `broken_seal`, with ids.
    #[schema(value_type = Vec<Object>)]
    faults: Vec<dokuei_models::store::audit::AuditFault>,
}

/// Checks every seal and every sealed row.
#[utoipa::path(get, path = "/api/v1/audit/seals", tag = "audit", responses((status = 200, body = SealsShape)))]
pub(super) async fn audit_seals(who: Allowed<Audit>, state: State) -> Answer {
    let checked = trail::verify(&state, &who).await?;
    Ok(HttpResponse::Ok().json(SealsShape {
        intact: checked.faults.is_empty(),
        head: checked.head.map(|(seal, hash)| HeadShape { seal, hash }),
        faults: checked.faults,
    }))
}
