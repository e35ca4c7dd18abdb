//! Withdrawing a case's reports: a reading director from the case's page, a signer from his read's.

use actix_web::web;
use dokuei_models::{CaseId, ReadId};
use serde::Deserialize;

use super::page::see_other;
use super::{Answer, Routes};
use crate::app::signing::withdraw::{By, withdraw};
use crate::authority::Allowed;
use crate::authority::rights::{Direct, Read};
use crate::state::State;

/// Registers both.
pub fn routes(routes: &mut Routes) {
    routes.post("/cases/{case}/withdraw", by_director);
    routes.post("/reads/{read}/withdraw", by_signer);
}

#[derive(Deserialize)]
struct Said {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    confirm: String,
}

async fn by_director(who: Allowed<Direct>, state: State, path: web::Path<CaseId>, form: web::Form<Said>) -> Answer {
    let by = By::Director(who.reach(), path.into_inner());
    let case = withdraw(&state, who.person(), by, &form.reason, form.confirm == "yes").await?;
    Ok(see_other(false, &format!("/cases/{case}")))
}

async fn by_signer(who: Allowed<Read>, state: State, path: web::Path<ReadId>, form: web::Form<Said>) -> Answer {
    let read = path.into_inner();
    withdraw(&state, &who, By::Signer(read), &form.reason, form.confirm == "yes").await?;
    Ok(see_other(false, &format!("/reads/{read}")))
}
