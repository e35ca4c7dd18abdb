//! Sites and their endpoints, for programs that set a house up or watch its peers.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, Utc};
use dokuei_dicom_gateway::scu::Tried;
use dokuei_models::store::sites::{EndpointRow, SiteRow};
use dokuei_models::{EndpointId, SiteId};
use dokuei_terms::Language;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::admin::doer;
use super::super::page::language_of;
use super::super::{Answer, Routes};
use super::shapes::utc;
use super::{Made, done};
use crate::app::endpoints::{self, EndpointForm};
use crate::app::returns;
use crate::app::sites::{self, SiteForm};
use crate::authority::Allowed;
use crate::authority::rights::Administer;
use crate::state::State;

/// Registers them.
pub(super) fn routes(routes: &mut Routes) {
    routes.get("/api/v1/sites", site_list);
    routes.post("/api/v1/sites", site_create);
    routes.get("/api/v1/sites/{site}", site);
    routes.put("/api/v1/sites/{site}", site_change);
    routes.get("/api/v1/sites/{site}/endpoints", endpoint_list);
    routes.post("/api/v1/sites/{site}/endpoints", endpoint_create);
    routes.put("/api/v1/endpoints/{endpoint}", endpoint_change);
    routes.post("/api/v1/endpoints/{endpoint}/echo", endpoint_echo);
}

/// A site with its rules, as `PUT` takes it back.
#[derive(Serialize, ToSchema)]
struct SiteSettings {
    id: i64,
    /// What a change must name.
    version: i32,
    code: String,
    name_ja: String,
    name_en: String,
    pool: i64,
    refers: bool,
    reads: bool,
    insured: bool,
    institution_code: Option<String>,
    phone: String,
    email: String,
    /// `exact`, `ignore_zeros` or `pad:` with a width.
    patient_id_rule: String,
    /// `wait`, `default_request` or `comparison`.
    orphan_rule: &'static str,
    orphan_wait_minutes: i32,
    comparison_after_days: i32,
    quiet_seconds: i32,
    unknown_classes: bool,
    standing_notes: String,
    demo: bool,
    research: bool,
    active: bool,
}

impl SiteSettings {
    fn of(row: SiteRow) -> Self {
        Self {
            id: row.id.0,
            version: row.version,
            code: row.code,
            name_ja: row.name_ja,
            name_en: row.name_en,
            pool: row.pool_id.0,
            refers: row.refers,
            reads: row.reads,
            insured: row.insured,
            institution_code: row.institution_code,
            phone: row.phone,
            email: row.email,
            patient_id_rule: row.patient_id_rule,
            orphan_rule: row.orphan_rule.code(),
            orphan_wait_minutes: row.orphan_wait_minutes,
            comparison_after_days: row.comparison_after_days,
            quiet_seconds: row.quiet_seconds,
            unknown_classes: row.unknown_classes,
            standing_notes: row.standing_notes,
            demo: row.demo,
            research: row.research,
            active: row.active,
        }
    }
}

/// Every site, by code.
#[utoipa::path(get, path = "/api/v1/sites", tag = "administration",
    responses((status = 200, body = Vec<SiteSettings>)))]
pub(super) async fn site_list(who: Allowed<Administer>, state: State) -> Answer {
    doer(&who, &state)?;
    let rows = sites::list(&state, "").await?;
    Ok(HttpResponse::Ok().json(rows.into_iter().map(|line| SiteSettings::of(line.site)).collect::<Vec<_>>()))
}

/// Makes a site. The first one makes its pool and takes in the national holidays.
#[utoipa::path(post, path = "/api/v1/sites", tag = "administration", request_body = SiteForm,
    responses((status = 201, body = Made)))]
pub(super) async fn site_create(who: Allowed<Administer>, state: State, form: web::Json<SiteForm>) -> Answer {
    let id = sites::create(&state, doer(&who, &state)?, &form).await?.0;
    Ok(HttpResponse::Created().json(Made { id }))
}

/// One site.
#[utoipa::path(get, path = "/api/v1/sites/{site}", tag = "administration", params(("site" = i64, Path)),
    responses((status = 200, body = SiteSettings)))]
pub(super) async fn site(who: Allowed<Administer>, state: State, path: web::Path<SiteId>) -> Answer {
    doer(&who, &state)?;
    let sheet = sites::sheet(&state, *path).await?;
    Ok(HttpResponse::Ok().json(SiteSettings::of(sheet.site)))
}

/// Changes a site, where nobody changed it since `version`. Its code stays.
#[utoipa::path(put, path = "/api/v1/sites/{site}", tag = "administration", params(("site" = i64, Path)),
    request_body = SiteForm, responses((status = 204)))]
pub(super) async fn site_change(
    who: Allowed<Administer>,
    state: State,
    path: web::Path<SiteId>,
    form: web::Json<SiteForm>,
) -> Answer {
    sites::update(&state, doer(&who, &state)?, *path, &form).await?;
    done()
}

/// A DICOM endpoint.
#[derive(Serialize, ToSchema)]
pub(super) struct EndpointShape {
    id: i64,
    /// What a change must name.
    version: i32,
    site: i64,
    name: String,
    ae_title: String,
    sends: bool,
    /// The addresses and ranges it may call from, parted by commas.
    addresses: String,
    receives: bool,
    host: String,
    port: i32,
    active: bool,
    /// Whether it may query and retrieve here.
    queries: bool,
    /// `none` or `required`.
    tls: &'static str,
    certificate_sha256: String,
    /// The Specific Character Set (0008,0005) of what is sent to it; empty means the study's own.
    character_set: String,
    /// `all`, `romaji` or `kana`.
    name_form: &'static str,
    /// Whether it is called with an echo from time to time.
    watched: bool,
    last_contact_at: Option<DateTime<Utc>>,
    /// Why the last call to it failed.
    last_error: Option<String>,
}

impl EndpointShape {
    pub(super) fn of(row: EndpointRow, language: Language) -> Self {
        Self {
            id: row.id.0,
            version: row.version,
            site: row.site_id.0,
            last_error: row.last_error.map(|error| returns::error_sentence(language, &error).to_owned()),
            last_contact_at: utc(row.last_contact_at),
            name: row.name,
            ae_title: row.ae_title,
            sends: row.sends,
            addresses: row.addresses,
            receives: row.receives,
            host: row.host,
            port: row.port,
            active: row.active,
            queries: row.queries,
            tls: row.tls.code(),
            certificate_sha256: row.certificate_sha256,
            character_set: row.character_set,
            name_form: row.name_form.code(),
            watched: row.watched,
        }
    }
}

/// A site's endpoints with when they were last heard of.
#[utoipa::path(get, path = "/api/v1/sites/{site}/endpoints", tag = "administration", params(("site" = i64, Path)),
    responses((status = 200, body = Vec<EndpointShape>)))]
pub(super) async fn endpoint_list(
    who: Allowed<Administer>,
    state: State,
    request: actix_web::HttpRequest,
    path: web::Path<SiteId>,
) -> Answer {
    doer(&who, &state)?;
    let language = language_of(&request, Some(&who));
    let rows = sites::sheet(&state, *path).await?.endpoints;
    Ok(HttpResponse::Ok().json(rows.into_iter().map(|row| EndpointShape::of(row, language)).collect::<Vec<_>>()))
}

/// Makes an endpoint of a site.
#[utoipa::path(post, path = "/api/v1/sites/{site}/endpoints", tag = "administration", params(("site" = i64, Path)),
    request_body = EndpointForm, responses((status = 201, body = Made)))]
pub(super) async fn endpoint_create(
    who: Allowed<Administer>,
    state: State,
    path: web::Path<SiteId>,
    form: web::Json<EndpointForm>,
) -> Answer {
    let form = EndpointForm { site: (*path).into(), ..form.into_inner() };
    let id = endpoints::create(&state, doer(&who, &state)?, &form).await?.0;
    Ok(HttpResponse::Created().json(Made { id }))
}

/// Changes an endpoint, where nobody changed it since `version`. Its site stays.
#[utoipa::path(put, path = "/api/v1/endpoints/{endpoint}", tag = "administration",
    params(("endpoint" = i64, Path)), request_body = EndpointForm, responses((status = 204)))]
pub(super) async fn endpoint_change(
    who: Allowed<Administer>,
    state: State,
    path: web::Path<EndpointId>,
    form: web::Json<EndpointForm>,
) -> Answer {
    endpoints::update(&state, doer(&who, &state)?, *path, &form).await?;
    done()
}

/// What became of an echo.
#[derive(Serialize, ToSchema)]
struct EchoShape {
    answered: bool,
    /// From the connection's begin to the answer, or to giving up.
    ms: u64,
    /// Why it did not answer, in the caller's language.
    failure: Option<String>,
    /// What was tried, in order: `name`, `connection`, `tls`, `association`, `echo`.
    steps: Vec<StepShape>,
    /// When the certificate ends that it showed.
    certificate_not_after: Option<DateTime<Utc>>,
}

/// One step of a call.
#[derive(Serialize, ToSchema)]
struct StepShape {
    step: &'static str,
    ms: u64,
    done: bool,
}

/// Calls an endpoint with a C-ECHO and waits for the answer, 15 seconds at the most.
#[utoipa::path(post, path = "/api/v1/endpoints/{endpoint}/echo", tag = "administration",
    params(("endpoint" = i64, Path)), responses((status = 200, body = EchoShape)))]
pub(super) async fn endpoint_echo(
    who: Allowed<Administer>,
    state: State,
    request: actix_web::HttpRequest,
    path: web::Path<EndpointId>,
) -> Answer {
    let echo = endpoints::echo(&state, doer(&who, &state)?, *path).await?;
    let language = language_of(&request, Some(&who));
    let failure = echo.failure.map(|sentence| match language {
        Language::Ja => sentence.ja,
        Language::En => sentence.en,
    });
    let step = |tried: &Tried| StepShape { step: tried.step.code(), ms: tried.ms, done: tried.failure.is_none() };
    Ok(HttpResponse::Ok().json(EchoShape {
        answered: failure.is_none(),
        ms: echo.ms,
        failure,
        steps: echo.steps.iter().map(step).collect(),
        certificate_not_after: echo.certificate.map(|certificate| certificate.not_after),
    }))
}
