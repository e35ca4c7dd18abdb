//! What a person decides about images or a request without a partner.

use actix_web::{HttpResponse, web};
use askama::Template;
use dokuei_models::identity::IdentityDoubt;
use dokuei_models::{RequestId, StudyId};
use serde::Deserialize;

use crate::app::form::need_reason;
use crate::app::regrouping::{self, Settle};
use crate::authority::Allowed;
use crate::authority::rights::Dispatch;
use crate::error::Result;
use crate::http::form::ReasonForm;
use crate::http::{Answer, Page, Routes, cases, page};
use crate::state::State;

pub(super) fn routes(routes: &mut Routes) {
    routes.post("/dispatch/join", join);
    routes.post("/dispatch/studies/{study}/open", open_default);
    routes.post("/dispatch/studies/{study}/keep", keep);
    routes.post("/dispatch/requests/{request}/withdraw", withdraw);
}

#[derive(Deserialize)]
struct JoinForm {
    study: StudyId,
    request: RequestId,
    #[serde(default)]
    seen: String,
    #[serde(default)]
    reason: String,
}

async fn join(who: Allowed<Dispatch>, state: State, page: Page, form: web::Form<JoinForm>) -> Answer {
    let form = form.into_inner();
    let seen: Vec<IdentityDoubt> = form.seen.split('+').filter_map(|code| code.parse().ok()).collect();
    // Who agrees to a difference says why; an agreeing pair needs no words.
    let reason = if seen.is_empty() { form.reason } else { need_reason("reason", &form.reason)? };
    let what = Settle::Join { request: form.request, study: form.study, seen };
    settle(&who, &state, &page, what, reason).await
}

async fn open_default(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    path: web::Path<StudyId>,
    form: web::Form<ReasonForm>,
) -> Answer {
    settle(&who, &state, &page, Settle::OpenDefault(path.into_inner()), form.reason()?).await
}

async fn keep(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    path: web::Path<StudyId>,
    form: web::Form<ReasonForm>,
) -> Answer {
    settle(&who, &state, &page, Settle::KeepForComparison(path.into_inner()), form.reason()?).await
}

async fn withdraw(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    path: web::Path<RequestId>,
    form: web::Form<ReasonForm>,
) -> Answer {
    settle(&who, &state, &page, Settle::Withdraw(path.into_inner()), form.reason()?).await
}

#[derive(Template)]
#[template(path = "dispatch/settled.html")]
struct SettledFragment<'a> {
    page: &'a Page,
}

/// Does it; shows the case that came of it, else that it is done.
async fn settle(
    who: &Allowed<Dispatch>,
    state: &State,
    page: &Page,
    what: Settle,
    reason: String,
) -> Result<HttpResponse> {
    match regrouping::settle(state, who.person(), who.reach(), what, reason).await? {
        Some(case) => cases::answer(who, state, page, case).await,
        None if page.fragment => page.show(&SettledFragment { page }),
        None => Ok(page::see_other(false, "/dispatch")),
    }
}
