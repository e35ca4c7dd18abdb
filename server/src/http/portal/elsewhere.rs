//! Other institutions' patients: who they are here.

use actix_web::http::StatusCode;
use actix_web::web;
use askama::Template;
use dokuei_models::identity::IdentityDoubt;
use dokuei_models::store::patients::PatientRow;
use dokuei_models::store::sites::SiteRow;
use dokuei_models::store::studies::StudyRow;
use dokuei_models::{PatientId, SiteId};
use dokuei_terms::Language;
use serde::Deserialize;

use super::super::case_words::study_title;
use super::super::form::ReasonForm;
use super::super::page::see_other;
use super::super::{Answer, Page, Routes};
use super::case::faults_of;
use super::{name_of, pick};
use crate::app::elsewhere::deciding::{self, Said, Whom};
use crate::app::elsewhere::{self, Foreign, Suggestion};
use crate::app::portal;
use crate::authority::rights::Submit;
use crate::authority::{Allowed, Person};
use crate::error::codes::common;
use crate::state::State;

/// Registers the page and what it sends.
pub fn routes(routes: &mut Routes) {
    routes.get("/portal/elsewhere", show);
    routes.post("/portal/elsewhere/{patient}/link", link);
    routes.post("/portal/elsewhere/{patient}/discard", discard);
    routes.post("/portal/elsewhere/links/{link}/undo", undo);
}

/// What stands open at one of the patients: a comparison to be looked at, or wrong fields.
#[derive(Default)]
struct Open {
    patient: Option<PatientId>,
    look: Option<(PatientRow, Vec<IdentityDoubt>)>,
    faults: Vec<(String, String)>,
    typed: String,
}

#[derive(Template)]
#[template(path = "portal/elsewhere.html")]
struct ElsewhereView<'a> {
    page: &'a Page,
    sites: Vec<SiteRow>,
    site: SiteRow,
    waiting: Vec<Foreign>,
    decided: Vec<Foreign>,
    open: Open,
    signed: Vec<i64>,
}

impl ElsewhereView<'_> {
    fn site_name<'s>(&self, site: &'s SiteRow) -> &'s str {
        name_of(site, self.page.language)
    }

    /// The name in every group that is written.
    fn names(&self, patient: &PatientRow) -> String {
        let name = patient.name();
        let groups = [&name.ideographic, &name.phonetic, &name.alphabetic];
        let written: Vec<String> =
            groups.iter().filter(|group| !group.is_empty()).map(|group| group.replace('^', " ")).collect();
        written.join(" / ")
    }

    fn birth(&self, patient: &PatientRow) -> String {
        patient.birth_date.map(|day| day.to_string()).unwrap_or_else(|| "—".to_owned())
    }

    fn sex(&self, patient: &PatientRow) -> String {
        match patient.sex.as_str() {
            sex @ ("M" | "F" | "O") => self.page.t(&format!("request-sex-{}", sex.to_lowercase())),
            _ => "—".to_owned(),
        }
    }

    fn number(&self, patient: &PatientRow) -> String {
        if patient.issuer.is_empty() {
            return self.page.tv("elsewhere-number", &patient.patient_id);
        }
        format!("{} {}", patient.issuer, self.page.tv("elsewhere-number", &patient.patient_id))
    }

    fn study(&self, study: &StudyRow) -> String {
        let date = study.study_date.map(|day| day.to_string()).unwrap_or_default();
        format!("{date} {} {}", study_title(self.page, study), study.description).trim().to_owned()
    }

    fn doubts(&self, doubts: &[IdentityDoubt]) -> String {
        let words: Vec<String> = doubts
            .iter()
            .map(|doubt| self.page.t(&format!("portal-doubt-{}", doubt.code().replace('_', "-"))))
            .collect();
        words.join(if self.page.language == Language::Ja { "、" } else { ", " })
    }

    fn codes(&self, doubts: &[IdentityDoubt]) -> String {
        doubts.iter().map(|doubt| doubt.code()).collect::<Vec<_>>().join("+")
    }

    fn is_open(&self, foreign: &Foreign) -> bool {
        self.open.patient == Some(foreign.patient.id)
    }

    fn fault(&self, foreign: &Foreign, field: &str) -> &str {
        let found = self.open.faults.iter().filter(|_| self.is_open(foreign)).find(|(name, _)| name == field);
        found.map_or("", |(_, sentence)| sentence.as_str())
    }

    fn look(&self, foreign: &Foreign) -> Option<(&PatientRow, &[IdentityDoubt])> {
        self.open.look.as_ref().filter(|_| self.is_open(foreign)).map(|(own, doubts)| (own, doubts.as_slice()))
    }

    /// The first suggestion is chosen where nothing differs; else a person chooses.
    fn is_first_choice(&self, foreign: &Foreign, suggestion: &Suggestion) -> bool {
        suggestion.doubts.is_empty() && foreign.suggestions.iter().filter(|one| one.doubts.is_empty()).count() == 1
    }
}

#[derive(Deserialize)]
struct Wanted {
    site: Option<SiteId>,
    /// Cases that are signed already, of whose images an undoing took some away.
    #[serde(default)]
    signed: String,
}

async fn show(who: Allowed<Submit>, state: State, page: Page, wanted: web::Query<Wanted>) -> Answer {
    let signed = wanted.signed.split(',').filter_map(|id| id.parse().ok()).collect();
    whole(&who, &state, &page, wanted.site, Open::default(), signed).await
}

async fn whole(who: &Person, state: &State, page: &Page, site: Option<SiteId>, open: Open, signed: Vec<i64>) -> Answer {
    let sites = portal::sites_of(state, who).await?;
    let site = pick(&sites, site)?;
    let (waiting, decided) =
        elsewhere::list(state, who, site.id).await?.into_iter().partition(|foreign: &Foreign| foreign.waits());
    let status = if open.patient.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = page.clone().titled(&page.t("elsewhere-title"));
    page.show_as(status, &ElsewhereView { page: &page, sites, site, waiting, decided, open, signed })
}

#[derive(Deserialize)]
struct LinkForm {
    site: SiteId,
    /// A patient's row, or `number`.
    #[serde(default)]
    own: String,
    #[serde(default)]
    patient_id: String,
    #[serde(default)]
    seen: String,
    #[serde(default)]
    reason: String,
}

async fn link(
    who: Allowed<Submit>,
    state: State,
    page: Page,
    path: web::Path<PatientId>,
    form: web::Form<LinkForm>,
) -> Answer {
    let (patient, form) = (path.into_inner(), form.into_inner());
    let whom = form.own.parse().map_or_else(|_| Whom::Number(form.patient_id.clone()), Whom::Known);
    let seen: Vec<IdentityDoubt> = form.seen.split('+').filter_map(|code| code.parse().ok()).collect();
    let open = match deciding::link(&state, &who, patient, whom, seen, &form.reason).await {
        Ok(Said::Linked) => return Ok(see_other(false, &format!("/portal/elsewhere?site={}", form.site))),
        Ok(Said::LookFirst { own, doubts }) => {
            Open { patient: Some(patient), look: Some((*own, doubts)), typed: form.patient_id, ..Open::default() }
        }
        Err(error) if error.code() == &common::FORM_INVALID => {
            Open { patient: Some(patient), faults: faults_of(&page, &error), typed: form.patient_id, ..Open::default() }
        }
        Err(error) => return Err(error),
    };
    whole(&who, &state, &page, Some(form.site), open, Vec::new()).await
}

#[derive(Deserialize)]
struct OfSite {
    site: SiteId,
}

async fn discard(
    who: Allowed<Submit>,
    state: State,
    path: web::Path<PatientId>,
    site: web::Query<OfSite>,
    form: web::Form<ReasonForm>,
) -> Answer {
    deciding::discard(&state, &who, path.into_inner(), &form.reason()?).await?;
    Ok(see_other(false, &format!("/portal/elsewhere?site={}", site.site)))
}

async fn undo(
    who: Allowed<Submit>,
    state: State,
    path: web::Path<i64>,
    site: web::Query<OfSite>,
    form: web::Form<ReasonForm>,
) -> Answer {
    let signed = deciding::undo(&state, &who, path.into_inner(), &form.reason()?).await?;
    let signed: Vec<String> = signed.iter().map(ToString::to_string).collect();
    Ok(see_other(false, &format!("/portal/elsewhere?site={}&signed={}", site.site, signed.join(","))))
}
