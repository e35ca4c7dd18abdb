//! `/cases/{id}`: one case as a drawer and as a page, and what a dispatcher does with it.
//!
//! Every change answers with the renewed sheet, or without a script leads back to
//! the case's page.

mod deciding;
mod notes;
mod price;
mod regrouping;

use actix_web::web;
use askama::Template;
use dokuei_models::CaseId;

use super::case_view::{self, SheetView};
use super::medium::Priors;
use super::{Answer, Page, Routes, live, page};
use crate::app::case_sheet::{self, Sheet};
use crate::app::priors;
use crate::authority::Allowed;
use crate::authority::rights::Dispatch;
use crate::state::State;
use crate::wake::Topic;

/// Registers the case's page and every act on it.
pub fn routes(routes: &mut Routes) {
    routes.get("/cases/{case}", show);
    routes.get("/cases/{case}/events", events);
    routes.get("/cases/{case}/medium.zip", medium);
    routes.post("/cases/{case}/plan", plan);
    routes.post("/cases/{case}/priors", fetch_priors);
    deciding::routes(routes);
    price::routes(routes);
    regrouping::routes(routes);
    notes::routes(routes);
}

#[derive(Template)]
#[template(path = "case/sheet.html")]
struct SheetFragment<'a> {
    page: &'a Page,
    sheet: &'a Sheet,
    view: SheetView,
}

#[derive(Template)]
#[template(path = "case/page.html")]
struct SheetPage<'a> {
    page: &'a Page,
    sheet: &'a Sheet,
    view: SheetView,
}

async fn show(who: Allowed<Dispatch>, state: State, page: Page, path: web::Path<CaseId>) -> Answer {
    let sheet = case_sheet::sheet(&state, who.person(), who.reach(), path.into_inner()).await?;
    if page.fragment {
        return page.show(&SheetFragment { page: &page, view: case_view::view(&page, &sheet), sheet: &sheet });
    }
    let page = page.clone().titled(&page.tv("dispatch-case-number", sheet.case.id));
    page.show(&SheetPage { page: &page, view: case_view::view(&page, &sheet), sheet: &sheet })
}

async fn events(who: Allowed<Dispatch>, state: State, path: web::Path<CaseId>) -> Answer {
    let case = path.into_inner();
    // Whoever may not open it hears nothing of it.
    case_sheet::sheet(&state, who.person(), who.reach(), case).await?;
    Ok(live::events(&state, who.person(), vec![Topic::Case(case.0)]))
}

/// The renewed sheet, or the way to the case's page.
pub(super) async fn answer(who: &Allowed<Dispatch>, state: &State, page: &Page, case: CaseId) -> Answer {
    if !page.fragment {
        return Ok(page::see_other(false, &format!("/cases/{case}")));
    }
    let sheet = case_sheet::sheet(state, who.person(), who.reach(), case).await?;
    page.show(&SheetFragment { page, view: case_view::view(page, &sheet), sheet: &sheet })
}

/// The case's images and reports as portable data.
async fn medium(who: Allowed<Dispatch>, state: State, path: web::Path<CaseId>, wanted: web::Query<Priors>) -> Answer {
    super::medium::answer(&state, who.person(), who.reach(), path.into_inner(), wanted.into_inner()).await
}

async fn plan(who: Allowed<Dispatch>, state: State, page: Page, path: web::Path<CaseId>) -> Answer {
    let case = path.into_inner();
    case_sheet::plan_again(&state, who.reach(), case).await?;
    answer(&who, &state, &page, case).await
}

async fn fetch_priors(who: Allowed<Dispatch>, state: State, page: Page, path: web::Path<CaseId>) -> Answer {
    let case = path.into_inner();
    priors::ask(&state, who.person(), who.reach(), case).await?;
    answer(&who, &state, &page, case).await
}
