//! `/api/v1`: what the pages do, for programs.
//!
//! JSON over the same functions of `app/` that the pages call; `Authorization:
//! Bearer` with a token of a user, whose grants count as they do in the browser.
//! Errors are RFC 9457 documents. Times are UTC. Paths hold ids and codes only;
//! what names a patient travels in bodies. The description of every route is
//! `GET /api/v1/openapi.json`, made from the handlers themselves; a test holds it
//! against the table of routes.

mod arrivals;
mod audit;
mod billing;
mod cases;
mod conflicts;
mod deciding;
mod dispatch;
mod forms;
mod images;
mod me;
mod media;
mod peers;
mod quarantine;
mod reads;
mod regrouping;
mod reports;
mod requests;
mod shapes;
mod signing;
mod sites;
mod skills;
mod trouble;
mod uploads;
mod users;
mod verdicts;
mod worklist;

use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi, ToSchema};

use super::{Answer, Routes};
use crate::authority::Anyone;

/// Registers every route under `/api/v1`.
pub fn routes(routes: &mut Routes) {
    routes.get("/api/v1/openapi.json", openapi);
    for register in [
        me::routes,
        requests::routes,
        forms::routes,
        reports::routes,
        uploads::routes,
        media::routes,
        worklist::routes,
        reads::routes,
        signing::routes,
        images::routes,
        dispatch::routes,
        cases::routes,
        deciding::routes,
        regrouping::routes,
        trouble::routes,
        arrivals::routes,
        conflicts::routes,
        quarantine::routes,
        peers::routes,
        billing::routes,
        skills::routes,
        sites::routes,
        users::routes,
        audit::routes,
        verdicts::routes,
    ] {
        register(routes);
    }
}

/// The description of all routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Dokuei",
        description = "Teleradiology worklist and reader assignment. AI results are for research use / 参考.",
        version = "1"
    ),
    paths(
        openapi,
        me::me,
        media::case_medium,
        media::portal_medium,
        media::portal_elsewhere,
        media::portal_elsewhere_link,
        media::portal_elsewhere_discard,
        media::portal_elsewhere_undo,
        requests::portal_sites,
        requests::portal_list,
        requests::portal_request_create,
        requests::portal_request,
        requests::portal_request_cancel,
        requests::portal_case,
        requests::portal_case_answer,
        reports::portal_reports,
        reports::portal_report_pdf,
        reports::portal_report_accept,
        reports::portal_report_act,
        uploads::portal_images,
        worklist::worklist,
        worklist::worklist_presence,
        reads::read,
        reads::read_start,
        reads::read_give_back,
        reads::read_decline,
        reads::read_ask,
        reads::read_draft,
        reads::read_heartbeat,
        reads::read_views,
        images::read_images,
        images::read_frame,
        signing::read_sign_sheet,
        signing::read_sign,
        signing::read_addendum,
        signing::read_report_pdf,
        dispatch::board,
        dispatch::case_search,
        cases::case,
        deciding::case_hold,
        deciding::case_release,
        deciding::case_priority,
        deciding::case_exclude,
        deciding::case_cancel,
        cases::case_plan,
        cases::case_note,
        deciding::case_price,
        deciding::case_pin,
        deciding::case_unassign,
        deciding::case_override_undo,
        cases::case_deliver_again,
        cases::case_delivery_give_up,
        billing::billing_month,
        billing::billing_csv,
        skills::skills_export,
        skills::skills_import,
        sites::site_list,
        sites::site_create,
        sites::site,
        sites::site_change,
        sites::endpoint_list,
        sites::endpoint_create,
        sites::endpoint_change,
        sites::endpoint_echo,
        users::user_list,
        users::user_create,
        users::user_lock,
        users::user_unlock,
        users::reader_list,
        regrouping::case_attach,
        regrouping::case_detach,
        regrouping::case_split,
        regrouping::case_merge,
        regrouping::case_parts,
        regrouping::unmatched_join,
        regrouping::unmatched_open,
        regrouping::unmatched_keep,
        regrouping::unmatched_withdraw,
        trouble::trouble_list,
        trouble::job_again,
        trouble::quarantine_resolve,
        arrivals::arrival_list,
        arrivals::arrival,
        arrivals::arrival_whole,
        arrivals::portal_arrival_list,
        arrivals::portal_arrival,
        arrivals::portal_images_withdraw,
        arrivals::portal_withdrawal_undo,
        conflicts::conflict_list,
        conflicts::conflict,
        conflicts::conflict_decide,
        conflicts::conflict_undo,
        conflicts::claim_list,
        conflicts::claim_decide,
        conflicts::case_withdrawal,
        conflicts::read_report_stands,
        quarantine::quarantine_object,
        quarantine::quarantine_file,
        quarantine::quarantine_find,
        quarantine::quarantine_assign,
        quarantine::quarantine_retry,
        quarantine::quarantine_restore,
        peers::peer_list,
        peers::peer,
        peers::prior_rule,
        peers::prior_rule_change,
        forms::portal_form_add,
        forms::portal_form,
        verdicts::read_compare,
        verdicts::case_compare,
        verdicts::read_withdraw,
        verdicts::case_withdraw,
        audit::audit_rows,
        audit::audit_seals,
    ),
    components(schemas(Problem, FieldProblem)),
    security(("bearer" = [])),
    modifiers(&Finish)
)]
struct Document;

/// The OpenAPI document as it is served.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// This document.
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "document", security(()),
    responses((status = 200, description = "The OpenAPI document")))]
async fn openapi(_: Anyone) -> Answer {
    Ok(HttpResponse::Ok().json(document()))
}

/// What every refusal looks like (RFC 9457).
#[derive(Serialize, ToSchema)]
struct Problem {
    /// `urn:dokuei:error:` and the code.
    r#type: String,
    /// The code.
    title: String,
    /// The HTTP status.
    status: u16,
    /// The stable name to switch on.
    code: String,
    /// A sentence with the way out, in the caller's language.
    detail: String,
    /// The request's id, as in the log.
    request_id: String,
    /// Wrong fields, where a body has some.
    fields: Option<Vec<FieldProblem>>,
}

/// A field of the body that is wrong.
#[derive(Serialize, ToSchema)]
struct FieldProblem {
    /// Its name.
    field: String,
    /// The stable name of what is wrong.
    code: String,
    /// A sentence.
    detail: String,
}

/// Names the bearer token, and what refusals look like, at every operation.
struct Finish;

impl Modify for Finish {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        for item in openapi.paths.paths.values_mut() {
            for operation in [&mut item.get, &mut item.post, &mut item.put].into_iter().flatten() {
                refusals(operation);
            }
        }
    }
}

fn refusals(operation: &mut Operation) {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let response = ResponseBuilder::new()
        .description("Refused: the code says why, the sentence what to do")
        .content("application/problem+json", content)
        .build();
    operation.responses.responses.insert("default".to_owned(), RefOr::T(response));
}

/// A body that says why.
#[derive(Deserialize, ToSchema)]
struct Reason {
    /// Why; goes into the history.
    #[serde(default)]
    reason: String,
}

/// What is created.
#[derive(Serialize, ToSchema)]
struct Made {
    /// Its id.
    id: i64,
}

/// Done, and nothing to say.
fn done() -> Answer {
    Ok(HttpResponse::NoContent().finish())
}

/// A signed PDF. Its name holds ids only.
fn pdf(name: &str, bytes: bytes::Bytes) -> Answer {
    Ok(HttpResponse::Ok()
        .content_type("application/pdf")
        .insert_header(("content-disposition", format!("attachment; filename=\"{name}.pdf\"")))
        .insert_header(("content-encoding", "identity"))
        .body(bytes))
}
