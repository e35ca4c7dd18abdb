//! `/dispatch/trouble`: dead deliveries and jobs, quarantine, strangers, silent peers.

use actix_web::web;
use askama::Template;
use dokuei_models::store::sites::EndpointRow;
use dokuei_models::store::studies::StudyRow;
use dokuei_models::{CaseId, DeliveryId, JobId, SiteId, StudyId};
use dokuei_terms::Language;
use serde::Deserialize;

use super::form::ReasonForm;
use super::{Answer, Page, Routes, page};
use crate::app::case_sheet::{self, Redeliver};
use crate::app::claims;
use crate::app::conflicts::Waiting;
use crate::app::returns;
use crate::app::trouble::{self, TroubleLists};
use crate::authority::Allowed;
use crate::authority::rights::Dispatch;
use crate::error::Error;
use crate::error::codes::common;
use crate::state::State;

/// Registers the page and what is done there.
pub fn routes(routes: &mut Routes) {
    routes.get("/dispatch/trouble", show);
    routes.post("/dispatch/jobs/{job}/again", revive);
    routes.post("/dispatch/quarantine/{object}/resolve", resolve);
    routes.post("/dispatch/cases/{case}/withdrawn-settled", settle_withdrawn);
    routes.post("/dispatch/claims/{study}/decide", decide_claim);
    routes.post("/dispatch/deliveries/{delivery}/again", deliver_again);
    routes.post("/dispatch/deliveries/{delivery}/give-up", give_up);
}

#[derive(Template)]
#[template(path = "dispatch/trouble.html")]
struct TroublePage<'a> {
    page: &'a Page,
    lists: &'a TroubleLists,
}

impl TroublePage<'_> {
    fn site(&self, site: &SiteId) -> String {
        let found = self.lists.sites.iter().find(|one| one.id == *site);
        match (found, self.page.language) {
            (Some(site), Language::En) if !site.name_en.is_empty() => site.name_en.clone(),
            (Some(site), _) => site.name_ja.clone(),
            (None, _) => format!("#{site}"),
        }
    }

    fn sentence<'b>(&self, error: &'b Option<String>) -> &'b str {
        error.as_deref().map(|error| returns::error_sentence(self.page.language, error)).unwrap_or_default()
    }

    fn failing(&self, peer: &EndpointRow) -> String {
        let Some((since, times)) = self.lists.failing(peer.id) else { return String::new() };
        let times = self.page.tn("dispatch-failing-times", times);
        format!("{times} · {}", self.page.tv("dispatch-failing-since", self.page.date_time(since)))
    }

    fn identity(&self, one: &Waiting) -> String {
        one.identity.iter().map(|code| self.page.code("conflict-identity", code)).collect::<Vec<_>>().join(" ・ ")
    }

    fn exam(&self, study: &StudyRow) -> String {
        let day = study.study_date.map(|day| day.to_string()).unwrap_or_default();
        format!("{day} {} {}", super::case_words::study_title(self.page, study), study.description).trim().to_owned()
    }

    fn state(&self, state: &dokuei_models::state::CaseState) -> crate::ui::Html {
        super::case_words::state_badge(self.page, *state)
    }

    fn word(&self, prefix: &str, code: &str) -> String {
        self.page.code(prefix, code)
    }

    fn kind(&self, kind: &dokuei_models::state::DeliveryKind) -> String {
        self.page.code("dispatch-delivery-kind", kind.code())
    }
}

async fn show(who: Allowed<Dispatch>, state: State, page: Page) -> Answer {
    let lists = trouble::lists(&state, who.reach()).await?;
    let page = page.clone().titled(&page.t("dispatch-trouble"));
    page.show(&TroublePage { page: &page, lists: &lists })
}

async fn revive(who: Allowed<Dispatch>, state: State, path: web::Path<JobId>) -> Answer {
    trouble::revive(&state, who.person(), path.into_inner()).await?;
    Ok(page::see_other(false, "/dispatch/trouble#jobs"))
}

async fn resolve(who: Allowed<Dispatch>, state: State, path: web::Path<i64>, form: web::Form<ReasonForm>) -> Answer {
    let reason = form.reason()?;
    trouble::discard(&state, who.person(), who.reach(), path.into_inner(), reason).await?;
    Ok(page::see_other(false, "/dispatch/trouble#quarantine"))
}

async fn settle_withdrawn(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<CaseId>,
    form: web::Form<ReasonForm>,
) -> Answer {
    trouble::settle_withdrawn(&state, who.person(), who.reach(), *path, form.reason()?).await?;
    Ok(page::see_other(false, "/dispatch/trouble#withdrawn"))
}

async fn deliver_again(who: Allowed<Dispatch>, state: State, path: web::Path<DeliveryId>) -> Answer {
    case_sheet::redeliver(&state, who.person(), who.reach(), path.into_inner(), Redeliver::Again).await?;
    Ok(page::see_other(false, "/dispatch/trouble#deliveries"))
}

async fn give_up(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<DeliveryId>,
    form: web::Form<ReasonForm>,
) -> Answer {
    let what = Redeliver::GiveUp(form.reason()?);
    case_sheet::redeliver(&state, who.person(), who.reach(), path.into_inner(), what).await?;
    Ok(page::see_other(false, "/dispatch/trouble#deliveries"))
}

#[derive(Deserialize)]
struct ClaimForm {
    #[serde(default)]
    decision: String,
    #[serde(default)]
    reason: String,
}

async fn decide_claim(
    who: Allowed<Dispatch>,
    state: State,
    path: web::Path<StudyId>,
    form: web::Form<ClaimForm>,
) -> Answer {
    let decision = form.decision.parse().map_err(|_| Error::new(&common::BAD_REQUEST).with("reason", "decision"))?;
    claims::decide(&state, who.person(), who.reach(), *path, decision, &form.reason).await?;
    Ok(page::see_other(false, "/dispatch/trouble#claims"))
}
