//! The page of one case: its steps, its report with versions and recipients, the thread with the reader.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, web};
use askama::Template;
use dokuei_models::state::NoteKind;
use dokuei_models::store::case_notes::CaseNoteRow;
use dokuei_models::store::recipients::RecipientRow;
use dokuei_models::store::signed_versions::SignedVersion;
use dokuei_models::{CaseId, ReportVersionId, UserId};
use dokuei_terms::Language;
use serde::Deserialize;

use super::super::medium::Priors;
use super::super::page::see_other;
use super::super::{Answer, Page, Routes, live};
use super::{LineView, version_badge};
use crate::app::portal::{self, Dossier};
use crate::app::{requests, returns};
use crate::authority::rights::{ActOnReports, SeeReports, Submit};
use crate::authority::{Allowed, Person};
use crate::error::Error;
use crate::error::codes::common;
use crate::state::State;
use crate::ui::Html;
use crate::wake::Topic;

/// For a PDF or picture by itself: the browser's own viewer, no script of anybody.
pub const DOCUMENT_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; object-src 'self'; frame-ancestors 'self'";

/// Registers the case's page and what it sends.
pub fn routes(routes: &mut Routes) {
    routes.get("/portal/cases/{case}", show);
    routes.get("/portal/cases/{case}/status", status);
    routes.get("/portal/cases/{case}/medium.zip", medium);
    routes.get("/portal/cases/{case}/events", events);
    routes.post("/portal/cases/{case}/answer", answer);
    routes.get("/portal/versions/{version}/report.pdf", pdf);
    routes.post("/portal/versions/{version}/accept", accept);
    routes.post("/portal/versions/{version}/act", act);
}

/// The page of a request, with its case where there is one.
#[derive(Template)]
#[template(path = "portal/case.html")]
pub struct DossierView<'a> {
    page: &'a Page,
    dossier: Dossier,
    user: UserId,
    is_doctor: bool,
    faults: Vec<(String, String)>,
    typed: String,
}

/// What changes while one looks: steps, thread, who opened the report.
#[derive(Template)]
#[template(path = "portal/status.html")]
struct StatusView<'a> {
    page: &'a Page,
    line: LineView,
    dossier: Dossier,
}

/// A version's recipients in the words of the page.
struct Recipient {
    name: String,
    opened: String,
    accepted: String,
    acted: String,
    note: String,
}

fn recipients_of(page: &Page, dossier: &Dossier, version: &SignedVersion) -> Vec<Recipient> {
    let name = |row: &RecipientRow| match page.language {
        Language::En if !row.name_en.is_empty() => row.name_en.clone(),
        _ => row.name_ja.clone(),
    };
    let time = |at: Option<chrono::NaiveDateTime>| at.map(|at| page.time(at)).unwrap_or_default();
    dossier
        .recipients_of(version)
        .into_iter()
        .map(|row| Recipient {
            name: name(row),
            opened: time(row.opened_at),
            accepted: time(row.accepted_at),
            acted: time(row.acted_at),
            note: row.acted_note.clone(),
        })
        .collect()
}

impl<'a> DossierView<'a> {
    /// A page; `typed` is what was typed into the form that has `faults`.
    pub fn new(page: &'a Page, dossier: Dossier, who: &Person, faults: Vec<(String, String)>, typed: String) -> Self {
        Self { page, user: who.id, is_doctor: who.has::<ActOnReports>(), dossier, faults, typed }
    }

    /// What is wrong with a field, if anything.
    fn fault(&self, field: &str) -> &str {
        self.faults.iter().find(|(name, _)| name == field).map_or("", |(_, sentence)| sentence.as_str())
    }

    /// Whether the person has accepted the version, and acted on it.
    fn said(&self, version: &SignedVersion) -> (bool, bool) {
        self.dossier.responses_of(version, self.user)
    }

    /// What was typed into a field that is wrong.
    fn typed_in(&self, field: &str) -> &str {
        if self.fault(field).is_empty() { "" } else { &self.typed }
    }

    fn status(&self) -> askama::Result<Html> {
        let view = StatusView {
            page: self.page,
            line: LineView::new(self.page, self.dossier.line.clone()),
            dossier: self.dossier.clone(),
        };
        view.render().map(Html::raw)
    }

    /// That a version was signed before all images were here, in words; empty if it was not.
    fn incomplete(&self, version: &SignedVersion) -> String {
        let Some((received, expected)) = self.dossier.incomplete.get(&version.id) else { return String::new() };
        let at = version.signed_at.map(|at| self.page.date_time(at)).unwrap_or_default();
        let count = expected.map_or_else(|| received.to_string(), |expected| format!("{received} / {expected}"));
        self.page.tv("portal-signed-incomplete", format!("{count} ({at})"))
    }

    fn badge(&self, version: &SignedVersion) -> Html {
        version_badge(self.page, version.state)
    }

    fn kind(&self) -> String {
        self.page.t(&format!("request-kind-{}", self.dossier.request.kind.code().replace('_', "-")))
    }

    fn source(&self) -> String {
        self.page.t(&format!("request-source-{}", self.dossier.request.source.code()))
    }

    fn sex(&self) -> String {
        match self.dossier.request.sex.as_str() {
            sex @ ("M" | "F" | "O") => self.page.t(&format!("request-sex-{}", sex.to_lowercase())),
            _ => String::new(),
        }
    }
}

impl StatusView<'_> {
    fn is_answer(&self, note: &CaseNoteRow) -> bool {
        note.kind == NoteKind::Answer
    }

    fn badge(&self, version: &SignedVersion) -> Html {
        version_badge(self.page, version.state)
    }

    fn recipients(&self, version: &SignedVersion) -> Vec<Recipient> {
        recipients_of(self.page, &self.dossier, version)
    }
}

/// An error's fields in the words of the page.
pub fn faults_of(page: &Page, error: &Error) -> Vec<(String, String)> {
    error.fields().iter().map(|(field, code)| (field.clone(), code.sentence(page.language).to_owned())).collect()
}

async fn show(who: Allowed<SeeReports>, state: State, page: Page, path: web::Path<CaseId>) -> Answer {
    let dossier = portal::dossier_of_case(&state, &who, path.into_inner()).await?;
    let page = page.clone().titled(&page.t("portal-case-title"));
    page.show(&DossierView::new(&page, dossier, &who, Vec::new(), String::new()))
}

async fn status(who: Allowed<SeeReports>, state: State, page: Page, path: web::Path<CaseId>) -> Answer {
    let dossier = portal::dossier_of_case(&state, &who, path.into_inner()).await?;
    let line = LineView::new(&page, dossier.line.clone());
    page.show(&StatusView { page: &page, line, dossier })
}

async fn events(who: Allowed<SeeReports>, state: State, path: web::Path<CaseId>) -> Answer {
    let case = path.into_inner();
    portal::dossier_of_case(&state, &who, case).await?;
    Ok(live::events(&state, &who, vec![Topic::Case(case.0)]))
}

#[derive(Deserialize)]
struct AnswerForm {
    answer: String,
}

async fn answer(
    who: Allowed<Submit>,
    state: State,
    page: Page,
    path: web::Path<CaseId>,
    form: web::Form<AnswerForm>,
) -> Answer {
    let case = path.into_inner();
    match requests::answer(&state, &who, case, &form.answer).await {
        Ok(()) => Ok(see_other(false, &format!("/portal/cases/{case}"))),
        Err(error) => again(&who, &state, &page, case, error, &form.answer).await,
    }
}

/// The case's page once more, with what was typed and what is wrong with it.
async fn again(who: &Person, state: &State, page: &Page, case: CaseId, error: Error, typed: &str) -> Answer {
    if error.code() != &common::FORM_INVALID {
        return Err(error);
    }
    let dossier = portal::dossier_of_case(state, who, case).await?;
    let page = page.clone().titled(&page.t("portal-case-title"));
    let faults = faults_of(&page, &error);
    page.show_as(StatusCode::UNPROCESSABLE_ENTITY, &DossierView::new(&page, dossier, who, faults, typed.to_owned()))
}

#[derive(Deserialize)]
struct Download {
    #[serde(default)]
    download: u8,
}

async fn pdf(
    who: Allowed<SeeReports>,
    state: State,
    path: web::Path<ReportVersionId>,
    query: web::Query<Download>,
) -> Answer {
    let (version, bytes) = returns::open_pdf(&state, &who, path.into_inner()).await?;
    let place = if query.download == 1 { "attachment" } else { "inline" };
    let name = if version.withdrawn.is_some() { "withdrawn-report" } else { "report" };
    Ok(HttpResponse::Ok()
        .content_type("application/pdf")
        // A name without patient data: it stays in the downloads folder.
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("{place}; filename=\"{name}-{}-{}.pdf\"", version.case_id, version.number),
        ))
        .insert_header((header::CONTENT_SECURITY_POLICY, DOCUMENT_POLICY))
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .body(bytes))
}

/// The case's images and reports as portable data.
async fn medium(who: Allowed<SeeReports>, state: State, path: web::Path<CaseId>, wanted: web::Query<Priors>) -> Answer {
    let case = path.into_inner();
    super::super::medium::answer(&state, &who, who.reach(), case, wanted.into_inner()).await
}

async fn accept(who: Allowed<ActOnReports>, state: State, path: web::Path<ReportVersionId>) -> Answer {
    let case = returns::accept(&state, &who, path.into_inner()).await?;
    Ok(see_other(false, &format!("/portal/cases/{case}")))
}

#[derive(Deserialize)]
struct NoteForm {
    case: CaseId,
    note: String,
}

async fn act(
    who: Allowed<ActOnReports>,
    state: State,
    page: Page,
    path: web::Path<ReportVersionId>,
    form: web::Form<NoteForm>,
) -> Answer {
    match returns::act(&state, &who, path.into_inner(), &form.note).await {
        Ok(case) => Ok(see_other(false, &format!("/portal/cases/{case}"))),
        Err(error) => again(&who, &state, &page, form.case, error, &form.note).await,
    }
}
