//! Notes and telephone calls on a case, and deliveries that a person decides about.

use actix_web::web;
use dokuei_models::{CaseId, DeliveryId};
use serde::Deserialize;

use super::answer;
use crate::app::case_sheet::{self, Redeliver};
use crate::authority::Allowed;
use crate::authority::rights::Dispatch;
use crate::http::form::ReasonForm;
use crate::http::{Answer, Page, Routes};
use crate::state::State;

pub(super) fn routes(routes: &mut Routes) {
    routes.post("/cases/{case}/notes", note);
    routes.post("/cases/{case}/deliveries/{delivery}/again", deliver_again);
    routes.post("/cases/{case}/deliveries/{delivery}/give-up", give_up);
}

#[derive(Deserialize)]
struct NoteForm {
    kind: String,
    #[serde(default)]
    contact: String,
    #[serde(default)]
    body: String,
}

async fn note(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    path: web::Path<CaseId>,
    form: web::Form<NoteForm>,
) -> Answer {
    let case = path.into_inner();
    case_sheet::note(&state, who.person(), who.reach(), case, &form.kind, &form.contact, &form.body).await?;
    answer(&who, &state, &page, case).await
}

async fn deliver_again(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    path: web::Path<(CaseId, DeliveryId)>,
) -> Answer {
    redeliver(&who, &state, &page, path.1, Redeliver::Again).await
}

async fn give_up(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    path: web::Path<(CaseId, DeliveryId)>,
    form: web::Form<ReasonForm>,
) -> Answer {
    redeliver(&who, &state, &page, path.1, Redeliver::GiveUp(form.reason()?)).await
}

async fn redeliver(
    who: &Allowed<Dispatch>,
    state: &State,
    page: &Page,
    delivery: DeliveryId,
    what: Redeliver,
) -> Answer {
    let case = case_sheet::redeliver(state, who.person(), who.reach(), delivery, what).await?;
    answer(who, state, page, case).await
}
