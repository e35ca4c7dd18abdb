//! `/dispatch/quarantine/{object}`: one object that was kept apart, and what can be done with it.

use actix_web::{HttpResponse, web};
use askama::Template;
use dokuei_models::SiteId;
use dokuei_models::store::quarantine::QuarantineOutcome;
use dokuei_models::store::sites::SiteRow;
use dokuei_models::store::studies::StudyRow;
use dokuei_terms::Language;
use serde::Deserialize;

use crate::app::quarantine::{self, Sheet, Target, Wanted};
use crate::authority::Allowed;
use crate::authority::rights::Dispatch;
use crate::http::case_words::study_title;
use crate::http::{Answer, Page, Routes, page};
use crate::state::State;

pub(super) fn routes(routes: &mut Routes) {
    routes.get("/dispatch/quarantine/{object}", show);
    routes.post("/dispatch/quarantine/{object}/find", find);
    routes.post("/dispatch/quarantine/{object}/assign", assign);
    routes.post("/dispatch/quarantine/{object}/restore", restore);
    routes.post("/dispatch/quarantine/{object}/retry", retry);
    routes.get("/dispatch/quarantine/{object}/file", file);
}

#[derive(Template)]
#[template(path = "dispatch/quarantine.html")]
struct QuarantinePage<'a> {
    page: &'a Page,
    sheet: &'a Sheet,
    reason: String,
    /// What a search looked for: the site and the number.
    wanted: Option<(SiteId, String)>,
}

impl QuarantinePage<'_> {
    fn site_name(&self, site: &SiteRow) -> String {
        if self.page.language == Language::En && !site.name_en.is_empty() {
            site.name_en.clone()
        } else {
            site.name_ja.clone()
        }
    }

    fn site_of(&self, site: &SiteId) -> String {
        self.sheet.sites.iter().find(|one| one.id == *site).map(|one| self.site_name(one)).unwrap_or_default()
    }

    fn study(&self, study: &StudyRow) -> String {
        let day = study.study_date.map(|day| day.to_string()).unwrap_or_default();
        format!("{day} {} {}", study_title(self.page, study), study.description).trim().to_owned()
    }

    fn outcome(&self) -> String {
        self.sheet.row.outcome.map(|one| self.page.code("quarantine-outcome", one.code())).unwrap_or_default()
    }

    fn is_discarded(&self) -> bool {
        self.sheet.row.outcome == Some(QuarantineOutcome::Discarded)
    }

    fn chosen(&self, site: &SiteId) -> bool {
        self.wanted.as_ref().map_or(self.sheet.row.site_id, |(wanted, _)| *wanted) == *site
    }

    fn number(&self) -> &str {
        self.wanted.as_ref().map_or("", |(_, number)| number)
    }
}

async fn show(who: Allowed<Dispatch>, state: State, page: Page, path: web::Path<i64>) -> Answer {
    let sheet = quarantine::sheet(&state, who.person(), who.reach(), *path, None).await?;
    shown(&page, &sheet, None)
}

fn shown(page: &Page, sheet: &Sheet, wanted: Option<(SiteId, String)>) -> Answer {
    let page = page.clone().titled(&page.t("dispatch-trouble-quarantine"));
    let reason = page.code("dispatch-quarantine", &sheet.row.reason);
    page.show(&QuarantinePage { reason, page: &page, sheet, wanted })
}

#[derive(Deserialize)]
struct Find {
    site: SiteId,
    #[serde(default)]
    patient: String,
}

/// A search by a patient's number, which stands in no address: the page with more places offered.
async fn find(who: Allowed<Dispatch>, state: State, page: Page, path: web::Path<i64>, form: web::Form<Find>) -> Answer {
    let form = form.into_inner();
    let wanted = Wanted { site: form.site, patient_id: form.patient.trim().to_owned() };
    let sheet = quarantine::sheet(&state, who.person(), who.reach(), *path, Some(wanted)).await?;
    shown(&page, &sheet, Some((form.site, form.patient)))
}

#[derive(Deserialize)]
struct Assign {
    #[serde(default)]
    target: String,
    #[serde(default)]
    reason: String,
}

async fn assign(who: Allowed<Dispatch>, state: State, path: web::Path<i64>, form: web::Form<Assign>) -> Answer {
    let target: Target = form.target.parse()?;
    let study = quarantine::assign(&state, who.person(), who.reach(), *path, target, &form.reason).await?;
    Ok(page::see_other(false, &format!("/arrivals/{study}")))
}

async fn restore(who: Allowed<Dispatch>, state: State, path: web::Path<i64>) -> Answer {
    quarantine::restore(&state, who.person(), who.reach(), *path).await?;
    Ok(page::see_other(false, &format!("/dispatch/quarantine/{}", *path)))
}

async fn retry(who: Allowed<Dispatch>, state: State, path: web::Path<i64>) -> Answer {
    quarantine::retry(&state, who.person(), who.reach(), *path).await?;
    Ok(page::see_other(false, "/dispatch/trouble#quarantine"))
}

async fn file(who: Allowed<Dispatch>, state: State, path: web::Path<i64>) -> Answer {
    let bytes = quarantine::file(&state, who.person(), who.reach(), *path).await?;
    Ok(HttpResponse::Ok()
        .content_type("application/dicom")
        .insert_header(("Content-Disposition", format!("attachment; filename=\"object-{}.dcm\"", *path)))
        .body(bytes))
}
