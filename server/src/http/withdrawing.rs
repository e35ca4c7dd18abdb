//! Withdrawing a case's reports: a reading director from the case's page, a signer from his read's. Where the withdrawal
//! is asked for, a dispatcher too; each of them may say instead that the reports stand.

use actix_web::web;
use dokuei_models::{CaseId, ReadId, StudyId};
use serde::Deserialize;

use super::page::see_other;
use super::{Answer, Routes};
use crate::app::signing::asked::stand;
use crate::app::signing::withdraw::{By, withdraw};
use crate::authority::Allowed;
use crate::authority::rights::{Direct, Dispatch, Read};
use crate::error::{Error, codes};
use crate::state::State;

/// Registers them.
pub fn routes(routes: &mut Routes) {
    routes.post("/cases/{case}/withdraw", by_director);
    routes.post("/reads/{read}/withdraw", by_signer);
    routes.post("/reads/{read}/report-stands", stands_by_signer);
    routes.post("/dispatch/cases/{case}/withdrawal", answered);
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

async fn stands_by_signer(who: Allowed<Read>, state: State, path: web::Path<ReadId>, form: web::Form<Said>) -> Answer {
    let read = path.into_inner();
    stand(&state, &who, By::Signer(read), &form.reason).await?;
    Ok(see_other(false, &format!("/reads/{read}")))
}

#[derive(Deserialize)]
struct Answered {
    answer: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    confirm: String,
    /// The conflict's page, if the answer was given there.
    study: Option<StudyId>,
}

async fn answered(who: Allowed<Dispatch>, state: State, path: web::Path<CaseId>, form: web::Form<Answered>) -> Answer {
    let case = path.into_inner();
    let by = By::Asked(who.reach(), case);
    match form.answer.as_str() {
        "withdraw" => withdraw(&state, who.person(), by, &form.reason, form.confirm == "yes").await?,
        "stand" => stand(&state, who.person(), by, &form.reason).await?,
        _ => return Err(Error::new(&codes::common::BAD_REQUEST).with("reason", "answer")),
    };
    let back = form.study.map_or_else(|| format!("/cases/{case}"), |study| format!("/dispatch/conflicts/{study}"));
    Ok(see_other(false, &back))
}
