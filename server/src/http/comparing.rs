//! Comparing two independent reports: the second reader's act, or a dispatcher's.

use actix_web::web;
use dokuei_models::{CaseId, ReadId};
use serde::Deserialize;

use super::page::see_other;
use super::{Answer, Page, Routes, cases};
use crate::app::comparing::{self, Comparison};
use crate::authority::Allowed;
use crate::authority::rights::{Dispatch, Read};
use crate::state::State;

/// Registers both.
pub fn routes(routes: &mut Routes) {
    routes.post("/reads/{read}/compare", by_reader);
    routes.post("/cases/{case}/compare", by_dispatcher);
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    outcome: String,
    #[serde(default)]
    reason: String,
}

async fn by_reader(
    who: Allowed<Read>,
    state: State,
    page: Page,
    path: web::Path<ReadId>,
    form: web::Form<Said>,
) -> Answer {
    let outcome = Comparison::of(&form.outcome, &form.reason)?;
    comparing::compare(&state, &who, path.into_inner(), outcome).await?;
    Ok(see_other(page.fragment, "/worklist"))
}

async fn by_dispatcher(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    path: web::Path<CaseId>,
    form: web::Form<Said>,
) -> Answer {
    let case = path.into_inner();
    let outcome = Comparison::of(&form.outcome, &form.reason)?;
    comparing::compare_as_dispatcher(&state, who.person(), who.reach(), case, outcome).await?;
    cases::answer(&who, &state, &page, case).await
}
