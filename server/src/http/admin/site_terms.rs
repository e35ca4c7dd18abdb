//! What a site's sheet sends: contracts, filings, closed days.

use actix_web::{HttpRequest, web};
use dokuei_models::{ContractId, SiteId};

use super::{back, doer};
use crate::app::closed_days::{self, ClosedDayForm};
use crate::app::contracts::{self, ContractForm};
use crate::app::filings::{self, FilingForm, LastDayForm};
use crate::authority::Allowed;
use crate::authority::rights::Administer;
use crate::http::{Answer, Routes};
use crate::state::State;

pub(super) fn routes(routes: &mut Routes) {
    routes.post("/admin/sites/{site}/contracts", begin_contract);
    routes.post("/admin/contracts/{contract}/end", end_contract);
    routes.post("/admin/contracts/{contract}/remove", remove_contract);
    routes.post("/admin/sites/{site}/filings", add_filing);
    routes.post("/admin/sites/{site}/filings/{filing}/end", end_filing);
    routes.post("/admin/sites/{site}/filings/{filing}/remove", remove_filing);
    routes.post("/admin/sites/{site}/days", add_day);
    routes.post("/admin/sites/{site}/days/{day}/remove", remove_day);
}

type Who = Allowed<Administer>;

async fn begin_contract(
    who: Who,
    state: State,
    request: HttpRequest,
    path: web::Path<SiteId>,
    form: web::Form<ContractForm>,
) -> Answer {
    contracts::begin(&state, doer(&who, &state)?, *path, &form).await?;
    back(&request, &format!("/admin/sites/{path}#contracts"))
}

async fn end_contract(
    who: Who,
    state: State,
    request: HttpRequest,
    path: web::Path<ContractId>,
    form: web::Form<LastDayForm>,
) -> Answer {
    let site = contracts::end(&state, doer(&who, &state)?, *path, &form).await?;
    back(&request, &format!("/admin/sites/{site}#contracts"))
}

async fn remove_contract(who: Who, state: State, request: HttpRequest, path: web::Path<ContractId>) -> Answer {
    let site = contracts::remove(&state, doer(&who, &state)?, *path).await?;
    back(&request, &format!("/admin/sites/{site}#contracts"))
}

async fn add_filing(
    who: Who,
    state: State,
    request: HttpRequest,
    path: web::Path<SiteId>,
    form: web::Form<FilingForm>,
) -> Answer {
    filings::add(&state, doer(&who, &state)?, *path, &form).await?;
    back(&request, &format!("/admin/sites/{path}#filings"))
}

async fn end_filing(
    who: Who,
    state: State,
    request: HttpRequest,
    path: web::Path<(SiteId, i64)>,
    form: web::Form<LastDayForm>,
) -> Answer {
    let (site, filing) = path.into_inner();
    filings::end(&state, doer(&who, &state)?, site, filing, &form).await?;
    back(&request, &format!("/admin/sites/{site}#filings"))
}

async fn remove_filing(who: Who, state: State, request: HttpRequest, path: web::Path<(SiteId, i64)>) -> Answer {
    let (site, filing) = path.into_inner();
    filings::remove(&state, doer(&who, &state)?, site, filing).await?;
    back(&request, &format!("/admin/sites/{site}#filings"))
}

async fn add_day(
    who: Who,
    state: State,
    request: HttpRequest,
    path: web::Path<SiteId>,
    form: web::Form<ClosedDayForm>,
) -> Answer {
    closed_days::add(&state, doer(&who, &state)?, *path, &form).await?;
    back(&request, &format!("/admin/sites/{path}#days"))
}

async fn remove_day(who: Who, state: State, request: HttpRequest, path: web::Path<(SiteId, i64)>) -> Answer {
    let (site, day) = path.into_inner();
    closed_days::remove(&state, doer(&who, &state)?, site, day).await?;
    back(&request, &format!("/admin/sites/{site}#days"))
}
