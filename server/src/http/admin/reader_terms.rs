//! What a reader's sheet sends: affiliations, privileges, the week.

use actix_web::{HttpRequest, web};
use dokuei_models::ReaderId;

use super::{back, doer};
use crate::app::filings::LastDayForm;
use crate::app::reader_terms::{self, AffiliationForm, PrivilegeForm, ShiftForm};
use crate::authority::Allowed;
use crate::authority::rights::Administer;
use crate::http::{Answer, Routes};
use crate::state::State;

pub(super) fn routes(routes: &mut Routes) {
    routes.post("/admin/readers/{reader}/affiliations", add_affiliation);
    routes.post("/admin/readers/{reader}/affiliations/{id}/end", end_affiliation);
    routes.post("/admin/readers/{reader}/affiliations/{id}/remove", remove_affiliation);
    routes.post("/admin/readers/{reader}/privileges", add_privilege);
    routes.post("/admin/readers/{reader}/privileges/{id}/end", end_privilege);
    routes.post("/admin/readers/{reader}/privileges/{id}/remove", remove_privilege);
    routes.post("/admin/readers/{reader}/shifts", add_shift);
    routes.post("/admin/readers/{reader}/shifts/{id}/remove", remove_shift);
}

type Who = Allowed<Administer>;

async fn add_affiliation(
    who: Who,
    state: State,
    request: HttpRequest,
    path: web::Path<ReaderId>,
    form: web::Form<AffiliationForm>,
) -> Answer {
    reader_terms::add_affiliation(&state, doer(&who, &state)?, *path, &form).await?;
    back(&request, &format!("/admin/readers/{path}#affiliations"))
}

async fn end_affiliation(
    who: Who,
    state: State,
    request: HttpRequest,
    path: web::Path<(ReaderId, i64)>,
    form: web::Form<LastDayForm>,
) -> Answer {
    let (reader, id) = path.into_inner();
    reader_terms::end_affiliation(&state, doer(&who, &state)?, reader, id, &form).await?;
    back(&request, &format!("/admin/readers/{reader}#affiliations"))
}

async fn remove_affiliation(who: Who, state: State, request: HttpRequest, path: web::Path<(ReaderId, i64)>) -> Answer {
    let (reader, id) = path.into_inner();
    reader_terms::remove_affiliation(&state, doer(&who, &state)?, reader, id).await?;
    back(&request, &format!("/admin/readers/{reader}#affiliations"))
}

async fn add_privilege(
    who: Who,
    state: State,
    request: HttpRequest,
    path: web::Path<ReaderId>,
    form: web::Form<PrivilegeForm>,
) -> Answer {
    reader_terms::add_privilege(&state, doer(&who, &state)?, *path, &form).await?;
    back(&request, &format!("/admin/readers/{path}#privileges"))
}

async fn end_privilege(
    who: Who,
    state: State,
    request: HttpRequest,
    path: web::Path<(ReaderId, i64)>,
    form: web::Form<LastDayForm>,
) -> Answer {
    let (reader, id) = path.into_inner();
    reader_terms::end_privilege(&state, doer(&who, &state)?, reader, id, &form).await?;
    back(&request, &format!("/admin/readers/{reader}#privileges"))
}

async fn remove_privilege(who: Who, state: State, request: HttpRequest, path: web::Path<(ReaderId, i64)>) -> Answer {
    let (reader, id) = path.into_inner();
    reader_terms::remove_privilege(&state, doer(&who, &state)?, reader, id).await?;
    back(&request, &format!("/admin/readers/{reader}#privileges"))
}

async fn add_shift(
    who: Who,
    state: State,
    request: HttpRequest,
    path: web::Path<ReaderId>,
    form: web::Form<ShiftForm>,
) -> Answer {
    reader_terms::add_shift(&state, doer(&who, &state)?, *path, &form).await?;
    back(&request, &format!("/admin/readers/{path}#shifts"))
}

async fn remove_shift(who: Who, state: State, request: HttpRequest, path: web::Path<(ReaderId, i64)>) -> Answer {
    let (reader, id) = path.into_inner();
    reader_terms::remove_shift(&state, doer(&who, &state)?, reader, id).await?;
    back(&request, &format!("/admin/readers/{reader}#shifts"))
}
