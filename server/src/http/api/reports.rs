//! Reports of a site: the list, the PDF, accepting and acting.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use dokuei_models::ReportVersionId;
use dokuei_models::store::recipients::RecipientRow;
use dokuei_models::store::signed_versions::SignedVersion;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{Answer, Page, Routes};
use super::requests::ProgressShape;
use super::shapes::utc;
use super::{done, pdf};
use crate::app::{portal, returns};
use crate::authority::Allowed;
use crate::authority::rights::{ActOnReports, SeeReports};
use crate::state::State;

/// Registers them.
pub(super) fn routes(routes: &mut Routes) {
    routes.get("/api/v1/portal/reports", portal_reports);
    routes.get("/api/v1/portal/versions/{version}/report.pdf", portal_report_pdf);
    routes.post("/api/v1/portal/versions/{version}/accept", portal_report_accept);
    routes.post("/api/v1/portal/versions/{version}/act", portal_report_act);
}

/// What a recipient said to a version.
#[derive(Serialize, ToSchema)]
struct RecipientShape {
    user: i64,
    name_ja: String,
    name_en: String,
    opened_at: Option<DateTime<Utc>>,
    accepted_at: Option<DateTime<Utc>>,
    acted_at: Option<DateTime<Utc>>,
    acted_note: String,
}

/// A signed version.
#[derive(Serialize, ToSchema)]
pub(super) struct VersionShape {
    id: i64,
    case: i64,
    number: i32,
    /// `preliminary`, `final`, `amended`, `addendum` or `withdrawn`.
    state: &'static str,
    /// Why it was amended.
    reason: String,
    signed_at: Option<DateTime<Utc>>,
    withdrawn_at: Option<DateTime<Utc>>,
    /// Why it was withdrawn.
    withdrawn_reason: Option<String>,
    /// SHA-256 of the PDF.
    sha256: String,
    size: i64,
    recipients: Vec<RecipientShape>,
}

impl VersionShape {
    pub(super) fn of(row: &SignedVersion, recipients: &[&RecipientRow]) -> Self {
        let recipients = recipients.iter().map(|one| RecipientShape {
            user: one.user_id.0,
            name_ja: one.name_ja.clone(),
            name_en: one.name_en.clone(),
            opened_at: utc(one.opened_at),
            accepted_at: utc(one.accepted_at),
            acted_at: utc(one.acted_at),
            acted_note: one.acted_note.clone(),
        });
        Self {
            id: row.id.0,
            case: row.case_id.0,
            number: row.number,
            state: row.state.code(),
            reason: row.reason.clone(),
            signed_at: utc(row.signed_at),
            withdrawn_at: utc(row.withdrawn.as_ref().map(|(_, at)| *at)),
            withdrawn_reason: row.withdrawn.as_ref().map(|(reason, _)| reason.clone()),
            sha256: row.sha256.clone(),
            size: row.size,
            recipients: recipients.collect(),
        }
    }
}

/// A line of the list of reports.
#[derive(Serialize, ToSchema)]
struct ReportShape {
    /// The newest version; its recipients are told with the case.
    version: VersionShape,
    /// How many signed versions the case has.
    versions: usize,
    progress: ProgressShape,
    /// How many recipients opened, accepted, acted on it.
    opened: usize,
    accepted: usize,
    acted: usize,
}

/// The reports of one's sites in the last 30 days, the newest first.
#[utoipa::path(get, path = "/api/v1/portal/reports", tag = "portal",
    responses((status = 200, body = Vec<ReportShape>)))]
pub(super) async fn portal_reports(who: Allowed<SeeReports>, state: State, page: Page) -> Answer {
    let sites = portal::sites_of(&state, &who).await?;
    portal::note_look(&state, &who, &sites).await?;
    let reports = portal::reports(&state, &sites).await?;
    let shown = reports.iter().map(|report| {
        let [opened, accepted, acted] = report.facts;
        ReportShape {
            version: VersionShape::of(&report.version, &[]),
            versions: report.versions,
            progress: ProgressShape::of(&page, &report.line),
            opened,
            accepted,
            acted,
        }
    });
    Ok(HttpResponse::Ok().json(shown.collect::<Vec<_>>()))
}

/// The signed PDF/A of a version.
#[utoipa::path(get, path = "/api/v1/portal/versions/{version}/report.pdf", tag = "portal",
    params(("version" = i64, Path)),
    responses((status = 200, content_type = "application/pdf", body = Vec<u8>)))]
pub(super) async fn portal_report_pdf(
    who: Allowed<SeeReports>,
    state: State,
    path: web::Path<ReportVersionId>,
) -> Answer {
    let (version, bytes) = returns::open_pdf(&state, &who, path.into_inner()).await?;
    pdf(&format!("report-{}-{}", version.case_id, version.number), bytes)
}

/// Accepts a version; the first acceptance after the return acknowledges the case.
#[utoipa::path(post, path = "/api/v1/portal/versions/{version}/accept", tag = "portal",
    params(("version" = i64, Path)), responses((status = 204, description = "Accepted")))]
pub(super) async fn portal_report_accept(
    who: Allowed<ActOnReports>,
    state: State,
    path: web::Path<ReportVersionId>,
) -> Answer {
    returns::accept(&state, &who, path.into_inner()).await?;
    done()
}

/// What was done about a report.
#[derive(Deserialize, ToSchema)]
pub(super) struct ActBody {
    #[serde(default)]
    note: String,
}

/// Says what was done about a version.
#[utoipa::path(post, path = "/api/v1/portal/versions/{version}/act", tag = "portal", request_body = ActBody,
    params(("version" = i64, Path)), responses((status = 204, description = "Noted")))]
pub(super) async fn portal_report_act(
    who: Allowed<ActOnReports>,
    state: State,
    path: web::Path<ReportVersionId>,
    body: web::Json<ActBody>,
) -> Answer {
    returns::act(&state, &who, path.into_inner(), &body.note).await?;
    done()
}
