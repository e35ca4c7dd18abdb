//! Media: a case as portable data, and whose the images from elsewhere are.

use actix_web::{HttpResponse, web};
use dokuei_models::identity::IdentityDoubt;
use dokuei_models::store::patients::PatientRow;
use dokuei_models::{CaseId, PatientId, SiteId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::medium::{self, Priors};
use super::super::{Answer, Routes};
use super::done;
use crate::app::elsewhere::deciding::{self, Said, Whom};
use crate::app::elsewhere::{self, Foreign};
use crate::authority::Allowed;
use crate::authority::rights::{Dispatch, SeeReports, Submit};
use crate::error::Error;
use crate::error::codes::portal as codes;
use crate::state::State;

/// Registers them.
pub(super) fn routes(routes: &mut Routes) {
    routes.get("/api/v1/cases/{case}/medium.zip", case_medium);
    routes.get("/api/v1/portal/cases/{case}/medium.zip", portal_medium);
    routes.get("/api/v1/portal/sites/{site}/elsewhere", portal_elsewhere);
    routes.post("/api/v1/portal/elsewhere/{patient}/link", portal_elsewhere_link);
    routes.post("/api/v1/portal/elsewhere/{patient}/discard", portal_elsewhere_discard);
    routes.post("/api/v1/portal/elsewhere/links/{link}/undo", portal_elsewhere_undo);
}

/// A case's images as portable data (IHE PDI): DICOMDIR, objects, signed reports.
#[utoipa::path(get, path = "/api/v1/cases/{case}/medium.zip", tag = "dispatch",
    params(("case" = i64, Path), ("priors" = Option<u8>, Query, description = "1: the studies for comparison too")),
    responses((status = 200, content_type = "application/zip", body = Vec<u8>)))]
pub(super) async fn case_medium(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<CaseId>,
    wanted: web::Query<Priors>,
) -> Answer {
    medium::answer(&state, who.person(), who.reach(), path.into_inner(), wanted.into_inner()).await
}

/// The same for one's own site.
#[utoipa::path(get, path = "/api/v1/portal/cases/{case}/medium.zip", tag = "portal",
    params(("case" = i64, Path), ("priors" = Option<u8>, Query, description = "1: the studies for comparison too")),
    responses((status = 200, content_type = "application/zip", body = Vec<u8>)))]
pub(super) async fn portal_medium(
    who: Allowed<SeeReports>,
    state: State,
    path: web::Path<CaseId>,
    wanted: web::Query<Priors>,
) -> Answer {
    medium::answer(&state, who.person(), who.reach(), path.into_inner(), wanted.into_inner()).await
}

/// A patient.
#[derive(Serialize, ToSchema)]
struct PatientShape {
    id: i64,
    /// Who gave him his number, for another institution's patient.
    issuer: String,
    patient_id: String,
    name_alphabetic: String,
    name_ideographic: String,
    name_phonetic: String,
    birth_date: Option<String>,
    sex: String,
}

impl From<PatientRow> for PatientShape {
    fn from(row: PatientRow) -> Self {
        Self {
            id: row.id.0,
            issuer: row.issuer,
            patient_id: row.patient_id,
            name_alphabetic: row.name_alphabetic,
            name_ideographic: row.name_ideographic,
            name_phonetic: row.name_phonetic,
            birth_date: row.birth_date.map(|day| day.to_string()),
            sex: row.sex,
        }
    }
}

/// Another institution's patient.
#[derive(Serialize, ToSchema)]
struct ForeignShape {
    /// As his medium names him.
    patient: PatientShape,
    /// Study Instance UIDs.
    studies: Vec<String>,
    /// What was decided: `linked`, `discarded` or nothing yet.
    decision: Option<String>,
    /// The decision, to be undone by.
    link: Option<i64>,
    /// Who he is here.
    own: Option<PatientShape>,
    /// Who he may be, the most alike first.
    suggestions: Vec<PatientShape>,
}

impl From<Foreign> for ForeignShape {
    fn from(foreign: Foreign) -> Self {
        Self {
            studies: foreign.studies.into_iter().map(|study| study.study_uid).collect(),
            decision: foreign.link.as_ref().map(|link| link.state.code().to_owned()),
            link: foreign.link.map(|link| link.id),
            own: foreign.own.map(PatientShape::from),
            suggestions: foreign.suggestions.into_iter().map(|one| one.patient.into()).collect(),
            patient: foreign.patient.into(),
        }
    }
}

/// Other institutions' patients of a site: those that wait for a decision first.
#[utoipa::path(get, path = "/api/v1/portal/sites/{site}/elsewhere", tag = "portal", params(("site" = i64, Path)),
    responses((status = 200, body = Vec<ForeignShape>)))]
pub(super) async fn portal_elsewhere(who: Allowed<Submit>, state: State, path: web::Path<SiteId>) -> Answer {
    let found = elsewhere::list(&state, &who, path.into_inner()).await?;
    Ok(HttpResponse::Ok().json(found.into_iter().map(ForeignShape::from).collect::<Vec<_>>()))
}

/// Who another institution's patient is.
#[derive(Deserialize, ToSchema)]
pub(super) struct LinkBody {
    /// A patient of the site by row, or else `patient_id`.
    own: Option<i64>,
    /// A patient of the site by number, known here or not.
    #[serde(default)]
    patient_id: String,
    /// The differences that were looked at: `name`, `name_incomparable`, `birth_date`, `sex`.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    seen: Vec<IdentityDoubt>,
    /// Needed where something differs.
    #[serde(default)]
    reason: String,
}

/// Says who he is. Where the two differ in what was not `seen`, nothing is written and the answer is a conflict.
#[utoipa::path(post, path = "/api/v1/portal/elsewhere/{patient}/link", tag = "portal", request_body = LinkBody,
    params(("patient" = i64, Path)), responses((status = 204, description = "His studies stand beside his cases")))]
pub(super) async fn portal_elsewhere_link(
    who: Allowed<Submit>,
    state: State,
    path: web::Path<PatientId>,
    body: web::Json<LinkBody>,
) -> Answer {
    let body = body.into_inner();
    let whom = body.own.map_or(Whom::Number(body.patient_id), |own| Whom::Known(PatientId(own)));
    match deciding::link(&state, &who, path.into_inner(), whom, body.seen, &body.reason).await? {
        Said::Linked => done(),
        Said::LookFirst { doubts, .. } => {
            let differs: Vec<&str> = doubts.iter().map(|doubt| doubt.code()).collect();
            Err(Error::new(&codes::ELSEWHERE_DIFFERS).with("differs", differs.join(", ")))
        }
    }
}

/// Why.
#[derive(Deserialize, ToSchema)]
pub(super) struct WhyBody {
    /// In words.
    #[serde(default)]
    reason: String,
}

/// Hides his images: they are not wanted.
#[utoipa::path(post, path = "/api/v1/portal/elsewhere/{patient}/discard", tag = "portal", request_body = WhyBody,
    params(("patient" = i64, Path)), responses((status = 204, description = "Hidden, not deleted")))]
pub(super) async fn portal_elsewhere_discard(
    who: Allowed<Submit>,
    state: State,
    path: web::Path<PatientId>,
    body: web::Json<WhyBody>,
) -> Answer {
    deciding::discard(&state, &who, path.into_inner(), &body.reason).await?;
    done()
}

/// Undoes a decision.
#[utoipa::path(post, path = "/api/v1/portal/elsewhere/links/{link}/undo", tag = "portal", request_body = WhyBody,
    params(("link" = i64, Path)),
    responses((status = 200, description = "`signed`: cases that were signed with these images beside them")))]
pub(super) async fn portal_elsewhere_undo(
    who: Allowed<Submit>,
    state: State,
    path: web::Path<i64>,
    body: web::Json<WhyBody>,
) -> Answer {
    let signed = deciding::undo(&state, &who, path.into_inner(), &body.reason).await?;
    Ok(HttpResponse::Ok().json(serde_json::json!({ "signed": signed })))
}
